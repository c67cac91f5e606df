// SPDX-License-Identifier: GPL-2.0-only
/* Rounds of create, run, destroy give back all memory, references and slabs. */
#include "lib.h"

#define ROUNDS 60

static volatile u64 sink;

/* 8 MiB in steps of 4 KiB: some hundred EPT entries, several tables. */
static void touches(void)
{
	for (u64 off = 0; off < 8 * MIB; off += PAGE)
		sink += *(volatile u64 *)(GUEST_FREE_GPA + off);
}

static void halts(void)
{
	__asm__ volatile("hlt");
}

static void round_(u32 i)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpu = vcpu_create(vm, 0, i % 10 ? halts : touches, 0);
	struct vcpu *never_run = vcpu_create(vm, 1, halts, 0);

	if (vcpu_run(vcpu))
		bail("RUN: %m");
	must(inject(never_run->fd, TINYVMX_INJECT_NMI, 2));
	set_memory(vm->fd, 1, 0, GIB, PAGE, vm->ram);
	vcpu_destroy(never_run);
	if (i % 2) {
		vcpu_destroy(vcpu);
		vm_destroy(vm);
	} else {
		vm_destroy(vm);
		vcpu_destroy(vcpu);
	}
}

int main(void)
{
	struct host_use a, b;

	tap_init();
	info();
	for (u32 i = 0; i < 20; i++)
		round_(i);
	if (leak_obstacle())
		skip_all("%s", leak_obstacle());
	a = host_use();
	for (u32 i = 0; i < ROUNDS; i++)
		round_(i);
	b = host_use();

	/* A VMCS, an EPT root or a bitmap a round would be 60 pages. */
	ok(a.free_pages - b.free_pages < 50, "free pages %ld -> %ld",
	   a.free_pages, b.free_pages);
	ok(b.unreclaimable_kib - a.unreclaimable_kib < 150,
	   "SUnreclaim %ld -> %ld KiB", a.unreclaimable_kib, b.unreclaimable_kib);
	ok(b.tables_kib - a.tables_kib < 200, "PageTables %ld -> %ld KiB",
	   a.tables_kib, b.tables_kib);
	if (a.objects >= 0)
		ok(b.objects - a.objects < 50, "kmalloc objects %ld -> %ld",
		   a.objects, b.objects);
	else
		skip("/proc/slabinfo cannot be read", "kmalloc objects");
	if (a.refs >= 0)
		is(b.refs, 0, "the module has no users");
	else
		skip("no refcnt of the module", "the module has no users");
	return tap_exit();
}
