/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine: its memory and its vCPUs.
 */
#ifndef TVX_VM_H
#define TVX_VM_H

#include <linux/bitmap.h>
#include <linux/kref.h>
#include <linux/mutex.h>

#include "ioeventfd.h"
#include "irqfd.h"
#include "memory.h"
#include "vcpu.h"

/**
 * struct tvx_vm - one VM
 * @refs: held by its fd and by each vCPU
 * @user: whom it is counted to, and all that belongs to it
 * @memory: its guest-physical memory
 * @tsc_start: when it was made, by the host's TSC as if that had never gone back: the vCPUs' TSCs
 *	agree, and were 0 then
 * @lock: protects @vcpu_ids
 * @vcpu_ids: bit n: vCPU n exists
 * @vcpus: those that can be sent interrupts
 * @ioeventfds: ports whose writes signal an eventfd
 * @irqfds: eventfds that raise an interrupt
 * @lapic: vCPUs have a local APIC
 * @ferr: x87 errors are told as CR0.NE says
 * @kvm: the VM of KVM's that keeps VMX on, NULL: none
 * @dead: a handler failed: every ioctl is EIO
 */
struct tvx_vm {
	struct kref refs;
	struct tvx_user *user;
	struct tvx_memory memory;
	u64 tsc_start;
	struct mutex lock;	/* vcpu_ids */
	DECLARE_BITMAP(vcpu_ids, TVX_MAX_VCPUS);
	struct tvx_vcpu_set vcpus;
	struct tvx_ioeventfds ioeventfds;
	struct tvx_irqfds irqfds;
	bool lapic;
	bool ferr;
	struct file *kvm;
	bool dead;
};

/*
 * Create a VM of current->mm; @flags: TINYVMX_VM_*; @kvm: in KVM's VMX root, which
 * that file holds, or NULL. May sleep.
 * Return: it, which has a reference to @kvm; ERR_PTR(-ENOMEM, -EBUSY, -EIO, -EINTR,
 * -EOPNOTSUPP).
 */
struct tvx_vm *tvx_vm_create(u32 flags, struct file *kvm);
void tvx_vm_put(struct tvx_vm *vm);

/* Create vCPU @id. Return: it, or ERR_PTR(-EINVAL, -EEXIST, -ENOMEM, -EIO). May sleep. */
struct tvx_vcpu *tvx_vm_create_vcpu(struct tvx_vm *vm, unsigned int id);
/* The last reference to @vcpu is gone. May sleep. */
void tvx_vm_destroy_vcpu(struct tvx_vcpu *vcpu);

/* TINYVMX_MSI on a copied-in argument. Return: 0, or -errno as the ABI says. */
int tvx_vm_msi(struct tvx_vm *vm, const struct tinyvmx_msi *arg);

/* 0, or -EIO if @vm is dead or belongs to another process. */
static inline int tvx_vm_check(const struct tvx_vm *vm)
{
	return READ_ONCE(vm->dead) || current->mm != vm->memory.mm ? -EIO : 0;
}

#endif
