// SPDX-License-Identifier: GPL-2.0-only
/* The debug port: reads give its own number, so that a guest can tell that it is there. */
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

int hv_debugport_init(struct hv_debugport *port, struct hv_bus *bus,
		      void (*output)(void *ctx, const uint8_t *data, size_t len), void *ctx)
{
	*port = (struct hv_debugport){
		.region = {
			.name = "debug port",
			.space = HV_PORT,
			.base = HV_DEBUGPORT,
			.len = 1,
			.access = access_port,
			.dev = port,
		},
		.output = output,
		.ctx = ctx,
	};
	return hv_bus_register(bus, &port->region);
}
