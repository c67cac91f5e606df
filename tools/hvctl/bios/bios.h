/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BIOS for guests that start in real mode: the services that teaching material and boot
 * loaders use. The guest's CPU executes rom.S; services are done here, on the caller's
 * registers and memory.
 *
 *	bios.c		the table of services, what is not there, faults
 *	video.c		INT 10H		disk.c		INT 13H, 19H
 *	system.c	INT 11H, 12H, 15H	keyboard.c	INT 9, 16H
 *	clock.c		INT 1AH		serial.c	INT 14H
 *
 * Its state is in the BIOS data area, in the chips and on the guest's stack. What it keeps
 * itself is the ends of waits, and what spares its user the same words again.
 */
#ifndef HV_BIOS_BIOS_H
#define HV_BIOS_BIOS_H

#include "dev/bus.h"
#include "emul/guest.h"
#include "lib/memory.h"

/* What is held down together with a key: the bits of INT 16H, AH=02H. */
#define HV_BIOS_SHIFT 0x01
#define HV_BIOS_CTRL 0x04
#define HV_BIOS_ALT 0x08

#define HV_BIOS_CELLS 0x4000		/* of text memory */

struct hv_bios_config {
	/*
	 * Copy @len bytes at @offset of the one disk, which cannot be written to; they are within
	 * @image_size. False: they cannot be read.
	 */
	bool (*read)(void *ctx, uint64_t offset, void *data, size_t len);
	uint64_t image_size;
	const struct hv_memory *memory;
	struct hv_bus *bus;
	struct hv_clock *clock;
	/* A character, code page 437, has gone to the screen; NULL: nobody reads it elsewhere. */
	void (*output)(void *ctx, uint8_t character);
	/* The next key typed elsewhere (dev/ps2kbd.h), and HV_BIOS_* in *shifts; 0: none. */
	uint8_t (*typed)(void *ctx, uint8_t *shifts);
	void (*reset_screen)(void *ctx);	/* its chip, to the text mode of 80 by 25 */
	void (*say)(void *ctx, const char *text);	/* a line to the user */
	void *ctx;
};

struct hv_bios_disk {
	uint8_t type;			/* of the floppy drive, as INT 13H AH=08H tells it */
	uint64_t sectors;		/* of the whole disk: the image may be shorter */
	uint32_t cylinders;
	uint8_t heads, sectors_a_track;
};

struct hv_bios {
	struct hv_bios_config config;
	/*
	 * The image, as drive 0 and as drive 80H: programs ask for the one that they were
	 * written for, whatever DL says. Without sectors: it is too large for a floppy.
	 */
	struct hv_bios_disk floppy, disk;
	uint8_t drive;			/* that it starts from */
	uint64_t wait_until_ns;		/* INT 15H, AH=86H; 0: nobody waits */
	uint64_t serial_until_ns;	/* INT 14H */
	/* What @output has had, to tell new lines from a character that is written twice. */
	uint8_t row, column, last;
	uint8_t streamed[HV_BIOS_CELLS];	/* text memory, as far as it came from there */
	uint8_t said[0x10000 / 8];	/* a bit for each interrupt and AH that is not there */
};

/* Zero what is in @bios; find out what kind of disk the image is. */
void hv_bios_init(struct hv_bios *bios, const struct hv_bios_config *config);

/**
 * hv_bios_install() - put ROM and interrupt vectors into RAM
 * @bios: of a machine that starts
 * @regs: the guest's first registers, in real mode; DL becomes the drive
 *
 * The BIOS data area is there already (firmware/bda.h); what the disk has to do with it is
 * added. The chips are as hv_pc_after_bios() leaves them.
 */
void hv_bios_install(struct hv_bios *bios, struct tinyvmx_regs *regs);

/**
 * hv_bios_serve() - the guest has written to HV_BIOS_PORT
 * @bios: of its machine
 * @guest: its memory, with its paging
 * @regs: its registers, RIP behind the OUT; changed
 * @sregs: its segments; changed
 *
 * Does nothing if it was not the ROM that wrote there. Context: machine->lock held.
 */
void hv_bios_serve(struct hv_bios *bios, struct hv_guest *guest, struct tinyvmx_regs *regs,
		   struct tinyvmx_sregs *sregs);

/* Has who reads the output seen this in its place? Then it need not be told again. */
bool hv_bios_has_streamed(const struct hv_bios *bios, unsigned int cell, uint8_t character);

#endif
