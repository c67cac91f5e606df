/* SPDX-License-Identifier: GPL-2.0-only */
/* What is measured, and what came out. */
#ifndef HV_BENCH_CASES_H
#define HV_BENCH_CASES_H

#include "bench.h"

/* hv_bench_case.flags */
#define HV_BENCH_LAPIC		(1U << 0)	/* a VM with local APICs in the kernel */
#define HV_BENCH_BEYOND	(1U << 1)	/* count only what exceeds @argument ticks */
#define HV_BENCH_BYTES		(1U << 2)	/* what is measured are bytes, not ticks */
#define HV_BENCH_EVENT		(1U << 3)	/* with hv_bench_vm_event() */

struct hv_bench_case {
	const char *name;
	const char *what;
	/* Either a guest that measures itself: */
	const char *guest;		/* of guest.S */
	const char *kvm_guest;		/* what KVM runs in its place, or NULL: the same */
	const char *other;		/* what other vCPUs run meanwhile, or NULL */
	unsigned int others;		/* how many: each, and the first, on a CPU of its own */
	/* ... or something of the host's side: ticks of one operation. */
	int (*host)(const struct hv_bench_backend *backend, uint64_t *ticks, struct hv_error *err);
	unsigned int flags;
	unsigned int iterations;	/* per round */
	unsigned int rounds;
	uint64_t argument;		/* for the guest, in RSI */
	enum hv_bench_high high;
	double max_ticks, max_ratio;	/* the target, 0: none */
};

extern const struct hv_bench_case hv_bench_cases[];
extern const unsigned int hv_bench_nr_cases;

/* One number with its spread: median and interquartile range of the rounds, per operation. */
struct hv_bench_number {
	bool valid;
	double ticks, spread;
};

enum { HV_BENCH_TINYVMX, HV_BENCH_KVM, HV_BENCH_NR_BACKENDS };

struct hv_bench_result {
	bool wanted;
	struct hv_bench_number number[HV_BENCH_NR_BACKENDS];
	struct hv_error why[HV_BENCH_NR_BACKENDS];	/* there is no number */
};

int hv_bench_measure(const struct hv_bench_case *c, const struct hv_bench_backend *backend,
		     struct hv_bench_number *number, struct hv_error *err);

/* The host's side: memory.c, measure.c and linux.c. */
int hv_bench_host_memory(const struct hv_bench_backend *backend, uint64_t *bytes,
			 struct hv_error *err);
int hv_bench_host_module(const struct hv_bench_backend *backend, uint64_t *bytes,
			 struct hv_error *err);
int hv_bench_host_vm(const struct hv_bench_backend *backend, uint64_t *ticks, struct hv_error *err);
int hv_bench_host_vcpu(const struct hv_bench_backend *backend, uint64_t *ticks,
		       struct hv_error *err);
int hv_bench_host_syscall(const struct hv_bench_backend *backend, uint64_t *ticks,
			  struct hv_error *err);
int hv_bench_host_run(const struct hv_bench_backend *backend, uint64_t *ticks,
		      struct hv_error *err);
int hv_bench_host_first_entry(const struct hv_bench_backend *backend, uint64_t *ticks,
			      struct hv_error *err);
int hv_bench_host_linux_init(const struct hv_bench_backend *backend, uint64_t *ticks,
			     struct hv_error *err);
int hv_bench_host_linux_poweroff(const struct hv_bench_backend *backend, uint64_t *ticks,
				 struct hv_error *err);
int hv_bench_host_rss(const struct hv_bench_backend *backend, uint64_t *bytes,
		      struct hv_error *err);

/* Where vmlinuz and initrd.gz of guests/linux are. */
extern const char *hv_bench_linux_dir;

/* So many exits are recorded on tinyvmx, as TINYVMX_SET_RECORD does; 0: none. */
extern unsigned int hv_bench_records;

#endif
