// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that give up what they do not need, and the end of one that asks for it all the same.
 *
 * A forbidden system call is not made: its thread gets SIGSYS. From there on it does nothing more
 * than to ask the main thread, by the same signal, to end the process: that one may give the
 * terminal back and remove the VM's files, which no other thread may. It may be waiting for a lock
 * that the thread that is stopped has, and so takes none. Where it does not answer the process
 * ends without. No thread may change what SIGSYS does, and where it is blocked the kernel kills the
 * process, as it always does then.
 */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code: asm-generic/siginfo.h, which goes with no signal.h */
#endif

#include "sandbox_parts.h"
#include "status.h"

/* How long the main thread may take to end it. */
#define PATIENCE_MS 3000

/* More than anybody inherits; what is above stays open. */
#define STRANGERS 1024

static const char *const kinds[HV_NR_SANDBOX_KINDS] = {
	[HV_SANDBOX_WORKER] = "a device's thread",
	[HV_SANDBOX_LOOP] = "the main thread",
	[HV_SANDBOX_VCPU] = "a vCPU's thread",
	[HV_SANDBOX_DISK] = "a disk's thread",
	[HV_SANDBOX_TAP] = "the thread of a tap or vhost",
	[HV_SANDBOX_USER_NET] = "the thread of --net user",
	[HV_SANDBOX_DAEMON] = "the thread of a vhost-user device",
};

static struct hv_sandbox_config config;
static bool prepared, has_calls;
static bool strangers[STRANGERS];
static __thread bool entered;
static __thread enum hv_sandbox_kind current;

/* ------------------------------------------------------------------ the end */

static char last_words[300];
static atomic_flag somebody = ATOMIC_FLAG_INIT;

/* snprintf() of these allocates nothing. */
static void compose(int nr)
{
	const char *name = hv_sandbox_call_name(nr);

	snprintf(
		last_words, sizeof(last_words),
		"hvctl run: the sandbox has ended the VM: %s made system call %d%s%s%s, which it has no use for; "
		"if that was no attack, report it, and add --no-sandbox\n",
		kinds[current], nr, name ? " (" : "", name ?: "", name ? ")" : "");
}

static void __attribute__((noreturn)) end_by_main(void)
{
	if (config.end)
		config.end(config.ctx, last_words);
	_exit(HV_STATUS_SANDBOX);
}

static bool is_main(void)
{
	return syscall(SYS_gettid) == getpid();
}

static void tell_main(void)
{
	syscall(SYS_tgkill, getpid(), getpid(), SIGSYS);
}

/* Whoever comes second only waits. */
static void __attribute__((noreturn)) stop_thread(int nr)
{
	if (atomic_flag_test_and_set(&somebody))
		for (;;)
			(void)poll(NULL, 0, -1);
	compose(nr);
	if (is_main())
		end_by_main();
	tell_main();
	(void)poll(NULL, 0, PATIENCE_MS);
	(void)!write(STDERR_FILENO, last_words, strlen(last_words));
	_exit(HV_STATUS_SANDBOX);
}

/* What is not for a forbidden call is for the main thread; or somebody has sent it to us. */
static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == SYS_SECCOMP)
		stop_thread(info->si_syscall);
	if (!is_main()) {
		tell_main();
		return;
	}
	if (!*last_words)
		snprintf(last_words, sizeof(last_words), "hvctl run: killed by signal %d\n", sig);
	end_by_main();
}

static int catch_sigsys(void)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	/* What comes by other handlers has no business before this one. */
	sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) ? -errno : 0;
}

/* ------------------------------------------------------------------ prepare */

/* poll() tells of all at once; it takes no more than there may be. */
void hv_sandbox_remember_strangers(void)
{
	struct pollfd fds[STRANGERS] = { 0 };
	long most = sysconf(_SC_OPEN_MAX);
	unsigned int count = most < 0 || most > STRANGERS ? STRANGERS : (unsigned int)most;

	for (unsigned int fd = 0; fd < count; fd++)
		fds[fd].fd = fd > STDERR_FILENO ? (int)fd : -1;
	if (poll(fds, count, 0) < 0)
		return;
	for (unsigned int fd = STDERR_FILENO + 1; fd < count; fd++)
		strangers[fd] = !(fds[fd].revents & POLLNVAL);
}

static void close_strangers(void)
{
	for (int fd = 0; fd < STRANGERS; fd++)
		if (strangers[fd])
			close(fd);
	memset(strangers, 0, sizeof(strangers));
}

static int prepare_parts(int *calls, int *files)
{
	int error = catch_sigsys();

	if (error)
		return error;
	*calls = hv_sandbox_calls_prepare();
	if (*calls && *calls != -EOPNOTSUPP)
		return *calls;
	*files = hv_sandbox_files_prepare(&config);
	return *files < 0 ? *files : 0;
}

int hv_sandbox_prepare(const struct hv_sandbox_config *asked, char *told, size_t room,
		       struct hv_error *err)
{
	int calls, files, error;

#ifdef __SANITIZE_THREAD__
	/* It looks into files, and makes threads, where it likes. */
	snprintf(told, room, "sandbox: none under the thread sanitizer");
	return 0;
#endif
	config = *asked;
	error = prepare_parts(&calls, &files);
	if (error)
		return hv_fail(err, -error, "no sandbox: %s; add --no-sandbox to do without",
			       strerror(-error));
	close_strangers();
	has_calls = !calls;
	prepared = true;
	snprintf(told, room, "sandbox: system calls %s, files %s",
		 has_calls ? "by seccomp" : "as before (no seccomp here)",
		 files ? "by Landlock" : "as before (no Landlock here)");
	return !has_calls || !files;
}

/* -------------------------------------------------------------------- enter */

static int unblock_sigsys(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/*
 * Root's threads are an ordinary user's from here on, whatever calls are left to them. But the main
 * one removes a socket where the user wanted it, which may be in somebody else's folder.
 */
static int drop_capabilities(enum hv_sandbox_kind kind)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const uint32_t override = 1u << CAP_DAC_OVERRIDE;

	if (kind == HV_SANDBOX_LOOP && (config.removable[0] || config.removable[1])) {
		if (syscall(SYS_capget, &header, kept))
			return -errno;
		kept[0].permitted &= override;
		kept[0].effective &= override;
		kept[0].inheritable = 0;
		kept[1] = (struct __user_cap_data_struct){ 0 };
	}
	return syscall(SYS_capset, &header, kept) ? -errno : 0;
}

static int confine(enum hv_sandbox_kind kind)
{
	int error = unblock_sigsys();

	if (!error)
		error = drop_capabilities(kind);
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	if (!error)
		error = hv_sandbox_files_enter();
	return error || !has_calls ? error : hv_sandbox_calls_enter(kind);
}

void hv_sandbox_enter(enum hv_sandbox_kind kind)
{
	int error;

	if (!prepared || entered)
		return;
	entered = true;
	current = kind;
	error = confine(kind);
	if (!error)
		return;
	snprintf(last_words, sizeof(last_words),
		 "hvctl run: the sandbox does not close: %s; add --no-sandbox to do without\n",
		 strerror(-error));
	(void)!write(STDERR_FILENO, last_words, strlen(last_words));
	_exit(HV_STATUS_ERROR);
}
