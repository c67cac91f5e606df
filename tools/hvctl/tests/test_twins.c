// SPDX-License-Identifier: GPL-2.0-only
/* Each chip saved, thrown away and loaded in the middle of its work: nobody may notice. */
#include "dev_test.h"

#include "dev/pc.h"
#include "dev/uart16550.h"
#include "lib/util.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

static uint64_t wall(void *ctx)
{
	return 1709251198ull * SECOND + ((struct bench *)ctx)->now_ns;
}

static void hear_call(void *ctx)
{
	bench_hear(ctx, 0xca11);
}

static void hear_message(void *ctx, const struct hv_ioapic_message *message)
{
	bench_hear(ctx, hv_ioapic_msi_address(message));
	bench_hear(ctx, hv_ioapic_msi_data(message));
}

static void hear_output(void *ctx, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bench_hear(ctx, data[i]);
}

/* ------------------------------------------------------------------- i8259 */

static void i8259_init(struct bench *b)
{
	const struct hv_i8259_config config = { .bus = &b->bus, .intr = bench_irq(b, 0) };

	assert_int_equal(hv_i8259_init(b->chip, &config), 0);
}

static void i8259_exit(struct bench *b)
{
	hv_i8259_exit(b->chip);
}

static void i8259_program(struct bench *b)
{
	static const uint16_t ports[] = { 0x20, 0xa0 };
	uint16_t port = ports[bench_random(b, 2)];

	outb(b, port, 0x11);
	outb(b, port + 1, 0x20);
	outb(b, port + 1, 0x04);
	outb(b, port + 1, 0x01 | bench_random(b, 2) << 4 | (!bench_random(b, 8)) << 1);
}

static void i8259_step(struct bench *b)
{
	static const uint16_t ports[] = { 0x20, 0xa0, 0x4d0 };

	switch (bench_random(b, 8)) {
	case 0:
		i8259_program(b);
		break;
	case 1:
	case 2:
		bench_poke(b, HV_PORT, ports[bench_random(b, 3)], 2, 1);
		break;
	case 3:
		if (hv_i8259_pending(b->chip))
			bench_hear(b, hv_i8259_ack(b->chip));
		break;
	default:
		hv_i8259_set_irq(b->chip, bench_random(b, 16), bench_random(b, 2));
	}
}

/* ------------------------------------------------------------------ ioapic */

static void ioapic_init(struct bench *b)
{
	const struct hv_ioapic_config config = {
		.bus = &b->bus,
		.base = HV_IOAPIC_BASE,
		.id = 3,
		.deliver = hear_message,
		.ctx = b,
	};

	assert_int_equal(hv_ioapic_init(b->chip, &config), 0);
}

static void ioapic_exit(struct bench *b)
{
	hv_ioapic_exit(b->chip);
}

static void ioapic_program(struct bench *b)
{
	unsigned int pin = bench_random(b, 4);

	bench_write(b, HV_MMIO, HV_IOAPIC_BASE, 4, 0x10 + 2 * pin);
	bench_write(b, HV_MMIO, HV_IOAPIC_BASE + 0x10, 4,
		    (0x30 + pin) | bench_random(b, 2) << 15 | bench_random(b, 2) << 16);
}

static void ioapic_step(struct bench *b)
{
	static const uint16_t registers[] = { 0x00, 0x10, 0x40 };

	switch (bench_random(b, 6)) {
	case 0:
		ioapic_program(b);
		break;
	case 1:
		bench_poke(b, HV_MMIO, HV_IOAPIC_BASE + registers[bench_random(b, 3)], 1, 4);
		break;
	case 2:
		hv_ioapic_eoi(b->chip, 0x30 + bench_random(b, 4));
		break;
	default:
		hv_ioapic_set_irq(b->chip, bench_random(b, 4), bench_random(b, 2));
	}
}

/* ------------------------------------------------------------------ timers */

static void i8254_init(struct bench *b)
{
	const struct hv_i8254_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.irq = bench_irq(b, 0),
	};

	assert_int_equal(hv_i8254_init(b->chip, &config), 0);
}

static void i8254_exit(struct bench *b)
{
	hv_i8254_exit(b->chip);
}

static void i8254_step(struct bench *b)
{
	if (!bench_random(b, 3)) {
		unsigned int channel = bench_random(b, 3);

		outb(b, 0x43, channel << 6 | 0x30 | bench_random(b, 6) << 1);
		outb(b, 0x40 + channel, bench_random(b, 256));
		outb(b, 0x40 + channel, bench_random(b, 4));
	} else if (!bench_random(b, 20)) {
		hv_i8254_connect_irq(b->chip, bench_random(b, 2));
	} else if (bench_random(b, 3)) {
		bench_poke(b, HV_PORT, 0x40, 4, 1);
	} else {
		bench_poke(b, HV_PORT, 0x61, 1, 1);
	}
}

static void cmos_init(struct bench *b)
{
	const struct hv_cmos_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.irq = bench_irq(b, 8),
		.wall_ns = wall,
		.ctx = b,
	};

	assert_int_equal(hv_cmos_init(b->chip, &config), 0);
}

static void cmos_exit(struct bench *b)
{
	hv_cmos_exit(b->chip);
}

static void cmos_step(struct bench *b)
{
	static const uint8_t b_values[] = { 0x02, 0x12, 0x22, 0x42, 0x72, 0x76, 0x80, 0x70 };

	if (!bench_random(b, 20))
		hv_cmos_connect_irq(b->chip, bench_random(b, 2));
	outb(b, 0x70, bench_random(b, 16));
	switch (bench_random(b, 4)) {
	case 0:
		outb(b, 0x70, 0x0b);
		outb(b, 0x71, b_values[bench_random(b, sizeof(b_values))]);
		break;
	case 1:
		outb(b, 0x71, bench_random(b, 2) ? bench_random(b, 0x60) : bench_random(b, 256));
		break;
	case 2:
		outb(b, 0x70, 0x0c);
		inb(b, 0x71);
		break;
	default:
		inb(b, 0x71);
	}
}

static void hpet_hear_legacy(void *ctx, bool on)
{
	struct bench *b = ctx;

	/* One that is loaded tells its neighbours, who know already. */
	b->level[31] = on;
}

static void hpet_init(struct bench *b)
{
	const struct hv_hpet_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.base = HV_HPET_BASE,
		.irq0 = bench_irq(b, 0),
		.irq8 = bench_irq(b, 8),
		.pins = bench_irq(b, 0),
		.legacy = hpet_hear_legacy,
		.ctx = b,
	};

	assert_int_equal(hv_hpet_init(b->chip, &config), 0);
}

static void hpet_exit(struct bench *b)
{
	hv_hpet_exit(b->chip);
}

static void hpet_step(struct bench *b)
{
	static const uint16_t registers[] = { 0x10, 0x20, 0xf0, 0x100, 0x108, 0x128, 0x148 };
	uint64_t timer = HV_HPET_BASE + 0x100 + 0x20 * bench_random(b, 3);
	uint64_t counter;

	switch (bench_random(b, 6)) {
	case 0:
		bench_write(b, HV_MMIO, HV_HPET_BASE + 0x10, 8,
			    bench_random(b, 8) ? 1 : bench_random(b, 4));
		break;
	case 1:
		bench_write(b, HV_MMIO, timer, 8,
			    (20 + bench_random(b, 4)) << 9 | bench_random(b, 2) << 8 |
				    bench_random(b, 16) << 1 | bench_random(b, 2) << 6);
		break;
	case 2:
		counter = bench_read(b, HV_MMIO, HV_HPET_BASE + 0xf0, 8);
		bench_write(b, HV_MMIO, timer + 8, 8, counter + bench_random(b, 3000));
		break;
	case 3:
		bench_write(b, HV_MMIO, timer + 8, 8, 1 + bench_random(b, 3000));
		break;
	case 4:
		bench_poke(b, HV_MMIO, HV_HPET_BASE + registers[bench_random(b, 7)], 8, 8);
		break;
	default:
		bench_read(b, HV_MMIO, HV_HPET_BASE + registers[bench_random(b, 7)], 8);
	}
}

/* ------------------------------------------------------------------- power */

static void acpi_pm_init(struct bench *b)
{
	const struct hv_acpi_pm_config config = {
		.clock = &b->clock,
		.sci = bench_irq(b, 9),
		.power_off = hear_call,
		.ctx = b,
	};

	hv_acpi_pm_init(b->chip, &config);
}

static void acpi_pm_exit(struct bench *b)
{
	hv_acpi_pm_exit(b->chip);
}

static void acpi_pm_poke(struct bench *b, bool write, uint64_t value)
{
	unsigned int width = 1u << bench_random(b, 3);
	uint64_t offset = bench_random(b, HV_ACPI_PM_LEN / width) * width;

	hv_acpi_pm_access(b->chip, offset, width, write, &value);
	bench_hear(b, value);
}

static void acpi_pm_step(struct bench *b)
{
	if (!bench_random(b, 8))
		hv_acpi_pm_power_button(b->chip);
	else if (!bench_random(b, 4))
		hv_acpi_pm_access(b->chip, 2, 2, true, &(uint64_t){ 0x101 });
	else
		acpi_pm_poke(b, bench_random(b, 2), bench_random(b, 1ull << 32));
}

/* The controller and what is plugged in. */
struct desk {
	struct hv_ps2kbd keyboard;
	struct hv_i8042 kbc;
};

struct desk_records {
	struct hv_ps2kbd_state keyboard;
	struct hv_i8042_state kbc;
};

static void desk_save(const void *chip, void *records)
{
	const struct desk *desk = chip;
	struct desk_records *r = records;

	hv_ps2kbd_save(&desk->keyboard, &r->keyboard);
	hv_i8042_save(&desk->kbc, &r->kbc);
}

static int desk_check(const void *chip, const void *records)
{
	const struct desk *desk = chip;
	const struct desk_records *r = records;

	return hv_ps2kbd_check(&desk->keyboard, &r->keyboard) ||
	       hv_i8042_check(&desk->kbc, &r->kbc);
}

static int desk_load(void *chip, const void *records)
{
	const struct desk_records *r = records;
	struct desk *desk = chip;

	return hv_ps2kbd_load(&desk->keyboard, &r->keyboard) || hv_i8042_load(&desk->kbc, &r->kbc);
}

static const struct hv_state_kind desk_kind = {
	.size = sizeof(struct desk_records),
	.save = desk_save,
	.check = desk_check,
	.load = desk_load,
};

static void i8042_init(struct bench *b)
{
	struct desk *desk = b->chip;
	const struct hv_i8042_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.keyboard = &desk->keyboard,
		.room = hear_call,
		.irq = bench_irq(b, 1),
		.aux_irq = bench_irq(b, 12),
		.reset = hear_call,
		.ctx = b,
	};

	assert_int_equal(hv_i8042_init(&desk->kbc, &config), 0);
}

static void i8042_exit(struct bench *b)
{
	hv_i8042_exit(&((struct desk *)b->chip)->kbc);
}

static void i8042_step_of(struct bench *b, struct hv_i8042 *kbc)
{
	static const uint8_t commands[] = { 0x20, 0x60, 0xaa, 0xa9, 0xd1,
					    0xd2, 0xd3, 0xd4, 0xc0, 0xad };
	static const uint8_t bytes[] = { 0xed, 0xee, 0xf0, 0xf2, 0xf4, 0xf5,
					 0xfe, 0xff, 0x00, 0x01, 0x02, 0x65 };

	switch (bench_random(b, 4)) {
	case 0:
		outb(b, 0x64, commands[bench_random(b, sizeof(commands))]);
		break;
	case 1:
		outb(b, 0x60, bytes[bench_random(b, sizeof(bytes))]);
		break;
	case 2:
		bench_hear(b, hv_i8042_key(kbc, bench_random(b, 256), bench_random(b, 2)));
		break;
	default:
		bench_poke(b, HV_PORT, bench_random(b, 2) ? 0x60 : 0x64, 1, 1);
	}
}

static void i8042_step(struct bench *b)
{
	i8042_step_of(b, &((struct desk *)b->chip)->kbc);
}

static void port92_init(struct bench *b)
{
	const struct hv_port92_config config = { .bus = &b->bus, .reset = hear_call, .ctx = b };

	assert_int_equal(hv_port92_init(b->chip, &config), 0);
}

static void port92_exit(struct bench *b)
{
	hv_port92_exit(b->chip);
}

static void port92_step(struct bench *b)
{
	bench_poke(b, HV_PORT, 0x92, 1, 1);
}

static void vga_init(struct bench *b)
{
	const struct hv_vga_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.graphics = hear_call,
		.ctx = b,
	};

	assert_int_equal(hv_vga_init(b->chip, &config), 0);
}

static void vga_exit(struct bench *b)
{
	hv_vga_exit(b->chip);
}

static void vga_step(struct bench *b)
{
	static const uint16_t ports[] = { 0x3c0, 0x3c4, 0x3ce, 0x3d4, 0x3c7, 0x3c8 };

	switch (bench_random(b, 4)) {
	case 0:
		outb(b, ports[bench_random(b, ARRAY_SIZE(ports))], bench_random(b, 32));
		break;
	case 1:
		inb(b, 0x3da);
		break;
	default:
		bench_poke(b, HV_PORT, bench_random(b, 8) ? 0x3c0 : 0x3b0, 32, 2);
	}
}

/* --------------------------------------------------------------------- PCI */

/* A bus with two devices, whose BARs get into each other's way; and CF9h. */
struct pci_board {
	struct hv_cf9 cf9;
	struct hv_pci pci;
	struct hv_pci_device a, b;
};

static const struct hv_state_row pci_rows[] = {
	{ &hv_cf9_kind, 0, offsetof(struct pci_board, cf9) },
	{ &hv_pci_kind, 0, offsetof(struct pci_board, pci) },
	{ &hv_pci_device_kind, 16, offsetof(struct pci_board, b) },
	{ &hv_pci_device_kind, 8, offsetof(struct pci_board, a) },
};

#define PCI_ROWS (ARRAY_SIZE(pci_rows))

static void pci_save(const void *board, void *record)
{
	for (size_t i = 0; i < PCI_ROWS; i++) {
		pci_rows[i].kind->save((const char *)board + pci_rows[i].offset, record);
		record = (char *)record + pci_rows[i].kind->size;
	}
}

static int pci_check(const void *board, const void *record)
{
	int err = 0;

	for (size_t i = 0; i < PCI_ROWS && !err; i++) {
		err = pci_rows[i].kind->check((const char *)board + pci_rows[i].offset, record);
		record = (const char *)record + pci_rows[i].kind->size;
	}
	return err;
}

static int pci_load(void *board, const void *record)
{
	int err = 0;

	for (size_t i = 0; i < PCI_ROWS && !err; i++) {
		err = pci_rows[i].kind->load((char *)board + pci_rows[i].offset, record);
		record = (const char *)record + pci_rows[i].kind->size;
	}
	return err;
}

static const struct hv_state_kind pci_board_kind = {
	.size = sizeof(struct hv_cf9_state) + sizeof(struct hv_pci_state) +
		2 * sizeof(struct hv_pci_device_state),
	.save = pci_save,
	.check = pci_check,
	.load = pci_load,
};

static void bar_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)width;
	if (!write)
		*value = ((struct hv_pci_device *)dev)->devfn + offset;
}

static void pci_add(struct pci_board *board, struct hv_pci_device *device, unsigned int devfn)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042, .intx = 1 };

	hv_pci_device_init(device, &ids);
	assert_int_equal(hv_pci_device_set_bar(device, 0, HV_PORT, 64, bar_access, device), 0);
	assert_int_equal(hv_pci_device_set_bar(device, 1, HV_PORT, 32, bar_access, device), 0);
	assert_int_equal(hv_pci_add(&board->pci, device, devfn), 0);
}

static void pci_init(struct bench *b)
{
	struct pci_board *board = b->chip;
	const struct hv_cf9_config cf9 = { .reset = hear_call, .ctx = b };
	const struct hv_pci_config config = {
		.bus = &b->bus,
		.cf9 = &board->cf9,
		.intx = bench_irq(b, 16),
		.legacy_irq = { 5, 5, 5, 5 },
	};

	hv_cf9_init(&board->cf9, &cf9);
	assert_int_equal(hv_pci_init(&board->pci, &config), 0);
	pci_add(board, &board->a, 8);
	pci_add(board, &board->b, 16);
}

/* Devices drop their lines when they go; here they only seem to. */
static void pci_exit(struct bench *b)
{
	struct bench wire = *b;

	hv_pci_exit(&((struct pci_board *)b->chip)->pci);
	memcpy(b->level, wire.level, sizeof(b->level));
}

static void pci_step(struct bench *b)
{
	struct pci_board *board = b->chip;
	struct hv_pci_device *device = bench_random(b, 2) ? &board->a : &board->b;

	switch (bench_random(b, 6)) {
	case 0:
		hv_pci_set_intx(device, bench_random(b, 2));
		break;
	case 1:
		bench_poke(b, HV_PORT, 0xcf8, 8, 4);
		break;
	case 2:
		outl(b, 0xcf8, 0x80000004 | (uint32_t)device->devfn << 8);
		outw(b, 0xcfc, bench_random(b, 2) | bench_random(b, 2) << 10);
		break;
	case 3:
	case 4:
		outl(b, 0xcf8,
		     (0x80000010 + 4 * (uint32_t)bench_random(b, 2)) | (uint32_t)device->devfn
									       << 8);
		outl(b, 0xcfc, 0xc000 + 32 * (uint32_t)bench_random(b, 5));
		break;
	}
	for (uint16_t port = 0xc000; port < 0xc100; port += 32)
		inb(b, port);
}

/* -------------------------------------------------------------------- UART */

static void uart_init(struct bench *b)
{
	const struct hv_uart16550_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.irq = bench_irq(b, 4),
		.base = 0x3f8,
		.output = hear_output,
		.ctx = b,
	};

	assert_int_equal(hv_uart16550_init(b->chip, &config), 0);
}

static void uart_exit(struct bench *b)
{
	hv_uart16550_exit(b->chip);
}

static void uart_give(struct bench *b, struct hv_uart16550 *uart)
{
	static const uint8_t data[] = "0123456789abcdefghij";

	bench_hear(b, hv_uart16550_room(uart));
	bench_hear(b, hv_uart16550_input(uart, data, bench_random(b, sizeof(data))));
	if (!bench_random(b, 8))
		bench_hear(b, hv_uart16550_break(uart));
	if (!bench_random(b, 8))
		hv_uart16550_set_lines(uart, (uint8_t)(bench_random(b, 16) << 4));
}

static void uart_step(struct bench *b)
{
	static const uint8_t mcr[] = { 0x00, 0x08, 0x0b, 0x03, 0x13 };

	switch (bench_random(b, 10)) {
	case 0:
		outb(b, 0x3f9, bench_random(b, 16));
		break;
	case 1:
		outb(b, 0x3fc, mcr[bench_random(b, bench_random(b, 2) ? 2 : sizeof(mcr))]);
		break;
	case 2:
		outb(b, 0x3fa, bench_random(b, 256));
		break;
	case 3:
		outb(b, 0x3fb, bench_random(b, 8) ? 0x03 : 0x80);
		break;
	case 4:
	case 5:
		uart_give(b, b->chip);
		break;
	case 6:
		for (uint64_t i = bench_random(b, 20); i; i--)
			outb(b, 0x3f8, 'a' + bench_random(b, 26));
		break;
	case 7:
		outb(b, 0x3f8, '\n');
		break;
	default:
		bench_poke(b, HV_PORT, 0x3f8, 8, 1);
	}
}

/* --------------------------------------------------------------- the board */

/* COM1 hangs on the board's lines, and is loaded together with it. */
struct board {
	struct hv_pc pc;
	struct hv_uart16550 com1;
};

#define BOARD_RECORDS 4096

struct board_records {
	struct hv_uart16550_state com1;
	uint8_t pc[BOARD_RECORDS];
};

static void board_place(const struct board_records *r, const void *record[HV_PC_STATES])
{
	size_t used = 0;

	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		record[i] = r->pc + used;
		used += hv_pc_states[i].kind->size;
		assert_true(used <= sizeof(r->pc));
	}
}

static void board_save(const void *chip, void *records)
{
	const struct board *board = chip;
	struct board_records *r = records;
	const void *record[HV_PC_STATES];

	memset(r, 0, sizeof(*r));
	board_place(r, record);
	hv_uart16550_save(&board->com1, &r->com1);
	for (unsigned int i = 0; i < HV_PC_STATES; i++)
		hv_pc_states[i].kind->save((const char *)&board->pc + hv_pc_states[i].offset,
					   (void *)record[i]);
}

static int board_check(const void *chip, const void *records)
{
	const struct board_records *r = records;
	const struct board *board = chip;
	const void *record[HV_PC_STATES];

	board_place(r, record);
	return hv_uart16550_check(&board->com1, &r->com1) ? -EINVAL :
							    hv_pc_check(&board->pc, record);
}

static int board_load(void *chip, const void *records)
{
	const struct board_records *r = records;
	const void *record[HV_PC_STATES];
	struct board *board = chip;

	if (board_check(chip, records))
		return -EINVAL;
	board_place(r, record);
	hv_pc_quiet(&board->pc);
	assert_int_equal(hv_uart16550_load(&board->com1, &r->com1), 0);
	return hv_pc_load(&board->pc, record);
}

static const struct hv_state_kind board_kind = {
	.size = sizeof(struct board_records),
	.save = board_save,
	.check = board_check,
	.load = board_load,
};

static void board_init(struct bench *b)
{
	struct board *board = b->chip;
	const struct hv_pc_config config = {
		.bus = &b->bus,
		.clock = &b->clock,
		.ram_below_4g = 64 << 20,
		.cpus = 1,
		.intr = bench_irq(b, 31),
		.wall_ns = wall,
		.deliver = hear_message,
		.reset = hear_call,
		.power_off = hear_call,
		.ctx = b,
	};
	const struct hv_uart16550_config com1 = {
		.bus = &b->bus,
		.clock = &b->clock,
		.irq = hv_pc_irq(&board->pc, 4),
		.base = 0x3f8,
		.output = hear_output,
		.ctx = b,
	};

	assert_int_equal(hv_pc_init(&board->pc, &config), 0);
	assert_int_equal(hv_uart16550_init(&board->com1, &com1), 0);
}

static void board_exit(struct bench *b)
{
	struct board *board = b->chip;
	struct bench wire = *b;

	hv_pc_quiet(&board->pc);
	hv_uart16550_exit(&board->com1);
	hv_pc_exit(&board->pc);
	memcpy(b->level, wire.level, sizeof(b->level));
}

/* The steps of a single chip, with the board's as its chip. */
static void board_step_of(struct bench *b, void *chip, void (*step)(struct bench *bench))
{
	void *board = b->chip;

	b->chip = chip;
	step(b);
	b->chip = board;
}

static void board_program_ioapic(struct bench *b)
{
	for (unsigned int pin = 0; pin < HV_IOAPIC_PINS; pin++) {
		bool level = pin == HV_PC_SCI || pin >= HV_PC_PCI_PIN;

		bench_write(b, HV_MMIO, HV_IOAPIC_BASE, 4, 0x10 + 2 * pin);
		bench_write(b, HV_MMIO, HV_IOAPIC_BASE + 0x10, 4,
			    (0x30 + pin) | (uint32_t)level << 15);
	}
}

static void board_step(struct bench *b)
{
	struct board *board = b->chip;

	switch (bench_random(b, 13)) {
	case 0:
		board_program_ioapic(b);
		break;
	case 1:
		i8259_program(b);
		break;
	case 2:
		if (hv_i8259_pending(&board->pc.pic))
			bench_hear(b, hv_i8259_ack(&board->pc.pic));
		break;
	case 3:
		hv_ioapic_eoi(&board->pc.ioapic, 0x30 + bench_random(b, HV_IOAPIC_PINS));
		break;
	case 4:
		bench_poke(b, HV_PORT, 0x21, 1, 1);
		break;
	case 5:
	case 6:
		board_step_of(b, &board->com1, uart_step);
		break;
	case 7:
		i8042_step_of(b, &board->pc.kbc);
		break;
	case 11:
		vga_step(b);
		break;
	case 8:
		board_step_of(b, &board->pc.pm, acpi_pm_step);
		break;
	case 9:
	case 10:
		hpet_step(b);
		break;
	default:
		outb(b, 0x43, 0x34);
		outb(b, 0x40, bench_random(b, 256));
		outb(b, 0x40, bench_random(b, 8));
	}
}

/* ------------------------------------------------------------------- tests */

#define TWIN(name, type, kind_of_it, ns)							\
	static void test_##name(void **state)							\
	{											\
		static const struct twin twin = {						\
			kind_of_it, sizeof(type), name##_init, name##_exit, name##_step, ns,	\
		};										\
												\
		(void)state;									\
		twins(&twin);									\
	}

TWIN(i8259, struct hv_i8259, &hv_i8259_kind, 1000)
TWIN(ioapic, struct hv_ioapic, &hv_ioapic_kind, 1000)
TWIN(i8254, struct hv_i8254, &hv_i8254_kind, 2 * MS)
TWIN(cmos, struct hv_cmos, &hv_cmos_kind, 2 * SECOND)
TWIN(hpet, struct hv_hpet, &hv_hpet_kind, MS / 10)
TWIN(acpi_pm, struct hv_acpi_pm, &hv_acpi_pm_kind, 400 * SECOND)
TWIN(i8042, struct desk, &desk_kind, 3 * MS)
TWIN(port92, struct hv_port92, &hv_port92_kind, 1000)
TWIN(vga, struct hv_vga, &hv_vga_kind, 20 * MS)
TWIN(pci, struct pci_board, &pci_board_kind, 1000)
TWIN(uart, struct hv_uart16550, &hv_uart16550_kind, 60 * MS)
TWIN(board, struct board, &board_kind, 3 * MS)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_i8259), cmocka_unit_test(test_ioapic),
		cmocka_unit_test(test_i8254), cmocka_unit_test(test_cmos),
		cmocka_unit_test(test_hpet),  cmocka_unit_test(test_acpi_pm),
		cmocka_unit_test(test_i8042), cmocka_unit_test(test_port92),
		cmocka_unit_test(test_pci),   cmocka_unit_test(test_uart),
		cmocka_unit_test(test_board), cmocka_unit_test(test_vga),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
