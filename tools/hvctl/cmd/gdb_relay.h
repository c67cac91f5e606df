/* SPDX-License-Identifier: GPL-2.0-only */
/* Between a debugger, wherever it is, and a VM. */
#ifndef HV_CMD_GDB_RELAY_H
#define HV_CMD_GDB_RELAY_H

#include "control/client.h"
#include "control/listener.h"

/*
 * Have @client, which is connected, speak gdb's protocol from now on; @arch may be NULL. 0 or
 * -errno, with @err.
 */
int hv_gdb_ask(struct hv_client *client, const char *arch, struct hv_error *err);

/* All of it; waits until there is room. False: nobody takes it. */
bool hv_gdb_send(int fd, const char *data, size_t len);

/* What is said on @in to it, and what it says to @out, until one side closes. */
void hv_gdb_relay(int in, int out, struct hv_client *client);

/**
 * hv_gdb_listen() - debuggers may come to a VM by a socket, until it ends, or a signal ends us
 * @command: argv[0]
 * @name: the VM, as the user calls it
 * @arch: or NULL
 * @address: where they come
 * @err: filled in on failure
 *
 * Returns the exit status of the VM; or -errno.
 */
int hv_gdb_listen(const char *command, const char *name, const char *arch,
		  const struct hv_address *address, struct hv_error *err);

#endif
