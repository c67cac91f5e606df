// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register page of the local APIC, as far as the CPU leaves it to us. The registers
 * are the kernel's; it knows them by their numbers, offset / 16, and the ICR as one of
 * 64 bits.
 *
 * SDM, "The Local APIC Block Diagram": registers are 32 bits wide and 16 bytes
 * apart; other accesses are undefined, here they read zero and write nothing.
 */
#include "dev.h"
#include "xapic.h"

#define REG_ICR 0x30
#define REG_ICR_HIGH 0x31
#define DEST_SHIFT 24			/* in the high half of the ICR */

static uint32_t read_reg(struct hv_xapic *xapic, unsigned int reg)
{
	uint64_t value = 0;

	return xapic->config.read(reg, &value) ? 0 : (uint32_t)value;
}

static void write_reg(struct hv_xapic *xapic, unsigned int reg, uint32_t value)
{
	uint64_t wide = value;

	if (reg == REG_ICR)
		wide |= (uint64_t)(read_reg(xapic, REG_ICR_HIGH) >> DEST_SHIFT) << 32;
	/* A register that is not there, or only to be read: nothing happens. */
	(void)xapic->config.write(reg, wide);
}

/* Compilers and humans also look at single bytes of a register. */
static void access_page(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_xapic *xapic = dev;
	unsigned int reg = offset / 16, byte = offset % 16;

	if (write) {
		if (width == 4 && !byte && reg < 0x40)
			write_reg(xapic, reg, *value);
		return;
	}
	*value = 0;
	if (byte + width <= 4 && reg < 0x40)
		*value = read_reg(xapic, reg) >> (8 * byte) & hv_width_mask(width);
}

int hv_xapic_init(struct hv_xapic *xapic, const struct hv_xapic_config *config)
{
	*xapic = (struct hv_xapic){
		.config = *config,
		.region = { "local APIC", HV_MMIO, 0, HV_XAPIC_LEN, access_page, xapic },
	};
	return hv_bus_register(config->bus, &xapic->region);
}

void hv_xapic_exit(struct hv_xapic *xapic)
{
	hv_bus_unregister(xapic->config.bus, &xapic->region);
}
