// SPDX-License-Identifier: GPL-2.0-only
/* The virtio devices that there are. */
#include <errno.h>
#include <string.h>

#include "balloon.h"
#include "blk.h"
#include "console.h"
#include "disk/disk.h"
#include "fs.h"
#include "net_row.h"
#include "rng.h"
#include "table.h"
#include "vhost_user_kinds.h"
#include "vsock.h"

int hv_virtio_no_options(const char *options, struct hv_error *err)
{
	if (!options || !*options)
		return 0;
	return hv_fail(err, EINVAL, "it has no options; leave out \"%s\"", options);
}

const struct hv_virtio_row hv_virtio_rows[] = {
	{
		.option = "disk",
		.name = "blk",
		.argument = HV_DISK_ARGUMENT,
		.help = "a raw image, or a block device, as a disk",
		.path = "",
		.check = hv_virtio_blk_check,
		.create = hv_virtio_blk_create,
	},
	{
		.option = "net",
		.name = "net",
		.argument = "user|tap:NAME[,mac=ADDRESS][,...]",
		.help = "a network: by sockets of hvctl's, or by an interface of the host's",
		.check = hv_net_check,
		.create = hv_net_create,
	},
	{
		.name = "rng",
		.argument = "",
		.help = "random numbers of the host",
		.check = hv_virtio_no_options,
		.create = hv_virtio_rng_create,
	},
	{
		.option = "share",
		.name = "fs",
		.argument = "DIR[:TAG][,ro]",
		.help = "a folder of the host, by virtiofsd; TAG is the name to mount it by",
		.path = "",
		.shared_memory = true,
		.check = hv_virtio_fs_check,
		.create = hv_virtio_fs_create,
	},
	{
		.option = "vhost-user",
		.name = "vhost-user",
		.argument = "blk:SOCKET|net:SOCKET[,mac=MAC]|fs:SOCKET,tag=TAG",
		.help = "a device that a daemon of yours serves",
		.path = ":",
		.shared_memory = true,
		.check = hv_virtio_vhost_user_check,
		.create = hv_virtio_vhost_user_create,
	},
	{
		.option = "vsock",
		.name = "vsock",
		.argument = "CID",
		.help = "sockets between host and guest (AF_VSOCK); CID is the guest's number there",
		.check = hv_virtio_vsock_check,
		.create = hv_virtio_vsock_create,
	},
	{
		.name = "console",
		.argument = "[to=BACKEND][,port=NAME:BACKEND]...",
		.help = "hvc0, and ports that have a name",
		.check = hv_virtio_console_check,
		.create = hv_virtio_console_create,
	},
	{
		.name = "balloon",
		.argument = "",
		.help = "memory that the guest does not use goes back to the host",
		.check = hv_virtio_no_options,
		.create = hv_virtio_balloon_create,
	},
	{ 0 },
};

const struct hv_virtio_row *hv_virtio_find(const char *option)
{
	const struct hv_virtio_row *row = hv_virtio_rows;

	for (; row->name; row++)
		if (!strcmp(hv_virtio_word(row), option))
			return row;
	return NULL;
}
