// SPDX-License-Identifier: GPL-2.0-only
/* The ports that end a VM. */
#include "exitport.h"

static void access_exit(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_exitport *port = dev;

	(void)offset;
	(void)width;
	if (write)
		port->config.exited(port->config.ctx, *value);
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
		port->config.powered_off(port->config.ctx);
}

int hv_exitport_init(struct hv_exitport *port, const struct hv_exitport_config *config)
{
	int err;

	*port = (struct hv_exitport){
		.config = *config,
		.exit = { "exit port", HV_PORT, HV_EXITPORT, 4, access_exit, port },
		.power = { "power port", HV_PORT, HV_POWERPORT, 2, access_power, port },
	};
	err = hv_bus_register(config->bus, &port->exit);
	if (err)
		return err;
	err = config->powered_off ? hv_bus_register(config->bus, &port->power) : 0;
	if (err)
		hv_bus_unregister(config->bus, &port->exit);
	return err;
}

void hv_exitport_exit(struct hv_exitport *port)
{
	hv_bus_unregister(port->config.bus, &port->power);
	hv_bus_unregister(port->config.bus, &port->exit);
}
