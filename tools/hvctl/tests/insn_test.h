/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's vCPU, a page of code, and a chip at RBX: for the tests of what is done for it. */
#ifndef HV_INSN_TEST_H
#define HV_INSN_TEST_H

#include "emul/mmio.h"
#include "hv_test.h"
#include "lib/util.h"
#include "lib/x86.h"

#define CHIP  0x10000000u
#define CODE  0x1000
#define GDT   0x2000
#define STACK 0x8000

static struct hv_memory memory;
static struct hv_bus bus;
static struct hv_region region;
static uint8_t chip[0x1000];
static unsigned int reads, writes, last_width;
static struct tinyvmx_regs regs;
static struct tinyvmx_sregs sregs;
static struct tinyvmx_debug debug;
static struct tinyvmx_events events;
static struct test_xsave {
	union {
		uint64_t xcr0;
		uint8_t head[sizeof(struct tinyvmx_xsave)];
	};
	uint8_t image[4096];
} __attribute__((aligned(64))) xsave;
static struct hv_mmio mmio;
static uint32_t broken; /* a TINYVMX_STATE_* that cannot be had or set */

static void chip_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)dev;
	*(write ? &writes : &reads) += 1;
	last_width = width;
	if (!write)
		*value = 0;
	memcpy(write ? (void *)(chip + offset) : value, write ? (void *)value : chip + offset,
	       width);
}

static void *state_at(uint32_t type)
{
	return type == TINYVMX_STATE_SREGS  ? (void *)&sregs :
	       type == TINYVMX_STATE_DEBUG  ? (void *)&debug :
	       type == TINYVMX_STATE_EVENTS ? (void *)&events :
					      &xsave;
}

static int get_state(void *ctx, uint32_t type, void *blob, size_t len)
{
	(void)ctx;
	memcpy(blob, state_at(type), len);
	return type == broken ? -1 : 0;
}

static int set_state(void *ctx, uint32_t type, const void *blob, size_t len)
{
	(void)ctx;
	if (type == broken)
		return -1;
	memcpy(state_at(type), blob, len);
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	bus = (struct hv_bus){ 0 };
	region = (struct hv_region){ "chip", HV_MMIO, CHIP, sizeof(chip), chip_access, NULL };
	memset(chip, 0, sizeof(chip));
	memset(&sregs, 0, sizeof(sregs));
	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		sregs.seg[i] = (struct tinyvmx_segment){
			.limit = UINT32_MAX,
			.ar = (i == TINYVMX_CS ? 0x9b : 0x93) | TINYVMX_AR_DB,
		};
	memset(&debug, 0, sizeof(debug));
	memset(&events, 0, sizeof(events));
	memset(&xsave, 0, sizeof(xsave));
	xsave.xcr0 = 1; /* SSE does not ask for more */
	reads = writes = last_width = broken = 0;
	regs = (struct tinyvmx_regs){
		.rip = CODE, .rflags = 2, .gpr[TINYVMX_RBX] = CHIP, .gpr[TINYVMX_RSP] = STACK
	};
	memset(&mmio, 0, sizeof(mmio));
	mmio.guest.memory = &memory;
	mmio.guest.bus = &bus;
	mmio.guest.paging.cr0 = X86_CR0_PE;
	mmio.regs = &regs;
	mmio.get_state = get_state;
	mmio.set_state = set_state;
	mmio.xsave_bytes = sizeof(xsave.image);
	mmio.xcr0_mask = 3;
	return hv_bus_register(&bus, &region);
}

static inline int teardown(void **state)
{
	(void)state;
	hv_mmio_free(&mmio);
	hv_memory_exit(&memory);
	return 0;
}

static inline enum hv_mmio_result emulate(unsigned int bits, const char *code, size_t len)
{
	regs.rip = CODE;
	test_put(&memory, CODE, code, len);
	mmio.code_bits = bits;
	mmio.sregs_read = false;
	return hv_mmio_emulate(&mmio);
}

#define DO(bits, code) do {							\
	assert_int_equal(emulate(bits, code, sizeof(code) - 1), HV_MMIO_DONE);	\
	assert_int_equal(regs.rip, CODE + sizeof(code) - 1);			\
} while (0)

/* Nothing is done but to raise @vector. */
#define FAULTS(bits, code, vec, error) do {					\
	struct tinyvmx_regs before_ = regs;					\
										\
	before_.rip = CODE;							\
	assert_int_equal(emulate(bits, code, sizeof(code) - 1), HV_MMIO_FAULT);	\
	assert_int_equal(mmio.guest.fault.vector, vec);				\
	assert_int_equal(mmio.guest.fault.error_code, error);			\
	assert_memory_equal(&regs, &before_, sizeof(regs));			\
} while (0)

/* It is done, and goes on at @target. */
#define GOES_TO(bits, code, target) do {					\
	assert_int_equal(emulate(bits, code, sizeof(code) - 1), HV_MMIO_DONE);	\
	assert_int_equal(regs.rip, target);					\
} while (0)

#define RAX regs.gpr[TINYVMX_RAX]
#define RBX regs.gpr[TINYVMX_RBX]
#define RCX regs.gpr[TINYVMX_RCX]
#define RDX regs.gpr[TINYVMX_RDX]
#define RSP regs.gpr[TINYVMX_RSP]
#define RSI regs.gpr[TINYVMX_RSI]
#define RDI regs.gpr[TINYVMX_RDI]

static inline void chip_put(size_t offset, uint64_t value, size_t len)
{
	memcpy(chip + offset, &value, len);
}

static inline uint64_t chip_get(size_t offset, size_t len)
{
	uint64_t value = 0;

	memcpy(&value, chip + offset, len);
	return value;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
