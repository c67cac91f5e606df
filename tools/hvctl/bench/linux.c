// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole VMMs: Linux from their start to init's first line and to power-off; what an idle one
 * keeps in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

#define MEMORY_MIB 128
#define STAMP "init: TSC "	/* what guests/linux/init prints first */
/* The kernel's tests of its own cryptography are more than half of a boot, and alike everywhere. */
#define CMDLINE "console=ttyS0 panic=-1 cryptomgr.notests stamp=init script=true"
#define LIMIT_MS 300000

const char *hv_bench_linux_dir = "/guests/linux";

struct child {
	pid_t pid;
	int out;		/* its standard output */
	char tail[256];		/* what it said last */
	size_t len;
};

static int start(struct child *child, char *const argv[])
{
	int pipes[2];

	*child = (struct child){ .pid = -1 };
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (!child->pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(pipes[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pipes[1]);
	child->out = pipes[0];
	return child->pid < 0 ? -errno : 0;
}

/* Returns whether there was more. What is kept is enough to find STAMP across two reads. */
static bool read_more(struct child *child)
{
	struct pollfd fd = { .fd = child->out, .events = POLLIN };
	size_t half = sizeof(child->tail) / 2;
	ssize_t n;

	if (child->len > half) {
		memmove(child->tail, child->tail + child->len - half, half);
		child->len = half;
	}
	if (poll(&fd, 1, LIMIT_MS) <= 0)
		return false;
	n = read(child->out, child->tail + child->len, sizeof(child->tail) - 1 - child->len);
	if (n <= 0)
		return false;
	child->len += n;
	child->tail[child->len] = '\0';
	return true;
}

static bool wait_for_init(struct child *child)
{
	while (read_more(child))
		if (strstr(child->tail, STAMP))
			return true;
	return false;
}

static int finish(struct child *child)
{
	int status = 0;

	close(child->out);
	if (child->pid > 0)
		waitpid(child->pid, &status, 0);
	return status;
}

/* ------------------------------------------------------------------- Linux */

struct boot {
	bool done;
	uint64_t init, poweroff;
};

static int boot(struct boot *boot, char *const argv[], struct hv_error *err)
{
	uint64_t begin = hv_bench_tsc();
	struct child child;
	bool up = false;
	int status;

	if (!start(&child, argv))
		up = wait_for_init(&child);
	boot->init = hv_bench_tsc() - begin;
	while (up && read_more(&child))
		;
	if (!up && child.pid > 0)
		kill(child.pid, SIGKILL);
	status = finish(&child);
	boot->poweroff = hv_bench_tsc() - begin;
	boot->done = up && !status;
	if (boot->done)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return hv_fail(err, ENOENT, "there is no %s", argv[0]);
	return hv_fail(err, EIO, "%s does not boot %s/vmlinuz to its end (status 0x%x)", argv[0],
		       hv_bench_linux_dir, status);
}

/* One boot for both cases. */
static int boot_once(const struct hv_bench_backend *backend, struct boot **result,
		     struct hv_error *err)
{
	static struct boot boots[HV_BENCH_NR_BACKENDS];
	bool is_kvm = backend == &hv_bench_kvm;
	char kernel[300], initrd[300], mem[16];
	char *const ours[] = { "/proc/self/exe", "run",       "--mem", mem,    "--initrd",
			       initrd,           "--cmdline", CMDLINE, kernel, NULL };
	char *const qemu[] = { "qemu-system-x86_64",
			       "-machine",
			       "pc,accel=kvm",
			       "-cpu",
			       "host",
			       "-m",
			       mem,
			       "-nodefaults",
			       "-no-user-config",
			       "-no-reboot",
			       "-display",
			       "none",
			       "-serial",
			       "stdio",
			       "-kernel",
			       kernel,
			       "-initrd",
			       initrd,
			       "-append",
			       CMDLINE,
			       NULL };

	*result = &boots[is_kvm];
	if ((*result)->done)
		return 0;
	snprintf(kernel, sizeof(kernel), "%s/vmlinuz", hv_bench_linux_dir);
	snprintf(initrd, sizeof(initrd), "%s/initrd.gz", hv_bench_linux_dir);
	snprintf(mem, sizeof(mem), "%dM", MEMORY_MIB);
	if (access(kernel, R_OK) || access(initrd, R_OK))
		return hv_fail(err, errno,
			       "%s has no vmlinuz and initrd.gz; see guests/linux/build",
			       hv_bench_linux_dir);
	return boot(*result, is_kvm ? qemu : ours, err);
}

int hv_bench_host_linux_init(const struct hv_bench_backend *backend, uint64_t *ticks,
			     struct hv_error *err)
{
	struct boot *boot;
	int error = boot_once(backend, &boot, err);

	*ticks = boot->init;
	return error;
}

int hv_bench_host_linux_poweroff(const struct hv_bench_backend *backend, uint64_t *ticks,
				 struct hv_error *err)
{
	struct boot *boot;
	int error = boot_once(backend, &boot, err);

	*ticks = boot->poweroff;
	return error;
}

/* ---------------------------------------------------------- resident memory */

/*
 * A guest that says something and halts: mov $0x3f8, %edx; mov $'i', %al; out %al, %dx; the same
 * for '\n'; sti; hlt.
 */
static const uint8_t idle_guest[] = { 0xba, 0xf8, 0x03, 0, 0, 0xb0, 'i', 0xee, 0xb0, '\n', 0xee,
				      0xfb, 0xf4, 0xeb, 0xfc };

/* Of all mappings that are too small to be the guest's RAM. */
static uint64_t resident(pid_t pid)
{
	unsigned long size = 0, rss, total = 0;
	char path[64], line[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Size: %lu kB", &size) == 1)
			continue;
		if (sscanf(line, "Rss: %lu kB", &rss) == 1 && size < MEMORY_MIB * 1024UL)
			total += rss;
	}
	if (file)
		fclose(file);
	return total * 1024;
}

int hv_bench_host_rss(const struct hv_bench_backend *backend, uint64_t *bytes, struct hv_error *err)
{
	char path[] = "/tmp/hvctl-bench.XXXXXX";
	char *const argv[] = { "/proc/self/exe", "run",  "--machine", "pc",
			       "--mem",          "128M", path,        NULL };
	struct child child = { .pid = -1 };
	bool up = false;
	int fd;

	*bytes = 0;
	if (backend == &hv_bench_kvm)
		return hv_fail(err, EOPNOTSUPP, "the memory of hvctl alone");
	fd = mkstemp(path);
	if (fd < 0)
		return hv_fail(err, errno, "%s: %s", path, strerror(errno));
	if (write(fd, idle_guest, sizeof(idle_guest)) == sizeof(idle_guest) && !start(&child, argv))
		up = read_more(&child);
	if (up)
		*bytes = resident(child.pid);
	if (child.pid > 0) {
		kill(child.pid, SIGKILL);
		finish(&child);
	}
	close(fd);
	unlink(path);
	return *bytes ? 0 : hv_fail(err, EIO, "no idle VM: the guest says nothing");
}
