// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches: SDM, "Task Management".
 *
 * Up to the saving of the old task a fault is the old task's, and nothing has happened. Once the
 * new task's registers are loaded all else is the new task's, its segments to begin with. The CPU
 * has made the checks of the gate and of the new TSS before it left us the switch; they are
 * made again here, since what they are made of is in guest memory.
 */
#include <string.h>

#include "descriptor.h"
#include "event.h"
#include "insn.h"
#include "lib/util.h"
#include "task.h"

/*
 * A task-state segment: words of one width, which hold a register each. From the instruction
 * pointer on they are in the same order in both formats.
 */
struct layout {
	unsigned int width;		/* of a word, in bytes */
	unsigned int size;
	unsigned int ip;		/* the first word that a switch saves */
	unsigned int selectors;		/* how many of ES, CS, SS, DS, FS, GS */
};

static const struct layout tss16 = { .width = 2, .size = 44, .ip = 14, .selectors = 4 };
static const struct layout tss32 = { .width = 4, .size = 104, .ip = 32, .selectors = 6 };

/* Words, counted from the instruction pointer. */
#define WORD_IP		0U
#define WORD_FLAGS	1U
#define WORD_GPR	2U		/* EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI */
#define NR_GPR		8U
#define WORD_SELECTOR	(WORD_GPR + NR_GPR)

/* What only a TSS of 32 bits has. */
#define TSS32_CR3	28U
#define TSS32_TRAP	100U		/* bit 0: debug trap */

#define MAX_SIZE	104U
#define LINK		0U		/* the previous task link, 16 bits */

#define DR6_TRAPS	0xfULL		/* B3:B0 */
#define DR6_BT		(1ULL << 15)
#define DR7_LOCAL	0x155ULL	/* L3:L0, LE */
#define DR7_GD		(1ULL << 13)
#define VECTOR_DB	1U

/* All that RFLAGS has outside long mode; the others of an image are ignored. */
#define RFLAGS_LOADED	0x3f7fd5ULL

/* Segments of virtual-8086 mode, and what stands for code that could not be loaded. */
#define AR_V86		(TINYVMX_AR_P | 3U << TINYVMX_AR_DPL_SHIFT | TINYVMX_AR_S | 3U)
#define AR_NO_STACK	(TINYVMX_AR_UNUSABLE | 3U << TINYVMX_AR_DPL_SHIFT)
#define AR_NO_CODE	(TINYVMX_AR_G | TINYVMX_AR_DB | TINYVMX_AR_P | \
			 3U << TINYVMX_AR_DPL_SHIFT | TINYVMX_AR_S | 0xbU)

struct task_switch {
	struct hv_mmio *m;
	struct tinyvmx_exit_task_switch exit;
	unsigned int instruction_len;	/* 0: no instruction has caused it */
	struct tinyvmx_events events;
	struct tinyvmx_debug debug;
	const struct layout *from, *to;
	struct hv_descriptor tss;	/* of the new task */
	uint8_t image[MAX_SIZE];	/* the new task's TSS */
};

static bool fault(struct task_switch *t, unsigned int vector, uint16_t selector)
{
	return hv_guest_fault(&t->m->guest, vector, selector & ~HV_SELECTOR_RPL);
}

/* Another task waits for this one to return. */
static bool is_nested(const struct task_switch *t)
{
	return t->exit.source == TINYVMX_TASK_SWITCH_CALL ||
	       t->exit.source == TINYVMX_TASK_SWITCH_GATE;
}

static const struct layout *layout_of(uint32_t ar)
{
	return ar & HV_TYPE_TSS_32 ? &tss32 : &tss16;
}

static unsigned int offset_of(const struct layout *layout, unsigned int word)
{
	return layout->ip + word * layout->width;
}

/* ----------------------------------------------------------------- the old task's faults */

static bool find_tss(struct task_switch *t)
{
	bool iret = t->exit.source == TINYVMX_TASK_SWITCH_IRET;
	unsigned int vector = iret ? X86_VECTOR_TS : X86_VECTOR_GP;
	uint32_t type = HV_TYPE_TSS | (iret ? HV_TYPE_TSS_BUSY : 0);
	uint16_t selector = t->exit.selector;
	uint32_t ar;

	if (selector & HV_SELECTOR_TABLE || !(selector & ~HV_SELECTOR_RPL))
		return fault(t, vector, selector);
	if (!hv_descriptor_read(&t->m->guest, &t->m->sregs, selector, vector, &t->tss))
		return false;
	ar = t->tss.segment.ar;
	t->to = layout_of(ar);
	if ((ar & (TINYVMX_AR_S | (TINYVMX_AR_TYPE_MASK & ~HV_TYPE_TSS_32))) != type)
		return fault(t, vector, selector);
	if (!(ar & TINYVMX_AR_P))
		return fault(t, X86_VECTOR_NP, selector);
	if (t->tss.segment.limit < t->to->size - 1)
		return fault(t, X86_VECTOR_TS, selector);
	return true;
}

/* Where the byte of the old task's descriptor is that tells whether it is busy. */
static uint32_t old_type_gla(const struct task_switch *t)
{
	const struct tinyvmx_sregs *sregs = &t->m->sregs;

	return sregs->gdt_base + (sregs->seg[TINYVMX_TR].selector & ~7U) + HV_TYPE_OFFSET;
}

static bool can_save(struct task_switch *t)
{
	const struct tinyvmx_segment *tr = &t->m->sregs.seg[TINYVMX_TR];
	unsigned int end = offset_of(t->from, WORD_SELECTOR + t->from->selectors);

	if (tr->limit < end - 1)
		return fault(t, X86_VECTOR_TS, tr->selector);
	if (!is_nested(t) && !hv_guest_check(&t->m->guest, old_type_gla(t), 1, true))
		return false;
	return hv_guest_check(&t->m->guest, (uint32_t)tr->base + t->from->ip, end - t->from->ip,
			      true);
}

static bool can_load(struct task_switch *t)
{
	struct hv_guest *guest = &t->m->guest;

	if (!hv_guest_check(guest, t->tss.segment.base, t->to->size, false))
		return false;
	if (is_nested(t) && !hv_guest_check(guest, t->tss.segment.base + LINK, 2, true))
		return false;
	return t->exit.source == TINYVMX_TASK_SWITCH_IRET ||
	       hv_guest_check(guest, t->tss.gla + HV_TYPE_OFFSET, 1, true);
}

/* ---------------------------------------------------------------------- save and load */

static bool put_word(struct task_switch *t, unsigned int word, unsigned int width, uint64_t value)
{
	uint32_t gla = t->m->sregs.seg[TINYVMX_TR].base + offset_of(t->from, word);

	return hv_guest_access(&t->m->guest, gla, width, true, &value);
}

/* RFLAGS as the old task finds them again; an instruction that is done has cleared RF. */
static uint64_t saved_flags(const struct task_switch *t)
{
	uint64_t rflags = t->m->regs->rflags;

	if (t->instruction_len)
		rflags &= ~X86_RFLAGS_RF;
	return t->exit.source == TINYVMX_TASK_SWITCH_IRET ? rflags & ~X86_RFLAGS_NT : rflags;
}

/* Of selectors only their 16 bits are written. */
static bool save(struct task_switch *t)
{
	const struct tinyvmx_regs *regs = t->m->regs;
	unsigned int width = t->from->width;

	if (!put_word(t, WORD_IP, width, regs->rip + t->instruction_len) ||
	    !put_word(t, WORD_FLAGS, width, saved_flags(t)))
		return false;
	for (unsigned int n = 0; n < NR_GPR; n++)
		if (!put_word(t, WORD_GPR + n, width, regs->gpr[n]))
			return false;
	for (unsigned int n = 0; n < t->from->selectors; n++)
		if (!put_word(t, WORD_SELECTOR + n, 2, t->m->sregs.seg[n].selector))
			return false;
	return true;
}

static bool set_busy(struct task_switch *t, uint32_t gla, bool busy)
{
	uint64_t type;

	if (!hv_guest_access(&t->m->guest, gla, 1, false, &type))
		return false;
	type = busy ? type | HV_TYPE_TSS_BUSY : type & ~(uint64_t)HV_TYPE_TSS_BUSY;
	return hv_guest_access(&t->m->guest, gla, 1, true, &type);
}

/* SDM, "Effect of a Task Switch on Busy Flag, NT Flag, Previous Task Link Field, and TS Flag". */
static bool link_tasks(struct task_switch *t)
{
	uint64_t old = t->m->sregs.seg[TINYVMX_TR].selector;

	if (is_nested(t)) {
		if (!hv_guest_access(&t->m->guest, t->tss.segment.base + LINK, 2, true, &old))
			return false;
	} else if (!set_busy(t, old_type_gla(t), false)) {
		return false;
	}
	return true;
}

static bool leave_old_task(struct task_switch *t)
{
	if (!find_tss(t) || !can_save(t) || !can_load(t) || !save(t) || !link_tasks(t) ||
	    !hv_guest_access_bytes(&t->m->guest, t->tss.segment.base, t->to->size, false, t->image))
		return false;
	return t->exit.source == TINYVMX_TASK_SWITCH_IRET ||
	       set_busy(t, t->tss.gla + HV_TYPE_OFFSET, true);
}

/* ------------------------------------------------------------------------ the new task */

static uint32_t get(const struct task_switch *t, unsigned int offset, unsigned int width)
{
	uint32_t value = 0;

	memcpy(&value, t->image + offset, width);
	return value;
}

static uint32_t get_word(const struct task_switch *t, unsigned int word)
{
	return get(t, offset_of(t->to, word), t->to->width);
}

/* FS and GS are null in a task of 16 bits. */
static uint16_t get_selector(const struct task_switch *t, unsigned int n)
{
	return n < t->to->selectors ? get_word(t, WORD_SELECTOR + n) : 0;
}

static void load_registers(struct task_switch *t)
{
	struct tinyvmx_regs *regs = t->m->regs;
	/* As processors do, though no manual says it. */
	uint32_t upper = t->to == &tss16 ? 0xffff0000 : 0;

	regs->rip = get_word(t, WORD_IP);
	regs->rflags = (get_word(t, WORD_FLAGS) & RFLAGS_LOADED) | X86_RFLAGS_FIXED;
	if (is_nested(t))
		regs->rflags |= X86_RFLAGS_NT;
	for (unsigned int n = 0; n < NR_GPR; n++)
		regs->gpr[n] = get_word(t, WORD_GPR + n) | upper;
}

static void load_task_register(struct task_switch *t)
{
	struct tinyvmx_sregs *sregs = &t->m->sregs;

	t->tss.segment.ar |= HV_TYPE_TSS_BUSY;
	sregs->seg[TINYVMX_TR] = t->tss.segment;
	sregs->cr0 |= X86_CR0_TS;
	t->debug.dr7 &= ~DR7_LOCAL;
}

static bool load_page_tables(struct task_switch *t)
{
	struct tinyvmx_sregs *sregs = &t->m->sregs;
	const uint64_t pae = X86_CR4_PAE;
	uint32_t cr3 = get(t, TSS32_CR3, 4);

	if (t->to != &tss32 || !(sregs->cr0 & X86_CR0_PG))
		return true;
	if (sregs->cr4 & pae &&
	    !hv_walk_read_pdptes(t->m->guest.memory, cr3, t->m->gpa_bits, sregs->pdpte))
		return fault(t, X86_VECTOR_GP, 0);
	sregs->cr3 = cr3;
	t->m->guest.paging.cr3 = cr3;
	return true;
}

/*
 * Selectors come first, without what they select. Where that cannot be loaded nothing is left to
 * go on with: the exception is taken at CPL 3, so that its handler gets the stack which the TSS has
 * for it.
 */
static void unload_segments(struct task_switch *t)
{
	struct tinyvmx_segment *seg = t->m->sregs.seg;

	for (unsigned int n = TINYVMX_ES; n <= TINYVMX_GS; n++)
		seg[n] = (struct tinyvmx_segment){ .selector = get_selector(t, n),
						   .ar = AR_NO_STACK };
	seg[TINYVMX_CS].limit = UINT32_MAX;
	seg[TINYVMX_CS].ar = AR_NO_CODE;
}

static void load_v86_segments(struct task_switch *t)
{
	for (unsigned int n = TINYVMX_ES; n <= TINYVMX_GS; n++) {
		uint16_t selector = get_selector(t, n);

		t->m->sregs.seg[n] = (struct tinyvmx_segment){
			.selector = selector, .base = selector << 4, .limit = 0xffff, .ar = AR_V86
		};
	}
}

static bool load_ldt(struct task_switch *t)
{
	struct tinyvmx_segment *ldtr = &t->m->sregs.seg[TINYVMX_LDTR];
	uint16_t selector = get_word(t, WORD_SELECTOR + t->to->selectors);
	const uint32_t wanted = TINYVMX_AR_P | HV_TYPE_LDT;
	struct hv_descriptor d;

	*ldtr = (struct tinyvmx_segment){ .selector = selector, .ar = TINYVMX_AR_UNUSABLE };
	if (selector & HV_SELECTOR_TABLE)
		return fault(t, X86_VECTOR_TS, selector);
	if (!(selector & ~HV_SELECTOR_RPL))
		return true;
	if (!hv_descriptor_read(&t->m->guest, &t->m->sregs, selector, X86_VECTOR_TS, &d))
		return false;
	if ((d.segment.ar & (TINYVMX_AR_P | TINYVMX_AR_S | TINYVMX_AR_TYPE_MASK)) != wanted)
		return fault(t, X86_VECTOR_TS, selector);
	*ldtr = d.segment;
	return true;
}

static bool read_segment(struct task_switch *t, uint16_t selector, struct hv_descriptor *d)
{
	if (!(selector & ~HV_SELECTOR_RPL))
		return fault(t, X86_VECTOR_TS, selector);
	return hv_descriptor_read(&t->m->guest, &t->m->sregs, selector, X86_VECTOR_TS, d);
}

static bool read_code(struct task_switch *t, uint16_t selector, struct hv_descriptor *d)
{
	const uint32_t code = TINYVMX_AR_S | HV_TYPE_CODE;
	unsigned int rpl = selector & HV_SELECTOR_RPL;
	bool allowed;

	if (!read_segment(t, selector, d))
		return false;
	allowed = d->segment.ar & HV_TYPE_CONFORMING ? hv_descriptor_dpl(d) <= rpl :
						       hv_descriptor_dpl(d) == rpl;
	if ((d->segment.ar & code) != code || !allowed)
		return fault(t, X86_VECTOR_TS, selector);
	return d->segment.ar & TINYVMX_AR_P || fault(t, X86_VECTOR_NP, selector);
}

static bool read_stack(struct task_switch *t, uint16_t selector, unsigned int cpl,
		       struct hv_descriptor *d)
{
	const uint32_t writable = TINYVMX_AR_S | HV_TYPE_RW;

	if (!read_segment(t, selector, d))
		return false;
	if ((d->segment.ar & (writable | HV_TYPE_CODE)) != writable)
		return fault(t, X86_VECTOR_TS, selector);
	if (!(d->segment.ar & TINYVMX_AR_P))
		return fault(t, X86_VECTOR_SS, selector);
	return (hv_descriptor_dpl(d) == cpl && (selector & HV_SELECTOR_RPL) == cpl) ||
	       fault(t, X86_VECTOR_TS, selector);
}

/* Both or none: the stack's privilege level is the code's. */
static bool load_code_and_stack(struct task_switch *t)
{
	uint16_t cs = get_selector(t, TINYVMX_CS), ss = get_selector(t, TINYVMX_SS);
	struct hv_guest *guest = &t->m->guest;
	struct hv_descriptor code, stack;

	if (!read_code(t, cs, &code) || !read_stack(t, ss, cs & HV_SELECTOR_RPL, &stack) ||
	    !hv_descriptor_mark_accessed(guest, &code) ||
	    !hv_descriptor_mark_accessed(guest, &stack))
		return false;
	t->m->sregs.seg[TINYVMX_CS] = code.segment;
	t->m->sregs.seg[TINYVMX_SS] = stack.segment;
	return true;
}

static bool load_segments(struct task_switch *t)
{
	static const unsigned int data[] = { TINYVMX_DS, TINYVMX_ES, TINYVMX_FS, TINYVMX_GS };
	unsigned int cpl = get_selector(t, TINYVMX_CS) & HV_SELECTOR_RPL;

	if (t->m->regs->rflags & X86_RFLAGS_VM)
		return load_ldt(t);
	if (!load_ldt(t) || !load_code_and_stack(t))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(data); i++)
		if (!hv_descriptor_load_data(&t->m->guest, &t->m->sregs, data[i],
					     get_selector(t, data[i]), cpl, X86_VECTOR_TS))
			return false;
	return true;
}

/* The error code of an exception is on the new task's stack, as wide as its TSS. */
static bool push_error_code(struct task_switch *t)
{
	struct hv_paging *paging = &t->m->guest.paging;

	if (!(t->exit.event_info & HV_EVENT_ERROR_CODE))
		return true;
	paging->user = (t->m->sregs.seg[TINYVMX_SS].ar >> TINYVMX_AR_DPL_SHIFT & 3) == 3;
	paging->rflags = t->m->regs->rflags;
	return hv_insn_push(t->m, t->to->width, t->exit.event_error_code);
}

/* A trap before the new task's first instruction. */
static void take_debug_trap(struct task_switch *t)
{
	if (t->to != &tss32 || !(get(t, TSS32_TRAP, 1) & 1))
		return;
	t->debug.dr6 = (t->debug.dr6 & ~DR6_TRAPS) | DR6_BT;
	t->debug.dr7 &= ~DR7_GD;
	hv_event_inject(&t->events, VECTOR_DB, 0);
}

static bool enter_new_task(struct task_switch *t)
{
	load_task_register(t);
	load_registers(t);
	if (t->m->regs->rflags & X86_RFLAGS_VM)
		load_v86_segments(t);
	else
		unload_segments(t);
	if (!load_page_tables(t) || !load_segments(t) || !push_error_code(t))
		return false;
	take_debug_trap(t);
	return true;
}

/* --------------------------------------------------------------------------- the exit */

/* In whichever task we are: RIP is on what faults, or on the new task's first instruction. */
static void take_fault(struct task_switch *t)
{
	struct hv_fault *taken = &t->m->guest.fault;

	if (taken->vector == X86_VECTOR_PF)
		t->m->sregs.cr2 = taken->cr2;
	else if (hv_event_is_external(t->exit.event_info))
		taken->error_code |= X86_ERROR_EXT;
	t->m->regs->rflags |= X86_RFLAGS_RF;
	hv_event_raise(&t->events, t->exit.event_info, taken);
}

/* The delivery of an event, and an instruction that is done, end the shadow of STI and MOV SS. */
static void block_events(struct task_switch *t)
{
	uint32_t *blocking = &t->events.interruptibility;
	uint32_t info = t->exit.event_info;

	*blocking &= ~(TINYVMX_BLOCKING_BY_STI | TINYVMX_BLOCKING_BY_MOV_SS);
	if (t->exit.source == TINYVMX_TASK_SWITCH_IRET)
		*blocking &= ~TINYVMX_BLOCKING_BY_NMI;
	if (info & HV_EVENT_VALID && HV_EVENT_TYPE(info) == HV_EVENT_NMI)
		*blocking |= TINYVMX_BLOCKING_BY_NMI;
}

/* All tables are the CPU's own accesses: see hv_table_access(). */
static void prepare(struct task_switch *t, struct tinyvmx_run *run)
{
	struct hv_guest *guest = &t->m->guest;
	const struct tinyvmx_sregs *sregs = &t->m->sregs;

	guest->paging = (struct hv_paging){
		.cr0 = sregs->cr0, .cr3 = sregs->cr3, .cr4 = sregs->cr4, .efer = sregs->efer
	};
	guest->known = 0;
	guest->aligned = false;
	guest->debug = NULL;
	guest->dr6 = 0;
	t->m->regs = &run->regs;
	t->m->code_bits = 32; /* or less, but not 64 */
	t->from = layout_of(sregs->seg[TINYVMX_TR].ar);
	if (!(t->exit.event_info & HV_EVENT_VALID) || hv_event_is_software(t->exit.event_info))
		t->instruction_len = run->instruction_len;
}

static bool set_if_changed(struct hv_mmio *m, uint32_t type, const void *now, const void *before,
			   size_t len)
{
	return !memcmp(now, before, len) || !m->set_state(m->ctx, type, now, len);
}

bool hv_task_exit(struct hv_mmio *m, struct tinyvmx_run *run)
{
	struct task_switch t = { .m = m, .exit = run->task_switch };
	struct tinyvmx_events events;
	struct tinyvmx_debug debug;

	m->sregs_read = false;
	if (!hv_insn_sregs(m) ||
	    m->get_state(m->ctx, TINYVMX_STATE_EVENTS, &events, sizeof(events)) ||
	    m->get_state(m->ctx, TINYVMX_STATE_DEBUG, &debug, sizeof(debug)))
		return false;
	t.events = events;
	t.debug = debug;
	prepare(&t, run);
	block_events(&t);
	if (!leave_old_task(&t) || !enter_new_task(&t))
		take_fault(&t);
	run->request |= TINYVMX_REQ_SET_REGS;
	return hv_insn_set_sregs(m) &&
	       set_if_changed(m, TINYVMX_STATE_DEBUG, &t.debug, &debug, sizeof(debug)) &&
	       set_if_changed(m, TINYVMX_STATE_EVENTS, &t.events, &events, sizeof(events));
}
