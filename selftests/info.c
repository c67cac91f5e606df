// SPDX-License-Identifier: GPL-2.0-only
/* GET_INFO: its numbers make sense, agree with the CPU, and obey @size. */
#include "lib.h"

static void test_limits(const struct tinyvmx_info *in)
{
	is(in->size, sizeof(*in), "size is the kernel's size of the struct");
	is(in->abi_version, TINYVMX_ABI_VERSION, "abi_version");
	is(in->flags, 0, "flags");
	ok(in->max_vcpus >= 1, "max_vcpus %u", in->max_vcpus);
	ok(in->max_slots >= 8, "max_slots %u", in->max_slots);
	ok(in->max_cpuid_entries >= 64, "max_cpuid_entries %u",
	   in->max_cpuid_entries);
	ok(in->max_msr_entries >= 16, "max_msr_entries %u", in->max_msr_entries);
	ok(in->max_eventfds >= 16, "max_eventfds %u", in->max_eventfds);
	ok(in->run_bytes >= sizeof(struct tinyvmx_run) && !(in->run_bytes % PAGE),
	   "run_bytes %u", in->run_bytes);
	ok(in->gpa_bits >= 36 && in->gpa_bits <= 52, "gpa_bits %u", in->gpa_bits);
	ok(in->xsave_bytes >= 576, "xsave_bytes %u", in->xsave_bytes);
}

static void test_masks(const struct tinyvmx_info *in)
{
	u64 known_caps = TINYVMX_CAP_EXECUTE_ONLY * 2 - 1;

	is(in->capabilities & ~known_caps, 0, "no unknown capability bits");
	is(!(in->capabilities & TINYVMX_CAP_ROOT_OWN) +
	   !(in->capabilities & TINYVMX_CAP_ROOT_SECTION), 1,
	   "VMX root is ours for good, or in sections");
	is(in->cr0_mask & 0x80010021, 0x80010021, "cr0_mask: PG, WP, NE, PE");
	is(in->cr0_mask & ~0xe005003fUL, 0, "cr0_mask: no reserved bits");
	is(in->cr4_mask & 0x620, 0x620, "cr4_mask: PAE, OSFXSR, OSXMMEXCPT");
	is(in->cr4_mask & (1 << 13), 0, "cr4_mask: no VMXE");
	is(in->efer_mask & 0xd01, 0xd01, "efer_mask: NXE, LMA, LME, SCE");
	is(in->xcr0_mask & 3, 3, "xcr0_mask: x87, SSE");
	is(!!(in->capabilities & TINYVMX_CAP_XSAVE), !!(in->xcr0_mask & ~3ULL),
	   "CAP_XSAVE says that there is more than SSE");
}

static void test_cpu(const struct tinyvmx_info *in)
{
	u32 reg[4];

	cpuid(0x80000008, 0, reg);
	ok(in->gpa_bits <= (reg[0] & 0xff), "gpa_bits is at most CPUID's %u",
	   reg[0] & 0xff);
	cpuid(1, 0, reg);
	ok(reg[2] & 1 << 5, "CPUID says VMX");
	is(in->vmcs_revision, in->vmx_msrs[0] & 0x7fffffff,
	   "vmcs_revision is in IA32_VMX_BASIC");
	is(in->feature_control & 5, 5, "IA32_FEATURE_CONTROL: locked, VMX on");
	is(in->vmx_msr_valid & 0x3ff, 0x3ff, "MSRs 480H to 489H exist");
	is(in->vmx_msr_valid >> TINYVMX_VMX_MSR_COUNT, 0,
	   "vmx_msr_valid: only MSRs that have room");
	is(in->vmx_msrs[6] & 0x20, 0x20, "IA32_VMX_CR0_FIXED0 wants NE");
	is(in->vmx_msrs[8] & 0x2000, 0x2000, "IA32_VMX_CR4_FIXED0 wants VMXE");
}

static void test_sizes(int dev)
{
	struct {
		struct tinyvmx_info in;
		u64 tail[4];
	} arg;

	memset(&arg, 0, sizeof(arg));
	arg.in.size = sizeof(arg);
	err_is(ioctl(dev, TINYVMX_GET_INFO, &arg), 0, "a zero tail is accepted");
	is(arg.in.size, sizeof(arg.in), "size comes back as the kernel's");
	ok(!memcmp(&arg.in, info(), sizeof(arg.in)), "the same answer as before");
	is(arg.tail[0] | arg.tail[1] | arg.tail[2] | arg.tail[3], 0,
	   "the tail stays zero");

	arg.in.size = sizeof(arg);
	arg.tail[3] = 1;
	err_is(ioctl(dev, TINYVMX_GET_INFO, &arg), E2BIG, "a non-zero tail");
	arg.in.size = sizeof(arg.in) - 1;
	err_is(ioctl(dev, TINYVMX_GET_INFO, &arg), EINVAL, "a byte too small");
	arg.in.size = sizeof(arg.in);
	arg.in.flags = 1;
	err_is(ioctl(dev, TINYVMX_GET_INFO, &arg), EOPNOTSUPP, "a flag");
}

int main(void)
{
	int dev;

	tap_init();
	dev = dev_open();
	test_limits(info());
	test_masks(info());
	test_cpu(info());
	test_sizes(dev);
	return tap_exit();
}
