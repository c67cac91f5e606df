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
 * @arg_bytes: sizeof() its argument struct
 * @flags: flag bits it knows
 * @writes_back: the argument is copied back on success and on -ENOSPC
 * @fn: does it; @object is the fd's, @arg the kernel's copy of the argument
 * @first_bytes: of the struct's first version, the least a caller may pass; 0: @arg_bytes
 */
struct tvx_ioctl {
	unsigned int cmd;
	u32 arg_bytes;
	u32 flags;
	bool writes_back;
	long (*fn)(void *object, void *arg);
	u32 first_bytes;
};

/* The row of @cmd, or NULL: such a command is -ENOTTY before anything else is looked at. */
const struct tvx_ioctl *tvx_ioctl_find(const struct tvx_ioctl *table, size_t count,
				       unsigned int cmd);

/*
 * tvx_ioctl_call - copy the argument of @row, do what it is for
 *
 * Return: what fn returns; -EFAULT, -EINVAL, -E2BIG or -EOPNOTSUPP as the head of
 * the ABI header says. May sleep.
 */
long tvx_ioctl_call(const struct tvx_ioctl *row, void *object, void __user *user_arg);

#endif
