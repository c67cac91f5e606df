// SPDX-License-Identifier: GPL-2.0-only
/* The ports that end a VM. */
#include "exitport.h"

static void access_exit(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_exitport *port = dev;

	(void)offset;
	(void)width;
	if (write)
		port->exited(port->ctx, *value);
	else
		*value = 0;
}

static void access_power(void *dev, uint64_t offset, unsigned int width, bool write,
			 uint64_t *value)
{
	struct hv_exitport *port = dev;

	if (!write)
		*value = 0;
	else if (!offset && width == 2 && (*value & 0xffff) == HV_POWERPORT_OFF)
		port->powered_off(port->ctx);
}

int hv_exitport_init(struct hv_exitport *port, struct hv_bus *bus,
		     void (*exited)(void *ctx, uint32_t value), void (*powered_off)(void *ctx),
		     void *ctx)
{
	int err;

	*port = (struct hv_exitport){
		.exit = { "exit port", HV_PORT, HV_EXITPORT, 4, access_exit, port },
		.power = { "power port", HV_PORT, HV_POWERPORT, 2, access_power, port },
		.exited = exited,
		.powered_off = powered_off,
		.ctx = ctx,
	};
	err = hv_bus_register(bus, &port->exit);
	if (err)
		return err;
	err = hv_bus_register(bus, &port->power);
	if (err)
		hv_bus_unregister(bus, &port->exit);
	return err;
}
