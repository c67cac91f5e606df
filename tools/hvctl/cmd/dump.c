// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl dump: an ELF core of a VM that runs.
 *
 * The VM stands still as long as we are connected, so that registers and all memory are of one
 * moment. It writes its memory itself, into the file that we have opened, piece by piece; page
 * tables are read from that file, when it runs again.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "command.h"
#include "debug/core.h"
#include "debug/gdb_packet.h"
#include "lib/args.h"
#include "lib/progress.h"
#include "lib/status.h"
#include "lib/util.h"
#include "look.h"
#include "reach.h"

#define VCPUS_MAX UINT16_MAX

struct order {
	struct hv_look look;		/* first: hv_look_parse() has it for its own */
	bool force;
	bool paging;
};

struct dump {
	const struct order *order;
	const char *path;
	int fd;
	struct hv_client client;
	unsigned int gpa_bits;
	struct hv_registers *vcpus;
	struct hv_core_fpu *fpus;
	struct hv_core core;
	uint64_t written;		/* of memory: the rest is zero */
	uint64_t note_gpa;		/* where the guest says that its VMCOREINFO is, */
	uint32_t note_bytes;		/* and how large; 0: it says nothing */
	struct hv_error err;
};

/* ------------------------------------------------------------- command line */

enum { OPT_FORCE = 'f', OPT_PAGING = 'p', OPT_VCPU = 'c' };

static const struct argp_option options[] = {
	{ "force", OPT_FORCE, NULL, 0, "overwrite FILE", 0 },
	{ "paging", OPT_PAGING, NULL, 0,
	  "by linear addresses, too, as the vCPU's page tables have them", 0 },
	{ "vcpu", OPT_VCPU, "N", 0, "--paging: those of that vCPU, from 0 on (default 0)", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_FORCE:
		order->force = true;
		return 0;
	case OPT_PAGING:
		order->paging = true;
		return 0;
	}
	return hv_look_parse(key, arg, state);
}

const struct argp hv_argp_dump = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME FILE",
	.doc = "Save a VM's memory and the registers of its vCPUs into FILE, an ELF core for gdb and "
	       "crash.\v"
	       "The VM stands still meanwhile. Addresses in FILE are guest-physical ones; with --paging "
	       "linear ones, and guest-physical memory is at 0x8000000000000000. What is zero takes no "
	       "room. Ctrl-C ends it, and removes FILE.",
};

/* --------------------------------------------------------------------- file */

static volatile sig_atomic_t interrupted;
static const char *unfinished;		/* that a signal removes */

/* The first is seen between two pieces; the second ends us. */
static void on_signal(int sig)
{
	if (interrupted) {
		unlink(unfinished);
		_exit(128 + sig);
	}
	interrupted = 1;
}

/* What is ignored (nohup) stays so. */
static void catch_signal(int sig)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction old;

	if (!sigaction(sig, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(sig, &action, NULL);
}

static void catch_signals(const char *path)
{
	unfinished = path;
	catch_signal(SIGINT);
	catch_signal(SIGTERM);
	catch_signal(SIGHUP);
	/* A file that may not grow so far is an error. */
	signal(SIGXFSZ, SIG_IGN);
}

static int fail_open(struct dump *dump, int error)
{
	if (error == EEXIST)
		return hv_fail(&dump->err, EEXIST, "is there already; -f overwrites it");
	return hv_fail(&dump->err, error, "%s; name a file that can be written", strerror(error));
}

/* Guest memory has secrets: it is for its user alone. */
static int open_file(struct dump *dump)
{
	struct stat st;

	dump->fd = open(dump->path,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW |
				(dump->order->force ? 0 : O_EXCL),
			0600);
	if (dump->fd < 0)
		return fail_open(dump, errno);
	if (fstat(dump->fd, &st) || !S_ISREG(st.st_mode))
		hv_fail(&dump->err, EINVAL, "is no file; name one");
	else if (st.st_uid != geteuid() || fchmod(dump->fd, 0600))
		hv_fail(&dump->err, EINVAL, "is another user's; name another file");
	else if (ftruncate(dump->fd, 0))
		hv_fail(&dump->err, EINVAL, "%s; name another file", strerror(errno));
	else
		return 0;
	close(dump->fd);
	dump->fd = -1;
	return -EINVAL;
}

/* ----------------------------------------------------------------- what is said */

static int is_told_otherwise(struct dump *dump)
{
	return hv_fail(&dump->err, EPROTO,
		       "its state is told otherwise; use the hvctl that it was started with");
}

static bool parse_range(const json_t *range, uint64_t *gpa, uint64_t *bytes)
{
	const char *text = json_string_value(json_object_get(range, "address")) ?: "";
	json_int_t count = json_integer_value(json_object_get(range, "bytes"));

	*bytes = (uint64_t)count;
	return count >= 0 && hv_parse_size(text, 1, gpa);
}

static int add_memory(struct dump *dump, const json_t *ranges)
{
	uint64_t gpa, bytes;
	json_t *range;
	size_t i;

	json_array_foreach((json_t *)ranges, i, range) {
		if (!parse_range(range, &gpa, &bytes) || !hv_core_add(&dump->core, gpa, bytes))
			return is_told_otherwise(dump);
	}
	return i ? 0 : is_told_otherwise(dump);
}

static int find_note(struct dump *dump, const json_t *range)
{
	uint64_t bytes;

	if (!range)
		return 0;
	if (!parse_range(range, &dump->note_gpa, &bytes) || bytes > UINT32_MAX)
		return is_told_otherwise(dump);
	dump->note_bytes = (uint32_t)bytes;
	return 0;
}

static int hold(struct dump *dump)
{
	json_t *reply;
	int error = hv_client_call(&dump->client, json_pack("{s:s}", "request", "hold"), &reply,
				   &dump->err);
	json_int_t vcpus, bits, xsave;

	if (error)
		return error;
	vcpus = json_integer_value(json_object_get(reply, "vcpus"));
	bits = json_integer_value(json_object_get(reply, "gpa_bits"));
	xsave = json_integer_value(json_object_get(reply, "xsave_bytes"));
	if (vcpus < 1 || vcpus > VCPUS_MAX || bits < 32 || bits > 52 || xsave < HV_CORE_XSAVE_MIN ||
	    xsave > HV_CORE_XSAVE_MAX) {
		error = is_told_otherwise(dump);
	} else if (dump->order->look.vcpu >= vcpus) {
		error = hv_fail(&dump->err, EINVAL, "--vcpu %d: it has %lld, from 0 on",
				dump->order->look.vcpu, (long long)vcpus);
	} else {
		dump->gpa_bits = (unsigned int)bits;
		hv_core_init(&dump->core, (unsigned int)vcpus, (size_t)xsave, dump->order->paging);
		error = add_memory(dump, json_object_get(reply, "memory"));
		if (!error)
			error = find_note(dump, json_object_get(reply, "vmcoreinfo"));
	}
	json_decref(reply);
	return error;
}

/* The reply to a request about a vCPU, or NULL. */
static json_t *ask_vcpu(struct dump *dump, const char *request, unsigned int vcpu)
{
	json_t *reply;

	return hv_client_call(&dump->client,
			      json_pack("{s:s, s:i}", "request", request, "vcpu", (int)vcpu),
			      &reply, &dump->err) ?
		       NULL :
		       reply;
}

static int get_registers(struct dump *dump, unsigned int vcpu)
{
	json_t *reply = ask_vcpu(dump, "registers", vcpu);
	bool told;

	if (!reply)
		return -EIO;
	told = hv_registers_from_json(&dump->vcpus[vcpu], json_object_get(reply, "registers"));
	json_decref(reply);
	return told ? 0 : is_told_otherwise(dump);
}

static bool parse_fpu(struct hv_core_fpu *fpu, const json_t *reply, size_t bytes)
{
	const char *xcr0 = json_string_value(json_object_get(reply, "xcr0")) ?: "";
	const char *image = json_string_value(json_object_get(reply, "image")) ?: "";

	return hv_parse_size(xcr0, 1, &fpu->xcr0) && strlen(image) == 2 * bytes &&
	       hv_gdb_unhex(fpu->image, image, bytes);
}

static int get_fpu(struct dump *dump, unsigned int vcpu)
{
	json_t *reply = ask_vcpu(dump, "fpu", vcpu);
	bool told;

	if (!reply)
		return -EIO;
	told = parse_fpu(&dump->fpus[vcpu], reply, dump->core.xsave_bytes);
	json_decref(reply);
	return told ? 0 : is_told_otherwise(dump);
}

static bool make_room(struct dump *dump)
{
	const struct hv_core *core = &dump->core;

	dump->vcpus = calloc(core->nr_vcpus, sizeof(*dump->vcpus));
	dump->fpus = calloc(core->nr_vcpus, sizeof(*dump->fpus));
	if (!dump->vcpus || !dump->fpus)
		return false;
	for (unsigned int i = 0; i < core->nr_vcpus; i++) {
		dump->fpus[i].image = calloc(1, core->xsave_bytes);
		if (!dump->fpus[i].image)
			return false;
	}
	return true;
}

static void free_room(struct dump *dump)
{
	for (unsigned int i = 0; dump->fpus && i < dump->core.nr_vcpus; i++)
		free(dump->fpus[i].image);
	free(dump->fpus);
	free(dump->vcpus);
}

static int get_all_registers(struct dump *dump)
{
	int error = 0;

	if (!make_room(dump))
		return hv_fail(&dump->err, ENOMEM, "no memory for registers; close something");
	for (unsigned int i = 0; i < dump->core.nr_vcpus && !error; i++) {
		error = get_registers(dump, i);
		if (!error)
			error = get_fpu(dump, i);
	}
	return error;
}

/* ------------------------------------------------------------------- memory */

static int copy_piece(struct dump *dump, uint64_t gpa, uint64_t bytes, uint64_t offset)
{
	json_t *reply, *request;
	int error;

	request = json_pack("{s:s, s:o, s:I, s:I}", "request", "copy", "address",
			    json_sprintf("0x%llx", (unsigned long long)gpa), "bytes",
			    (json_int_t)bytes, "offset", (json_int_t)offset);
	error = hv_client_call(&dump->client, request, &reply, &dump->err);
	if (error)
		return error;
	dump->written += (uint64_t)json_integer_value(json_object_get(reply, "written"));
	json_decref(reply);
	return 0;
}

static int copy_range(struct dump *dump, const struct hv_core_piece *range,
		      struct hv_progress *progress)
{
	int error = 0;

	for (uint64_t at = 0, bytes; at < range->bytes && !error; at += bytes) {
		if (interrupted)
			return hv_fail(&dump->err, EINTR, "interrupted");
		bytes = range->bytes - at;
		if (bytes > HV_CONTROL_COPY_MAX)
			bytes = HV_CONTROL_COPY_MAX;
		error = copy_piece(dump, range->gpa + at, bytes, range->offset + at);
		hv_progress_tell(progress, range->offset + at, hv_core_size(&dump->core));
	}
	return error;
}

static int fail_writing(struct dump *dump, int error)
{
	return hv_fail(&dump->err, error, "writing %s: %s", dump->path, strerror(error));
}

static int copy_memory(struct dump *dump)
{
	struct hv_progress progress = hv_progress_begin("saving memory");
	int error = 0;

	if (ftruncate(dump->fd, (off_t)hv_core_size(&dump->core)))
		return fail_writing(dump, errno);
	dump->client.file = dump->fd;
	for (unsigned int i = 0; i < dump->core.count && !error; i++)
		error = copy_range(dump, &dump->core.memory[i], &progress);
	hv_progress_end(&progress);
	return error;
}

/* ------------------------------------------------------------------- paging */

static int map_by(struct dump *dump, uint8_t *file)
{
	const unsigned int vcpu = dump->order->look.vcpu < 0 ? 0 : dump->order->look.vcpu;
	struct hv_memory memory = { .fd = -1 };

	/* What is RAM to hvctl and what is ROM makes no difference here. */
	for (unsigned int i = 0; i < dump->core.count; i++) {
		const struct hv_core_piece *piece = &dump->core.memory[i];
		const struct hv_ram_range range = { piece->gpa, piece->bytes,
						    file + piece->offset };

		if (memory.count < HV_MEMORY_MAX_RANGES)
			memory.range[memory.count++] = range;
		else
			memory.rom[memory.roms++] = range;
	}
	return hv_core_map(&dump->core, &memory, &dump->vcpus[vcpu].sregs, dump->gpa_bits);
}

static int map_linear(struct dump *dump)
{
	const size_t size = hv_core_size(&dump->core);
	uint8_t *file = mmap(NULL, size, PROT_READ, MAP_SHARED, dump->fd, 0);
	int error;

	if (file == MAP_FAILED)
		return hv_fail(&dump->err, errno, "mapping %s: %s", dump->path, strerror(errno));
	error = map_by(dump, file);
	munmap(file, size);
	return error ? hv_fail(&dump->err, -error, "no memory for --paging; close something") : 0;
}

/* ----------------------------------------------------------------- together */

/* The core is one without the guest's note, too. */
static void take_note(struct dump *dump)
{
	const char *wrong = NULL;

	if (dump->note_bytes)
		wrong = hv_core_take_note(&dump->core, dump->fd, dump->note_gpa, dump->note_bytes);
	if (wrong)
		fprintf(stderr, "hvctl dump: %s: without the guest's VMCOREINFO: %s\n", dump->path,
			wrong);
}

static int save(struct dump *dump)
{
	int error = hold(dump);

	if (!error)
		error = get_all_registers(dump);
	if (!error)
		error = copy_memory(dump);
	/* It goes on. */
	hv_client_close(&dump->client);
	if (!error && dump->order->paging)
		error = map_linear(dump);
	if (!error && interrupted)
		error = hv_fail(&dump->err, EINTR, "interrupted");
	if (error)
		return error;
	take_note(dump);
	error = hv_core_write(&dump->core, dump->vcpus, dump->fpus, dump->fd);
	return error ? fail_writing(dump, -error) : 0;
}

static void tell(const struct dump *dump)
{
	const struct hv_core *core = &dump->core;
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < core->count; i++)
		bytes += core->memory[i].bytes;
	printf("%s: %u vCPU%s, %llu MiB of memory, %llu of them not zero%s\n", dump->path,
	       core->nr_vcpus, core->nr_vcpus > 1 ? "s" : "", (unsigned long long)(bytes / HV_MIB),
	       (unsigned long long)(dump->written / HV_MIB), core->note ? ", VMCOREINFO" : "");
	if (core->cut_short)
		fprintf(stderr,
			"hvctl dump: %s: the guest's page tables map too much: %zu pieces are there by linear addresses; the rest by physical ones\n",
			dump->path, core->nr_mapped);
}

/* The VM is there. Returns the status. */
static int dump_to_file(const char *command, struct dump *dump)
{
	int error = open_file(dump);

	if (error) {
		hv_reach_fail(command, dump->path, &dump->err);
		return error == -EEXIST || error == -EINVAL ? HV_STATUS_USAGE : HV_STATUS_ERROR;
	}
	catch_signals(dump->path);
	error = save(dump);
	if (close(dump->fd) && !error)
		error = fail_writing(dump, errno);
	if (!error) {
		tell(dump);
		return hv_command_finish(command, HV_STATUS_OK);
	}
	unlink(dump->path);
	hv_reach_fail(command, dump->client.name, &dump->err);
	return error == -EINVAL ? HV_STATUS_USAGE : HV_STATUS_ERROR;
}

int hv_cmd_dump(int argc, char **argv)
{
	struct order order = { .look = {
				       .vcpu = -1, .least = 1, .most = 1, .missing = "no file" } };
	struct dump dump = { .order = &order, .fd = -1 };
	int status;

	hv_command_parse(&hv_argp_dump, argc, argv, &order);
	dump.path = order.look.word[0];
	if (hv_reach(&dump.client, order.look.name, &dump.err))
		status = hv_reach_fail(argv[0], order.look.name, &dump.err);
	else
		status = dump_to_file(argv[0], &dump);
	hv_client_close(&dump.client);
	free_room(&dump);
	hv_core_exit(&dump.core);
	return status;
}
