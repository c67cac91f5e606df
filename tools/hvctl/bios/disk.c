// SPDX-License-Identifier: GPL-2.0-only
/* INT 13H and 19H: the image as a floppy or a hard disk that is read from. */
#include <string.h>

#include "call.h"
#include "lib/util.h"
#include "rom.h"

#define SECTOR 512
#define BOOT_GPA 0x7c00
#define HARD_DISK 0x80
#define PACKET_SECTORS 128		/* what a segment has room for */

/* What AH says at the end. */
enum status {
	OK = 0x00,
	BAD_COMMAND = 0x01,
	WRITE_PROTECTED = 0x03,
	NOT_FOUND = 0x04,
	BAD_SECTOR = 0x10,
};

/* The rest of a disk whose image is shorter is empty. */
static bool read_sector(const struct hv_bios *bios, uint64_t lba, uint8_t data[SECTOR])
{
	const struct hv_bios_config *config = &bios->config;
	uint64_t at = lba * SECTOR, size = config->image_size;

	memset(data, 0, SECTOR);
	return at >= size ||
	       config->read(config->ctx, at, data, size - at < SECTOR ? size - at : SECTOR);
}

/* --------------------------------------------------------------- which disk */

/* Floppies, by their size; the type is that of the drive for it. */
static const struct hv_bios_disk floppies[] = {
	{ .type = 1, .sectors = 320, .cylinders = 40, .heads = 1, .sectors_a_track = 8 },
	{ .type = 1, .sectors = 360, .cylinders = 40, .heads = 1, .sectors_a_track = 9 },
	{ .type = 1, .sectors = 640, .cylinders = 40, .heads = 2, .sectors_a_track = 8 },
	{ .type = 1, .sectors = 720, .cylinders = 40, .heads = 2, .sectors_a_track = 9 },
	{ .type = 3, .sectors = 1440, .cylinders = 80, .heads = 2, .sectors_a_track = 9 },
	{ .type = 2, .sectors = 2400, .cylinders = 80, .heads = 2, .sectors_a_track = 15 },
	{ .type = 4, .sectors = 2880, .cylinders = 80, .heads = 2, .sectors_a_track = 18 },
	{ .type = 5, .sectors = 5760, .cylinders = 80, .heads = 2, .sectors_a_track = 36 },
};

#define FLOPPY_1440 6
#define FLOPPY_2880 7

#define TABLE 0x1be			/* of partitions, in the first sector */
#define TABLE_ENTRIES 4
#define SIGNATURE 0x1fe

struct partition {
	uint8_t active, first[3], kind, last[3];	/* head; sector and cylinder 9:8; 7:0 */
	uint32_t begin, sectors;
};

/* Is it a partition, or what the code of a boot sector looks like there? */
static bool is_partition(const struct partition *entry, uint64_t sectors)
{
	return !(entry->active & 0x7f) && entry->kind && entry->begin && entry->sectors &&
	       entry->begin < sectors;
}

/* Its last partition that counts; false: there is none. */
static bool find_partition(const uint8_t first[SECTOR], uint64_t sectors, struct partition *found)
{
	struct partition entry;
	bool any = false;

	if (first[SIGNATURE] != 0x55 || first[SIGNATURE + 1] != 0xaa)
		return false;
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++) {
		memcpy(&entry, first + TABLE + i * sizeof(entry), sizeof(entry));
		if (is_partition(&entry, sectors))
			*found = entry;
		else if (entry.kind || entry.active)
			return false;
		any |= !!entry.kind;
	}
	return any;
}

/* Who has made the partitions had a geometry in mind: they end with a cylinder. */
static void set_geometry(struct hv_bios_disk *disk, const struct partition *partition)
{
	uint8_t head = partition->last[0], sector = partition->last[1] & 0x3f;
	bool small = disk->sectors <= 1024 * 16 * 63;

	disk->heads = head && head < 255 && sector ? head + 1 : small ? 16 : 255;
	disk->sectors_a_track = head && head < 255 && sector ? sector : 63;
	disk->cylinders = disk->sectors / (disk->heads * disk->sectors_a_track);
	if (disk->cylinders > 1024)
		disk->cylinders = 1024;
	disk->cylinders += !disk->cylinders;
}

static void set_floppy(struct hv_bios_disk *disk, uint64_t sectors)
{
	*disk = floppies[sectors <= floppies[FLOPPY_1440].sectors ? FLOPPY_1440 : FLOPPY_2880];
	for (unsigned int i = 0; i < ARRAY_SIZE(floppies); i++)
		if (floppies[i].sectors == sectors)
			*disk = floppies[i];
}

void hv_bios_disk_init(struct hv_bios *bios)
{
	uint64_t sectors = (bios->config.image_size + SECTOR - 1) / SECTOR, end;
	struct partition partition = { 0 };
	uint8_t first[SECTOR];
	bool parted = read_sector(bios, 0, first) &&
		      find_partition(first, bios->config.image_size / SECTOR, &partition);

	if (parted || sectors > floppies[FLOPPY_2880].sectors)
		bios->drive = HARD_DISK;
	else
		set_floppy(&bios->floppy, sectors);
	end = parted ? (uint64_t)partition.begin + partition.sectors : bios->floppy.sectors;
	bios->disk.sectors = end > sectors ? end : sectors;
	set_geometry(&bios->disk, &partition);
}

/* --------------------------------------------------------------------- read */

static enum status read_sectors(struct hv_bios_call *call, uint64_t lba, unsigned int count,
				uint32_t segment, uint16_t offset)
{
	uint64_t sectors = call->disk->sectors;
	uint8_t data[SECTOR];

	if (lba >= sectors || count > sectors - lba)
		return NOT_FOUND;
	for (unsigned int i = 0; i < count; i++, offset += SECTOR) {
		if (!read_sector(call->bios, lba + i, data))
			return BAD_SECTOR;
		hv_bios_write(call, segment, offset, data, SECTOR);
	}
	return OK;
}

/* CH cylinder, CL 7:6 its upper bits, CL 5:0 sector, from 1 on, DH head. */
static bool find_sector(struct hv_bios_call *call, uint64_t *lba)
{
	const struct hv_bios_disk *disk = call->disk;
	unsigned int cylinder = call->ch | (call->cl & 0xc0) << 2, sector = call->cl & 0x3f;

	if (cylinder >= disk->cylinders || call->dh >= disk->heads || !sector ||
	    sector > disk->sectors_a_track)
		return false;
	*lba = ((uint64_t)cylinder * disk->heads + call->dh) * disk->sectors_a_track + sector - 1;
	return true;
}

/* AH=02H, 04H: AL sectors, to ES:BX or nowhere. */
static enum status read_chs(struct hv_bios_call *call, bool verify)
{
	unsigned int count = call->al;
	enum status status = NOT_FOUND;
	uint64_t lba;

	if (!count)
		return BAD_COMMAND;
	call->al = 0;
	if (find_sector(call, &lba))
		status = verify ? OK : read_sectors(call, lba, count, call->es, call->bx);
	if (status == OK)
		call->al = count;
	return status;
}

/* At DS:SI, as "Enhanced Disk Drive Specification" has it. */
struct packet {
	uint8_t size, reserved;
	uint16_t count, offset, segment;
	uint64_t lba;
};

/* AH=42H, 44H */
static enum status read_lba(struct hv_bios_call *call, bool verify)
{
	enum status status = OK;
	struct packet packet;

	hv_bios_read(call, call->ds, call->si, &packet, sizeof(packet));
	/* More would be written over each other, and keep the machine busy. */
	if (packet.size < sizeof(packet) || packet.count > PACKET_SECTORS)
		return BAD_COMMAND;
	if (!verify)
		status = read_sectors(call, packet.lba, packet.count, packet.segment << 4,
				      packet.offset);
	if (status != OK)
		hv_bios_write(call, call->ds, call->si + 2, &(uint16_t){ 0 }, 2);
	return status;
}

/* --------------------------------------------------------------------- tell */

/* AH=08H */
static enum status tell_geometry(struct hv_bios_call *call)
{
	const struct hv_bios_disk *disk = call->disk;
	unsigned int last = disk->cylinders - 1;

	call->ch = last;
	call->cl = (last >> 2 & 0xc0) | disk->sectors_a_track;
	call->dh = disk->heads - 1;
	call->dl = 1;
	call->al = 0;
	call->bl = disk->type;
	if (call->disk != &call->bios->floppy)
		return OK;
	call->es_selector = HV_BIOS_SEGMENT;
	call->di = hv_bios_at(hv_bios_rom_floppy);
	return OK;
}

/* AH=15H: 1 a floppy whose change is not noticed, 3 a hard disk and CX:DX sectors. */
static void tell_kind(struct hv_bios_call *call)
{
	const struct hv_bios_disk *disk = call->disk;

	call->ah = disk == &call->bios->floppy ? 1 : 3;
	if (disk == &call->bios->floppy)
		return;
	call->cx = disk->sectors >> 16;
	call->dx = disk->sectors;
}

/* AH=41H: version 1.1, packets. */
static enum status tell_extensions(struct hv_bios_call *call)
{
	if (call->bx != 0x55aa || call->disk == &call->bios->floppy)
		return BAD_COMMAND;
	call->ah = 0x21;
	call->bx = 0xaa55;
	call->cx = 1;
	return OK;
}

/* AH=48H */
static enum status tell_parameters(struct hv_bios_call *call)
{
	const struct hv_bios_disk *disk = call->disk;
	struct __attribute__((packed)) {
		uint16_t size, flags;
		uint32_t cylinders, heads, sectors_a_track;
		uint64_t sectors;
		uint16_t sector;
	} told = {
		26, 0, disk->cylinders, disk->heads, disk->sectors_a_track, disk->sectors, SECTOR
	};
	uint16_t room;

	hv_bios_read(call, call->ds, call->si, &room, sizeof(room));
	if (room < sizeof(told))
		return BAD_COMMAND;
	hv_bios_write(call, call->ds, call->si, &told, sizeof(told));
	return OK;
}

/* Those that are told by AH alone; false: there is no such command. */
static bool serve(struct hv_bios_call *call, enum status *status)
{
	switch (call->ah) {
	case 0x00: /* reset, seek, and what else moves heads */
	case 0x0c ... 0x0d:
	case 0x10 ... 0x11:
	case 0x16:
	case 0x47:
		*status = OK;
		return true;
	case 0x02:
	case 0x04:
		*status = read_chs(call, call->ah == 0x04);
		return true;
	case 0x03:
	case 0x05:
	case 0x43:
		*status = WRITE_PROTECTED;
		return true;
	case 0x08:
		*status = tell_geometry(call);
		return true;
	case 0x42:
	case 0x44:
		*status = read_lba(call, call->ah == 0x44);
		return true;
	case 0x48:
		*status = tell_parameters(call);
		return true;
	}
	return false;
}

bool hv_bios_disk(struct hv_bios_call *call)
{
	uint16_t last = call->dl & HARD_DISK ? BDA_DISK_STATUS : BDA_FLOPPY_STATUS;
	enum status status = BAD_COMMAND;

	if (call->ah == 0x01) {
		call->ah = hv_bios_get(call, last, 1);
		hv_bios_flag(call, X86_RFLAGS_CF, call->ah);
		return true;
	}
	call->disk = call->dl == HARD_DISK ? &call->bios->disk : &call->bios->floppy;
	if (call->dl & ~HARD_DISK || !call->disk->sectors) {
		call->ah = BAD_COMMAND;
	} else if (call->ah == 0x15) {
		tell_kind(call);
		status = OK;
	} else if (call->ah == 0x41) {
		status = tell_extensions(call);
	} else if (serve(call, &status)) {
		call->ah = status;
	} else {
		return false;
	}
	if (status)
		call->ah = status;
	hv_bios_put(call, last, 1, status);
	hv_bios_flag(call, X86_RFLAGS_CF, status);
	return true;
}

bool hv_bios_boot(struct hv_bios_call *call)
{
	uint8_t data[SECTOR];

	if (!read_sector(call->bios, 0, data))
		hv_bios_say(call->bios, "the boot sector cannot be read; the guest runs zeroes");
	hv_bios_write(call, 0, BOOT_GPA, data, sizeof(data));
	call->dl = call->bios->drive;
	call->cs = 0;
	call->ip = BOOT_GPA;
	hv_bios_flag(call, X86_RFLAGS_IF, true);
	return true;
}
