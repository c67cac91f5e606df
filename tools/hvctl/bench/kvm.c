// SPDX-License-Identifier: GPL-2.0-only
/* The bench's back end for /dev/kvm, to compare with: all ioctls of KVM are here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "guest.h"
#include "lib/x86.h"

#define MAX_CPUID 256

static int call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int call_number(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int open_device(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The local APIC in the kernel, the chips in userspace: what tinyvmx does. */
static int vm_create(struct hv_bench_vm *vm)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	int fd = call_number(vm->device, KVM_CREATE_VM, 0);

	if (fd < 0)
		return fd;
	vm->fd = fd;
	return vm->lapic ? call(fd, KVM_ENABLE_CAP, &split) : 0;
}

static int set_memory(struct hv_bench_vm *vm, unsigned int slot, uint64_t gpa, uint64_t len,
		      void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)hva,
	};

	return call(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static int set_cpuid(struct hv_bench_vcpu *vcpu)
{
	struct kvm_cpuid2 *table =
		calloc(1, sizeof(*table) + MAX_CPUID * sizeof(table->entries[0]));
	int error;

	if (!table)
		return -ENOMEM;
	table->nent = MAX_CPUID;
	error = call(vcpu->vm->device, KVM_GET_SUPPORTED_CPUID, table);
	for (unsigned int i = 0; !error && i < table->nent; i++)
		if (table->entries[i].function == 1 && vcpu->vm->lapic)
			/* TSC deadline, which is the VMM's to tell */
			table->entries[i].ecx |= 1 << 24;
	if (!error)
		error = call(vcpu->fd, KVM_SET_CPUID2, table);
	free(table);
	return error;
}

static int vcpu_create(struct hv_bench_vcpu *vcpu)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	int fd = call_number(vcpu->vm->fd, KVM_CREATE_VCPU, vcpu->id);
	int bytes = call_number(vcpu->vm->device, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (fd < 0)
		return fd;
	vcpu->fd = fd;
	run = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	vcpu->run = run;
	vcpu->run_bytes = bytes;
	if (vcpu->vm->lapic && vcpu->id && call(fd, KVM_SET_MP_STATE, &runnable))
		return -errno;
	return set_cpuid(vcpu);
}

static int vcpu_long_mode(struct hv_bench_vcpu *vcpu)
{
	static const struct kvm_segment data = {
		.selector = GUEST_DS, .type = 3, .s = 1, .present = 1, .db = 1, .g = 1, .limit = ~0U
	};
	struct kvm_sregs s;
	int error = call(vcpu->fd, KVM_GET_SREGS, &s);

	if (error)
		return error;
	s.es = s.ss = s.ds = s.fs = s.gs = data;
	s.cs = (struct kvm_segment){
		.selector = GUEST_CS, .type = 11, .s = 1, .present = 1, .l = 1, .g = 1, .limit = ~0U
	};
	s.ldt = (struct kvm_segment){ .unusable = 1 };
	s.tr = (struct kvm_segment){ .selector = GUEST_TR,
				     .type = 11,
				     .present = 1,
				     .base = GUEST_TSS,
				     .limit = HV_BENCH_TSS_LIMIT };
	s.gdt.base = GUEST_GDT;
	s.gdt.limit = HV_BENCH_GDT_LIMIT;
	s.idt.base = GUEST_IDT;
	s.idt.limit = HV_BENCH_IDT_LIMIT;
	s.cr0 = HV_BENCH_CR0;
	s.cr3 = GUEST_PT;
	s.cr4 = HV_BENCH_CR4;
	s.efer = HV_BENCH_EFER;
	return call(vcpu->fd, KVM_SET_SREGS, &s);
}

static int vcpu_call(struct hv_bench_vcpu *vcpu, uint64_t rip, uint64_t rdi, uint64_t rsi)
{
	struct kvm_regs regs = {
		.rip = rip,
		.rflags = X86_RFLAGS_FIXED,
		.rsp = GUEST_STACK_TOP + vcpu->id * GUEST_STACK_BYTES,
		.rdi = rdi,
		.rsi = rsi,
	};

	return call(vcpu->fd, KVM_SET_REGS, &regs);
}

static int inject(struct hv_bench_vcpu *vcpu, unsigned int vector)
{
	struct kvm_interrupt interrupt = { .irq = vector };

	return call(vcpu->fd, KVM_INTERRUPT, &interrupt);
}

static int signal_port(struct hv_bench_vm *vm, int eventfd, uint16_t port)
{
	struct kvm_ioeventfd event = {
		.addr = port, .len = 4, .fd = eventfd, .flags = KVM_IOEVENTFD_FLAG_PIO
	};
	/* Of any width: so KVM need not decode the write. */
	struct kvm_ioeventfd mmio = { .addr = GUEST_MMIO_EVENT, .fd = eventfd };
	int error = call(vm->fd, KVM_IOEVENTFD, &event);

	return error ? error : call(vm->fd, KVM_IOEVENTFD, &mmio);
}

static int run(struct hv_bench_vcpu *vcpu, struct hv_bench_exit *exit)
{
	struct kvm_run *run = vcpu->run;
	int error = call(vcpu->fd, KVM_RUN, NULL);

	if (error)
		return error == -EINTR || error == -EAGAIN ? HV_BENCH_EXIT_STOPPED : error;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit->address = run->io.port;
		exit->width = run->io.size;
		exit->count = run->io.count;
		exit->write = run->io.direction == KVM_EXIT_IO_OUT;
		exit->data = (char *)run + run->io.data_offset;
		return HV_BENCH_EXIT_PORT;
	case KVM_EXIT_MMIO:
		exit->address = run->mmio.phys_addr;
		exit->width = run->mmio.len;
		exit->write = run->mmio.is_write;
		exit->data = run->mmio.data;
		return HV_BENCH_EXIT_MMIO;
	case KVM_EXIT_HLT:
		return HV_BENCH_EXIT_HLT;
	}
	exit->reason = run->exit_reason;
	return HV_BENCH_EXIT_OTHER;
}

static void request_exit(struct hv_bench_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

const struct hv_bench_backend hv_bench_kvm = {
	.name = "kvm",
	.open = open_device,
	.vm_create = vm_create,
	.set_memory = set_memory,
	.vcpu_create = vcpu_create,
	.vcpu_long_mode = vcpu_long_mode,
	.vcpu_call = vcpu_call,
	.inject = inject,
	.signal_port = signal_port,
	.run = run,
	.request_exit = request_exit,
};
