// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hard disk: the commands of the General feature set, 48-bit addresses, power management that
 * changes nothing, bus-master DMA.
 *
 * A transfer goes through the drive's buffer in pieces: in PIO as much as a record has room for,
 * of which the host takes a block at a time. When a piece fails it is done again sector by
 * sector: so the host learns which one is bad, and gets those before.
 */
#include <errno.h>
#include <string.h>

#include "ata.h"
#include "lib/util.h"

/* What is special about a command that moves sectors. */
#define EXT 0x01			/* 48-bit address, 16-bit count */
#define WRITE 0x02
#define DMA 0x04
#define MULTIPLE 0x08			/* a block is more than a sector */
#define VERIFY 0x10			/* read, and nobody gets it */
#define DURABLE 0x20			/* on the disk before it is done */

#define MULTIPLE_MAX 16
#define CHS_CYLINDERS 16383
#define CHS_HEADS 16
#define CHS_SECTORS 63
#define LBA28_MAX 0x0fffffffu
#define LBA48_MAX ((1ull << 48) - 1)

#define IDENTIFY_LEN 512
#define IDENTIFY_SIGNATURE 0xa5

struct row {
	uint8_t first, last;		/* of the commands */
	uint8_t flags;
	int (*fn)(struct hv_ata_drive *drive, uint8_t flags);
};

static const struct row *find_row(uint8_t command);

static uint8_t flags_of(const struct hv_ata_drive *drive)
{
	const struct row *row = find_row(drive->s.command);

	return row ? row->flags : 0;
}

static uint64_t sectors_of(const struct hv_ata_drive *drive)
{
	uint64_t sectors = drive->medium->size / HV_ATA_SECTOR;

	return sectors < LBA48_MAX ? sectors : LBA48_MAX;
}

/* ------------------------------------------------------------------ address */

/* Cylinder, head, sector (from 1 on) in the host's geometry; UINT64_MAX: there is none such. */
static uint64_t from_chs(const struct hv_ata_drive *drive)
{
	const struct hv_ata_drive_state *s = &drive->s;
	uint64_t cylinder = s->lba_mid[HV_ATA_NOW] | s->lba_high[HV_ATA_NOW] << 8;
	unsigned int head = drive->channel->device & 0xf, sector = s->lba_low[HV_ATA_NOW];

	if (!sector || sector > s->sectors_a_track || head >= s->heads)
		return UINT64_MAX;
	return (cylinder * s->heads + head) * s->sectors_a_track + sector - 1;
}

static uint64_t get_address(const struct hv_ata_drive *drive, uint8_t flags)
{
	if (flags & EXT || drive->channel->device & HV_ATA_LBA)
		return hv_ata_get_lba(drive, flags & EXT);
	return from_chs(drive);
}

static void put_address(struct hv_ata_drive *drive, uint8_t flags, uint64_t lba)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint64_t track = lba / s->sectors_a_track, cylinder = track / s->heads;

	if (flags & EXT || drive->channel->device & HV_ATA_LBA) {
		hv_ata_put_lba(drive, flags & EXT, lba);
		return;
	}
	hv_ata_put_lba(drive, false,
		       (lba % s->sectors_a_track + 1) | (cylinder & 0xffff) << 8 |
			       (track % s->heads) << 24);
}

/* The command fails at the sector that it has come to. */
static void fail_at(struct hv_ata_drive *drive, uint8_t flags, uint64_t lba, uint8_t error)
{
	put_address(drive, flags, lba);
	hv_ata_put_count(drive, flags & EXT, drive->s.left);
	hv_ata_fail(drive, error);
}

/* ---------------------------------------------------------------- transfers */

static uint32_t block_of(const struct hv_ata_drive *drive, uint8_t flags)
{
	return (flags & MULTIPLE ? drive->s.multiple : 1) * HV_ATA_SECTOR;
}

/* Bytes of the next piece. */
static uint32_t piece_of(const struct hv_ata_drive *drive, uint8_t flags)
{
	uint32_t most = flags & (DMA | VERIFY) ? HV_ATA_DMA_MAX : HV_ATA_PIO_MAX;
	uint32_t sectors = most / HV_ATA_SECTOR;

	if (drive->s.careful)
		return HV_ATA_SECTOR;
	return (drive->s.left < sectors ? drive->s.left : sectors) * HV_ATA_SECTOR;
}

static void move_on(struct hv_ata_drive *drive, uint32_t len)
{
	drive->s.lba += len / HV_ATA_SECTOR;
	drive->s.left -= len / HV_ATA_SECTOR;
}

/* A block of what is in the buffer, or is to come there. */
static void next_block(struct hv_ata_drive *drive, uint8_t flags, bool interrupt)
{
	struct hv_ata_drive_state *s = &drive->s;
	uint32_t end = s->at + block_of(drive, flags);

	hv_ata_transfer(drive, flags & WRITE ? HV_ATA_OUT : HV_ATA_IN,
			end < s->filled ? end : s->filled, interrupt);
}

static void begin_read(struct hv_ata_drive *drive, uint8_t flags)
{
	drive->s.at = drive->s.end = drive->s.filled = 0;
	hv_ata_start_io(drive, HV_MEDIUM_READ, drive->s.lba * HV_ATA_SECTOR, 0,
			piece_of(drive, flags));
}

/* From the buffer: all of a piece, or a sector of it. */
static void begin_write(struct hv_ata_drive *drive)
{
	struct hv_ata_drive_state *s = &drive->s;

	hv_ata_start_io(drive, HV_MEDIUM_WRITE, s->lba * HV_ATA_SECTOR, s->at,
			s->careful ? HV_ATA_SECTOR : s->filled - s->at);
}

static void begin_pio_write(struct hv_ata_drive *drive, uint8_t flags, bool interrupt)
{
	drive->s.at = 0;
	drive->s.careful = 0;
	drive->s.filled = piece_of(drive, flags);
	next_block(drive, flags, interrupt);
}

static void begin_dma(struct hv_ata_drive *drive)
{
	uint8_t flags = flags_of(drive);
	uint32_t len;

	if (!hv_ata_dma_runs(drive))
		return;
	if (!(flags & WRITE)) {
		begin_read(drive, flags);
		return;
	}
	drive->s.careful = 0;
	len = piece_of(drive, flags);
	if (hv_ata_dma_copy(&drive->channel->dma, drive->buffer, len, false)) {
		fail_at(drive, flags, drive->s.lba, HV_ATA_ABRT);
		return;
	}
	drive->s.at = 0;
	drive->s.filled = len;
	begin_write(drive);
}

static bool is_allowed(const struct hv_ata_drive *drive, uint8_t flags)
{
	struct hv_medium *medium = drive->medium;

	if (!(flags & WRITE) || !medium->read_only)
		return !(flags & MULTIPLE) || drive->s.multiple;
	if (medium->refused)
		medium->refused(medium);
	return false;
}

static int start_transfer(struct hv_ata_drive *drive, uint8_t flags)
{
	uint64_t lba = get_address(drive, flags), sectors = sectors_of(drive);
	uint32_t count = hv_ata_get_count(drive, flags & EXT);

	if (!is_allowed(drive, flags))
		return -EINVAL;
	if (lba >= sectors || count > sectors - lba) {
		if (lba != UINT64_MAX)
			put_address(drive, flags, lba < sectors ? sectors : lba);
		hv_ata_fail(drive, HV_ATA_IDNF);
		return 0;
	}
	drive->s.lba = lba;
	drive->s.left = count;
	if (flags & DMA)
		begin_dma(drive);
	else if (flags & WRITE)
		begin_pio_write(drive, flags, false);
	else
		begin_read(drive, flags);
	return 0;
}

/* The host has a block, or has given one. */
static void disk_through(struct hv_ata_drive *drive)
{
	uint8_t flags = flags_of(drive);

	if (drive->s.at < drive->s.filled) {
		next_block(drive, flags, true);
	} else if (flags & WRITE) {
		drive->s.at = 0;
		begin_write(drive);
	} else if (drive->s.left) {
		begin_read(drive, flags);
	} else {
		hv_ata_finish(drive, false);
	}
}

static void read_done(struct hv_ata_drive *drive, uint8_t flags)
{
	uint32_t len = drive->io.len;

	if (flags & DMA) {
		/* Stopped meanwhile: the piece is read once more when it goes on. */
		if (!hv_ata_dma_runs(drive))
			return;
		if (hv_ata_dma_copy(&drive->channel->dma, drive->buffer, len, true)) {
			fail_at(drive, flags, drive->s.lba, HV_ATA_ABRT);
			return;
		}
	}
	move_on(drive, len);
	if (!(flags & (DMA | VERIFY))) {
		drive->s.filled = len;
		next_block(drive, flags, true);
	} else if (!drive->s.left) {
		hv_ata_finish(drive, true);
	} else if (flags & DMA) {
		begin_dma(drive);
	} else {
		begin_read(drive, flags);
	}
}

static void write_done(struct hv_ata_drive *drive, uint8_t flags)
{
	struct hv_ata_drive_state *s = &drive->s;

	move_on(drive, drive->io.len);
	s->at += drive->io.len;
	if (s->at < s->filled)
		begin_write(drive);
	else if (s->left && flags & DMA)
		begin_dma(drive);
	else if (s->left)
		begin_pio_write(drive, flags, true);
	else if (flags & DURABLE || !s->write_cache)
		hv_ata_start_io(drive, HV_MEDIUM_FLUSH, 0, 0, 0);
	else
		hv_ata_finish(drive, true);
}

/* Of several sectors one is bad: look which. */
static void retry(struct hv_ata_drive *drive, uint8_t flags)
{
	drive->s.careful = 1;
	if (flags & WRITE)
		begin_write(drive);
	else
		begin_read(drive, flags);
}

static void disk_done(struct hv_ata_drive *drive, int result)
{
	uint8_t flags = flags_of(drive);

	if (drive->io.op == HV_MEDIUM_FLUSH) {
		if (result)
			hv_ata_fail(drive, HV_ATA_ABRT);
		else
			hv_ata_finish(drive, true);
	} else if (result && drive->io.len > HV_ATA_SECTOR) {
		retry(drive, flags);
	} else if (result) {
		fail_at(drive, flags, drive->s.lba, HV_ATA_UNC);
	} else if (flags & WRITE) {
		write_done(drive, flags);
	} else {
		read_done(drive, flags);
	}
}

/* ------------------------------------------------------------ other commands */

static int do_nothing(struct hv_ata_drive *drive, uint8_t flags)
{
	(void)flags;
	hv_ata_finish(drive, true);
	return 0;
}

static int flush(struct hv_ata_drive *drive, uint8_t flags)
{
	(void)flags;
	hv_ata_start_io(drive, HV_MEDIUM_FLUSH, 0, 0, 0);
	return 0;
}

/* SEEK: is there such a sector? */
static int seek(struct hv_ata_drive *drive, uint8_t flags)
{
	if (get_address(drive, flags) < sectors_of(drive))
		hv_ata_finish(drive, true);
	else
		hv_ata_fail(drive, HV_ATA_IDNF);
	return 0;
}

static int set_multiple(struct hv_ata_drive *drive, uint8_t flags)
{
	uint8_t count = drive->s.count[HV_ATA_NOW];

	if (count > MULTIPLE_MAX || count & (count - 1))
		return -EINVAL;
	drive->s.multiple = count;
	return do_nothing(drive, flags);
}

/* INITIALIZE DEVICE PARAMETERS */
static int set_geometry(struct hv_ata_drive *drive, uint8_t flags)
{
	uint8_t sectors = drive->s.count[HV_ATA_NOW];

	if (!sectors)
		return -EINVAL;
	drive->s.sectors_a_track = sectors;
	drive->s.heads = (drive->channel->device & 0xf) + 1;
	return do_nothing(drive, flags);
}

/* CHECK POWER MODE: it turns. */
static int tell_power(struct hv_ata_drive *drive, uint8_t flags)
{
	drive->s.count[HV_ATA_NOW] = 0xff;
	return do_nothing(drive, flags);
}

static int set_features(struct hv_ata_drive *drive, uint8_t flags)
{
	switch (drive->s.feature[HV_ATA_NOW]) {
	case 0x02:
	case 0x82:
		drive->s.write_cache = drive->s.feature[HV_ATA_NOW] == 0x02;
		break;
	case 0x03:
		if (!hv_ata_set_mode(drive, drive->s.count[HV_ATA_NOW]))
			return -EINVAL;
		break;
	case 0x55: /* looking ahead, and going back to the defaults */
	case 0xaa:
	case 0x66:
	case 0xcc:
		break;
	default:
		return -EINVAL;
	}
	return do_nothing(drive, flags);
}

/* ---------------------------------------------------------------- identify */

static void put_numbers(uint8_t *data, unsigned int word, uint64_t value, unsigned int words)
{
	for (unsigned int i = 0; i < words; i++)
		hv_ata_put_word(data, word + i, (uint16_t)(value >> 16 * i));
}

static uint32_t cylinders(uint64_t sectors, uint32_t heads, uint32_t sectors_a_track, uint32_t most)
{
	uint64_t count = sectors / (heads * sectors_a_track);

	return count > most ? most : count ? (uint32_t)count : 1;
}

static void put_geometry(const struct hv_ata_drive *drive, uint8_t *data)
{
	uint64_t sectors = sectors_of(drive);
	uint32_t heads = drive->s.heads, a_track = drive->s.sectors_a_track;
	uint32_t now = cylinders(sectors, heads, a_track, 0xffff);

	hv_ata_put_word(data, 1,
			(uint16_t)cylinders(sectors, CHS_HEADS, CHS_SECTORS, CHS_CYLINDERS));
	hv_ata_put_word(data, 3, CHS_HEADS);
	hv_ata_put_word(data, 6, CHS_SECTORS);
	hv_ata_put_word(data, 54, (uint16_t)now);
	hv_ata_put_word(data, 55, (uint16_t)heads);
	hv_ata_put_word(data, 56, (uint16_t)a_track);
	put_numbers(data, 57, (uint64_t)now * heads * a_track, 2);
	put_numbers(data, 60, sectors < LBA28_MAX ? sectors : LBA28_MAX, 2);
	put_numbers(data, 100, sectors, 4);
}

static void put_features(const struct hv_ata_drive *drive, uint8_t *data)
{
	uint16_t cache = drive->s.write_cache ? 1 << 5 : 0;

	hv_ata_put_word(data, 80, 0x00f0); /* ATA-4 to -7 */
	hv_ata_put_word(data, 82, 1 << 14 | 1 << 6 | 1 << 5 | 1 << 3);
	hv_ata_put_word(data, 83, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10);
	hv_ata_put_word(data, 84, 1 << 14 | 1 << 6);
	hv_ata_put_word(data, 85, 1 << 14 | 1 << 6 | cache | 1 << 3);
	hv_ata_put_word(data, 86, 1 << 13 | 1 << 12 | 1 << 10);
	hv_ata_put_word(data, 87, 1 << 14 | 1 << 6);
}

/* How many logical sectors the host writes at once. */
static void put_sector_size(const struct hv_ata_drive *drive, uint8_t *data)
{
	unsigned int power = 0;

	while (power < 15 && drive->medium->block > (unsigned int)HV_ATA_SECTOR << power)
		power++;
	hv_ata_put_word(data, 106, (uint16_t)(1 << 14 | (power ? 1 << 13 : 0) | power));
}

static int identify(struct hv_ata_drive *drive, uint8_t flags)
{
	uint8_t *data = drive->buffer, sum = IDENTIFY_SIGNATURE;

	(void)flags;
	memset(data, 0, IDENTIFY_LEN);
	hv_ata_put_word(data, 0, 0x0040);
	hv_ata_put_text(data, 10, 10, drive->medium->serial);
	hv_ata_put_text(data, 23, 4, "1");
	hv_ata_put_text(data, 27, 20, "TINYVMX DISK");
	hv_ata_put_word(data, 47, 0x8000 | MULTIPLE_MAX);
	hv_ata_put_word(data, 49, 1 << 11 | 1 << 9 | 1 << 8); /* IORDY, LBA, DMA */
	hv_ata_put_word(data, 50, 1 << 14);
	hv_ata_put_word(data, 51, 0x0200);
	hv_ata_put_word(data, 53, 7); /* words 54-58, 64-70 and 88 count */
	if (drive->s.multiple)
		hv_ata_put_word(data, 59, 0x0100 | drive->s.multiple);
	put_geometry(drive, data);
	hv_ata_put_modes(drive, data);
	put_features(drive, data);
	put_sector_size(drive, data);
	data[IDENTIFY_LEN - 2] = IDENTIFY_SIGNATURE;
	for (unsigned int i = 0; i < IDENTIFY_LEN - 2; i++)
		sum += data[i];
	data[IDENTIFY_LEN - 1] = (uint8_t)-sum;
	drive->s.filled = IDENTIFY_LEN;
	hv_ata_transfer(drive, HV_ATA_IN, IDENTIFY_LEN, true);
	return 0;
}

/* ----------------------------------------------------------------- commands */

static const struct row rows[] = {
	{ 0x10, 0x1f, 0, do_nothing }, /* RECALIBRATE */
	{ 0x20, 0x21, 0, start_transfer },
	{ 0x24, 0x24, EXT, start_transfer },
	{ 0x25, 0x25, EXT | DMA, start_transfer },
	{ 0x29, 0x29, EXT | MULTIPLE, start_transfer },
	{ 0x30, 0x31, WRITE, start_transfer },
	{ 0x34, 0x34, EXT | WRITE, start_transfer },
	{ 0x35, 0x35, EXT | WRITE | DMA, start_transfer },
	{ 0x39, 0x39, EXT | WRITE | MULTIPLE, start_transfer },
	{ 0x3d, 0x3d, EXT | WRITE | DMA | DURABLE, start_transfer },
	{ 0x40, 0x41, VERIFY, start_transfer },
	{ 0x42, 0x42, EXT | VERIFY, start_transfer },
	{ 0x70, 0x7f, 0, seek },
	{ 0x91, 0x91, 0, set_geometry },
	{ 0x94, 0x97, 0, do_nothing }, /* STANDBY, IDLE: by their old numbers, too */
	{ 0x98, 0x98, 0, tell_power },
	{ 0x99, 0x99, 0, do_nothing }, /* SLEEP: only a reset wakes real ones */
	{ 0xc4, 0xc4, MULTIPLE, start_transfer },
	{ 0xc5, 0xc5, WRITE | MULTIPLE, start_transfer },
	{ 0xc6, 0xc6, 0, set_multiple },
	{ 0xc8, 0xc9, DMA, start_transfer },
	{ 0xca, 0xcb, WRITE | DMA, start_transfer },
	{ 0xce, 0xce, EXT | WRITE | MULTIPLE | DURABLE, start_transfer },
	{ 0xe0, 0xe3, 0, do_nothing },
	{ 0xe5, 0xe5, 0, tell_power },
	{ 0xe6, 0xe6, 0, do_nothing },
	{ 0xe7, 0xe7, 0, flush },
	{ 0xea, 0xea, EXT, flush },
	{ 0xec, 0xec, 0, identify },
	{ 0xef, 0xef, 0, set_features },
};

static const struct row *find_row(uint8_t command)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (command >= rows[i].first && command <= rows[i].last)
			return &rows[i];
	return NULL;
}

static int disk_command(struct hv_ata_drive *drive, uint8_t command)
{
	const struct row *row = find_row(command);

	return row ? row->fn(drive, row->flags) : -EINVAL;
}

static void disk_reset(struct hv_ata_drive *drive)
{
	drive->s.heads = CHS_HEADS;
	drive->s.sectors_a_track = CHS_SECTORS;
	drive->s.write_cache = 1;
}

/* Is it in the middle of something that its last command does? */
static bool check_phase(const struct hv_ata_drive_state *s, uint8_t flags)
{
	switch (s->phase) {
	case HV_ATA_IN:
		/* IDENTIFY has no flags, and READ SECTORS neither. */
		return !(flags & (WRITE | DMA | VERIFY));
	case HV_ATA_OUT:
		return flags & WRITE && !(flags & DMA) && !(s->filled % HV_ATA_SECTOR) &&
		       s->left >= s->filled / HV_ATA_SECTOR;
	case HV_ATA_DMA:
		return flags & DMA && s->left;
	}
	return !s->left;
}

static bool disk_check(const struct hv_ata_drive *drive, const struct hv_ata_drive_state *s)
{
	const struct row *row = find_row(s->command);
	uint64_t sectors = sectors_of(drive);
	uint8_t flags = row ? row->flags : 0;

	return s->heads && s->heads <= CHS_HEADS && s->sectors_a_track &&
	       s->multiple <= MULTIPLE_MAX && !(s->multiple & (s->multiple - 1)) &&
	       !(flags & MULTIPLE && s->phase && !s->multiple) && s->lba <= sectors &&
	       s->left <= sectors - s->lba && check_phase(s, flags);
}

const struct hv_ata_kind hv_ata_disk = {
	.ready = HV_ATA_DRDY | HV_ATA_DSC,
	.reset = disk_reset,
	.command = disk_command,
	.through = disk_through,
	.dma = begin_dma,
	.done = disk_done,
	.check = disk_check,
};
