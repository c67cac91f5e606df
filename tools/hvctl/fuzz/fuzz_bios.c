// SPDX-License-Identifier: GPL-2.0-only
/* A hostile guest against the BIOS: any service with any registers, stack and data area. */
#include <stdlib.h>
#include <string.h>

#include "bios/bios.h"
#include "bios/rom.h"
#include "dev/pc.h"
#include "firmware/bda.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM (2 * HV_MIB)

static const uint8_t served[] = {
	0x00, 0x09, 0x0d, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x18, 0x19, 0x1a, 0x76,
};

struct bench {
	struct hv_bus bus;
	struct hv_clock clock;
	uint64_t now_ns;
	struct hv_pc pc;
	struct hv_bios bios;
	struct hv_guest guest;
	const uint8_t *image;
};

static uint64_t now(struct hv_clock *clock)
{
	return ((struct bench *)((char *)clock - offsetof(struct bench, clock)))->now_ns += 1000;
}

static uint64_t wall(void *ctx)
{
	return 1700000000000000000ull + ((struct bench *)ctx)->now_ns;
}

static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	(void)ctx;
	(void)message;
}

static bool read_disk(void *ctx, uint64_t offset, void *data, size_t len)
{
	memcpy(data, ((struct bench *)ctx)->image + offset, len);
	return true;
}

static void output(void *ctx, uint8_t character)
{
	(void)ctx;
	(void)character;
}

static uint8_t typed(void *ctx, uint8_t *shifts)
{
	struct bench *b = ctx;

	*shifts = b->now_ns >> 8;
	return b->now_ns >> 16;
}

static void reset_screen(void *ctx)
{
	(void)ctx;
}

/* What is said is one line of words. */
static void say(void *ctx, const char *text)
{
	(void)ctx;
	if (!*text || strchr(text, '\n'))
		abort();
}

/* The front of the input is the guest's registers, what follows its data area and its disk. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hv_memory memory;
	struct bench b = { .clock.now_ns = now };
	const struct hv_pc_config pc = {
		.bus = &b.bus,
		.clock = &b.clock,
		.wall_ns = wall,
		.deliver = deliver,
		.ctx = &b,
	};
	struct hv_bios_config config = {
		.read = read_disk,
		.memory = &memory,
		.bus = &b.bus,
		.clock = &b.clock,
		.output = output,
		.typed = typed,
		.reset_screen = reset_screen,
		.say = say,
		.ctx = &b,
	};
	struct tinyvmx_sregs sregs = { 0 };
	struct tinyvmx_regs regs = { 0 };
	struct hv_error err;

	if (!memory.map && hv_memory_init(&memory, RAM, &err))
		abort();
	if (size < sizeof(regs.gpr) || hv_pc_init(&b.pc, &pc))
		return 0;
	memcpy(regs.gpr, data, sizeof(regs.gpr));
	regs.gpr[TINYVMX_R11] = served[regs.gpr[TINYVMX_R11] % sizeof(served)];
	b.image = data;
	config.image_size = size;
	b.guest = (struct hv_guest){ .memory = &memory, .bus = &b.bus };
	hv_memory_clear(&memory);
	hv_bda_write(&memory, 1);
	hv_bios_init(&b.bios, &config);
	hv_bios_install(&b.bios, &regs);
	(void)hv_memory_write(&memory, 0x400, data, size < 0x100 ? size : 0x100);
	/* The same again and again, for what it makes of its own answers. */
	for (unsigned int i = 0; i < 4; i++) {
		regs.rip = hv_bios_at(hv_bios_rom_called);
		sregs.seg[TINYVMX_CS].selector = HV_BIOS_SEGMENT;
		sregs.seg[TINYVMX_SS].base = regs.gpr[TINYVMX_R8];
		sregs.seg[TINYVMX_DS].base = regs.gpr[TINYVMX_R9];
		sregs.seg[TINYVMX_ES].base = regs.gpr[TINYVMX_R10];
		(void)hv_memory_write(
			&memory,
			(uint32_t)(sregs.seg[TINYVMX_SS].base + (uint16_t)regs.gpr[TINYVMX_RSP]),
			&regs.gpr[TINYVMX_R11], 8);
		hv_bios_serve(&b.bios, &b.guest, &regs, &sregs);
	}
	hv_pc_exit(&b.pc);
	return 0;
}
