// SPDX-License-Identifier: GPL-2.0-only
/* Virtio over PCI, as a driver sees it: configuration space, ports, interrupts. */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "lib/lock.h"
#include "virtio/pci.h"
#include "virtio_echo.h"

#define SLOT	   3
#define PORTS	   0xc000
#define CONFIG_LEN 12

/* What the kernel would do with eventfds. */
struct kernel {
	int kick_fd[HV_VIRTIO_QUEUES];	/* 0: none */
	uint16_t port[HV_VIRTIO_QUEUES];
	struct message {
		int fd;
		uint64_t address;
		uint32_t data;
	} message[8];
	unsigned int moves;
};

struct bench {
	struct driver driver;		/* for its memory, and rings */
	struct echo *echo;
	struct hv_bus bus;
	struct hv_pci pci;
	struct hv_loop loop;
	pthread_mutex_t lock;
	struct hv_virtio_pci transport;
	struct kernel kernel;
	bool intx;
};

static void set_line(void *controller, unsigned int line, bool level)
{
	(void)line;
	((struct bench *)controller)->intx = level;
}

static int set_ioeventfd(void *ctx, bool on, int fd, uint16_t port)
{
	struct kernel *kernel = &((struct bench *)ctx)->kernel;
	unsigned int n = port % 0x80 / 4;

	if (!on) {
		assert_int_equal(kernel->kick_fd[n], fd);
		assert_int_equal(kernel->port[n], port);
	}
	kernel->port[n] = port;
	kernel->kick_fd[n] = on ? fd : 0;
	kernel->moves++;
	return 0;
}

static int set_irqfd(void *ctx, bool on, int fd, uint64_t address, uint32_t data)
{
	struct message *message = ((struct bench *)ctx)->kernel.message;
	unsigned int i = 0;

	while (message[i].fd != (on ? 0 : fd))
		i++;
	message[i] = on ? (struct message){ fd, address, data } : (struct message){ 0 };
	return 0;
}

static void destroy(struct hv_virtio *dev)
{
	hv_virtio_exit(dev);
	free(dev);
}

static void write_config(struct hv_virtio *dev, unsigned int offset, unsigned int width,
			 uint32_t value)
{
	if (offset == 8 && width == 4)
		memcpy(dev->config + offset, &value, width);
}

static struct hv_virtio *make_echo(struct bench *bench)
{
	static const uint8_t config[CONFIG_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	static struct hv_virtio_kind kind;
	struct hv_error err;

	kind = echo_kind;
	kind.class_code = 0x00ff00;
	kind.destroy = destroy;
	kind.write_config = write_config;
	bench->echo = calloc(1, sizeof(*bench->echo));
	assert_non_null(bench->echo);
	assert_int_equal(hv_virtio_init(&bench->echo->dev, &kind, &bench->driver.memory,
					HV_VIRTIO_F_RINGS, &err),
			 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(hv_virtio_add_queue(&bench->echo->dev, 128, &err), 0);
	hv_virtio_set_config(&bench->echo->dev, 0, config, sizeof(config));
	return &bench->echo->dev;
}

static struct bench *start(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct hv_pci_config pci = { .bus = &bench->bus };
	struct hv_virtio_pci_config config = {
		.pci = &bench->pci,
		.devfn = SLOT * 8,
		.loop = &bench->loop,
		.lock = &bench->lock,
		.ioeventfd = set_ioeventfd,
		.irqfd = set_irqfd,
		.ctx = bench,
	};
	struct hv_error err;

	assert_non_null(bench);
	driver_init(&bench->driver, false);
	pci.intx = (struct hv_irq){ .set = set_line, .controller = bench };
	hv_lock_init(&bench->lock);
	assert_int_equal(hv_loop_init(&bench->loop, &err), 0);
	assert_int_equal(hv_pci_init(&bench->pci, &pci), 0);
	pthread_mutex_lock(&bench->lock);
	assert_int_equal(hv_virtio_pci_create(&bench->transport, &config, make_echo(bench), &err),
			 0);
	assert_int_equal(hv_pci_assign(&bench->pci, PORTS, 0xffff, 0xc0000000, 0xe0000000), 0);
	bench->driver.dev = &bench->echo->dev;
	return bench;
}

static void finish(struct bench *bench)
{
	for (unsigned int n = 0; n < 2; n++)
		if (bench->driver.ring[n].call_fd > 0)
			close(bench->driver.ring[n].call_fd);
	hv_virtio_pci_destroy(&bench->transport);
	for (unsigned int n = 0; n < HV_VIRTIO_QUEUES; n++)
		assert_int_equal(bench->kernel.kick_fd[n], 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(bench->kernel.message[i].fd, 0);
	hv_pci_exit(&bench->pci);
	pthread_mutex_unlock(&bench->lock);
	hv_loop_exit(&bench->loop);
	hv_memory_exit(&bench->driver.memory);
	free(bench);
}

/* ----------------------------------------------------------------- accesses */

static uint32_t in(struct bench *bench, uint16_t port, unsigned int width)
{
	uint64_t value = 0;

	hv_bus_access(&bench->bus, HV_PORT, port, width, false, &value);
	return (uint32_t)value;
}

static void out(struct bench *bench, uint16_t port, unsigned int width, uint32_t value)
{
	uint64_t wide = value;

	hv_bus_access(&bench->bus, HV_PORT, port, width, true, &wide);
}

static uint32_t config_in(struct bench *bench, unsigned int offset, unsigned int width)
{
	out(bench, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
	return in(bench, (uint16_t)(0xcfc + offset % 4), width);
}

static void config_out(struct bench *bench, unsigned int offset, unsigned int width, uint32_t value)
{
	out(bench, 0xcf8, 4, 0x80000000u | SLOT << 11 | (offset & 0xfc));
	out(bench, (uint16_t)(0xcfc + offset % 4), width, value);
}

/* The capability of that kind; for virtio's own, of that type. 0: there is none. */
static unsigned int find(struct bench *bench, uint8_t id, uint8_t type)
{
	unsigned int at = config_in(bench, PCI_CAPABILITY_LIST, 1);

	while (at && (config_in(bench, at, 1) != id ||
		      (id == PCI_CAP_ID_VNDR && config_in(bench, at + 3, 1) != type)))
		at = config_in(bench, at + 1, 1);
	return at;
}

/* The port where what such a capability tells of begins. */
static uint16_t port_of(struct bench *bench, uint8_t type)
{
	unsigned int at = find(bench, PCI_CAP_ID_VNDR, type), bar;

	assert_int_not_equal(at, 0);
	bar = config_in(bench, PCI_BASE_ADDRESS_0 + 4 * config_in(bench, at + 4, 1), 4);
	assert_int_equal(bar & 1, 1);
	return (uint16_t)((bar & ~3u) + config_in(bench, at + 8, 4));
}

static uint16_t common(struct bench *bench, unsigned int reg)
{
	return (uint16_t)(port_of(bench, VIRTIO_PCI_CAP_COMMON_CFG) + reg);
}

static uint8_t status(struct bench *bench)
{
	return (uint8_t)in(bench, common(bench, VIRTIO_PCI_COMMON_STATUS), 1);
}

static void set_status(struct bench *bench, uint8_t value)
{
	out(bench, common(bench, VIRTIO_PCI_COMMON_STATUS), 1, value);
}

static void set_queue(struct bench *bench, unsigned int n, uint16_t vector)
{
	const struct hv_vqueue_setup *setup = &bench->driver.ring[n].setup;
	uint64_t area[3];

	driver_setup_ring(&bench->driver, n);
	memcpy(area, &setup->desc, sizeof(area));
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SELECT), 2, n);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2), 128);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2, setup->size);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_MSIX), 2, vector);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_MSIX), 2), vector);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t address = area[i];

		out(bench, common(bench, VIRTIO_PCI_COMMON_Q_DESCLO + 8 * i), 4, (uint32_t)address);
		out(bench, common(bench, VIRTIO_PCI_COMMON_Q_DESCHI + 8 * i), 4,
		    (uint32_t)(address >> 32));
	}
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_ENABLE), 2, 1);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_ENABLE), 2), 1);
	/* It is settled. */
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2, 16);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2), setup->size);
}

/* From the reset to DRIVER_OK, as "Device Initialization" has it; vectors 1 and 2. */
static void initialize(struct bench *bench, bool msix)
{
	set_status(bench, 0);
	assert_int_equal(status(bench), 0);
	set_status(bench, HV_VIRTIO_ACKNOWLEDGE);
	set_status(bench, HV_VIRTIO_ACKNOWLEDGE | HV_VIRTIO_DRIVER);
	out(bench, common(bench, VIRTIO_PCI_COMMON_GFSELECT), 4, 1);
	out(bench, common(bench, VIRTIO_PCI_COMMON_GF), 4, 1);
	set_status(bench, 0xb);
	assert_int_equal(status(bench), 0xb);
	out(bench, common(bench, VIRTIO_PCI_COMMON_MSIX), 2, msix ? 0 : VIRTIO_MSI_NO_VECTOR);
	for (unsigned int n = 0; n < 2; n++)
		set_queue(bench, n, msix ? (uint16_t)(n + 1) : VIRTIO_MSI_NO_VECTOR);
	set_status(bench, 0xf);
	hv_worker_run(&bench->driver.dev->worker, driver_nothing, NULL);
}

static void add(struct bench *bench)
{
	driver_add(&bench->driver, 1, (struct buffer[]){ { HV_MIB, 4, true } }, 1);
}

static void wait_used(struct bench *bench)
{
	uint32_t len;

	for (unsigned int ms = 0; ms < DRIVER_WAIT_MS; ms++) {
		if (driver_take(&bench->driver, 1, &len))
			return;
		usleep(1000);
	}
	fail_msg("nothing was used");
}

/* Let the machine's loop turn until INTx is up, or once. */
static void turn(struct bench *bench)
{
	struct hv_virtio_intx *intx = bench->transport.intx;
	struct pollfd fds[] = { { intx[0].watch.fd, POLLIN, 0 }, { intx[1].watch.fd, POLLIN, 0 } };

	assert_true(poll(fds, 2, DRIVER_WAIT_MS) > 0);
	pthread_mutex_unlock(&bench->lock);
	for (unsigned int i = 0; i < 2; i++)
		if (fds[i].revents)
			intx[i].watch.ready(intx[i].watch.ctx, POLLIN);
	pthread_mutex_lock(&bench->lock);
}

/* -------------------------------------------------------------------- tests */

static void test_identity(void **state)
{
	struct bench *bench = start();

	(void)state;
	assert_int_equal(config_in(bench, PCI_VENDOR_ID, 4), 0x1af4 | (0x1040 + ECHO_ID) << 16);
	assert_int_equal(config_in(bench, PCI_CLASS_REVISION, 4), 0x00ff0001);
	for (uint8_t type = VIRTIO_PCI_CAP_COMMON_CFG; type <= VIRTIO_PCI_CAP_PCI_CFG; type++)
		assert_int_not_equal(find(bench, PCI_CAP_ID_VNDR, type), 0);
	assert_int_not_equal(find(bench, PCI_CAP_ID_MSIX, 0), 0);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_NUMQ), 2), 2);
	finish(bench);
}

static void test_features(void **state)
{
	struct bench *bench = start();
	uint64_t features = 0;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		out(bench, common(bench, VIRTIO_PCI_COMMON_DFSELECT), 4, i);
		features |= (uint64_t)in(bench, common(bench, VIRTIO_PCI_COMMON_DF), 4) << 32 * i;
	}
	assert_int_equal(features, HV_VIRTIO_F_RINGS);
	out(bench, common(bench, VIRTIO_PCI_COMMON_DFSELECT), 4, 2);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_DF), 4), 0);
	/* Not of their natural width: lost. */
	out(bench, common(bench, VIRTIO_PCI_COMMON_GFSELECT), 1, 1);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_GFSELECT), 4), 0);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SELECT), 4, 1);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_SELECT), 2), 0);
	/* Reads are bytes of a register each. */
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 1), 128);
	finish(bench);
}

static void test_no_queue(void **state)
{
	struct bench *bench = start();

	(void)state;
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SELECT), 2, 2);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2), 0);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2, 16);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_DESCLO), 4, 16);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_ENABLE), 2, 1);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_RESET), 2, 1);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_ENABLE), 2), 0);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_DESCLO), 4), 0);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SELECT), 2, 0xffff);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_MSIX), 2), 0xffff);
	finish(bench);
}

/* Kicks that the kernel does not take come to us; where it takes them is where the BAR is. */
static void test_kicks(void **state)
{
	struct bench *bench = start();
	uint16_t port = port_of(bench, VIRTIO_PCI_CAP_NOTIFY_CFG);

	(void)state;
	assert_int_equal(bench->kernel.port[0], port);
	assert_int_equal(bench->kernel.kick_fd[1], bench->driver.dev->queue[1].ring.kick_fd);
	initialize(bench, false);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_NOFF), 2), 1);
	add(bench);
	out(bench, (uint16_t)(port + 4), 2, 1);
	wait_used(bench);
	/* No queue's, and what is between them. */
	out(bench, (uint16_t)(port + 8), 2, 2);
	out(bench, (uint16_t)(port + 6), 2, 1);
	finish(bench);
}

static void test_moved(void **state)
{
	struct bench *bench = start();
	unsigned int moves = bench->kernel.moves;

	(void)state;
	config_out(bench, PCI_BASE_ADDRESS_0, 4, 0xd000);
	assert_int_equal(bench->kernel.port[0], 0xd080);
	assert_int_equal(bench->kernel.moves, moves + 4);
	/* Another BAR's business. */
	config_out(bench, PCI_BASE_ADDRESS_4, 4, 0xc8000000);
	assert_int_equal(bench->kernel.moves, moves + 4);
	config_out(bench, PCI_COMMAND, 2, 0);
	assert_int_equal(bench->kernel.kick_fd[0], 0);
	config_out(bench, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_int_equal(bench->kernel.port[0], 0xd080);
	initialize(bench, false);
	add(bench);
	out(bench, 0xd084, 2, 1);
	wait_used(bench);
	finish(bench);
}

static void test_intx(void **state)
{
	struct bench *bench = start();

	(void)state;
	initialize(bench, false);
	add(bench);
	driver_kick(&bench->driver, 1);
	turn(bench);
	assert_true(bench->intx);
	assert_int_equal(in(bench, port_of(bench, VIRTIO_PCI_CAP_ISR_CFG), 1), 1);
	assert_false(bench->intx);
	assert_int_equal(in(bench, port_of(bench, VIRTIO_PCI_CAP_ISR_CFG), 1), 0);
	/* A change of the configuration is another bit. */
	hv_virtio_set_config(bench->driver.dev, 0, "x", 1);
	turn(bench);
	assert_int_equal(in(bench, port_of(bench, VIRTIO_PCI_CAP_ISR_CFG), 1), 2);
	finish(bench);
}

/* Vector n: address FEE00000h, data 40h + n. */
static void enable_msix(struct bench *bench)
{
	unsigned int at = find(bench, PCI_CAP_ID_MSIX, 0);
	uint64_t table = config_in(bench, PCI_BASE_ADDRESS_4, 4) & ~0xfu;

	assert_int_equal(config_in(bench, at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE, 2);
	for (unsigned int i = 0; i < 3; i++) {
		const uint32_t entry[] = { 0xfee00000, 0, 0x40 + i, 0 };

		for (unsigned int word = 0; word < 4; word++) {
			uint64_t value = entry[word];

			hv_bus_access(&bench->bus, HV_MMIO, table + 16 * i + 4 * word, 4, true,
				      &value);
		}
	}
	config_out(bench, at + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

/* How often the eventfd that the kernel has for this message was signalled. */
static uint64_t signalled(const struct bench *bench, uint32_t data)
{
	for (unsigned int i = 0; i < 8; i++) {
		const struct message *message = &bench->kernel.message[i];
		uint64_t count = 0;

		if (message->fd && message->data == data)
			return read(message->fd, &count, sizeof(count)) < 0 ? 0 : count;
	}
	fail_msg("nobody sends 0x%x", data);
	return 0;
}

static void test_msix(void **state)
{
	struct bench *bench = start();

	(void)state;
	enable_msix(bench);
	initialize(bench, true);
	add(bench);
	driver_kick(&bench->driver, 1);
	wait_used(bench);
	hv_worker_run(&bench->driver.dev->worker, driver_nothing, NULL);
	assert_int_equal(signalled(bench, 0x42), 1);
	assert_int_equal(signalled(bench, 0x41), 0);
	hv_virtio_set_config(bench->driver.dev, 0, "x", 1);
	assert_int_equal(signalled(bench, 0x40), 1);
	assert_false(bench->intx);
	/* A vector that there is not. */
	out(bench, common(bench, VIRTIO_PCI_COMMON_MSIX), 2, 3);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_MSIX), 2), 0xffff);
	hv_virtio_set_config(bench->driver.dev, 0, "y", 1);
	assert_int_equal(signalled(bench, 0x40), 0);
	finish(bench);
}

static void test_config(void **state)
{
	struct bench *bench = start();
	uint16_t port = port_of(bench, VIRTIO_PCI_CAP_DEVICE_CFG);
	uint8_t generation = (uint8_t)in(bench, common(bench, VIRTIO_PCI_COMMON_CFGGENERATION), 1);

	(void)state;
	assert_int_equal(in(bench, port, 4), 0x04030201);
	assert_int_equal(in(bench, (uint16_t)(port + 7), 1), 8);
	out(bench, port, 4, 0);
	assert_int_equal(in(bench, port, 4), 0x04030201);
	out(bench, (uint16_t)(port + 8), 4, 0x12345678);
	assert_int_equal(in(bench, (uint16_t)(port + 8), 4), 0x12345678);
	/* Behind its end, in the same BAR. */
	assert_int_equal(in(bench, (uint16_t)(port + 12), 4), 0);
	hv_virtio_set_config(bench->driver.dev, 0, "x", 1);
	assert_int_not_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_CFGGENERATION), 1),
			     generation);
	finish(bench);
}

static void set_window(struct bench *bench, uint8_t bar, uint32_t offset, uint32_t width)
{
	unsigned int at = find(bench, PCI_CAP_ID_VNDR, VIRTIO_PCI_CAP_PCI_CFG);

	config_out(bench, at + 4, 1, bar);
	config_out(bench, at + 8, 4, offset);
	config_out(bench, at + 12, 4, width);
}

static void test_window(void **state)
{
	struct bench *bench = start();
	unsigned int data = find(bench, PCI_CAP_ID_VNDR, VIRTIO_PCI_CAP_PCI_CFG) + 16;

	(void)state;
	set_window(bench, 0, VIRTIO_PCI_COMMON_STATUS, 1);
	config_out(bench, data, 1, HV_VIRTIO_ACKNOWLEDGE);
	assert_int_equal(status(bench), HV_VIRTIO_ACKNOWLEDGE);
	set_window(bench, 0, VIRTIO_PCI_COMMON_NUMQ, 2);
	assert_int_equal(config_in(bench, data, 2), 2);
	set_window(bench, 1, 4, 4);
	assert_int_equal(config_in(bench, data, 4), 0x08070605);
	/* What there is not. */
	set_window(bench, 1, 0xfffffffc, 4);
	config_out(bench, data, 4, 1);
	set_window(bench, 5, 0, 4);
	config_out(bench, data, 4, 1);
	set_window(bench, 0, 1, 4);
	config_out(bench, data, 4, 1);
	set_window(bench, 0, 0, 3);
	config_out(bench, data, 4, 1);
	set_window(bench, 0, 0, 0);
	config_out(bench, data, 4, 1);
	assert_int_equal(status(bench), HV_VIRTIO_ACKNOWLEDGE);
	finish(bench);
}

/* A kick by the window while the BAR is nowhere takes nobody's port. */
static void test_window_nowhere(void **state)
{
	struct bench *bench = start();
	unsigned int data = find(bench, PCI_CAP_ID_VNDR, VIRTIO_PCI_CAP_PCI_CFG) + 16, moves;

	(void)state;
	set_window(bench, 0, 0x80, 2);
	config_out(bench, PCI_COMMAND, 2, 0);
	moves = bench->kernel.moves;
	config_out(bench, data, 2, 0);
	assert_int_equal(bench->kernel.moves, moves);
	assert_true(hv_take_event(hv_virtio_ring(&bench->echo->dev, 0)->kick_fd));
	finish(bench);
}

/* All that the driver has said is gone; also when the machine is reset. */
static void check_reset(struct bench *bench)
{
	assert_int_equal(status(bench), 0);
	out(bench, common(bench, VIRTIO_PCI_COMMON_Q_SELECT), 2, 1);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_ENABLE), 2), 0);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_SIZE), 2), 128);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_MSIX), 2), 0xffff);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_Q_DESCLO), 4), 0);
	assert_int_equal(in(bench, common(bench, VIRTIO_PCI_COMMON_GF), 4), 0);
}

static void test_reset(void **state)
{
	struct bench *bench = start();

	(void)state;
	initialize(bench, false);
	add(bench);
	driver_kick(&bench->driver, 1);
	turn(bench);
	set_status(bench, 0);
	for (unsigned int ms = 0; status(bench) && ms < DRIVER_WAIT_MS; ms++)
		usleep(1000);
	assert_false(bench->intx);
	check_reset(bench);
	enable_msix(bench);
	initialize(bench, true);
	hv_virtio_reset(bench->transport.dev);
	hv_virtio_pci_reset(&bench->transport);
	check_reset(bench);
	assert_int_equal(config_in(bench, find(bench, PCI_CAP_ID_MSIX, 0) + 2, 2) >> 14, 0);
	finish(bench);
}

/* A ring that the driver has broken: the device says so, and interrupts for it. */
static void test_needs_reset(void **state)
{
	struct bench *bench = start();

	(void)state;
	initialize(bench, false);
	driver_add(&bench->driver, 1, (struct buffer[]){ { DRIVER_MEMORY, 4, true } }, 1);
	driver_kick(&bench->driver, 1);
	turn(bench);
	assert_int_equal(in(bench, port_of(bench, VIRTIO_PCI_CAP_ISR_CFG), 1) & 2, 2);
	assert_int_equal(status(bench), 0xf | HV_VIRTIO_NEEDS_RESET);
	set_status(bench, 0);
	for (unsigned int ms = 0; status(bench) && ms < DRIVER_WAIT_MS; ms++)
		usleep(1000);
	initialize(bench, false);
	add(bench);
	driver_kick(&bench->driver, 1);
	wait_used(bench);
	finish(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),    cmocka_unit_test(test_features),
		cmocka_unit_test(test_no_queue),    cmocka_unit_test(test_kicks),
		cmocka_unit_test(test_moved),       cmocka_unit_test(test_intx),
		cmocka_unit_test(test_msix),        cmocka_unit_test(test_config),
		cmocka_unit_test(test_window),      cmocka_unit_test(test_reset),
		cmocka_unit_test(test_needs_reset), cmocka_unit_test(test_window_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
