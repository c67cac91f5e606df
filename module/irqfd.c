// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that raise an interrupt: a waiter on the eventfd that sends a message
 * to local APICs, in the context of whoever signals.
 *
 * The eventfd is held, so its wait queue lives as long as the waiter. All its fds may be closed,
 * and those in the kernel that hold it as well, vhost or a port of a VM, go on to signal it.
 *
 * Signalled, taken and delivered is one step under the lock of the wait queue: so what is counted
 * while the waiter is there has been delivered, and who removes the waiter drops nothing. The lock
 * may be held in an interrupt or in an exit of another VM, and the kernel lets nobody signal an
 * eventfd under it: delivering posts bits, kicks a CPU or wakes a thread, and no more.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "irqchip/lapic.h"
#include "irqfd.h"

struct irqfd {
	struct hlist_node link;
	struct tvx_vcpu_set *vcpus;
	struct tvx_message message;
	struct eventfd_ctx *eventfd;
	wait_queue_head_t *queue;
	wait_queue_entry_t waiter;
	poll_table poll;
};

/* Take what the eventfd has counted. The lock of its wait queue is held. */
static void deliver_locked(struct irqfd *irqfd)
{
	u64 count;

	lockdep_assert_held(&irqfd->queue->lock);
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	if (count)
		tvx_lapic_send(irqfd->vcpus, &irqfd->message);
}

static int signalled(wait_queue_entry_t *waiter, unsigned int mode, int sync, void *key)
{
	if (key_to_poll(key) & EPOLLIN)
		deliver_locked(container_of(waiter, struct irqfd, waiter));
	return 0;
}

static void add_waiter(struct file *file, wait_queue_head_t *queue, poll_table *poll)
{
	struct irqfd *irqfd = container_of(poll, struct irqfd, poll);

	irqfd->queue = queue;
	add_wait_queue(queue, &irqfd->waiter);
}

/* Wait for @file, and take what has been signalled before. */
static void start(struct irqfd *irqfd, struct file *file)
{
	init_waitqueue_func_entry(&irqfd->waiter, signalled);
	init_poll_funcptr(&irqfd->poll, add_waiter);
	vfs_poll(file, &irqfd->poll);
	spin_lock_irq(&irqfd->queue->lock);
	deliver_locked(irqfd);
	spin_unlock_irq(&irqfd->queue->lock);
}

static struct hlist_head *find_bucket(struct tvx_irqfds *irqfds, const struct eventfd_ctx *eventfd)
{
	return &irqfds->bucket[hash_ptr(eventfd, ilog2(TVX_IRQFD_BUCKETS))];
}

static struct irqfd *find(struct tvx_irqfds *irqfds, const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;

	hlist_for_each_entry(irqfd, find_bucket(irqfds, eventfd), link)
		if (irqfd->eventfd == eventfd)
			return irqfd;
	return NULL;
}

/* Afterwards nobody is in signalled(), and nobody will be. */
static void remove(struct tvx_irqfds *irqfds, struct irqfd *irqfd)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->waiter, &count);
	hlist_del(&irqfd->link);
	irqfds->count--;
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

static int assign(struct tvx_irqfds *irqfds, struct file *file, struct eventfd_ctx *eventfd,
		  const struct tvx_message *message)
{
	struct irqfd *irqfd;

	if (find(irqfds, eventfd))
		return -EEXIST;
	if (irqfds->count == TVX_MAX_IRQFDS)
		return -ENOSPC;
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->vcpus = irqfds->vcpus;
	irqfd->message = *message;
	irqfd->eventfd = eventfd_ctx_fileget(file);
	hlist_add_head(&irqfd->link, find_bucket(irqfds, eventfd));
	irqfds->count++;
	start(irqfd, file);
	return 0;
}

static int deassign(struct tvx_irqfds *irqfds, const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd = find(irqfds, eventfd);

	if (!irqfd)
		return -ENOENT;
	remove(irqfds, irqfd);
	return 0;
}

/* What is to be sent. Deassigning names none. */
static int parse(const struct tinyvmx_irqfd *arg, struct tvx_message *message)
{
	struct tinyvmx_msi msi = { .address = arg->address, .data = arg->data };

	if (arg->flags & TINYVMX_IRQFD_DEASSIGN)
		return arg->address || arg->data ? -EINVAL : 0;
	return tvx_lapic_parse_msi(&msi, message);
}

int tvx_irqfd_set(struct tvx_irqfds *irqfds, const struct tinyvmx_irqfd *arg)
{
	struct tvx_message message;
	struct eventfd_ctx *eventfd;
	struct file *file;
	int err;

	err = parse(arg, &message);
	if (err)
		return err;
	file = fget(arg->fd);
	if (!file)
		return -EBADF;
	eventfd = eventfd_ctx_fileget(file);
	err = PTR_ERR_OR_ZERO(eventfd);
	if (err)
		goto put_file;

	mutex_lock(&irqfds->lock);
	if (arg->flags & TINYVMX_IRQFD_DEASSIGN)
		err = deassign(irqfds, eventfd);
	else
		err = assign(irqfds, file, eventfd, &message);
	mutex_unlock(&irqfds->lock);
	eventfd_ctx_put(eventfd);
put_file:
	fput(file);
	return err;
}

void tvx_irqfds_init(struct tvx_irqfds *irqfds, struct tvx_vcpu_set *vcpus)
{
	mutex_init(&irqfds->lock);
	irqfds->vcpus = vcpus;
}

void tvx_irqfds_destroy(struct tvx_irqfds *irqfds)
{
	struct hlist_node *next;
	struct irqfd *irqfd;
	unsigned int n;

	for (n = 0; n < TVX_IRQFD_BUCKETS; n++)
		hlist_for_each_entry_safe(irqfd, next, &irqfds->bucket[n], link)
			remove(irqfds, irqfd);
}
