// SPDX-License-Identifier: GPL-2.0-only
/* MMIO exits: their facts, how userspace finishes them, read-only slots. */
#include "lib.h"

#define MMIO ((volatile u8 *)GUEST_MMIO_GPA)

static volatile u64 result;

static bool mmio_was(struct vcpu *vcpu, u64 gpa, u32 flags)
{
	struct tinyvmx_run *run = vcpu->run;

	if (!run_until(vcpu, TINYVMX_EXIT_MMIO))
		return false;
	if (run->mmio.gpa == gpa && (run->mmio.flags & flags) == flags &&
	    run->exit_reason == 48 && run->flags & TINYVMX_RUN_REGS)
		return true;
	diag("gpa %#llx flags %#x reason %u run flags %#x", run->mmio.gpa,
	     run->mmio.flags, run->exit_reason, run->flags);
	return false;
}

static void reads(void)
{
	u64 value;

	__asm__ volatile("movl (%1), %k0" : "=c"(value) : "a"(MMIO + 0x10));
	guest_is(value, 0xcafe);
	__asm__ volatile("movb %%bl, (%0)" : : "a"(MMIO + 0x1fff), "b"(0x5a));
	__asm__ volatile("lock; incl (%0)" : : "a"(MMIO + 0x20) : "memory");
}

static void finish(struct vcpu *vcpu, u32 bytes)
{
	vcpu->run->regs.rip += bytes;
	vcpu->run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
}

static void test_facts(void)
{
	struct vcpu *vcpu = vcpu_simple(reads);
	struct tinyvmx_run *run = vcpu->run;
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);
	const u32 gla = TINYVMX_MMIO_GLA_VALID;

	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x10, TINYVMX_MMIO_READ | gla),
	   "a read");
	is(run->mmio.flags, TINYVMX_MMIO_READ | gla, "read: no other flags");
	is(run->mmio.gla, GUEST_MMIO_GPA + 0x10, "read: linear address");
	is(run->mmio.error, 0, "read: no error");
	paging_is(&run->mmio.paging, &s, 0, "read");
	is(run->mmio.cs_base, 0, "read: CS base");
	is(run->mmio.cs_ar, s.seg[TINYVMX_CS].ar, "read: CS access rights");
	is(run->regs.gpr[TINYVMX_RAX], GUEST_MMIO_GPA + 0x10, "read: RAX");
	is(run->regs.rip, run->rip, "read: RIP is at the instruction");
	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x10, TINYVMX_MMIO_READ),
	   "RUN without doing anything repeats it");
	run->regs.gpr[TINYVMX_RCX] = 0xcafe;
	finish(vcpu, 2);
	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x1fff, TINYVMX_MMIO_WRITE | gla),
	   "the guest read what was given; a write");
	is(run->request, 0, "the kernel clears request");
	is(run->mmio.flags & TINYVMX_MMIO_FETCH, 0, "write: not a fetch");
	is(run->regs.gpr[TINYVMX_RBX], 0x5a, "write: RBX");
	finish(vcpu, 2);
	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x20, TINYVMX_MMIO_WRITE),
	   "a read-modify-write is a write");
	finish(vcpu, 3);
	ok_done(vcpu, "the guest goes on");
	vcpu_simple_destroy(vcpu);
}

static void reads_in_ring3(void)
{
	RING3_TRY("mov $0xd0000000, %%eax; mov (%%rax), %%edx");	/* GUEST_MMIO_GPA */
}

static void test_privilege(void)
{
	struct vcpu *vcpu = vcpu_simple(reads_in_ring3);
	struct tinyvmx_sregs s;

	ok(mmio_was(vcpu, GUEST_MMIO_GPA, TINYVMX_MMIO_READ), "a read in ring 3");
	s = vcpu_sregs(vcpu);
	paging_is(&vcpu->run->mmio.paging, &s, 3, "ring 3");
	vcpu_simple_destroy(vcpu);
}

static void fetches(void)
{
	((void (*)(void))(GUEST_MMIO_GPA + 0x3000))();
}

static void test_fetch(void)
{
	struct vcpu *vcpu = vcpu_simple(fetches);

	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x3000,
		    TINYVMX_MMIO_FETCH | TINYVMX_MMIO_GLA_VALID), "a fetch");
	is(vcpu->run->mmio.flags & (TINYVMX_MMIO_READ | TINYVMX_MMIO_WRITE), 0,
	   "fetch: no read, no write");
	is(vcpu->run->rip, GUEST_MMIO_GPA + 0x3000, "fetch: RIP");
	vcpu_simple_destroy(vcpu);
}

/* Linear 512 GiB and up: a PDPT that is where no RAM is. */
static void walks(void)
{
	volatile u64 *pml4 = (u64 *)GUEST_PT_GPA;

	pml4[1] = (GUEST_MMIO_GPA + 0x5000) | 7;
	result = *(volatile u32 *)(1UL << 39);
}

static void test_walk(void)
{
	struct vcpu *vcpu = vcpu_simple(walks);

	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x5000, TINYVMX_MMIO_WALK |
		    TINYVMX_MMIO_GLA_VALID), "a page walk through no RAM");
	is(vcpu->run->mmio.gla, 1L << 39, "walk: the address that was walked");
	vcpu_simple_destroy(vcpu);
}

static void touches_read_only(void)
{
	volatile u32 *rom = (u32 *)(GUEST_MMIO_GPA + 0x100000);

	guest_is(rom[0], 0x12345678);
	guest_is(rom[1], 0);
	__asm__ volatile("movl %1, (%0)" : : "a"(rom + 1), "d"(5) : "memory");
	guest_is(rom[1], 0);
	guest_is(rom[0], 0x12345678);
	/* Code in it runs, too: B8 imm32, C3. */
	guest_is(((u32 (*)(void))(rom + 4))(), 42);
}

static void test_read_only(void)
{
	struct vcpu *vcpu = vcpu_simple(touches_read_only);
	u32 *rom = map_anon(PAGE);

	rom[0] = 0x12345678;
	memcpy(rom + 4, "\xb8\x2a\0\0\0\xc3", 6);
	must(set_memory(vcpu->vm->fd, 1, TINYVMX_MEMORY_READONLY,
			GUEST_MMIO_GPA + 0x100000, PAGE, rom));
	ok(mmio_was(vcpu, GUEST_MMIO_GPA + 0x100004, TINYVMX_MMIO_WRITE),
	   "a write to a read-only slot is MMIO; reads before it are not");
	is(vcpu->run->regs.gpr[TINYVMX_RDX], 5, "with its registers");
	finish(vcpu, 2);
	ok_done(vcpu, "reads and fetches go on without exits");
	is(rom[1], 0, "nothing was written");
	rom[0] = 7;
	vcpu_call(vcpu, touches_read_only, 0);
	ok(run_until_port(vcpu, GUEST_FAIL), "the guest sees the host change it");
	is(G(vcpu->vm, guest_failure.got), 7, "... at once");
	vcpu_simple_destroy(vcpu);
}

/* A slot can be given while its address is MMIO, and taken again. */
static void reads_once(void)
{
	result = *(volatile u32 *)(GUEST_MMIO_GPA + 0x200000);
}

static void test_becomes_ram(void)
{
	struct vcpu *vcpu = vcpu_simple(reads_once);
	u64 gpa = GUEST_MMIO_GPA + 0x200000;
	u32 *page = map_anon(PAGE);

	ok(mmio_was(vcpu, gpa, TINYVMX_MMIO_READ), "no RAM yet");
	page[0] = 99;
	must(set_memory(vcpu->vm->fd, 1, 0, gpa, PAGE, page));
	ok_done(vcpu, "RUN repeats the access, which is RAM now");
	is(G(vcpu->vm, result), 99, "the guest read it");
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
	vcpu_call(vcpu, reads_once, 0);
	ok(mmio_was(vcpu, gpa, TINYVMX_MMIO_READ), "deleted: MMIO again");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_facts();
	test_privilege();
	test_fetch();
	test_walk();
	test_read_only();
	test_becomes_ram();
	return tap_exit();
}
