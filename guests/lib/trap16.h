/* SPDX-License-Identifier: GPL-2.0-only */
/* Real mode: the frame of an interrupt, and who takes it. */
#ifndef GUEST_TRAP16_H
#define GUEST_TRAP16_H

#include "types.h"

struct trap16_frame {
	u32 di, si, bp, handler_sp, bx, dx, cx, ax;
	u16 vector, ip, cs, flags;
};

typedef void (*trap16_hook_t)(struct trap16_frame *frame);

void trap16_init(void);
void trap16_hook(u8 vector, trap16_hook_t hook);

#endif
