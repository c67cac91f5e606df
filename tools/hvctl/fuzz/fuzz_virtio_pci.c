// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest against the transport of virtio devices: configuration space, registers, the window to
 * them, MSI-X and BARs that move, with a balloon behind it, which has many queues and something to
 * configure. What the kernel would be told of kicks and interrupts must always fit together.
 */
#include <errno.h>

#include "fuzz_virtio.h"
#include "lib/util.h"
#include "virtio/balloon.h"
#include "virtio/pci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOT	 5
#define PORTS	 0xc000
#define REGISTER 0	/* BARs */
#define MSIX	 4
#define ROUTES	 16

struct bench {
	struct hv_bus bus;
	struct hv_pci pci;
	struct hv_loop loop;
	pthread_mutex_t lock;
	struct hv_virtio_pci transport;
	int kick_fd[0x10000];		/* by port; 0: none */
	unsigned int kicks;
	int routed[ROUTES];		/* eventfds that interrupt */
	unsigned int lines;
};

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* ------------------------------------------------------------- the kernel's */

static int set_ioeventfd(void *ctx, bool on, int fd, uint16_t port)
{
	struct bench *b = ctx;

	if (on && b->kick_fd[port])
		return -EEXIST;
	/* Others' are not taken away. */
	if (!on && b->kick_fd[port] != fd)
		return -ENOENT;
	b->kick_fd[port] = on ? fd : 0;
	b->kicks += on ? 1 : -1u;
	return 0;
}

static int set_irqfd(void *ctx, bool on, int fd, uint64_t address, uint32_t data)
{
	struct bench *b = ctx;
	unsigned int i = 0;

	(void)data;
	if (on && address >> 20 != 0xfee)
		return -EINVAL;
	while (i < ROUTES && b->routed[i] != (on ? 0 : fd))
		i++;
	/* Only what is on is turned off. */
	require(i < ROUTES);
	b->routed[i] = on ? fd : 0;
	return 0;
}

static void set_line(void *ctx, unsigned int line, bool level)
{
	(void)line;
	((struct bench *)ctx)->lines = level;
}

/* ---------------------------------------------------------------- power on */

static void power_on(struct bench *b, struct hv_memory *memory)
{
	const struct hv_virtio_env env = { .memory = memory };
	const struct hv_pci_config pci = { .bus = &b->bus, .intx = { set_line, b, 0 } };
	const struct hv_virtio_pci_config config = {
		.pci = &b->pci,
		.devfn = SLOT * 8,
		.loop = &b->loop,
		.lock = &b->lock,
		.ioeventfd = set_ioeventfd,
		.irqfd = set_irqfd,
		.ctx = b,
	};
	struct hv_error err;
	struct hv_virtio *dev = hv_virtio_balloon_create(&env, NULL, &err);

	require(dev && !hv_pci_init(&b->pci, &pci));
	dev->worker.loop.clock.now_ns = fuzz_now;
	require(!hv_virtio_pci_create(&b->transport, &config, dev, &err));
	/* Its work is done between two steps of the guest's. */
	hv_worker_stop(&dev->worker);
	require(!hv_pci_assign(&b->pci, PORTS, 0x10000, 0xe0000000, 0xf0000000));
}

static void power_off(struct bench *b)
{
	hv_virtio_pci_destroy(&b->transport);
	hv_pci_exit(&b->pci);
	require(!b->bus.count[HV_PORT] && !b->bus.count[HV_MMIO] && !b->kicks && !b->lines);
	for (unsigned int i = 0; i < ROUTES; i++)
		require(!b->routed[i]);
}

/* --------------------------------------------------------------- the guest's */

/* In a BAR, if it is anywhere. */
static void access_bar(struct bench *b, unsigned int bar, uint64_t offset, unsigned int width,
		       bool write, uint64_t value)
{
	struct hv_pci_device *device = &b->transport.device;
	uint64_t base;

	if (hv_pci_bar_where(device, bar, &base))
		hv_bus_access(&b->bus, device->bar[bar].region.space, base + offset, width, write,
			      &value);
}

static void access_any(struct bench *b, struct fuzz_input *in, bool write)
{
	unsigned int bar = fuzz_byte(in) % HV_PCI_BARS, offset = fuzz_half(in) & 0xfff;
	unsigned int width = 1u << fuzz_byte(in) % (bar == MSIX ? 4 : 3);

	if (bar != MSIX)
		offset &= 0xff;
	access_bar(b, bar, offset, width, write, write ? fuzz_take(in, width) : 0);
}

/* A register of the common ones, as it should be written. */
static void write_register(struct bench *b, struct fuzz_input *in)
{
	static const struct {
		uint8_t offset, width;
	} regs[] = { { 0x00, 4 }, { 0x08, 4 }, { 0x0c, 4 }, { 0x10, 2 }, { 0x14, 1 }, { 0x16, 2 },
		     { 0x18, 2 }, { 0x1a, 2 }, { 0x1c, 2 }, { 0x20, 4 }, { 0x24, 4 }, { 0x28, 4 },
		     { 0x2c, 4 }, { 0x30, 4 }, { 0x34, 4 }, { 0x3a, 2 } };
	unsigned int n = fuzz_byte(in) % ARRAY_SIZE(regs);

	access_bar(b, REGISTER, regs[n].offset, regs[n].width, true, fuzz_take(in, regs[n].width));
}

static void access_config(struct bench *b, struct fuzz_input *in, bool write)
{
	unsigned int reg = fuzz_byte(in), width = 1u << fuzz_byte(in) % 3;
	uint64_t address = 0x80000000u | SLOT << 11 | (reg & 0xfc);
	uint64_t value = write ? fuzz_take(in, width) : 0;

	hv_bus_access(&b->bus, HV_PORT, HV_PCI_ADDRESS, 4, true, &address);
	hv_bus_access(&b->bus, HV_PORT, HV_PCI_DATA + (reg & 3), width, write, &value);
}

/* A vector that interrupts, and who uses it. */
static void set_vector(struct bench *b, struct fuzz_input *in)
{
	struct hv_pci_device *device = &b->transport.device;
	unsigned int n = fuzz_byte(in) % b->transport.vectors, control = fuzz_byte(in);

	access_bar(b, MSIX, 16 * n, 8, true, 0xfee00000);
	access_bar(b, MSIX, 16 * n + 8, 8, true, (uint64_t)(control & 1) << 32 | control);
	hv_pci_config_set(device, b->transport.msix.capability + 2, 2,
			  (control & 6) << 13 | (b->transport.vectors - 1));
	hv_msix_written(&b->transport.msix, b->transport.msix.capability + 2, 2);
	access_bar(b, REGISTER, 0x16, 2, true, n);
	access_bar(b, REGISTER, 0x1a, 2, true, n);
}

/* What the machine's loop would do. */
static void take_interrupts(struct bench *b)
{
	for (unsigned int i = 0; i < HV_VIRTIO_INTX; i++)
		b->transport.intx[i].watch.ready(b->transport.intx[i].watch.ctx, POLLIN);
}

static void step(struct bench *b, struct hv_memory *memory, struct fuzz_input *in)
{
	struct hv_virtio *dev = b->transport.dev;
	uint8_t what = fuzz_byte(in);

	if (what < 0x30)
		access_any(b, in, what & 1);
	else if (what < 0x58)
		write_register(b, in);
	else if (what < 0x90)
		access_config(b, in, what & 1);
	else if (what < 0xa0)
		set_vector(b, in);
	else if (what < 0xe0)
		fuzz_step(dev, memory, in);
	else if (what < 0xf8)
		take_interrupts(b);
	else if (what < 0xfc)
		hv_balloon_set(dev, fuzz_word(in));
	else
		hv_virtio_pci_reset(&b->transport);
}

/* Kicks are where the ports are, all of them. */
static void look(const struct bench *b)
{
	const struct hv_virtio_pci *t = &b->transport;
	uint64_t base;

	if (!hv_pci_bar_where(&t->device, REGISTER, &base)) {
		require(!b->kicks);
		return;
	}
	require(b->kicks == t->dev->nr_queues);
	for (unsigned int n = 0; n < t->dev->nr_queues; n++)
		require(b->kick_fd[base + 0x80 + 4 * n] == t->dev->queue[n].ring.kick_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bench b;
	struct hv_memory *memory = fuzz_memory();
	struct fuzz_input in = { data, size };
	struct hv_error err;

	memset(&b, 0, sizeof(b));
	pthread_mutex_init(&b.lock, NULL);
	require(!hv_loop_init(&b.loop, &err));
	power_on(&b, memory);
	if (fuzz_byte(&in) & 1)
		fuzz_start(b.transport.dev);
	for (unsigned int i = 0; in.left && i < FUZZ_STEPS; i++) {
		step(&b, memory, &in);
		fuzz_do_jobs(b.transport.dev);
		hv_clock_run(&b.transport.dev->worker.loop.clock);
		look(&b);
	}
	power_off(&b);
	hv_loop_exit(&b.loop);
	return 0;
}
