// SPDX-License-Identifier: GPL-2.0-only
/* The DSDT: devices that cannot be found by looking, and how PCI interrupts are wired. */
#include "acpi_dsdt.h"
#include "dev/pc.h"
#include "dev/pvpanic.h"
#include "layout.h"

/* Device (@name) { _HID @id, _UID @uid, ...; the caller goes on and closes it. */
static void begin_device(struct hv_aml *aml, const char *name, const char *id, uint32_t uid)
{
	hv_aml_device(aml, name);
	hv_aml_name(aml, "_HID");
	hv_aml_eisa_id(aml, id);
	hv_aml_name(aml, "_UID");
	hv_aml_integer(aml, uid);
}

static void add_device(struct hv_aml *aml, const char *name, const char *id, uint32_t uid,
		       const struct hv_aml_resources *res)
{
	begin_device(aml, name, id, uid);
	hv_aml_crs(aml, res);
	hv_aml_end(aml);
}

static void add_com_ports(struct hv_aml *aml, unsigned int present)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++) {
		struct hv_aml_resources res = { .len = 0 };

		if (!(present & 1u << i))
			continue;
		hv_aml_add_io(&res, hv_pc_com[i].base, 8);
		hv_aml_add_irq(&res, hv_pc_com[i].irq);
		add_device(aml, hv_pc_com[i].name, "PNP0501", i + 1, &res);
	}
}

static void add_rtc(struct hv_aml *aml)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_io(&res, 0x70, 2);
	hv_aml_add_irq(&res, 8);
	add_device(aml, "RTC", "PNP0B00", 0, &res);
}

/* No mouse beside it: guests need not look for one. */
static void add_keyboard(struct hv_aml *aml)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_io(&res, 0x60, 1);
	hv_aml_add_io(&res, 0x64, 1);
	hv_aml_add_irq(&res, 1);
	add_device(aml, "KBD", "PNP0303", 0, &res);
}

static void add_hpet(struct hv_aml *aml)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_memory(&res, (uint32_t)HV_HPET_BASE, HV_HPET_LEN);
	add_device(aml, "HPET", "PNP0103", 0, &res);
}

/* By this Linux's driver finds it. */
static void add_fw_cfg(struct hv_aml *aml)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_io(&res, HV_FW_CFG_PORT, HV_FW_CFG_LEN);
	hv_aml_device(aml, "FWCF");
	hv_aml_name(aml, "_HID");
	hv_aml_string(aml, "QEMU0002");
	hv_aml_crs(aml, &res);
	hv_aml_end(aml);
}

/* Guests' drivers match this very name. */
static void add_pvpanic(struct hv_aml *aml)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_io(&res, HV_PVPANIC_PORT, 1);
	hv_aml_device(aml, "PEVT");
	hv_aml_name(aml, "_HID");
	hv_aml_string(aml, "QEMU0001");
	hv_aml_crs(aml, &res);
	hv_aml_end(aml);
}

#define GENERATION "VGEN"
#define VALUE_CHANGED 0x80

/*
 * By its ID the guest sees that it is another machine than before, though it was never reset:
 * Microsoft's "Virtual Machine Generation ID". Drivers match one of the compatible IDs: the
 * one of that paper, or the one that is short enough for ACPI.
 */
static void add_generation(struct hv_aml *aml)
{
	hv_aml_device(aml, GENERATION);
	hv_aml_name(aml, "_HID");
	hv_aml_string(aml, "TVMX0001");
	hv_aml_name(aml, "_CID");
	hv_aml_package(aml, 2);
	hv_aml_string(aml, "VM_Gen_Counter");
	hv_aml_string(aml, "VMGENCTR");
	hv_aml_end(aml);
	hv_aml_name(aml, "_DDN");
	hv_aml_string(aml, "VM_Gen_Counter");
	hv_aml_name(aml, "ADDR");
	hv_aml_package(aml, 2);
	hv_aml_integer(aml, (uint32_t)HV_LAYOUT_GENERATION);
	hv_aml_integer(aml, 0);
	hv_aml_end(aml);
	hv_aml_end(aml);
}

/* Scope (\_GPE) { Method (_E05) { Notify (\_SB.VGEN, 0x80) } } */
static void add_events(struct hv_aml *aml)
{
	_Static_assert(HV_ACPI_PM_GPE_GENERATION == 5, "the method's name");

	hv_aml_scope(aml, "\\_GPE");
	hv_aml_method(aml, "_E05", 0);
	hv_aml_notify(aml, "\\_SB." GENERATION, VALUE_CHANGED);
	hv_aml_end(aml);
	hv_aml_end(aml);
}

/* Ports of the board that are nobody else's, and a page. */
static void add_board(struct hv_aml *aml, const struct hv_acpi_config *config)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_io(&res, 0x92, 1);
	hv_aml_add_io(&res, 0x4d0, 2);
	hv_aml_add_io(&res, config->pm_base, HV_ACPI_PM_LEN);
	if (config->generation)
		hv_aml_add_memory(&res, (uint32_t)HV_LAYOUT_GENERATION,
				  (uint32_t)HV_LAYOUT_GENERATION_LEN);
	add_device(aml, "MBRD", "PNP0C02", 0, &res);
}

/* @pci_irq: of the 8259s; NULL: by the I/O APIC */
static unsigned int route(const uint8_t *pci_irq, unsigned int line)
{
	return pci_irq ? pci_irq[line] : HV_PC_PCI_PIN + line;
}

/*
 * Name (@name, Package { Package { slot, pin, Zero, interrupt }, ... }); all slots but the
 * board's own
 */
static void add_routes(struct hv_aml *aml, const char *name, unsigned int slots,
		       const uint8_t *pci_irq)
{
	hv_aml_name(aml, name);
	hv_aml_package(aml, (uint8_t)((slots - HV_I440FX_SLOTS) * HV_PCI_INTX));
	for (unsigned int slot = HV_I440FX_SLOTS; slot < slots; slot++) {
		for (unsigned int pin = 0; pin < HV_PCI_INTX; pin++) {
			hv_aml_package(aml, 4);
			hv_aml_integer(aml, slot << 16 | 0xffff);
			hv_aml_integer(aml, pin);
			hv_aml_integer(aml, 0);
			hv_aml_integer(aml, route(pci_irq, hv_pci_intx_line(slot * 8, pin + 1)));
			hv_aml_end(aml);
		}
	}
	hv_aml_end(aml);
}

/* The guest says in _PIC which controllers it uses; the routes follow. */
static void add_prt(struct hv_aml *aml, const struct hv_acpi_config *config)
{
	add_routes(aml, "PRTA", config->pci_slots, NULL);
	add_routes(aml, "PRTP", config->pci_slots, config->pci_irq);
	hv_aml_method(aml, "_PRT", 0);
	hv_aml_if_name(aml, "\\PICM");
	hv_aml_return_name(aml, "PRTA");
	hv_aml_end(aml);
	hv_aml_return_name(aml, "PRTP");
	hv_aml_end(aml);
}

static void add_pci(struct hv_aml *aml, const struct hv_acpi_config *config)
{
	struct hv_aml_resources res = { .len = 0 };

	hv_aml_add_buses(&res, 0, 0);
	hv_aml_add_io(&res, HV_PCI_ADDRESS, 8);
	hv_aml_add_port_window(&res, 0, HV_PCI_ADDRESS - 1);
	hv_aml_add_port_window(&res, config->port_first, config->port_last);
	hv_aml_add_memory_window(&res, config->mmio_first, config->mmio_last);
	begin_device(aml, "PCI0", "PNP0A03", 0);
	hv_aml_name(aml, "_BBN");
	hv_aml_integer(aml, 0);
	hv_aml_crs(aml, &res);
	if (config->pci_slots > HV_I440FX_SLOTS)
		add_prt(aml, config);
	hv_aml_end(aml);
}

static void add_sleep(struct hv_aml *aml)
{
	hv_aml_name(aml, "\\_S5");
	hv_aml_package(aml, 4);
	hv_aml_integer(aml, HV_ACPI_PM_S5);
	hv_aml_integer(aml, HV_ACPI_PM_S5);
	hv_aml_integer(aml, 0);
	hv_aml_integer(aml, 0);
	hv_aml_end(aml);
}

void hv_acpi_dsdt(struct hv_aml *aml, const struct hv_acpi_config *config)
{
	add_sleep(aml);
	hv_aml_name(aml, "\\PICM");
	hv_aml_integer(aml, 0);
	hv_aml_method(aml, "\\_PIC", 1);
	hv_aml_store_arg0(aml, "\\PICM");
	hv_aml_end(aml);
	hv_aml_scope(aml, "\\_SB");
	add_pci(aml, config);
	add_com_ports(aml, config->com_ports);
	add_rtc(aml);
	add_keyboard(aml);
	add_hpet(aml);
	add_fw_cfg(aml);
	if (config->pvpanic)
		add_pvpanic(aml);
	if (config->generation)
		add_generation(aml);
	add_board(aml, config);
	hv_aml_end(aml);
	if (config->generation)
		add_events(aml);
}
