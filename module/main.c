// SPDX-License-Identifier: GPL-2.0-only
/*
 * tinyvmx: a small VMM for Intel VT-x. Loading and unloading.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <asm/vmx.h>

#include "dev.h"
#include "exit_record.h"
#include "fpu.h"
#include "host_user.h"
#include "mitigations.h"
#include "vcpu_switch.h"
#include "vmx_caps.h"
#include "vmx_cpu.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static void say_hello(void)
{
	u64 ept = vmx_caps.ept_vpid;

	pr_info("VT-x on %u CPUs, VMCS revision 0x%x, EPT with 4K%s%s pages%s, unrestricted guest%s\n",
		num_online_cpus(), vmx_revision(),
		ept & VMX_EPT_2MB_PAGE_BIT ? ", 2M" : "",
		ept & VMX_EPT_1GB_PAGE_BIT ? ", 1G" : "",
		ept & VMX_EPT_AD_BIT ? ", A/D bits" : "",
		vmx_caps.has_vpid ? ", VPID" : "");
}

static int __init tvx_init(void)
{
	int err;

	tvx_user_init();
	err = vmx_caps_init();
	if (err)
		return err;
	err = tvx_fpu_init();
	if (err)
		return err;
	err = tvx_mitigations_init();
	if (err)
		goto exit_fpu;
	err = vmx_cpu_init(tvx_vcpu_oops);
	if (err)
		goto exit_mitigations;
	err = tvx_dev_register();
	if (err)
		goto exit_cpu;
	say_hello();
	return 0;

exit_cpu:
	vmx_cpu_exit();
exit_mitigations:
	tvx_mitigations_exit();
exit_fpu:
	tvx_fpu_exit();
	return err;
}

static void __exit tvx_exit(void)
{
	tvx_dev_unregister();
	tvx_record_exit();
	vmx_cpu_exit();
	tvx_mitigations_exit();
	tvx_fpu_exit();
}

module_init(tvx_init);
module_exit(tvx_exit);

MODULE_DESCRIPTION("A small VMM for Intel VT-x");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
