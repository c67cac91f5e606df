/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of address translation share: a small RAM, and paging in long mode. */
#ifndef WALK_TEST_H
#define WALK_TEST_H

#include "emul/guest.h"
#include "hv_test.h"
#include "lib/x86.h"

#define P X86_PTE_P
#define W X86_PTE_W
#define U X86_PTE_U
#define PS X86_PTE_PS

static struct hv_memory memory;

static inline int new_memory(void **state)
{
	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	return 0;
}

static inline int free_memory(void **state)
{
	(void)state;
	hv_memory_exit(&memory);
	return 0;
}

static const struct hv_paging long_mode = {
	.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
	.cr3 = 0x1000,
	.cr4 = X86_CR4_PAE,
	.efer = X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE,
};

#endif
