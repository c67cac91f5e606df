// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CD-ROM drive: ATA's part of it, which is commands in packets. What is in them is another
 * file's: atapi_packet.c.
 *
 * PACKET: the host writes 12 bytes; what comes back goes in blocks of as many bytes as the host
 * has asked for in LBA mid and high, or by the bus master, if bit 0 of feature says so. The
 * count register tells in which part of it the drive is: 0 packet, 1 to the host.
 */
#include <errno.h>
#include <string.h>

#include "atapi.h"

#define PACKET_LEN 12
#define REASON_PACKET 0x01
#define REASON_TO_HOST 0x02
#define FEATURE_DMA 0x01

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_PACKET 0xa0
#define COMMAND_IDENTIFY_PACKET 0xa1
#define COMMAND_IDENTIFY 0xec
#define COMMAND_SET_FEATURES 0xef
#define FEATURE_SET_MODE 0x03

#define IDENTIFY_LEN 512
#define LIMIT_MAX 0xfffe

/* ------------------------------------------------------------------ results */

void hv_atapi_good(struct hv_ata_drive *drive)
{
	drive->s.sense = drive->s.asc = drive->s.ascq = 0;
	drive->s.count[HV_ATA_NOW] = REASON_PACKET | REASON_TO_HOST;
	hv_ata_finish(drive, true);
}

void hv_atapi_bad(struct hv_ata_drive *drive, uint8_t sense, uint8_t asc, uint8_t ascq)
{
	drive->s.sense = sense;
	drive->s.asc = asc;
	drive->s.ascq = ascq;
	drive->s.count[HV_ATA_NOW] = REASON_PACKET | REASON_TO_HOST;
	hv_ata_fail(drive, (uint8_t)(sense << 4 | HV_ATA_ABRT));
}

/* -------------------------------------------------------------------- data */

/* The next block at the data port. */
static void next_block(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint32_t len = s->filled - s->at;

	/* An odd number of bytes is for the last block alone. */
	if (len > s->limit)
		len = s->limit & ~1u ? s->limit & ~1u : 2;
	s->lba_mid[HV_ATA_NOW] = (uint8_t)len;
	s->lba_high[HV_ATA_NOW] = (uint8_t)(len >> 8);
	s->count[HV_ATA_NOW] = REASON_TO_HOST;
	hv_ata_transfer(drive, HV_ATA_IN, s->at + len, true);
}

static void begin_read(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint32_t most = (s->by_dma ? HV_ATA_DMA_MAX : HV_ATA_PIO_MAX) / HV_ATAPI_BLOCK;
	uint32_t blocks = s->careful ? 1 : s->left < most ? s->left : most;

	s->at = s->end = s->filled = 0;
	hv_ata_start_io(drive, HV_MEDIUM_READ, s->lba * HV_ATAPI_BLOCK, 0, blocks * HV_ATAPI_BLOCK);
}

/* All of it is in the buffer. */
static void answer_by_dma(struct hv_ata_drive *drive, uint32_t len)
{
	if (hv_ata_dma_copy(&drive->channel->dma, drive->buffer, len, true)) {
		hv_atapi_bad(drive, HV_ATAPI_ABORTED_COMMAND, 0x4b, 0x00);
		return;
	}
	hv_ata_dma_finish(&drive->channel->dma);
	hv_atapi_good(drive);
}

void hv_atapi_answer(struct hv_ata_drive *drive, uint32_t len, uint32_t wanted)
{
	if (len > wanted)
		len = wanted;
	if (!len) {
		hv_atapi_good(drive);
	} else if (!drive->s.by_dma) {
		drive->s.at = 0;
		drive->s.filled = len;
		next_block(drive);
	} else if (hv_ata_dma_runs(drive)) {
		answer_by_dma(drive, len);
	}
}

void hv_atapi_read(struct hv_ata_drive *drive, uint32_t lba, uint32_t blocks)
{
	drive->s.lba = lba;
	drive->s.left = blocks;
	if (!drive->s.by_dma || hv_ata_dma_runs(drive))
		begin_read(drive);
}

static void cdrom_through(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;

	if (s->phase == HV_ATA_OUT) {
		memcpy(s->packet, drive->buffer, PACKET_LEN);
		s->at = s->end = s->filled = 0;
		hv_atapi_packet(drive);
	} else if (s->at < s->filled) {
		next_block(drive);
	} else if (s->left) {
		begin_read(drive);
	} else if (s->command == COMMAND_PACKET) {
		hv_atapi_good(drive);
	} else {
		hv_ata_finish(drive, false);
	}
}

/* The bus master has started: what is read goes on, what only was waiting is made once more. */
static void cdrom_dma(struct hv_ata_drive *drive)
{
	if (drive->s.left)
		begin_read(drive);
	else
		hv_atapi_packet(drive);
}

static void read_done(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint32_t len = drive->io.len;

	if (s->by_dma) {
		if (!hv_ata_dma_runs(drive))
			return;
		if (hv_ata_dma_copy(&drive->channel->dma, drive->buffer, len, true)) {
			hv_atapi_bad(drive, HV_ATAPI_ABORTED_COMMAND, 0x4b, 0x00);
			return;
		}
	}
	s->lba += len / HV_ATAPI_BLOCK;
	s->left -= len / HV_ATAPI_BLOCK;
	if (!s->by_dma) {
		s->filled = len;
		next_block(drive);
	} else if (s->left) {
		begin_read(drive);
	} else {
		hv_atapi_good(drive);
	}
}

static void cdrom_done(struct hv_ata_drive *drive, int result)
{
	if (!result) {
		read_done(drive);
	} else if (drive->io.len > HV_ATAPI_BLOCK) {
		drive->s.careful = 1;
		begin_read(drive);
	} else {
		hv_atapi_bad(drive, HV_ATAPI_MEDIUM_ERROR, 0x11, 0x00);
	}
}

/* ----------------------------------------------------------------- commands */

static void begin_packet(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint32_t limit = s->lba_mid[HV_ATA_NOW] | s->lba_high[HV_ATA_NOW] << 8;

	s->limit = (uint16_t)(limit && limit < LIMIT_MAX ? limit : LIMIT_MAX);
	s->by_dma = s->feature[HV_ATA_NOW] & FEATURE_DMA;
	s->count[HV_ATA_NOW] = REASON_PACKET;
	s->at = 0;
	s->filled = PACKET_LEN;
	hv_ata_transfer(drive, HV_ATA_OUT, PACKET_LEN, false);
}

static void identify(struct hv_ata_drive *drive)
{
	uint8_t *data = drive->buffer;

	memset(data, 0, IDENTIFY_LEN);
	hv_ata_put_word(data, 0, 0x85c0); /* CD-ROM, removable, DRQ within 50 us, 12 bytes */
	hv_ata_put_text(data, 10, 10, drive->medium->serial);
	hv_ata_put_text(data, 23, 4, "1");
	hv_ata_put_text(data, 27, 20, "TINYVMX CD-ROM");
	hv_ata_put_word(data, 49, 1 << 11 | 1 << 9 | 1 << 8);
	hv_ata_put_word(data, 53, 6);
	hv_ata_put_modes(drive, data);
	hv_ata_put_word(data, 80, 0x00f0);
	hv_ata_put_word(data, 82, 1 << 14 | 1 << 9 | 1 << 4); /* DEVICE RESET, PACKET */
	hv_ata_put_word(data, 83, 1 << 14);
	hv_ata_put_word(data, 84, 1 << 14);
	hv_ata_put_word(data, 85, 1 << 14 | 1 << 9 | 1 << 4);
	hv_ata_put_word(data, 87, 1 << 14);
	drive->s.at = 0;
	drive->s.filled = IDENTIFY_LEN;
	hv_ata_transfer(drive, HV_ATA_IN, IDENTIFY_LEN, true);
}

static int cdrom_command(struct hv_ata_drive *drive, uint8_t command)
{
	switch (command) {
	case COMMAND_PACKET:
		begin_packet(drive);
		return 0;
	case COMMAND_IDENTIFY_PACKET:
		identify(drive);
		return 0;
	case COMMAND_IDENTIFY: /* ... of a disk: "look here what I am" */
		hv_ata_sign(drive);
		return -EINVAL;
	case COMMAND_SET_FEATURES:
		if (drive->s.feature[HV_ATA_NOW] != FEATURE_SET_MODE ||
		    !hv_ata_set_mode(drive, drive->s.count[HV_ATA_NOW]))
			return -EINVAL;
		hv_ata_finish(drive, true);
		return 0;
	case 0xe0 ... 0xe3: /* STANDBY, IDLE */
	case 0xe6:
		hv_ata_finish(drive, true);
		return 0;
	case 0xe5: /* CHECK POWER MODE */
		drive->s.count[HV_ATA_NOW] = 0xff;
		hv_ata_finish(drive, true);
		return 0;
	}
	return -EINVAL;
}

static void cdrom_reset(struct hv_ata_drive *drive)
{
	drive->s.limit = LIMIT_MAX;
}

static bool check_phase(const struct hv_ata_drive_state *s)
{
	switch (s->phase) {
	case HV_ATA_OUT:
		return s->command == COMMAND_PACKET && s->filled == PACKET_LEN && !s->left;
	case HV_ATA_IN:
		return s->command == COMMAND_PACKET || !s->left;
	case HV_ATA_DMA:
		return s->command == COMMAND_PACKET && s->by_dma;
	}
	return !s->left;
}

static bool cdrom_check(const struct hv_ata_drive *drive, const struct hv_ata_drive_state *s)
{
	uint64_t blocks = hv_atapi_blocks(drive);

	return s->by_dma <= 1 && s->open <= 1 && s->locked <= 1 && s->changed <= 1 &&
	       s->event <= HV_ATAPI_EVENT_MAX && s->limit && s->lba <= blocks &&
	       s->left <= blocks - s->lba && check_phase(s);
}

const struct hv_ata_kind hv_ata_cdrom = {
	.signature = { 0x14, 0xeb },
	.ready = 0,
	.reset = cdrom_reset,
	.command = cdrom_command,
	.through = cdrom_through,
	.dma = cdrom_dma,
	.done = cdrom_done,
	.check = cdrom_check,
};
