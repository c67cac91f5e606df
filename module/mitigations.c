// SPDX-License-Identifier: GPL-2.0-only
/*
 * The L1 data cache flush against L1TF, and what is told of all mitigations.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/printk.h>
#include <linux/sched/smt.h>
#include <linux/string.h>
#include <asm/msr-index.h>

#include "host.h"
#include "host_features.h"
#include "mitigations.h"

/* Twice the largest L1 data cache of a CPU with L1TF: replacement is not quite LRU. */
#define FILL_ORDER	4
#define FILL_BYTES	(PAGE_SIZE << FILL_ORDER)
#define LINE_BYTES	64
#define LINES_A_STEP	16

DEFINE_STATIC_KEY_FALSE(tvx_l1d_flush_key);
DEFINE_STATIC_KEY_FALSE(tvx_ibpb_key);
static enum tvx_l1tf_policy policy;
static u8 *fill;	/* NULL: the CPU has IA32_FLUSH_CMD */

/* Push everything out of the cache by what is nobody's secret. */
static void fill_cache(void)
{
	const u8 *p, *end = fill + FILL_BYTES;
	unsigned int i;

	/* Page walks touch the cache, too: have the translations first. */
	for (p = fill; p < end; p += PAGE_SIZE)
		READ_ONCE(*p);
	asm volatile("lfence" : : : "memory");
	for (p = fill; p < end; p += LINE_BYTES * LINES_A_STEP) {
#pragma GCC unroll 16
		for (i = 0; i < LINES_A_STEP; i++)
			READ_ONCE(p[i * LINE_BYTES]);
	}
	asm volatile("lfence" : : : "memory");
}

void tvx_l1d_flush(bool *exposed)
{
	if (!*exposed && policy != TVX_L1TF_ALWAYS)
		return;
	*exposed = false;
	/* What it was interrupted by before matters no longer. */
	tvx_host_interrupted();
	if (fill)
		fill_cache();
	else
		tvx_wrmsr(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}

static int init_l1d_flush(void)
{
	unsigned int i;

	policy = tvx_host_l1tf_policy();
	if (policy == TVX_L1TF_NEVER)
		return 0;
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		fill = (u8 *)__get_free_pages(GFP_KERNEL, FILL_ORDER);
		if (!fill)
			return -ENOMEM;
		/* Not alike, lest a hypervisor below merges them into one page. */
		for (i = 0; i < FILL_BYTES / PAGE_SIZE; i++)
			memset(fill + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	}
	static_branch_enable(&tvx_l1d_flush_key);
	return 0;
}

static const struct {
	u32 feature;
	const char *name;
} features[] = {
	{ X86_FEATURE_RSB_VMEXIT, ", RSB filled" },
	{ X86_FEATURE_RSB_VMEXIT_LITE, ", RSB guarded" },
	{ X86_FEATURE_KERNEL_IBRS, ", IBRS" },
	{ TVX_FEATURE_VERW, ", VERW" },
#ifdef TVX_FEATURE_CLEAR_BHB
	{ TVX_FEATURE_CLEAR_BHB, ", branch history cleared" },
#endif
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	{ X86_FEATURE_IBPB_EXIT_TO_USER, ", IBPB before userspace" },
#endif
};

static void report(void)
{
	static const char * const l1d[] = {
		[TVX_L1TF_NEVER] = "",
		[TVX_L1TF_CONDITIONAL] = ", L1D flush (conditional)",
		[TVX_L1TF_ALWAYS] = ", L1D flush (always)",
	};
	char text[160] = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (boot_cpu_has(features[i].feature))
			strlcat(text, features[i].name, sizeof(text));
	if (static_key_enabled(&tvx_ibpb_key))
		strlcat(text, ", IBPB between vCPUs", sizeof(text));
	strlcat(text, l1d[policy], sizeof(text));
	if (!text[0])
		return;
	pr_info("mitigations: %s\n", text + 2);
	if (policy != TVX_L1TF_NEVER && sched_smt_active())
		pr_info("a guest may learn of what runs on the other threads of its cores; nosmt prevents it\n");
}

int tvx_mitigations_init(void)
{
	int err = init_l1d_flush();

	if (err)
		return err;
	if (tvx_host_wants_ibpb())
		static_branch_enable(&tvx_ibpb_key);
	report();
	return 0;
}

void tvx_mitigations_exit(void)
{
	static_branch_disable(&tvx_ibpb_key);
	static_branch_disable(&tvx_l1d_flush_key);
	free_pages((unsigned long)fill, FILL_ORDER);
}
