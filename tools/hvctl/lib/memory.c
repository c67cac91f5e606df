// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: a memfd or private memory, aligned for huge pages; and ROMs. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "memory.h"
#include "util.h"

#define PAGE 4096
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define HUGE_PAGE (2 * HV_MIB)

/* Larger than any address that a process or, by four levels of EPT, a guest has. */
#define RAM_MAX (1ULL << 48)

uint64_t hv_memory_of_host(void)
{
	struct sysinfo si;

	if (sysinfo(&si))
		return UINT64_MAX;
	return ((uint64_t)si.totalram + si.totalswap) * si.mem_unit;
}

static int no_address_space(uint64_t size, int errnum, struct hv_error *err)
{
	return hv_fail(
		err, errnum,
		"no address space for %llu MiB of guest RAM (%s); use a smaller --mem, or see ulimit -v and vm.overcommit_memory",
		(unsigned long long)(size / HV_MIB), strerror(errnum));
}

/*
 * Whether the host has so much is not asked: a guest need not use all of it, and what
 * others use of the host's memory will change.
 */
static int check_size(uint64_t size, struct hv_error *err)
{
	if (size < HV_MIB || size % 4096)
		return hv_fail(
			err, EINVAL,
			"guest RAM must be 1 MiB or more, in steps of 4 KiB; use e.g. --mem 128M");
	return size > RAM_MAX ? no_address_space(size, ENOMEM, err) : 0;
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

/* An address for them that huge pages can be mapped at; @fd: -1 for private memory. */
static int map_ram(struct hv_memory *memory, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	size_t len = memory->size + HUGE_PAGE;
	uint8_t *map =
		mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *ram = (void *)(((uintptr_t)map + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));

	if (map == MAP_FAILED)
		return -errno;
	memory->map = map;
	memory->map_len = len;
	if (mmap(ram, memory->size, PROT_READ | PROT_WRITE, flags | MAP_FIXED | MAP_NORESERVE, fd,
		 0) == MAP_FAILED)
		return -errno;
	/* All are wishes: a kernel without huge pages refuses the first. */
	(void)madvise(ram, memory->size, MADV_HUGEPAGE);
	(void)madvise(ram, memory->size, MADV_DONTFORK);
	(void)madvise(ram, memory->size, MADV_DONTDUMP);
	set_ranges(memory, ram);
	return 0;
}

/* Takes over @fd, which is -1 for private memory. */
static int init(struct hv_memory *memory, int fd, uint64_t size, struct hv_error *err)
{
	int error;

	*memory = (struct hv_memory){ .size = size, .fd = fd };
	error = map_ram(memory, fd);
	if (!error)
		return 0;
	hv_memory_exit(memory);
	return no_address_space(size, -error, err);
}

/* Its size is for ever: who shares it cannot take pages away from the guest, nor seal more. */
static int make_memfd(uint64_t size)
{
	int fd = memfd_create("guest-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* "always within_size [advise] never deny force": the choice is in brackets. */
static bool memfds_get_huge_pages(void)
{
	char line[128] = "";
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "re");

	if (!file)
		return false;
	(void)!fgets(line, sizeof(line), file);
	fclose(file);
	return strchr(line, '[') && !strstr(line, "[never]") && !strstr(line, "[deny]");
}

int hv_memory_init_shared(struct hv_memory *memory, uint64_t size, struct hv_error *err)
{
	int error = check_size(size, err), fd;

	*memory = (struct hv_memory){ .fd = -1 };
	if (error)
		return error;
	fd = make_memfd(size);
	if (fd < 0)
		return hv_fail(err, -fd,
			       "no memfd of %llu MiB for guest RAM: %s; use a smaller --mem",
			       (unsigned long long)(size / HV_MIB), strerror(-fd));
	return init(memory, fd, size, err);
}

int hv_memory_init(struct hv_memory *memory, uint64_t size, struct hv_error *err)
{
	int error;

	if (memfds_get_huge_pages())
		return hv_memory_init_shared(memory, size, err);
	error = check_size(size, err);
	*memory = (struct hv_memory){ .fd = -1 };
	return error ? error : init(memory, -1, size, err);
}

int hv_memory_init_fd(struct hv_memory *memory, int fd, uint64_t size, struct hv_error *err)
{
	struct stat st;
	int copy;

	*memory = (struct hv_memory){ .fd = -1 };
	if (fstat(fd, &st) || (uint64_t)st.st_size != size)
		return hv_fail(
			err, EINVAL,
			"this is not the memfd of %llu MiB of guest RAM; give the one that was saved",
			(unsigned long long)(size / HV_MIB));
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return hv_fail(err, errno, "no file descriptor for guest RAM: %s; raise ulimit -n",
			       strerror(errno));
	return init(memory, copy, size, err);
}

int hv_memory_read(const struct hv_memory *memory, uint64_t gpa, void *buf, uint64_t len)
{
	const void *ram = hv_memory_at(memory, gpa, len);

	if (!ram)
		return -EFAULT;
	memcpy(buf, ram, len);
	return 0;
}

int hv_memory_write(const struct hv_memory *memory, uint64_t gpa, const void *buf, uint64_t len)
{
	void *ram = hv_memory_at(memory, gpa, len);

	if (!ram)
		return -EFAULT;
	memcpy(ram, buf, len);
	hv_memory_mark_dirty(memory, gpa, len);
	return 0;
}

int hv_memory_add_rom_at(struct hv_memory *memory, uint64_t gpa, uint64_t size,
			 struct hv_error *err)
{
	void *rom = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (rom == MAP_FAILED)
		return hv_fail(err, ENOMEM, "no memory for %llu KiB of ROM (%s); close something",
			       (unsigned long long)(size / HV_KIB), strerror(errno));
	assert(memory->roms < HV_MEMORY_MAX_ROMS);
	memory->rom[memory->roms++] = (struct hv_ram_range){ gpa, size, rom };
	return 0;
}

int hv_memory_add_rom(struct hv_memory *memory, uint64_t size, struct hv_error *err)
{
	return hv_memory_add_rom_at(memory, HV_GAP_END - size, size, err);
}

void hv_memory_flush_page(const struct hv_memory *memory, uint64_t gpa)
{
	void *page = hv_memory_is_rom(memory, gpa) ? NULL : hv_memory_at(memory, gpa, PAGE);

	/* The memfd keeps what is in it. Locked or not: it is not to be had in vain. */
	if (page && memory->fd >= 0)
		(void)madvise(page, PAGE, MADV_DONTNEED_LOCKED);
}

void hv_memory_mark_dirty_at(const struct hv_memory *memory, const void *at, uint64_t len)
{
	uint64_t gpa;

	if (hv_memory_find(memory, at, &gpa))
		hv_memory_mark_dirty(memory, gpa, len);
}

#define LOOKED_AT 16384

uint64_t hv_memory_resident(const struct hv_memory *memory)
{
	unsigned char there[LOOKED_AT];
	uint64_t pages = 0;

	for (uint64_t at = 0; at < memory->size; at += sizeof(there) * PAGE) {
		uint64_t left = memory->size - at, len = sizeof(there) * PAGE;

		if (len > left)
			len = left;
		if (mincore(memory->range[0].hva + at, len, there))
			break;
		for (uint64_t i = 0; i < len / PAGE; i++)
			pages += there[i] & 1;
	}
	return pages * PAGE;
}

/* Gives the pages back; where they are locked, zero them by hand. */
static void discard(const struct hv_memory *memory, uint8_t *ram, uint64_t len)
{
	if (madvise(ram, len, memory->fd < 0 ? MADV_DONTNEED : MADV_REMOVE))
		memset(ram, 0, len);
}

int hv_memory_discard(const struct hv_memory *memory, uint64_t gpa, uint64_t len)
{
	uint8_t *ram = hv_memory_is_rom(memory, gpa) ? NULL : hv_memory_at(memory, gpa, len);

	if (!ram)
		return -EFAULT;
	discard(memory, ram, len);
	hv_memory_mark_dirty(memory, gpa, len);
	return 0;
}

bool hv_memory_find(const struct hv_memory *memory, const void *hva, uint64_t *gpa)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct hv_ram_range *range = &memory->range[i];
		uint64_t offset = (const uint8_t *)hva - range->hva;

		*gpa = range->gpa + offset;
		if (offset < range->len)
			return true;
	}
	return false;
}

void hv_memory_clear(struct hv_memory *memory)
{
	discard(memory, memory->range[0].hva, memory->size);
	for (unsigned int i = 0; i < memory->count; i++)
		hv_memory_mark_dirty(memory, memory->range[i].gpa, memory->range[i].len);
}

void hv_memory_exit(struct hv_memory *memory)
{
	if (memory->map)
		munmap(memory->map, memory->map_len);
	for (unsigned int i = 0; i < memory->roms; i++)
		munmap(memory->rom[i].hva, memory->rom[i].len);
	if (memory->size)
		hv_close(memory->fd);
	*memory = (struct hv_memory){ .fd = -1 };
}
