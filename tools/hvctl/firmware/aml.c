// SPDX-License-Identifier: GPL-2.0-only
/*
 * AML, as in the ACPI specification, "ACPI Machine Language (AML) Specification"
 * and "Resource Data Types for ACPI".
 */
#include <assert.h>
#include <string.h>

#include "aml.h"

#define NAME_OP 0x08
#define BYTE_PREFIX 0x0a
#define WORD_PREFIX 0x0b
#define DWORD_PREFIX 0x0c
#define STRING_PREFIX 0x0d
#define SCOPE_OP 0x10
#define BUFFER_OP 0x11
#define PACKAGE_OP 0x12
#define METHOD_OP 0x14
#define DUAL_NAME_PREFIX 0x2e
#define EXT_PREFIX 0x5b
#define DEVICE_OP 0x82
#define ARG0_OP 0x68
#define STORE_OP 0x70
#define NOTIFY_OP 0x86
#define IF_OP 0xa0
#define RETURN_OP 0xa4

#define NAME_LEN 4
#define LENGTH_BYTES 3		/* of a package length in the form we use */

static void aml_bytes(struct hv_aml *aml, const void *bytes, size_t len)
{
	if (aml->overflow || len > aml->size - aml->len) {
		aml->overflow = true;
		return;
	}
	memcpy(aml->buf + aml->len, bytes, len);
	aml->len += len;
}

static void aml_byte(struct hv_aml *aml, uint8_t byte)
{
	aml_bytes(aml, &byte, 1);
}

static void aml_little_endian(struct hv_aml *aml, uint32_t value, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		aml_byte(aml, (uint8_t)(value >> i * 8));
}

void hv_aml_init(struct hv_aml *aml, uint8_t *buf, size_t size)
{
	*aml = (struct hv_aml){ .buf = buf, .size = size };
}

static void aml_segment(struct hv_aml *aml, const char *name, size_t len)
{
	char padded[NAME_LEN];

	assert(len <= NAME_LEN);
	memset(padded, '_', NAME_LEN);
	memcpy(padded, name, len);
	aml_bytes(aml, padded, NAME_LEN);
}

static void aml_name_string(struct hv_aml *aml, const char *name)
{
	const char *dot;

	if (*name == '\\')
		aml_byte(aml, (uint8_t)*name++);
	dot = strchr(name, '.');
	if (dot) {
		aml_byte(aml, DUAL_NAME_PREFIX);
		aml_segment(aml, name, (size_t)(dot - name));
		name = dot + 1;
	}
	aml_segment(aml, name, strlen(name));
}

/*
 * The length comes before what it counts, so room is left for it: always three
 * bytes, which is not the shortest form but one whose own length is known.
 */
static void aml_begin(struct hv_aml *aml)
{
	assert(aml->depth < HV_AML_DEPTH);
	aml->open[aml->depth++] = aml->len;
	aml_little_endian(aml, 0, LENGTH_BYTES);
}

void hv_aml_end(struct hv_aml *aml)
{
	size_t at, len;

	assert(aml->depth);
	at = aml->open[--aml->depth];
	if (aml->overflow)
		return;
	len = aml->len - at;
	assert(len < 1u << 20);
	/* Two more bytes follow; the first holds the low four bits. */
	aml->buf[at] = (uint8_t)(0x80 | (len & 15));
	aml->buf[at + 1] = (uint8_t)(len >> 4);
	aml->buf[at + 2] = (uint8_t)(len >> 12);
}

void hv_aml_scope(struct hv_aml *aml, const char *name)
{
	aml_byte(aml, SCOPE_OP);
	aml_begin(aml);
	aml_name_string(aml, name);
}

void hv_aml_device(struct hv_aml *aml, const char *name)
{
	aml_byte(aml, EXT_PREFIX);
	aml_byte(aml, DEVICE_OP);
	aml_begin(aml);
	aml_name_string(aml, name);
}

void hv_aml_method(struct hv_aml *aml, const char *name, unsigned int args)
{
	aml_byte(aml, METHOD_OP);
	aml_begin(aml);
	aml_name_string(aml, name);
	aml_byte(aml, (uint8_t)(args & 7));
}

void hv_aml_if_name(struct hv_aml *aml, const char *name)
{
	aml_byte(aml, IF_OP);
	aml_begin(aml);
	aml_name_string(aml, name);
}

void hv_aml_package(struct hv_aml *aml, uint8_t elements)
{
	aml_byte(aml, PACKAGE_OP);
	aml_begin(aml);
	aml_byte(aml, elements);
}

void hv_aml_name(struct hv_aml *aml, const char *name)
{
	aml_byte(aml, NAME_OP);
	aml_name_string(aml, name);
}

void hv_aml_integer(struct hv_aml *aml, uint32_t value)
{
	if (value <= 1) { /* ZeroOp and OneOp */
		aml_byte(aml, (uint8_t)value);
	} else if (value <= UINT8_MAX) {
		aml_byte(aml, BYTE_PREFIX);
		aml_byte(aml, (uint8_t)value);
	} else if (value <= UINT16_MAX) {
		aml_byte(aml, WORD_PREFIX);
		aml_little_endian(aml, value, 2);
	} else {
		aml_byte(aml, DWORD_PREFIX);
		aml_little_endian(aml, value, 4);
	}
}

static uint32_t hex_digit(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Three letters of five bits and four digits, and that with the bytes the other way round. */
void hv_aml_eisa_id(struct hv_aml *aml, const char *id)
{
	uint32_t value = 0;
	unsigned int i;

	assert(strlen(id) == 7);
	for (i = 0; i < 3; i++)
		value = value << 5 | ((uint32_t)id[i] - '@');
	for (; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	hv_aml_integer(aml, __builtin_bswap32(value));
}

void hv_aml_string(struct hv_aml *aml, const char *text)
{
	aml_byte(aml, STRING_PREFIX);
	do
		aml_byte(aml, (uint8_t)*text);
	while (*text++);
}

void hv_aml_store_arg0(struct hv_aml *aml, const char *name)
{
	aml_byte(aml, STORE_OP);
	aml_byte(aml, ARG0_OP);
	aml_name_string(aml, name);
}

void hv_aml_notify(struct hv_aml *aml, const char *name, uint8_t value)
{
	aml_byte(aml, NOTIFY_OP);
	aml_name_string(aml, name);
	hv_aml_integer(aml, value);
}

void hv_aml_return_name(struct hv_aml *aml, const char *name)
{
	aml_byte(aml, RETURN_OP);
	aml_name_string(aml, name);
}

/* --------------------------------------------------------------- resources */

static void res_bytes(struct hv_aml_resources *res, const uint8_t *bytes, size_t len)
{
	assert(len <= HV_AML_RESOURCES - res->len);
	memcpy(res->bytes + res->len, bytes, len);
	res->len += len;
}

#define RES(res, ...) do { \
		const uint8_t bytes_[] = { __VA_ARGS__ }; \
		res_bytes(res, bytes_, sizeof(bytes_)); \
	} while (0)
#define LE16(value) (uint8_t)(value), (uint8_t)((value) >> 8)
#define LE32(value) LE16(value), (uint8_t)((value) >> 16), (uint8_t)((value) >> 24)

void hv_aml_add_io(struct hv_aml_resources *res, uint16_t base, uint8_t len)
{
	/* I/O port descriptor: decodes 16 bits; first base, last base, alignment, length */
	RES(res, 0x47, 0x01, LE16(base), LE16(base), 1, len);
}

void hv_aml_add_irq(struct hv_aml_resources *res, unsigned int irq)
{
	/* IRQ descriptor without flags: edge, active high, exclusive */
	RES(res, 0x22, LE16(1u << irq));
}

void hv_aml_add_memory(struct hv_aml_resources *res, uint32_t base, uint32_t len)
{
	/* 32-bit fixed memory descriptor, writable */
	RES(res, 0x86, LE16(9u), 0x01, LE32(base), LE32(len));
}

/* Word address space descriptor: both ends fixed; granularity, first, last, translation, length */
static void res_window16(struct hv_aml_resources *res, uint8_t type, uint8_t flags, uint32_t first,
			 uint32_t last)
{
	RES(res, 0x88, LE16(13u), type, 0x0c, flags, LE16(0u), LE16(first), LE16(last), LE16(0u),
	    LE16(last - first + 1));
}

void hv_aml_add_buses(struct hv_aml_resources *res, uint16_t first, uint16_t last)
{
	res_window16(res, 2, 0, first, last);
}

void hv_aml_add_port_window(struct hv_aml_resources *res, uint16_t first, uint16_t last)
{
	/* ISA and other ports alike */
	res_window16(res, 1, 3, first, last);
}

void hv_aml_add_memory_window(struct hv_aml_resources *res, uint32_t first, uint32_t last)
{
	/* Double word address space descriptor: memory, writable, not cacheable */
	RES(res, 0x87, LE16(23u), 0, 0x0c, 0x01, LE32(0u), LE32(first), LE32(last), LE32(0u),
	    LE32(last - first + 1));
}

void hv_aml_crs(struct hv_aml *aml, const struct hv_aml_resources *res)
{
	static const uint8_t end_tag[] = { 0x79, 0x00 };

	hv_aml_name(aml, "_CRS");
	aml_byte(aml, BUFFER_OP);
	aml_begin(aml);
	hv_aml_integer(aml, (uint32_t)(res->len + sizeof(end_tag)));
	aml_bytes(aml, res->bytes, res->len);
	aml_bytes(aml, end_tag, sizeof(end_tag));
	hv_aml_end(aml);
}
