// SPDX-License-Identifier: GPL-2.0-only
/* The PC in a VM: interrupts to the vCPU, tables for the guest, resets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "debugger.h"
#include "devices.h"
#include "lib/lock.h"
#include "lib/tvx.h"
#include "machine_ide.h"
#include "machine_pc.h"
#include "serial.h"
#include "state.h"

/* -------------------------------------------------------------- interrupts */

/*
 * INTR of the 8259s. Whoever raises it from outside the vCPU's thread gets the vCPU
 * out of RUN; the flag is set before the kick, and read after immediate_exit was
 * taken back, so that one of the two is always seen.
 */
static void set_intr(void *ctx, unsigned int line, bool level)
{
	struct hv_machine_pc *pc = ctx;
	struct hv_vcpu *vcpu = hv_machine_bsp(pc->machine);

	(void)line;
	atomic_store(&pc->intr, level);
	if (level && hv_vcpu_current() != vcpu)
		hv_vcpu_kick(vcpu);
}

void hv_machine_pc_take_intr(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	struct tinyvmx_inject inject = { .type = TINYVMX_INJECT_EXTINT };
	int error;

	if (!machine->pc || !hv_i8259_pending(&machine->pc->board.pic))
		return;
	inject.vector = hv_i8259_ack(&machine->pc->board.pic);
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
#define STORM          100
#define STORM_DELAY_NS 100000

static void end_interrupt(struct hv_machine_pc *pc, uint8_t vector)
{
	struct hv_clock *clock = &pc->machine->clock;

	hv_lock_assert_held(&pc->machine->lock);
	if (pc->redelivered >= STORM && !pc->late_eoi.armed) {
		pc->late_vector = vector;
		hv_timer_arm(clock, &pc->late_eoi, hv_now_ns(clock) + STORM_DELAY_NS);
		return;
	}
	pc->delivered = false;
	hv_ioapic_eoi(&pc->board.ioapic, vector);
	pc->redelivered = pc->delivered ? pc->redelivered + 1 : 0;
}

void hv_machine_pc_eoi(struct hv_machine *machine, uint8_t vector)
{
	if (machine->pc)
		end_interrupt(machine->pc, vector);
}

static void eoi_is_late(void *dev)
{
	struct hv_machine_pc *pc = dev;

	pc->redelivered = 0;
	end_interrupt(pc, pc->late_vector);
}

/* A message to nobody, or of a kind that only real hardware has, is lost. */
static void deliver(void *ctx, const struct hv_ioapic_message *message)
{
	struct hv_machine_pc *pc = ctx;
	uint64_t address = hv_ioapic_msi_address(message);
	uint32_t data = hv_ioapic_msi_data(message);
	int error;

	hv_lock_assert_held(&pc->machine->lock);
	error = tvx_msi(pc->machine->vm.fd, address, data);
	pc->delivered = true;
	if (error)
		hv_machine_say(pc->machine,
			       "I/O APIC: lost a message, address 0x%llx, data 0x%x: %s",
			       (unsigned long long)address, data, strerror(-error));
}

/* --------------------------------------------------------------- local APIC */

#define X2APIC_MSR   0x800
#define LVT_LINT0    0x35
#define LVT_LINT1    0x36
#define LVT_MASKED   0x10000
#define LVT_DELIVERY 0x700
#define LVT_NMI      0x400
#define LVT_EXTINT   0x700

static int read_lapic(unsigned int reg, uint64_t *value)
{
	return tvx_get_msr(hv_vcpu_current()->fd, X2APIC_MSR + reg, value);
}

/* A pin of the I/O APIC; the 8259s' INTR, by LINT0. LINT1 is not connected. */
bool hv_machine_pc_has_nmi(const struct hv_vcpu *vcpu)
{
	const struct hv_machine *machine = vcpu->machine;
	uint64_t lint0 = LVT_MASKED;

	if (!machine->pc)
		return false;
	if (hv_ioapic_has_nmi(&machine->pc->board.ioapic))
		return true;
	(void)tvx_get_msr(vcpu->fd, X2APIC_MSR + LVT_LINT0, &lint0);
	return !(lint0 & LVT_MASKED) && (lint0 & LVT_DELIVERY) == LVT_NMI;
}

static int write_lapic(unsigned int reg, uint64_t value)
{
	return tvx_set_msr(hv_vcpu_current()->fd, X2APIC_MSR + reg, value);
}

int hv_machine_pc_wire_lapic(struct hv_vcpu *vcpu)
{
	/* SVR first: the others stay masked as long as it does not enable the APIC. */
	static const struct tinyvmx_msr msrs[] = {
		{ .index = X2APIC_MSR + 0x0f,
		  .value = 0x1ff }, /* SVR: enabled, spurious vector FFH */
		{ .index = X2APIC_MSR + LVT_LINT0, .value = LVT_EXTINT },
		{ .index = X2APIC_MSR + LVT_LINT1, .value = LVT_NMI },
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

/* Inside an access to a chip: a vCPU's thread does it afterwards. */
static void want_reset(void *ctx)
{
	struct hv_machine_pc *pc = ctx;

	hv_machine_want_attention(pc->machine, HV_ATTENTION_RESET);
}

/* Port F0H has been written to, by this very thread. */
static void ignore_x87_error(void *ctx)
{
	struct hv_vcpu *vcpu = hv_vcpu_current();

	(void)ctx;
	if (vcpu && vcpu->machine->vm.info.capabilities & TINYVMX_CAP_FERR)
		vcpu->run->request |= TINYVMX_REQ_IGNNE;
}

static void power_off(void *ctx)
{
	struct hv_machine_pc *pc = ctx;

	hv_machine_end(pc->machine, HV_END_POWEROFF, 0, "%s", "");
}

/* Once: who has seen it needs no list of all modes that a guest tries. */
static void graphics(void *ctx)
{
	struct hv_machine_pc *pc = ctx;

	if (!pc->told_graphics)
		hv_console_print(
			&pc->machine->messages,
			"hvctl: the guest goes to a graphics mode, which is not shown; only text modes are\n");
	pc->told_graphics = true;
}

static void key_room(void *ctx)
{
	struct hv_machine_pc *pc = ctx;

	if (pc->machine->display)
		hv_console_feed(&pc->machine->console);
}

/* Where fw_cfg may write for the guest: not to the ROM. */
static void *guest_ram(void *ctx, uint64_t gpa, uint64_t len)
{
	const struct hv_memory *memory = &((struct hv_machine_pc *)ctx)->machine->memory;
	void *ram = hv_memory_is_rom(memory, gpa) ? NULL : hv_memory_at(memory, gpa, len);

	if (ram)
		hv_memory_mark_dirty(memory, gpa, len);
	return ram;
}

static void fw_cfg_selected(void *ctx)
{
	hv_machine_pc_update_fw_cfg(ctx);
}

static void flush_page(void *ctx, uint64_t gpa)
{
	hv_memory_flush_page(&((struct hv_machine_pc *)ctx)->machine->memory, gpa);
}

/* ISA lines, and pins that only the I/O APIC has. */
static void set_test_line(void *controller, unsigned int line, bool level)
{
	struct hv_machine_pc *pc = controller;
	struct hv_irq isa = hv_pc_irq(&pc->board, line);

	if (line < HV_PC_PCI_PIN)
		hv_irq_set(&isa, level);
	else
		hv_ioapic_set_irq(&pc->board.ioapic, line, level);
}

static int create_testdev(struct hv_machine_pc *pc)
{
	const struct hv_testdev_config config = {
		.bus = &pc->machine->bus,
		.irq = { .set = set_test_line, .controller = pc },
		.flush = flush_page,
		.ctx = pc,
	};
	int error;

	if (!pc->machine->config.testdev)
		return 0;
	pc->testdev = calloc(1, sizeof(*pc->testdev));
	if (!pc->testdev)
		return -ENOMEM;
	error = hv_testdev_init(pc->testdev, &config);
	if (!error)
		return 0;
	free(pc->testdev);
	return error;
}

/* In the words of its console, if those were seen. */
static void panicked(void *ctx, uint8_t events)
{
	struct hv_machine_pc *pc = ctx;
	const char *text;

	hv_serial_flush(pc->machine);
	text = hv_serial_panic(pc->machine);
	if (!text)
		text = events & HV_PVPANIC_PANICKED ?
			       "it has told pvpanic" :
			       "it has told pvpanic, and loads a crash kernel";
	hv_machine_end(pc->machine, HV_END_PANIC, 0, "%s", text);
}

static int create_pvpanic(struct hv_machine_pc *pc)
{
	const struct hv_pvpanic_config config = {
		.bus = &pc->machine->bus,
		.panicked = panicked,
		.ctx = pc,
	};

	return pc->machine->config.pvpanic ? hv_pvpanic_init(&pc->pvpanic, &config) : 0;
}

/* What is not on the bus is not missed there. */
static void destroy_pvpanic(struct hv_machine_pc *pc)
{
	if (pc->machine->config.pvpanic)
		hv_pvpanic_exit(&pc->pvpanic);
}

int hv_machine_pc_create(struct hv_machine *machine)
{
	struct hv_machine_pc *pc = calloc(1, sizeof(*pc));
	const struct hv_pc_config config = {
		.bus = &machine->bus,
		.clock = &machine->clock,
		.ram_below_4g = hv_memory_low_end(&machine->memory),
		.ram_above_4g = machine->memory.size - hv_memory_low_end(&machine->memory),
		.cpus = machine->nr_vcpus,
		.ioapic_id = HV_MACHINE_IOAPIC_ID,
		.intr = { .set = set_intr, .controller = pc },
		.wall_ns = wall_ns,
		.deliver = deliver,
		.ram = guest_ram,
		.fw_cfg_selected = fw_cfg_selected,
		.reset = want_reset,
		.power_off = power_off,
		.graphics = graphics,
		.key_room = key_room,
		.ignore_x87_error = ignore_x87_error,
		.ctx = pc,
	};
	const struct hv_xapic_config xapic = {
		.bus = &pc->cpu_bus,
		.read = read_lapic,
		.write = write_lapic,
	};
	int error;

	if (!pc)
		return -ENOMEM;
	pc->machine = machine;
	pc->late_eoi = (struct hv_timer){ .fn = eoi_is_late, .dev = pc };
	error = hv_pc_init(&pc->board, &config);
	if (error)
		goto free;
	error = hv_xapic_init(&pc->xapic, &xapic);
	if (error)
		goto exit_board;
	error = create_pvpanic(pc);
	if (!error)
		error = create_testdev(pc);
	if (error)
		goto exit_xapic;
	machine->pc = pc;
	return 0;

exit_xapic:
	destroy_pvpanic(pc);
	hv_xapic_exit(&pc->xapic);
exit_board:
	hv_pc_exit(&pc->board);
free:
	free(pc);
	return error;
}

void hv_machine_pc_destroy(struct hv_machine *machine)
{
	if (!machine->pc)
		return;
	destroy_pvpanic(machine->pc);
	if (machine->pc->testdev)
		hv_testdev_exit(machine->pc->testdev);
	free(machine->pc->testdev);
	hv_xapic_exit(&machine->pc->xapic);
	hv_pc_exit(&machine->pc->board);
	free(machine->pc);
	machine->pc = NULL;
}

/* ------------------------------------------------------------------- reset */

/*
 * Some kernels reboot by a triple fault. One that dies early has them too, and after
 * each reset again: the second of them within this time is the end.
 */
#define SHUTDOWN_AGAIN_NS 10000000000ULL

bool hv_machine_pc_shutdown(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	struct hv_machine_pc *pc = machine->pc;
	uint64_t now = hv_now_ns(&machine->clock);
	bool again;

	if (!pc)
		return false;
	again = pc->has_shut_down && now - pc->shutdown_ns < SHUTDOWN_AGAIN_NS;
	pc->has_shut_down = true;
	pc->shutdown_ns = now;
	hv_serial_flush(machine);
	if ((again || machine->config.no_reboot) && !hv_serial_panic(machine))
		return false;
	hv_machine_say(machine, "vCPU %u: triple fault", vcpu->id);
	want_reset(pc);
	return true;
}

/*
 * A guest that fails at the same point each time may reset for ever, in whatever way. The last
 * of this many resets, each within that time of the one before, is the end.
 */
#define RESETS_MAX     32
#define RESET_AGAIN_NS HV_NSEC_PER_SEC

static bool does_nothing_but_reset(struct hv_machine_pc *pc)
{
	uint64_t now = hv_now_ns(&pc->machine->clock);

	if (now - pc->reset_ns >= RESET_AGAIN_NS)
		pc->resets = 0;
	pc->reset_ns = now;
	return ++pc->resets >= RESETS_MAX;
}

static void reset_chips(struct hv_machine *machine)
{
	struct hv_machine_pc *pc = machine->pc;
	struct hv_error err;

	hv_devices_reset(machine);
	hv_serial_reset(machine);
	hv_machine_ide_reset(machine);
	if (pc->testdev)
		hv_testdev_reset(pc->testdev);
	hv_pc_reset(&pc->board);
	/* There was room before. */
	(void)hv_machine_pc_place_devices(machine, &err);
	hv_timer_cancel(&machine->clock, &pc->late_eoi);
	pc->redelivered = 0;
}

/* Chips, RAM, vCPUs: as when the machine was turned on. */
static int reset(struct hv_machine *machine, struct hv_error *err)
{
	int error = 0;

	reset_chips(machine);
	hv_memory_clear(&machine->memory);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_reset(&machine->vcpus[i], err);
	if (error)
		return error;
	error = hv_machine_load(machine, err);
	if (!error)
		hv_debugger_reset(machine);
	return error;
}

static void reset_now(struct hv_machine *machine)
{
	struct hv_error err;

	hv_machine_say(machine, "reset");
	if (reset(machine, &err))
		hv_machine_end(machine, HV_END_ERROR, 0, "cannot reset the machine: %s", err.text);
}

/* Is it the end instead? */
static bool ends_instead(struct hv_machine *machine)
{
	const char *panic;

	hv_serial_flush(machine);
	panic = hv_serial_panic(machine);
	if (panic) {
		hv_machine_end(machine, HV_END_PANIC, 0, "%s", panic);
		return true;
	}
	if (machine->config.no_reboot) {
		hv_machine_end(machine, HV_END_REBOOT, 0, "%s", "");
		return true;
	}
	if (does_nothing_but_reset(machine->pc)) {
		hv_machine_end(machine, HV_END_RESETS, 0,
			       "%u times, each within a second of the one before", RESETS_MAX);
		return true;
	}
	return false;
}

/* Of several vCPUs that see it the first takes it. Returns whether there is one to be done. */
static bool take_reset(struct hv_machine *machine)
{
	bool pressed = machine->pc->pressed, wanted;

	wanted = atomic_load(&machine->attention) & HV_ATTENTION_RESET;
	if (!wanted)
		return false;
	machine->pc->pressed = false;
	hv_machine_drop_attention(machine, HV_ATTENTION_RESET);
	if (!pressed)
		return !ends_instead(machine);
	hv_serial_flush(machine);
	return true;
}

void hv_machine_pc_press_reset(struct hv_machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	machine->pc->pressed = true;
	hv_machine_want_attention(machine, HV_ATTENTION_RESET);
	pthread_mutex_unlock(&machine->lock);
}

/* Devices wait for the host's disks and daemons, and nobody else for them: without the lock. */
void hv_machine_pc_reset(struct hv_machine *machine)
{
	bool goes_on;

	if (!hv_machine_pause(machine))
		return;
	pthread_mutex_lock(&machine->lock);
	goes_on = take_reset(machine);
	pthread_mutex_unlock(&machine->lock);
	if (goes_on && hv_devices_stop(machine)) {
		pthread_mutex_lock(&machine->lock);
		reset_now(machine);
		pthread_mutex_unlock(&machine->lock);
	}
	hv_machine_resume(machine);
}

/* ------------------------------------------------------------------- state */

void hv_machine_pc_save(const struct hv_machine_pc *pc, struct hv_machine_pc_state *state)
{
	struct hv_clock *clock = &pc->machine->clock;

	*state = (struct hv_machine_pc_state){
		.shutdown_age_ns = pc->has_shut_down ? hv_now_ns(clock) - pc->shutdown_ns : 0,
		.reset_age_ns = hv_now_ns(clock) - pc->reset_ns,
		.late_eoi_left_ns = hv_timer_save(clock, &pc->late_eoi),
		.redelivered = pc->redelivered,
		.has_shut_down = pc->has_shut_down,
		.late_vector = pc->late_vector,
		.resets = pc->resets,
		.reset_wanted = !!(atomic_load(&pc->machine->attention) & HV_ATTENTION_RESET),
	};
}

int hv_machine_pc_check(const struct hv_machine_pc *pc, const struct hv_machine_pc_state *state)
{
	(void)pc;
	return state->has_shut_down > 1 || state->reset_wanted > 1 || state->resets >= RESETS_MAX ?
		       -EINVAL :
		       0;
}

/* A triple fault may be older than this host's clock: the age is what counts. */
int hv_machine_pc_load(struct hv_machine_pc *pc, const struct hv_machine_pc_state *state)
{
	struct hv_clock *clock = &pc->machine->clock;

	if (hv_machine_pc_check(pc, state))
		return -EINVAL;
	pc->has_shut_down = state->has_shut_down;
	pc->shutdown_ns = hv_now_ns(clock) - state->shutdown_age_ns;
	pc->resets = state->resets;
	pc->reset_ns = hv_now_ns(clock) - state->reset_age_ns;
	pc->redelivered = state->redelivered;
	pc->late_vector = state->late_vector;
	hv_timer_load(clock, &pc->late_eoi, state->late_eoi_left_ns);
	if (state->reset_wanted)
		want_reset(pc);
	/* The board is loaded: a guest that was reading tables reads on in the same ones. */
	fw_cfg_selected(pc);
	return 0;
}

HV_STATE_KIND(machine_pc, HV_STATE_PC, 2);
