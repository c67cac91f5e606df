// SPDX-License-Identifier: GPL-2.0-only
/* The virtio console: what is said and typed, when one side is slow, and what guests may say. */
#include <errno.h>
#include <linux/virtio_console.h>
#include <stdio.h>

#include "virtio/console.h"
#include "virtio_test.h"

#define INPUT	    0
#define OUTPUT	    1
#define CONTROL_IN  2
#define CONTROL_OUT 3
#define INPUT_1	    4
#define OUTPUT_1    5

#define F_SIZE	    (1ull << VIRTIO_CONSOLE_F_SIZE)
#define F_MULTIPORT (1ull << VIRTIO_CONSOLE_F_MULTIPORT)

/* The host's side of a port. */
struct end {
	struct hv_vport *port;
	char backend[32];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t room, len;
	uint8_t said[256 * 1024];
	unsigned int hungry, resets;
};

static struct driver driver;
static struct end ends[HV_VPORTS];
static unsigned int nr_ends;
static uint16_t columns, rows;		/* of the terminal of the first */

static size_t output(void *ctx, const uint8_t *data, size_t len, bool force)
{
	struct end *end = ctx;

	pthread_mutex_lock(&end->lock);
	if (len > end->room && !force)
		len = end->room;
	assert_true(end->len + len <= sizeof(end->said));
	memcpy(end->said + end->len, data, len);
	end->len += len;
	end->room -= len < end->room ? len : end->room;
	pthread_cond_broadcast(&end->changed);
	pthread_mutex_unlock(&end->lock);
	return len;
}

static void hungry(void *ctx)
{
	struct end *end = ctx;

	pthread_mutex_lock(&end->lock);
	end->hungry++;
	pthread_cond_broadcast(&end->changed);
	pthread_mutex_unlock(&end->lock);
}

static void on_reset(void *ctx)
{
	struct end *end = ctx;

	pthread_mutex_lock(&end->lock);
	end->resets++;
	pthread_mutex_unlock(&end->lock);
}

static int connect_end(void *ctx, struct hv_vport *port, const char *backend, struct hv_error *err)
{
	struct end *end = &ends[port->index];

	(void)ctx;
	if (backend && !strcmp(backend, "bad"))
		return hv_fail(err, EINVAL, "no such thing: bad; mend it");
	*end = (struct end){
		.port = port,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.room = sizeof(end->said),
	};
	strcpy(end->backend, backend ? backend : "default");
	port->end = (struct hv_vport_end){ output, hungry, on_reset, end };
	port->sized = !port->index && columns;
	if (port->sized)
		hv_vport_resize(port, columns, rows);
	nr_ends++;
	return 0;
}

static struct hv_virtio *create(const char *options)
{
	const struct hv_virtio_env env = { .memory = &driver.memory, .connect = connect_end };
	struct hv_error err = { .text = "" };
	struct hv_virtio *dev = hv_virtio_console_create(&env, options, &err);

	if (!dev)
		print_message("%s\n", err.text);
	return dev;
}

static void make(const char *options, bool packed)
{
	nr_ends = 0;
	driver_init(&driver, packed);
	driver.dev = create(options);
	assert_non_null(driver.dev);
	driver_start(&driver, driver.dev, F_SIZE | F_MULTIPORT);
}

static int begin_split(void **state)
{
	(void)state;
	columns = 132;
	rows = 43;
	make(NULL, false);
	return 0;
}

static int begin_packed(void **state)
{
	(void)state;
	columns = 132;
	rows = 43;
	make(NULL, true);
	return 0;
}

static int begin_ports(void **state)
{
	(void)state;
	columns = 132;
	rows = 43;
	make("port=org.test.0:pty,to=stdio,port=log:file:x,,y", false);
	return 0;
}

static int end_test(void **state)
{
	(void)state;
	driver_exit(&driver);
	return 0;
}

/* ------------------------------------------------------------------ helpers */

static void say(unsigned int queue, const void *data, uint32_t len)
{
	uint64_t gpa = driver_alloc(&driver, len);

	memcpy(driver_at(&driver, gpa, len), data, len);
	driver_add(&driver, queue, &(struct buffer){ gpa, len, false }, 1);
	driver_kick(&driver, queue);
}

static struct timespec deadline(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += DRIVER_WAIT_MS / 1000;
	return time;
}

static void wait_said(struct end *end, const void *data, size_t len)
{
	const struct timespec until = deadline();

	pthread_mutex_lock(&end->lock);
	while (end->len < len)
		assert_int_equal(pthread_cond_timedwait(&end->changed, &end->lock, &until), 0);
	assert_int_equal(end->len, len);
	assert_memory_equal(end->said, data, len);
	pthread_mutex_unlock(&end->lock);
}

static void wait_hungry(struct end *end)
{
	const struct timespec until = deadline();

	pthread_mutex_lock(&end->lock);
	while (!end->hungry)
		assert_int_equal(pthread_cond_timedwait(&end->changed, &end->lock, &until), 0);
	pthread_mutex_unlock(&end->lock);
}

static void give_room(struct end *end, size_t room)
{
	pthread_mutex_lock(&end->lock);
	end->room += room;
	pthread_mutex_unlock(&end->lock);
	hv_vport_drained(end->port);
}

static size_t type(struct end *end, const char *text)
{
	return hv_vport_input(end->port, (const uint8_t *)text, strlen(text));
}

static uint64_t offer(unsigned int queue, uint32_t len)
{
	uint64_t gpa = driver_alloc(&driver, len);

	driver_add(&driver, queue, &(struct buffer){ gpa, len, true }, 1);
	driver_kick(&driver, queue);
	return gpa;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

/* The worker has done what was posted. */
static void settle(void)
{
	hv_worker_run(&driver.dev->worker, nothing, NULL);
}

/* -------------------------------------------------------------- input, output */

static void test_says(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 64);

	(void)state;
	memcpy(driver_at(&driver, gpa, 64), "hello, world", 12);
	driver_add(&driver, OUTPUT, (struct buffer[]){ { gpa, 5, false }, { gpa + 5, 7, false } },
		   2);
	driver_kick(&driver, OUTPUT);
	assert_int_equal(driver_wait(&driver, OUTPUT), 0);
	wait_said(&ends[0], "hello, world", 12);
	say(OUTPUT, "!", 1);
	wait_said(&ends[0], "hello, world!", 13);
}

static void test_typed(void **state)
{
	uint64_t gpa;

	(void)state;
	assert_int_equal(type(&ends[0], "abcdef"), 6);
	settle();
	gpa = offer(INPUT, 4);
	assert_int_equal(driver_wait(&driver, INPUT), 4);
	assert_memory_equal(driver_at(&driver, gpa, 4), "abcd", 4);
	gpa = offer(INPUT, 4);
	assert_int_equal(driver_wait(&driver, INPUT), 2);
	assert_memory_equal(driver_at(&driver, gpa, 2), "ef", 2);
	/* The buffer is there before somebody types. */
	gpa = offer(INPUT, 4);
	settle();
	assert_int_equal(type(&ends[0], "x"), 1);
	assert_int_equal(driver_wait(&driver, INPUT), 1);
	assert_memory_equal(driver_at(&driver, gpa, 1), "x", 1);
}

/* Who is slow is waited for, and nothing is lost nor said twice. */
static void test_slow_reader(void **state)
{
	static uint8_t text[40000];
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 / 5);
	ends[0].room = 10000;
	say(OUTPUT, text, 20000);
	say(OUTPUT, text + 20000, 20000);
	wait_said(&ends[0], text, 10000);
	assert_false(driver_take(&driver, OUTPUT, &len));
	give_room(&ends[0], 9999);
	wait_said(&ends[0], text, 19999);
	assert_false(driver_take(&driver, OUTPUT, &len));
	give_room(&ends[0], 100000);
	assert_int_equal(driver_wait(&driver, OUTPUT), 0);
	assert_int_equal(driver_wait(&driver, OUTPUT), 0);
	wait_said(&ends[0], text, 40000);
}

/* The machine stands still in the middle of it: the reader gets the rest of what has begun. */
static void test_hold(void **state)
{
	static uint8_t text[20000];

	(void)state;
	memset(text, 'a', 10000);
	memset(text + 10000, 'b', 10000);
	ends[0].room = 5000;
	say(OUTPUT, text, 10000);
	say(OUTPUT, text + 10000, 10000);
	wait_said(&ends[0], text, 5000);
	hv_virtio_hold(driver.dev);
	assert_int_equal(driver.dev->queue[OUTPUT].ring.in_flight, 0);
	wait_said(&ends[0], text, 10000);
	hv_virtio_go_on(driver.dev);
	give_room(&ends[0], 100000);
	wait_said(&ends[0], text, 20000);
	assert_int_equal(ends[0].resets, 0);
}

static void test_reset(void **state)
{
	(void)state;
	ends[0].room = 2;
	say(OUTPUT, "abcd", 4);
	wait_said(&ends[0], "ab", 2);
	assert_int_equal(type(&ends[0], "t"), 1);
	driver_stop(&driver);
	assert_int_equal(driver.dev->queue[OUTPUT].ring.in_flight, 0);
	assert_int_equal(ends[0].resets, 1);
	assert_int_equal(type(&ends[0], "u"), 1);
	give_room(&ends[0], 1000);
	settle();
	driver_start(&driver, driver.dev, F_SIZE);
	offer(INPUT, 16);
	assert_int_equal(driver_wait(&driver, INPUT), 2);
	say(OUTPUT, "x", 1);
	wait_said(&ends[0], "abcdx", 5);
}

static void test_queue_reset(void **state)
{
	(void)state;
	ends[0].room = 2;
	say(OUTPUT, "abcd", 4);
	wait_said(&ends[0], "ab", 2);
	hv_virtio_reset_queue(driver.dev, OUTPUT);
	settle();
	assert_false(driver.dev->queue[OUTPUT].ring.up);
	give_room(&ends[0], 1000);
	driver_enable(&driver, OUTPUT);
	say(OUTPUT, "x", 1);
	wait_said(&ends[0], "abcdx", 5);
}

/* A guest that takes no input: so much is kept, and the rest is refused until there is room. */
static void test_input_waits(void **state)
{
	static char much[HV_VPORT_IN + 100];

	(void)state;
	memset(much, 'm', sizeof(much) - 1);
	assert_int_equal(type(&ends[0], much), HV_VPORT_IN);
	assert_int_equal(type(&ends[0], "x"), 0);
	assert_int_equal(ends[0].hungry, 0);
	offer(INPUT, 100);
	assert_int_equal(driver_wait(&driver, INPUT), 100);
	wait_hungry(&ends[0]);
	assert_int_equal(type(&ends[0], "x"), 1);
	settle();
	assert_int_equal(ends[0].hungry, 1);
}

/* A storm: all of it comes, and the loop gets to its turn in between. */
static void test_storm(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 4096);

	(void)state;
	memset(driver_at(&driver, gpa, 4096), 's', 4096);
	for (unsigned int i = 0; i < DRIVER_SIZE; i++)
		driver_add(&driver, OUTPUT, &(struct buffer){ gpa, 4096, false }, 1);
	driver_kick(&driver, OUTPUT);
	for (unsigned int i = 0; i < DRIVER_SIZE; i++)
		assert_int_equal(driver_wait(&driver, OUTPUT), 0);
	assert_int_equal(ends[0].len, 4096 * DRIVER_SIZE);
}

/* A chain as long as RAM, to nobody: it lasts more than one turn. */
static void test_long_chain(void **state)
{
	struct hv_vport *port = ends[0].port;

	(void)state;
	hv_virtio_hold(driver.dev);
	port->end = (struct hv_vport_end){ .output = NULL };
	hv_virtio_go_on(driver.dev);
	driver_add(&driver, OUTPUT, &(struct buffer){ 0, DRIVER_MEMORY, false }, 1);
	driver_kick(&driver, OUTPUT);
	assert_int_equal(driver_wait(&driver, OUTPUT), 0);
}

/* Buffers of the wrong kind, and of no length. */
static void test_nonsense(void **state)
{
	uint64_t gpa = driver_alloc(&driver, 4096);

	(void)state;
	offer(OUTPUT, 16);
	assert_int_equal(driver_wait(&driver, OUTPUT), 0);
	say(INPUT, "abc", 3);
	driver_add(&driver, INPUT, &(struct buffer){ gpa, 0, true }, 1);
	driver_kick(&driver, INPUT);
	settle();
	assert_int_equal(type(&ends[0], "t"), 1);
	assert_int_equal(driver_wait(&driver, INPUT), 0);
	assert_int_equal(driver_wait(&driver, INPUT), 0);
	gpa = offer(INPUT, 1);
	assert_int_equal(driver_wait(&driver, INPUT), 1);
	assert_int_equal(*(char *)driver_at(&driver, gpa, 1), 't');
	driver_add(&driver, OUTPUT, &(struct buffer){ DRIVER_MEMORY, 16, false }, 1);
	driver_kick(&driver, OUTPUT);
	assert_true(driver_is_broken(&driver));
	/* The host goes on with its side, and nothing comes of it. */
	give_room(&ends[0], 1);
	(void)type(&ends[0], "more");
	settle();
}

/* ------------------------------------------------------------- configuration */

static void wait_config(void)
{
	uint64_t count;

	assert_int_equal(poll(&(struct pollfd){ driver.config_fd, POLLIN, 0 }, 1, DRIVER_WAIT_MS),
			 1);
	(void)!read(driver.config_fd, &count, sizeof(count));
}

static void test_size(void **state)
{
	struct virtio_console_config config;

	(void)state;
	assert_true(driver.dev->offered & F_SIZE);
	assert_false(driver.dev->offered & F_MULTIPORT);
	assert_int_equal(driver.dev->nr_queues, 2);
	/* It is told soon, though nothing has changed. */
	settle();
	wait_config();
	memcpy(&config, driver.dev->config, sizeof(config));
	assert_int_equal(config.cols, 132);
	assert_int_equal(config.rows, 43);
	assert_int_equal(config.max_nr_ports, 1);
	hv_vport_resize(ends[0].port, 80, 24);
	wait_config();
	settle();
	memcpy(&config, driver.dev->config, sizeof(config));
	assert_int_equal(config.cols, 80);
	assert_int_equal(config.rows, 24);
}

/* -------------------------------------------------------------------- ports */

struct message {
	struct virtio_console_control control;
	char rest[HV_VPORT_NAME_MAX];
};

static void control(uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control message = { id, event, value };

	say(CONTROL_OUT, &message, sizeof(message));
	(void)driver_wait(&driver, CONTROL_OUT);
}

/* The next one that the device has for us. */
static uint32_t hear(struct message *message)
{
	uint64_t gpa = offer(CONTROL_IN, sizeof(*message));
	uint32_t len = driver_wait(&driver, CONTROL_IN);

	memset(message, 0, sizeof(*message));
	memcpy(message, driver_at(&driver, gpa, sizeof(*message)), len);
	return len;
}

static void expect(uint32_t id, uint16_t event)
{
	struct message message;

	assert_int_equal(hear(&message), 8);
	assert_int_equal(message.control.id, id);
	assert_int_equal(message.control.event, event);
	assert_int_equal(message.control.value, 1);
}

static void expect_name(uint32_t id, const char *name)
{
	struct message message;

	assert_int_equal(hear(&message), 8 + strlen(name));
	assert_int_equal(message.control.id, id);
	assert_int_equal(message.control.event, VIRTIO_CONSOLE_PORT_NAME);
	assert_memory_equal(message.rest, name, strlen(name));
}

static void expect_size(uint16_t want_columns, uint16_t want_rows)
{
	const uint16_t want[2] = { want_columns, want_rows };
	struct message message;

	assert_int_equal(hear(&message), 12);
	assert_int_equal(message.control.event, VIRTIO_CONSOLE_RESIZE);
	assert_memory_equal(message.rest, want, sizeof(want));
}

static bool hears_nothing(void)
{
	uint32_t len;

	offer(CONTROL_IN, 64);
	settle();
	return !driver_take(&driver, CONTROL_IN, &len);
}

static void hear_of_ports(void)
{
	control(VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned int i = 0; i < 3; i++)
		expect(i, VIRTIO_CONSOLE_PORT_ADD);
}

static void test_ports(void **state)
{
	(void)state;
	assert_int_equal(nr_ends, 3);
	assert_string_equal(ends[0].backend, "stdio");
	assert_string_equal(ends[1].backend, "pty");
	assert_string_equal(ends[2].backend, "file:x,y");
	assert_int_equal(driver.dev->nr_queues, 8);
	hear_of_ports();
	control(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(0, VIRTIO_CONSOLE_CONSOLE_PORT);
	expect_size(132, 43);
	expect(0, VIRTIO_CONSOLE_PORT_OPEN);
	control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_name(1, "org.test.0");
	expect(1, VIRTIO_CONSOLE_PORT_OPEN);
	hv_vport_resize(ends[0].port, 80, 24);
	expect_size(80, 24);
	say(OUTPUT_1, "to one", 6);
	wait_said(&ends[1], "to one", 6);
	say(OUTPUT, "to zero", 7);
	wait_said(&ends[0], "to zero", 7);
	/* A driver that begins anew. */
	hear_of_ports();
	assert_true(hears_nothing());
}

/* Input is for who has opened it. */
static void test_port_open(void **state)
{
	uint64_t gpa;
	uint32_t len;

	(void)state;
	gpa = offer(INPUT_1, 16);
	assert_int_equal(type(&ends[1], "early"), 5);
	settle();
	assert_false(driver_take(&driver, INPUT_1, &len));
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(driver_wait(&driver, INPUT_1), 5);
	assert_memory_equal(driver_at(&driver, gpa, 5), "early", 5);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	offer(INPUT_1, 16);
	assert_int_equal(type(&ends[1], "late"), 4);
	settle();
	assert_false(driver_take(&driver, INPUT_1, &len));
}

/* The next driver hears of what it has asked for, and has opened nothing. */
static void test_port_reset(void **state)
{
	uint32_t len;

	(void)state;
	hear_of_ports();
	control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	driver_stop(&driver);
	driver_start(&driver, driver.dev, F_MULTIPORT);
	assert_true(hears_nothing());
	offer(INPUT_1, 16);
	assert_int_equal(type(&ends[1], "early"), 5);
	settle();
	assert_false(driver_take(&driver, INPUT_1, &len));
}

static void test_nonsense_messages(void **state)
{
	(void)state;
	hear_of_ports();
	for (uint32_t event = 0; event < 12; event++) {
		control(3, (uint16_t)event, 1);
		control(0x80000000, (uint16_t)event, 1);
	}
	hear_of_ports();
	control(1, VIRTIO_CONSOLE_PORT_ADD, 1);
	control(1, VIRTIO_CONSOLE_PORT_REMOVE, 1);
	control(1, 0xffff, 1);
	control(1, VIRTIO_CONSOLE_PORT_READY, 0);
	control(0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	say(CONTROL_OUT, "short", 5);
	(void)driver_wait(&driver, CONTROL_OUT);
	assert_true(hears_nothing());
}

/* Asked a thousand times the device has no more to say than once, and little room is no harm. */
static void test_storm_of_messages(void **state)
{
	uint32_t len;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		driver.free = 2 * HV_MIB;
		control(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	}
	offer(CONTROL_IN, 3);
	assert_int_equal(driver_wait(&driver, CONTROL_IN), 3);
	expect(1, VIRTIO_CONSOLE_PORT_ADD);
	expect(2, VIRTIO_CONSOLE_PORT_ADD);
	assert_true(hears_nothing());
	assert_false(driver_take(&driver, CONTROL_OUT, &len));
}

/* A driver that knows no ports: the first is as without. */
static void test_old_driver(void **state)
{
	(void)state;
	driver_stop(&driver);
	driver_start(&driver, driver.dev, 0);
	say(OUTPUT, "old", 3);
	wait_said(&ends[0], "old", 3);
	offer(INPUT, 16);
	assert_int_equal(type(&ends[0], "old"), 3);
	assert_int_equal(driver_wait(&driver, INPUT), 3);
	driver_kick(&driver, CONTROL_OUT);
	settle();
}

/* ------------------------------------------------------------------ options */

static void refuse(const char *options, const char *text)
{
	struct hv_error err = { .text = "" };

	assert_int_equal(hv_virtio_console_check(options, &err), -EINVAL);
	if (!strstr(err.text, text))
		fail_msg("%s: %s", options, err.text);
}

static void test_options(void **state)
{
	struct hv_error err;
	char many[200] = "port=a:null";

	(void)state;
	assert_int_equal(hv_virtio_console_check("", &err), 0);
	assert_int_equal(hv_virtio_console_check("to=pty,port=a:null", &err), 0);
	refuse("size=3", "no option \"size\"");
	refuse("to=", "to=BACKEND");
	refuse("port=a", "NAME:BACKEND");
	refuse("port=:null", "NAME:BACKEND");
	refuse("port=../x:null", "NAME:BACKEND");
	refuse("port=a b:null", "NAME:BACKEND");
	refuse("port=a:null,port=a:pty", "already");
	for (char name = 'b'; name <= 'h'; name++)
		sprintf(many + strlen(many), ",port=%c:null", name);
	refuse(many, "7 at the most");
	driver_init(&driver, false);
	driver.dev = NULL;
	assert_null(create("to=bad"));
	assert_null(create("port=a:null,port=b:bad"));
	driver_exit(&driver);
}

#define BOTH(test)                                                    \
	cmocka_unit_test_setup_teardown(test, begin_split, end_test), \
	cmocka_unit_test_setup_teardown(test, begin_packed, end_test)
#define PORTS(test) cmocka_unit_test_setup_teardown(test, begin_ports, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_says),
		BOTH(test_typed),
		BOTH(test_slow_reader),
		BOTH(test_hold),
		BOTH(test_reset),
		BOTH(test_queue_reset),
		BOTH(test_input_waits),
		BOTH(test_storm),
		BOTH(test_long_chain),
		BOTH(test_nonsense),
		BOTH(test_size),
		PORTS(test_says),
		PORTS(test_ports),
		PORTS(test_port_open),
		PORTS(test_port_reset),
		PORTS(test_nonsense_messages),
		PORTS(test_storm_of_messages),
		PORTS(test_old_driver),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests_name("virtio_console", tests, NULL, NULL);
}
