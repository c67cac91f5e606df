// SPDX-License-Identifier: GPL-2.0-only
/* Checks, and the verdict that ends a guest. */
#include "guest.h"

static u32 checks, failures;

void step(const char *format, ...)
{
	va_list args;

	print("- ");
	va_start(args, format);
	vprint(format, args);
	va_end(args);
	print("\n");
}

void skipped(const char *format, ...)
{
	va_list args;

	print("  skipped: ");
	va_start(args, format);
	vprint(format, args);
	va_end(args);
	print("\n");
}

bool check_at(const char *file, int line, bool ok, const char *what)
{
	checks++;
	if (!ok) {
		failures++;
		print("%s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

bool check_eq_at(const char *file, int line, u64 got, u64 want, const char *what)
{
	bool ok = check_at(file, line, got == want, what);

	if (!ok)
		print("    got 0x%llx, want 0x%llx\n", got, want);
	return ok;
}

__noreturn void guest_exit(u8 value)
{
	outb(PORT_EXIT, value);
	cpu_halt_forever();	/* no such port in this machine */
}

__noreturn void skip_guest(const char *reason)
{
	print("SKIP %s: %s\n", guest_name, reason);
	guest_exit(VERDICT_SKIP);
}

/* A guest that checked nothing has shown nothing. */
__noreturn void guest_finish(void)
{
	bool pass = checks && !failures;

	print("%u checks, %u failed\n", checks, failures);
	print("%s %s\n", pass ? "PASS" : "FAIL", guest_name);
	guest_exit(pass ? VERDICT_PASS : VERDICT_FAIL);
}
