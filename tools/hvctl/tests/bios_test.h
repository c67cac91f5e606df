/* SPDX-License-Identifier: GPL-2.0-only */
/* A BIOS on a board, and calls of it as the ROM makes them. */
#ifndef HV_TESTS_BIOS_TEST_H
#define HV_TESTS_BIOS_TEST_H

#include <stdio.h>

#include "bios/bios.h"
#include "bios/rom.h"
#include "dev/pc.h"
#include "dev_test.h"
#include "firmware/bda.h"
#include "hv_test.h"
#include "lib/x86.h"

#define STACK 0x30000		/* of the caller: SS is 3000H, */
#define STACK_SP 0x0100
#define BUFFER 0x20000		/* ES and DS: 2000H */

struct bios_bench {
	struct bench bench;
	struct hv_pc pc;
	struct hv_memory memory;
	struct hv_guest guest;
	struct hv_bios bios;
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	char out[4096], said[4096];
	const uint8_t *image;
	bool disk_is_bad;
	const char *keys;		/* to be typed, as codes of set 1 */
	uint8_t shifts;
	unsigned int screens;		/* reset */
	unsigned int offs;		/* power */
};

static inline void bios_output(void *ctx, uint8_t character)
{
	struct bios_bench *b = ctx;
	size_t len = strlen(b->out);

	b->out[len] = character;
	b->out[len + 1] = '\0';
}

static inline void bios_say(void *ctx, const char *text)
{
	struct bios_bench *b = ctx;

	strcat(strcat(b->said, text), "\n");
}

static inline bool bios_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	const struct bios_bench *b = ctx;

	memcpy(data, b->image + offset, len);
	return !b->disk_is_bad;
}

static inline uint8_t bios_typed(void *ctx, uint8_t *shifts)
{
	struct bios_bench *b = ctx;

	*shifts = b->shifts;
	return b->keys && *b->keys ? *b->keys++ : 0;
}

static inline void bios_reset_screen(void *ctx)
{
	((struct bios_bench *)ctx)->screens++;
}

static inline uint64_t bios_wall(void *ctx)
{
	(void)ctx;
	return 1700000000000000000ull; /* 2023-11-14 22:13:20 */
}

static inline void bios_deliver(void *ctx, const struct hv_ioapic_message *message)
{
	(void)ctx;
	(void)message;
}

static inline void bios_power_off(void *ctx)
{
	((struct bios_bench *)ctx)->offs++;
}

static inline struct tinyvmx_segment bios_segment(uint16_t selector)
{
	return (struct tinyvmx_segment){ .selector = selector, .base = selector << 4 };
}

/* With @image as its disk. */
static inline void bios_begin(struct bios_bench *b, const void *image, uint64_t size)
{
	const struct hv_pc_config pc = {
		.bus = &b->bench.bus,
		.clock = &b->bench.clock,
		.cpus = 1,
		.intr = bench_irq(&b->bench, 31),
		.wall_ns = bios_wall,
		.deliver = bios_deliver,
		.power_off = bios_power_off,
		.ctx = b,
	};
	const struct hv_bios_config config = {
		.read = bios_read,
		.image_size = size,
		.memory = &b->memory,
		.bus = &b->bench.bus,
		.clock = &b->bench.clock,
		.output = bios_output,
		.typed = bios_typed,
		.reset_screen = bios_reset_screen,
		.say = bios_say,
		.ctx = b,
	};

	memset(b, 0, sizeof(*b));
	b->image = image;
	bench_init(&b->bench);
	assert_int_equal(hv_pc_init(&b->pc, &pc), 0);
	test_memory(&b->memory, 32 * HV_MIB);
	hv_bda_write(&b->memory, 1);
	b->guest = (struct hv_guest){ .memory = &b->memory, .bus = &b->bench.bus };
	hv_bios_init(&b->bios, &config);
	b->sregs.seg[TINYVMX_SS] = bios_segment(STACK >> 4);
	b->sregs.seg[TINYVMX_DS] = b->sregs.seg[TINYVMX_ES] = bios_segment(BUFFER >> 4);
	b->regs.gpr[TINYVMX_RSP] = STACK_SP;
	hv_bios_install(&b->bios, &b->regs);
	hv_pc_after_bios(&b->pc);
}

static inline void bios_end(struct bios_bench *b)
{
	hv_pc_exit(&b->pc);
	hv_memory_exit(&b->memory);
}

/* INT @number with AX: as it comes to the ROM's write. The caller is at 1234:5678. */
static inline void bios_int(struct bios_bench *b, uint8_t number, uint16_t ax)
{
	const uint16_t frame[4] = { number, 0x5678, 0x1234, 0x0202 };

	test_put(&b->memory, STACK + STACK_SP, frame, sizeof(frame));
	b->sregs.seg[TINYVMX_CS] = bios_segment(HV_BIOS_SEGMENT);
	b->regs.rip = hv_bios_at(hv_bios_rom_called);
	b->regs.rflags = X86_RFLAGS_FIXED;
	b->regs.gpr[TINYVMX_RSP] = STACK_SP;
	b->regs.gpr[TINYVMX_RAX] = ax;
	hv_bios_serve(&b->bios, &b->guest, &b->regs, &b->sregs);
}

static inline uint16_t bios_word(const struct bios_bench *b, unsigned int reg)
{
	return b->regs.gpr[reg];
}

static inline uint16_t bios_ax(const struct bios_bench *b)
{
	return bios_word(b, TINYVMX_RAX);
}

static inline uint8_t bios_ah(const struct bios_bench *b)
{
	return bios_ax(b) >> 8;
}

static inline void bios_set(struct bios_bench *b, unsigned int reg, uint16_t value)
{
	b->regs.gpr[reg] = value;
}

/* What the caller finds. */
static inline uint16_t bios_flags(const struct bios_bench *b)
{
	return test_get(&b->memory, STACK + STACK_SP + 6, 2);
}

static inline bool bios_failed(const struct bios_bench *b)
{
	return bios_flags(b) & X86_RFLAGS_CF;
}

/* Does the ROM have to ask again? */
static inline bool bios_again(const struct bios_bench *b)
{
	return b->regs.rflags & X86_RFLAGS_CF;
}

#endif
