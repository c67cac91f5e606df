// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a guest has probably died. Each row looks for one thing that an exception, or the
 * delivery of one, cannot do without, in the order in which a CPU needs them.
 */
#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "emul/decode.h"
#include "lib/util.h"
#include "load/protocol.h"

#define EXIT_TASK_SWITCH 9
#define HLT              0xf4
/* A guest that dies so near to its entry has set up nothing of its own yet. */
#define EARLY_BYTES 256

/* ------------------------------------------------------------------- memory */

/* Copy guest-linear memory. False: some of it is not there; @why says what is in its place. */
static bool read_linear(const struct hv_situation *s, uint64_t gla, void *buf, size_t bytes,
			char why[100])
{
	size_t there = hv_peek(s->memory, &s->paging, gla, buf, bytes);
	struct hv_fault fault;
	uint64_t gpa;

	if (there == bytes)
		return true;
	if (hv_walk(s->memory, &s->paging, gla + there, HV_WALK_PEEK, &gpa, &fault, NULL))
		snprintf(why, 100, "where there is no memory (guest-physical 0x%llx)",
			 (unsigned long long)gpa);
	else if (fault.vector == X86_VECTOR_GP)
		snprintf(why, 100, "which is not canonical");
	else
		snprintf(why, 100, "where its page tables map nothing");
	return false;
}

static bool is_protected(const struct hv_situation *s)
{
	return s->sregs.cr0 & X86_CR0_PE;
}

static bool is_long(const struct hv_situation *s)
{
	return s->sregs.efer & X86_EFER_LMA;
}

static uint64_t segment_linear(const struct hv_situation *s, unsigned int segment, uint64_t offset)
{
	if (hv_code_bits(s->sregs.efer, s->sregs.seg[TINYVMX_CS].ar) == 64)
		return offset;
	return (uint32_t)(s->sregs.seg[segment].base + offset);
}

/* ------------------------------------------------------------------- the code */

/* Has it come here through memory that nobody has written code to, as ADD [RAX], AL? */
static bool came_through_zeros(const struct hv_situation *s, uint64_t gla)
{
	static const uint8_t zeros[HV_INSN_MAX];
	uint8_t code[HV_INSN_MAX];
	char why[100];

	return read_linear(s, gla - sizeof(code), code, sizeof(code), why) &&
	       !memcmp(code, zeros, sizeof(code));
}

static bool runs_nowhere(const struct hv_situation *s, char *text, size_t len)
{
	uint64_t gla = segment_linear(s, TINYVMX_CS, s->regs.rip);
	char why[100];
	uint8_t byte;

	if (read_linear(s, gla, &byte, 1, why))
		return false;
	snprintf(text, len, "it executes at 0x%llx, %s: %s", (unsigned long long)gla, why,
		 came_through_zeros(s, gla) ?
			 "it has run off the end of its code, through zeros" :
			 "a wild jump, call or return; the top of its stack may tell from where");
	return true;
}

static bool runs_blank_memory(const struct hv_situation *s, char *text, size_t len)
{
	uint64_t gla = segment_linear(s, TINYVMX_CS, s->regs.rip);
	uint8_t code[HV_INSN_MAX];
	size_t there = hv_peek(s->memory, &s->paging, gla, code, sizeof(code));

	for (size_t i = 0; i < there; i++)
		if (code[i] != code[0] || (code[0] != 0 && code[0] != 0xff))
			return false;
	snprintf(
		text, len,
		"the code at RIP is %02xH all over: it runs in memory that nobody has written code to",
		code[0]);
	return true;
}

/* What a program does that was made for an operating system. */
static bool makes_system_call(const struct hv_situation *s, char *text, size_t len)
{
	uint64_t gla = segment_linear(s, TINYVMX_CS, s->regs.rip);
	uint8_t code[2];
	char why[100];

	if (!read_linear(s, gla, code, sizeof(code), why) || code[0] != 0x0f || code[1] != 0x05 ||
	    s->sregs.efer & X86_EFER_SCE)
		return false;
	snprintf(
		text, len,
		"it makes a system call (SYSCALL, which EFER.SCE does not allow): a program for an operating system, not a kernel?");
	return true;
}

static bool traps_itself(const struct hv_situation *s, char *text, size_t len)
{
	uint8_t code[2];

	if (hv_peek(s->memory, &s->paging, segment_linear(s, TINYVMX_CS, s->regs.rip), code, 2) <
		    2 ||
	    code[0] != 0x0f || code[1] != 0x0b)
		return false;
	snprintf(
		text, len,
		"the instruction is UD2, which programs execute on purpose: an assertion, or code that should not be reached");
	return true;
}

/* ------------------------------------------------------------------ the gates */

/* What is told of an exception's way: SDM, "Interrupt and Exception Handling" */
struct gate {
	bool present;
	uint16_t selector;
	unsigned int ist; /* 64-bit: 1 to 7, or 0 */
};

static const struct {
	unsigned int vector;
	const char *name;
} exceptions[] = { { 6, "#UD" }, { 13, "#GP" }, { 14, "#PF" }, { 8, "#DF" } };

#define LAST_VECTOR 14

static unsigned int gate_bytes(const struct hv_situation *s)
{
	if (is_long(s))
		return 16;
	return is_protected(s) ? 8 : 4;
}

static bool read_gate(const struct hv_situation *s, unsigned int vector, struct gate *gate,
		      char why[100])
{
	uint8_t raw[16] = { 0 };

	if (!read_linear(s, s->sregs.idt_base + vector * gate_bytes(s), raw, gate_bytes(s), why))
		return false;
	*gate = (struct gate){
		.present = !is_protected(s) || raw[5] & 0x80,
		.selector = raw[2] | raw[3] << 8,
		.ist = is_long(s) ? raw[4] & 7 : 0,
	};
	return true;
}

static bool has_no_idt(const struct hv_situation *s, char *text, size_t len)
{
	unsigned int least = (LAST_VECTOR + 1) * gate_bytes(s) - 1;
	const char *advice = s->payload->protocol->advice;

	if (s->sregs.idt_limit >= least)
		return false;
	snprintf(
		text, len,
		"it has no IDT for exceptions (IDTR: base 0x%llx, limit 0x%x, below 0x%x): the first one is a triple fault%s%s",
		s->sregs.idt_base, s->sregs.idt_limit, least, advice ? "\n" : "",
		advice ? advice : "");
	return true;
}

static bool idt_is_nowhere(const struct hv_situation *s, char *text, size_t len)
{
	struct gate gate;
	char why[100];

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		if (read_gate(s, exceptions[i].vector, &gate, why))
			continue;
		snprintf(text, len, "its IDT, at 0x%llx, lies %s", s->sregs.idt_base, why);
		return true;
	}
	return false;
}

static bool lacks_gates(const struct hv_situation *s, char *text, size_t len)
{
	size_t used = snprintf(text, len, "its IDT has no present gate for");
	size_t begin = used;
	struct gate gate;
	char why[100];

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (read_gate(s, exceptions[i].vector, &gate, why) && !gate.present)
			used += snprintf(text + used, len - used, " %s", exceptions[i].name);
	if (used > begin)
		snprintf(
			text + used, len - used,
			": an exception without a gate becomes a double fault, then a triple fault");
	return used > begin;
}

/* Reads no LDT: who has gates in it knows what he does. */
static bool selector_is_bad(const struct hv_situation *s, uint16_t selector, char *why, size_t len)
{
	uint8_t raw[8];
	char where[100];

	if (selector & 4)
		return false;
	if (selector < 8)
		snprintf(why, len, "is null");
	else if ((selector | 7u) > s->sregs.gdt_limit)
		snprintf(why, len, "is behind the GDT's end (limit 0x%x)", s->sregs.gdt_limit);
	else if (!read_linear(s, s->sregs.gdt_base + (selector & ~7u), raw, sizeof(raw), where))
		snprintf(why, len, "is of a GDT, at 0x%llx, that lies %s", s->sregs.gdt_base,
			 where);
	else if (!(raw[5] & 0x80))
		snprintf(why, len, "is of a descriptor that is not present");
	else if ((raw[5] & 0x18) != 0x18)
		snprintf(why, len, "is of a descriptor that is not for code");
	else if (is_long(s) && !(raw[6] & 0x20))
		snprintf(why, len, "is of a code segment that is not 64-bit");
	else
		return false;
	return true;
}

static bool gates_lead_nowhere(const struct hv_situation *s, char *text, size_t len)
{
	char why[200], unused[100];
	struct gate gate;

	for (size_t i = 0; is_protected(s) && i < ARRAY_SIZE(exceptions); i++) {
		if (!read_gate(s, exceptions[i].vector, &gate, unused) ||
		    !selector_is_bad(s, gate.selector, why, sizeof(why)))
			continue;
		snprintf(text, len, "the selector in its IDT's gate for %s, 0x%x, %s",
			 exceptions[i].name, gate.selector, why);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ the stack */

/* Where the TSS has a stack pointer: IST @ist, or for @ist 0 the one of ring 0. */
static bool read_tss_stack(const struct hv_situation *s, unsigned int ist, uint64_t *rsp,
			   char *text, size_t len)
{
	const struct tinyvmx_segment *tr = &s->sregs.seg[TINYVMX_TR];
	unsigned int at = !is_long(s) || !ist ? 4 : 36 + (ist - 1) * 8;
	unsigned int bytes = is_long(s) ? 8 : 4;
	char why[100];

	*rsp = 0;
	if (tr->ar & TINYVMX_AR_UNUSABLE || at + bytes - 1 > tr->limit)
		snprintf(
			text, len,
			"an exception changes to a stack of its TSS, and it has none (TR 0x%x, limit 0x%x)",
			tr->selector, tr->limit);
	else if (!read_linear(s, tr->base + at, rsp, bytes, why))
		snprintf(text, len, "its TSS, at 0x%llx, lies %s", tr->base, why);
	else
		return true;
	return false;
}

/* The stack that exception @vector is delivered on. False: @text says why there is none. */
static bool find_stack(const struct hv_situation *s, const struct gate *gate, uint64_t *rsp,
		       char *text, size_t len)
{
	bool user = is_protected(s) && (s->sregs.seg[TINYVMX_SS].ar >> 5 & 3) == 3;
	const struct tinyvmx_segment *ss = &s->sregs.seg[TINYVMX_SS];

	if (user || gate->ist)
		return read_tss_stack(s, gate->ist, rsp, text, len);
	*rsp = s->regs.gpr[TINYVMX_RSP];
	if (!is_long(s))
		*rsp = ss->base + (ss->ar & TINYVMX_AR_DB ? (uint32_t)*rsp : (uint16_t)*rsp);
	return true;
}

static bool stack_is_nowhere(const struct hv_situation *s, char *text, size_t len)
{
	uint8_t frame[8];
	struct gate gate;
	char why[100];
	uint64_t rsp;

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		if (!read_gate(s, exceptions[i].vector, &gate, why))
			continue;
		if (!find_stack(s, &gate, &rsp, text, len))
			return true;
		if (read_linear(s, rsp - sizeof(frame), frame, sizeof(frame), why))
			continue;
		snprintf(text, len, "the stack for %s ends at 0x%llx, %s: it cannot be delivered",
			 exceptions[i].name, (unsigned long long)rsp, why);
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------ the rest */

static bool switches_tasks(const struct hv_situation *s, char *text, size_t len)
{
	if ((s->run->exit_reason & 0xffff) != EXIT_TASK_SWITCH)
		return false;
	snprintf(
		text, len,
		"it changes tasks by the CPU's own means (a TSS, a task gate, IRET with NT), which hvctl does not do");
	return true;
}

/* FERR# halts the CPU at the instruction that waits for errors, not behind HLT. */
static bool waits_for_irq13(const struct hv_situation *s, char *text, size_t len)
{
	uint64_t gla = segment_linear(s, TINYVMX_CS, s->regs.rip);
	char why[100];
	uint8_t byte;

	if (s->sregs.cr0 & X86_CR0_NE || !read_linear(s, gla - 1, &byte, 1, why) || byte == HLT)
		return false;
	snprintf(
		text, len,
		"it waits at 0x%llx for the IRQ 13 of an x87 error, with interrupts disabled: CR0.NE makes an exception of such errors",
		(unsigned long long)gla);
	return true;
}

static bool has_just_begun(const struct hv_situation *s, char *text, size_t len)
{
	uint64_t gla = segment_linear(s, TINYVMX_CS, s->regs.rip);
	const char *advice = s->payload->protocol->advice;

	if (!advice || gla - s->payload->image.entry >= EARLY_BYTES)
		return false;
	snprintf(text, len, "%s", advice);
	return true;
}

static bool has_been_silent(const struct hv_situation *s, char *text, size_t len)
{
	const char *advice = s->payload->protocol->advice;

	if (!advice || s->said_something)
		return false;
	snprintf(text, len, "%s", advice);
	return true;
}

#define HALTED       (1u << HV_END_HALTED)
#define TRIPLE_FAULT (1u << HV_END_TRIPLE_FAULT)
#define UNSUPPORTED  (1u << HV_END_UNSUPPORTED)
#define ENTRY_FAILED (1u << HV_END_ENTRY_FAILED)

static const struct {
	bool (*applies)(const struct hv_situation *s, char *text, size_t len);
	unsigned int ends;
} rows[] = {
	{ waits_for_irq13, HALTED },
	{ switches_tasks, UNSUPPORTED },
	{ runs_nowhere, TRIPLE_FAULT | UNSUPPORTED },
	{ runs_blank_memory, TRIPLE_FAULT | UNSUPPORTED },
	{ makes_system_call, TRIPLE_FAULT },
	{ has_no_idt, TRIPLE_FAULT },
	{ idt_is_nowhere, TRIPLE_FAULT },
	{ lacks_gates, TRIPLE_FAULT },
	{ gates_lead_nowhere, TRIPLE_FAULT },
	{ stack_is_nowhere, TRIPLE_FAULT },
	{ traps_itself, TRIPLE_FAULT },
	{ has_just_begun, TRIPLE_FAULT | UNSUPPORTED | ENTRY_FAILED },
	{ has_been_silent, TRIPLE_FAULT | UNSUPPORTED | ENTRY_FAILED },
};

void hv_advise(const struct hv_situation *situation, char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].ends >> situation->end & 1 && rows[i].applies(situation, text, len))
			return;
	*text = 0;
}
