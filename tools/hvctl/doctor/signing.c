// SPDX-License-Identifier: GPL-2.0-only
/*
 * Will the kernel take the module? Lockdown, signatures, and the key that DKMS signs with.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "lib/util.h"

#define EFI_SECURE_BOOT \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* The owner's keys, as shim hands them to the kernel; the second is for large lists. */
static const char *const mok_lists[] = {
	"/sys/firmware/efi/mok-variables/MokListRT",
	"/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
};

/* Where DKMS has its key: Debian and others, Ubuntu */
static const struct key {
	const char *certificate, *private;
} keys[] = {
	{ "/var/lib/dkms/mok.pub", "/var/lib/dkms/mok.key" },
	{ "/var/lib/shim-signed/mok/MOK.der", "/var/lib/shim-signed/mok/MOK.priv" },
};

/* The last byte of the EFI variable; it begins with four of attributes. */
static bool secure_boot(const struct doctor_facts *f)
{
	char text[8] = "";

	doctor_read(f->env, text, sizeof(text), EFI_SECURE_BOOT);
	return text[4] == 1;
}

static const struct key *find_key(const struct doctor_facts *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (doctor_exists(f->env, "%s", keys[i].certificate))
			return &keys[i];
	return NULL;
}

enum enrolled { KEY_IS_NOT, KEY_IS_ENROLLED, KEY_UNKNOWN };

/* The list holds each certificate as it is in its file. */
static enum enrolled is_enrolled(const struct doctor_facts *f, const struct key *key)
{
	static char list[256 * 1024];
	char certificate[8192];
	ssize_t wanted, size;
	bool read = false;

	wanted =
		doctor_read_bytes(f->env, certificate, sizeof(certificate), "%s", key->certificate);
	for (size_t i = 0; i < ARRAY_SIZE(mok_lists) && wanted > 0; i++) {
		size = doctor_read_bytes(f->env, list, sizeof(list), "%s", mok_lists[i]);
		if (size > 0 && memmem(list, (size_t)size, certificate, (size_t)wanted))
			return KEY_IS_ENROLLED;
		read |= size >= 0;
	}
	return read && wanted > 0 ? KEY_IS_NOT : KEY_UNKNOWN;
}

/* Is there an installed module without a signature? A compressed one does not say. */
static bool installed_unsigned(const struct doctor_facts *f, char *path, size_t size)
{
	static const char mark[] = "~Module signature appended~\n";
	char end[sizeof(mark)] = "";
	char whole[PATH_MAX];
	FILE *file;
	bool read;

	if (!doctor_installed(f, f->env->release, path, size) || strcmp(strrchr(path, '.'), ".ko"))
		return false;
	snprintf(whole, sizeof(whole), "%s%s", f->env->root, path);
	file = fopen(whole, "re");
	if (!file)
		return false;
	read = !fseek(file, 1 - (long)sizeof(mark), SEEK_END) &&
	       fread(end, 1, sizeof(mark) - 1, file) == sizeof(mark) - 1;
	fclose(file);
	return !read || strcmp(end, mark);
}

static const char *or_no_secure_boot(const struct doctor_facts *f)
{
	return secure_boot(f) ? "; or turn Secure Boot off: sudo mokutil --disable-validation" : "";
}

static void mend_signature(const struct doctor_facts *f, struct doctor_result *r,
			   const struct key *key, const char *module)
{
	const char *release = f->env->release;

	doctor_mend(r,
		    "sign it: sudo /lib/modules/%s/build/scripts/sign-file sha256 %s %s %.150s%s%s",
		    release, key ? key->private : "MOK.priv", key ? key->certificate : "MOK.der",
		    module, key ? "" : " (enrol the key once: sudo mokutil --import MOK.der)",
		    or_no_secure_boot(f));
}

/* Only a signed module will do; @why begins what is said if there is something to mend. */
static void must_be_signed(const struct doctor_facts *f, struct doctor_result *r, const char *why)
{
	const struct key *key = find_key(f);
	char path[PATH_MAX] = "";
	enum enrolled enrolled = key ? is_enrolled(f, key) : KEY_IS_NOT;

	if (!key) {
		doctor_say(r, DOCTOR_NOT_OK, "%s, and DKMS has no key here to sign with", why);
		mend_signature(f, r, NULL, "tinyvmx.ko");
	} else if (enrolled == KEY_IS_NOT) {
		doctor_say(r, DOCTOR_NOT_OK, "%s, and the key of DKMS, %s, is not enrolled", why,
			   key->certificate);
		doctor_mend(r, "sudo mokutil --import %s && sudo reboot, then \"Enroll MOK\"%s",
			    key->certificate, or_no_secure_boot(f));
	} else if (installed_unsigned(f, path, sizeof(path))) {
		doctor_say(r, DOCTOR_NOT_OK, "%s, and %.150s has none", why, path);
		mend_signature(f, r, key, path);
	} else if (enrolled == KEY_UNKNOWN) {
		doctor_say(r, DOCTOR_UNKNOWN, "%s; whether it trusts %s cannot be read", why,
			   key->certificate);
		doctor_mend(r, "to find out: sudo mokutil --test-key %s", key->certificate);
	} else {
		doctor_say(r, DOCTOR_OK, "%s; it trusts the key of DKMS, %s", why,
			   key->certificate);
	}
}

void doctor_check_lockdown(const struct doctor_facts *f, struct doctor_result *r)
{
	char text[64], why[160];

	if (!doctor_read(f->env, text, sizeof(text), "/sys/kernel/security/lockdown")) {
		doctor_say(r, DOCTOR_OK, "no lockdown in this kernel");
		return;
	}
	if (strstr(text, "[none]") || f->loaded) {
		doctor_say(r, DOCTOR_OK, "%s%s", text,
			   strstr(text, "[none]") ? "" : "; but tinyvmx is loaded already");
		return;
	}
	snprintf(why, sizeof(why), "the kernel is locked down (%s): it wants signed modules", text);
	must_be_signed(f, r, why);
}

void doctor_check_signing(const struct doctor_facts *f, struct doctor_result *r)
{
	char text[8];

	if (f->loaded) {
		doctor_say(r, DOCTOR_OK, "tinyvmx is loaded already");
		return;
	}
	if (doctor_read(f->env, text, sizeof(text), "/proc/sys/kernel/modules_disabled") &&
	    text[0] == '1') {
		doctor_say(
			r, DOCTOR_NOT_OK,
			"kernel.modules_disabled is 1: no module can be loaded until the next boot");
		doctor_mend(r, "remove that setting from /etc/sysctl.d and reboot");
		return;
	}
	if (doctor_read(f->env, text, sizeof(text), "/sys/module/module/parameters/sig_enforce") &&
	    text[0] == 'Y') {
		must_be_signed(f, r, "module.sig_enforce: the kernel wants signed modules");
		return;
	}
	doctor_say(r, DOCTOR_OK, "signatures are not enforced%s",
		   secure_boot(f) ? " (Secure Boot is on)" : "");
}
