// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest against the PCI bus: configuration spaces, BARs on top of each other, MSI-X
 * tables, and snapshots gone bad. Devices hear the truth about their BARs and vectors.
 */
#include <stdlib.h>
#include <string.h>

#include "dev/msix.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CARDS 3
#define VECTORS 66

struct card {
	struct hv_pci_device device;
	struct hv_msix msix;
	uint64_t told[HV_PCI_BARS];	/* where BARs are; 0: nowhere */
	bool enabled;
	/* The vectors' eventfds. */
	struct {
		bool counted, on;
	} vector[VECTORS];
};

struct bench {
	struct hv_bus bus;
	struct hv_pci pci;
	struct card card[CARDS];
	unsigned int asserted;		/* INTx lines */
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* ------------------------------------------------------------------ devices */

static void moved(void *dev, unsigned int n, uint64_t where)
{
	struct card *card = dev;

	require(where != card->told[n]);
	card->told[n] = where;
}

static void written(void *dev, unsigned int offset, unsigned int width)
{
	require(offset + width <= HV_PCI_CONFIG);
	hv_msix_written(&((struct card *)dev)->msix, offset, width);
}

static void reading(void *dev, unsigned int offset, unsigned int width)
{
	require(offset + width <= HV_PCI_CONFIG);
	hv_pci_config_set(&((struct card *)dev)->device, HV_PCI_CONFIG - 4, 1, offset);
}

static int route(void *ctx, unsigned int vector, bool on, uint64_t address, uint32_t data)
{
	struct card *card = ctx;

	require(vector < VECTORS && card->vector[vector].on != on);
	require(on || (!address && !data));
	/* Not every message is one that somebody takes. */
	if (on && (address & 0xfff00000) != 0xfee00000)
		return -1;
	card->vector[vector].on = on;
	if (on)
		card->vector[vector].counted = false;
	return 0;
}

static bool pending(void *ctx, unsigned int vector)
{
	require(vector < VECTORS);
	return ((struct card *)ctx)->vector[vector].counted;
}

static void set_pending(void *ctx, unsigned int vector, bool on)
{
	struct card *card = ctx;

	require(vector < VECTORS);
	card->vector[vector].counted = on && !card->vector[vector].on;
}

static void enabled_changed(void *ctx, bool enabled)
{
	struct card *card = ctx;

	require(card->enabled != enabled);
	card->enabled = enabled;
}

static void bar_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	(void)width;
	if (write)
		hv_pci_set_intx(&((struct card *)dev)->device, *value & 1);
	else
		*value = offset;
}

static void set_line(void *controller, unsigned int line, bool level)
{
	struct bench *b = controller;

	require(line < HV_PCI_INTX && (b->asserted >> line & 1) != level);
	b->asserted ^= 1u << line;
}

static void make(struct card *card)
{
	static const struct hv_pci_ids ids = { .vendor = 0x1af4, .device = 0x1042, .intx = 1 };
	const struct hv_msix_config msix = {
		.device = &card->device,
		.bar = 2,
		.vectors = VECTORS,
		.route = route,
		.pending = pending,
		.set_pending = set_pending,
		.enabled_changed = enabled_changed,
		.ctx = card,
	};

	hv_pci_device_init(&card->device, &ids);
	card->device.moved = moved;
	card->device.reading = reading;
	card->device.written = written;
	card->device.dev = card;
	require(!hv_pci_device_set_bar(&card->device, 0, HV_PORT, 64, bar_access, card) &&
		!hv_pci_device_set_bar(&card->device, 1, HV_MMIO, 8192, bar_access, card) &&
		!hv_pci_device_set_window(&card->device, 4, 0xe0, 0xe4, 32, bar_access, card) &&
		!hv_msix_init(&card->msix, &msix));
	hv_pci_config_allow(&card->device, HV_PCI_CONFIG - 4, 1, 0xff);
}

static void power_on(struct bench *b)
{
	const struct hv_pci_config pci = {
		.bus = &b->bus,
		.intx = { .set = set_line, .controller = b },
	};

	memset(b, 0, sizeof(*b));
	require(!hv_pci_init(&b->pci, &pci));
	for (unsigned int i = 0; i < CARDS; i++) {
		make(&b->card[i]);
		/* Two of them are functions of one device. */
		require(!hv_pci_add(&b->pci, &b->card[i].device, 0x10 + 5 * i));
	}
	require(!hv_pci_assign(&b->pci, 0xc000, 0x10000, 0xe0000000, 0xf0000000));
}

/* ---------------------------------------------------------------- snapshots */

struct snapshot {
	struct hv_pci_state pci;
	struct {
		struct hv_pci_device_state device;
		struct hv_msix_state msix;
	} card[CARDS];
};

static void save(const struct bench *b, struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	hv_pci_save(&b->pci, &s->pci);
	for (unsigned int i = 0; i < CARDS; i++) {
		hv_pci_device_save(&b->card[i].device, &s->card[i].device);
		hv_msix_save(&b->card[i].msix, &s->card[i].msix);
	}
}

/* All or nothing. */
static int load(struct bench *b, const struct snapshot *s)
{
	bool good = !hv_pci_check(&b->pci, &s->pci);

	for (unsigned int i = 0; i < CARDS; i++)
		good &= !hv_pci_device_check(&b->card[i].device, &s->card[i].device) &&
			!hv_msix_check(&b->card[i].msix, &s->card[i].msix);
	if (!good)
		return -1;
	require(!hv_pci_load(&b->pci, &s->pci));
	for (unsigned int i = 0; i < CARDS; i++)
		require(!hv_msix_load(&b->card[i].msix, &s->card[i].msix) &&
			!hv_pci_device_load(&b->card[i].device, &s->card[i].device));
	return 0;
}

static void damage(struct bench *b, struct fuzz_input *in)
{
	static struct snapshot s, again;
	size_t at = fuzz_take(in, 2) % sizeof(s);

	save(b, &s);
	((uint8_t *)&s)[at] ^= fuzz_byte(in);
	if (!load(b, &s))
		return;
	save(b, &again);
	((uint8_t *)&s)[at] = ((uint8_t *)&again)[at];
	require(!memcmp(&s, &again, sizeof(s)));
}

/* Another machine goes on from here: nothing is different there. */
static void replace(struct bench *b)
{
	static struct snapshot s, again;

	save(b, &s);
	hv_pci_exit(&b->pci);
	require(!b->asserted);
	power_on(b);
	require(!load(b, &s));
	save(b, &again);
	require(!memcmp(&s, &again, sizeof(s)));
}

/* -------------------------------------------------------------------- guest */

static void access_config(struct bench *b, struct fuzz_input *in, bool write)
{
	unsigned int card = fuzz_byte(in) % CARDS, reg = fuzz_byte(in);
	uint64_t address = 0x80000000u | (0x10 + 5 * card) << 8 | (reg & 0xfc);
	unsigned int width = 1u << fuzz_take(in, 1) % 3;
	uint64_t value = write ? fuzz_take(in, width) : 0;

	hv_bus_access(&b->bus, HV_PORT, HV_PCI_ADDRESS, 4, true, &address);
	hv_bus_access(&b->bus, HV_PORT, HV_PCI_DATA + (reg & 3), width, write, &value);
}

/* In a BAR, if it is mapped. */
static void access_bar(struct bench *b, struct fuzz_input *in, bool write)
{
	const struct card *card = &b->card[fuzz_take(in, 1) % CARDS];
	unsigned int n = fuzz_byte(in) % HV_PCI_BARS;
	uint64_t offset = fuzz_take(in, 2) & 0xfff;
	unsigned int width = 1u << fuzz_take(in, 1) % 4;
	uint64_t value = write ? fuzz_take(in, width) : 0;

	if (card->told[n])
		hv_bus_access(&b->bus, card->device.bar[n].region.space, card->told[n] + offset,
			      width, write, &value);
}

/* A vector that the guest makes deliver somewhere, which bytes at random seldom do. */
static void set_vector(struct bench *b, struct fuzz_input *in)
{
	const struct card *card = &b->card[fuzz_take(in, 1) % CARDS];
	uint64_t entry = card->told[2] + fuzz_take(in, 1) % VECTORS * 16;
	uint64_t address = 0xfee00000, message = fuzz_take(in, 1), control = 0xc000u;

	if (!card->told[2])
		return;
	hv_bus_access(&b->bus, HV_MMIO, entry, 8, true, &address);
	hv_bus_access(&b->bus, HV_MMIO, entry + 8, 8, true, &message);
	address = 0x80000000u | card->device.devfn << 8 | card->msix.capability;
	control = message & 1 ? 0x8000 : control;
	hv_bus_access(&b->bus, HV_PORT, HV_PCI_ADDRESS, 4, true, &address);
	hv_bus_access(&b->bus, HV_PORT, HV_PCI_DATA + 2, 2, true, &control);
}

static void reset(struct bench *b)
{
	hv_pci_reset(&b->pci);
	for (unsigned int i = 0; i < CARDS; i++)
		hv_msix_reset(&b->card[i].msix);
}

static void step(struct bench *b, struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in);

	if (what < 0x60)
		access_config(b, in, what & 1);
	else if (what < 0xb0)
		access_bar(b, in, what & 1);
	else if (what < 0xc8)
		set_vector(b, in);
	else if (what < 0xe0)
		set_pending(&b->card[what % CARDS], fuzz_byte(in) % VECTORS, true);
	else if (what < 0xf0)
		damage(b, in);
	else if (what < 0xfe)
		replace(b);
	else
		reset(b);
}

/* What the devices have heard is how it is. */
static void look(const struct bench *b)
{
	for (unsigned int i = 0; i < CARDS; i++) {
		const struct card *card = &b->card[i];
		uint64_t base;

		for (unsigned int n = 0; n < HV_PCI_BARS; n++)
			require(hv_pci_bar_where(&card->device, n, &base) ? card->told[n] == base :
									    !card->told[n]);
		require(card->enabled == hv_msix_is_enabled(&card->msix));
		for (unsigned int n = 0; n < VECTORS; n++)
			require(!card->vector[n].on || card->enabled);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct fuzz_input in = { data, size };

	power_on(&bench);
	while (in.left) {
		step(&bench, &in);
		look(&bench);
	}
	for (unsigned int i = 0; i < CARDS; i++)
		hv_msix_exit(&bench.card[i].msix);
	hv_pci_exit(&bench.pci);
	look(&bench);
	require(!bench.bus.count[HV_PORT] && !bench.bus.count[HV_MMIO] && !bench.asserted);
	return 0;
}
