// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speculation control: the guest's own IA32_SPEC_CTRL, which never reaches the host; IBPB;
 * ARCH_CAPABILITIES.
 */
#include <cpuid.h>
#include <fcntl.h>

#include "lib.h"

#define SPEC_CTRL	0x48
#define PRED_CMD	0x49
#define ARCH_CAP	0x10a
#define IBRS		1
#define STIBP		2
#define SSBD		4

/* The host's value on this CPU, through the msr module; -1: no such module here. */
static long long host_msr(u32 index)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY);
	long long value = -1;

	if (fd < 0)
		return -1;
	if (pread(fd, &value, sizeof(value), index) != sizeof(value))
		value = -1;
	close(fd);
	return value;
}

static volatile u64 arch_cap;

static void uses(void)
{
	guest_is(rdmsr(SPEC_CTRL), 0);
	guest_is(try_wrmsr(SPEC_CTRL, IBRS | STIBP), -1);
	guest_is(rdmsr(SPEC_CTRL), IBRS | STIBP);
	guest_sync(1);
	guest_is(rdmsr(SPEC_CTRL), IBRS | STIBP);
	guest_is(try_wrmsr(SPEC_CTRL, 1UL << 40), GP);
	guest_is(try_wrmsr(SPEC_CTRL, 8), GP);
	guest_is(rdmsr(SPEC_CTRL), IBRS | STIBP);
	guest_is(try_wrmsr(SPEC_CTRL, 0), -1);
	guest_sync(2);
	guest_is(rdmsr(SPEC_CTRL), 0);
	guest_is(try_rdmsr(PRED_CMD), GP);
	guest_is(try_wrmsr(PRED_CMD, 0), -1);
	guest_is(try_wrmsr(PRED_CMD, 1), -1);
	guest_is(try_wrmsr(PRED_CMD, 2), GP);
	arch_cap = rdmsr(ARCH_CAP);
	guest_is(try_wrmsr(ARCH_CAP, arch_cap), GP);
}

static void test_use(void)
{
	struct vcpu *vcpu = vcpu_simple(uses);
	long long host;

	run_on_cpu(0);
	host = host_msr(SPEC_CTRL);
	ok_sync(vcpu, 1, "the guest sets IBRS and STIBP");
	is(vcpu_msr(vcpu, SPEC_CTRL), IBRS | STIBP, "GET_STATE tells it");
	if (host < 0)
		skip("no /dev/cpu/0/msr", "the host's value is another");
	else
		is(host_msr(SPEC_CTRL), host, "the host's value is as it was");
	ok_sync(vcpu, 2, "it keeps them, refuses what does not exist, clears them");
	ok_done(vcpu, "IBPB is a command; ARCH_CAPABILITIES is read-only");
	host = host_msr(ARCH_CAP);
	if (host < 0)
		skip("no /dev/cpu/0/msr, or no such MSR", "what the guest is told is true of the CPU");
	else
		is(G(vcpu->vm, arch_cap) & ~host, 0, "what the guest is told is true of the CPU");
	vcpu_simple_destroy(vcpu);
}

static void test_state(void)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	struct tinyvmx_msr bad = { .index = SPEC_CTRL, .value = 1UL << 63 };

	vcpu_set_msr(vcpu, SPEC_CTRL, IBRS);
	is(vcpu_msr(vcpu, SPEC_CTRL), IBRS, "SET_STATE and GET_STATE");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, &bad, sizeof(bad)), EINVAL, "a value that VM entry would refuse");
	is(vcpu_msr(vcpu, SPEC_CTRL), IBRS, "... changes nothing");
	vcpu_simple_destroy(vcpu);
}

static void has_none(void)
{
	guest_is(try_rdmsr(SPEC_CTRL), GP);
	guest_is(try_wrmsr(SPEC_CTRL, 0), GP);
	guest_is(try_wrmsr(PRED_CMD, 1), GP);
	guest_is(try_rdmsr(ARCH_CAP), GP);
}

/* As CPUID says, bit by bit. */
static void only_ibrs(void)
{
	guest_is(try_wrmsr(SPEC_CTRL, IBRS), -1);
	guest_is(try_wrmsr(SPEC_CTRL, SSBD), GP);
	guest_is(try_rdmsr(ARCH_CAP), GP);
}

static void run_with_leaf7(void *fn, u32 edx, const char *what)
{
	struct tinyvmx_cpuid table[200];
	struct vcpu *vcpu = vcpu_simple(fn);
	u32 n = host_cpuid(table, ARRAY_SIZE(table));

	for (u32 i = 0; i < n; i++)
		if (table[i].function == 7 && !table[i].index)
			table[i].edx = edx;
	must(set_cpuid(vcpu->fd, table, n));
	ok_done(vcpu, "%s", what);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	if (system("modprobe msr 2>/dev/null"))
		diag("no msr module: the host's values are not compared");
	if (info()->capabilities & TINYVMX_CAP_SPEC_CTRL) {
		test_use();
		test_state();
		run_with_leaf7(only_ibrs, 1U << 26, "SSBD and ARCH_CAPABILITIES need their CPUID bits");
	} else {
		skip("this CPU has no IBRS (vtbox --cpu corei7_skylake_x+sca_mitigations+new_microcode has)",
		     "speculation control");
	}
	run_with_leaf7(has_none, 0, "without the CPUID bits there are no such MSRs");
	return tap_exit();
}
