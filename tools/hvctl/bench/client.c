// SPDX-License-Identifier: GPL-2.0-only
/* The VMM of the bench: a VM with a guest in 64-bit mode, and the loop that answers its exits. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "blobs.h"
#include "guest.h"

#define PAGE 4096UL
#define HUGE_PAGE 0x200000UL

static uint64_t guest_address(const char *symbol)
{
	return GUEST_CODE + (symbol - hv_bench_guest_begin);
}

/* --------------------------------------------------------- what the guest finds */

/* One to one for the first 4 GiB, in pages of 2 MiB. */
static void build_page_tables(uint8_t *ram)
{
	uint64_t *table = (uint64_t *)(ram + GUEST_PT);

	table[0] = (GUEST_PT + PAGE) | 3;
	for (uint64_t i = 0; i < 4; i++)
		table[512 + i] = (GUEST_PT + (2 + i) * PAGE) | 3;
	/* Accessed and dirty already: no walk writes to them. */
	for (uint64_t i = 0; i < 2048; i++)
		table[1024 + i] = (i << 21) | 0xe3;
	table[1024 + (GUEST_REMAPPED >> 21)] = 0xe3;
}

static void set_gate(uint8_t *ram, unsigned int vector, const char *handler)
{
	uint64_t *gate = (uint64_t *)(ram + GUEST_IDT) + 2 * vector;
	uint64_t address = guest_address(handler);

	gate[0] = (address & 0xffff) | GUEST_CS << 16 | 0x8e0000000000 | (address >> 16) << 48;
	gate[1] = address >> 32;
}

static void build_descriptors(uint8_t *ram)
{
	static const uint64_t gdt[] = {
		0,
		0x00af9b000000ffff,
		0x00cf93000000ffff,
		0x00008b0000000067 | (uint64_t)GUEST_TSS << 16,
		0,
	};

	memcpy(ram + GUEST_GDT, gdt, sizeof(gdt));
	for (unsigned int i = 0; i < 256; i++)
		set_gate(ram, i, hv_bench_guest_isr_trap);
	set_gate(ram, GUEST_VECTOR_PLAIN, hv_bench_guest_isr_plain);
	set_gate(ram, GUEST_VECTOR_EOI, hv_bench_guest_isr_eoi);
	set_gate(ram, GUEST_VECTOR_COUNT, hv_bench_guest_isr_count);
	set_gate(ram, GUEST_VECTOR_BACK, hv_bench_guest_isr_back);
	set_gate(ram, GUEST_VECTOR_ACK, hv_bench_guest_isr_ack);
	set_gate(ram, GUEST_VECTOR_FLUSH, hv_bench_guest_isr_flush);
}

/* ------------------------------------------------------------------------ VMs */

static int fail(const struct hv_bench_vm *vm, const char *what, int error, struct hv_error *err)
{
	return hv_fail(err, -error, "%s: %s: %s", vm->backend->name, what, strerror(-error));
}

/* A mapping that begins at a multiple of 2 MiB: the slack before it stays unused. */
static uint8_t *map_aligned(size_t len)
{
	uint8_t *map = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t begin = ((uintptr_t)map + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);

	if (map == MAP_FAILED)
		return NULL;
	if (begin != (uintptr_t)map)
		munmap(map, begin - (uintptr_t)map);
	if (begin != (uintptr_t)map + HUGE_PAGE)
		munmap((uint8_t *)begin + len, (uintptr_t)map + HUGE_PAGE - begin);
	return (uint8_t *)begin;
}

static void access_device(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	(void)offset;
	hv_bench_device(dev, width, write, value);
}

static void add_device(struct hv_bench_vm *vm)
{
	vm->port = (struct hv_region){ "port", HV_PORT, GUEST_PORT_DEVICE, 4, access_device, vm };
	vm->mmio = (struct hv_region){ "page", HV_MMIO, GUEST_MMIO, PAGE, access_device, vm };
	hv_bus_register(&vm->bus, &vm->port);
	hv_bus_register(&vm->bus, &vm->mmio);
}

static int init_low(struct hv_bench_vm *vm, struct hv_error *err)
{
	int error;

	vm->low = map_aligned(GUEST_LOW_BYTES);
	if (!vm->low)
		return fail(vm, "memory", -ENOMEM, err);
	build_page_tables(vm->low);
	build_descriptors(vm->low);
	memcpy(vm->low + GUEST_CODE, hv_bench_guest_begin,
	       hv_bench_guest_end - hv_bench_guest_begin);
	vm->memory.range[0] = (struct hv_ram_range){ 0, GUEST_LOW_BYTES, vm->low };
	vm->memory.count = 1;
	error = vm->backend->set_memory(vm, 0, 0, GUEST_LOW_BYTES, vm->low);
	return error ? fail(vm, "memory slot", error, err) : 0;
}

int hv_bench_vm_init(struct hv_bench_vm *vm, const struct hv_bench_backend *backend, bool lapic,
		     struct hv_error *err)
{
	int error;

	*vm = (struct hv_bench_vm){
		.backend = backend, .lapic = lapic, .device = -1, .fd = -1, .event = -1
	};
	for (unsigned int i = 0; i < HV_BENCH_MAX_VCPUS; i++)
		vm->vcpu[i].fd = -1;
	vm->device = backend->open();
	if (vm->device < 0)
		return fail(vm, "opening the device", vm->device, err);
	error = backend->vm_create(vm);
	if (error)
		return fail(vm, "creating a VM", error, err);
	add_device(vm);
	error = init_low(vm, err);
	return error ? error : hv_bench_vcpu_init(vm, 0, err);
}

static void destroy_vcpu(struct hv_bench_vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_bytes);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
}

void hv_bench_vm_exit(struct hv_bench_vm *vm)
{
	hv_bench_others_stop(vm);
	for (unsigned int i = 0; i < HV_BENCH_MAX_VCPUS; i++)
		destroy_vcpu(&vm->vcpu[i]);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->event >= 0)
		close(vm->event);
	if (vm->device >= 0)
		close(vm->device);
	if (vm->low)
		munmap(vm->low, GUEST_LOW_BYTES);
	if (vm->high)
		munmap(vm->high, GUEST_HIGH_BYTES);
}

int hv_bench_vcpu_init(struct hv_bench_vm *vm, unsigned int id, struct hv_error *err)
{
	struct hv_bench_vcpu *vcpu = &vm->vcpu[id];
	int error;

	*vcpu = (struct hv_bench_vcpu){ .vm = vm, .id = id, .fd = -1 };
	error = vm->backend->vcpu_create(vcpu);
	if (error)
		return fail(vm, "creating a vCPU", error, err);
	error = vm->backend->vcpu_long_mode(vcpu);
	return error ? fail(vm, "setting a vCPU's state", error, err) : 0;
}

int hv_bench_vm_event(struct hv_bench_vm *vm, struct hv_error *err)
{
	int error;

	vm->event = eventfd(0, EFD_CLOEXEC);
	error = vm->event < 0 ? -errno : vm->backend->signal_port(vm, vm->event, GUEST_PORT_EVENT);
	return error ? fail(vm, "assigning an eventfd", error, err) : 0;
}

static void populate(uint8_t *at, size_t len, enum hv_bench_high kind)
{
	madvise(at, len, kind == HV_BENCH_HUGE_PAGES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t i = 0; i < len; i += PAGE)
		((volatile uint8_t *)at)[i] = 1;
}

int hv_bench_set_high(struct hv_bench_vm *vm, enum hv_bench_high kind, struct hv_error *err)
{
	int error = 0;

	if (kind == HV_BENCH_NO_HIGH)
		return 0;
	if (vm->high) {
		error = vm->backend->set_memory(vm, 1, GUEST_HIGH, 0, vm->high);
	} else {
		vm->high = map_aligned(GUEST_HIGH_BYTES);
		if (!vm->high)
			return fail(vm, "memory", -ENOMEM, err);
		if (kind != HV_BENCH_UNTOUCHED)
			populate(vm->high, GUEST_TOUCHED_BYTES, kind);
	}
	if (!error)
		error = vm->backend->set_memory(vm, 1, GUEST_HIGH, GUEST_HIGH_BYTES, vm->high);
	return error ? fail(vm, "memory slot", error, err) : 0;
}

/* ------------------------------------------------------------------- the loop */

static int done(struct hv_bench_vcpu *vcpu, struct hv_bench_exit *exit)
{
	if (!exit->write)
		return -EPROTO;
	return exit->address == GUEST_PORT_DONE ? 1 : vcpu->stop ? 1 : -EFAULT;
}

/* 0: go on; 1: the case is over. */
static int answer(struct hv_bench_vcpu *vcpu, int kind, struct hv_bench_exit *exit)
{
	switch (kind) {
	case HV_BENCH_EXIT_PORT:
		if (exit->address != GUEST_PORT_DEVICE)
			return done(vcpu, exit);
		for (unsigned int i = 0; i < exit->count; i++)
			hv_bench_device(vcpu->vm, exit->width, exit->write,
					(char *)exit->data + i * exit->width);
		return 0;
	case HV_BENCH_EXIT_MMIO:
		hv_bench_device(vcpu->vm, exit->width, exit->write, exit->data);
		return 0;
	case HV_BENCH_EXIT_HLT:
		return vcpu->vm->backend->inject(vcpu, GUEST_VECTOR_PLAIN);
	case HV_BENCH_EXIT_AGAIN:
		return 0;
	case HV_BENCH_EXIT_STOPPED:
		return vcpu->stop;
	}
	return -EPROTO;
}

static int run(struct hv_bench_vcpu *vcpu, struct hv_bench_exit *exit)
{
	const struct hv_bench_backend *backend = vcpu->vm->backend;
	int ret;

	do {
		ret = backend->run(vcpu, exit);
		if (ret >= 0)
			ret = answer(vcpu, ret, exit);
	} while (!ret);
	return ret < 0 ? ret : 0;
}

int hv_bench_run(struct hv_bench_vm *vm, const char *guest, uint64_t rdi, uint64_t rsi,
		 uint64_t *ticks, struct hv_error *err)
{
	struct hv_bench_vcpu *vcpu = &vm->vcpu[0];
	struct hv_bench_exit exit = { 0 };
	int error;

	error = vm->backend->vcpu_call(vcpu, guest_address(guest), rdi, rsi);
	if (!error)
		error = run(vcpu, &exit);
	if (error)
		return hv_fail(
			err, -error,
			"%s: the guest does not come to its end: %s (exit reason %u, address 0x%llx)",
			vm->backend->name, strerror(-error), exit.reason,
			(unsigned long long)exit.address);
	memcpy(ticks, vm->low + GUEST_RESULT, sizeof(*ticks));
	return 0;
}

static void *run_other(void *arg)
{
	struct hv_bench_vcpu *vcpu = arg;
	struct hv_bench_exit exit;

	if (run(vcpu, &exit))
		fprintf(stderr, "hvctl bench: %s: vCPU %u stopped by itself\n",
			vcpu->vm->backend->name, vcpu->id);
	return NULL;
}

static int start_other(struct hv_bench_vm *vm, unsigned int id, const char *guest,
		       struct hv_error *err)
{
	struct hv_bench_vcpu *vcpu = &vm->vcpu[id];
	int error = hv_bench_vcpu_init(vm, id, err);

	if (error)
		return error;
	error = vm->backend->vcpu_call(vcpu, guest_address(guest), 0, 0);
	if (!error)
		error = -pthread_create(&vcpu->thread, NULL, run_other, vcpu);
	if (error)
		return fail(vm, "starting another vCPU", error, err);
	vcpu->threaded = true;
	return 0;
}

int hv_bench_others_start(struct hv_bench_vm *vm, const char *guest, unsigned int count,
			  struct hv_error *err)
{
	uint64_t others = count;
	int error = 0;

	memcpy(vm->low + GUEST_OTHERS, &others, sizeof(others));
	for (unsigned int id = 1; id <= count && !error; id++)
		error = start_other(vm, id, guest, err);
	return error;
}

void hv_bench_others_stop(struct hv_bench_vm *vm)
{
	for (unsigned int id = 1; id < HV_BENCH_MAX_VCPUS; id++) {
		struct hv_bench_vcpu *vcpu = &vm->vcpu[id];

		if (!vcpu->threaded)
			continue;
		vcpu->stop = true;
		vm->backend->request_exit(vcpu);
		pthread_kill(vcpu->thread, SIGUSR1);
		pthread_join(vcpu->thread, NULL);
		vcpu->threaded = false;
	}
}
