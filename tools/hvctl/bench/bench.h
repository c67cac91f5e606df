/* SPDX-License-Identifier: GPL-2.0-only */
/* The bench: one set of guests, two back ends of the same shape. */
#ifndef HV_BENCH_BENCH_H
#define HV_BENCH_BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dev/bus.h"
#include "emul/mmio.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "lib/x86.h"

struct hv_bench_vm;
struct hv_bench_vcpu;

/* Why RUN came back, in words that both back ends have. */
enum hv_bench_exit_kind {
	HV_BENCH_EXIT_PORT,		/* port, width, write, data */
	HV_BENCH_EXIT_MMIO,		/* gpa, width, write, data */
	HV_BENCH_EXIT_HLT,
	HV_BENCH_EXIT_AGAIN,		/* all done */
	HV_BENCH_EXIT_STOPPED,		/* by hv_bench_vcpu_stop() */
	HV_BENCH_EXIT_OTHER,		/* reason: what the back end calls it */
};

struct hv_bench_exit {
	uint64_t address;		/* port or gpa */
	unsigned int width;
	unsigned int count;		/* of data items, one after the other */
	bool write;
	void *data;
	uint32_t reason;
};

struct hv_bench_backend {
	const char *name;
	/* All return 0 or -errno. */
	int (*open)(void);		/* a device fd */
	int (*vm_create)(struct hv_bench_vm *vm);
	int (*set_memory)(struct hv_bench_vm *vm, unsigned int slot, uint64_t gpa, uint64_t len,
			  void *hva);
	int (*vcpu_create)(struct hv_bench_vcpu *vcpu);
	int (*vcpu_long_mode)(struct hv_bench_vcpu *vcpu);
	int (*vcpu_call)(struct hv_bench_vcpu *vcpu, uint64_t rip, uint64_t rdi, uint64_t rsi);
	int (*inject)(struct hv_bench_vcpu *vcpu, unsigned int vector);
	/* by writes of 4 bytes; in KVM by writes to GUEST_MMIO_EVENT, too */
	int (*signal_port)(struct hv_bench_vm *vm, int eventfd, uint16_t port);
	int (*run)(struct hv_bench_vcpu *vcpu, struct hv_bench_exit *exit);
	/* RUN returns STOPPED without entering the guest. */
	void (*request_exit)(struct hv_bench_vcpu *vcpu);
};

extern const struct hv_bench_backend hv_bench_tinyvmx, hv_bench_kvm;

/* The state of a vCPU in 64-bit mode, which both back ends set up in their words. */
#define HV_BENCH_CR0 \
	(X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_MP | X86_CR0_PE)
#define HV_BENCH_CR4	(X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
#define HV_BENCH_EFER	(X86_EFER_NXE | X86_EFER_LMA | X86_EFER_LME | X86_EFER_SCE)
#define HV_BENCH_GDT_LIMIT	(5 * 8 - 1)
#define HV_BENCH_IDT_LIMIT	(256 * 16 - 1)
#define HV_BENCH_TSS_LIMIT	0x67

struct hv_bench_vcpu {
	struct hv_bench_vm *vm;
	unsigned int id;
	int fd;				/* -1: not there */
	void *run;			/* the page shared with the kernel, NULL: not there */
	size_t run_bytes;
	pthread_t thread;
	bool threaded;
	volatile bool stop;
	struct hv_mmio mmio;		/* for a back end that decodes instructions itself */
};

#define HV_BENCH_MAX_VCPUS 4

struct hv_bench_vm {
	const struct hv_bench_backend *backend;
	bool lapic;
	int device, fd, event;
	uint8_t *low, *high;		/* of slots 0 and 1 */
	struct hv_bench_vcpu vcpu[HV_BENCH_MAX_VCPUS];
	uint64_t device_value;		/* what the device behind port and MMIO holds */
	/* For a back end that decodes instructions itself. */
	struct hv_memory memory;
	struct hv_bus bus;
	struct hv_region port, mmio;
};

/* What backs slot 1. */
enum hv_bench_high {
	HV_BENCH_NO_HIGH,
	HV_BENCH_UNTOUCHED,
	HV_BENCH_SMALL_PAGES,
	HV_BENCH_HUGE_PAGES,
};

/* A VM with page tables, descriptors and code in place, and one vCPU in 64-bit mode. */
int hv_bench_vm_init(struct hv_bench_vm *vm, const struct hv_bench_backend *backend, bool lapic,
		     struct hv_error *err);
void hv_bench_vm_exit(struct hv_bench_vm *vm);
/* Writes to GUEST_PORT_EVENT signal an eventfd, which nobody reads. */
int hv_bench_vm_event(struct hv_bench_vm *vm, struct hv_error *err);
int hv_bench_vcpu_init(struct hv_bench_vm *vm, unsigned int id, struct hv_error *err);

/* Slot 1 anew: populated on the host's side, not in the EPT. */
int hv_bench_set_high(struct hv_bench_vm *vm, enum hv_bench_high kind, struct hv_error *err);

/* Run @guest (of guest.S) on vCPU 0 to its end; *ticks: what it measured. */
int hv_bench_run(struct hv_bench_vm *vm, const char *guest, uint64_t rdi, uint64_t rsi,
		 uint64_t *ticks, struct hv_error *err);

/* vCPUs 1 to @count run @guest in a thread each, until stopped. */
int hv_bench_others_start(struct hv_bench_vm *vm, const char *guest, unsigned int count,
			  struct hv_error *err);
void hv_bench_others_stop(struct hv_bench_vm *vm);

/* The device behind the port and the MMIO page: one register. */
static inline void hv_bench_device(struct hv_bench_vm *vm, unsigned int width, bool write,
				   void *data)
{
	memcpy(write ? (void *)&vm->device_value : data, write ? data : (void *)&vm->device_value,
	       width);
}

static inline uint64_t hv_bench_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
