// SPDX-License-Identifier: GPL-2.0-only
/* Rings that the host's kernel serves: what its devices have in common. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/event.h"
#include "lib/util.h"
#include "vhost.h"

/* Module names have an underscore where the device's has a dash. */
static int no_device(const char *path, struct hv_error *err)
{
	char module[32];

	snprintf(module, sizeof(module), "%s", strrchr(path, '/') + 1);
	for (char *c = module; *c; c++)
		if (*c == '-')
			*c = '_';
	return hv_fail(err, ENODEV, "no %s on this host; try 'modprobe %s'", path, module);
}

static int open_failed(const char *path, int error, struct hv_error *err)
{
	if (error == ENOENT || error == ENODEV || error == ENXIO)
		return no_device(path, err);
	if (error == EACCES || error == EPERM)
		return hv_fail(err, error,
			       "no permission to open %s; try 'setfacl -m u:$USER:rw %s' as root",
			       path, path);
	return hv_fail(err, error, "cannot open %s: %s", path, strerror(error));
}

/* The driver's fault, which the kernel cannot tell it of. */
static void ring_broken(void *ctx, short revents)
{
	struct hv_vhost *vhost = ctx;
	(void)revents;
	/* It may come late, when the driver has reset the device. */
	if (hv_take_event(vhost->err_fd) && vhost->dev->running)
		hv_virtio_break(vhost->dev);
}

int hv_vhost_open(struct hv_vhost *vhost, const char *path, struct hv_error *err)
{
	*vhost = (struct hv_vhost){ .err_fd = -1 };
	vhost->fd = open(path, O_RDWR | O_CLOEXEC);
	if (vhost->fd < 0)
		return open_failed(path, errno, err);
	vhost->err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vhost->err_fd < 0)
		return hv_fail(err, errno,
			       "no file descriptors; close something, or raise ulimit -n");
	if (ioctl(vhost->fd, VHOST_SET_OWNER) < 0 ||
	    ioctl(vhost->fd, VHOST_GET_FEATURES, &vhost->features) < 0)
		return hv_fail(err, errno, "%s does not work as vhost: %s", path, strerror(errno));
	return 0;
}

void hv_vhost_close(struct hv_vhost *vhost)
{
	hv_close(vhost->fd);
	hv_close(vhost->err_fd);
	vhost->fd = vhost->err_fd = -1;
}

void hv_vhost_bind(struct hv_vhost *vhost, struct hv_virtio *dev, unsigned int first,
		   unsigned int count)
{
	vhost->dev = dev;
	dev->worker.sandbox = HV_SANDBOX_TAP;
	vhost->first = first;
	vhost->count = count;
	vhost->err_watch = (struct hv_watch){
		.fd = vhost->err_fd,
		.ready = ring_broken,
		.ctx = vhost,
	};
	hv_loop_add(&dev->worker.loop, &vhost->err_watch);
}

static struct hv_vqueue *ring(const struct hv_vhost *vhost, unsigned int index)
{
	return hv_virtio_ring(vhost->dev, vhost->first + index);
}

static int set_memory(const struct hv_vhost *vhost)
{
	union {
		struct vhost_memory table;
		char room[sizeof(struct vhost_memory) +
			  HV_MEMORY_MAX_RANGES * sizeof(struct vhost_memory_region)];
	} all = { .room = { 0 } };
	const struct hv_memory *memory = ring(vhost, 0)->memory;
	struct vhost_memory *table = &all.table;

	table->nregions = memory->count;
	for (unsigned int i = 0; i < memory->count; i++)
		table->regions[i] = (struct vhost_memory_region){
			.guest_phys_addr = memory->range[i].gpa,
			.memory_size = memory->range[i].len,
			.userspace_addr = (uintptr_t)memory->range[i].hva,
		};
	return ioctl(vhost->fd, VHOST_SET_MEM_TABLE, table) < 0 ? -errno : 0;
}

static int set_file(const struct hv_vhost *vhost, unsigned long request, unsigned int index, int fd)
{
	struct vhost_vring_file file = { .index = index, .fd = fd };

	return ioctl(vhost->fd, request, &file) < 0 ? -errno : 0;
}

static int set_state(const struct hv_vhost *vhost, unsigned long request, unsigned int index,
		     unsigned int num)
{
	struct vhost_vring_state state = { .index = index, .num = num };

	return ioctl(vhost->fd, request, &state) < 0 ? -errno : 0;
}

static int set_areas(const struct hv_vhost *vhost, unsigned int index)
{
	const struct hv_vqueue *queue = ring(vhost, index);
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = (uintptr_t)queue->desc,
		.avail_user_addr = (uintptr_t)queue->driver,
		.used_user_addr = (uintptr_t)queue->device,
	};

	return ioctl(vhost->fd, VHOST_SET_VRING_ADDR, &addr) < 0 ? -errno : 0;
}

/* The kick comes last: with it the kernel may begin. */
static int start_ring(const struct hv_vhost *vhost, unsigned int index)
{
	struct hv_vqueue *queue = ring(vhost, index);
	int error = set_state(vhost, VHOST_SET_VRING_NUM, index, queue->setup.size);

	if (!error)
		error = set_state(vhost, VHOST_SET_VRING_BASE, index,
				  hv_vqueue_position(queue).avail);
	if (!error)
		error = set_areas(vhost, index);
	if (!error)
		error = set_file(vhost, VHOST_SET_VRING_ERR, index, vhost->err_fd);
	if (!error)
		error = set_file(vhost, VHOST_SET_VRING_CALL, index, atomic_load(&queue->call_fd));
	if (!error)
		error = set_file(vhost, VHOST_SET_VRING_KICK, index, queue->kick_fd);
	return error;
}

int hv_vhost_start(struct hv_vhost *vhost)
{
	uint64_t features = vhost->dev->features & vhost->features;
	int error = ioctl(vhost->fd, VHOST_SET_FEATURES, &features) < 0 ? -errno : 0;

	if (!error)
		error = set_memory(vhost);
	for (unsigned int i = 0; i < vhost->count && !error; i++)
		if (ring(vhost, i)->up)
			error = start_ring(vhost, i);
	return error;
}

/* Split rings alone. What the kernel has taken it has given back by now. */
static void take_back(const struct hv_vhost *vhost, unsigned int index)
{
	struct vhost_vring_state base = { .index = index };
	struct hv_vqueue_position position = { .avail_wrap = 1, .used_wrap = 1 };

	set_file(vhost, VHOST_SET_VRING_KICK, index, VHOST_FILE_UNBIND);
	set_file(vhost, VHOST_SET_VRING_CALL, index, VHOST_FILE_UNBIND);
	if (ioctl(vhost->fd, VHOST_GET_VRING_BASE, &base) < 0)
		return;
	position.avail = position.used = (uint16_t)base.num;
	(void)hv_vqueue_set_position(ring(vhost, index), &position);
}

void hv_vhost_stop(struct hv_vhost *vhost)
{
	for (unsigned int i = 0; i < vhost->count; i++)
		if (ring(vhost, i)->up)
			take_back(vhost, i);
}

void hv_vhost_rewired(const struct hv_vhost *vhost)
{
	for (unsigned int i = 0; i < vhost->count; i++)
		if (ring(vhost, i)->up)
			set_file(vhost, VHOST_SET_VRING_CALL, i,
				 atomic_load(&ring(vhost, i)->call_fd));
}
