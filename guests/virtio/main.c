// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio: a guest that attacks its devices. Before each attack the device works; meanwhile another
 * one, a disk, goes on; after it the device is reset and works again. On two CPUs the other disk is
 * served by the second one all the time.
 *
 *	hvctl run -m 64 --disk A --disk B --net user --device rng --device balloon virtio.bin
 *
 * At the end it rests: whoever started it can see if anything in hvctl goes on by itself.
 */
#include "../lib/cmos.h"
#include "virtio.h"

#define REST_SECONDS	20
#define REST_NAP	100000000	/* ticks */

struct device witness;
static struct device devices[4];

/* ------------------------------------------------------------------- blame */

static struct {
	const char *what;
	u64 got, want;
} wrong;

void blame(const char *what, u64 got, u64 want)
{
	if (wrong.what)
		return;
	wrong.what = what;
	wrong.got = got;
	wrong.want = want;
}

/* ----------------------------------------------------------------- witness */

static volatile u32 witnessed;
static volatile bool witness_failed;

/* The second CPU's work. */
static void serve_witness(void *unused)
{
	(void)unused;
	while (!witness_failed) {
		if (honest(&witness))
			witnessed++;
		else
			witness_failed = true;
	}
}

bool witness_works(void)
{
	u32 before = witnessed;

	if (nr_cpus < 2)
		return honest(&witness);
	/* What began before may have ended just now. */
	return settles(witness_failed || witnessed - before >= 2) && !witness_failed;
}

/* ----------------------------------------------------------------- attacks */

static struct device *find(enum kind kind)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].devfn && devices[i].kind == kind)
			return &devices[i];
	return NULL;
}

static void look(struct device *dev, enum outcome outcome)
{
	if (outcome == BROKEN)
		expect(settles(status_of(dev) & STATUS_BROKEN), true);
	if (outcome == GOOD) {
		expect(status_of(dev) & STATUS_BROKEN, 0);
		expect(honest(dev), true);
	}
}

static void attack(const struct attack *attack, struct device *dev)
{
	dev->wanted = attack->rings & EVENTS ? F_EVENT_IDX : 0;
	expect(device_start(dev), true);
	expect(honest(dev), true);
	attack->run(dev);
	look(dev, attack->outcome);
	expect(witness_works(), true);
	device_restore(dev);
	dev->wanted = 0;
	expect(device_start(dev), true);
	expect(honest(dev), true);
	expect(witness_works(), true);
}

static void report(u32 number, const char *kind, const char *name, const char *rings)
{
	if (!wrong.what) {
		print("ok %u - %s: %s%s\n", number, kind, name, rings);
		return;
	}
	print("not ok %u - %s: %s%s\n", number, kind, name, rings);
	print("#   %s: 0x%llx, want 0x%llx\n", wrong.what, wrong.got, wrong.want);
	check(!wrong.what);
}

static u32 run(const struct attack *row, u8 rings, u32 number)
{
	struct device *dev = find(row->on);

	if (!(row->rings & rings))
		return number;
	number++;
	if (!dev) {
		print("ok %u - %s # SKIP no such device\n", number, row->name);
		return number;
	}
	wrong.what = NULL;
	dev->packed = rings == PACKED;
	attack(row, dev);
	report(number, dev->name, row->name, rings == PACKED ? ", packed" : "");
	check(true);
	return number;
}

static u32 run_table(const struct attack *row, u32 number)
{
	for (; row->name; row++) {
		number = run(row, SPLIT, number);
		number = run(row, PACKED, number);
	}
	return number;
}

static void run_all(void)
{
	static const struct attack *const tables[] = {
		attacks_registers, attacks_setup, attacks_rings, attacks_blk,
		attacks_others, attacks_bars, attacks_msix, attacks_storms,
	};
	u32 number = 0, i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		number = run_table(tables[i], number);
	print("1..%u\n", number);
}

/* -------------------------------------------------------------------- rest */

/* By the wall clock, as whoever watches does. Nothing is asked of any device. */
static void rest(void)
{
	u32 seconds = 0;
	u8 now = cmos_read(0);

	witness_failed = true;
	if (nr_cpus > 1)
		smp_join(&cpus[1]);
	print("at rest\n");
	console_drain();
	while (seconds < REST_SECONDS) {
		nap(REST_NAP);
		if (cmos_read(0) != now)
			seconds++;
		now = cmos_read(0);
	}
}

GUEST("virtio")
{
	if (!device_find(&witness, "witness", BLK, 0) ||
	    !device_find(&devices[0], "blk", BLK, 1))
		skip_guest("no two disks");
	device_find(&devices[1], "net", NET, 0);
	device_find(&devices[2], "rng", RNG, 0);
	device_find(&devices[3], "balloon", BALLOON, 0);
	smp_init_any();
	nap_init();
	require(device_start(&witness));
	if (nr_cpus > 1) {
		smp_start_all();
		smp_run(&cpus[1], serve_witness, NULL);
	}
	run_all();
	rest();
}
