// SPDX-License-Identifier: GPL-2.0-only
/* What would make a row of the exit bill smaller. */
#include "bill.h"
#include "lib/util.h"

#define NO_MATTER UINT64_MAX

/* The first row that fits is it. */
static const struct {
	uint32_t reason;
	uint64_t first, last;		/* of the detail */
	const char *text;
} rows[] = {
	{ 0, 7, 7, "it uses the FPU after each task switch by CR0.TS: an eager guest does not" },
	{ 0, 0, NO_MATTER, "exceptions that hvctl or a debugger watches for; detach it" },
	{ 1, 0, 0,
	  "the host's own interrupts: fewer of its ticks (nohz_full) and devices on this CPU" },
	{ 7, 0, 0,
	  "interrupts wait until it can take them: APIC virtualization would (hvctl info)" },
	{ 10, 0, 0, "CPUID exits in every VM: have the guest ask once and keep the answer" },
	{ 12, 0, 0, "it is idle; nothing to save" },
	{ 18, 0, 0, "calls that the guest makes to the VMM" },
	{ 28, 0, NO_MATTER, "control registers that the guest writes: fewer mode switches" },
	{ 30, 0x20, 0x21, "the 8259 PIC: a guest with ACPI or an MP table uses the local APIC" },
	{ 30, 0xa0, 0xa1, "the 8259 PIC: a guest with ACPI or an MP table uses the local APIC" },
	{ 30, 0x40, 0x43, "the PIT: the local APIC's timer and the TSC are cheaper clocks" },
	{ 30, 0x60, 0x60,
	  "the keyboard's controller: a guest that waits for interrupts asks less" },
	{ 30, 0x61, 0x61, "it waits by the PIT's speaker gate, to calibrate: once, at its start" },
	{ 30, 0x64, 0x64,
	  "the keyboard's controller: a guest that waits for interrupts asks less" },
	{ 30, 0x70, 0x71, "the CMOS clock: read it once and go on by the TSC" },
	{ 30, 0x80, 0x80, "delays by port 0x80: io_delay=none for a Linux guest" },
	{ 30, 0x170, 0x177, "a disk by PIO: use DMA, or a virtio disk (--disk FILE)" },
	{ 30, 0x1f0, 0x1f7, "a disk by PIO: use DMA, or a virtio disk (--disk FILE)" },
	{ 30, 0x2e8, 0x2ef, "a serial port exits for each byte: --device console, console=hvc0" },
	{ 30, 0x2f8, 0x2ff, "a serial port exits for each byte: --device console, console=hvc0" },
	{ 30, 0x3e8, 0x3ef, "a serial port exits for each byte: --device console, console=hvc0" },
	{ 30, 0x3f8, 0x3ff, "a serial port exits for each byte: --device console, console=hvc0" },
	{ 30, 0x3c0, 0x3df, "the VGA's registers: a console by --device console does without" },
	{ 30, 0x600, 0x6ff, "ACPI's registers, its PM timer for one: clocksource=tsc for Linux" },
	{ 30, 0xcf8, 0xcff, "PCI configuration: drivers do that at their start" },
	{ 30, 0, NO_MATTER,
	  "a device that is asked by port: one that raises interrupts asks for less" },
	{ 31, 0, NO_MATTER, "an MSR that the guest reads over and over: have it keep the value" },
	{ 32, 0x6e0, 0x6e0, "its timer: fewer ticks (a tickless guest, a lower HZ)" },
	{ 32, 0x80b, 0x80b,
	  "ends of interrupts: APIC virtualization would take them (hvctl info)" },
	{ 32, 0x830, 0x830,
	  "IPIs between its CPUs: fewer vCPUs, or work that stays on one of them" },
	{ 32, 0x838, 0x838, "its timer: fewer ticks (a tickless guest, a lower HZ)" },
	{ 32, 0, NO_MATTER, "an MSR that the guest writes over and over" },
	{ 40, 0, 0, "it spins for a lock whose holder does not run: as many vCPUs as free CPUs" },
	{ 43, 0, 0, "priorities of interrupts: a guest with x2APIC and APIC virtualization" },
	{ 44, 0xfee00000, 0xfee00000,
	  "the local APIC as memory: a guest with x2APIC does without" },
	{ 48, 0xfee00000, 0xfee00000,
	  "the local APIC as memory: a guest with x2APIC does without" },
	{ 48, 1, NO_MATTER, "a device's registers in memory: a virtio device exits less" },
	{ 48, 0, 0,
	  "memory that is touched for the first time, or came back: huge pages of the host" },
	{ 49, 1, NO_MATTER, "a device's registers in memory: a virtio device exits less" },
	{ 52, 0, 0, "its timer: fewer ticks (a tickless guest, a lower HZ)" },
};

const char *hv_bill_advice(uint32_t reason, uint64_t detail)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].reason == reason && detail >= rows[i].first && detail <= rows[i].last)
			return rows[i].text;
	return "what the guest does there it would have to do less often";
}
