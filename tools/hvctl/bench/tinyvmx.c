// SPDX-License-Identifier: GPL-2.0-only
/* The bench's back end for /dev/tinyvmx. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"
#include "emul/mmio.h"
#include "emul/strio.h"
#include "firmware/cpuid.h"
#include "guest.h"
#include "lib/tvx.h"
#include "lib/x86.h"

#define INSTRUCTION_DONE (TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE)

static struct tinyvmx_info info;

static int open_device(void)
{
	int fd = tvx_open();

	if (fd >= 0)
		tvx_get_info(fd, &info);
	return fd;
}

static int vm_create(struct hv_bench_vm *vm)
{
	bool shared;
	int fd = tvx_create_vm_beside_kvm(vm->device, info.capabilities,
					  vm->lapic ? TINYVMX_VM_LAPIC : 0, &shared);

	if (fd < 0)
		return fd;
	vm->fd = fd;
	return 0;
}

static int set_memory(struct hv_bench_vm *vm, unsigned int slot, uint64_t gpa, uint64_t len,
		      void *hva)
{
	return tvx_set_memory(vm->fd, slot, 0, gpa, len, hva);
}

/* hvctl's own table, and what the cases need beside it. */
static int set_cpuid(struct hv_bench_vcpu *vcpu)
{
	struct hv_cpuid_config config = {
		.host = hv_cpuid_host, .info = &info, .cpus = 1, .lapic = vcpu->vm->lapic
	};
	struct tinyvmx_cpuid table[HV_CPUID_MAX];
	size_t count = hv_cpuid_build(table, &config);

	for (size_t i = 0; i < count; i++)
		if (table[i].function == 1)
			table[i].edx |= 1 << 7; /* MCE */
	return tvx_set_cpuid(vcpu->fd, table, count);
}

/* The guest's instructions are such that it is not needed. */
static int no_state(void *ctx, uint32_t type, void *blob, size_t len)
{
	(void)ctx, (void)type, (void)blob, (void)len;
	return -EOPNOTSUPP;
}

unsigned int hv_bench_records;

static int vcpu_create(struct hv_bench_vcpu *vcpu)
{
	struct tinyvmx_run *run;
	int fd = tvx_create_vcpu(vcpu->vm->fd, vcpu->id), error;

	if (fd < 0)
		return fd;
	vcpu->fd = fd;
	error = tvx_map_run(fd, info.run_bytes, &run);
	if (!error && hv_bench_records)
		error = tvx_set_record(fd, hv_bench_records);
	if (error)
		return error;
	vcpu->run = run;
	vcpu->run_bytes = info.run_bytes;
	vcpu->mmio.guest.memory = &vcpu->vm->memory;
	vcpu->mmio.guest.bus = &vcpu->vm->bus;
	vcpu->mmio.get_state = no_state;
	return set_cpuid(vcpu);
}

static int vcpu_long_mode(struct hv_bench_vcpu *vcpu)
{
	static const struct tinyvmx_segment data = { .selector = GUEST_DS,
						     .ar = 0xc093,
						     .limit = ~0U };
	struct tinyvmx_sregs s;
	int error = tvx_get_sregs(vcpu->fd, &s);

	if (error)
		return error;
	for (int i = 0; i < TINYVMX_LDTR; i++)
		s.seg[i] = data;
	s.seg[TINYVMX_CS] =
		(struct tinyvmx_segment){ .selector = GUEST_CS, .ar = 0xa09b, .limit = ~0U };
	s.seg[TINYVMX_LDTR] = (struct tinyvmx_segment){ .ar = TINYVMX_AR_UNUSABLE };
	s.seg[TINYVMX_TR] = (struct tinyvmx_segment){
		.selector = GUEST_TR, .ar = 0x8b, .base = GUEST_TSS, .limit = HV_BENCH_TSS_LIMIT
	};
	s.gdt_base = GUEST_GDT;
	s.gdt_limit = HV_BENCH_GDT_LIMIT;
	s.idt_base = GUEST_IDT;
	s.idt_limit = HV_BENCH_IDT_LIMIT;
	s.cr0 = HV_BENCH_CR0;
	s.cr3 = GUEST_PT;
	s.cr4 = HV_BENCH_CR4;
	s.efer = HV_BENCH_EFER;
	return tvx_set_sregs(vcpu->fd, &s);
}

static int vcpu_call(struct hv_bench_vcpu *vcpu, uint64_t rip, uint64_t rdi, uint64_t rsi)
{
	struct tinyvmx_regs regs = { .rip = rip, .rflags = X86_RFLAGS_FIXED };

	regs.gpr[TINYVMX_RSP] = GUEST_STACK_TOP + vcpu->id * GUEST_STACK_BYTES;
	regs.gpr[TINYVMX_RDI] = rdi;
	regs.gpr[TINYVMX_RSI] = rsi;
	return tvx_set_regs(vcpu->fd, &regs);
}

static int inject(struct hv_bench_vcpu *vcpu, unsigned int vector)
{
	struct tinyvmx_inject arg = { .type = TINYVMX_INJECT_EXTINT, .vector = vector };

	return tvx_inject(vcpu->fd, &arg);
}

static int signal_port(struct hv_bench_vm *vm, int eventfd, uint16_t port)
{
	return tvx_ioeventfd(vm->fd, 0, eventfd, port, 4, 0);
}

/* ------------------------------------------------------------------------ RUN */

static int string_io(struct hv_bench_vcpu *vcpu, struct tinyvmx_run *run)
{
	if (!hv_strio_exit(&vcpu->mmio, run))
		return -EFAULT;
	run->request = INSTRUCTION_DONE;
	return HV_BENCH_EXIT_AGAIN;
}

/* hvctl's own way to finish such an instruction: what a user of hvctl pays. */
static int mmio(struct hv_bench_vcpu *vcpu, struct tinyvmx_run *run)
{
	if (hv_mmio_exit(&vcpu->mmio, run) != HV_MMIO_DONE)
		return -EFAULT;
	run->request = INSTRUCTION_DONE;
	return HV_BENCH_EXIT_AGAIN;
}

static int port(struct hv_bench_vcpu *vcpu, struct tinyvmx_run *run, struct hv_bench_exit *exit)
{
	struct tinyvmx_exit_io *io = &run->io;

	if (io->flags & TINYVMX_IO_STRING)
		return string_io(vcpu, run);
	exit->address = io->port;
	exit->width = io->width;
	exit->count = 1;
	exit->write = !(io->flags & TINYVMX_IO_IN);
	exit->data = &io->data;
	return HV_BENCH_EXIT_PORT;
}

static int run(struct hv_bench_vcpu *vcpu, struct hv_bench_exit *exit)
{
	struct tinyvmx_run *run = vcpu->run;
	int error = tvx_run(vcpu->fd);

	if (error)
		return error == -EINTR ? HV_BENCH_EXIT_STOPPED : error;
	switch (run->reason) {
	case TINYVMX_EXIT_IO:
		return port(vcpu, run, exit);
	case TINYVMX_EXIT_MMIO:
		exit->address = run->mmio.gpa;
		return mmio(vcpu, run);
	case TINYVMX_EXIT_HLT:
		return HV_BENCH_EXIT_HLT;
	}
	exit->reason = run->exit_reason;
	exit->address = run->rip;
	return HV_BENCH_EXIT_OTHER;
}

static void request_exit(struct hv_bench_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;

	__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

const struct hv_bench_backend hv_bench_tinyvmx = {
	.name = "tinyvmx",
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
