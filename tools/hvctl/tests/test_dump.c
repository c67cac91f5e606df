// SPDX-License-Identifier: GPL-2.0-only
/* hvctl dump, and the requests that it makes: "hold", "copy". */
#include <gelf.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cli_test.h"
#include "control_test.h"
#include "lib/fds.h"
#include "lib/status.h"

/* We, and the hvctl that we run, are there. */
static char folder[] = "/tmp/hv-dump-XXXXXX";

/* ----------------------------------------------------------------- the command */

static const char *path_of(const char *name)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool is_there(const char *name)
{
	return !access(path_of(name), F_OK);
}

static int finish(void **state)
{
	static const char *const names[] = { "core", "other", "fifo" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(path_of(names[i]));
	return end(state);
}

/* The test's image is where it was loaded, the rest is a hole. */
static void test_file(void **state)
{
	int fd;
	uint8_t in_core[16], image[16];
	GElf_Phdr load;
	struct stat st;
	ssize_t n;
	Elf *elf;

	(void)state;
	says("dump web core", 0, "core: 1 vCPU, 4 MiB of memory, ");
	assert_int_equal(stat(path_of("core"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_size > (off_t)(4 * HV_MIB));
	assert_true((uint64_t)st.st_blocks * 512 < 2 * HV_MIB);
	fd = open(path_of("core"), O_RDONLY | O_CLOEXEC);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(gelf_getphdr(elf, 1, &load));
	assert_int_equal(load.p_filesz, 4 * HV_MIB);
	assert_int_equal(pread(fd, in_core, sizeof(in_core), (off_t)load.p_offset + HV_MIB),
			 sizeof(in_core));
	elf_end(elf);
	close(fd);
	fd = open(test_image(), O_RDONLY | O_CLOEXEC);
	n = read(fd, image, sizeof(image));
	close(fd);
	assert_in_range(n, 1, sizeof(image));
	assert_memory_equal(in_core, image, n);
	says("ps", 0, " running\n");
	/* One that stands still goes on doing so. */
	says("pause web", 0, "");
	says("dump --paging web other", 0, "other: 1 vCPU");
	says("ps", 0, " paused\n");
}

static void test_refusals(void **state)
{
	struct stat st;

	(void)state;
	refuses("dump", 2, "no VM named; ");
	refuses("dump web", 2, "no file given; see --help\n");
	refuses("dump web core other", 2, "no argument expected; ");
	refuses("dump nobody core", 2, "hvctl dump: nobody: no such VM; there are web\n");
	refuses("dump --vcpu x web core", 2, "--vcpu x: is no number; ");
	refuses("dump --vcpu 1 web core", 2, "hvctl dump: web: --vcpu 1: it has 1, from 0 on\n");
	refuses("dump web /nowhere/core", HV_STATUS_ERROR,
		"hvctl dump: /nowhere/core: No such file or directory; ");
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	refuses("dump -f web fifo", 2, "hvctl dump: fifo: is no file; name one\n");
	assert_true(is_there("fifo"));
	assert_false(is_there("core"));
	/* What is there stays what it is, unless one insists. */
	assert_int_equal(shell("echo old >core; %s dump web core 2>&1", hvctl), 2);
	assert_string_equal(said, "hvctl dump: core: is there already; -f overwrites it\n");
	assert_int_equal(stat(path_of("core"), &st), 0);
	assert_int_equal(st.st_size, 4);
	says("dump -f web core", 0, "core: 1 vCPU");
	assert_int_equal(stat(path_of("core"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* ... and where that leads to, too. */
	assert_int_equal(symlink("core", path_of("other")), 0);
	refuses("dump -f web other", HV_STATUS_ERROR, "hvctl dump: other: ");
	says("ps", 0, " running\n");
}

/* A file that may not grow so far, for us or for the VM, which lives on. */
static void test_no_room(void **state)
{
	(void)state;
	assert_int_equal(shell("ulimit -f 100; %s dump web core 2>&1", hvctl), HV_STATUS_ERROR);
	assert_non_null(strstr(said, "hvctl dump: web: writing core: File too large\n"));
	assert_false(is_there("core"));
	assert_int_equal(run("dump web core"), 0);
	unlink(path_of("core"));
	assert_int_equal(prlimit(vm, RLIMIT_FSIZE, &(struct rlimit){ 65536, 65536 }, NULL), 0);
	refuses("dump web core", HV_STATUS_ERROR, "hvctl dump: web: writing: File too large\n");
	assert_false(is_there("core"));
	says("ps", 0, " running\n");
}

/* ------------------------------------------------------------------ requests */

static json_t *ask(struct hv_client *whom, json_t *request, const char *code)
{
	struct hv_error err;
	char *text = json_dumps(request, JSON_COMPACT);
	json_t *reply;

	assert_int_equal(hv_send_fds(whom->fd, text, strlen(text), &whom->file, whom->file >= 0, 0),
			 strlen(text));
	whom->file = -1;
	assert_int_equal(send(whom->fd, "\n", 1, 0), 1);
	if (hv_client_receive(whom, 10000, &reply, &err))
		fail_msg("%s", err.text);
	if (strcmp(json_string_value(json_object_get(reply, "code")) ?: "", code))
		fail_msg("%s: %s", text,
			 json_string_value(json_object_get(reply, "error")) ?: "granted");
	free(text);
	json_decref(request);
	return reply;
}

static void must(struct hv_client *whom, json_t *request, const char *code)
{
	json_decref(ask(whom, request, code));
}

#define REQUEST(name) json_pack("{s:s}", "request", name)
#define COPY(address, bytes, offset)                                                              \
	json_pack("{s:s, s:s, s:I, s:I}", "request", "copy", "address", address, "bytes",         \
		  (json_int_t)(bytes), "offset", (json_int_t)(offset))

static bool is_state(struct hv_client *whom, const char *state)
{
	json_t *reply = ask(whom, REQUEST("status"), "");
	bool is = !strcmp(json_string_value(json_object_get(reply, "state")), state);

	json_decref(reply);
	return is;
}

/* It takes a moment until the VM has seen that one has gone. */
static void becomes(struct hv_client *whom, const char *state)
{
	for (unsigned int i = 0; i < 10000 && !is_state(whom, state); i++)
		test_sleep_ms(1);
	assert_true(is_state(whom, state));
}

static void test_hold(void **state)
{
	struct hv_client one;
	json_t *reply, *range;

	(void)state;
	connect_to(&one, "web");
	reply = ask(&one, REQUEST("hold"), "");
	range = json_array_get(json_object_get(reply, "memory"), 0);
	assert_int_equal(json_integer_value(json_object_get(reply, "vcpus")), 1);
	assert_int_equal(json_integer_value(json_object_get(reply, "xsave_bytes")),
			 FAKE_XSAVE_BYTES);
	assert_string_equal(json_string_value(json_object_get(range, "address")), "0x0");
	assert_int_equal(json_integer_value(json_object_get(range, "bytes")), 4 * HV_MIB);
	json_decref(reply);
	must(&one, REQUEST("hold"), "");
	assert_true(is_state(&client, "paused"));
	must(&client, REQUEST("hold"), "wrong-state");
	must(&client, REQUEST("resume"), "wrong-state");
	reply = ask(&client, REQUEST("stop"), "wrong-state");
	assert_non_null(strstr(json_string_value(json_object_get(reply, "error")), "has it stand"));
	json_decref(reply);
	must(&client, REQUEST("registers"), "");
	reply = ask(&client, REQUEST("fpu"), "");
	assert_int_equal(strlen(json_string_value(json_object_get(reply, "image"))),
			 2 * FAKE_XSAVE_BYTES);
	json_decref(reply);
	hv_client_close(&one);
	becomes(&client, "running");
	/* Who pauses meanwhile has it paused. */
	connect_to(&one, "web");
	must(&one, REQUEST("hold"), "");
	must(&client, REQUEST("pause"), "");
	must(&client, REQUEST("pause"), "wrong-state");
	hv_client_close(&one);
	for (unsigned int i = 0; i < 100; i++)
		assert_true(is_state(&client, "paused"));
	must(&client, REQUEST("hold"), "");
	must(&client, REQUEST("resume"), "wrong-state");
	/* It can be ended. */
	must(&client, REQUEST("kill"), "");
	assert_int_equal(ended(), HV_STATUS_KILLED);
}

static void test_copy(void **state)
{
	static const char page[4096];
	char got[4096];
	json_t *reply;
	int fd;

	(void)state;
	must(&client, COPY("0", 4096, 0), "bad-argument");
	fd = open(path_of("core"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	client.file = fd;
	must(&client, COPY("0", 4095, 0), "bad-argument");
	must(&client, COPY("0", 0, 0), "bad-argument");
	must(&client, COPY("0", HV_CONTROL_COPY_MAX + 4096, 0), "bad-argument");
	must(&client, COPY("1", 4096, 0), "bad-argument");
	must(&client, COPY("0x400000", 4096, 0), "bad-argument");
	must(&client, COPY("0x3ff000", 8192, 0), "bad-argument");
	must(&client, COPY("x", 4096, 0), "bad-argument");
	must(&client, COPY("0", 4096, -1), "bad-argument");
	must(&client, COPY("0", 4096, INT64_MAX), "bad-argument");
	must(&client, json_pack("{s:s, s:s}", "request", "copy", "address", "0"), "bad-argument");
	assert_int_equal(pwrite(fd, page, 1, 0), 1);
	/* The image is at 1 MiB, and zeroes are not written. */
	reply = ask(&client, COPY("0x100000", HV_CONTROL_COPY_MAX, 4096), "");
	assert_in_range(json_integer_value(json_object_get(reply, "written")), 4096, 65536);
	json_decref(reply);
	assert_int_equal(pread(fd, got, sizeof(got), 4096), sizeof(got));
	assert_int_not_equal(memcmp(got, page, sizeof(got)), 0);
	/* The one that came last counts; one that cannot be written to is told. */
	close(fd);
	client.file = fd = open(path_of("core"), O_RDONLY | O_CLOEXEC);
	must(&client, COPY("0x100000", 4096, 0), "failed");
	close(fd);
	client.file = fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	must(&client, COPY("0x100000", 4096, 0), "bad-argument");
	close(fd);
	assert_true(is_state(&client, "running"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_file), T(test_refusals), T(test_no_room), T(test_hold), T(test_copy),
	};
	int failed;

	if (!find_hvctl())
		return 0;
	if (!make_top() || !mkdtemp(folder) || chdir(folder))
		return 1;
	failed = cmocka_run_group_tests_name("dump", tests, NULL, NULL);
	remove_top();
	rmdir(folder);
	return failed;
}
