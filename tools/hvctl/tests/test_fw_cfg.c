// SPDX-License-Identifier: GPL-2.0-only
/* fw_cfg: items by port and by DMA, files, and requests that lead nowhere. */
#include "dev_test.h"

#include "dev/fw_cfg.h"

#define RAM 0x400000
#define REQUEST 0x100
#define TO 0x1000

struct fixture {
	struct bench bench;
	struct hv_fw_cfg fw_cfg;
	uint8_t ram[RAM];
	unsigned int selections;
};

static struct fixture fixture;
static const uint8_t hello[] = "hello";

static void *ram(void *ctx, uint64_t gpa, uint64_t len)
{
	return gpa < RAM && len <= RAM - gpa ? ((struct fixture *)ctx)->ram + gpa : NULL;
}

static void selected(void *ctx)
{
	((struct fixture *)ctx)->selections++;
}

static int setup(void **state)
{
	const struct hv_fw_cfg_config config = {
		.bus = &fixture.bench.bus,
		.clock = &fixture.bench.clock,
		.ram = ram,
		.selected = selected,
		.ctx = &fixture,
	};

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	return hv_fw_cfg_init(&fixture.fw_cfg, &config) ||
	       hv_fw_cfg_add_number(&fixture.fw_cfg, HV_FW_CFG_CPUS, 0x1234, 2) ||
	       hv_fw_cfg_add_file(&fixture.fw_cfg, "opt/hello", hello, 5) ||
	       hv_fw_cfg_add_file(&fixture.fw_cfg, "opt/empty", NULL, 0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_fw_cfg_exit(&f->fw_cfg);
	assert_int_equal(f->bench.bus.count[HV_PORT], 0);
	return 0;
}

static uint64_t bytes(struct fixture *f, unsigned int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | inb(&f->bench, 0x511);
	return value;
}

static void test_by_port(void **state)
{
	struct fixture *f = *state;

	/* The signature is what a reset selects. */
	assert_int_equal(bytes(f, 6), 0x51454d550000);
	outw(&f->bench, 0x510, HV_FW_CFG_ID);
	assert_int_equal(bytes(f, 5), 0x0300000000);
	outw(&f->bench, 0x510, HV_FW_CFG_CPUS);
	assert_int_equal(bytes(f, 3), 0x341200);
	/* For writing: no difference. */
	outw(&f->bench, 0x510, HV_FW_CFG_CPUS | 0x4000);
	outb(&f->bench, 0x511, 0xff);
	assert_int_equal(bytes(f, 2), 0x3412);
	assert_int_equal(f->selections, 3);
	/* No such item; other widths. */
	outw(&f->bench, 0x510, 0x7777);
	assert_int_equal(bytes(f, 2), 0);
	outb(&f->bench, 0x510, HV_FW_CFG_CPUS);
	assert_int_equal(f->selections, 4);
	outw(&f->bench, 0x510, HV_FW_CFG_CPUS);
	assert_int_equal(inw(&f->bench, 0x511), 0);
	assert_int_equal(inb(&f->bench, 0x510), 0);
	assert_int_equal(inb(&f->bench, 0x512), 0);
	assert_int_equal(bytes(f, 1), 0x34);
}

static void test_directory(void **state)
{
	struct fixture *f = *state;

	outw(&f->bench, 0x510, HV_FW_CFG_DIRECTORY);
	assert_int_equal(bytes(f, 4), 2);
	assert_int_equal(bytes(f, 4), 5);
	assert_int_equal(bytes(f, 2), 0x20);
	assert_int_equal(bytes(f, 2), 0);
	assert_int_equal(bytes(f, 8), 0x6f70742f68656c6c);
	assert_int_equal(bytes(f, 2), 0x6f00);
	(void)bytes(f, 46);
	assert_int_equal(bytes(f, 4), 0);
	assert_int_equal(bytes(f, 2), 0x21);
	outw(&f->bench, 0x510, 0x20);
	assert_int_equal(bytes(f, 6), 0x68656c6c6f00);
	outw(&f->bench, 0x510, 0x21);
	assert_int_equal(bytes(f, 1), 0);
}

static void test_what_cannot_be_added(void **state)
{
	static const char longest[] = "opt/4567890123456789012345678901234567890123456789012345";
	struct hv_fw_cfg *fw_cfg = &((struct fixture *)*state)->fw_cfg;
	char name[] = "opt/a0";
	int err = 0;

	assert_int_equal(hv_fw_cfg_add_number(fw_cfg, HV_FW_CFG_CPUS, 1, 2), -EEXIST);
	assert_int_equal(hv_fw_cfg_add(fw_cfg, HV_FW_CFG_SIGNATURE, hello, 5), -EEXIST);
	assert_int_equal(hv_fw_cfg_add_file(fw_cfg, "opt/hello", hello, 5), -EEXIST);
	assert_int_equal(hv_fw_cfg_add_file(fw_cfg, "", hello, 5), -EINVAL);
	assert_int_equal(strlen(longest), 56);
	assert_int_equal(hv_fw_cfg_add_file(fw_cfg, longest, hello, 5), -EINVAL);
	assert_int_equal(hv_fw_cfg_add_file(fw_cfg, longest + 1, hello, 5), 0);
	for (unsigned int i = 3; i < HV_FW_CFG_FILES; i++) {
		name[4] = (char)('a' + i / 10);
		name[5] = (char)('0' + i % 10);
		assert_int_equal(hv_fw_cfg_add_file(fw_cfg, name, hello, 5), 0);
	}
	assert_int_equal(hv_fw_cfg_add_file(fw_cfg, "opt/more", hello, 5), -ENOSPC);
	for (uint16_t key = 0x9000; !err; key++)
		err = hv_fw_cfg_add_number(fw_cfg, key, 1, 1);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(fw_cfg->items, HV_FW_CFG_ITEMS);
}

static void put_be(uint8_t *p, uint64_t value, unsigned int len)
{
	while (len--) {
		p[len] = (uint8_t)value;
		value >>= 8;
	}
}

/* Lay down a request, start it, and read its control field. */
static uint32_t dma(struct fixture *f, uint32_t control, uint32_t len, uint64_t gpa)
{
	uint8_t *request = f->ram + REQUEST;

	put_be(request, control, 4);
	put_be(request + 4, len, 4);
	put_be(request + 8, gpa, 8);
	outl(&f->bench, 0x518, __builtin_bswap32(REQUEST));
	return (uint32_t)request[0] << 24 | request[1] << 16 | request[2] << 8 | request[3];
}

static void test_by_dma(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(inl(&f->bench, 0x514), 0x554d4551);
	assert_int_equal(inl(&f->bench, 0x518), 0x47464320);
	assert_int_equal(inb(&f->bench, 0x51b), 'G');
	memset(f->ram + TO, 0xcc, 64);
	assert_int_equal(dma(f, 0x200000 | 8 | 2, 3, TO), 0);
	assert_memory_equal(f->ram + TO, "hel\xcc", 4);
	/* It goes on, and behind the end are zeroes. */
	assert_int_equal(dma(f, 2, 4, TO), 0);
	assert_memory_equal(f->ram + TO, "lo\0\0\xcc", 5);
	assert_int_equal(dma(f, 2, 2, TO + 8), 0);
	assert_memory_equal(f->ram + TO + 8, "\0\0\xcc", 3);
	assert_int_equal(dma(f, 0x200000 | 8, 0, 0), 0);
	assert_int_equal(dma(f, 4, 1, 0), 0);
	assert_int_equal(bytes(f, 2), 0x656c);
	assert_int_equal(dma(f, 4, UINT32_MAX, 0), 0);
	assert_int_equal(bytes(f, 1), 0);
	/* The high half of the address first; it is used once. */
	outl(&f->bench, 0x514, __builtin_bswap32(1));
	assert_int_equal(dma(f, 0x200000 | 8 | 2, 3, TO), 0x20000a);
	assert_int_equal(dma(f, 0x200000 | 8 | 2, 3, TO), 0);
	/* Words that are none. */
	put_be(f->ram + REQUEST, 0x20000a, 4);
	outw(&f->bench, 0x518, 0);
	outb(&f->bench, 0x51b, 0);
	assert_int_equal(f->ram[REQUEST + 3], 0x0a);
}

static void test_dma_that_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	static uint8_t before[RAM];

	/* Past the end of RAM, over the end of the address space, far away. */
	assert_int_equal(dma(f, 0x20000a, 2, RAM - 1), 1);
	assert_int_equal(dma(f, 0x20000a, UINT32_MAX, TO), 1);
	assert_int_equal(dma(f, 0x20000a, 16, UINT64_MAX - 7), 1);
	assert_int_equal(dma(f, 0x20000a, 0, UINT64_MAX), 0);
	assert_int_equal(f->ram[RAM - 1], 0);
	/* Nothing was taken. */
	assert_int_equal(dma(f, 2, 1, RAM), 1);
	assert_int_equal(bytes(f, 1), 'h');
	/* All is read-only. */
	assert_int_equal(dma(f, 0x200008 | 0x10, 1, TO), 1);
	assert_memory_equal(hello, "hello", 5);
	/* No such item: zeroes. */
	memset(f->ram + TO, 0xcc, 4);
	assert_int_equal(dma(f, 0x7fff0000 | 10, 2, TO), 0);
	assert_memory_equal(f->ram + TO, "\0\0\xcc", 3);
	/* Onto the request itself. */
	assert_int_equal(dma(f, 0x20000a, 16, REQUEST), 0);
	assert_int_equal(f->ram[REQUEST + 4], 'o');
	/* A request that is no RAM, or only begins there. */
	memcpy(before, f->ram, RAM);
	outl(&f->bench, 0x518, __builtin_bswap32(RAM - 15));
	outl(&f->bench, 0x518, 0xffffffff);
	outl(&f->bench, 0x514, 0xffffffff);
	outl(&f->bench, 0x518, 0xffffffff);
	assert_memory_equal(before, f->ram, RAM);
	f->fw_cfg.config.ram = NULL;
	outl(&f->bench, 0x518, __builtin_bswap32(REQUEST));
	assert_memory_equal(before, f->ram, RAM);
}

#define WRITE  0x18
#define OF(key) ((uint32_t)(key) << 16)

/* As a whole or in part; what does not fit is not written at all. */
static void test_writable(void **state)
{
	struct fixture *f = *state;
	struct hv_fw_cfg *fw_cfg = &f->fw_cfg;
	const uint8_t *written = fw_cfg->s.written;
	struct hv_fw_cfg_state saved, s;

	assert_int_equal(hv_fw_cfg_add_writable(fw_cfg, "opt/none", hello, 0), -EINVAL);
	assert_int_equal(hv_fw_cfg_add_writable(fw_cfg, "opt/large", hello, HV_FW_CFG_WRITABLE + 1),
			 -EINVAL);
	assert_int_equal(hv_fw_cfg_add_writable(fw_cfg, "opt/hello", hello, 5), -EEXIST);
	assert_int_equal(hv_fw_cfg_add_writable(fw_cfg, "opt/writable", hello, 5), 0);
	assert_int_equal(hv_fw_cfg_add_writable(fw_cfg, "opt/second", hello, 5), -ENOSPC);
	outw(&f->bench, 0x510, 0x22);
	assert_int_equal(bytes(f, 6), 0x68656c6c6f00);
	memcpy(f->ram + TO, "WORLDS", 6);
	assert_int_equal(dma(f, OF(0x22) | WRITE, 6, TO), 1);
	assert_int_equal(dma(f, OF(0x22) | WRITE, UINT32_MAX, TO), 1);
	assert_int_equal(dma(f, OF(0x22) | WRITE, 5, RAM - 4), 1);
	assert_int_equal(dma(f, OF(0x22) | WRITE, 5, UINT64_MAX - 2), 1);
	/* The port and other files have no such thing. */
	outw(&f->bench, 0x510, 0x4022);
	outb(&f->bench, 0x511, 'X');
	assert_int_equal(dma(f, OF(0x20) | WRITE, 5, TO), 1);
	assert_int_equal(dma(f, OF(HV_FW_CFG_DIRECTORY) | WRITE, 5, TO), 1);
	assert_int_equal(dma(f, OF(0x7777) | WRITE, 1, TO), 1);
	assert_memory_equal(written, "hello\0", 6);
	assert_memory_equal(hello, "hello", 5);
	/* The last two bytes, and none more. */
	assert_int_equal(dma(f, OF(0x22) | 8 | 4, 3, 0), 0);
	assert_int_equal(dma(f, 0x10, 2, TO), 0);
	assert_memory_equal(written, "helWO\0", 6);
	assert_int_equal(dma(f, 0x10, 1, TO), 1);
	assert_int_equal(dma(f, 0x10, 0, 0), 0);
	assert_int_equal(dma(f, OF(0x22) | WRITE, 5, TO), 0);
	outw(&f->bench, 0x510, 0x22);
	assert_int_equal(bytes(f, 6), 0x574f524c4400);
	hv_fw_cfg_save(fw_cfg, &saved);
	hv_fw_cfg_reset(fw_cfg);
	assert_memory_equal(written, "hello\0", 6);
	assert_int_equal(hv_fw_cfg_load(fw_cfg, &saved), 0);
	assert_memory_equal(written, "WORLD\0", 6);
	/* Behind its end. */
	s = saved;
	s.written[5] = 1;
	assert_int_equal(hv_fw_cfg_load(fw_cfg, &s), -EINVAL);
}

static uint32_t control(const struct fixture *f)
{
	const uint8_t *at = f->ram + REQUEST;

	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

#define PIECE HV_FW_CFG_DMA_PIECE
#define LARGE (2 * PIECE + 0x1000)
#define KEY   0x22

/* A file of more than two pieces, to TO. */
static void start_large(struct fixture *f)
{
	static uint8_t large[LARGE - 1];

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i / 0x1000 + i);
	memset(f->ram, 0xcc, RAM);
	assert_int_equal(hv_fw_cfg_add_file(&f->fw_cfg, "opt/large", large, sizeof(large)), 0);
	assert_int_equal(dma(f, KEY << 16 | 8 | 2, LARGE, TO), KEY << 16 | 8 | 2);
}

static bool came(const struct fixture *f, uint64_t len)
{
	for (size_t i = 0; i < len; i++)
		if (f->ram[TO + i] != (i < LARGE - 1 ? (uint8_t)(i / 0x1000 + i) : 0))
			return false;
	return f->ram[TO + len] == 0xcc;
}

/* It comes in pieces, so that whoever waits for the bus has his turn between them. */
static void test_large_dma(void **state)
{
	struct fixture *f = *state;

	start_large(f);
	assert_true(came(f, PIECE));
	bench_run_ns(&f->bench, 10000);
	assert_true(came(f, 2 * PIECE));
	assert_int_equal(control(f), KEY << 16 | 8 | 2);
	bench_run_ns(&f->bench, 10000);
	assert_true(came(f, LARGE));
	assert_int_equal(control(f), 0);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
	assert_int_equal(dma(f, 0x200000 | 8 | 2, 3, TO), 0);
}

/* Another request, meanwhile, is none; and the first one goes on. */
static void test_dma_meanwhile(void **state)
{
	struct fixture *f = *state;

	start_large(f);
	put_be(f->ram + 0x200, 0x20000a, 4);
	put_be(f->ram + 0x204, 3, 4);
	put_be(f->ram + 0x208, 0x300, 8);
	outl(&f->bench, 0x518, __builtin_bswap32(0x200));
	assert_int_equal(f->ram[0x203], 1);
	assert_int_equal(f->ram[0x300], 0xcc);
	bench_run_ns(&f->bench, 20000);
	assert_true(came(f, LARGE));
	assert_int_equal(control(f), 0);
}

static void test_reset_ends_dma(void **state)
{
	struct fixture *f = *state;

	start_large(f);
	hv_fw_cfg_reset(&f->fw_cfg);
	bench_run_ns(&f->bench, 20000);
	assert_true(came(f, PIECE));
	assert_int_equal(control(f), KEY << 16 | 8 | 2);
	assert_int_equal(dma(f, 0x200000 | 8 | 2, 3, TO), 0);
}

static void test_save_load_during_dma(void **state)
{
	struct fixture *f = *state;
	struct hv_fw_cfg_state saved;

	start_large(f);
	hv_fw_cfg_save(&f->fw_cfg, &saved);
	hv_fw_cfg_reset(&f->fw_cfg);
	assert_int_equal(hv_fw_cfg_load(&f->fw_cfg, &saved), 0);
	bench_run_ns(&f->bench, 9999);
	assert_true(came(f, PIECE));
	bench_run_ns(&f->bench, 1);
	assert_true(came(f, 2 * PIECE));
	/* A record of somebody's own: where there is no RAM. */
	saved.dma_to = RAM - 1;
	assert_int_equal(hv_fw_cfg_load(&f->fw_cfg, &saved), 0);
	bench_run_ns(&f->bench, 10000);
	assert_int_equal(control(f), 1);
	assert_int_equal(hv_clock_next(&f->bench.clock), UINT64_MAX);
}

static void test_save_load(void **state)
{
	struct fixture *f = *state;
	struct hv_fw_cfg_state saved, s;

	outw(&f->bench, 0x510, 0x20);
	(void)bytes(f, 2);
	outl(&f->bench, 0x514, __builtin_bswap32(7));
	hv_fw_cfg_save(&f->fw_cfg, &saved);
	hv_fw_cfg_reset(&f->fw_cfg);
	assert_int_equal(bytes(f, 1), 'Q');
	assert_int_equal(hv_fw_cfg_load(&f->fw_cfg, &saved), 0);
	hv_fw_cfg_save(&f->fw_cfg, &s);
	assert_memory_equal(&s, &saved, sizeof(s));
	assert_int_equal(bytes(f, 1), 'l');
#define REFUSE(change)                                                     \
	do {                                                               \
		s = saved;                                                 \
		change;                                                    \
		assert_int_equal(hv_fw_cfg_load(&f->fw_cfg, &s), -EINVAL); \
	} while (0)
	REFUSE(s.offset = 6);
	REFUSE(s.key = 0x22);
	REFUSE(s.key |= 0x4000);
	REFUSE(s.pad[1] = 1);
	REFUSE(s.dma_len = 1);
	REFUSE(s.dma_left_ns = 1);
#undef REFUSE
	assert_int_equal(bytes(f, 2), 0x6c6f);
}

#define FW_CFG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FW_CFG_TEST(test_by_port),
		FW_CFG_TEST(test_directory),
		FW_CFG_TEST(test_what_cannot_be_added),
		FW_CFG_TEST(test_by_dma),
		FW_CFG_TEST(test_dma_that_leads_nowhere),
		FW_CFG_TEST(test_writable),
		FW_CFG_TEST(test_large_dma),
		FW_CFG_TEST(test_dma_meanwhile),
		FW_CFG_TEST(test_reset_ends_dma),
		FW_CFG_TEST(test_save_load_during_dma),
		FW_CFG_TEST(test_save_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
