/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A debugger of a VM: a client of the control channel that speaks the GDB remote protocol.
 *
 * It belongs to the loop's thread. While the VM stands still for it, control->paused is set, guest
 * time does not go on, and the loop's thread may do as it likes. That begins with a vCPU's thread:
 * the one that has come to a breakpoint, or the first to see that somebody wants it, pauses the
 * machine, leaves it like that, and signals control->stops. So nobody waits for a vCPU in the loop.
 */
#ifndef HV_VMM_DEBUGGER_H
#define HV_VMM_DEBUGGER_H

#include "control.h"
#include "debug/gdb_points.h"

/*
 * Pages with INT3 that the guest must not see: it executes them and cannot read them, and what it
 * reads or writes there is done for it by emul/. Those that it uses in a way that emul/ does
 * not know, or too often, are shown to it instead, for good.
 */
struct hv_debugger_veil {
	struct hv_veil veil;
	unsigned int count;
	uint64_t page[HV_VM_HIDDEN_MAX];	/* ascending */
	unsigned int accesses[HV_VM_HIDDEN_MAX];
	unsigned int shown;		/* so many, of which the last are known */
	uint64_t shown_page[HV_GDB_PLANTS_MAX];
	bool told;			/* that there are such */
};

struct hv_debugger {
	struct hv_control *control;
	struct hv_machine *machine;	/* NULL: it has gone */
	struct hv_control_client *client;	/* NULL: it has gone, and so will this */
	struct hv_gdb gdb;
	struct hv_gdb_points points;
	struct hv_debugger_veil veil;
	bool fresh;			/* @client is new: what another has left goes first */
	bool interrupted;		/* gdb has asked for the next stop */
	bool stopped;			/* the machine stands still for us */
	bool steps[HV_GDB_VCPUS_MAX];	/* that vCPU is to */
	bool armed[HV_GDB_VCPUS_MAX];	/* ... was told to exit for us */
};

/* ----------------------------------------------- by a vCPU's thread */

/* TINYVMX_EXIT_DEBUG; machine->lock held. What is the guest's own goes to it. 0 or -errno. */
int hv_debugger_exit(struct hv_vcpu *vcpu);

/* HV_ATTENTION_DEBUG: pause the machine, and leave it so. */
void hv_debugger_attend(struct hv_machine *machine);

/* What it has put into RAM; NULL: there is no debugger. Good while machine->lock is held. */
const struct hv_veil *hv_debugger_veil_of(const struct hv_machine *machine);

/* HV_ATTENTION_SHOW: have pages be RAM again. */
void hv_debugger_attend_show(struct hv_machine *machine);

/*
 * Is that a page that is hidden from the guest, which has accessed it? machine->lock held, as for
 * the next, which has it shown, and the access done again.
 */
bool hv_debugger_hides(struct hv_machine *machine, uint64_t gpa);
void hv_debugger_show(struct hv_machine *machine, uint64_t gpa);

/* RAM was filled and vCPUs were made anew; paused, machine->lock held. */
void hv_debugger_reset(struct hv_machine *machine);

/* ---------------------------------------------- by the loop's thread */

/* If control->stops was signalled, the machine is paused, and the debugger's from now on. */
void hv_debugger_take_stop(struct hv_control *control);

/* What the client sends; returns how much was taken. */
size_t hv_debugger_take(struct hv_debugger *debugger, const void *data, size_t len);

/* The client goes, without a word or with one: the VM goes on, as if nobody had been there. */
void hv_debugger_leave(struct hv_debugger *debugger);

/* Is anybody there? @debugger may be NULL. */
bool hv_debugger_is_used(const struct hv_debugger *debugger);
/* The process of the client; 0: it has come by a port, or there is none. @debugger may be NULL. */
pid_t hv_debugger_pid(const struct hv_debugger *debugger);

#define HV_DEBUGGER_WHO_MAX 40
/* "process 1234"; "who is at port 1234". It is used. */
void hv_debugger_who(const struct hv_debugger *debugger, char text[HV_DEBUGGER_WHO_MAX]);

/*
 * What a client of --gdb has said is in its buffer. It becomes the debugger with its first packet:
 * one that only looks whether somebody is there does not stop the VM. A refusal is an answer that
 * gdb shows; who does not begin as gdb does has none (a browser, sent by a page).
 */
void hv_debugger_meet(struct hv_control_client *client);

/* The machine ends: it is entered no more. @debugger may be NULL. */
void hv_debugger_forget_machine(struct hv_debugger *debugger);
void hv_debugger_tell_end(struct hv_debugger *debugger, int status);
void hv_debugger_free(struct hv_debugger *debugger);

/* debugger_ops.c: what gdb's packets do; @ctx is a struct hv_debugger. */
extern const struct hv_gdb_ops hv_debugger_ops;

/* Without points, and nobody stands: as it was before. The machine is stopped. */
void hv_debugger_disarm(struct hv_debugger *debugger);
/* Tell the module what vCPU @n is to exit for. 0 or -errno. */
int hv_debugger_arm(struct hv_debugger *debugger, unsigned int n);
/* The machine, which is stopped for it, goes on. */
void hv_debugger_let_go(struct hv_debugger *debugger);

/* debugger_veil.c */
void hv_debugger_veil_init(struct hv_debugger *debugger);
/* Hide what is planted now. The machine is stopped. 0 or -errno. */
int hv_debugger_veil(struct hv_debugger *debugger);
/* Nothing is planted any more. */
void hv_debugger_unveil(struct hv_debugger *debugger);

/* What @gva stands for on that vCPU, and how many bytes there are from there on. False: nothing. */
bool hv_debugger_translate(const struct hv_vcpu *vcpu, const struct tinyvmx_sregs *sregs,
			   uint64_t gva, uint64_t *gpa, size_t *len);

/* debugger_monitor.c: what the user says to us by gdb. */
void hv_debugger_monitor(struct hv_debugger *debugger, struct hv_vcpu *vcpu, const char *text,
			 FILE *out);

#endif
