// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests whose page tables must not be written. A CPU that sets accessed bits in EPT takes
 * what it reads of a guest's page tables for written.
 */
#include <sys/mman.h>

#include "lib.h"

#define ROM_GPA		0x80000000UL
#define TABLES		6		/* as vm_create() builds them: PML4, PDPT, four PDs */
#define ACCESSED	0x20

static void touches(void)
{
	*(volatile u64 *)GUEST_FREE_GPA = 1;
	guest_is(*(volatile u64 *)GUEST_FREE_GPA, 1);
}

/* Tables like those in RAM, at ROM_GPA, in which the CPU has nothing to set. */
static u64 *make_tables(const struct vm *vm)
{
	u64 *tables = map_anon(TABLES * PAGE);

	memcpy(tables, vm->ram + GUEST_PT_GPA, TABLES * PAGE);
	tables[0] = (ROM_GPA + PAGE) | 7;
	for (u64 i = 0; i < 4; i++)
		tables[512 + i] = (ROM_GPA + (2 + i) * PAGE) | 7;
	for (u64 i = 0; i < TABLES * 512; i++)
		tables[i] = tables[i] ? tables[i] | ACCESSED : 0;
	return tables;
}

static void use_tables(struct vcpu *vcpu)
{
	struct tinyvmx_sregs sregs = vcpu_sregs(vcpu);

	sregs.cr3 = ROM_GPA;
	vcpu_set_sregs(vcpu, &sregs);
}

/* Whether what the guest uses can be told, with those tables. */
static void test_use(const struct vcpu *vcpu, bool writable, const char *what)
{
	struct tinyvmx_get_use arg = { .size = sizeof(arg), .len = PAGE };
	int ret = ioctl(vcpu->vm->fd, TINYVMX_GET_USE, &arg);

	if (writable && info()->capabilities & TINYVMX_CAP_EPT_AD)
		is(ret, 0, "%s: GET_USE", what);
	else
		err_is(ret, EOPNOTSUPP, "%s: GET_USE", what);
}

static void test_tables(u32 slot_flags, int prot, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(touches);
	u64 *tables = make_tables(vcpu->vm);

	must(mprotect(tables, TABLES * PAGE, prot));
	must(set_memory(vcpu->vm->fd, 1, slot_flags, ROM_GPA, TABLES * PAGE, tables));
	use_tables(vcpu);
	ok_done(vcpu, "%s: the guest runs", what);
	use_small_pages(vcpu->vm->ram, GUEST_RAM_BYTES);
	must(madvise(vcpu->vm->ram + GUEST_FREE_GPA, PAGE, MADV_DONTNEED));
	vcpu_call(vcpu, touches, 0);
	ok_done(vcpu, "%s: and again", what);
	test_use(vcpu, !slot_flags && prot & PROT_WRITE, what);
	vcpu_simple_destroy(vcpu);
	munmap(tables, TABLES * PAGE);
}

/* Where there is nothing at all. */
static void test_hole(void)
{
	struct vcpu *vcpu = vcpu_simple(touches);

	use_tables(vcpu);
	if (ok_exit(vcpu, TINYVMX_EXIT_MMIO, "tables where no memory is: MMIO")) {
		is(vcpu->run->mmio.flags & (TINYVMX_MMIO_READ | TINYVMX_MMIO_WRITE),
		   TINYVMX_MMIO_READ, "they are read");
		ok(vcpu->run->mmio.flags & TINYVMX_MMIO_WALK, "by the CPU's walk");
	}
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	info();
	test_tables(0, PROT_READ | PROT_WRITE, "tables in RAM");
	test_tables(TINYVMX_MEMORY_READONLY, PROT_READ | PROT_WRITE, "tables in ROM");
	test_tables(0, PROT_READ, "tables where the process may only read");
	test_hole();
	return tap_exit();
}
