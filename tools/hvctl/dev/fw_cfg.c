// SPDX-License-Identifier: GPL-2.0-only
/*
 * fw_cfg: files for firmware.
 *
 *  510  selector, 2 bytes, write: the item, from its first byte on. Bit 14 ("write") is ignored
 *  511  data, 1 byte, read: the next byte, 0 behind the end
 *  514  DMA address, 8 bytes, big endian; the second half starts the request that lies there.
 *       Reads as "QEMU CFG"
 *
 *  request, 16 bytes, big endian
 *  00 control: 31:16 item, 4 write, 3 select it, 2 skip, 1 read, 0 error   04 length
 *  08 address
 *
 * A request is copied once and then done within the item and within RAM: what the guest does
 * to it meanwhile changes nothing. It always ends; what reads behind an item's end are zeroes.
 * What is written must fit into its file as a whole, or nothing is.
 * The first MiB is there before the guest goes on. What is more comes piece by piece, so that
 * nobody waits for the bus meanwhile; control is written when all is done, for which firmware
 * waits. Another request before that is an error.
 */
#include <errno.h>
#include <string.h>

#include "fw_cfg.h"

#define OFFSET_SELECTOR 0
#define OFFSET_DATA 1
#define OFFSET_DMA 4
#define DMA_LEN 8

#define KEY_WRITE 0x4000
#define ID_TRADITIONAL 0x1
#define ID_DMA 0x2

#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SKIP 0x04
#define DMA_SELECT 0x08
#define DMA_WRITE 0x10
#define DMA_PAUSE_NS 10000

#define ENTRY_LEN 64
#define ENTRY_NAME 8

static const uint8_t dma_signature[DMA_LEN] = { 'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G' };

static uint64_t get_be(const uint8_t *p, unsigned int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | *p++;
	return value;
}

static void put_be(uint8_t *p, uint64_t value, unsigned int len)
{
	while (len--) {
		p[len] = (uint8_t)value;
		value >>= 8;
	}
}

/* ------------------------------------------------------------------- items */

static const struct hv_fw_cfg_item *find_item(const struct hv_fw_cfg *fw_cfg, uint16_t key)
{
	for (unsigned int i = 0; i < fw_cfg->items; i++)
		if (fw_cfg->item[i].key == key)
			return &fw_cfg->item[i];
	return NULL;
}

static int add_item(struct hv_fw_cfg *fw_cfg, struct hv_fw_cfg_item item)
{
	if (find_item(fw_cfg, item.key))
		return -EEXIST;
	if (fw_cfg->items == HV_FW_CFG_ITEMS)
		return -ENOSPC;
	fw_cfg->item[fw_cfg->items++] = item;
	return 0;
}

int hv_fw_cfg_add(struct hv_fw_cfg *fw_cfg, uint16_t key, const void *data, uint32_t len)
{
	return add_item(fw_cfg, (struct hv_fw_cfg_item){ .key = key, .data = data, .len = len });
}

int hv_fw_cfg_add_number(struct hv_fw_cfg *fw_cfg, uint16_t key, uint64_t value, uint32_t len)
{
	struct hv_fw_cfg_item item = { .key = key, .len = len };

	for (unsigned int i = 0; i < len; i++)
		item.number[i] = (uint8_t)(value >> 8 * i);
	return add_item(fw_cfg, item);
}

static bool has_file(const struct hv_fw_cfg *fw_cfg, const char *name)
{
	for (unsigned int i = 0; i < fw_cfg->files; i++)
		if (!strcmp((const char *)fw_cfg->directory + 4 + i * ENTRY_LEN + ENTRY_NAME, name))
			return true;
	return false;
}

static int add_file(struct hv_fw_cfg *fw_cfg, const char *name, struct hv_fw_cfg_item item)
{
	uint8_t *entry = fw_cfg->directory + 4 + fw_cfg->files * ENTRY_LEN;
	int err;

	if (!*name || strlen(name) >= HV_FW_CFG_NAME)
		return -EINVAL;
	if (has_file(fw_cfg, name))
		return -EEXIST;
	if (fw_cfg->files == HV_FW_CFG_FILES)
		return -ENOSPC;
	item.key = (uint16_t)(HV_FW_CFG_FIRST_FILE + fw_cfg->files);
	err = add_item(fw_cfg, item);
	if (err)
		return err;
	put_be(entry, item.len, 4);
	put_be(entry + 4, item.key, 2);
	memcpy(entry + ENTRY_NAME, name, strlen(name) + 1);
	put_be(fw_cfg->directory, ++fw_cfg->files, 4);
	return 0;
}

int hv_fw_cfg_add_file(struct hv_fw_cfg *fw_cfg, const char *name, const void *data, uint32_t len)
{
	return add_file(fw_cfg, name, (struct hv_fw_cfg_item){ .data = data, .len = len });
}

int hv_fw_cfg_add_writable(struct hv_fw_cfg *fw_cfg, const char *name, const void *data,
			   uint32_t len)
{
	int err;

	if (!len || len > HV_FW_CFG_WRITABLE)
		return -EINVAL;
	if (fw_cfg->writable_len)
		return -ENOSPC;
	err = add_file(
		fw_cfg, name,
		(struct hv_fw_cfg_item){ .writable = true, .data = fw_cfg->s.written, .len = len });
	if (err)
		return err;
	fw_cfg->writable_len = len;
	memcpy(fw_cfg->unwritten, data, len);
	memcpy(fw_cfg->s.written, data, len);
	return 0;
}

/* -------------------------------------------------------------- what a guest reads */

static void set_key(struct hv_fw_cfg *fw_cfg, uint16_t key)
{
	fw_cfg->s.key = key & ~KEY_WRITE;
	fw_cfg->s.offset = 0;
	fw_cfg->current = find_item(fw_cfg, fw_cfg->s.key);
}

static void select_item(struct hv_fw_cfg *fw_cfg, uint16_t key)
{
	set_key(fw_cfg, key);
	if (fw_cfg->config.selected)
		fw_cfg->config.selected(fw_cfg->config.ctx);
}

/* The next up to @len bytes, and how many there are. Whoever takes them moves on. */
static uint32_t next_bytes(struct hv_fw_cfg *fw_cfg, uint32_t len, const uint8_t **bytes)
{
	const struct hv_fw_cfg_item *item = fw_cfg->current;
	uint32_t left = item ? item->len - fw_cfg->s.offset : 0;

	if (!left)
		return 0;
	*bytes = (item->data ? (const uint8_t *)item->data : item->number) + fw_cfg->s.offset;
	if (left > len)
		left = len;
	fw_cfg->s.offset += left;
	return left;
}

static uint8_t read_data(struct hv_fw_cfg *fw_cfg)
{
	const uint8_t *byte;

	return next_bytes(fw_cfg, 1, &byte) ? *byte : 0;
}

static uint8_t *ram(struct hv_fw_cfg *fw_cfg, uint64_t gpa, uint64_t len)
{
	return fw_cfg->config.ram ? fw_cfg->config.ram(fw_cfg->config.ctx, gpa, len) : NULL;
}

/* Of control, the byte with the command last: a vCPU may be waiting for it to become 0. */
static void dma_end(struct hv_fw_cfg *fw_cfg, uint64_t request, bool done)
{
	uint8_t *control = ram(fw_cfg, request, 4);

	if (!control)
		return;
	memset(control, 0, 3);
	__atomic_store_n(control + 3, done ? 0 : DMA_ERROR, __ATOMIC_RELEASE);
}

static void dma_wait(struct hv_fw_cfg *fw_cfg, int64_t left_ns)
{
	hv_timer_load(fw_cfg->config.clock, &fw_cfg->dma, left_ns);
}

/* As much as may be done at once. */
static void dma_go_on(void *dev)
{
	struct hv_fw_cfg *fw_cfg = dev;
	struct hv_fw_cfg_state *s = &fw_cfg->s;
	uint32_t len = s->dma_len < HV_FW_CFG_DMA_PIECE ? s->dma_len : HV_FW_CFG_DMA_PIECE, count;
	uint8_t *to = ram(fw_cfg, s->dma_to, len);
	const uint8_t *bytes;

	s->dma_to += len;
	s->dma_len = to ? s->dma_len - len : 0;
	if (to) {
		count = next_bytes(fw_cfg, len, &bytes);
		if (count)
			memcpy(to, bytes, count);
		memset(to + count, 0, len - count);
	}
	if (s->dma_len)
		dma_wait(fw_cfg, DMA_PAUSE_NS);
	else
		dma_end(fw_cfg, s->dma_request, to);
}

/* All of it must be RAM, or nothing is done. */
static bool dma_plan(struct hv_fw_cfg *fw_cfg, uint64_t gpa, uint32_t len)
{
	if (len && !ram(fw_cfg, gpa, len))
		return false;
	fw_cfg->s.dma_to = gpa;
	fw_cfg->s.dma_len = len;
	return true;
}

static bool dma_write(struct hv_fw_cfg *fw_cfg, uint64_t gpa, uint32_t len)
{
	const struct hv_fw_cfg_item *item = fw_cfg->current;
	const uint8_t *from;

	if (!item || !item->writable || len > item->len - fw_cfg->s.offset)
		return false;
	if (!len)
		return true;
	from = ram(fw_cfg, gpa, len);
	if (!from)
		return false;
	memcpy(fw_cfg->s.written + fw_cfg->s.offset, from, len);
	fw_cfg->s.offset += len;
	return true;
}

static void dma_carry_out(struct hv_fw_cfg *fw_cfg, const uint8_t *request)
{
	uint32_t control = (uint32_t)get_be(request, 4), len = (uint32_t)get_be(request + 4, 4);
	const uint8_t *skipped;
	bool good = true;

	if (control & DMA_SELECT)
		select_item(fw_cfg, (uint16_t)(control >> 16));
	if (control & DMA_READ)
		good = dma_plan(fw_cfg, get_be(request + 8, 8), len);
	else if (control & DMA_WRITE)
		good = dma_write(fw_cfg, get_be(request + 8, 8), len);
	else if (control & DMA_SKIP)
		next_bytes(fw_cfg, len, &skipped);
	if (fw_cfg->s.dma_len)
		dma_go_on(fw_cfg);
	else
		dma_end(fw_cfg, fw_cfg->s.dma_request, good);
}

/* Where the request is no RAM, there is nobody to tell. */
static void dma(struct hv_fw_cfg *fw_cfg)
{
	uint64_t gpa = get_be(fw_cfg->s.address, DMA_LEN);
	uint8_t request[16], *at = ram(fw_cfg, gpa, sizeof(request));

	memset(fw_cfg->s.address, 0, DMA_LEN);
	if (!at)
		return;
	if (fw_cfg->s.dma_len) {
		dma_end(fw_cfg, gpa, false);
		return;
	}
	memcpy(request, at, sizeof(request));
	fw_cfg->s.dma_request = gpa;
	dma_carry_out(fw_cfg, request);
}

static void fw_cfg_read(struct hv_fw_cfg *fw_cfg, uint64_t offset, unsigned int width,
			uint64_t *value)
{
	*value = 0;
	if (offset == OFFSET_DATA && width == 1)
		*value = read_data(fw_cfg);
	for (unsigned int i = 0; offset >= OFFSET_DMA && i < width; i++)
		*value |= (uint64_t)dma_signature[offset - OFFSET_DMA + i] << 8 * i;
}

static void fw_cfg_write(struct hv_fw_cfg *fw_cfg, uint64_t offset, unsigned int width,
			 uint64_t value)
{
	if (offset == OFFSET_SELECTOR && width == 2)
		select_item(fw_cfg, (uint16_t)value);
	if (width != 4 || offset < OFFSET_DMA || offset % 4)
		return;
	for (unsigned int i = 0; i < 4; i++)
		fw_cfg->s.address[offset - OFFSET_DMA + i] = (uint8_t)(value >> 8 * i);
	if (offset == OFFSET_DMA + 4)
		dma(fw_cfg);
}

static void fw_cfg_access(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	if (write)
		fw_cfg_write(dev, offset, width, *value);
	else
		fw_cfg_read(dev, offset, width, value);
}

/* -------------------------------------------------------------------- life */

void hv_fw_cfg_reset(struct hv_fw_cfg *fw_cfg)
{
	hv_timer_cancel(fw_cfg->config.clock, &fw_cfg->dma);
	memset(&fw_cfg->s, 0, sizeof(fw_cfg->s));
	memcpy(fw_cfg->s.written, fw_cfg->unwritten, sizeof(fw_cfg->unwritten));
	set_key(fw_cfg, HV_FW_CFG_SIGNATURE);
}

int hv_fw_cfg_init(struct hv_fw_cfg *fw_cfg, const struct hv_fw_cfg_config *config)
{
	memset(fw_cfg, 0, sizeof(*fw_cfg));
	fw_cfg->config = *config;
	fw_cfg->dma = (struct hv_timer){ .fn = dma_go_on, .dev = fw_cfg };
	fw_cfg->region = (struct hv_region){
		.name = "fw_cfg",
		.space = HV_PORT,
		.base = HV_FW_CFG_PORT,
		.len = HV_FW_CFG_LEN,
		.access = fw_cfg_access,
		.dev = fw_cfg,
	};
	(void)hv_fw_cfg_add(fw_cfg, HV_FW_CFG_SIGNATURE, dma_signature, 4);
	(void)hv_fw_cfg_add_number(fw_cfg, HV_FW_CFG_ID, ID_TRADITIONAL | ID_DMA, 4);
	(void)hv_fw_cfg_add(fw_cfg, HV_FW_CFG_DIRECTORY, fw_cfg->directory,
			    sizeof(fw_cfg->directory));
	hv_fw_cfg_reset(fw_cfg);
	return hv_bus_register(config->bus, &fw_cfg->region);
}

void hv_fw_cfg_exit(struct hv_fw_cfg *fw_cfg)
{
	hv_timer_cancel(fw_cfg->config.clock, &fw_cfg->dma);
	hv_bus_unregister(fw_cfg->config.bus, &fw_cfg->region);
}

void hv_fw_cfg_save(const struct hv_fw_cfg *fw_cfg, struct hv_fw_cfg_state *state)
{
	*state = fw_cfg->s;
	state->dma_left_ns = hv_timer_save(fw_cfg->config.clock, &fw_cfg->dma);
}

int hv_fw_cfg_check(const struct hv_fw_cfg *fw_cfg, const struct hv_fw_cfg_state *state)
{
	const struct hv_fw_cfg_item *item = find_item(fw_cfg, state->key);

	if ((state->pad[0] | state->pad[1] | state->pad[2]) || (state->key & KEY_WRITE) ||
	    state->offset > (item ? item->len : 0))
		return -EINVAL;
	for (uint32_t i = fw_cfg->writable_len; i < HV_FW_CFG_WRITABLE; i++)
		if (state->written[i])
			return -EINVAL;
	return !state->dma_len == (state->dma_left_ns == HV_TIMER_UNARMED) ? 0 : -EINVAL;
}

int hv_fw_cfg_load(struct hv_fw_cfg *fw_cfg, const struct hv_fw_cfg_state *state)
{
	int err = hv_fw_cfg_check(fw_cfg, state);

	if (err)
		return err;
	fw_cfg->s = *state;
	fw_cfg->current = find_item(fw_cfg, state->key);
	dma_wait(fw_cfg, state->dma_left_ns);
	return 0;
}

HV_STATE_KIND(fw_cfg, HV_STATE_FW_CFG, 3);
