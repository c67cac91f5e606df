/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: RAM, buses, clock, chips and vCPUs of one guest, and how it ended.
 *
 * Threads: each vCPU has its own; the event loop (loop.c) runs in the main one.
 * @lock is held by whoever enters a chip. The end has a lock of its own, so that a
 * signal can end the machine whatever the others are doing.
 */
#ifndef HV_MACHINE_H
#define HV_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "console.h"
#include "dev/bus.h"
#include "dev/debugport.h"
#include "dev/exitport.h"
#include "dev/pc.h"
#include "dev/xapic.h"
#include "firmware/cpuid.h"
#include "lib/memory.h"
#include "serial.h"
#include "vcpu.h"
#include "vm.h"

#define HV_MAX_VCPUS 1

enum hv_end_kind {
	HV_END_NONE,			/* it runs */
	HV_END_POWEROFF,
	HV_END_EXITED,			/* exit port; @detail is its value */
	HV_END_HALTED,
	HV_END_TRIPLE_FAULT,
	HV_END_ENTRY_FAILED,
	HV_END_UNSUPPORTED,
	HV_END_ERROR,
	HV_END_SIGNAL,			/* @detail is its number */
	HV_END_QUIT,			/* Ctrl-A X */
	HV_END_REBOOT,			/* the guest wants one, the user does not */
	HV_END_PANIC,			/* of the guest's kernel; @text is what it said */
	HV_NR_ENDS
};

struct hv_end {
	enum hv_end_kind kind;
	uint32_t detail;
	char text[200];			/* what led to it, where that needs saying */
};

struct hv_machine {
	pthread_mutex_t lock;
	struct hv_bus bus;
	struct hv_clock clock;
	struct hv_memory memory;
	struct hv_vm vm;
	struct hv_vcpu vcpu[HV_MAX_VCPUS];
	unsigned int nr_vcpus;
	struct tinyvmx_cpuid cpuid[HV_CPUID_MAX];
	size_t nr_cpuid;

	/* A PC: with the chips of the board, and a local APIC in the kernel. */
	bool is_pc;
	bool no_reboot;
	struct hv_pc pc;
	struct hv_xapic xapic;
	atomic_bool intr;		/* INTR of the 8259s */
	atomic_bool reset_wanted;
	bool has_shut_down;		/* by a triple fault, at @shutdown_ns */
	uint64_t shutdown_ns;
	bool delivered;			/* the I/O APIC has sent a message */
	unsigned int redelivered;	/* ... behind so many EOIs in a row */
	struct hv_timer late_eoi;
	uint8_t late_vector;
	/* Fill RAM, which is zero, and make the vCPU's first state: for each start. */
	void (*load)(void *ctx, struct hv_boot *boot);
	void *load_ctx;

	struct hv_console console;	/* on standard input and output */
	struct hv_serial serial[HV_PC_COM_PORTS];
	struct hv_console *consoles[1 + HV_PC_COM_PORTS];	/* all that are open */
	unsigned int nr_consoles;
	struct hv_debugport debugport;
	struct hv_exitport exitport;

	pthread_mutex_t end_lock;
	struct hv_end end;
	atomic_bool ended;

	int wake_fd;			/* eventfd: the event loop is to look around */
	int stop_fd;			/* eventfd: readable since the machine has ended */
	int timer_fd;			/* the earliest deadline of the clock */
	unsigned int verbose;		/* 2: each VM exit of a PC, too */
};

/*
 * Locks and file descriptors, empty buses; then the chips. RAM is the caller's to make.
 * @machine is all zeroes: what is not used of it then costs no memory.
 */
int hv_machine_init(struct hv_machine *machine, struct hv_error *err);
int hv_machine_add_devices(struct hv_machine *machine, bool raw_terminal, struct hv_error *err);
void hv_machine_exit(struct hv_machine *machine);

/* End the machine; the first reason counts. Any thread, any lock held but end_lock. */
void hv_machine_end(struct hv_machine *machine, enum hv_end_kind kind, uint32_t detail,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Make the event loop look around; any thread. */
void hv_machine_wake(struct hv_machine *machine);

/* Wait for readers of the consoles, where the guest is far ahead of them; without locks held. */
void hv_machine_throttle(struct hv_machine *machine);

/* Close *@fd if it is open. */
void hv_close(int *fd);

/* The end in words, the name that scripts see, and the exit status. */
void hv_end_describe(const struct hv_end *end, char *text, size_t len);
const char *hv_end_name(const struct hv_end *end);
int hv_end_status(const struct hv_end *end);

/* One line of the story that -v tells, on standard error. */
void hv_machine_say(const struct hv_machine *machine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
