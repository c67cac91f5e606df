// SPDX-License-Identifier: GPL-2.0-only
/* The GDB stub: packets, registers, points, and each command, against a VM that is none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/gdb_points.h"
#include "hv_test.h"
#include "lib/util.h"
#include "lib/x86.h"

/* ----------------------------------------------------------- a made-up VM */

static struct {
	unsigned int count;
	struct hv_gdb_cpu cpu[HV_GDB_VCPUS_MAX];
	uint8_t memory[64];		/* at 1000H */
	int error;			/* that all that can fail gives; 0: none */
	char did[200];			/* the last of what was asked for */
	enum hv_gdb_action action[HV_GDB_VCPUS_MAX];
	char said[4 * HV_GDB_FRAME_MAX];
	size_t len;
} vm;

static struct hv_gdb gdb;

static unsigned int vm_count(void *ctx)
{
	(void)ctx;
	return vm.count;
}

static int vm_get(void *ctx, unsigned int vcpu, struct hv_gdb_cpu *cpu)
{
	(void)ctx;
	*cpu = vm.cpu[vcpu];
	return vm.error;
}

static int vm_set(void *ctx, unsigned int vcpu, const struct hv_gdb_cpu *cpu, unsigned int parts)
{
	(void)ctx;
	vm.cpu[vcpu] = *cpu;
	sprintf(vm.did, "set %u %u", vcpu, parts);
	return vm.error;
}

static size_t part(uint64_t address, size_t len)
{
	if (address < 0x1000 || address - 0x1000 >= sizeof(vm.memory))
		return 0;
	return len < sizeof(vm.memory) - (address - 0x1000) ?
		       len :
		       sizeof(vm.memory) - (address - 0x1000);
}

static size_t vm_read(void *ctx, unsigned int vcpu, uint64_t address, void *buf, size_t len)
{
	size_t n = part(address, len);

	(void)ctx;
	sprintf(vm.did, "read %u", vcpu);
	if (n)
		memcpy(buf, vm.memory + (address - 0x1000), n);
	return n;
}

static size_t vm_write(void *ctx, unsigned int vcpu, uint64_t address, const void *buf, size_t len)
{
	size_t n = part(address, len);

	(void)ctx, (void)vcpu;
	if (n)
		memcpy(vm.memory + (address - 0x1000), buf, n);
	return n;
}

static int vm_insert(void *ctx, unsigned int vcpu, enum hv_gdb_point kind, uint64_t address,
		     uint64_t len)
{
	(void)ctx;
	sprintf(vm.did, "insert %u %d %llx %llx", vcpu, kind, (unsigned long long)address,
		(unsigned long long)len);
	return kind == HV_GDB_RWATCH ? -EOPNOTSUPP : vm.error;
}

static int vm_remove(void *ctx, enum hv_gdb_point kind, uint64_t address, uint64_t len)
{
	(void)ctx;
	sprintf(vm.did, "remove %d %llx %llx", kind, (unsigned long long)address,
		(unsigned long long)len);
	return vm.error;
}

static int vm_resume(void *ctx, const enum hv_gdb_action action[HV_GDB_VCPUS_MAX])
{
	(void)ctx;
	strcpy(vm.did, "resume");
	memcpy(vm.action, action, sizeof(vm.action));
	return vm.error;
}

static void vm_interrupt(void *ctx)
{
	(void)ctx;
	strcpy(vm.did, "interrupt");
}

static void vm_detach(void *ctx)
{
	(void)ctx;
	strcpy(vm.did, "detach");
}

static void vm_kill(void *ctx)
{
	(void)ctx;
	strcpy(vm.did, "kill");
}

static const char *vm_describe(void *ctx, unsigned int vcpu)
{
	(void)ctx, (void)vcpu;
	return "halted";
}

static void vm_monitor(void *ctx, unsigned int vcpu, const char *text, FILE *out)
{
	(void)ctx;
	fprintf(out, "%u: %s", vcpu, text);
}

static void vm_send(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	assert_true(len < sizeof(vm.said) - vm.len);
	memcpy(vm.said + vm.len, data, len);
	vm.len += len;
	vm.said[vm.len] = 0;
}

static const struct hv_gdb_ops ops = {
	.count = vm_count,
	.get = vm_get,
	.set = vm_set,
	.read = vm_read,
	.write = vm_write,
	.insert = vm_insert,
	.remove = vm_remove,
	.resume = vm_resume,
	.interrupt = vm_interrupt,
	.detach = vm_detach,
	.kill = vm_kill,
	.describe = vm_describe,
	.monitor = vm_monitor,
	.send = vm_send,
};

/* ------------------------------------------------------------- a debugger */

/* What it sends comes byte by byte. */
static void give(const char *data, size_t len)
{
	vm.len = 0;
	vm.said[0] = vm.did[0] = 0;
	for (size_t i = 0; i < len; i++)
		assert_int_equal(hv_gdb_take(&gdb, data + i, 1), 1);
}

static void give_packet(const char *body, size_t len)
{
	char frame[HV_GDB_FRAME_MAX];

	give(frame, hv_gdb_frame(frame, body, len));
}

/* The body of the one packet that was said, in which nothing was escaped. */
static const char *answer(void)
{
	static char body[HV_GDB_BODY_MAX + 1];
	size_t len = vm.len;

	if (len < 4 || vm.said[0] != '$' || vm.said[len - 3] != '#')
		fail_msg("no packet: %s", vm.said);
	memcpy(body, vm.said + 1, len - 4);
	body[len - 4] = 0;
	return body;
}

static const char *ask(const char *body)
{
	give_packet(body, strlen(body));
	return answer();
}

#define asks(body, expected) assert_string_equal(ask(body), expected)

static void start_as(unsigned int vcpus, enum hv_gdb_arch arch, bool avx)
{
	memset(&vm, 0, sizeof(vm));
	memset(&gdb, 0, sizeof(gdb));
	vm.count = vcpus;
	for (unsigned int i = 0; i < sizeof(vm.memory); i++)
		vm.memory[i] = (uint8_t)i;
	hv_gdb_regs_init(&gdb.regs, arch, avx);
	hv_gdb_init(&gdb, &ops, NULL);
	hv_gdb_stopped(&gdb, &(struct hv_gdb_stop){ .why = HV_GDB_INTERRUPTED });
	gdb.no_ack = true;
}

static int start(void **state)
{
	(void)state;
	start_as(2, HV_GDB_X86_64, true);
	return 0;
}

/* --------------------------------------------------------------- packets */

static enum hv_gdb_token parse(struct hv_gdb_parser *parser, const char *text)
{
	enum hv_gdb_token token = HV_GDB_NOTHING;

	for (; *text; text++)
		token = hv_gdb_parse(parser, (uint8_t)*text);
	return token;
}

static void test_packets(void **state)
{
	static struct hv_gdb_parser parser;

	(void)state;
	assert_int_equal(parse(&parser, "+"), HV_GDB_ACK);
	assert_int_equal(parse(&parser, "-"), HV_GDB_NAK);
	assert_int_equal(parse(&parser, "\3"), HV_GDB_INTERRUPT);
	assert_int_equal(parse(&parser, "x#00"), HV_GDB_NOTHING);
	assert_int_equal(parse(&parser, "$OK#9a"), HV_GDB_PACKET);
	assert_string_equal(parser.body, "OK");
	assert_int_equal(parse(&parser, "$OK#9A"), HV_GDB_PACKET);
	assert_int_equal(parse(&parser, "$#00"), HV_GDB_PACKET);
	assert_int_equal(parser.len, 0);
	assert_int_equal(parse(&parser, "$OK#9b"), HV_GDB_BROKEN);
	assert_int_equal(parse(&parser, "$OK#9x"), HV_GDB_BROKEN);
	assert_int_equal(parse(&parser, "$half$OK#9a"), HV_GDB_PACKET);
	assert_string_equal(parser.body, "OK");
	/* An interrupt within one is a byte of it. */
	assert_int_equal(parse(&parser, "$\3#03"), HV_GDB_PACKET);
	assert_int_equal(parse(&parser, "$a}\3b#44"), HV_GDB_BROKEN);
	assert_int_equal(parse(&parser, "$a}\003b#43"), HV_GDB_PACKET);
	assert_string_equal(parser.body, "a#b");
}

static void test_long_packets(void **state)
{
	static struct hv_gdb_parser parser;
	static char body[HV_GDB_BODY_MAX + 1], frame[HV_GDB_FRAME_MAX];
	enum hv_gdb_token token = HV_GDB_NOTHING;
	size_t len;

	(void)state;
	memset(body, 'a', sizeof(body));
	len = hv_gdb_frame(frame, body, HV_GDB_BODY_MAX - 1);
	assert_int_equal(len, HV_GDB_FRAME_MAX - 1);
	for (size_t i = 0; i < len; i++)
		token = hv_gdb_parse(&parser, (uint8_t)frame[i]);
	assert_int_equal(token, HV_GDB_PACKET);
	assert_int_equal(parser.len, HV_GDB_BODY_MAX - 1);
	assert_int_equal(hv_gdb_frame(frame, body, HV_GDB_BODY_MAX + 1), 0);
	memset(body, '#', sizeof(body));
	assert_int_equal(hv_gdb_frame(frame, body, HV_GDB_BODY_MAX / 2 + 1), 0);
	/* One without an end is thrown away, and the next is heard. */
	hv_gdb_parse(&parser, '$');
	for (unsigned int i = 0; i < 3 * HV_GDB_BODY_MAX; i++)
		hv_gdb_parse(&parser, 'a');
	assert_int_equal(parse(&parser, "#00"), HV_GDB_BROKEN);
	assert_int_equal(parse(&parser, "$OK#9a"), HV_GDB_PACKET);
}

static void test_acknowledgements(void **state)
{
	(void)state;
	gdb.no_ack = false;
	give("$qC#b4", 6);
	assert_string_equal(vm.said, "+$QC1#c5");
	give("+", 1);
	assert_string_equal(vm.said, "");
	give("-", 1);
	assert_string_equal(vm.said, "$QC1#c5");
	give("$qC#b5", 6);
	assert_string_equal(vm.said, "-");
	give_packet("QStartNoAckMode", 15);
	assert_string_equal(vm.said, "+$OK#9a");
	asks("qC", "QC1");
	give("-", 1);
	assert_string_equal(vm.said, "");
}

/* Nothing is heard before the VM stands still. */
static void test_hello(void **state)
{
	static const struct {
		const char *said;
		size_t room;
		enum hv_gdb_hello hello;
	} cases[] = {
		{ "", 8, HV_GDB_HELLO_MORE },      { "+", 8, HV_GDB_HELLO_MORE },
		{ "\3+", 8, HV_GDB_HELLO_MORE },   { "+$", 8, HV_GDB_HELLO_YES },
		{ "$q", 2, HV_GDB_HELLO_YES },     { "-+-+", 4, HV_GDB_HELLO_NO },
		{ "GET $", 8, HV_GDB_HELLO_NO },   { "\r\n$q", 8, HV_GDB_HELLO_NO },
		{ "{\"$\"}", 8, HV_GDB_HELLO_NO },
	};
	struct hv_gdb_parser parser = { 0 };
	char answer[HV_GDB_REFUSAL_MAX], why[1000];
	enum hv_gdb_token token = HV_GDB_NOTHING;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(hv_gdb_hello(cases[i].said, strlen(cases[i].said), cases[i].room),
				 cases[i].hello);
	assert_int_equal(hv_gdb_hello("\0$", 2, 8), HV_GDB_HELLO_NO);
	/* One that is too long, of what has to be escaped, is cut. */
	memset(why, '#', sizeof(why) - 1);
	why[sizeof(why) - 1] = 0;
	len = hv_gdb_refusal(answer, why);
	assert_in_range(len, 100, sizeof(answer));
	for (size_t i = 0; i < len; i++)
		token = hv_gdb_parse(&parser, (uint8_t)answer[i]);
	assert_int_equal(token, HV_GDB_PACKET);
	assert_int_equal(strncmp(parser.body, "E.###", 5), 0);
}

static void test_begin(void **state)
{
	(void)state;
	memset(&gdb, 0, sizeof(gdb));
	hv_gdb_init(&gdb, &ops, NULL);
	vm.len = 0;
	assert_int_equal(hv_gdb_take(&gdb, "$?#3f", 5), 0);
	hv_gdb_stopped(&gdb, &(struct hv_gdb_stop){ .why = HV_GDB_INTERRUPTED, .vcpu = 1 });
	assert_int_equal(vm.len, 0);
	assert_int_equal(hv_gdb_take(&gdb, "$?#3f", 5), 5);
	assert_string_equal(vm.said, "+$T02thread:2;#d5");
}

/* ------------------------------------------------------------- commands */

static void test_unknown(void **state)
{
	static const char *const unknown[] = {
		"",         "!",        "R00", "vFile:open:", "vMustReplyEmpty",
		"qTStatus", "qCRC:0,1", "Qx",  "\xff"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		asks(unknown[i], "");
}

static void test_threads(void **state)
{
	(void)state;
	asks("qfThreadInfo", "m1,2");
	asks("qsThreadInfo", "l");
	asks("qC", "QC1");
	asks("T1", "OK");
	asks("T2", "OK");
	asks("T3", "E03");
	asks("T", "E03");
	asks("Hg2", "OK");
	asks("qC", "QC2");
	asks("Hg0", "OK");
	asks("qC", "QC2");
	asks("Hc-1", "OK");
	asks("Hg3", "E03");
	asks("Hgx", "E03");
	asks("Hg1x", "E03");
	asks("Hx1", "E16");
	asks("qThreadExtraInfo,2", "7643505520312c2068616c746564");
	asks("qThreadExtraInfo,3", "E03");
	asks("qAttached", "1");
	asks("qAttached:1", "1");
}

static void test_memory_packets(void **state)
{
	static char much[HV_GDB_BODY_MAX];

	(void)state;
	asks("m1000,4", "00010203");
	asks("m103e,4", "3e3f");
	asks("m1000,0", "");
	asks("m1040,1", "E0e");
	asks("m0,1", "E0e");
	asks("mffffffffffffffff,2", "E0e");
	asks("m10000000000000000,1", "E16");
	asks("m1000", "E16");
	asks("m1000,", "E16");
	asks("m1000,4x", "E16");
	/* As much as there is, however much is asked for. */
	assert_int_equal(strlen(ask("m1000,ffffffffffffffff")), 2 * sizeof(vm.memory));
	asks("M1000,2:abCD", "OK");
	asks("m1000,2", "abcd");
	asks("M1000,2:ab", "E16");
	asks("M1000,2:abcdef", "E16");
	asks("M1000,1:zz", "E16");
	asks("M1000,ffffffff:00", "E16");
	asks("M103f,2:0000", "E0e");
	give_packet("X1000,3:}#\0", 11);
	assert_string_equal(answer(), "OK");
	asks("m1000,3", "7d2300");
	give_packet("X1000,4:abc", 11);
	assert_string_equal(answer(), "E16");
	asks("X1000,0:", "OK");
	memset(much, 'a', sizeof(much) - 1);
	memcpy(much, "M1000,800:", 10);
	asks(much, "E16");
	ask("Hg2");
	ask("m1000,1");
	assert_string_equal(vm.did, "read 1");
}

/* Where a register is in the answer to "g", in digits. */
static size_t place_of(const char *name)
{
	size_t at = 0;

	for (unsigned int i = 0; i < gdb.regs.count; i++) {
		if (!strcmp(gdb.regs.reg[i].name, name))
			return at;
		at += 2 * gdb.regs.reg[i].bytes;
	}
	fail_msg("no %s", name);
	return 0;
}

static unsigned int number_of(const char *name)
{
	for (unsigned int i = 0; i < gdb.regs.count; i++)
		if (!strcmp(gdb.regs.reg[i].name, name))
			return i;
	fail_msg("no %s", name);
	return 0;
}

static void set_up_registers(struct hv_gdb_cpu *cpu)
{
	cpu->regs.gpr[TINYVMX_RBX] = 0x1122334455667788;
	cpu->regs.rip = 0xffffffff81000000;
	cpu->regs.rflags = 0x246;
	cpu->sregs.seg[TINYVMX_CS].selector = 0x10;
	cpu->sregs.seg[TINYVMX_GS].base = 0xffff888000000000;
	cpu->sregs.cr3 = 0x1234000;
	cpu->kernel_gs_base = 0x4242;
	cpu->fpu[0] = 0x7f;
	cpu->fpu[1] = 0x03;
	cpu->fpu[160] = 0xaa;      /* XMM0 */
	cpu->fpu[576 + 15] = 0xbb; /* YMM0, its last byte */
}

static void has(const char *all, const char *name, const char *digits)
{
	if (memcmp(all + place_of(name), digits, strlen(digits)))
		fail_msg("%s: %.32s", name, all + place_of(name));
}

static void test_registers(void **state)
{
	const char *all;
	char text[100];

	(void)state;
	set_up_registers(&vm.cpu[0]);
	all = ask("g");
	has(all, "rbx", "8877665544332211");
	has(all, "rip", "00000081ffffffff");
	has(all, "eflags", "46020000");
	has(all, "cs", "10000000");
	has(all, "fctrl", "7f030000");
	has(all, "ftag", "ffff0000");
	has(all, "xmm0", "aa00");
	has(all, "ymm0h", "000000000000000000000000000000bb");
	has(all, "gs_base", "000000008088ffff");
	has(all, "cr3", "0040230100000000");
	has(all, "kernel_gs_base", "4242000000000000");
	snprintf(text, sizeof(text), "p%x", number_of("rip"));
	asks(text, "00000081ffffffff");
	snprintf(text, sizeof(text), "P%x=0100000000000000", number_of("rip"));
	asks(text, "OK");
	assert_string_equal(vm.did, "set 0 1");
	assert_int_equal(vm.cpu[0].regs.rip, 1);
	/* A selector alone is no segment; the same one is none that is written. */
	snprintf(text, sizeof(text), "P%x=18000000", number_of("cs"));
	asks(text, "E01");
	snprintf(text, sizeof(text), "P%x=10000000", number_of("cs"));
	asks(text, "OK");
	assert_string_equal(vm.did, "");
	asks("p200", "E16");
	asks("p", "E16");
	asks("P200=00", "E16");
	asks("P0=00", "E16");
	asks("P0=010000000000000000", "E16");
	asks("P0:00", "E16");
	asks("G00", "E16");
	vm.error = -EIO;
	asks("g", "E05");
	asks("p0", "E05");
}

static void test_all_registers_come_back(void **state)
{
	static char all[HV_GDB_BODY_MAX];
	struct hv_gdb_cpu before;

	(void)state;
	set_up_registers(&vm.cpu[0]);
	before = vm.cpu[0];
	snprintf(all, sizeof(all), "G%s", ask("g"));
	asks(all, "OK");
	assert_string_equal(vm.did, "");
	assert_memory_equal(&before, &vm.cpu[0], sizeof(before));
	memcpy(all + 1 + place_of("st0"), "00000000000000c03f3f", 20);
	memcpy(all + 1 + place_of("ftag"), "3fff", 4);
	memcpy(all + 1 + place_of("cr3"), "01", 2);
	asks(all, "OK");
	assert_string_equal(vm.did, "set 0 10");
	assert_int_equal(vm.cpu[0].fpu[4], 0x08);
	assert_int_equal(vm.cpu[0].sregs.cr3, 0x1234001);
}

/* SDM, "x87 FPU Tag Word" */
static void test_tags(void **state)
{
	struct hv_gdb_cpu *cpu = &vm.cpu[0];
	static const uint8_t one[10] = { [7] = 0x80, [8] = 0xff, [9] = 0x3f };

	(void)state;
	/* TOP is 6: ST(0) is R6, ST(1) R7. */
	cpu->fpu[3] = 6 << 3;
	cpu->fpu[4] = 0xe0;
	memcpy(cpu->fpu + 32, one, 10);           /* R6: valid */
	memset(cpu->fpu + 48, 0, 10);             /* R7: zero */
	memset(cpu->fpu + 32 + 7 * 16, 0xff, 10); /* R5: a NaN */
	has(ask("g"), "ftag", "ff4b0000");
}

static void test_fpu_left_out(void **state)
{
	uint8_t fpu[HV_GDB_FPU_AVX];

	(void)state;
	memset(fpu, 0x55, sizeof(fpu));
	fpu[512] = 0;
	hv_gdb_fpu_fill(fpu, true);
	assert_int_equal(fpu[0] | fpu[1] << 8, 0x37f);
	assert_int_equal(fpu[4], 0);
	assert_int_equal(fpu[24], 0x55); /* MXCSR, which is always there */
	assert_int_equal(fpu[160] | fpu[415] | fpu[576] | fpu[831], 0);
	assert_int_equal(fpu[512], 7);
	memset(fpu, 0x55, sizeof(fpu));
	fpu[512] = 2;
	hv_gdb_fpu_fill(fpu, false);
	assert_int_equal(fpu[160], 0x55);
	assert_int_equal(fpu[576], 0x55);
	assert_int_equal(fpu[512], 3);
}

static void test_32_bits(void **state)
{
	const char *all;

	(void)state;
	start_as(1, HV_GDB_I386, false);
	set_up_registers(&vm.cpu[0]);
	all = ask("g");
	has(all, "ebx", "88776655");
	has(all, "eip", "00000081");
	has(all, "gs_base", "000000008088ffff");
	assert_int_equal(place_of("eip"), 8 * 8);
	asks("P3=01000000", "OK");
	assert_int_equal(vm.cpu[0].regs.gpr[TINYVMX_RBX], 1);
}

/* ------------------------------------------------------------ description */

static size_t read_description(char *xml, size_t room, unsigned int piece)
{
	char text[100];
	size_t len = 0;
	const char *got;

	do {
		snprintf(text, sizeof(text), "qXfer:features:read:target.xml:%zx,%x", len, piece);
		got = ask(text);
		assert_true(strlen(got) < room - len);
		strcpy(xml + len, got + 1);
		len += strlen(got + 1);
	} while (*got == 'm');
	assert_int_equal(*got, 'l');
	return len;
}

static void test_description(void **state)
{
	static char xml[20000], again[20000];
	unsigned int regs = 0;
	size_t len = read_description(xml, sizeof(xml), 0xffb);

	(void)state;
	assert_int_equal(read_description(again, sizeof(again), 7), len);
	assert_string_equal(xml, again);
	assert_non_null(strstr(xml, "<architecture>i386:x86-64</architecture>"));
	assert_non_null(strstr(xml, "\"org.gnu.gdb.i386.avx\""));
	assert_non_null(strstr(xml, "<reg name=\"xmm15\" bitsize=\"128\" type=\"vec128\"/>"));
	for (const char *at = xml; (at = strstr(at, "<reg ")); at++)
		regs++;
	assert_int_equal(regs, gdb.regs.count);
	asks("qXfer:features:read:target.xml:fffff,10", "l");
	asks("qXfer:features:read:other.xml:0,10", "E00");
	asks("qXfer:features:read:target.xml:0", "E16");
	asks("qXfer:features:read:target.xml:0,10x", "E16");
	start_as(1, HV_GDB_I8086, false);
	read_description(xml, sizeof(xml), 0x100);
	assert_non_null(strstr(xml, "<architecture>i8086</architecture>"));
	assert_null(strstr(xml, "i386.avx"));
	assert_null(strstr(xml, "i386.segments"));
}

/* ----------------------------------------------------------------- points */

static void test_point_packets(void **state)
{
	(void)state;
	asks("Z0,1000,1", "OK");
	assert_string_equal(vm.did, "insert 0 0 1000 1");
	asks("z4,ffffffffffffffff,8", "OK");
	assert_string_equal(vm.did, "remove 4 ffffffffffffffff 8");
	asks("Z3,1000,4", "");
	asks("Z5,1000,4", "E16");
	asks("Z0,1000", "E16");
	asks("Z0,1000,1;X1,0", "E16");
	asks("Z", "E16");
	vm.error = -ENOSPC;
	asks("Z1,1000,1", "E1c");
}

/* A MiB of RAM and nothing planted. */
static void start_points(struct hv_gdb_points *points, struct hv_memory *memory)
{
	memset(points, 0, sizeof(*points));
	test_memory(memory, HV_MIB);
	points->memory = memory;
	test_put(memory, 0x1000, "\1\2\3\4", 4);
}

static void test_plants(void **state)
{
	static struct hv_gdb_points points;
	struct hv_memory memory;
	uint8_t bytes[4];

	(void)state;
	start_points(&points, &memory);
	assert_int_equal(hv_gdb_plant(&points, 0xffff0001, 0x1001), 0);
	assert_int_equal(hv_gdb_plant(&points, 0xffff0001, 0x1001), 0);
	assert_int_equal(hv_gdb_plant(&points, 0x1001, 0x1001), 0);
	assert_int_equal(hv_gdb_plant(&points, 0x1003, 0x1003), 0);
	assert_int_equal(test_get(&memory, 0x1000, 4), 0xcc03cc01);
	assert_true(hv_gdb_is_planted(&points, 0x1001));
	assert_false(hv_gdb_is_planted(&points, 0x1002));
	assert_int_equal(hv_memory_read(&memory, 0x1000, bytes, 4), 0);
	hv_gdb_hide(&points, 0x1000, bytes, 4);
	assert_memory_equal(bytes, "\1\2\3\4", 4);
	/* What is written under them comes out when they go. */
	memcpy(bytes, "\5\6\7\x8", 4);
	hv_gdb_merge(&points, 0x1000, bytes, 4);
	assert_memory_equal(bytes, "\5\xcc\7\xcc", 4);
	test_put(&memory, 0x1000, bytes, 4);
	assert_int_equal(hv_gdb_unplant(&points, 0xffff0001), 0);
	assert_int_equal(test_get(&memory, 0x1001, 1), 0xcc);
	assert_int_equal(hv_gdb_unplant(&points, 0x1001), 0);
	assert_int_equal(test_get(&memory, 0x1001, 1), 6);
	assert_int_equal(hv_gdb_unplant(&points, 0x1001), -ENOENT);
	/* One that the guest has written over stays the guest's. */
	test_put(&memory, 0x1003, "\x77", 1);
	hv_gdb_points_clear(&points);
	assert_int_equal(test_get(&memory, 0x1003, 1), 0x77);
	assert_int_equal(hv_gdb_plant(&points, 0, HV_MIB), -EFAULT);
	for (uint64_t i = 0; i < HV_GDB_PLANTS_MAX; i++)
		assert_int_equal(hv_gdb_plant(&points, i, 0x2000 + i), 0);
	assert_int_equal(hv_gdb_plant(&points, 0x9000, 0x9000), -ENOSPC);
	/* A reset: RAM is filled anew, in part with something else, which may be an INT3. */
	memset(hv_memory_at(&memory, 0x2000, 256), 0, 256);
	test_put(&memory, 0x2001, "\x90\xcc", 2);
	hv_gdb_replant(&points);
	assert_true(points.lost);
	assert_int_equal(points.plants, HV_GDB_PLANTS_MAX - 2);
	assert_int_equal(test_get(&memory, 0x2000, 4), 0xcccc90cc);
	hv_gdb_points_clear(&points);
	assert_false(points.lost);
	assert_int_equal(test_get(&memory, 0x2000, 4), 0x00cc9000);
	/* One byte by two addresses, written over between them. */
	assert_int_equal(hv_gdb_plant(&points, 0x1000, 0x1000), 0);
	test_put(&memory, 0x1000, "\x66", 1);
	assert_int_equal(hv_gdb_plant(&points, 0xffff0000, 0x1000), 0);
	assert_int_equal(hv_gdb_unplant(&points, 0xffff0000), 0);
	assert_int_equal(hv_gdb_unplant(&points, 0x1000), 0);
	assert_int_equal(test_get(&memory, 0x1000, 1), 0x66);
	hv_memory_exit(&memory);
}

static void asked_is(const struct hv_gdb_points *points, uint32_t flags, uint64_t dr7)
{
	struct tinyvmx_set_debug arg = { 0 };

	hv_gdb_points_ask(points, &arg);
	assert_int_equal(arg.flags, flags);
	assert_int_equal(arg.dr7, dr7);
}

static void test_debug_registers(void **state)
{
	static struct hv_gdb_points points;
	struct tinyvmx_set_debug arg = { 0 };
	struct hv_memory memory;

	(void)state;
	start_points(&points, &memory);
	asked_is(&points, 0, 0);
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_HBREAK, 0x1000, 1), 0);
	asked_is(&points, TINYVMX_DEBUG_BREAKPOINTS, 2);
	assert_true(hv_gdb_stops_at(&points, 0x1000));
	assert_false(hv_gdb_stops_at(&points, 0x1001));
	/* 7 bytes at an odd address: 1, 2 and 4. */
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_WATCH, 0x2001, 7), 0);
	asked_is(&points, TINYVMX_DEBUG_BREAKPOINTS, 0xd51000aa);
	hv_gdb_points_ask(&points, &arg);
	assert_int_equal(arg.dr[1], 0x2001);
	assert_int_equal(arg.dr[2], 0x2002);
	assert_int_equal(arg.dr[3], 0x2004);
	assert_int_equal(hv_gdb_hit(&points, 8)->wanted, 0x2001);
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_WATCH, 0x2001, 7), 0);
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_AWATCH, 0x3000, 1), -ENOSPC);
	assert_int_equal(hv_gdb_unwatch(&points, HV_GDB_WATCH, 0x2001, 8), -ENOENT);
	assert_int_equal(hv_gdb_unwatch(&points, HV_GDB_WATCH, 0x2001, 7), 0);
	assert_null(hv_gdb_hit(&points, 8));
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_AWATCH, 0x3000, 8), 0);
	asked_is(&points, TINYVMX_DEBUG_BREAKPOINTS, 0xb0000a);
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_RWATCH, 0x3000, 8), -EOPNOTSUPP);
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_WATCH, 0x3000, 0), -EINVAL);
	assert_int_equal(hv_gdb_watch(&points, HV_GDB_WATCH, 0x3000, UINT64_MAX), -ENOSPC);
	assert_int_equal(hv_gdb_plant(&points, 0x1000, 0x1000), 0);
	asked_is(&points, TINYVMX_DEBUG_BREAKPOINTS | TINYVMX_DEBUG_INT3, 0xb0000a);
	hv_gdb_points_clear(&points);
	asked_is(&points, 0, 0);
	hv_memory_exit(&memory);
}

/* ------------------------------------------------------------ stop and go */

static void goes_on(const char *body, enum hv_gdb_action first, enum hv_gdb_action second)
{
	gdb.state = HV_GDB_STOPPED;
	give_packet(body, strlen(body));
	assert_string_equal(vm.said, "");
	assert_string_equal(vm.did, "resume");
	assert_int_equal(vm.action[0], first);
	assert_int_equal(vm.action[1], second);
	assert_int_equal(vm.action[2], HV_GDB_STAND);
}

static void test_resume(void **state)
{
	static const char *const bad[] = { "vCont;",  "vCont;x", "vCont;c:3",  "vCont;c:",
					   "vCont;C", "vCont;t", "vCont;s:1x", "vCont;c;s:9" };

	(void)state;
	asks("vCont?", "vCont;c;C;s;S;t");
	goes_on("vCont;c", HV_GDB_CONTINUE, HV_GDB_CONTINUE);
	goes_on("vCont;c:-1", HV_GDB_CONTINUE, HV_GDB_CONTINUE);
	goes_on("vCont;C05", HV_GDB_CONTINUE, HV_GDB_CONTINUE);
	goes_on("vCont;s:2", HV_GDB_STAND, HV_GDB_STEP);
	goes_on("vCont;s:2;c", HV_GDB_CONTINUE, HV_GDB_STEP);
	goes_on("vCont;S05:1;t:2;c", HV_GDB_STEP, HV_GDB_STAND);
	goes_on("c", HV_GDB_CONTINUE, HV_GDB_CONTINUE);
	goes_on("s", HV_GDB_STEP, HV_GDB_CONTINUE);
	gdb.state = HV_GDB_STOPPED;
	ask("Hc2");
	goes_on("s", HV_GDB_CONTINUE, HV_GDB_STEP);
	gdb.state = HV_GDB_STOPPED;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		asks(bad[i], "E16");
	asks("c1000", "E5f");
	vm.error = -EIO;
	asks("vCont;c", "E05");
	assert_int_equal(gdb.state, HV_GDB_STOPPED);
}

static void stops(enum hv_gdb_why why, const char *with)
{
	gdb.state = HV_GDB_STOPPED;
	give_packet("c", 1);
	hv_gdb_stopped(&gdb, &(struct hv_gdb_stop){ .why = why, .vcpu = 1, .address = 0x1008 });
	assert_string_equal(answer(), with);
	asks("?", with);
	asks("qC", "QC2");
}

static void test_stops(void **state)
{
	(void)state;
	stops(HV_GDB_INTERRUPTED, "T02thread:2;");
	stops(HV_GDB_STEPPED, "T05thread:2;");
	stops(HV_GDB_AT_BREAK, "T05thread:2;");
	stops(HV_GDB_AT_HBREAK, "T05thread:2;");
	stops(HV_GDB_AT_WATCH, "T05watch:1008;thread:2;");
	stops(HV_GDB_AT_AWATCH, "T05awatch:1008;thread:2;");
	assert_non_null(
		strstr(ask("qSupported:multiprocess+;swbreak+;hwbreak+;x"), "PacketSize=1000;"));
	stops(HV_GDB_AT_BREAK, "T05swbreak:;thread:2;");
	stops(HV_GDB_AT_HBREAK, "T05hwbreak:;thread:2;");
	ask("qSupported:swbreak+");
	stops(HV_GDB_AT_BREAK, "T05swbreak:;thread:2;");
	ask("qSupported:swbreak-;noswbreak+;hwbreak+more");
	stops(HV_GDB_AT_BREAK, "T05thread:2;");
	stops(HV_GDB_AT_HBREAK, "T05thread:2;");
}

static void test_running(void **state)
{
	(void)state;
	give("\3", 1);
	assert_string_equal(vm.did, "");
	give_packet("c", 1);
	give("\3", 1);
	assert_string_equal(vm.did, "interrupt");
	/* It is not the time to ask. */
	give_packet("g", 1);
	assert_string_equal(vm.said, "");
	give_packet("m1000,4", 7);
	assert_string_equal(vm.said, "");
	give_packet("k", 1);
	assert_string_equal(vm.did, "kill");
	give_packet("qC", 2);
	assert_string_equal(vm.said, "");
}

static void test_ends(void **state)
{
	(void)state;
	give_packet("c", 1);
	hv_gdb_ended(&gdb, 33);
	assert_string_equal(answer(), "W21");
	start(NULL);
	hv_gdb_ended(&gdb, 33);
	assert_int_equal(vm.len, 0);
	start(NULL);
	asks("D", "OK");
	assert_string_equal(vm.did, "detach");
	give_packet("qC", 2);
	assert_string_equal(vm.said, "");
	start(NULL);
	asks("vKill;1", "OK");
	assert_string_equal(vm.did, "kill");
}

static void test_monitor(void **state)
{
	(void)state;
	ask("Hg2");
	/* "walk 1" */
	give_packet("qRcmd,77616c6b2031", 18);
	assert_string_equal(vm.said, "$O313a2077616c6b2031#75$OK#9a");
	asks("qRcmd,7", "E16");
	asks("qRcmd,xx", "E16");
}

/* As many threads as there may be go into one answer. */
static void test_many(void **state)
{
	(void)state;
	start_as(HV_GDB_VCPUS_MAX, HV_GDB_X86_64, true);
	assert_int_equal(strlen(ask("qfThreadInfo")), 1 + 15 * 2 + 49 * 3 - 1);
	asks("qsThreadInfo", "l");
	assert_true(strlen(ask("g")) < HV_GDB_BODY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_packets, start),
		cmocka_unit_test_setup(test_long_packets, start),
		cmocka_unit_test_setup(test_acknowledgements, start),
		cmocka_unit_test(test_hello),
		cmocka_unit_test_setup(test_begin, start),
		cmocka_unit_test_setup(test_unknown, start),
		cmocka_unit_test_setup(test_threads, start),
		cmocka_unit_test_setup(test_memory_packets, start),
		cmocka_unit_test_setup(test_registers, start),
		cmocka_unit_test_setup(test_all_registers_come_back, start),
		cmocka_unit_test_setup(test_tags, start),
		cmocka_unit_test_setup(test_fpu_left_out, start),
		cmocka_unit_test_setup(test_32_bits, start),
		cmocka_unit_test_setup(test_description, start),
		cmocka_unit_test_setup(test_point_packets, start),
		cmocka_unit_test_setup(test_plants, start),
		cmocka_unit_test_setup(test_debug_registers, start),
		cmocka_unit_test_setup(test_resume, start),
		cmocka_unit_test_setup(test_stops, start),
		cmocka_unit_test_setup(test_running, start),
		cmocka_unit_test_setup(test_ends, start),
		cmocka_unit_test_setup(test_monitor, start),
		cmocka_unit_test_setup(test_many, start),
	};

	return cmocka_run_group_tests_name("gdb", tests, NULL, NULL);
}
