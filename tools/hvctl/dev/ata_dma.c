// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bus master of an ATA channel, as "Programming Interface for Bus Master IDE Controller" has
 * it:
 *
 *  0  command   3 to memory, 0 start
 *  2  status    6:5 the drives can do DMA (kept), 2 interrupt, 1 error (both cleared by 1),
 *               0 active
 *  4  table     address of the table, 4 bytes, a multiple of 4
 *
 *  entry of the table, 8 bytes
 *  0 address, even   4 length, even, 0 is 64 KiB   6 bit 15: the last one
 *
 * The drive's command says which way the bytes go; bit 3 is only kept. A table does not cross a
 * multiple of 64 KiB, which bounds how many entries there are.
 */
#include <errno.h>

#include "ata_dma.h"
#include "lib/bytes.h"

#define REG_COMMAND 0
#define REG_STATUS 2
#define REG_TABLE 4

#define COMMAND_START 0x01
#define COMMAND_WRITABLE 0x09
#define STATUS_ACTIVE 0x01
#define STATUS_ERROR 0x02
#define STATUS_INTERRUPT 0x04
#define STATUS_WRITABLE 0x60

#define ENTRY 8
#define ENTRY_LAST 0x80000000u
#define TABLE_MAX 0x10000u

bool hv_ata_dma_is_active(const struct hv_ata_dma *dma)
{
	return dma->s.status & STATUS_ACTIVE;
}

/* RAM alone: a ROM would be written as by who makes the machine, and no chip is a target. */
static bool is_ram(const struct hv_memory *memory, uint64_t gpa, uint64_t len)
{
	return !hv_memory_is_rom(memory, gpa) && hv_memory_at(memory, gpa, len);
}

/* The next entry; a copy of it. */
static int next_region(struct hv_ata_dma *dma)
{
	struct hv_ata_dma_state *s = &dma->s;
	uint64_t at = (uint64_t)s->table + s->next;
	uint8_t entry[ENTRY];
	uint32_t len;

	if (s->last || (s->table & (TABLE_MAX - 1)) + s->next + ENTRY > TABLE_MAX)
		return -ENOSPC;
	if (!is_ram(dma->memory, at, ENTRY) ||
	    hv_memory_read(dma->memory, at, entry, sizeof(entry)))
		return -EFAULT;
	len = (uint32_t)hv_get_le(entry + 4, 4);
	s->next += ENTRY;
	s->address = (uint32_t)hv_get_le(entry, 4) & ~1u;
	s->left = (len & 0xfffe) ? len & 0xfffe : 0x10000;
	s->last = !!(len & ENTRY_LAST);
	return 0;
}

static int move(const struct hv_memory *memory, uint64_t gpa, uint8_t *data, uint32_t len,
		bool to_memory)
{
	if (!is_ram(memory, gpa, len))
		return -EFAULT;
	return to_memory ? hv_memory_write(memory, gpa, data, len) :
			   hv_memory_read(memory, gpa, data, len);
}

static int copy(struct hv_ata_dma *dma, uint8_t *data, uint32_t len, bool to_memory)
{
	struct hv_ata_dma_state *s = &dma->s;

	while (len) {
		int error = s->left ? 0 : next_region(dma);
		uint32_t some = len < s->left ? len : s->left;

		if (!error)
			error = move(dma->memory, s->address, data, some, to_memory);
		if (error)
			return error;
		s->address += some;
		s->left -= some;
		data += some;
		len -= some;
	}
	return 0;
}

int hv_ata_dma_copy(struct hv_ata_dma *dma, uint8_t *data, uint32_t len, bool to_memory)
{
	int error = copy(dma, data, len, to_memory);

	if (error == -EFAULT)
		dma->s.status |= STATUS_ERROR;
	if (error)
		dma->s.status &= ~STATUS_ACTIVE;
	return error;
}

void hv_ata_dma_finish(struct hv_ata_dma *dma)
{
	if (dma->s.last && !dma->s.left)
		dma->s.status &= ~STATUS_ACTIVE;
}

void hv_ata_dma_interrupt(struct hv_ata_dma *dma)
{
	dma->s.status |= STATUS_INTERRUPT;
}

/* From the first entry on. */
static void start(struct hv_ata_dma *dma)
{
	dma->s.status |= STATUS_ACTIVE;
	dma->s.next = dma->s.address = dma->s.left = 0;
	dma->s.last = 0;
}

uint8_t hv_ata_dma_read(const struct hv_ata_dma *dma, uint64_t offset)
{
	switch (offset) {
	case REG_COMMAND:
		return dma->s.command;
	case REG_STATUS:
		return dma->s.status;
	case REG_TABLE ... REG_TABLE + 3:
		return (uint8_t)(dma->s.table >> (offset - REG_TABLE) * 8);
	}
	return 0;
}

static bool write_command(struct hv_ata_dma *dma, uint8_t value)
{
	bool starts = value & ~dma->s.command & COMMAND_START;

	dma->s.command = value & COMMAND_WRITABLE;
	if (!(value & COMMAND_START))
		dma->s.status &= ~STATUS_ACTIVE;
	if (starts)
		start(dma);
	return starts;
}

static void write_status(struct hv_ata_dma *dma, uint8_t value)
{
	uint8_t kept = dma->s.status & ~STATUS_WRITABLE;

	kept &= ~(value & (STATUS_ERROR | STATUS_INTERRUPT));
	dma->s.status = kept | (value & STATUS_WRITABLE);
}

bool hv_ata_dma_write(struct hv_ata_dma *dma, uint64_t offset, uint8_t value)
{
	unsigned int shift = (unsigned int)(offset - REG_TABLE) * 8;

	switch (offset) {
	case REG_COMMAND:
		return write_command(dma, value);
	case REG_STATUS:
		write_status(dma, value);
		break;
	case REG_TABLE ... REG_TABLE + 3:
		dma->s.table = (dma->s.table & ~(0xffu << shift)) | (uint32_t)value << shift;
		dma->s.table &= ~3u;
		break;
	}
	return false;
}

void hv_ata_dma_reset(struct hv_ata_dma *dma)
{
	dma->s = (struct hv_ata_dma_state){ 0 };
}

bool hv_ata_dma_check(const struct hv_ata_dma_state *state)
{
	const uint8_t status = STATUS_WRITABLE | STATUS_INTERRUPT | STATUS_ERROR | STATUS_ACTIVE;

	return !(state->command & ~COMMAND_WRITABLE) && !(state->status & ~status) &&
	       !(state->status & STATUS_ACTIVE && !(state->command & COMMAND_START)) &&
	       !(state->table & 3) && state->last <= 1 && !state->pad && state->left <= 0x10000 &&
	       state->next <= TABLE_MAX && !(state->next % ENTRY);
}
