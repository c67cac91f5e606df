// SPDX-License-Identifier: GPL-2.0-only
/* The board: which chip's output goes to which chip's input. */
#include <errno.h>
#include <string.h>

#include "pc.h"

#define ISA_LINES 16
#define ISA_TIMER 0
#define ISA_CASCADE 2
#define IOAPIC_TIMER_PIN 2

const struct hv_pc_com hv_pc_com[HV_PC_COM_PORTS] = {
	{ "COM1", 0x3f8, 4 }, { "COM2", 0x2f8, 3 }, { "COM3", 0x3e8, 4 }, { "COM4", 0x2e8, 3 },
};

const uint8_t hv_pc_pci_legacy_irq[HV_PCI_INTX] = { 10, 11, 5, 7 };

/*
 * What a PCI line is routed to may have a source on the ISA side, too: the SCI has. An input
 * of the 8259s is high while any of them is; those of the I/O APIC are not shared, and so know
 * about ISA's.
 */
static void pc_set_isa(void *controller, unsigned int line, bool level)
{
	struct hv_pc *pc = controller;

	if (line >= ISA_LINES || line == ISA_CASCADE)
		return;
	hv_i8259_set_irq(&pc->pic, line, level || pc->pirq >> line & 1);
	hv_ioapic_set_irq(&pc->ioapic, line == ISA_TIMER ? IOAPIC_TIMER_PIN : line, level);
}

/* Several PCI lines may be routed to one input, but none to the timer's and the cascade's. */
static void pc_update_pirq(void *ctx)
{
	struct hv_pc *pc = ctx;
	uint16_t high = 0, changed, any;

	for (unsigned int line = 0; line < HV_PCI_INTX; line++)
		if (pc->pci.intx_count[line])
			high |= 1u << hv_i440fx_route(&pc->chipset, line);
	high &= ~1u;
	changed = high ^ pc->pirq;
	pc->pirq = high;
	any = high | (uint16_t)pc->ioapic.s.lines;
	for (unsigned int input = 0; input < ISA_LINES; input++)
		if (changed >> input & 1)
			hv_i8259_set_irq(&pc->pic, input, any >> input & 1);
}

static void pc_set_pci(void *controller, unsigned int line, bool level)
{
	struct hv_pc *pc = controller;

	pc_update_pirq(pc);
	hv_ioapic_set_irq(&pc->ioapic, HV_PC_PCI_PIN + line, level);
}

struct hv_irq hv_pc_irq(struct hv_pc *pc, unsigned int line)
{
	return (struct hv_irq){ .set = pc_set_isa, .controller = pc, .line = line };
}

/* The HPET takes the timer's and the RTC's interrupts, or gives them back. */
static void pc_hpet_legacy(void *ctx, bool on)
{
	struct hv_pc *pc = ctx;

	hv_i8254_connect_irq(&pc->pit, !on);
	hv_cmos_connect_irq(&pc->cmos, !on);
}

static int pc_init_interrupts(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_i8259_config pic = { .bus = config->bus, .intr = config->intr };
	const struct hv_ioapic_config ioapic = {
		.bus = config->bus,
		.base = HV_IOAPIC_BASE,
		.id = config->ioapic_id,
		.deliver = config->deliver,
		.ctx = config->ctx,
	};
	int err = hv_i8259_init(&pc->pic, &pic);

	if (err)
		return err;
	err = hv_ioapic_init(&pc->ioapic, &ioapic);
	if (err)
		hv_i8259_exit(&pc->pic);
	return err;
}

static void pc_exit_interrupts(struct hv_pc *pc)
{
	hv_ioapic_exit(&pc->ioapic);
	hv_i8259_exit(&pc->pic);
}

/* The HPET last: it talks to the other two. */
static int pc_init_timers(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_i8254_config pit = {
		.bus = config->bus,
		.clock = config->clock,
		.irq = hv_pc_irq(pc, 0),
	};
	const struct hv_cmos_config cmos = {
		.bus = config->bus,
		.clock = config->clock,
		.irq = hv_pc_irq(pc, 8),
		.wall_ns = config->wall_ns,
		.ctx = config->ctx,
		.ram_below_4g = config->ram_below_4g,
		.ram_above_4g = config->ram_above_4g,
		.cpus = config->cpus,
	};
	const struct hv_hpet_config hpet = {
		.bus = config->bus,
		.clock = config->clock,
		.base = HV_HPET_BASE,
		.irq0 = hv_pc_irq(pc, 0),
		.irq8 = hv_pc_irq(pc, 8),
		.pins = { .set = hv_ioapic_set_irq, .controller = &pc->ioapic },
		.legacy = pc_hpet_legacy,
		.ctx = pc,
	};
	int err = hv_i8254_init(&pc->pit, &pit);

	if (err)
		return err;
	err = hv_cmos_init(&pc->cmos, &cmos);
	if (err)
		goto exit_pit;
	err = hv_hpet_init(&pc->hpet, &hpet);
	if (err)
		goto exit_cmos;
	return 0;

exit_cmos:
	hv_cmos_exit(&pc->cmos);
exit_pit:
	hv_i8254_exit(&pc->pit);
	return err;
}

static void pc_exit_timers(struct hv_pc *pc)
{
	hv_hpet_exit(&pc->hpet);
	hv_cmos_exit(&pc->cmos);
	hv_i8254_exit(&pc->pit);
}

/* Whatever resets the machine or turns it off. */
static int pc_init_power(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_acpi_pm_config pm = {
		.clock = config->clock,
		.sci = hv_pc_irq(pc, HV_PC_SCI),
		.power_off = config->power_off,
		.ctx = config->ctx,
	};
	const struct hv_i8042_config kbc = {
		.bus = config->bus,
		.clock = config->clock,
		.keyboard = &pc->keyboard,
		.room = config->key_room,
		.irq = hv_pc_irq(pc, 1),
		.aux_irq = hv_pc_irq(pc, 12),
		.reset = config->reset,
		.ctx = config->ctx,
	};
	const struct hv_port92_config port92 = {
		.bus = config->bus,
		.reset = config->reset,
		.ctx = config->ctx,
	};
	int err;

	hv_acpi_pm_init(&pc->pm, &pm);
	err = hv_i8042_init(&pc->kbc, &kbc);
	if (err)
		goto exit_pm;
	err = hv_port92_init(&pc->port92, &port92);
	if (err)
		goto exit_kbc;
	return 0;

exit_kbc:
	hv_i8042_exit(&pc->kbc);
exit_pm:
	hv_acpi_pm_exit(&pc->pm);
	return err;
}

static void pc_exit_power(struct hv_pc *pc)
{
	hv_port92_exit(&pc->port92);
	hv_i8042_exit(&pc->kbc);
	hv_acpi_pm_exit(&pc->pm);
}

static int pc_init_pci(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_cf9_config cf9 = { .reset = config->reset, .ctx = config->ctx };
	struct hv_pci_config pci = {
		.bus = config->bus,
		.cf9 = &pc->cf9,
		.intx = { .set = pc_set_pci, .controller = pc },
	};
	struct hv_i440fx_config chipset = {
		.pci = &pc->pci,
		.pm = &pc->pm,
		.pm_base = HV_PC_PM_BASE,
		.rerouted = pc_update_pirq,
		.ctx = pc,
	};
	int err;

	memcpy(pci.legacy_irq, hv_pc_pci_legacy_irq, sizeof(pci.legacy_irq));
	memcpy(chipset.legacy_irq, hv_pc_pci_legacy_irq, sizeof(chipset.legacy_irq));
	hv_cf9_init(&pc->cf9, &cf9);
	err = hv_pci_init(&pc->pci, &pci);
	if (err)
		return err;
	err = hv_i440fx_init(&pc->chipset, &chipset);
	if (err)
		hv_pci_exit(&pc->pci);
	return err;
}

static int pc_init_screen(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_vga_config vga = {
		.bus = config->bus,
		.clock = config->clock,
		.graphics = config->graphics,
		.ctx = config->ctx,
	};

	return hv_vga_init(&pc->vga, &vga);
}

static int pc_init_fw_cfg(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_fw_cfg_config fw_cfg = {
		.bus = config->bus,
		.clock = config->clock,
		.ram = config->ram,
		.selected = config->fw_cfg_selected,
		.ctx = config->ctx,
	};

	return hv_fw_cfg_init(&pc->fw_cfg, &fw_cfg);
}

static int pc_init_ferr(struct hv_pc *pc, const struct hv_pc_config *config)
{
	const struct hv_ferr_config ferr = {
		.bus = config->bus,
		.irq = hv_pc_irq(pc, 13),
		.ignore = config->ignore_x87_error,
		.ctx = config->ctx,
	};

	return hv_ferr_init(&pc->ferr, &ferr);
}

/* A BIOS would make the PCI lines and the SCI level-triggered. */
static void pc_set_elcr(struct hv_pc *pc)
{
	uint64_t elcr = 1u << HV_PC_SCI;

	for (unsigned int i = 0; i < HV_PCI_INTX; i++)
		elcr |= 1u << hv_pc_pci_legacy_irq[i];
	hv_bus_access(pc->bus, HV_PORT, 0x4d0, 2, true, &elcr);
}

int hv_pc_init(struct hv_pc *pc, const struct hv_pc_config *config)
{
	int err;

	memset(pc, 0, sizeof(*pc));
	pc->bus = config->bus;
	err = pc_init_interrupts(pc, config);
	if (err)
		return err;
	err = pc_init_timers(pc, config);
	if (err)
		goto exit_interrupts;
	err = pc_init_power(pc, config);
	if (err)
		goto exit_timers;
	err = pc_init_pci(pc, config);
	if (err)
		goto exit_power;
	err = pc_init_screen(pc, config);
	if (err)
		goto exit_pci;
	err = pc_init_fw_cfg(pc, config);
	if (err)
		goto exit_screen;
	err = pc_init_ferr(pc, config);
	if (err)
		goto exit_fw_cfg;
	pc_set_elcr(pc);
	return 0;

exit_fw_cfg:
	hv_fw_cfg_exit(&pc->fw_cfg);
exit_screen:
	hv_vga_exit(&pc->vga);
exit_pci:
	hv_pci_exit(&pc->pci);
exit_power:
	pc_exit_power(pc);
exit_timers:
	pc_exit_timers(pc);
exit_interrupts:
	pc_exit_interrupts(pc);
	return err;
}

void hv_pc_exit(struct hv_pc *pc)
{
	hv_ferr_exit(&pc->ferr);
	hv_fw_cfg_exit(&pc->fw_cfg);
	hv_vga_exit(&pc->vga);
	hv_pci_exit(&pc->pci);
	pc_exit_power(pc);
	pc_exit_timers(pc);
	pc_exit_interrupts(pc);
}

/* Sources before controllers, so that no line is left high from before. */
void hv_pc_reset(struct hv_pc *pc)
{
	hv_ferr_reset(&pc->ferr);
	hv_fw_cfg_reset(&pc->fw_cfg);
	hv_vga_reset(&pc->vga);
	hv_pci_reset(&pc->pci);
	hv_i440fx_reset(&pc->chipset);
	hv_cf9_reset(&pc->cf9);
	hv_port92_reset(&pc->port92);
	hv_i8042_reset(&pc->kbc);
	hv_acpi_pm_reset(&pc->pm);
	hv_hpet_reset(&pc->hpet);
	hv_cmos_reset(&pc->cmos);
	hv_i8254_reset(&pc->pit);
	hv_ioapic_reset(&pc->ioapic);
	hv_i8259_reset(&pc->pic);
	pc_set_elcr(pc);
}

static void put(struct hv_pc *pc, uint16_t port, uint8_t byte)
{
	uint64_t value = byte;

	hv_bus_access(pc->bus, HV_PORT, port, 1, true, &value);
}

/* Kernels that were made behind one keep the interrupt masks, or count on the timer. */
void hv_pc_after_bios(struct hv_pc *pc)
{
	/* Channel 0: mode 3, from 65,536. */
	put(pc, 0x43, 0x36);
	put(pc, 0x40, 0);
	put(pc, 0x40, 0);
	/* No tick waits yet; vectors 8 and 70H; timer, keyboard and the slave are open. */
	put(pc, 0x20, 0x11);
	put(pc, 0x21, 0x08);
	put(pc, 0x21, 0x04);
	put(pc, 0x21, 0x01);
	put(pc, 0x21, 0xf8);
	put(pc, 0xa0, 0x11);
	put(pc, 0xa1, 0x70);
	put(pc, 0xa1, 0x02);
	put(pc, 0xa1, 0x01);
	put(pc, 0xa1, 0xff);
}

/*
 * The HPET first, for it says who drives ISA lines 0 and 8. The controllers last: they
 * know what became of each edge, whatever the sources did to the lines while loading.
 */
enum { STATE_HPET, STATE_I8254, STATE_CMOS };

const struct hv_state_row hv_pc_states[HV_PC_STATES] = {
	[STATE_HPET] = { &hv_hpet_kind, 0, offsetof(struct hv_pc, hpet) },
	[STATE_I8254] = { &hv_i8254_kind, 0, offsetof(struct hv_pc, pit) },
	[STATE_CMOS] = { &hv_cmos_kind, 0, offsetof(struct hv_pc, cmos) },
	{ &hv_acpi_pm_kind, 0, offsetof(struct hv_pc, pm) },
	{ &hv_ps2kbd_kind, 0, offsetof(struct hv_pc, keyboard) },
	{ &hv_i8042_kind, 0, offsetof(struct hv_pc, kbc) },
	{ &hv_port92_kind, 0, offsetof(struct hv_pc, port92) },
	{ &hv_cf9_kind, 0, offsetof(struct hv_pc, cf9) },
	{ &hv_pci_kind, 0, offsetof(struct hv_pc, pci) },
	{ &hv_pci_device_kind, HV_I440FX_HOST, offsetof(struct hv_pc, chipset.host) },
	{ &hv_pci_device_kind, HV_I440FX_ISA, offsetof(struct hv_pc, chipset.isa) },
	{ &hv_pci_device_kind, HV_I440FX_PM, offsetof(struct hv_pc, chipset.pm) },
	{ &hv_vga_kind, 0, offsetof(struct hv_pc, vga) },
	{ &hv_fw_cfg_kind, 0, offsetof(struct hv_pc, fw_cfg) },
	{ &hv_ioapic_kind, 0, offsetof(struct hv_pc, ioapic) },
	{ &hv_i8259_kind, 0, offsetof(struct hv_pc, pic) },
};

int hv_pc_check(const struct hv_pc *pc, const void *const record[HV_PC_STATES])
{
	const struct hv_i8254_state *pit = record[STATE_I8254];
	const struct hv_cmos_state *cmos = record[STATE_CMOS];
	bool legacy = hv_hpet_state_is_legacy(record[STATE_HPET]);

	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		const struct hv_state_row *row = &hv_pc_states[i];
		int err = row->kind->check((const char *)pc + row->offset, record[i]);

		if (err)
			return err;
	}
	return pit->connected == legacy || cmos->connected == legacy ? -EINVAL : 0;
}

/* With everything masked nothing goes out, and the controllers' state comes last anyway. */
void hv_pc_quiet(struct hv_pc *pc)
{
	hv_ioapic_reset(&pc->ioapic);
	hv_i8259_reset(&pc->pic);
}

int hv_pc_load(struct hv_pc *pc, const void *const record[HV_PC_STATES])
{
	int err = hv_pc_check(pc, record);

	if (err)
		return err;
	hv_pc_quiet(pc);
	for (unsigned int i = 0; i < HV_PC_STATES; i++) {
		const struct hv_state_row *row = &hv_pc_states[i];

		/* It has been checked. */
		(void)row->kind->load((char *)pc + row->offset, record[i]);
	}
	return 0;
}
