// SPDX-License-Identifier: GPL-2.0-only
/* The GDB stub: memory and registers of the vCPU that Hg has chosen. */
#include <errno.h>
#include <string.h>

#include "gdb_parts.h"

/* ------------------------------------------------------------------- memory */

static bool parse_range(struct hv_gdb_text *text, uint64_t *address, uint64_t *len)
{
	return hv_gdb_number(text, address) && hv_gdb_skip(text, ',') && hv_gdb_number(text, len);
}

/* Less than was asked for is an answer, too, as it is where memory ends. */
void hv_gdb_cmd_read_memory(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint8_t bytes[HV_GDB_MEMORY_MAX];
	uint64_t address, len;
	size_t there;

	if (!parse_range(&text, &address, &len) || text.at != text.end) {
		hv_gdb_put_result(gdb, -EINVAL);
		return;
	}
	if (len > sizeof(bytes))
		len = sizeof(bytes);
	there = gdb->ops->read(gdb->ctx, gdb->vcpu, address, bytes, len);
	if (there || !len)
		hv_gdb_put_bytes(gdb, bytes, there);
	else
		hv_gdb_put_result(gdb, -EFAULT);
	if (!gdb->len)
		hv_gdb_reply(gdb);
}

static void write_bytes(struct hv_gdb *gdb, uint64_t address, const void *bytes, size_t len)
{
	bool all = gdb->ops->write(gdb->ctx, gdb->vcpu, address, bytes, len) == len;

	hv_gdb_put_result(gdb, all ? 0 : -EFAULT);
}

void hv_gdb_cmd_write_memory(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint8_t bytes[HV_GDB_BODY_MAX / 2];
	uint64_t address, len;

	if (parse_range(&text, &address, &len) && hv_gdb_skip(&text, ':') && len <= sizeof(bytes) &&
	    (uint64_t)(text.end - text.at) == 2 * len && hv_gdb_unhex(bytes, text.at, len))
		write_bytes(gdb, address, bytes, len);
	else
		hv_gdb_put_result(gdb, -EINVAL);
}

void hv_gdb_cmd_write_binary(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint64_t address, len;

	if (parse_range(&text, &address, &len) && hv_gdb_skip(&text, ':') &&
	    (uint64_t)(text.end - text.at) == len)
		write_bytes(gdb, address, text.at, len);
	else
		hv_gdb_put_result(gdb, -EINVAL);
}

/* ---------------------------------------------------------------- registers */

void hv_gdb_cmd_read_all(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint8_t bytes[HV_GDB_REG_BYTES_MAX];
	struct hv_gdb_cpu cpu;
	int error = gdb->ops->get(gdb->ctx, gdb->vcpu, &cpu);

	(void)text;
	if (error) {
		hv_gdb_put_result(gdb, error);
		return;
	}
	for (unsigned int i = 0; i < gdb->regs.count; i++)
		hv_gdb_put_bytes(gdb, bytes, hv_gdb_reg_get(&gdb->regs, i, &cpu, bytes));
}

/* One of them into @cpu: HV_GDB_WROTE_*, or -errno. */
static int write_one(struct hv_gdb *gdb, unsigned int n, struct hv_gdb_text *text,
		     struct hv_gdb_cpu *cpu)
{
	size_t len = gdb->regs.reg[n].bytes;
	uint8_t bytes[HV_GDB_REG_BYTES_MAX] = { 0 };
	int parts;

	if ((size_t)(text->end - text->at) < 2 * len || !hv_gdb_unhex(bytes, text->at, len))
		return -EINVAL;
	text->at += 2 * len;
	parts = hv_gdb_reg_set(&gdb->regs, n, cpu, bytes);
	return parts < 0 ? -EPERM : parts;
}

static int write_some(struct hv_gdb *gdb, unsigned int first, unsigned int count,
		      struct hv_gdb_text *text)
{
	struct hv_gdb_cpu cpu;
	unsigned int parts = 0;
	int error = gdb->ops->get(gdb->ctx, gdb->vcpu, &cpu);

	if (error)
		return error;
	for (unsigned int i = first; i < first + count; i++) {
		int part = write_one(gdb, i, text, &cpu);

		if (part < 0)
			return part;
		parts |= (unsigned int)part;
	}
	if (text->at != text->end)
		return -EINVAL;
	return parts ? gdb->ops->set(gdb->ctx, gdb->vcpu, &cpu, parts) : 0;
}

void hv_gdb_cmd_write_all(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	hv_gdb_put_result(gdb, write_some(gdb, 0, gdb->regs.count, &text));
}

void hv_gdb_cmd_read_register(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint8_t bytes[HV_GDB_REG_BYTES_MAX];
	struct hv_gdb_cpu cpu;
	uint64_t n;
	int error = -EINVAL;

	if (hv_gdb_number(&text, &n) && text.at == text.end && n < gdb->regs.count)
		error = gdb->ops->get(gdb->ctx, gdb->vcpu, &cpu);
	if (error)
		hv_gdb_put_result(gdb, error);
	else
		hv_gdb_put_bytes(gdb, bytes, hv_gdb_reg_get(&gdb->regs, n, &cpu, bytes));
}

void hv_gdb_cmd_write_register(struct hv_gdb *gdb, struct hv_gdb_text text)
{
	uint64_t n;
	int error = -EINVAL;

	if (hv_gdb_number(&text, &n) && n < gdb->regs.count && hv_gdb_skip(&text, '='))
		error = write_some(gdb, n, 1, &text);
	hv_gdb_put_result(gdb, error);
}
