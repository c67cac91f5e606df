// SPDX-License-Identifier: GPL-2.0-only
/* Hardware task switches: what is saved and loaded, and the faults of "Task Management". */
#include "emul/event.h"
#include "emul/task.h"
#include "insn_test.h"

#define OLD_TSS	 0x3000u
#define NEW_TSS	 0x4000u
#define LDT	 0x5000u
#define TABLES	 0x6000u /* page tables of the old task, of the new one behind them */
#define NEW_SP	 0x9000u
#define OLD_IP	 0x1000u
#define NEW_IP	 0x1234u
#define LENGTH	 5u

/* Selectors */
#define CODE0	   0x08
#define DATA0	   0x10
#define OLD	   0x18
#define NEW	   0x20
#define LDT_SEL	   0x28
#define CODE3	   0x33
#define DATA3	   0x3b
#define CONFORMING 0x40
#define TRIED	   0x48
#define IN_LDT	   0x04
#define BEYOND	   0x50

#define GDT_LIMIT 0x4f

/* Events */
#define INFO(type, vector) (HV_EVENT_VALID | (uint32_t)(type) << 8 | (vector))
#define EXTERNAL	   INFO(HV_EVENT_EXTINT, 0x20)
#define FAULT_GP	   (INFO(HV_EVENT_EXCEPTION, X86_VECTOR_GP) | HV_EVENT_ERROR_CODE)

static struct tinyvmx_run run;
static unsigned int old_bits, new_bits;

/* ------------------------------------------------------------------ a guest with two tasks */

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t ar)
{
	return (uint64_t)(base >> 24) << 56 | (uint64_t)(ar >> 12 & 0xf) << 52 |
	       (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)(ar & 0xff) << 40 |
	       (uint64_t)(base & 0xffffff) << 16 | (limit & 0xffff);
}

static void put_descriptor(unsigned int selector, uint32_t base, uint32_t limit, uint32_t ar)
{
	test_put64(&memory, GDT + (selector & ~7u), descriptor(base, limit, ar));
}

static uint32_t type_of(unsigned int selector)
{
	return test_get(&memory, GDT + (selector & ~7u) + 5, 1);
}

static unsigned int word_at(uint32_t tss, unsigned int n)
{
	unsigned int bits = tss == OLD_TSS ? old_bits : new_bits;

	return tss + (bits == 32 ? 32 + 4 * n : 14 + 2 * n);
}

static uint32_t get_word(uint32_t tss, unsigned int n)
{
	return test_get(&memory, word_at(tss, n), (tss == OLD_TSS ? old_bits : new_bits) / 8);
}

static void put_word(uint32_t tss, unsigned int n, uint32_t value)
{
	test_put(&memory, word_at(tss, n), &value, (tss == OLD_TSS ? old_bits : new_bits) / 8);
}

/* Words of a TSS */
enum { IP, FLAGS, AX, CX, DX, BX, SP, BP, SI, DI, ES, CS, SS, DS, FS, GS };

static void put_ldt(uint32_t selector)
{
	put_word(NEW_TSS, new_bits == 32 ? 16 : 14, selector);
}

static void put_segments(uint32_t cs, uint32_t data)
{
	for (unsigned int n = ES; n <= (new_bits == 32 ? GS : DS); n++)
		put_word(NEW_TSS, n, n == CS ? cs : data);
}

static void write_tasks(void)
{
	put_word(NEW_TSS, IP, NEW_IP);
	put_word(NEW_TSS, FLAGS, 2);
	for (unsigned int n = AX; n <= DI; n++)
		put_word(NEW_TSS, n, 0x1110 + n);
	put_word(NEW_TSS, SP, NEW_SP);
	put_segments(CODE0, DATA0);
	put_ldt(0);
}

static void begin(unsigned int from, unsigned int to)
{
	setup(NULL);
	old_bits = from, new_bits = to;
	memset(&run, 0, sizeof(run));
	put_descriptor(CODE0, 0, 0xfffff, 0xc09a);
	put_descriptor(DATA0, 0, 0xfffff, 0xc092);
	put_descriptor(OLD, OLD_TSS, 103, from == 32 ? 0x8b : 0x83);
	put_descriptor(NEW, NEW_TSS, 103, to == 32 ? 0x89 : 0x81);
	put_descriptor(LDT_SEL, LDT, 15, 0x82);
	put_descriptor(CODE3, 0, 0xfffff, 0xc0fa);
	put_descriptor(DATA3, 0, 0xfffff, 0xc0f2);
	put_descriptor(CONFORMING, 0, 0xfffff, 0xc09e);
	test_put64(&memory, LDT, descriptor(0, 0xfffff, 0xc092));
	write_tasks();
	sregs.cr0 = X86_CR0_PE;
	sregs.gdt_base = GDT;
	sregs.gdt_limit = GDT_LIMIT;
	sregs.seg[TINYVMX_TR] = (struct tinyvmx_segment){
		.selector = OLD, .base = OLD_TSS, .limit = 103, .ar = from == 32 ? 0x8b : 0x83
	};
	for (unsigned int n = TINYVMX_ES; n <= TINYVMX_GS; n++)
		sregs.seg[n].selector = n == TINYVMX_CS ? CODE0 : DATA0;
	for (unsigned int n = 0; n < 8; n++)
		run.regs.gpr[n] = 0x22220000 + n;
	run.regs.rip = OLD_IP;
	run.regs.rflags = 0x246;
	debug.dr7 = 0x7ff;
	debug.dr6 = 0xffff0ff1;
	mmio.gpa_bits = 39;
}

static void end(void)
{
	teardown(NULL);
}

/* By an instruction, or, with an event that none has raised, by a task gate. */
static void set_exit(unsigned int source, uint32_t event_info)
{
	run.task_switch = (struct tinyvmx_exit_task_switch){ .selector = NEW,
							     .source = source,
							     .event_info = event_info };
	run.instruction_len = !event_info || hv_event_is_software(event_info) ? LENGTH : 0;
	if (source == TINYVMX_TASK_SWITCH_IRET)
		put_descriptor(NEW, NEW_TSS, 103, new_bits == 32 ? 0x8b : 0x83);
}

static void do_switch(void)
{
	run.request = 0;
	assert_true(hv_task_exit(&mmio, &run));
	assert_int_equal(run.request, TINYVMX_REQ_SET_REGS);
}

static void expect_event(uint32_t info, uint32_t code)
{
	assert_int_equal(events.pending, TINYVMX_PENDING_EVENT);
	assert_int_equal(events.event_info, info);
	assert_int_equal(events.event_error_code, code);
	assert_int_equal(events.event_instruction_len, 0);
}

static void expect_fault(unsigned int vector, uint32_t code)
{
	expect_event(INFO(HV_EVENT_EXCEPTION, vector) | HV_EVENT_ERROR_CODE, code);
	assert_true(run.regs.rflags & X86_RFLAGS_RF);
}

/* ------------------------------------------------------------------------- what goes well */

static void check_saved(unsigned int source, uint32_t event_info)
{
	uint32_t mask = old_bits == 32 ? UINT32_MAX : UINT16_MAX;
	bool behind = !event_info || hv_event_is_software(event_info);
	uint32_t flags = 0x4246;

	assert_int_equal(get_word(OLD_TSS, IP), OLD_IP + (behind ? LENGTH : 0));
	flags |= behind || old_bits == 16 ? 0 : X86_RFLAGS_RF;
	flags &= source == TINYVMX_TASK_SWITCH_IRET ? ~X86_RFLAGS_NT : UINT32_MAX;
	assert_int_equal(get_word(OLD_TSS, FLAGS), flags & mask);
	for (unsigned int n = AX; n <= DI; n++)
		assert_int_equal(get_word(OLD_TSS, n), (0x22220000 + n - AX) & mask);
	for (unsigned int n = ES; n <= (old_bits == 32 ? GS : DS); n++)
		assert_int_equal(get_word(OLD_TSS, n), n == CS ? CODE0 : DATA0);
}

static void check_loaded(bool nested)
{
	uint32_t upper = new_bits == 16 ? 0xffff0000 : 0;

	assert_int_equal(run.regs.rip, NEW_IP);
	assert_int_equal(run.regs.rflags, nested ? 0x4002 : 2);
	for (unsigned int n = AX; n <= DI; n++)
		assert_int_equal(run.regs.gpr[n - AX], (n == SP ? NEW_SP : 0x1110 + n) | upper);
	for (unsigned int n = TINYVMX_ES; n <= TINYVMX_GS; n++)
		assert_int_equal(sregs.seg[n].selector, n == TINYVMX_CS                   ? CODE0 :
							n >= TINYVMX_FS && new_bits == 16 ? 0 :
											    DATA0);
	assert_int_equal(sregs.seg[TINYVMX_CS].ar, 0xc09b);
	assert_int_equal(sregs.seg[TINYVMX_SS].ar, 0xc093);
	assert_int_equal(sregs.seg[TINYVMX_DS].limit, UINT32_MAX);
	assert_int_equal(sregs.seg[TINYVMX_GS].ar, new_bits == 16 ? TINYVMX_AR_UNUSABLE : 0xc093);
	assert_int_equal(sregs.seg[TINYVMX_LDTR].ar, TINYVMX_AR_UNUSABLE);
	assert_int_equal(type_of(CODE0) << 8 | type_of(DATA0), 0x9b93);
	assert_int_equal(sregs.seg[TINYVMX_TR].selector, NEW);
	assert_int_equal(sregs.seg[TINYVMX_TR].base, NEW_TSS);
	assert_int_equal(sregs.seg[TINYVMX_TR].limit, 103);
	assert_int_equal(sregs.seg[TINYVMX_TR].ar, new_bits == 32 ? 0x8b : 0x83);
	assert_true(sregs.cr0 & X86_CR0_TS);
	assert_int_equal(debug.dr7, 0x7ff & ~0x155);
	assert_int_equal(debug.dr6, 0xffff0ff1);
	assert_int_equal(events.pending, 0);
}

static void check_one(unsigned int from, unsigned int to, unsigned int source, uint32_t event_info)
{
	bool nested = source == TINYVMX_TASK_SWITCH_CALL || source == TINYVMX_TASK_SWITCH_GATE;

	begin(from, to);
	set_exit(source, event_info);
	run.regs.rflags |= X86_RFLAGS_NT | X86_RFLAGS_RF;
	do_switch();
	check_saved(source, event_info);
	check_loaded(nested);
	assert_int_equal(type_of(OLD) & 2, nested ? 2 : 0);
	assert_int_equal(type_of(NEW) & 2, 2);
	assert_int_equal(test_get(&memory, NEW_TSS, 2), nested ? OLD : 0);
	end();
}

static void test_all_kinds(void **state)
{
	(void)state;
	for (unsigned int twin = 0; twin < 4; twin++) {
		unsigned int from = twin & 1 ? 32 : 16, to = twin & 2 ? 32 : 16;

		check_one(from, to, TINYVMX_TASK_SWITCH_CALL, 0);
		check_one(from, to, TINYVMX_TASK_SWITCH_IRET, 0);
		check_one(from, to, TINYVMX_TASK_SWITCH_JMP, 0);
		check_one(from, to, TINYVMX_TASK_SWITCH_GATE, EXTERNAL);
		check_one(from, to, TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_INT_N, 0x42));
		check_one(from, to, TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_INT3, 3));
		check_one(from, to, TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_INT1, 1));
	}
}

/* What the old task has written last is what the new one finds: they may overlap. */
static void test_return_to_itself(void **state)
{
	(void)state;
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_IRET, 0);
	run.task_switch.selector = OLD;
	do_switch();
	assert_int_equal(run.regs.rip, OLD_IP + LENGTH);
	assert_int_equal(run.regs.gpr[TINYVMX_RDI], 0x22220007);
	assert_int_equal(events.pending, 0);
	end();
}

static void test_error_code(void **state)
{
	(void)state;
	for (unsigned int bits = 16; bits <= 32; bits += 16) {
		begin(32, bits);
		/* ESP's upper half is ones in a task of 16 bits. */
		put_descriptor(TRIED, 0, 0xffff, bits == 32 ? 0x4092 : 0x92);
		put_word(NEW_TSS, SS, TRIED);
		set_exit(TINYVMX_TASK_SWITCH_GATE, FAULT_GP);
		run.task_switch.event_error_code = 0x1238;
		test_put32(&memory, NEW_SP - 4, UINT32_MAX);
		do_switch();
		assert_int_equal(run.regs.gpr[TINYVMX_RSP] & 0xffff, NEW_SP - bits / 8);
		assert_int_equal(test_get(&memory, NEW_SP - bits / 8, bits / 8), 0x1238);
		assert_int_equal(events.pending, 0);
		end();
	}
	/* A stack of 16 bits keeps the upper half of ESP. */
	begin(32, 32);
	put_descriptor(TRIED, 0, 0xffff, 0x92);
	put_word(NEW_TSS, SS, TRIED);
	put_word(NEW_TSS, SP, 0x5000000);
	set_exit(TINYVMX_TASK_SWITCH_GATE, FAULT_GP);
	do_switch();
	assert_int_equal(run.regs.gpr[TINYVMX_RSP], 0x500fffc);
	assert_int_equal(events.pending, 0);
	end();
	/* Where it does not fit: #SS of the new task, here behind #AC, which is benign. */
	begin(32, 32);
	put_descriptor(TRIED, 0, 3, 0x4096);
	put_word(NEW_TSS, SS, TRIED);
	put_word(NEW_TSS, SP, 4);
	set_exit(TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_EXCEPTION, 17) | HV_EVENT_ERROR_CODE);
	do_switch();
	assert_int_equal(run.regs.gpr[TINYVMX_RSP], 4);
	assert_int_equal(sregs.seg[TINYVMX_TR].selector, NEW);
	expect_fault(X86_VECTOR_SS, 1);
	end();
}

static void test_v86(void **state)
{
	(void)state;
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_JMP, 0);
	put_word(NEW_TSS, FLAGS, 0xffffffff);
	put_segments(0x1234, 0x5678);
	put_ldt(LDT_SEL);
	do_switch();
	assert_int_equal(run.regs.rflags, 0x3f7fd7);
	assert_int_equal(sregs.seg[TINYVMX_CS].base, 0x12340);
	for (unsigned int n = TINYVMX_ES; n <= TINYVMX_GS; n++) {
		assert_int_equal(sregs.seg[n].base, sregs.seg[n].selector << 4);
		assert_int_equal(sregs.seg[n].limit, 0xffff);
		assert_int_equal(sregs.seg[n].ar, 0xf3);
	}
	assert_int_equal(sregs.seg[TINYVMX_LDTR].base, LDT);
	assert_int_equal(events.pending, 0);
	end();
}

static void test_ring3_and_ldt(void **state)
{
	(void)state;
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_CALL, 0);
	put_segments(CODE3, DATA3);
	put_ldt(LDT_SEL);
	put_word(NEW_TSS, FS, CONFORMING);
	put_word(NEW_TSS, GS, 3);
	do_switch();
	assert_int_equal(sregs.seg[TINYVMX_SS].ar, 0xc0f3);
	assert_int_equal(sregs.seg[TINYVMX_FS].ar, 0xc09f);
	assert_int_equal(sregs.seg[TINYVMX_GS].ar, TINYVMX_AR_UNUSABLE);
	assert_int_equal(sregs.seg[TINYVMX_LDTR].limit, 15);
	end();
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_CALL, 0);
	put_ldt(LDT_SEL);
	put_segments(CODE0, IN_LDT);
	do_switch();
	assert_int_equal(events.pending, 0);
	assert_int_equal(sregs.seg[TINYVMX_DS].ar, 0xc093);
	end();
}

static void test_debug_trap(void **state)
{
	uint8_t t_bit = 1;

	(void)state;
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_JMP, 0);
	debug.dr7 |= 1 << 13;
	test_put(&memory, NEW_TSS + 100, &t_bit, 1);
	do_switch();
	expect_event(INFO(HV_EVENT_EXCEPTION, 1), 0);
	assert_false(run.regs.rflags & X86_RFLAGS_RF);
	assert_int_equal(debug.dr6, 0xffff8ff0);
	assert_int_equal(debug.dr7, 0x7ff & ~0x155);
	end();
	/* A task of 16 bits has no such bit. */
	begin(32, 16);
	set_exit(TINYVMX_TASK_SWITCH_JMP, 0);
	test_put(&memory, NEW_TSS + 100, &t_bit, 1);
	do_switch();
	assert_int_equal(events.pending, 0);
	end();
}

static void test_blocking(void **state)
{
	const uint32_t shadow = TINYVMX_BLOCKING_BY_STI | TINYVMX_BLOCKING_BY_MOV_SS;

	(void)state;
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_NMI, 2));
	events.interruptibility = shadow;
	do_switch();
	assert_int_equal(events.interruptibility, TINYVMX_BLOCKING_BY_NMI);
	end();
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_IRET, 0);
	events.interruptibility = TINYVMX_BLOCKING_BY_NMI;
	events.pending = TINYVMX_PENDING_NMI;
	do_switch();
	assert_int_equal(events.interruptibility, 0);
	assert_int_equal(events.pending, TINYVMX_PENDING_NMI);
	end();
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_CALL, 0);
	events.interruptibility = shadow | TINYVMX_BLOCKING_BY_NMI;
	do_switch();
	assert_int_equal(events.interruptibility, TINYVMX_BLOCKING_BY_NMI);
	end();
}

/* --------------------------------------------------------------------------- page tables */

/* Page tables at @at, one to one, but for the page at @hole. */
static void map(uint32_t at, uint32_t hole)
{
	test_put32(&memory, at, (at + 0x1000) | 3);
	for (uint32_t n = 0; n < 512; n++)
		test_put32(&memory, at + 0x1000 + 4 * n, n << 12 == hole ? 0 : n << 12 | 3);
}

static void begin_paged(uint32_t old_hole, uint32_t new_hole)
{
	begin(32, 32);
	map(0x20000, old_hole);
	map(0x22000, new_hole);
	sregs.cr0 |= X86_CR0_PG | X86_CR0_WP;
	sregs.cr3 = 0x20000;
	test_put32(&memory, NEW_TSS + 28, 0x22000);
	set_exit(TINYVMX_TASK_SWITCH_CALL, 0);
}

static void expect_page_fault(uint32_t code, uint32_t cr2, bool in_new_task)
{
	do_switch();
	expect_fault(X86_VECTOR_PF, code);
	assert_int_equal(sregs.cr2, cr2);
	assert_int_equal(sregs.cr3, in_new_task ? 0x22000 : 0x20000);
	assert_int_equal(sregs.seg[TINYVMX_TR].selector, in_new_task ? NEW : OLD);
	assert_int_equal(run.regs.rip, in_new_task ? NEW_IP : OLD_IP);
	end();
}

static void test_page_faults(void **state)
{
	(void)state;
	begin_paged(0, 0);
	do_switch();
	assert_int_equal(sregs.cr3, 0x22000);
	assert_int_equal(events.pending, 0);
	end();
	begin_paged(GDT, 0);
	expect_page_fault(0, GDT + NEW, false);
	begin_paged(OLD_TSS, 0);
	expect_page_fault(2, OLD_TSS + 32, false);
	begin_paged(NEW_TSS, 0);
	expect_page_fault(0, NEW_TSS, false);
	/* Nothing of the old task was saved before. */
	begin_paged(NEW_TSS, 0);
	do_switch();
	assert_int_equal(get_word(OLD_TSS, IP), 0);
	end();
	begin_paged(0, GDT);
	expect_page_fault(0, GDT + CODE0, true);
	/* The error code is no selector: an event from outside makes no difference. */
	begin_paged(0, NEW_SP - 0x1000);
	set_exit(TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_EXCEPTION, 17) | HV_EVENT_ERROR_CODE);
	expect_page_fault(2, NEW_SP - 4, true);
	/* A task of 16 bits keeps the page tables. */
	begin(32, 16);
	map(0x20000, 0);
	sregs.cr0 |= X86_CR0_PG;
	sregs.cr3 = 0x20000;
	set_exit(TINYVMX_TASK_SWITCH_CALL, 0);
	do_switch();
	assert_int_equal(sregs.cr3, 0x20000);
	end();
}

static void test_pae(void **state)
{
	static const uint64_t pdptes[] = { 0x23001, 0x24000, 0, 0x25001 };

	(void)state;
	for (unsigned int bad = 0; bad < 2; bad++) {
		begin(32, 32);
		test_put(&memory, 0x22000, pdptes, sizeof(pdptes));
		test_put64(&memory, 0x23000, 0x83);
		sregs.cr0 |= X86_CR0_PG;
		sregs.cr4 = X86_CR4_PAE;
		sregs.cr3 = 0x22000;
		test_put32(&memory, NEW_TSS + 28, 0x22000);
		if (bad)
			test_put64(&memory, 0x22018, 0x25003);
		set_exit(TINYVMX_TASK_SWITCH_JMP, 0);
		do_switch();
		assert_int_equal(sregs.seg[TINYVMX_TR].selector, NEW);
		if (bad) {
			expect_fault(X86_VECTOR_GP, 0);
			assert_int_equal(sregs.pdpte[0], 0);
		} else {
			assert_memory_equal(sregs.pdpte, pdptes, sizeof(pdptes));
			assert_int_equal(events.pending, 0);
		}
		end();
	}
}

/* ----------------------------------------------------------------------------- the faults */

struct fault_case {
	const char *what;
	void (*spoil)(void);
	unsigned int vector;
	uint32_t code;
};

static void select(unsigned int selector)
{
	run.task_switch.selector = selector;
}

static void new_type(uint32_t type)
{
	put_descriptor(NEW, NEW_TSS, 103, type | (new_bits == 32 ? 8 : 0));
}

static void local_tss(void) { select(0x24); }
static void no_tss(void) { select(3); }
static void tss_beyond(void) { select(BEYOND); }
static void code_as_tss(void) { select(CODE0); }
static void ldt_as_tss(void) { select(LDT_SEL); }
static void busy_tss(void) { new_type(0x83); }
static void free_tss(void) { new_type(0x81); }
static void absent_tss(void) { new_type(0x01); }
static void absent_busy(void) { new_type(0x03); }
static void short_old(void) { sregs.seg[TINYVMX_TR].limit = old_bits == 32 ? 94 : 40; }

static void short_tss(void)
{
	put_descriptor(NEW, NEW_TSS, new_bits == 32 ? 102 : 42, new_bits == 32 ? 0x89 : 0x81);
}

static void short_busy(void)
{
	put_descriptor(NEW, NEW_TSS, new_bits == 32 ? 102 : 42, new_bits == 32 ? 0x8b : 0x83);
}

static const struct fault_case nested_cases[] = {
	{ "a TSS in the LDT", local_tss, X86_VECTOR_GP, 0x24 },
	{ "a null selector", no_tss, X86_VECTOR_GP, 0 },
	{ "beyond the GDT", tss_beyond, X86_VECTOR_GP, BEYOND },
	{ "a code segment", code_as_tss, X86_VECTOR_GP, CODE0 },
	{ "an LDT", ldt_as_tss, X86_VECTOR_GP, LDT_SEL },
	{ "a busy task", busy_tss, X86_VECTOR_GP, NEW },
	{ "an absent TSS", absent_tss, X86_VECTOR_NP, NEW },
	{ "a short TSS", short_tss, X86_VECTOR_TS, NEW },
	{ "a short TSS of the old task", short_old, X86_VECTOR_TS, OLD },
};

static const struct fault_case iret_cases[] = {
	{ "a TSS in the LDT", local_tss, X86_VECTOR_TS, 0x24 },
	{ "a null selector", no_tss, X86_VECTOR_TS, 0 },
	{ "beyond the GDT", tss_beyond, X86_VECTOR_TS, BEYOND },
	{ "a code segment", code_as_tss, X86_VECTOR_TS, CODE0 },
	{ "an available task", free_tss, X86_VECTOR_TS, NEW },
	{ "an absent TSS", absent_busy, X86_VECTOR_NP, NEW },
	{ "a short TSS", short_busy, X86_VECTOR_TS, NEW },
	{ "a short TSS of the old task", short_old, X86_VECTOR_TS, OLD },
};

static void tried(uint32_t ar)
{
	put_descriptor(TRIED, 0, 0xfffff, ar);
}

static void ldt_local(void) { put_ldt(0x2c); }
static void ldt_beyond(void) { put_ldt(BEYOND); }
static void ldt_code(void) { put_ldt(CODE0); }
static void ldt_tss(void) { put_ldt(OLD); }
static void ldt_absent(void) { put_descriptor(LDT_SEL, LDT, 15, 2), put_ldt(LDT_SEL); }
static void cs_null(void) { put_word(NEW_TSS, CS, 0); }
static void cs_beyond(void) { put_word(NEW_TSS, CS, BEYOND); }
static void cs_local(void) { put_word(NEW_TSS, CS, IN_LDT); }
static void cs_data(void) { put_word(NEW_TSS, CS, DATA0); }
static void cs_system(void) { put_word(NEW_TSS, CS, OLD); }
static void cs_rpl(void) { put_word(NEW_TSS, CS, CODE0 | 3); }
static void cs_conforming(void) { tried(0xc0fe), put_word(NEW_TSS, CS, TRIED); }
static void cs_absent(void) { tried(0xc01a), put_word(NEW_TSS, CS, TRIED); }
static void ss_null(void) { put_word(NEW_TSS, SS, 0); }
static void ss_beyond(void) { put_word(NEW_TSS, SS, BEYOND); }
static void ss_code(void) { put_word(NEW_TSS, SS, CODE0); }
static void ss_read_only(void) { tried(0xc090), put_word(NEW_TSS, SS, TRIED); }
static void ss_absent(void) { tried(0xc012), put_word(NEW_TSS, SS, TRIED); }
static void ss_rpl(void) { put_word(NEW_TSS, SS, DATA0 | 1); }
static void ss_dpl(void) { put_word(NEW_TSS, SS, DATA3); }
static void ds_beyond(void) { put_word(NEW_TSS, DS, BEYOND); }
static void ds_execute_only(void) { tried(0xc098), put_word(NEW_TSS, DS, TRIED); }
static void ds_system(void) { put_word(NEW_TSS, DS, LDT_SEL); }
static void ds_absent(void) { tried(0xc012), put_word(NEW_TSS, DS, TRIED); }
static void ds_rpl(void) { put_word(NEW_TSS, DS, DATA0 | 3); }
static void es_beyond(void) { put_word(NEW_TSS, ES, BEYOND | 3); }

static void ds_dpl(void)
{
	put_segments(CODE3, DATA3);
	put_word(NEW_TSS, DS, DATA0);
}

static const struct fault_case new_cases[] = {
	{ "an LDT in the LDT", ldt_local, X86_VECTOR_TS, 0x2c },
	{ "an LDT beyond the GDT", ldt_beyond, X86_VECTOR_TS, BEYOND },
	{ "code as LDT", ldt_code, X86_VECTOR_TS, CODE0 },
	{ "a TSS as LDT", ldt_tss, X86_VECTOR_TS, OLD },
	{ "an absent LDT", ldt_absent, X86_VECTOR_TS, LDT_SEL },
	{ "CS null", cs_null, X86_VECTOR_TS, 0 },
	{ "CS beyond the GDT", cs_beyond, X86_VECTOR_TS, BEYOND },
	{ "CS in a null LDT", cs_local, X86_VECTOR_TS, IN_LDT },
	{ "data as CS", cs_data, X86_VECTOR_TS, DATA0 },
	{ "a TSS as CS", cs_system, X86_VECTOR_TS, OLD },
	{ "CS: RPL above DPL", cs_rpl, X86_VECTOR_TS, CODE0 },
	{ "CS conforming: RPL below DPL", cs_conforming, X86_VECTOR_TS, TRIED },
	{ "CS absent", cs_absent, X86_VECTOR_NP, TRIED },
	{ "SS null", ss_null, X86_VECTOR_TS, 0 },
	{ "SS beyond the GDT", ss_beyond, X86_VECTOR_TS, BEYOND },
	{ "code as SS", ss_code, X86_VECTOR_TS, CODE0 },
	{ "SS read-only", ss_read_only, X86_VECTOR_TS, TRIED },
	{ "SS absent", ss_absent, X86_VECTOR_SS, TRIED },
	{ "SS: RPL", ss_rpl, X86_VECTOR_TS, DATA0 },
	{ "SS: DPL", ss_dpl, X86_VECTOR_TS, DATA3 & ~3 },
	{ "DS beyond the GDT", ds_beyond, X86_VECTOR_TS, BEYOND },
	{ "DS execute-only", ds_execute_only, X86_VECTOR_TS, TRIED },
	{ "an LDT as DS", ds_system, X86_VECTOR_TS, LDT_SEL },
	{ "DS absent", ds_absent, X86_VECTOR_NP, TRIED },
	{ "DS: RPL", ds_rpl, X86_VECTOR_TS, DATA0 },
	{ "DS: DPL", ds_dpl, X86_VECTOR_TS, DATA0 },
	{ "ES beyond the GDT", es_beyond, X86_VECTOR_TS, BEYOND },
};

/* Nothing has happened to the old task but that it takes an exception. */
static void expect_old(const struct fault_case *row, const struct tinyvmx_regs *before,
		       uint32_t ext)
{
	struct tinyvmx_regs wanted = *before;

	wanted.rflags |= X86_RFLAGS_RF;
	expect_fault(row->vector, row->code | ext);
	assert_memory_equal(&run.regs, &wanted, sizeof(wanted));
	assert_int_equal(sregs.seg[TINYVMX_TR].selector, OLD);
	assert_int_equal(sregs.cr0, X86_CR0_PE);
	assert_int_equal(debug.dr7, 0x7ff);
	assert_int_equal(get_word(OLD_TSS, AX), 0);
	assert_int_equal(type_of(OLD) & 2, 2);
}

static void check_old(const struct fault_case *row, unsigned int source, uint32_t event_info)
{
	struct tinyvmx_regs before;

	for (unsigned int twin = 0; twin < 4; twin++) {
		begin(twin & 1 ? 32 : 16, twin & 2 ? 32 : 16);
		set_exit(source, event_info);
		row->spoil();
		before = run.regs;
		do_switch();
		expect_old(row, &before, event_info == EXTERNAL);
		end();
	}
	print_message("# %s, by %u\n", row->what, source);
}

static void test_faults_of_the_old_task(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(nested_cases); i++) {
		const struct fault_case *row = &nested_cases[i];

		check_old(row, TINYVMX_TASK_SWITCH_CALL, 0);
		check_old(row, TINYVMX_TASK_SWITCH_JMP, 0);
		check_old(row, TINYVMX_TASK_SWITCH_GATE, EXTERNAL);
		check_old(row, TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_INT_N, 0x42));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(iret_cases); i++)
		check_old(&iret_cases[i], TINYVMX_TASK_SWITCH_IRET, 0);
}

/* The new task's registers are loaded, its selectors too, and the exception has a stack. */
static void expect_new(const struct fault_case *row, uint32_t ext)
{
	const struct tinyvmx_segment *cs = &sregs.seg[TINYVMX_CS], *ss = &sregs.seg[TINYVMX_SS];

	expect_fault(row->vector, row->code | ext);
	assert_int_equal(run.regs.rip, NEW_IP);
	assert_int_equal(run.regs.gpr[TINYVMX_RAX] & 0xffff, 0x1110 + AX);
	assert_int_equal(sregs.seg[TINYVMX_TR].selector, NEW);
	assert_int_equal(type_of(NEW) & 2, 2);
	assert_int_equal(cs->selector, get_word(NEW_TSS, CS));
	assert_int_equal(sregs.seg[TINYVMX_DS].selector, get_word(NEW_TSS, DS));
	/* VM entry wants that. */
	assert_int_equal(cs->ar & 0x9b, 0x9b);
	assert_int_equal(cs->ar >> 5 & 3, ss->ar >> 5 & 3);
	assert_true(ss->ar & TINYVMX_AR_UNUSABLE ? (ss->ar >> 5 & 3) == 3 : ss->ar & 1);
}

static void check_new(const struct fault_case *row, unsigned int source, uint32_t event_info)
{
	for (unsigned int twin = 0; twin < 4; twin++) {
		begin(twin & 1 ? 32 : 16, twin & 2 ? 32 : 16);
		set_exit(source, event_info);
		row->spoil();
		do_switch();
		expect_new(row, event_info == EXTERNAL);
		end();
	}
	print_message("# %s, by %u\n", row->what, source);
}

static void test_faults_of_the_new_task(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(new_cases); i++) {
		check_new(&new_cases[i], TINYVMX_TASK_SWITCH_JMP, 0);
		check_new(&new_cases[i], TINYVMX_TASK_SWITCH_IRET, 0);
		check_new(&new_cases[i], TINYVMX_TASK_SWITCH_GATE, EXTERNAL);
		check_new(&new_cases[i], TINYVMX_TASK_SWITCH_GATE, INFO(HV_EVENT_INT3, 3));
	}
}

/* ... of virtual-8086 mode: its segments are right all the same. */
static void test_fault_of_a_v86_task(void **state)
{
	(void)state;
	begin(32, 32);
	set_exit(TINYVMX_TASK_SWITCH_JMP, 0);
	put_word(NEW_TSS, FLAGS, 0x20002);
	put_ldt(BEYOND);
	do_switch();
	expect_fault(X86_VECTOR_TS, BEYOND);
	assert_int_equal(sregs.seg[TINYVMX_CS].ar, 0xf3);
	end();
}

static void test_double_faults(void **state)
{
	static const struct {
		uint32_t during;
		unsigned int vector; /* 0: shutdown */
		uint32_t code;
	} rows[] = {
		{ FAULT_GP, X86_VECTOR_DF, 0 },
		{ INFO(HV_EVENT_EXCEPTION, X86_VECTOR_PF) | HV_EVENT_ERROR_CODE, X86_VECTOR_DF, 0 },
		{ INFO(HV_EVENT_EXCEPTION, X86_VECTOR_DE), X86_VECTOR_DF, 0 },
		{ INFO(HV_EVENT_EXCEPTION, X86_VECTOR_UD), X86_VECTOR_TS, BEYOND | 1 },
		{ INFO(HV_EVENT_EXCEPTION, X86_VECTOR_DF) | HV_EVENT_ERROR_CODE, 0, 0 },
		{ INFO(HV_EVENT_INT_N, X86_VECTOR_GP), X86_VECTOR_TS, BEYOND },
		{ INFO(HV_EVENT_INT1, 1), X86_VECTOR_TS, BEYOND | 1 },
		{ INFO(HV_EVENT_NMI, 2), X86_VECTOR_TS, BEYOND | 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(32, 32);
		set_exit(TINYVMX_TASK_SWITCH_GATE, rows[i].during);
		ds_beyond();
		do_switch();
		if (rows[i].vector) {
			expect_fault(rows[i].vector, rows[i].code);
		} else {
			assert_int_equal(events.activity, TINYVMX_ACTIVITY_SHUTDOWN);
			assert_int_equal(events.pending, 0);
		}
		end();
	}
}

/* What cannot be had or set is told by who was asked; here nothing else is done. */
static void test_without_state(void **state)
{
	static const uint32_t types[] = { TINYVMX_STATE_SREGS, TINYVMX_STATE_EVENTS,
					  TINYVMX_STATE_DEBUG };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		begin(32, 32);
		set_exit(TINYVMX_TASK_SWITCH_JMP, 0);
		broken = types[i];
		assert_false(hv_task_exit(&mmio, &run));
		assert_int_equal(get_word(OLD_TSS, IP), 0);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_kinds),
		cmocka_unit_test(test_return_to_itself),
		cmocka_unit_test(test_error_code),
		cmocka_unit_test(test_v86),
		cmocka_unit_test(test_ring3_and_ldt),
		cmocka_unit_test(test_debug_trap),
		cmocka_unit_test(test_blocking),
		cmocka_unit_test(test_page_faults),
		cmocka_unit_test(test_pae),
		cmocka_unit_test(test_faults_of_the_old_task),
		cmocka_unit_test(test_faults_of_the_new_task),
		cmocka_unit_test(test_fault_of_a_v86_task),
		cmocka_unit_test(test_double_faults),
		cmocka_unit_test(test_without_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
