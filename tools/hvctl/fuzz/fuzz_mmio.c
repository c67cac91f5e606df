// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO emulation on any code, registers and page tables: 16 bytes of code, the
 * general registers, flags, a word that chooses the mode, the rest is RAM from 0 on.
 */
#include <stdlib.h>
#include <string.h>

#include "disasm.h"
#include "mmio.h"
#include "x86.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE 0x8000

static struct hv_memory memory;
static struct hv_bus bus;
static struct hv_region region;

static void chip_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)dev;
	/* What bus.h promises to chips. */
	if (offset >= region.len || width > region.len - offset || width > 8 || width & (width - 1))
		abort();
	if (!write)
		*value = 0x5a5a5a5a5a5a5a5a;
}

static uint64_t segment_base(void *ctx, unsigned int segment)
{
	const uint64_t *bases = ctx;

	if (segment > TINYVMX_GS)
		abort();
	return bases[segment];
}

static void init(void)
{
	struct hv_error err;

	if (memory.map)
		return;
	if (hv_memory_init(&memory, 1 * HV_MIB, &err))
		abort();
	region = (struct hv_region){ "chip", HV_MMIO, 0x100000, 0xfff, chip_access, NULL };
	hv_bus_register(&bus, &region);
}

static struct hv_paging paging_of(uint64_t mode)
{
	return (struct hv_paging){
		.cr0 = mode & 4 ? X86_CR0_PE | X86_CR0_PG | X86_CR0_WP : 0,
		.cr3 = 0x1000,
		.cr4 = (mode & 8 ? X86_CR4_PAE : 0) | (mode & 16 ? X86_CR4_LA57 : 0) |
		       (mode & 32 ? X86_CR4_SMAP : 0) | X86_CR4_PSE,
		.efer = mode & 64 ? X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE : 0,
		.user = mode & 128,
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int code_bits[] = { 16, 32, 64, 64 };
	struct tinyvmx_regs regs = { .rip = CODE };
	uint64_t mode = 0, bases[6] = { 0x100000, 0, 0, 0x100000, 8, 16 };
	struct hv_mmio mmio;
	char text[128];
	size_t ram;

	init();
	if (size < 16 + sizeof(regs.gpr) + 16)
		return 0;
	memset(memory.range[0].hva, 0, 0x10000);
	memcpy(memory.range[0].hva + CODE, data, 16);
	memcpy(regs.gpr, data + 16, sizeof(regs.gpr));
	memcpy(&regs.rflags, data + 16 + sizeof(regs.gpr), 8);
	memcpy(&mode, data + 16 + sizeof(regs.gpr) + 8, 8);
	ram = size - (16 + sizeof(regs.gpr) + 16);
	memcpy(memory.range[0].hva + 0x1000, data + size - ram, ram < 0x6000 ? ram : 0x6000);
	mmio = (struct hv_mmio){
		.guest = {
			.memory = &memory, .bus = &bus, .paging = paging_of(mode),
			.known = true, .known_gla = 0x100000, .known_gpa = 0x100000,
		},
		.regs = &regs,
		.code_bits = code_bits[mode & 3],
		.segment_base = segment_base,
		.ctx = bases,
	};
	if (hv_mmio_emulate(&mmio) == HV_MMIO_UNSUPPORTED && !mmio.why)
		abort();
	hv_disasm(data, 16, code_bits[mode & 3], regs.rip, text, sizeof(text));
	return 0;
}
