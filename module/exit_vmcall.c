// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCALL, as KVM answers it (the kernel's Documentation/virt/kvm/x86/hypercalls.rst).
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <uapi/asm/kvm_para.h>
#include <uapi/linux/kvm_para.h>

#include "exit_handlers.h"
#include "irqchip/lapic.h"
#include "kick.h"
#include "state_cr.h"

/* A call's number and arguments: RAX, RBX, RCX, RDX, RSI, as wide as the mode has them. */
struct call {
	u64 number;
	u64 arg[4];
	bool wide;
};

static const u8 arg_gpr[] = { TINYVMX_RBX, TINYVMX_RCX, TINYVMX_RDX, TINYVMX_RSI };

static struct call read_call(const struct tvx_vcpu *vcpu)
{
	const unsigned long *gpr = vcpu->world.gpr;
	struct call call = { .number = gpr[TINYVMX_RAX], .wide = tvx_in_64bit_mode() };
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(arg_gpr); n++)
		call.arg[n] = call.wide ? gpr[arg_gpr[n]] : (u32)gpr[arg_gpr[n]];
	if (!call.wide)
		call.number = (u32)call.number;
	return call;
}

static bool offers(const struct tvx_vcpu *vcpu, unsigned int feature)
{
	return vcpu->policy.kvm_features & BIT(feature);
}

/* End the HLT of the vCPU whose APIC id is the second argument, or its next one. */
static long kick_cpu(struct tvx_vcpu *vcpu, const struct call *call)
{
	if (!offers(vcpu, KVM_FEATURE_PV_UNHALT))
		return -KVM_ENOSYS;
	tvx_lapic_unhalt(vcpu->peers, call->arg[1]);
	tvx_vcpu_woke(vcpu);
	return 0;
}

/* An IPI, by the low half of an ICR, to a set of APIC ids: a map, from the third argument on. */
static long send_ipi(struct tvx_vcpu *vcpu, const struct call *call)
{
	unsigned int word_bits = call->wide ? 64 : 32;
	long count = 0;
	unsigned int n;

	if (!offers(vcpu, KVM_FEATURE_PV_SEND_IPI))
		return -KVM_ENOSYS;
	for (n = 0; n < 2 * word_bits; n++) {
		u64 id = (u64)(u32)call->arg[2] + n;
		int taken;

		if (!(call->arg[n / word_bits] >> (n % word_bits) & 1))
			continue;
		taken = tvx_lapic_send_ipi(vcpu, id, call->arg[3]);
		if (taken < 0)
			return -KVM_EINVAL;
		count += taken;
	}
	tvx_vcpu_woke(vcpu);
	return count;
}

static long do_call(struct tvx_vcpu *vcpu, const struct call *call)
{
	if (tvx_cpl())
		return -KVM_EPERM;
	switch (call->number) {
	case KVM_HC_VAPIC_POLL_IRQ:
		return 0;
	case KVM_HC_KICK_CPU:
		return kick_cpu(vcpu, call);
	case KVM_HC_SEND_IPI:
		return send_ipi(vcpu, call);
	default:
		return -KVM_ENOSYS;
	}
}

/* Who finds KVM's signature in CPUID may call it; to all others it is a CPU without VMX. */
enum tvx_result tvx_exit_vmcall(struct tvx_vcpu *vcpu)
{
	struct call call;
	long result;

	if (!vcpu->policy.kvm_calls)
		return tvx_exit_ud(vcpu);
	call = read_call(vcpu);
	result = do_call(vcpu, &call);
	vcpu->world.gpr[TINYVMX_RAX] = call.wide ? result : (u32)result;
	tvx_skip_instruction(vcpu);
	return TVX_RESUME;
}
