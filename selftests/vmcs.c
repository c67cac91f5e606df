// SPDX-License-Identifier: GPL-2.0-only
/* GET_VMCS: all fields in order, true values, and nothing for the curious. */
#include <sys/syscall.h>

#include "lib.h"

#define MOST 512

static struct tinyvmx_vmcs_field field[MOST];
static struct vcpu *vcpu;

static int dump(u32 *count)
{
	struct tinyvmx_get_vmcs arg = {
		.size = sizeof(arg), .count = *count,
		.fields = (uintptr_t)field,
	};
	int ret = ioctl(vcpu->fd, TINYVMX_GET_VMCS, &arg);

	*count = arg.count;
	return ret;
}

static u64 value(u32 count, u32 encoding)
{
	for (u32 i = 0; i < count; i++) {
		if (field[i].encoding == encoding)
			return field[i].value;
	}
	return 0xdead;
}

static void nothing(void)
{
	guest_sync(1);
}

/* An emulator that is strict about it fills a VMCS that is new with A5H. */
static void test_new(void)
{
	struct vcpu *fresh = vcpu_simple(nothing), *old = vcpu;
	u32 n = MOST, unwritten = 0;

	vcpu = fresh;
	must(dump(&n));
	vcpu = old;
	for (u32 i = 0; i < n; i++) {
		/* Odd types are what VM exits tell and load: there was none. */
		if (field[i].encoding >> 10 & 1 || (field[i].value & 0xffff) != 0xa5a5)
			continue;
		diag("field %#x = %#llx", field[i].encoding, field[i].value);
		unwritten++;
	}
	is(unwritten, 0, "each control and guest field of a new VMCS is written");
	vcpu_simple_destroy(fresh);
}

static void test_counts(u32 have)
{
	u32 n = 0;

	err_is(dump(&n), ENOSPC, "no room");
	is(n, have, "count is what is needed");
	n = have - 1;
	field[0].value = 0x77;
	err_is(dump(&n), ENOSPC, "room for all but one");
	is(n, have, "count is what is needed");
	n = have;
	err_is(dump(&n), 0, "just enough room");
	struct tinyvmx_get_vmcs arg = {
		.size = sizeof(arg), .count = have, .fields = 8,
	};

	err_is(ioctl(vcpu->fd, TINYVMX_GET_VMCS, &arg), EFAULT,
	       "fields cannot be written");
}

static void test_values(u32 n)
{
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);
	u32 bad = 0;

	for (u32 i = 1; i < n; i++)
		bad += field[i].encoding <= field[i - 1].encoding;
	is(bad, 0, "ascending by encoding");
	for (u32 i = 0; i < n; i++)
		bad += field[i].pad != 0 || field[i].encoding & 1;
	is(bad, 0, "no padding, no high halves");
	ok(n > 100, "%u fields", n);
	vcpu_get_regs(vcpu);
	is(value(n, 0x681e), vcpu->regs.rip, "guest RIP");
	is(value(n, 0x681c), vcpu->regs.gpr[TINYVMX_RSP], "guest RSP");
	is(value(n, 0x6802), s.cr3, "guest CR3");
	is(value(n, 0x0802), SEL_CS64, "guest CS selector");
	is(value(n, 0x4402), 30, "exit reason: I/O");
	is(value(n, 0x2800), ~0UL, "VMCS link pointer");
}

static void test_cpus(u32 have)
{
	u32 bad = 0, n;

	for (int cpu = 0; cpu < online_cpus(); cpu++) {
		if (!run_on_cpu(cpu))
			continue;
		n = MOST;
		must(dump(&n));
		if (n != have)
			diag("CPU %d: %u fields", cpu, n);
		bad += n != have;
	}
	is(bad, 0, "the same fields on each CPU");
}

/* Host state is 0 without CAP_SYS_ADMIN. */
static int unprivileged(void)
{
	struct {
		u32 version;
		int pid;
	} head = { 0x20080522, 0 };
	u32 data[6] = { 0 }, n = MOST;

	must(syscall(SYS_capset, &head, data));
	must(dump(&n));
	for (u32 i = 0; i < n; i++) {
		u32 type = field[i].encoding >> 10 & 3;

		/* Type 3 is host state. */
		if (type == 3 && field[i].value) {
			diag("field %#x = %#llx", field[i].encoding,
			     field[i].value);
			return 1;
		}
	}
	return value(n, 0x201a) || value(n, 0x2004);
}

int main(void)
{
	u32 n = MOST;

	tap_init();
	vcpu = vcpu_simple(nothing);
	ok_sync(vcpu, 1, "a vCPU that has run");
	if (err_is(dump(&n), 0, "GET_VMCS")) {
		test_values(n);
		test_new();
		test_counts(n);
		test_cpus(n);
		ok(value(n, 0x6c00) != 0 || geteuid(), "root sees host CR0");
		is(unprivileged(), 0,
		   "without CAP_SYS_ADMIN host state and EPTP are 0");
	}
	return tap_exit();
}
