// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a guest has probably died, beyond what its CPU has met, which is told by debug/autopsy.h:
 * what sort of program it is, where it has got to, and what may help.
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

/* -------------------------------------------------------------------- the IDT */

#define LAST_VECTOR 14

static unsigned int gate_bytes(const struct hv_situation *s)
{
	if (is_long(s))
		return 16;
	return is_protected(s) ? 8 : 4;
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
