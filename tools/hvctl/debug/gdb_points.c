// SPDX-License-Identifier: GPL-2.0-only
/* Where a debugger wants to be told. */
#include <errno.h>
#include <string.h>

#include "gdb_points.h"
#include "lib/x86.h"

#define INT3 0xcc

/* ------------------------------------------------------------------- plants */

static const struct hv_gdb_plant *find(const struct hv_gdb_points *points, uint64_t gva)
{
	for (unsigned int i = 0; i < points->plants; i++)
		if (points->plant[i].gva == gva)
			return &points->plant[i];
	return NULL;
}

bool hv_gdb_is_planted_for(const struct hv_gdb_points *points, uint64_t gva)
{
	return find(points, gva);
}

/* The same byte may have several linear addresses. */
static const struct hv_gdb_plant *find_at(const struct hv_gdb_points *points, uint64_t gpa)
{
	for (unsigned int i = 0; i < points->plants; i++)
		if (points->plant[i].gpa == gpa)
			return &points->plant[i];
	return NULL;
}

static void put_int3(const struct hv_gdb_points *points, uint64_t gpa)
{
	(void)hv_memory_write(points->memory, gpa, &(uint8_t){ INT3 }, 1);
}

bool hv_gdb_has_int3(const struct hv_gdb_points *points, uint64_t gpa)
{
	uint8_t byte;

	return !hv_memory_read(points->memory, gpa, &byte, 1) && byte == INT3;
}

int hv_gdb_plant(struct hv_gdb_points *points, uint64_t gva, uint64_t gpa)
{
	struct hv_gdb_plant plant = { .gva = gva, .gpa = gpa };

	if (find(points, gva))
		return 0;
	if (points->plants == HV_GDB_PLANTS_MAX)
		return -ENOSPC;
	if (hv_memory_read(points->memory, gpa, &plant.original, 1))
		return -EFAULT;
	for (unsigned int i = 0; i < points->plants; i++) {
		struct hv_gdb_plant *other = &points->plant[i];

		if (other->gpa != gpa)
			continue;
		/* The guest may have written over it meanwhile. */
		if (plant.original == INT3)
			plant.original = other->original;
		else
			other->original = plant.original;
	}
	points->plant[points->plants++] = plant;
	put_int3(points, gpa);
	return 0;
}

/* It is out of the list. */
static void restore(const struct hv_gdb_points *points, const struct hv_gdb_plant *plant)
{
	if (!find_at(points, plant->gpa) && hv_gdb_has_int3(points, plant->gpa))
		(void)hv_memory_write(points->memory, plant->gpa, &plant->original, 1);
}

int hv_gdb_unplant(struct hv_gdb_points *points, uint64_t gva)
{
	const struct hv_gdb_plant *place = find(points, gva);
	struct hv_gdb_plant plant;

	if (!place)
		return -ENOENT;
	plant = *place;
	points->plant[place - points->plant] = points->plant[--points->plants];
	restore(points, &plant);
	return 0;
}

/* An image that is unpacked later, for one, lies elsewhere at first. */
static bool is_there_again(const struct hv_gdb_points *points, const struct hv_gdb_plant *plant)
{
	uint8_t byte;

	if (hv_memory_read(points->memory, plant->gpa, &byte, 1))
		return false;
	/* Not all ROM is filled anew. */
	return byte == plant->original ||
	       (byte == INT3 && hv_memory_is_rom(points->memory, plant->gpa));
}

void hv_gdb_replant(struct hv_gdb_points *points)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < points->plants; i++) {
		if (is_there_again(points, &points->plant[i]))
			points->plant[kept++] = points->plant[i];
		else
			points->lost = true;
	}
	points->plants = kept;
	for (unsigned int i = 0; i < points->plants; i++)
		put_int3(points, points->plant[i].gpa);
}

bool hv_gdb_is_planted(const struct hv_gdb_points *points, uint64_t gpa)
{
	return find_at(points, gpa);
}

void hv_gdb_hide(const struct hv_gdb_points *points, uint64_t gpa, uint8_t *bytes, size_t len)
{
	for (unsigned int i = 0; i < points->plants; i++) {
		const struct hv_gdb_plant *plant = &points->plant[i];
		uint64_t at = plant->gpa - gpa;

		if (at < len && bytes[at] == INT3)
			bytes[at] = plant->original;
	}
}

void hv_gdb_merge(struct hv_gdb_points *points, uint64_t gpa, uint8_t *bytes, size_t len)
{
	const uint64_t end = gpa + len;

	/* First all that they hide: several may be at one byte. */
	for (unsigned int i = 0; i < points->plants; i++)
		if (points->plant[i].gpa - gpa < len)
			points->plant[i].original = bytes[points->plant[i].gpa - gpa];
	for (unsigned int i = 0; i < points->plants; i++)
		if (points->plant[i].gpa >= gpa && points->plant[i].gpa < end)
			bytes[points->plant[i].gpa - gpa] = INT3;
}

/* ---------------------------------------------------------- debug registers */

/* The largest piece at @address of @len bytes that one register watches. */
static unsigned int piece(uint64_t address, uint64_t len)
{
	unsigned int bytes = 8;

	while (bytes > len || address % bytes)
		bytes /= 2;
	return bytes;
}

static unsigned int count_pieces(uint64_t address, uint64_t len)
{
	unsigned int count = 0;

	for (unsigned int n; len; len -= n, address += n, count++)
		n = piece(address, len);
	return count;
}

static unsigned int count_free(const struct hv_gdb_points *points)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++)
		count += !points->reg[i].used;
	return count;
}

static struct hv_gdb_debug_reg *take_free(struct hv_gdb_points *points)
{
	struct hv_gdb_debug_reg *reg = points->reg;

	while (reg->used)
		reg++;
	return reg;
}

static bool is_for(const struct hv_gdb_debug_reg *reg, enum hv_gdb_point kind, uint64_t address,
		   uint64_t len)
{
	return reg->used && reg->kind == kind && reg->wanted == address && reg->len == len;
}

/* What gdb calls the length of a breakpoint is that of INT3. */
static uint64_t length(enum hv_gdb_point kind, uint64_t len)
{
	return kind == HV_GDB_HBREAK ? 1 : len;
}

int hv_gdb_watch(struct hv_gdb_points *points, enum hv_gdb_point kind, uint64_t address,
		 uint64_t len)
{
	const uint64_t wanted = address, whole = length(kind, len);

	if (kind != HV_GDB_HBREAK && kind != HV_GDB_WATCH && kind != HV_GDB_AWATCH)
		return -EOPNOTSUPP;
	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++)
		if (is_for(&points->reg[i], kind, address, whole))
			return 0;
	if (!whole || whole > 8 * HV_GDB_DEBUG_REGS)
		return whole ? -ENOSPC : -EINVAL;
	if (count_pieces(address, whole) > count_free(points))
		return -ENOSPC;
	for (uint64_t left = whole; left;) {
		struct hv_gdb_debug_reg *reg = take_free(points);

		*reg = (struct hv_gdb_debug_reg){
			.used = true,
			.kind = kind,
			.wanted = wanted,
			.len = whole,
			.address = address,
			.bytes = piece(address, left),
		};
		address += reg->bytes;
		left -= reg->bytes;
	}
	return 0;
}

int hv_gdb_unwatch(struct hv_gdb_points *points, enum hv_gdb_point kind, uint64_t address,
		   uint64_t len)
{
	int error = -ENOENT;

	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++) {
		if (!is_for(&points->reg[i], kind, address, length(kind, len)))
			continue;
		points->reg[i].used = false;
		error = 0;
	}
	return error;
}

/* SDM, "Debug Control Register (DR7)" */
static uint64_t control_of(const struct hv_gdb_debug_reg *reg, unsigned int n)
{
	static const uint64_t lengths[] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
	uint64_t type = reg->kind == HV_GDB_HBREAK ? 0 :
			reg->kind == HV_GDB_WATCH  ? X86_DR7_RW_WRITE :
						     X86_DR7_RW_ACCESS;

	return 2ULL << (2 * n) | (type | lengths[reg->bytes] << 2) << (16 + 4 * n);
}

void hv_gdb_points_ask(const struct hv_gdb_points *points, struct tinyvmx_set_debug *arg)
{
	if (points->plants)
		arg->flags |= TINYVMX_DEBUG_INT3;
	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++) {
		if (!points->reg[i].used)
			continue;
		arg->flags |= TINYVMX_DEBUG_BREAKPOINTS;
		arg->dr[i] = points->reg[i].address;
		arg->dr7 |= control_of(&points->reg[i], i);
	}
}

bool hv_gdb_stops_at(const struct hv_gdb_points *points, uint64_t address)
{
	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++)
		if (is_for(&points->reg[i], HV_GDB_HBREAK, address, 1))
			return true;
	return false;
}

const struct hv_gdb_debug_reg *hv_gdb_hit(const struct hv_gdb_points *points, uint64_t dr6)
{
	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++)
		if (dr6 >> i & 1 && points->reg[i].used)
			return &points->reg[i];
	return NULL;
}

void hv_gdb_points_clear(struct hv_gdb_points *points)
{
	while (points->plants)
		(void)hv_gdb_unplant(points, points->plant[0].gva);
	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++)
		points->reg[i].used = false;
	points->lost = false;
}
