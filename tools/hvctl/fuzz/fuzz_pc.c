// SPDX-License-Identifier: GPL-2.0-only
/* A hostile guest against all chips at once: accesses, time, interrupts, and snapshots gone bad. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pc.h"
#include "dev/uart16550.h"
#include "lib/util.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
	struct hv_bus bus;
	struct hv_clock clock;
	uint64_t now_ns;
	struct hv_pc pc;
	struct hv_uart16550 com1;
	struct hv_pci_device device;
	unsigned int messages;		/* within one step */
};

static uint64_t now(struct hv_clock *clock)
{
	return ((struct bench *)((char *)clock - offsetof(struct bench, clock)))->now_ns;
}

static uint64_t wall(void *ctx)
{
	return 1700000000000000000ull + ((struct bench *)ctx)->now_ns;
}

static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	struct bench *b = ctx;

	(void)message;
	/* A message is the answer to a line or an EOI: it never goes round in circles. */
	if (++b->messages > 100000)
		abort();
}

static void input_room(void *ctx)
{
	struct bench *b = ctx;

	hv_uart16550_input(&b->com1, (const uint8_t *)"hello", 5);
}

static void bar_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)width;
	if (write)
		hv_pci_set_intx(dev, *value & 1);
	else
		*value = offset;
}

static void power_on(struct bench *b)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042, .intx = 1 };
	const struct hv_pc_config pc = {
		.bus = &b->bus,
		.clock = &b->clock,
		.ram_below_4g = 64 << 20,
		.cpus = 1,
		.wall_ns = wall,
		.deliver = deliver,
		.ctx = b,
	};
	const struct hv_uart16550_config com1 = {
		.bus = &b->bus,
		.clock = &b->clock,
		.base = 0x3f8,
		.irq = hv_pc_irq(&b->pc, 4),
		.room = input_room,
		.ctx = b,
	};

	memset(b, 0, sizeof(*b));
	b->clock.now_ns = now;
	b->now_ns = 1000;
	hv_pci_device_init(&b->device, &ids);
	if (hv_pc_init(&b->pc, &pc) || hv_uart16550_init(&b->com1, &com1) ||
	    hv_pci_device_set_bar(&b->device, 0, HV_PORT, 64, bar_access, &b->device) ||
	    hv_pci_add(&b->pc.pci, &b->device, 0x10))
		abort();
}

static void access_port(struct bench *b, struct fuzz_input *in, bool write)
{
	static const uint16_t ports[] = {
		0x20,  0x21,  0xa0,  0xa1,  0x4d0, 0x4d1, 0x40,  0x41,  0x42,  0x43,   0x60,  0x61,
		0x64,  0x70,  0x71,  0x92,  0xcf8, 0xcf9, 0xcfc, 0xcfe, 0x600, 0x602,  0x604, 0x608,
		0x60c, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0xc000, 0x3b4, 0x3ba,
		0x3c0, 0x3c2, 0x3c4, 0x3c7, 0x3c8, 0x3c9, 0x3ce, 0x3d4, 0x3d5, 0x3da,
	};
	unsigned int which = fuzz_byte(in), width = 1u << fuzz_take(in, 1) % 3;
	uint64_t value = write ? fuzz_take(in, width) : 0;

	hv_bus_access(&b->bus, HV_PORT, ports[which % ARRAY_SIZE(ports)], width, write, &value);
}

static void access_mmio(struct bench *b, struct fuzz_input *in, bool write)
{
	unsigned int which = fuzz_half(in), width = 1u << fuzz_take(in, 1) % 4;
	uint64_t base = which & 0x8000 ? HV_HPET_BASE : HV_IOAPIC_BASE;
	uint64_t value = write ? fuzz_take(in, width) : 0;

	hv_bus_access(&b->bus, HV_MMIO, base + (which & 0x3ff), width, write, &value);
}

/* Let time pass: up to 16 ms in steps of the event loop, or a jump over up to 18 minutes. */
static void pass_time(struct bench *b, struct fuzz_input *in, bool jump)
{
	uint64_t end = b->now_ns + (jump ? fuzz_take(in, 5) : fuzz_take(in, 3));

	for (unsigned int steps = 0; !jump && hv_clock_next(&b->clock) <= end; steps++) {
		if (hv_clock_next(&b->clock) > b->now_ns)
			b->now_ns = hv_clock_next(&b->clock);
		hv_clock_run(&b->clock);
		if (steps > 200000) /* a timer that fires without end */
			abort();
	}
	b->now_ns = end;
	hv_clock_run(&b->clock);
}

/* The records of the machine, one behind the other: the board's, COM1's, a PCI device's. */
struct snapshot {
	size_t used;
	uint64_t bytes[512];
	void *record[HV_PC_STATES];
	struct hv_uart16550_state *com1;
	struct hv_pci_device_state *device;
};

static void *place(struct snapshot *s, const struct hv_state_kind *kind, const void *chip)
{
	void *record = (uint8_t *)s->bytes + s->used;

	s->used += kind->size;
	if (s->used > sizeof(s->bytes))
		abort();
	kind->save(chip, record);
	return record;
}

static void save_machine(const struct bench *b, struct snapshot *s)
{
	s->used = 0;
	for (unsigned int i = 0; i < HV_PC_STATES; i++)
		s->record[i] = place(s, hv_pc_states[i].kind,
				     (const uint8_t *)&b->pc + hv_pc_states[i].offset);
	s->com1 = place(s, &hv_uart16550_kind, &b->com1);
	s->device = place(s, &hv_pci_device_kind, &b->device);
}

/* All or nothing. */
static int load_machine(struct bench *b, const struct snapshot *s)
{
	const void *const *record = (const void *const *)s->record;

	if (hv_pc_check(&b->pc, record) || hv_uart16550_check(&b->com1, s->com1) ||
	    hv_pci_device_check(&b->device, s->device))
		return -1;
	hv_pc_quiet(&b->pc);
	if (hv_uart16550_load(&b->com1, s->com1) || hv_pci_device_load(&b->device, s->device) ||
	    hv_pc_load(&b->pc, record))
		abort();
	return 0;
}

/* Save, damage one byte, load: refused or not, the machine must go on. */
static void damage_state(struct bench *b, struct fuzz_input *in)
{
	static struct snapshot s, again;
	size_t at = fuzz_take(in, 2);

	save_machine(b, &s);
	((uint8_t *)s.bytes)[at % s.used] ^= fuzz_byte(in);
	if (!load_machine(b, &s))
		return;
	/* Whatever was wrong, nothing has changed. */
	((uint8_t *)s.bytes)[at % s.used] = 0;
	save_machine(b, &again);
	((uint8_t *)again.bytes)[at % s.used] = 0;
	if (memcmp(s.bytes, again.bytes, s.used))
		abort();
}

/* What a machine says it is in must be a state that it can be in, and the same there. */
static void replace_state(struct bench *b)
{
	static struct snapshot s, again;
	unsigned int messages = b->messages;

	save_machine(b, &s);
	if (load_machine(b, &s) || b->messages != messages)
		abort();
	save_machine(b, &again);
	if (memcmp(s.bytes, again.bytes, s.used))
		abort();
}

static void step(struct bench *b, struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in);

	b->messages = 0;
	if (what < 0x60)
		access_port(b, in, what & 1);
	else if (what < 0xa0)
		access_mmio(b, in, what & 1);
	else if (what < 0xc0)
		pass_time(b, in, what & 1);
	else if (what < 0xd0)
		hv_ioapic_eoi(&b->pc.ioapic, fuzz_byte(in));
	else if (what < 0xe0)
		hv_i8259_ack(&b->pc.pic);
	else if (what < 0xe8)
		hv_uart16550_input(&b->com1, in->data, in->left);
	else if (what < 0xec)
		hv_i8042_key(&b->pc.kbc, fuzz_byte(in), what & 1);
	else if (what < 0xf0)
		hv_acpi_pm_power_button(&b->pc.pm);
	else if (what < 0xf8)
		damage_state(b, in);
	else if (what < 0xff)
		replace_state(b);
	else
		hv_pc_reset(&b->pc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct fuzz_input in = { data, size };

	power_on(&bench);
	while (in.left)
		step(&bench, &in);
	hv_uart16550_exit(&bench.com1);
	hv_pc_exit(&bench.pc);
	if (hv_clock_next(&bench.clock) != UINT64_MAX || bench.bus.count[HV_PORT] ||
	    bench.bus.count[HV_MMIO])
		abort();
	return 0;
}
