// SPDX-License-Identifier: GPL-2.0-only
/* What a PC tells its guest about itself: tables in memory, and files for firmware. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "firmware/acpi.h"
#include "firmware/bda.h"
#include "machine_pc.h"
#include "serial.h"

/* Bytes of ACPI tables, and of the MP table, at the most: with 64 CPUs there are 7,000. */
#define TABLES_MAX 0x4000
_Static_assert(HV_CONFIG_CPUS_MAX <= HV_ACPI_MAX_CPUS, "the tables have room for all CPUs");

/* The guest's PM block, or where it is to be turned on again. */
static uint16_t pm_base(const struct hv_machine_pc *pc)
{
	uint16_t base = hv_i440fx_pm_base(&pc->board.chipset);

	return base ? base : HV_PC_PM_BASE;
}

/* To where the guest has routed INTx, or where it may again. */
static void pci_irqs(const struct hv_machine_pc *pc, uint8_t pci_irq[HV_PCI_INTX])
{
	for (unsigned int line = 0; line < HV_PCI_INTX; line++) {
		unsigned int input = hv_i440fx_route(&pc->board.chipset, line);

		pci_irq[line] = (uint8_t)(input ? input : hv_pc_pci_legacy_irq[line]);
	}
}

static struct hv_acpi_config acpi_config(const struct hv_machine *machine)
{
	struct hv_acpi_config config = {
		.cpus = machine->nr_vcpus,
		.ioapic_id = HV_MACHINE_IOAPIC_ID,
		.com_ports = hv_serial_present(machine),
		.pm_base = pm_base(machine->pc),
		.pvpanic = machine->config.pvpanic,
		.generation = machine->config.vmgenid,
		.pci_slots = hv_pci_slots(&machine->pc->board.pci),
		.port_first = HV_MACHINE_PCI_PORT_FIRST,
		.port_last = HV_MACHINE_PCI_PORT_LAST,
		.mmio_first = HV_MACHINE_PCI_MMIO_FIRST,
		.mmio_last = HV_MACHINE_PCI_MMIO_LAST,
	};

	pci_irqs(machine->pc, config.pci_irq);
	return config;
}

void hv_machine_pc_update_fw_cfg(struct hv_machine_pc *pc)
{
	uint8_t pci_irq[HV_PCI_INTX];

	pci_irqs(pc, pci_irq);
	hv_fw_files_update(&pc->fw_files, pm_base(pc), pci_irq);
}

static int add_users_file(struct hv_machine *machine, unsigned int index, struct hv_error *err)
{
	const struct hv_file *file = &machine->payload.fw_file[index];
	const char *name = machine->config.load.fw_file[index].name;
	int error = hv_fw_cfg_add_file(&machine->pc->board.fw_cfg, name, file->data,
				       (uint32_t)file->size);

	if (!error)
		return 0;
	err->subject = "--fw-cfg";
	if (error == -EEXIST)
		return hv_fail(err, EEXIST,
			       "%s: there is such a file already; give it a name like opt/NAME",
			       name);
	return hv_fail(err, -error, "%s: a name has 1 to %d bytes; shorten it", name,
		       HV_FW_CFG_NAME - 1);
}

int hv_machine_pc_fill_fw_cfg(struct hv_machine *machine, struct hv_error *err)
{
	struct hv_machine_pc *pc = machine->pc;
	const struct hv_acpi_config acpi = acpi_config(machine);

	if (hv_fw_files_add(&pc->fw_files, &pc->board.fw_cfg, &machine->memory, &acpi,
			    &machine->payload.fw_kernel))
		return hv_fail(err, ENOSPC, "the firmware's files have no room; please report it");
	for (unsigned int i = 0; i < machine->config.load.fw_files; i++) {
		int error = add_users_file(machine, i, err);

		if (error)
			return error;
	}
	return 0;
}

int hv_machine_pc_new_generation(struct hv_machine *machine, struct hv_error *err)
{
	uint8_t id[16];

	if (!machine->config.vmgenid)
		return 0;
	if (getrandom(id, sizeof(id), 0) != sizeof(id) ||
	    hv_memory_write(&machine->memory, HV_LAYOUT_GENERATION, id, sizeof(id)))
		return hv_fail(err, EIO, "no random numbers for its generation ID: %s",
			       strerror(errno));
	return 0;
}

int hv_machine_pc_place_devices(struct hv_machine *machine, struct hv_error *err)
{
	if (!hv_pci_assign(&machine->pc->board.pci, HV_MACHINE_PCI_PORT_FIRST,
			   HV_MACHINE_PCI_PORT_LAST + 1, HV_MACHINE_PCI_MMIO_FIRST,
			   HV_MACHINE_PCI_MMIO_LAST + 1))
		return 0;
	err->subject = "PCI";
	return hv_fail(err, ENOSPC, "there are too many devices for its addresses; leave one out");
}

int hv_machine_pc_write_tables(const struct hv_machine *machine)
{
	const struct hv_acpi_config config = acpi_config(machine);
	const struct hv_memory *memory = &machine->memory;
	uint8_t table[TABLES_MAX] = { 0 };
	size_t acpi = hv_acpi_write(&config, table, sizeof(table), HV_ACPI_GPA), mp;

	hv_bda_write(memory, config.com_ports);
	(void)hv_memory_write(memory, HV_ACPI_GPA, table, acpi);
	memset(table, 0, sizeof(table));
	mp = hv_mptable_write(&config, table, sizeof(table), HV_MPTABLE_GPA);
	(void)hv_memory_write(memory, HV_MPTABLE_GPA, table, mp);
	return acpi && mp ? 0 : -ENOSPC;
}
