// SPDX-License-Identifier: GPL-2.0-only
/*
 * The three kinds of file descriptor and their ioctls.
 */
#include <linux/anon_inodes.h>
#include <linux/array_size.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "cpuid.h"
#include "dev.h"
#include "exit_debug.h"
#include "exit_record.h"
#include "host.h"
#include "host_kvm.h"
#include "ioctl.h"
#include "lab.h"
#include "msr.h"
#include "run.h"
#include "state.h"
#include "vcpu_switch.h"
#include "vm.h"
#include "vmcs.h"
#include "vmx_caps.h"
#include "vmx_cpu.h"

/*
 * Give @object to a new file and install its fd, last of all: from then on
 * another thread may use and close it. On failure @object is still the caller's.
 */
static int install_fd(const char *name, const struct file_operations *fops, void *object)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, object, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/* ------------------------------------------------------------------- vCPU */

static long tvx_ioctl_get_state(void *object, void *arg)
{
	return tvx_state_get(object, arg);
}

static long tvx_ioctl_set_state(void *object, void *arg)
{
	return tvx_state_set(object, arg);
}

static long tvx_ioctl_inject(void *object, void *arg)
{
	return tvx_state_inject(object, arg);
}

static long tvx_ioctl_set_cpuid(void *object, void *arg)
{
	const struct tinyvmx_set_cpuid *cpuid = arg;
	struct tinyvmx_cpuid *entries = NULL;
	struct tvx_vcpu *vcpu = object;
	int err;

	if (cpuid->pad)
		return -EINVAL;
	if (cpuid->count > TVX_MAX_CPUID)
		return -ENOSPC;
	if (cpuid->count) {
		entries = vmemdup_user(u64_to_user_ptr(cpuid->entries),
				       cpuid->count * sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	err = tvx_cpuid_check(entries, cpuid->count);
	if (!err)
		err = tvx_vcpu_get_vmcs(vcpu);
	if (!err) {
		entries = tvx_cpuid_replace(vcpu, entries, cpuid->count);
		tvx_vcpu_put_vmcs(vcpu);
	}
	kvfree(entries);	/* the old table, or the refused one */
	return err;
}

static long tvx_ioctl_get_vmcs(void *object, void *arg)
{
	struct tinyvmx_get_vmcs *get = arg;
	u32 room = min_t(u32, get->count, VMCS_MAX_FIELDS);
	bool privileged = capable(CAP_SYS_ADMIN);
	struct tinyvmx_vmcs_field *fields;
	struct tvx_vcpu *vcpu = object;
	long err;

	if (get->pad)
		return -EINVAL;
	fields = kvcalloc(room ?: 1, sizeof(*fields), GFP_KERNEL_ACCOUNT);
	if (!fields)
		return -ENOMEM;
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		goto free;
	get->count = vmcs_dump(fields, room, privileged);
	tvx_vcpu_put_vmcs(vcpu);
	if (get->count > room)
		err = -ENOSPC;
	else if (copy_to_user(u64_to_user_ptr(get->fields), fields,
			      get->count * sizeof(*fields)))
		err = -EFAULT;
free:
	kvfree(fields);
	return err;
}

static long tvx_ioctl_set_debug(void *object, void *arg)
{
	return tvx_debug_set(object, arg);
}

static long tvx_ioctl_lab(void *object, void *arg)
{
	return tvx_lab_try(object, arg);
}

static long tvx_ioctl_set_record(void *object, void *arg)
{
	return tvx_record_set(object, arg);
}

static const struct tvx_ioctl vcpu_ioctls[] = {
	{ TINYVMX_GET_STATE, sizeof(struct tinyvmx_state), 0, false, tvx_ioctl_get_state },
	{ TINYVMX_SET_STATE, sizeof(struct tinyvmx_state), 0, false, tvx_ioctl_set_state },
	{ TINYVMX_SET_CPUID, sizeof(struct tinyvmx_set_cpuid), 0, false, tvx_ioctl_set_cpuid },
	{ TINYVMX_INJECT, sizeof(struct tinyvmx_inject), TINYVMX_INJECT_ERROR_CODE, false,
	  tvx_ioctl_inject },
	{ TINYVMX_GET_VMCS, sizeof(struct tinyvmx_get_vmcs), 0, true, tvx_ioctl_get_vmcs },
	{ TINYVMX_SET_DEBUG, sizeof(struct tinyvmx_set_debug),
	  TINYVMX_DEBUG_INT3 | TINYVMX_DEBUG_STEP | TINYVMX_DEBUG_BREAKPOINTS |
	  TINYVMX_DEBUG_NO_INTERRUPTS, false, tvx_ioctl_set_debug },
	{ TINYVMX_LAB, sizeof(struct tinyvmx_lab), 0, true, tvx_ioctl_lab },
	{ TINYVMX_SET_RECORD, sizeof(struct tinyvmx_set_record), 0, false, tvx_ioctl_set_record },
};

static long run_vcpu(struct tvx_vcpu *vcpu, unsigned long arg)
{
	long err;

	if (unlikely(arg))
		return -EINVAL;
	err = tvx_vcpu_run(vcpu);
	if (unlikely(err == -EIO))
		WRITE_ONCE(vcpu->vm->dead, true);
	return err;
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tvx_vcpu *vcpu = file->private_data;
	const struct tvx_ioctl *row = NULL;
	long ret;

	if (unlikely(cmd != TINYVMX_RUN)) {
		row = tvx_ioctl_find(vcpu_ioctls, ARRAY_SIZE(vcpu_ioctls), cmd);
		if (!row)
			return -ENOTTY;
	}
	ret = tvx_vm_check(vcpu->vm);
	if (unlikely(ret))
		return ret;
	if (!mutex_trylock(&vcpu->lock))
		return -EBUSY;
	if (likely(!row))
		ret = run_vcpu(vcpu, arg);
	else
		ret = tvx_ioctl_call(row, vcpu, (void __user *)arg);
	mutex_unlock(&vcpu->lock);
	return ret;
}

static int map_run(struct tvx_vcpu *vcpu, struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	tvx_host_vma_restrict(vma, VM_MAYEXEC);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

/* Without vcpu->lock, which RUN holds: a ring that is there stays as it is. */
static int map_record(struct tvx_vcpu *vcpu, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EINVAL;
	tvx_host_vma_restrict(vma, VM_MAYEXEC | VM_MAYWRITE);
	return tvx_record_map(vcpu, vma);
}

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct tvx_vcpu *vcpu = file->private_data;

	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	switch (vma->vm_pgoff) {
	case 0:
		return map_run(vcpu, vma);
	case PHYS_PFN(TINYVMX_RECORD_OFFSET):
		return map_record(vcpu, vma);
	}
	return -EINVAL;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	tvx_vm_destroy_vcpu(file->private_data);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};

/* --------------------------------------------------------------------- VM */

static long tvx_ioctl_set_memory(void *object, void *arg)
{
	struct tvx_vm *vm = object;

	return tvx_memory_set(&vm->memory, arg);
}

static long tvx_ioctl_get_use(void *object, void *arg)
{
	struct tvx_vm *vm = object;

	return tvx_memory_get_use(&vm->memory, arg);
}

static long tvx_ioctl_get_ept(void *object, void *arg)
{
	struct tvx_vm *vm = object;

	return tvx_memory_get_ept(&vm->memory, arg);
}

static long tvx_ioctl_create_vcpu(void *object, void *arg)
{
	const struct tinyvmx_create_vcpu *create = arg;
	struct tvx_vcpu *vcpu;
	int fd;

	if (create->pad)
		return -EINVAL;
	vcpu = tvx_vm_create_vcpu(object, create->id);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	fd = install_fd("tinyvmx-vcpu", &vcpu_fops, vcpu);
	if (fd < 0)
		tvx_vm_destroy_vcpu(vcpu);
	return fd;
}

static long tvx_ioctl_msi(void *object, void *arg)
{
	return tvx_vm_msi(object, arg);
}

static long tvx_ioctl_ioeventfd(void *object, void *arg)
{
	struct tvx_vm *vm = object;

	return tvx_ioeventfd_set(&vm->ioeventfds, arg);
}

static long tvx_ioctl_irqfd(void *object, void *arg)
{
	struct tvx_vm *vm = object;

	return vm->lapic ? tvx_irqfd_set(&vm->irqfds, arg) : -EOPNOTSUPP;
}

static const struct tvx_ioctl vm_ioctls[] = {
	{ TINYVMX_SET_MEMORY, sizeof(struct tinyvmx_memory),
	  TINYVMX_MEMORY_READONLY | TINYVMX_MEMORY_EXECUTE_ONLY, false, tvx_ioctl_set_memory },
	{ TINYVMX_GET_USE, sizeof(struct tinyvmx_get_use), TINYVMX_USE_FORGET, false,
	  tvx_ioctl_get_use },
	{ TINYVMX_GET_EPT, sizeof(struct tinyvmx_get_ept), 0, true, tvx_ioctl_get_ept },
	{ TINYVMX_CREATE_VCPU, sizeof(struct tinyvmx_create_vcpu), 0, false,
	  tvx_ioctl_create_vcpu },
	{ TINYVMX_MSI, sizeof(struct tinyvmx_msi), 0, false, tvx_ioctl_msi },
	{ TINYVMX_IOEVENTFD, sizeof(struct tinyvmx_ioeventfd),
	  TINYVMX_IOEVENTFD_DATAMATCH | TINYVMX_IOEVENTFD_DEASSIGN, false, tvx_ioctl_ioeventfd },
	{ TINYVMX_IRQFD, sizeof(struct tinyvmx_irqfd), TINYVMX_IRQFD_DEASSIGN, false,
	  tvx_ioctl_irqfd },
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct tvx_ioctl *row = tvx_ioctl_find(vm_ioctls, ARRAY_SIZE(vm_ioctls), cmd);
	struct tvx_vm *vm = file->private_data;
	int err;

	if (!row)
		return -ENOTTY;
	err = tvx_vm_check(vm);
	return err ? err : tvx_ioctl_call(row, vm, (void __user *)arg);
}

static int vm_release(struct inode *inode, struct file *file)
{
	tvx_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

/* ----------------------------------------------------------------- system */

static long tvx_ioctl_get_info(void *object, void *arg)
{
	struct tinyvmx_info *info = arg;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->abi_version = TINYVMX_ABI_VERSION;
	info->max_vcpus = TVX_MAX_VCPUS;
	info->max_slots = TVX_MAX_SLOTS;
	info->max_cpuid_entries = TVX_MAX_CPUID;
	info->max_msr_entries = TVX_MAX_MSR_ENTRIES;
	BUILD_BUG_ON(TVX_MAX_IOEVENTFDS != TVX_MAX_IRQFDS);
	info->max_eventfds = TVX_MAX_IOEVENTFDS;
	info->run_bytes = PAGE_SIZE;
	info->gpa_bits = tvx_memory_gpa_bits();
	info->tsc_khz = tsc_khz;
	info->efer_mask = TVX_EFER_KNOWN;
	vmx_caps_info(info);
	info->capabilities |= vmx_root_capabilities() | (tvx_lab_is_on() ? TINYVMX_CAP_LAB : 0);
	return 0;
}

static long tvx_ioctl_create_vm(void *object, void *arg)
{
	const struct tinyvmx_create_vm *create = arg;
	struct file *kvm = NULL;
	struct tvx_vm *vm;
	int fd;

	if (create->pad || (!(create->flags & TINYVMX_VM_KVM) && create->kvm_fd))
		return -EINVAL;
	if (create->flags & TINYVMX_VM_KVM) {
		kvm = tvx_host_get_kvm(create->kvm_fd);
		if (IS_ERR(kvm))
			return PTR_ERR(kvm);
	}
	vm = tvx_vm_create(create->flags, kvm);
	if (kvm)
		fput(kvm);	/* the VM has its own reference */
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = install_fd("tinyvmx-vm", &vm_fops, vm);
	if (fd < 0)
		tvx_vm_put(vm);
	return fd;
}

static const struct tvx_ioctl system_ioctls[] = {
	{ TINYVMX_GET_INFO, sizeof(struct tinyvmx_info), 0, true, tvx_ioctl_get_info },
	{ TINYVMX_CREATE_VM, sizeof(struct tinyvmx_create_vm),
	  TINYVMX_VM_LAPIC | TINYVMX_VM_KVM | TINYVMX_VM_FERR, false,
	  tvx_ioctl_create_vm, offsetof(struct tinyvmx_create_vm, kvm_fd) },
};

static long system_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct tvx_ioctl *row = tvx_ioctl_find(system_ioctls, ARRAY_SIZE(system_ioctls), cmd);

	return row ? tvx_ioctl_call(row, NULL, (void __user *)arg) : -ENOTTY;
}

static const struct file_operations system_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = system_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tinyvmx",
	.mode = 0660,
	.fops = &system_fops,
};

int tvx_dev_register(void)
{
	return misc_register(&device);
}

void tvx_dev_unregister(void)
{
	misc_deregister(&device);
}
