// SPDX-License-Identifier: GPL-2.0-only
/* What a VM that does nothing and a module cost in memory. */
#include <errno.h>
#include <stdio.h>

#include "blobs.h"
#include "cases.h"

/*
 * Many at once: slabs come in pages. The first ones bring what all share and use up the pages
 * that the kernel keeps at hand for each CPU, which it does not count as free.
 */
#define FIRST_VMS 48
#define VMS 128

/* A field of a file of "name: number kB" lines, in bytes. */
static int64_t field(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	size_t len = strlen(name);
	char line[200];
	long value = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && sscanf(line + len, ": %ld", &value) == 1)
			break;
	fclose(file);
	return (int64_t)value * 1024;
}

/* Memory in use that is not this process's own. */
static int64_t kernel_memory(void)
{
	/* Opening it for reading makes the counters exact. */
	field("/proc/sys/vm/stat_refresh", "");
	return -field("/proc/meminfo", "MemFree") - field("/proc/meminfo", "Cached") -
	       field("/proc/self/smaps_rollup", "Anonymous") - field("/proc/self/status", "VmPTE");
}

/* One that has run once. */
static int make_idle(struct hv_bench_vm *vm, const struct hv_bench_backend *backend,
		     struct hv_error *err)
{
	uint64_t ticks;
	int error = hv_bench_vm_init(vm, backend, false, err);

	if (!error)
		error = hv_bench_set_high(vm, HV_BENCH_UNTOUCHED, err);
	return error ? error : hv_bench_run(vm, hv_bench_guest_wbinvd, 1, 0, &ticks, err);
}

int hv_bench_host_memory(const struct hv_bench_backend *backend, uint64_t *bytes,
			 struct hv_error *err)
{
	static struct hv_bench_vm vm[FIRST_VMS + VMS];
	unsigned int made = 0;
	int64_t before = 0;
	int error = 0;

	while (made < FIRST_VMS + VMS && !error) {
		if (made == FIRST_VMS)
			before = kernel_memory();
		error = make_idle(&vm[made++], backend, err);
	}
	*bytes = (kernel_memory() - before) / VMS;
	while (made)
		hv_bench_vm_exit(&vm[--made]);
	return error;
}

static uint64_t loaded_size(const char *module)
{
	char path[64];
	unsigned long size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/coresize", module);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &size) != 1)
		size = 0;
	fclose(file);
	return size;
}

int hv_bench_host_module(const struct hv_bench_backend *backend, uint64_t *bytes,
			 struct hv_error *err)
{
	*bytes = backend == &hv_bench_kvm ? loaded_size("kvm") + loaded_size("kvm_intel") :
					    loaded_size("tinyvmx");
	return *bytes ? 0 :
			hv_fail(err, ENOENT, "%s: the kernel does not tell the size of its module",
				backend->name);
}
