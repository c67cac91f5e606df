// SPDX-License-Identifier: GPL-2.0-only
/* The PC in a VM: interrupts to the vCPU, tables for the guest, resets. */
#include <string.h>
#include <time.h>

#include "firmware/acpi.h"
#include "firmware/layout.h"
#include "lib/tvx.h"
#include "machine_pc.h"

#define IOAPIC_ID 1
/* BIOS data area: addresses of the ports; segment of the EBDA; equipment; KiB of low memory */
#define BDA_COM_PORTS 0x400
#define BDA_EBDA 0x40e
#define BDA_EQUIPMENT 0x410
#define BDA_LOW_MEMORY 0x413
/* Windows for PCI devices, clear of the board's own ports and addresses. */
#define PCI_PORT_FIRST 0xc000
#define PCI_PORT_LAST 0xffff
/* The host bridge is alone. */
#define PCI_SLOTS 1

/* -------------------------------------------------------------- interrupts */

/*
 * INTR of the 8259s. Whoever raises it from outside the vCPU's thread gets the vCPU
 * out of RUN; the flag is set before the kick, and read after immediate_exit was
 * taken back, so that one of the two is always seen.
 */
static void set_intr(void *ctx, unsigned int line, bool level)
{
	struct hv_machine *machine = ctx;
	struct hv_vcpu *vcpu = &machine->vcpu[0];

	(void)line;
	atomic_store(&machine->intr, level);
	if (level && hv_vcpu_current() != vcpu)
		hv_vcpu_kick(vcpu);
}

void hv_machine_pc_take_intr(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	struct tinyvmx_inject inject = { .type = TINYVMX_INJECT_EXTINT };
	int error;

	if (!machine->is_pc || !hv_i8259_pending(&machine->pc.pic))
		return;
	inject.vector = hv_i8259_ack(&machine->pc.pic);
	error = tvx_inject(vcpu->fd, &inject);
	if (error)
		hv_machine_end(machine, HV_END_ERROR, 0,
			       "cannot give the guest interrupt 0x%x of the 8259: %s",
			       inject.vector, strerror(-error));
}

/*
 * A line that stays up is delivered again behind each EOI. On hardware that takes
 * a moment, in which the guest gets on; here it would be stuck between two
 * interrupts. So when it does not calm down, the EOI itself comes late.
 */
#define STORM 100
#define STORM_DELAY_NS 100000

void hv_machine_pc_eoi(struct hv_machine *machine, uint8_t vector)
{
	if (!machine->is_pc)
		return;
	if (machine->redelivered >= STORM && !machine->late_eoi.armed) {
		machine->late_vector = vector;
		hv_timer_arm(&machine->clock, &machine->late_eoi,
			     hv_now_ns(&machine->clock) + STORM_DELAY_NS);
		return;
	}
	machine->delivered = false;
	hv_ioapic_eoi(&machine->pc.ioapic, vector);
	machine->redelivered = machine->delivered ? machine->redelivered + 1 : 0;
}

static void eoi_is_late(void *dev)
{
	struct hv_machine *machine = dev;

	machine->redelivered = 0;
	hv_machine_pc_eoi(machine, machine->late_vector);
}

/* A message to nobody, or of a kind that only real hardware has, is lost. */
static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	struct hv_machine *machine = ctx;
	uint64_t address = hv_ioapic_msi_address(message);
	uint32_t data = hv_ioapic_msi_data(message);
	int error = tvx_msi(machine->vm.fd, address, data);

	machine->delivered = true;
	if (error)
		hv_machine_say(machine, "I/O APIC: lost a message, address 0x%llx, data 0x%x: %s",
			       (unsigned long long)address, data, strerror(-error));
}

/* --------------------------------------------------------------- local APIC */

#define X2APIC_MSR 0x800

static int read_lapic(unsigned int reg, uint64_t *value)
{
	return tvx_get_msr(hv_vcpu_current()->fd, X2APIC_MSR + reg, value);
}

static int write_lapic(unsigned int reg, uint64_t value)
{
	return tvx_set_msr(hv_vcpu_current()->fd, X2APIC_MSR + reg, value);
}

static const struct hv_xapic_ops xapic_ops = { .read = read_lapic, .write = write_lapic };

int hv_machine_pc_wire_lapic(struct hv_vcpu *vcpu)
{
	/* SVR first: the others stay masked as long as it does not enable the APIC. */
	static const struct tinyvmx_msr msrs[] = {
		{ .index = X2APIC_MSR + 0x0f,
		  .value = 0x1ff }, /* SVR: enabled, spurious vector FFH */
		{ .index = X2APIC_MSR + 0x35, .value = 0x700 }, /* LINT0: ExtINT */
		{ .index = X2APIC_MSR + 0x36, .value = 0x400 }, /* LINT1: NMI */
	};

	return tvx_set_state(vcpu->fd, TINYVMX_STATE_MSRS, msrs, sizeof(msrs));
}

/* ------------------------------------------------------------------- chips */

static uint64_t wall_ns(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Inside an access to a chip: the vCPU's thread does it afterwards. */
static void want_reset(void *ctx)
{
	struct hv_machine *machine = ctx;

	atomic_store(&machine->reset_wanted, true);
}

static void power_off(void *ctx)
{
	hv_machine_end(ctx, HV_END_POWEROFF, 0, "%s", "");
}

int hv_machine_pc_init(struct hv_machine *machine)
{
	const struct hv_pc_config config = {
		.bus = &machine->bus,
		.clock = &machine->clock,
		.ram_below_4g = hv_memory_low_end(&machine->memory),
		.ram_above_4g = machine->memory.size - hv_memory_low_end(&machine->memory),
		.cpus = 1,
		.ioapic_id = IOAPIC_ID,
		.intr = { .set = set_intr, .controller = machine },
		.wall_ns = wall_ns,
		.deliver = deliver,
		.reset = want_reset,
		.power_off = power_off,
		.ctx = machine,
	};
	int error = hv_pc_init(&machine->pc, &config);

	machine->late_eoi = (struct hv_timer){ .fn = eoi_is_late, .dev = machine };
	return error ? error : hv_xapic_init(&machine->xapic, &machine->bus, &xapic_ops);
}

/* ------------------------------------------------------------------ tables */

static void put_word(const struct hv_memory *memory, uint64_t gpa, uint16_t value)
{
	memcpy(hv_memory_at(memory, gpa, 2), &value, 2);
}

/* The words of the BIOS data area that are still looked at. */
static void write_bda(const struct hv_memory *memory, unsigned int com_ports)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (com_ports & 1u << i)
			put_word(memory, BDA_COM_PORTS + 2 * count++, hv_pc_com[i].base);
	put_word(memory, BDA_EBDA, HV_LAYOUT_EBDA >> 4);
	put_word(memory, BDA_EQUIPMENT, count << 9);
	put_word(memory, BDA_LOW_MEMORY, HV_LAYOUT_EBDA / HV_KIB);
}

void hv_machine_pc_write_tables(const struct hv_machine *machine)
{
	const struct hv_acpi_config config = {
		.cpus = 1,
		.ioapic_id = IOAPIC_ID,
		.com_ports = hv_serial_present(machine),
		.pci_slots = PCI_SLOTS,
		.port_first = PCI_PORT_FIRST,
		.port_last = PCI_PORT_LAST,
		.mmio_first = HV_GAP_BEGIN,
		.mmio_last = HV_LAYOUT_CHIPS - 1,
	};
	const struct hv_memory *memory = &machine->memory;

	write_bda(memory, config.com_ports);
	hv_acpi_write(&config, hv_memory_at(memory, HV_ACPI_GPA, HV_ACPI_SIZE), HV_ACPI_SIZE,
		      HV_ACPI_GPA);
	hv_mptable_write(&config, hv_memory_at(memory, HV_MPTABLE_GPA, HV_MPTABLE_SIZE),
			 HV_MPTABLE_SIZE, HV_MPTABLE_GPA);
}

/* ------------------------------------------------------------------- reset */

/*
 * Some kernels reboot by a triple fault. One that dies early has them too, and after
 * each reset again: the second of them within this time is the end.
 */
#define SHUTDOWN_AGAIN_NS 10000000000ULL

bool hv_machine_pc_shutdown(struct hv_machine *machine)
{
	uint64_t now = hv_now_ns(&machine->clock);
	bool again = machine->has_shut_down && now - machine->shutdown_ns < SHUTDOWN_AGAIN_NS;

	if (!machine->is_pc)
		return false;
	machine->has_shut_down = true;
	machine->shutdown_ns = now;
	hv_serial_flush(machine);
	if ((again || machine->no_reboot) && !hv_serial_panic(machine))
		return false;
	hv_machine_say(machine, "triple fault");
	want_reset(machine);
	return true;
}

/* Chips, RAM, vCPU: as when the machine was turned on. */
static int reset(struct hv_vcpu *vcpu, struct hv_error *err)
{
	struct hv_machine *machine = vcpu->machine;
	struct hv_boot boot;
	int error;

	hv_serial_reset(machine);
	hv_pc_reset(&machine->pc);
	hv_timer_cancel(&machine->clock, &machine->late_eoi);
	machine->redelivered = 0;
	hv_memory_clear(&machine->memory);
	error = hv_vcpu_reset(vcpu, err);
	if (error)
		return error;
	machine->load(machine->load_ctx, &boot);
	return hv_vcpu_set_boot(vcpu, &boot, err);
}

void hv_machine_pc_reset(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	const char *panic;
	struct hv_error err;

	atomic_store(&machine->reset_wanted, false);
	pthread_mutex_lock(&machine->lock);
	hv_serial_flush(machine);
	panic = hv_serial_panic(machine);
	pthread_mutex_unlock(&machine->lock);
	if (panic) {
		hv_machine_end(machine, HV_END_PANIC, 0, "%s", panic);
		return;
	}
	if (machine->no_reboot) {
		hv_machine_end(machine, HV_END_REBOOT, 0, "%s", "");
		return;
	}
	hv_machine_say(machine, "reset");
	pthread_mutex_lock(&machine->lock);
	if (reset(vcpu, &err))
		hv_machine_end(machine, HV_END_ERROR, 0, "cannot reset the machine: %s", err.text);
	pthread_mutex_unlock(&machine->lock);
}
