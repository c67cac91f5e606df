/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stub of the GDB remote protocol (gdb's manual, "Remote Protocol"): what a debugger says becomes
 * calls of struct hv_gdb_ops. Threads are vCPUs, numbered from 1 on; all stop when one does.
 *
 * One thread enters it. It waits for nobody: resume() and interrupt() return at once, and
 * hv_gdb_stopped() tells of what has come of them.
 */
#ifndef HV_DEBUG_GDB_H
#define HV_DEBUG_GDB_H

#include <stdio.h>

#include "gdb_packet.h"
#include "gdb_regs.h"

#define HV_GDB_VCPUS_MAX 64
/* Bytes of memory by one packet. */
#define HV_GDB_MEMORY_MAX (HV_GDB_BODY_MAX / 2 - 32)

/* What a vCPU is to do. */
enum hv_gdb_action { HV_GDB_STAND, HV_GDB_CONTINUE, HV_GDB_STEP };

/* In the order of the packets Z0 to Z4. */
enum hv_gdb_point {
	HV_GDB_BREAK,			/* INT3 in memory */
	HV_GDB_HBREAK,			/* a debug register, as the following */
	HV_GDB_WATCH,
	HV_GDB_RWATCH,
	HV_GDB_AWATCH
};

/* Why all stand still. */
enum hv_gdb_why {
	HV_GDB_INTERRUPTED,
	HV_GDB_STEPPED,
	HV_GDB_AT_BREAK,
	HV_GDB_AT_HBREAK,
	HV_GDB_AT_WATCH,		/* @address was written */
	HV_GDB_AT_AWATCH		/* ... or read */
};

struct hv_gdb_stop {
	enum hv_gdb_why why;
	unsigned int vcpu;
	uint64_t address;
};

/* What can fail returns 0 or -errno. All but interrupt() and kill() while all stand still. */
struct hv_gdb_ops {
	unsigned int (*count)(void *ctx);
	int (*get)(void *ctx, unsigned int vcpu, struct hv_gdb_cpu *cpu);
	/* @parts: HV_GDB_WROTE_* */
	int (*set)(void *ctx, unsigned int vcpu, const struct hv_gdb_cpu *cpu, unsigned int parts);
	/* Linear addresses, by that vCPU's page tables; how many bytes were done. */
	size_t (*read)(void *ctx, unsigned int vcpu, uint64_t address, void *buf, size_t len);
	size_t (*write)(void *ctx, unsigned int vcpu, uint64_t address, const void *buf,
			size_t len);
	/* -EOPNOTSUPP: there are none of that kind. */
	int (*insert)(void *ctx, unsigned int vcpu, enum hv_gdb_point kind, uint64_t address,
		      uint64_t len);
	int (*remove)(void *ctx, enum hv_gdb_point kind, uint64_t address, uint64_t len);
	int (*resume)(void *ctx, const enum hv_gdb_action action[HV_GDB_VCPUS_MAX]);
	void (*interrupt)(void *ctx);
	void (*detach)(void *ctx);
	void (*kill)(void *ctx);
	/* "running", "halted" ... */
	const char *(*describe)(void *ctx, unsigned int vcpu);
	/* What the user says to us: "monitor @text". */
	void (*monitor)(void *ctx, unsigned int vcpu, const char *text, FILE *out);
	void (*send)(void *ctx, const void *data, size_t len);
};

enum hv_gdb_state {
	HV_GDB_STOPPING,		/* at the begin: nothing is heard */
	HV_GDB_STOPPED,
	HV_GDB_RUNNING,			/* nothing but an interrupt, or to be killed */
	HV_GDB_DONE			/* detached, or killed: no more */
};

struct hv_gdb {
	const struct hv_gdb_ops *ops;
	void *ctx;
	struct hv_gdb_regs regs;
	enum hv_gdb_state state;
	bool no_ack, swbreak, hwbreak;	/* what gdb has agreed to, or knows */
	unsigned int vcpu;		/* that packets are about */
	int moves;			/* ... about stepping; -1: all */
	unsigned int listed;		/* threads that were told so far */
	struct hv_gdb_stop stop;	/* the last one */
	struct hv_gdb_parser parser;
	bool overflow;			/* of ... */
	size_t len;
	char body[HV_GDB_BODY_MAX + 1];	/* ... what is to be said */
	size_t frame_len;
	char frame[HV_GDB_FRAME_MAX];	/* what was said, if it is wanted again */
};

/* @gdb: zeroes; the caller has set @gdb->regs up. It waits for hv_gdb_stopped(). */
void hv_gdb_init(struct hv_gdb *gdb, const struct hv_gdb_ops *ops, void *ctx);

/* What the debugger has sent. Returns how much of it was taken: all, or nothing while STOPPING. */
size_t hv_gdb_take(struct hv_gdb *gdb, const void *data, size_t len);

/* All vCPUs stand still, because of that. */
void hv_gdb_stopped(struct hv_gdb *gdb, const struct hv_gdb_stop *stop);

/* The VM has ended, with that exit status. */
void hv_gdb_ended(struct hv_gdb *gdb, int status);

/* Words for the debugger's user, while it waits for a stop or for the end of a command. */
void hv_gdb_say(struct hv_gdb *gdb, const char *text);

#endif
