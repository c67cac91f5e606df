// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger on a VM in a process of its own: what it says goes through the control channel, and
 * the module is a made-up CPU with two vCPUs, which go round and round over some bytes of code.
 */
#include <poll.h>
#include <sys/socket.h>

#include "control_test.h"
#include "debug/gdb_packet.h"
#include "debug/gdb_points.h"
#include "lib/status.h"

/* ------------------------------------------------------- a made-up CPU */

#define CODE	0x100000ull		/* of vCPU 0; that of the next is a page behind it */
#define LENGTH	0x40ull
#define DATA	0x108000ull		/* is written at the end of each round */
#define RF	0x10000ull
#define QUIET	(CODE + 0x80)		/* nobody comes by; RCX is what is there */
#define MOVES	(CODE + 0x90)		/* not 0: behind an INT3 there are other page tables, */
#define EMPTY	0x200000ull		/* which map nothing */
#define OWN	0x20ull			/* here is an INT3 of the guest's own, once it is planted */

static int debug_exit(struct fake_vcpu *vcpu, uint32_t cause, uint64_t dr6)
{
	vcpu->run->debug = (struct tinyvmx_exit_debug){ .cause = cause, .dr6 = dr6 };
	vcpu->run->debug.address = vcpu->run->rip = vcpu->regs.rip;
	vcpu->run->instruction_len = 1;
	return fake_exit(vcpu, TINYVMX_EXIT_DEBUG);
}

/* Which debug register of that type has @address. */
static uint64_t hits(const struct fake_vcpu *vcpu, uint64_t address, unsigned int type)
{
	const struct tinyvmx_set_debug *debug = &vcpu->set_debug;

	for (unsigned int i = 0; i < 4; i++)
		if (debug->dr7 >> (2 * i) & 3 && debug->dr[i] == address &&
		    (debug->dr7 >> (16 + 4 * i) & 3) == type)
			return 1ull << i;
	return 0;
}

/* One instruction: 0 if it is done, and nothing else comes of it. */
static uint64_t execute(struct fake_vcpu *vcpu, uint64_t base)
{
	vcpu->regs.rflags &= ~RF;
	vcpu->regs.rip++;
	if (vcpu->regs.rip < base + LENGTH)
		return 0;
	vcpu->regs.rip = base;
	__atomic_fetch_add(&fake.ram[DATA], 1, __ATOMIC_RELAXED);
	return hits(vcpu, DATA, 1);
}

/* An INT3 that was given back: its handler counts in RBX, and returns. */
static bool take_own(struct fake_vcpu *vcpu)
{
	if (!(vcpu->events.pending & TINYVMX_PENDING_EVENT))
		return false;
	vcpu->regs.gpr[TINYVMX_RBX] += vcpu->events.event_info == 0x80000603;
	vcpu->regs.rip += vcpu->events.event_instruction_len;
	vcpu->events.pending = 0;
	return true;
}

static bool meets;			/* the vCPUs write at the same time, if they are watched */

/* Until the other one is there, too; not for ever, since it may stand still. */
static void meet(void)
{
	static unsigned int arrived;
	const unsigned int both = (__atomic_fetch_add(&arrived, 1, __ATOMIC_RELAXED) | 1) + 1;

	for (unsigned int i = 0; i < 1000; i++) {
		if (__atomic_load_n(&arrived, __ATOMIC_RELAXED) >= both)
			return;
		test_sleep_ms(1);
	}
}

static int goes_round(struct fake_vcpu *vcpu)
{
	const uint64_t base = CODE + 0x1000 * vcpu->id;
	uint64_t dr6;

	if (vcpu->regs.rip < base || vcpu->regs.rip >= base + LENGTH)
		vcpu->regs.rip = base;
	memcpy(&vcpu->regs.gpr[TINYVMX_RCX], fake.ram + QUIET, 8);
	for (unsigned int i = 0; i < 1000; i++) {
		bool int3 = fake.ram[vcpu->regs.rip] == 0xcc && !take_own(vcpu);

		if (int3 && fake.ram[MOVES])
			vcpu->sregs.cr3 = EMPTY;
		if (int3 && vcpu->set_debug.flags & TINYVMX_DEBUG_INT3)
			return debug_exit(vcpu, TINYVMX_DEBUG_INT3, 0);
		dr6 = vcpu->regs.rflags & RF ? 0 : hits(vcpu, vcpu->regs.rip, 0);
		if (dr6)
			return debug_exit(vcpu, TINYVMX_DEBUG_BREAKPOINTS, dr6);
		dr6 = execute(vcpu, base);
		if (dr6 && meets)
			meet();
		if (vcpu->set_debug.flags & TINYVMX_DEBUG_STEP)
			return debug_exit(vcpu, TINYVMX_DEBUG_STEP, 0);
		if (dr6)
			return debug_exit(vcpu, TINYVMX_DEBUG_BREAKPOINTS, dr6);
	}
	vcpu->exits.count[1]++;
	return -EINTR;
}

/* -------------------------------------------------------------- a debugger */

struct debugger {
	struct hv_client client;
	struct hv_gdb_parser parser;
};

static struct debugger gdb;

static int request_gdb(struct debugger *debugger, const char *arch, struct hv_error *err)
{
	json_t *reply = NULL;
	int error;

	memset(&debugger->parser, 0, sizeof(debugger->parser));
	connect_to(&debugger->client, "web");
	error = hv_client_call(&debugger->client,
			       json_pack("{s:s, s:s*}", "request", "gdb", "arch", arch), &reply,
			       err);
	json_decref(reply);
	return error;
}

static void connect_gdb(struct debugger *debugger)
{
	struct hv_error err = { .text = "" };

	if (request_gdb(debugger, "x86-64", &err))
		fail_msg("%s", err.text);
	assert_int_equal(debugger->client.len, 0);
}

/* The next packet. Acknowledgements are passed over. */
static const char *hear(struct debugger *debugger)
{
	struct pollfd fd = { debugger->client.fd, POLLIN, 0 };
	char byte;

	for (;;) {
		if (poll(&fd, 1, 10000) != 1 || recv(fd.fd, &byte, 1, 0) != 1)
			fail_msg("no answer");
		if (hv_gdb_parse(&debugger->parser, (uint8_t)byte) == HV_GDB_PACKET)
			return debugger->parser.body;
	}
}

static void say_bytes(struct debugger *debugger, const void *data, size_t len)
{
	assert_int_equal(send(debugger->client.fd, data, len, MSG_NOSIGNAL), len);
}

static void say(const char *body)
{
	char frame[HV_GDB_FRAME_MAX];

	say_bytes(&gdb, frame, hv_gdb_frame(frame, body, strlen(body)));
}

static const char *ask(const char *body)
{
	say(body);
	return hear(&gdb);
}

#define asks(body, expected) assert_string_equal(ask(body), expected)
#define hears(expected) assert_string_equal(hear(&gdb), expected)

static uint64_t reg(const char *name)
{
	static struct hv_gdb_regs regs;
	uint64_t value = 0;
	char text[20];

	hv_gdb_regs_init(&regs, HV_GDB_X86_64, false);
	for (unsigned int i = 0; i < regs.count; i++) {
		if (strcmp(regs.reg[i].name, name))
			continue;
		snprintf(text, sizeof(text), "p%x", i);
		assert_true(hv_gdb_unhex(&value, ask(text), 8));
		return value;
	}
	fail_msg("no %s", name);
	return 0;
}

/* "Z0,100010,1" and the like */
static void point(const char *what, uint64_t address, unsigned int len)
{
	char text[60];

	snprintf(text, sizeof(text), "%s,%llx,%x", what, (unsigned long long)address, len);
	asks(text, "OK");
}

static json_t *request(const char *text)
{
	json_error_t where;
	json_t *reply = NULL;
	struct hv_error err = { .text = "" };

	if (hv_client_call(&client, json_loads(text, 0, &where), &reply, &err))
		fail_msg("%s: %s", text, err.text);
	return reply;
}

/* What the guest's memory has there; breakpoints are not seen. */
static unsigned int byte_at(uint64_t address)
{
	char text[120];
	unsigned int byte;
	json_t *reply;

	snprintf(text, sizeof(text),
		 "{\"request\":\"memory\",\"address\":\"0x%llx\",\"physical\":true,\"count\":1}",
		 (unsigned long long)address);
	reply = request(text);
	byte = strtoul(json_string_value(json_object_get(reply, "bytes")), NULL, 16);
	json_decref(reply);
	return byte;
}

static bool is_state(const char *state)
{
	json_t *reply = request("{\"request\":\"status\"}");
	bool is = !strcmp(json_string_value(json_object_get(reply, "state")), state);

	json_decref(reply);
	return is;
}

static void becomes(const char *state)
{
	for (unsigned int i = 0; i < 5000 && !is_state(state); i++)
		test_sleep_ms(1);
	assert_true(is_state(state));
}

static void refuses(const char *text, const char *with)
{
	json_error_t where;
	json_t *reply = NULL;
	struct hv_error err = { .text = "" };

	assert_int_equal(hv_client_call(&client, json_loads(text, 0, &where), &reply, &err),
			 -EPROTO);
	if (!strstr(err.text, with))
		fail_msg("%s: %s", text, err.text);
}

static int start_round(void **state)
{
	(void)state;
	guest = goes_round;
	cpus = 2;
	start_kind(HV_MACHINE_PC);
	connect_gdb(&gdb);
	return 0;
}

static int start_meeting(void **state)
{
	meets = true;
	return start_round(state);
}

static int end_round(void **state)
{
	meets = false;
	hv_client_close(&gdb.client);
	return end(state);
}

/* ------------------------------------------------------------------ tests */

static void test_come_and_go(void **state)
{
	(void)state;
	asks("?", "T02thread:1;");
	becomes("paused");
	asks("qfThreadInfo", "m1,2");
	assert_in_range(reg("rip"), CODE, CODE + LENGTH - 1);
	asks("vCont;c:7", "E16");
	asks("D", "OK");
	becomes("running");
	hv_client_close(&gdb.client);
	/* Without a word. */
	connect_gdb(&gdb);
	asks("qC", "QC1");
	hv_client_close(&gdb.client);
	becomes("running");
	connect_gdb(&gdb);
	asks("qC", "QC1");
}

static void test_one_at_a_time(void **state)
{
	static struct debugger other;
	struct hv_error err;

	(void)state;
	asks("qC", "QC1");
	assert_int_equal(request_gdb(&other, NULL, &err), -EPROTO);
	assert_non_null(strstr(err.text, "debugs it"));
	hv_client_close(&other.client);
	refuses("{\"request\":\"pause\"}", "a debugger has it");
	refuses("{\"request\":\"resume\"}", "a debugger has it");
	refuses("{\"request\":\"reset\"}", "a debugger has it");
	refuses("{\"request\":\"gdb\",\"arch\":\"z80\"}", "\"arch\"");
	refuses("{\"request\":\"gdb\",\"arch\":7}", "\"arch\"");
	json_decref(request("{\"request\":\"registers\"}"));
}

static void test_break(void **state)
{
	(void)state;
	asks("qSupported:swbreak+;hwbreak+",
	     "PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;"
	     "hwbreak+");
	point("Z0", CODE + 0x10, 1);
	assert_int_equal(byte_at(CODE + 0x10), 0);
	asks("m10000f,3", "000000");
	for (unsigned int i = 0; i < 3; i++) {
		say("vCont;c");
		hears("T05swbreak:;thread:1;");
		assert_int_equal(reg("rip"), CODE + 0x10);
		/* Past it, as gdb does. */
		point("z0", CODE + 0x10, 1);
		say("vCont;s:1");
		hears("T05thread:1;");
		assert_int_equal(reg("rip"), CODE + 0x11);
		point("Z0", CODE + 0x10, 1);
	}
	asks("M100010,1:77", "OK");
	assert_int_equal(byte_at(CODE + 0x10), 0x77);
	asks("m100010,1", "77");
	say("vCont;c");
	hears("T05swbreak:;thread:1;");
	refuses("{\"request\":\"copy\"}", "a debugger has it");
	asks("D", "OK");
	becomes("running");
	assert_int_equal(byte_at(CODE + 0x10), 0x77);
}

/* Another vCPU has changed the page tables behind the INT3: it is the debugger's all the same. */
static void test_tables_that_move(void **state)
{
	(void)state;
	asks("M100090,1:01", "OK");
	point("Z0", CODE + 0x10, 1);
	say("vCont;c");
	hears("T05thread:1;");
	assert_int_equal(reg("rip"), CODE + 0x10);
}

static void test_debug_registers(void **state)
{
	uint64_t before;

	(void)state;
	ask("qSupported:swbreak+;hwbreak+");
	point("Z1", CODE + 0x1004, 1);
	for (unsigned int i = 0; i < 3; i++) {
		say("vCont;c");
		hears("T05hwbreak:;thread:2;");
		assert_int_equal(reg("rip"), CODE + 0x1004);
	}
	point("z1", CODE + 0x1004, 1);
	point("Z2", DATA, 1);
	before = strtoul(ask("m108000,1"), NULL, 16);
	say("vCont;c:1;t");
	hears("T05watch:108000;thread:1;");
	assert_int_equal(strtoul(ask("m108000,1"), NULL, 16), (before + 1) & 0xff);
	asks("Z3,108000,1", "");
	asks("z2,108000,8", "E02");
}

/* Both write there all the time: no write is lost, and each is told once. */
static void test_both_hit(void **state)
{
	unsigned int told[3] = { 0 };
	const unsigned long before = strtoul(ask("m108000,1"), NULL, 16);

	(void)state;
	point("Z2", DATA, 1);
	for (unsigned int i = 0; i < 40; i++) {
		const char *stop;

		say("vCont;c");
		stop = hear(&gdb);
		assert_int_equal(strncmp(stop, "T05watch:108000;thread:", 23), 0);
		told[stop[23] - '0']++;
	}
	assert_int_equal(told[1] + told[2], 40);
	/* One more may have been made, and is told next. */
	assert_in_range((strtoul(ask("m108000,1"), NULL, 16) - before) & 0xff, 40, 41);
}

static void test_one_steps(void **state)
{
	uint64_t first, second;

	(void)state;
	asks("Hg2", "OK");
	second = reg("rip");
	asks("Hg1", "OK");
	for (unsigned int i = 0; i < 10; i++) {
		first = reg("rip");
		say("vCont;s:1");
		hears("T05thread:1;");
		assert_int_equal(reg("rip"), first + 1 < CODE + LENGTH ? first + 1 : CODE);
	}
	asks("Hg2", "OK");
	assert_int_equal(reg("rip"), second);
	/* ... while the other runs. */
	say("vCont;s:1;c");
	hears("T05thread:1;");
}

static void test_interrupt(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		say("vCont;c");
		say_bytes(&gdb, "\3", 1);
		hears("T02thread:1;");
	}
	say("c");
	becomes("running");
	refuses("{\"request\":\"pause\"}", "a debugger has it");
	say_bytes(&gdb, "\3\3\3", 3);
	hears("T02thread:1;");
	asks("qC", "QC1");
}

/* An INT3 of the guest's is the guest's, also while the debugger has some. */
static void test_own_int3(void **state)
{
	uint64_t before;

	(void)state;
	asks("M100020,1:cc", "OK");
	point("Z0", CODE + 0x10, 1);
	before = reg("rbx");
	for (unsigned int i = 0; i < 3; i++) {
		say("vCont;c:1");
		hears("T05thread:1;");
		assert_int_equal(reg("rip"), CODE + 0x10);
		point("z0", CODE + 0x10, 1);
		say("vCont;s:1");
		hears("T05thread:1;");
		point("Z0", CODE + 0x10, 1);
	}
	assert_in_range(reg("rbx"), before + 2, before + 3);
}

static void test_registers(void **state)
{
	(void)state;
	asks("Hg2", "OK");
	asks("P1=8877665544332211", "OK");
	asks("Hg1", "OK");
	asks("P1=0100000000000000", "OK");
	assert_int_equal(reg("rbx"), 1);
	asks("Hg2", "OK");
	assert_int_equal(reg("rbx"), 0x1122334455667788);
	say("vCont;s:2");
	hears("T05thread:2;");
	assert_int_equal(reg("rbx"), 0x1122334455667788);
}

/* Who looks at it while it is about to stop does not keep it from that. */
static void test_look_at_stop(void **state)
{
	const uint64_t begin = hv_monotonic_ns();

	(void)state;
	point("Z1", CODE + 0x1004, 1);
	for (unsigned int i = 0; i < 200; i++) {
		say("vCont;c");
		json_decref(request("{\"request\":\"registers\"}"));
		hears("T05thread:2;");
	}
	assert_true(hv_monotonic_ns() - begin < 20 * HV_NSEC_PER_SEC);
}

/* A hit that was not told when one left is not the next one's. */
static void test_untold_hit(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 50; i++) {
		asks("qC", "QC1");
		point("Z2", DATA, 1);
		say("vCont;c");
		assert_int_equal(strncmp(hear(&gdb), "T05watch", 8), 0);
		say("vCont;c");
		hv_client_close(&gdb.client);
		connect_gdb(&gdb);
	}
	asks("qC", "QC1");
}

/* The next answer of a client of lines is this one. */
static void answers(struct hv_client *of, const char *name)
{
	struct hv_error err = { .text = "" };
	json_t *reply;

	if (hv_client_receive(of, 10000, &reply, &err))
		fail_msg("%s", err.text);
	assert_string_equal(json_string_value(json_object_get(reply, "reply")), name);
	if (!json_is_true(json_object_get(reply, "ok")))
		fail_msg("%s", json_string_value(json_object_get(reply, "error")));
	json_decref(reply);
}

/*
 * A stop that one debugger has to be told of when it leaves is not the next one's, for whom nobody
 * stands still yet. The loop finds one after the other at once: that the first has left, that the
 * second comes, whose request is behind all that is read of it before, and the stop.
 */
static void test_stop_is_not_the_next_ones(void **state)
{
	static const char request[] = "{\"request\":\"gdb\",\"arch\":\"x86-64\"}\n";
	static char before[HV_CONTROL_LINE_MAX];
	struct hv_client next;
	uint64_t rip;

	(void)state;
	memset(before, ' ', sizeof(before));
	memcpy(before, "{\"request\":\"status\"", 19);
	memcpy(before + sizeof(before) - 2, "}\n", 2);
	hv_client_close(&gdb.client);
	connect_to(&next, "web");
	connect_gdb(&gdb);
	point("Z2", DATA, 1);
	say("vCont;c");
	assert_int_equal(strncmp(hear(&gdb), "T05watch", 8), 0);
	/* The other vCPU has one more. */
	kill(vm, SIGSTOP);
	say("vCont;c");
	hv_client_close(&gdb.client);
	assert_int_equal(send(next.fd, before, sizeof(before), 0), sizeof(before));
	assert_int_equal(send(next.fd, request, strlen(request), 0), strlen(request));
	kill(vm, SIGCONT);
	answers(&next, "status");
	answers(&next, "gdb");
	gdb = (struct debugger){ .client = next };
	asks("?", "T02thread:1;");
	becomes("paused");
	rip = reg("rip");
	test_sleep_ms(10);
	assert_int_equal(reg("rip"), rip);
	say("vCont;c");
	becomes("running");
	say_bytes(&gdb, "\3", 1);
	hears("T02thread:1;");
}

/* After a reset breakpoints are there again, where the same code is. */
static void test_reset(void **state)
{
	(void)state;
	point("Z0", CODE + 0x10, 1);
	point("Z1", CODE + 0x1004, 1);
	say("vCont;c");
	assert_int_equal(strncmp(hear(&gdb), "T05", 3), 0);
	point("z0", CODE + 0x10, 1);
	point("z1", CODE + 0x1004, 1);
	/* One at which nobody comes by. */
	point("Z0", QUIET, 1);
	asks("M100081,1:90", "OK");
	point("Z0", QUIET + 1, 1);
	say("vCont;c");
	becomes("running");
	json_decref(request("{\"request\":\"reset\"}"));
	say_bytes(&gdb, "\3", 1);
	/* "A reset ..." */
	assert_int_equal(strncmp(hear(&gdb), "O41207265736574", 15), 0);
	assert_int_equal(strncmp(hear(&gdb), "T02", 3), 0);
	say("vCont;s:1");
	hears("T05thread:1;");
	assert_int_equal(reg("rcx"), 0xcc);
	point("z0", QUIET, 1);
	point("z0", QUIET + 1, 1);
	say("vCont;s:1");
	hears("T05thread:1;");
	assert_int_equal(reg("rcx"), 0);
}

static void test_kill(void **state)
{
	(void)state;
	say("k");
	assert_int_equal(ended(), HV_STATUS_KILLED);
}

static void test_end_is_told(void **state)
{
	(void)state;
	asks("qC", "QC1");
	say("vCont;c");
	becomes("running");
	json_decref(request("{\"request\":\"kill\"}"));
	hears("W10");
	assert_int_equal(ended(), HV_STATUS_KILLED);
}

/* Who waits for the end and then debugs hears no line of JSON. */
static void test_waits_too(void **state)
{
	struct hv_error err = { .text = "" };
	struct pollfd fd = { .events = POLLIN };
	json_t *reply = NULL;
	char byte;

	(void)state;
	hv_client_close(&gdb.client);
	connect_to(&gdb.client, "web");
	assert_int_equal(
		hv_client_call(&gdb.client, json_pack("{s:s}", "request", "wait"), &reply, &err),
		0);
	json_decref(reply);
	reply = NULL;
	assert_int_equal(
		hv_client_call(&gdb.client, json_pack("{s:s}", "request", "gdb"), &reply, &err), 0);
	json_decref(reply);
	asks("qC", "QC1");
	say("vCont;c");
	json_decref(request("{\"request\":\"kill\"}"));
	hears("W10");
	fd.fd = gdb.client.fd;
	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_int_equal(recv(fd.fd, &byte, 1, 0), 0);
}

/* It ends while it stands still for its debugger. */
static void test_ends_when_stopped(void **state)
{
	(void)state;
	asks("qC", "QC1");
	json_decref(request("{\"request\":\"kill\"}"));
	assert_int_equal(ended(), HV_STATUS_KILLED);
}

static void test_monitor(void **state)
{
	(void)state;
	/* "walk 0x100000", "exits", "x" */
	say("qRcmd,77616c6b203078313030303030");
	assert_int_equal(hear(&gdb)[0], 'O');
	hears("OK");
	say("qRcmd,6578697473");
	assert_int_equal(hear(&gdb)[0], 'O');
	hears("OK");
	say("qRcmd,78");
	hears("O4e6f207375636820636f6d6d616e643b20276d6f6e69746f722068656c7027206c69737473207468656d2e0a");
	hears("OK");
}

/* What comes may be anything, and the VM goes on. */
static void test_noise(void **state)
{
	char noise[4096];

	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (char)rand();
		if (send(gdb.client.fd, noise, sizeof(noise), MSG_NOSIGNAL) < 0)
			break;
	}
	hv_client_close(&gdb.client);
	becomes("running");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_round, end_round)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_come_and_go),
		TEST(test_one_at_a_time),
		TEST(test_break),
		TEST(test_tables_that_move),
		TEST(test_debug_registers),
		TEST(test_both_hit),
		TEST(test_one_steps),
		TEST(test_interrupt),
		TEST(test_own_int3),
		TEST(test_registers),
		TEST(test_look_at_stop),
		TEST(test_untold_hit),
		TEST(test_reset),
		TEST(test_kill),
		TEST(test_end_is_told),
		TEST(test_waits_too),
		TEST(test_ends_when_stopped),
		TEST(test_monitor),
		TEST(test_noise),
		cmocka_unit_test_setup_teardown(test_stop_is_not_the_next_ones, start_meeting,
						end_round),
	};
	int failed;

	if (!make_top())
		return 1;
	failed = cmocka_run_group_tests_name("debugger", tests, NULL, NULL);
	remove_top();
	return failed;
}
