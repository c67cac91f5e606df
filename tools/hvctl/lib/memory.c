// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: an anonymous mapping, aligned for huge pages; and ROM, another. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "memory.h"

#define HUGE_PAGE (2 * HV_MIB)

/* More than the host has would only end in its OOM killer. */
static int check_size(uint64_t size, struct hv_error *err)
{
	struct sysinfo si;
	uint64_t host = UINT64_MAX;

	if (!sysinfo(&si))
		host = ((uint64_t)si.totalram + si.totalswap) * si.mem_unit;
	if (size < HV_MIB || size % 4096)
		return hv_fail(
			err, EINVAL,
			"guest RAM must be 1 MiB or more, in steps of 4 KiB; use e.g. --mem 128M");
	if (size > host)
		return hv_fail(
			err, ENOMEM,
			"%llu MiB of guest RAM is more than this host has (%llu MiB); use a smaller --mem",
			(unsigned long long)(size / HV_MIB), (unsigned long long)(host / HV_MIB));
	return 0;
}

static void set_ranges(struct hv_memory *memory, uint8_t *hva)
{
	uint64_t low = memory->size < HV_GAP_BEGIN ? memory->size : HV_GAP_BEGIN;

	memory->range[0] = (struct hv_ram_range){ 0, low, hva };
	memory->count = 1;
	if (memory->size > low) {
		memory->range[1] =
			(struct hv_ram_range){ HV_GAP_END, memory->size - low, hva + low };
		memory->count = 2;
	}
}

int hv_memory_init(struct hv_memory *memory, uint64_t size, struct hv_error *err)
{
	int error = check_size(size, err);
	uintptr_t aligned;

	*memory = (struct hv_memory){ 0 };
	if (error)
		return error;
	memory->map_len = size + HUGE_PAGE;
	memory->map = mmap(NULL, memory->map_len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory->map == MAP_FAILED) {
		memory->map = NULL;
		return hv_fail(
			err, ENOMEM,
			"no address space for %llu MiB of guest RAM (%s); use a smaller --mem",
			(unsigned long long)(size / HV_MIB), strerror(errno));
	}
	/* Both are wishes: a kernel without huge pages refuses the first. */
	(void)madvise(memory->map, memory->map_len, MADV_HUGEPAGE);
	(void)madvise(memory->map, memory->map_len, MADV_DONTFORK);
	memory->size = size;
	aligned = ((uintptr_t)memory->map + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	set_ranges(memory, (uint8_t *)aligned);
	return 0;
}

int hv_memory_add_rom(struct hv_memory *memory, uint64_t size, struct hv_error *err)
{
	void *rom = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (rom == MAP_FAILED)
		return hv_fail(err, ENOMEM, "no memory for %llu KiB of ROM (%s); close something",
			       (unsigned long long)(size / HV_KIB), strerror(errno));
	memory->rom = (struct hv_ram_range){ HV_GAP_END - size, size, rom };
	return 0;
}

void hv_memory_clear(struct hv_memory *memory)
{
	/* Gives the pages back; where they are locked, zero them by hand. */
	if (madvise(memory->map, memory->map_len, MADV_DONTNEED))
		memset(memory->map, 0, memory->map_len);
}

void hv_memory_exit(struct hv_memory *memory)
{
	if (memory->map)
		munmap(memory->map, memory->map_len);
	if (memory->rom.hva)
		munmap(memory->rom.hva, memory->rom.len);
	*memory = (struct hv_memory){ 0 };
}
