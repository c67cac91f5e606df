/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small driver for modern virtio devices on PCI, which does what it is told, right or wrong, and
 * attacks that use it. Virtio 1.2, "Virtio Over PCI Bus", "Split Virtqueues", "Packed Virtqueues".
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include "../lib/smp.h"

/* The machine's: hvctl run -m 64. */
#define RAM_END		(64 * MIB)
#define ROM		0xfffff000UL	/* where there is one: the end of it */
#define IOAPIC_PAGE	0xfec00000UL
#define NOBODY		0xd0000000UL	/* no RAM, no device */

enum kind { NET = 1, BLK = 2, RNG = 4, BALLOON = 5 };

/* ------------------------------------------------------------------- driver */

#define MAX_QUEUES	10
#define MAX_SIZE	256

#define F_INDIRECT	(1ULL << 28)
#define F_EVENT_IDX	(1ULL << 29)
#define F_VERSION_1	(1ULL << 32)
#define F_PLATFORM	(1ULL << 33)
#define F_PACKED	(1ULL << 34)
#define F_RING_RESET	(1ULL << 40)

#define STATUS_ACK	0x01
#define STATUS_DRIVER	0x02
#define STATUS_OK	0x04
#define STATUS_FEATURES	0x08
#define STATUS_BROKEN	0x40
#define STATUS_FAILED	0x80

/* Registers of "Common configuration structure layout". */
#define DEVICE_SELECT	0x00
#define DEVICE_FEATURES	0x04
#define DRIVER_SELECT	0x08
#define DRIVER_FEATURES	0x0c
#define CONFIG_VECTOR	0x10
#define NUM_QUEUES	0x12
#define STATUS		0x14
#define GENERATION	0x15
#define QUEUE_SELECT	0x16
#define QUEUE_SIZE	0x18
#define QUEUE_VECTOR	0x1a
#define QUEUE_ENABLE	0x1c
#define QUEUE_DESC	0x20
#define QUEUE_DRIVER	0x28
#define QUEUE_DEVICE	0x30
#define QUEUE_RESET	0x3a
#define NO_VECTOR	0xffff

#define NEXT		1
#define WRITE		2	/* by the device */
#define INDIRECT	4

struct desc {
	u64 address;
	u32 len;
	u16 flags, next;	/* in a packed ring: id, flags */
};

/* A buffer as the driver wants the device to see it. */
struct piece {
	u64 address;
	u32 len;
	u16 flags;
};

struct queue {
	struct device *dev;
	u16 index, size;
	u64 desc, driver, device;	/* areas */
	u16 next;			/* descriptor that is used next */
	u16 avail, seen;		/* where both sides are */
	bool wrap, seen_wrap;		/* packed */
	u16 length[MAX_SIZE];		/* packed: of the chain of that id */
};

struct device {
	const char *name;
	u8 kind, devfn;			/* devfn 0: there is none */
	u16 registers, isr, notify, config;	/* ports */
	u16 notify_step;
	u8 window, msix;		/* capabilities */
	u32 bar[6];			/* as they were found */
	u64 table;			/* of MSI-X */
	u64 arena;			/* RAM that it uses */
	u64 wanted;			/* features beyond those that are always taken */
	u64 chosen;
	bool packed;
	u16 queues;
	u8 rounds;			/* what honest I/O writes differs each time */
	struct queue queue[MAX_QUEUES];
};

#define ARENA_BYTES	MIB
#define RING_BYTES	0x8000UL
/* Pages of the arena that are no rings. */
#define BUFFER(dev, n)	((dev)->arena + 0x80000 + (n) * 0x1000ULL)

static inline void *at(u64 address)
{
	return (void *)(ulong)address;
}

/* Find it on bus 0, @nth of its kind, and give it RAM. False: there is none. */
bool device_find(struct device *dev, const char *name, enum kind kind, int nth);
/* BARs and command register as they were found, MSI-X off. */
void device_restore(struct device *dev);

u32 pci_read(const struct device *dev, u32 reg, u32 width);
void pci_write(const struct device *dev, u32 reg, u32 width, u32 value);
/* To any port, in 1, 2 or 4 bytes. */
void port_write(u16 port, u32 width, u32 value);
/* Put BAR @n there, and say so to @dev. */
void move_bar(struct device *dev, u32 n, u64 address);

#define REG_COMMAND	0x04
#define COMMAND_PORTS	0x01
#define COMMAND_MEMORY	0x02
#define COMMAND_MASTER	0x04
#define COMMAND_NO_INTX	0x400
#define BAR_REGISTERS	0
#define BAR_MSIX	4

u8 status_of(const struct device *dev);
/* Status 0, and until it reads so. */
bool device_reset(struct device *dev);
/* Up to FEATURES_OK: all that is offered but packed rings and EVENT_IDX, and @wanted. */
bool device_negotiate(struct device *dev);
void queue_describe(struct queue *queue);	/* its registers */
void queue_enable(struct queue *queue);
/* Empty rings where they belong. */
void queue_init(struct device *dev, u16 index, u16 size);
/* All of it, with rings of up to MAX_SIZE entries, to DRIVER_OK. */
bool device_start(struct device *dev);

/* Make a chain available; the device is not told. */
void queue_add(struct queue *queue, const struct piece *pieces, u32 count);
void queue_kick(const struct queue *queue);
/* Has the device used one more? Its length. */
bool queue_take(struct queue *queue, u32 *len);
/* Until it has, or has broken, or never will. */
bool queue_wait(struct queue *queue, u32 *len);

/* Let others have the CPU for a moment. */
void nap(u64 ticks);
void nap_init(void);
#define MOMENT		20000
#define DEVICE_PATIENCE	250000000ULL	/* ticks */

/* Until it holds: whether it does at last. */
#define settles(condition)						\
({									\
	u64 begin_ = rdtsc();						\
									\
	while (!(condition) && rdtsc() - begin_ < DEVICE_PATIENCE)	\
		nap(MOMENT);						\
	!!(condition);							\
})

/* ---------------------------------------------------------- what is honest */

#define BLK_READ	0
#define BLK_WRITE	1
#define BLK_FLUSH	4
#define BLK_GET_ID	8
#define BLK_DISCARD	11
#define BLK_ZEROES	13
#define BLK_OK		0
#define BLK_IOERR	1
#define BLK_UNSUPP	2
#define BLK_SILENCE	0xee	/* no answer */

struct blk_header {
	u32 type, reserved;
	u64 sector;
};

/* Disks have 1 MiB. */
#define SECTOR		512
#define SECTORS		2048

/* A request in three buffers. Returns its status. */
u8 blk_request(struct device *dev, u32 type, u64 sector, u64 data, u32 len);
/* Does it do what it is there for? Says so of a disk, a network, numbers, a balloon. */
bool honest(struct device *dev);

#define NET_RX		0
#define NET_TX		1
#define NET_CONTROL	2
#define NET_HEADER	12

/* A buffer to receive into; a frame to send, with a header in front of it; until it is sent. */
void net_offer(struct device *dev, u64 address, u32 len);
void net_send(struct device *dev, u64 address, u32 len);
/* "Who has 10.0.2.2?" in a buffer of the device's. Returns its length, header included. */
u32 net_ask(struct device *dev, u64 address);

/* ------------------------------------------------------------------ attacks */

/* What the device does about it. */
enum outcome {
	ANY,		/* what it likes */
	BROKEN,		/* DEVICE_NEEDS_RESET */
	GOOD,		/* it goes on without a reset */
};

#define SPLIT		1
#define PACKED		2
#define BOTH		(SPLIT | PACKED)
#define EVENTS		4	/* with EVENT_IDX */

struct attack {
	const char *name;
	enum kind on;
	u8 rings;
	enum outcome outcome;
	void (*run)(struct device *dev);
};

/* Ends of tables have no name. */
extern const struct attack attacks_registers[], attacks_setup[], attacks_rings[], attacks_blk[],
	attacks_others[], attacks_bars[], attacks_msix[], attacks_storms[];

/* Who else is there, at work meanwhile. */
extern struct device witness;
bool witness_works(void);

/* What has gone wrong; the first counts. */
void blame(const char *what, u64 got, u64 want);
#define expect(got, want)						\
do {									\
	u64 got_ = (got), want_ = (want);				\
									\
	if (got_ != want_)						\
		blame(#got, got_, want_);				\
} while (0)

#endif
