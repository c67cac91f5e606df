/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest RAM: one mapping of this process, seen by the guest in up to two ranges; and ROMs.
 *
 * Who looks at it from outside (loaders, tables, save, report) goes through
 * hv_memory_read() and hv_memory_write(): the guest runs meanwhile and is hostile, so
 * what was read once is a copy, and what is written is told to @dirtied. Only what does
 * the guest's own accesses for it (emul/) and the module work in place.
 */
#ifndef HV_LIB_MEMORY_H
#define HV_LIB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define HV_KIB (1ULL << 10)
#define HV_MIB (1ULL << 20)
#define HV_GIB (1ULL << 30)

/* RAM from 3 GiB on is seen at 4 GiB: the gap is for the chips and PCI. */
#define HV_GAP_BEGIN (3 * HV_GIB)
#define HV_GAP_END (4 * HV_GIB)

#define HV_MEMORY_MAX_RANGES 2
#define HV_MEMORY_MAX_ROMS 2

struct hv_ram_range {
	uint64_t gpa;
	uint64_t len;
	uint8_t *hva;
};

struct hv_memory {
	uint64_t size;			/* of all RAM, in bytes */
	struct hv_ram_range range[HV_MEMORY_MAX_RANGES];
	unsigned int count;
	struct hv_ram_range rom[HV_MEMORY_MAX_ROMS];	/* the guest cannot write to them */
	unsigned int roms;
	int fd;				/* the memfd that RAM is in; -1: it is private */
	void *map;			/* the whole mapping, with alignment slack */
	size_t map_len;
	/* Somebody but the guest's CPU has written there; any thread. NULL: nobody asks. */
	void (*dirtied)(void *ctx, uint64_t gpa, uint64_t len);
	void *ctx;
};

/**
 * hv_memory_init() - make guest RAM, all zeroes
 * @memory: filled in; on failure hv_memory_exit() may be called and does nothing
 * @size: bytes, a multiple of 4096 and at least 1 MiB
 * @err: filled in on failure
 *
 * In a memfd where the host gives those huge pages; else private, as THP serves that only
 * (/sys/kernel/mm/transparent_hugepage/shmem_enabled). Returns 0 or -errno.
 */
int hv_memory_init(struct hv_memory *memory, uint64_t size, struct hv_error *err);

/* What this host has, RAM and swap: a guest that uses up more ends by the OOM killer. */
uint64_t hv_memory_of_host(void);

/* ... in a memfd in any case: for what hands it to other processes, or keeps it. */
int hv_memory_init_shared(struct hv_memory *memory, uint64_t size, struct hv_error *err);

/* ... in memfd @fd, as another hv_memory has left it there. @fd stays the caller's. */
int hv_memory_init_fd(struct hv_memory *memory, int fd, uint64_t size, struct hv_error *err);

void hv_memory_exit(struct hv_memory *memory);

/* Add a ROM of @size bytes, a multiple of 4096, all zeroes: at @gpa, or up to the end of 4 GiB. */
int hv_memory_add_rom_at(struct hv_memory *memory, uint64_t gpa, uint64_t size,
			 struct hv_error *err);
int hv_memory_add_rom(struct hv_memory *memory, uint64_t size, struct hv_error *err);
#define HV_ROM_MAX (16 * HV_MIB)

/**
 * hv_memory_read() - copy guest memory
 * @memory: RAM and ROM
 * @gpa: guest-physical address of the first byte
 * @buf: where to; unchanged on failure
 * @len: bytes
 *
 * Returns 0, or -EFAULT unless all of it is RAM, or in one ROM. Any thread.
 */
int hv_memory_read(const struct hv_memory *memory, uint64_t gpa, void *buf, uint64_t len);

/* Write guest memory, ROM too: as who makes the machine does. Nothing is written on failure. */
int hv_memory_write(const struct hv_memory *memory, uint64_t gpa, const void *buf, uint64_t len);

/*
 * Have the host take the page of RAM at @gpa out of all page tables, so that whoever comes to it
 * next maps it anew; any thread, whoever is at it. For RAM in a memfd; nothing where there is none.
 */
void hv_memory_flush_page(const struct hv_memory *memory, uint64_t gpa);

/**
 * hv_memory_discard() - give pages of RAM back to the host; any thread
 * @memory: RAM; whoever uses the pages meanwhile finds what was there, or zeroes
 * @gpa: of the first, a multiple of 4096
 * @len: bytes, a multiple of 4096
 *
 * They read zero from now on, and the host has memory for them when they are touched. Returns 0, or
 * -EFAULT unless all of it is RAM. What is locked (mlock) is zeroed and stays where it is.
 */
int hv_memory_discard(const struct hv_memory *memory, uint64_t gpa, uint64_t len);

/* Which byte of RAM is at @hva of ours? False: none. */
bool hv_memory_find(const struct hv_memory *memory, const void *hva, uint64_t *gpa);

/* How much of RAM the host has memory for, in bytes. Takes a moment for each GiB. */
uint64_t hv_memory_resident(const struct hv_memory *memory);

/* RAM is all zeroes again. */
void hv_memory_clear(struct hv_memory *memory);

/* RAM was written in place. */
static inline void hv_memory_mark_dirty(const struct hv_memory *memory, uint64_t gpa, uint64_t len)
{
	if (memory->dirtied)
		memory->dirtied(memory->ctx, gpa, len);
}

static inline bool hv_ram_range_has(const struct hv_ram_range *range, uint64_t gpa, uint64_t len)
{
	uint64_t offset = gpa - range->gpa;

	return offset < range->len && len <= range->len - offset;
}

/*
 * Where guest-physical @gpa ... @gpa + @len - 1 lies; NULL unless all of it is RAM, or in one
 * ROM. For what works in place: who writes there says so by hv_memory_mark_dirty().
 */
static inline void *hv_memory_at(const struct hv_memory *memory, uint64_t gpa, uint64_t len)
{
	const struct hv_ram_range *range = memory->range, *end = range + memory->count;

	for (; range < end; range++)
		if (hv_ram_range_has(range, gpa, len))
			return range->hva + (gpa - range->gpa);
	for (range = memory->rom, end = range + memory->roms; range < end; range++)
		if (hv_ram_range_has(range, gpa, len))
			return range->hva + (gpa - range->gpa);
	return NULL;
}

static inline bool hv_memory_is_rom(const struct hv_memory *memory, uint64_t gpa)
{
	for (unsigned int i = 0; i < memory->roms; i++)
		if (hv_ram_range_has(&memory->rom[i], gpa, 0))
			return true;
	return false;
}

/* The same of @at, somewhere in RAM as we have it mapped. */
void hv_memory_mark_dirty_at(const struct hv_memory *memory, const void *at, uint64_t len);

/* The end of the RAM that begins at address 0. */
static inline uint64_t hv_memory_low_end(const struct hv_memory *memory)
{
	return memory->range[0].len;
}

#endif
