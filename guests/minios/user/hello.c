// SPDX-License-Identifier: GPL-2.0-only
/* hello: the smallest program. */
#include "user.h"

int main(void)
{
	print("hello from user mode, task %ld\n", sys_task_id());
	return 0;
}
