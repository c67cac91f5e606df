/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host side of the selftests: a VM with RAM, page tables, GDT, IDT and the
 * test's own code in it; vCPUs ready to call a guest function; run helpers.
 * Helpers that cannot do their work end the program (see must()).
 */
#ifndef SELFTESTS_LIB_H
#define SELFTESTS_LIB_H

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "tinyvmx.h"

#include "guest.h"
#include "tap.h"

#define PAGE	4096UL
#define MIB	(1UL << 20)
#define GIB	(1UL << 30)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct vm {
	int fd;
	u8 *ram;	/* slot 0, guest-physical 0 */
};

struct vcpu {
	int fd;
	struct vm *vm;
	struct tinyvmx_run *run;
	struct tinyvmx_regs regs;	/* of the last vcpu_get_regs() */
};

/* ------------------------------------------------------------ raw ioctls */

int dev_open(void);		/* skip_all() without the device */
const struct tinyvmx_info *info(void);
/*
 * CREATE_VM's argument: with TINYVMX_ROOT=kvm in the environment for KVM's root, by a VM of
 * KVM's that the process keeps open.
 */
struct tinyvmx_create_vm create_vm_arg(u32 flags);
int create_vm_fd(void);		/* -1 and errno */
int create_vm_fd_with(u32 flags);	/* TINYVMX_VM_* */
int create_vcpu_fd(int vm_fd, u32 id);
int set_memory(int vm_fd, u32 slot, u32 flags, u64 gpa, u64 len,
	       const void *hva);
int get_state(int vcpu_fd, u32 type, void *data, u64 len);
int set_state(int vcpu_fd, u32 type, const void *data, u64 len);
int set_cpuid(int vcpu_fd, const struct tinyvmx_cpuid *table, u32 count);
int inject(int vcpu_fd, u32 type, u32 vector);
int inject_error(int vcpu_fd, u32 vector, u32 error_code);
struct tinyvmx_run *map_run(int vcpu_fd);

/* ------------------------------------------------------------------- VMs */

/* Memory as every guest finds it: GUEST_RAM_BYTES with the test's own code, tables, stacks. */
u8 *map_guest_ram(void);

/* Close the fds, unmap all; the VM is gone unless someone else has its fds. */
struct vm *vm_create(void);
struct vm *vm_create_with(u32 flags);	/* TINYVMX_VM_* */
void vm_destroy(struct vm *vm);

/* Long mode, ring 0, the host's CPUID table; RIP at @fn with RDI = @arg. */
struct vcpu *vcpu_create(struct vm *vm, u32 id, void *fn, u64 arg);
void vcpu_destroy(struct vcpu *vcpu);
void vcpu_call(struct vcpu *vcpu, void *fn, u64 arg);

/* The host's CPUID as SET_CPUID takes it, without VMX, MONITOR and the PMU, with UMIP. */
u32 host_cpuid(struct tinyvmx_cpuid *table, u32 room);

/* The guest's copy of a global variable. */
#define G(vm, var) \
	(*(volatile __typeof__(var) *)((vm)->ram + (uintptr_t)&(var)))

/* One VM, one vCPU that will call @fn: what most tests need. */
struct vcpu *vcpu_simple(void *fn);
/* ... and both gone again. */
void vcpu_simple_destroy(struct vcpu *vcpu);

/* ------------------------------------------------------------------ state */

void vcpu_get_regs(struct vcpu *vcpu);
void vcpu_set_regs(struct vcpu *vcpu);
struct tinyvmx_sregs vcpu_sregs(struct vcpu *vcpu);
void vcpu_set_sregs(struct vcpu *vcpu, const struct tinyvmx_sregs *sregs);

/* Check what an exit says of how addresses are translated. */
void paging_is(const struct tinyvmx_paging *paging,
	       const struct tinyvmx_sregs *sregs, u32 cpl, const char *what);
struct tinyvmx_events vcpu_events(struct vcpu *vcpu);
u64 vcpu_msr(struct vcpu *vcpu, u32 index);
void vcpu_set_msr(struct vcpu *vcpu, u32 index, u64 value);
/* CR4.OSXSAVE and XCR0 = @xcr0 & info()->xcr0_mask; returns that. */
u64 vcpu_enable_xsave(struct vcpu *vcpu, u64 xcr0);

/* -------------------------------------------------------------------- run */

/* 0, or -1 and errno. */
int vcpu_run(struct vcpu *vcpu);

/*
 * Run until the guest comes out for a reason; EINTR that nobody asked for is
 * retried. False, with the facts as diagnostics, if it is another one.
 */
bool run_until(struct vcpu *vcpu, u32 reason);
bool run_until_port(struct vcpu *vcpu, u32 value);
const char *exit_name(u32 reason);

/* One check each: the guest gets there. */
#define ok_sync(vcpu, n, ...) \
	ok(run_until_port((vcpu), GUEST_SYNC + (n)), __VA_ARGS__)
#define ok_done(vcpu, ...) \
	ok(run_until_port((vcpu), GUEST_DONE), __VA_ARGS__)
#define ok_exit(vcpu, reason, ...) \
	ok(run_until((vcpu), (reason)), __VA_ARGS__)

/* Run to GUEST_DONE without a check of its own; ends the program otherwise. */
void must_done(struct vcpu *vcpu);

/* ---------------------------------------------------------------- threads */

/* A thread that runs a vCPU until something other than EINTR comes out. */
struct runner {
	pthread_t thread;
	struct vcpu *vcpu;
	volatile bool stop;
	volatile bool ended;
	int ret;	/* of the last RUN, and its errno */
	int err;
};

struct runner *runner_start(struct vcpu *vcpu);
/* End it by a signal and immediate_exit if need be; the result is in *ret. */
void runner_stop(struct runner *runner);
/* Wait until guest_spin() has got on in there: true if it does in 5 s. */
bool wait_alive(struct vm *vm);
/* Wait for *word to change from @old, at most 5 s. */
bool wait_change(volatile u64 *word, u64 old);
/* A signal handler that does nothing, without SA_RESTART. */
void ignore_signal(int sig);
void sleep_us(u32 us);
/* Bind the calling thread. */
bool run_on_cpu(int cpu);

/* ------------------------------------------------------------------- host */

void *map_anon(size_t bytes);
/* Of 4 KiB; a kernel that has no others for processes (PREEMPT_RT) does not know of that. */
void use_small_pages(void *p, size_t bytes);
int online_cpus(void);
u64 ms_to_tsc(u64 ms);

/* Contents of a small file as a number, -1 if it cannot be read. */
long read_long(const char *path);
/* The number in the line "@name: number" or "@name number" of a file, -1: there is none. */
long read_line(const char *path, const char *name);
/* Whether @text is in the first line of it. */
bool line_contains(const char *path, const char *text);
bool write_text(const char *path, const char *text);

/* What of the host is in use, caches aside: a leak shows in the difference of two. */
struct host_use {
	long free_pages;
	long unreclaimable_kib;
	long tables_kib;
	long objects;	/* in all kmalloc caches, -1 if slabinfo cannot be read */
	long refs;	/* of the module, -1 if there are none to read */
};

struct host_use host_use(void);
/* Why that does not show what has leaked, or NULL. */
const char *leak_obstacle(void);
/* Checks: the module has the users it had, and a VM's memory would be missed. */
void nothing_is_left_since(const struct host_use *before);

/* Fork @child; its return value is the exit status. */
pid_t spawn(int (*child)(void *arg), void *arg);
/* Exit status, or -signal. */
int reap(pid_t pid);

/* Pass a file descriptor over a socket. */
void send_fd(int sock, int fd);
int recv_fd(int sock);

#endif
