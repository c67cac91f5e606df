// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls, by seccomp: one table, in which each row says who makes the call, and with what.
 *
 * What is in no row of a kind's ends it. Some calls are refused instead (EACCES): libraries look
 * for files whenever they like, and do without. Rows of nobody's are there for their names, in the
 * last words.
 *
 * A list is made when the first thread of its kind asks for it, in the form that the kernel
 * takes; calls that are allowed whatever their arguments cost it a look at a bitmap, no more.
 */
#include <errno.h>
#include <stddef.h>

#include "sandbox_parts.h"

#ifdef HV_HAVE_SECCOMP
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/vhost.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "tinyvmx.h"
#include "util.h"

/* ------------------------------------------------------------------ the table */

#define WORKER	 (1u << HV_SANDBOX_WORKER)
#define LOOP	 (1u << HV_SANDBOX_LOOP)
#define VCPU	 (1u << HV_SANDBOX_VCPU)
#define DISK	 (1u << HV_SANDBOX_DISK)
#define TAP	 (1u << HV_SANDBOX_TAP)
#define USER_NET (1u << HV_SANDBOX_USER_NET)
#define DAEMON	 (1u << HV_SANDBOX_DAEMON)
#define ALL	 ((1u << HV_NR_SANDBOX_KINDS) - 1)
#define NOBODY	 0u

/* A value that is known when the list is made: our process. */
#define OURSELVES UINT64_MAX

struct row {
	unsigned int kinds;
	int nr;
	const char *name;
	bool refused;			/* ... without an end */
	unsigned int nr_args;
	struct scmp_arg_cmp arg[2];
};

#define CALL(kinds, call) { kinds, SCMP_SYS(call), #call, false, 0, { { 0 } } }
#define CALL_IF(kinds, call, ...) { kinds, SCMP_SYS(call), #call, false, 1, { __VA_ARGS__ } }
#define CALL_IF2(kinds, call, ...) { kinds, SCMP_SYS(call), #call, false, 2, { __VA_ARGS__ } }
#define REFUSED(kinds, call) { kinds, SCMP_SYS(call), #call, true, 0, { { 0 } } }
#define REFUSED_IF(kinds, call, ...) { kinds, SCMP_SYS(call), #call, true, 1, { __VA_ARGS__ } }

/* Conditions on argument @n, from 0 on. */
#define IS(n, value) { n, SCMP_CMP_EQ, (uint64_t)(value), 0 }
#define BELOW(n, value) { n, SCMP_CMP_LT, (uint64_t)(value), 0 }
#define FROM_32_TO_63(n) { n, SCMP_CMP_MASKED_EQ, ~31ull, 32 }
#define HAS_NONE(n, bits) { n, SCMP_CMP_MASKED_EQ, (uint64_t)(bits), 0 }
#define HAS(n, bits) { n, SCMP_CMP_MASKED_EQ, (uint64_t)(bits), (uint64_t)(bits) }
/* All ioctls of one family; of them the descriptors that there are decide. */
#define FAMILY(type) { 1, SCMP_CMP_MASKED_EQ, 0xff00, (uint64_t)(type) << 8 }

static const struct row rows[] = {
	/* Time, locks, waiting. */
	CALL(ALL, clock_getres),
	CALL(ALL, clock_gettime),
	CALL(ALL, clock_nanosleep),
	CALL(ALL, futex),
	CALL(ALL, futex_waitv),
	CALL(ALL, getrandom),
	CALL(ALL, gettimeofday),
	CALL(ALL, membarrier),
	CALL(ALL, nanosleep),
	CALL(ALL, poll),
	CALL(ALL, ppoll),
	CALL(ALL, restart_syscall),
	CALL(ALL, sched_getaffinity),
	CALL(ALL, sched_yield),
	CALL(ALL, sysinfo),
	CALL(ALL, time),
	/* vCPUs move chips' deadlines, the loop waits for them. */
	CALL(LOOP | VCPU, timerfd_settime),

	/* Memory; no code is made. But instructions on devices: one page, emul/native.c. */
	CALL(ALL, brk),
	CALL_IF(ALL, madvise, BELOW(2, 100)), /* from there on pages fail, and more for root */
	CALL_IF(ALL, mmap, HAS_NONE(2, PROT_EXEC)),
	CALL_IF(ALL, mprotect, HAS_NONE(2, PROT_EXEC)),
	CALL_IF2(VCPU, mprotect, IS(1, 4096), IS(2, PROT_READ | PROT_EXEC)),
	CALL(ALL, mremap),
	CALL(ALL, munmap),
	CALL(LOOP, mincore),

	/* Signals and threads. What SIGSYS does stays what it is. */
	CALL(ALL, exit),
	CALL(ALL, exit_group),
	CALL(ALL, getpid),
	CALL(ALL, gettid),
	CALL_IF(ALL, prctl, IS(0, PR_SET_NAME)),
	CALL_IF(ALL, prctl, IS(0, 0x53564d41)), /* PR_SET_VMA: malloc() names its memory */
	CALL(ALL, rseq),
	/* The kernel looks at the lower half of the number: so no "is not". */
	CALL_IF(ALL, rt_sigaction, BELOW(0, SIGSYS)),
	CALL_IF(ALL, rt_sigaction, FROM_32_TO_63(0)),
	CALL(ALL, rt_sigprocmask),
	CALL(ALL, rt_sigreturn),
	CALL(ALL, set_robust_list),
	CALL(ALL, sigaltstack),
	CALL_IF(ALL, tgkill, IS(0, OURSELVES)),
	CALL(LOOP, wait4),

	/* What is open. */
	CALL(ALL, close),
	CALL_IF(ALL, fcntl, IS(1, F_GETFL)),
	CALL_IF(ALL, fcntl, IS(1, F_SETFL)),
	CALL(ALL, fstat),
	CALL_IF(ALL, newfstatat, HAS(3, 0x1000)), /* AT_EMPTY_PATH: what fstat() has become */
	CALL(ALL, lseek),
	CALL(ALL, pread64),
	CALL(ALL, preadv2), /* of an eventfd, too */
	CALL(ALL, read),
	CALL(ALL, recvfrom),
	CALL_IF(ALL & ~USER_NET, sendto, IS(4, 0)), /* to who is connected, not to a path */
	CALL(ALL, write),
	CALL(ALL, writev),
	CALL(LOOP, ftruncate),
	CALL(LOOP, pwrite64),
	CALL(LOOP | TAP | USER_NET | DAEMON, readv),
	CALL(LOOP | USER_NET | DAEMON, recvmsg),
	CALL(USER_NET | DAEMON, sendmsg),

	/* The module: all of its ioctls, of which vCPUs make RUN by the thousand. */
	CALL_IF(LOOP | VCPU, ioctl, FAMILY(TINYVMX_IOC)),

	/* The terminal: no TIOCSTI, which would type for the user. */
	CALL_IF(LOOP, ioctl, IS(1, TCGETS)),
	CALL_IF(LOOP, ioctl, IS(1, TCSETS)),
	CALL_IF(LOOP, ioctl, IS(1, TCSETSW)),
	CALL_IF(LOOP, ioctl, IS(1, TCSETSF)),
	/* The C library's since 2.42: TCGETS2, TCSETS2, TCSETSW2, TCSETSF2. */
	CALL_IF(LOOP, ioctl, IS(1, 0x802c542a)),
	CALL_IF(LOOP, ioctl, IS(1, 0x402c542b)),
	CALL_IF(LOOP, ioctl, IS(1, 0x402c542c)),
	CALL_IF(LOOP, ioctl, IS(1, 0x402c542d)),
	CALL_IF(LOOP, ioctl, IS(1, TCFLSH)),
	CALL_IF(LOOP, ioctl, IS(1, TIOCGPGRP)),
	CALL_IF(LOOP, ioctl, IS(1, TIOCGWINSZ)),
	CALL(LOOP, getpgrp),

	/* The control channel, and the files of the VM. */
	CALL(LOOP, accept4),
	CALL_IF2(LOOP, getsockopt, IS(1, SOL_SOCKET), IS(2, SO_PEERCRED)),
	CALL(LOOP, getrusage),
	CALL(LOOP, geteuid),
	CALL(LOOP, getuid),
	CALL(LOOP, unlink),
	CALL(LOOP, unlinkat),

	/* Disks: io_uring makes no other calls than disk/uring.c has asked for. */
	CALL(DISK, fallocate),
	CALL(DISK, fdatasync),
	CALL(DISK | LOOP, io_uring_enter),
	CALL_IF(DISK, ioctl, IS(1, BLKGETSIZE64)),
	CALL(DISK, pwritev2),

	/* Taps, and rings that the kernel serves. */
	CALL_IF(TAP, ioctl, IS(1, TUNSETOFFLOAD)),
	CALL_IF(TAP, ioctl, IS(1, TUNSETQUEUE)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_GET_VRING_BASE)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_NET_SET_BACKEND)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_FEATURES)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_MEM_TABLE)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_VRING_ADDR)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_VRING_BASE)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_VRING_CALL)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_VRING_ERR)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_VRING_KICK)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_SET_VRING_NUM)),
	CALL_IF(TAP, ioctl, IS(1, VHOST_VSOCK_SET_RUNNING)),

	/*
	 * libslirp: a network is what it is for. Its resolvers are in a file. Who listens did so
	 * before: no port of the host's is opened for a guest that was not asked for.
	 */
	CALL(USER_NET, accept),
	CALL(USER_NET, accept4),
	CALL(USER_NET, connect),
	CALL_IF(USER_NET, fcntl, IS(1, F_DUPFD_CLOEXEC)), /* is there a descriptor? */
	CALL_IF(USER_NET, fcntl, IS(1, F_SETFD)),
	CALL_IF(USER_NET, fcntl, IS(1, F_GETFD)),
	CALL(USER_NET, getpeername),
	CALL(USER_NET, getsockname),
	CALL(USER_NET, getsockopt),
	CALL_IF(USER_NET, ioctl, IS(1, FIONBIO)),
	CALL_IF(USER_NET, ioctl, IS(1, FIONREAD)),
	CALL_IF(USER_NET, ioctl, IS(1, SIOCGIFINDEX)),
	CALL_IF(USER_NET, openat, HAS_NONE(2, O_ACCMODE | O_CREAT | O_TRUNC)),
	CALL(USER_NET, sendto),
	CALL(USER_NET, setsockopt),
	CALL(USER_NET | LOOP, shutdown),
	CALL_IF(USER_NET, socket, IS(0, AF_INET)),
	CALL_IF(USER_NET, socket, IS(0, AF_INET6)),
	/* if_nametoindex() tries this first: a resolver may be at fe80::1%eth0. */
	REFUSED_IF(USER_NET, socket, IS(0, AF_UNIX)),
	CALL_IF(USER_NET, newfstatat, HAS_NONE(3, 0x1000)),
	CALL(USER_NET, stat),

	/* Eventfds that a daemon has, too: lib/event.c. */
	CALL(DAEMON | LOOP | VCPU, io_getevents),
	CALL(DAEMON | LOOP | VCPU, io_submit),

	/* vhost-user: a daemon's way to have requests for us. Datagrams could go to any path. */
	CALL_IF2(DAEMON, socketpair, IS(0, AF_UNIX), IS(1, SOCK_STREAM | SOCK_CLOEXEC)),

	/* Libraries look for files. */
	REFUSED(ALL, access),
	REFUSED(ALL, faccessat),
	REFUSED(ALL, faccessat2),
	REFUSED_IF(ALL & ~USER_NET, newfstatat, HAS_NONE(3, 0x1000)),
	REFUSED(ALL, open),
	REFUSED(ALL & ~USER_NET, openat),
	REFUSED(ALL, readlink),
	REFUSED(ALL, readlinkat),
	REFUSED(ALL & ~USER_NET, stat),

	/* What who has taken a thread over would like. */
	CALL(NOBODY, bind),
	CALL(NOBODY, bpf),
	CALL(NOBODY, chmod),
	CALL(NOBODY, chroot),
	CALL(NOBODY, clone),
	CALL(NOBODY, clone3),
	CALL(NOBODY, creat),
	CALL(NOBODY, execve),
	CALL(NOBODY, execveat),
	CALL(NOBODY, fork),
	CALL(NOBODY, io_uring_register),
	CALL(NOBODY, io_uring_setup),
	CALL(NOBODY, kill),
	CALL(NOBODY, linkat),
	CALL(NOBODY, listen),
	CALL(NOBODY, memfd_create),
	CALL(NOBODY, mount),
	CALL(NOBODY, openat2),
	CALL(NOBODY, pidfd_getfd),
	CALL(NOBODY, process_vm_readv),
	CALL(NOBODY, process_vm_writev),
	CALL(NOBODY, ptrace),
	CALL(NOBODY, renameat2),
	CALL(NOBODY, seccomp),
	CALL(NOBODY, setns),
	CALL(NOBODY, setuid),
	CALL(NOBODY, unshare),
	CALL(NOBODY, userfaultfd),
	CALL(NOBODY, vfork),
};

const char *hv_sandbox_call_name(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].nr == nr)
			return rows[i].name;
	return NULL;
}

/* ------------------------------------------------------------------ the lists */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sock_fprog lists[HV_NR_SANDBOX_KINDS];

/* A call that this kind of CPU does not have has a number below zero: there is nothing to allow. */
static int add_row(scmp_filter_ctx ctx, const struct row *row)
{
	struct scmp_arg_cmp arg[2] = { row->arg[0], row->arg[1] };

	if (row->nr < 0)
		return 0;
	for (unsigned int i = 0; i < row->nr_args; i++)
		if (arg[i].op == SCMP_CMP_EQ && arg[i].datum_a == OURSELVES)
			arg[i].datum_a = (uint64_t)getpid();
	return seccomp_rule_add_array(ctx, row->refused ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_ALLOW,
				      row->nr, row->nr_args, arg);
}

static int add_rows(scmp_filter_ctx ctx, enum hv_sandbox_kind kind)
{
	int error = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* First what is asked for most, of what the bitmap has no answer for. */
	if (!error)
		error = seccomp_syscall_priority(ctx, SCMP_SYS(ioctl), UINT8_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !error; i++)
		if (rows[i].kinds & 1u << kind)
			error = add_row(ctx, &rows[i]);
	return error;
}

/* Out of the file that libseccomp has written it to. */
static int take_list(struct sock_fprog *list, int fd)
{
	struct sock_filter *filter;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	filter = malloc((size_t)st.st_size);
	if (!filter)
		return -ENOMEM;
	if (pread(fd, filter, (size_t)st.st_size, 0) != st.st_size) {
		free(filter);
		return -EIO;
	}
	list->len = (unsigned short)((size_t)st.st_size / sizeof(*filter));
	list->filter = filter;
	return 0;
}

static int export_list(struct sock_fprog *list, scmp_filter_ctx ctx)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	error = seccomp_export_bpf(ctx, fd);
	if (!error)
		error = take_list(list, fd);
	close(fd);
	return error;
}

static int make_list(struct sock_fprog *list, enum hv_sandbox_kind kind)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int error;

	if (!ctx)
		return -ENOMEM;
	error = add_rows(ctx, kind);
	if (!error)
		error = export_list(list, ctx);
	seccomp_release(ctx);
	return error;
}

static int find_list(const struct sock_fprog **list, enum hv_sandbox_kind kind)
{
	int error = 0;

	pthread_mutex_lock(&lock);
	if (!lists[kind].filter)
		error = make_list(&lists[kind], kind);
	pthread_mutex_unlock(&lock);
	*list = &lists[kind];
	return error;
}

int hv_sandbox_calls_prepare(void)
{
	const unsigned int trap = SECCOMP_RET_TRAP;

	return syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) ? -EOPNOTSUPP : 0;
}

int hv_sandbox_calls_enter(enum hv_sandbox_kind kind)
{
	const struct sock_fprog *list;
	int error = find_list(&list, kind);

	if (error)
		return error;
	return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, list) ? -errno : 0;
}

#else

const char *hv_sandbox_call_name(int nr)
{
	(void)nr;
	return NULL;
}

int hv_sandbox_calls_prepare(void)
{
	return -EOPNOTSUPP;
}

int hv_sandbox_calls_enter(enum hv_sandbox_kind kind)
{
	(void)kind;
	return 0;
}
#endif
