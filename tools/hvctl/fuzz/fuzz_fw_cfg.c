// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest against fw_cfg: ports, DMA requests anywhere in RAM and outside, and damaged
 * snapshots. RAM ends where the sanitizer begins to complain; so do items.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dev/fw_cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM 512

struct bench {
	struct hv_bus bus;
	struct hv_clock clock;
	uint64_t now_ns;
	struct hv_fw_cfg fw_cfg;
	uint8_t *ram;
};

static uint64_t now(struct hv_clock *clock)
{
	return ((struct bench *)((char *)clock - offsetof(struct bench, clock)))->now_ns;
}

static void *ram(void *ctx, uint64_t gpa, uint64_t len)
{
	return gpa < RAM && len <= RAM - gpa ? ((struct bench *)ctx)->ram + gpa : NULL;
}

static void write_port(struct bench *b, uint16_t port, unsigned int width, uint64_t value)
{
	hv_bus_access(&b->bus, HV_PORT, port, width, true, &value);
}

/* What a step is made of: its kind, four bytes for it, a DMA request. */
#define STEP 21

/*
 * A request somewhere in RAM, or only half in it, is started. Mostly an item that there is, and
 * a length and an address of a few hundred.
 */
static void start_request(struct bench *b, const uint8_t *bytes)
{
	uint8_t request[16] = { 0, bytes[1] % 0x24, 0, bytes[2] };
	uint32_t at = bytes[0] * 2;

	memcpy(request + 6, bytes + 4, 2);
	memcpy(request + 14, bytes + 6, 2);
	if (bytes[3] & 1)
		memcpy(request, bytes + 4, sizeof(request));
	if (bytes[3] & 2)
		write_port(b, HV_FW_CFG_PORT + 4, 4, bytes[3]);
	memcpy(b->ram + at, request, RAM - at < sizeof(request) ? RAM - at : sizeof(request));
	write_port(b, HV_FW_CFG_PORT + 8, 4, __builtin_bswap32(at));
}

static void damage_state(struct bench *b, const uint8_t *bytes)
{
	struct hv_fw_cfg_state state, again;

	hv_fw_cfg_save(&b->fw_cfg, &state);
	((uint8_t *)&state)[bytes[0] % sizeof(state)] ^= bytes[1];
	if (hv_fw_cfg_load(&b->fw_cfg, &state))
		return;
	hv_fw_cfg_save(&b->fw_cfg, &again);
	if (memcmp(&state, &again, sizeof(state)))
		abort();
}

static void step(struct bench *b, const uint8_t *bytes)
{
	uint64_t value = (uint32_t)bytes[3] << 8 | bytes[4];
	unsigned int port = bytes[1] % HV_FW_CFG_LEN, width = 1u << bytes[2] % 3;

	switch (bytes[0] % 6) {
	case 0:
		write_port(b, (uint16_t)(HV_FW_CFG_PORT + port), width, value);
		return;
	case 1:
		hv_bus_access(&b->bus, HV_PORT, HV_FW_CFG_PORT + port, width, false, &value);
		return;
	case 2:
		write_port(b, HV_FW_CFG_PORT, 2, bytes[1] % 0x24);
		return;
	case 3:
		start_request(b, bytes + 1);
		return;
	case 4:
		b->now_ns += (uint64_t)value << 4;
		hv_clock_run(&b->clock);
		return;
	default:
		damage_state(b, bytes + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench b;
	const struct hv_fw_cfg_config config = {
		.bus = &b.bus,
		.clock = &b.clock,
		.ram = ram,
		.ctx = &b,
	};
	uint8_t *file = malloc(40);

	memset(&b, 0, sizeof(b));
	b.clock.now_ns = now;
	b.ram = calloc(1, RAM);
	if (!b.ram || !file || hv_fw_cfg_init(&b.fw_cfg, &config) ||
	    hv_fw_cfg_add_number(&b.fw_cfg, HV_FW_CFG_CPUS, 1, 2) ||
	    hv_fw_cfg_add_file(&b.fw_cfg, "opt/file", memset(file, 'x', 40), 40) ||
	    hv_fw_cfg_add_writable(&b.fw_cfg, "opt/writable", file, 8))
		abort();
	for (; size >= STEP; size -= STEP, data += STEP)
		step(&b, data);
	hv_fw_cfg_exit(&b.fw_cfg);
	for (unsigned int i = 0; i < 40; i++)
		if (file[i] != 'x')
			abort();
	free(file);
	free(b.ram);
	return 0;
}
