/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/tinyvmx and the file descriptors that come from it.
 */
#ifndef TVX_DEV_H
#define TVX_DEV_H

/* Publish /dev/tinyvmx, the last thing of all; take it away. May sleep. */
int tvx_dev_register(void);
void tvx_dev_unregister(void);

#endif
