/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All chips of the PC but the serial ports, wired together as on a board.
 *
 * The board's interrupt lines:
 *   ISA n    8259 input n; I/O APIC pin n, but ISA 0 at pin 2
 *   PCI A-D  I/O APIC pins 16-19; 8259 inputs 10, 11, 5, 7, until PIRQ says otherwise
 *   HPET     I/O APIC pins 20-23, or in place of ISA 0 and 8
 *   SCI      ISA 9, level-triggered
 *   FERR#    ISA 13
 */
#ifndef HV_DEV_PC_H
#define HV_DEV_PC_H

#include "acpi_pm.h"
#include "cf9.h"
#include "cmos.h"
#include "ferr.h"
#include "fw_cfg.h"
#include "hpet.h"
#include "i440fx.h"
#include "i8042.h"
#include "i8254.h"
#include "i8259.h"
#include "ioapic.h"
#include "pci.h"
#include "port92.h"
#include "ps2kbd.h"
#include "vga.h"

#define HV_PC_PM_BASE 0x600		/* as SeaBIOS puts it: 2000h to port 604h powers off */
#define HV_PC_SCI 9
#define HV_PC_PCI_PIN 16		/* the I/O APIC's pin for PCI line A */

#define HV_PC_COM_PORTS 4

struct hv_pc_com {
	const char *name;
	uint16_t base;
	uint8_t irq;
};

/* COM1 to COM4. */
extern const struct hv_pc_com hv_pc_com[HV_PC_COM_PORTS];

/* The 8259 input of each PCI line, until the guest routes it elsewhere. */
extern const uint8_t hv_pc_pci_legacy_irq[HV_PCI_INTX];

struct hv_pc_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	uint64_t ram_below_4g, ram_above_4g;	/* bytes */
	unsigned int cpus;
	uint8_t ioapic_id;
	struct hv_irq intr;			/* the 8259s' INTR: LINT0 of CPU 0, as ExtINT */
	uint64_t (*wall_ns)(void *ctx);		/* real time since 1970 */
	void (*deliver)(void *ctx, const struct hv_ioapic_message *message);
	/* Of fw_cfg, see there. May be NULL. */
	void *(*ram)(void *ctx, uint64_t gpa, uint64_t len);
	void (*fw_cfg_selected)(void *ctx);
	/* The guest wants it; called from within an access, so only take note. May be NULL. */
	void (*reset)(void *ctx);
	void (*power_off)(void *ctx);
	void (*key_room)(void *ctx);		/* hv_i8042_wants_key() again */
	void (*graphics)(void *ctx);		/* a mode of the screen that nobody sees */
	void (*ignore_x87_error)(void *ctx);	/* hv_ferr_config.ignore */
	void *ctx;
};

struct hv_pc {
	struct hv_bus *bus;
	struct hv_i8259 pic;
	struct hv_ioapic ioapic;
	struct hv_i8254 pit;
	struct hv_cmos cmos;
	struct hv_hpet hpet;
	struct hv_acpi_pm pm;
	struct hv_ps2kbd keyboard;
	struct hv_i8042 kbc;
	struct hv_port92 port92;
	struct hv_cf9 cf9;
	struct hv_pci pci;
	struct hv_i440fx chipset;
	struct hv_vga vga;
	struct hv_ferr ferr;
	struct hv_fw_cfg fw_cfg;
	uint16_t pirq;			/* 8259 inputs that PCI lines hold high */
};

/* Returns 0 or the error of hv_bus_register(); then nothing is registered. */
int hv_pc_init(struct hv_pc *pc, const struct hv_pc_config *config);
void hv_pc_exit(struct hv_pc *pc);

/* What the reset line does, and the little that firmware would set up again. */
void hv_pc_reset(struct hv_pc *pc);

/* Start what a BIOS leaves running: the timer, 18.2 times a second, its line and the keyboard's. */
void hv_pc_after_bios(struct hv_pc *pc);

/* ISA line @line (0-15), for a chip that is not part of this: 4 for COM1, 3 for COM2. */
struct hv_irq hv_pc_irq(struct hv_pc *pc, unsigned int line);

/*
 * The state of the board: a record for each of its chips, in the order in which they are
 * to be loaded, controllers last. Chips that are not part of the board and drive its lines
 * (hv_pc_irq()) are loaded between hv_pc_quiet() and hv_pc_load().
 */
#define HV_PC_STATES 16
extern const struct hv_state_row hv_pc_states[HV_PC_STATES];

/**
 * hv_pc_check() - can the board be in this state?
 * @pc: the board; it stays as it is
 * @record: one for each row of hv_pc_states, of the kind's version and size, aligned to 8 bytes
 *
 * Returns 0, or -EINVAL if one of the chips cannot be in its state, or they cannot together.
 */
int hv_pc_check(const struct hv_pc *pc, const void *const record[HV_PC_STATES]);

/**
 * hv_pc_quiet() - let no line reach the CPU, until hv_pc_load()
 * @pc: the board, about to be loaded
 */
void hv_pc_quiet(struct hv_pc *pc);

/**
 * hv_pc_load() - load all chips of the board, or none
 * @pc: the board
 * @record: as for hv_pc_check()
 *
 * Sends no message and makes no edge; INTR is as it was saved. Returns what hv_pc_check() says.
 */
int hv_pc_load(struct hv_pc *pc, const void *const record[HV_PC_STATES]);

#endif
