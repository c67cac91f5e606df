/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random programs of system calls against the module, and random guests.
 *
 * A program is a list of seeds. Each seed decides one call completely: what it is, on
 * which of the process's fds, with which arguments. So a program is replayed by its
 * seeds alone, as far as the calls do not race with each other.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tinyvmx.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096UL

#define PROGRAM_CALLS	512	/* many: to make two VMs and to close them costs as much as 100 */
#define GUESTS_BATCH	8
#define RAM_PAGES	64UL	/* of a process, what its guests get */
#define RAM_BYTES	(RAM_PAGES * PAGE)

struct program {
	u32 count;
	u64 seed[PROGRAM_CALLS];
};

#define CORPUS_PROGRAMS	1024
#define TEXT_BYTES	(1U << 20)	/* more than the module has */
#define NR_IOCTLS	64
#define NR_REASONS	16

/* What the processes share. */
struct shared {
	atomic_ulong ioctls;			/* of programs, and for guests */
	atomic_ulong for_guests;
	atomic_ulong guests;
	atomic_ulong programs;
	atomic_ulong done[NR_IOCTLS];		/* ioctls that succeeded, by number */
	atomic_ulong reason[NR_REASONS];	/* RUNs that came back, by reason */
	atomic_uint covered;			/* bits in seen[] */
	atomic_uint corpus_count;
	atomic_uchar seen[TEXT_BYTES / 8];
	struct program corpus[CORPUS_PROGRAMS];
};

extern struct shared *shared;

/* ---- main.c: random numbers, each from a state of its own */
u64 noise(u64 *state);

static inline bool one_in(u64 *state, u32 n)
{
	return noise(state) % n == 0;
}

/* A number that is likely to mean something, or any. */
u64 number(u64 *state);

/* ioctl() with its success counted; -1 and errno. */
int counted_ioctl(int fd, unsigned long cmd, void *arg);
/* TINYVMX_RUN on @fd, whose run page is @run; returns reason, -1: none. */
int counted_run(int fd, const struct tinyvmx_run *run);	/* @run may be NULL */

/* Fresh memory, at @at if that is not NULL; ends the process if there is none. */
void *map_anonymous(void *at, u64 len);
/* Make this thread's timer, which interrupts each RUN that lasts. */
void thread_timer(void);
/* No RUN follows: it need not be interrupted any more. */
void thread_timer_stop(void);

extern int device;

/* ---- calls.c: a process's fds and memory, and the calls on them */
void calls_init(void);
/* Run @program; returns whether it reached something new. */
bool calls_run(const struct program *program);

/* ---- guests.c */
/* Make a VM with one vCPU for guests of this process; exits if it cannot. */
void guests_init(void);
/*
 * Run GUESTS_BATCH guests, @seed's and those after it, one after the other: each comes from its
 * seed, but for the APIC, which all share, and for MSRs and FPU, which stay.
 */
void guests_run(u64 seed);
/* Fill @sregs and @regs with a state that may run, @ram with code, all from @random. */
void guest_make(u64 *random, struct tinyvmx_sregs *sregs, struct tinyvmx_regs *regs, u8 *ram);
void guest_break(u64 *random, void *blob, u32 len);

/* ---- coverage.c: which instructions of the module a thread's system calls reach */
void coverage_init(void);	/* once per thread that is to be watched */
void coverage_start(void);
/* Whether something was reached, since the start or the last time, that nobody had before. */
bool coverage_is_new(void);

#endif
