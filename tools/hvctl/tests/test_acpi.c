// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables that describe the machine: walked as a guest does, and read by ACPI's own
 * disassembler.
 */
#include "dev_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "firmware/acpi.h"
#include "firmware/aml.h"

static const struct hv_acpi_config machine = {
	.cpus = 2, .ioapic_id = 2, .com_ports = 0x3, .pci_slots = 32, .generation = true,
	.pci_irq = { 10, 11, 5, 7 },
	.pm_base = 0x600, .port_first = 0xc000, .port_last = 0xffff,
	.mmio_first = 0xc0000000, .mmio_last = 0xfebfffff,
};

static uint8_t area[HV_ACPI_SIZE];

static uint64_t get(const uint8_t *p, unsigned int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | p[len];
	return value;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static const uint8_t *at(uint64_t gpa, size_t len)
{
	assert_true(gpa >= HV_ACPI_GPA && gpa + len <= HV_ACPI_GPA + sizeof(area));
	return area + (gpa - HV_ACPI_GPA);
}

/* The table there, its header checked. */
static const uint8_t *table_at(uint64_t gpa, const char *signature)
{
	const uint8_t *t = at(gpa, 36);

	assert_memory_equal(t, signature, 4);
	at(gpa, get(t + 4, 4));
	assert_int_equal(sum(t, get(t + 4, 4)), 0);
	return t;
}

static const uint8_t *find_table(const char *signature)
{
	const uint8_t *xsdt = table_at(get(area + 24, 8), "XSDT");
	size_t i, count = (get(xsdt + 4, 4) - 36) / 8;

	for (i = 0; i < count; i++) {
		uint64_t gpa = get(xsdt + 36 + i * 8, 8);

		if (!memcmp(at(gpa, 4), signature, 4))
			return table_at(gpa, signature);
	}
	fail_msg("no table %s", signature);
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	memset(area, 0xcc, sizeof(area));
	return !hv_acpi_write(&machine, area, sizeof(area), HV_ACPI_GPA);
}

static void test_rsdp(void **state)
{
	(void)state;
	assert_memory_equal(area, "RSD PTR ", 8);
	assert_int_equal(sum(area, 20), 0);
	assert_int_equal(sum(area, 36), 0);
	assert_int_equal(area[15], 2);
	assert_int_equal(get(area + 20, 4), 36);
}

/* A guest that knows ACPI 1.0 reads the first 20 bytes of the RSDP, and finds the same tables. */
static void test_rsdt(void **state)
{
	const uint8_t *rsdt = table_at(get(area + 16, 4), "RSDT");
	const uint8_t *xsdt = table_at(get(area + 24, 8), "XSDT");
	size_t count = (get(rsdt + 4, 4) - 36) / 4;

	(void)state;
	assert_int_equal(rsdt[8], 1);
	assert_int_equal(count, 3);
	assert_int_equal(get(xsdt + 4, 4), 36 + 8 * count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(get(rsdt + 36 + i * 4, 4), get(xsdt + 36 + i * 8, 8));
}

static void test_fadt(void **state)
{
	const uint8_t *t = find_table("FACP");

	(void)state;
	assert_int_equal(get(t + 4, 4), 276);
	assert_memory_equal(at(get(t + 36, 4), 64), "FACS", 4);
	assert_int_equal(get(t + 36, 4) % 64, 0);
	assert_int_equal(get(t + 36, 4), get(t + 132, 8));
	assert_int_equal(get(t + 40, 4), get(t + 140, 8));
	table_at(get(t + 140, 8), "DSDT");
	assert_int_equal(get(t + 46, 2), 9);
	assert_int_equal(get(t + 56, 4), 0x600);
	assert_int_equal(get(t + 64, 4), 0x604);
	assert_int_equal(get(t + 76, 4), 0x608);
	assert_int_equal(get(t + 80, 4), 0x60c);
	assert_int_equal(t[92], 4);
	assert_int_equal(get(t + 108, 1), 0x32);
	/* An 8042, and a VGA: both are on each board. */
	assert_int_equal(get(t + 109, 2), 0x0003);
	assert_int_equal(get(t + 112, 4), 0x0565);
	assert_int_equal(get(t + 116 + 4, 8), 0xcf9);
	assert_int_equal(t[128], 0x06);
	assert_int_equal(get(t + 148 + 4, 8), 0x600);
	assert_int_equal(get(t + 172 + 4, 8), 0x604);
	assert_int_equal(get(t + 208 + 4, 8), 0x608);
	assert_int_equal(get(t + 220 + 4, 8), 0x60c);
}

static void test_madt(void **state)
{
	const uint8_t *t = find_table("APIC"), *e, *end = t + get(t + 4, 4);
	unsigned int lapics = 0, ioapics = 0, overrides = 0, nmis = 0;

	(void)state;
	assert_int_equal(get(t + 36, 4), 0xfee00000);
	assert_int_equal(get(t + 40, 4), 1);
	for (e = t + 44; e < end; e += e[1]) {
		assert_true(e[1] >= 6 && e + e[1] <= end);
		if (e[0] == 0) {
			assert_int_equal(e[3], lapics);
			assert_int_equal(get(e + 4, 4), 1);
			lapics++;
		} else if (e[0] == 1) {
			assert_int_equal(e[2], 2);
			assert_int_equal(get(e + 4, 4), 0xfec00000);
			ioapics++;
		} else if (e[0] == 2) {
			assert_int_equal(get(e + 4, 4), e[3] ? e[3] : 2);
			assert_int_equal(get(e + 8, 2), e[3] ? 0x0d : 0);
			overrides++;
		} else if (e[0] == 4) {
			assert_int_equal(e[5], 1);
			nmis++;
		}
	}
	assert_int_equal(lapics, 2);
	assert_int_equal(ioapics, 1);
	assert_int_equal(overrides, 2);
	assert_int_equal(nmis, 1);
}

static void test_hpet(void **state)
{
	const uint8_t *t = find_table("HPET");

	(void)state;
	assert_int_equal(get(t + 36, 4), 0x8086a201);
	assert_int_equal(t[40], 0);
	assert_int_equal(get(t + 44, 8), 0xfed00000);
}

/* At every size that is too small it says so and stays within. */
static void test_too_small(void **state)
{
	size_t need = hv_acpi_write(&machine, area, sizeof(area), HV_ACPI_GPA), size;

	(void)state;
	assert_true(need > 2000 && need < sizeof(area));
	for (size = 0; size < need; size += size < need - 400 ? 37 : 1) {
		uint8_t *exact = malloc(size ? size : 1);

		assert_non_null(exact);
		assert_int_equal(hv_acpi_write(&machine, exact, size, HV_ACPI_GPA), 0);
		free(exact);
	}
	assert_int_equal(hv_acpi_write(&machine, area, need, HV_ACPI_GPA), need);
}

static void test_slots(void **state)
{
	struct hv_acpi_config config = machine;
	size_t all = hv_acpi_write(&machine, area, sizeof(area), HV_ACPI_GPA), few;

	(void)state;
	config.pci_slots = 33;
	assert_int_equal(hv_acpi_write(&config, area, sizeof(area), HV_ACPI_GPA), 0);
	assert_int_equal(hv_mptable_write(&config, area, sizeof(area), HV_MPTABLE_GPA), 0);
	config.pci_slots = 4;
	few = hv_acpi_write(&config, area, sizeof(area), HV_ACPI_GPA);
	assert_true(few && few < all - 2000);
	/* The board's own two, the bridge among them, use no INTx. */
	config.pci_slots = 2;
	assert_true(hv_acpi_write(&config, area, sizeof(area), HV_ACPI_GPA) < few);
	assert_int_equal(hv_mptable_write(&config, area, sizeof(area), HV_MPTABLE_GPA),
			 16 + 44 + 2 * 20 + 3 * 8 + 17 * 8);
}

/* One entry of _PRT: Package { slot << 16 | 0xffff, pin, Zero, interrupt }. */
static void expect_route(const uint8_t *dsdt, unsigned int slot, unsigned int pin, uint8_t to,
			 unsigned int where)
{
	uint8_t want[] = {
		0x04, 0x0c, 0xff, 0xff, (uint8_t)slot, 0x00, 0x0a, (uint8_t)pin, 0x00, 0x0a, to,
	};
	const uint8_t *hit = dsdt, *end = dsdt + get(dsdt + 4, 4);
	size_t len = sizeof(want);

	/* ZeroOp and OneOp are pins 0 and 1. */
	if (pin < 2) {
		want[6] = (uint8_t)pin;
		memmove(want + 7, want + 8, 3);
		len--;
	}
	for (unsigned int i = 0; i <= where; i++) {
		hit = memmem(hit, (size_t)(end - hit), want, len - 1);
		assert_non_null(hit);
		hit += len - 1;
	}
	assert_int_equal(*hit, to);
}

/* By the I/O APIC, then by the 8259s: where hv_pci_set_intx() makes them come. */
static void test_routes(void **state)
{
	const uint8_t *dsdt = table_at(get(find_table("FACP") + 140, 8), "DSDT");

	(void)state;
	for (unsigned int slot = 2; slot < 32; slot++)
		for (unsigned int pin = 0; pin < 4; pin++) {
			unsigned int line = hv_pci_intx_line(slot * 8, pin + 1);

			expect_route(dsdt, slot, pin, (uint8_t)(16 + line), 0);
			expect_route(dsdt, slot, pin, machine.pci_irq[line], 1);
		}
}

static void test_cpus_out_of_range(void **state)
{
	struct hv_acpi_config config = machine;

	(void)state;
	config.cpus = 0;
	assert_int_equal(hv_acpi_write(&config, area, sizeof(area), HV_ACPI_GPA), 0);
	assert_int_equal(hv_mptable_write(&config, area, sizeof(area), HV_MPTABLE_GPA), 0);
	config.cpus = HV_ACPI_MAX_CPUS + 1;
	assert_int_equal(hv_acpi_write(&config, area, sizeof(area), HV_ACPI_GPA), 0);
	assert_int_equal(hv_mptable_write(&config, area, sizeof(area), HV_MPTABLE_GPA), 0);
	config.cpus = HV_ACPI_MAX_CPUS;
	assert_true(hv_acpi_write(&config, area, sizeof(area), HV_ACPI_GPA));
	assert_true(hv_mptable_write(&config, area, HV_MPTABLE_SIZE, HV_MPTABLE_GPA));
	/* vmm/machine_tables.c has room for as many bytes, and no more. */
	assert_true(hv_acpi_write(&config, area, 0x4000, HV_ACPI_GPA));
	assert_true(hv_mptable_write(&config, area, 0x4000, HV_MPTABLE_GPA));
}

static void test_aml_encoding(void **state)
{
	static const uint8_t want[] = {
		0x08, '_',  'A',  'D',  'R',  0x00, 0x01, 0x0a, 0x02, 0x0b, 0x00,
		0x01, 0x0c, 0x00, 0x00, 0x01, 0x00, 0x0c, 0x41, 0xd0, 0x05, 0x01,
		0x10, 0x88, 0x00, 0x00, '\\', 'X',  '_',  '_',  '_',
	};
	uint8_t buf[64];
	struct hv_aml aml;

	(void)state;
	hv_aml_init(&aml, buf, sizeof(buf));
	hv_aml_name(&aml, "_ADR");
	hv_aml_integer(&aml, 0);
	hv_aml_integer(&aml, 1);
	hv_aml_integer(&aml, 2);
	hv_aml_integer(&aml, 0x100);
	hv_aml_integer(&aml, 0x10000);
	hv_aml_eisa_id(&aml, "PNP0501");
	hv_aml_scope(&aml, "\\X");
	hv_aml_end(&aml);
	assert_false(aml.overflow);
	assert_int_equal(aml.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

/* ---------------------------------------------------------------- with iasl */

static char dir[] = "/tmp/hv-acpi-XXXXXX";

static void write_file(const char *name, const uint8_t *t)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(t, 1, get(t + 4, 4), file), get(t + 4, 4));
	assert_int_equal(fclose(file), 0);
}

static int shell(const char *fmt, const char *arg)
{
	char command[256];

	snprintf(command, sizeof(command), fmt, dir, arg);
	return system(command);
}

static bool dsl_has(const char *name, const char *text)
{
	char command[256];

	snprintf(command, sizeof(command), "grep -qF '%s' %s/%s.dsl", text, dir, name);
	return !system(command);
}

/* Disassembles without a complaint; a definition block also compiles again. */
static void disassemble(const char *name, const uint8_t *t)
{
	write_file(name, t);
	assert_int_equal(shell("cd %s && iasl -d %s.dat >log 2>&1", name), 0);
	assert_int_not_equal(shell("grep -qiE 'error|warning|invalid|incorrect' %s/log", ""), 0);
	assert_int_not_equal(shell("grep -qiE 'error|warning|invalid|incorrect' %s/%s.dsl", name),
			     0);
}

static void test_iasl(void **state)
{
	const uint8_t *fadt = find_table("FACP");

	(void)state;
	if (system("command -v iasl >/dev/null")) {
		print_message("no iasl here (package acpica-tools)\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	disassemble("FACP", fadt);
	disassemble("APIC", find_table("APIC"));
	disassemble("HPET", find_table("HPET"));
	disassemble("DSDT", table_at(get(fadt + 140, 8), "DSDT"));
	assert_true(dsl_has("DSDT", "Device (COM1)"));
	assert_true(dsl_has("DSDT", "Device (COM2)"));
	assert_false(dsl_has("DSDT", "Device (COM3)"));
	assert_true(dsl_has("DSDT", "EisaId (\"PNP0501\")"));
	assert_true(dsl_has("DSDT", "EisaId (\"PNP0A03\")"));
	assert_true(dsl_has("DSDT", "Method (_PRT, 0, NotSerialized)"));
	assert_true(dsl_has("DSDT", "Device (VGEN)"));
	assert_true(dsl_has("DSDT", "0xFEF00000"));
	assert_true(dsl_has("DSDT", "Method (_E05, 0, NotSerialized)"));
	assert_true(dsl_has("DSDT", "Notify (\\_SB.VGEN, 0x80)"));
	assert_int_equal(shell("cd %s && iasl -p again %s.dsl >log 2>&1", "DSDT"), 0);
	assert_int_equal(shell("grep -q ' 0 Errors, 0 Warnings' %s/log%s", ""), 0);
	assert_int_equal(shell("rm -r %s%s", ""), 0);
}

/* ----------------------------------------------------------------- MP table */

static void test_mptable(void **state)
{
	static const uint8_t size_of[] = { 20, 8, 8, 8, 8 };
	unsigned int count[5] = { 0 }, i, entries;
	const uint8_t *t, *e;
	size_t len;

	(void)state;
	len = hv_mptable_write(&machine, area, HV_MPTABLE_SIZE, HV_MPTABLE_GPA);
	assert_memory_equal(area, "_MP_", 4);
	assert_int_equal(get(area + 4, 4), HV_MPTABLE_GPA + 16);
	assert_int_equal(sum(area, 16), 0);
	t = area + 16;
	assert_memory_equal(t, "PCMP", 4);
	assert_int_equal(get(t + 4, 2), len - 16);
	assert_int_equal(sum(t, get(t + 4, 2)), 0);
	entries = (unsigned int)get(t + 34, 2);
	for (i = 0, e = t + 44; i < entries; i++) {
		assert_true(*e <= 4);
		count[*e]++;
		/* ISA 0 is at pin 2, PCI device 2 INTA at pin 17, and so round. */
		if (e[0] == 3 && e[4] == 1 && e[5] == 0)
			assert_int_equal(e[7], 2);
		if (e[0] == 3 && e[4] == 0)
			assert_int_equal(e[7], 16 + ((e[5] >> 2) - 1 + (e[5] & 3)) % 4);
		e += size_of[*e];
	}
	assert_ptr_equal(e, t + get(t + 4, 2));
	assert_int_equal(count[0], 2);
	assert_int_equal(count[1], 2);
	assert_int_equal(count[2], 1);
	assert_int_equal(count[3], 15 + 30 * 4);
	assert_int_equal(count[4], 2);
}

static void test_mptable_too_small(void **state)
{
	size_t need = hv_mptable_write(&machine, area, HV_MPTABLE_SIZE, HV_MPTABLE_GPA), size;

	(void)state;
	for (size = 0; size < need; size++) {
		uint8_t *exact = malloc(size ? size : 1);

		assert_non_null(exact);
		assert_int_equal(hv_mptable_write(&machine, exact, size, HV_MPTABLE_GPA), 0);
		free(exact);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rsdp, setup),
		cmocka_unit_test_setup(test_rsdt, setup),
		cmocka_unit_test_setup(test_fadt, setup),
		cmocka_unit_test_setup(test_madt, setup),
		cmocka_unit_test_setup(test_hpet, setup),
		cmocka_unit_test_setup(test_too_small, setup),
		cmocka_unit_test(test_slots),
		cmocka_unit_test_setup(test_routes, setup),
		cmocka_unit_test(test_cpus_out_of_range),
		cmocka_unit_test(test_aml_encoding),
		cmocka_unit_test_setup(test_iasl, setup),
		cmocka_unit_test(test_mptable),
		cmocka_unit_test(test_mptable_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
