// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying ioctl arguments: size first, unknown tail zero, unknown flags refused.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "ioctl.h"
#include "../uapi/tinyvmx.h"

/* Room for any argument, aligned for all of them. */
union argument {
	struct {
		__u32 size;
		__u32 flags;
	};
	struct tinyvmx_info info;
	struct tinyvmx_memory memory;
	struct tinyvmx_state state;
	struct tinyvmx_set_debug debug;
};

const struct tvx_ioctl *tvx_ioctl_find(const struct tvx_ioctl *table, size_t count,
				       unsigned int cmd)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].cmd == cmd)
			return &table[i];
	return NULL;
}

static int copy_in(const struct tvx_ioctl *row, union argument *arg, void __user *user_arg,
		   u32 *user_bytes)
{
	int err;

	if (get_user(*user_bytes, (u32 __user *)user_arg))
		return -EFAULT;
	if (*user_bytes < (row->first_bytes ?: row->arg_bytes))
		return -EINVAL;
	if (*user_bytes > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, row->arg_bytes, user_arg, *user_bytes);
	if (err)
		return err;
	/* The struct was read twice: what counts is the first size. */
	arg->size = row->arg_bytes;
	return arg->flags & ~row->flags ? -EOPNOTSUPP : 0;
}

long tvx_ioctl_call(const struct tvx_ioctl *row, void *object, void __user *user_arg)
{
	union argument arg;
	u32 user_bytes;
	long ret = copy_in(row, &arg, user_arg, &user_bytes);

	if (ret)
		return ret;
	ret = row->fn(object, &arg);
	if (row->writes_back && (!ret || ret == -ENOSPC) &&
	    copy_to_user(user_arg, &arg, row->arg_bytes))
		return -EFAULT;
	return ret;
}
