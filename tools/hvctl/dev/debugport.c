// SPDX-License-Identifier: GPL-2.0-only
/* The debug port: reads give the first one's number, so that a guest can tell that it is there. */
#include "debugport.h"

static void access_port(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_debugport *port = dev;
	uint8_t byte = *value;

	(void)offset;
	(void)width;
	if (write)
		port->output(port->ctx, &byte, 1);
	else
		*value = HV_DEBUGPORT;
}

static int register_port(struct hv_debugport *port, struct hv_bus *bus, unsigned int i,
			 uint64_t base)
{
	port->region[i] = (struct hv_region){
		.name = "debug port",
		.space = HV_PORT,
		.base = base,
		.len = 1,
		.access = access_port,
		.dev = port,
	};
	return hv_bus_register(bus, &port->region[i]);
}

int hv_debugport_init(struct hv_debugport *port, struct hv_bus *bus,
		      void (*output)(void *ctx, const uint8_t *data, size_t len), void *ctx)
{
	int error;

	*port = (struct hv_debugport){ .output = output, .ctx = ctx };
	error = register_port(port, bus, 0, HV_DEBUGPORT);
	return error ? error : register_port(port, bus, 1, HV_DEBUGPORT_FIRMWARE);
}
