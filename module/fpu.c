// SPDX-License-Identifier: GPL-2.0-only
/*
 * The FPU's registers: the host's aside, the guest's in, and back.
 *
 * The kernel's own accounts (whose registers these are, whether a return to
 * userspace has to load them) stay true because nobody who reads them can run
 * in between: interrupts are disabled, and what was there comes back to the bit.
 */
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "fpu.h"
#include "vmx_caps.h"

static DEFINE_PER_CPU(void *, host_registers);

static __always_inline void xsave(void *area)
{
	asm volatile("xsave64 (%0)" : : "r" (area), "a" ((u32)vmx_caps.xcr0_mask),
		     "d" ((u32)(vmx_caps.xcr0_mask >> 32)) : "memory");
}

static __always_inline void xrstor(const void *area)
{
	asm volatile("xrstor64 (%0)" : : "r" (area), "a" ((u32)vmx_caps.xcr0_mask),
		     "d" ((u32)(vmx_caps.xcr0_mask >> 32)) : "memory");
}

void *tvx_fpu_alloc(gfp_t gfp, int node)
{
	/* XSAVE wants 64-byte alignment, which kmalloc() gives to powers of two. */
	return kzalloc_node(roundup_pow_of_two(vmx_caps.xsave_bytes), gfp, node);
}

void tvx_fpu_load(const void *guest)
{
	xsave(this_cpu_read(host_registers));
	xrstor(guest);
}

void tvx_fpu_put(void *guest)
{
	xsave(guest);
	xrstor(this_cpu_read(host_registers));
}

void tvx_fpu_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree(per_cpu(host_registers, cpu));
		per_cpu(host_registers, cpu) = NULL;
	}
}

int tvx_fpu_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *area = tvx_fpu_alloc(GFP_KERNEL, cpu_to_node(cpu));

		per_cpu(host_registers, cpu) = area;
		if (!area) {
			tvx_fpu_exit();
			return -ENOMEM;
		}
	}
	return 0;
}
