/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctl table: how an argument is copied, once and in one place.
 */
#ifndef TVX_IOCTL_H
#define TVX_IOCTL_H

#include <linux/types.h>

/**
 * struct tvx_ioctl - one ioctl
 * @cmd: its number
 * @arg_bytes: sizeof() its argument struct, also the least a caller may pass
 * @flags: flag bits it knows
 * @writes_back: the argument is copied back on success and on -ENOSPC
 * @fn: does it; @object is the fd's, @arg the kernel's copy of the argument
 */
struct tvx_ioctl {
	unsigned int cmd;
	u32 arg_bytes;
	u32 flags;
	bool writes_back;
	long (*fn)(void *object, void *arg);
};

/*
 * tvx_ioctl_dispatch - find @cmd in @table, copy its argument, call it
 *
 * Return: what fn returns; -ENOTTY, -EFAULT, -EINVAL, -E2BIG or -EOPNOTSUPP as
 * the head of the ABI header says. May sleep.
 */
long tvx_ioctl_dispatch(const struct tvx_ioctl *table, size_t count, void *object,
			unsigned int cmd, void __user *user_arg);

/* Whether @table has @cmd. */
bool tvx_ioctl_exists(const struct tvx_ioctl *table, size_t count, unsigned int cmd);

#endif
