// SPDX-License-Identifier: GPL-2.0-only
/* The ATA drives of a machine: what they read and write, and the thread that waits for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/complaint.h"
#include "disk/disk.h"
#include "lib/event.h"
#include "lib/worker.h"
#include "machine_ide.h"
#include "machine_pc.h"

#define ISA_PRIMARY 14
#define ISA_SECONDARY 15
#define CDROM_PLACE 2			/* secondary master, where PCs have it */
#define DISK "disk"			/* the option */
#define IMAGE_SERIAL "IMAGE"

/* A drive. @medium first: it is what the chip knows. */
struct drive {
	struct hv_medium medium;
	struct hv_machine_ide *ide;
	const struct hv_ata_kind *kind;	/* NULL: no drive */
	bool is_image;			/* what the guest has started from, the payload's */
	bool told;			/* that it cannot be written to */
	struct hv_disk disk;
	struct hv_disk_complaint complaint;
	struct hv_disk_queue *queue;
	/* One at a time: the chip's, and what the worker makes of it. @machine->lock, but the
	 * worker's own from its job to its end.
	 */
	struct hv_medium_io *io;
	struct hv_job job;
	struct hv_disk_request request;
	struct iovec iov;
};

struct hv_machine_ide {
	struct hv_machine *machine;
	struct hv_worker worker;
	bool has_worker, has_chip;
	bool by_worker;			/* the chip goes on; @machine->lock */
	bool behind;			/* lines are not passed on yet; @machine->lock */
	struct hv_irq irq[HV_PIIX_IDE_CHANNELS];
	struct hv_watch line_watch;	/* by the machine's loop: an eventfd */
	struct hv_piix_ide chip;
	struct drive drive[HV_PIIX_IDE_DRIVES];
};

/* ---------------------------------------------------------------- interrupts */

/*
 * Raising one may take an ioctl of the module, which the worker may not make: what the worker sets
 * the machine's loop passes on, or the vCPU that looks at the drive before that.
 */
static void set_line(void *controller, unsigned int channel, bool level)
{
	struct hv_machine_ide *ide = controller;

	if (ide->by_worker) {
		ide->behind = true;
		hv_signal_event(ide->line_watch.fd);
	} else {
		hv_irq_set(&ide->irq[channel], level);
	}
}

static void catch_up(void *ctx)
{
	struct hv_machine_ide *ide = ctx;

	if (!ide->behind)
		return;
	ide->behind = false;
	for (unsigned int i = 0; i < HV_PIIX_IDE_CHANNELS; i++)
		hv_irq_set(&ide->irq[i], ide->chip.channel[i].level);
}

static void on_lines(void *ctx, short revents)
{
	struct hv_machine_ide *ide = ctx;

	(void)revents;
	pthread_mutex_lock(&ide->machine->lock);
	hv_take_event(ide->line_watch.fd);
	catch_up(ide);
	pthread_mutex_unlock(&ide->machine->lock);
}

static int make_lines(struct hv_machine_ide *ide)
{
	struct hv_pc *board = &ide->machine->pc->board;

	ide->irq[0] = hv_pc_irq(board, ISA_PRIMARY);
	ide->irq[1] = hv_pc_irq(board, ISA_SECONDARY);
	ide->line_watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ide->line_watch.fd < 0)
		return -errno;
	hv_loop_add(&ide->machine->loop, &ide->line_watch);
	return 0;
}

static void destroy_lines(struct hv_machine_ide *ide)
{
	if (ide->line_watch.fd < 0)
		return;
	hv_loop_remove(&ide->machine->loop, &ide->line_watch);
	close(ide->line_watch.fd);
}

/* ------------------------------------------------------------ the worker's part */

static void finish(struct drive *drive, int result)
{
	struct hv_machine_ide *ide = drive->ide;
	struct hv_medium_io *io = drive->io;
	char text[256];

	if (hv_disk_complain(&drive->complaint, result, text, sizeof(text)))
		hv_machine_note(ide->machine, "hvctl run: %s", text);
	pthread_mutex_lock(&ide->machine->lock);
	drive->io = NULL;
	ide->by_worker = true;
	io->done(io, result);
	ide->by_worker = false;
	pthread_mutex_unlock(&ide->machine->lock);
}

static void on_done(struct hv_disk_request *request, int result)
{
	finish(request->ctx, result);
}

/* Behind the image's end there are zeroes, up to a whole sector. */
static void read_image(struct drive *drive)
{
	const struct hv_payload *payload = &drive->ide->machine->payload;
	const struct hv_medium_io *io = drive->io;
	uint64_t left = payload->file.size - io->offset;
	size_t len = io->len < left ? io->len : left;
	bool done = true;

	if (io->op == HV_MEDIUM_READ) {
		memset(io->data + len, 0, io->len - len);
		done = hv_payload_read_image(payload, io->offset, io->data, len);
	}
	finish(drive, done ? 0 : -EIO);
}

static void ask_disk(struct drive *drive)
{
	static const enum hv_disk_op ops[] = {
		[HV_MEDIUM_READ] = HV_DISK_READ,
		[HV_MEDIUM_WRITE] = HV_DISK_WRITE,
		[HV_MEDIUM_FLUSH] = HV_DISK_FLUSH,
	};
	const struct hv_medium_io *io = drive->io;

	drive->iov = (struct iovec){ io->data, io->len };
	drive->request = (struct hv_disk_request){
		.op = ops[io->op],
		.offset = io->offset,
		.len = io->len,
		.iov = &drive->iov,
		.nr_iov = io->len ? 1 : 0,
		.done = on_done,
		.ctx = drive,
	};
	hv_disk_submit(drive->queue, &drive->request);
	hv_disk_kick(drive->queue);
}

static void work(void *ctx)
{
	struct drive *drive = ctx;

	if (drive->is_image)
		read_image(drive);
	else
		ask_disk(drive);
}

static void submit(struct hv_medium *medium, struct hv_medium_io *io)
{
	struct drive *drive = (struct drive *)medium;

	drive->io = io;
	hv_worker_post(&drive->ide->worker, &drive->job);
}

/* Once: a guest that goes on trying is told by its own messages. */
static void refused(struct hv_medium *medium)
{
	struct drive *drive = (struct drive *)medium;
	struct hv_machine *machine = drive->ide->machine;

	if (!drive->told && drive->is_image)
		hv_machine_note(
			machine,
			"hvctl run: the guest writes to the disk that it has started from, which stays as it is; add --disk %s,if=ide to let it",
			machine->config.load.path);
	drive->told = true;
}

/* ------------------------------------------------------------------ prepare */

static struct hv_machine_ide *allocate(struct hv_machine *machine)
{
	struct hv_machine_ide *ide = calloc(1, sizeof(*ide));

	if (!ide)
		return NULL;
	ide->machine = machine;
	ide->line_watch = (struct hv_watch){ .fd = -1, .ready = on_lines, .ctx = ide };
	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES; i++) {
		ide->drive[i].ide = ide;
		ide->drive[i].disk.fd = -1;
	}
	return ide;
}

static bool same_file(const char *one, const char *other)
{
	struct stat a, b;

	return !stat(one, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The next place for a disk: they go around the CD-ROM. NULL: there is none. */
static struct drive *free_place(struct hv_machine_ide *ide)
{
	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES; i++)
		if (!ide->drive[i].kind)
			return &ide->drive[i];
	return NULL;
}

static void name_image(struct drive *drive, const char *path)
{
	snprintf(drive->complaint.path, sizeof(drive->complaint.path), "%s", path);
}

static void add_image(struct hv_machine_ide *ide)
{
	struct drive *drive = free_place(ide);

	drive->kind = &hv_ata_disk;
	drive->is_image = true;
	name_image(drive, ide->machine->config.load.path);
	drive->medium = (struct hv_medium){
		.size = (ide->machine->payload.file.size + HV_DISK_SECTOR - 1) &
			~(HV_DISK_SECTOR - 1ull),
		.block = HV_DISK_SECTOR,
		.read_only = true,
		.serial = IMAGE_SERIAL,
	};
}

static int open_drive(struct drive *drive, const struct hv_disk_config *config,
		      const struct hv_ata_kind *kind, struct hv_error *err)
{
	int error = hv_disk_open(&drive->disk, config, err);

	if (error)
		return error;
	drive->kind = kind;
	name_image(drive, config->path);
	drive->medium = (struct hv_medium){
		.size = drive->disk.size,
		.block = drive->disk.block,
		.read_only = drive->disk.read_only,
		.serial = drive->disk.serial,
	};
	return 0;
}

/* One --disk; @boot: those that are the image, or those that are not. */
static int add_disk(struct hv_machine_ide *ide, const char *text, bool boot, struct hv_error *err)
{
	struct hv_disk_options options;
	struct drive *drive;
	int error = hv_disk_options_parse(&options, text, err);

	if (!error && same_file(options.config.path, ide->machine->config.load.path) == boot) {
		drive = free_place(ide);
		if (drive)
			error = open_drive(drive, &options.config, &hv_ata_disk, err);
		else
			error = hv_fail(
				err, ENOSPC,
				"one drive too many: IDE has %d, with the image and the CD-ROM; leave out if=ide",
				HV_PIIX_IDE_DRIVES);
	}
	hv_disk_options_end(&options);
	return error;
}

bool hv_machine_ide_takes(const struct hv_device_choice *choice)
{
	struct hv_disk_options options;
	struct hv_error err;
	bool takes;

	if (strcmp(choice->option, DISK))
		return false;
	takes = !hv_disk_options_parse(&options, choice->text, &err) &&
		options.interface == HV_DISK_IDE;
	hv_disk_options_end(&options);
	return takes;
}

static int add_disks(struct hv_machine_ide *ide, bool boot, struct hv_error *err)
{
	const struct hv_config *config = &ide->machine->config;
	int error = 0;

	err->subject = "--disk";
	for (unsigned int i = 0; i < config->devices && !error; i++)
		if (hv_machine_ide_takes(&config->device[i]))
			error = add_disk(ide, config->device[i].text, boot, err);
	return error;
}

static bool has_drives(const struct hv_machine *machine)
{
	const struct hv_config *config = &machine->config;

	for (unsigned int i = 0; i < config->devices; i++)
		if (hv_machine_ide_takes(&config->device[i]))
			return true;
	return config->cdrom || machine->payload.image.bios;
}

static int add_cdrom(struct hv_machine_ide *ide, struct hv_error *err)
{
	const struct hv_disk_config config = {
		.path = ide->machine->config.cdrom,
		.read_only = true,
		.disc = true,
	};

	if (!config.path)
		return 0;
	err->subject = "--cdrom";
	return open_drive(&ide->drive[CDROM_PLACE], &config, &hv_ata_cdrom, err);
}

/* What a BIOS starts from is the first disk: as a drive of its own, or that which is the same. */
int hv_machine_ide_prepare(struct hv_machine *machine, struct hv_error *err)
{
	struct hv_machine_ide *ide;
	int error;

	if (!has_drives(machine))
		return 0;
	ide = allocate(machine);
	if (!ide)
		return hv_fail(err, ENOMEM, "no memory for drives; close something");
	machine->ide = ide;
	error = add_cdrom(ide, err);
	if (!error)
		error = add_disks(ide, true, err);
	if (!error && machine->payload.image.bios && !ide->drive[0].kind)
		add_image(ide);
	return error ? error : add_disks(ide, false, err);
}

/* ------------------------------------------------------------------- create */

static int start_worker(struct hv_machine_ide *ide, struct hv_error *err)
{
	int error = hv_worker_init(&ide->worker, "ide", err);

	if (error)
		return error;
	ide->has_worker = true;
	ide->worker.sandbox = HV_SANDBOX_DISK;
	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES; i++) {
		struct drive *drive = &ide->drive[i];

		drive->job = (struct hv_job){ .fn = work, .ctx = drive };
		drive->medium.submit = submit;
		drive->medium.refused = refused;
		if (!drive->kind || drive->is_image)
			continue;
		drive->queue = hv_disk_queue_create(&drive->disk, &ide->worker.loop, 1, err);
		if (!drive->queue)
			return -EIO;
	}
	return hv_worker_start(&ide->worker, err);
}

static int make_chip(struct hv_machine_ide *ide)
{
	struct hv_machine *machine = ide->machine;
	const struct hv_piix_ide_config config = {
		.bus = &machine->bus,
		.pci = &machine->pc->board.pci,
		.memory = &machine->memory,
		.irq = { { set_line, ide, 0 }, { set_line, ide, 1 } },
		.catch_up = catch_up,
		.ctx = ide,
	};
	int error = make_lines(ide);

	if (!error)
		error = hv_piix_ide_init(&ide->chip, &config);

	if (error)
		return error;
	ide->has_chip = true;
	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES && !error; i++)
		if (ide->drive[i].kind)
			error = hv_piix_ide_add(&ide->chip, i, ide->drive[i].kind,
						&ide->drive[i].medium);
	return error;
}

int hv_machine_ide_create(struct hv_machine *machine, struct hv_error *err)
{
	int error;

	if (!machine->ide)
		return 0;
	err->subject = "IDE";
	error = make_chip(machine->ide);
	if (error)
		return hv_fail(err, -error, "cannot make the controller: %s; please report it",
			       strerror(-error));
	return start_worker(machine->ide, err);
}

struct hv_piix_ide *hv_machine_ide_chip(const struct hv_machine *machine)
{
	return machine->ide ? &machine->ide->chip : NULL;
}

void hv_machine_ide_reset(struct hv_machine *machine)
{
	if (machine->ide)
		hv_piix_ide_reset(&machine->ide->chip);
}

/* ---------------------------------------------------------------------- end */

static bool is_busy(struct hv_machine_ide *ide)
{
	bool busy;

	pthread_mutex_lock(&ide->machine->lock);
	busy = hv_piix_ide_is_busy(&ide->chip);
	pthread_mutex_unlock(&ide->machine->lock);
	return busy;
}

/* By the worker, behind what was posted before. */
static void drain(void *ctx)
{
	struct hv_machine_ide *ide = ctx;

	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES; i++)
		if (ide->drive[i].queue)
			hv_disk_drain(ide->drive[i].queue);
}

/* What is done may have gone on with its next piece. */
void hv_machine_ide_settle(struct hv_machine *machine)
{
	struct hv_machine_ide *ide = machine->ide;

	if (!ide || !ide->worker.started)
		return;
	while (is_busy(ide))
		hv_worker_run(&ide->worker, drain, ide);
}

void hv_machine_ide_confine(struct hv_machine *machine)
{
	if (machine->ide)
		hv_worker_confine(&machine->ide->worker);
}

/* What is under way ends, its command does not go on. */
void hv_machine_ide_stop(struct hv_machine *machine)
{
	struct hv_machine_ide *ide = machine->ide;

	if (!ide || !ide->has_worker)
		return;
	pthread_mutex_lock(&machine->lock);
	hv_piix_ide_reset(&ide->chip);
	pthread_mutex_unlock(&machine->lock);
	hv_machine_ide_settle(machine);
	hv_worker_stop(&ide->worker);
}

void hv_machine_ide_destroy(struct hv_machine *machine)
{
	struct hv_machine_ide *ide = machine->ide;

	if (!ide)
		return;
	if (ide->has_chip)
		hv_piix_ide_exit(&ide->chip);
	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES; i++) {
		if (ide->drive[i].queue)
			hv_disk_queue_destroy(ide->drive[i].queue);
		if (ide->drive[i].disk.fd >= 0)
			hv_disk_close(&ide->drive[i].disk);
	}
	destroy_lines(ide);
	if (ide->has_worker)
		hv_worker_exit(&ide->worker);
	free(ide);
	machine->ide = NULL;
}
