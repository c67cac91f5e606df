// SPDX-License-Identifier: GPL-2.0-only
/* GET_STATE and SET_STATE: every type goes round, and reaches the guest. */
#include "lib.h"

static struct vcpu *vcpu;
static u32 seed = 1;

static u64 noise(void)
{
	u64 value = 0;

	for (int i = 0; i < 4; i++) {
		seed = seed * 1103515245 + 12345;
		value = value << 16 | seed >> 16;
	}
	return value;
}

static void round_trip(u32 type, void *want, size_t len, const char *what)
{
	void *got = malloc(len);

	memset(got, 0xee, len);
	if (type == TINYVMX_STATE_MSRS)	/* GET takes the numbers from there */
		memcpy(got, want, len);
	for (size_t i = 0; type == TINYVMX_STATE_MSRS && i < len; i += 16)
		((struct tinyvmx_msr *)((u8 *)got + i))->value = ~0ULL;
	err_is(set_state(vcpu->fd, type, want, len), 0, "%s: SET", what);
	err_is(get_state(vcpu->fd, type, got, len), 0, "%s: GET", what);
	ok(!memcmp(got, want, len), "%s: the same", what);
	for (size_t i = 0; i < len; i++) {
		if (((u8 *)got)[i] == ((u8 *)want)[i])
			continue;
		diag("first difference at byte %zu", i);
		break;
	}
	free(got);
}

static void nothing(void)
{
}

static void test_regs(void)
{
	struct tinyvmx_regs r;

	for (u32 round = 0; round < 4; round++) {
		for (u32 i = 0; i < TINYVMX_NR_GPR; i++)
			r.gpr[i] = noise();
		r.rip = noise() >> 17;
		r.rflags = (noise() & 0x3f7fd5) | 2;
		round_trip(TINYVMX_STATE_REGS, &r, sizeof(r), "REGS");
	}
	r.rip = 0xffffffff81000000;
	r.rflags = 2;
	round_trip(TINYVMX_STATE_REGS, &r, sizeof(r), "REGS, high RIP");
}

static void test_sregs(void)
{
	struct tinyvmx_sregs s = vcpu_sregs(vcpu), old = s;

	round_trip(TINYVMX_STATE_SREGS, &s, sizeof(s), "SREGS unchanged");
	for (u32 i = 0; i < TINYVMX_LDTR; i++) {
		s.seg[i].selector = noise();
		s.seg[i].base = noise() & 0x7fffffff;
		s.seg[i].limit = noise();
		s.seg[i].ar = (noise() & 0x1d0ff) | 1;
	}
	s.seg[TINYVMX_FS].base = 0xffff888012345678;
	s.seg[TINYVMX_GS].base = 0x00007fff12345678;
	s.gdt_base = 0xffffffff80001000;
	s.idt_base = 0x00007ffffffff000;
	s.gdt_limit = 0xffff;
	s.idt_limit = 0;
	s.cr2 = noise();
	s.cr3 = 0x12345000 | 0x18;
	s.cr8 = 15;
	round_trip(TINYVMX_STATE_SREGS, &s, sizeof(s), "SREGS");
	s.efer = s.cr4 = s.cr3 = 0;
	s.cr0 = 0x60000010;
	round_trip(TINYVMX_STATE_SREGS, &s, sizeof(s), "SREGS, real mode");
	s.cr0 = 0x80000011;
	s.cr4 = 0x20;
	for (u32 i = 0; i < 4; i++)
		s.pdpte[i] = 0x100001 + i * 0x1000;
	round_trip(TINYVMX_STATE_SREGS, &s, sizeof(s), "SREGS, PAE paging");
	round_trip(TINYVMX_STATE_SREGS, &old, sizeof(old), "SREGS, long mode");
}

static void test_msrs(void)
{
	struct tinyvmx_msr m[] = {
		{ 0xc0000081, 0, 0x0023001000000000 },
		{ 0xc0000082, 0, 0xffffffff81000040 },
		{ 0xc0000083, 0, 0x00007fffffffe000 },
		{ 0xc0000084, 0, 0x47700 },
		{ 0xc0000100, 0, 0xffff888000001111 },
		{ 0xc0000101, 0, 0x00007f0000002222 },
		{ 0xc0000102, 0, 0xffff888000003333 },
		{ 0x174, 0, 0x10 }, { 0x175, 0, 0xfffffe0000002000 },
		{ 0x176, 0, 0xffffffff81000100 },
		{ 0x277, 0, 0x0407050600070106 },
		{ 0xc0000081, 0, 0x0023001000000000 },
	};

	round_trip(TINYVMX_STATE_MSRS, m, sizeof(m), "MSRS");
	round_trip(TINYVMX_STATE_MSRS, m, 0, "MSRS, none");
}

static void test_xsave(void)
{
	u64 len = offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
	struct tinyvmx_xsave *x = calloc(1, len), *y;

	err_is(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len), 0, "XSAVE: GET");
	is(x->xcr0, 1, "XCR0 starts as 1");
	/* RESET gives FCW 40H, but a clear XSTATE_BV bit stands for 37FH. */
	if (x->image[512] & 1)
		is(*(u16 *)x->image, 0x40, "FCW after RESET");
	if (x->image[512] & 2)
		is(*(u32 *)(x->image + 24), 0x1f80, "MXCSR after RESET");
	x->xcr0 = info()->xcr0_mask & 7;
	*(u16 *)x->image = 0x27f;
	*(u32 *)(x->image + 24) = 0x1fa0;
	*(u64 *)(x->image + 512) = x->xcr0;	/* XSTATE_BV */
	for (u32 i = 160; i < 416; i++)		/* XMM0 ... XMM15 */
		x->image[i] = noise();
	for (u32 i = 576; x->xcr0 & 4 && i < 832; i++)	/* YMM */
		x->image[i] = noise();
	/* MXCSR_MASK is the CPU's own: take what GET gives. */
	must(set_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len));
	y = calloc(1, len);
	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, y, len));
	memcpy(x->image + 28, y->image + 28, 4);
	free(y);
	round_trip(TINYVMX_STATE_XSAVE, x, len, "XSAVE");
	free(x);
}

static void test_events(void)
{
	struct tinyvmx_events e = { };

	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, none");
	e.pending = TINYVMX_PENDING_NMI | TINYVMX_PENDING_EXTINT;
	e.extint_vector = 255;
	e.interruptibility = TINYVMX_BLOCKING_BY_NMI | TINYVMX_BLOCKING_BY_STI;
	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, NMI, EXTINT");
	e.pending = TINYVMX_PENDING_EVENT;
	e.extint_vector = 0;
	e.event_info = 0x80000b0e;
	e.event_error_code = 0x1f;
	e.interruptibility = TINYVMX_BLOCKING_BY_MOV_SS;
	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, #PF");
	e.event_info = 0x80000480;
	e.event_error_code = 0;
	e.event_instruction_len = 2;
	e.interruptibility = 0;
	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, INT 80H");
	memset(&e, 0, sizeof(e));
	e.activity = TINYVMX_ACTIVITY_HLT;
	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, HLT");
	e.activity = TINYVMX_ACTIVITY_SHUTDOWN;
	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, shutdown");
	e.activity = 0;
	e.pending_dbg = 0x4001;
	round_trip(TINYVMX_STATE_EVENTS, &e, sizeof(e), "EVENTS, pending debug");
	e.pending_dbg = 0;
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &e, sizeof(e)));
}

static void test_debug(void)
{
	struct tinyvmx_debug d;

	err_is(get_state(vcpu->fd, TINYVMX_STATE_DEBUG, &d, sizeof(d)), 0,
	       "DEBUG: GET");
	is(d.dr6, 0xffff0ff0, "DR6 after RESET");
	is(d.dr7, 0x400, "DR7 after RESET");
	for (u32 i = 0; i < 4; i++)
		d.dr[i] = noise() >> 17;
	d.dr6 = 0xffff4ff1;
	d.dr7 = 0x600;
	round_trip(TINYVMX_STATE_DEBUG, &d, sizeof(d), "DEBUG");
}

/* Reads the same address before and after the VMM has given it other page tables. */
#define MOVED_GVA	0xa00000UL
#define OTHER_GPA	0xc00000UL
#define OTHER_PT_GPA	GUEST_FREE_GPA

static void reads_twice(void)
{
	volatile u64 *moved = (volatile u64 *)MOVED_GVA;

	guest_is(*moved, 1);
	guest_sync(0);
	guest_is(*moved, 2);
}

/*
 * The CPU tags translations with VPID and EPTP, neither of which changes: without INVVPID those
 * of the old tables are still there. Try it without the one of set_sregs() in module/state.c.
 */
static void test_translations(void)
{
	struct vcpu *reader = vcpu_simple(reads_twice);
	u8 *ram = reader->vm->ram;
	u64 *tables = (u64 *)(ram + OTHER_PT_GPA);
	struct tinyvmx_sregs s;

	run_on_cpu(0);
	/* PML4, PDPT, the first directory, of pages of 2 MiB. */
	memcpy(tables, ram + GUEST_PT_GPA, 3 * PAGE);
	tables[0] = (OTHER_PT_GPA + PAGE) | 7;
	tables[512] = (OTHER_PT_GPA + 2 * PAGE) | 7;
	tables[1024 + MOVED_GVA / (2 * MIB)] += OTHER_GPA - MOVED_GVA;
	*(volatile u64 *)(ram + MOVED_GVA) = 1;
	*(volatile u64 *)(ram + OTHER_GPA) = 2;
	ok_sync(reader, 0, "the guest reads through its page tables");
	s = vcpu_sregs(reader);
	s.cr3 = OTHER_PT_GPA;
	vcpu_set_sregs(reader, &s);
	ok_done(reader, "SREGS with another CR3: it reads through those");
	vcpu_simple_destroy(reader);
}

int main(void)
{
	tap_init();
	vcpu = vcpu_simple(nothing);
	test_translations();
	test_regs();
	test_sregs();
	test_msrs();
	test_xsave();
	test_events();
	test_debug();
	return tap_exit();
}
