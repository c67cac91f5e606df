// SPDX-License-Identifier: GPL-2.0-only
/* Bytes to the GDB stub, of a VM that is some memory and some registers. */
#include <stdlib.h>
#include <string.h>

#include "debug/gdb_points.h"

#define VCPUS 3

static struct hv_gdb gdb;
static struct hv_gdb_points points;
static struct hv_memory memory;
static struct hv_gdb_cpu cpus[VCPUS];
static bool wants_stop;

static unsigned int count(void *ctx)
{
	(void)ctx;
	return VCPUS;
}

static int get(void *ctx, unsigned int vcpu, struct hv_gdb_cpu *cpu)
{
	(void)ctx;
	*cpu = cpus[vcpu];
	return 0;
}

static int set(void *ctx, unsigned int vcpu, const struct hv_gdb_cpu *cpu, unsigned int parts)
{
	(void)ctx, (void)parts;
	cpus[vcpu] = *cpu;
	return 0;
}

static size_t read_memory(void *ctx, unsigned int vcpu, uint64_t address, void *buf, size_t len)
{
	(void)ctx, (void)vcpu;
	if (hv_memory_read(&memory, address, buf, len))
		return 0;
	hv_gdb_hide(&points, address, buf, len);
	return len;
}

static size_t write_memory(void *ctx, unsigned int vcpu, uint64_t address, const void *buf,
			   size_t len)
{
	uint8_t copy[HV_GDB_BODY_MAX];

	(void)ctx, (void)vcpu;
	if (len > sizeof(copy) || !hv_memory_at(&memory, address, len))
		return 0;
	memcpy(copy, buf, len);
	hv_gdb_merge(&points, address, copy, len);
	return hv_memory_write(&memory, address, copy, len) ? 0 : len;
}

static int insert(void *ctx, unsigned int vcpu, enum hv_gdb_point kind, uint64_t address,
		  uint64_t len)
{
	(void)ctx, (void)vcpu;
	return kind == HV_GDB_BREAK ? hv_gdb_plant(&points, address, address) :
				      hv_gdb_watch(&points, kind, address, len);
}

static int remove_point(void *ctx, enum hv_gdb_point kind, uint64_t address, uint64_t len)
{
	(void)ctx;
	return kind == HV_GDB_BREAK ? hv_gdb_unplant(&points, address) :
				      hv_gdb_unwatch(&points, kind, address, len);
}

static int resume(void *ctx, const enum hv_gdb_action action[HV_GDB_VCPUS_MAX])
{
	(void)ctx;
	for (unsigned int i = VCPUS; i < HV_GDB_VCPUS_MAX; i++)
		if (action[i] != HV_GDB_STAND)
			abort();
	wants_stop = true;
	return 0;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static const char *describe(void *ctx, unsigned int vcpu)
{
	(void)ctx;
	if (vcpu >= VCPUS)
		abort();
	return "active";
}

static void monitor(void *ctx, unsigned int vcpu, const char *text, FILE *out)
{
	(void)ctx, (void)vcpu;
	fputs(text, out);
}

/* Whatever is said is a packet, or an acknowledgment. */
static void check(void *ctx, const void *data, size_t len)
{
	static struct hv_gdb_parser parser;
	const uint8_t *bytes = data;
	enum hv_gdb_token token = HV_GDB_NOTHING;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		token = hv_gdb_parse(&parser, bytes[i]);
	if (token != HV_GDB_PACKET && token != HV_GDB_ACK && token != HV_GDB_NAK && len)
		abort();
}

static const struct hv_gdb_ops ops = {
	.count = count,
	.get = get,
	.set = set,
	.read = read_memory,
	.write = write_memory,
	.insert = insert,
	.remove = remove_point,
	.resume = resume,
	.interrupt = nothing,
	.detach = nothing,
	.kill = nothing,
	.describe = describe,
	.monitor = monitor,
	.send = check,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hv_gdb_stop stop = { .why = HV_GDB_INTERRUPTED };
	struct hv_error err;

	if (!memory.size && hv_memory_init(&memory, HV_MIB, &err))
		abort();
	hv_gdb_points_clear(&points);
	points.memory = &memory;
	memset(&gdb, 0, sizeof(gdb));
	hv_gdb_regs_init(&gdb.regs, HV_GDB_X86_64, true);
	hv_gdb_init(&gdb, &ops, NULL);
	hv_gdb_stopped(&gdb, &stop);
	/* Each line is a packet, whose frame the fuzzer need not find. */
	for (size_t i = 0, end; i < size; i = end + 1) {
		char frame[HV_GDB_FRAME_MAX];
		size_t len;

		for (end = i; end < size && data[end] != '\n'; end++)
			;
		len = hv_gdb_frame(frame, (const char *)data + i, end - i);
		if (len)
			hv_gdb_take(&gdb, frame, len);
		else
			hv_gdb_take(&gdb, data + i, end - i);
		if (wants_stop && gdb.state == HV_GDB_RUNNING)
			hv_gdb_stopped(&gdb, &stop);
		wants_stop = false;
	}
	/* And as they are. */
	hv_gdb_take(&gdb, data, size);
	return 0;
}
