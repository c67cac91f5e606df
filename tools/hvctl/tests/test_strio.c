// SPDX-License-Identifier: GPL-2.0-only
/* INS and OUTS: counts, directions, address sizes, faults in the middle. */
#include "emul/strio.h"
#include "hv_test.h"
#include "lib/util.h"
#include "lib/x86.h"

static struct hv_memory memory;
static struct hv_bus bus;
static struct hv_region port;
static uint8_t sent[8192];
static unsigned int logged, reads;

static void port_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)dev;
	(void)offset;
	if (write) {
		memcpy(sent + logged, value, width);
		logged += width;
	} else {
		*value = 0xa0a0a0a0 + reads++;
	}
}

static struct tinyvmx_sregs sregs;
static struct tinyvmx_debug debug;
static struct hv_mmio mmio;
static struct tinyvmx_run run;

#define DATA 0x93
#define DATA_READ_ONLY 0x91
#define DATA_DOWN 0x97
#define CODE_EXECUTE_ONLY 0x99
#define CODE_READABLE 0x9b

static int get_state(void *ctx, uint32_t type, void *blob, size_t len)
{
	(void)ctx;
	if (type == TINYVMX_STATE_DEBUG) {
		assert_int_equal(len, sizeof(debug));
		memcpy(blob, &debug, len);
		return 0;
	}
	assert_int_equal(type, TINYVMX_STATE_SREGS);
	assert_int_equal(len, sizeof(sregs));
	memcpy(blob, &sregs, len);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	test_memory(&memory, 2 * HV_MIB);
	bus = (struct hv_bus){ 0 };
	port = (struct hv_region){ "port", HV_PORT, 0x300, 4, port_access, NULL };
	logged = reads = 0;
	memset(&sregs, 0, sizeof(sregs));
	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		sregs.seg[i] = (struct tinyvmx_segment){ .limit = UINT32_MAX, .ar = DATA };
	mmio = (struct hv_mmio){ .guest = { .memory = &memory, .bus = &bus },
				 .get_state = get_state };
	return hv_bus_register(&bus, &port);
}

static int teardown(void **state)
{
	(void)state;
	hv_memory_exit(&memory);
	return 0;
}

static bool strio(struct tinyvmx_regs *regs, const struct tinyvmx_exit_io *io, unsigned int len)
{
	bool done;

	run = (struct tinyvmx_run){ .regs = *regs, .instruction_len = len };
	run.io = *io;
	done = hv_strio_exit(&mmio, &run);
	*regs = run.regs;
	return done;
}

static struct tinyvmx_exit_io new_io(unsigned int width, uint32_t flags, unsigned int address_size,
				     uint64_t gla)
{
	return (struct tinyvmx_exit_io){
		.port = 0x300,
		.width = width,
		.flags = flags | TINYVMX_IO_STRING,
		.address_size = address_size,
		.gla = gla,
	};
}

static void test_rep_outsb(void **state)
{
	struct tinyvmx_regs regs = { .rip = 0x100,
				     .gpr[TINYVMX_RSI] = 0x5000,
				     .gpr[TINYVMX_RCX] = 5 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_REP, 4, 0x5000);

	(void)state;
	test_put(&memory, 0x5000, "hello", 5);
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(logged, 5);
	assert_memory_equal(sent, "hello", 5);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0);
	assert_int_equal(regs.gpr[TINYVMX_RSI], 0x5005);
	assert_int_equal(regs.rip, 0x102);
}

static void test_one_insd_backwards(void **state)
{
	struct tinyvmx_regs regs = { .rflags = X86_RFLAGS_DF,
				     .gpr[TINYVMX_RDI] = 0x5000,
				     .gpr[TINYVMX_RCX] = 9 };
	struct tinyvmx_exit_io io = new_io(4, TINYVMX_IO_IN, 8, 0x5000);

	(void)state;
	assert_true(strio(&regs, &io, 1));
	assert_int_equal(test_get(&memory, 0x5000, 8), 0xa0a0a0a0);
	assert_int_equal(regs.gpr[TINYVMX_RDI], 0x4ffc);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 9);
	assert_int_equal(regs.rip, 1);
}

static void test_16_bit_addresses_wrap_in_their_segment(void **state)
{
	struct tinyvmx_regs regs = {
		.gpr[TINYVMX_RDI] = 0xabcd0000ffff,
		.gpr[TINYVMX_RCX] = 0x10002,
	};
	/* ES base 0x20000: the first element is at its end, the next at its beginning. */
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_IN | TINYVMX_IO_REP, 2, 0x2ffff);

	(void)state;
	sregs.seg[TINYVMX_ES].base = 0x20000;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(reads, 2);
	assert_int_equal(test_get(&memory, 0x2ffff, 1), 0xa0);
	assert_int_equal(test_get(&memory, 0x20000, 1), 0xa1);
	assert_int_equal(regs.gpr[TINYVMX_RDI], 0xabcd00000001);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0x10000);
	assert_int_equal(regs.rip, 2);
}

static void test_32_bit_addresses_clear_the_upper_half(void **state)
{
	struct tinyvmx_regs regs = {
		.gpr[TINYVMX_RSI] = 0x1200005000,
		.gpr[TINYVMX_RCX] = 0x3400000001,
	};
	struct tinyvmx_exit_io io = new_io(2, TINYVMX_IO_REP, 4, 0x5000);

	(void)state;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(regs.gpr[TINYVMX_RSI], 0x5002);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0);
}

static void test_count_zero(void **state)
{
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RSI] = 0x5000 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_REP, 8, 0x5000);

	(void)state;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(logged, 0);
	assert_int_equal(regs.rip, 2);
}

static void test_long_ones_come_back(void **state)
{
	struct tinyvmx_regs regs = { .rip = 7,
				     .gpr[TINYVMX_RSI] = 0x5000,
				     .gpr[TINYVMX_RCX] = HV_STRIO_BATCH + 1 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_REP, 8, 0x5000);

	(void)state;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(logged, HV_STRIO_BATCH);
	assert_int_equal(regs.rip, 7);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 1);
	io.gla += HV_STRIO_BATCH;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(regs.rip, 9);
}

static void test_fault_in_the_middle(void **state)
{
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RDI] = 0x5ffe, .gpr[TINYVMX_RCX] = 4 };
	struct tinyvmx_exit_io io = new_io(1, TINYVMX_IO_IN | TINYVMX_IO_REP, 4, 0x5ffe);

	(void)state;
	/* Two levels, page 5 mapped, page 6 not. */
	io.paging.cr0 = X86_CR0_PE | X86_CR0_PG;
	io.paging.cr3 = 0x1000;
	test_put32(&memory, 0x1000, 0x2000 | X86_PTE_P | X86_PTE_W);
	test_put32(&memory, 0x2000 + 5 * 4, 0x5000 | X86_PTE_P | X86_PTE_W);
	assert_false(strio(&regs, &io, 2));
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_PF);
	assert_int_equal(mmio.guest.fault.cr2, 0x6000);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 2);
	assert_int_equal(regs.gpr[TINYVMX_RDI], 0x6000);
	assert_int_equal(regs.rip, 0);
	/* The third element was not taken from the port. */
	assert_int_equal(reads, 2);
}

/* ------------------------------------------------------------- what is forbidden */

/* Bytes of 32-bit code at CODE, in protected mode: one element after the other. */
#define CODE 0x1000

struct rule {
	const char *what;
	uint32_t ar, limit;
	uint32_t offset;
	uint32_t done;			/* elements that go through, of 3 */
	unsigned int vector;		/* 0: all do */
	bool in;
	uint8_t width;
	uint8_t prefix;			/* of a segment, or 0 */
};

#define CS_PREFIX 0x2e
#define SS_PREFIX 0x36
#define FS_PREFIX 0x64

#define ALL UINT32_MAX
#define GP X86_VECTOR_GP
#define SS X86_VECTOR_SS
#define UNUSABLE TINYVMX_AR_UNUSABLE

static const struct rule rules[] = {
	{ "within the limit", DATA, 0xff, 0xfd, 3, 0, false, 1, 0 },
	{ "beyond the limit", DATA, 0xff, 0x100, 0, GP, false, 1, 0 },
	{ "ends beyond the limit", DATA, 0xff, 0xfd, 0, GP, false, 4, 0 },
	{ "comes to the limit", DATA, 0xff, 0xfe, 2, GP, false, 1, 0 },
	{ "INS comes to the limit", DATA, 0xff, 0xfe, 2, GP, true, 1, 0 },
	{ "INS to a read-only segment", DATA_READ_ONLY, ALL, 0, 0, GP, true, 1, 0 },
	{ "OUTS from it", DATA_READ_ONLY, ALL, 0, 3, 0, false, 1, 0 },
	{ "INS to a null segment", UNUSABLE, ALL, 0, 0, GP, true, 1, 0 },
	{ "OUTS from it", UNUSABLE, ALL, 0, 0, GP, false, 1, 0 },
	{ "OUTS from execute-only code", CODE_EXECUTE_ONLY, ALL, 0, 0, GP, false, 1, 0 },
	{ "OUTS from readable code", CODE_READABLE, ALL, 0, 3, 0, false, 1, CS_PREFIX },
	{ "below an expand-down one", DATA_DOWN | TINYVMX_AR_DB, 0xfff, 0xfff, 0, GP, false, 1, 0 },
	{ "within it", DATA_DOWN | TINYVMX_AR_DB, 0xfff, 0x1000, 3, 0, false, 1, 0 },
	{ "at the end of a small one", DATA_DOWN, 0xfff, 0xfffe, 2, GP, false, 1, 0 },
	{ "through SS", DATA, 0xff, 0x100, 0, SS, false, 1, SS_PREFIX },
	{ "through FS", DATA, 0xff, 0x100, 0, GP, false, 1, FS_PREFIX },
};

static unsigned int segment_of(const struct rule *rule)
{
	if (rule->in)
		return TINYVMX_ES;
	return rule->prefix == CS_PREFIX ? TINYVMX_CS :
	       rule->prefix == SS_PREFIX ? TINYVMX_SS :
	       rule->prefix == FS_PREFIX ? TINYVMX_FS :
					   TINYVMX_DS;
}

static void test_segments(void **state)
{
	const struct rule *rule = *state;
	uint8_t code[4] = { 0xf3, rule->prefix ? rule->prefix : 0xf3, rule->in ? 0x6c : 0x6e };
	struct tinyvmx_regs regs = { .rip = CODE,
				     .gpr[TINYVMX_RCX] = 3,
				     .gpr[TINYVMX_RSI] = rule->offset,
				     .gpr[TINYVMX_RDI] = rule->offset };
	struct tinyvmx_exit_io io =
		new_io(rule->width, TINYVMX_IO_REP | (rule->in ? TINYVMX_IO_IN : 0), 4, 0);

	sregs.seg[TINYVMX_CS] = (struct tinyvmx_segment){ .limit = UINT32_MAX,
							  .ar = CODE_READABLE | TINYVMX_AR_DB };
	sregs.seg[segment_of(rule)].ar = rule->ar | TINYVMX_AR_DB * (rule->prefix == CS_PREFIX);
	sregs.seg[segment_of(rule)].limit = rule->limit;
	io.paging.cr0 = X86_CR0_PE;
	test_put(&memory, CODE, code, sizeof(code));
	if (strio(&regs, &io, 3) != !rule->vector)
		fail_msg("%s: fault %u", rule->what, mmio.guest.fault.vector);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 3 - rule->done);
	assert_int_equal(regs.rip, rule->vector ? CODE : CODE + 3);
	assert_int_equal(rule->in ? reads : logged / rule->width, rule->done);
	if (!rule->vector)
		return;
	assert_int_equal(mmio.guest.fault.vector, rule->vector);
	assert_int_equal(mmio.guest.fault.error_code, 0);
}

/* Real mode has limits, and nothing but limits. */
static void test_real_mode(void **state)
{
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RDI] = 0xffff };
	struct tinyvmx_exit_io io = new_io(2, TINYVMX_IO_IN, 2, 0);

	(void)state;
	sregs.seg[TINYVMX_ES] = (struct tinyvmx_segment){ .limit = 0xffff, .ar = DATA_READ_ONLY };
	assert_false(strio(&regs, &io, 1));
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_GP);
	assert_int_equal(reads, 0);
	regs.gpr[TINYVMX_RDI] = 0xfffe;
	assert_true(strio(&regs, &io, 1));
	assert_int_equal(reads, 1);
}

/* 64-bit: no segment says no; the end of the canonical addresses does, before any page. */
static void test_canonical_end(void **state)
{
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RSI] = 0x7ffffffffffe };
	struct tinyvmx_exit_io io = new_io(4, 0, 8, 0x7ffffffffffe);

	(void)state;
	sregs.seg[TINYVMX_DS].ar = TINYVMX_AR_UNUSABLE;
	io.paging = (struct tinyvmx_paging){ .cr0 = X86_CR0_PE | X86_CR0_PG,
					     .cr3 = 0x1000,
					     .cr4 = X86_CR4_PAE,
					     .efer = X86_EFER_LME | X86_EFER_LMA };
	assert_false(strio(&regs, &io, 1));
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_GP);
	io.gla = regs.gpr[TINYVMX_RSI] = 0x7ffffffffffc;
	assert_false(strio(&regs, &io, 1));
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_PF);
	assert_int_equal(mmio.guest.fault.cr2, 0x7ffffffffffc);
	assert_int_equal(logged, 0);
}

static void test_alignment(void **state)
{
	struct tinyvmx_regs regs = { .rflags = X86_RFLAGS_AC, .gpr[TINYVMX_RSI] = 0x5002 };
	struct tinyvmx_exit_io io = new_io(4, 0, 4, 0x5002);

	(void)state;
	io.paging = (struct tinyvmx_paging){ .cr0 = X86_CR0_PE | X86_CR0_AM, .cpl = 3 };
	assert_false(strio(&regs, &io, 1));
	assert_int_equal(mmio.guest.fault.vector, X86_VECTOR_AC);
	assert_int_equal(logged, 0);
	io.paging.cpl = 0;
	assert_true(strio(&regs, &io, 1));
	io.paging.cpl = 3;
	regs.gpr[TINYVMX_RSI] = 0x5004;
	assert_true(strio(&regs, &io, 1));
	regs.rflags = 0;
	regs.gpr[TINYVMX_RSI] = 0x5002;
	assert_true(strio(&regs, &io, 1));
}

/* DR1: writes of the second element; DR3: the port, if CR4.DE says so. */
static void test_breakpoints(void **state)
{
	struct tinyvmx_regs regs = { .gpr[TINYVMX_RDI] = 0x5000, .gpr[TINYVMX_RCX] = 4 };
	struct tinyvmx_exit_io io = new_io(2, TINYVMX_IO_IN | TINYVMX_IO_REP, 4, 0x5000);

	(void)state;
	debug = (struct tinyvmx_debug){ .dr = { 0x5002, 0x5003, 0, 0x301 },
					.dr7 = 1U << 2 | X86_DR7_RW_WRITE << 20 | 1U << 7 |
					       (uint64_t)X86_DR7_RW_IO << 28 };
	io.flags |= TINYVMX_IO_BREAKPOINTS;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(mmio.guest.dr6, 1U << 1);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 2);
	assert_int_equal(regs.rip, 0);
	io.gla += 4;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(mmio.guest.dr6, 0);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 0);
	io.paging.cr4 = X86_CR4_DE;
	regs.gpr[TINYVMX_RCX] = 2;
	assert_true(strio(&regs, &io, 2));
	assert_int_equal(mmio.guest.dr6, 1U << 3);
	assert_int_equal(regs.gpr[TINYVMX_RCX], 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rep_outsb),
		T(test_one_insd_backwards),
		T(test_16_bit_addresses_wrap_in_their_segment),
		T(test_32_bit_addresses_clear_the_upper_half),
		T(test_count_zero),
		T(test_long_ones_come_back),
		T(test_fault_in_the_middle),
		T(test_real_mode),
		T(test_canonical_end),
		T(test_alignment),
		T(test_breakpoints),
	};
	struct CMUnitTest by_rule[ARRAY_SIZE(rules)];
	int failed = cmocka_run_group_tests_name("strio", tests, NULL, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		by_rule[i] = (struct CMUnitTest){ rules[i].what, test_segments, setup, teardown,
						  (void *)&rules[i] };
	return failed + cmocka_run_group_tests_name("strio-segments", by_rule, NULL, NULL);
}
