// SPDX-License-Identifier: GPL-2.0-only
/*
 * The board's own PCI functions, as in the data sheets of the 82441FX (PMC), the 82371SB
 * (PIIX3) and the 82371AB (PIIX4):
 *
 *  00.0  8086:1237  59-5F PAM, 72 SMRAM: kept and read back. There is RAM below 1 MiB whatever
 *                   they say, so firmware that copies itself there finds what it wrote.
 *  01.0  8086:7000  60-63 PIRQ route of each PCI line: 7 not routed, 3:0 the 8259 input
 *  01.3  8086:7113  40 PMBA, 80 PMREGMISC: 0 PMBA decoded; 58 DEVACTB: 25 APMC enabled
 *                   90 SMBBA, D2 SMBHSTCFG: kept and read back, there is no SMBus
 *
 * A 440FX and not a Q35, which would want ICH9's LPC, root complex and extended configuration
 * space besides for the same end: SeaBIOS, OVMF, qboot and U-Boot know both.
 */
#include <errno.h>
#include <string.h>

#include "i440fx.h"

#define VENDOR_INTEL 0x8086
/* SeaBIOS takes the machine for one with fw_cfg only if the host bridge is this subsystem. */
#define SUBSYSTEM_VENDOR 0x1af4
#define SUBSYSTEM 0x1100

#define REG_HEADER_TYPE 0x0e
#define MULTI_FUNCTION 0x80
#define REG_LINE 0x3c
#define REG_FREE 0x40

#define HOST_SMRAM 0x72
#define HOST_SMRAM_RESET 0x02

#define ISA_PIRQ 0x60
#define PIRQ_OFF 0x80
#define PIRQ_INPUT 0x0f
#define PIRQ_INPUTS 0xdef8		/* not the timer's, the keyboard's, the RTC's, the FPU's */

#define PM_BASE 0x40
#define PM_BASE_PORTS 0xffc0
#define PM_DEVACTB 0x58
/*
 * A write to port B2H raises an SMI. There is no SMM: for SeaBIOS this bit means that it has
 * been set up already, and that there is nothing to wait for.
 */
#define DEVACTB_APMC_EN 0x02000000
#define PM_MISC 0x80
#define MISC_PMIOSE 0x01
#define PM_SMBUS_BASE 0x90
#define PM_SMBUS_HOST 0xd2
#define SCI_INPUT 9

/* Registers that are there for firmware to write and read back. */
static void make_plain(struct hv_pci_device *device, unsigned int first, unsigned int last)
{
	for (unsigned int reg = first; reg <= last; reg++)
		hv_pci_config_allow(device, reg, 1, 0xff);
}

static void make_host(struct hv_i440fx *chipset)
{
	static const struct hv_pci_ids ids = {
		.vendor = VENDOR_INTEL,
		.device = 0x1237,
		.subsystem_vendor = SUBSYSTEM_VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = 0x060000,
		.revision = 0x02,
	};

	hv_pci_device_init(&chipset->host, &ids);
	make_plain(&chipset->host, 0x50, 0x7f);
}

static void isa_written(void *dev, unsigned int offset, unsigned int width)
{
	struct hv_i440fx *chipset = dev;

	if (offset < ISA_PIRQ + HV_PCI_INTX && offset + width > ISA_PIRQ)
		chipset->config.rerouted(chipset->config.ctx);
}

static void make_isa(struct hv_i440fx *chipset)
{
	static const struct hv_pci_ids ids = {
		.vendor = VENDOR_INTEL,
		.device = 0x7000,
		.subsystem_vendor = SUBSYSTEM_VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = 0x060100,
	};

	hv_pci_device_init(&chipset->isa, &ids);
	hv_pci_config_set(&chipset->isa, REG_HEADER_TYPE, 1, MULTI_FUNCTION);
	make_plain(&chipset->isa, 0x4c, 0x4f);
	make_plain(&chipset->isa, ISA_PIRQ, 0xaf);
	chipset->isa.written = isa_written;
	chipset->isa.dev = chipset;
}

static int make_pm(struct hv_i440fx *chipset)
{
	/* Of an older revision Linux would read the PM timer three times. */
	static const struct hv_pci_ids ids = {
		.vendor = VENDOR_INTEL,
		.device = 0x7113,
		.subsystem_vendor = SUBSYSTEM_VENDOR,
		.subsystem = SUBSYSTEM,
		.class_code = 0x068000,
		.revision = 0x03,
	};

	hv_pci_device_init(&chipset->pm, &ids);
	make_plain(&chipset->pm, 0x44, 0x7f);
	hv_pci_config_allow(&chipset->pm, PM_SMBUS_BASE, 2, 0xfff0);
	make_plain(&chipset->pm, PM_SMBUS_HOST, PM_SMBUS_HOST + 4);
	return hv_pci_device_set_window(&chipset->pm, 0, PM_BASE, PM_MISC, HV_ACPI_PM_LEN,
					hv_acpi_pm_access, chipset->config.pm);
}

static void clear(struct hv_pci_device *device)
{
	memset(device->config + REG_FREE, 0, HV_PCI_CONFIG - REG_FREE);
}

void hv_i440fx_reset(struct hv_i440fx *chipset)
{
	clear(&chipset->host);
	hv_pci_config_set(&chipset->host, HOST_SMRAM, 1, HOST_SMRAM_RESET);
	clear(&chipset->isa);
	for (unsigned int line = 0; line < HV_PCI_INTX; line++)
		hv_pci_config_set(&chipset->isa, ISA_PIRQ + line, 1,
				  chipset->config.legacy_irq[line]);
	clear(&chipset->pm);
	hv_pci_config_set(&chipset->pm, REG_LINE, 1, SCI_INPUT);
	hv_pci_config_set(&chipset->pm, PM_BASE, 4, chipset->config.pm_base | 1u);
	hv_pci_config_set(&chipset->pm, PM_MISC, 1, MISC_PMIOSE);
	hv_pci_config_set(&chipset->pm, PM_DEVACTB, 4, DEVACTB_APMC_EN);
	hv_pci_config_set(&chipset->pm, PM_SMBUS_BASE, 4, 1);
	hv_pci_config_follow(&chipset->pm);
	isa_written(chipset, ISA_PIRQ, HV_PCI_INTX);
}

int hv_i440fx_init(struct hv_i440fx *chipset, const struct hv_i440fx_config *config)
{
	struct hv_pci *pci = config->pci;
	int err;

	memset(chipset, 0, sizeof(*chipset));
	chipset->config = *config;
	make_host(chipset);
	make_isa(chipset);
	err = make_pm(chipset);
	if (!err)
		err = hv_pci_add(pci, &chipset->host, HV_I440FX_HOST);
	if (!err)
		err = hv_pci_add(pci, &chipset->isa, HV_I440FX_ISA);
	if (!err)
		err = hv_pci_add(pci, &chipset->pm, HV_I440FX_PM);
	if (err)
		return err;
	hv_i440fx_reset(chipset);
	return chipset->pm.bar[0].mapped ? 0 : -EEXIST;
}

unsigned int hv_i440fx_route(const struct hv_i440fx *chipset, unsigned int line)
{
	uint8_t route = chipset->isa.config[ISA_PIRQ + line];
	unsigned int input = route & PIRQ_INPUT;

	return !(route & PIRQ_OFF) && (PIRQ_INPUTS >> input & 1) ? input : 0;
}

uint16_t hv_i440fx_pm_base(const struct hv_i440fx *chipset)
{
	if (!(chipset->pm.config[PM_MISC] & MISC_PMIOSE))
		return 0;
	return hv_pci_config_read(&chipset->pm, PM_BASE, 2) & PM_BASE_PORTS;
}
