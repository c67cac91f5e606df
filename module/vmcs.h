/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to the fields of the current VMCS, checked for width at compile time.
 *
 * All of it needs the vCPU's VMCS loaded and interrupts disabled since then.
 */
#ifndef TVX_VMCS_H
#define TVX_VMCS_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/vmx.h>

#include "../uapi/tinyvmx.h"
#include "vmx_insn.h"

/* Bits 14:13 of an encoding (SDM, "Field Encoding in VMCS"). */
enum { VMCS_WIDTH_16, VMCS_WIDTH_64, VMCS_WIDTH_32, VMCS_WIDTH_NATURAL };

static __always_inline unsigned int vmcs_width(unsigned long field)
{
	return (field >> 13) & 3;
}

/* Bits 11:10: what kind of field it is. */
enum { VMCS_CONTROL, VMCS_INFO, VMCS_GUEST, VMCS_HOST };

static __always_inline unsigned int vmcs_kind(unsigned long field)
{
	return (field >> 10) & 3;
}

#define vmcs_check(field, width)					\
	BUILD_BUG_ON_MSG(__builtin_constant_p(field) &&			\
			 vmcs_width(field) != (width), "VMCS field width")

/* Report a field that the CPU does not have; it names the field, once a second at most. */
void vmcs_read_failed(unsigned long field);
void vmcs_write_failed(unsigned long field, unsigned long value);

static __always_inline bool vmcs_try_read(unsigned long field, unsigned long *value)
{
	bool ok;

	asm volatile("vmread %2, %1" : "=@cca" (ok), "=r" (*value) : "r" (field));
	return ok;
}

static __always_inline unsigned long __vmcs_read(unsigned long field)
{
	unsigned long value;

	if (unlikely(!vmcs_try_read(field, &value))) {
		vmcs_read_failed(field);
		return 0;
	}
	return value;
}

/* VM_INSTRUCTION_ERROR behind a VM entry that failed, perhaps since VMX is off: 0, then. */
static inline u32 vmcs_instruction_error(void)
{
	unsigned long error = 0;

	asm volatile("1: vmread %1, %0\n\t2:\n\t" _ASM_EXTABLE(1b, 2b)
		     : "+r" (error) : "r" ((unsigned long)VM_INSTRUCTION_ERROR) : "cc");
	return error;
}

static __always_inline bool vmcs_try_write(unsigned long field, unsigned long value)
{
	asm goto(VMX_INSN("vmwrite %0, %1") : : "rm" (value), "r" (field) : "cc" : failed);
	return true;
failed:
	return false;
}

static __always_inline void __vmcs_write(unsigned long field, unsigned long value)
{
	if (unlikely(!vmcs_try_write(field, value)))
		vmcs_write_failed(field, value);
}

static __always_inline u16 vmcs_read16(unsigned long field)
{
	vmcs_check(field, VMCS_WIDTH_16);
	return __vmcs_read(field);
}

static __always_inline u32 vmcs_read32(unsigned long field)
{
	vmcs_check(field, VMCS_WIDTH_32);
	return __vmcs_read(field);
}

static __always_inline u64 vmcs_read64(unsigned long field)
{
	vmcs_check(field, VMCS_WIDTH_64);
	return __vmcs_read(field);
}

static __always_inline unsigned long vmcs_readn(unsigned long field)
{
	vmcs_check(field, VMCS_WIDTH_NATURAL);
	return __vmcs_read(field);
}

static __always_inline void vmcs_write16(unsigned long field, u16 value)
{
	vmcs_check(field, VMCS_WIDTH_16);
	__vmcs_write(field, value);
}

static __always_inline void vmcs_write32(unsigned long field, u32 value)
{
	vmcs_check(field, VMCS_WIDTH_32);
	__vmcs_write(field, value);
}

static __always_inline void vmcs_write64(unsigned long field, u64 value)
{
	vmcs_check(field, VMCS_WIDTH_64);
	__vmcs_write(field, value);
}

static __always_inline void vmcs_writen(unsigned long field, unsigned long value)
{
	vmcs_check(field, VMCS_WIDTH_NATURAL);
	__vmcs_write(field, value);
}

/*
 * vmcs_zero - write 0 to every control and guest-state field of the current VMCS
 *
 * What a field holds that was never written is the CPU's affair (SDM, "Initialization
 * of Virtual-Machine Control Structures"): zeroed memory does not make it 0.
 */
void vmcs_zero(void);

/* Fields that no CPU has more of: a bound for what a caller makes us allocate. */
#define VMCS_MAX_FIELDS	512

/*
 * vmcs_dump - read every field that the current VMCS has, ascending by encoding
 *
 * Stores at most @room elements and blanks host fields unless @privileged.
 * Return: how many fields there are.
 */
u32 vmcs_dump(struct tinyvmx_vmcs_field *fields, u32 room, bool privileged);

#endif
