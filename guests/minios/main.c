// SPDX-License-Identifier: GPL-2.0-only
/* Start and end of minios. */
#include "kernel.h"

#define MULTIBOOT_LOADED	0x2badb002
#define PORT_POWER		0x604
#define POWER_OFF		0x2000
#define PORT_PIC1_MASK		0x21
#define PORT_PIC2_MASK		0xa1

void kernel_main(u32 magic, const struct multiboot_info *info);

/* The old interrupt controllers stay silent: the local APIC does it all. */
static void pic_disable(void)
{
	outb(PORT_PIC1_MASK, 0xff);
	outb(PORT_PIC2_MASK, 0xff);
}

static void print_cpu(void)
{
	struct cpuid r = cpuid(0, 0);
	u32 vendor[4] = { r.ebx, r.edx, r.ecx, 0 };

	print("cpu: %s", (char *)vendor);
	if (r.eax >= 0x16)
		print(", %u MHz by CPUID", cpuid(0x16, 0).eax & 0xffff);
	print("\n");
}

__noreturn void power_off(void)
{
	print("minios: power off\n");
	outw(PORT_POWER, POWER_OFF);
	for (;;)
		cpu_pause();
}

__noreturn void panic(const char *format, ...)
{
	va_list args;

	print("minios: panic: ");
	va_start(args, format);
	vprint(format, args);
	va_end(args);
	print("\n");
	power_off();
}

/* The order matters: each line uses only what stands above it. */
void kernel_main(u32 magic, const struct multiboot_info *info)
{
	console_init();
	print("\nminios\n");
	print_cpu();
	pic_disable();
	cpu_init();
	kernel_enter();
	memory_init(magic == MULTIBOOT_LOADED ? info : NULL);
	clock_init();
	apic_init();
	task_init();
	smp_init();
	task_create("shell");
	task_idle();
}
