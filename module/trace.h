/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: /sys/kernel/tracing/events/tinyvmx.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tinyvmx

#if !defined(TVX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TVX_TRACE_H

#include <linux/tracepoint.h>
#include <asm/vmx.h>

/* Somebody listens, and nobody does any more: exit_record.c. */
int tvx_watch(void);
void tvx_unwatch(void);

TRACE_EVENT_FN(tinyvmx_entry,
	TP_PROTO(unsigned int vcpu_id, unsigned long rip, u32 event),
	TP_ARGS(vcpu_id, rip, event),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(unsigned long, rip)
		__field(u32, event)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->rip = rip;
		__entry->event = event;
	),
	TP_printk("vcpu %u rip 0x%lx event 0x%08x",
		  __entry->vcpu_id, __entry->rip, __entry->event),
	tvx_watch, tvx_unwatch
);

TRACE_EVENT_FN(tinyvmx_exit,
	TP_PROTO(unsigned int vcpu_id, u32 reason, unsigned long rip,
		 unsigned long qualification, u32 intr_info, u64 gpa),
	TP_ARGS(vcpu_id, reason, rip, qualification, intr_info, gpa),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(u32, reason)
		__field(unsigned long, rip)
		__field(unsigned long, qualification)
		__field(u32, intr_info)
		__field(u64, gpa)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->reason = reason;
		__entry->rip = rip;
		__entry->qualification = qualification;
		__entry->intr_info = intr_info;
		__entry->gpa = gpa;
	),
	TP_printk("vcpu %u reason 0x%x (%s) rip 0x%lx qualification 0x%lx intr_info 0x%08x gpa 0x%llx",
		  __entry->vcpu_id, __entry->reason,
		  __print_symbolic(__entry->reason & 0xffff, VMX_EXIT_REASONS), __entry->rip,
		  __entry->qualification, __entry->intr_info, __entry->gpa),
	tvx_watch, tvx_unwatch
);

TRACE_EVENT(tinyvmx_unknown_msr,
	TP_PROTO(unsigned int vcpu_id, u32 index, bool write),
	TP_ARGS(vcpu_id, index, write),
	TP_STRUCT__entry(
		__field(unsigned int, vcpu_id)
		__field(u32, index)
		__field(bool, write)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu_id;
		__entry->index = index;
		__entry->write = write;
	),
	TP_printk("vcpu %u %s of MSR 0x%x", __entry->vcpu_id,
		  __entry->write ? "write" : "read", __entry->index)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
