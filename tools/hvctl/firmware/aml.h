/* SPDX-License-Identifier: GPL-2.0-only */
/* A small writer of AML, the byte code of ACPI's tables: just what our DSDT needs. */
#ifndef HV_FIRMWARE_AML_H
#define HV_FIRMWARE_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HV_AML_DEPTH 8
#define HV_AML_RESOURCES 256

struct hv_aml {
	uint8_t *buf;
	size_t size, len;
	bool overflow;			/* it did not fit: nothing more was written */
	size_t open[HV_AML_DEPTH];	/* where the lengths of the open blocks go */
	unsigned int depth;
};

/* Resource descriptors, gathered before they become a buffer. */
struct hv_aml_resources {
	uint8_t bytes[HV_AML_RESOURCES];
	size_t len;
};

void hv_aml_init(struct hv_aml *aml, uint8_t *buf, size_t size);

/*
 * Blocks; each is closed by hv_aml_end(). Names have up to four letters, "\\" before for the
 * root; of what is in something else, as in "\\_SB.CPU0", two.
 */
void hv_aml_scope(struct hv_aml *aml, const char *name);
void hv_aml_device(struct hv_aml *aml, const char *name);
void hv_aml_method(struct hv_aml *aml, const char *name, unsigned int args);
void hv_aml_if_name(struct hv_aml *aml, const char *name);
void hv_aml_package(struct hv_aml *aml, uint8_t elements);
void hv_aml_end(struct hv_aml *aml);

/* Name (@name, ...): the value is whatever is written next. */
void hv_aml_name(struct hv_aml *aml, const char *name);
void hv_aml_integer(struct hv_aml *aml, uint32_t value);
void hv_aml_string(struct hv_aml *aml, const char *text);
/* A plug and play id, such as "PNP0501". */
void hv_aml_eisa_id(struct hv_aml *aml, const char *id);

/* In methods: Store (Arg0, @name), Notify (@name, @value), Return (@name). */
void hv_aml_store_arg0(struct hv_aml *aml, const char *name);
void hv_aml_notify(struct hv_aml *aml, const char *name, uint8_t value);
void hv_aml_return_name(struct hv_aml *aml, const char *name);

void hv_aml_add_io(struct hv_aml_resources *res, uint16_t base, uint8_t len);
void hv_aml_add_irq(struct hv_aml_resources *res, unsigned int irq);
void hv_aml_add_memory(struct hv_aml_resources *res, uint32_t base, uint32_t len);
/* Windows of a bridge: first and last bus number, port, address. */
void hv_aml_add_buses(struct hv_aml_resources *res, uint16_t first, uint16_t last);
void hv_aml_add_port_window(struct hv_aml_resources *res, uint16_t first, uint16_t last);
void hv_aml_add_memory_window(struct hv_aml_resources *res, uint32_t first, uint32_t last);

/* Name (_CRS, ResourceTemplate () { @res }) */
void hv_aml_crs(struct hv_aml *aml, const struct hv_aml_resources *res);

#endif
