// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a guest that has died: a row each, and that a sound guest gets none of them. */
#include "load/protocol.h"
#include "vmm/advice.h"
#include "walk_test.h"

#define PML4         0x1000
#define PDPT         0x2000
#define DIRECTORY    0x3000
#define IDT          0x4000
#define STACK        0x7000
#define CODE         0x8000
#define ENTRY        0x10000
#define ABSENT       (2 * HV_MIB) /* mapped, but there is no RAM */
#define UNMAPPED     (4 * HV_MIB)
#define TRIPLE_FAULT 2

static const struct hv_protocol protocol = { .name = "test", .advice = "try something else" };
static struct hv_payload payload;
static struct tinyvmx_run run;
static struct hv_situation s;
static char text[1000];

static void put_page(uint64_t entry, uint64_t value)
{
	test_put(&memory, entry, &value, sizeof(value));
}

/* A 64-bit guest that has all it needs, and died all the same, far from its entry. */
static int setup(void **state)
{
	new_memory(state);
	payload = (struct hv_payload){ .protocol = &protocol, .image.entry = ENTRY };
	run = (struct tinyvmx_run){ .exit_reason = TRIPLE_FAULT };
	s = (struct hv_situation){
		.end = HV_END_TRIPLE_FAULT,
		.run = &run,
		.memory = &memory,
		.payload = &payload,
		.paging = long_mode,
		.said_something = true,
		.regs = { .rip = CODE, .gpr[TINYVMX_RSP] = STACK },
		.sregs = {
			.cr0 = long_mode.cr0 | X86_CR0_NE, .cr3 = PML4, .cr4 = long_mode.cr4,
			.efer = long_mode.efer,
			.idt_base = IDT, .idt_limit = 0xfff,
			.seg[TINYVMX_CS] = { .selector = 8, .ar = 0xa09b },
			.seg[TINYVMX_SS] = { .selector = 16, .ar = 0xc093 },
		},
	};
	put_page(PML4, PDPT | P | W);
	put_page(PDPT, DIRECTORY | P | W);
	put_page(DIRECTORY, 0 | P | W | PS);
	put_page(DIRECTORY + 8, ABSENT | P | W | PS);
	test_put(&memory, CODE, "\x48\x8b\x00\x90\x90\x90\x90\x90", 8);
	return 0;
}

/* The same without paging, 32-bit. */
static void make_protected(void)
{
	s.sregs.cr0 = X86_CR0_PE;
	s.sregs.efer = 0;
	s.paging = (struct hv_paging){ .cr0 = X86_CR0_PE };
	s.sregs.seg[TINYVMX_CS].ar = 0xc09b;
}

static void says(const char *words)
{
	hv_advise(&s, text, sizeof(text));
	if (!strstr(text, words))
		fail_msg("no \"%s\" in \"%s\"", words, text);
}

static void says_nothing(void)
{
	hv_advise(&s, text, sizeof(text));
	assert_string_equal(text, "");
}

static void test_sound(void **state)
{
	(void)state;
	says_nothing();
	make_protected();
	says_nothing();
}

static void test_code(void **state)
{
	static const uint8_t zeros[16];

	(void)state;
	s.regs.rip = UNMAPPED;
	says("executes at 0x400000, where its page tables map nothing: a wild jump");
	s.regs.rip = ABSENT;
	says("executes at 0x200000, where there is no memory (guest-physical 0x200000): it has run off the end of its code, through zeros");
	test_put(&memory, ABSENT - 1, "\xc3", 1);
	says("executes at 0x200000, where there is no memory (guest-physical 0x200000): a wild jump");
	s.regs.rip = 1ULL << 63;
	says("executes at 0x8000000000000000, which is not canonical");
	s.end = HV_END_UNSUPPORTED;
	says("not canonical");
	s.regs.rip = CODE;
	test_put(&memory, CODE, zeros, sizeof(zeros));
	says("00H all over");
	memset(text, 0xff, 16);
	test_put(&memory, CODE, text, 16);
	says("ffH all over");
	test_put(&memory, CODE, "\x0f\x0b", 2);
	says_nothing();
	s.end = HV_END_TRIPLE_FAULT;
	says("UD2");
}

/* In protected mode CS and SS have bases. */
static void test_segment_bases(void **state)
{
	(void)state;
	make_protected();
	s.sregs.seg[TINYVMX_CS].base = ABSENT - CODE;
	says("executes at 0x200000, where there is no memory");
	s.sregs.seg[TINYVMX_CS].base = 0;
	says_nothing();
}

static void test_idt(void **state)
{
	(void)state;
	s.sregs.idt_limit = 15 * 16 - 2;
	says("no IDT for exceptions (IDTR: base 0x4000, limit 0xee, below 0xef)");
	says("triple fault\ntry something else");
	s.sregs.idt_limit++;
	says_nothing();
}

/* Real mode has vectors of four bytes, and every one is good. */
static void test_real_mode(void **state)
{
	(void)state;
	s.sregs.cr0 = 0;
	s.sregs.efer = 0;
	s.sregs.seg[TINYVMX_CS].ar = 0x9b;
	s.sregs.seg[TINYVMX_SS].ar = 0x93;
	s.paging = (struct hv_paging){ 0 };
	s.sregs.idt_limit = 15 * 4 - 1;
	says_nothing();
	s.sregs.idt_limit--;
	says("limit 0x3a, below 0x3b");
}

static void test_protocol(void **state)
{
	static const struct hv_protocol silent = { .name = "silent" };

	(void)state;
	s.said_something = false;
	says("try something else");
	s.said_something = true;
	says_nothing();
	payload.image.entry = CODE - 255;
	says("try something else");
	s.end = HV_END_ENTRY_FAILED;
	says("try something else");
	s.end = HV_END_HALTED;
	says_nothing();
	s.end = HV_END_TRIPLE_FAULT;
	payload.image.entry = CODE - 256;
	says_nothing();
	s.said_something = false;
	payload.protocol = &silent;
	says_nothing();
	s.sregs.idt_limit = 0;
	says("triple fault");
}

static void test_task_switch(void **state)
{
	(void)state;
	run.exit_reason = 9;
	says_nothing();
	s.end = HV_END_UNSUPPORTED;
	says("changes tasks by the CPU's own means");
}

static void test_system_call(void **state)
{
	(void)state;
	s.sregs.idt_limit = 0;
	test_put(&memory, CODE, "\x0f\x05", 2);
	says("it makes a system call (SYSCALL, which EFER.SCE does not allow)");
	s.sregs.efer |= X86_EFER_SCE;
	says("it has no IDT");
	s.sregs.efer &= ~X86_EFER_SCE;
	test_put(&memory, CODE, "\x0f\x06", 2);
	says("it has no IDT");
}

/* Halted, and not by HLT. */
static void test_x87_error(void **state)
{
	(void)state;
	s.end = HV_END_HALTED;
	s.sregs.cr0 &= ~X86_CR0_NE;
	says("it waits at 0x8000 for the IRQ 13 of an x87 error");
	s.sregs.cr0 |= X86_CR0_NE;
	says_nothing();
	s.sregs.cr0 &= ~X86_CR0_NE;
	test_put(&memory, CODE - 1, "\xf4", 1);
	says_nothing();
	s.regs.rip = UNMAPPED;
	says_nothing();
	s.regs.rip = CODE + 2;
	s.end = HV_END_TRIPLE_FAULT;
	says_nothing();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, free_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sound),       TEST(test_code),        TEST(test_segment_bases),
		TEST(test_idt),         TEST(test_real_mode),   TEST(test_protocol),
		TEST(test_task_switch), TEST(test_system_call), TEST(test_x87_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
