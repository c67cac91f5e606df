/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PC in a VM: what ties the board (dev/pc.h) to the vCPUs and to the machine.
 *
 *   8259 INTR      -> the first vCPU leaves RUN at its interrupt window and takes an ExtINT
 *   I/O APIC       -> TINYVMX_MSI; the EOI of level-triggered ones comes back as an exit
 *   reset lines    -> a vCPU's thread resets the machine before it runs on
 *   local APIC     -> the kernel's; its page comes here (dev/xapic.h), from where it is
 */
#ifndef HV_VMM_MACHINE_PC_H
#define HV_VMM_MACHINE_PC_H

#include "dev/pc.h"
#include "dev/pvpanic.h"
#include "dev/testdev.h"
#include "dev/xapic.h"
#include "firmware/fw_files.h"
#include "firmware/layout.h"
#include "machine.h"

#define HV_MACHINE_IOAPIC_ID 1
/* Windows for PCI devices, clear of the board's own ports and addresses. */
#define HV_MACHINE_PCI_PORT_FIRST 0xc000
#define HV_MACHINE_PCI_PORT_LAST 0xffff
#define HV_MACHINE_PCI_MMIO_FIRST HV_GAP_BEGIN
#define HV_MACHINE_PCI_MMIO_LAST (HV_LAYOUT_CHIPS - 1)

struct hv_machine_pc {
	struct hv_machine *machine;
	struct hv_pc board;
	struct hv_bus cpu_bus;		/* of each vCPU: the page of its local APIC */
	struct hv_xapic xapic;
	struct hv_fw_files fw_files;
	struct hv_testdev *testdev;	/* NULL: not asked for */
	struct hv_pvpanic pvpanic;	/* without a bus: not asked for */
	atomic_bool intr;		/* INTR of the 8259s */
	bool pressed;			/* the reset that is wanted is the button's */
	bool has_shut_down;		/* by a triple fault, at @shutdown_ns */
	uint64_t shutdown_ns;
	uint8_t resets;			/* one soon after the other, the last at @reset_ns */
	uint64_t reset_ns;
	bool delivered;			/* the I/O APIC has sent a message */
	unsigned int redelivered;	/* ... behind so many EOIs in a row */
	struct hv_timer late_eoi;
	uint8_t late_vector;
	bool told_graphics;		/* ... that they are not shown */
};

/* What vmm/ itself keeps of a PC, but for the board's chips. */
struct hv_machine_pc_state {
	uint64_t shutdown_age_ns;	/* since the last triple fault */
	uint64_t reset_age_ns;		/* since the last reset */
	uint64_t late_eoi_left_ns;	/* HV_TIMER_UNARMED: none is late */
	uint32_t redelivered;
	uint8_t has_shut_down;
	uint8_t late_vector;
	uint8_t reset_wanted;
	uint8_t resets;
};

/* Make machine->pc and put the chips on the buses; RAM is there. Returns 0 or -errno. */
int hv_machine_pc_create(struct hv_machine *machine);
/*
 * Put into fw_cfg what firmware may ask for, and the user's files: once payload and serial
 * ports are known. Returns 0 or -errno.
 */
int hv_machine_pc_fill_fw_cfg(struct hv_machine *machine, struct hv_error *err);

/* Firmware moves the PM block, and routes INTx, before it asks for the tables that tell of it. */
void hv_machine_pc_update_fw_cfg(struct hv_machine_pc *pc);

/* What firmware does for PCI devices: gives them addresses. Returns 0 or -ENOSPC. */
int hv_machine_pc_place_devices(struct hv_machine *machine, struct hv_error *err);

/*
 * It is another machine than any before, by the ID in its memory (--device vmgenid). Returns 0
 * or -errno.
 */
int hv_machine_pc_new_generation(struct hv_machine *machine, struct hv_error *err);

/* Nothing if there is none. */
void hv_machine_pc_destroy(struct hv_machine *machine);

/*
 * What firmware leaves in the first MiB: BIOS data area, ACPI tables, MP table. Returns 0 or
 * -ENOSPC.
 */
int hv_machine_pc_write_tables(const struct hv_machine *machine);

/*
 * Virtual wire mode, as firmware leaves it: LINT0 takes the 8259s' interrupts. Returns 0 or
 * -errno.
 */
int hv_machine_pc_wire_lapic(struct hv_vcpu *vcpu);

/* For state.c: machine->lock is held. */
void hv_machine_pc_save(const struct hv_machine_pc *pc, struct hv_machine_pc_state *state);
int hv_machine_pc_check(const struct hv_machine_pc *pc, const struct hv_machine_pc_state *state);
int hv_machine_pc_load(struct hv_machine_pc *pc, const struct hv_machine_pc_state *state);
extern const struct hv_state_kind hv_machine_pc_kind;

/* Does an interrupt of the 8259s wait for this vCPU's window? By its thread. */
static inline bool hv_machine_pc_wants_window(const struct hv_vcpu *vcpu)
{
	const struct hv_machine *machine = vcpu->machine;

	return machine->pc && vcpu == hv_machine_bsp(machine) && atomic_load(&machine->pc->intr);
}

/* The vCPU could take an interrupt: give it that of the 8259s, if there still is one. */
void hv_machine_pc_take_intr(struct hv_vcpu *vcpu);

/* Is there a chip that may send this vCPU an NMI? Outside of RUN. */
bool hv_machine_pc_has_nmi(const struct hv_vcpu *vcpu);

/* The guest has ended level-triggered interrupt @vector. */
void hv_machine_pc_eoi(struct hv_machine *machine, uint8_t vector);

/*
 * A triple fault: have a PC reset, as its board does. False: the machine is none, the
 * user wants no reboot, or the guest does nothing else any more.
 */
bool hv_machine_pc_shutdown(struct hv_vcpu *vcpu);

/*
 * Do the reset that the guest has asked for (HV_ATTENTION_RESET), or end the machine
 * instead. Called by a vCPU's thread outside RUN, without locks; of several that see it,
 * one does it.
 */
void hv_machine_pc_reset(struct hv_machine *machine);

/*
 * Somebody presses the reset button: whatever the guest has done, and --no-reboot, say. A vCPU's
 * thread does it soon.
 */
void hv_machine_pc_press_reset(struct hv_machine *machine);

#endif
