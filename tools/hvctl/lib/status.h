/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit statuses of hvctl; hvctl(1) says the same to users.
 *
 * What a guest writes to the exit port becomes an odd status (value * 2 + 1, as
 * QEMU's isa-debug-exit does it), so hvctl's own are even and never mistaken
 * for a guest's. Death by signal N is a death by signal: 128 + N in a shell.
 */
#ifndef HV_STATUS_H
#define HV_STATUS_H

enum hv_status {
	HV_STATUS_OK = 0,		/* the guest powered off */
	HV_STATUS_USAGE = 2,		/* bad input; nothing was started */
	HV_STATUS_HALTED = 4,		/* HLT, and nothing that could wake it */
	HV_STATUS_TRIPLE_FAULT = 6,	/* shut down by a triple fault, or reset for ever */
	HV_STATUS_ENTRY_FAILED = 8,	/* the CPU refused to enter the guest */
	HV_STATUS_UNSUPPORTED = 10,	/* the guest did what nobody here can do */
	HV_STATUS_PANIC = 14,		/* the guest's kernel panicked */
	HV_STATUS_KILLED = 16,		/* from outside: hvctl kill, or stop that lasted too long */
	HV_STATUS_ERROR = 12,		/* the host failed: memory, module, output */
	HV_STATUS_SANDBOX = 18,		/* a thread of ours did what it has no use for */
};

#endif
