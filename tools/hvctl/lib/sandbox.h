/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left to a process that a guest may have taken over. Each thread gives up by itself what
 * its kind does not need, for good: system calls by seccomp, files and TCP by Landlock, new
 * privileges altogether. docs/sandbox.md has who may do what, and why.
 */
#ifndef HV_LIB_SANDBOX_H
#define HV_LIB_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Kinds of threads, by what they ask of the host; lib/sandbox_calls.c has their system calls. */
enum hv_sandbox_kind {
	HV_SANDBOX_WORKER,	/* of a device that needs nothing of the host */
	HV_SANDBOX_LOOP,	/* main: terminal, control channel, the end */
	HV_SANDBOX_VCPU,
	HV_SANDBOX_DISK,	/* of an image, by io_uring or by itself */
	HV_SANDBOX_TAP,		/* a tap, and rings that the kernel serves (vhost) */
	HV_SANDBOX_USER_NET,	/* libslirp: sockets to anywhere */
	HV_SANDBOX_DAEMON,	/* what another process serves: vhost-user */
	HV_NR_SANDBOX_KINDS
};

/**
 * struct hv_sandbox_config - what the process still needs, and its last act
 * @dir_fd: a folder in which files may be removed; -1: none
 * @removable: files that may be removed, with all others of their folders; NULL: none
 * @user_net: TCP connections are made, and the resolver's configuration is read again
 * @end: the process ends now, because of @text, a line: give back what others need. By the main
 *	thread, wherever that is: only what is safe in a signal handler, and no locks
 * @ctx: given to it
 */
struct hv_sandbox_config {
	int dir_fd;
	const char *removable[2];
	bool user_net;
	void (*end)(void *ctx, const char *text);
	void *ctx;
};

/* Descriptors from 3 on that are open now are somebody else's: hv_sandbox_prepare() closes them. */
void hv_sandbox_remember_strangers(void);

/**
 * hv_sandbox_prepare() - from now on hv_sandbox_enter() confines
 * @config: copied
 * @told: filled in with what will be in force, for people
 * @room: bytes there
 * @err: filled in on failure
 *
 * By the main thread; no thread is confined yet. A kernel without seccomp or Landlock is no
 * failure: @told says so. Returns 0; 1: less than there should be will be in force; or -errno.
 */
int hv_sandbox_prepare(const struct hv_sandbox_config *config, char *told, size_t room,
		       struct hv_error *err);

/*
 * Confine this thread, for good; nothing if it is already, or if there is no sandbox. It does not
 * return if the kernel refuses: the process ends.
 */
void hv_sandbox_enter(enum hv_sandbox_kind kind);

#endif
