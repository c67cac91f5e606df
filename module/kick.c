// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reaches a vCPU from elsewhere.
 */
#include <linux/bitops.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <linux/smp.h>

#include "host.h"
#include "kick.h"

void tvx_vcpu_kick(struct tvx_vcpu *vcpu)
{
	int cpu;

	/* What is pending is seen before where the vCPU is: load() does it the other way round. */
	smp_mb();
	cpu = READ_ONCE(vcpu->loaded_cpu);
	if (cpu < 0)
		rcuwait_wake_up(&vcpu->wait);
	else if (cpu == raw_smp_processor_id())
		vcpu->recheck = true;	/* on its thread, or in an interrupt of it */
	else if (!READ_ONCE(vcpu->polling))
		tvx_host_kick_cpu(cpu);
}

void tvx_vcpu_request(struct tvx_vcpu *vcpu, unsigned int request)
{
	preempt_disable();
	/* If it was there, who has made it has kicked, or is about to, without being preempted. */
	if (!test_and_set_bit(request, &vcpu->requests))
		tvx_vcpu_kick(vcpu);
	preempt_enable();
}
