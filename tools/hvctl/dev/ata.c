// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ATA channel, as "AT Attachment with Packet Interface" (ATA/ATAPI-6, -7) has it.
 *
 *  command block     read            write
 *  0  data           2 or 4 bytes    ... one is taken, too
 *  1  error          feature         each write of 1 to 5 keeps the value before, for LBA48
 *  2  count
 *  3  LBA low        sector
 *  4  LBA mid        cylinder low
 *  5  LBA high       cylinder high
 *  6  device         6 LBA, 4 which drive, 3:0 LBA 27:24, or head
 *  7  status         command         reading takes the interrupt back
 *
 *  control block
 *  0  status         control         7 read the values before, 2 reset, 1 no interrupts
 *
 * Writes go to both drives. One that is not there reads as zeroes, and so do all registers of a
 * channel without drives: who probes takes that for "none" at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ata.h"

#define REG_DATA 0
#define REG_ERROR 1
#define REG_COUNT 2
#define REG_LBA_LOW 3
#define REG_LBA_MID 4
#define REG_LBA_HIGH 5
#define REG_DEVICE 6
#define REG_STATUS 7

#define CONTROL_BEFORE 0x80
#define CONTROL_RESET 0x04
#define CONTROL_NO_INTERRUPTS 0x02
#define CONTROL_WRITABLE 0x86

#define DEVICE_ALWAYS 0xa0
#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_DIAGNOSTIC 0x90
#define DIAGNOSTIC_PASSED 0x01

#define BUFFER_ALIGNMENT 4096

static struct hv_ata_drive *selected(struct hv_ata_channel *channel)
{
	return &channel->drive[!!(channel->device & HV_ATA_DEV1)];
}

/* -------------------------------------------------------------- interrupts */

static void update_irq(struct hv_ata_channel *channel)
{
	bool level = selected(channel)->s.intrq && !(channel->control & CONTROL_NO_INTERRUPTS);

	if (level == channel->level)
		return;
	channel->level = level;
	if (level)
		hv_ata_dma_interrupt(&channel->dma);
	hv_irq_set(&channel->irq, level);
}

static void set_intrq(struct hv_ata_drive *drive, bool level)
{
	drive->s.intrq = level;
	update_irq(drive->channel);
}

/* --------------------------------------------------------- for kinds of drives */

static void end_command(struct hv_ata_drive *drive, uint8_t status)
{
	struct hv_ata_drive_state *s = &drive->s;

	s->status = status;
	s->phase = HV_ATA_IDLE;
	s->at = s->end = s->filled = s->left = 0;
	s->careful = 0;
}

void hv_ata_finish(struct hv_ata_drive *drive, bool interrupt)
{
	if (drive->s.phase == HV_ATA_BUSY)
		hv_ata_dma_finish(&drive->channel->dma);
	end_command(drive, HV_ATA_DRDY | HV_ATA_DSC);
	if (interrupt)
		set_intrq(drive, true);
}

void hv_ata_fail(struct hv_ata_drive *drive, uint8_t error)
{
	end_command(drive, HV_ATA_DRDY | HV_ATA_DSC | HV_ATA_ERR);
	drive->s.error = error;
	set_intrq(drive, true);
}

void hv_ata_transfer(struct hv_ata_drive *drive, enum hv_ata_phase phase, uint32_t end,
		     bool interrupt)
{
	drive->s.phase = phase;
	drive->s.end = end;
	drive->s.status = HV_ATA_DRDY | HV_ATA_DSC | HV_ATA_DRQ;
	if (interrupt)
		set_intrq(drive, true);
}

void hv_ata_start_io(struct hv_ata_drive *drive, enum hv_medium_op op, uint64_t offset, uint32_t at,
		     uint32_t len)
{
	drive->s.phase = HV_ATA_BUSY;
	drive->s.status = HV_ATA_BSY;
	drive->io.op = op;
	drive->io.offset = offset;
	drive->io.data = drive->buffer + at;
	drive->io.len = len;
	drive->io_under_way = true;
	drive->medium->submit(drive->medium, &drive->io);
}

bool hv_ata_dma_runs(struct hv_ata_drive *drive)
{
	if (hv_ata_dma_is_active(&drive->channel->dma))
		return true;
	drive->s.at = drive->s.end = drive->s.filled = 0;
	drive->s.phase = HV_ATA_DMA;
	drive->s.status = HV_ATA_DRDY | HV_ATA_DSC | HV_ATA_DRQ;
	return false;
}

/* ----------------------------------------------------- numbers in registers */

uint32_t hv_ata_get_count(const struct hv_ata_drive *drive, bool ext)
{
	const struct hv_ata_drive_state *s = &drive->s;
	uint32_t count = s->count[HV_ATA_NOW];

	if (ext)
		count |= (uint32_t)s->count[HV_ATA_BEFORE] << 8;
	return count ? count : ext ? 65536 : 256;
}

void hv_ata_put_count(struct hv_ata_drive *drive, bool ext, uint32_t count)
{
	drive->s.count[HV_ATA_NOW] = (uint8_t)count;
	if (ext)
		drive->s.count[HV_ATA_BEFORE] = (uint8_t)(count >> 8);
}

uint64_t hv_ata_get_lba(const struct hv_ata_drive *drive, bool ext)
{
	const struct hv_ata_drive_state *s = &drive->s;
	uint64_t lba = s->lba_low[HV_ATA_NOW] | s->lba_mid[HV_ATA_NOW] << 8 |
		       s->lba_high[HV_ATA_NOW] << 16;

	if (!ext)
		return lba | (uint64_t)(drive->channel->device & 0xf) << 24;
	return lba | (uint64_t)s->lba_low[HV_ATA_BEFORE] << 24 |
	       (uint64_t)s->lba_mid[HV_ATA_BEFORE] << 32 |
	       (uint64_t)s->lba_high[HV_ATA_BEFORE] << 40;
}

void hv_ata_put_lba(struct hv_ata_drive *drive, bool ext, uint64_t lba)
{
	struct hv_ata_drive_state *s = &drive->s;
	struct hv_ata_channel *channel = drive->channel;

	s->lba_low[HV_ATA_NOW] = (uint8_t)lba;
	s->lba_mid[HV_ATA_NOW] = (uint8_t)(lba >> 8);
	s->lba_high[HV_ATA_NOW] = (uint8_t)(lba >> 16);
	if (!ext) {
		channel->device = (channel->device & 0xf0) | (lba >> 24 & 0xf);
		return;
	}
	s->lba_low[HV_ATA_BEFORE] = (uint8_t)(lba >> 24);
	s->lba_mid[HV_ATA_BEFORE] = (uint8_t)(lba >> 32);
	s->lba_high[HV_ATA_BEFORE] = (uint8_t)(lba >> 40);
}

void hv_ata_sign(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;

	hv_ata_put_count(drive, true, 1);
	memset(s->lba_low, 0, sizeof(s->lba_low));
	memset(s->lba_mid, 0, sizeof(s->lba_mid));
	memset(s->lba_high, 0, sizeof(s->lba_high));
	s->lba_low[HV_ATA_NOW] = 1;
	s->lba_mid[HV_ATA_NOW] = drive->kind->signature[0];
	s->lba_high[HV_ATA_NOW] = drive->kind->signature[1];
}

/* ------------------------------------------------------------------ resets */

/* Nobody waits any more for what is under way. */
static void drop(struct hv_ata_drive *drive)
{
	drive->io_dropped = drive->io_under_way;
	drive->command_waits = false;
	drive->s.intrq = 0;
}

static void come_up(struct hv_ata_drive *drive)
{
	end_command(drive, drive->kind->ready);
	drive->s.error = DIAGNOSTIC_PASSED;
	hv_ata_sign(drive);
}

typedef void (*drive_fn)(struct hv_ata_drive *drive);

static void all_drives(struct hv_ata_channel *channel, drive_fn fn)
{
	for (unsigned int i = 0; i < HV_ATA_DRIVES; i++)
		if (channel->drive[i].kind)
			fn(&channel->drive[i]);
}

static void begin_reset(struct hv_ata_drive *drive)
{
	drop(drive);
	end_command(drive, HV_ATA_BSY);
}

static void finish_reset(struct hv_ata_channel *channel)
{
	all_drives(channel, come_up);
	channel->device = 0;
	update_irq(channel);
}

static void diagnose(struct hv_ata_channel *channel)
{
	unsigned int first = channel->drive[0].kind ? 0 : 1;

	all_drives(channel, begin_reset);
	finish_reset(channel);
	if (channel->drive[first].kind)
		set_intrq(&channel->drive[first], true);
}

static void power_up(struct hv_ata_drive *drive)
{
	drop(drive);
	memset(&drive->s, 0, sizeof(drive->s));
	drive->kind->reset(drive);
	come_up(drive);
}

void hv_ata_reset(struct hv_ata_channel *channel)
{
	all_drives(channel, power_up);
	channel->device = channel->control = 0;
	hv_ata_dma_reset(&channel->dma);
	update_irq(channel);
}

/* ---------------------------------------------------------------- commands */

static void run_command(struct hv_ata_drive *drive)
{
	if (drive->kind->command(drive, drive->s.command))
		hv_ata_fail(drive, HV_ATA_ABRT);
}

static void device_reset(struct hv_ata_drive *drive)
{
	begin_reset(drive);
	come_up(drive);
	update_irq(drive->channel);
}

static void write_command(struct hv_ata_channel *channel, uint8_t command)
{
	struct hv_ata_drive *drive = selected(channel);

	if (command == COMMAND_DIAGNOSTIC) {
		diagnose(channel);
		return;
	}
	if (!drive->kind || channel->control & CONTROL_RESET)
		return;
	if (command == COMMAND_DEVICE_RESET && drive->kind == &hv_ata_cdrom) {
		device_reset(drive);
		return;
	}
	if (drive->s.status & (HV_ATA_BSY | HV_ATA_DRQ))
		return;
	drive->s.command = command;
	drive->s.error = 0;
	set_intrq(drive, false);
	if (!drive->io_under_way) {
		run_command(drive);
		return;
	}
	/* One from before a reset: it has the buffer. */
	drive->command_waits = true;
	drive->s.status = HV_ATA_BSY;
}

static void io_done(struct hv_medium_io *io, int result)
{
	struct hv_ata_drive *drive = (void *)((char *)io - offsetof(struct hv_ata_drive, io));
	bool dropped = drive->io_dropped, waits = drive->command_waits;

	drive->io_under_way = drive->io_dropped = drive->command_waits = false;
	if (!dropped)
		drive->kind->done(drive, result);
	else if (waits)
		run_command(drive);
}

/* --------------------------------------------------------------- registers */

/* The one that is read back, or was written before. */
static uint8_t *number(struct hv_ata_drive *drive, uint64_t reg)
{
	struct hv_ata_drive_state *s = &drive->s;

	switch (reg) {
	case REG_ERROR:
		return s->feature;
	case REG_COUNT:
		return s->count;
	case REG_LBA_LOW:
		return s->lba_low;
	case REG_LBA_MID:
		return s->lba_mid;
	}
	return s->lba_high;
}

static uint8_t read_status(struct hv_ata_channel *channel, bool alternate)
{
	struct hv_ata_drive *drive = selected(channel);
	uint8_t status = drive->s.status;

	if (!alternate)
		set_intrq(drive, false);
	return status;
}

static uint8_t read8(void *dev, uint64_t reg)
{
	struct hv_ata_channel *channel = dev;
	struct hv_ata_drive *drive = selected(channel);
	bool before = channel->control & CONTROL_BEFORE;

	if (!drive->kind)
		return 0;
	switch (reg) {
	case REG_ERROR:
		return drive->s.error;
	case REG_COUNT ... REG_LBA_HIGH:
		return number(drive, reg)[before];
	case REG_DEVICE:
		return channel->device | DEVICE_ALWAYS;
	case REG_STATUS:
		return read_status(channel, false);
	}
	return 0;
}

/* While a drive is busy its registers are its own. */
static void write_number(struct hv_ata_drive *drive, uint64_t reg, uint8_t value)
{
	uint8_t *numbers = number(drive, reg);

	if (!drive->kind || drive->s.status & HV_ATA_BSY)
		return;
	numbers[HV_ATA_BEFORE] = numbers[HV_ATA_NOW];
	numbers[HV_ATA_NOW] = value;
}

static void write8(void *dev, uint64_t reg, uint8_t value)
{
	struct hv_ata_channel *channel = dev;

	channel->control &= ~CONTROL_BEFORE;
	switch (reg) {
	case REG_ERROR ... REG_LBA_HIGH:
		for (unsigned int i = 0; i < HV_ATA_DRIVES; i++)
			write_number(&channel->drive[i], reg, value);
		break;
	case REG_DEVICE:
		if (selected(channel)->s.status & HV_ATA_BSY)
			break;
		channel->device = value;
		update_irq(channel);
		break;
	case REG_STATUS:
		write_command(channel, value);
		break;
	}
}

/* Bytes that nobody waits for are lost, those that are not there are zeroes. */
static void access_data(struct hv_ata_drive *drive, unsigned int width, bool write, uint64_t *value)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint32_t some = width < s->end - s->at ? width : s->end - s->at;

	if (!write)
		*value = 0;
	if (s->phase != (write ? HV_ATA_OUT : HV_ATA_IN))
		return;
	if (write)
		memcpy(drive->buffer + s->at, value, some);
	else
		memcpy(value, drive->buffer + s->at, some);
	s->at += some;
	if (s->at == s->end)
		drive->kind->through(drive);
}

void hv_ata_access_command(void *dev, uint64_t offset, unsigned int width, bool write,
			   uint64_t *value)
{
	struct hv_ata_channel *channel = dev;

	if (offset == REG_DATA)
		access_data(selected(channel), width, write, value);
	else
		hv_access_bytes(channel, offset, width, write, value, read8, write8);
}

static void write_control(struct hv_ata_channel *channel, uint8_t value)
{
	uint8_t changed = channel->control ^ value;

	channel->control = value & CONTROL_WRITABLE;
	if (changed & value & CONTROL_RESET)
		all_drives(channel, begin_reset);
	else if (changed & CONTROL_RESET)
		finish_reset(channel);
	update_irq(channel);
}

void hv_ata_access_control(void *dev, uint64_t offset, unsigned int width, bool write,
			   uint64_t *value)
{
	struct hv_ata_channel *channel = dev;

	(void)offset;
	(void)width;
	if (write)
		write_control(channel, (uint8_t)*value);
	else
		*value = selected(channel)->kind ? read_status(channel, true) : 0;
}

static uint8_t read_dma(void *dev, uint64_t reg)
{
	return hv_ata_dma_read(&((struct hv_ata_channel *)dev)->dma, reg);
}

/* One of the drives may wait for it; of two the selected one, as no other can use the bus. */
static void write_dma(void *dev, uint64_t reg, uint8_t value)
{
	struct hv_ata_channel *channel = dev;
	struct hv_ata_drive *drive = selected(channel);

	if (hv_ata_dma_write(&channel->dma, reg, value) && drive->s.phase == HV_ATA_DMA)
		drive->kind->dma(drive);
}

void hv_ata_access_dma(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, read_dma, write_dma);
}

/* ------------------------------------------------------------------ making */

void hv_ata_init(struct hv_ata_channel *channel, const struct hv_memory *memory, struct hv_irq irq)
{
	memset(channel, 0, sizeof(*channel));
	channel->irq = irq;
	channel->dma.memory = memory;
	for (unsigned int i = 0; i < HV_ATA_DRIVES; i++)
		channel->drive[i].channel = channel;
}

void hv_ata_exit(struct hv_ata_channel *channel)
{
	for (unsigned int i = 0; i < HV_ATA_DRIVES; i++) {
		free(channel->drive[i].buffer);
		channel->drive[i] = (struct hv_ata_drive){ .channel = channel };
	}
}

int hv_ata_add(struct hv_ata_channel *channel, unsigned int place, const struct hv_ata_kind *kind,
	       struct hv_medium *medium)
{
	struct hv_ata_drive *drive = &channel->drive[place];

	if (drive->kind)
		return -EEXIST;
	/* As a medium likes it that has no page cache between. */
	drive->buffer = aligned_alloc(BUFFER_ALIGNMENT, HV_ATA_DMA_MAX);
	if (!drive->buffer)
		return -ENOMEM;
	memset(drive->buffer, 0, HV_ATA_DMA_MAX);
	drive->kind = kind;
	drive->medium = medium;
	drive->io.done = io_done;
	power_up(drive);
	return 0;
}

/* ------------------------------------------------------------------- state */

bool hv_ata_is_busy(const struct hv_ata_channel *channel)
{
	return channel->drive[0].io_under_way || channel->drive[1].io_under_way;
}

void hv_ata_save(const struct hv_ata_channel *channel, struct hv_ata_channel_state *state)
{
	memset(state, 0, sizeof(*state));
	state->device = channel->device;
	state->control = channel->control;
	state->dma = channel->dma.s;
	for (unsigned int i = 0; i < HV_ATA_DRIVES; i++) {
		const struct hv_ata_drive *drive = &channel->drive[i];

		state->drive[i].s = drive->s;
		if (drive->s.filled)
			memcpy(state->drive[i].data, drive->buffer, drive->s.filled);
	}
}

/* What no kind's command can do without. */
static bool check_transfer(const struct hv_ata_drive_state *s)
{
	if (s->phase == HV_ATA_IN || s->phase == HV_ATA_OUT)
		return s->at < s->end && s->end <= s->filled && s->filled <= HV_ATA_PIO_MAX;
	return s->phase < HV_ATA_BUSY && !s->at && !s->end && !s->filled;
}

static bool check_drive(const struct hv_ata_drive *drive, const struct hv_ata_drive_state *s)
{
	static const struct hv_ata_drive_state nothing;

	if (!drive->kind)
		return !memcmp(s, &nothing, sizeof(nothing));
	return check_transfer(s) && s->intrq <= 1 && s->write_cache <= 1 && s->careful <= 1 &&
	       drive->kind->check(drive, s);
}

int hv_ata_check(const struct hv_ata_channel *channel, const struct hv_ata_channel_state *state)
{
	for (unsigned int i = 0; i < HV_ATA_DRIVES; i++)
		if (!check_drive(&channel->drive[i], &state->drive[i].s))
			return -EINVAL;
	return (state->control & ~CONTROL_WRITABLE) || !hv_ata_dma_check(&state->dma) ? -EINVAL : 0;
}

/* The line's level is the controllers' state, too: no edge, whatever it was. */
void hv_ata_load(struct hv_ata_channel *channel, const struct hv_ata_channel_state *state)
{
	channel->device = state->device;
	channel->control = state->control;
	channel->dma.s = state->dma;
	for (unsigned int i = 0; i < HV_ATA_DRIVES; i++) {
		struct hv_ata_drive *drive = &channel->drive[i];

		drop(drive);
		drive->s = state->drive[i].s;
		if (drive->s.filled)
			memcpy(drive->buffer, state->drive[i].data, drive->s.filled);
	}
	channel->level = selected(channel)->s.intrq && !(channel->control & CONTROL_NO_INTERRUPTS);
	hv_irq_set(&channel->irq, channel->level);
}
