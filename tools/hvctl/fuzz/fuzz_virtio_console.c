// SPDX-License-Identifier: GPL-2.0-only
/* A guest with a console of three ports, whose other sides are as slow and as fast as they like. */
#include <errno.h>

#include "fuzz_virtio.h"
#include "virtio/console.h"

static struct hv_vport *ports[HV_VPORTS];
static size_t room;

static size_t output(void *ctx, const uint8_t *data, size_t len, bool force)
{
	static uint8_t copy[1 << 16];

	(void)ctx;
	if (len > room && !force)
		len = room;
	memcpy(copy, data, len);
	room -= len < room ? len : room;
	return len;
}

static void hungry(void *ctx)
{
	(void)ctx;
}

static int connect_port(void *ctx, struct hv_vport *port, const char *backend, struct hv_error *err)
{
	(void)ctx;
	(void)err;
	ports[port->index] = port;
	if (!backend || *backend != 'n')
		port->end =
			(struct hv_vport_end){ .output = output, .hungry = hungry, .ctx = port };
	port->sized = !port->index;
	if (port->sized)
		hv_vport_resize(port, 80, 24);
	return 0;
}

/* What the host does: it types, reads, and changes the window. */
static void other(struct hv_virtio *dev, struct fuzz_input *input)
{
	struct hv_vport *port = ports[fuzz_byte(input) % 3];
	uint8_t typed[64];

	(void)dev;
	switch (fuzz_byte(input) & 3) {
	case 0:
		room = fuzz_half(input);
		hv_vport_drained(port);
		break;
	case 1:
		hv_vport_resize(port, fuzz_byte(input), fuzz_byte(input));
		break;
	default:
		memset(typed, fuzz_byte(input), sizeof(typed));
		(void)hv_vport_input(port, typed, fuzz_byte(input) % sizeof(typed));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hv_memory *memory = fuzz_memory();
	const struct hv_virtio_env env = { .memory = memory, .connect = connect_port };
	struct hv_error err;
	struct hv_virtio *dev = hv_virtio_console_create(&env, "port=a:x,port=b:null", &err);

	if (!dev)
		abort();
	room = 100;
	fuzz_drive(dev, memory, data, size, other);
	return 0;
}
