// SPDX-License-Identifier: GPL-2.0-only
/* What firmware finds in fw_cfg, read as firmware does: tables are linked, the ROM is summed. */
#include "dev_test.h"

#include "dev/pc.h"
#include "firmware/fw_files.h"

#define HIGH 0x7fe0000u			/* where firmware puts the tables */

struct fixture {
	struct bench bench;
	struct hv_fw_cfg fw_cfg;
	struct hv_fw_files files;
	struct hv_memory memory;
	struct hv_acpi_config acpi;
	struct hv_fw_kernel kernel;
};

static struct fixture fixture;

static int setup(void **state)
{
	struct fixture *f = &fixture;
	const struct hv_fw_cfg_config config = { .bus = &f->bench.bus, .clock = &f->bench.clock };

	memset(f, 0, sizeof(*f));
	bench_init(&f->bench);
	f->memory = (struct hv_memory){
		.size = 4 * HV_GIB,
		.range = { { 0, 3 * HV_GIB, NULL }, { 4 * HV_GIB, HV_GIB, NULL } },
		.count = 2,
	};
	f->acpi = (struct hv_acpi_config){
		.cpus = 3,
		.ioapic_id = 1,
		.com_ports = 1,
		.pm_base = 0x600,
		.pci_slots = 4,
		.pci_irq = { 10, 11, 5, 7 },
		.port_first = 0xc000,
		.port_last = 0xffff,
		.mmio_first = 0xc0000000,
		.mmio_last = 0xfebfffff,
	};
	*state = f;
	return hv_fw_cfg_init(&f->fw_cfg, &config);
}

static int teardown(void **state)
{
	hv_fw_cfg_exit(&((struct fixture *)*state)->fw_cfg);
	return 0;
}

static void add(struct fixture *f)
{
	assert_int_equal(hv_fw_files_add(&f->files, &f->fw_cfg, &f->memory, &f->acpi, &f->kernel),
			 0);
}

static uint64_t get(const uint8_t *p, unsigned int len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | p[len];
	return value;
}

static void put(uint8_t *p, uint64_t value, unsigned int len)
{
	for (; len--; value >>= 8)
		*p++ = (uint8_t)value;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static uint64_t item(struct fixture *f, uint16_t key, unsigned int len)
{
	uint8_t bytes[8];

	outw(&f->bench, 0x510, key);
	for (unsigned int i = 0; i < len; i++)
		bytes[i] = inb(&f->bench, 0x511);
	return get(bytes, len);
}

/* Read a file by its name; returns its size, 0 if there is none. */
static uint32_t file(struct fixture *f, const char *name, uint8_t *to, size_t room)
{
	static uint8_t dir[4 + 64 * HV_FW_CFG_FILES];
	uint32_t size = 0;

	outw(&f->bench, 0x510, HV_FW_CFG_DIRECTORY);
	for (size_t i = 0; i < sizeof(dir); i++)
		dir[i] = inb(&f->bench, 0x511);
	for (unsigned int i = 0; i < dir[3]; i++) {
		const uint8_t *entry = dir + 4 + 64 * i;

		if (strcmp((const char *)entry + 8, name))
			continue;
		size = (uint32_t)(entry[0] << 24 | entry[1] << 16 | entry[2] << 8 | entry[3]);
		assert_true(size <= room);
		outw(&f->bench, 0x510, (uint16_t)(entry[4] << 8 | entry[5]));
		for (uint32_t at = 0; at < size; at++)
			to[at] = inb(&f->bench, 0x511);
	}
	return size;
}

static void test_numbers(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64];

	add(f);
	assert_int_equal(item(f, 0x03, 8), 4 * HV_GIB);
	assert_int_equal(item(f, 0x05, 2), 3);
	assert_int_equal(item(f, 0x0f, 2), 3);
	assert_int_equal(item(f, 0x0e, 2), 0);
	assert_int_equal(item(f, 0x8002, 1), 1);
	assert_int_equal(item(f, 0x08, 4), 0);
	assert_int_equal(item(f, 0x14, 4), 0);
	assert_int_equal(file(f, "etc/e820", bytes, sizeof(bytes)), 40);
	assert_int_equal(get(bytes, 8), 0);
	assert_int_equal(get(bytes + 8, 8), 3 * HV_GIB);
	assert_int_equal(get(bytes + 16, 4), 1);
	assert_int_equal(get(bytes + 20, 8), 4 * HV_GIB);
	assert_int_equal(get(bytes + 28, 8), HV_GIB);
	assert_int_equal(file(f, "etc/system-states", bytes, sizeof(bytes)), 6);
	assert_int_equal(bytes[3], 0);
	assert_int_equal(bytes[5], 0x80 | HV_ACPI_PM_S5);
	assert_int_equal(file(f, "bootorder", bytes, sizeof(bytes)), 0);
	assert_int_equal(file(f, "genroms/tinyvmx-linux.bin", bytes, sizeof(bytes)), 0);
}

static void test_kernel(void **state)
{
	struct fixture *f = *state;
	uint8_t rom[HV_LINUX_ROM_SIZE], order[64];
	const uint8_t *pnp;

	f->kernel = (struct hv_fw_kernel){
		.setup = { "setup", 5 },
		.kernel = { "kernel", 6 },
		.initrd = { "initrd.", 7 },
		.initrd_gpa = 0x3000000,
		.cmdline = "one two",
	};
	add(f);
	assert_int_equal(item(f, 0x07, 4), 0x100000);
	assert_int_equal(item(f, 0x08, 4), 6);
	assert_int_equal(item(f, 0x11, 7), 0x006c656e72656b);
	assert_int_equal(item(f, 0x0a, 4), 0x3000000);
	assert_int_equal(item(f, 0x0b, 4), 7);
	assert_int_equal(item(f, 0x12, 6), 0x647274696e69);
	assert_int_equal(item(f, 0x13, 4), 0x20000);
	assert_int_equal(item(f, 0x14, 4), 8);
	assert_int_equal(item(f, 0x15, 8), 0x006f777420656e6f);
	assert_int_equal(item(f, 0x16, 4), 0x10000);
	assert_int_equal(item(f, 0x17, 4), 5);
	assert_int_equal(item(f, 0x18, 6), 0x007075746573);
	/* A BIOS takes a ROM only with its sum, and boots from it by its PnP header. */
	assert_int_equal(file(f, "genroms/tinyvmx-linux.bin", rom, sizeof(rom)), sizeof(rom));
	assert_int_equal(get(rom, 2), 0xaa55);
	assert_int_equal(rom[2] * 512, sizeof(rom));
	assert_int_equal(rom[3], 0xcb);
	assert_int_equal(sum(rom, sizeof(rom)), 0);
	pnp = rom + get(rom + 0x1a, 2);
	assert_memory_equal(pnp, "$PnP", 4);
	assert_int_equal(sum(pnp, pnp[5] * 16), 0);
	assert_in_range(get(pnp + 0x1a, 2), 0x40, 0x80);
	assert_int_equal(rom[get(pnp + 0x1a, 2)], 0xfa);
	assert_int_equal(file(f, "bootorder", order, sizeof(order)), 31);
	assert_string_equal((char *)order, "/rom@genroms/tinyvmx-linux.bin");
}

/* The script, carried out as firmware does. */
static void run_linker(struct fixture *f, uint8_t *rsdp, uint8_t *tables)
{
	static uint8_t script[HV_ACPI_LINKER_COMMANDS * HV_ACPI_LINKER_COMMAND];
	uint32_t size = file(f, "etc/table-loader", script, sizeof(script));
	unsigned int allocated = 0;

	assert_int_not_equal(size, 0);
	assert_int_equal(size % 128, 0);
	for (const uint8_t *c = script; c < script + size; c += 128) {
		bool is_rsdp = !strcmp((const char *)c + 4, "etc/acpi/rsdp");
		uint8_t *to = is_rsdp ? rsdp : tables;

		assert_true(is_rsdp || !strcmp((const char *)c + 4, "etc/acpi/tables"));
		switch (get(c, 4)) {
		case 1:
			allocated++;
			assert_int_equal(c[0x40], is_rsdp ? 2 : 1);
			break;
		case 2:
			assert_string_equal((const char *)c + 0x3c, "etc/acpi/tables");
			to += get(c + 0x74, 4);
			put(to, get(to, c[0x78]) + HIGH, c[0x78]);
			break;
		case 3:
			/* SeaBIOS subtracts, OVMF assigns: the byte had better be 0. */
			to[get(c + 0x3c, 4)] =
				(uint8_t)-sum(to + get(c + 0x40, 4), get(c + 0x44, 4));
			break;
		default:
			fail();
		}
	}
	assert_int_equal(allocated, 2);
}

/* The same tables as hvctl writes to where firmware has put these. */
static void test_linked_tables(void **state)
{
	static uint8_t tables[HV_ACPI_SIZE], wanted[HV_ACPI_SIZE];
	struct fixture *f = *state;
	uint8_t rsdp[36];
	uint32_t size;

	add(f);
	assert_int_equal(file(f, "etc/acpi/rsdp", rsdp, sizeof(rsdp)), 36);
	size = file(f, "etc/acpi/tables", tables, sizeof(tables));
	run_linker(f, rsdp, tables);
	assert_int_equal(hv_acpi_write(&f->acpi, wanted, sizeof(wanted), HIGH), size);
	assert_memory_equal(rsdp, wanted, 36);
	assert_memory_equal(tables + 36, wanted + 36, size - 36);
}

/* Firmware has moved the PM block, and routed INTx elsewhere: the same size, other numbers. */
static void test_moved(void **state)
{
	static const uint8_t usual[HV_PCI_INTX] = { 10, 11, 5, 7 };
	static const uint8_t routed[HV_PCI_INTX] = { 10, 10, 11, 11 };
	static uint8_t tables[HV_ACPI_SIZE], moved[HV_ACPI_SIZE], wanted[HV_ACPI_SIZE];
	struct fixture *f = *state;
	uint8_t rsdp[36];
	uint32_t size;

	add(f);
	size = file(f, "etc/acpi/tables", tables, sizeof(tables));
	hv_fw_files_update(&f->files, 0x600, usual);
	assert_int_equal(file(f, "etc/acpi/tables", moved, sizeof(moved)), size);
	assert_memory_equal(tables, moved, size);
	hv_fw_files_update(&f->files, 0xb000, usual);
	hv_fw_files_update(&f->files, 0xb000, routed);
	assert_int_equal(file(f, "etc/acpi/tables", moved, sizeof(moved)), size);
	assert_int_equal(file(f, "etc/acpi/rsdp", rsdp, sizeof(rsdp)), 36);
	run_linker(f, rsdp, moved);
	f->acpi.pm_base = 0xb000;
	memcpy(f->acpi.pci_irq, routed, sizeof(routed));
	assert_int_equal(hv_acpi_write(&f->acpi, wanted, sizeof(wanted), HIGH), size);
	assert_memory_equal(moved + 36, wanted + 36, size - 36);
}

/* The page with the generation ID, which firmware does not know of. */
static void test_generation(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[100];

	f->acpi.generation = true;
	add(f);
	assert_int_equal(file(f, "etc/e820", bytes, sizeof(bytes)), 60);
	assert_int_equal(get(bytes + 40, 8), HV_LAYOUT_GENERATION);
	assert_int_equal(get(bytes + 48, 8), 0x1000);
	assert_int_equal(get(bytes + 56, 4), HV_RANGE_RESERVED);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;

	f->acpi.cpus = 0;
	assert_int_equal(hv_fw_files_add(&f->files, &f->fw_cfg, &f->memory, &f->acpi, &f->kernel),
			 -EINVAL);
	f->acpi.cpus = 1;
	assert_int_equal(hv_fw_cfg_add_number(&f->fw_cfg, HV_FW_CFG_SETUP_ADDR, 0, 4), 0);
	assert_int_equal(hv_fw_files_add(&f->files, &f->fw_cfg, &f->memory, &f->acpi, &f->kernel),
			 -EEXIST);
}

#define FW_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FW_TEST(test_numbers), FW_TEST(test_kernel),  FW_TEST(test_linked_tables),
		FW_TEST(test_moved),   FW_TEST(test_refused), FW_TEST(test_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
