// SPDX-License-Identifier: GPL-2.0-only
/* Virtio consoles in a machine: what they are connected to, and who gets what is typed. */
#include <linux/virtio_console.h>

#include "machine_test.h"
#include "vmm/devices.h"
#include "vmm/ports.h"
#include "virtio/console.h"
#include "virtio/virtio.h"

static struct hv_config config_with(const char *const *devices, unsigned int count)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_error err;

	fake_reset(fake_compute);
	config.console.kind = HV_SERIAL_NULL;
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(hv_config_add_device(&config, "device", devices[i], &err), 0);
	return config;
}

static struct hv_machine *machine_with(const char *device)
{
	const struct hv_config config = config_with(&device, 1);

	return test_machine(&config);
}

static void assert_refused(const struct hv_config *config, const char *text)
{
	struct hv_error err = { .text = "" };

	assert_null(hv_machine_create(config, &err));
	if (!strstr(err.text, text))
		fail_msg("\"%s\" has no \"%s\"", err.text, text);
}

/* As a client of the control channel does it. */
static void type(struct hv_machine *machine, const char *text)
{
	assert_int_equal(hv_console_type(&machine->console, (const uint8_t *)text, strlen(text)),
			 strlen(text));
}

/* What the loop does before it waits. */
static void let_feed(struct hv_machine *machine)
{
	assert_int_equal(machine->console.ask_watch.wants(&machine->console), 0);
}

static void say(const struct hv_vport *port, const char *text)
{
	assert_int_equal(
		port->end.output(port->end.ctx, (const uint8_t *)text, strlen(text), false),
		strlen(text));
}

/*
 * A boot loader and then a kernel, and so once more after a reset. What the serial port has had no
 * room for finds its way when hvc0 speaks, without one more key.
 */
static void test_typed(void **state)
{
	struct hv_machine *machine = machine_with("console");
	const struct hv_vport *port = machine->hvc->vport;

	(void)state;
	type(machine, "ahead");
	assert_int_equal(port->in_len, 0);
	say(port, "hello");
	assert_int_equal(machine->console.out_total, 5);
	let_feed(machine);
	assert_int_equal(port->in_len, 5);
	type(machine, "now");
	assert_int_equal(port->in_len, 8);
	port->end.reset(port->end.ctx);
	type(machine, "later");
	assert_int_equal(port->in_len, 8);
	hv_machine_destroy(machine);
}

static void test_alone(void **state)
{
	const char *const device = "console";
	struct hv_config config = config_with(&device, 1);
	struct hv_machine *machine;

	(void)state;
	config.serial[0].kind = HV_SERIAL_NULL;
	machine = test_machine(&config);
	type(machine, "hvc0");
	assert_int_equal(machine->hvc->vport->in_len, 4);
	hv_machine_destroy(machine);
}

/* One that is elsewhere has nothing of the console. */
static void test_elsewhere(void **state)
{
	struct hv_machine *machine = machine_with("console,to=pty,port=agent.0:null");
	const struct hv_port *port = machine->ports;

	(void)state;
	assert_null(machine->hvc);
	assert_string_equal(port->vport->name, "agent.0");
	assert_null(port->console);
	say(port->vport, "gone");
	port = port->next;
	say(port->vport, "to the pseudo-terminal");
	assert_int_equal(machine->console.out_total, 0);
	assert_int_equal(port->own.out_total, 22);
	hv_ports_stop(machine);
	hv_machine_destroy(machine);
}

/* Its terminal may come later, by `hvctl console`: the driver is to look, and sees it. */
static void test_size(void **state)
{
	struct hv_machine *machine = machine_with("console");
	const struct hv_virtio *dev = machine->hvc->vport->dev;
	struct virtio_console_config config;

	(void)state;
	assert_true(dev->offered & 1ull << VIRTIO_CONSOLE_F_SIZE);
	assert_true(hv_ports_set_size(machine, 132, 43));
	hv_virtio_hold(machine->hvc->vport->dev);
	memcpy(&config, dev->config, sizeof(config));
	assert_int_equal(config.cols, 132);
	assert_int_equal(config.rows, 43);
	hv_machine_destroy(machine);
}

static void test_no_size(void **state)
{
	struct hv_machine *machine = machine_with("console,to=pty");

	(void)state;
	assert_false(machine->ports->vport->dev->offered & 1ull << VIRTIO_CONSOLE_F_SIZE);
	assert_false(hv_ports_set_size(machine, 132, 43));
	hv_machine_destroy(machine);
}

static void test_refused(void **state)
{
	static const char *const two[] = { "console", "console" };
	static const char *const socket[] = { "console,to=unix:/tmp/x" };
	struct hv_config config = config_with(two, 2);

	(void)state;
	assert_refused(&config, "hvc0: another one is on the console already");
	config = config_with(socket, 1);
	assert_refused(&config, "no such thing to connect hvc0 to: \"unix:/tmp/x\"");
	config = config_with(&(const char *){ "console,to=stdio" }, 1);
	config.display = HV_DISPLAY_TEXT;
	assert_refused(&config, "hvc0: the screen is on the terminal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typed),     cmocka_unit_test(test_alone),
		cmocka_unit_test(test_elsewhere), cmocka_unit_test(test_size),
		cmocka_unit_test(test_no_size),   cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("hvc", tests, NULL, NULL);
}
