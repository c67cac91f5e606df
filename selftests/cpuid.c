// SPDX-License-Identifier: GPL-2.0-only
/* CPUID: how the table answers, what the module keeps true, SET_CPUID's errors. */
#include "lib.h"

#define ROW(f, i, fl, value) {						\
	.function = (f), .index = (i), .flags = (fl),			\
	.eax = (value), .ebx = (value) + 1, .ecx = (value) + 2,		\
	.edx = (value) + 3,						\
}

static volatile u32 asked[2], answer[4];

static void ask(void)
{
	u32 reg[4];

	for (;;) {
		cpuid(asked[0], asked[1], reg);
		for (u32 i = 0; i < 4; i++)
			answer[i] = reg[i];
		guest_sync(0);
	}
}

static void answer_is(struct vcpu *vcpu, u32 function, u32 index, u32 value,
		      const char *what)
{
	struct vm *vm = vcpu->vm;

	G(vm, asked[0]) = function;
	G(vm, asked[1]) = index;
	if (!run_until_port(vcpu, GUEST_SYNC)) {
		ok(false, "%s: CPUID", what);
		return;
	}
	if (!value) {
		is(G(vm, answer[0]) | G(vm, answer[1]) | G(vm, answer[2]) |
		   G(vm, answer[3]), 0, "%s: zeroes", what);
		return;
	}
	ok(G(vm, answer[0]) == value && G(vm, answer[1]) == value + 1 &&
	   G(vm, answer[2]) == value + 2 && G(vm, answer[3]) == value + 3,
	   "%s: %#x %#x %#x %#x", what, G(vm, answer[0]), G(vm, answer[1]),
	   G(vm, answer[2]), G(vm, answer[3]));
}

static void test_table(struct vcpu *vcpu)
{
	static const struct tinyvmx_cpuid table[] = {
		ROW(0, 0, 0, 8),	/* EAX: highest basic function */
		ROW(4, 0, 1, 0x400), ROW(4, 1, 1, 0x410),
		ROW(5, 0, 0, 0x500),
		ROW(8, 0, 0, 0x800),
		ROW(0x40000000, 0, 0, 0x40000001),
		ROW(0x80000000, 0, 0, 0x80000008),
		ROW(0x80000002, 0, 0, 0x82000000),
	};

	err_is(set_cpuid(vcpu->fd, table, ARRAY_SIZE(table)), 0, "SET_CPUID");
	answer_is(vcpu, 0, 0, 8, "leaf 0");
	answer_is(vcpu, 0, 99, 8, "leaf 0, any ECX");
	answer_is(vcpu, 4, 0, 0x400, "leaf 4, subleaf 0");
	answer_is(vcpu, 4, 1, 0x410, "leaf 4, subleaf 1");
	answer_is(vcpu, 4, 2, 0, "leaf 4, a subleaf without a row");
	answer_is(vcpu, 5, 7, 0x500, "leaf 5, any ECX");
	answer_is(vcpu, 2, 0, 0, "leaf 2, without a row");
	answer_is(vcpu, 8, 0, 0x800, "the highest basic leaf");
	answer_is(vcpu, 9, 0, 0x800, "above it: as the highest");
	answer_is(vcpu, 0x3fffffff, 0, 0x800, "far above it");
	answer_is(vcpu, 0x40000000, 0, 0x40000001, "a hypervisor leaf");
	answer_is(vcpu, 0x80000000, 0, 0x80000008, "extended leaf 0");
	answer_is(vcpu, 0x80000002, 5, 0x82000000, "extended leaf 2");
	answer_is(vcpu, 0x80000003, 0, 0, "extended leaf 3, without a row");
}

static u32 ask_ecx(struct vcpu *vcpu, u32 function, u32 reg)
{
	G(vcpu->vm, asked[0]) = function;
	G(vcpu->vm, asked[1]) = 0;
	if (!run_until_port(vcpu, GUEST_SYNC))
		bail("CPUID");
	return G(vcpu->vm, answer[reg]);
}

/* OSXSAVE follows CR4, the APIC id is the vCPU's. */
static void test_dynamic(void)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpu = vcpu_create(vm, 3 % info()->max_vcpus, ask, 0);

	is(ask_ecx(vcpu, 1, 2) >> 27 & 1, 0, "OSXSAVE is clear as in CR4");
	vcpu_enable_xsave(vcpu, 1);
	is(ask_ecx(vcpu, 1, 2) >> 27 & 1, 1, "OSXSAVE follows CR4");
	is(ask_ecx(vcpu, 1, 1) >> 24, 3 % info()->max_vcpus, "APIC id");
	is(ask_ecx(vcpu, 0xd, 1), 576, "XSAVE size with XCR0 = 1");
	vcpu_destroy(vcpu);
	vm_destroy(vm);
}

static void test_errors(struct vcpu *vcpu)
{
	u32 most = info()->max_cpuid_entries;
	struct tinyvmx_cpuid *table = calloc(most + 1, sizeof(*table));

	for (u32 i = 0; i <= most; i++)
		table[i] = (struct tinyvmx_cpuid)ROW(0x100 + i, 0, 0, i);
	err_is(set_cpuid(vcpu->fd, table, most), 0, "the longest table");
	err_is(set_cpuid(vcpu->fd, table, most + 1), ENOSPC, "a longer one");
	err_is(set_cpuid(vcpu->fd, table, ~0U), ENOSPC, "2^32 - 1 rows");
	err_is(set_cpuid(vcpu->fd, NULL, 1), EFAULT, "rows at NULL");
	err_is(set_cpuid(vcpu->fd, (void *)0xffff888000000000, 1), EFAULT,
	       "rows at a kernel address");
	table[1].pad = 1;
	err_is(set_cpuid(vcpu->fd, table, 2), EINVAL, "padding");
	table[1].pad = 0;
	table[1].flags = 2;
	err_is(set_cpuid(vcpu->fd, table, 2), EOPNOTSUPP, "an unknown flag");
	table[1].flags = 0;
	table[1].function = table[0].function;
	err_is(set_cpuid(vcpu->fd, table, 2), EEXIST, "a row twice");
	table[0].flags = table[1].flags = 1;
	err_is(set_cpuid(vcpu->fd, table, 2), EEXIST, "a subleaf twice");
	table[1].index = 1;
	err_is(set_cpuid(vcpu->fd, table, 2), 0, "two subleaves");
	table[1].flags = 0;
	err_is(set_cpuid(vcpu->fd, table, 2), EEXIST,
	       "a subleaf and a row for all subleaves");
	free(table);
}

/* A refused table leaves the old one alone. */
static void test_unchanged(struct vcpu *vcpu)
{
	struct tinyvmx_cpuid one = ROW(0, 0, 0, 0x77), two[2] = { one, one };

	must(set_cpuid(vcpu->fd, &one, 1));
	err_is(set_cpuid(vcpu->fd, two, 2), EEXIST, "a refused table");
	answer_is(vcpu, 0, 0, 0x77, "... leaves the old one");
	err_is(set_cpuid(vcpu->fd, NULL, 0), 0, "an empty table");
	answer_is(vcpu, 0, 0, 0, "... answers zeroes");
	answer_is(vcpu, 0x80000000, 0, 0, "... everywhere");
}

int main(void)
{
	struct vcpu *vcpu;

	tap_init();
	vcpu = vcpu_simple(ask);
	test_table(vcpu);
	test_errors(vcpu);
	test_unchanged(vcpu);
	vcpu_simple_destroy(vcpu);
	test_dynamic();
	return tap_exit();
}
