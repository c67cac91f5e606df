// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMCS as a whole: its fields enumerated, its faults reported.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "vmcs.h"

#define VMCS_INDEXES	64	/* more than any CPU has of one width and kind */
#define VMCS_ENCODINGS	(4 * 4 * VMCS_INDEXES)	/* of each width and kind */

noinline void vmcs_read_failed(unsigned long field)
{
	pr_err_ratelimited("VMREAD of field 0x%lx failed\n", field);
}

noinline void vmcs_write_failed(unsigned long field, unsigned long value)
{
	pr_err_ratelimited("VMWRITE of 0x%lx to field 0x%lx failed\n", value, field);
}

/*
 * The n-th encoding that a field may have (SDM, "Field Encoding in VMCS"), ascending.
 * Even ones only: odd ones are the high halves of 64-bit fields.
 */
static unsigned long vmcs_encoding(unsigned int n)
{
	unsigned int kind = n / VMCS_INDEXES % 4, width = n / VMCS_INDEXES / 4;

	return width << 13 | kind << 10 | (n % VMCS_INDEXES) << 1;
}

/*
 * Host-state fields and the addresses of control structures tell where the
 * kernel lies in memory. The 64-bit control fields that are no addresses are
 * the TSC's.
 */
static bool is_secret(unsigned long field)
{
	unsigned int kind = vmcs_kind(field);

	if (kind == VMCS_HOST)
		return true;
	return kind == VMCS_CONTROL && vmcs_width(field) == VMCS_WIDTH_64 &&
	       field != TSC_OFFSET && field != TSC_MULTIPLIER;
}

void vmcs_zero(void)
{
	unsigned int n;

	for (n = 0; n < VMCS_ENCODINGS; n++) {
		unsigned long field = vmcs_encoding(n);
		unsigned int kind = vmcs_kind(field);

		if (kind == VMCS_CONTROL || kind == VMCS_GUEST)
			vmcs_try_write(field, 0);
	}
}

u32 vmcs_dump(struct tinyvmx_vmcs_field *fields, u32 room, bool privileged)
{
	/* Each field that is not there leaves error 12 behind: read this one first. */
	u32 instruction_error = vmcs_read32(VM_INSTRUCTION_ERROR);
	unsigned long field, value;
	u32 n, count = 0;

	for (n = 0; n < VMCS_ENCODINGS; n++) {
		field = vmcs_encoding(n);
		if (!vmcs_try_read(field, &value))
			continue;
		if (field == VM_INSTRUCTION_ERROR)
			value = instruction_error;
		if (count < room) {
			fields[count].encoding = field;
			fields[count].value = privileged || !is_secret(field) ? value : 0;
		}
		count++;
	}
	return count;
}
