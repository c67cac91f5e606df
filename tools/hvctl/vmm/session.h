/* SPDX-License-Identifier: GPL-2.0-only */
/* One machine from its making to its end, at a terminal or in a script. */
#ifndef HV_VMM_SESSION_H
#define HV_VMM_SESSION_H

#include "config.h"
#include "control/listener.h"

struct hv_session_options {
	bool json;			/* report the end as a last line on standard output */
	bool detach;			/* in a process of its own, which has no terminal */
	bool stopped;			/* it waits for 'hvctl resume', or a debugger */
	const struct hv_address *gdb;	/* debuggers may come there; NULL: nowhere */
	bool stats;			/* tell on standard error how often each VM exit came */
	/* A client of its control channel, on a socket; 0: none */
	int client;
	const char *dump_vmcs;		/* a file for the VMCS at an abnormal end; NULL: none */
	/*
	 * For tests: so often, at random times, save the machine, destroy it, and go on with what
	 * was saved.
	 */
	unsigned int reloads;
	unsigned int reload_after;	/* in seconds: the first one, not before */
	unsigned int seed;
};

/**
 * hv_session_run() - make the machine that @config says, run it, tell how it ended
 * @config: the machine
 * @options: what is told of it
 *
 * Standard input and output are the guest's console; the terminal is raw meanwhile, and
 * signals that would kill us end the machine. Returns the exit status; does not return
 * after such a signal, of which it dies. Of a detached one it tells the name when it runs, and
 * returns.
 */
int hv_session_run(const struct hv_config *config, const struct hv_session_options *options);

/**
 * hv_session_check() - what is wrong with a machine before anything of it is made
 * @config: the machine; an image on standard input is not looked at
 * @options: as for hv_session_run()
 * @err: filled in on failure
 *
 * Returns 0 or -errno.
 */
int hv_session_check(const struct hv_config *config, const struct hv_session_options *options,
		     struct hv_error *err);

#endif
