// SPDX-License-Identifier: GPL-2.0-only
/*
 * The items and files of fw_cfg, with the names and forms that SeaBIOS, OVMF, qboot and U-Boot
 * know from QEMU's PCs.
 */
#include <errno.h>
#include <string.h>

#include "dev/acpi_pm.h"
#include "fw_files.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define E820_ENTRY 20

#define LINUX_ROM_FILE "genroms/tinyvmx-linux.bin"
/* The boot devices by their names in SeaBIOS, the first one first. */
static const char bootorder[] = "/rom@" LINUX_ROM_FILE;

/* By number of the ACPI state: 80H if it is there, and its sleeping type. S0 and S5 are. */
static const uint8_t system_states[6] = { 0x80, 0, 0, 0, 0, 0x80 | HV_ACPI_PM_S5 };

/*
 * QEMU's etc/vmcoreinfo: forms that the host knows (2 bytes), the guest's (2), size (4), address
 * (8). Linux' qemu_fw_cfg fills it in.
 */
#define VMCOREINFO_FORM	   2
#define VMCOREINFO_SIZE	   4
#define VMCOREINFO_ADDRESS 8
#define VMCOREINFO_ELF	   1
static const uint8_t vmcoreinfo[16] = { VMCOREINFO_ELF };

static void write_entry(uint8_t *entry, uint64_t gpa, uint64_t len, enum hv_range_kind kind)
{
	hv_put_le(entry, gpa, 8);
	hv_put_le(entry + 8, len, 8);
	hv_put_le(entry + 16, kind, 4);
}

/* RAM, and a page that firmware does not know of: what else is reserved is its business. */
static size_t write_e820(uint8_t *e820, const struct hv_memory *memory, bool generation)
{
	size_t size = 0;

	for (unsigned int i = 0; i < memory->count; i++, size += E820_ENTRY)
		write_entry(e820 + size, memory->range[i].gpa, memory->range[i].len, HV_RANGE_RAM);
	if (!generation)
		return size;
	write_entry(e820 + size, HV_LAYOUT_GENERATION, HV_LAYOUT_GENERATION_LEN, HV_RANGE_RESERVED);
	return size + E820_ENTRY;
}

static int add_machine(struct hv_fw_cfg *fw_cfg, const struct hv_memory *memory, unsigned int cpus)
{
	const struct {
		uint16_t key;
		uint8_t len;
		uint64_t value;
	} numbers[] = {
		{ HV_FW_CFG_RAM_SIZE, 8, memory->size },
		{ HV_FW_CFG_NOGRAPHIC, 2, 1 },
		{ HV_FW_CFG_CPUS, 2, cpus },
		{ HV_FW_CFG_MAX_CPUS, 2, cpus },
		{ HV_FW_CFG_BOOT_MENU, 2, 0 },
		/* ISA interrupt 0 is at pin 2 of the I/O APIC. */
		{ HV_FW_CFG_IRQ0_OVERRIDE, 1, 1 },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = hv_fw_cfg_add_number(fw_cfg, numbers[i].key, numbers[i].value,
					   numbers[i].len);
	return err;
}

static int add_files(struct hv_fw_files *files, struct hv_fw_cfg *fw_cfg,
		     const struct hv_memory *memory)
{
	const struct hv_acpi_files *acpi = &files->acpi_files;
	const struct {
		const char *name;
		const void *data;
		size_t size;
	} file[] = {
		{ HV_ACPI_RSDP_FILE, acpi->rsdp, sizeof(acpi->rsdp) },
		{ HV_ACPI_TABLES_FILE, acpi->tables, acpi->tables_size },
		{ HV_ACPI_LINKER_FILE, acpi->linker, acpi->linker_size },
		{ "etc/e820", files->e820,
		  write_e820(files->e820, memory, files->acpi.generation) },
		{ "etc/system-states", system_states, sizeof(system_states) },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(file) && !err; i++)
		err = hv_fw_cfg_add_file(fw_cfg, file[i].name, file[i].data,
					 (uint32_t)file[i].size);
	return err ? err :
		     hv_fw_cfg_add_writable(fw_cfg, "etc/vmcoreinfo", vmcoreinfo,
					    sizeof(vmcoreinfo));
}

bool hv_fw_vmcoreinfo(const struct hv_fw_cfg *fw_cfg, uint64_t *gpa, uint32_t *bytes)
{
	const uint8_t *told = fw_cfg->s.written;

	*gpa = hv_get_le(told + VMCOREINFO_ADDRESS, 8);
	*bytes = (uint32_t)hv_get_le(told + VMCOREINFO_SIZE, 4);
	return hv_get_le(told + VMCOREINFO_FORM, 2) == VMCOREINFO_ELF;
}

/* A part of the kernel, and its size and address as items of their own. */
static int add_part(struct hv_fw_cfg *fw_cfg, uint16_t data_key, struct hv_fw_bytes bytes,
		    uint16_t size_key, uint16_t addr_key, uint32_t gpa)
{
	int err = hv_fw_cfg_add_number(fw_cfg, size_key, bytes.size, 4);

	if (!err)
		err = hv_fw_cfg_add_number(fw_cfg, addr_key, gpa, 4);
	if (!err)
		err = hv_fw_cfg_add(fw_cfg, data_key, bytes.data, bytes.size);
	return err;
}

/* Without a kernel the sizes are there, and 0. */
static int add_kernel(struct hv_fw_files *files, struct hv_fw_cfg *fw_cfg,
		      const struct hv_fw_kernel *kernel)
{
	struct hv_fw_bytes cmdline = { kernel->cmdline, 0 };
	int err;

	if (kernel->kernel.size)
		cmdline.size = (uint32_t)strlen(kernel->cmdline) + 1;
	err = add_part(fw_cfg, HV_FW_CFG_KERNEL_DATA, kernel->kernel, HV_FW_CFG_KERNEL_SIZE,
		       HV_FW_CFG_KERNEL_ADDR, HV_FW_KERNEL_GPA);
	if (!err)
		err = add_part(fw_cfg, HV_FW_CFG_SETUP_DATA, kernel->setup, HV_FW_CFG_SETUP_SIZE,
			       HV_FW_CFG_SETUP_ADDR, HV_FW_SETUP_GPA);
	if (!err)
		err = add_part(fw_cfg, HV_FW_CFG_CMDLINE_DATA, cmdline, HV_FW_CFG_CMDLINE_SIZE,
			       HV_FW_CFG_CMDLINE_ADDR, HV_FW_CMDLINE_GPA);
	if (!err)
		err = add_part(fw_cfg, HV_FW_CFG_INITRD_DATA, kernel->initrd, HV_FW_CFG_INITRD_SIZE,
			       HV_FW_CFG_INITRD_ADDR, kernel->initrd_gpa);
	if (err || !kernel->kernel.size)
		return err;
	hv_linux_rom(files->rom);
	err = hv_fw_cfg_add_file(fw_cfg, LINUX_ROM_FILE, files->rom, sizeof(files->rom));
	return err ? err : hv_fw_cfg_add_file(fw_cfg, "bootorder", bootorder, sizeof(bootorder));
}

int hv_fw_files_add(struct hv_fw_files *files, struct hv_fw_cfg *fw_cfg,
		    const struct hv_memory *memory, const struct hv_acpi_config *acpi,
		    const struct hv_fw_kernel *kernel)
{
	int err;

	files->acpi = *acpi;
	err = hv_acpi_files_write(acpi, &files->acpi_files);
	if (!err)
		err = add_machine(fw_cfg, memory, acpi->cpus);
	if (!err)
		err = add_files(files, fw_cfg, memory);
	return err ? err : add_kernel(files, fw_cfg, kernel);
}

void hv_fw_files_update(struct hv_fw_files *files, uint16_t pm_base,
			const uint8_t pci_irq[HV_PCI_INTX])
{
	struct hv_acpi_config *acpi = &files->acpi;

	if (acpi->pm_base == pm_base && !memcmp(acpi->pci_irq, pci_irq, sizeof(acpi->pci_irq)))
		return;
	acpi->pm_base = pm_base;
	memcpy(acpi->pci_irq, pci_irq, sizeof(acpi->pci_irq));
	/* They have been written once: only numbers in them change. */
	(void)hv_acpi_files_write(&files->acpi, &files->acpi_files);
}
