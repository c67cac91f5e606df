// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCALL as KVM answers it, with the features that KVM's leaf of CPUID offers; and PAUSE loops,
 * the other thing that vCPUs do who wait for each other.
 */
#include <sched.h>

#include "lapic.h"

#define KVM_ENOSYS	1000
#define KVM_EINVAL	22
#define VECTOR		0x61
#define EXIT_PAUSE	40

/* ------------------------------------------------------------- not offered */

static void calls_in_vain(void)
{
	guest_is(kvm_call(KVM_CALL_KICK, 0, 1, 0, 0), -KVM_ENOSYS);
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 2, 0, 0, VECTOR), -KVM_ENOSYS);
}

static void test_not_offered(void)
{
	struct vm *vm = lapic_vm();
	struct vcpu *vcpu = lapic_vcpu_kvm(vm, 0, calls_in_vain, 0);

	ok_done(vcpu, "calls whose features are not offered do not exist");
	vcpu_destroy(vcpu);
	vm_destroy(vm);
}

/* -------------------------------------------------------------------- kick */

static volatile u64 halts;	/* that have ended */

static void halts_for_kicks(void)
{
	cli();
	for (;;) {
		__asm__ volatile("hlt");
		halts++;
	}
}

static bool halts_reach(u64 n)
{
	for (u64 start = rdtsc(); halts < n;)
		if (rdtsc() - start > 5000 * guest_ms)
			return false;
	return true;
}

static void kicks(void)
{
	for (u64 n = 1; n <= 100; n++) {
		guest_is(kvm_call(KVM_CALL_KICK, 0, 1, 0, 0), 0);
		guest_ok(halts_reach(n));
	}
	guest_is(kvm_call(KVM_CALL_KICK, 0, 7, 0, 0), 0);	/* nobody */
	guest_is(kvm_call(KVM_CALL_KICK, 0, ~0UL, 0, 0), 0);
	guest_delay(5);
	guest_is(halts, 100);
}

static void test_kick(void)
{
	struct vm *vm = lapic_vm();
	struct vcpu *a = lapic_vcpu_kvm(vm, 0, kicks, KVM_FEATURE_UNHALT);
	struct vcpu *b = lapic_vcpu_kvm(vm, 1, halts_for_kicks, KVM_FEATURE_UNHALT);
	struct tinyvmx_events events;
	struct runner *runner;

	b->run->wait_for_peers = 1;
	runner = runner_start(b);
	ok_done(a, "100 kicks end 100 HLTs with interrupts off");
	runner_stop(runner);

	/* One that comes while the other does not run, and before it halts. */
	vcpu_call(b, halts_for_kicks, 0);
	vcpu_call(a, kicks, 0);
	events = vcpu_events(b);
	events.activity = TINYVMX_ACTIVITY_ACTIVE;
	events.pending |= TINYVMX_PENDING_UNHALT;
	must(set_state(b->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)));
	ok(vcpu_events(b).pending & TINYVMX_PENDING_UNHALT, "a kick that waits for a HLT is state");
	G(vm, halts) = 0;
	b->run->wait_for_peers = 0;
	ok_exit(b, TINYVMX_EXIT_HLT, "... it ends one HLT, the next one halts");
	is(G(vm, halts), 1, "... one");
	ok(!(vcpu_events(b).pending & TINYVMX_PENDING_UNHALT), "... and is gone");
	vcpu_destroy(a);
	vcpu_destroy(b);
	vm_destroy(vm);
}

/* --------------------------------------------------------------------- IPI */

static volatile u64 ready[3];
static volatile u32 arrived[3];

static void counts_by_id(struct guest_frame *frame)
{
	if ((u8)frame->vector == VECTOR || frame->vector == 2)
		arrived[rdmsr(X_ID)]++;
	guest_hook_eoi(frame);
}

static void counts(u64 id)
{
	sti();
	for (ready[id] = 1;;)
		relax();
}

static bool taken(u32 first, u32 second)
{
	for (u64 start = rdtsc(); arrived[1] != first || arrived[2] != second;)
		if (rdtsc() - start > 5000 * guest_ms)
			return false;
	return true;
}

static void sends(void)
{
	cli();
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 6, 0, 0, VECTOR), 2);
	guest_ok(taken(1, 1));
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 3, 0, 1, VECTOR), 2);
	guest_ok(taken(2, 2));
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 0, 6, (u32)-64, VECTOR), 0);
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 0xf0, ~0UL, 0, VECTOR), 0);	/* nobody */
	guest_is(kvm_call(KVM_CALL_SEND_IPI, ~0UL, ~0UL, 0xffffffff, VECTOR), 0);
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 0, 0, 0, VECTOR), 0);
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 2, 0, 0, 5), -KVM_EINVAL);
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 2, 0, 0, 0x500), -KVM_EINVAL);	/* INIT */
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 2, 0, 0, 0x690), -KVM_EINVAL);	/* SIPI */
	guest_is(kvm_call(KVM_CALL_SEND_IPI, 2, 0, 0, MODE_NMI), 1);
	guest_ok(taken(3, 2));
	guest_delay(5);
	guest_is(arrived[1] + arrived[2], 5);
}

static void test_send_ipi(void)
{
	struct vm *vm = lapic_vm();
	struct vcpu *vcpu[3];
	struct runner *runner[3];

	vcpu[0] = lapic_vcpu_kvm(vm, 0, sends, KVM_FEATURE_IPI);
	for (u32 n = 0; n < 4; n++)
		G(vm, guest_expected[n]) = n ? ~0UL : 1 << 2;
	G(vm, guest_hook) = counts_by_id;
	for (u32 n = 1; n < 3; n++) {
		vcpu[n] = lapic_vcpu_kvm(vm, n, counts, KVM_FEATURE_IPI);
		runner[n] = runner_start(vcpu[n]);
		if (!wait_change(&G(vm, ready[n]), 0))
			bail("vCPU %u does not start", n);
	}
	ok_done(vcpu[0], "IPIs to sets of vCPUs");
	for (u32 n = 1; n < 3; n++)
		runner_stop(runner[n]);
	for (u32 n = 0; n < 3; n++)
		vcpu_destroy(vcpu[n]);
	vm_destroy(vm);
}

/* ------------------------------------------------------------------- PAUSE */

static volatile u32 turn;
#define TURNS	20

/* Each waits for the other, who has to have the CPU for that. */
static void takes_turns(u64 id)
{
	for (u32 n = 0; n < TURNS; n++) {
		while (turn != 2 * n + id)
			relax();
		turn++;
	}
	if (id)
		for (;;)
			relax();
}

static bool has_pause_loop_exiting(void)
{
	u64 proc2 = info()->vmx_msrs[0x48b - TINYVMX_VMX_MSR_BASE];

	return proc2 >> 32 & 1 << 10;
}

/* Two vCPUs on one CPU: without the exits each turn lasts until the scheduler's next tick. */
static void test_pause_loop(void)
{
	struct vm *vm = lapic_vm();
	struct vcpu *a = lapic_vcpu(vm, 0, takes_turns), *b = lapic_vcpu(vm, 1, takes_turns);
	struct runner *runner;
	struct tinyvmx_exits exits;
	cpu_set_t set;
	u64 start;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	run_on_cpu(0);
	runner = runner_start(b);
	pthread_setaffinity_np(runner->thread, sizeof(set), &set);
	start = rdtsc();
	ok_done(a, "%u turns of two vCPUs on one CPU, which spin", TURNS);
	diag("%lu us a turn", (rdtsc() - start) * 1000 / (2 * TURNS * (u64)info()->tsc_khz));
	must(get_state(a->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	if (has_pause_loop_exiting()) {
		ok(exits.count[EXIT_PAUSE] >= TURNS / 2, "... each gives way to the other");
		ok(rdtsc() - start < 2 * TURNS * ms_to_tsc(1), "... in less than 1 ms a turn");
	} else {
		skip("no PAUSE-loop exiting", "... each gives way to the other");
		skip("no PAUSE-loop exiting", "... in less than 1 ms a turn");
	}
	runner_stop(runner);
	vcpu_destroy(a);
	vcpu_destroy(b);
	vm_destroy(vm);
}

int main(void)
{
	tap_init();
	test_not_offered();
	test_kick();
	test_send_ipi();
	test_pause_loop();
	return tap_exit();
}
