// SPDX-License-Identifier: GPL-2.0-only
/* The MMIO emulation on any code, registers and page tables. */
#include <stdlib.h>
#include <string.h>

#include "emul/disasm.h"
#include "emul/mmio.h"
#include "fuzz_state.h"
#include "lib/x86.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE 0x8000
#define RAM 0x10000

static uint8_t ram[RAM] __attribute__((aligned(4096)));
static struct hv_memory memory;
static struct hv_bus bus;
static struct hv_region region;
static uint64_t chip;

static void chip_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)dev;
	/* What dev/bus.h promises to chips. */
	if (offset >= region.len || width > region.len - offset || width > 8 || width & (width - 1))
		abort();
	if (write)
		chip = chip * 31 + *value;
	else
		*value = chip ^ offset;
}

static struct tinyvmx_sregs sregs;
static struct {
	union {
		uint64_t xcr0;
		uint8_t head[sizeof(struct tinyvmx_xsave)];
	};
	uint8_t image[4096];
} __attribute__((aligned(64))) xsave;

static struct fuzz_blob blobs[] = {
	{ TINYVMX_STATE_SREGS, sizeof(sregs), &sregs },
	{ TINYVMX_STATE_XSAVE, sizeof(xsave), &xsave },
	{ 0 },
};

static void init(void)
{
	memory.range[0] = (struct hv_ram_range){ 0, RAM, ram };
	memory.count = 1;
	bus = (struct hv_bus){ 0 };
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

struct input {
	uint8_t code[16];
	uint64_t gpr[TINYVMX_NR_GPR];
	uint64_t rflags;
	uint64_t mode;
	uint32_t limits[6];
	uint32_t rights[6];
	uint8_t tables[0x6000];
};

/* What came of an instruction: all that the guest could tell. */
struct outcome {
	enum hv_mmio_result result;
	struct hv_fault fault;
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	uint64_t chip;
	uint8_t ram[RAM];
};

static void emulate(struct hv_mmio *mmio, const struct input *input, struct outcome *outcome)
{
	static const unsigned int code_bits[] = { 16, 32, 64, 64 };
	static const uint64_t bases[] = { 0x100000, 0, 0, 0x100000, 8, 16 };

	memset(outcome, 0, sizeof(*outcome));
	memset(ram, 0, sizeof(ram));
	memcpy(ram + CODE, input->code, sizeof(input->code));
	memcpy(ram + 0x1000, input->tables, sizeof(input->tables));
	chip = 0x5a5a5a5a5a5a5a5a;
	outcome->regs.rip = CODE;
	outcome->regs.rflags = input->rflags;
	memcpy(outcome->regs.gpr, input->gpr, sizeof(input->gpr));
	mmio->guest.memory = &memory;
	mmio->guest.bus = &bus;
	mmio->guest.paging = paging_of(input->mode);
	mmio->guest.known = input->mode >> 8 & (HV_KNOWN_READ | HV_KNOWN_WRITE);
	mmio->guest.known_gla = mmio->guest.known_gpa = 0x100000;
	mmio->guest.fault = (struct hv_fault){ 0 };
	mmio->regs = &outcome->regs;
	mmio->code_bits = code_bits[input->mode & 3];
	memset(&sregs, 0, sizeof(sregs));
	memset(&xsave, 0, sizeof(xsave));
	xsave.xcr0 = 3;
	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		sregs.seg[i] = (struct tinyvmx_segment){ .base = bases[i],
							 .limit = input->limits[i],
							 .ar = input->rights[i] };
	sregs.gdt_base = 0x1000;
	sregs.gdt_limit = 0xffff;
	mmio->sregs_read = false;
	mmio->get_state = fuzz_get_state;
	mmio->set_state = fuzz_set_state;
	mmio->ctx = blobs;
	mmio->xsave_bytes = sizeof(xsave.image);
	mmio->xcr0_mask = 3;
	mmio->why = NULL;
	outcome->result = hv_mmio_emulate(mmio);
	if (outcome->result == HV_MMIO_UNSUPPORTED && !mmio->why)
		abort();
	outcome->fault = mmio->guest.fault;
	outcome->sregs = sregs;
	outcome->chip = chip;
	memcpy(outcome->ram, ram, sizeof(ram));
}

/*
 * Once with a memory of nothing, once with one of all that was before: that must make no
 * difference.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hv_mmio warm;
	static struct outcome first, second;
	static struct input input;
	struct hv_mmio cold = { 0 };
	char text[128];

	if (size < offsetof(struct input, tables))
		return 0;
	init();
	memset(&input, 0, sizeof(input));
	memcpy(&input, data, size < sizeof(input) ? size : sizeof(input));
	emulate(&cold, &input, &first);
	hv_mmio_free(&cold);
	emulate(&warm, &input, &second);
	if (memcmp(&first, &second, sizeof(first)))
		abort();
	hv_disasm(input.code, sizeof(input.code), warm.code_bits, CODE, text, sizeof(text));
	return 0;
}
