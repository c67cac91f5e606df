// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each user of the host has of VMs, and may have at most. The kernel's own counters for
 * users (struct ucounts) are a list that modules cannot add to.
 */
#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/hashtable.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "host_user.h"

/* Not given: computed by tvx_user_init(). */
#define BY_MEMORY	UINT_MAX

static unsigned int user_vms = 4096;
module_param(user_vms, uint, 0644);
MODULE_PARM_DESC(user_vms, "most VMs that a user may have at a time (default: 4096)");

static unsigned int user_vcpus = 16384;
module_param(user_vcpus, uint, 0644);
MODULE_PARM_DESC(user_vcpus, "most vCPUs that a user may have at a time (default: 16384)");

static unsigned int user_tables_kib = BY_MEMORY;
module_param(user_tables_kib, uint, 0644);
MODULE_PARM_DESC(user_tables_kib, "most memory for a user's EPT paging structures, in KiB (default: 1/16 of the host's memory)");

/* Found by its uid as long as one of its VMs exists. */
struct tvx_user {
	struct hlist_node link;
	kuid_t uid;
	refcount_t refs;
	atomic_long_t has[TVX_NR_USER_THINGS];
};

static DEFINE_MUTEX(users_lock);
static DEFINE_HASHTABLE(users, 6);	/* under users_lock, as is who gets the first reference */

void tvx_user_init(void)
{
	if (user_tables_kib == BY_MEMORY)
		user_tables_kib = min(totalram_pages() / 16 * (PAGE_SIZE / 1024), BY_MEMORY - 1UL);
}

static struct tvx_user *find_locked(kuid_t uid)
{
	struct tvx_user *user;

	lockdep_assert_held(&users_lock);
	hash_for_each_possible(users, user, link, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/*
 * The uids that a user has of a user namespace are not so many users: all count for the owner of
 * the outermost namespace that is not root's.
 */
static kuid_t accountable_uid(void)
{
	const struct user_namespace *ns;
	kuid_t uid = current_uid();

	for (ns = current_user_ns(); ns->parent; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
	return uid;
}

/* The caller has made @new: who waits for its memory keeps nobody else waiting. */
static struct tvx_user *find_or_add(kuid_t uid, struct tvx_user *new)
{
	struct tvx_user *user;

	mutex_lock(&users_lock);
	user = find_locked(uid);
	if (user) {
		refcount_inc(&user->refs);
	} else {
		user = new;
		hash_add(users, &user->link, __kuid_val(uid));
	}
	mutex_unlock(&users_lock);
	return user;
}

struct tvx_user *tvx_user_get(void)
{
	struct tvx_user *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT), *user;

	if (!new)
		return NULL;
	new->uid = accountable_uid();
	refcount_set(&new->refs, 1);
	user = find_or_add(new->uid, new);
	if (user != new)
		kfree(new);
	return user;
}

void tvx_user_put(struct tvx_user *user)
{
	if (!refcount_dec_and_mutex_lock(&user->refs, &users_lock))
		return;
	hash_del(&user->link);
	mutex_unlock(&users_lock);
	kfree(user);
}

static unsigned long bound(enum tvx_user_thing thing)
{
	switch (thing) {
	case TVX_USER_VMS:
		return READ_ONCE(user_vms);
	case TVX_USER_VCPUS:
		return READ_ONCE(user_vcpus);
	default:
		return READ_ONCE(user_tables_kib) / (PAGE_SIZE / 1024);
	}
}

int tvx_user_charge(struct tvx_user *user, enum tvx_user_thing thing)
{
	if (atomic_long_inc_return(&user->has[thing]) <= bound(thing))
		return 0;
	atomic_long_dec(&user->has[thing]);
	return -ENOSPC;
}

void tvx_user_uncharge(struct tvx_user *user, enum tvx_user_thing thing)
{
	atomic_long_dec(&user->has[thing]);
}
