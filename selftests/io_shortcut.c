// SPDX-License-Identifier: GPL-2.0-only
/* Port shortcuts: what RUN finishes by itself, and what it leaves to userspace. */
#include "lib.h"

#define OUT_PORT	0x3f8
#define IN_PORT		0x3fd

static void out8(u16 port, u8 value)
{
	__asm__ volatile("out %0, %1" : : "a"(value), "d"(port));
}

static u64 in8(u16 port, u64 rax)
{
	__asm__ volatile("in %%dx, %%al" : "+a"(rax) : "d"(port));
	return rax;
}

static void print(void)
{
	for (u32 i = 0; i < 5; i++) {
		guest_is(in8(IN_PORT, 0x1122334455667700), 0x1122334455667760);
		out8(OUT_PORT, "hello"[i]);
	}
	guest_sync(1);
}

static void test_taken(void)
{
	struct vcpu *vcpu = vcpu_simple(print);
	struct tinyvmx_shortcut *cut = &vcpu->run->shortcut;

	cut->out_port = OUT_PORT;
	cut->in_port = IN_PORT;
	cut->in_value = 0x60;
	ok_sync(vcpu, 1, "OUT and IN stay in the kernel");
	ok(cut->queued == 5 && !memcmp(cut->queue, "hello", 5), "the bytes are queued in order");
	vcpu_simple_destroy(vcpu);
}

static void other_forms(void)
{
	static const u8 text[] = "x";
	const u8 *from = text;

	__asm__ volatile("outw %%ax, %%dx" : : "a"(1), "d"(OUT_PORT));
	__asm__ volatile("outsb" : "+S"(from) : "d"(OUT_PORT) : "memory");
	out8(OUT_PORT + 1, 2);
	in8(IN_PORT - 1, 0);
	in8(0, 0);
	guest_sync(1);
}

/* What comes to userspace instead: an IO exit with this port. */
static bool comes_out(struct vcpu *vcpu, u16 port)
{
	return run_until(vcpu, TINYVMX_EXIT_IO) && vcpu->run->io.port == port;
}

static void test_others(void)
{
	struct vcpu *vcpu = vcpu_simple(other_forms);
	struct tinyvmx_shortcut *cut = &vcpu->run->shortcut;

	cut->out_port = OUT_PORT;
	cut->in_port = IN_PORT;
	ok(comes_out(vcpu, OUT_PORT), "a wider OUT comes out");
	ok(comes_out(vcpu, OUT_PORT), "... and OUTSB");
	vcpu->run->regs.rip += vcpu->run->instruction_len;
	vcpu->run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
	ok(comes_out(vcpu, OUT_PORT + 1), "... and another port");
	ok(comes_out(vcpu, IN_PORT - 1), "... for IN, too");
	cut->in_port = 0;
	ok(comes_out(vcpu, 0), "port 0 has no shortcut");
	ok_sync(vcpu, 1, "the guest goes on");
	ok(!cut->queued, "nothing was queued");
	vcpu_simple_destroy(vcpu);
}

static void flood(void)
{
	for (u32 i = 0; i <= TINYVMX_SHORTCUT_BYTES; i++)
		out8(OUT_PORT, i);
	guest_sync(1);
}

static void test_full(void)
{
	struct vcpu *vcpu = vcpu_simple(flood);
	struct tinyvmx_shortcut *cut = &vcpu->run->shortcut;

	cut->out_port = OUT_PORT;
	ok(comes_out(vcpu, OUT_PORT), "what finds the queue full comes out");
	ok(cut->queued == TINYVMX_SHORTCUT_BYTES && cut->queue[255] == 255, "... behind a full queue");
	ok_sync(vcpu, 1, "the guest goes on");
	vcpu_simple_destroy(vcpu);

	vcpu = vcpu_simple(flood);
	vcpu->run->shortcut.out_port = OUT_PORT;
	vcpu->run->shortcut.queued = 0xffffffff;
	ok(comes_out(vcpu, OUT_PORT), "a queue that claims to be longer than it is counts as full");
	ok(vcpu->run->shortcut.queued == 0xffffffff, "... and is left alone");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	info();
	test_taken();
	test_others();
	test_full();
	return tap_exit();
}
