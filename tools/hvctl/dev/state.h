/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of chips, as records that can be kept in a file.
 *
 * A record holds, in fixed-width fields and nothing else, all that a guest could tell from a
 * chip that was never stopped. A kind says what a record is, and how a chip gives and takes
 * it; a row says which chip of a machine that is. In a file stand (type, instance, version,
 * length) and the record, for each row.
 *
 * To load all or nothing, check all records first, then load all: what check() has let
 * through load() takes.
 */
#ifndef HV_DEV_STATE_H
#define HV_DEV_STATE_H

#include <stddef.h>
#include <stdint.h>

/* Never to be changed or used again: they are in files. */
enum hv_state_type {
	HV_STATE_I8259 = 0x101,
	HV_STATE_IOAPIC,
	HV_STATE_I8254,
	HV_STATE_CMOS,
	HV_STATE_HPET,
	HV_STATE_ACPI_PM,
	HV_STATE_I8042,
	HV_STATE_PORT92,
	HV_STATE_CF9,
	HV_STATE_PCI,
	HV_STATE_PCI_DEVICE,		/* the instance is its device * 8 + function number */
	HV_STATE_UART16550,
	HV_STATE_VGA,
	HV_STATE_PS2KBD,
	HV_STATE_FW_CFG = 0x120,
	HV_STATE_TESTDEV,
	HV_STATE_MSIX,			/* the instance is that of its device */
	HV_STATE_PIIX_IDE = 0x130,
};

struct hv_state_kind {
	uint32_t type;			/* enum hv_state_type */
	uint32_t version;		/* of the record's layout and meaning */
	uint32_t size;			/* of the record: bytes, a multiple of 8 */
	void (*save)(const void *chip, void *record);
	/*
	 * Is it a state that @chip, made as it is, can have? The chip stays as it is. 0 or
	 * -EINVAL
	 */
	int (*check)(const void *chip, const void *record);
	/* 0, or what check() says, and then the chip is as it was. */
	int (*load)(void *chip, const void *record);
};

struct hv_state_row {
	const struct hv_state_kind *kind;
	uint32_t instance;
	size_t offset;			/* of the chip, in the struct that holds it */
};

/*
 * Define hv_<chip>_kind out of hv_<chip>_save(), _check(), _load() and struct
 * hv_<chip>_state. Records are aligned to 8 bytes wherever they are.
 */
#define HV_STATE_KIND(chip, chip_type, chip_version)						\
	static void chip##_save_record(const void *dev, void *record)				\
	{											\
		hv_##chip##_save(dev, record);							\
	}											\
	static int chip##_check_record(const void *dev, const void *record)			\
	{											\
		return hv_##chip##_check(dev, record);						\
	}											\
	static int chip##_load_record(void *dev, const void *record)				\
	{											\
		return hv_##chip##_load(dev, record);						\
	}											\
	_Static_assert(sizeof(struct hv_##chip##_state) % 8 == 0, "multiple of 8");	\
	const struct hv_state_kind hv_##chip##_kind = {						\
		.type = chip_type,								\
		.version = chip_version,							\
		.size = sizeof(struct hv_##chip##_state),					\
		.save = chip##_save_record,							\
		.check = chip##_check_record,							\
		.load = chip##_load_record,							\
	}

#endif
