// SPDX-License-Identifier: GPL-2.0-only
/* Autopsies: each way to a triple fault is told as it was, by facts that a test has made up. */
#include <stdarg.h>

#include "debug/autopsy.h"
#include "lib/util.h"
#include "walk_test.h"

#define PML4	  0x1000
#define PDPT	  0x2000
#define DIRECTORY 0x3000
#define IDT	  0x4000
#define GDT	  0x5000
#define TSS	  0x5800
#define STACK	  0x7000
#define CODE	  0x8000
#define UNMAPPED  (4 * HV_MIB)

static struct tinyvmx_regs regs;
static struct tinyvmx_sregs sregs;
static struct hv_view view;
static struct hv_autopsy autopsy;
static char *text;
static size_t text_len;

static void put_gate(unsigned int vector, const uint8_t raw[8])
{
	unsigned int bytes = sregs.efer & X86_EFER_LMA ? 16 : 8;

	test_put(&memory, IDT + vector * bytes, raw, 8);
}

static void put_gates(const uint8_t raw[8])
{
	for (unsigned int vector = 0; vector < 32; vector++)
		put_gate(vector, raw);
}

static void put64(uint64_t gpa, uint64_t value)
{
	test_put(&memory, gpa, &value, sizeof(value));
}

static const uint8_t good[8] = { 0, 0x90, 8, 0, 0, 0x8e, 0, 0 };
static const uint8_t absent[8] = { 0, 0x90, 8, 0, 0, 0x0e, 0, 0 };

/* A 64-bit guest of 2 MiB that has all it needs. */
static int setup(void **state)
{
	new_memory(state);
	regs = (struct tinyvmx_regs){ .rip = CODE, .rflags = 2, .gpr[TINYVMX_RSP] = STACK };
	sregs = (struct tinyvmx_sregs){
		.cr0 = long_mode.cr0 | X86_CR0_NE,
		.cr3 = PML4,
		.cr4 = long_mode.cr4,
		.efer = long_mode.efer,
		.idt_base = IDT,
		.idt_limit = 0xfff,
		.gdt_base = GDT,
		.gdt_limit = 0x2f,
		.seg[TINYVMX_CS] = { .selector = 8, .ar = 0xa09b, .limit = UINT32_MAX },
		.seg[TINYVMX_SS] = { .selector = 16, .ar = 0xc093, .limit = UINT32_MAX },
		.seg[TINYVMX_DS] = { .selector = 16, .ar = 0xc093, .limit = UINT32_MAX },
		.seg[TINYVMX_LDTR] = { .ar = TINYVMX_AR_UNUSABLE },
		.seg[TINYVMX_TR] = { .selector = 0x20, .base = TSS, .limit = 0x67, .ar = 0x8b },
	};
	view = (struct hv_view){ .regs = &regs, .sregs = &sregs, .memory = &memory };
	view.gpa_bits = 39;
	put64(PML4, PDPT | P | W | U);
	put64(PDPT, DIRECTORY | P | W | U);
	put64(DIRECTORY, 0 | P | W | U | PS);
	put_gates(good);
	put64(GDT + 8, 0x00af9b000000ffff);
	put64(GDT + 16, 0x00cf93000000ffff);
	put64(GDT + 24, 0x00cff3000000ffff);
	put64(TSS + 4, STACK);
	return 0;
}

static int teardown(void **state)
{
	free(text);
	text = NULL;
	return free_memory(state);
}

/* The same without paging, 32-bit. */
static void make_protected(void)
{
	sregs.cr0 = X86_CR0_PE;
	sregs.cr4 = sregs.efer = 0;
	sregs.seg[TINYVMX_CS].ar = 0xc09b;
	put64(GDT + 8, 0x00cf9b000000ffff);
	put_gates(good);
}

static void make_user(void)
{
	sregs.seg[TINYVMX_SS].ar |= 3 << 5;
	sregs.seg[TINYVMX_CS].ar |= 3 << 5;
}

static void put_code(const char *code, size_t len)
{
	test_put(&memory, CODE, code, len);
}

#define CODE_IS(bytes) put_code(bytes, sizeof(bytes) - 1)

static const char *open_up(void)
{
	FILE *out;

	free(text);
	text = NULL;
	hv_autopsy(&autopsy, &view);
	out = open_memstream(&text, &text_len);
	assert_non_null(out);
	hv_autopsy_print(&autopsy, &view, out);
	fclose(out);
	return text;
}

/* All that is told, but for the heading. */
static void tells(const char *lines)
{
	const char *told = strchr(open_up(), '\n') + 1;

	if (strcmp(told, lines))
		fail_msg("told:\n%sand not:\n%s", told, lines);
}

/* How the first one is told. */
static void begins(const char *line)
{
	const char *told = strchr(open_up(), '\n') + 1;

	if (strncmp(told, line, strlen(line)))
		fail_msg("told:\n%sand not first:\n%s", told, line);
}

#define NO_GATES                                                              \
	"  -> #NP(0x6b): IDT[13] is not present\n  -> #DF(0x0)\n"             \
	"  -> #NP(0x43): IDT[8] is not present\n  -> shutdown\n"

/* ------------------------------------------------------------------ chains */

static void test_gates(void **state)
{
	(void)state;
	CODE_IS("\x48\xa1\x10\x00\x40\x00\x00\x00\x00\x00");
	sregs.cr2 = UNMAPPED + 16;
	put_gate(14, absent);
	put_gate(8, absent);
	tells("  #PF(0x0) at RIP 0x8000: read of memory, 0x400010: PD[2] is not present\n"
	      "  -> #NP(0x73): IDT[14] is not present\n"
	      "  -> #DF(0x0)\n"
	      "  -> #NP(0x43): IDT[8] is not present\n"
	      "  -> shutdown\n");
	assert_false(autopsy.guessed);
	sregs.idt_limit = 0x8e;
	tells("  #PF(0x0) at RIP 0x8000: read of memory, 0x400010: PD[2] is not present\n"
	      "  -> #GP(0x73): IDT[14] is beyond the IDT's limit, 0x8e\n"
	      "  -> #DF(0x0)\n"
	      "  -> #GP(0x43): IDT[8] is beyond the IDT's limit, 0x8e\n"
	      "  -> shutdown\n");
	/* Another address was last: what is seen is not all. */
	sregs.cr2 = 0x1234;
	assert_non_null(strstr(open_up(), "(CR2 is 0x1234, not 0x400010: "));
	assert_true(autopsy.guessed);
}

/* A contributory fault and a page fault come one after the other. */
static void test_classes(void **state)
{
	(void)state;
	CODE_IS("\xf4");
	make_user();
	put64(TSS + 4, UNMAPPED);
	put_gates(good);
	sregs.cr2 = UNMAPPED - 8;
	tells("  #GP(0x0) at RIP 0x8000: hlt in ring 3\n"
	      "  -> #PF(0x2): write to RSP0's stack, 0x3ffff8: PD[1] is not present\n"
	      "  -> #PF(0x2): write to RSP0's stack, 0x3ffff8: PD[1] is not present\n"
	      "  -> #DF(0x0)\n"
	      "  -> #PF(0x2): write to RSP0's stack, 0x3ffff8: PD[1] is not present\n"
	      "  -> shutdown\n");
}

static void test_code_segments(void **state)
{
	static const struct {
		uint16_t selector;
		const char *why;
	} cases[] = {
		{ 0, "#GP(0x1): IDT[6]'s code selector is null\n" },
		{ 0x30,
		  "#GP(0x31): IDT[6]'s code selector, 0x30, is beyond the GDT's limit, 0x2f" },
		{ 0x0c, "#GP(0xd): IDT[6]'s code selector, 0xc, is of an LDT, and there is none" },
		{ 0x10, "#GP(0x11): IDT[6]'s code selector, 0x10, is not of a code segment" },
		{ 0x28,
		  "#GP(0x29): IDT[6]'s code selector, 0x28, is not of a 64-bit code segment" },
	};

	(void)state;
	CODE_IS("\x0f\x0b");
	put64(GDT + 0x28, 0x00cf9b000000ffff);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint8_t gate[8] = { 0, 0x90, cases[i].selector, 0, 0, 0x8e };

		put_gates(gate);
		if (!strstr(open_up(), cases[i].why))
			fail_msg("%s: %s", cases[i].why, text);
		assert_true(autopsy.shutdown);
	}
}

static void test_stacks(void **state)
{
	static const uint8_t ist1[8] = { 0, 0x90, 8, 0, 1, 0x8e };

	(void)state;
	CODE_IS("\x0f\x0b");
	put_gates(ist1);
	put64(TSS + 36, 1ULL << 63);
	tells("  #UD at RIP 0x8000: ud2\n"
	      "  -> #SS(0x1): IST1's stack, at 0x8000000000000000, is not canonical\n"
	      "  -> #SS(0x1): IST1's stack, at 0x8000000000000000, is not canonical\n"
	      "  -> #DF(0x0)\n"
	      "  -> #SS(0x1): IST1's stack, at 0x8000000000000000, is not canonical\n"
	      "  -> shutdown\n");
	/* A stack that is read-only, and one of the user with SMAP. */
	put64(TSS + 36, STACK);
	put64(DIRECTORY, 0 | P | U | PS);
	sregs.cr2 = STACK - 8;
	assert_non_null(strstr(
		open_up(),
		"#PF(0x3): write to IST1's stack, 0x6ff8: the page is read-only: PD[0] is 0x85\n"));
	put64(DIRECTORY, 0 | P | W | U | PS);
	sregs.seg[TINYVMX_TR].limit = 42;
	assert_non_null(
		strstr(open_up(),
		       "#TS(0x21): the TSS has no IST1: it is at 0x24, and TR's limit is 0x2a\n"));
}

static void test_real_mode(void **state)
{
	(void)state;
	CODE_IS("\x0f\x0b");
	sregs.cr0 = sregs.cr4 = sregs.efer = 0;
	sregs.idt_base = 0;
	sregs.idt_limit = 0x0f;
	sregs.seg[TINYVMX_CS] = (struct tinyvmx_segment){ .limit = 0xffff, .ar = 0x9b };
	sregs.seg[TINYVMX_SS] = (struct tinyvmx_segment){ .limit = 0xffff, .ar = 0x93 };
	tells("  #UD at RIP 0x8000: ud2\n"
	      "  -> #GP: interrupt vector 6 is beyond the table's limit, 0xf\n"
	      "  -> #GP: interrupt vector 13 is beyond the table's limit, 0xf\n"
	      "  -> #DF\n"
	      "  -> #GP: interrupt vector 8 is beyond the table's limit, 0xf\n"
	      "  -> shutdown\n");
}

static void test_inner_stack(void **state)
{
	static const uint32_t esp0[] = { STACK, 0x18 };

	(void)state;
	make_protected();
	make_user();
	CODE_IS("\xfa");
	test_put(&memory, TSS + 4, esp0, sizeof(esp0));
	tells("  #GP(0x0) at RIP 0x8000: cli in ring 3, which IOPL forbids\n"
	      "  -> #TS(0x19): SS0 in the TSS, 0x18, is not of ring 0\n"
	      "  -> #DF(0x0)\n"
	      "  -> #TS(0x19): SS0 in the TSS, 0x18, is not of ring 0\n"
	      "  -> shutdown\n");
}

/* --------------------------------------------------------- the first of them */

static void test_first(void **state)
{
	static const struct {
		const char *code;
		size_t len;
		const char *first;
	} cases[] = {
#define C(bytes, words) { bytes, sizeof(bytes) - 1, words }
		C("\x48\xf7\xf1", "  #DE at RIP 0x8000: div by 0x0\n"),
		C("\x48\xf7\xfb", "  #DE at RIP 0x8000: idiv by 0x2: the quotient is too large\n"),
		C("\xff\xe2",
		  "  #GP(0x0) at RIP 0x8000: jmp to 0x8000000000000000, which is not canonical\n"),
		C("\x8b\x02",
		  "  #GP(0x0) at RIP 0x8000: mov at 0x8000000000000000, which is not canonical\n"),
		C("\x0f\x28\x06", "  #UD at RIP 0x8000: movaps without CR4.OSFXSR\n"),
		C("\x8e\xd8",
		  "  #GP(0x1234) at RIP 0x8000: the selector for ds, 0x1234, is of an LDT, "),
		C("\x0f\x05", "  #UD at RIP 0x8000: syscall, which EFER.SCE does not allow\n"),
		C("\x06", "  #UD at RIP 0x8000: the code there, 06 00 ..., is no instruction\n"),
		C("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90",
		  "  #GP(0x0) at RIP 0x8000: the instruction, 66 66 ..., is longer than 15"),
		C("\x0f\x22\xc0", "  #GP(0x0) at RIP 0x8000: mov to cr0, which is refused\n"),
		C("\xcc", "  INT 0x3 at RIP 0x8000: int3\n"),
		C("\xcd\x21", "  INT 0x21 at RIP 0x8000: int\n"),
		C("\x0f\x30", "  #GP(0x0) at RIP 0x8000: wrmsr of MSR 0x0, which is refused\n"),
#undef C
	};

	(void)state;
	put_gates(absent);
	put_gate(0x21, absent);
	regs.gpr[TINYVMX_RAX] = 0x1234;
	regs.gpr[TINYVMX_RBX] = 2;
	regs.gpr[TINYVMX_RDX] = 1ULL << 63;
	regs.gpr[TINYVMX_RSI] = 0x6004;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char zeros[16];

		put_code(zeros, sizeof(zeros));
		put_code(cases[i].code, cases[i].len);
		begins(cases[i].first);
		assert_true(autopsy.shutdown);
	}
	/* One that may be refused is no more than likely. */
	assert_true(autopsy.guessed);
}

static void test_fetch(void **state)
{
	(void)state;
	put_gates(absent);
	regs.rip = UNMAPPED;
	sregs.cr2 = UNMAPPED;
	begins("  #PF(0x10) at RIP 0x400000: fetch from the code, 0x400000: PD[2] is not present\n");
	regs.rip = CODE;
	put64(DIRECTORY, 0 | P | W | U | PS | X86_PTE_NX);
	sregs.cr2 = CODE;
	begins("  #PF(0x11) at RIP 0x8000: fetch from the code, 0x8000: the page is not executable (NX): PD[0] is 0x8000000000000087\n");
	/* Such a bit is reserved without EFER.NXE. */
	sregs.efer &= ~X86_EFER_NXE;
	begins("  #PF(0x9) at RIP 0x8000: fetch from the code, 0x8000: PD[0] has reserved bits set: 0x8000000000000000\n");
}

/* The selector is where the segment's base has it; and a 16-bit stack has two ends. */
static void test_segments(void **state)
{
	static const uint32_t pointer[] = { CODE, 0x10 };

	(void)state;
	make_protected();
	put_gates(absent);
	sregs.seg[TINYVMX_DS].base = 0x100;
	test_put(&memory, 0x6100, pointer, sizeof(pointer));
	CODE_IS("\xff\x2d\x00\x60\x00\x00");
	begins("  #GP(0x10) at RIP 0x8000: the code selector, 0x10, is not of a code segment\n");
	/* 16-bit segment of which only the last page is there. */
	sregs.cr0 |= X86_CR0_PG;
	sregs.cr4 = X86_CR4_PSE;
	sregs.cr3 = 0x1000;
	sregs.seg[TINYVMX_SS] = (struct tinyvmx_segment){
		.selector = 16, .base = UNMAPPED, .limit = 0xffff, .ar = 0x93
	};
	put64(0x1000, 0 | P | W | PS);
	regs.gpr[TINYVMX_RSP] = 0;
	put_gates(good);
	CODE_IS("\x0f\x0b");
	sregs.cr2 = UNMAPPED + 0xfffc;
	begins("  #UD at RIP 0x8000: ud2\n  -> #PF(0x2): write to the stack, 0x40fffc: ");
}

/* A register that is read is not refused: what came was something else. */
static void test_read_of_control(void **state)
{
	(void)state;
	put_gates(absent);
	CODE_IS("\x0f\x20\xc0");
	begins("  NMI at RIP 0x8000: from outside\n");
}

/* An instruction that raises nothing, with all that it takes to deliver whatever comes. */
static void test_nothing(void **state)
{
	(void)state;
	CODE_IS("\x90");
	assert_non_null(strstr(open_up(), "(nothing that the registers and the memory show now: "));
	assert_int_equal(autopsy.count, 0);
	/* Interrupts come from outside, and none of their gates is there. */
	regs.rflags |= X86_RFLAGS_IF;
	put_gates(absent);
	begins("  interrupt 0x20 at RIP 0x8000: from outside, as interrupts are enabled\n  -> ");
	assert_true(autopsy.guessed);
	regs.rflags |= X86_RFLAGS_TF;
	begins("  #DB at RIP 0x8000: a single step (RFLAGS.TF)\n  -> #NP(0xb): IDT[1] is not present\n");
	assert_false(autopsy.guessed);
}

/* One that has changed since: all is well now, and that is said. */
static void test_changed(void **state)
{
	(void)state;
	CODE_IS("\x0f\x0b");
	assert_non_null(strstr(open_up(), "it has changed since"));
	assert_true(autopsy.guessed);
}

static void test_json(void **state)
{
	json_t *object, *chain;

	(void)state;
	CODE_IS("\xf4");
	make_user();
	put_gates(absent);
	open_up();
	object = hv_autopsy_json(&autopsy, &view);
	chain = json_object_get(object, "chain");
	assert_true(json_is_true(json_object_get(object, "certain")));
	assert_true(json_is_true(json_object_get(object, "shutdown")));
	assert_int_equal(json_array_size(chain), 4);
	assert_string_equal(json_string_value(json_object_get(json_array_get(chain, 1), "event")),
			    "#NP(0x6b)");
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(chain, 1), "error_code")), 0x6b);
	json_decref(object);
	assert_non_null(strstr(text, NO_GATES));
}

/* ---------------------------------------------------------------- the rest */

static void print(void (*printer)(const struct hv_view *view, FILE *out))
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &text_len);
	assert_non_null(out);
	printer(&view, out);
	fclose(out);
}

static bool find_symbol(const void *symbols, uint64_t address, char *name, size_t len)
{
	(void)symbols;
	snprintf(name, len, "f+0x%llx", (unsigned long long)address - CODE);
	return address >= CODE;
}

static void test_code(void **state)
{
	(void)state;
	view.find_symbol = find_symbol;
	regs.rip = CODE + 4;
	CODE_IS("\x48\x31\xc0\x90\x0f\x0b\xc3");
	print(hv_view_print_code);
	assert_non_null(strstr(text, "code (64-bit): f+0x4\n"));
	assert_non_null(strstr(text, "    0x8000  48 31 c0  xor rax, rax\n    0x8003  90  nop\n"));
	assert_non_null(strstr(text, "  nop\n => 0x8004  0f 0b  ud2\n    0x8006  c3  ret\n"));
	regs.rip = UNMAPPED;
	print(hv_view_print_code);
	assert_non_null(strstr(text, " => 0x400000  there is no memory\n"));
}

static void test_backtrace(void **state)
{
	(void)state;
	view.find_symbol = find_symbol;
	regs.gpr[TINYVMX_RBP] = 0x6000;
	put64(0x6000, 0x6100);
	put64(0x6008, CODE + 1);
	put64(0x6100, 0x6200);
	put64(0x6108, CODE + 2);
	/* A loop ends it. */
	put64(0x6200, 0x6000);
	put64(0x6208, CODE + 3);
	print(hv_view_print_backtrace);
	assert_string_equal(strchr(text, '\n'),
			    "\n  0x8001 f+0x1\n  0x8002 f+0x2\n  0x8003 f+0x3\n");
	put64(0x6100, 0x6100);
	print(hv_view_print_backtrace);
	assert_string_equal(strchr(text, '\n'), "\n  0x8001 f+0x1\n  0x8002 f+0x2\n");
	put64(0x6008, UNMAPPED);
	print(hv_view_print_backtrace);
	assert_string_equal(text, "");
	regs.gpr[TINYVMX_RBP] = UNMAPPED;
	print(hv_view_print_backtrace);
	assert_string_equal(text, "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_gates),     T(test_classes),   T(test_code_segments),
		T(test_stacks),    T(test_real_mode), T(test_inner_stack),
		T(test_first),     T(test_fetch),     T(test_nothing),
		T(test_changed),   T(test_json),      T(test_code),
		T(test_backtrace), T(test_segments),  T(test_read_of_control),
	};

	return cmocka_run_group_tests_name("autopsy", tests, NULL, NULL);
}
