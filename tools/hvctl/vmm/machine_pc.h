/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PC in a VM: what ties the board (dev/pc.h) to the vCPU and to the machine.
 *
 *   8259 INTR      -> the vCPU leaves RUN at its interrupt window and takes an ExtINT
 *   I/O APIC       -> TINYVMX_MSI; the EOI of level-triggered ones comes back as an exit
 *   reset lines    -> the vCPU's thread resets the machine before it runs on
 *   local APIC     -> the kernel's; its page comes here (xapic.h)
 */
#ifndef HV_MACHINE_PC_H
#define HV_MACHINE_PC_H

#include "machine.h"

/* Put the chips on the buses; RAM is there. Returns 0 or the error of hv_bus_register(). */
int hv_machine_pc_init(struct hv_machine *machine);

/* What firmware leaves in the first MiB: BIOS data area, ACPI tables, MP table. */
void hv_machine_pc_write_tables(const struct hv_machine *machine);

/* Virtual wire mode, as firmware leaves it: LINT0 takes the 8259s' interrupts. Returns 0 or -errno. */
int hv_machine_pc_wire_lapic(struct hv_vcpu *vcpu);

/* The vCPU could take an interrupt: give it that of the 8259s, if there still is one. */
void hv_machine_pc_take_intr(struct hv_vcpu *vcpu);

/* The guest has ended level-triggered interrupt @vector. */
void hv_machine_pc_eoi(struct hv_machine *machine, uint8_t vector);

/*
 * A triple fault: have a PC reset, as its board does. False: the machine is none, the
 * user wants no reboot, or the guest does nothing else any more.
 */
bool hv_machine_pc_shutdown(struct hv_machine *machine);

/*
 * Do the reset that the guest has asked for, or end the machine instead. Called by
 * the vCPU's own thread, outside RUN, without locks.
 */
void hv_machine_pc_reset(struct hv_vcpu *vcpu);

#endif
