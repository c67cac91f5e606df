// SPDX-License-Identifier: GPL-2.0-only
/* The serial ports: what --serial says, what reaches the other end, lines that two ports share. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "machine_test.h"

static struct hv_machine *machine;
static char path[] = "/tmp/hv-serial-XXXXXX";

/* ----------------------------------------------------------------- options */

static void accept(struct hv_config *config, const char *text)
{
	struct hv_error err;

	if (hv_config_set_serial(config, text, &err))
		fail_msg("%s: %s", text, err.text);
}

static void refuse(const char *text, const char *with)
{
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };

	assert_int_equal(hv_config_set_serial(&config, text, &err), -EINVAL);
	if (!strstr(err.text, with) || !strchr(err.text, ';'))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(config.serial[0].kind, HV_SERIAL_STDIO);
}

static void test_options(void **state)
{
	struct hv_config config = HV_CONFIG_DEFAULT;
	const struct hv_serial_choice *choices = config.serial;

	(void)state;
	accept(&config, "COM2:pty");
	accept(&config, "com4:file:a:b");
	assert_int_equal(choices[0].kind, HV_SERIAL_STDIO);
	assert_int_equal(choices[1].kind, HV_SERIAL_PTY);
	assert_int_equal(choices[2].kind, HV_SERIAL_NONE);
	assert_int_equal(choices[3].kind, HV_SERIAL_FILE);
	assert_string_equal(choices[3].path, "a:b");
	accept(&config, "COM3:stdio");
	assert_int_equal(choices[0].kind, HV_SERIAL_NULL);
	assert_int_equal(choices[2].kind, HV_SERIAL_STDIO);
	accept(&config, "COM1:stdio");
	assert_int_equal(choices[2].kind, HV_SERIAL_NULL);
	accept(&config, "COM1:stdio");
	assert_int_equal(choices[0].kind, HV_SERIAL_STDIO);
}

static void test_refused_options(void **state)
{
	static const char *const ports[] = {
		"", "C", "COM", "COM2", "COM0:pty", "COM5:pty", "COM12:pty", "pty", "LPT1:pty",
	};
	static const char *const backends[] = {
		"COM2:",      "COM2:x",   "COM2:ptys",   "COM2:file",
		"COM2:file:", "COM2:nul", "COM2:stdio:", "COM2:unix:",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		refuse(ports[i], "COM1: to COM4:");
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		refuse(backends[i], "null, stdio, pty, file:NAME or");
	refuse("COM2:unix:x", "only the console can be a socket");
}

static void test_one_file_for_two(void **state)
{
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err;

	(void)state;
	accept(&config, "COM2:file:log");
	accept(&config, "COM2:file:log");
	accept(&config, "COM3:file:other");
	assert_int_equal(hv_config_set_serial(&config, "COM4:file:log", &err), -EINVAL);
	assert_non_null(strstr(err.text, "COM2 writes into that file already;"));
	assert_int_equal(config.serial[3].kind, HV_SERIAL_NONE);
	accept(&config, "COM2:null");
	accept(&config, "COM4:file:log");
}

static void test_console_option(void **state)
{
	static const char *const good[] = { "stdio", "pty", "null", "file:log" };
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(hv_config_set_console(&config, good[i], &err), 0);
	assert_string_equal(config.console.path, "log");
	assert_int_equal(hv_config_set_console(&config, "none", &err), -EINVAL);
	assert_non_null(strstr(err.text, "; use "));
	assert_int_equal(hv_config_set_serial(&config, "COM2:file:log", &err), -EINVAL);
	assert_non_null(strstr(err.text, "the console writes into that file already;"));
	accept(&config, "COM2:file:other");
	assert_int_equal(hv_config_set_console(&config, "file:other", &err), -EINVAL);
	assert_non_null(strstr(err.text, "COM2 writes into that file already;"));
	assert_string_equal(config.console.path, "log");
	assert_int_equal(hv_config_set_name(&config, "web", &err), 0);
	assert_int_equal(hv_config_set_name(&config, "we b", &err), -EINVAL);
	assert_non_null(strstr(err.text, "; give "));
	assert_string_equal(config.name, "web");
}

/* ----------------------------------------------------------------- machine */

static int begin(void **state)
{
	(void)state;
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	machine = NULL;
	fake_reset(NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (machine)
		hv_machine_destroy(machine);
	return unlink(path);
}

static void start(const char *text)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	accept(&config, text);
	machine = test_machine(&config);
}

/* What the event loop would do now. */
static void serve(struct hv_watch *watch)
{
	struct pollfd fd = { watch->fd, watch->wants ? watch->wants(watch->ctx) : POLLIN, 0 };

	if (poll(&fd, 1, 1000) > 0)
		watch->ready(watch->ctx, fd.revents);
}

static uint8_t in(uint16_t port)
{
	uint64_t value = 0;

	test_access(machine, HV_PORT, port, 1, false, &value);
	return value;
}

static void send_text(uint16_t base, const char *text)
{
	while (*text)
		test_out(machine, base, 1, *text++);
}

static void test_file(void **state)
{
	char option[64], text[16] = "";
	int fd;

	(void)state;
	snprintf(option, sizeof(option), "COM2:file:%s", path);
	start(option);
	assert_int_equal(hv_serial_present(machine), 3);
	send_text(0x2f8, "to a file");
	test_with_lock(machine, hv_serial_flush(machine));
	hv_console_finish(machine->serial[1].console);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 9);
	close(fd);
	assert_string_equal(text, "to a file");
	assert_false(hv_machine_has_ended(machine));
}

static void refuse_file(const char *text)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_error err;

	accept(&config, text);
	assert_null(hv_machine_create(&config, &err));
	assert_string_equal(err.subject, "--serial");
	assert_non_null(strstr(err.text, "; check the path"));
}

static void test_refused_file(void **state)
{
	(void)state;
	refuse_file("COM1:file:/nonexistent/file");
}

static void test_refused_fifo(void **state)
{
	char option[64];

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(option, sizeof(option), "COM1:file:%s", path);
	refuse_file(option);
}

static void test_full_disk_ends_the_machine(void **state)
{
	(void)state;
	start("COM2:file:/dev/full");
	send_text(0x2f8, "x\n");
	assert_true(hv_machine_has_ended(machine));
	assert_int_equal(machine->end.kind, HV_END_ERROR);
	assert_non_null(strstr(machine->end.text, "/dev/full"));
}

static void test_pty(void **state)
{
	char text[16] = "";
	struct hv_console *console;
	int slave;

	(void)state;
	start("COM2:pty");
	console = machine->serial[1].console;
	slave = dup(machine->serial[1].end.slave_fd);
	send_text(0x2f8, "a line\n");
	assert_int_equal(read(slave, text, sizeof(text)), 7);
	assert_string_equal(text, "a line\n");
	/* Nothing is echoed, translated or taken for a signal. */
	assert_int_equal(write(slave, "\003\r\n", 3), 3);
	serve(&console->in_watch);
	test_out(machine, 0x2f9, 1, 1);
	test_out(machine, 0x2fc, 1, 3);
	test_with_lock(machine, hv_console_feed(console));
	assert_int_equal(in(0x2f8), 3);
	assert_int_equal(in(0x2f8), '\r');
	test_with_lock(machine, hv_console_feed(console));
	assert_int_equal(in(0x2f8), '\n');
	close(slave);
}

static void test_pty_that_nobody_reads(void **state)
{
	(void)state;
	start("COM2:pty");
	for (unsigned int i = 0; i < 4 * HV_CONSOLE_OUT / 8; i++)
		send_text(0x2f8, "7 bytes\n");
	hv_machine_throttle(machine);
	hv_console_finish(machine->serial[1].console);
	assert_false(hv_machine_has_ended(machine));
}

static void test_null(void **state)
{
	(void)state;
	start("COM1:null");
	send_text(0x3f8, "nobody hears it\n");
	test_with_lock(machine, hv_serial_flush(machine));
	assert_int_equal(machine->console.out_len, 0);
	assert_int_equal(in(0x3f8 + 7), 0);
	/* What is typed is nobody's. */
	assert_int_equal(hv_serial_input(machine, (const uint8_t *)"abc", 3), 3);
}

/* IER 1 at both, loopback: a character received raises the line. */
static void receive(uint16_t base)
{
	test_out(machine, base + 1, 1, 1);
	test_out(machine, base + 4, 1, 0x10);
	test_out(machine, base, 1, 'x');
}

static void test_shared_line(void **state)
{
	(void)state;
	start("COM3:null");
	receive(0x3f8);
	receive(0x3e8);
	test_out(machine, 0x20, 1, 0x0a); /* OCW3: read IRR */
	assert_int_equal(in(0x20) & 0x18, 0x10);
	/* One is served, the other still wants the line. */
	in(0x3f8);
	assert_true(machine->serial[2].level);
	assert_false(machine->serial[0].level);
	in(0x3e8);
	assert_false(machine->serial[2].level);
}

static void test_panic_on_any_port(void **state)
{
	(void)state;
	start("COM4:null");
	assert_null(hv_serial_panic(machine));
	send_text(0x2e8, "Kernel panic - not syncing: x\n");
	test_with_lock(machine, hv_serial_flush(machine));
	assert_string_equal(hv_serial_panic(machine), "Kernel panic - not syncing: x");
}

static void start_console(enum hv_serial_kind kind)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	config.console = (struct hv_serial_choice){ kind, path };
	machine = test_machine(&config);
}

static void say(const char *text)
{
	send_text(0x3f8, text);
	test_with_lock(machine, hv_serial_flush(machine));
	hv_console_finish(&machine->console);
}

/* Into a file, which is emptied first; and into nothing. */
static void test_console_elsewhere(void **state)
{
	char text[16] = "";
	int fd = open(path, O_RDWR);

	(void)state;
	assert_int_equal(write(fd, "what was there", 14), 14);
	start_console(HV_SERIAL_FILE);
	say("to a file");
	assert_int_equal(pread(fd, text, sizeof(text), 0), 9);
	assert_string_equal(text, "to a file");
	hv_machine_destroy(machine);
	start_console(HV_SERIAL_NULL);
	say("to nobody");
	assert_int_equal(machine->console.out_len, 0);
	assert_false(hv_machine_has_ended(machine));
	assert_int_equal(pread(fd, text, sizeof(text), 0), 9);
	close(fd);
}

/* Both ways. */
static void test_console_on_pty(void **state)
{
	char text[16] = "";

	(void)state;
	start_console(HV_SERIAL_PTY);
	say("hello");
	assert_int_equal(read(machine->console_end.slave_fd, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(write(machine->console_end.slave_fd, "x", 1), 1);
	serve(&machine->console.in_watch);
	test_out(machine, 0x3f9, 1, 1);
	test_out(machine, 0x3fc, 1, 3);
	test_with_lock(machine, hv_console_feed(&machine->console));
	assert_int_equal(in(0x3f8), 'x');
}

static void test_console_refused(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_error err;

	(void)state;
	config.console = (struct hv_serial_choice){ HV_SERIAL_FILE, "/nonexistent/file" };
	assert_null(hv_machine_create(&config, &err));
	assert_string_equal(err.subject, "--console");
	assert_non_null(strstr(err.text, "; check the path"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_one_file_for_two),
		cmocka_unit_test(test_console_option),
		T(test_file),
		T(test_refused_file),
		T(test_refused_fifo),
		T(test_full_disk_ends_the_machine),
		T(test_pty),
		T(test_pty_that_nobody_reads),
		T(test_null),
		T(test_shared_line),
		T(test_panic_on_any_port),
		T(test_console_elsewhere),
		T(test_console_on_pty),
		T(test_console_refused),
	};

	return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
