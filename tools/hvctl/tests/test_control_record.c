// SPDX-License-Identifier: GPL-2.0-only
/* The request "record": a VM's exits, fetched while it runs and when it has ended. */
#include <sys/socket.h>

#include "control_test.h"
#include "debug/flight.h"

#define REASON_IO 30

static struct tinyvmx_record got[TINYVMX_MAX_RECORDS];

static json_int_t number(const json_t *reply, const char *key)
{
	return json_integer_value(json_object_get(reply, key));
}

/* Exits from @from on, 0: none; the reply, of which @n are in got[]. */
static json_t *fetch(struct hv_client *from_client, json_int_t from, ssize_t *n)
{
	json_t *request = json_pack("{s:s}", "request", "record"), *reply;
	struct hv_error err;

	if (from)
		json_object_set_new(request, "from", json_integer(from));
	if (hv_client_call(from_client, request, &reply, &err))
		fail_msg("%s", err.text);
	*n = hv_flight_unpack(got, ARRAY_SIZE(got), json_object_get(reply, "records"));
	assert_int_not_equal(*n, -1);
	return reply;
}

/* From now on: the number of the next one. */
static json_int_t begin(struct hv_client *of)
{
	ssize_t n;
	json_t *reply = fetch(of, 0, &n);
	json_int_t next = number(reply, "next");

	assert_int_equal(n, 0);
	assert_int_equal(number(reply, "vcpus"), 1);
	assert_false(json_is_true(json_object_get(reply, "over")));
	json_decref(reply);
	return next;
}

/* They come one behind the other, each in whole, and none that is not asked for. */
static void test_fetch(void **state)
{
	json_int_t next = begin(&client), first = next, seen = 0, missed = 0;

	(void)state;
	for (unsigned int i = 0; i < 500 && seen < 100; i++) {
		ssize_t n;
		json_t *reply = fetch(&client, next, &n);

		for (ssize_t j = 0; j < n; j++) {
			assert_true((json_int_t)got[j].sequence >= next);
			assert_int_equal(got[j].reason, REASON_IO);
			assert_int_equal(got[j].handled, TINYVMX_HANDLED_USER);
		}
		seen += n;
		missed += number(reply, "missed");
		next = number(reply, "next");
		json_decref(reply);
		test_sleep_ms(5);
	}
	assert_true(seen >= 100);
	assert_int_equal(seen + missed, next - first);
}

static void refuse(const char *text, const char *with)
{
	json_t *reply;
	struct hv_error err;

	assert_int_equal(hv_client_call(&client, json_loads(text, 0, NULL), &reply, &err), -EPROTO);
	assert_non_null(strstr(err.text, with));
}

static void test_bad_arguments(void **state)
{
	(void)state;
	refuse("{\"request\":\"record\",\"from\":0}", "\"from\" is no number of an exit");
	refuse("{\"request\":\"record\",\"from\":-1}", "\"from\" is no number");
	refuse("{\"request\":\"record\",\"from\":\"1\"}", "\"from\" is no number");
	refuse("{\"request\":\"record\",\"vcpu\":1}", "\"vcpu\" is none of its 1");
	refuse("{\"request\":\"record\",\"count\":1}", "no argument");
}

static json_int_t exits(struct hv_client *of)
{
	struct hv_error err;
	json_t *reply;
	json_int_t count;

	if (hv_client_call(of, json_pack("{s:s}", "request", "status"), &reply, &err))
		fail_msg("%s", err.text);
	count = number(reply, "exits");
	json_decref(reply);
	return count;
}

/* Nobody is there who wants them: they are not recorded, but for one number that is left out. */
static void test_off_when_the_last_goes(void **state)
{
	struct hv_client other, third;
	json_int_t next, again, count;

	(void)state;
	connect_to(&other, "web");
	connect_to(&third, "web");
	begin(&other);
	next = begin(&third);
	hv_client_close(&other);
	/* One is left: it goes on. */
	for (again = next; again < next + 20; test_sleep_ms(1)) {
		ssize_t n;
		json_t *reply = fetch(&third, next, &n);

		again = number(reply, "next");
		json_decref(reply);
	}
	hv_client_close(&third);
	test_sleep_ms(200);
	for (count = exits(&client); exits(&client) < count + 1000;)
		test_sleep_ms(10);
	assert_in_range(begin(&client), again + 1, again + 900);
}

/* While it is paused by the user: it need not run for that. */
static void test_paused(void **state)
{
	struct hv_error err;
	json_t *reply;

	(void)state;
	assert_int_equal(
		hv_client_call(&client, json_pack("{s:s}", "request", "pause"), &reply, &err), 0);
	json_decref(reply);
	assert_int_equal(begin(&client), begin(&client));
	assert_int_equal(
		hv_client_call(&client, json_pack("{s:s}", "request", "resume"), &reply, &err), 0);
	json_decref(reply);
}

/* Who has asked before the end gets the last ones after it, if he does not take for ever. */
static void test_the_last_ones(void **state)
{
	json_int_t next = begin(&client), last = 0;
	struct hv_client killer;
	struct hv_error err;
	bool over = false;
	json_t *reply;

	(void)state;
	connect_to(&killer, "web");
	assert_int_equal(
		hv_client_call(&killer, json_pack("{s:s}", "request", "kill"), &reply, &err), 0);
	json_decref(reply);
	hv_client_close(&killer);
	while (!over) {
		ssize_t n;

		reply = fetch(&client, next, &n);
		over = json_is_true(json_object_get(reply, "over"));
		next = number(reply, "next");
		if (n)
			last = (json_int_t)got[n - 1].sequence;
		json_decref(reply);
	}
	/* The very last is among them. */
	assert_int_equal(last, next - 1);
	assert_int_equal(waitpid(vm, NULL, WNOHANG), 0);
	hv_client_close(&client);
	assert_int_equal(ended(), 16);
}

static void test_one_who_does_not_fetch_them(void **state)
{
	struct hv_client killer;
	struct hv_error err;
	json_t *reply;

	(void)state;
	begin(&client);
	connect_to(&killer, "web");
	assert_int_equal(
		hv_client_call(&killer, json_pack("{s:s}", "request", "kill"), &reply, &err), 0);
	json_decref(reply);
	hv_client_close(&killer);
	assert_int_equal(ended(), 16);
}

/* ---------------------------------------------- a client that was there before */

static int ends_at_once(struct fake_vcpu *vcpu)
{
	static unsigned int done;

	vcpu->run->exit_reason = ++done;
	return done < 3 ? fake_out(vcpu, 0x80, 1, 0) : fake_out(vcpu, PM1_CNT, 2, 0x2000);
}

/* On the second of them; the first is ours. */
static pid_t start_adopting(const int fds[2])
{
	pid_t pid;

	test_image();
	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct hv_config config = test_config(HV_MACHINE_PC);
		struct hv_session_options options = { .client = fds[1] };

		close(fds[0]);
		for (int i = 0; i < 3; i++)
			dup2(open("/dev/null", O_RDWR), i);
		config.name = "web";
		config.records = 64;
		fake_reset(ends_at_once);
		_exit(hv_session_run(&config, &options));
	}
	close(fds[1]);
	return pid;
}

/* Of a guest that ends sooner than anybody can connect all exits are there, from the first on. */
static void test_adopted(void **state)
{
	struct hv_error err = { .text = "" };
	json_t *reply;
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	vm = start_adopting(fds);
	if (hv_client_adopt(&client, fds[0], &err))
		fail_msg("%s", err.text);
	assert_string_equal(client.name, "web");
	for (bool over = false; !over; json_decref(reply)) {
		reply = fetch(&client, 1, &n);
		over = json_is_true(json_object_get(reply, "over"));
		test_sleep_ms(1);
	}
	assert_int_equal(n, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(got[i].reason, i + 1);
	/* It waits as long as that takes. */
	test_sleep_ms(2500);
	assert_int_equal(waitpid(vm, NULL, WNOHANG), 0);
	hv_client_close(&client);
	assert_int_equal(ended(), 0);
}

/* A VM that was taken over says what it likes: that is no word for a shell. */
static void test_strange_name(void **state)
{
	static const char hello[] = "{\"name\":\"web;touch x;:\",\"protocol\":1}\n";
	struct hv_error err;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(write(fds[1], hello, strlen(hello)), strlen(hello));
	assert_int_equal(hv_client_adopt(&client, fds[0], &err), 0);
	assert_string_equal(client.name, "");
	hv_client_close(&client);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strange_name),
		cmocka_unit_test_setup_teardown(test_fetch, start_marking, end),
		cmocka_unit_test_setup_teardown(test_bad_arguments, start_marking, end),
		cmocka_unit_test_setup_teardown(test_off_when_the_last_goes, start_marking, end),
		cmocka_unit_test_setup_teardown(test_paused, start_marking, end),
		cmocka_unit_test_setup_teardown(test_the_last_ones, start_marking, end),
		cmocka_unit_test_setup_teardown(test_one_who_does_not_fetch_them, start_marking,
						end),
		cmocka_unit_test_teardown(test_adopted, end),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	if (!make_top())
		return 1;
	failed = cmocka_run_group_tests_name("control_record", tests, NULL, NULL);
	remove_top();
	return failed;
}
