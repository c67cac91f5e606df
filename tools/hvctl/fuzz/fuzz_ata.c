// SPDX-License-Identifier: GPL-2.0-only
/* A hostile guest against an IDE controller: any access, any table, resets, states gone bad. */
#include <stdlib.h>
#include <string.h>

#include "dev/piix_ide.h"
#include "fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RAM HV_MIB
#define BUS_MASTER 0xc000
#define DISK (300 * 512)

struct medium {
	struct hv_medium m;
	struct hv_medium_io *io;
};

struct bench {
	struct hv_bus bus;
	struct hv_pci pci;
	struct hv_memory memory;
	struct hv_piix_ide ide;
	struct medium medium[HV_PIIX_IDE_DRIVES];
};

static void submit(struct hv_medium *m, struct hv_medium_io *io)
{
	struct medium *medium = (struct medium *)m;

	if (medium->io || io->len % 512 || io->offset % 512 || io->len > HV_ATA_DMA_MAX)
		abort();
	if (io->op != HV_MEDIUM_FLUSH &&
	    (!io->len || io->offset > m->size || io->len > m->size - io->offset))
		abort();
	if (io->op == HV_MEDIUM_WRITE && m->read_only)
		abort();
	/* All of it must be the drive's own. */
	if (io->op != HV_MEDIUM_FLUSH)
		memset(io->data, 0x5a, io->len);
	medium->io = io;
}

static void answer(struct medium *medium, int result)
{
	struct hv_medium_io *io = medium->io;

	medium->io = NULL;
	if (io)
		io->done(io, result);
}

static void power_on(struct bench *b)
{
	const struct hv_pci_config pci = { .bus = &b->bus };
	const struct hv_piix_ide_config config = {
		.bus = &b->bus,
		.pci = &b->pci,
		.memory = &b->memory,
		.bus_master = BUS_MASTER,
	};
	struct hv_error err;

	memset(b, 0, sizeof(*b));
	if (hv_memory_init(&b->memory, RAM, &err) || hv_pci_init(&b->pci, &pci) ||
	    hv_piix_ide_init(&b->ide, &config))
		abort();
	for (unsigned int i = 0; i < HV_PIIX_IDE_DRIVES - 1; i++) {
		b->medium[i].m = (struct hv_medium){
			.size = DISK,
			.block = 512,
			.read_only = i > 0,
			.serial = "",
			.submit = submit,
		};
		if (hv_piix_ide_add(&b->ide, i, i == 2 ? &hv_ata_cdrom : &hv_ata_disk,
				    &b->medium[i].m))
			abort();
	}
}

static void access_port(struct bench *b, struct fuzz_input *in, bool write)
{
	static const uint16_t bases[] = { 0x1f0, 0x170, BUS_MASTER, 0x3f6, 0x376, 0xcf8, 0xcfc };
	unsigned int which = fuzz_byte(in), width = 1u << (which >> 6) % 3;
	uint64_t port = bases[which % 7] + fuzz_take(in, 1) % 16;
	uint64_t value = write ? fuzz_take(in, width) : 0;

	hv_bus_access(&b->bus, HV_PORT, port, width, write, &value);
}

/* A whole command, so that not all of it has to be guessed. */
static void command(struct bench *b, struct fuzz_input *in)
{
	uint16_t base = fuzz_take(in, 1) & 1 ? 0x170 : 0x1f0;
	uint64_t value;

	for (uint16_t reg = 1; reg < 8; reg++) {
		value = fuzz_take(in, 1);
		hv_bus_access(&b->bus, HV_PORT, base + reg, 1, true, &value);
	}
}

/* The data port, over and over. */
static void string(struct bench *b, struct fuzz_input *in)
{
	uint8_t how = fuzz_byte(in);
	unsigned int count = fuzz_half(in) % 1200;
	uint64_t value = fuzz_take(in, 2);

	while (count--)
		hv_bus_access(&b->bus, HV_PORT, how & 1 ? 0x170 : 0x1f0, how & 2 ? 4 : 2, how & 4,
			      &value);
}

static void write_ram(struct bench *b, struct fuzz_input *in)
{
	uint8_t entry[8];
	uint64_t at = fuzz_take(in, 3) & (RAM - 8);

	for (unsigned int i = 0; i < 8; i++)
		entry[i] = fuzz_byte(in);
	(void)hv_memory_write(&b->memory, at, entry, sizeof(entry));
}

static bool is_busy(const struct bench *b)
{
	return hv_piix_ide_is_busy(&b->ide);
}

/* A state with one byte damaged: refused, or it can be lived with. */
static void damage_state(struct bench *b, struct fuzz_input *in)
{
	static struct hv_piix_ide_state state, again;
	size_t at = fuzz_take(in, 3) % sizeof(state);
	uint8_t bits = fuzz_byte(in);

	if (is_busy(b))
		return;
	hv_piix_ide_save(&b->ide, &state);
	if (hv_piix_ide_load(&b->ide, &state))
		abort();
	hv_piix_ide_save(&b->ide, &again);
	if (memcmp(&state, &again, sizeof(state)))
		abort();
	((uint8_t *)&state)[at] ^= bits;
	(void)hv_piix_ide_load(&b->ide, &state);
}

static void step(struct bench *b, struct fuzz_input *in)
{
	uint8_t what = fuzz_byte(in);

	if (what < 0x60)
		access_port(b, in, what & 1);
	else if (what < 0x90)
		command(b, in);
	else if (what < 0xa8)
		string(b, in);
	else if (what < 0xc0)
		write_ram(b, in);
	else if (what < 0xf0)
		answer(&b->medium[what % 3], what & 8 && what & 4 ? -5 : 0);
	else if (what < 0xf8)
		damage_state(b, in);
	else if (what < 0xfc)
		hv_piix_ide_reset(&b->ide);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench bench;
	struct fuzz_input in = { data, size };

	power_on(&bench);
	while (in.left)
		step(&bench, &in);
	hv_piix_ide_exit(&bench.ide);
	hv_pci_exit(&bench.pci);
	hv_memory_exit(&bench.memory);
	if (bench.bus.count[HV_PORT])
		abort();
	return 0;
}
