// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables for firmware, and the script by which it links them: commands of 128 bytes,
 * as QEMU hands them to SeaBIOS and OVMF. Pointers in the files are offsets into the file that
 * they point to; firmware adds where it has put that.
 *
 *  1 allocate      04 file   3C alignment   40 zone: 1 high, 2 F segment
 *  2 add pointer   04 file   3C file pointed to   74 offset   78 size
 *  3 checksum      04 file   3C offset of the checksum   40 first byte   44 length
 */
#include <errno.h>
#include <string.h>

#include "acpi_linker.h"
#include "lib/bytes.h"

#define ALLOCATE 1
#define ADD_POINTER 2
#define CHECKSUM 3

#define COMMAND_FILE 0x04
#define COMMAND_REST 0x3c
#define POINTER_OFFSET 0x74
#define POINTER_SIZE 0x78

#define ZONE_HIGH 1
#define ZONE_F_SEGMENT 2

#define RSDP_CHECKSUM 8
#define RSDP_RSDT 16
#define RSDP_XSDT 24
#define RSDP_EXTENDED_CHECKSUM 32
#define RSDP_V1_SIZE 20
#define HEADER_LENGTH 4
#define HEADER_CHECKSUM 9
#define HEADER_SIZE 36
#define FADT_FACS 36
#define FADT_DSDT 40
#define FADT_X_FACS 132
#define FADT_X_DSDT 140

static uint8_t *add_command(struct hv_acpi_files *files, uint32_t command, const char *file)
{
	uint8_t *at = files->linker + files->linker_size;

	files->linker_size += HV_ACPI_LINKER_COMMAND;
	hv_put_le(at, command, 4);
	strcpy((char *)at + COMMAND_FILE, file);
	return at;
}

static void add_allocate(struct hv_acpi_files *files, const char *file, uint32_t align,
			 uint8_t zone)
{
	uint8_t *command = add_command(files, ALLOCATE, file);

	hv_put_le(command + COMMAND_REST, align, 4);
	command[COMMAND_REST + 4] = zone;
}

/* All point to the tables. */
static void add_pointer(struct hv_acpi_files *files, const char *file, uint32_t offset,
			uint8_t size)
{
	uint8_t *command = add_command(files, ADD_POINTER, file);

	strcpy((char *)command + COMMAND_REST, HV_ACPI_TABLES_FILE);
	hv_put_le(command + POINTER_OFFSET, offset, 4);
	command[POINTER_SIZE] = size;
}

/*
 * @bytes: of that file. The checksum is 0 before: SeaBIOS takes the sum of the bytes away from
 * it, OVMF puts that in its place.
 */
static void add_checksum(struct hv_acpi_files *files, const char *file, uint8_t *bytes,
			 uint32_t checksum, uint32_t first, uint32_t len)
{
	uint8_t *command = add_command(files, CHECKSUM, file);

	bytes[checksum] = 0;
	hv_put_le(command + COMMAND_REST, checksum, 4);
	hv_put_le(command + COMMAND_REST + 4, first, 4);
	hv_put_le(command + COMMAND_REST + 8, len, 4);
}

static uint32_t table_length(const struct hv_acpi_files *files, uint32_t table)
{
	return (uint32_t)hv_get_le(files->tables + table + HEADER_LENGTH, 4);
}

static void add_table_checksum(struct hv_acpi_files *files, uint32_t table)
{
	add_checksum(files, HV_ACPI_TABLES_FILE, files->tables, table + HEADER_CHECKSUM, table,
		     table_length(files, table));
}

/* RSDT or XSDT: a header, and pointers of @size bytes. */
static void link_list(struct hv_acpi_files *files, uint32_t table, uint8_t size)
{
	for (uint32_t at = HEADER_SIZE; at < table_length(files, table); at += size)
		add_pointer(files, HV_ACPI_TABLES_FILE, table + at, size);
	add_table_checksum(files, table);
}

static void link_fadt(struct hv_acpi_files *files, uint32_t fadt)
{
	add_pointer(files, HV_ACPI_TABLES_FILE, fadt + FADT_FACS, 4);
	add_pointer(files, HV_ACPI_TABLES_FILE, fadt + FADT_DSDT, 4);
	add_pointer(files, HV_ACPI_TABLES_FILE, fadt + FADT_X_FACS, 8);
	add_pointer(files, HV_ACPI_TABLES_FILE, fadt + FADT_X_DSDT, 8);
	add_table_checksum(files, fadt);
}

static void link_rsdp(struct hv_acpi_files *files)
{
	add_pointer(files, HV_ACPI_RSDP_FILE, RSDP_RSDT, 4);
	add_pointer(files, HV_ACPI_RSDP_FILE, RSDP_XSDT, 8);
	add_checksum(files, HV_ACPI_RSDP_FILE, files->rsdp, RSDP_CHECKSUM, 0, RSDP_V1_SIZE);
	add_checksum(files, HV_ACPI_RSDP_FILE, files->rsdp, RSDP_EXTENDED_CHECKSUM, 0,
		     HV_ACPI_RSDP_SIZE);
}

int hv_acpi_files_write(const struct hv_acpi_config *config, struct hv_acpi_files *files)
{
	uint32_t xsdt;

	memset(files, 0, sizeof(*files));
	files->tables_size = hv_acpi_write(config, files->tables, sizeof(files->tables), 0);
	if (!files->tables_size)
		return -EINVAL;
	/* It goes to a place of its own. */
	memcpy(files->rsdp, files->tables, sizeof(files->rsdp));
	memset(files->tables, 0, sizeof(files->rsdp));
	xsdt = (uint32_t)hv_get_le(files->rsdp + RSDP_XSDT, 8);
	add_allocate(files, HV_ACPI_RSDP_FILE, 16, ZONE_F_SEGMENT);
	add_allocate(files, HV_ACPI_TABLES_FILE, 64, ZONE_HIGH);
	/* The FADT is the first in the list. */
	link_fadt(files, (uint32_t)hv_get_le(files->tables + xsdt + HEADER_SIZE, 8));
	link_list(files, (uint32_t)hv_get_le(files->rsdp + RSDP_RSDT, 4), 4);
	link_list(files, xsdt, 8);
	link_rsdp(files);
	return 0;
}
