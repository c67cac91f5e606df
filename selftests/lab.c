// SPDX-License-Identifier: GPL-2.0-only
/* Lab mode: its errors, its verdicts, and what it does not let anybody do. */
#include <sys/syscall.h>

#include "lab.h"

#include "lib/x86.h"

static struct lab lab;

static int try_one(u32 field, u64 value)
{
	lab_begin(&lab);
	lab_change(&lab, field, LAB_SET, value);
	return lab_try(&lab);
}

static void test_errors(void)
{
	struct tinyvmx_lab arg;

	err_is(try_one(0x4803, 0), EINVAL, "a high half");
	err_is(try_one(0x1a800, 0), EINVAL, "an encoding with reserved bits");
	err_is(try_one(0x880, 0), EINVAL, "an index that no dump comes to");
	err_is(try_one(VMCS_EXIT_REASON, 0), EINVAL, "a field that is told");
	err_is(try_one(VMCS_GUEST_CS_SELECTOR, 0x10000), EINVAL, "17 bits in a field of 16");
	err_is(try_one(VMCS_GUEST_CS_AR, 1ULL << 32), EINVAL, "33 bits in a field of 32");
	err_is(try_one(0x687e, 0), ENOENT, "a field that no CPU has");
	lab_is_undone(&lab);
	arg = lab.arg;
	arg.count = LAB_MOST + 1;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), EINVAL, "too many fields");
	arg = lab.arg;
	arg.dump_count = 3;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), ENOSPC, "no room for the dump");
	is(arg.dump_count, lab.good_count, "... it says how much is needed");
	arg = lab.arg;
	arg.flags = 1;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), EOPNOTSUPP, "a flag");
	arg = lab.arg;
	arg.size--;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), EINVAL, "a short struct");
	arg = lab.arg;
	arg.count = 1;
	arg.fields = 8;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), EFAULT, "fields that are not there");
	arg = lab.arg;
	arg.dump = 8;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), EFAULT, "a dump that is not there");
	lab.write[0].pad = 1;
	arg = lab.arg;
	arg.count = 1;
	err_is(ioctl(lab.vcpu->fd, TINYVMX_LAB, &arg), EINVAL, "padding that is not zero");
	lab.write[0].pad = 0;
}

static int as_nobody(void *unused)
{
	(void)unused;
	/* The raw call: glibc would signal the other threads. */
	if (syscall(SYS_setresuid, 65534, 65534, 65534))
		return 1;
	lab_begin(&lab);
	/* Another process's memory: what is asked first decides. */
	return !(lab_try(&lab) && (errno == EPERM || errno == EIO));
}

static void *without_capabilities(void *result)
{
	int *ret = result;

	*ret = syscall(SYS_setresuid, 65534, 65534, 65534) ? 0 : lab_try(&lab);
	errno = *ret ? errno : 0;
	*ret = *ret ? errno : 0;
	return NULL;
}

/* A thread alone gives its rights up: the VM is this process's. */
static void test_rights(void)
{
	pthread_t thread;
	int ret;

	is(reap(spawn(as_nobody, NULL)), 0, "not for another process");
	lab_begin(&lab);
	must(pthread_create(&thread, NULL, without_capabilities, &ret) ? -1 : 0);
	pthread_join(thread, NULL);
	is(ret, EPERM, "not without CAP_SYS_ADMIN");
}

static void test_verdicts(void)
{
	must(try_one(VMCS_GUEST_RIP, lab_value(&lab, VMCS_GUEST_RIP)));
	is(lab.arg.verdict, TINYVMX_LAB_ENTERED, "a good VMCS is entered");
	is(lab.arg.exit_reason >> 31, 0, "... and left again, by exit %u", lab.arg.exit_reason);
	must(try_one(VMCS_GUEST_RFLAGS, 0));
	is(lab.arg.verdict, TINYVMX_LAB_REFUSED, "guest state");
	is(lab.arg.exit_reason, 0x80000021, "... is refused by an exit");
	must(try_one(VMCS_HOST_CS_SELECTOR, 3));
	is(lab.arg.verdict, TINYVMX_LAB_REFUSED, "host state");
	is(lab.arg.instruction_error, 8, "... is refused by an error");
	must(try_one(VMCS_TSC_OFFSET, 12345));
	is(lab.arg.verdict, TINYVMX_LAB_CHECKED, "a control that is not refused is checked");
	is(lab.arg.exit_reason, 0, "... and tells no exit");
	must(try_one(VMCS_HOST_SYSENTER_CS, 8));
	is(lab.arg.verdict, TINYVMX_LAB_ENTERED, "harmless host state is entered with");
}

/* What the host would not come back from, with the field that is told to be at fault */
static const struct unsafe {
	const char *what;
	struct lab_change change;
} unsafe[] = {
	{ "a VM-exit entry point that is not ours", FLIP(HOST_RIP, 8) },
	{ "a stack that is not ours", FLIP(HOST_RSP, 0x100) },
	{ "page tables that are not ours", FLIP(HOST_CR3, 0x1000) },
	{ "a host without SMEP", FLIP(HOST_CR4, 1 << 20) },
	{ "a host without write protection", OFF(HOST_CR0, X86_CR0_WP) },
	{ "another IDT", FLIP(HOST_IDTR_BASE, 0x1000) },
	{ "another GDT", FLIP(HOST_GDTR_BASE, 0x1000) },
	{ "another TSS", FLIP(HOST_TR_BASE, 0x1000) },
	{ "another CPU's data", FLIP(HOST_GS_BASE, 0x1000) },
	{ "another code segment", SET(HOST_CS_SELECTOR, 0x20) },
	{ "no execute-disable", OFF(HOST_EFER, X86_EFER_NXE) },
	{ "another memory type", SET(HOST_PAT, 0x0007040600070400) },
	{ "an exit that keeps the guest's EFER", OFF(EXIT_CTLS, 1 << EXIT_LOAD_EFER) },
	{ "an exit that keeps the guest's PAT", OFF(EXIT_CTLS, 1 << EXIT_LOAD_PAT) },
	{ "MSRs from anywhere", SET(EXIT_MSR_LOAD_COUNT, 4) },
	{ "a virtual-APIC page anywhere", SET(VIRTUAL_APIC_ADDR, 0xfee00000) },
	{ "a shadow VMCS anywhere", SET(LINK_POINTER, 0xfee00000) },
};

static void test_unsafe(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(unsafe); i++) {
		lab_begin(&lab);
		lab_changes(&lab, &unsafe[i].change, 1);
		must(lab_try(&lab));
		is(lab.arg.verdict, TINYVMX_LAB_UNSAFE, "%s: not tried", unsafe[i].what);
		is(lab.arg.field, unsafe[i].change.field, "... and told why");
	}
}

/* Not every CPU has each of these controls; then it refuses them, and nothing has happened. */
static const struct combination {
	const char *what;
	struct lab_change change[3];
} combinations[] = {
	{ "an entry point that is not ours, and counters that the CPU does not have",
	  { ON(EXIT_CTLS, 1 << EXIT_LOAD_PERF_GLOBAL), SET(HOST_PERF_GLOBAL_CTRL, 1ULL << 60),
	    FLIP(HOST_RIP, 8) } },
	{ "bounds that no exit takes back", { ON(ENTRY_CTLS, 1 << ENTRY_LOAD_BNDCFGS) } },
	{ "a trace to anywhere", { ON(ENTRY_CTLS, 1 << ENTRY_LOAD_RTIT) } },
	{ "a shadow stack that no exit takes back", { ON(ENTRY_CTLS, 1 << ENTRY_LOAD_CET) } },
	{ "protection keys that no exit takes back", { ON(ENTRY_CTLS, 1 << ENTRY_LOAD_PKRS) } },
};

static void test_combinations(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(combinations); i++) {
		lab_begin(&lab);
		lab_changes(&lab, combinations[i].change, ARRAY_SIZE(combinations[i].change));
		must(lab_try(&lab));
		if (lab.arg.verdict == TINYVMX_LAB_REFUSED && lab.arg.instruction_error == 7)
			skip("this CPU has no such control", "%s", combinations[i].what);
		else
			is(lab.arg.verdict, TINYVMX_LAB_UNSAFE, "%s: not tried",
			   combinations[i].what);
	}
}

/* With each of these a guest that ran would have the host, or keep its CPU. */
static const struct lab_change dangerous[] = {
	OFF(PIN_CTLS, 1 << PIN_EXTINT_EXITING),
	OFF(PIN_CTLS, 1 << PIN_NMI_EXITING | 1 << PIN_VIRTUAL_NMIS),
	OFF(PROC2_CTLS, 1 << PROC2_EPT | 1 << PROC2_UNRESTRICTED), SET(EPTP, 0x1e),
	SET(EXCEPTION_BITMAP, 0), SET(GUEST_ACTIVITY, 3), SET(MSR_BITMAP, 0x1000),
	SET(EXIT_MSR_STORE_COUNT, 1), SET(ENTRY_MSR_LOAD_COUNT, 1),
};

static void test_dangerous(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(dangerous); i++) {
		lab_begin(&lab);
		lab_changes(&lab, &dangerous[i], 1);
		must(lab_try(&lab));
		ok(lab.arg.verdict == TINYVMX_LAB_CHECKED || lab.arg.verdict == TINYVMX_LAB_REFUSED,
		   "field 0x%x = 0x%llx is not entered with", dangerous[i].field,
		   (unsigned long long)lab_value(&lab, dangerous[i].field));
	}
}

/* The vCPU runs as if nobody had been there. */
static void test_undone(void)
{
	lab_is_undone(&lab);
	ok_done(lab.vcpu, "the vCPU runs afterwards");
}

int main(void)
{
	lab_start(&lab);
	test_errors();
	test_rights();
	test_verdicts();
	test_unsafe();
	test_combinations();
	test_dangerous();
	test_undone();
	vcpu_simple_destroy(lab.vcpu);
	return tap_exit();
}
