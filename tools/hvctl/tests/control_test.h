/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM in a process of its own, on the fake module, with a control channel. */
#ifndef HV_TESTS_CONTROL_TEST_H
#define HV_TESTS_CONTROL_TEST_H

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "control/client.h"
#include "lib/util.h"
#include "machine_test.h"
#include "vmm/devices.h"
#include "vmm/session.h"
#include "vmx/names.h"

#define COM1 0x3f8
#define PM1_STS 0x600
#define PM1_CNT 0x604

/* ------------------------------------------------------------------- guest */

static bool obeys;			/* the power button */
static bool breaks;			/* ... and so it ends: the module gives an error */

/* In turn: is the button pressed? has something been typed? */
static inline int look_around(struct fake_vcpu *vcpu)
{
	static const struct timespec moment = { .tv_nsec = 500000 };
	static enum { BUTTON, LINE_STATUS, LOOKED, RECEIVED } step;
	uint32_t data = vcpu->run->io.data;

	switch (step) {
	case BUTTON:
		step = LINE_STATUS;
		return fake_in(vcpu, PM1_STS, 2);
	case LINE_STATUS:
		if (obeys && data & 0x100)
			return breaks ? -EIO : fake_out(vcpu, PM1_CNT, 2, 0x2000);
		step = LOOKED;
		return fake_in(vcpu, COM1 + 5, 1);
	case LOOKED:
		step = data & 1 ? RECEIVED : BUTTON;
		nanosleep(&moment, NULL);
		return fake_in(vcpu, data & 1 ? COM1 : 0x61, 1);
	case RECEIVED:
		step = BUTTON;
		return fake_out(vcpu, COM1, 1, toupper(data & 0xff));
	}
	return 0;
}

/* Sets its UART up, greets (after each reset), and says in capitals what is typed. */
static inline int echoes(struct fake_vcpu *vcpu)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} setup[] = { { COM1 + 1, 1 }, { COM1 + 4, 3 } };
	static const char greeting[] = "hello\n";
	static unsigned int done, made, msis;

	if (vcpu->run->immediate_exit)
		return -EINTR;
	if (made != vcpu->made)
		done = 0;
	made = vcpu->made;
	vcpu->exits.count[30]++;
	if (msis != fake.msis) {
		msis = fake.msis;
		return fake_out(vcpu, COM1, 1, fake.msi_data == 0x400 ? '!' : '?');
	}
	if (done < ARRAY_SIZE(setup) + sizeof(greeting) - 1) {
		unsigned int i = done++;

		if (i < ARRAY_SIZE(setup))
			return fake_out(vcpu, setup[i].port, 1, setup[i].value);
		return fake_out(vcpu, COM1, 1, (uint8_t)greeting[i - ARRAY_SIZE(setup)]);
	}
	return look_around(vcpu);
}

/* ----------------------------------------------------------------- process */

/* The runtime directory. */
static char top[] = "/tmp/hv-control-XXXXXX";
static struct hv_runtime_dir dir;
static pid_t vm;
static struct hv_client client;

/* More than the pipe that it says it into has room for, and then turns itself off. */
#define LAST_WORDS 10000

static inline int says_much_and_leaves(struct fake_vcpu *vcpu)
{
	static unsigned int words;

	if (words++ < LAST_WORDS)
		return fake_out(vcpu, COM1, 1, words % 50 ? 'w' : '\n');
	return fake_out(vcpu, PM1_CNT, 2, 0x2000);
}

/* As an ordinary user sees it */
static const struct tinyvmx_vmcs_field test_vmcs[] = {
	{ .encoding = VMCS_PIN_CTLS, .value = 0x17 },
	{ .encoding = VMCS_GUEST_CR0, .value = 0x80000021 },
	{ .encoding = VMCS_HOST_CR0 },
	{ .encoding = VMCS_HOST_CR3 },
	{ .encoding = VMCS_HOST_RIP },
};

static fake_guest_fn guest = echoes;
static char (*use)(uint64_t page, bool forget);
static const char *device;		/* --device; NULL: none */
static unsigned int cpus = 1;
static bool beside_image;		/* the VM is where its image is, and has no path to it */
static int output = -1;			/* the VM's, if it is not nobody's */

/* In the child; its standard streams are nobody's. */
static inline void run_vm(const char *name, enum hv_machine_kind kind, bool detach)
{
	struct hv_config config = test_config(kind);
	struct hv_session_options options = { .detach = detach };

	struct hv_error err;

	if (device && hv_config_add_device(&config, "device", device, &err))
		_exit(1);
	if (beside_image) {
		const char *slash = strrchr(config.load.path, '/');
		char *folder = strndup(config.load.path, (size_t)(slash - config.load.path));

		if (!folder || chdir(folder))
			_exit(1);
		config.load.path = slash + 1;
	}
	config.name = name;
	config.cpus = cpus;
	fake_reset(guest);
	fake.use = use;
	fake.vmcs = test_vmcs;
	fake.vmcs_fields = ARRAY_SIZE(test_vmcs);
	_exit(hv_session_run(&config, &options));
}

/* A child without our standard streams, as fork(). */
static inline pid_t fork_quietly(void)
{
	pid_t pid;

	test_image();
	fflush(NULL);
	pid = fork();
	for (int fd = 0; !pid && fd < 3; fd++)
		dup2(open("/dev/null", O_RDWR), fd);
	return pid;
}

static inline pid_t start_named(const char *name, enum hv_machine_kind kind)
{
	pid_t pid = fork_quietly();

	if (pid)
		return pid;
	if (output >= 0)
		dup2(output, STDOUT_FILENO);
	run_vm(name, kind, false);
	return 0;
}

static inline void connect_to(struct hv_client *to, const char *name)
{
	struct hv_error err = { .text = "" };

	for (unsigned int i = 0; i < 10000; i++) {
		if (!hv_client_open(to, &dir, name, &err))
			return;
		hv_client_close(to);
		test_sleep_ms(1);
	}
	fail_msg("%s", err.text);
}

static inline void start_kind(enum hv_machine_kind kind)
{
	vm = start_named("web", kind);
	connect_to(&client, "web");
}

static inline int start(void **state)
{
	(void)state;
	obeys = false;
	start_kind(HV_MACHINE_PC);
	return 0;
}

/* What echoes() does, as the CPU tells it. */
static inline int marks(struct fake_vcpu *vcpu)
{
	int error = echoes(vcpu);
	const struct tinyvmx_exit_io *io = &vcpu->run->io;

	vcpu->run->exit_reason = 30;
	vcpu->run->exit_qualification = (uint64_t)io->port << 16 |
					(io->flags & TINYVMX_IO_IN ? 8 : 0) | (io->width - 1);
	return error;
}

static inline int start_marking(void **state)
{
	guest = marks;
	return start(state);
}

static inline int start_with(const char *one, void **state)
{
	int error;

	device = one;
	error = start(state);
	device = NULL;
	return error;
}

/* Who asks is elsewhere. */
static inline int start_beside_image(void **state)
{
	int error;

	beside_image = true;
	error = start(state);
	beside_image = false;
	return error;
}

static inline int start_with_balloon(void **state)
{
	return start_with("balloon", state);
}

static inline int start_with_hvc(void **state)
{
	return start_with("console", state);
}

static inline int start_bare(void **state)
{
	(void)state;
	start_kind(HV_MACHINE_BARE);
	return 0;
}

static inline int start_obedient(void **state)
{
	(void)state;
	obeys = true;
	start_kind(HV_MACHINE_PC);
	return 0;
}

/* It neither says nor takes anything. */
static inline int start_silent(void **state)
{
	(void)state;
	obeys = false;
	guest = fake_compute;
	start_kind(HV_MACHINE_PC);
	guest = echoes;
	return 0;
}

static inline int start_breaking(void **state)
{
	int error;

	breaks = true;
	error = start_obedient(state);
	breaks = false;
	return error;
}

/* Its status, when it has ended within some seconds. */
static inline int status_of(pid_t pid)
{
	int status;

	for (unsigned int i = 0; i < 10000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		test_sleep_ms(1);
	}
	return -1;
}

static inline int end(void **state)
{
	(void)state;
	hv_client_close(&client);
	if (vm) {
		kill(vm, SIGKILL);
		waitpid(vm, NULL, 0);
	}
	vm = 0;
	return 0;
}

static inline int ended(void)
{
	int status = status_of(vm);

	if (status != -1)
		vm = 0;
	return status;
}

/* Returns whether there is a runtime directory. */
static inline bool make_top(void)
{
	struct hv_error err;

	return mkdtemp(top) && !setenv(HV_RUNTIME_DIR_VARIABLE, top, 1) &&
	       !hv_runtime_dir_open(&dir, true, &err);
}

/* What VMs that were killed have left there goes, too. */
static inline void remove_top(void)
{
	DIR *entries;

	hv_runtime_dir_close(&dir);
	entries = opendir(top);
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries)
		closedir(entries);
	if (rmdir(top))
		perror(top);
}

#endif
