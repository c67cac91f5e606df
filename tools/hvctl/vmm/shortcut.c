// SPDX-License-Identifier: GPL-2.0-only
/* The serial ports' shortcut through the module. */
#include "serial.h"
#include "shortcut.h"

#define THR 0
#define LSR 5

static void set_ports(struct tinyvmx_shortcut *shortcut, uint16_t out, uint16_t in)
{
	__atomic_store_n(&shortcut->out_port, out, __ATOMIC_RELAXED);
	__atomic_store_n(&shortcut->in_port, in, __ATOMIC_RELAXED);
}

void hv_shortcut_close(struct hv_vcpu *vcpu)
{
	struct tinyvmx_shortcut *shortcut = &vcpu->run->shortcut;
	uint16_t port = shortcut->out_port;

	if (!port)
		return;
	set_ports(shortcut, 0, 0);
	for (uint32_t i = 0; i < shortcut->queued && i < TINYVMX_SHORTCUT_BYTES; i++) {
		uint64_t value = shortcut->queue[i];

		hv_bus_access(&vcpu->machine->bus, HV_PORT, port, 1, true, &value);
	}
	shortcut->queued = 0;
}

static const struct hv_uart16550 *find_uart(const struct hv_machine *machine, uint16_t thr)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++) {
		const struct hv_serial *port = &machine->serial[i];

		if (port->choice.kind != HV_SERIAL_NONE && port->uart.config.base + THR == thr)
			return &port->uart;
	}
	return NULL;
}

void hv_shortcut_open(struct hv_vcpu *vcpu)
{
	struct tinyvmx_shortcut *shortcut = &vcpu->run->shortcut;
	const struct tinyvmx_exit_io *io = &vcpu->run->io;
	const struct hv_uart16550 *uart = find_uart(vcpu->machine, io->port);

	/* Bytes of two vCPUs would get out of order. */
	if (!uart || io->flags & TINYVMX_IO_IN || vcpu->machine->nr_vcpus > 1)
		return;
	shortcut->in_value = hv_uart16550_steady_lsr(uart);
	if (shortcut->in_value)
		set_ports(shortcut, io->port, uart->config.base + LSR);
}

void hv_shortcut_no_input(struct hv_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (machine->vcpus[i].run)
			__atomic_store_n(&machine->vcpus[i].run->shortcut.in_port, 0,
					 __ATOMIC_RELAXED);
}

void hv_shortcut_hurry(struct hv_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct hv_vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->run && hv_vcpu_current() != vcpu &&
		    __atomic_load_n(&vcpu->run->shortcut.out_port, __ATOMIC_RELAXED))
			hv_vcpu_kick(vcpu);
	}
}
