// SPDX-License-Identifier: GPL-2.0-only
/* The shortcut through the module, of the serial ports and of ELCR. */
#include "lib/lock.h"
#include "machine_pc.h"
#include "serial.h"
#include "shortcut.h"

#define THR 0
#define LSR 5
#define ELCR 0x4d0 /* and 4D1H */

static void set_ports(struct tinyvmx_shortcut *shortcut, uint16_t out, uint16_t in)
{
	__atomic_store_n(&shortcut->out_port, out, __ATOMIC_RELAXED);
	__atomic_store_n(&shortcut->in_port, in, __ATOMIC_RELAXED);
}

void hv_shortcut_close(struct hv_vcpu *vcpu)
{
	struct tinyvmx_shortcut *shortcut = &vcpu->run->shortcut;
	uint16_t port = shortcut->out_port;

	hv_lock_assert_held(&vcpu->machine->lock);
	if (!port && !shortcut->in_port)
		return;
	set_ports(shortcut, 0, 0);
	if (!port)
		return;
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

		if (port->end.choice.kind != HV_SERIAL_NONE && port->uart.config.base + THR == thr)
			return &port->uart;
	}
	return NULL;
}

/*
 * Nobody but the guest changes ELCR, so what it has read stays. While no input wants anything, what
 * it writes can wait for the next exit: who raises one meanwhile is so far the first.
 */
static void open_elcr(struct hv_vcpu *vcpu)
{
	const struct tinyvmx_exit_io *io = &vcpu->run->io;

	if (io->width != 1 || !vcpu->machine->pc)
		return;
	if (io->flags & TINYVMX_IO_IN) {
		vcpu->run->shortcut.in_value = io->data;
		set_ports(&vcpu->run->shortcut, 0, io->port);
	} else if (hv_i8259_idle(&vcpu->machine->pc->board.pic)) {
		set_ports(&vcpu->run->shortcut, io->port, 0);
	}
}

void hv_shortcut_open(struct hv_vcpu *vcpu)
{
	struct tinyvmx_shortcut *shortcut = &vcpu->run->shortcut;
	const struct tinyvmx_exit_io *io = &vcpu->run->io;
	const struct hv_uart16550 *uart = find_uart(vcpu->machine, io->port);

	hv_lock_assert_held(&vcpu->machine->lock);
	/* Bytes of two vCPUs would get out of order. */
	if (vcpu->machine->nr_vcpus > 1)
		return;
	if ((io->port & ~1) == ELCR)
		open_elcr(vcpu);
	if (!uart || io->flags & TINYVMX_IO_IN)
		return;
	shortcut->in_value = hv_uart16550_steady_lsr(uart);
	if (shortcut->in_value)
		set_ports(shortcut, io->port, uart->config.base + LSR);
}

void hv_shortcut_no_input(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->lock);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (machine->vcpus[i].run)
			__atomic_store_n(&machine->vcpus[i].run->shortcut.in_port, 0,
					 __ATOMIC_RELAXED);
}

void hv_shortcut_hurry(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->lock);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct hv_vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->run && hv_vcpu_current() != vcpu &&
		    __atomic_load_n(&vcpu->run->shortcut.out_port, __ATOMIC_RELAXED))
			hv_vcpu_kick(vcpu);
	}
}
