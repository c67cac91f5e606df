// SPDX-License-Identifier: GPL-2.0-only
/* The cases of the bench, a row each. */
#include "blobs.h"
#include "cases.h"
#include "lib/util.h"

/* Few iterations a round, so that the host's timer interrupt falls into few rounds. */
#define EXITS .iterations = 16, .rounds = 31
#define USER .iterations = 8, .rounds = 31
#define SOME .iterations = 8, .rounds = 15
#define ONCE .iterations = 1, .rounds = 15
/* Far enough to be set before it is due, near enough to be waited for. */
#define DEADLINE 20000
#define NEVER 1000000000ULL

#define WHOLE .iterations = 1, .rounds = 1

#define G(_name, _guest, _what) .name = _name, .what = _what, .guest = hv_bench_guest_##_guest

const struct hv_bench_case hv_bench_cases[] = {
	/* First, before others leave the kernel with memory that it has not got back yet. */
	{ .name = "vm-memory", .what = "kernel memory of an idle 128 MiB VM, bytes",
	  .host = hv_bench_host_memory, .iterations = 1, .rounds = 1, .flags = HV_BENCH_BYTES,
	  .max_ticks = 65536 },
	{ G("cpuid", cpuid, "CPUID"), EXITS, .max_ticks = 250 },
	{ G("wbinvd", wbinvd, "WBINVD, the cheapest exit"), EXITS, .max_ticks = 200 },
	{ G("rdmsr", rdmsr, "RDMSR of IA32_PAT"), EXITS, .max_ratio = 0.4 },
	{ G("wrmsr", wrmsr, "WRMSR of IA32_PAT"), EXITS, .max_ratio = 0.4 },
	{ G("cr0-cd", cr0_cd, "MOV to CR0 that toggles CD"), EXITS },
	{ G("cr0-wp", cr0_wp, "MOV to CR0 that toggles WP"), EXITS },
	{ G("cr4-mce", cr4_mce, "MOV to CR4 that toggles MCE"), EXITS },
	{ G("dr-read", dr_read, "MOV from DR6"), EXITS, .max_ratio = 1 },
	{ G("dr-write", dr_write, "MOV to DR7"), EXITS, .max_ratio = 1 },
	{ G("cpuid-avx", cpuid_avx, "CPUID with AVX registers in use"), EXITS },
	{ G("out8", out8, "OUT of 1 byte to userspace"), USER },
	{ G("out16", out16, "OUT of 2 bytes to userspace"), USER },
	{ G("out32", out32, "OUT of 4 bytes to userspace"), USER },
	{ G("in8", in8, "IN of 1 byte from userspace"), USER, .max_ticks = 1000, .max_ratio = 0.5 },
	{ G("in16", in16, "IN of 2 bytes from userspace"), USER, .max_ticks = 1000,
	  .max_ratio = 0.5 },
	{ G("in32", in32, "IN of 4 bytes from userspace"), USER, .max_ticks = 1000,
	  .max_ratio = 0.5 },
	{ G("in32-avx", in32_avx, "the same with AVX registers in use"), USER },
	{ G("outsb", outsb, "REP OUTSB of 4 KiB to userspace"), .iterations = 1, .rounds = 5 },
	{ G("out-event", out_event, "OUT that signals an eventfd"), EXITS, .flags = HV_BENCH_EVENT,
	  .max_ratio = 0.4 },
	{ G("kick", out_event, "kick of a virtio device: by a port, in KVM by MMIO"), EXITS,
	  .kvm_guest = hv_bench_guest_mmio_event, .flags = HV_BENCH_EVENT, .max_ratio = 0.4 },
	{ G("mmio-read", mmio_read, "MMIO read from userspace"), USER, .max_ticks = 2000 },
	{ G("mmio-write", mmio_write, "MMIO write to userspace"), USER, .max_ticks = 2000 },
	{ G("hlt-inject", hlt_inject, "HLT to userspace, which injects an interrupt"), USER },
	{ G("ept-4k", touch, "EPT violation, 4 KiB page, scattered"), .iterations = 64, .rounds = 7,
	  .argument = 0x100000, .high = HV_BENCH_SMALL_PAGES, .max_ratio = 0.5 },
	{ G("ept-2m", touch, "EPT violation, 2 MiB page, scattered"), .iterations = 16, .rounds = 7,
	  .argument = 0x400000, .high = HV_BENCH_HUGE_PAGES },
	{ G("ept-seq-4k", touch, "touch 64 MiB of 4 KiB pages, per page"), .iterations = 16384,
	  .rounds = 3, .argument = 0x1000, .high = HV_BENCH_SMALL_PAGES, .max_ratio = 0.3 },
	{ G("ept-seq-2m", touch, "touch 64 MiB of 2 MiB pages, per page"), .iterations = 32,
	  .rounds = 7, .argument = 0x200000, .high = HV_BENCH_HUGE_PAGES, .max_ratio = 0.3 },
	{ .name = "syscall", .what = "a system call that does nothing: the floor of userspace exits",
	  .host = hv_bench_host_syscall, ONCE },
	{ .name = "run", .what = "RUN that does not enter the guest", .host = hv_bench_host_run,
	  ONCE },
	{ .name = "module-size", .what = "loaded size of the modules, bytes",
	  .host = hv_bench_host_module, .iterations = 1, .rounds = 1, .flags = HV_BENCH_BYTES,
	  .max_ratio = 0.125 },
	{ .name = "vm-create", .what = "create and destroy a VM", .host = hv_bench_host_vm, ONCE },
	{ .name = "vcpu-create", .what = "create a vCPU", .host = hv_bench_host_vcpu, ONCE },
	{ .name = "first-entry", .what = "first RUN of a VM, to its first exit",
	  .host = hv_bench_host_first_entry, ONCE },
	{ G("eoi", eoi, "x2APIC EOI"), EXITS, .flags = HV_BENCH_LAPIC, .max_ticks = 300,
	  .max_ratio = 0.4 },
	{ G("self-ipi", self_ipi, "x2APIC self-IPI, taken"), EXITS, .flags = HV_BENCH_LAPIC,
	  .max_ratio = 0.4 },
	{ G("self-ipi-hlt", self_ipi_hlt, "x2APIC self-IPI, taken out of HLT"), EXITS,
	  .flags = HV_BENCH_LAPIC, .max_ticks = 2500, .max_ratio = 0.6 },
	{ G("deadline-set", deadline_set, "TSC deadline set, far away"), EXITS, .argument = NEVER,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.4 },
	{ G("deadline", deadline_running, "TSC deadline set, due at once, taken"), SOME,
	  .argument = 0, .flags = HV_BENCH_LAPIC, .max_ticks = 2000, .max_ratio = 0.4 },
	{ G("deadline-wait", deadline_running, "TSC deadline ahead, taken running: how late"), SOME,
	  .argument = DEADLINE, .flags = HV_BENCH_LAPIC | HV_BENCH_BEYOND, .max_ratio = 0.6 },
	{ G("deadline-hlt", deadline_hlt, "TSC deadline ahead, taken out of HLT: how late"), SOME,
	  .argument = DEADLINE, .flags = HV_BENCH_LAPIC | HV_BENCH_BEYOND, .max_ratio = 0.6 },
	{ G("ipi-running", ipi, "IPI to a running vCPU"), SOME,
	  .other = hv_bench_guest_other_running, .others = 1, .argument = 1,
	  .flags = HV_BENCH_LAPIC, .max_ticks = 1600, .max_ratio = 0.6 },
	{ G("ipi-halted", ipi, "IPI to a halted vCPU"), SOME,
	  .other = hv_bench_guest_other_halted, .others = 1, .argument = 20000,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	/* The wait is within what both poll for: 200 us, which are 10,000 ticks in the testbed. */
	{ G("ipi-polled", ipi, "IPI to a vCPU that has just halted"), SOME,
	  .other = hv_bench_guest_other_halted, .others = 1, .argument = 600,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	{ G("ipi-back", ipi_back, "IPI to a running vCPU and back"), SOME,
	  .other = hv_bench_guest_other_running, .others = 1, .argument = 1,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	{ G("ipi-back-hlt", ipi_back, "IPI to a halted vCPU and back"), SOME,
	  .other = hv_bench_guest_other_halted, .others = 1, .argument = 20000,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	{ G("ipi-3", ipi_all, "IPI to 3 running vCPUs, until all have acknowledged"), SOME,
	  .other = hv_bench_guest_other_running, .others = 3, .argument = 1,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	{ G("ipi-3-halted", ipi_all, "IPI to 3 halted vCPUs, until all have acknowledged"), SOME,
	  .other = hv_bench_guest_other_halted, .others = 3, .argument = 20000,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	{ G("shootdown-3", shootdown, "TLB shootdown: 3 others flush a page that they read"), SOME,
	  .other = hv_bench_guest_other_reading, .others = 3, .argument = 1,
	  .flags = HV_BENCH_LAPIC, .max_ratio = 0.6 },
	{ .name = "hvctl-rss",
	  .what = "resident memory of hvctl with an idle VM, without the guest's, bytes",
	  .host = hv_bench_host_rss, WHOLE, .flags = HV_BENCH_BYTES, .max_ticks = 3 << 20 },
	{ .name = "linux-init", .what = "Linux: from the VMM's start to init's first line",
	  .host = hv_bench_host_linux_init, WHOLE },
	{ .name = "linux-poweroff", .what = "Linux: from the VMM's start to power-off",
	  .host = hv_bench_host_linux_poweroff, WHOLE, .max_ratio = 0.6 },
};

const unsigned int hv_bench_nr_cases = ARRAY_SIZE(hv_bench_cases);
