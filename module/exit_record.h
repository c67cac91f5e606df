/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who watches entries and exits: the tracepoints, and the flight recorder of a vCPU.
 */
#ifndef TVX_EXIT_RECORD_H
#define TVX_EXIT_RECORD_H

#include <linux/jump_label_ratelimit.h>

#include "vcpu.h"

/*
 * Whether anybody on this host watches any vCPU. One key for both kinds of watcher: whatever
 * there is of them, an exit that nobody watches goes past two NOPs.
 */
extern struct static_key_false_deferred tvx_watched_key;
#define tvx_is_watched() static_branch_unlikely(&tvx_watched_key.key)

/*
 * Before a VM entry; after a VM exit; after an entry that was not even tried. VMCS current,
 * interrupts disabled.
 */
void tvx_watch_entry(struct tvx_vcpu *vcpu);
void tvx_watch_exit(struct tvx_vcpu *vcpu);
void tvx_watch_no_entry(struct tvx_vcpu *vcpu, u32 instruction_error);

/* What became of the last exit: TINYVMX_HANDLED_*. On the vCPU's thread. */
void tvx_record_handled(struct tvx_vcpu *vcpu, u32 where);
/* RUN begins and ends. */
void tvx_record_run(struct tvx_vcpu *vcpu);
void tvx_record_leave(struct tvx_vcpu *vcpu);

/* TINYVMX_SET_RECORD: 0 or -errno. vcpu->lock held, may sleep. */
int tvx_record_set(struct tvx_vcpu *vcpu, const struct tinyvmx_set_record *arg);
/* Map the ring, which lives as long as the vCPU's file, into @vma. */
int tvx_record_map(struct tvx_vcpu *vcpu, struct vm_area_struct *vma);
void tvx_record_destroy(struct tvx_vcpu *vcpu);

/* At the end of the module, when there is no vCPU any more. May sleep. */
void tvx_record_exit(void);

#endif
