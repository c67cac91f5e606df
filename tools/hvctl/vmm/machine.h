/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine: RAM, buses, clock, chips and vCPUs of one guest, and how it ended.
 *
 * Threads: each vCPU has its own (vcpu.c), the event loop (loop.c) runs in the one that
 * calls hv_machine_serve(). docs/locking.md tells which lock protects what.
 */
#ifndef HV_VMM_MACHINE_H
#define HV_VMM_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "backend.h"
#include "config.h"
#include "console.h"
#include "dev/bus.h"
#include "dev/debugport.h"
#include "dev/exitport.h"
#include "end.h"
#include "firmware/cpuid.h"
#include "lib/loop.h"
#include "load/payload.h"
#include "vcpu.h"
#include "vm.h"

struct hv_debugger;
struct hv_display;
struct hv_machine_bios;
struct hv_machine_ide;
struct hv_port;
struct hv_virtio_pci;

/* hv_machine.attention: why vCPUs are to look around before they enter the guest again. */
#define HV_ATTENTION_END   (1U << 0)
#define HV_ATTENTION_PAUSE (1U << 1)
#define HV_ATTENTION_RESET (1U << 2)
#define HV_ATTENTION_HALT  (1U << 3)
#define HV_ATTENTION_DEBUG (1U << 4)
#define HV_ATTENTION_SHOW  (1U << 5)

struct hv_machine {
	struct hv_config config;
	struct hv_config *owned_config;	/* that @config is a copy of, if it is ours */
	struct hv_vm vm;
	struct hv_memory memory;
	struct hv_payload payload;
	struct tinyvmx_cpuid cpuid[HV_CPUID_MAX];
	size_t nr_cpuid;
	struct hv_vcpu *vcpus;
	unsigned int nr_vcpus;
	uint32_t records;		/* of each vCPU's exits, kept; 0: none. recorder.h */

	/* The chips and all they hang on; @lock is held by whoever enters one. */
	pthread_mutex_t lock;
	struct hv_bus bus;
	struct hv_clock clock;		/* guest time; its timers call into chips */
	uint64_t time_lost_ns;		/* guest time is so far behind the host's */
	uint64_t time_stopped_ns;	/* guest time stands still here; 0: it goes on */
	struct hv_machine_pc *pc;	/* NULL: a bare machine */
	struct hv_machine_bios *bios;	/* NULL: the guest asks for none */
	struct hv_machine_ide *ide;	/* NULL: no ATA drives */
	struct hv_serial *serial;	/* HV_PC_COM_PORTS of them */
	struct hv_backend console_end;	/* what it is connected to */
	struct hv_console console;
	struct hv_console messages;	/* what we say, on standard error */
	struct hv_console *consoles;	/* all that are open */
	struct hv_port *ports;		/* of virtio consoles */
	struct hv_port *hvc;		/* the one that is on @console; NULL: none */
	struct hv_display *display;	/* on the terminal; NULL: none. @lock */
	struct hv_virtio_pci *devices;	/* that the user has added; devices.h */
	unsigned int nr_devices;
	struct hv_debugport debugport;
	struct hv_exitport exitport;

	/* Running, pausing: run.c. @run_lock may be taken with @lock held, not vice versa. */
	pthread_mutex_t run_lock;
	pthread_cond_t run_changed;
	bool paused;			/* somebody has paused it and not resumed it yet */
	atomic_uint attention;		/* HV_ATTENTION_* */
	int attention_fd;		/* eventfd: readable while there are some */

	/* NULL: none. The loop's thread sets it at any time, and clears it while it is paused. */
	struct hv_debugger *_Atomic debugger;

	/* Has it halted for good? halt.c; @lock */
	struct hv_timer quiet_timer;
	uint64_t quiet_used_ns;		/* CPU time of the vCPUs' threads, when last looked at */

	pthread_mutex_t end_lock;	/* innermost */
	struct hv_end end;

	struct hv_loop loop;
	int timer_fd;			/* the earliest deadline of @clock */
	struct hv_watch timer_watch;
};

/**
 * hv_machine_create() - make a machine, ready to start
 * @config: what it is; its strings must live as long as the machine
 * @err: filled in on failure, with its subject
 *
 * Files are read and checked first, then the VM is made. Returns the machine, to be given
 * to hv_machine_destroy(), or NULL.
 */
struct hv_machine *hv_machine_create(const struct hv_config *config, struct hv_error *err);

void hv_machine_destroy(struct hv_machine *machine);

/*
 * The first half of it: all that can be wrong with what the user gave is checked, files are read,
 * and nothing is made that needs the module. @memory_fd: see below.
 */
struct hv_machine *hv_machine_prepare(const struct hv_config *config, int memory_fd,
				      struct hv_error *err);

/* With interrupt controllers and timers? Known as soon as it is prepared. */
bool hv_machine_is_pc(const struct hv_machine *machine);

/*
 * The same without a start: RAM is zero, or in @memory_fd (-1: none), vCPUs and chips are
 * as made. For hv_machine_restore().
 */
struct hv_machine *hv_machine_create_empty(const struct hv_config *config, int memory_fd,
					   struct hv_error *err);

/* Fill RAM, which is zero, and make the vCPUs' first states: for each start. */
int hv_machine_load(struct hv_machine *machine, struct hv_error *err);

/* Start the vCPUs' threads. Returns 0 or -errno. */
int hv_machine_start(struct hv_machine *machine, struct hv_error *err);

/* Serve the event loop, until the machine has ended or somebody stops the loop. */
void hv_machine_serve(struct hv_machine *machine);
/* It has ended: wait for the vCPUs' threads. */
void hv_machine_join(struct hv_machine *machine);

/* End the machine; the first reason counts. Any thread, with machine->lock held or without. */
void hv_machine_end(struct hv_machine *machine, enum hv_end_kind kind, uint32_t detail,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static inline bool hv_machine_has_ended(const struct hv_machine *machine)
{
	return atomic_load(&machine->attention) & HV_ATTENTION_END;
}

/* Is the console on standard input and output? */
static inline bool hv_machine_has_stdio(const struct hv_machine *machine)
{
	enum hv_serial_kind kind = machine->config.console.kind;

	return kind == HV_SERIAL_NONE || kind == HV_SERIAL_STDIO;
}

/* The vCPU that starts first, and gets the 8259s' interrupts. */
static inline struct hv_vcpu *hv_machine_bsp(const struct hv_machine *machine)
{
	return machine->vcpus;
}

/* ------------------------------------------------------- run, pause (run.c) */

/**
 * hv_machine_pause() - have all vCPUs outside RUN
 * @machine: a machine that was started, or not yet
 *
 * When it returns no vCPU is in the guest or at work on an exit of it, and none will be
 * until hv_machine_resume(). One pauses at a time: others wait for their turn, and count
 * as paused meanwhile. Chips go on: who wants those to stand still, too, holds
 * machine->lock, or stops time.
 *
 * Returns whether it did. False: the machine has ended while somebody else had it paused,
 * and will be destroyed like that; there is nothing to resume.
 *
 * Context: any thread, a vCPU's own too; may sleep; no locks held.
 */
bool hv_machine_pause(struct hv_machine *machine);
/*
 * The same, but false also if it does not get its turn within @ms: a reset may wait in its own for
 * a disk that does not answer. For the event loop's thread, which has others to serve.
 */
bool hv_machine_try_pause(struct hv_machine *machine, unsigned int ms);
void hv_machine_resume(struct hv_machine *machine);

/* By a vCPU's thread that has paused it: it waits as the others do, until somebody resumes it. */
void hv_machine_stay_paused(struct hv_machine *machine);

/* While paused: that one stands when it is resumed, or does no more. */
void hv_vcpu_hold(struct hv_vcpu *vcpu, bool hold);

/*
 * Guest time stands still, for the chips and for the vCPUs' TSC and APIC timers, from
 * hv_machine_stop_time() to hv_machine_start_time(). While paused, machine->lock held.
 * Return 0 or -errno: that of a vCPU whose state cannot be read or set.
 */
int hv_machine_stop_time(struct hv_machine *machine);
int hv_machine_start_time(struct hv_machine *machine);

/*
 * Before it is started: no vCPU runs, and no timer ticks that the guest would find at its start,
 * from hv_machine_hold() to hv_machine_let_go(), which comes after hv_machine_start(). Return 0
 * or -errno.
 */
int hv_machine_hold(struct hv_machine *machine, struct hv_error *err);
int hv_machine_let_go(struct hv_machine *machine, struct hv_error *err);

/* Make all vCPUs look at a new reason to; any thread. */
void hv_machine_want_attention(struct hv_machine *machine, unsigned int why);
void hv_machine_drop_attention(struct hv_machine *machine, unsigned int why);

/* --------------------------------------------------------------- consoles */

/* Open the terminal's, or where else it is, and that of our own words. Returns 0 or -errno. */
int hv_machine_open_consoles(struct hv_machine *machine, struct hv_error *err);

/* What a guest writes to the debug port; @ctx is the machine. */
void hv_machine_output_debug(void *ctx, const uint8_t *data, size_t len);

/* Open one more. @config: all but loop and lock, which are the machine's. */
void hv_machine_add_console(struct hv_machine *machine, struct hv_console *console,
			    struct hv_console_config config);

/* Nobody enters a chip any more. */
void hv_machine_close_consoles(struct hv_machine *machine);

/**
 * hv_machine_finish_consoles() - write all that was said, however long readers take
 * @machine: that has ended, and was joined
 *
 * The loop serves those who come meanwhile; hv_loop_stop() ends the wait, and what is left is lost.
 */
void hv_machine_finish_consoles(struct hv_machine *machine);

/* Wait for readers of the consoles, where the guest is far ahead of them; without locks held. */
void hv_machine_throttle(struct hv_machine *machine);

/* One line of the story that -v tells, on standard error. */
void hv_machine_say(struct hv_machine *machine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line for those who do without -v, too. */
void hv_machine_note(struct hv_machine *machine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
