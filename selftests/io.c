// SPDX-License-Identifier: GPL-2.0-only
/* Port I/O: every width both ways, the data rules of RAX, string forms. */
#include "lib.h"

#define FILL 0x1122334455667788

static volatile u64 result;
static u8 buffer[64] = "tinyvmx";

static void out_all(void)
{
	__asm__ volatile("out %%al, %%dx" : : "a"(FILL), "d"(0x3f8));
	__asm__ volatile("out %%ax, %%dx" : : "a"(FILL), "d"(0xffff));
	__asm__ volatile("out %%eax, %%dx" : : "a"(FILL), "d"(0));
	__asm__ volatile("out %%al, $0x80" : : "a"(FILL));
	__asm__ volatile("out %%ax, $0x81" : : "a"(FILL));
	__asm__ volatile("out %%eax, $0xfc" : : "a"(FILL));
}

static bool out_was(struct vcpu *vcpu, u16 port, u16 width, u32 data)
{
	struct tinyvmx_exit_io *io = &vcpu->run->io;

	if (!run_until(vcpu, TINYVMX_EXIT_IO))
		return false;
	if (io->port == port && io->width == width && io->data == data &&
	    !io->flags && vcpu->run->exit_reason == 30)
		return true;
	diag("port %#x width %u data %#x flags %#x", io->port, io->width,
	     io->data, io->flags);
	return false;
}

static void test_out(void)
{
	struct vcpu *vcpu = vcpu_simple(out_all);

	ok(out_was(vcpu, 0x3f8, 1, 0x88), "OUT DX, AL");
	ok(vcpu->run->instruction_len == 1, "instruction length 1");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.rip, vcpu->run->rip + 1, "RIP is behind the OUT");
	ok(out_was(vcpu, 0xffff, 2, 0x7788), "OUT DX, AX at the last port");
	ok(out_was(vcpu, 0, 4, 0x55667788), "OUT DX, EAX at port 0");
	ok(out_was(vcpu, 0x80, 1, 0x88), "OUT imm8, AL");
	ok(out_was(vcpu, 0x81, 2, 0x7788), "OUT imm8, AX");
	ok(out_was(vcpu, 0xfc, 4, 0x55667788), "OUT imm8, EAX");
	is(vcpu->run->exits >= 6, 1, "run->exits counts");
	ok_done(vcpu, "the guest goes on");
	vcpu_simple_destroy(vcpu);
}

static void in_all(void)
{
	u64 rax = FILL;

	__asm__ volatile("in %%dx, %%al" : "+a"(rax) : "d"(0x60));
	guest_is(rax, 0x11223344556677a4);
	rax = FILL;
	__asm__ volatile("in %%dx, %%ax" : "+a"(rax) : "d"(0x61));
	guest_is(rax, 0x112233445566a3a4);
	rax = FILL;
	__asm__ volatile("in %%dx, %%eax" : "+a"(rax) : "d"(0x62));
	guest_is(rax, 0xa1a2a3a4);
	rax = FILL;
	__asm__ volatile("in $0x63, %%al" : "+a"(rax));
	guest_is(rax, 0x11223344556677a4);
	rax = FILL;
	__asm__ volatile("in $0x64, %%eax" : "+a"(rax));
	result = rax;
}

static bool in_was(struct vcpu *vcpu, u16 port, u16 width)
{
	struct tinyvmx_exit_io *io = &vcpu->run->io;

	if (!run_until(vcpu, TINYVMX_EXIT_IO))
		return false;
	if (io->port != port || io->width != width ||
	    io->flags != TINYVMX_IO_IN) {
		diag("port %#x width %u flags %#x", io->port, io->width,
		     io->flags);
		return false;
	}
	io->data = 0xa1a2a3a4;
	return true;
}

static void test_in(void)
{
	struct vcpu *vcpu = vcpu_simple(in_all);

	ok(in_was(vcpu, 0x60, 1), "IN AL, DX");
	ok(in_was(vcpu, 0x61, 2), "IN AX, DX (AL merged into RAX)");
	ok(in_was(vcpu, 0x62, 4), "IN EAX, DX (AX merged)");
	ok(in_was(vcpu, 0x63, 1), "IN AL, imm8 (EAX zero-extended)");
	ok(in_was(vcpu, 0x64, 4), "IN EAX, imm8");
	ok_done(vcpu, "the guest saw all of it");
	is(G(vcpu->vm, result), 0xa1a2a3a4, "upper half of RAX is zero");
	vcpu_simple_destroy(vcpu);
}

static void in_then_done(void)
{
	u64 rax = FILL;

	__asm__ volatile("in %%dx, %%ax" : "+a"(rax) : "d"(0x70));
	result = rax;
}

/* How the header says to finish an IN before the state is saved. */
static void test_in_finished_by_immediate_exit(void)
{
	struct vcpu *vcpu = vcpu_simple(in_then_done);

	ok(in_was(vcpu, 0x70, 2), "IN AX");
	vcpu->run->immediate_exit = 1;
	err_is(vcpu_run(vcpu), EINTR, "RUN with immediate_exit");
	is(vcpu->run->reason, TINYVMX_EXIT_INTR, "reason INTR");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.gpr[TINYVMX_RAX], 0x112233445566a3a4,
	   "the IN is finished, though the guest did not run");
	vcpu->run->io.data = 0;
	err_is(vcpu_run(vcpu), EINTR, "RUN again");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.gpr[TINYVMX_RAX], 0x112233445566a3a4,
	   "... and it is finished only once");
	vcpu->run->immediate_exit = 0;
	ok_done(vcpu, "the guest goes on");
	is(G(vcpu->vm, result), 0x112233445566a3a4, "and sees the data");
	vcpu_simple_destroy(vcpu);
}

static void strings(void)
{
	const void *si = buffer;
	void *di = buffer + 32;
	u64 count = 7;

	__asm__ volatile("outsb" : "+S"(si) : "d"(0x100) : "memory");
	__asm__ volatile("rep outsb" : "+S"(si), "+c"(count) : "d"(0x101)
			 : "memory");
	count = 3;
	__asm__ volatile("rep insl" : "+D"(di), "+c"(count) : "d"(0x102)
			 : "memory");
	__asm__ volatile("addr32 insw" : "+D"(di) : "d"(0x103) : "memory");
}

static void string_was(struct vcpu *vcpu, const struct tinyvmx_exit_io *want,
		       const char *what)
{
	struct tinyvmx_exit_io *io = &vcpu->run->io;
	struct tinyvmx_sregs s;

	if (!ok_exit(vcpu, TINYVMX_EXIT_IO, "%s", what))
		return;
	is(io->port, want->port, "%s: port", what);
	is(io->width, want->width, "%s: width", what);
	is(io->flags, want->flags, "%s: flags", what);
	is(io->gla, want->gla, "%s: linear address", what);
	is(io->address_size, want->address_size, "%s: address size", what);
	is(vcpu->run->flags & TINYVMX_RUN_REGS, TINYVMX_RUN_REGS,
	   "%s: regs are filled", what);
	is(vcpu->run->regs.rip, vcpu->run->rip, "%s: not done: RIP is at it",
	   what);
	s = vcpu_sregs(vcpu);
	paging_is(&io->paging, &s, 0, what);
}

/* What a userspace does that has moved the data. */
static void finish_string(struct vcpu *vcpu, int reg, u64 bytes)
{
	struct tinyvmx_run *run = vcpu->run;

	run->regs.gpr[reg] += bytes;
	if (run->io.flags & TINYVMX_IO_REP)
		run->regs.gpr[TINYVMX_RCX] = 0;
	run->regs.rip += run->instruction_len;
	run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
}

static void test_string(void)
{
	struct vcpu *vcpu = vcpu_simple(strings);
	u64 gla = (uintptr_t)buffer;
	const u32 str = TINYVMX_IO_STRING, rep = TINYVMX_IO_REP;

	string_was(vcpu, &(struct tinyvmx_exit_io){ .port = 0x100, .width = 1,
		   .flags = str, .gla = gla, .address_size = 8 }, "OUTSB");
	finish_string(vcpu, TINYVMX_RSI, 1);
	string_was(vcpu, &(struct tinyvmx_exit_io){ .port = 0x101, .width = 1,
		   .flags = str | rep, .gla = gla + 1, .address_size = 8 },
		   "REP OUTSB");
	is(vcpu->run->request, 0, "the kernel clears request");
	is(vcpu->run->regs.gpr[TINYVMX_RCX], 7, "REP OUTSB: RCX");
	finish_string(vcpu, TINYVMX_RSI, 7);
	string_was(vcpu, &(struct tinyvmx_exit_io){ .port = 0x102, .width = 4,
		   .flags = str | rep | TINYVMX_IO_IN, .gla = gla + 32,
		   .address_size = 8 }, "REP INSL");
	finish_string(vcpu, TINYVMX_RDI, 12);
	string_was(vcpu, &(struct tinyvmx_exit_io){ .port = 0x103, .width = 2,
		   .flags = str | TINYVMX_IO_IN, .gla = gla + 44,
		   .address_size = 4 }, "INSW, 32-bit address");
	finish_string(vcpu, TINYVMX_RDI, 2);
	ok_done(vcpu, "the guest goes on behind each");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_out();
	test_in();
	test_in_finished_by_immediate_exit();
	test_string();
	return tap_exit();
}
