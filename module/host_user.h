/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each user of the host has of VMs, and may have at most.
 */
#ifndef TVX_HOST_USER_H
#define TVX_HOST_USER_H

/* What is counted, each with a module parameter as its bound. */
enum tvx_user_thing {
	TVX_USER_VMS,
	TVX_USER_VCPUS,
	TVX_USER_TABLES,	/* pages of EPT paging structures */
	TVX_NR_USER_THINGS
};

struct tvx_user;

/* Compute the bounds that were not given. */
void tvx_user_init(void);

/*
 * This thread's user, by its real uid, or by that of who made its user namespace; with a
 * reference. Return: NULL: no memory. May sleep.
 */
struct tvx_user *tvx_user_get(void);
void tvx_user_put(struct tvx_user *user);

/* Count one more, one less. Return: 0; -ENOSPC: the user has as many as he may. Any context. */
int tvx_user_charge(struct tvx_user *user, enum tvx_user_thing thing);
void tvx_user_uncharge(struct tvx_user *user, enum tvx_user_thing thing);

#endif
