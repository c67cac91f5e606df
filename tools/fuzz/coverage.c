// SPDX-License-Identifier: GPL-2.0-only
/* KCOV: what of the module is reached. Without it nothing is new. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_TRACE_PC	0
#define ENTRIES		(1UL << 14)	/* a call makes 120; what spins in a RUN fills any */

static _Thread_local unsigned long *trace;	/* [0]: how many follow */
static unsigned long text;	/* where the module lies */

static unsigned long find_module(void)
{
	FILE *file = fopen("/proc/modules", "r");
	unsigned long at = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "tinyvmx %*s %*s %*s %*s %lx", &at) == 1)
			break;
	if (file)
		fclose(file);
	return at;
}

void coverage_init(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	void *buffer;

	text = find_module();
	if (fd < 0 || !text || ioctl(fd, KCOV_INIT_TRACE, ENTRIES))
		return;
	buffer = mmap(NULL, ENTRIES * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (buffer == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		return;
	trace = buffer;
}

void coverage_start(void)
{
	if (trace)
		__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
}

bool coverage_is_new(void)
{
	unsigned long n, count = trace ? __atomic_load_n(&trace[0], __ATOMIC_RELAXED) : 0;
	bool is_new = false;

	for (n = 1; n <= count && n < ENTRIES; n++) {
		unsigned long at = trace[n] - text;
		u8 bit = 1 << at % 8;

		if (at >= TEXT_BYTES || (shared->seen[at / 8] & bit))
			continue;
		if (atomic_fetch_or(&shared->seen[at / 8], bit) & bit)
			continue;
		atomic_fetch_add(&shared->covered, 1);
		is_new = true;
	}
	coverage_start();
	return is_new;
}
