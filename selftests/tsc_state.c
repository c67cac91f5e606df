// SPDX-License-Identifier: GPL-2.0-only
/* TINYVMX_STATE_TSC: vCPUs that are set as of one moment are in step; MSRs and adjustment agree. */
#include "lib.h"

#define MSR_TSC		0x10
#define MSR_TSC_ADJUST	0x3b

static void idle(void)
{
	guest_sync(0);
}

static struct tinyvmx_tsc get(const struct vcpu *vcpu)
{
	struct tinyvmx_tsc tsc;

	must(get_state(vcpu->fd, TINYVMX_STATE_TSC, &tsc, sizeof(tsc)));
	return tsc;
}

static void set(const struct vcpu *vcpu, u64 guest, u64 host)
{
	struct tinyvmx_tsc tsc = { .guest = guest, .host = host };

	must(set_state(vcpu->fd, TINYVMX_STATE_TSC, &tsc, sizeof(tsc)));
}

static u64 distance(const struct vcpu *vcpu)
{
	struct tinyvmx_tsc tsc = get(vcpu);

	return tsc.guest - tsc.host;
}

static void test_step(struct vcpu *a, struct vcpu *b)
{
	u64 host = get(a).host;

	is(distance(a), distance(b), "new vCPUs are in step");
	set(a, 1000, host);
	set(b, 1000, host);
	is(distance(a), 1000 - host, "the guest's TSC is what it was set to, at that moment");
	is(distance(b), 1000 - host, "... that of another vCPU, too");
	set(b, ~0ULL - 5, host + 1000);
	is(distance(b), ~0ULL - 5 - host - 1000, "a moment that is still to come");
}

static void test_agrees(struct vcpu *vcpu)
{
	struct tinyvmx_tsc before, after;
	u64 msr;

	vcpu_set_msr(vcpu, MSR_TSC_ADJUST, 77);
	set(vcpu, 1ULL << 40, get(vcpu).host);
	before = get(vcpu);
	msr = vcpu_msr(vcpu, MSR_TSC);
	after = get(vcpu);
	ok(before.guest <= msr && msr <= after.guest, "the MSR is the same TSC");
	ok(before.host < after.host, "the host's goes on");
	is(vcpu_msr(vcpu, MSR_TSC_ADJUST), 77, "IA32_TSC_ADJUST stays");
	vcpu_set_msr(vcpu, MSR_TSC, 5);
	ok(get(vcpu).guest - 5 < 1ULL << 36, "what is written to the MSR is told");
}

static void test_refused(struct vcpu *vcpu)
{
	struct tinyvmx_tsc tsc[2] = { 0 };

	err_is(get_state(vcpu->fd, TINYVMX_STATE_TSC, tsc, sizeof(tsc)), EINVAL, "too long");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_TSC, tsc, 8), EINVAL, "too short");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_TSC, NULL, sizeof(tsc[0])), EFAULT, "from nowhere");
}

int main(void)
{
	struct vcpu *a, *b;
	struct vm *vm;

	tap_init();
	info();
	vm = vm_create();
	a = vcpu_create(vm, 0, idle, 0);
	b = vcpu_create(vm, 1, idle, 0);
	test_step(a, b);
	test_agrees(a);
	test_refused(a);
	ok_sync(a, 0, "the guest runs");
	vcpu_destroy(b);
	vcpu_destroy(a);
	vm_destroy(vm);
	return tap_exit();
}
