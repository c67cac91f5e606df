/* SPDX-License-Identifier: GPL-2.0-only */
/* One virtual CPU: its file descriptor, its run page, its thread. */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "emul/mmio.h"
#include "emul/walk.h"
#include "lib/error.h"
#include "load/boot.h"
#include "tinyvmx.h"

struct hv_machine;

#define HV_NR_EXITS (TINYVMX_EXIT_EOI + 1)

struct hv_vcpu {
	struct hv_machine *machine;
	unsigned int id;
	int fd;				/* -1: not created */
	struct tinyvmx_run *run;
	pthread_t thread;
	bool started;
	uint64_t exits[HV_NR_EXITS];	/* that reached us, by run->reason */
	struct hv_mmio mmio;		/* finishes instructions for it; its thread's */
	struct tinyvmx_exits exits_before;	/* by basic reason, up to the last reset */
	uint64_t first_tsc;		/* the guest's, at the first entry */
};

int hv_vcpu_create(struct hv_vcpu *vcpu, struct hv_machine *machine, unsigned int id,
		   struct hv_error *err);
int hv_vcpu_set_boot(struct hv_vcpu *vcpu, const struct hv_boot *boot, struct hv_error *err);
int hv_vcpu_start(struct hv_vcpu *vcpu, struct hv_error *err);

/* Make the vCPU's thread leave RUN (or not enter it) and look around; any thread. */
void hv_vcpu_kick(struct hv_vcpu *vcpu);
/* The vCPU that the calling thread runs, or NULL. */
struct hv_vcpu *hv_vcpu_current(void);

/* Back to the state after RESET; by its own thread, outside RUN. */
int hv_vcpu_reset(struct hv_vcpu *vcpu, struct hv_error *err);
void hv_vcpu_join(struct hv_vcpu *vcpu);
void hv_vcpu_destroy(struct hv_vcpu *vcpu);

/* All VM exits by basic reason; the guest's TSC (0: cannot be had). Not while it runs. */
void hv_vcpu_count_exits(const struct hv_vcpu *vcpu, struct tinyvmx_exits *exits);
uint64_t hv_vcpu_tsc(const struct hv_vcpu *vcpu);

/* How it translates addresses now. Not while it runs. */
int hv_vcpu_paging(const struct hv_vcpu *vcpu, struct hv_paging *paging);

#endif
