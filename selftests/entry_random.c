// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random guest states: what the CPU refuses hvctl can explain, and what hvctl
 * finds fault with the CPU refuses. Arguments: number of states, seed.
 */
#include <signal.h>
#include <time.h>

#include "chance.h"
#include "lib.h"

#include "explain/explain.h"

#define MOST	512

/* Any guest state, valid or not */
struct state {
	struct tinyvmx_sregs s;
	struct tinyvmx_regs r;
	struct tinyvmx_events e;
	char changes[256];
};

static struct vcpu *vcpu;
static struct state good;
static struct tinyvmx_vmcs_field field[MOST];
static struct vmx_cpu cpu;
static timer_t timer;

static void done(void)
{
	outl(GUEST_PORT, GUEST_DONE);
}

/* --- chance --- */

static u64 chance_bit(const u8 *bits, u32 n)
{
	return 1ULL << bits[chance() % n];
}

static u64 chance_value(void)
{
	static const u64 edges[] = {
		0, 1, 0x7fff, 0x8000, 0xffff, 0x10000, 0xfffff, 0x100000,
		0xfffffffe, 0xffffffff, 0x100000000, 0x7fffffffffff,
		0x800000000000, 0xffff800000000000, 0xffff7fffffffffff,
		0x9000000000000000, 0xffffffffffffffff,
	};

	return edges[chance() % ARRAY_SIZE(edges)];
}

/* --- where to start from --- */

static void leave_ia32e(struct state *st)
{
	st->s.efer &= ~0x500ULL;
	st->s.seg[TINYVMX_CS].ar = 0xc09b;
}

static void make_compat(struct state *st)
{
	st->s.seg[TINYVMX_CS].ar = 0xc09b;
}

static void make_v86(struct state *st)
{
	leave_ia32e(st);
	st->s.cr4 &= ~0x20ULL;
	for (u32 i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		st->s.seg[i] = (struct tinyvmx_segment){
			.selector = 0x1000, .base = 0x10000,
			.limit = 0xffff, .ar = 0xf3,
		};
	st->r.rflags = 0x20002;
	st->r.rip = 0x100;
}

static void make_real(struct state *st)
{
	make_v86(st);
	st->s.cr0 &= ~0x80000001ULL;
	for (u32 i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		st->s.seg[i].ar = i == TINYVMX_CS ? 0x9b : 0x93;
	st->r.rflags = 2;
}

static void make_user(struct state *st)
{
	for (u32 i = TINYVMX_ES; i <= TINYVMX_DS; i++) {
		st->s.seg[i].ar |= 0x60;
		st->s.seg[i].selector = i == TINYVMX_CS ? SEL_USER_CS64 : SEL_USER_DS;
	}
}

static void make_long(struct state *st)
{
	(void)st;
}

static void (*const modes[])(struct state *st) = {
	make_long, make_compat, leave_ia32e, make_v86, make_real, make_user,
};

/* --- changes; each tells what it did --- */

static void tell(struct state *st, const char *what, u64 value)
{
	size_t used = strlen(st->changes);

	snprintf(st->changes + used, sizeof(st->changes) - used, " %s 0x%llx",
		 what, (unsigned long long)value);
}

static void change_ar_bit(struct state *st)
{
	struct tinyvmx_segment *seg = &st->s.seg[chance() % TINYVMX_NR_SEG];

	seg->ar ^= 1U << chance() % 17;
	tell(st, "access rights", seg->ar);
}

static void change_type(struct state *st)
{
	struct tinyvmx_segment *seg = &st->s.seg[chance() % TINYVMX_NR_SEG];

	seg->ar = (seg->ar & ~0xfU) | (chance() & 0xf);
	tell(st, "access rights", seg->ar);
}

static void change_limit(struct state *st)
{
	struct tinyvmx_segment *seg = &st->s.seg[chance() % TINYVMX_NR_SEG];

	seg->limit = (u32)chance_value();
	tell(st, "limit", seg->limit);
}

static void change_base(struct state *st)
{
	struct tinyvmx_segment *seg = &st->s.seg[chance() % TINYVMX_NR_SEG];

	seg->base = chance_value();
	tell(st, "base", seg->base);
}

static void change_selector(struct state *st)
{
	struct tinyvmx_segment *seg = &st->s.seg[chance() % TINYVMX_NR_SEG];

	seg->selector ^= 1U << chance() % 4;
	tell(st, "selector", seg->selector);
}

static void change_rflags(struct state *st)
{
	static const u8 bits[] = { 0, 4, 8, 9, 14, 16, 17, 18, 21 };

	st->r.rflags ^= chance_bit(bits, ARRAY_SIZE(bits));
	tell(st, "RFLAGS", st->r.rflags);
}

static void change_rip(struct state *st)
{
	st->r.rip = chance_value();
	tell(st, "RIP", st->r.rip);
}

static void change_table(struct state *st)
{
	__u64 *base = chance() & 1 ? &st->s.gdt_base : &st->s.idt_base;

	*base = chance_value();
	tell(st, "GDT or IDT base", *base);
}

static void change_cr0(struct state *st)
{
	static const u8 bits[] = { 0, 1, 2, 3, 4, 5, 16, 18, 29, 30, 31 };

	st->s.cr0 ^= chance_bit(bits, ARRAY_SIZE(bits));
	tell(st, "CR0", st->s.cr0);
}

static void change_cr4(struct state *st)
{
	st->s.cr4 ^= 1ULL << chance() % 23;
	tell(st, "CR4", st->s.cr4);
}

static void change_blocking(struct state *st)
{
	static const u32 values[] = { 1, 2, 8, 3, 9, 10 };

	st->e.interruptibility = values[chance() % ARRAY_SIZE(values)];
	tell(st, "interruptibility", st->e.interruptibility);
}

static void change_pending_debug(struct state *st)
{
	st->e.pending_dbg = 1ULL << chance() % 20;
	tell(st, "pending debug", st->e.pending_dbg);
}

static void change_pdpte(struct state *st)
{
	__u64 *pdpte = &st->s.pdpte[chance() % 4];

	*pdpte = 0x1001 | 1ULL << chance() % 45;
	tell(st, "PDPTE", *pdpte);
}

static void (*const changes[])(struct state *st) = {
	change_ar_bit, change_ar_bit, change_ar_bit, change_ar_bit,
	change_type, change_limit, change_base, change_selector,
	change_rflags, change_rip, change_table, change_cr0, change_cr4,
	change_blocking, change_pending_debug, change_pdpte,
};

static void make_state(struct state *st)
{
	u32 n = 1 + chance() % 2;

	*st = good;
	modes[chance() % ARRAY_SIZE(modes)](st);
	while (n--)
		changes[chance() % ARRAY_SIZE(changes)](st);
	/* What SET_STATE wants of EFER */
	st->s.efer &= ~0x400ULL;
	if (st->s.cr0 >> 31 && st->s.efer & 0x100)
		st->s.efer |= 0x400;
}

/* --- both opinions --- */

static bool set_all(const struct state *st)
{
	return !set_state(vcpu->fd, TINYVMX_STATE_SREGS, &st->s, sizeof(st->s)) &&
	       !set_state(vcpu->fd, TINYVMX_STATE_REGS, &st->r, sizeof(st->r)) &&
	       !set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &st->e, sizeof(st->e));
}

static size_t find(struct explain_finding *findings, size_t max)
{
	struct tinyvmx_get_vmcs arg = {
		.size = sizeof(arg), .count = MOST,
		.fields = (uintptr_t)field,
	};
	struct explain_gaps gaps;
	size_t n;

	must(ioctl(vcpu->fd, TINYVMX_GET_VMCS, &arg));
	n = explain_find(&cpu, field, arg.count, findings, max, &gaps);
	if (gaps.blanked || gaps.missing || gaps.unknown)
		bail("%zu rules on blanked, %zu on missing fields, %zu on unknown MSRs",
		     gaps.blanked, gaps.missing, gaps.unknown);
	return n < max ? n : max;
}

/* The guest may do anything: it gets 2 ms. */
static bool entry_is_refused(void)
{
	static const struct itimerspec on = {
		.it_value.tv_nsec = 2000000, .it_interval.tv_nsec = 2000000,
	};
	static const struct itimerspec off;
	u64 exits = vcpu->run->exits;
	int ret, err;

	/* A signal may come before the first entry: then the CPU has not been asked. */
	do {
		timer_settime(timer, 0, &on, NULL);
		ret = ioctl(vcpu->fd, TINYVMX_RUN, 0);
		err = errno;
		timer_settime(timer, 0, &off, NULL);
	} while (ret && err == EINTR && vcpu->run->exits == exits);
	if (ret && err != EINTR)
		bail("RUN: %s", strerror(err));
	return !ret && vcpu->run->reason == TINYVMX_EXIT_ENTRY_FAILED;
}

struct tally {
	u32 entered, refused, not_set;
	u32 unexplained, unfounded;
};

static void compare(struct tally *t)
{
	struct explain_finding findings[8];
	struct state st;
	size_t n;

	make_state(&st);
	if (!set_all(&st)) {
		t->not_set++;
		return;
	}
	n = find(findings, ARRAY_SIZE(findings));
	if (entry_is_refused()) {
		t->refused++;
		t->unexplained += !n;
		if (!n)
			diag("refused and not explained:%s", st.changes);
		return;
	}
	t->entered++;
	if (n) {
		t->unfounded++;
		diag("entered, against %s:%s", findings[0].text, st.changes);
	}
}

static void start(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
	};

	vcpu = vcpu_simple(done);
	must(get_state(vcpu->fd, TINYVMX_STATE_SREGS, &good.s, sizeof(good.s)));
	must(get_state(vcpu->fd, TINYVMX_STATE_REGS, &good.r, sizeof(good.r)));
	must(get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &good.e, sizeof(good.e)));
	/* The host-state area is complete after the first RUN. */
	must_done(vcpu);
	vmx_cpu_from_info(&cpu, info());
	ignore_signal(SIGUSR1);
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
}

int main(int argc, char **argv)
{
	u32 n = argc > 1 ? (u32)atoi(argv[1]) : 600;
	struct tally t = { 0 };

	tap_init();
	if (geteuid())
		skip_all("needs root to see the whole VMCS");
	if (argc > 2)
		chance_begin(argv[2]);
	start();
	for (u32 i = 0; i < n; i++)
		compare(&t);
	diag("of %u states %u entered, %u refused, %u not settable",
	     n, t.entered, t.refused, t.not_set);
	is(t.unexplained, 0, "hvctl explains each state that the CPU refuses");
	is(t.unfounded, 0, "hvctl finds no fault with states that the CPU takes");
	ok(t.entered && t.refused, "there were both");
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
