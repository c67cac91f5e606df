// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared folders: options, and the virtiofsd that is there, by the messages of FUSE.
 * HVCTL_VIRTIOFSD=FILE tries another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/util.h"
#include "virtio/broker.h"
#include "virtio/fs.h"
#include "virtio/virtiofsd.h"
#include "virtio_test.h"

#define REQUESTS 1	/* the queue; 0 is "hiprio" */
#define TEXT	 "what the host says\n"
#define NOBODY	 65534

static struct driver driver;
static struct hv_error err;
static char note_text[1000];
static atomic_uint noted;
static char folder[128];
static uint64_t request_gpa, reply_gpa;

static void note(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(note_text, sizeof(note_text), "%s", text);
	atomic_fetch_add(&noted, 1);
}

static struct hv_virtio *create(const char *options)
{
	const struct hv_virtio_env env = { .memory = &driver.memory, .name = "t", .note = note };

	atomic_store(&noted, 0);
	return hv_virtio_fs_create(&env, options, &err);
}

static void put_file(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test-share-XXXXXX");
	assert_non_null(mkdtemp(folder));
	chmod(folder, 0777);
	put_file("file", TEXT);
	return 0;
}

static int remove_folder(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* -------------------------------------------------------------------- FUSE */

/* Ask the daemon; returns its error, 0 or negative, the answer being at reply_gpa. */
static int ask(uint32_t opcode, uint64_t node, const void *args, uint32_t len, const char *name)
{
	uint32_t name_len = name ? (uint32_t)strlen(name) + 1 : 0;
	struct fuse_in_header header = {
		.len = (uint32_t)sizeof(header) + len + name_len,
		.opcode = opcode,
		.unique = 1,
		.nodeid = node,
	};
	char *at = driver_at(&driver, request_gpa, 4096);
	const struct fuse_out_header *reply = driver_at(&driver, reply_gpa, 4096);
	struct buffer buffers[] = { { request_gpa, header.len, false }, { reply_gpa, 4096, true } };

	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), args ?: "", len);
	memcpy(at + sizeof(header) + len, name ?: "", name_len);
	driver_add(&driver, REQUESTS, buffers, 2);
	driver_kick(&driver, REQUESTS);
	assert_true(driver_wait(&driver, REQUESTS) >= sizeof(*reply));
	return reply->error;
}

static const void *answer(void)
{
	return (char *)driver_at(&driver, reply_gpa, 4096) + sizeof(struct fuse_out_header);
}

static void mount_it(void)
{
	const struct fuse_init_in init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = 65536,
	};

	request_gpa = driver_alloc(&driver, 4096);
	reply_gpa = driver_alloc(&driver, 4096);
	assert_int_equal(ask(FUSE_INIT, 0, &init, sizeof(init), NULL), 0);
	assert_int_equal(((const struct fuse_init_out *)answer())->major, FUSE_KERNEL_VERSION);
}

static void read_file(void)
{
	const struct fuse_open_in open_in = { .flags = O_RDONLY };
	struct fuse_read_in read_in = { .size = 1000 };
	uint64_t node;

	assert_int_equal(ask(FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, "none"), -ENOENT);
	assert_int_equal(ask(FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, "file"), 0);
	node = ((const struct fuse_entry_out *)answer())->nodeid;
	assert_int_equal(ask(FUSE_OPEN, node, &open_in, sizeof(open_in), NULL), 0);
	read_in.fh = ((const struct fuse_open_out *)answer())->fh;
	assert_int_equal(ask(FUSE_READ, node, &read_in, sizeof(read_in), NULL), 0);
	assert_memory_equal(answer(), TEXT, strlen(TEXT));
}

static int make_file(const char *name)
{
	const struct fuse_create_in create_in = {
		.flags = O_RDWR | O_CREAT,
		.mode = S_IFREG | 0640,
	};

	return ask(FUSE_CREATE, FUSE_ROOT_ID, &create_in, sizeof(create_in), name);
}

static bool is_on_host(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

/* ----------------------------------------------------------------- daemons */

/* Skip where there is none. */
static struct hv_virtio *share(const char *options)
{
	struct hv_virtio *dev;
	char text[256];

	driver_init(&driver, false);
	snprintf(text, sizeof(text), "%s%s", folder, options);
	dev = create(text);
	if (dev) {
		((struct hv_vhost_user_dev *)dev)->pause_ns = 1000;
		driver_start(&driver, dev, 0);
		return dev;
	}
	driver_exit(&driver);
	if (!strstr(err.text, "there is no virtiofsd"))
		fail_msg("%s", err.text);
	print_message("%s\n", err.text);
	skip();
	return NULL;
}

static void test_read_and_write(void **state)
{
	struct hv_virtio *dev = share(":data");

	(void)state;
	assert_string_equal((char *)dev->config, "data");
	assert_int_equal(dev->kind->id, 26);
	mount_it();
	read_file();
	assert_int_equal(make_file("new"), 0);
	assert_true(is_on_host("new"));
	driver_exit(&driver);
	assert_int_equal(atomic_load(&noted), 0);
}

static void test_read_only(void **state)
{
	struct hv_virtio *dev = share(",ro");

	(void)state;
	assert_string_equal((char *)dev->config, folder + strlen("/tmp/"));
	mount_it();
	read_file();
	assert_int_equal(make_file("forbidden"), -EROFS);
	assert_false(is_on_host("forbidden"));
	driver_exit(&driver);
}

/* The only child of the process that starts daemons. */
static pid_t pid_of(struct hv_virtio *dev)
{
	const struct hv_broker *broker = ((struct hv_vhost_user_dev *)dev)->source.ctx;
	char path[64];
	int pid = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", broker->pid, broker->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

static bool is_gone(pid_t group)
{
	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS; ms++) {
		if (kill(-group, 0) && errno == ESRCH)
			return true;
		test_sleep_ms(1);
	}
	return false;
}

/* The daemon is killed: told once, the device breaks; a reset brings another. */
static void test_death(void **state)
{
	struct hv_virtio *dev = share("");
	pid_t first = pid_of(dev);

	(void)state;
	mount_it();
	kill(-first, SIGKILL);
	assert_true(driver_is_broken(&driver));
	assert_int_equal(atomic_load(&noted), 1);
	assert_non_null(strstr(note_text, folder));
	assert_true(is_gone(first));
	driver_stop(&driver);
	driver_start(&driver, dev, 0);
	mount_it();
	read_file();
	assert_int_not_equal(pid_of(dev), first);
	first = pid_of(dev);
	driver_exit(&driver);
	assert_true(is_gone(first));
	assert_int_equal(atomic_load(&noted), 1);
}

/*
 * Who may rename it, the guest by a share around it, say, has another one in its place when its
 * daemon is started again: the guest has the first one all the same.
 */
static void test_link_in_its_place(void **state)
{
	struct hv_virtio *dev = share("");
	char moved[sizeof(folder) + 10];

	(void)state;
	mount_it();
	snprintf(moved, sizeof(moved), "%s-moved", folder);
	assert_int_equal(rename(folder, moved), 0);
	assert_int_equal(symlink("/etc", folder), 0);
	kill(-pid_of(dev), SIGKILL);
	assert_true(driver_is_broken(&driver));
	driver_stop(&driver);
	driver_start(&driver, dev, 0);
	mount_it();
	read_file();
	driver_exit(&driver);
	assert_int_equal(unlink(folder), 0);
	assert_int_equal(rename(moved, folder), 0);
}

/* A thread that was taken over asks for one daemon after the other: there is one at a time. */
static void test_asks_for_many(void **state)
{
	struct hv_virtio *dev = share("");
	const struct hv_vhost_user_source *source = &((struct hv_vhost_user_dev *)dev)->source;
	pid_t first = pid_of(dev), second;
	int fds[2];

	(void)state;
	hv_worker_stop(&dev->worker);
	fds[0] = source->connect(source->ctx, &err);
	assert_true(fds[0] >= 0);
	assert_true(is_gone(first));
	second = pid_of(dev);
	fds[1] = source->connect(source->ctx, &err);
	assert_true(fds[1] >= 0);
	assert_true(is_gone(second));
	close(fds[0]);
	close(fds[1]);
	driver_exit(&driver);
}

/* We are killed: the daemon ends, too. */
static void test_our_death(void **state)
{
	pid_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	(void)state;
	driver_exit((share(""), &driver));
	child = fork();
	if (!child) {
		*shared = pid_of(share(""));
		mount_it();
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
	assert_true(*shared > 0);
	assert_true(is_gone(*shared));
	munmap(shared, 4096);
}

/* As an ordinary user: the daemon is in a user namespace, and does what he may do himself. */
static void be_nobody(bool read_only)
{
	setgroups(0, NULL);
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(2);
	prctl(PR_SET_DUMPABLE, 1);
	share(read_only ? ",ro" : "");
	mount_it();
	read_file();
	if (make_file("nobodys") != (read_only ? -EROFS : 0) || is_on_host("nobodys") == read_only)
		_exit(3);
	driver_exit(&driver);
	_exit(0);
}

static void check_nobody(bool read_only)
{
	int status;
	pid_t child;

	if (geteuid())
		skip();
	driver_exit((share(""), &driver));
	child = fork();
	if (!child)
		be_nobody(read_only);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void test_nobody(void **state)
{
	char path[256];
	struct stat st;

	(void)state;
	check_nobody(true);
	check_nobody(false);
	snprintf(path, sizeof(path), "%s/nobodys", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
}

/* In the older one's list of options a comma ends an option, and "::" is no tag. */
static void test_odd_name(void **state)
{
	char plain[64];

	(void)state;
	strcpy(plain, folder);
	strcat(folder, "/a,b\\c");
	assert_int_equal(mkdir(folder, 0777), 0);
	put_file("file", TEXT);
	/* Doubled for us. */
	strcpy(folder + strlen(plain), "/a,,b\\c");
	share(":odd");
	strcpy(folder, plain);
	mount_it();
	read_file();
	driver_exit(&driver);
}

/* ----------------------------------------------------------------- refused */

static void check_refused(const char *options, const char *why)
{
	assert_int_equal(hv_virtio_fs_check(options, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("%s: %s", options, err.text);
}

static void test_options(void **state)
{
	(void)state;
	check_refused("", "DIR is missing");
	check_refused(":tag", "DIR");
	check_refused("/tmp:", "0 bytes");
	check_refused("/tmp:0123456789012345678901234567890123456", "37 bytes");
	check_refused("/tmp,rw", "ro");
	assert_int_equal(hv_virtio_fs_check("/tmp", &err), 0);
	assert_int_equal(hv_virtio_fs_check("/tmp:tag,ro", &err), 0);
	/* Nothing is opened yet. */
	assert_int_equal(hv_virtio_fs_check("/there/is:none/of/it", &err), 0);
}

static void check_not_made(const char *options, const char *why)
{
	assert_null(create(options));
	if (!strstr(err.text, why))
		fail_msg("%s: %s", options, err.text);
}

static void write_script(char *path, const char *text)
{
	put_file("daemon", text);
	snprintf(path, 256, "%s/daemon", folder);
	chmod(path, 0755);
}

static void test_errors(void **state)
{
	char *before = getenv("HVCTL_VIRTIOFSD") ? strdup(getenv("HVCTL_VIRTIOFSD")) : NULL;
	char path[256];

	(void)state;
	driver_init(&driver, false);
	check_not_made("/there/is/none", "/there/is/none: No such file");
	check_not_made("/etc/passwd", "is no folder");
	setenv("HVCTL_VIRTIOFSD", "/there/is/none", 1);
	check_not_made("/tmp", "/there/is/none: No such file");
	setenv("HVCTL_VIRTIOFSD", "/bin/true", 1);
	check_not_made("/tmp", "is no virtiofsd");
	write_script(path, "#!/bin/sh\n[ $1 = --help ] && echo --shared-dir && exit\n"
			   "echo one >&2\necho 'not today\33' >&2\nexit 1\n");
	setenv("HVCTL_VIRTIOFSD", path, 1);
	check_not_made("/tmp", "the daemon has ended");
	assert_non_null(strstr(err.text, "(not today?)"));
	if (before)
		setenv("HVCTL_VIRTIOFSD", before, 1);
	else
		unsetenv("HVCTL_VIRTIOFSD");
	free(before);
	driver_exit(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_read_and_write),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_our_death),
		cmocka_unit_test(test_link_in_its_place),
		cmocka_unit_test(test_asks_for_many),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_odd_name),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
