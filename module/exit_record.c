// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who watches entries and exits: the tracepoints, and the flight recorder of a vCPU.
 *
 * The recorder's ring is written by the vCPU's thread alone and read by whoever has mapped it,
 * at any time: struct tinyvmx_record says how both get along without a lock.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/barrier.h>
#include <asm/msr.h>

#include "exit_info.h"
#include "exit_record.h"
#include "trace.h"
#include "vmx_caps.h"

/*
 * To turn it patches the kernel's text, for which all CPUs are interrupted: recorders, which any
 * user may switch on and off, leave it on for a second, so that it turns no more often than that.
 * Tracepoints are root's, and may go after the module's exit function.
 */
DEFINE_STATIC_KEY_DEFERRED_FALSE(tvx_watched_key, HZ);

int tvx_watch(void)
{
	static_branch_deferred_inc(&tvx_watched_key);
	return 0;
}

void tvx_unwatch(void)
{
	static_branch_dec(&tvx_watched_key.key);
}

void tvx_record_exit(void)
{
	static_key_deferred_flush(&tvx_watched_key);
}

/* ------------------------------------------------------------- the records */

static struct tinyvmx_record *record_at(const struct tvx_recorder *recorder, u64 sequence)
{
	return &recorder->ring[sequence & (recorder->records - 1)];
}

/* NULL: none has been written since recording began. */
static struct tinyvmx_record *newest(const struct tvx_recorder *recorder)
{
	struct tinyvmx_record *record;

	if (!recorder->on || !recorder->sequence)
		return NULL;
	record = record_at(recorder, recorder->sequence);
	return record->sequence == recorder->sequence ? record : NULL;
}

/* With virtual-interrupt delivery the CPU takes interrupts from the APIC, and none is injected. */
static u32 injected(const struct tvx_vcpu *vcpu)
{
	u32 info = vmcs_read32(VM_ENTRY_INTR_INFO_FIELD);

	if (info & INTR_INFO_VALID_MASK)
		return info;
	return vcpu->lapic.present && vmx_caps.apicv ? vmcs_read16(GUEST_INTR_STATUS) & 0xff : 0;
}

static void begin_record(const struct tvx_vcpu *vcpu)
{
	struct tinyvmx_record *record = record_at(&vcpu->recorder, vcpu->recorder.sequence + 1);

	WRITE_ONCE(record->sequence, 0);
	/* A reader who sees something new of it finds the old number gone. */
	smp_wmb();
	record->injected = injected(vcpu);
	record->entered = rdtsc();
}

static void end_record(struct tvx_vcpu *vcpu, u64 exited, u64 detail, u32 handled)
{
	struct tvx_recorder *recorder = &vcpu->recorder;
	struct tinyvmx_record *record = record_at(recorder, recorder->sequence + 1);

	record->exited = exited;
	record->rip = tvx_exit_rip(vcpu);
	record->qualification = tvx_exit_qualification(vcpu);
	record->detail = detail;
	record->reason = vcpu->exit.reason;
	record->handled = handled;
	record->user_ticks = 0;
	/* A reader who sees the number finds all that belongs to it. */
	smp_wmb();
	WRITE_ONCE(record->sequence, ++recorder->sequence);
}

static u64 exception_detail(void)
{
	u32 info = vmcs_read32(VM_EXIT_INTR_INFO), code = 0;

	if (info & INTR_INFO_DELIVER_CODE_MASK)
		code = vmcs_read32(VM_EXIT_INTR_ERROR_CODE);
	return info | (u64)code << 32;
}

static u64 detail(const struct tvx_vcpu *vcpu)
{
	switch (vcpu->exit.reason) {
	case EXIT_REASON_EXCEPTION_NMI:
		return exception_detail();
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_EPT_MISCONFIG:
		return vmcs_read64(GUEST_PHYSICAL_ADDRESS);
	}
	return (u32)vcpu->world.gpr[TINYVMX_RCX] | (u64)vcpu->world.gpr[TINYVMX_RAX] << 32;
}

/* -------------------------------------------------------------- the watchers */

void tvx_watch_entry(struct tvx_vcpu *vcpu)
{
	if (trace_tinyvmx_entry_enabled())
		trace_tinyvmx_entry(vcpu->id, vmcs_readn(GUEST_RIP),
				    vmcs_read32(VM_ENTRY_INTR_INFO_FIELD));
	if (vcpu->recorder.on)
		begin_record(vcpu);
}

static void trace_exit(struct tvx_vcpu *vcpu)
{
	u32 reason = vcpu->exit.reason;
	bool has_gpa = reason == EXIT_REASON_EPT_VIOLATION || reason == EXIT_REASON_EPT_MISCONFIG;

	trace_tinyvmx_exit(vcpu->id, reason, tvx_exit_rip(vcpu), tvx_exit_qualification(vcpu),
			   vmcs_read32(VM_EXIT_INTR_INFO),
			   has_gpa ? vmcs_read64(GUEST_PHYSICAL_ADDRESS) : 0);
}

void tvx_watch_exit(struct tvx_vcpu *vcpu)
{
	u64 exited = rdtsc();

	if (trace_tinyvmx_exit_enabled())
		trace_exit(vcpu);
	if (vcpu->recorder.on)
		end_record(vcpu, exited, detail(vcpu), 0);
}

void tvx_watch_no_entry(struct tvx_vcpu *vcpu, u32 instruction_error)
{
	if (vcpu->recorder.on)
		end_record(vcpu, rdtsc(), instruction_error, TINYVMX_HANDLED_NO_ENTRY);
}

void tvx_record_handled(struct tvx_vcpu *vcpu, u32 where)
{
	struct tinyvmx_record *record = newest(&vcpu->recorder);

	if (record)
		WRITE_ONCE(record->handled, record->handled | where);
}

void tvx_record_leave(struct tvx_vcpu *vcpu)
{
	tvx_record_handled(vcpu, TINYVMX_HANDLED_USER);
	vcpu->recorder.left = rdtsc();
}

void tvx_record_run(struct tvx_vcpu *vcpu)
{
	struct tvx_recorder *recorder = &vcpu->recorder;
	struct tinyvmx_record *record = newest(recorder);

	if (record && recorder->left)
		WRITE_ONCE(record->user_ticks, min_t(u64, U32_MAX, record->user_ticks +
						     rdtsc() - recorder->left));
}

/* --------------------------------------------------------------- the switch */

static void stop(struct tvx_recorder *recorder)
{
	if (!recorder->on)
		return;
	recorder->on = false;
	/* The number that is left out tells that exits may have gone unseen. */
	recorder->sequence++;
	recorder->left = 0;
	static_branch_slow_dec_deferred(&tvx_watched_key);
}

static int make_ring(struct tvx_recorder *recorder, u32 records)
{
	struct tinyvmx_record *ring;

	if (recorder->ring)
		return recorder->records == records ? 0 : -EEXIST;
	ring = __vmalloc(records * sizeof(*ring), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ring)
		return -ENOMEM;
	recorder->records = records;
	/* Its size first: who maps it takes no lock, since RUN may hold that for long. */
	smp_store_release(&recorder->ring, ring);
	return 0;
}

int tvx_record_set(struct tvx_vcpu *vcpu, const struct tinyvmx_set_record *arg)
{
	struct tvx_recorder *recorder = &vcpu->recorder;
	int err;

	if (arg->pad)
		return -EINVAL;
	if (!arg->records) {
		stop(recorder);
		return 0;
	}
	if (!is_power_of_2(arg->records) || arg->records < TINYVMX_MIN_RECORDS ||
	    arg->records > TINYVMX_MAX_RECORDS)
		return -EINVAL;
	err = make_ring(recorder, arg->records);
	if (err)
		return err;
	/* Before the vCPU's thread can look: both hooks of an entry are there, or none. */
	if (!recorder->on)
		tvx_watch();
	recorder->on = true;
	return 0;
}

void tvx_record_destroy(struct tvx_vcpu *vcpu)
{
	stop(&vcpu->recorder);
	vfree(vcpu->recorder.ring);
}

int tvx_record_map(struct tvx_vcpu *vcpu, struct vm_area_struct *vma)
{
	unsigned long at, bytes;
	void *ring;
	int err = 0;

	/* Pairs with make_ring(): one that is there has its size. */
	ring = smp_load_acquire(&vcpu->recorder.ring);
	if (!ring)
		return -ENOENT;
	bytes = vcpu->recorder.records * sizeof(struct tinyvmx_record);
	if (vma->vm_end - vma->vm_start != bytes)
		return -EINVAL;
	for (at = 0; at < bytes && !err; at += PAGE_SIZE)
		err = vm_insert_page(vma, vma->vm_start + at, vmalloc_to_page(ring + at));
	return err;
}
