// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random guests: a state of each mode, whole or broken, and random code in it.
 *
 * All share one vCPU, whose state is set anew each time: making a VM would take a
 * hundred times as long as most guests live.
 */
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

#define CODE_PAGE	1UL
#define STACK_TOP	(8 * PAGE)
#define TABLES		(16 * PAGE)	/* identity mapping of the first 2 MiB, each format */
#define IDT		(24 * PAGE)
#define GDT		(25 * PAGE)
#define MOST_RUNS	6		/* of one guest: each exit to userspace ends one */

#define CR0_PE		(1ULL << 0)
#define CR0_ET		(1ULL << 4)
#define CR0_NE		(1ULL << 5)
#define CR0_WP		(1ULL << 16)
#define CR0_AM		(1ULL << 18)
#define CR0_PG		(1ULL << 31)
#define CR4_PSE		(1ULL << 4)
#define CR4_PAE		(1ULL << 5)
#define EFER_LONG	0x500ULL	/* LME and LMA */
#define GATE		0x00008e0000081000	/* of 32 bits, to the code */
#define AR_CODE		(TINYVMX_AR_P | TINYVMX_AR_S | 0xb)
#define AR_DATA		(TINYVMX_AR_P | TINYVMX_AR_S | 0x3)

/* Instructions that exit, change modes or fault in their own way; the rest is noise. */
static const struct { u8 len, byte[7]; } insns[] = {
	{ 2, { 0x0f, 0xa2 } }, { 1, { 0xf4 } }, { 2, { 0xe6, 0x80 } }, { 2, { 0xe4, 0x71 } },
	{ 1, { 0xee } }, { 1, { 0xed } }, { 1, { 0x6f } }, { 2, { 0xf3, 0x6c } },
	{ 3, { 0x0f, 0x22, 0xc0 } }, { 3, { 0x0f, 0x22, 0xd8 } }, { 3, { 0x0f, 0x22, 0xe0 } },
	{ 3, { 0x0f, 0x20, 0xc0 } }, { 4, { 0x44, 0x0f, 0x22, 0xc0 } },
	{ 3, { 0x0f, 0x23, 0xf8 } }, { 3, { 0x0f, 0x21, 0xf0 } }, { 2, { 0x0f, 0x06 } },
	{ 3, { 0x0f, 0x01, 0xf0 } }, { 2, { 0x0f, 0x32 } }, { 2, { 0x0f, 0x30 } },
	{ 2, { 0x0f, 0x31 } }, { 3, { 0x0f, 0x01, 0xf9 } }, { 2, { 0x0f, 0x33 } },
	{ 3, { 0x0f, 0x01, 0xd1 } }, { 3, { 0x0f, 0x01, 0xd0 } }, { 3, { 0x0f, 0x01, 0xc1 } },
	{ 3, { 0x0f, 0x01, 0xc8 } }, { 3, { 0x0f, 0x01, 0xc9 } }, { 2, { 0x0f, 0x08 } },
	{ 2, { 0x0f, 0x09 } }, { 3, { 0x0f, 0x01, 0x38 } }, { 3, { 0x0f, 0x01, 0x10 } },
	{ 3, { 0x0f, 0x01, 0x18 } }, { 3, { 0x0f, 0x00, 0xd8 } }, { 3, { 0x0f, 0x00, 0xd0 } },
	{ 1, { 0xfb } }, { 1, { 0xfa } }, { 1, { 0xcf } }, { 2, { 0x48, 0xcf } }, { 1, { 0xcc } },
	{ 2, { 0xcd, 0x20 } }, { 1, { 0xf1 } }, { 1, { 0x9d } }, { 2, { 0x0f, 0x05 } },
	{ 2, { 0x0f, 0x34 } }, { 2, { 0x0f, 0x35 } }, { 2, { 0x8e, 0xd0 } },
	{ 2, { 0x8e, 0xd8 } }, { 2, { 0xf3, 0x90 } }, { 3, { 0x0f, 0xc7, 0xf0 } },
	{ 3, { 0x0f, 0x01, 0xcf } }, { 3, { 0x0f, 0xae, 0x00 } },
	{ 5, { 0x66, 0x0f, 0x38, 0x80, 0x00 } }, { 5, { 0x66, 0x0f, 0x38, 0x82, 0x00 } },
	{ 3, { 0x0f, 0x01, 0xd4 } }, { 2, { 0x0f, 0xaa } }, { 3, { 0x0f, 0xae, 0xf0 } },
	{ 3, { 0x0f, 0x01, 0xee } }, { 2, { 0x89, 0x03 } }, { 2, { 0x8b, 0x06 } },
	{ 1, { 0x58 } }, { 1, { 0x50 } }, { 5, { 0xb9, 0x10, 0x00, 0x00, 0x00 } },
	{ 5, { 0xb9, 0x1b, 0x00, 0x00, 0x00 } }, { 5, { 0xb9, 0x80, 0x00, 0x00, 0xc0 } },
	{ 5, { 0xb9, 0x30, 0x08, 0x00, 0x00 } }, { 5, { 0xb9, 0xe0, 0x06, 0x00, 0x00 } },
	{ 5, { 0xb9, 0x48, 0x00, 0x00, 0x00 } },
};

static u8 *ram;
static int vm, vcpu;
static struct tinyvmx_run *run;
static struct tinyvmx_lapic lapic;	/* as it was at first */

static void put64(u8 *at, u64 value)
{
	memcpy(at, &value, sizeof(value));
}

/* All formats at once: the same entries do for PAE and for long mode, others for 32 bits. */
static void make_tables(u8 *base)
{
	put64(base + TABLES, (TABLES + PAGE) | 7);
	put64(base + TABLES + PAGE, (TABLES + 2 * PAGE) | 7);
	put64(base + TABLES + 2 * PAGE, 0x80 | 7);
	put64(base + TABLES + 3 * PAGE, 0x80 | 7);
	put64(base + GDT + 8, 0x00af9b000000ffff);
	put64(base + GDT + 16, 0x00cf93000000ffff);
	put64(base + GDT + 24, 0x00cf9b000000ffff);
}

static void make_code(u64 *random, u8 *code)
{
	u32 at = 0;

	while (at + 8 < 96) {
		u64 n = noise(random);

		if (n % 4) {
			n = (n >> 8) % ARRAY_SIZE(insns);
			memcpy(code + at, insns[n].byte, insns[n].len);
			at += insns[n].len;
			continue;
		}
		put64(code + at, noise(random));
		at += 1 + (n >> 8) % 8;
	}
}

static struct tinyvmx_segment segment(u16 selector, u32 limit, u32 ar)
{
	return (struct tinyvmx_segment){ .selector = selector, .limit = limit, .ar = ar };
}

enum { REAL, PROTECTED, PAGED32, PAGED_PAE, LONG, COMPATIBILITY, NR_MODES };

static void set_mode(struct tinyvmx_sregs *s, u32 mode)
{
	u32 flat = mode == REAL ? 0 : TINYVMX_AR_G | TINYVMX_AR_DB;
	u32 limit = mode == REAL ? 0xffff : ~0U;

	for (u32 n = TINYVMX_ES; n <= TINYVMX_GS; n++)
		s->seg[n] = segment(mode == REAL ? 0 : 16, limit, AR_DATA | flat);
	s->seg[TINYVMX_CS] = segment(mode == REAL ? 0 : 24, limit, AR_CODE | flat);
	s->seg[TINYVMX_LDTR] = segment(0, 0xffff, TINYVMX_AR_P | 2);
	s->seg[TINYVMX_TR] = segment(0, 0xffff, TINYVMX_AR_P | 0xb);
	s->cr0 = CR0_ET | CR0_NE | (mode == REAL ? 0 : CR0_PE);
	if (mode >= PAGED32) {
		s->cr0 |= CR0_PG;
		s->cr4 = mode == PAGED32 ? CR4_PSE : CR4_PAE;
		s->cr3 = TABLES + (mode == PAGED32 ? 3 : mode == PAGED_PAE) * PAGE;
	}
	for (u32 n = 0; n < 4; n++)
		s->pdpte[n] = mode == PAGED_PAE && !n ? (TABLES + 2 * PAGE) | 1 : 0;
	if (mode >= LONG)
		s->efer = EFER_LONG;
	if (mode == LONG)
		s->seg[TINYVMX_CS] = segment(8, ~0U, AR_CODE | TINYVMX_AR_G | TINYVMX_AR_L);
}

/* Some way of breaking it: bits flipped, numbers replaced. */
void guest_break(u64 *random, void *blob, u32 len)
{
	for (u32 times = 1 + noise(random) % 3; times; times--) {
		u32 at = noise(random) % (len / 4) * 4;
		u64 value = number(random);

		if (noise(random) & 3)
			((u8 *)blob)[at + noise(random) % 4] ^= 1 << noise(random) % 8;
		else
			memcpy((u8 *)blob + at, &value, at + 8 <= len ? 8 : 4);
	}
}

static u64 random_gate(u64 *random)
{
	if (!one_in(random, 8))
		return 0;
	return one_in(random, 2) ? GATE : noise(random);
}

void guest_make(u64 *random, struct tinyvmx_sregs *sregs, struct tinyvmx_regs *regs, u8 *base)
{
	memset(sregs, 0, sizeof(*sregs));
	set_mode(sregs, noise(random) % NR_MODES);
	sregs->gdt_base = GDT;
	sregs->gdt_limit = 31;
	sregs->idt_base = IDT;
	sregs->idt_limit = 0xfff;
	if (one_in(random, 4))
		sregs->cr0 |= CR0_WP | CR0_AM;
	for (u32 n = 0; n < TINYVMX_NR_GPR; n++)
		regs->gpr[n] = one_in(random, 2) ? noise(random) % RAM_BYTES : number(random);
	regs->gpr[TINYVMX_RSP] = STACK_TOP - noise(random) % 16;
	regs->rip = CODE_PAGE * PAGE;
	/* IF, TF, AC, DF, IOPL now and then. */
	regs->rflags = 2 | (noise(random) & noise(random) & 0x43700);
	make_tables(base);
	make_code(random, base + CODE_PAGE * PAGE);
	/* Handlers: none, so that the end is near, or noise, or the code again. */
	for (u32 n = 0; n < 32; n++)
		put64(base + IDT + 8 * n, random_gate(random));
	if (one_in(random, 4))
		guest_break(random, sregs, sizeof(*sregs));
	if (one_in(random, 8))
		guest_break(random, regs, sizeof(*regs));
}

static void state_ioctl(unsigned long cmd, u32 type, void *data, u32 len)
{
	struct tinyvmx_state arg = {
		.size = sizeof(arg), .type = type, .version = 1,
		.data = (uintptr_t)data, .len = len,
	};

	counted_ioctl(vcpu, cmd, &arg);
	atomic_fetch_add(&shared->for_guests, 1);
}

static void set_state(u32 type, void *data, u32 len)
{
	state_ioctl(TINYVMX_SET_STATE, type, data, len);
}

static void set_events(u64 *random)
{
	struct tinyvmx_events events = { 0 };
	struct tinyvmx_debug debug = { .dr6 = 0xffff0ff0, .dr7 = 0x400 };

	if (one_in(random, 2)) {
		events.pending = noise(random) & noise(random) & 7;
		events.interruptibility = noise(random) & noise(random) & 0xb;
		events.activity = one_in(random, 8) ? 1 + noise(random) % 2 : 0;
		events.extint_vector = noise(random) & 0xff;
		if (events.pending & TINYVMX_PENDING_EVENT)
			events.event_info = 1U << 31 | (noise(random) & 0xfff);
		if (one_in(random, 4))
			guest_break(random, &events, sizeof(events));
	}
	set_state(TINYVMX_STATE_EVENTS, &events, sizeof(events));
	if (!one_in(random, 8))
		return;
	for (u32 n = 0; n < 4; n++)
		debug.dr[n] = noise(random) % RAM_BYTES;
	debug.dr7 |= noise(random) & 0xffff03ff;
	set_state(TINYVMX_STATE_DEBUG, &debug, sizeof(debug));
}

/* What userspace may answer with. */
static void answer(u64 *random)
{
	run->want_intr_window = one_in(random, 4);
	run->io.data = noise(random);
	run->request = noise(random) % 4;
	if (run->request & TINYVMX_REQ_SET_REGS && one_in(random, 4))
		guest_break(random, &run->regs, sizeof(run->regs));
	else
		run->regs.rip += run->instruction_len;
}

/* Mostly by the run page, which costs no system call. */
static void set_regs(u64 *random, struct tinyvmx_regs *regs)
{
	run->request = 0;
	if (one_in(random, 8)) {
		set_state(TINYVMX_STATE_REGS, regs, sizeof(*regs));
		return;
	}
	run->request = TINYVMX_REQ_SET_REGS;
	run->regs = *regs;
}

static void run_guest(u64 seed)
{
	struct tinyvmx_sregs sregs;
	struct tinyvmx_regs regs;
	u64 random = seed;

	guest_make(&random, &sregs, &regs, ram);
	run->want_intr_window = 0;
	set_state(TINYVMX_STATE_SREGS, &sregs, sizeof(sregs));
	set_regs(&random, &regs);
	set_events(&random);
	for (u32 n = 0; n < MOST_RUNS; n++) {
		int reason = counted_run(vcpu, run);

		atomic_fetch_add(&shared->for_guests, 1);
		if (reason < 0 || reason == TINYVMX_EXIT_SHUTDOWN ||
		    reason == TINYVMX_EXIT_ENTRY_FAILED || reason == TINYVMX_EXIT_UNKNOWN)
			break;
		answer(&random);
	}
}

void guests_run(u64 seed)
{
	set_state(TINYVMX_STATE_LAPIC, &lapic, sizeof(lapic));
	for (u32 n = 0; n < GUESTS_BATCH; n++)
		run_guest(seed + n);
	thread_timer_stop();
}

void guests_init(void)
{
	struct tinyvmx_create_vm create = { .size = sizeof(create), .flags = TINYVMX_VM_LAPIC };
	struct tinyvmx_create_vcpu create_vcpu = { .size = sizeof(create_vcpu) };
	struct tinyvmx_memory memory = { .size = sizeof(memory), .len = RAM_BYTES };

	ram = map_anonymous(NULL, RAM_BYTES);
	memory.hva = (uintptr_t)ram;
	vm = counted_ioctl(device, TINYVMX_CREATE_VM, &create);
	if (vm < 0 || counted_ioctl(vm, TINYVMX_SET_MEMORY, &memory))
		err(1, "VM");
	vcpu = counted_ioctl(vm, TINYVMX_CREATE_VCPU, &create_vcpu);
	if (vcpu < 0)
		err(1, "vCPU");
	run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		err(1, "run page");
	state_ioctl(TINYVMX_GET_STATE, TINYVMX_STATE_LAPIC, &lapic, sizeof(lapic));
}
