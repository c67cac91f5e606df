// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of hvctl doctor on the kernel, its modules and the device node.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "lib/util.h"

#define INSTALLED	"/lib/modules/%s/*/tinyvmx.ko*"
#define INSTALLED_DEEP	"/lib/modules/%s/*/*/tinyvmx.ko*"

/* --- who holds VMX --- */

/* Modules that turn VMX on; all but KVM only while a machine of theirs runs */
static const struct {
	const char *module;
	const char *name;
	const char *stop;
} holders[] = {
	{ "kvm_intel", "KVM", "stop its virtual machines, then: sudo modprobe -r kvm_intel" },
	{ "vboxdrv", "VirtualBox",
	  "stop its virtual machines, then: sudo modprobe -r vboxnetadp vboxnetflt vboxdrv" },
	{ "vmmon", "VMware", "stop its virtual machines, then: sudo modprobe -r vmmon" },
	{ "jailhouse", "Jailhouse", "sudo jailhouse disable" },
};

/* Number of users of a module; 0 for one that is built in and does not count */
static long module_users(const struct doctor_facts *f, const char *module)
{
	char text[32];

	doctor_read(f->env, text, sizeof(text), "/sys/module/%s/refcnt", module);
	return strtol(text, NULL, 10);
}

/* From 6.12 on KVM turns VMX on when it is loaded, if not told otherwise. */
static bool kvm_holds_at_load(const struct doctor_facts *f)
{
	char text[8];

	return doctor_read(f->env, text, sizeof(text),
			   "/sys/module/kvm/parameters/enable_virt_at_load") &&
	       text[0] == 'Y';
}

static bool under_xen(const struct doctor_facts *f)
{
	char text[16];

	return doctor_read(f->env, text, sizeof(text), "/sys/hypervisor/type") &&
	       !strcmp(text, "xen") && doctor_exists(f->env, "/proc/xen/capabilities");
}

/* Nobody has asked the module yet: hvctl's own can share. */
static bool can_share(const struct doctor_facts *f)
{
	return f->open_err || f->vmx.module.capabilities & TINYVMX_CAP_ROOT_KVM;
}

static bool has_sections(const struct doctor_facts *f)
{
	return !f->open_err && f->vmx.module.capabilities & TINYVMX_CAP_ROOT_SECTION;
}

static void kvm_holds(const struct doctor_facts *f, struct doctor_result *r)
{
	if (!can_share(f)) {
		doctor_say(r, DOCTOR_NOT_OK,
			   "KVM holds VMX (kvm_intel), and tinyvmx cannot share it on this host");
		doctor_mend(r, "%s", holders[0].stop);
	} else if (doctor_opens(f->env, "/dev/kvm")) {
		doctor_say(r, DOCTOR_OK,
			   "KVM holds VMX (kvm_intel), and tinyvmx shares it: guests of both run");
	} else if (has_sections(f)) {
		doctor_say(
			r, DOCTOR_OK,
			"KVM holds VMX (kvm_intel), and /dev/kvm cannot be opened: tinyvmx does without, and has VMX only while interrupts are off");
	} else {
		doctor_say(
			r, DOCTOR_NOT_OK,
			"KVM holds VMX (kvm_intel); tinyvmx could share it, but /dev/kvm cannot be opened");
		doctor_mend(r,
			    "sudo usermod -aG kvm $USER (and log in again), or run as root; or %s",
			    holders[0].stop);
	}
}

static void nobody_holds(const struct doctor_facts *f, struct doctor_result *r, const char *idle)
{
	if (has_sections(f))
		doctor_say(
			r, DOCTOR_OK,
			"%s%s; tinyvmx turns VMX on only while interrupts are off, and harms nobody's",
			idle[0] ? "loaded but idle: " : "no other hypervisor's module is loaded",
			idle);
	else if (idle[0])
		doctor_say(
			r, DOCTOR_OK,
			"loaded but idle: %s; while a machine of theirs runs, tinyvmx shares KVM's VMX, and gets EBUSY from others",
			idle);
	else
		doctor_say(r, DOCTOR_OK, "no other hypervisor's module is loaded");
}

void doctor_check_holder(const struct doctor_facts *f, struct doctor_result *r)
{
	char idle[128] = "";

	if (under_xen(f)) {
		doctor_say(r, DOCTOR_NOT_OK, "this is a Xen domain: Xen holds VMX");
		doctor_mend(r, "boot Linux without Xen");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++) {
		const char *module = holders[i].module;
		size_t used = strlen(idle);

		if (!doctor_exists(f->env, "/sys/module/%s", module))
			continue;
		if (!i && (kvm_holds_at_load(f) || module_users(f, module) > 0)) {
			kvm_holds(f, r);
			return;
		}
		if (module_users(f, module) > 0) {
			doctor_say(r, DOCTOR_NOT_OK, "%s is in use (%s), and may hold VMX",
				   holders[i].name, module);
			doctor_mend(r, "%s", holders[i].stop);
			return;
		}
		snprintf(idle + used, sizeof(idle) - used, "%s%s", used ? ", " : "", module);
	}
	nobody_holds(f, r, idle);
}

/* --- the module --- */

bool doctor_installed(const struct doctor_facts *f, const char *release, char *found, size_t size)
{
	char path[PATH_MAX];
	glob_t paths;
	bool ok;

	snprintf(path, sizeof(path), "%s" INSTALLED, f->env->root, release);
	glob(path, 0, NULL, &paths);
	snprintf(path, sizeof(path), "%s" INSTALLED_DEEP, f->env->root, release);
	glob(path, GLOB_APPEND, NULL, &paths);
	ok = paths.gl_pathc;
	if (ok)
		snprintf(found, size, "%s", paths.gl_pathv[0] + strlen(f->env->root));
	globfree(&paths);
	return ok;
}

static void module_loaded(const struct doctor_facts *f, struct doctor_result *r)
{
	char version[64], taint[16];

	if (!f->open_err && f->vmx.module.abi_version != TINYVMX_ABI_VERSION) {
		doctor_say(r, DOCTOR_NOT_OK, "the module speaks ABI %u, hvctl %u",
			   f->vmx.module.abi_version, TINYVMX_ABI_VERSION);
		doctor_mend(
			r,
			"build both from one tree: make && sudo rmmod tinyvmx && sudo insmod tinyvmx.ko");
		return;
	}
	if (!doctor_read(f->env, version, sizeof(version), "/sys/module/tinyvmx/version"))
		strcpy(version, "of no version");
	doctor_read(f->env, taint, sizeof(taint), "/sys/module/tinyvmx/taint");
	doctor_say(r, DOCTOR_OK, "loaded: %s%s%s, on kernel %s", version,
		   taint[0] ? ", taints the kernel " : "", taint, f->env->release);
}

/* For the running kernel: as it came here */
static const char *build_again(const struct doctor_facts *f)
{
	if (doctor_exists(f->env, "/var/lib/dkms/tinyvmx"))
		return "sudo dkms autoinstall && sudo modprobe tinyvmx";
	return "in tinyvmx's sources: make && sudo insmod tinyvmx.ko";
}

void doctor_check_module(const struct doctor_facts *f, struct doctor_result *r)
{
	char path[PATH_MAX];

	if (f->loaded) {
		module_loaded(f, r);
		return;
	}
	if (doctor_installed(f, f->env->release, path, sizeof(path))) {
		doctor_say(r, DOCTOR_NOT_OK, "not loaded, though installed (%.200s)", path);
		doctor_mend(r, "sudo modprobe tinyvmx; if that fails: sudo dmesg | grep tinyvmx");
	} else if (doctor_installed(f, "*", path, sizeof(path))) {
		doctor_say(r, DOCTOR_NOT_OK, "installed for another kernel (%.200s), not for %s",
			   path, f->env->release);
		doctor_mend(r, "%s", build_again(f));
	} else {
		doctor_say(r, DOCTOR_NOT_OK, "not loaded");
		doctor_mend(r, "%s; if that fails: sudo dmesg | grep tinyvmx", build_again(f));
	}
}

/* --- the device node --- */

/* The module's minor number from /proc/misc, -1 if it is not there */
static int misc_minor(const struct doctor_facts *f)
{
	char text[4096], *line, *save;
	int minor;

	doctor_read(f->env, text, sizeof(text), "/proc/misc");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[32];

		if (sscanf(line, "%d %31s", &minor, name) == 2 && !strcmp(name, "tinyvmx"))
			return minor;
	}
	return -1;
}

static bool group_exists(const struct doctor_facts *f)
{
	char text[8192];

	doctor_read(f->env, text, sizeof(text), "/etc/group");
	return !strncmp(text, "tinyvmx:", 8) || strstr(text, "\ntinyvmx:");
}

void doctor_check_device(const struct doctor_facts *f, struct doctor_result *r)
{
	if (!f->open_err) {
		doctor_say(r, DOCTOR_OK, "%s answers", TINYVMX_DEVICE);
		return;
	}
	if (!f->loaded) {
		doctor_say(r, DOCTOR_UNKNOWN, "needs the module");
		return;
	}
	doctor_say(r, DOCTOR_NOT_OK, "%s: %s", TINYVMX_DEVICE, strerror(-f->open_err));
	switch (-f->open_err) {
	case EACCES:
	case EPERM:
		doctor_mend(r,
			    "run as root, or: %ssudo usermod -aG tinyvmx $USER (and log in again)",
			    group_exists(f) ?
				    "" :
				    "sudo groupadd -r tinyvmx && sudo chgrp tinyvmx " TINYVMX_DEVICE
				    " && ");
		break;
	case ENOENT:
		doctor_mend(
			r,
			"sudo mknod -m 600 %s c 10 %d (in a container: start it with --device %s)",
			TINYVMX_DEVICE, misc_minor(f), TINYVMX_DEVICE);
		break;
	default:
		doctor_mend(r,
			    "load the module anew: sudo rmmod tinyvmx && sudo insmod tinyvmx.ko");
		break;
	}
}
