// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifetime of VMs. The last put tears down, in one place.
 */
#define pr_fmt(fmt) "tinyvmx: " fmt
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/msr.h>

#include "host_power.h"
#include "host_user.h"
#include "irqchip/lapic.h"
#include "vm.h"
#include "vmx_caps.h"
#include "vmx_cpu.h"

static int charge_user(struct tvx_vm *vm)
{
	int err;

	vm->user = tvx_user_get();
	if (!vm->user)
		return -ENOMEM;
	err = tvx_user_charge(vm->user, TVX_USER_VMS);
	if (err)
		tvx_user_put(vm->user);
	return err;
}

static void uncharge_user(struct tvx_vm *vm)
{
	tvx_user_uncharge(vm->user, TVX_USER_VMS);
	tvx_user_put(vm->user);
}

struct tvx_vm *tvx_vm_create(u32 flags, struct file *kvm)
{
	bool lapic = flags & TINYVMX_VM_LAPIC;
	struct tvx_vm *vm;
	int err;

	if (lapic && !tvx_host_has_tsc()) {
		pr_err_ratelimited("the host's TSC has no known frequency or is unstable: a local APIC's timer cannot go by it (dmesg | grep -i tsc says why)\n");
		return ERR_PTR(-EOPNOTSUPP);
	}
	/* To ignore an error takes a step. */
	if ((flags & TINYVMX_VM_FERR) && !vmx_caps.has_step)
		return ERR_PTR(-EOPNOTSUPP);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	err = charge_user(vm);
	if (err)
		goto free;
	err = tvx_memory_init(&vm->memory, vm->user, lapic && vmx_caps.apicv);
	if (err)
		goto uncharge;
	err = vmx_get(kvm);
	if (err)
		goto destroy_memory;
	kref_init(&vm->refs);
	mutex_init(&vm->lock);
	tvx_ioeventfds_init(&vm->ioeventfds, &vm->memory);
	tvx_irqfds_init(&vm->irqfds, &vm->vcpus);
	vm->tsc_start = rdtsc() + tvx_host_tsc_lost();
	vm->lapic = lapic;
	vm->ferr = flags & TINYVMX_VM_FERR;
	vm->kvm = kvm ? get_file(kvm) : NULL;
	return vm;

destroy_memory:
	tvx_memory_destroy(&vm->memory);
uncharge:
	uncharge_user(vm);
free:
	kfree(vm);
	return ERR_PTR(err);
}

static void destroy(struct kref *refs)
{
	struct tvx_vm *vm = container_of(refs, struct tvx_vm, refs);

	tvx_irqfds_destroy(&vm->irqfds);
	tvx_ioeventfds_destroy(&vm->ioeventfds);
	tvx_memory_destroy(&vm->memory);
	vmx_put();
	if (vm->kvm)
		fput(vm->kvm);
	uncharge_user(vm);
	kfree(vm);
}

void tvx_vm_put(struct tvx_vm *vm)
{
	kref_put(&vm->refs, destroy);
}

int tvx_vm_msi(struct tvx_vm *vm, const struct tinyvmx_msi *arg)
{
	struct tvx_message message;
	int ret;

	if (!vm->lapic)
		return -EOPNOTSUPP;
	ret = tvx_lapic_parse_msi(arg, &message);
	if (ret)
		return ret;
	ret = tvx_lapic_send(&vm->vcpus, &message);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ENOENT;
}

struct tvx_vcpu *tvx_vm_create_vcpu(struct tvx_vm *vm, unsigned int id)
{
	struct tvx_vcpu_config config = {
		.vm = vm,
		.memory = &vm->memory,
		.peers = &vm->vcpus,
		.ioeventfds = &vm->ioeventfds,
		.id = id,
		.tsc_start = vm->tsc_start,
		.lapic = vm->lapic,
		.ferr = vm->ferr,
	};
	struct tvx_vcpu *vcpu;
	int err = 0;

	if (id >= TVX_MAX_VCPUS)
		return ERR_PTR(-EINVAL);
	mutex_lock(&vm->lock);
	if (__test_and_set_bit(id, vm->vcpu_ids))
		err = -EEXIST;
	mutex_unlock(&vm->lock);
	if (err)
		return ERR_PTR(err);

	err = tvx_user_charge(vm->user, TVX_USER_VCPUS);
	if (err)
		goto release_id;
	err = -ENOMEM;
	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		goto uncharge;
	err = tvx_vcpu_init(vcpu, &config);
	if (err)
		goto free;
	kref_get(&vm->refs);
	rcu_assign_pointer(vm->vcpus.vcpu[id], vcpu);
	return vcpu;

free:
	kfree(vcpu);
uncharge:
	tvx_user_uncharge(vm->user, TVX_USER_VCPUS);
release_id:
	mutex_lock(&vm->lock);
	__clear_bit(id, vm->vcpu_ids);
	mutex_unlock(&vm->lock);
	return ERR_PTR(err);
}

void tvx_vm_destroy_vcpu(struct tvx_vcpu *vcpu)
{
	struct tvx_vm *vm = vcpu->vm;

	/* Unpublish first: a sender that still has it finds it until the RCU grace period. */
	RCU_INIT_POINTER(vm->vcpus.vcpu[vcpu->id], NULL);
	tvx_vcpu_destroy(vcpu);
	mutex_lock(&vm->lock);
	__clear_bit(vcpu->id, vm->vcpu_ids);
	mutex_unlock(&vm->lock);
	kfree_rcu(vcpu, rcu);
	tvx_user_uncharge(vm->user, TVX_USER_VCPUS);
	tvx_vm_put(vm);
}
