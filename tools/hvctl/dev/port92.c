// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port 92h: bit 1 opens A20 (it is open whatever the guest writes), bit 0 resets
 * the CPU when it goes from 0 to 1.
 */
#include <errno.h>
#include <string.h>

#include "port92.h"

#define RESET 0x01
#define A20 0x02

static uint8_t port92_read8(void *dev, uint64_t offset)
{
	(void)offset;
	return (uint8_t)((struct hv_port92 *)dev)->s.value;
}

static void port92_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_port92 *port = dev;
	bool reset = value & ~port->s.value & RESET;

	(void)offset;
	port->s.value = value & (RESET | A20);
	if (reset && port->config.reset)
		port->config.reset(port->config.ctx);
}

static void port92_access(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, port92_read8, port92_write8);
}

void hv_port92_reset(struct hv_port92 *port)
{
	port->s = (struct hv_port92_state){ .value = A20 };
}

int hv_port92_init(struct hv_port92 *port, const struct hv_port92_config *config)
{
	memset(port, 0, sizeof(*port));
	port->config = *config;
	hv_port92_reset(port);
	port->region = (struct hv_region){
		.name = "port92",
		.space = HV_PORT,
		.base = 0x92,
		.len = 1,
		.access = port92_access,
		.dev = port,
	};
	return hv_bus_register(config->bus, &port->region);
}

void hv_port92_exit(struct hv_port92 *port)
{
	hv_bus_unregister(port->config.bus, &port->region);
}

void hv_port92_save(const struct hv_port92 *port, struct hv_port92_state *state)
{
	*state = port->s;
}

int hv_port92_check(const struct hv_port92 *port, const struct hv_port92_state *state)
{
	(void)port;
	return (state->value & ~(uint32_t)(RESET | A20)) || state->pad ? -EINVAL : 0;
}

int hv_port92_load(struct hv_port92 *port, const struct hv_port92_state *state)
{
	int err = hv_port92_check(port, state);

	if (err)
		return err;
	port->s = *state;
	return 0;
}

HV_STATE_KIND(port92, HV_STATE_PORT92, 1);
