/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can keep VT-x from working: the checks of hvctl doctor.
 */
#ifndef HV_DOCTOR_DOCTOR_H
#define HV_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmx/info.h"

/* The machine to look at; a test gives one of its own. */
struct doctor_env {
	const char *root;	/* prefix of all files looked at; "" for ours */
	const char *release;	/* of the running kernel */
	void (*cpuid)(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);
	int (*from_module)(struct vmx_info *info);	/* 0 or -errno */
};

/* What was found out beforehand, for all checks */
struct doctor_facts {
	const struct doctor_env *env;
	bool has_vmx;			/* CPUID.1:ECX[5] */
	bool has_xsave;			/* CPUID.1:ECX[27]: and the kernel uses it */
	bool hypervisor;		/* CPUID.1:ECX[31] */
	char vendor[13];
	bool loaded;			/* tinyvmx */
	int open_err;			/* of /dev/tinyvmx: 0 or -errno */
	struct vmx_info vmx;
};

enum doctor_state { DOCTOR_OK, DOCTOR_NOT_OK, DOCTOR_UNKNOWN };

struct doctor_result {
	enum doctor_state state;
	char text[384];		/* what is */
	char remedy[384];	/* what to do, a command if there is one */
};

struct doctor_check {
	const char *name;
	int status;		/* exit status if it is the first that is not ok */
	const char *about;
	void (*run)(const struct doctor_facts *facts, struct doctor_result *result);
};

/* Exit status where nothing is wrong, but something could not be found out */
#define DOCTOR_STATUS_UNKNOWN	1

extern const struct doctor_check doctor_checks[];
extern const size_t doctor_nr_checks;

/**
 * doctor_examine - find out what all checks need
 * @env: the machine to look at; must outlive @facts
 * @facts: to be filled
 */
void doctor_examine(const struct doctor_env *env, struct doctor_facts *facts);

/**
 * doctor_run - run all checks
 * @facts: as doctor_examine() found them
 * @results: gets doctor_nr_checks results
 *
 * Return: the exit status: of the first check that is not ok, DOCTOR_STATUS_UNKNOWN, or 0.
 */
int doctor_run(const struct doctor_facts *facts, struct doctor_result *results);

/* Read a small file under the root, without its last newline. */
bool doctor_read(const struct doctor_env *env, char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Any bytes of it; -1 if it cannot be read. */
ssize_t doctor_read_bytes(const struct doctor_env *env, void *buf, size_t size, const char *format,
			  ...) __attribute__((format(printf, 4, 5)));

bool doctor_exists(const struct doctor_env *env, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether this user may open it to read and write. */
bool doctor_opens(const struct doctor_env *env, const char *path);

/*
 * Find a whole word in the first line of /proc/cpuinfo that starts with @key; @known: there
 * is such a line.
 */
bool doctor_cpuinfo_has(const struct doctor_facts *f, const char *key, const char *word,
			bool *known);

/* Find an installed module, by its path below the root; @release may be "*". */
bool doctor_installed(const struct doctor_facts *f, const char *release, char *found, size_t size);

/* What several checks say */
#define DOCTOR_NO_VMX	"needs VMX, which this CPU does not show"
#define DOCTOR_TESTBED	"try it in the emulated machine, from tinyvmx's sources: MACHINE=bochs make run"

/* Set the outcome of a check. */
void doctor_say(struct doctor_result *r, enum doctor_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void doctor_mend(struct doctor_result *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The checks, by where they look */
void doctor_check_hypervisor(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_cpu(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_firmware(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_features(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_holder(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_lockdown(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_signing(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_headers(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_module(const struct doctor_facts *f, struct doctor_result *r);
void doctor_check_device(const struct doctor_facts *f, struct doctor_result *r);

#endif
