// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sandbox: what threads of each kind may do and what ends them, each try in a process of its
 * own; and whole sessions, on the fake module, of which one thread is taken over.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/vhost.h>
#include <netinet/in.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <utmp.h>

#ifdef HV_HAVE_URING
#include <liburing.h>
#endif

#include "disk/method.h"
#include "lib/sandbox_parts.h"
#include "lib/status.h"
#include "lib/util.h"
#include "machine_test.h"
#include "virtio/net_room.h"
#include "virtio/pci.h"
#include "vmm/devices.h"
#include "vmm/session.h"

/* ----------------------------------------------------------------- processes */

struct child {
	pid_t pid;
	int from;			/* what it says on standard error */
};

static struct child begin(void)
{
	struct child child;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid)
		dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	child.from = ends[0];
	return child;
}

/* Its status as of waitpid(); what it has said is in @text. */
static int finish(const struct child *child, char *text, size_t room)
{
	size_t len = 0;
	ssize_t got;
	int status;

	while ((got = read(child->from, text + len, room - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(child->from);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

static void say_last(void *ctx, const char *text)
{
	(void)ctx;
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* In a child: from here on this thread is one of @kind. */
static void confine(enum hv_sandbox_kind kind)
{
	const struct hv_sandbox_config config = { .dir_fd = -1, .end = say_last };
	struct hv_error err;
	char told[200];

	if (hv_sandbox_prepare(&config, told, sizeof(told), &err) < 0)
		_exit(100);
	hv_sandbox_enter(kind);
}

#define EACH_KIND(kind) \
	for (enum hv_sandbox_kind kind = 0; kind < HV_NR_SANDBOX_KINDS; kind++)

/* ------------------------------------------------------------------- each kind */

#ifdef HV_HAVE_SECCOMP

static long try_execve(void)
{
	return syscall(SYS_execve, "/bin/true", NULL, NULL);
}

static long try_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long try_ptrace(void)
{
	return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static long try_netlink(void)
{
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}

static long try_kill(void)
{
	return syscall(SYS_kill, 1, 0);
}

static long try_tgkill(void)
{
	return syscall(SYS_tgkill, 1, 1, 0);
}

static long try_code(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
}

static long try_more_code(void)
{
	return syscall(SYS_mprotect, NULL, 8192, PROT_READ | PROT_EXEC);
}

static long try_typing(void)
{
	return syscall(SYS_ioctl, 0, TIOCSTI, "x");
}

static long try_namespace(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long try_ring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long try_handler(void)
{
	return syscall(SYS_rt_sigaction, SIGSYS, NULL, NULL, 8);
}

/* The kernel takes half of the register. */
static long try_handler_of_half(void)
{
	return syscall(SYS_rt_sigaction, 1ull << 32 | SIGSYS, NULL, NULL, 8);
}

static long try_bad_page(void)
{
	return syscall(SYS_madvise, NULL, 0, 100 /* MADV_HWPOISON */);
}

static long try_datagrams(void)
{
	int ends[2];

	return syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends);
}

static long try_listen(void)
{
	return syscall(SYS_listen, -1, 1);
}

static long try_openat2(void)
{
	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", NULL, 0);
}

static const struct {
	const char *name;
	long (*call)(void);
} forbidden[] = {
	{ "execve", try_execve },	  { "clone", try_fork },
	{ "ptrace", try_ptrace },	  { "socket", try_netlink },
	{ "kill", try_kill },		  { "tgkill", try_tgkill },
	{ "mmap", try_code },		  { "mprotect", try_more_code },
	{ "ioctl", try_typing },	  { "unshare", try_namespace },
	{ "io_uring_setup", try_ring },	  { "rt_sigaction", try_handler },
	{ "openat2", try_openat2 },	  { "rt_sigaction", try_handler_of_half },
	{ "madvise", try_bad_page },	  { "socketpair", try_datagrams },
	{ "listen", try_listen },
};

static void dies_of(enum hv_sandbox_kind kind, size_t n)
{
	struct child child = begin();
	char text[1000], name[40];
	int status;

	if (!child.pid) {
		confine(kind);
		forbidden[n].call();
		_exit(0);
	}
	status = finish(&child, text, sizeof(text));
	snprintf(name, sizeof(name), "(%s)", forbidden[n].name);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != HV_STATUS_SANDBOX || !strstr(text, name) ||
	    !strstr(text, "--no-sandbox"))
		fail_msg("kind %d, %s: status %#x: %s", kind, forbidden[n].name, status, text);
}

static void test_forbidden_calls_end_it(void **state)
{
	(void)state;
	EACH_KIND(kind)
	for (size_t n = 0; n < ARRAY_SIZE(forbidden); n++)
		dies_of(kind, n);
}

/* One thing that a kind is there for, and others are not: -EBADF and the like will do. */
static long do_disk(void)
{
	return syscall(SYS_pwritev2, -1, NULL, 0, 0, 0, 0);
}

static long do_loop(void)
{
	return syscall(SYS_unlinkat, -1, "nothing", 0);
}

static long do_vcpu(void)
{
	return syscall(SYS_ioctl, -1, TINYVMX_RUN, 0);
}

static long do_tap(void)
{
	syscall(SYS_ioctl, -1, VHOST_SET_VRING_KICK, 0);
	return syscall(SYS_ioctl, -1, 0x400454d9, 0); /* TUNSETQUEUE */
}

/* To be another VM for the host's vsock: nobody's, once it is open. */
static long do_other_cid(void)
{
	return syscall(SYS_ioctl, -1, VHOST_VSOCK_SET_GUEST_CID, 0);
}

static long do_send_anywhere(void)
{
	const struct sockaddr at = { .sa_family = AF_UNIX };

	return sendto(-1, "x", 1, 0, &at, sizeof(at));
}

static long do_user_net(void)
{
	(void)hv_net_has_room(100);
	return close((int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}

static long do_daemon(void)
{
	int ends[2];

	return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static const struct {
	long (*call)(void);
	unsigned int kinds;
} own[] = {
	{ do_disk, 1u << HV_SANDBOX_DISK },
	{ do_loop, 1u << HV_SANDBOX_LOOP },
	{ do_vcpu, 1u << HV_SANDBOX_VCPU | 1u << HV_SANDBOX_LOOP },
	{ do_tap, 1u << HV_SANDBOX_TAP },
	{ do_user_net, 1u << HV_SANDBOX_USER_NET },
	{ do_daemon, 1u << HV_SANDBOX_DAEMON },
	{ do_send_anywhere, 1u << HV_SANDBOX_USER_NET },
	{ do_other_cid, 0 },
};

static void test_each_kind_has_its_own(void **state)
{
	char text[1000];

	(void)state;
	EACH_KIND(kind)
	for (size_t n = 0; n < ARRAY_SIZE(own); n++) {
		struct child child = begin();
		int status, wanted = own[n].kinds & 1u << kind ? 0 : HV_STATUS_SANDBOX;

		if (!child.pid) {
			confine(kind);
			own[n].call();
			_exit(0);
		}
		status = finish(&child, text, sizeof(text));
		if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
			fail_msg("kind %d, call %zu: status %#x: %s", kind, n, status, text);
	}
}

/* Memory, locks, time, and files that are not found, as the C library goes about it. */
static void live(void)
{
	const struct timespec moment = { .tv_nsec = 1000 };
	char *large = malloc(1 << 22), *small[100], name[16] = "";
	struct stat st;

	memset(large, 1, 1 << 22);
	large = realloc(large, 1 << 24);
	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		small[i] = malloc(i * 100);
	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		free(small[i]);
	free(large);
	nanosleep(&moment, NULL);
	pthread_setname_np(pthread_self(), "renamed");
	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (fstat(STDERR_FILENO, &st) || fcntl(STDERR_FILENO, F_GETFL) < 0)
		_exit(101);
	if (fopen("/nowhere", "re") || raise(0))
		_exit(102);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		_exit(103);
}

static void test_all_can_live(void **state)
{
	char text[1000];

	(void)state;
	EACH_KIND(kind)
	{
		struct child child = begin();
		int status;

		if (!child.pid) {
			confine(kind);
			live();
			_exit(0);
		}
		status = finish(&child, text, sizeof(text));
		/* prctl() was asked for one thing too many: it ends there, behind all else. */
		if (!strstr(text, "(prctl)") || WEXITSTATUS(status) != HV_STATUS_SANDBOX)
			fail_msg("kind %d: status %#x: %s", kind, status, text);
	}
}

/* A thread that is not the main one: it is that one which has the last word. */
static void *evil(void *ctx)
{
	hv_sandbox_enter(HV_SANDBOX_WORKER);
	try_execve();
	return ctx;
}

static void say_by_whom(void *ctx, const char *text)
{
	say_last(ctx, text);
	dprintf(STDERR_FILENO, "%s\n", syscall(SYS_gettid) == getpid() ? "main" : "other");
}

/* Also while the main one waits for what the other has. */
static void test_main_thread_has_the_last_word(void **state)
{
	const struct hv_sandbox_config config = { .dir_fd = -1, .end = say_by_whom };
	struct child child = begin();
	struct hv_error err;
	char text[1000];
	pthread_t thread;

	(void)state;
	if (!child.pid) {
		hv_sandbox_prepare(&config, text, sizeof(text), &err);
		pthread_create(&thread, NULL, evil, NULL);
		hv_sandbox_enter(HV_SANDBOX_LOOP);
		pthread_join(thread, NULL);
		_exit(0);
	}
	assert_int_equal(WEXITSTATUS(finish(&child, text, sizeof(text))), HV_STATUS_SANDBOX);
	assert_non_null(strstr(text, "a device's thread"));
	assert_non_null(strstr(text, "main\n"));
}

/* With SIGSYS blocked there are no last words, and no going on either. */
static void test_who_blocks_the_signal_dies(void **state)
{
	struct child child = begin();
	char text[1000];
	sigset_t set;
	int status;

	(void)state;
	if (!child.pid) {
		confine(HV_SANDBOX_WORKER);
		sigfillset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		try_execve();
		_exit(0);
	}
	status = finish(&child, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

#endif /* HV_HAVE_SECCOMP */

/* ------------------------------------------------------------------ capabilities */

/* A thread of a kind, and who looks at it from outside. */
struct looked_at {
	enum hv_sandbox_kind kind;
	int said[2];
};

static void *be_looked_at(void *ctx)
{
	const struct looked_at *thread = ctx;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	hv_sandbox_enter(thread->kind);
	(void)!write(thread->said[1], &tid, sizeof(tid));
	poll(NULL, 0, -1);
	return NULL;
}

static unsigned long long capabilities_of(pid_t tid)
{
	unsigned long long value = ~0ull;
	char path[60], line[200];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapPrm: %llx", &value) == 1)
			break;
	return value;
}

/* In a child. Who removes a socket may do so where it is. */
static int look_at_capabilities(enum hv_sandbox_kind kind, const char *removable)
{
	const struct hv_sandbox_config config = { .dir_fd = -1, .removable = { NULL, removable } };
	unsigned long long wanted = kind == HV_SANDBOX_LOOP && removable ? 1u << 1 : 0;
	struct looked_at thread = { .kind = kind };
	struct hv_error err;
	char told[200];
	pthread_t id;
	pid_t tid;

	if (pipe(thread.said) || hv_sandbox_prepare(&config, told, sizeof(told), &err) < 0 ||
	    pthread_create(&id, NULL, be_looked_at, &thread) ||
	    read(thread.said[0], &tid, sizeof(tid)) != sizeof(tid))
		return 1;
	return capabilities_of(tid) != (geteuid() ? 0 : wanted);
}

static void test_capabilities(void **state)
{
	static const char *const removable[] = { NULL, "/tmp/hv-sandbox-file" };
	char text[1000];

	(void)state;
	EACH_KIND(kind)
	for (size_t i = 0; i < ARRAY_SIZE(removable); i++) {
		struct child child = begin();

		if (!child.pid)
			_exit(look_at_capabilities(kind, removable[i]));
		assert_int_equal(finish(&child, text, sizeof(text)), 0);
	}
}

/* ------------------------------------------------------------------------- files */

static char dir[] = "/tmp/hv-sandbox-XXXXXX";

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

/* In the child: Landlock alone. What it returns is its status; 0 is good. */
static int look_at_files(bool user_net)
{
	const struct hv_sandbox_config config = {
		.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.removable = { "/tmp/hv-sandbox-file" },
		.user_net = user_net,
	};
	const struct sockaddr_in nobody = { .sin_family = AF_INET,
					    .sin_port = htons(1),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int version = hv_sandbox_files_prepare(&config), fd = socket(AF_INET, SOCK_STREAM, 0);

	if (version <= 0)
		return version ? 1 : 77;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || hv_sandbox_files_enter())
		return 2;
	if (open("/etc/passwd", O_RDONLY) >= 0 && (geteuid() == 0 || !user_net))
		return 3;
	if (creat("/tmp/hv-sandbox-new", 0600) >= 0 || open(dir, O_RDONLY) >= 0)
		return 4;
	if (unlinkat(config.dir_fd, "gone", 0) || unlink("/tmp/hv-sandbox-file"))
		return 5;
	if (!access("/etc/resolv.conf", R_OK) &&
	    (open("/etc/resolv.conf", O_RDONLY) >= 0) != user_net)
		return 6;
	if (version >= 4 &&
	    (!bind(fd, (const struct sockaddr *)&nobody, sizeof(nobody)) || errno != EACCES))
		return 9;
	if (version >= 4 && !connect(fd, (const struct sockaddr *)&nobody, sizeof(nobody)))
		return 7;
	return version < 4 || (errno == EACCES) != user_net ? 0 : 8;
}

static void test_files(void **state)
{
	char path[100], text[1000];

	(void)state;
	snprintf(path, sizeof(path), "%s/gone", dir);
	for (unsigned int user_net = 0; user_net < 2; user_net++) {
		struct child child;
		int status;

		make_file(path);
		make_file("/tmp/hv-sandbox-file");
		child = begin();
		if (!child.pid)
			_exit(look_at_files(user_net));
		status = finish(&child, text, sizeof(text));
		unlink(path);
		unlink("/tmp/hv-sandbox-file");
		if (WEXITSTATUS(status) == 77)
			skip();
		assert_int_equal(status, 0);
	}
}

/* What the shell had open is closed, what was opened since is not. */
static void test_strangers(void **state)
{
	struct child child = begin();
	char text[1000];

	(void)state;
	if (!child.pid) {
		const struct hv_sandbox_config config = { .dir_fd = -1, .end = say_last };
		int stranger = dup(STDIN_FILENO), ours;
		struct hv_error err;

		hv_sandbox_remember_strangers();
		ours = dup(STDIN_FILENO);
		hv_sandbox_prepare(&config, text, sizeof(text), &err);
		_exit(fcntl(stranger, F_GETFD) < 0 && fcntl(ours, F_GETFD) >= 0 ? 0 : 1);
	}
	assert_int_equal(finish(&child, text, sizeof(text)), 0);
}

/* ---------------------------------------------------------------------- io_uring */

#ifdef HV_HAVE_URING
/* A ring of a disk's takes nothing but what disks do: it passes by seccomp. */
static void test_ring_opens_no_files(void **state)
{
	struct hv_disk_config config = { .path = "/tmp/hv-sandbox-disk", .raw = true };
	struct hv_error err = { .text = "" };
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	struct hv_disk_queue *queue;
	struct io_uring *ring;
	struct hv_loop loop;
	struct hv_disk disk;

	(void)state;
	make_file(config.path);
	assert_int_equal(truncate(config.path, 4096), 0);
	assert_int_equal(hv_loop_init(&loop, &err), 0);
	assert_int_equal(hv_disk_open(&disk, &config, &err), 0);
	unlink(config.path);
	queue = hv_disk_queue_create(&disk, &loop, 4, &err);
	assert_non_null(queue);
	if (!strcmp(hv_disk_queue_method(queue), "io_uring")) {
		/* It begins with it: disk/uring.c. */
		ring = queue->method_ctx;
		sqe = io_uring_get_sqe(ring);
		io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
		assert_int_equal(io_uring_submit(ring), 1);
		assert_int_equal(io_uring_wait_cqe(ring, &cqe), 0);
		assert_int_equal(cqe->res, -EACCES);
		io_uring_cqe_seen(ring, cqe);
		assert_int_equal(io_uring_register_eventfd(ring, loop.wake_fd), -EACCES);
	}
	hv_disk_queue_destroy(queue);
	hv_disk_close(&disk);
	hv_loop_exit(&loop);
}
#endif

/* -------------------------------------------------------------- who is taken over */

#ifdef HV_HAVE_SECCOMP

enum victim { A_VCPU, A_VCPU_WITH_A_LOCK, THE_LOOP, A_WORKER, NR_VICTIMS };

static enum victim victim;

static void execute(void *ctx)
{
	(void)ctx;
	try_execve();
}

/* By the vCPU's thread, in RUN: the guest is in, and makes one of us do what it likes. */
static int takes_over(struct fake_vcpu *vcpu)
{
	struct hv_machine *machine = hv_vcpu_current()->machine;
	static struct hv_timer timer = { .fn = execute };
	static struct hv_job job = { .fn = execute };

	(void)vcpu;
	/* The terminal is raw by then; standard input tells. */
	test_sleep_ms(50);
	switch (victim) {
	case A_VCPU_WITH_A_LOCK:
		pthread_mutex_lock(&machine->lock);
		hv_loop_wake(&machine->loop);
		execute(NULL);
		break;
	case A_VCPU:
		execute(NULL);
		break;
	case THE_LOOP:
		pthread_mutex_lock(&machine->lock);
		hv_timer_arm(&machine->clock, &timer, 0);
		pthread_mutex_unlock(&machine->lock);
		break;
	default:
		hv_worker_post(&machine->devices[0].dev->worker, &job);
		break;
	}
	return fake_compute(vcpu);
}

static void run_session(const char *option, const char *text, bool sandbox)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	const struct hv_session_options options = { 0 };
	struct hv_error err;

	config.sandbox = sandbox;
	if (hv_config_add_device(&config, option, text, &err))
		_exit(104);
	fake_reset(takes_over);
	_exit(hv_session_run(&config, &options));
}

/* All that it says on its terminal, to its end. */
static void read_terminal(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t got;

	while (len + 1 < room && (got = read(fd, text + len, room - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
}

static unsigned int files_in(const char *path)
{
	DIR *files = opendir(path);
	unsigned int count = 0;

	assert_non_null(files);
	while (readdir(files))
		count++;
	closedir(files);
	return count - 2; /* . and .. */
}

static void taken_over(const char *option, const char *device, const char *who)
{
	struct termios before, after;
	int master, slave, status;
	char text[4000];
	pid_t pid;

	test_image();
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(master, &before), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(master);
		login_tty(slave);
		run_session(option, device, true);
	}
	close(slave);
	read_terminal(master, text, sizeof(text));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != HV_STATUS_SANDBOX || !strstr(text, who) ||
	    !strstr(text, "(execve)"))
		fail_msg("%s %s, %s: status %#x: %s", option, device, who, status, text);
	assert_int_equal(tcgetattr(master, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	assert_int_equal(before.c_iflag, after.c_iflag);
	close(master);
	/* No socket, no lock. */
	assert_int_equal(files_in(dir), 0);
}

static void test_taken_over(void **state)
{
	static const char *const who[NR_VICTIMS] = {
		[A_VCPU] = "a vCPU's thread",
		[A_VCPU_WITH_A_LOCK] = "a vCPU's thread",
		[THE_LOOP] = "the main thread",
		[A_WORKER] = "a device's thread",
	};

	(void)state;
	for (victim = 0; victim < NR_VICTIMS; victim++)
		taken_over("device", "rng", who[victim]);
}

static void test_taken_over_with_a_disk(void **state)
{
	(void)state;
	victim = A_WORKER;
	make_file("/tmp/hv-sandbox-disk");
	assert_int_equal(truncate("/tmp/hv-sandbox-disk", 4096), 0);
	taken_over("disk", "/tmp/hv-sandbox-disk,format=raw", "a disk's thread");
	unlink("/tmp/hv-sandbox-disk");
}

#ifdef HV_HAVE_SLIRP
static void test_taken_over_with_a_network(void **state)
{
	(void)state;
	victim = A_WORKER;
	taken_over("net", "user", "the thread of --net user");
}
#endif

/* Without the sandbox it is no VM any more. */
static void test_without(void **state)
{
	struct child child;
	char text[1000];
	int status;

	(void)state;
	victim = A_VCPU;
	test_image();
	child = begin();
	if (!child.pid)
		run_session("device", "rng", false);
	status = finish(&child, text, sizeof(text));
	assert_int_equal(status, 0);
}

#endif

/* -------------------------------------------------------------------------- main */

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HV_HAVE_SECCOMP
		cmocka_unit_test(test_forbidden_calls_end_it),
		cmocka_unit_test(test_each_kind_has_its_own),
		cmocka_unit_test(test_all_can_live),
		cmocka_unit_test(test_main_thread_has_the_last_word),
		cmocka_unit_test(test_who_blocks_the_signal_dies),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_taken_over_with_a_disk),
#ifdef HV_HAVE_SLIRP
		cmocka_unit_test(test_taken_over_with_a_network),
#endif
		cmocka_unit_test(test_without),
#endif
#ifdef HV_HAVE_URING
		cmocka_unit_test(test_ring_opens_no_files),
#endif
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_strangers),
	};
	int status;

	if (!mkdtemp(dir) || setenv("HVCTL_RUNTIME_DIR", dir, 1))
		return 1;
	status = cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
	rmdir(dir);
	return status;
}
