/* SPDX-License-Identifier: GPL-2.0-only */
/* One virtual CPU: its file descriptor, its run page, its thread. */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "boot.h"
#include "error.h"
#include "mmio.h"
#include "tinyvmx.h"
#include "walk.h"

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
	uint64_t exits_before;		/* all of them, up to the last reset */
	struct hv_mmio mmio;		/* finishes instructions for it; its thread's */
};

int hv_vcpu_create(struct hv_vcpu *vcpu, struct hv_machine *machine, unsigned int id, struct hv_error *err);
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

/* How it translates addresses now. Not while it runs. */
int hv_vcpu_paging(const struct hv_vcpu *vcpu, struct hv_paging *paging);

#endif
