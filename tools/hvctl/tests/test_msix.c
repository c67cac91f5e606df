// SPDX-License-Identifier: GPL-2.0-only
/* MSI-X: the table by the letter, when vectors are routed, and that no interrupt is lost. */
#include "dev_test.h"

#include "dev/msix.h"
#include "lib/util.h"

#define VECTORS 70
#define BAR 0xe0000000ull
#define PBA (BAR + 0x800)
#define CAP 0x40
/* Nobody takes a message there. */
#define GARBAGE 0x1000u
#define LAPIC 0xfee00000u

struct vector {
	unsigned int counted;		/* by its eventfd */
	bool on;
	uint64_t address;
	uint32_t data;
	unsigned int delivered;		/* with the data that follow */
	uint32_t last;
};

struct fixture {
	struct bench bench;
	struct hv_pci pci;
	struct hv_pci_device device;
	struct hv_msix msix;
	struct vector vector[VECTORS];
	unsigned int calls;		/* of route() */
	unsigned int changes;		/* calls of enabled_changed() */
	bool enabled;
};

static struct fixture fixture;

/* What the kernel does: all that was counted makes one interrupt. */
static void deliver(struct vector *v)
{
	if (!v->on || !v->counted)
		return;
	v->counted = 0;
	v->delivered++;
	v->last = v->data;
}

static void signal_vector(struct fixture *f, unsigned int n)
{
	f->vector[n].counted++;
	deliver(&f->vector[n]);
}

static int route(void *ctx, unsigned int vector, bool on, uint64_t address, uint32_t data)
{
	struct fixture *f = ctx;
	struct vector *v = &f->vector[vector];

	assert_true(vector < VECTORS);
	f->calls++;
	/* Never twice, and never another message on top of one. */
	assert_true(v->on != on);
	if (on && address == GARBAGE)
		return -EINVAL;
	if (!on)
		assert_true(!address && !data);
	v->on = on;
	v->address = address;
	v->data = data;
	deliver(v);
	return 0;
}

static bool pending(void *ctx, unsigned int vector)
{
	assert_true(vector < VECTORS);
	return ((struct fixture *)ctx)->vector[vector].counted;
}

static void set_pending(void *ctx, unsigned int vector, bool on)
{
	struct fixture *f = ctx;

	assert_true(vector < VECTORS);
	if (on)
		signal_vector(f, vector);
	else
		f->vector[vector].counted = 0;
}

static void enabled_changed(void *ctx, bool enabled)
{
	struct fixture *f = ctx;

	assert_true(f->enabled != enabled);
	assert_true(hv_msix_is_enabled(&f->msix) == enabled);
	f->enabled = enabled;
	f->changes++;
}

static void written(void *dev, unsigned int offset, unsigned int width)
{
	hv_msix_written(&((struct fixture *)dev)->msix, offset, width);
}

static const struct hv_msix_config msix_config = {
	.device = &fixture.device,
	.bar = 4,
	.vectors = VECTORS,
	.route = route,
	.pending = pending,
	.set_pending = set_pending,
	.enabled_changed = enabled_changed,
	.ctx = &fixture,
};

static int setup(void **state)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042, .intx = 1 };
	const struct hv_pci_config pci = { .bus = &fixture.bench.bus };

	memset(&fixture, 0, sizeof(fixture));
	bench_init(&fixture.bench);
	*state = &fixture;
	hv_pci_device_init(&fixture.device, &ids);
	fixture.device.written = written;
	fixture.device.dev = &fixture;
	if (hv_msix_init(&fixture.msix, &msix_config) || hv_pci_init(&fixture.pci, &pci) ||
	    hv_pci_add(&fixture.pci, &fixture.device, 0x10))
		return -1;
	return hv_pci_assign(&fixture.pci, 0, 0, BAR, BAR + 4096);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hv_msix_exit(&f->msix);
	for (unsigned int i = 0; i < VECTORS; i++)
		assert_false(f->vector[i].on);
	hv_pci_exit(&f->pci);
	assert_int_equal(f->bench.bus.count[HV_MMIO], 0);
	return 0;
}

static uint64_t get(struct fixture *f, uint64_t gpa, unsigned int width)
{
	return bench_read(&f->bench, HV_MMIO, gpa, width);
}

static void put(struct fixture *f, uint64_t gpa, unsigned int width, uint64_t value)
{
	bench_write(&f->bench, HV_MMIO, gpa, width, value);
}

static uint16_t control(struct fixture *f)
{
	outl(&f->bench, 0xcf8, 0x80001000 | CAP);
	return inw(&f->bench, 0xcfe);
}

static void set_control(struct fixture *f, uint16_t value)
{
	outl(&f->bench, 0xcf8, 0x80001000 | CAP);
	outw(&f->bench, 0xcfe, value);
}

/* As a driver does: the message, then the mask. */
static void set_vector(struct fixture *f, unsigned int n, uint32_t address, uint32_t data,
		       bool masked)
{
	put(f, BAR + 16 * n + 12, 4, 1);
	put(f, BAR + 16 * n, 4, address);
	put(f, BAR + 16 * n + 4, 4, 0);
	put(f, BAR + 16 * n + 8, 4, data);
	put(f, BAR + 16 * n + 12, 4, masked);
}

/* ------------------------------------------------------------- by the letter */

static void test_capability(void **state)
{
	struct fixture *f = *state;

	outl(&f->bench, 0xcf8, 0x80001034);
	assert_int_equal(inb(&f->bench, 0xcfc), CAP);
	outl(&f->bench, 0xcf8, 0x80001000 | CAP);
	assert_int_equal(inw(&f->bench, 0xcfc), 0x0011);
	assert_int_equal(control(f), VECTORS - 1);
	outl(&f->bench, 0xcf8, 0x80001000 | (CAP + 4));
	assert_int_equal(inl(&f->bench, 0xcfc), 0x00000004);
	outl(&f->bench, 0xcfc, UINT32_MAX);
	assert_int_equal(inl(&f->bench, 0xcfc), 0x00000004);
	outl(&f->bench, 0xcf8, 0x80001000 | (CAP + 8));
	assert_int_equal(inl(&f->bench, 0xcfc), 0x00000804);
	set_control(f, 0xffff);
	assert_int_equal(control(f), 0xc000 | (VECTORS - 1));
	assert_int_equal(hv_msix_vectors(&f->msix), VECTORS);
}

static void test_table_at_first(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < VECTORS; i++) {
		assert_int_equal(get(f, BAR + 16 * i, 8), 0);
		assert_true(get(f, BAR + 16 * i + 8, 8) == 1ull << 32);
	}
	assert_int_equal(get(f, BAR + 16 * VECTORS + 8, 8), 0);
}

static void test_table_bits(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 4; i++)
		put(f, BAR + 4 * i, 4, UINT32_MAX);
	assert_int_equal(get(f, BAR, 4), 0xfffffffc);
	assert_int_equal(get(f, BAR + 4, 4), 0xffffffff);
	assert_int_equal(get(f, BAR + 8, 4), 0xffffffff);
	assert_int_equal(get(f, BAR + 12, 4), 0x00000001);
	put(f, BAR + 16, 8, 0x123456789abcdef3);
	assert_true(get(f, BAR + 16, 8) == 0x123456789abcdef0);
	assert_int_equal(get(f, BAR + 20, 4), 0x12345678);
	put(f, BAR + 24, 8, 0xfffffffe00004021);
	assert_int_equal(get(f, BAR + 24, 8), 0x4021);
	/* The last, and what is behind it. */
	put(f, BAR + 16 * (VECTORS - 1) + 8, 4, 5);
	assert_int_equal(get(f, BAR + 16 * (VECTORS - 1) + 8, 4), 5);
	put(f, BAR + 16 * VECTORS + 8, 4, 5);
	assert_int_equal(get(f, BAR + 16 * VECTORS + 8, 4), 0);
	put(f, BAR + 0x7f8, 8, UINT64_MAX);
	assert_int_equal(get(f, BAR + 0x7f8, 8), 0);
	put(f, BAR + 0xff8, 8, UINT64_MAX);
	assert_int_equal(get(f, BAR + 0xff8, 8), 0);
}

/* Narrow and misaligned ones are undefined: nothing, here. */
static void test_bad_accesses(void **state)
{
	struct fixture *f = *state;

	set_vector(f, 0, 0x11111110, 0x22222222, true);
	set_vector(f, 1, 0x33333330, 0x44444444, true);
	put(f, BAR, 1, 0xff);
	put(f, BAR + 2, 2, 0xffff);
	put(f, BAR + 9, 4, UINT32_MAX);
	put(f, BAR + 12, 8, UINT64_MAX);
	put(f, BAR + 12, 1, 0);
	assert_int_equal(get(f, BAR, 8), 0x11111110);
	assert_true(get(f, BAR + 8, 8) == 0x122222222);
	assert_int_equal(get(f, BAR + 16, 8), 0x33333330);
	assert_int_equal(get(f, BAR, 1), 0);
	assert_int_equal(get(f, BAR + 8, 2), 0);
	assert_int_equal(get(f, BAR + 10, 4), 0);
	assert_int_equal(get(f, BAR + 4, 8), 0);
}

static void test_pending_bits(void **state)
{
	struct fixture *f = *state;

	set_control(f, 0x8000);
	signal_vector(f, 3);
	signal_vector(f, 33);
	signal_vector(f, 69);
	assert_true(get(f, PBA, 8) == (1ull << 33 | 1 << 3));
	assert_int_equal(get(f, PBA, 4), 1 << 3);
	assert_int_equal(get(f, PBA + 4, 4), 1 << 1);
	assert_int_equal(get(f, PBA + 8, 8), 1 << 5);
	assert_int_equal(get(f, PBA + 16, 8), 0);
	put(f, PBA, 8, UINT64_MAX);
	put(f, PBA + 8, 4, 0);
	assert_true(get(f, PBA, 8) == (1ull << 33 | 1 << 3));
	set_vector(f, 33, LAPIC, 0x41, false);
	assert_int_equal(f->vector[33].delivered, 1);
	assert_int_equal(get(f, PBA, 8), 1 << 3);
}

/* -------------------------------------------------------------------- routes */

static void test_routed_when_all_three_want(void **state)
{
	struct fixture *f = *state;

	set_vector(f, 7, LAPIC, 0x41, false);
	assert_int_equal(f->calls, 0);
	set_control(f, 0xc000);
	assert_true(f->enabled);
	assert_int_equal(f->calls, 0);
	set_control(f, 0x8000);
	assert_int_equal(f->calls, 1);
	assert_true(f->vector[7].on);
	assert_int_equal(f->vector[7].address, LAPIC);
	assert_int_equal(f->vector[7].data, 0x41);
	put(f, BAR + 16 * 7 + 12, 4, 1);
	assert_false(f->vector[7].on);
	put(f, BAR + 16 * 7 + 12, 4, 0);
	assert_true(f->vector[7].on);
	set_control(f, 0xc000);
	assert_false(f->vector[7].on);
	set_control(f, 0x0000);
	assert_int_equal(f->calls, 4);
	assert_int_equal(f->changes, 2);
	set_control(f, 0x8000);
	assert_int_equal(f->calls, 5);
	set_control(f, 0x0000);
	assert_int_equal(f->calls, 6);
	assert_int_equal(f->changes, 4);
}

static void test_no_call_when_nothing_changes(void **state)
{
	struct fixture *f = *state;

	set_vector(f, 0, LAPIC, 0x41, false);
	set_vector(f, 1, LAPIC, 0x42, true);
	set_control(f, 0x8000);
	assert_int_equal(f->calls, 1);
	put(f, BAR, 4, LAPIC);
	put(f, BAR, 8, LAPIC);
	put(f, BAR + 8, 8, 0x41);
	put(f, BAR + 12, 4, 0);
	put(f, BAR + 12, 4, 2);
	put(f, BAR + 16 + 8, 4, 0x43);
	set_control(f, 0x8000);
	outl(&f->bench, 0xcf8, 0x80001004);
	outw(&f->bench, 0xcfc, 0x0406);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->changes, 1);
}

/* How Linux moves an interrupt to another CPU, and how a driver may that does not mask. */
static void test_message_changes(void **state)
{
	struct fixture *f = *state;

	set_vector(f, 0, LAPIC, 0x41, false);
	set_control(f, 0x8000);
	put(f, BAR + 12, 4, 1);
	put(f, BAR, 4, LAPIC | 1 << 12);
	signal_vector(f, 0);
	put(f, BAR + 8, 4, 0x51);
	assert_int_equal(f->calls, 2);
	assert_int_equal(f->vector[0].delivered, 0);
	put(f, BAR + 12, 4, 0);
	assert_int_equal(f->calls, 3);
	assert_int_equal(f->vector[0].delivered, 1);
	assert_int_equal(f->vector[0].last, 0x51);
	assert_int_equal(f->vector[0].address, LAPIC | 1 << 12);
	put(f, BAR + 8, 8, 0x61);
	assert_int_equal(f->calls, 5);
	signal_vector(f, 0);
	assert_int_equal(f->vector[0].last, 0x61);
	/* Message and mask in one go. */
	put(f, BAR + 8, 8, 0x100000071);
	assert_int_equal(f->calls, 6);
	put(f, BAR + 8, 8, 0x72);
	assert_int_equal(f->calls, 7);
	assert_int_equal(f->vector[0].data, 0x72);
}

/* A message that nobody takes: the guest reads what it wrote, and interrupts are lost. */
static void test_refused(void **state)
{
	struct fixture *f = *state;

	set_control(f, 0x8000);
	set_vector(f, 2, GARBAGE, 0x41, false);
	assert_int_equal(f->calls, 1);
	assert_int_equal(get(f, BAR + 32, 4), GARBAGE);
	f->vector[2].counted++;
	assert_int_equal(get(f, PBA, 8), 0);
	/* Not tried again, nor taken away. */
	put(f, BAR + 32, 4, GARBAGE);
	set_control(f, 0x8000);
	assert_int_equal(f->calls, 1);
	put(f, BAR + 32 + 12, 4, 1);
	assert_int_equal(f->calls, 1);
	assert_int_equal(get(f, PBA, 8), 0);
	put(f, BAR + 32 + 12, 4, 0);
	assert_int_equal(f->calls, 2);
	f->vector[2].counted++;
	put(f, BAR + 32, 4, LAPIC);
	assert_int_equal(f->calls, 3);
	assert_int_equal(f->vector[2].delivered, 0);
	signal_vector(f, 2);
	assert_int_equal(f->vector[2].delivered, 1);
	put(f, BAR + 32, 4, GARBAGE);
	assert_int_equal(f->calls, 5);
	assert_false(f->vector[2].on);
}

/* Whatever the guest does, each signal is delivered or pending, and delivered once it may be. */
static void test_nothing_is_lost(void **state)
{
	struct fixture *f = *state;
	bool owed[4] = { false };

	for (unsigned int step = 0; step < 20000; step++) {
		unsigned int n = (unsigned int)bench_random(&f->bench, 4);
		struct vector *v = &f->vector[n];
		unsigned int delivered = v->delivered;

		switch (bench_random(&f->bench, 4)) {
		case 0:
			signal_vector(f, n);
			owed[n] = true;
			break;
		case 1:
			put(f, BAR + 16 * n + 12, 4, bench_random(&f->bench, 2));
			break;
		case 2:
			put(f, BAR + 16 * n + 8, 4, bench_random(&f->bench, 4));
			break;
		default:
			set_control(f, (uint16_t)(bench_random(&f->bench, 4) << 14));
			for (unsigned int i = 0; i < 4; i++)
				owed[i] &= !f->vector[i].on;
		}
		if (v->delivered != delivered)
			owed[n] = false;
		for (unsigned int i = 0; i < 4; i++) {
			bool wanted = (control(f) & 0xc000) == 0x8000 &&
				      !(get(f, BAR + 16 * i + 12, 4) & 1);

			assert_true(f->vector[i].on == wanted);
			assert_true(!wanted || f->vector[i].data == get(f, BAR + 16 * i + 8, 4));
			assert_true(owed[i] == (get(f, PBA, 8) >> i & 1));
			assert_true(!(owed[i] && wanted));
		}
	}
}

/* -------------------------------------------------------------- reset, state */

static void test_reset(void **state)
{
	struct fixture *f = *state;

	set_vector(f, 0, LAPIC, 0x41, false);
	set_vector(f, 1, GARBAGE, 0x41, false);
	set_control(f, 0xc000);
	set_control(f, 0x8000);
	signal_vector(f, 3);
	hv_msix_reset(&f->msix);
	assert_false(f->enabled);
	assert_false(f->vector[0].on);
	assert_int_equal(control(f), VECTORS - 1);
	assert_int_equal(get(f, PBA, 8), 0);
	test_table_at_first(state);
	hv_msix_reset(&f->msix);
	assert_int_equal(f->changes, 2);
	set_control(f, 0x8000);
	assert_int_equal(f->vector[0].delivered + f->vector[3].delivered, 0);
}

/* Another machine goes on with what was saved, whichever record is loaded first. */
static void save_and_load(void **state, bool device_first)
{
	struct fixture *f = *state;
	struct hv_pci_device_state device;
	struct hv_msix_state table, again;

	set_vector(f, 0, LAPIC, 0x41, false);
	set_vector(f, 69, LAPIC | 1 << 12, 0x42, true);
	set_control(f, 0x8000);
	signal_vector(f, 69);
	hv_msix_save(&f->msix, &table);
	hv_pci_device_save(&f->device, &device);
	teardown(state);
	setup(state);
	assert_int_equal(hv_msix_check(&f->msix, &table), 0);
	if (device_first)
		assert_int_equal(hv_pci_device_load(&f->device, &device), 0);
	assert_int_equal(hv_msix_load(&f->msix, &table), 0);
	if (!device_first)
		assert_int_equal(hv_pci_device_load(&f->device, &device), 0);
	assert_true(f->enabled);
	assert_true(f->vector[0].on);
	assert_int_equal(f->calls, 1);
	hv_msix_save(&f->msix, &again);
	assert_memory_equal(&table, &again, sizeof(table));
	assert_int_equal(get(f, PBA + 8, 8), 1 << 5);
	put(f, BAR + 16 * 69 + 12, 4, 0);
	assert_int_equal(f->vector[69].delivered, 1);
	assert_int_equal(f->vector[69].last, 0x42);
}

static void test_save_load(void **state)
{
	save_and_load(state, false);
}

static void test_save_load_device_first(void **state)
{
	save_and_load(state, true);
}

/* Back to what was: what has come since is not delivered with an old message, nor kept. */
static void test_load_over(void **state)
{
	struct fixture *f = *state;
	struct hv_msix_state saved;

	set_control(f, 0x8000);
	set_vector(f, 0, LAPIC, 0x41, true);
	signal_vector(f, 0);
	hv_msix_save(&f->msix, &saved);
	set_vector(f, 0, LAPIC, 0x42, false);
	assert_int_equal(f->vector[0].delivered, 1);
	signal_vector(f, 5);
	assert_int_equal(hv_msix_load(&f->msix, &saved), 0);
	assert_int_equal(f->vector[0].delivered, 1);
	assert_int_equal(get(f, PBA, 8), 1);
}

static void test_load_refuses(void **state)
{
	struct fixture *f = *state;
	struct hv_msix_state good, bad;

	hv_msix_save(&f->msix, &good);
#define REFUSED(change)                                                  \
	do {                                                             \
		bad = good;                                              \
		bad.change;                                              \
		assert_int_equal(hv_msix_load(&f->msix, &bad), -EINVAL); \
	} while (0)
	REFUSED(vectors++);
	REFUSED(vectors = 0);
	REFUSED(pad = 1);
	REFUSED(entry[0].address = 2);
	REFUSED(entry[VECTORS - 1].control = 2);
	REFUSED(entry[VECTORS].address = 4);
	REFUSED(entry[VECTORS].data = 1);
	REFUSED(entry[VECTORS].control = 1);
	REFUSED(pending[1] = 1 << 6);
	assert_int_equal(hv_msix_load(&f->msix, &good), 0);
}

static void test_bad_configs(void **state)
{
	struct hv_msix_config config = msix_config;
	static const struct hv_pci_ids ids = { .vendor = 1 };
	static struct hv_pci_device device;
	static struct hv_msix msix;

	(void)state;
	config.device = &device;
	hv_pci_device_init(&device, &ids);
	config.vectors = 0;
	assert_int_equal(hv_msix_init(&msix, &config), -EINVAL);
	config.vectors = HV_MSIX_VECTORS + 1;
	assert_int_equal(hv_msix_init(&msix, &config), -EINVAL);
	config.vectors = HV_MSIX_VECTORS;
	config.bar = 5;
	assert_int_equal(hv_msix_init(&msix, &config), -EINVAL);
	config.bar = 4;
	assert_true(hv_pci_device_add_capability(&device, 0x09, 185) > 0);
	assert_int_equal(hv_msix_init(&msix, &config), -ENOSPC);
	hv_pci_device_init(&device, &ids);
	assert_int_equal(hv_msix_init(&msix, &config), 0);
}

static bool never_pending(void *ctx, unsigned int vector)
{
	(void)ctx;
	assert_true(vector < HV_MSIX_VECTORS);
	return false;
}

/* The most that there can be, and an owner that neither listens nor keeps what is pending. */
static void test_largest(void **state)
{
	struct hv_msix_config config = msix_config;
	static const struct hv_pci_ids ids = { .vendor = 1 };
	static struct hv_pci_device device;
	static struct hv_msix msix;
	struct hv_msix_state saved;
	uint64_t value = 0;

	(void)state;
	config.device = &device;
	config.vectors = HV_MSIX_VECTORS;
	config.pending = never_pending;
	config.set_pending = NULL;
	config.enabled_changed = NULL;
	hv_pci_device_init(&device, &ids);
	assert_int_equal(hv_msix_init(&msix, &config), 0);
	device.bar[4].region.access(&msix, 127 * 16 + 8, 8, false, &value);
	assert_true(value == 1ull << 32);
	device.bar[4].region.access(&msix, 0x808, 8, false, &value);
	assert_int_equal(value, 0);
	hv_msix_save(&msix, &saved);
	assert_int_equal(hv_msix_load(&msix, &saved), 0);
	hv_msix_reset(&msix);
	hv_msix_exit(&msix);
}

/* -------------------------------------------------------------------- twins */

#define TWIN_VECTORS 5

/* A device with vectors, and their eventfds: what they deliver is heard. */
struct board {
	struct hv_pci pci;
	struct hv_pci_device device;
	struct hv_msix msix;
	struct bench *bench;
	struct {
		bool counted, on;
		uint64_t message;
	} vector[TWIN_VECTORS];
};

static void twin_deliver(struct board *board, unsigned int vector)
{
	if (!board->vector[vector].on || !board->vector[vector].counted)
		return;
	board->vector[vector].counted = false;
	bench_hear(board->bench, board->vector[vector].message);
}

static int twin_route(void *ctx, unsigned int vector, bool on, uint64_t address, uint32_t data)
{
	struct board *board = ctx;

	board->vector[vector].on = on;
	board->vector[vector].message = address << 32 | data;
	twin_deliver(board, vector);
	return 0;
}

static bool twin_pending(void *ctx, unsigned int vector)
{
	return ((struct board *)ctx)->vector[vector].counted;
}

static void twin_set_pending(void *ctx, unsigned int vector, bool pending)
{
	struct board *board = ctx;

	board->vector[vector].counted = pending;
	twin_deliver(board, vector);
}

static void twin_written(void *dev, unsigned int offset, unsigned int width)
{
	hv_msix_written(&((struct board *)dev)->msix, offset, width);
}

static const struct hv_state_row twin_rows[] = {
	{ &hv_pci_device_kind, 16, offsetof(struct board, device) },
	{ &hv_msix_kind, 16, offsetof(struct board, msix) },
};

static void board_save(const void *board, void *record)
{
	for (size_t i = 0; i < ARRAY_SIZE(twin_rows); i++) {
		twin_rows[i].kind->save((const char *)board + twin_rows[i].offset, record);
		record = (char *)record + twin_rows[i].kind->size;
	}
}

static int board_check(const void *board, const void *record)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(twin_rows) && !err; i++) {
		err = twin_rows[i].kind->check((const char *)board + twin_rows[i].offset, record);
		record = (const char *)record + twin_rows[i].kind->size;
	}
	return err;
}

static int board_load(void *board, const void *record)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(twin_rows) && !err; i++) {
		err = twin_rows[i].kind->load((char *)board + twin_rows[i].offset, record);
		record = (const char *)record + twin_rows[i].kind->size;
	}
	return err;
}

static const struct hv_state_kind board_kind = {
	.size = sizeof(struct hv_pci_device_state) + sizeof(struct hv_msix_state),
	.save = board_save,
	.check = board_check,
	.load = board_load,
};

static void board_init(struct bench *b)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042 };
	const struct hv_pci_config pci = { .bus = &b->bus };
	struct board *board = b->chip;
	const struct hv_msix_config config = {
		.device = &board->device,
		.vectors = TWIN_VECTORS,
		.route = twin_route,
		.pending = twin_pending,
		.set_pending = twin_set_pending,
		.ctx = board,
	};

	memset(board, 0, sizeof(*board));
	board->bench = b;
	hv_pci_device_init(&board->device, &ids);
	board->device.written = twin_written;
	board->device.dev = board;
	assert_int_equal(hv_msix_init(&board->msix, &config), 0);
	assert_int_equal(hv_pci_init(&board->pci, &pci), 0);
	assert_int_equal(hv_pci_add(&board->pci, &board->device, 16), 0);
	assert_int_equal(hv_pci_assign(&board->pci, 0, 0, 0xe0000000, 0xe0001000), 0);
}

static void board_exit(struct bench *b)
{
	struct board *board = b->chip;

	hv_msix_exit(&board->msix);
	hv_pci_exit(&board->pci);
}

static void board_step(struct bench *b)
{
	struct board *board = b->chip;
	uint64_t entry = 0xe0000000 + 16 * bench_random(b, TWIN_VECTORS);

	switch (bench_random(b, 5)) {
	case 0:
		twin_set_pending(board, (unsigned int)bench_random(b, TWIN_VECTORS), true);
		break;
	case 1:
		bench_write(b, HV_MMIO, entry + 12, 4, bench_random(b, 2));
		break;
	case 2:
		bench_write(b, HV_MMIO, entry + 4 * bench_random(b, 3), 4, bench_random(b, 1000));
		break;
	case 3:
		outl(b, 0xcf8, 0x80001040);
		outw(b, 0xcfe, (uint16_t)(bench_random(b, 4) << 14));
		break;
	default:
		bench_poke(b, HV_MMIO, 0xe0000000, 4096, 8);
	}
	bench_read(b, HV_MMIO, entry + 8, 8);
	bench_read(b, HV_MMIO, 0xe0000800, 8);
}

/* One is saved, thrown away and made again all the time: neither guest nor wire may notice. */
static void test_twins(void **state)
{
	static const struct twin twin = {
		&board_kind, sizeof(struct board), board_init, board_exit, board_step, 1000,
	};

	(void)state;
	twins(&twin);
}

#define MSIX_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		MSIX_TEST(test_capability),
		MSIX_TEST(test_table_at_first),
		MSIX_TEST(test_table_bits),
		MSIX_TEST(test_bad_accesses),
		MSIX_TEST(test_pending_bits),
		MSIX_TEST(test_routed_when_all_three_want),
		MSIX_TEST(test_no_call_when_nothing_changes),
		MSIX_TEST(test_message_changes),
		MSIX_TEST(test_refused),
		MSIX_TEST(test_nothing_is_lost),
		MSIX_TEST(test_reset),
		MSIX_TEST(test_save_load),
		MSIX_TEST(test_save_load_device_first),
		MSIX_TEST(test_load_over),
		MSIX_TEST(test_load_refuses),
		cmocka_unit_test(test_bad_configs),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_twins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
