// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of random system calls on all kinds of fd, by two threads at once.
 *
 * A program begins with a VM of each kind and a vCPU in each, and what it leaves is
 * closed, so its outcome does not depend on what ran before.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define VMS		2
#define VCPUS		4
#define EVENTS		2
#define CHILD_CALLS	4
#define LOOK_CALLS	64	/* what they reach has room in coverage.c */

static atomic_int vms[VMS], vcpus[VCPUS];
static struct tinyvmx_run *_Atomic runs[VCPUS];
static int events[EVENTS];
static u8 *ram;
static atomic_bool ram_changed;
static atomic_bool second_found;
static const struct program *current;
static pthread_barrier_t barrier;

union argument {
	u64 raw[64];
	struct tinyvmx_info info;
	struct tinyvmx_create_vm create_vm;
	struct tinyvmx_create_vcpu create_vcpu;
	struct tinyvmx_memory memory;
	struct tinyvmx_get_use use;
	struct tinyvmx_get_ept ept;
	struct tinyvmx_msi msi;
	struct tinyvmx_ioeventfd ioeventfd;
	struct tinyvmx_irqfd irqfd;
	struct tinyvmx_state state;
	struct tinyvmx_set_cpuid cpuid;
	struct tinyvmx_inject inject;
	struct tinyvmx_get_vmcs vmcs;
	struct tinyvmx_set_debug debug;
	struct tinyvmx_set_record record;
};

/* What an argument may point to; the types' blobs and lists have room. */
static _Thread_local u64 *blob;

/*
 * In the midst of memory that has no other use: an address with a wrong bit seldom gets out of
 * it, e.g. to our stack or the C library's canary.
 */
#define ARENA_BYTES	(1UL << 26)

static void *map_in_arena(void)
{
	return (u8 *)map_anonymous(NULL, ARENA_BYTES) + ARENA_BYTES / 2;
}

static void put_fd(atomic_int *slot, int fd)
{
	int old = atomic_exchange(slot, fd);

	if (old >= 0)
		close(old);
}

static void put_run(u32 n, struct tinyvmx_run *run)
{
	struct tinyvmx_run *old = atomic_exchange(&runs[n], run);

	if (old)
		munmap(old, PAGE);
}

/* Mostly an fd of the right kind. */
static int pick(u64 *random, atomic_int *fds, u32 count)
{
	u64 n = noise(random);
	u32 slot = (n >> 8) % count;

	/* The first VMS of them are seldom empty. */
	if (n % 16)
		return fds[slot] >= 0 ? fds[slot] : fds[slot % VMS];
	switch ((n >> 4) % 4) {
	case 0:
		return device;
	case 1:
		return vms[(n >> 8) % VMS];
	case 2:
		return vcpus[(n >> 8) % VCPUS];
	}
	return (n >> 8) % 32;
}

/* Send what is well-formed, or nearly. */
static int send(u64 *random, int fd, unsigned long cmd, union argument *arg)
{
	if (one_in(random, 8))
		guest_break(random, arg, 64);
	if (one_in(random, 256))
		return counted_ioctl(fd, noise(random), (void *)number(random));
	return counted_ioctl(fd, cmd, one_in(random, 64) ? (void *)number(random) : arg);
}

static void call_create_vm(u64 *random)
{
	union argument arg = { .create_vm = { .size = sizeof(arg.create_vm) } };
	u32 n = noise(random) % VMS;
	int fd;

	arg.create_vm.flags = noise(random) & TINYVMX_VM_LAPIC;
	fd = send(random, device, TINYVMX_CREATE_VM, &arg);
	if (fd > 2)
		put_fd(&vms[n], fd);
}

/* What came of CREATE_VCPU is vCPU @n now. */
static void take_vcpu(u32 n, int fd)
{
	void *page;

	if (fd <= 2)
		return;
	put_fd(&vcpus[n], fd);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	put_run(n, page == MAP_FAILED ? NULL : page);
}

static void call_create_vcpu(u64 *random)
{
	union argument arg = { .create_vcpu = { .size = sizeof(arg.create_vcpu) } };
	u32 n = noise(random) % VCPUS;

	arg.create_vcpu.id = noise(random) % 4;
	take_vcpu(n, send(random, pick(random, vms, VMS), TINYVMX_CREATE_VCPU, &arg));
}

static const u32 blob_bytes[] = {
	[TINYVMX_STATE_REGS] = sizeof(struct tinyvmx_regs),
	[TINYVMX_STATE_SREGS] = sizeof(struct tinyvmx_sregs),
	[TINYVMX_STATE_MSRS] = 2 * sizeof(struct tinyvmx_msr),
	[TINYVMX_STATE_XSAVE] = 0,	/* GET_INFO tells */
	[TINYVMX_STATE_EVENTS] = sizeof(struct tinyvmx_events),
	[TINYVMX_STATE_DEBUG] = sizeof(struct tinyvmx_debug),
	[TINYVMX_STATE_LAPIC] = sizeof(struct tinyvmx_lapic),
	[TINYVMX_STATE_EXITS] = sizeof(struct tinyvmx_exits),
	[TINYVMX_STATE_TSC] = sizeof(struct tinyvmx_tsc),
};

static u32 xsave_bytes;

static union argument state_of(u32 type)
{
	union argument arg = { .state = { .size = sizeof(arg.state), .version = 1 } };

	arg.state.type = type;
	arg.state.data = (uintptr_t)blob;
	arg.state.len = type == TINYVMX_STATE_XSAVE ? xsave_bytes : blob_bytes[type];
	return arg;
}

/* After RESET nobody can be sent an interrupt. */
static void enable_lapic(int fd)
{
	union argument arg = state_of(TINYVMX_STATE_LAPIC);
	struct tinyvmx_lapic *lapic = (void *)blob;

	if (counted_ioctl(fd, TINYVMX_GET_STATE, &arg))
		return;
	lapic->regs[0xf] = 0x1ff;
	counted_ioctl(fd, TINYVMX_SET_STATE, &arg);
}

static void begin(void)
{
	struct tinyvmx_memory memory = {
		.size = sizeof(memory), .len = RAM_BYTES, .hva = (uintptr_t)ram,
	};

	for (u32 n = 0; n < VMS; n++) {
		struct tinyvmx_create_vm create = { .size = sizeof(create), .flags = n };
		struct tinyvmx_create_vcpu create_vcpu = { .size = sizeof(create_vcpu) };

		vms[n] = counted_ioctl(device, TINYVMX_CREATE_VM, &create);
		counted_ioctl(vms[n], TINYVMX_SET_MEMORY, &memory);
		take_vcpu(n, counted_ioctl(vms[n], TINYVMX_CREATE_VCPU, &create_vcpu));
		if (create.flags & TINYVMX_VM_LAPIC)
			enable_lapic(vcpus[n]);
	}
}

static void call_set_memory(u64 *random)
{
	union argument arg = { .memory = { .size = sizeof(arg.memory) } };

	arg.memory.slot = noise(random) % 4;
	arg.memory.flags = one_in(random, 4) ? noise(random) % 4 : 0;
	if (one_in(random, 2)) {
		/* All of it at 0: what guests need. */
		arg.memory.hva = (uintptr_t)ram;
		arg.memory.len = RAM_BYTES;
	} else {
		arg.memory.gpa = noise(random) % 64 * PAGE;
		arg.memory.len = noise(random) % 32 * PAGE;
		arg.memory.hva = (uintptr_t)ram + noise(random) % RAM_BYTES;
	}
	send(random, pick(random, vms, VMS), TINYVMX_SET_MEMORY, &arg);
}

static void call_get_use(u64 *random)
{
	union argument arg = { .use = { .size = sizeof(arg.use) } };

	arg.use.flags = one_in(random, 2);
	arg.use.gpa = noise(random) % 64 * PAGE;
	arg.use.len = noise(random) % 64 * PAGE;
	if (one_in(random, 2))
		arg.use.used = (uintptr_t)blob;
	if (one_in(random, 2))
		arg.use.written = (uintptr_t)blob;
	send(random, pick(random, vms, VMS), TINYVMX_GET_USE, &arg);
}

static void call_get_ept(u64 *random)
{
	union argument arg = { .ept = { .size = sizeof(arg.ept) } };

	arg.ept.gpa = one_in(random, 8) ? noise(random) : noise(random) % (64 * PAGE);
	send(random, pick(random, vms, VMS), TINYVMX_GET_EPT, &arg);
}

static u64 msi_address(u64 *random)
{
	return 0xfee00000 | noise(random) % 8 << 12 | (noise(random) & 0xc);
}

static void call_msi(u64 *random)
{
	union argument arg = { .msi = { .size = sizeof(arg.msi) } };

	arg.msi.address = msi_address(random);
	arg.msi.data = noise(random) & 0xc7ff;
	send(random, pick(random, vms, VMS), TINYVMX_MSI, &arg);
}

static void call_eventfd(u64 *random)
{
	union argument arg = { 0 };
	u32 flags = one_in(random, 4) ? 2 : 0;
	int fd = events[noise(random) % EVENTS];

	if (one_in(random, 2)) {
		arg.irqfd = (struct tinyvmx_irqfd){
			.size = sizeof(arg.irqfd), .flags = flags / 2, .fd = fd,
		};
		if (!flags) {
			arg.irqfd.address = msi_address(random);
			arg.irqfd.data = 16 + noise(random) % 240;
		}
		send(random, pick(random, vms, VMS), TINYVMX_IRQFD, &arg);
		return;
	}
	arg.ioeventfd = (struct tinyvmx_ioeventfd){
		.size = sizeof(arg.ioeventfd), .flags = flags | (noise(random) & 1), .fd = fd,
		.port = one_in(random, 2) ? 0x80 : noise(random), .width = 1 << noise(random) % 3,
	};
	send(random, pick(random, vms, VMS), TINYVMX_IOEVENTFD, &arg);
}

static void state_ioctl(u64 *random, int fd, unsigned long cmd, u32 type)
{
	union argument arg = state_of(type);

	send(random, fd, cmd, &arg);
}

static void random_msrs(u64 *random)
{
	static const u32 msrs[] = {
		0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x174, 0x175, 0x176, 0x1a0, 0x277, 0x6e0, 0x802,
		0x808, 0x80b, 0x80f, 0x830, 0x832, 0x838, 0x83e, 0xda0, 0xc0000080, 0xc0000081,
		0xc0000082, 0xc0000084, 0xc0000100, 0xc0000102, 0xc0000103,
	};
	struct tinyvmx_msr *msr = (void *)blob;

	for (u32 n = 0; n < 2; n++) {
		msr[n].index = msrs[noise(random) % ARRAY_SIZE(msrs)];
		msr[n].pad = 0;
		msr[n].value = number(random);
	}
}

/* Change a little of what is there. */
static void call_state(u64 *random)
{
	int fd = pick(random, vcpus, VCPUS);
	u32 type = 1 + noise(random) % 8;

	if (type == TINYVMX_STATE_MSRS)
		random_msrs(random);
	if (type != TINYVMX_STATE_MSRS || one_in(random, 2))
		state_ioctl(random, fd, TINYVMX_GET_STATE, type);
	if (one_in(random, 2) && blob_bytes[type])
		guest_break(random, blob, blob_bytes[type]);
	state_ioctl(random, fd, TINYVMX_SET_STATE, type);
}

/* A guest that has a chance. */
static void call_guest(u64 *random)
{
	int fd = pick(random, vcpus, VCPUS);
	struct tinyvmx_regs regs;

	guest_make(random, (struct tinyvmx_sregs *)blob, &regs, ram);
	state_ioctl(random, fd, TINYVMX_SET_STATE, TINYVMX_STATE_SREGS);
	memcpy(blob, &regs, sizeof(regs));
	state_ioctl(random, fd, TINYVMX_SET_STATE, TINYVMX_STATE_REGS);
}

static void call_run(u64 *random)
{
	u32 n = noise(random) % VCPUS;
	struct tinyvmx_run *run = runs[n];
	u64 change = noise(random);

	if (run && change % 4 == 0) {
		run->immediate_exit = change >> 2 & change >> 3 & 1;
		run->want_intr_window = change >> 4 & 1;
		run->request = change >> 5 & 3;
		run->shortcut.out_port = change >> 8 & 0x80;
		run->shortcut.queued = number(random);
	}
	counted_run(pick(random, vcpus, VCPUS), NULL);
}

static void call_cpuid(u64 *random)
{
	union argument arg = { .cpuid = { .size = sizeof(arg.cpuid) } };
	struct tinyvmx_cpuid *row = (void *)blob;

	arg.cpuid.count = noise(random) % 5;
	arg.cpuid.entries = (uintptr_t)blob;
	for (u32 n = 0; n < 5; n++)
		row[n] = (struct tinyvmx_cpuid){
			.function = n == 1 ? 1 : n == 2 ? 7 : n == 3 ? 0x80000001 : n * 4,
			.eax = noise(random), .ebx = noise(random),
			.ecx = noise(random), .edx = noise(random),
		};
	send(random, pick(random, vcpus, VCPUS), TINYVMX_SET_CPUID, &arg);
}

static void call_inject(u64 *random)
{
	union argument arg = { .inject = { .size = sizeof(arg.inject) } };

	arg.inject.type = noise(random) % 4;
	arg.inject.vector = arg.inject.type == TINYVMX_INJECT_NMI ? 2 : noise(random) % 256;
	if (arg.inject.type == TINYVMX_INJECT_EXCEPTION)
		arg.inject.vector %= 32;
	send(random, pick(random, vcpus, VCPUS), TINYVMX_INJECT, &arg);
}

/* DR7 is mostly one that is taken. */
static void call_set_debug(u64 *random)
{
	union argument arg = { .debug = { .size = sizeof(arg.debug) } };

	arg.debug.flags = noise(random) % 16;
	if (arg.debug.flags & TINYVMX_DEBUG_BREAKPOINTS) {
		for (u32 n = 0; n < 4; n++)
			arg.debug.dr[n] = noise(random) % (1 << 30);
		arg.debug.dr7 = (noise(random) & 0xddddffff) & ~0xf800UL;
	}
	send(random, pick(random, vcpus, VCPUS), TINYVMX_SET_DEBUG, &arg);
}

static void call_record(u64 *random)
{
	union argument arg = { .record = { .size = sizeof(arg.record) } };
	size_t bytes;
	void *ring;

	if (!one_in(random, 4))
		arg.record.records = TINYVMX_MIN_RECORDS << noise(random) % 8;
	send(random, pick(random, vcpus, VCPUS), TINYVMX_SET_RECORD, &arg);
	bytes = arg.record.records * sizeof(struct tinyvmx_record);
	ring = mmap(NULL, bytes, PROT_READ, MAP_SHARED, pick(random, vcpus, VCPUS),
		    TINYVMX_RECORD_OFFSET);
	if (ring != MAP_FAILED)
		munmap(ring, bytes);
}

static void call_ask(u64 *random)
{
	union argument arg = { 0 };

	if (!one_in(random, 8)) {
		arg.info.size = sizeof(arg.info);
		send(random, device, TINYVMX_GET_INFO, &arg);
		return;
	}
	/* 160,000 ticks, a hundred times an ordinary call. */
	arg.vmcs = (struct tinyvmx_get_vmcs){
		.size = sizeof(arg.vmcs), .count = noise(random) % 512, .fields = (uintptr_t)blob,
	};
	send(random, pick(random, vcpus, VCPUS), TINYVMX_GET_VMCS, &arg);
}

/* Not by ioctl: the fds' other operations. */
static void call_file(u64 *random)
{
	u32 n = noise(random) % VCPUS;
	int fd = pick(random, vcpus, VCPUS);
	void *page;

	switch (noise(random) % 6) {
	case 0:
		put_fd(&vcpus[n], -1);
		break;
	case 1:
		put_fd(&vms[n % VMS], -1);
		break;
	case 2:
		put_run(n, NULL);
		break;
	case 3:
		page = mmap(NULL, (1 + noise(random) % 2) * PAGE, noise(random) & 7,
			    one_in(random, 2) ? MAP_SHARED : MAP_PRIVATE, fd,
			    noise(random) % 3 * PAGE);
		if (page != MAP_FAILED)
			put_run(n, page);
		break;
	case 4:
		if (read(fd, blob, noise(random) % 64) < 0 ||
		    write(fd, blob, noise(random) % 64) < 0)
			lseek(fd, 0, SEEK_END);
		break;
	case 5:
		if (write(events[n % EVENTS], &(u64){ 1 }, 8) < 0)
			fsync(fd);
	}
}

/* What the process does to its memory, under running guests. */
static void call_memory(u64 *random)
{
	u64 pages = 1 + noise(random) % 8;
	u8 *at = ram + noise(random) % (RAM_PAGES - 8) * PAGE;

	ram_changed = true;
	switch (noise(random) % 6) {
	case 0:
		madvise(at, pages * PAGE, MADV_DONTNEED);
		break;
	case 1:
		mprotect(at, pages * PAGE, noise(random) % 4);
		break;
	case 2:
		munmap(at, pages * PAGE);
		break;
	case 3:
		madvise(at, pages * PAGE, MADV_PAGEOUT);
		break;
	case 4:
		mremap(at, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       ram + noise(random) % (RAM_PAGES - 8) * PAGE);
		break;
	case 5:
		map_anonymous(at, pages * PAGE);
	}
}

static void call_any(u64 seed, bool in_child);

/* The child has another mm: all it tries is refused, but its closing counts. */
static void call_fork(u64 *random)
{
	u64 seed = noise(random);
	pid_t pid = fork();

	if (!pid) {
		for (u32 n = 0; n < CHILD_CALLS; n++)
			call_any(noise(&seed), true);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void call_any(u64 seed, bool in_child)
{
	static void (*const calls[])(u64 *random) = {
		call_set_memory, call_set_memory, call_get_use, call_get_ept, call_state,
		call_cpuid,
		call_msi, call_eventfd, call_state, call_state, call_guest, call_guest, call_run,
		call_run, call_run, call_run, call_inject, call_inject, call_ask, call_set_debug,
		call_record, call_file, call_memory,
	};
	u64 random = seed;

	if (!in_child && one_in(&random, 512))
		call_fork(&random);
	else if (one_in(&random, 128))
		call_create_vm(&random);
	else if (one_in(&random, 64))	/* 400,000 ticks */
		call_create_vcpu(&random);
	else
		calls[noise(&random) % ARRAY_SIZE(calls)](&random);
}

/* Each thread does the calls that are its own. Returns whether they reached something new. */
static bool do_calls(u32 thread)
{
	bool found = false;

	coverage_start();
	for (u32 n = 0; n < current->count; n++) {
		if ((current->seed[n] >> 63) == thread)
			call_any(current->seed[n], false);
		if (n % LOOK_CALLS == LOOK_CALLS - 1)
			found |= coverage_is_new();
	}
	thread_timer_stop();
	return coverage_is_new() || found;
}

static void *second_thread(void *unused)
{
	(void)unused;
	blob = map_in_arena();
	thread_timer();
	coverage_init();
	for (;;) {
		pthread_barrier_wait(&barrier);
		second_found = do_calls(1);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

bool calls_run(const struct program *program)
{
	bool found;

	current = program;
	begin();
	pthread_barrier_wait(&barrier);
	found = do_calls(0);
	pthread_barrier_wait(&barrier);
	for (u32 n = 0; n < VCPUS; n++) {
		put_run(n, NULL);
		put_fd(&vcpus[n], -1);
	}
	for (u32 n = 0; n < VMS; n++)
		put_fd(&vms[n], -1);
	if (atomic_exchange(&ram_changed, false))
		map_anonymous(ram, RAM_BYTES);
	return found || second_found;
}

void calls_init(void)
{
	struct tinyvmx_info info = { .size = sizeof(info) };
	pthread_t thread;

	blob = map_in_arena();
	counted_ioctl(device, TINYVMX_GET_INFO, &info);
	xsave_bytes = offsetof(struct tinyvmx_xsave, image) + info.xsave_bytes;
	ram = map_in_arena();
	for (u32 n = 0; n < EVENTS; n++)
		events[n] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (u32 n = 0; n < VMS; n++)
		vms[n] = -1;
	for (u32 n = 0; n < VCPUS; n++)
		vcpus[n] = -1;
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, second_thread, NULL);
}
