/* SPDX-License-Identifier: GPL-2.0-only */
/* What firmware finds in fw_cfg: memory, CPUs, ACPI tables, a kernel that it is to start. */
#ifndef HV_FIRMWARE_FW_FILES_H
#define HV_FIRMWARE_FW_FILES_H

#include "acpi_linker.h"
#include "dev/fw_cfg.h"
#include "layout.h"
#include "linux_rom.h"

/* Where the parts of a kernel go: real mode code, its command line, the rest of it. */
#define HV_FW_SETUP_GPA 0x10000
#define HV_FW_CMDLINE_GPA 0x20000
#define HV_FW_KERNEL_GPA 0x100000

struct hv_fw_bytes {
	const void *data;		/* NULL: there are none */
	uint32_t size;
};

/* A Linux kernel, taken apart: .kernel without bytes: there is none. */
struct hv_fw_kernel {
	struct hv_fw_bytes setup;	/* its header filled in */
	struct hv_fw_bytes kernel;
	struct hv_fw_bytes initrd;
	uint32_t initrd_gpa;
	const char *cmdline;
};

struct hv_fw_files {
	struct hv_acpi_config acpi;
	struct hv_acpi_files acpi_files;
	uint8_t e820[(HV_MEMORY_MAX_RANGES + 1) * 20];
	uint8_t rom[HV_LINUX_ROM_SIZE];
};

/**
 * hv_fw_files_add() - put all that firmware may ask for into fw_cfg
 * @files: what must live as long as @fw_cfg; it is made here
 * @fw_cfg: the device, with nothing but what it brings along
 * @memory: guest RAM
 * @acpi: the machine
 * @kernel: a kernel to start; its bytes stay where they are
 *
 * Returns 0 or -errno: -EINVAL for a machine that ACPI's tables cannot describe.
 */
int hv_fw_files_add(struct hv_fw_files *files, struct hv_fw_cfg *fw_cfg,
		    const struct hv_memory *memory, const struct hv_acpi_config *acpi,
		    const struct hv_fw_kernel *kernel);

/**
 * hv_fw_vmcoreinfo() - where the guest says that its VMCOREINFO note is
 * @fw_cfg: with these files
 * @gpa: where, which may be anywhere
 * @bytes: how much, which may be anything
 *
 * False: it has said nothing, or that the note has another form than ELF's.
 */
bool hv_fw_vmcoreinfo(const struct hv_fw_cfg *fw_cfg, uint64_t *gpa, uint32_t *bytes);

/*
 * The PM block's ports are at @pm_base now, and INTx comes to 8259 inputs @pci_irq, none of which
 * is 0: the tables say so.
 */
void hv_fw_files_update(struct hv_fw_files *files, uint16_t pm_base,
			const uint8_t pci_irq[HV_PCI_INTX]);

#endif
