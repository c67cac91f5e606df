// SPDX-License-Identifier: GPL-2.0-only
/* The debug ports: reads give the first one's number, so that a guest can tell that it is there. */
#include "debugport.h"

static void access_port(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_debugport *port = dev;
	uint8_t byte = *value;

	(void)offset;
	(void)width;
	if (write)
		port->config.output(port->config.ctx, &byte, 1);
	else
		*value = HV_DEBUGPORT;
}

/* There, too, and nobody listens. */
static void access_quiet(void *dev, uint64_t offset, unsigned int width, bool write,
			 uint64_t *value)
{
	(void)dev;
	(void)offset;
	(void)width;
	if (!write)
		*value = HV_DEBUGPORT;
}

int hv_debugport_init(struct hv_debugport *port, const struct hv_debugport_config *config)
{
	static const uint16_t bases[HV_DEBUGPORTS] = { HV_DEBUGPORT_FIRMWARE, HV_DEBUGPORT };
	unsigned int count = config->firmware_only ? 1 : HV_DEBUGPORTS;
	int err = 0;

	*port = (struct hv_debugport){ .config = *config };
	for (unsigned int i = 0; i < count && !err; i++) {
		port->region[i] = (struct hv_region){
			.name = "debug port",
			.space = HV_PORT,
			.base = bases[i],
			.len = 1,
			.access = !i && config->firmware_quiet ? access_quiet : access_port,
			.dev = port,
		};
		err = hv_bus_register(config->bus, &port->region[i]);
	}
	if (err)
		hv_debugport_exit(port);
	return err;
}

void hv_debugport_exit(struct hv_debugport *port)
{
	for (unsigned int i = 0; i < HV_DEBUGPORTS; i++)
		hv_bus_unregister(port->config.bus, &port->region[i]);
}
