// SPDX-License-Identifier: GPL-2.0-only
/*
 * MP table, for guests that know the MultiProcessor Specification 1.4 but not
 * ACPI: "MP Configuration Table" there says what each field means.
 */
#include <string.h>

#include "acpi.h"
#include "checksum.h"
#include "dev/pc.h"
#include "dev/xapic.h"

#define PACKED __attribute__((packed))

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length;			/* in paragraphs of 16 bytes */
	uint8_t revision;
	uint8_t checksum;
	uint8_t features[5];		/* 0, no IMCR: virtual wire mode */
} PACKED;
_Static_assert(sizeof(struct mp_pointer) == 16, "MP floating pointer structure");

struct mp_header {
	char signature[4];
	uint16_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[8];
	char product_id[12];
	uint32_t oem_table;
	uint16_t oem_table_size;
	uint16_t entries;
	uint32_t lapic_address;
	uint16_t extended_length;
	uint8_t extended_checksum;
	uint8_t reserved;
} PACKED;
_Static_assert(sizeof(struct mp_header) == 44, "MP configuration table header");

enum { MP_PROCESSOR, MP_BUS, MP_IOAPIC, MP_IO_INTERRUPT, MP_LOCAL_INTERRUPT };

struct mp_processor {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features;
	uint32_t reserved[2];
} PACKED;

struct mp_bus {
	uint8_t type, id;
	char name[6];
} PACKED;

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
} PACKED;

struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags;			/* 3:2 trigger, 1:0 polarity; 0: as on the bus */
	uint8_t bus, source, dest, pin;
} PACKED;

#define KIND_INT 0
#define KIND_NMI 1
#define KIND_EXTINT 3

#define FLAG_ENABLED 0x01
#define FLAG_BOOT_CPU 0x02
#define ACTIVE_HIGH_LEVEL 0x000d
#define ACTIVE_LOW_LEVEL 0x000f

#define LAPIC_VERSION 0x14
#define FEATURES_FPU_APIC 0x201
#define ALL_APICS 0xff

#define BUS_PCI 0
#define BUS_ISA 1

struct writer {
	uint8_t *mem;
	size_t size, used;
	unsigned int entries;
	bool overflow;
};

static void add(struct writer *w, const void *entry, size_t len)
{
	if (w->overflow || len > w->size - w->used) {
		w->overflow = true;
		return;
	}
	memcpy(w->mem + w->used, entry, len);
	w->used += len;
	w->entries++;
}

static void add_processors(struct writer *w, unsigned int cpus)
{
	for (unsigned int i = 0; i < cpus; i++) {
		const struct mp_processor p = {
			.type = MP_PROCESSOR,
			.apic_id = (uint8_t)i,
			.apic_version = LAPIC_VERSION,
			.flags = i ? FLAG_ENABLED : FLAG_ENABLED | FLAG_BOOT_CPU,
			.signature = 0x600,
			.features = FEATURES_FPU_APIC,
		};

		add(w, &p, sizeof(p));
	}
}

static void add_bus(struct writer *w, uint8_t id, const char *name)
{
	struct mp_bus bus = { .type = MP_BUS, .id = id };

	memcpy(bus.name, name, sizeof(bus.name));
	add(w, &bus, sizeof(bus));
}

static void add_ioapic(struct writer *w, uint8_t id)
{
	const struct mp_ioapic ioapic = {
		.type = MP_IOAPIC,
		.id = id,
		.version = HV_IOAPIC_VERSION,
		.flags = FLAG_ENABLED,
		.address = (uint32_t)HV_IOAPIC_BASE,
	};

	add(w, &ioapic, sizeof(ioapic));
}

static void add_isa(struct writer *w, uint8_t ioapic)
{
	for (uint8_t irq = 0; irq < 16; irq++) {
		const struct mp_interrupt i = {
			.type = MP_IO_INTERRUPT,
			.kind = KIND_INT,
			.bus = BUS_ISA,
			.source = irq,
			.flags = irq == HV_PC_SCI ? ACTIVE_HIGH_LEVEL : 0,
			.dest = ioapic,
			.pin = irq ? irq : 2,
		};

		if (irq != 2) /* the cascade */
			add(w, &i, sizeof(i));
	}
}

static void add_pci(struct writer *w, uint8_t ioapic, unsigned int slots)
{
	for (unsigned int slot = HV_I440FX_SLOTS; slot < slots; slot++) {
		for (unsigned int pin = 0; pin < HV_PCI_INTX; pin++) {
			const struct mp_interrupt i = {
				.type = MP_IO_INTERRUPT,
				.kind = KIND_INT,
				.bus = BUS_PCI,
				.source = (uint8_t)(slot << 2 | pin),
				.dest = ioapic,
				.flags = ACTIVE_LOW_LEVEL,
				.pin = (uint8_t)(HV_PC_PCI_PIN +
						 hv_pci_intx_line(slot * 8, pin + 1)),
			};

			add(w, &i, sizeof(i));
		}
	}
}

static void add_local(struct writer *w, uint8_t kind, uint8_t lint)
{
	const struct mp_interrupt i = {
		.type = MP_LOCAL_INTERRUPT,
		.kind = kind,
		.bus = BUS_ISA,
		.dest = ALL_APICS,
		.pin = lint,
	};

	add(w, &i, sizeof(i));
}

static void write_pointer(uint8_t *mem, uint64_t gpa)
{
	struct mp_pointer pointer = {
		.signature = { '_', 'M', 'P', '_' },
		.table = (uint32_t)(gpa + sizeof(pointer)),
		.length = 1,
		.revision = 4,
	};

	memcpy(mem, &pointer, sizeof(pointer));
	mem[offsetof(struct mp_pointer, checksum)] = hv_checksum(mem, sizeof(pointer));
}

static void write_header(uint8_t *table, const struct writer *w)
{
	struct mp_header header = {
		.signature = { 'P', 'C', 'M', 'P' },
		.length = (uint16_t)w->used,
		.revision = 4,
		.entries = (uint16_t)w->entries,
		.lapic_address = (uint32_t)HV_XAPIC_BASE,
	};

	memcpy(header.oem_id, "TINYVMX ", sizeof(header.oem_id));
	memcpy(header.product_id, "PC          ", sizeof(header.product_id));
	memcpy(table, &header, sizeof(header));
	table[offsetof(struct mp_header, checksum)] = hv_checksum(table, w->used);
}

size_t hv_mptable_write(const struct hv_acpi_config *config, uint8_t *mem, size_t size,
			uint64_t gpa)
{
	struct writer w = { .used = sizeof(struct mp_header) };

	if (size < sizeof(struct mp_pointer) + sizeof(struct mp_header) || !config->cpus ||
	    config->cpus > HV_ACPI_MAX_CPUS || config->pci_slots > HV_ACPI_MAX_PCI_SLOTS)
		return 0;
	w.mem = mem + sizeof(struct mp_pointer);
	w.size = size - sizeof(struct mp_pointer);
	add_processors(&w, config->cpus);
	add_bus(&w, BUS_PCI, "PCI   ");
	add_bus(&w, BUS_ISA, "ISA   ");
	add_ioapic(&w, config->ioapic_id);
	add_isa(&w, config->ioapic_id);
	add_pci(&w, config->ioapic_id, config->pci_slots);
	add_local(&w, KIND_EXTINT, 0);
	add_local(&w, KIND_NMI, 1);
	if (w.overflow)
		return 0;
	write_pointer(mem, gpa);
	write_header(w.mem, &w);
	return sizeof(struct mp_pointer) + w.used;
}
