/* SPDX-License-Identifier: GPL-2.0-only */
/* An IDE controller on a bench, with media that answer when the test says so, and a driver. */
#ifndef HV_TESTS_ATA_TEST_H
#define HV_TESTS_ATA_TEST_H

#include "dev_test.h"

#include "dev/piix_ide.h"
#include "lib/bytes.h"

#define PRIMARY 0x1f0
#define SECONDARY 0x170
#define CONTROL (0x3f6 - 0x1f0)		/* from a channel's first port on */
#define BUS_MASTER 0xc000
/* A status register: DRDY and DSC, with them DRQ, or ERR */
#define READY 0x50
#define DATA 0x58
#define FAILED 0x51
#define SECTORS 600			/* of each disk */
#define BLOCKS 40			/* of the disc */

struct medium {
	struct hv_medium m;
	uint8_t *bytes;
	struct hv_medium_io *io;	/* under way */
	uint64_t bad;			/* this sector is; UINT64_MAX: none */
	unsigned int reads, writes, flushes;
};

struct ide {
	struct bench bench;
	struct hv_pci pci;
	struct hv_memory memory;
	struct hv_piix_ide ide;
	struct medium disk, second, disc;	/* primary master and slave; secondary master */
};

static inline void medium_submit(struct hv_medium *m, struct hv_medium_io *io)
{
	struct medium *medium = (struct medium *)m;

	/* One at a time. */
	assert_null(medium->io);
	medium->io = io;
}

static inline int medium_work(struct medium *medium, const struct hv_medium_io *io)
{
	uint64_t first = io->offset / 512, last = (io->offset + io->len - 1) / 512;

	if (io->op == HV_MEDIUM_FLUSH) {
		medium->flushes++;
		return medium->bad == UINT64_MAX ? 0 : -EIO;
	}
	assert_true(io->len && io->len % 512 == 0 && io->offset % 512 == 0);
	assert_true(io->offset + io->len <= medium->m.size && io->len <= HV_ATA_DMA_MAX);
	if (first <= medium->bad && medium->bad <= last)
		return -EIO;
	if (io->op == HV_MEDIUM_READ) {
		memcpy(io->data, medium->bytes + io->offset, io->len);
		medium->reads++;
	} else {
		assert_false(medium->m.read_only);
		memcpy(medium->bytes + io->offset, io->data, io->len);
		medium->writes++;
	}
	return 0;
}

/* It does what it was asked for; false: that was nothing. */
static inline bool medium_answer(struct medium *medium)
{
	struct hv_medium_io *io = medium->io;

	if (!io)
		return false;
	medium->io = NULL;
	io->done(io, medium_work(medium, io));
	return true;
}

static inline void ide_serve(struct ide *f)
{
	while (medium_answer(&f->disk) || medium_answer(&f->second) || medium_answer(&f->disc))
		;
}

static inline void medium_make(struct medium *medium, uint64_t size)
{
	*medium = (struct medium){
		.m = { .size = size, .block = 512, .serial = "S1", .submit = medium_submit },
		.bytes = malloc(size),
		.bad = UINT64_MAX,
	};
	assert_non_null(medium->bytes);
	for (uint64_t i = 0; i < size; i++)
		medium->bytes[i] = (uint8_t)(i * 7 + i / 512 * 31);
}

static inline struct hv_piix_ide_config ide_config(struct ide *f)
{
	return (struct hv_piix_ide_config){
		.bus = &f->bench.bus,
		.pci = &f->pci,
		.memory = &f->memory,
		.bus_master = BUS_MASTER,
		.irq = { bench_irq(&f->bench, 14), bench_irq(&f->bench, 15) },
	};
}

static inline void ide_make(struct ide *f)
{
	const struct hv_pci_config pci = { .bus = &f->bench.bus };
	const struct hv_piix_ide_config config = ide_config(f);
	struct hv_error err;

	memset(f, 0, sizeof(*f));
	bench_init(&f->bench);
	medium_make(&f->disk, SECTORS * 512);
	medium_make(&f->second, SECTORS * 512);
	medium_make(&f->disc, BLOCKS * 2048);
	f->disc.m.read_only = true;
	assert_int_equal(hv_memory_init(&f->memory, 2 * HV_MIB, &err), 0);
	assert_int_equal(hv_pci_init(&f->pci, &pci), 0);
	assert_int_equal(hv_piix_ide_init(&f->ide, &config), 0);
	assert_int_equal(hv_piix_ide_add(&f->ide, 0, &hv_ata_disk, &f->disk.m), 0);
	assert_int_equal(hv_piix_ide_add(&f->ide, 1, &hv_ata_disk, &f->second.m), 0);
	assert_int_equal(hv_piix_ide_add(&f->ide, 2, &hv_ata_cdrom, &f->disc.m), 0);
}

static inline void ide_unmake(struct ide *f)
{
	hv_piix_ide_exit(&f->ide);
	hv_pci_exit(&f->pci);
	hv_memory_exit(&f->memory);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	free(f->disk.bytes);
	free(f->second.bytes);
	free(f->disc.bytes);
}

/* ------------------------------------------------------------------ a driver */

static inline uint8_t ide_status(struct ide *f, uint16_t base)
{
	return inb(&f->bench, base + CONTROL);
}

static inline unsigned int ide_interrupts(struct ide *f, uint16_t base)
{
	return f->bench.rises[base == PRIMARY ? 14 : 15];
}

/* LBA28, of primary master or slave */
static inline void ide_command(struct ide *f, unsigned int slave, uint8_t command, uint32_t lba,
			       unsigned int count)
{
	outb(&f->bench, PRIMARY + 6, (uint8_t)(0xe0 | slave << 4 | lba >> 24));
	outb(&f->bench, PRIMARY + 2, (uint8_t)count);
	outb(&f->bench, PRIMARY + 3, (uint8_t)lba);
	outb(&f->bench, PRIMARY + 4, (uint8_t)(lba >> 8));
	outb(&f->bench, PRIMARY + 5, (uint8_t)(lba >> 16));
	outb(&f->bench, PRIMARY + 7, command);
}

static inline void ide_command_ext(struct ide *f, uint8_t command, uint64_t lba, unsigned int count)
{
	outb(&f->bench, PRIMARY + 6, 0x40);
	outb(&f->bench, PRIMARY + 2, (uint8_t)(count >> 8));
	for (unsigned int i = 0; i < 3; i++)
		outb(&f->bench, (uint16_t)(PRIMARY + 3 + i), (uint8_t)(lba >> 8 * (3 + i)));
	outb(&f->bench, PRIMARY + 2, (uint8_t)count);
	for (unsigned int i = 0; i < 3; i++)
		outb(&f->bench, (uint16_t)(PRIMARY + 3 + i), (uint8_t)(lba >> 8 * i));
	outb(&f->bench, PRIMARY + 7, command);
}

static inline void ide_take(struct ide *f, uint16_t base, void *to, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i += 2)
		hv_put_le((uint8_t *)to + i, inw(&f->bench, base), 2);
}

static inline void ide_give(struct ide *f, uint16_t base, const void *from, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i += 2)
		outw(&f->bench, base, (uint16_t)hv_get_le((const uint8_t *)from + i, 2));
}

/* One entry of a table for the bus master */
static inline void ide_put_region(struct ide *f, uint32_t table, unsigned int n, uint32_t gpa,
				  uint32_t len, bool last)
{
	uint8_t entry[8];

	hv_put_le(entry, gpa, 4);
	hv_put_le(entry + 4, (len & 0xffff) | (last ? 0x80000000u : 0), 4);
	assert_int_equal(hv_memory_write(&f->memory, table + 8 * n, entry, 8), 0);
}

static inline void ide_start_dma(struct ide *f, uint16_t base, uint32_t table, bool to_memory)
{
	uint16_t master = base == PRIMARY ? BUS_MASTER : BUS_MASTER + 8;

	outl(&f->bench, master + 4, table);
	outb(&f->bench, master + 2, 0x06);
	outb(&f->bench, master, to_memory ? 8 : 0);
	outb(&f->bench, master, to_memory ? 9 : 1);
}

static inline uint8_t ide_end_dma(struct ide *f, uint16_t base)
{
	uint16_t master = base == PRIMARY ? BUS_MASTER : BUS_MASTER + 8;
	uint8_t status = inb(&f->bench, master + 2);

	outb(&f->bench, master, 0);
	outb(&f->bench, master + 2, 0x06);
	return status;
}

/* Of each test */
static inline int setup(void **state)
{
	static struct ide fixture;

	ide_make(&fixture);
	*state = &fixture;
	return 0;
}

static inline int teardown(void **state)
{
	ide_unmake(*state);
	return 0;
}

#endif
