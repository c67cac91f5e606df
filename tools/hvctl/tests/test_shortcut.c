// SPDX-License-Identifier: GPL-2.0-only
/* The shortcut of UARTs and ELCR: when it opens, what closes it; no byte is late or lost. */
#include <errno.h>

#include "lib/util.h"
#include "machine_test.h"
#include "vmm/exit.h"
#include "vmm/shortcut.h"

#define COM1 0x3f8
#define COM2 0x2f8
#define LSR 5
#define IDLE 0x60			/* LSR: THRE, TEMT */

static struct hv_machine *machine;
static struct tinyvmx_shortcut *shortcut;

/* COM1 on nothing, COM2 missing. */
static void make(unsigned int cpus, fake_guest_fn guest, struct hv_serial_choice com1)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	config.cpus = cpus;
	config.serial[0] = com1;
	config.serial[1].kind = HV_SERIAL_NONE;
	fake_reset(guest);
	machine = test_machine(&config);
	shortcut = &machine->vcpus[0].run->shortcut;
}

static const struct hv_serial_choice unplugged = { HV_SERIAL_NULL, NULL };

static int setup(void **state)
{
	(void)state;
	make(1, NULL, unplugged);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	return 0;
}

/* As vCPU @id does it with an exit. */
static void exit_io_of(unsigned int id, uint16_t port, unsigned int width, uint32_t flags,
		       uint32_t data)
{
	struct hv_vcpu *vcpu = &machine->vcpus[id];

	vcpu->run->reason = TINYVMX_EXIT_IO;
	vcpu->run->io = (struct tinyvmx_exit_io){
		.port = port,
		.width = width,
		.flags = flags,
		.data = data,
	};
	pthread_mutex_lock(&machine->lock);
	hv_shortcut_close(vcpu);
	hv_exit_handle(vcpu);
	hv_shortcut_open(vcpu);
	pthread_mutex_unlock(&machine->lock);
}

static void out(uint16_t port, uint32_t data)
{
	exit_io_of(0, port, 1, 0, data);
}

static void assert_open(void)
{
	assert_int_equal(shortcut->out_port, COM1);
	assert_int_equal(shortcut->in_port, COM1 + LSR);
	assert_int_equal(shortcut->in_value, IDLE);
}

static void assert_shut(void)
{
	assert_int_equal(shortcut->out_port, 0);
	assert_int_equal(shortcut->in_port, 0);
}

/* What the UART has taken, and not handed out yet. */
static void assert_sent(const char *text)
{
	const struct hv_uart16550_state *s = &machine->serial[0].uart.s;

	assert_int_equal(s->batch_len, strlen(text));
	assert_memory_equal(s->batch, text, strlen(text));
}

/* ------------------------------------------------------------ open, close */

static void test_opens_behind_a_byte(void **state)
{
	(void)state;
	assert_shut();
	out(COM1, 'a');
	assert_open();
	assert_sent("a");
}

/* An exit that is no write to THR of a UART with nothing else to do. */
static void test_stays_shut(void **state)
{
	static const struct {
		uint16_t port;
		uint32_t flags, data;
	} rows[] = {
		{ COM1, 0, '\n' }, /* ends a line */
		{ COM1, TINYVMX_IO_IN, 0 }, { COM1 + LSR, TINYVMX_IO_IN, 0 },
		{ COM1 + 7, 0, 'a' }, /* the scratch register */
		{ COM2, 0, 'a' },     /* there is none */
		{ 0x80, 0, 'a' },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out(COM1, 'a');
		assert_open();
		exit_io_of(0, rows[i].port, 1, rows[i].flags, rows[i].data);
		assert_shut();
	}
	/* The transmitter is to interrupt: each byte must come out. */
	out(COM1 + 1, 2);
	out(COM1, 'a');
	assert_shut();
}

/* Bytes of two would get out of order. */
static void test_never_with_two_vcpus(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	make(2, NULL, unplugged);
	for (unsigned int id = 0; id < 2; id++) {
		exit_io_of(id, COM1, 1, 0, 'a');
		assert_int_equal(machine->vcpus[id].run->shortcut.out_port, 0);
		assert_int_equal(machine->vcpus[id].run->shortcut.in_port, 0);
		exit_io_of(id, 0x4d0, 1, TINYVMX_IO_IN, 0);
		assert_int_equal(machine->vcpus[id].run->shortcut.in_port, 0);
	}
	assert_sent("aa");
}

/* As the module does. */
static void queue(const char *text)
{
	memcpy(shortcut->queue + shortcut->queued, text, strlen(text));
	shortcut->queued += strlen(text);
}

/* Whatever exit comes next, what was queued is before it. */
static void test_close_keeps_the_order(void **state)
{
	(void)state;
	out(COM1, 'a');
	queue("bcd");
	out(COM1, 'e');
	assert_sent("abcde");
	assert_int_equal(shortcut->queued, 0);
	assert_open();
	queue("f");
	test_with_lock(machine, hv_shortcut_close(&machine->vcpus[0]));
	assert_shut();
	assert_sent("abcdef");
	test_with_lock(machine, hv_shortcut_close(&machine->vcpus[0]));
	assert_sent("abcdef");
}

/* What lies in a shut one is nobody's, and a count too large reads no other memory. */
static void test_queue_is_not_trusted(void **state)
{
	(void)state;
	queue("xyz");
	test_with_lock(machine, hv_shortcut_close(&machine->vcpus[0]));
	assert_sent("");
	out(COM1, 'a');
	memset(shortcut->queue, 'b', sizeof(shortcut->queue));
	shortcut->queued = UINT32_MAX;
	test_with_lock(machine, hv_shortcut_close(&machine->vcpus[0]));
	assert_int_equal(shortcut->queued, 0);
	/* 257 bytes: a full batch has gone. */
	assert_sent("b");
}

/* ------------------------------------------------------------------- input */

/* LSR is not what it was: the next look at it exits. Bytes still go. */
static void test_input_ends_the_polls(void **state)
{
	(void)state;
	out(COM1, 'a');
	pthread_mutex_lock(&machine->lock);
	hv_shortcut_no_input(machine);
	pthread_mutex_unlock(&machine->lock);
	assert_int_equal(shortcut->out_port, COM1);
	assert_int_equal(shortcut->in_port, 0);
	queue("b");
	exit_io_of(0, COM1 + LSR, 1, TINYVMX_IO_IN, 0);
	assert_shut();
	assert_sent("ab");
}

/* One whose vCPU could not be made again. */
static void test_vcpu_without_run_page(void **state)
{
	struct hv_vcpu *vcpu = machine->vcpus;
	struct tinyvmx_run *run = vcpu->run;

	(void)state;
	vcpu->run = NULL;
	test_with_lock(machine, hv_shortcut_no_input(machine));
	test_with_lock(machine, hv_shortcut_hurry(machine));
	vcpu->run = run;
	assert_shut();
}

/* -------------------------------------------------------------------- ELCR */

#define ELCR 0x4d0

static uint8_t elcr(unsigned int chip)
{
	return machine->pc->board.pic.chip[chip].s.elcr;
}

static void assert_ports(uint16_t out_port, uint16_t in_port)
{
	assert_int_equal(shortcut->out_port, out_port);
	assert_int_equal(shortcut->in_port, in_port);
}

static void test_elcr_is_read(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		exit_io_of(0, ELCR + i, 1, TINYVMX_IO_IN, 0);
		assert_ports(0, ELCR + i);
		assert_int_equal(shortcut->in_value, elcr(i));
	}
	out(0x80, 0);
	assert_shut();
	exit_io_of(0, ELCR, 1, TINYVMX_IO_IN, 0);
	test_with_lock(machine, hv_shortcut_close(&machine->vcpus[0]));
	assert_shut();
	/* More than a byte, or the port behind. */
	exit_io_of(0, ELCR, 2, TINYVMX_IO_IN, 0);
	assert_shut();
	exit_io_of(0, ELCR + 2, 1, TINYVMX_IO_IN, 0);
	assert_shut();
}

/* What was queued has happened before whatever comes next. */
static void test_elcr_is_written(void **state)
{
	(void)state;
	out(ELCR, 0x08);
	assert_ports(ELCR, 0);
	assert_int_equal(elcr(0), 0x08);
	queue("\x10\x28");
	exit_io_of(0, ELCR, 1, TINYVMX_IO_IN, 0);
	assert_int_equal(machine->vcpus[0].run->io.data, 0x28);
	assert_int_equal(elcr(0), 0x28);
	out(ELCR + 1, 0xff);
	assert_ports(ELCR + 1, 0);
	assert_int_equal(elcr(1), 0xde);
}

/* A line that is up, or an edge that is latched, may become an interrupt by it. */
static void test_elcr_of_busy_lines(void **state)
{
	static const unsigned int lines[] = { 3, 12 };

	(void)state;
	/* The timer's is edge-triggered whatever ELCR says. */
	hv_i8259_set_irq(&machine->pc->board.pic, 0, true);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		hv_i8259_set_irq(&machine->pc->board.pic, lines[i], true);
		out(ELCR, 0x00);
		assert_shut();
		hv_i8259_set_irq(&machine->pc->board.pic, lines[i], false);
		out(ELCR, 0x00);
		assert_shut();
		/* The edges go with ICW1. */
		out(0x20, 0x11);
		out(0xa0, 0x11);
		out(ELCR, 0x00);
		assert_ports(ELCR, 0);
	}
}

/* ------------------------------------------------------------------- hurry */

static const char *speech;

/* Its first byte exits; the module queues the others, and the guest says no more. */
static int speaks(struct fake_vcpu *vcpu)
{
	struct tinyvmx_shortcut *own = &vcpu->run->shortcut;

	if (vcpu->runs == 1)
		return fake_out(vcpu, COM1, 1, (uint8_t)*speech);
	if (vcpu->runs > 2)
		return fake_out(vcpu, 0x604, 2, 0x2000);
	if (__atomic_load_n(&own->out_port, __ATOMIC_RELAXED) != COM1)
		return -EIO;
	memcpy(own->queue, speech + 1, strlen(speech) - 1);
	own->queued = strlen(speech) - 1;
	return fake_compute(vcpu);
}

static void serve(void)
{
	struct hv_error err = { .text = "" };

	if (hv_machine_start(machine, &err))
		fail_msg("%s", err.text);
	hv_machine_serve(machine);
	hv_machine_join(machine);
}

/* The terminal gets all of it in time, though the guest never exits again by itself. */
static void test_queue_gets_out(void **state)
{
	char path[] = "/tmp/hv-shortcut-XXXXXX", text[32] = "";
	int fd = mkstemp(path);

	(void)state;
	hv_machine_destroy(machine);
	speech = "login: ";
	make(1, speaks, (struct hv_serial_choice){ HV_SERIAL_FILE, path });
	serve();
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	test_with_lock(machine, hv_serial_flush(machine));
	hv_console_finish(machine->serial[0].console);
	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(speech));
	assert_string_equal(text, speech);
	close(fd);
	unlink(path);
}

static void *hurries(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&fake.vcpu[0].inside))
		test_sleep_ms(1);
	pthread_mutex_lock(&machine->lock);
	hv_shortcut_hurry(machine);
	pthread_mutex_unlock(&machine->lock);
	test_sleep_ms(50);
	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "");
	return NULL;
}

/* Only one that is open is worth an exit. */
static void test_no_hurry_when_shut(void **state)
{
	pthread_t thread;

	(void)state;
	hv_machine_destroy(machine);
	make(1, fake_compute, unplugged);
	/* Nor is there a tick. */
	test_out(machine, 0x21, 1, 0xff);
	assert_int_equal(pthread_create(&thread, NULL, hurries, NULL), 0);
	serve();
	pthread_join(thread, NULL);
	assert_int_equal(machine->end.kind, HV_END_QUIT);
	assert_int_equal(fake.vcpu[0].runs, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_opens_behind_a_byte),   TEST(test_stays_shut),
		TEST(test_never_with_two_vcpus),  TEST(test_close_keeps_the_order),
		TEST(test_queue_is_not_trusted),  TEST(test_input_ends_the_polls),
		TEST(test_vcpu_without_run_page), TEST(test_queue_gets_out),
		TEST(test_no_hurry_when_shut),    TEST(test_elcr_is_read),
		TEST(test_elcr_is_written),       TEST(test_elcr_of_busy_lines),
	};

	return cmocka_run_group_tests_name("shortcut", tests, NULL, NULL);
}
