// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI tables: RSDP, RSDT, XSDT, FADT, FACS, DSDT, MADT, HPET; as in the ACPI
 * specification 6.x, "ACPI Software Programming Model", and the IA-PC HPET
 * specification. Layouts are packed structs, checked by their sizes.
 */
#include <string.h>

#include "acpi.h"
#include "acpi_dsdt.h"
#include "checksum.h"
#include "dev/pc.h"
#include "dev/xapic.h"
#include "lib/util.h"

#define PACKED __attribute__((packed))

#define OEM_ID "TNYVMX"
#define OEM_TABLE_ID "TINYVMX "
#define CREATOR_ID "TVMX"

struct rsdp {
	char signature[8];
	uint8_t checksum;		/* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} PACKED;
_Static_assert(sizeof(struct rsdp) == 36, "RSDP");

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} PACKED;
_Static_assert(sizeof(struct header) == 36, "table header");

/* The list of tables: in 32 bits for guests that know ACPI 1.0, in 64 for all others. */
struct rsdt {
	struct header header;
	uint32_t table[];
} PACKED;

struct xsdt {
	struct header header;
	uint64_t table[];
} PACKED;

/* Generic address structure */
struct gas {
	uint8_t space;			/* 0 memory, 1 ports */
	uint8_t bits;
	uint8_t bit_offset;
	uint8_t access_size;		/* 1 byte, 2 word, 3 dword */
	uint64_t address;
} PACKED;

struct fadt {
	struct header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base;
	uint8_t cst_cnt;
	uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct gas reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_facs, x_dsdt;
	struct gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr;
	struct gas x_gpe0, x_gpe1, sleep_control, sleep_status;
	uint64_t hypervisor_id;
} PACKED;
_Static_assert(sizeof(struct fadt) == 276, "FADT");

#define BOOT_ARCH_LEGACY_DEVICES 0x0001
#define BOOT_ARCH_8042 0x0002

#define FADT_WBINVD 0x0001
#define FADT_PROC_C1 0x0004
#define FADT_NO_SLEEP_BUTTON 0x0020
#define FADT_NO_RTC_WAKE 0x0040
#define FADT_TIMER_32BIT 0x0100
#define FADT_RESET_REG 0x0400

/* Latencies above these mean: no such state. */
#define NO_C2_LATENCY 101
#define NO_C3_LATENCY 1001

struct facs {
	char signature[4];
	uint32_t length, hardware_signature, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} PACKED;
_Static_assert(sizeof(struct facs) == 64, "FACS");

struct madt {
	struct header header;
	uint32_t lapic_address;
	uint32_t flags;			/* 0: there are 8259s too */
} PACKED;

struct madt_lapic {
	uint8_t type, length, acpi_id, apic_id;
	uint32_t flags;
} PACKED;

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} PACKED;

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;			/* 3:2 trigger, 1:0 polarity; 0: as on the bus */
} PACKED;

struct madt_lapic_nmi {
	uint8_t type, length, acpi_id;
	uint16_t flags;
	uint8_t lint;
} PACKED;

struct madt_and_entries {
	struct madt madt;
	struct madt_ioapic ioapic;
	struct madt_override override[2];
	struct madt_lapic_nmi nmi;
	struct madt_lapic lapic[];
} PACKED;

#define MADT_ACTIVE_HIGH_LEVEL 0x000d
#define MADT_ALL_CPUS 0xff

struct hpet_table {
	struct header header;
	uint32_t block_id;
	struct gas address;
	uint8_t number;
	uint16_t min_tick;
	uint8_t page_protection;
} PACKED;
_Static_assert(sizeof(struct hpet_table) == 56, "HPET table");

/* Where the next table goes. */
struct space {
	uint8_t *mem;
	size_t size, used;
	uint64_t gpa;
};

static uint64_t space_here(const struct space *space)
{
	return space->gpa + space->used;
}

/* Reserve @len zeroed bytes; NULL if there is no room. */
static void *space_take(struct space *space, size_t len, size_t align)
{
	size_t at = hv_align_up(space->used, align);

	if (at > space->size || len > space->size - at)
		return NULL;
	space->used = at + len;
	return memset(space->mem + at, 0, len);
}

static void fill_header(struct header *h, const char *signature, uint8_t revision, size_t len)
{
	memcpy(h->signature, signature, sizeof(h->signature));
	h->length = (uint32_t)len;
	h->revision = revision;
	memcpy(h->oem_id, OEM_ID, sizeof(h->oem_id));
	memcpy(h->oem_table_id, OEM_TABLE_ID, sizeof(h->oem_table_id));
	h->oem_revision = 1;
	memcpy(h->creator_id, CREATOR_ID, sizeof(h->creator_id));
	h->creator_revision = 1;
	h->checksum = 0;
	h->checksum = hv_checksum(h, len);
}

static struct gas port_gas(uint64_t address, uint8_t bytes)
{
	return (struct gas){
		.space = 1,
		.bits = (uint8_t)(bytes * 8),
		.address = address,
		.access_size = bytes == 4 ? 3 : bytes,
	};
}

static void fill_pm_blocks(struct fadt *fadt, uint16_t base)
{
	fadt->pm1a_evt = base + HV_ACPI_PM_EVENT;
	fadt->pm1a_cnt = base + HV_ACPI_PM_CONTROL;
	fadt->pm_tmr = base + HV_ACPI_PM_TIMER;
	fadt->gpe0 = base + HV_ACPI_PM_GPE;
	fadt->pm1_evt_len = 4;
	fadt->pm1_cnt_len = 2;
	fadt->pm_tmr_len = 4;
	fadt->gpe0_len = 4;
	fadt->x_pm1a_evt = port_gas(fadt->pm1a_evt, 4);
	/* Two 16-bit registers side by side: so they are accessed. */
	fadt->x_pm1a_evt.access_size = 2;
	fadt->x_pm1a_cnt = port_gas(fadt->pm1a_cnt, 2);
	fadt->x_pm_tmr = port_gas(fadt->pm_tmr, 4);
	fadt->x_gpe0 = port_gas(fadt->gpe0, 4);
	fadt->x_gpe0.access_size = 1;
}

static uint64_t write_fadt(struct space *space, const struct hv_acpi_config *config, uint64_t facs,
			   uint64_t dsdt)
{
	struct fadt *fadt = space_take(space, sizeof(*fadt), 16);

	if (!fadt)
		return 0;
	fadt->facs = (uint32_t)facs;
	fadt->dsdt = (uint32_t)dsdt;
	fadt->x_facs = facs;
	fadt->x_dsdt = dsdt;
	fadt->sci_int = HV_PC_SCI;
	fadt->p_lvl2_lat = NO_C2_LATENCY;
	fadt->p_lvl3_lat = NO_C3_LATENCY;
	fadt->century = HV_CMOS_CENTURY;
	fadt->boot_arch = BOOT_ARCH_LEGACY_DEVICES | BOOT_ARCH_8042;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_WAKE |
		      FADT_TIMER_32BIT | FADT_RESET_REG;
	fadt->reset_reg = port_gas(HV_CF9_PORT, 1);
	fadt->reset_value = HV_CF9_FULL_RESET;
	fadt->minor_version = 0;
	fill_pm_blocks(fadt, config->pm_base);
	fill_header(&fadt->header, "FACP", 6, sizeof(*fadt));
	return space_here(space) - sizeof(*fadt);
}

static uint64_t write_facs(struct space *space)
{
	struct facs *facs = space_take(space, sizeof(*facs), 64);

	if (!facs)
		return 0;
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 2;
	return space_here(space) - sizeof(*facs);
}

static uint64_t write_dsdt(struct space *space, const struct hv_acpi_config *config)
{
	struct header *header = space_take(space, sizeof(*header), 16);
	struct hv_aml aml;

	if (!header)
		return 0;
	hv_aml_init(&aml, space->mem + space->used, space->size - space->used);
	hv_acpi_dsdt(&aml, config);
	if (aml.overflow)
		return 0;
	space->used += aml.len;
	fill_header(header, "DSDT", 2, sizeof(*header) + aml.len);
	return space_here(space) - header->length;
}

static void fill_overrides(struct madt_override override[2])
{
	override[0] = (struct madt_override){
		.type = 2,
		.length = sizeof(*override),
		.irq = 0,
		.gsi = 2,
	};
	override[1] = (struct madt_override){
		.type = 2,
		.length = sizeof(*override),
		.irq = HV_PC_SCI,
		.gsi = HV_PC_SCI,
		.flags = MADT_ACTIVE_HIGH_LEVEL,
	};
}

static uint64_t write_madt(struct space *space, const struct hv_acpi_config *config)
{
	struct madt_and_entries *t;
	size_t len = sizeof(*t) + config->cpus * sizeof(t->lapic[0]);

	t = space_take(space, len, 16);
	if (!t)
		return 0;
	t->madt.lapic_address = (uint32_t)HV_XAPIC_BASE;
	t->madt.flags = 1;
	t->ioapic = (struct madt_ioapic){
		.type = 1,
		.length = sizeof(t->ioapic),
		.id = config->ioapic_id,
		.address = (uint32_t)HV_IOAPIC_BASE,
	};
	fill_overrides(t->override);
	t->nmi = (struct madt_lapic_nmi){
		.type = 4,
		.length = sizeof(t->nmi),
		.acpi_id = MADT_ALL_CPUS,
		.lint = 1,
	};
	for (unsigned int i = 0; i < config->cpus; i++)
		t->lapic[i] = (struct madt_lapic){
			.length = sizeof(t->lapic[0]),
			.acpi_id = (uint8_t)i,
			.apic_id = (uint8_t)i,
			.flags = 1,
		};
	fill_header(&t->madt.header, "APIC", 4, len);
	return space_here(space) - len;
}

static uint64_t write_hpet(struct space *space)
{
	struct hpet_table *t = space_take(space, sizeof(*t), 16);

	if (!t)
		return 0;
	t->block_id = HV_HPET_ID;
	t->address = (struct gas){ .bits = 64, .address = HV_HPET_BASE };
	t->min_tick = 1000; /* 10 us: faster interrupts are left out, see dev/hpet.c */
	fill_header(&t->header, "HPET", 1, sizeof(*t));
	return space_here(space) - sizeof(*t);
}

static uint64_t write_rsdt(struct space *space, const uint64_t *tables, size_t count)
{
	struct rsdt *t;
	size_t len = sizeof(*t) + count * sizeof(t->table[0]);

	t = space_take(space, len, 16);
	if (!t)
		return 0;
	for (size_t i = 0; i < count; i++)
		t->table[i] = (uint32_t)tables[i];
	fill_header(&t->header, "RSDT", 1, len);
	return space_here(space) - len;
}

static uint64_t write_xsdt(struct space *space, const uint64_t *tables, size_t count)
{
	struct xsdt *t;
	size_t len = sizeof(*t) + count * sizeof(*tables);

	t = space_take(space, len, 16);
	if (!t)
		return 0;
	memcpy(t->table, tables, count * sizeof(*tables));
	fill_header(&t->header, "XSDT", 1, len);
	return space_here(space) - len;
}

static void fill_rsdp(struct rsdp *rsdp, uint64_t rsdt, uint64_t xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, OEM_ID, sizeof(rsdp->oem_id));
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->rsdt = (uint32_t)rsdt;
	rsdp->xsdt = xsdt;
	rsdp->checksum = hv_checksum(rsdp, 20);
	rsdp->extended_checksum = hv_checksum(rsdp, sizeof(*rsdp));
}

size_t hv_acpi_write(const struct hv_acpi_config *config, uint8_t *mem, size_t size, uint64_t gpa)
{
	struct space space = { .mem = mem, .size = size, .gpa = gpa };
	struct rsdp *rsdp = space_take(&space, sizeof(*rsdp), 16);
	uint64_t facs, dsdt, rsdt, xsdt, tables[3];

	if (!rsdp || !config->cpus || config->cpus > HV_ACPI_MAX_CPUS ||
	    config->pci_slots > HV_ACPI_MAX_PCI_SLOTS)
		return 0;
	facs = write_facs(&space);
	dsdt = write_dsdt(&space, config);
	tables[0] = write_fadt(&space, config, facs, dsdt);
	tables[1] = write_madt(&space, config);
	tables[2] = write_hpet(&space);
	rsdt = write_rsdt(&space, tables, ARRAY_SIZE(tables));
	xsdt = write_xsdt(&space, tables, ARRAY_SIZE(tables));
	if (!facs || !dsdt || !tables[0] || !tables[1] || !tables[2] || !rsdt || !xsdt)
		return 0;
	fill_rsdp(rsdp, rsdt, xsdt);
	return space.used;
}
