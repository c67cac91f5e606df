// SPDX-License-Identifier: GPL-2.0-only
/* TINYVMX_MEMORY_EXECUTE_ONLY: code that a guest executes and cannot read. */
#include <sys/mman.h>

#include "lib.h"

#define GPA	0x80000000UL
#define BYTES	(4 * MIB)
#define TABLES	6		/* as vm_create() builds them: PML4, PDPT, four PDs */

/* SDM, "EPT Translation Mechanism". */
#define X	(1UL << 2)
#define WB_IPAT	(7UL << 4)
#define LARGE	(1UL << 7)
#define A	(1UL << 8)

/* mov $42, %eax; ret */
static const u8 answers[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
/* mov (%rip - 6), %eax; ret: what it reads are its own bytes */
static const u8 reads_itself[] = { 0x8b, 0x05, 0xfa, 0xff, 0xff, 0xff, 0xc3 };

static struct vcpu *vcpu;
static u8 *code;

static volatile u64 result;

static void calls(void)
{
	result = ((u32 (*)(void))GPA)();
}

static void reads(void)
{
	result = *(volatile u32 *)GPA;
}

static void writes(void)
{
	*(volatile u32 *)(GPA + 8) = 1;
}

static void touches(void)
{
	*(volatile u64 *)GUEST_FREE_GPA = 1;
}

static int give(u64 bytes, u32 flags)
{
	return set_memory(vcpu->vm->fd, 1, flags, GPA, bytes, code);
}

static void take_back(void)
{
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
}

static void begin(const u8 *bytes, size_t len, bool small)
{
	code = map_anon(BYTES + 2 * MIB);
	code += -(uintptr_t)code % (2 * MIB);
	if (small)
		use_small_pages(code, BYTES);
	else
		madvise(code, BYTES, MADV_HUGEPAGE);
	memset(code, 0xf4, BYTES);	/* HLT */
	memcpy(code, bytes, len);
	vcpu = vcpu_simple(calls);
}

static void end(void)
{
	vcpu_simple_destroy(vcpu);
	munmap(code, BYTES);
}

static u64 leaf(void)
{
	struct tinyvmx_get_ept ept = { .size = sizeof(ept), .gpa = GPA };

	must(ioctl(vcpu->vm->fd, TINYVMX_GET_EPT, &ept));
	return ept.entries[ept.count - 1];
}

static bool exits_at(u64 gpa, u32 access)
{
	const struct tinyvmx_exit_mmio *mmio = &vcpu->run->mmio;

	if (!run_until(vcpu, TINYVMX_EXIT_MMIO))
		return false;
	if (mmio->gpa == gpa && mmio->gla == gpa &&
	    mmio->flags == (access | TINYVMX_MMIO_GLA_VALID))
		return true;
	diag("gpa %#llx, gla %#llx, flags %#x", mmio->gpa, mmio->gla, mmio->flags);
	return false;
}

static void test_accesses(void)
{
	begin(answers, sizeof(answers), true);
	must(give(PAGE, TINYVMX_MEMORY_EXECUTE_ONLY));
	ok_done(vcpu, "it is executed");
	is(G(vcpu->vm, result), 42, "as it stands there");
	is(leaf() & ~A, X | WB_IPAT, "the entry allows nothing else");
	vcpu_call(vcpu, reads, 0);
	ok(exits_at(GPA, TINYVMX_MMIO_READ), "a read exits");
	ok(exits_at(GPA, TINYVMX_MMIO_READ), "and again");
	vcpu_call(vcpu, writes, 0);
	ok(exits_at(GPA + 8, TINYVMX_MMIO_WRITE), "a write exits");
	is(code[8], 0xf4, "nothing was written");
	vcpu_call(vcpu, calls, 0);
	ok_done(vcpu, "it can be executed still");
	take_back();
	must(give(PAGE, 0));
	vcpu_call(vcpu, reads, 0);
	ok_done(vcpu, "an ordinary slot in its place is read");
	is(G(vcpu->vm, result), *(u32 *)code, "as it stands there");
	take_back();
	must(give(PAGE, TINYVMX_MEMORY_EXECUTE_ONLY | TINYVMX_MEMORY_READONLY));
	vcpu_call(vcpu, reads, 0);
	ok(exits_at(GPA, TINYVMX_MMIO_READ), "READONLY adds nothing");
	end();
}

/* An instruction that needs both to execute its page and to read it ends in userspace's hands. */
static void test_reads_itself(void)
{
	begin(reads_itself, sizeof(reads_itself), true);
	must(give(PAGE, TINYVMX_MEMORY_EXECUTE_ONLY));
	ok(exits_at(GPA, TINYVMX_MMIO_READ), "code that reads itself");
	is(vcpu->run->regs.rip, GPA, "stands where it is");
	vcpu->run->regs.gpr[TINYVMX_RAX] = 77;
	vcpu->run->regs.rip += sizeof(reads_itself) - 1;
	vcpu->run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
	ok_done(vcpu, "goes on with what it is told");
	is(G(vcpu->vm, result), 77, "and that is what it has read");
	end();
}

static void test_large(void)
{
	begin(answers, sizeof(answers), false);
	must(give(BYTES, TINYVMX_MEMORY_EXECUTE_ONLY));
	ok_done(vcpu, "in many pages: it is executed");
	if (leaf() & LARGE)
		is(leaf() & ~A, X | WB_IPAT | LARGE, "by a large page");
	else
		skip("no large pages here", "by a large page");
	vcpu_call(vcpu, reads, 0);
	ok(exits_at(GPA, TINYVMX_MMIO_READ), "in many pages: a read exits");
	end();
}

/* What the CPU reads on its own it does not hand out. Nor does that cost the accessed flags. */
static void test_tables(void)
{
	struct tinyvmx_get_use use = { .size = sizeof(use), .len = PAGE };
	struct tinyvmx_sregs sregs;
	u64 *tables;

	begin(answers, sizeof(answers), true);
	tables = (u64 *)code;
	memcpy(tables, vcpu->vm->ram + GUEST_PT_GPA, TABLES * PAGE);
	tables[0] = (GPA + PAGE) | 7;
	for (u64 i = 0; i < 4; i++)
		tables[512 + i] = (GPA + (2 + i) * PAGE) | 7;
	must(give(BYTES, TINYVMX_MEMORY_EXECUTE_ONLY));
	vcpu_call(vcpu, touches, 0);
	sregs = vcpu_sregs(vcpu);
	sregs.cr3 = GPA;
	vcpu_set_sregs(vcpu, &sregs);
	if (ok_exit(vcpu, TINYVMX_EXIT_MMIO, "page tables there are not read")) {
		is(vcpu->run->mmio.gpa, GPA, "the first of them");
		ok(vcpu->run->mmio.flags & TINYVMX_MMIO_WALK, "by the CPU's walk");
	}
	if (info()->capabilities & TINYVMX_CAP_EPT_AD)
		is(ioctl(vcpu->vm->fd, TINYVMX_GET_USE, &use), 0, "what is used is still told");
	take_back();
	must(give(BYTES, 0));
	ok_done(vcpu, "as RAM they are");
	end();
}

int main(void)
{
	tap_init();
	if (!(info()->capabilities & TINYVMX_CAP_EXECUTE_ONLY)) {
		begin(answers, sizeof(answers), true);
		err_is(give(PAGE, TINYVMX_MEMORY_EXECUTE_ONLY), EOPNOTSUPP, "this CPU cannot");
		end();
		return tap_exit();
	}
	test_accesses();
	test_reads_itself();
	test_large();
	test_tables();
	return tap_exit();
}
