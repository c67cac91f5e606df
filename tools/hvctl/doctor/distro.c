// SPDX-License-Identifier: GPL-2.0-only
/*
 * Can the module be built here? Which package has the kernel's headers, by the distribution.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "lib/util.h"

/* What of the kernel's release a package is named for */
enum part { NOTHING, RELEASE, FLAVOUR, RPM };

/* A release's flavour is its last word, unless that is a number, as in 6.12.1-arch1-1 */
static const struct {
	const char *id;		/* of os-release, ID or ID_LIKE */
	const char *remedy;	/* with %s for @part */
	enum part part;
	const char *plain;	/* the remedy for a kernel without flavour */
} distros[] = {
	{ "debian", "sudo apt install linux-headers-%s", RELEASE, NULL },
	{ "ubuntu", "sudo apt install linux-headers-%s", RELEASE, NULL },
	{ "fedora", "sudo dnf install %s", RPM, NULL },
	{ "rhel", "sudo dnf install %s", RPM, NULL },
	{ "suse", "sudo zypper install kernel-%s-devel", FLAVOUR,
	  "sudo zypper install kernel-default-devel" },
	{ "opensuse", "sudo zypper install kernel-%s-devel", FLAVOUR,
	  "sudo zypper install kernel-default-devel" },
	{ "steamos",
	  "sudo steamos-readonly disable, then sudo pacman -S, of linux-neptune-*-headers, those of %s",
	  RELEASE, NULL },
	{ "manjaro", "sudo pacman -S linux-headers, and choose those of %s", RELEASE, NULL },
	{ "arch", "sudo pacman -S linux-%s-headers", FLAVOUR, "sudo pacman -S linux-headers" },
	{ "alpine", "doas apk add linux-%s-dev", FLAVOUR, "doas apk add linux-lts-dev" },
	{ "void", "sudo xbps-install linux-headers", NOTHING, NULL },
	{ "gentoo", "in /usr/src/linux, the sources of that kernel: make modules_prepare", NOTHING,
	  NULL },
	{ "nixos",
	  "build in an environment that has config.boot.kernelPackages.kernel.dev, and give make its KERNEL tree",
	  NOTHING, NULL },
};

/* The value of KEY=value or KEY="value" in the text of os-release */
static bool find_value(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) || line[len] != '=')
			continue;
		line += len + 1;
		line += *line == '"' || *line == '\'';
		snprintf(value, size, "%.*s", (int)strcspn(line, "\"'\n"), line);
		return true;
	}
	return false;
}

static int find_distro(const char *ids)
{
	for (const char *at = ids; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		for (size_t i = 0; i < ARRAY_SIZE(distros); i++)
			if (strlen(distros[i].id) == len && !strncmp(distros[i].id, at, len))
				return (int)i;
		at += len;
	}
	return -1;
}

/* This distribution, or else one that it is like; -1: none we know */
static int our_distro(const struct doctor_facts *f)
{
	char text[4096], ids[256];
	int found = -1;

	if (!doctor_read(f->env, text, sizeof(text), "/etc/os-release") &&
	    !doctor_read(f->env, text, sizeof(text), "/usr/lib/os-release"))
		return -1;
	if (find_value(text, "ID", ids, sizeof(ids)))
		found = find_distro(ids);
	if (found < 0 && find_value(text, "ID_LIKE", ids, sizeof(ids)))
		found = find_distro(ids);
	return found;
}

/* The package of @release: kernel-devel-VERSION, of "VERSION+rt" kernel-rt-devel-VERSION. */
static void name_rpm(char *name, size_t size, const char *release)
{
	const char *variant = strchr(release, '+');
	int version = (int)strcspn(release, "+");

	if (strstr(release, "uek.")) /* Oracle's own kernel */
		snprintf(name, size, "kernel-uek-devel-%s", release);
	else if (variant)
		snprintf(name, size, "kernel-%s-devel-%.*s", variant + 1, version, release);
	else
		snprintf(name, size, "kernel-devel-%s", release);
}

static void mend_headers(const struct doctor_facts *f, struct doctor_result *r)
{
	const char *release = f->env->release, *flavour = strrchr(release, '-');
	int distro = our_distro(f);
	char rpm[256];
	const char *words[] = {
		[NOTHING] = "",
		[RELEASE] = release,
		[FLAVOUR] = flavour && isalpha(flavour[1]) ? flavour + 1 : NULL,
		[RPM] = rpm,
	};

	name_rpm(rpm, sizeof(rpm), release);
	if (distro < 0)
		doctor_mend(
			r,
			"install the headers of that kernel, so that there is /lib/modules/%s/build",
			release);
	else if (words[distros[distro].part])
		doctor_mend(r, distros[distro].remedy, words[distros[distro].part]);
	else
		doctor_mend(r, "%s", distros[distro].plain);
}

void doctor_check_headers(const struct doctor_facts *f, struct doctor_result *r)
{
	const char *release = f->env->release;
	char path[PATH_MAX];

	if (doctor_exists(f->env, "/lib/modules/%s/build/Makefile", release)) {
		doctor_say(r, DOCTOR_OK, "kernel headers are in /lib/modules/%s/build", release);
	} else if (f->loaded || doctor_installed(f, release, path, sizeof(path))) {
		doctor_say(r, DOCTOR_OK, "no kernel headers, but the module is built already");
	} else {
		doctor_say(r, DOCTOR_NOT_OK,
			   "no kernel headers for %s: the module cannot be built here", release);
		mend_headers(f, r);
	}
}
