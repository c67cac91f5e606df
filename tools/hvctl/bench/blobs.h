/* SPDX-License-Identifier: GPL-2.0-only */
/* The guests of guest.S, copied into guest memory as a whole. */
#ifndef HV_BENCH_BLOBS_H
#define HV_BENCH_BLOBS_H

extern const char hv_bench_guest_begin[];
extern const char hv_bench_guest_end[];
extern const char hv_bench_guest_isr_trap[];
extern const char hv_bench_guest_isr_plain[];
extern const char hv_bench_guest_isr_eoi[];
extern const char hv_bench_guest_isr_count[];
extern const char hv_bench_guest_isr_back[];
extern const char hv_bench_guest_isr_ack[];
extern const char hv_bench_guest_isr_flush[];
extern const char hv_bench_guest_cpuid[];
extern const char hv_bench_guest_wbinvd[];
extern const char hv_bench_guest_rdmsr[];
extern const char hv_bench_guest_wrmsr[];
extern const char hv_bench_guest_cr0_cd[];
extern const char hv_bench_guest_cr0_wp[];
extern const char hv_bench_guest_cr4_mce[];
extern const char hv_bench_guest_dr_read[];
extern const char hv_bench_guest_dr_write[];
extern const char hv_bench_guest_cpuid_avx[];
extern const char hv_bench_guest_out8[];
extern const char hv_bench_guest_out16[];
extern const char hv_bench_guest_out32[];
extern const char hv_bench_guest_in8[];
extern const char hv_bench_guest_in16[];
extern const char hv_bench_guest_in32[];
extern const char hv_bench_guest_in32_avx[];
extern const char hv_bench_guest_outsb[];
extern const char hv_bench_guest_out_event[];
extern const char hv_bench_guest_mmio_event[];
extern const char hv_bench_guest_mmio_read[];
extern const char hv_bench_guest_mmio_write[];
extern const char hv_bench_guest_hlt_inject[];
extern const char hv_bench_guest_touch[];
extern const char hv_bench_guest_eoi[];
extern const char hv_bench_guest_self_ipi[];
extern const char hv_bench_guest_self_ipi_hlt[];
extern const char hv_bench_guest_deadline_set[];
extern const char hv_bench_guest_deadline_running[];
extern const char hv_bench_guest_deadline_hlt[];
extern const char hv_bench_guest_ipi[];
extern const char hv_bench_guest_ipi_back[];
extern const char hv_bench_guest_ipi_all[];
extern const char hv_bench_guest_shootdown[];
extern const char hv_bench_guest_other_running[];
extern const char hv_bench_guest_other_halted[];
extern const char hv_bench_guest_other_reading[];

#endif
