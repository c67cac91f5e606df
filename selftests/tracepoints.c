// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints tinyvmx_entry and tinyvmx_exit are there and fire. */
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib.h"

static char root[64];

static bool find_tracefs(void)
{
	static const char * const places[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
		"/tmp/tracefs-selftest",
	};
	char path[128];

	mkdir(places[2], 0700);
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(root, sizeof(root), "%s", places[i]);
		snprintf(path, sizeof(path), "%s/events", root);
		if (!access(path, F_OK))
			return true;
		if (!mount("tracefs", root, "tracefs", 0, NULL))
			return true;
	}
	return false;
}

static bool knob(const char *name, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return write_text(path, value);
}

static void exits_thrice(void)
{
	*(volatile u64 *)(GUEST_FREE_GPA + 0x123450) = 1;
	guest_sync(0);
	__asm__ volatile("cli; hlt");
}

/* Lines of the trace that name @event and, if not NULL, @text. */
static u32 lines_with(const char *event, const char *text)
{
	char path[160], line[512];
	u32 count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", root);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || !strstr(line, event))
			continue;
		if (count < 4)
			diag("%.*s", (int)strcspn(line, "\n"), line);
		count += !text || strstr(line, text);
	}
	fclose(f);
	return count;
}

int main(void)
{
	struct vcpu *vcpu;
	char gpa[32];

	tap_init();
	info();
	if (!find_tracefs())
		skip_all("no tracefs here");
	knob("tracing_on", "1");
	knob("trace", "");
	ok(knob("events/tinyvmx/tinyvmx_entry/enable", "1"), "tinyvmx_entry");
	ok(knob("events/tinyvmx/tinyvmx_exit/enable", "1"), "tinyvmx_exit");
	vcpu = vcpu_simple(exits_thrice);
	ok_sync(vcpu, 0, "a guest with an OUT");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "and a HLT");
	knob("events/tinyvmx/enable", "0");
	ok(lines_with("tinyvmx_entry", NULL) >= 2, "entries are traced");
	ok(lines_with("tinyvmx_exit", NULL) >= 2, "exits are traced");
	ok(lines_with("tinyvmx_exit", "reason 0xc ") == 1, "the HLT once");
	snprintf(gpa, sizeof(gpa), "gpa 0x%lx\n", GUEST_FREE_GPA + 0x123450UL);
	ok(lines_with("EPT_VIOLATION", gpa) >= 1, "an EPT violation with its address");
	knob("trace", "");
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
