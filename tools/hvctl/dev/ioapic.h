/* SPDX-License-Identifier: GPL-2.0-only */
/* 82093AA I/O APIC of version 20h: 24 pins that become interrupt messages. */
#ifndef HV_DEV_IOAPIC_H
#define HV_DEV_IOAPIC_H

#include "dev.h"

#define HV_IOAPIC_BASE 0xfec00000ull
#define HV_IOAPIC_LEN 0x1000
#define HV_IOAPIC_PINS 24
#define HV_IOAPIC_VERSION 0x20

/* Delivery modes, as in the redirection table and in MSI data. */
enum hv_delivery {
	HV_DELIVERY_FIXED, HV_DELIVERY_LOWEST, HV_DELIVERY_SMI,
	HV_DELIVERY_NMI = 4, HV_DELIVERY_INIT, HV_DELIVERY_EXTINT = 7,
};

struct hv_ioapic_message {
	uint8_t dest;
	bool logical;
	uint8_t delivery;		/* enum hv_delivery */
	uint8_t vector;
	bool level;			/* its EOI must come back: hv_ioapic_eoi() */
};

struct hv_ioapic_config {
	struct hv_bus *bus;
	uint64_t base;
	uint8_t id;
	void (*deliver)(void *ctx, const struct hv_ioapic_message *message);
	void *ctx;
};

struct hv_ioapic_state {
	uint8_t id;
	uint8_t select;
	uint8_t pad[2];
	uint32_t lines;			/* inputs as they are now */
	uint64_t entry[HV_IOAPIC_PINS];
};

struct hv_ioapic {
	struct hv_ioapic_config config;
	struct hv_region region;
	struct hv_ioapic_state s;
};

int hv_ioapic_init(struct hv_ioapic *ioapic, const struct hv_ioapic_config *config);
void hv_ioapic_exit(struct hv_ioapic *ioapic);
void hv_ioapic_reset(struct hv_ioapic *ioapic);

/* The end of an hv_irq: @ioapic is a struct hv_ioapic, @pin 0-23; @level means asserted. */
void hv_ioapic_set_irq(void *ioapic, unsigned int pin, bool level);

/* A local APIC has broadcast the EOI of a level-triggered @vector. */
void hv_ioapic_eoi(struct hv_ioapic *ioapic, uint8_t vector);

/* Is there a pin that sends an NMI when its line rises? */
bool hv_ioapic_has_nmi(const struct hv_ioapic *ioapic);

/* The vectors of which an EOI is awaited or may be: bit v of @bitmap. */
void hv_ioapic_level_vectors(const struct hv_ioapic *ioapic, uint64_t bitmap[4]);

/* The same message as address and data of an MSI. */
uint64_t hv_ioapic_msi_address(const struct hv_ioapic_message *message);
uint32_t hv_ioapic_msi_data(const struct hv_ioapic_message *message);

void hv_ioapic_save(const struct hv_ioapic *ioapic, struct hv_ioapic_state *state);
int hv_ioapic_check(const struct hv_ioapic *ioapic, const struct hv_ioapic_state *state);
int hv_ioapic_load(struct hv_ioapic *ioapic, const struct hv_ioapic_state *state);
extern const struct hv_state_kind hv_ioapic_kind;

#endif
