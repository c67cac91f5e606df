/* SPDX-License-Identifier: GPL-2.0-only */
/* One virtual CPU: its file descriptor, its run page, its thread. */
#ifndef HV_VMM_VCPU_H
#define HV_VMM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "debug/flight.h"
#include "emul/mmio.h"
#include "emul/walk.h"
#include "lib/error.h"
#include "load/boot.h"
#include "tinyvmx.h"

struct hv_machine;

#define HV_NR_EXITS (TINYVMX_EXIT_DEBUG + 1)

/* Of its thread; see run.c. */
enum hv_vcpu_state {
	HV_VCPU_STOPPED,
	HV_VCPU_PAUSED,
	HV_VCPU_RUNNING,
	HV_VCPU_NR_STATES
};

/* Of a vCPU whose time stands still. */
struct hv_vcpu_time {
	uint64_t tsc;			/* the guest's */
	uint64_t timer_left;		/* of the local APIC's timer, in ticks; 0: none */
	uint64_t deadline;		/* ... in TSC-deadline mode; 0: there is none */
};

/* Why it came out for a debugger, and was not told yet. */
struct hv_vcpu_hit {
	uint32_t cause;			/* TINYVMX_DEBUG_*; 0: it did not */
	uint64_t dr6;
};

struct hv_vcpu {
	struct hv_machine *machine;
	unsigned int id;
	int fd;				/* -1: not created */
	struct tinyvmx_run *run;
	bool started;			/* there is a thread to join, @thread */
	pthread_t thread;
	atomic_int tid;			/* of its thread, to be kicked; 0: not now */
	enum hv_vcpu_state state;	/* under machine->run_lock, as is ... */
	bool held;			/* ... it stands though others run: a debugger's */
	struct hv_vcpu_hit hit;
	uint64_t exits[HV_NR_EXITS];	/* that reached us, by run->reason */
	bool nmi_may_come;		/* have its next RUN wait in HLT, though IF is clear */
	bool waits_for_peers;		/* ... wait whatever is blocked, and tell nobody: halt.c */
	struct hv_mmio mmio;		/* finishes instructions for it; its thread's */
	struct tinyvmx_exits exits_before;	/* by basic reason, up to the last reset */
	uint64_t first_tsc;		/* the guest's, at the first entry */
	struct hv_flight flight;	/* its last exits; recorder.h */
	struct hv_vcpu_time time;	/* while machine->time_stopped_ns is set */
};

/* Make it; on failure hv_vcpu_destroy() it, too. */
int hv_vcpu_create(struct hv_vcpu *vcpu, struct hv_machine *machine, unsigned int id,
		   struct hv_error *err);
void hv_vcpu_destroy(struct hv_vcpu *vcpu);
int hv_vcpu_set_boot(struct hv_vcpu *vcpu, const struct hv_boot *boot, struct hv_error *err);

/* One that is not the first: it waits for a start-up IPI, and its memory types are the same. */
int hv_vcpu_set_parked(struct hv_vcpu *vcpu, const struct hv_boot *boot, struct hv_error *err);

int hv_vcpu_start(struct hv_vcpu *vcpu, struct hv_error *err);
void hv_vcpu_join(struct hv_vcpu *vcpu);

/* Make the vCPU's thread leave RUN (or not enter it) and look around; any thread. */
void hv_vcpu_kick(struct hv_vcpu *vcpu);
/* Kicks of this thread wait: it is outside RUN, and its run page may go away. */
void hv_vcpu_block_kicks(bool block);
/* The vCPU that the calling thread runs, or NULL. */
struct hv_vcpu *hv_vcpu_current(void);

/* By its own thread (run.c): enter RUNNING, and leave it for good. */
void hv_vcpu_begin(struct hv_vcpu *vcpu);
void hv_vcpu_finish(struct hv_vcpu *vcpu);
/* ... there is something to attend to. False: the machine has ended. */
bool hv_vcpu_attend(struct hv_vcpu *vcpu);

/*
 * The following: not while it is RUNNING.
 */

/* Back to the state after RESET. */
int hv_vcpu_reset(struct hv_vcpu *vcpu, struct hv_error *err);

/* Let the module finish what the last exit has left to be finished. Returns 0 or -errno. */
int hv_vcpu_synchronise(struct hv_vcpu *vcpu);

/*
 * Its TSC and its APIC timer stand still, and go on, as of a moment of the host's TSC: one for all
 * vCPUs, whose TSCs stay in step so. Return 0 or -errno.
 */
int hv_vcpu_stop_time(struct hv_vcpu *vcpu, uint64_t host_tsc);
int hv_vcpu_start_time(struct hv_vcpu *vcpu, uint64_t host_tsc);
/* ... of now. */
int hv_vcpu_host_tsc(const struct hv_vcpu *vcpu, uint64_t *host_tsc);

/* All VM exits by basic reason; the guest's TSC (0: cannot be had). */
void hv_vcpu_count_exits(const struct hv_vcpu *vcpu, struct tinyvmx_exits *exits);
uint64_t hv_vcpu_tsc(const struct hv_vcpu *vcpu);

/* How a vCPU in that state translates addresses; how this one does now. */
struct hv_paging hv_paging_of(const struct tinyvmx_regs *regs, const struct tinyvmx_sregs *sregs);
int hv_vcpu_paging(const struct hv_vcpu *vcpu, struct hv_paging *paging);

#endif
