// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disk I/O, by io_uring and by threads: what is read and written, bounds, zeroes, flushes, past the
 * page cache. And by a method whose answers the test makes up: short, late and failed ones.
 */
#include <errno.h>
#include <linux/falloc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "disk/method.h"
#include "disk_made_up.h"
#include "disk_test.h"
#include "lib/util.h"

#define DEPTH 8
#define SIZE (1u << 20)

static struct hv_disk disk;
static struct hv_loop loop;
static struct hv_disk_queue *queue;
static struct hv_error err;
static const struct hv_disk_method *method;	/* of this turn */

static void open_disk(const struct hv_disk_config *config)
{
	if (hv_disk_open(&disk, config, &err))
		fail_msg("%s", err.text);
	queue = hv_disk_queue_create_by(method, &disk, &loop, DEPTH, &err);
	if (!queue)
		fail_msg("%s", err.text);
}

static void close_disk(void)
{
	hv_disk_queue_destroy(queue);
	queue = NULL;
	hv_disk_close(&disk);
}

static void begin(enum hv_disk_cache cache)
{
	const struct hv_disk_config config = { .path = test_image, .cache = cache };

	test_image_make(SIZE);
	open_disk(&config);
}

static int setup(void **state)
{
	assert_int_equal(hv_loop_init(&loop, &err), 0);
	return test_image_begin(state);
}

static int teardown(void **state)
{
	close_disk();
	hv_loop_exit(&loop);
	return test_image_end(state);
}

/* ---------------------------------------------------------------- requests */

static unsigned int done_count;

struct op {
	struct hv_disk_request request;
	struct iovec iov[4];
	bool done;
	int result;
	unsigned int order;		/* in which it was done */
};

static void on_done(struct hv_disk_request *request, int result)
{
	struct op *op = request->ctx;

	assert_false(op->done);
	op->done = true;
	op->result = result;
	op->order = done_count++;
	hv_loop_stop(&loop);
}

static struct op *prepare(struct op *op, enum hv_disk_op what, uint64_t offset, uint64_t len,
			  void *buf)
{
	*op = (struct op){
		.iov = { { buf, len } },
		.request = {
			.op = what,
			.offset = offset,
			.len = len,
			.iov = op->iov,
			.nr_iov = buf ? 1 : 0,
			.done = on_done,
			.ctx = op,
		},
	};
	return op;
}

/* By the loop, as a device does it. */
static int run(struct op *op)
{
	hv_disk_submit(queue, &op->request);
	assert_false(op->done);
	hv_disk_kick(queue);
	while (!op->done)
		assert_int_equal(hv_loop_run_again(&loop), 0);
	return op->result;
}

static int do_op(enum hv_disk_op what, uint64_t offset, uint64_t len, void *buf)
{
	struct op op;

	return run(prepare(&op, what, offset, len, buf));
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (unsigned char)(i * 7 + i / 512 + seed + 1);
}

static void expect_image(uint64_t offset, const void *data, size_t len)
{
	unsigned char *image = malloc(len);

	test_image_read(image, len, (off_t)offset);
	assert_memory_equal(image, data, len);
	free(image);
}

static bool image_is_zero(uint64_t offset, size_t len)
{
	unsigned char *image = malloc(len);
	bool zero = true;

	test_image_read(image, len, (off_t)offset);
	for (size_t i = 0; i < len; i++)
		zero &= !image[i];
	free(image);
	return zero;
}

/* ---------------------------------------------------------- read and write */

static void test_read_and_write(void **state)
{
	unsigned char out[4096], in[4096];

	(void)state;
	for (enum hv_disk_cache cache = 0; cache < HV_NR_DISK_CACHES; cache++) {
		begin(cache);
		fill(out, sizeof(out), cache);
		assert_int_equal(do_op(HV_DISK_WRITE, 8192, sizeof(out), out), 0);
		expect_image(8192, out, sizeof(out));
		memset(in, 0, sizeof(in));
		assert_int_equal(do_op(HV_DISK_READ, 8192, sizeof(in), in), 0);
		assert_memory_equal(in, out, sizeof(in));
		assert_int_equal(do_op(HV_DISK_FLUSH, 0, 0, NULL), 0);
		close_disk();
	}
}

/* Buffers that begin and end anywhere. */
static void test_scattered(void **state)
{
	unsigned char out[1024], a[3], b[1000], c[21];
	struct op op;

	(void)state;
	begin(HV_DISK_WRITEBACK);
	fill(out, sizeof(out), 3);
	test_image_write(out, sizeof(out), 512);
	prepare(&op, HV_DISK_READ, 512, 1024, a);
	op.iov[0].iov_len = sizeof(a);
	op.iov[1] = (struct iovec){ b, sizeof(b) };
	op.iov[2] = (struct iovec){ c, sizeof(c) };
	op.request.nr_iov = 3;
	assert_int_equal(run(&op), 0);
	assert_memory_equal(a, out, 3);
	assert_memory_equal(b, out + 3, 1000);
	assert_memory_equal(c, out + 1003, 21);
	prepare(&op, HV_DISK_WRITE, 0, 512, b);
	op.iov[0].iov_len = 500;
	op.iov[1] = (struct iovec){ c, 12 };
	op.request.nr_iov = 2;
	assert_int_equal(run(&op), 0);
	expect_image(0, b, 500);
	expect_image(500, c, 12);
	expect_image(512, out, 512);
}

/* More of them than may be under way, all in one go. */
static void test_many(void **state)
{
	static unsigned char data[4 * DEPTH][512];
	struct op ops[4 * DEPTH];

	(void)state;
	begin(HV_DISK_WRITEBACK);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		fill(data[i], sizeof(data[i]), i);
		hv_disk_submit(queue,
			       &prepare(&ops[i], HV_DISK_WRITE, i * 512, 512, data[i])->request);
	}
	hv_disk_drain(queue);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		assert_true(ops[i].done);
		assert_int_equal(ops[i].result, 0);
	}
	expect_image(0, data, sizeof(data));
	hv_disk_drain(queue);
}

static unsigned int batches;

static void count_batch(void *ctx)
{
	(void)ctx;
	batches++;
}

/* Who is told that some are done is told less often than they are. */
static void test_batches(void **state)
{
	unsigned char buf[512];
	struct op op;

	(void)state;
	begin(HV_DISK_WRITEBACK);
	hv_disk_queue_on_batch(queue, count_batch, NULL);
	batches = 0;
	assert_int_equal(run(prepare(&op, HV_DISK_READ, 0, 512, buf)), 0);
	assert_int_equal(batches, 1);
	assert_int_equal(run(prepare(&op, HV_DISK_READ, SIZE, 512, buf)), -EINVAL);
	assert_int_equal(batches, 2);
}

/* done() submits the next one. */
static unsigned int chain_left;
static unsigned char chain_buf[512];

static void on_link_done(struct hv_disk_request *request, int result)
{
	assert_int_equal(result, chain_left % 2 ? -EINVAL : 0);
	if (!chain_left--)
		return;
	/* Every other one is beyond the end. */
	request->offset = chain_left % 2 ? SIZE : 512;
	hv_disk_submit(queue, request);
}

static void test_submit_from_done(void **state)
{
	struct op op;

	(void)state;
	begin(HV_DISK_WRITEBACK);
	chain_left = 20;
	prepare(&op, HV_DISK_READ, 0, 512, chain_buf);
	op.request.done = on_link_done;
	hv_disk_submit(queue, &op.request);
	hv_disk_drain(queue);
	assert_int_equal(chain_left, UINT32_MAX);
}

static void test_bounds(void **state)
{
	static const struct {
		uint64_t offset, len;
		int result;
	} rows[] = {
		{ SIZE - 512, 512, 0 },
		{ SIZE, 0, 0 },
		{ 0, 0, 0 },
		{ SIZE, 512, -EINVAL },
		{ SIZE - 512, 1024, -EINVAL },
		{ UINT64_MAX - 511, 512, -EINVAL },
		{ UINT64_MAX - 511, 1024, -EINVAL },
		{ 1, 512, -EINVAL },
		{ 0, 511, -EINVAL },
		{ SIZE + 512, 0, -EINVAL },
	};
	static const enum hv_disk_op ops[] = { HV_DISK_READ, HV_DISK_WRITE, HV_DISK_DISCARD,
					       HV_DISK_ZEROES };
	unsigned char buf[1024];
	struct stat st;

	(void)state;
	begin(HV_DISK_WRITEBACK);
	for (unsigned int op = 0; op < ARRAY_SIZE(ops); op++)
		for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
			assert_int_equal(do_op(ops[op], rows[i].offset, rows[i].len, buf),
					 rows[i].result);
	assert_int_equal(stat(test_image, &st), 0);
	assert_int_equal(st.st_size, SIZE);
}

static void test_read_only(void **state)
{
	const struct hv_disk_config config = { .path = test_image, .read_only = true };
	unsigned char buf[512], data[512];

	(void)state;
	test_image_make(SIZE);
	fill(data, sizeof(data), 1);
	test_image_write(data, sizeof(data), 0);
	open_disk(&config);
	assert_int_equal(do_op(HV_DISK_WRITE, 0, 512, buf), -EROFS);
	assert_int_equal(do_op(HV_DISK_DISCARD, 0, 512, NULL), -EROFS);
	assert_int_equal(do_op(HV_DISK_ZEROES, 0, 512, NULL), -EROFS);
	assert_int_equal(do_op(HV_DISK_FLUSH, 0, 0, NULL), 0);
	assert_int_equal(do_op(HV_DISK_READ, 0, 512, buf), 0);
	assert_memory_equal(buf, data, 512);
}

/* The file is shorter now than it was said to be. */
static void test_truncated(void **state)
{
	unsigned char buf[8192];

	(void)state;
	begin(HV_DISK_WRITEBACK);
	assert_int_equal(truncate(test_image, 4096), 0);
	assert_int_equal(do_op(HV_DISK_READ, 0, 8192, buf), -EIO);
	assert_int_equal(do_op(HV_DISK_READ, 4096, 4096, buf), -EIO);
	assert_int_equal(do_op(HV_DISK_READ, 0, 4096, buf), 0);
}

/* ------------------------------------------------------- zeroes and discard */

static uint64_t allocated(void)
{
	struct stat st;

	assert_int_equal(stat(test_image, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void test_zeroes(void **state)
{
	static unsigned char data[SIZE];

	(void)state;
	for (unsigned int unmap = 0; unmap < 2; unmap++) {
		struct op op;

		begin(HV_DISK_WRITEBACK);
		fill(data, SIZE, 1);
		test_image_write(data, SIZE, 0);
		prepare(&op, HV_DISK_ZEROES, 512, SIZE / 2, NULL);
		op.request.unmap = unmap;
		assert_int_equal(run(&op), 0);
		assert_true(image_is_zero(512, SIZE / 2));
		expect_image(0, data, 512);
		expect_image(512 + SIZE / 2, data + 512 + SIZE / 2, SIZE / 2 - 512);
		if (unmap)
			assert_true(allocated() <= SIZE / 2 + 8192);
		else
			assert_true(allocated() >= SIZE);
		close_disk();
	}
}

static void test_discard(void **state)
{
	static unsigned char data[SIZE];

	(void)state;
	begin(HV_DISK_WRITEBACK);
	fill(data, SIZE, 1);
	test_image_write(data, SIZE, 0);
	assert_int_equal(do_op(HV_DISK_DISCARD, 4096, SIZE / 2, NULL), 0);
	assert_true(allocated() <= SIZE / 2);
	expect_image(0, data, 4096);
	expect_image(4096 + SIZE / 2, data + 4096 + SIZE / 2, SIZE / 2 - 4096);
}

/* ------------------------------------------------------------- O_DIRECT */

/* Neighbours of what is not aligned stay, whatever comes first. */
static void test_direct_unaligned(void **state)
{
	static _Alignas(4096) unsigned char out[64 * 512 + 1], in[64 * 512 + 1];
	struct op ops[64];

	(void)state;
	begin(HV_DISK_NONE);
	disk.alignment = 4096;
	fill(out, sizeof(out), 9);
	/* Sectors: to the host they are parts of pages. */
	for (unsigned int i = 0; i < 64; i++)
		hv_disk_submit(
			queue,
			&prepare(&ops[i], HV_DISK_WRITE, i * 512, 512, out + 1 + i * 512)->request);
	hv_disk_drain(queue);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(ops[i].result, 0);
	assert_int_equal(do_op(HV_DISK_FLUSH, 0, 0, NULL), 0);
	assert_int_equal(do_op(HV_DISK_READ, 0, 64 * 512, in), 0);
	assert_memory_equal(in, out + 1, 64 * 512);
	assert_int_equal(do_op(HV_DISK_READ, 512, 63 * 512, in + 1), 0);
	assert_memory_equal(in + 1, out + 513, 63 * 512);
	assert_int_equal(do_op(HV_DISK_ZEROES, 512, 512, NULL), 0);
	assert_true(image_is_zero(512, 512));
	expect_image(1024, out + 1025, 512);
}

/* Anywhere, of any length, to and from anywhere: as if it were memory, and no byte longer. */
static void test_direct_anywhere(void **state)
{
	static unsigned char model[SIZE / 2 + 512], buf[SIZE / 4];
	struct hv_disk_config config = { .path = test_image, .cache = HV_DISK_NONE };
	unsigned int seed = 1;
	struct stat st;

	(void)state;
	memset(model, 0, sizeof(model));
	test_image_make(sizeof(model));
	open_disk(&config);
	disk.alignment = 4096;
	for (unsigned int i = 0; i < 300; i++) {
		unsigned int len = (rand_r(&seed) % (sizeof(buf) / 512 - 1) >> i % 8) * 512;
		unsigned int at = rand_r(&seed) % ((sizeof(model) - len) / 512 + 1) * 512;
		unsigned char *from = buf + rand_r(&seed) % 512;
		enum hv_disk_op op = rand_r(&seed) % 4 ? i % 2 ? HV_DISK_WRITE : HV_DISK_READ :
							 HV_DISK_ZEROES;

		fill(buf, sizeof(buf), i);
		assert_int_equal(do_op(op, at, len, from), 0);
		if (op == HV_DISK_READ)
			assert_memory_equal(from, model + at, len);
		else if (op == HV_DISK_WRITE)
			memcpy(model + at, from, len);
		else
			memset(model + at, 0, len);
	}
	assert_int_equal(do_op(HV_DISK_FLUSH, 0, 0, NULL), 0);
	expect_image(0, model, sizeof(model));
	assert_int_equal(stat(test_image, &st), 0);
	assert_int_equal(st.st_size, sizeof(model));
}

/* ------------------------------------------------------------------ errors */

/* As a full disk does: no byte more than the file may have. */
static void test_full(void **state)
{
	const struct rlimit limit = { 4096, RLIM_INFINITY };
	struct rlimit before;
	unsigned char buf[8192] = { 1 };

	(void)state;
	begin(HV_DISK_WRITEBACK);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(do_op(HV_DISK_WRITE, 8192, 512, buf), -EFBIG);
	assert_int_equal(do_op(HV_DISK_WRITE, 0, 8192, buf), -EFBIG);
	assert_int_equal(do_op(HV_DISK_WRITE, 0, 4096, buf), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(do_op(HV_DISK_WRITE, 8192, 512, buf), 0);
}

/* A real one, where we may mount it: what fits goes on. */
static void test_full_file_system(void **state)
{
	static unsigned char buf[SIZE];
	char command[200];
	int result;

	(void)state;
	memset(buf, 7, sizeof(buf));
	snprintf(command, sizeof(command), "mount -t tmpfs -o size=512k none %s 2>/dev/null",
		 test_dir);
	if (geteuid() || system(command))
		skip();
	begin(HV_DISK_WRITEBACK);
	result = do_op(HV_DISK_WRITE, 0, SIZE, buf);
	assert_int_equal(do_op(HV_DISK_DISCARD, 0, SIZE, NULL), 0);
	assert_int_equal(do_op(HV_DISK_WRITE, SIZE - 4096, 4096, buf), 0);
	/* It has no ZERO_RANGE: zeroes are written. */
	assert_int_equal(do_op(HV_DISK_ZEROES, SIZE - 4096, 4096, NULL), 0);
	assert_true(image_is_zero(SIZE - 4096, 4096));
	close_disk();
	snprintf(command, sizeof(command), "umount %s", test_dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(result, -ENOSPC);
}

/* ------------------------------------------------- answers that are made up */

static void begin_made_up(enum hv_disk_cache cache)
{
	method = &made_up;
	begin(cache);
}

static int made_up_op(enum hv_disk_op what, uint64_t offset, uint64_t len, void *buf)
{
	struct op op;

	hv_disk_submit(queue, &prepare(&op, what, offset, len, buf)->request);
	hv_disk_drain(queue);
	assert_true(op.done);
	return op.result;
}

/*
 * Several flushes: the host has one at a time, and none says that all is well beside one that
 * fails. Those that wait for their turn have it together.
 */
static void test_flushes_together(void **state)
{
	struct op ops[3];

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		hv_disk_submit(queue, &prepare(&ops[i], HV_DISK_FLUSH, 0, 0, NULL)->request);
	hv_disk_kick(queue);
	assert_int_equal(nr_held, 1);
	answers[1] = -EIO;
	hv_disk_drain(queue);
	assert_int_equal(nr_calls, 2);
	assert_int_equal(ops[0].result, 0);
	assert_int_equal(ops[1].result, -EIO);
	assert_int_equal(ops[2].result, -EIO);
	assert_int_equal(made_up_op(HV_DISK_FLUSH, 0, 0, NULL), -EIO);
	assert_int_equal(nr_calls, 2);
}

/* Zeroes that are to be durable flush like all others. */
static void test_zeroes_beside_flush(void **state)
{
	struct op ops[2];

	(void)state;
	begin_made_up(HV_DISK_WRITETHROUGH);
	hv_disk_submit(queue, &prepare(&ops[0], HV_DISK_ZEROES, 0, 4096, NULL)->request);
	hv_disk_submit(queue, &prepare(&ops[1], HV_DISK_FLUSH, 0, 0, NULL)->request);
	hv_disk_kick(queue);
	assert_int_equal(nr_held, 2);
	/* The flush first, then the zeroes, then theirs. */
	answers[0] = -EIO;
	hv_disk_drain(queue);
	assert_int_equal(nr_calls, 3);
	assert_int_equal(ops[1].result, -EIO);
	assert_int_equal(ops[0].result, -EIO);
}

/* Short ones go on where they have stopped. */
static void test_short(void **state)
{
	unsigned char a[1000], b[24];
	struct op op;

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	prepare(&op, HV_DISK_READ, 512, 1024, a);
	op.iov[0].iov_len = sizeof(a);
	op.iov[1] = (struct iovec){ b, sizeof(b) };
	op.request.nr_iov = 2;
	answers[0] = 10;
	answers[1] = -EINTR;
	answers[2] = 993;
	hv_disk_submit(queue, &op.request);
	hv_disk_drain(queue);
	assert_int_equal(op.result, 0);
	assert_int_equal(nr_calls, 4);
	assert_int_equal(calls[1].offset, 522);
	assert_int_equal(calls[2].offset, 522);
	assert_int_equal(calls[3].offset, 512 + 1003);
	assert_int_equal(calls[3].nr_iov, 1);
	assert_int_equal(call_bytes[3], 21);
}

static void test_errors_are_passed_on(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, ENOMEM, EFAULT };
	static const enum hv_disk_op ops[] = { HV_DISK_READ, HV_DISK_WRITE, HV_DISK_ZEROES,
					       HV_DISK_DISCARD };
	unsigned char buf[512];

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	for (unsigned int op = 0; op < ARRAY_SIZE(ops); op++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(errors); i++) {
			nr_calls = 0;
			answers[0] = -errors[i];
			assert_int_equal(made_up_op(ops[op], 0, 512, buf), -errors[i]);
			assert_int_equal(nr_calls, 1);
		}
	}
	/* In the middle, too. */
	nr_calls = 0;
	answers[0] = 100;
	answers[1] = -EIO;
	assert_int_equal(made_up_op(HV_DISK_WRITE, 0, 512, buf), -EIO);
}

/* What the kernel has dropped it tells once: later flushes must not say that all is well. */
static void test_flush_that_failed(void **state)
{
	unsigned char buf[512];

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	assert_int_equal(made_up_op(HV_DISK_FLUSH, 0, 0, NULL), 0);
	assert_int_equal(calls[0].call, HV_DISK_FDATASYNC);
	answers[1] = -EIO;
	assert_int_equal(made_up_op(HV_DISK_FLUSH, 0, 0, NULL), -EIO);
	assert_int_equal(made_up_op(HV_DISK_FLUSH, 0, 0, NULL), -EIO);
	assert_int_equal(nr_calls, 2);
	assert_int_equal(made_up_op(HV_DISK_WRITE, 0, 512, buf), 0);
	assert_int_equal(made_up_op(HV_DISK_READ, 0, 512, buf), 0);
}

static void test_durable(void **state)
{
	unsigned char buf[512];
	struct op op;

	(void)state;
	begin_made_up(HV_DISK_WRITETHROUGH);
	assert_int_equal(made_up_op(HV_DISK_WRITE, 0, 512, buf), 0);
	assert_int_equal(calls[0].flags, 0);
	assert_int_equal(calls[1].call, HV_DISK_FDATASYNC);
	assert_int_equal(made_up_op(HV_DISK_READ, 0, 512, buf), 0);
	answers[3] = -EOPNOTSUPP;
	assert_int_equal(made_up_op(HV_DISK_ZEROES, 0, 512, NULL), 0);
	assert_int_equal(calls[4].call, HV_DISK_PWRITEV);
	assert_int_equal(calls[5].call, HV_DISK_FDATASYNC);
	assert_int_equal(nr_calls, 6);
	close_disk();

	begin(HV_DISK_WRITEBACK);
	assert_int_equal(made_up_op(HV_DISK_WRITE, 0, 512, buf), 0);
	assert_int_equal(calls[0].flags, 0);
	assert_int_equal(made_up_op(HV_DISK_ZEROES, 0, 512, NULL), 0);
	assert_int_equal(nr_calls, 2);
	prepare(&op, HV_DISK_WRITE, 0, 512, buf)->request.durable = true;
	hv_disk_submit(queue, &op.request);
	hv_disk_drain(queue);
	assert_int_equal(calls[2].call, HV_DISK_PWRITEV);
	assert_int_equal(calls[3].call, HV_DISK_FDATASYNC);
	assert_int_equal(nr_calls, 4);
}

/*
 * What a durable write would be told of those before it, a flush beside it would not be: all hear
 * it by the same call.
 */
static void test_durable_beside_flush(void **state)
{
	unsigned char buf[512];
	struct op ops[2];

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	hv_disk_submit(queue, &prepare(&ops[0], HV_DISK_FLUSH, 0, 0, NULL)->request);
	prepare(&ops[1], HV_DISK_WRITE, 0, 512, buf)->request.durable = true;
	hv_disk_submit(queue, &ops[1].request);
	hv_disk_kick(queue);
	assert_int_equal(nr_held, 2);
	hv_disk_drain(queue);
	for (unsigned int i = 0; i < nr_calls; i++)
		assert_int_equal(calls[i].flags, 0);
	assert_int_equal(nr_calls, 3);
	assert_int_equal(ops[0].result | ops[1].result, 0);
}

/* A disk that is full says nothing of what was written before: when there is room it goes on. */
static void test_durable_on_full_disk(void **state)
{
	unsigned char buf[512];

	(void)state;
	begin_made_up(HV_DISK_WRITETHROUGH);
	answers[0] = -ENOSPC;
	assert_int_equal(made_up_op(HV_DISK_WRITE, 0, 512, buf), -ENOSPC);
	assert_int_equal(made_up_op(HV_DISK_WRITE, 0, 512, buf), 0);
	assert_int_equal(made_up_op(HV_DISK_FLUSH, 0, 0, NULL), 0);
}

/* Of what is large there is only a part under way, and nobody waits for the rest. */
static void test_large(void **state)
{
	static char large[9 << 20];
	struct op op;

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	disk.size = 1 << 30;
	prepare(&op, HV_DISK_READ, 0, sizeof(large), large);
	op.iov[0].iov_len = 3 << 20;
	op.iov[1] = (struct iovec){ large + (3 << 20), 6 << 20 };
	op.request.nr_iov = 2;
	hv_disk_submit(queue, &op.request);
	hv_disk_drain(queue);
	assert_int_equal(op.result, 0);
	assert_int_equal(nr_calls, 3);
	for (unsigned int i = 0; i < 3; i++) {
		static const unsigned int at[] = { 0, 3 << 20, 7 << 20, 9 << 20 };

		assert_int_equal(calls[i].offset, at[i]);
		assert_int_equal(call_bytes[i], at[i + 1] - at[i]);
	}
	hv_disk_submit(queue, &prepare(&op, HV_DISK_READ, 0, sizeof(large), large)->request);
	hv_disk_kick(queue);
	hv_disk_cancel(queue);
	assert_int_equal(op.result, -ECANCELED);
	assert_int_equal(nr_calls, 4);
}

/* Where the host cannot make them: written in pieces, none too many. */
static void test_zeroes_by_hand(void **state)
{
	static const int unknown[] = { EOPNOTSUPP, ENODEV, EINVAL };
	uint64_t at;

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++) {
		nr_calls = 0;
		answers[0] = -unknown[i];
		answers[2] = 100;
		at = 512;
		assert_int_equal(made_up_op(HV_DISK_ZEROES, 512, 300 * 512, NULL), 0);
		for (unsigned int call = 1; call < nr_calls; call++) {
			assert_int_equal(calls[call].call, HV_DISK_PWRITEV);
			assert_int_equal(calls[call].offset, at);
			at += call == 2 ? 100 : (uint64_t)call_bytes[call];
		}
		assert_int_equal(at, 301 * 512);
		nr_calls = 0;
		answers[2] = 0;
		assert_int_equal(made_up_op(HV_DISK_DISCARD, 512, 512, NULL), 0);
		assert_int_equal(nr_calls, 1);
	}
}

static void test_what_fallocate_is_asked(void **state)
{
	struct op op;

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	assert_int_equal(made_up_op(HV_DISK_ZEROES, 512, 1024, NULL), 0);
	assert_int_equal(made_up_op(HV_DISK_DISCARD, 512, 1024, NULL), 0);
	prepare(&op, HV_DISK_ZEROES, 512, 1024, NULL)->request.unmap = true;
	hv_disk_submit(queue, &op.request);
	hv_disk_drain(queue);
	assert_int_equal(nr_calls, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(calls[i].call, HV_DISK_FALLOCATE);
		assert_int_equal(calls[i].offset, 512);
		assert_int_equal(calls[i].len, 1024);
		assert_int_equal(calls[i].flags, (i ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) |
							 FALLOC_FL_KEEP_SIZE);
	}
}

/* What is not aligned is under way alone; what is before and behind it keeps its place. */
static void test_unaligned_goes_alone(void **state)
{
	static _Alignas(4096) unsigned char buf[4096 + 1];
	struct op ops[5];

	(void)state;
	begin_made_up(HV_DISK_NONE);
	disk.alignment = 4096;
	done_count = 0;
	hv_disk_submit(queue, &prepare(&ops[0], HV_DISK_WRITE, 0, 4096, buf)->request);
	hv_disk_submit(queue, &prepare(&ops[1], HV_DISK_READ, 4096, 4096, buf)->request);
	hv_disk_submit(queue, &prepare(&ops[2], HV_DISK_WRITE, 0, 4096, buf + 1)->request);
	hv_disk_submit(queue, &prepare(&ops[3], HV_DISK_READ, 512, 512, buf)->request);
	hv_disk_submit(queue, &prepare(&ops[4], HV_DISK_WRITE, 8192, 4096, buf)->request);
	hv_disk_kick(queue);
	assert_int_equal(nr_held, 2);
	hv_disk_drain(queue);
	assert_int_equal(ops[1].order, 0);
	assert_int_equal(ops[0].order, 1);
	for (unsigned int i = 2; i < 5; i++)
		assert_int_equal(ops[i].order, i);
}

/* Nothing comes by the page cache, which may be old, but the end of a file that is no block. */
static void test_unaligned_steps(void **state)
{
	static _Alignas(4096) unsigned char buf[3 * 4096 + 1];
	static const struct hv_disk_step steps[] = {
		{ .call = HV_DISK_PREADV, .offset = 4096, .len = 8192 },
		{ .call = HV_DISK_PWRITEV, .offset = 4096, .len = 8192 },
		{ .call = HV_DISK_PREADV, .offset = 12288, .len = 4096 },
		{ .call = HV_DISK_PWRITEV, .offset = 16384, .len = 4096 },
		{ .call = HV_DISK_PREADV, .offset = SIZE - 4096, .len = 4096 },
		{ .call = HV_DISK_PWRITEV, .offset = SIZE - 4096, .len = 4096 },
		{ .call = HV_DISK_PWRITEV, .offset = SIZE, .len = 512 },
		{ .call = HV_DISK_PREADV, .offset = SIZE, .len = 512 },
	};

	(void)state;
	begin_made_up(HV_DISK_NONE);
	disk.alignment = 4096;
	disk.size = SIZE + 512;
	assert_int_equal(made_up_op(HV_DISK_WRITE, 4608, 4096, buf), 0);
	assert_int_equal(made_up_op(HV_DISK_READ, 12800, 512, buf), 0);
	assert_int_equal(made_up_op(HV_DISK_WRITE, 16384, 4096, buf + 1), 0);
	assert_int_equal(made_up_op(HV_DISK_WRITE, SIZE - 512, 1024, buf), 0);
	assert_int_equal(made_up_op(HV_DISK_READ, SIZE, 512, buf), 0);
	assert_int_equal(nr_calls, ARRAY_SIZE(steps));
	for (unsigned int i = 0; i < nr_calls; i++) {
		assert_int_equal(calls[i].call, steps[i].call);
		assert_int_equal(calls[i].offset, steps[i].offset);
		assert_int_equal(call_bytes[i], steps[i].len);
		assert_int_equal(calls[i].fd, i < 6 ? disk.fd : disk.cached_fd);
	}
}

/* Those of the host that are short go on with a whole block, or end. */
static void test_unaligned_short(void **state)
{
	static _Alignas(4096) unsigned char buf[3 * 4096];

	(void)state;
	begin_made_up(HV_DISK_NONE);
	disk.alignment = 4096;
	answers[0] = 5000;
	assert_int_equal(made_up_op(HV_DISK_READ, 0, 12288, buf), 0);
	assert_int_equal(calls[1].offset, 4096);
	assert_int_equal(calls[1].fd, disk.fd);
	answers[2] = 4095;
	assert_int_equal(made_up_op(HV_DISK_READ, 0, 12288, buf), -EIO);
	/* Of three blocks one was read: it is written, and then the others are. */
	answers[3] = 5000;
	assert_int_equal(made_up_op(HV_DISK_WRITE, 512, 8192, buf), 0);
	assert_int_equal(call_bytes[4], 4096);
	assert_int_equal(calls[5].offset, 4096);
	assert_int_equal(call_bytes[5], 8192);
	assert_int_equal(nr_calls, 7);
	answers[7] = 4095;
	assert_int_equal(made_up_op(HV_DISK_WRITE, 512, 512, buf), -EIO);
	answers[8] = 512;
	assert_int_equal(made_up_op(HV_DISK_READ, 512, 512, buf), -EIO);
	answers[10] = -ENOSPC;
	assert_int_equal(made_up_op(HV_DISK_WRITE, 512, 512, buf), -ENOSPC);
	assert_int_equal(nr_calls, 11);
}

/* ------------------------------------------------------------------ method */

static int fails(struct hv_disk_queue *none)
{
	(void)none;
	return -EPERM;
}

static void test_no_method(void **state)
{
	static const struct hv_disk_method forbidden = { .name = "io_uring", .create = fails };

	(void)state;
	assert_null(hv_disk_queue_create_by(&forbidden, &disk, &loop, DEPTH, &err));
	assert_string_equal(
		err.text,
		"no disk I/O by io_uring: Operation not permitted; close something, or raise ulimit -u and -n");
}

/* As containers and hardened hosts do it: the call is there, but not for us. */
static bool forbid_io_uring(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int use_what_is_left(void)
{
	static unsigned char data[512] = "abc";

	queue = hv_disk_queue_create(&disk, &loop, DEPTH, &err);
	if (!queue || strcmp(hv_disk_queue_method(queue), "threads"))
		return 1;
	return do_op(HV_DISK_WRITE, 0, sizeof(data), data) ? 2 : 0;
}

static void test_fall_back(void **state)
{
	unsigned char data[512];
	int status;
	pid_t child;

	(void)state;
	begin_made_up(HV_DISK_WRITEBACK);
	hv_disk_queue_destroy(queue);
	queue = NULL;
	child = fork();
	if (!child)
		_exit(forbid_io_uring() ? use_what_is_left() : 3);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	test_image_read(data, sizeof(data), 0);
	assert_string_equal((char *)data, "abc");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct hv_disk_method *const methods[] = { &hv_disk_uring, &hv_disk_threads };
	const struct CMUnitTest io[] = {
		TEST(test_read_and_write),   TEST(test_scattered),        TEST(test_many),
		TEST(test_batches),          TEST(test_submit_from_done), TEST(test_bounds),
		TEST(test_read_only),        TEST(test_truncated),        TEST(test_zeroes),
		TEST(test_discard),          TEST(test_direct_unaligned), TEST(test_full),
		TEST(test_full_file_system), TEST(test_direct_anywhere),
	};
	const struct CMUnitTest steps[] = {
		TEST(test_short),
		TEST(test_errors_are_passed_on),
		TEST(test_flush_that_failed),
		TEST(test_flushes_together),
		TEST(test_zeroes_beside_flush),
		TEST(test_durable),
		TEST(test_durable_beside_flush),
		TEST(test_durable_on_full_disk),
		TEST(test_large),
		TEST(test_zeroes_by_hand),
		TEST(test_what_fallocate_is_asked),
		TEST(test_unaligned_goes_alone),
		TEST(test_unaligned_steps),
		TEST(test_unaligned_short),
		TEST(test_no_method),
		TEST(test_fall_back),
	};
	int failed = 0;

	disk = (struct hv_disk){ .fd = -1, .cached_fd = -1 };
	for (unsigned int i = 0; i < ARRAY_SIZE(methods); i++) {
		struct hv_disk_queue *probe;

		method = methods[i];
		probe = hv_disk_queue_create_by(method, &disk, &loop, DEPTH, &err);
		if (!probe) {
			printf("# %s\n", err.text);
			continue;
		}
		hv_disk_queue_destroy(probe);
		failed += cmocka_run_group_tests_name(method->name, io, NULL, NULL);
	}
	failed += cmocka_run_group_tests_name("disk steps", steps, NULL, NULL);
	return failed;
}
