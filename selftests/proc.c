// SPDX-License-Identifier: GPL-2.0-only
/* Host side: processes, files, memory, descriptors over sockets. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib.h"

void *map_anon(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		bail("mmap of %zu bytes: %m", bytes);
	return p;
}

void use_small_pages(void *p, size_t bytes)
{
	if (madvise(p, bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		bail("madvise: %m");
}

int online_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

u64 ms_to_tsc(u64 ms)
{
	u32 khz = info()->tsc_khz;

	return ms * (khz ? khz : 50000);
}

long read_long(const char *path)
{
	FILE *f = fopen(path, "re");
	long value = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

bool line_contains(const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	char line[4096] = "";

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return strstr(line, text);
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

long read_line(const char *path, const char *name)
{
	size_t len = strlen(name);
	FILE *f = fopen(path, "re");
	char line[128];
	long value = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, len) && strchr(" :", line[len]))
			value = atol(line + len + 1);
	}
	if (f)
		fclose(f);
	return value;
}

/* Pages that are free, also those that wait in a CPU's list. */
static long free_pages(void)
{
	FILE *f = fopen("/proc/zoneinfo", "re");
	char line[128];
	long sum = 0, n;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " pages free %ld", &n) == 1 ||
		    sscanf(line, " count: %ld", &n) == 1)
			sum += n;
	}
	if (f)
		fclose(f);
	return sum;
}

static long kmalloc_objects(void)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[256], name[64];
	long sum = 0, active;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &active) == 2 &&
		    !strncmp(name, "kmalloc", 7))
			sum += active;
	}
	fclose(f);
	return sum;
}

struct host_use host_use(void)
{
	struct host_use use;

	/* RCU and delayed work of the closes before. */
	write_text("/proc/sys/vm/drop_caches", "3");
	sleep_us(100000);
	use.free_pages = free_pages();
	use.unreclaimable_kib = read_line("/proc/meminfo", "SUnreclaim");
	use.tables_kib = read_line("/proc/meminfo", "PageTables");
	use.objects = kmalloc_objects();
	use.refs = read_long("/sys/module/tinyvmx/refcnt");
	return use;
}

const char *leak_obstacle(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ?
		       NULL : "KASAN keeps what was freed: kmemleak looks for leaks here";
}

void nothing_is_left_since(const struct host_use *before)
{
	struct host_use after = host_use();

	/* The last of the dead are still being buried. */
	for (u32 i = 0; i < 2000 && after.refs != before->refs; i++) {
		sleep_us(1000);
		after = host_use();
	}
	if (before->refs < 0)
		skip("the module shows no refcnt", "the module has the users it had");
	else
		is(after.refs, before->refs, "the module has the users it had");
	if (leak_obstacle()) {
		skip(leak_obstacle(), "free pages");
		return;
	}
	/* A VM that stays is tens of pages, its RAM thousands. */
	ok(before->free_pages - after.free_pages < 400, "free pages %ld -> %ld",
	   before->free_pages, after.free_pages);
	ok(after.unreclaimable_kib - before->unreclaimable_kib < 400, "SUnreclaim %ld -> %ld KiB",
	   before->unreclaimable_kib, after.unreclaimable_kib);
}

pid_t spawn(int (*child)(void *arg), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = must(fork());
	if (!pid)
		_exit(child(arg));
	return pid;
}

int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			bail("waitpid: %m");
	}
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

union fd_message {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

void send_fd(int sock, int fd)
{
	union fd_message control = { };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	must(sendmsg(sock, &msg, 0));
}

int recv_fd(int sock)
{
	union fd_message control = { };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd;

	must(recvmsg(sock, &msg, 0));
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}
