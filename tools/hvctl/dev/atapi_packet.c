// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CD-ROM drive's commands in packets, as "Multi-Media Commands" and "SCSI Primary Commands"
 * have them: a disc of one session and one data track, which can be taken out and comes back.
 */
#include <string.h>

#include "atapi.h"
#include "lib/util.h"

#define BUFFER_MAX 256			/* bytes of an answer that is not the disc's */
#define TRACK_DATA 0x14			/* ADR 1: position; control: data, no copies */
#define LEAD_OUT 0xaa
#define PROFILE_CDROM 0x0008

/* What the media event is: 4-bit codes of GET EVENT STATUS NOTIFICATION */
enum { EVENT_NONE, EVENT_EJECT_REQUEST, EVENT_NEW_MEDIUM, EVENT_REMOVED };

static uint32_t get_be(const uint8_t *from, unsigned int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | *from++;
	return value;
}

static void put_be(uint8_t *to, uint32_t value, unsigned int bytes)
{
	while (bytes--) {
		to[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

/* An empty answer to write into. */
static uint8_t *answer(struct hv_ata_drive *drive)
{
	return memset(drive->buffer, 0, BUFFER_MAX);
}

uint32_t hv_atapi_blocks(const struct hv_ata_drive *drive)
{
	uint64_t blocks = drive->medium->size / HV_ATAPI_BLOCK;

	return blocks < UINT32_MAX ? (uint32_t)blocks : UINT32_MAX;
}

static void bad_field(struct hv_ata_drive *drive)
{
	hv_atapi_bad(drive, HV_ATAPI_ILLEGAL_REQUEST, 0x24, 0x00);
}

/* ------------------------------------------------------------------- what it is */

static void test_unit_ready(struct hv_ata_drive *drive, const uint8_t *packet)
{
	(void)packet;
	hv_atapi_good(drive);
}

/* It tells of the last command that failed, and that is then over. */
static void request_sense(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive);

	data[0] = 0x70;
	data[2] = drive->s.sense;
	data[7] = 10;
	data[12] = drive->s.asc;
	data[13] = drive->s.ascq;
	hv_atapi_answer(drive, 18, packet[4]);
}

static void inquiry(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive);

	if (packet[1] & 1 || packet[2]) {
		bad_field(drive);
		return;
	}
	data[0] = 0x05; /* CD-ROM */
	data[1] = 0x80; /* removable */
	data[3] = 0x21; /* ATAPI; answers of SPC's form */
	data[4] = 31;
	memcpy(data + 8, "TINYVMX CD-ROM          1   ", 28);
	hv_atapi_answer(drive, 36, get_be(packet + 3, 2));
}

/* Page 2AH, "CD/DVD capabilities": reads discs, locks the tray, and it comes out. */
static unsigned int put_capabilities(uint8_t *page)
{
	page[0] = 0x2a;
	page[1] = 18;
	page[2] = 0x03; /* CD-R, CD-RW */
	page[6] = 0x29;
	put_be(page + 8, 706, 2); /* 4 x 176.4 kB/s, at most and now */
	put_be(page + 14, 706, 2);
	return 20;
}

/* Page 01H, "read error recovery": once more, and once more */
static unsigned int put_recovery(uint8_t *page)
{
	page[0] = 0x01;
	page[1] = 6;
	page[3] = 5;
	return 8;
}

static void mode_sense(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive), page = packet[2] & 0x3f;
	unsigned int len = 8;

	/* No saved values */
	if (packet[2] >> 6 == 3) {
		hv_atapi_bad(drive, HV_ATAPI_ILLEGAL_REQUEST, 0x39, 0x00);
		return;
	}
	if (page == 0x01 || page == 0x3f)
		len += put_recovery(data + len);
	if (page == 0x2a || page == 0x3f)
		len += put_capabilities(data + len);
	if (len == 8) {
		bad_field(drive);
		return;
	}
	put_be(data, len - 2, 2);
	data[2] = drive->s.open ? 0x71 : 0x01; /* door open, or a data disc */
	hv_atapi_answer(drive, len, get_be(packet + 7, 2));
}

static unsigned int put_feature(uint8_t *to, uint16_t code, uint8_t flags, uint32_t value)
{
	put_be(to, code, 2);
	to[2] = flags;
	to[3] = 4;
	put_be(to + 4, value, 4);
	return 8;
}

/* Features: profile list, core, removable medium, and that of reading CDs */
static void get_configuration(struct hv_ata_drive *drive, const uint8_t *packet)
{
	static const struct {
		uint16_t code;
		uint8_t flags; /* version, persistent, current */
		uint32_t value;
	} features[] = {
		{ 0x0000, 0x03, PROFILE_CDROM << 16 | 1 << 8 },
		{ 0x0001, 0x03, 2 },          /* ATAPI */
		{ 0x0003, 0x03, 0x29000000 }, /* tray, ejects, locks */
		{ 0x001e, 0x01, 0 },
	};
	uint8_t *data = answer(drive), type = packet[1] & 3;
	uint16_t first = (uint16_t)get_be(packet + 2, 2);
	unsigned int len = 8;

	if (type == 3) {
		bad_field(drive);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		if (type == 2 ? features[i].code == first : features[i].code >= first)
			len += put_feature(data + len, features[i].code, features[i].flags,
					   features[i].value);
	put_be(data, len - 4, 4);
	put_be(data + 6, drive->s.open ? 0 : PROFILE_CDROM, 2);
	hv_atapi_answer(drive, len, get_be(packet + 7, 2));
}

/* Polled alone, and of classes of events that of the medium */
static void get_event(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive);
	bool medium = packet[4] & 0x10;

	if (!(packet[1] & 1)) {
		bad_field(drive);
		return;
	}
	put_be(data, medium ? 6 : 2, 2);
	data[2] = medium ? 0x04 : 0x80; /* its class, or no event */
	data[3] = 0x10;
	data[4] = drive->s.event;
	data[5] = drive->s.open ? 0x01 : 0x02; /* door open, or medium present */
	hv_atapi_answer(drive, medium ? 8 : 4, get_be(packet + 7, 2));
}

static void mechanism_status(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive);

	data[1] = drive->s.open ? 0x10 : 0;
	hv_atapi_answer(drive, 8, get_be(packet + 8, 2));
}

/* --------------------------------------------------------------------- tray */

static void open_tray(struct hv_ata_drive *drive, bool open)
{
	if (drive->s.open == open)
		return;
	drive->s.open = open;
	drive->s.changed = !open;
	drive->s.event = open ? EVENT_REMOVED : EVENT_NEW_MEDIUM;
}

static void start_stop(struct hv_ata_drive *drive, const uint8_t *packet)
{
	bool eject = packet[4] & 2, start = packet[4] & 1;

	if (eject && !start && drive->s.locked) {
		hv_atapi_bad(drive, HV_ATAPI_ILLEGAL_REQUEST, 0x53, 0x02);
		return;
	}
	if (eject)
		open_tray(drive, !start);
	hv_atapi_good(drive);
}

static void prevent_allow(struct hv_ata_drive *drive, const uint8_t *packet)
{
	drive->s.locked = packet[4] & 1;
	hv_atapi_good(drive);
}

/* --------------------------------------------------------------------- disc */

static void read_capacity(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive);
	uint32_t blocks = hv_atapi_blocks(drive);

	(void)packet;
	put_be(data, blocks ? blocks - 1 : 0, 4);
	put_be(data + 4, HV_ATAPI_BLOCK, 4);
	hv_atapi_answer(drive, 8, 8);
}

static void read_blocks(struct hv_ata_drive *drive, uint32_t lba, uint32_t count)
{
	uint32_t blocks = hv_atapi_blocks(drive);

	if (lba > blocks || count > blocks - lba)
		hv_atapi_bad(drive, HV_ATAPI_ILLEGAL_REQUEST, 0x21, 0x00);
	else if (!count)
		hv_atapi_good(drive);
	else
		hv_atapi_read(drive, lba, count);
}

static void read_10(struct hv_ata_drive *drive, const uint8_t *packet)
{
	read_blocks(drive, get_be(packet + 2, 4), get_be(packet + 7, 2));
}

static void read_12(struct hv_ata_drive *drive, const uint8_t *packet)
{
	read_blocks(drive, get_be(packet + 2, 4), get_be(packet + 6, 4));
}

/* READ CD: of the parts of a sector that there are, the data alone can be had. */
static void read_cd(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t type = packet[1] >> 2 & 7, parts = packet[9] & 0xf8;

	if ((type && type != 2 && type != 4) || (parts && parts != 0x10) || packet[10] & 7)
		bad_field(drive);
	else
		read_blocks(drive, get_be(packet + 2, 4), parts ? get_be(packet + 6, 3) : 0);
}

static void seek_10(struct hv_ata_drive *drive, const uint8_t *packet)
{
	read_blocks(drive, get_be(packet + 2, 4), 0);
}

/* As a number of the block, or as minutes, seconds and frames, from two seconds before it */
static void put_address(uint8_t *to, uint32_t lba, bool msf)
{
	uint32_t frame = lba + 150;

	put_be(to, lba, 4);
	if (!msf)
		return;
	to[0] = 0;
	to[1] = (uint8_t)(frame / (75 * 60));
	to[2] = (uint8_t)(frame / 75 % 60);
	to[3] = (uint8_t)(frame % 75);
}

static unsigned int put_track(uint8_t *to, uint8_t track, uint32_t lba, bool msf)
{
	to[1] = TRACK_DATA;
	to[2] = track;
	put_address(to + 4, lba, msf);
	return 8;
}

static unsigned int put_raw_track(uint8_t *to, uint8_t point, uint8_t minute, uint32_t lba)
{
	to[0] = 1; /* session */
	to[1] = TRACK_DATA;
	to[3] = point;
	put_address(to + 7, lba, true);
	to[7] = 0;
	if (point != 0xa2 && point >= 0xa0) {
		memset(to + 8, 0, 3);
		to[8] = minute;
	}
	return 11;
}

/* Format 0: the tracks; 1: the sessions; 2: what stands in the lead-in */
static void read_toc(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive), first = packet[6];
	uint8_t format = packet[2] & 0xf ? packet[2] & 0xf : packet[9] >> 6;
	uint32_t end = hv_atapi_blocks(drive);
	bool msf = packet[1] & 2;
	unsigned int len = 4;

	if (format > 2 || (!format && first > 1 && first != LEAD_OUT)) {
		bad_field(drive);
		return;
	}
	data[2] = data[3] = 1; /* the first track, and the last */
	if (!format && first <= 1)
		len += put_track(data + len, 1, 0, msf);
	if (!format)
		len += put_track(data + len, LEAD_OUT, end, msf);
	if (format == 1)
		len += put_track(data + len, 1, 0, msf);
	for (uint8_t point = 0xa0; format == 2 && point <= 0xa2; point++)
		len += put_raw_track(data + len, point, 1, end);
	if (format == 2)
		len += put_raw_track(data + len, 1, 0, 0);
	put_be(data, len - 2, 2);
	hv_atapi_answer(drive, len, get_be(packet + 7, 2));
}

/* A disc that is complete, of one session */
static void read_disc_information(struct hv_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = answer(drive);

	put_be(data, 32, 2);
	data[2] = 0x0e;
	data[3] = data[4] = data[5] = data[6] = 1;
	memset(data + 16, 0xff, 8);
	hv_atapi_answer(drive, 34, get_be(packet + 7, 2));
}

/* ------------------------------------------------------------------ dispatch */

#define NEEDS_DISC 0x01
#define TELLS_ALL 0x02			/* it does not hold back a change of the disc */

struct row {
	uint8_t code, flags;
	void (*fn)(struct hv_ata_drive *drive, const uint8_t *packet);
};

static const struct row rows[] = {
	{ 0x00, NEEDS_DISC, test_unit_ready },
	{ 0x03, TELLS_ALL, request_sense },
	{ 0x12, TELLS_ALL, inquiry },
	{ 0x1b, TELLS_ALL, start_stop },
	{ 0x1e, 0, prevent_allow },
	{ 0x25, NEEDS_DISC, read_capacity },
	{ 0x28, NEEDS_DISC, read_10 },
	{ 0x2b, NEEDS_DISC, seek_10 },
	{ 0x43, NEEDS_DISC, read_toc },
	{ 0x46, TELLS_ALL, get_configuration },
	{ 0x4a, TELLS_ALL, get_event },
	{ 0x51, NEEDS_DISC, read_disc_information },
	{ 0x5a, 0, mode_sense },
	{ 0xa8, NEEDS_DISC, read_12 },
	{ 0xbb, 0, test_unit_ready }, /* SET CD SPEED: as it likes */
	{ 0xbd, 0, mechanism_status },
	{ 0xbe, NEEDS_DISC, read_cd },
};

static void run(struct hv_ata_drive *drive, const struct row *row)
{
	struct hv_ata_drive_state *s = &drive->s;

	if (s->changed && !(row->flags & TELLS_ALL)) {
		s->changed = 0;
		hv_atapi_bad(drive, HV_ATAPI_UNIT_ATTENTION, 0x28, 0x00);
	} else if (s->open && row->flags & NEEDS_DISC) {
		hv_atapi_bad(drive, HV_ATAPI_NOT_READY, 0x3a, 0x02);
	} else {
		row->fn(drive, s->packet);
	}
	/* Who has had the answer has been told of it; while it waits for DMA it has not. */
	if (row->fn == get_event && s->phase != HV_ATA_DMA)
		s->event = EVENT_NONE;
}

void hv_atapi_packet(struct hv_ata_drive *drive)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == drive->s.packet[0]) {
			run(drive, &rows[i]);
			return;
		}
	hv_atapi_bad(drive, HV_ATAPI_ILLEGAL_REQUEST, 0x20, 0x00);
}
