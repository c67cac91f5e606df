// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports whose writes signal an eventfd: found without a lock, in the exit itself.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/log2.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "host.h"
#include "ioeventfd.h"
#include "memory.h"

struct ioeventfd {
	struct hlist_node link;
	struct eventfd_ctx *eventfd;
	u32 data;
	u16 port;
	u8 width;
	bool match;	/* only a write of data */
	atomic_t due;	/* signals that @later has to give */
	struct irq_work later;
};

static struct hlist_head *find_bucket(struct tvx_ioeventfds *events, u16 port)
{
	return &events->bucket[hash_32(port, ilog2(TVX_IOEVENTFD_BUCKETS))];
}

/* With PREEMPT_RT: in a thread. */
static void signal_later(struct irq_work *work)
{
	struct ioeventfd *event = container_of(work, struct ioeventfd, later);
	int due = atomic_xchg(&event->due, 0);

	while (due--)
		tvx_host_eventfd_signal(event->eventfd);
}

/* With PREEMPT_RT an eventfd's lock sleeps, which an exit must not. */
static void signal(struct ioeventfd *event)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT)) {
		tvx_host_eventfd_signal(event->eventfd);
		return;
	}
	atomic_inc(&event->due);
	irq_work_queue(&event->later);
}

bool tvx_ioeventfd_signal(struct tvx_ioeventfds *events, u16 port, unsigned int width, u32 data)
{
	struct ioeventfd *event;

	/* What is found stays until interrupts are enabled: deassign() waits for that. */
	hlist_for_each_entry_rcu(event, find_bucket(events, port), link, irqs_disabled()) {
		if (event->port != port || event->width != width)
			continue;
		if (event->match && event->data != data)
			continue;
		signal(event);
		return true;
	}
	return false;
}

static bool overlaps(const struct ioeventfd *a, const struct ioeventfd *b)
{
	return a->port == b->port && a->width == b->width &&
	       (!a->match || !b->match || a->data == b->data);
}

/* No exit finds it any more. May sleep. */
static void destroy(struct ioeventfd *event)
{
	irq_work_sync(&event->later);
	eventfd_ctx_put(event->eventfd);
	kfree(event);
}

/* As @arg says; nobody finds it yet. */
static struct ioeventfd *create(const struct tinyvmx_ioeventfd *arg)
{
	struct ioeventfd *event = kzalloc(sizeof(*event), GFP_KERNEL_ACCOUNT);
	int err;

	if (!event)
		return ERR_PTR(-ENOMEM);
	event->port = arg->port;
	event->width = arg->width;
	event->match = arg->flags & TINYVMX_IOEVENTFD_DATAMATCH;
	event->data = arg->data;
	init_irq_work(&event->later, signal_later);
	event->eventfd = eventfd_ctx_fdget(arg->fd);
	if (!IS_ERR(event->eventfd))
		return event;
	err = PTR_ERR(event->eventfd);
	kfree(event);
	return ERR_PTR(err);
}

static int add(struct tvx_ioeventfds *events, struct ioeventfd *new)
{
	struct hlist_head *bucket = find_bucket(events, new->port);
	struct ioeventfd *event;

	hlist_for_each_entry(event, bucket, link)
		if (overlaps(event, new))
			return -EEXIST;
	if (events->count == TVX_MAX_IOEVENTFDS)
		return -ENOSPC;
	events->count++;
	hlist_add_head_rcu(&new->link, bucket);
	return 0;
}

/* Return: the one like @like, which no exit finds from now on, or NULL. */
static struct ioeventfd *take(struct tvx_ioeventfds *events, const struct ioeventfd *like)
{
	struct ioeventfd *event;

	hlist_for_each_entry(event, find_bucket(events, like->port), link) {
		if (!overlaps(event, like) || event->match != like->match ||
		    event->eventfd != like->eventfd)
			continue;
		events->count--;
		hlist_del_rcu(&event->link);
		return event;
	}
	return NULL;
}

static int assign(struct tvx_ioeventfds *events, struct ioeventfd *event)
{
	int err;

	mutex_lock(&events->lock);
	err = add(events, event);
	mutex_unlock(&events->lock);
	if (err)
		destroy(event);
	return err;
}

static int deassign(struct tvx_ioeventfds *events, struct ioeventfd *like)
{
	struct ioeventfd *event;

	mutex_lock(&events->lock);
	event = take(events, like);
	mutex_unlock(&events->lock);
	destroy(like);
	if (!event)
		return -ENOENT;
	/*
	 * An exit may have found it and be about to signal. An RCU grace period would be waited for
	 * much longer: all CPUs take part in it, this one's few are known.
	 */
	tvx_memory_interrupt_loaded(events->memory);
	destroy(event);
	return 0;
}

static int check(const struct tinyvmx_ioeventfd *arg)
{
	if (arg->pad || (arg->width != 1 && arg->width != 2 && arg->width != 4))
		return -EINVAL;
	if (arg->port + arg->width > 0x10000)
		return -EINVAL;
	if (!(arg->flags & TINYVMX_IOEVENTFD_DATAMATCH))
		return arg->data ? -EINVAL : 0;
	return (u64)arg->data >> (8 * arg->width) ? -EINVAL : 0;
}

int tvx_ioeventfd_set(struct tvx_ioeventfds *events, const struct tinyvmx_ioeventfd *arg)
{
	struct ioeventfd *event;
	int err = check(arg);

	if (err)
		return err;
	event = create(arg);
	if (IS_ERR(event))
		return PTR_ERR(event);
	return arg->flags & TINYVMX_IOEVENTFD_DEASSIGN ? deassign(events, event) :
							  assign(events, event);
}

void tvx_ioeventfds_init(struct tvx_ioeventfds *events, struct tvx_memory *memory)
{
	mutex_init(&events->lock);
	events->memory = memory;
}

void tvx_ioeventfds_destroy(struct tvx_ioeventfds *events)
{
	struct ioeventfd *event;
	struct hlist_node *next;
	unsigned int n;

	for (n = 0; n < TVX_IOEVENTFD_BUCKETS; n++)
		hlist_for_each_entry_safe(event, next, &events->bucket[n], link)
			destroy(event);
}
