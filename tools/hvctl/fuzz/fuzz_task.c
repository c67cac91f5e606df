// SPDX-License-Identifier: GPL-2.0-only
/* Hardware task switches between any tasks: what comes of one, a CPU would enter. */
#include <stdlib.h>
#include <string.h>

#include "emul/event.h"
#include "emul/task.h"
#include "fuzz_state.h"
#include "lib/x86.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM	0x10000
#define GDT	0x1000
#define OLD_TSS 0x2000
#define TR	0x18

static uint8_t ram[RAM] __attribute__((aligned(4096)));
static struct hv_memory memory;
static struct hv_bus bus;
static struct tinyvmx_sregs sregs;
static struct tinyvmx_events events;
static struct tinyvmx_debug debug;

static struct fuzz_blob blobs[] = {
	{ TINYVMX_STATE_SREGS, sizeof(sregs), &sregs },
	{ TINYVMX_STATE_EVENTS, sizeof(events), &events },
	{ TINYVMX_STATE_DEBUG, sizeof(debug), &debug },
	{ 0 },
};

/* The guest's memory is @tables, from the GDT on: both tasks, their descriptors, page tables. */
struct input {
	struct tinyvmx_exit_task_switch exit;
	uint32_t gpr[8];
	uint32_t rflags;
	uint16_t selectors[6];
	uint8_t mode;
	uint8_t instruction_len;
	uint8_t tables[0x6000];
};

enum { PAGING = 1, PAE = 2, LARGE = 4, TSS32 = 8, NMI_BLOCKED = 16, FAR_GDT = 32 };

/* Of the old task: flat, or those of virtual-8086 mode. */
static struct tinyvmx_segment segment_of(const struct input *in, unsigned int i)
{
	uint16_t selector = in->selectors[i];

	if (in->rflags & X86_RFLAGS_VM)
		return (struct tinyvmx_segment){
			.selector = selector, .base = selector << 4, .limit = 0xffff, .ar = 0xf3
		};
	return (struct tinyvmx_segment){ .selector = selector,
					 .limit = UINT32_MAX,
					 .ar = i == TINYVMX_CS ? 0xc09b : 0xc093 };
}

static void set_up(const struct input *in, struct tinyvmx_run *run)
{
	memory.range[0] = (struct hv_ram_range){ 0, RAM, ram };
	memory.count = 1;
	memset(ram, 0, sizeof(ram));
	memcpy(ram + GDT, in->tables, sizeof(in->tables));
	sregs = (struct tinyvmx_sregs){
		.cr0 = X86_CR0_PE | X86_CR0_WP | (in->mode & PAGING ? X86_CR0_PG : 0),
		.cr3 = 0x4000,
		.cr4 = (in->mode & PAE ? X86_CR4_PAE : 0) | (in->mode & LARGE ? X86_CR4_PSE : 0),
		.gdt_base = in->mode & FAR_GDT ? 0xfffff000 : GDT,
		.gdt_limit = 0x7ff,
	};
	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		sregs.seg[i] = segment_of(in, i);
	sregs.seg[TINYVMX_LDTR].ar = TINYVMX_AR_UNUSABLE;
	sregs.seg[TINYVMX_TR] = (struct tinyvmx_segment){
		.selector = TR, .base = OLD_TSS, .limit = 0x67, .ar = in->mode & TSS32 ? 0x8b : 0x83
	};
	events = (struct tinyvmx_events){
		.interruptibility = in->mode & NMI_BLOCKED ? TINYVMX_BLOCKING_BY_NMI : 0,
	};
	debug = (struct tinyvmx_debug){ .dr6 = 0xffff0ff0, .dr7 = 0x400 };
	memset(run, 0, sizeof(*run));
	run->task_switch = in->exit;
	run->instruction_len = in->instruction_len & 15;
	run->regs.rip = 0x1000;
	run->regs.rflags = (in->rflags & 0x3f7fd5) | 2;
	for (unsigned int i = 0; i < 8; i++)
		run->regs.gpr[i] = in->gpr[i];
}

static bool has_right_granularity(const struct tinyvmx_segment *seg)
{
	return seg->ar & TINYVMX_AR_G ? (seg->limit & 0xfff) == 0xfff : !(seg->limit >> 20);
}

/* SDM, "Checks on Guest Segment Registers": the next VM entry makes them. */
static void check_segments(const struct tinyvmx_regs *regs)
{
	const struct tinyvmx_segment *tr = &sregs.seg[TINYVMX_TR];

	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++) {
		const struct tinyvmx_segment *seg = &sregs.seg[i];

		if (regs->rflags & X86_RFLAGS_VM) {
			if (seg->base != (uint64_t)seg->selector << 4 || seg->limit != 0xffff ||
			    seg->ar != 0xf3)
				abort();
			continue;
		}
		if (seg->ar & TINYVMX_AR_UNUSABLE)
			continue;
		if (!(seg->ar & TINYVMX_AR_P) || !(seg->ar & TINYVMX_AR_S) || !(seg->ar & 1) ||
		    !has_right_granularity(seg))
			abort();
	}
	if ((tr->ar & 0x9f) != 0x8b && (tr->ar & 0x9f) != 0x83)
		abort();
	if (!has_right_granularity(tr))
		abort();
}

static void check_event(void)
{
	uint32_t type = HV_EVENT_TYPE(events.event_info);

	if (!(events.pending & TINYVMX_PENDING_EVENT))
		return;
	if (!(events.event_info & HV_EVENT_VALID) || type != HV_EVENT_EXCEPTION ||
	    (events.event_info & HV_EVENT_VECTOR) > 31)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tinyvmx_run run;
	static struct hv_mmio mmio;
	static struct input input;

	if (size < offsetof(struct input, tables))
		return 0;
	memset(&input, 0, sizeof(input));
	memcpy(&input, data, size < sizeof(input) ? size : sizeof(input));
	set_up(&input, &run);
	mmio.guest.memory = &memory;
	mmio.guest.bus = &bus;
	mmio.get_state = fuzz_get_state;
	mmio.set_state = fuzz_set_state;
	mmio.ctx = blobs;
	mmio.gpa_bits = 39;
	if (!hv_task_exit(&mmio, &run) || run.request != TINYVMX_REQ_SET_REGS)
		abort();
	if (!(run.regs.rflags & 2) || run.regs.rflags >> 22 || run.regs.rip >> 32)
		abort();
	check_segments(&run.regs);
	check_event();
	return 0;
}
