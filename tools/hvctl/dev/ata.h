/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ATA channel: two places for drives behind one set of registers, and what all drives have in
 * common. What a drive's commands do is its kind's: ata_disk.c, atapi.c.
 *
 * A drive has one buffer, between its medium and the guest's side: the data port, or the bus
 * master (ata_dma.h). So a medium never touches the guest's memory, and what the guest or a
 * reset has given up may end whenever it likes: nobody looks at it any more.
 */
#ifndef HV_DEV_ATA_H
#define HV_DEV_ATA_H

#include "ata_dma.h"
#include "dev.h"
#include "medium.h"

#define HV_ATA_SECTOR 512
#define HV_ATA_DRIVES 2
#define HV_ATA_PIO_MAX 0x4000u		/* bytes that wait at the data port at once */
#define HV_ATA_DMA_MAX 0x20000u		/* bytes that go through the buffer for the bus master */

/* Status */
#define HV_ATA_BSY 0x80
#define HV_ATA_DRDY 0x40
#define HV_ATA_DSC 0x10			/* seek complete; of packet commands: service */
#define HV_ATA_DRQ 0x08
#define HV_ATA_ERR 0x01
/* Error */
#define HV_ATA_UNC 0x40
#define HV_ATA_IDNF 0x10
#define HV_ATA_ABRT 0x04
/* Device */
#define HV_ATA_LBA 0x40
#define HV_ATA_DEV1 0x10

enum hv_ata_phase {
	HV_ATA_IDLE,
	HV_ATA_IN,			/* the host reads what is in the buffer */
	HV_ATA_OUT,			/* the host writes into it */
	HV_ATA_DMA,			/* the bus master is to start */
	HV_ATA_BUSY,			/* the medium is at work; never in a record */
	HV_NR_ATA_PHASES
};

/* Registers that have two values: the last one written, and the one before. */
enum { HV_ATA_NOW, HV_ATA_BEFORE };

struct hv_ata_drive_state {
	/* The registers that the host writes, as they are read back */
	uint8_t feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
	uint8_t status, error;
	uint8_t phase;			/* enum hv_ata_phase */
	uint8_t command;		/* the last one */
	uint8_t intrq;
	uint8_t multiple;		/* sectors; 0: off */
	uint8_t mode;			/* of transfer, as SET FEATURES has it */
	uint8_t write_cache;		/* on */
	uint8_t careful;		/* one sector at a time, to find the bad one */
	uint8_t heads, sectors_a_track;	/* as the host has set them */
	uint8_t pad[3];
	/* What is under way: @left sectors, or blocks, from @lba on */
	uint64_t lba;
	uint32_t left;
	uint32_t at, end;		/* in the buffer: the next byte, the end of this DRQ */
	uint32_t filled;		/* ... and that of all */
	/* A CD-ROM drive's */
	uint8_t packet[12];
	uint8_t sense, asc, ascq;	/* of the last command that has failed */
	uint8_t open;			/* the tray */
	uint8_t locked;
	uint8_t changed;		/* the medium, and nobody has been told */
	uint8_t event;			/* ... and nobody has asked for that */
	uint8_t by_dma;
	uint16_t limit;			/* bytes that the host takes at once */
	uint8_t pad2[2];
};

_Static_assert(sizeof(struct hv_ata_drive_state) == 72, "no holes");

struct hv_ata_drive;

/**
 * struct hv_ata_kind - what one kind of drive does
 * @signature: in the registers after a reset: LBA mid and high
 * @ready: status after a reset
 * @reset: power, or the reset line
 * @command: one was written; 0, or 1: there is none of that number
 * @through: the host has read, or written, the buffer from begin to end
 * @dma: the bus master has started
 * @done: the medium has done what it was asked for: 0 or -errno
 * @check: can it be in this state?
 */
struct hv_ata_kind {
	uint8_t signature[2];
	uint8_t ready;
	void (*reset)(struct hv_ata_drive *drive);
	int (*command)(struct hv_ata_drive *drive, uint8_t command);
	void (*through)(struct hv_ata_drive *drive);
	void (*dma)(struct hv_ata_drive *drive);
	void (*done)(struct hv_ata_drive *drive, int result);
	bool (*check)(const struct hv_ata_drive *drive, const struct hv_ata_drive_state *state);
};

extern const struct hv_ata_kind hv_ata_disk, hv_ata_cdrom;

struct hv_ata_channel;

struct hv_ata_drive {
	struct hv_ata_channel *channel;
	const struct hv_ata_kind *kind;	/* NULL: no drive */
	struct hv_medium *medium;
	struct hv_medium_io io;
	bool io_under_way;
	bool io_dropped;		/* nobody waits for it any more */
	bool command_waits;		/* ... for its end: the buffer is its own until then */
	uint8_t *buffer;		/* HV_ATA_DMA_MAX */
	struct hv_ata_drive_state s;
};

struct hv_ata_channel_state {
	uint8_t device, control;	/* registers */
	uint8_t pad[2];
	struct hv_ata_dma_state dma;
	struct {
		struct hv_ata_drive_state s;
		uint8_t data[HV_ATA_PIO_MAX];	/* what is in the buffer, in PIO */
	} drive[HV_ATA_DRIVES];
};

struct hv_ata_channel {
	struct hv_ata_drive drive[HV_ATA_DRIVES];
	struct hv_ata_dma dma;
	struct hv_irq irq;
	uint8_t device, control;
	bool level;			/* of the interrupt line */
};

/* No drives yet. */
void hv_ata_init(struct hv_ata_channel *channel, const struct hv_memory *memory, struct hv_irq irq);

/*
 * Nothing is under way at its media any more. Takes the drives off.
 */
void hv_ata_exit(struct hv_ata_channel *channel);

/* Put a drive there. Returns 0, -EEXIST or -ENOMEM. */
int hv_ata_add(struct hv_ata_channel *channel, unsigned int place, const struct hv_ata_kind *kind,
	       struct hv_medium *medium);

/* The reset line. What is under way ends by itself, without the guest's memory. */
void hv_ata_reset(struct hv_ata_channel *channel);

/* The command block, 8 ports, and the control block, of which one counts. hv_access_fn */
void hv_ata_access_command(void *channel, uint64_t offset, unsigned int width, bool write,
			   uint64_t *value);
void hv_ata_access_control(void *channel, uint64_t offset, unsigned int width, bool write,
			   uint64_t *value);
/* The bus master's, 8 ports. */
void hv_ata_access_dma(void *channel, uint64_t offset, unsigned int width, bool write,
		       uint64_t *value);

/* Is something under way at a medium? It is in no record. */
bool hv_ata_is_busy(const struct hv_ata_channel *channel);
void hv_ata_save(const struct hv_ata_channel *channel, struct hv_ata_channel_state *state);
int hv_ata_check(const struct hv_ata_channel *channel, const struct hv_ata_channel_state *state);
/* It was checked. */
void hv_ata_load(struct hv_ata_channel *channel, const struct hv_ata_channel_state *state);

/* --------------------------------------------------------- for kinds of drives */

/* The command has ended well; or not, which always interrupts. */
void hv_ata_finish(struct hv_ata_drive *drive, bool interrupt);
void hv_ata_fail(struct hv_ata_drive *drive, uint8_t error);

/* The host is to read, or write, the buffer's bytes from s.at to @end: DRQ. */
void hv_ata_transfer(struct hv_ata_drive *drive, enum hv_ata_phase phase, uint32_t end,
		     bool interrupt);

/*
 * The medium is to do that, with @len bytes of the buffer from @at on; kind->done() comes later.
 */
void hv_ata_start_io(struct hv_ata_drive *drive, enum hv_medium_op op, uint64_t offset, uint32_t at,
		     uint32_t len);

/* Does the bus master run? If not, it is waited for. */
bool hv_ata_dma_runs(struct hv_ata_drive *drive);

/* The registers as they are in a command with LBA48, or not. */
uint32_t hv_ata_get_count(const struct hv_ata_drive *drive, bool ext);
void hv_ata_put_count(struct hv_ata_drive *drive, bool ext, uint32_t count);
uint64_t hv_ata_get_lba(const struct hv_ata_drive *drive, bool ext);
void hv_ata_put_lba(struct hv_ata_drive *drive, bool ext, uint64_t lba);

/* Signature of the drive's kind in the registers. */
void hv_ata_sign(struct hv_ata_drive *drive);

/* ... in ata_identify.c: words of IDENTIFY; text has two characters a word, the first one high. */
void hv_ata_put_text(uint8_t *data, unsigned int word, unsigned int words, const char *text);
void hv_ata_put_word(uint8_t *data, unsigned int word, uint16_t value);

/* SET FEATURES' transfer mode @mode: false: there is none. Words 63 and 88 of IDENTIFY tell. */
bool hv_ata_set_mode(struct hv_ata_drive *drive, uint8_t mode);
void hv_ata_put_modes(const struct hv_ata_drive *drive, uint8_t *data);

#endif
