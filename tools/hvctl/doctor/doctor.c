// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of hvctl doctor in order, and how they look at a machine.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "lib/util.h"

/* From the ground up: what comes later needs what comes before. */
const struct doctor_check doctor_checks[] = {
	{ "hypervisor", 10, "a hypervisor around this machine passes VMX on",
	  doctor_check_hypervisor },
	{ "cpu", 11, "the CPU has VMX", doctor_check_cpu },
	{ "firmware", 12, "the firmware allows VMX", doctor_check_firmware },
	{ "features", 13, "VMX has all that tinyvmx needs", doctor_check_features },
	{ "vmx-root", 14, "VMX is free, or can be shared with KVM", doctor_check_holder },
	{ "lockdown", 15, "the kernel takes unsigned modules: lockdown",
	  doctor_check_lockdown },
	{ "signing", 16, "the kernel takes unsigned modules: signing",
	  doctor_check_signing },
	{ "headers", 17, "the module can be built for this kernel",
	  doctor_check_headers },
	{ "module", 18, "the module is loaded, and fits hvctl", doctor_check_module },
	{ "device", 19, "/dev/tinyvmx can be opened", doctor_check_device },
};

const size_t doctor_nr_checks = ARRAY_SIZE(doctor_checks);

static bool make_path(const struct doctor_env *env, char *path, size_t size, const char *format,
		      va_list args)
{
	int n = snprintf(path, size, "%s", env->root);

	if (n < 0 || (size_t)n >= size)
		return false;
	return vsnprintf(path + n, size - (size_t)n, format, args) < (int)(size - (size_t)n);
}

static ssize_t read_path(const struct doctor_env *env, void *buf, size_t size, const char *format,
			 va_list args)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd = -1;

	if (make_path(env, path, sizeof(path), format, args))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	return n;
}

ssize_t doctor_read_bytes(const struct doctor_env *env, void *buf, size_t size, const char *format,
			  ...)
{
	va_list args;
	ssize_t n;

	va_start(args, format);
	n = read_path(env, buf, size, format, args);
	va_end(args);
	return n;
}

bool doctor_read(const struct doctor_env *env, char *buf, size_t size, const char *format, ...)
{
	va_list args;
	ssize_t n;

	va_start(args, format);
	n = read_path(env, buf, size - 1, format, args);
	va_end(args);
	buf[n < 0 ? 0 : n] = 0;
	if (n < 0)
		return false;
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = 0;
	return true;
}

bool doctor_exists(const struct doctor_env *env, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	bool fits;

	va_start(args, format);
	fits = make_path(env, path, sizeof(path), format, args);
	va_end(args);
	return fits && !access(path, F_OK);
}

bool doctor_opens(const struct doctor_env *env, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s%s", env->root, name) < (int)sizeof(path) &&
	       !access(path, R_OK | W_OK);
}

void doctor_say(struct doctor_result *r, enum doctor_state state, const char *format, ...)
{
	va_list args;

	r->state = state;
	va_start(args, format);
	vsnprintf(r->text, sizeof(r->text), format, args);
	va_end(args);
}

void doctor_mend(struct doctor_result *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->remedy, sizeof(r->remedy), format, args);
	va_end(args);
}

static void examine_cpu(struct doctor_facts *f)
{
	uint32_t regs[4];

	f->env->cpuid(0, 0, regs);
	memcpy(f->vendor, &regs[1], 4);
	memcpy(f->vendor + 4, &regs[3], 4);
	memcpy(f->vendor + 8, &regs[2], 4);
	f->env->cpuid(1, 0, regs);
	f->has_vmx = regs[2] >> 5 & 1;
	f->has_xsave = regs[2] >> 27 & 1;
	f->hypervisor = regs[2] >> 31;
}

void doctor_examine(const struct doctor_env *env, struct doctor_facts *f)
{
	char path[PATH_MAX];

	memset(f, 0, sizeof(*f));
	f->env = env;
	examine_cpu(f);
	f->loaded = doctor_exists(env, "/sys/module/tinyvmx");
	f->open_err = env->from_module(&f->vmx);
	if (!f->open_err || !f->has_vmx)
		return;
	snprintf(path, sizeof(path), "%s/dev/cpu/0/msr", env->root);
	vmx_info_from_msrs(&f->vmx, path);
	f->vmx.source = "/dev/cpu/0/msr";
}

int doctor_run(const struct doctor_facts *facts, struct doctor_result *results)
{
	int failed = 0, unknown = 0;

	for (size_t i = 0; i < doctor_nr_checks; i++) {
		struct doctor_result *r = &results[i];

		memset(r, 0, sizeof(*r));
		doctor_checks[i].run(facts, r);
		if (r->state == DOCTOR_NOT_OK && !failed)
			failed = doctor_checks[i].status;
		if (r->state == DOCTOR_UNKNOWN)
			unknown = DOCTOR_STATUS_UNKNOWN;
	}
	return failed ? failed : unknown;
}
