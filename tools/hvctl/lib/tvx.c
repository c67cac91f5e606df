// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of /dev/tinyvmx. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tvx.h"

static int call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int tvx_open(void)
{
	int fd = open(TINYVMX_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int tvx_get_info(int device, struct tinyvmx_info *info)
{
	*info = (struct tinyvmx_info){ .size = sizeof(*info) };
	return call(device, TINYVMX_GET_INFO, info);
}

int tvx_create_vm(int device, uint32_t flags, int kvm_vm)
{
	struct tinyvmx_create_vm arg = {
		.size = sizeof(arg),
		.flags = flags,
		.kvm_fd = kvm_vm,
	};

	return call(device, TINYVMX_CREATE_VM, &arg);
}

int tvx_create_kvm_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		vm = -errno;
	close(kvm);
	return vm;
}

int tvx_set_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t len, void *hva)
{
	struct tinyvmx_memory arg = {
		.size = sizeof(arg),
		.flags = flags,
		.slot = slot,
		.gpa = gpa,
		.len = len,
		.hva = (uintptr_t)hva,
	};

	return call(vm, TINYVMX_SET_MEMORY, &arg);
}

int tvx_get_use(int vm, uint32_t flags, uint64_t gpa, uint64_t len, void *used, void *written)
{
	struct tinyvmx_get_use arg = {
		.size = sizeof(arg),
		.flags = flags,
		.gpa = gpa,
		.len = len,
		.used = (uintptr_t)used,
		.written = (uintptr_t)written,
	};

	return call(vm, TINYVMX_GET_USE, &arg);
}

int tvx_get_ept(int vm, uint64_t gpa, struct tinyvmx_get_ept *ept)
{
	*ept = (struct tinyvmx_get_ept){ .size = sizeof(*ept), .gpa = gpa };
	return call(vm, TINYVMX_GET_EPT, ept);
}

int tvx_create_vcpu(int vm, uint32_t id)
{
	struct tinyvmx_create_vcpu arg = { .size = sizeof(arg), .id = id };

	return call(vm, TINYVMX_CREATE_VCPU, &arg);
}

int tvx_msi(int vm, uint64_t address, uint32_t data)
{
	struct tinyvmx_msi arg = { .size = sizeof(arg), .address = address, .data = data };

	return call(vm, TINYVMX_MSI, &arg);
}

int tvx_ioeventfd(int vm, uint32_t flags, int fd, uint16_t port, uint16_t width, uint32_t data)
{
	struct tinyvmx_ioeventfd arg = { .size = sizeof(arg),
					 .flags = flags,
					 .fd = fd,
					 .port = port,
					 .width = width,
					 .data = data };

	return call(vm, TINYVMX_IOEVENTFD, &arg);
}

int tvx_irqfd(int vm, uint32_t flags, int fd, uint64_t address, uint32_t data)
{
	struct tinyvmx_irqfd arg = {
		.size = sizeof(arg),
		.flags = flags,
		.fd = fd,
		.data = data,
		.address = address,
	};

	return call(vm, TINYVMX_IRQFD, &arg);
}

/* Returns 0 or -errno. */
static int map(int vcpu, size_t len, int prot, off_t offset, void **at)
{
	void *pages = mmap(NULL, len, prot, MAP_SHARED, vcpu, offset);

	if (pages == MAP_FAILED)
		return -errno;
	/* A child's mapping would keep the vCPU, and its id, when we have closed it. */
	(void)madvise(pages, len, MADV_DONTFORK);
	*at = pages;
	return 0;
}

int tvx_map_run(int vcpu, size_t len, struct tinyvmx_run **run)
{
	void *page = NULL;
	int error = map(vcpu, len, PROT_READ | PROT_WRITE, 0, &page);

	if (!error)
		*run = page;
	return error;
}

int tvx_run(int vcpu)
{
	return call(vcpu, TINYVMX_RUN, NULL);
}

static int call_state(int vcpu, unsigned long request, uint32_t type, const void *blob, size_t len)
{
	struct tinyvmx_state arg = {
		.size = sizeof(arg),
		.type = type,
		.version = 1,
		.data = (uintptr_t)blob,
		.len = len,
	};

	return call(vcpu, request, &arg);
}

int tvx_get_state(int vcpu, uint32_t type, void *blob, size_t len)
{
	return call_state(vcpu, TINYVMX_GET_STATE, type, blob, len);
}

int tvx_set_state(int vcpu, uint32_t type, const void *blob, size_t len)
{
	return call_state(vcpu, TINYVMX_SET_STATE, type, blob, len);
}

int tvx_set_cpuid(int vcpu, const struct tinyvmx_cpuid *entries, uint32_t count)
{
	struct tinyvmx_set_cpuid arg = {
		.size = sizeof(arg),
		.count = count,
		.entries = (uintptr_t)entries,
	};

	return call(vcpu, TINYVMX_SET_CPUID, &arg);
}

int tvx_inject(int vcpu, const struct tinyvmx_inject *inject)
{
	struct tinyvmx_inject arg = *inject;

	arg.size = sizeof(arg);
	return call(vcpu, TINYVMX_INJECT, &arg);
}

int tvx_get_vmcs(int vcpu, struct tinyvmx_vmcs_field *fields, uint32_t *count)
{
	struct tinyvmx_get_vmcs arg = {
		.size = sizeof(arg),
		.count = *count,
		.fields = (uintptr_t)fields,
	};
	int err = call(vcpu, TINYVMX_GET_VMCS, &arg);

	*count = arg.count;
	return err;
}

int tvx_set_record(int vcpu, uint32_t records)
{
	struct tinyvmx_set_record arg = { .size = sizeof(arg), .records = records };

	return call(vcpu, TINYVMX_SET_RECORD, &arg);
}

int tvx_map_record(int vcpu, uint32_t records, const struct tinyvmx_record **ring)
{
	void *pages = NULL;
	int error = map(vcpu, records * sizeof(**ring), PROT_READ, TINYVMX_RECORD_OFFSET, &pages);

	if (!error)
		*ring = pages;
	return error;
}

int tvx_set_debug(int vcpu, struct tinyvmx_set_debug *arg)
{
	arg->size = sizeof(*arg);
	return call(vcpu, TINYVMX_SET_DEBUG, arg);
}

int tvx_lab(int vcpu, struct tinyvmx_lab *lab)
{
	lab->size = sizeof(*lab);
	return call(vcpu, TINYVMX_LAB, lab);
}
