// SPDX-License-Identifier: GPL-2.0-only
/* hvctl doctor --report: a machine in one file. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/report.h"
#include "doctor_report.h"
#include "lib/text.h"
#include "lib/util.h"

#define SELFTEST_SECONDS "120"

static void heading(FILE *out, const char *text)
{
	fprintf(out, "\n## %s\n\n", text);
}

/* One line of what a file of the kernel's has, if it is there */
static void print_file(FILE *out, const struct doctor_env *env, const char *path)
{
	char text[512];

	if (!doctor_read(env, text, sizeof(text), "%s", path))
		return;
	hv_text_clean(text, sizeof(text), text, strlen(text));
	fprintf(out, "%s: %s\n", path, text);
}

static void print_files(FILE *out, const struct doctor_env *env, const char *pattern)
{
	char path[PATH_MAX];
	glob_t found;

	snprintf(path, sizeof(path), "%s%s", env->root, pattern);
	if (!glob(path, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			print_file(out, env, found.gl_pathv[i] + strlen(env->root));
	globfree(&found);
}

/* --- the machine --- */

/* Of the first CPU: the lines that say which it is */
static void print_cpu(FILE *out, const struct doctor_env *env)
{
	static const char *const keys[] = {
		"vendor_id", "cpu family", "model", "model name", "stepping", "microcode",
		"siblings",  "cpu cores",  "flags", "vmx flags",  "bugs",     "address sizes"
	};
	char text[16384], *line, *save;

	doctor_read(env, text, sizeof(text), "/proc/cpuinfo");
	/* The first CPU's lines end with an empty one. */
	line = strstr(text, "\n\n");
	if (line)
		*line = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strcspn(line, "\t:");

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if (strlen(keys[i]) == len && !strncmp(line, keys[i], len))
				fprintf(out, "%s%s\n", keys[i], line + strcspn(line, ":"));
	}
}

/* What changes how VMX or the CPU works; other words may tell of disks, networks and people. */
static bool is_harmless(const char *word)
{
	static const char *const names[] = {
		"mitigations", "spec",         "mds",        "tsx",        "l1tf",
		"l1d_flush",   "retbleed",     "srbds",      "mmio_",      "gather_",
		"reg_file",    "indirect_",    "vmscape",    "tsa",        "kvm",
		"nosmt",       "nohz",         "isolcpus",   "rcu_nocbs",  "preempt",
		"lockdown",    "module.sig",   "nox2apic",   "noapic",     "nolapic",
		"split_lock",  "clocksource",  "tsc",        "tinyvmx",    "noxsave",
		"nospec",      "intel_pstate", "idle",       "processor.", "intel_idle",
		"nopti",       "pti",          "threadirqs", "hugepagesz", "transparent_hugepage",
		"fred",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(word, names[i], strlen(names[i])))
			return true;
	return false;
}

static void print_cmdline(FILE *out, const struct doctor_env *env)
{
	char text[4096], *word, *save;

	doctor_read(env, text, sizeof(text), "/proc/cmdline");
	fputs("command line, what of it has to do with the CPU:", out);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (is_harmless(word)) {
			hv_text_clean(word, strlen(word) + 1, word, strlen(word));
			fprintf(out, " %s", word);
		}
	fputc('\n', out);
}

static void print_machine(FILE *out, const struct doctor_env *env)
{
	struct utsname uts;

	heading(out, "Machine");
	print_cpu(out, env);
	print_file(out, env, "/sys/devices/system/cpu/online");
	print_file(out, env, "/sys/devices/system/cpu/smt/active");
	/* Hybrid CPUs have both. */
	print_file(out, env, "/sys/devices/cpu_core/cpus");
	print_file(out, env, "/sys/devices/cpu_atom/cpus");
	heading(out, "Kernel");
	if (!uname(&uts))
		fprintf(out, "%s %s %s\n", uts.release, uts.version, uts.machine);
	print_cmdline(out, env);
	print_file(out, env, "/sys/kernel/security/lockdown");
	print_file(out, env, "/sys/devices/system/clocksource/clocksource0/current_clocksource");
	print_file(out, env, "/sys/kernel/mm/transparent_hugepage/enabled");
	print_files(out, env, "/sys/devices/system/cpu/vulnerabilities/*");
	print_files(out, env, "/sys/module/kvm/parameters/*");
	print_files(out, env, "/sys/module/kvm_intel/parameters/*");
	print_file(out, env, "/sys/module/tinyvmx/version");
	print_file(out, env, "/sys/module/tinyvmx/srcversion");
	print_files(out, env, "/sys/module/tinyvmx/parameters/*");
}

/* --- selftests --- */

/* What a program that speaks TAP has said: its failures are printed. */
static void count_results(FILE *out, FILE *in, const char *name, unsigned int counts[3])
{
	char line[512];

	while (fgets(line, sizeof(line), in)) {
		bool skipped = strcasestr(line, "# SKIP");

		line[strcspn(line, "\n")] = 0;
		hv_text_clean(line, sizeof(line), line, strlen(line));
		if (!strncmp(line, "not ok", 6)) {
			counts[1]++;
			fprintf(out, "%s: %s\n", name, line);
		} else if (!strncmp(line, "ok", 2) || !strncmp(line, "1..0", 4)) {
			counts[skipped ? 2 : 0]++;
		}
	}
}

static int start_selftest(const char *path, int output, pid_t *pid)
{
	char *const argv[] = { "timeout", "-k", "5", SELFTEST_SECONDS, (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

static void run_selftest(FILE *out, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	unsigned int counts[3] = { 0 };
	int ends[2], status = 0, err;
	pid_t pid;
	FILE *in;

	if (pipe2(ends, O_CLOEXEC)) {
		fprintf(out, "%s: %s\n", name, strerror(errno));
		return;
	}
	err = start_selftest(path, ends[1], &pid);
	close(ends[1]);
	in = fdopen(ends[0], "r");
	if (in)
		count_results(out, in, name, counts);
	if (!err)
		waitpid(pid, &status, 0);
	if (in)
		fclose(in);
	fprintf(out, "%s: %u passed, %u failed, %u skipped", name, counts[0], counts[1], counts[2]);
	if (err)
		fprintf(out, "; not started: %s", strerror(err));
	else if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != 4))
		fprintf(out, "; status %d",
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fputc('\n', out);
}

static void print_selftests(FILE *out, const struct doctor_facts *facts, const char *selftests)
{
	char pattern[PATH_MAX];
	glob_t found;

	heading(out, "Selftests");
	if (!selftests || facts->open_err) {
		fprintf(out, "not run: %s\n",
			selftests ? "the device cannot be opened" : "no --selftests");
		return;
	}
	snprintf(pattern, sizeof(pattern), "%s/*", selftests);
	if (glob(pattern, 0, NULL, &found))
		fputs("not run: there are none in that folder\n", out);
	else
		for (size_t i = 0; i < found.gl_pathc; i++)
			run_selftest(out, found.gl_pathv[i]);
	globfree(&found);
}

/* --- bench --- */

static void ignore(int sig)
{
	(void)sig;
}

/* All but what boots a Linux, which is not here */
static void print_bench(FILE *out, const struct doctor_facts *facts)
{
	static const struct sigaction action = { .sa_handler = ignore };
	struct hv_bench_result *results;

	heading(out, "Bench, in ticks of the TSC");
	if (facts->open_err) {
		fprintf(out, "not run: the device cannot be opened\n");
		return;
	}
	results = calloc(hv_bench_nr_cases, sizeof(*results));
	if (!results)
		return;
	sigaction(SIGUSR1, &action, NULL);
	for (unsigned int i = 0; i < hv_bench_nr_cases; i++) {
		results[i].wanted = strncmp(hv_bench_cases[i].name, "linux-", 6) &&
				    strcmp(hv_bench_cases[i].name, "hvctl-rss");
		if (results[i].wanted)
			hv_bench_measure(&hv_bench_cases[i], &hv_bench_tinyvmx,
					 &results[i].number[HV_BENCH_TINYVMX],
					 &results[i].why[HV_BENCH_TINYVMX]);
	}
	hv_bench_print_table(out, results, NULL);
	hv_bench_print_failures(out, results);
	free(results);
}

/* --- all of it --- */

void doctor_print(FILE *out, const struct doctor_result *results)
{
	static const char *const states[] = {
		[DOCTOR_OK] = "ok",
		[DOCTOR_NOT_OK] = "not ok",
		[DOCTOR_UNKNOWN] = "unknown",
	};

	for (size_t i = 0; i < doctor_nr_checks; i++) {
		const struct doctor_result *r = &results[i];

		fprintf(out, "%-7s  %s: %s\n", states[r->state], doctor_checks[i].name, r->text);
		if (r->remedy[0])
			fprintf(out, "         -> %s\n", r->remedy);
	}
}

void doctor_report(FILE *out, const struct doctor_facts *facts, const struct doctor_result *results,
		   const char *selftests)
{
	fprintf(out, "# Report of hvctl %s\n", HV_VERSION);
	heading(out, "Doctor");
	doctor_print(out, results);
	print_machine(out, facts->env);
	heading(out, "VMX");
	if (facts->vmx.cpu.msr_valid)
		vmx_info_print(&facts->vmx, out);
	else
		fputs("the capability MSRs cannot be read\n", out);
	print_selftests(out, facts, selftests);
	print_bench(out, facts);
}
