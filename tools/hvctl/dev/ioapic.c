// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O APIC: 24 pins, each with an entry that says what message to send.
 *
 *  memory  00  IOREGSEL  index
 *          10  IOWIN     the register so selected
 *          40  EOI       write a vector: as if a local APIC had broadcast its EOI
 *  index   00  ID        27:24
 *          01  version   23:16 last entry, 7:0 version
 *          02  arbitration ID
 *          10 + 2n, 11 + 2n  entry n, low and high half
 *  entry   63:56 destination, 16 mask, 15 level, 14 remote IRR (read only),
 *          13 active low, 12 delivery status (read only), 11 logical,
 *          10:8 delivery mode, 7:0 vector
 *
 * Lines of this machine carry "asserted", not a voltage, so the polarity bit is
 * kept and has no effect: whatever a guest takes for the active level, it is right.
 *
 * An edge on a masked pin is lost, as the data sheet says; a level is not.
 */
#include <errno.h>
#include <string.h>

#include "ioapic.h"
#include "xapic.h"

#define IOREGSEL 0x00
#define IOWIN 0x10
#define EOI 0x40

#define REG_ID 0x00
#define REG_VERSION 0x01
#define REG_ARBITRATION 0x02
#define REG_ENTRIES 0x10

#define ENTRY_VECTOR 0xffull
#define ENTRY_DELIVERY_SHIFT 8
#define ENTRY_LOGICAL (1ull << 11)
#define ENTRY_STATUS (1ull << 12)
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL (1ull << 15)
#define ENTRY_MASKED (1ull << 16)
#define ENTRY_DEST_SHIFT 56
#define ENTRY_READ_ONLY (ENTRY_STATUS | ENTRY_REMOTE_IRR)
#define ENTRY_BITS (0xffull << ENTRY_DEST_SHIFT | 0x1ffff)

static unsigned int entry_delivery(uint64_t entry)
{
	return entry >> ENTRY_DELIVERY_SHIFT & 7;
}

static void ioapic_send(struct hv_ioapic *ioapic, uint64_t entry)
{
	const struct hv_ioapic_message message = {
		.dest = (uint8_t)(entry >> ENTRY_DEST_SHIFT),
		.logical = entry & ENTRY_LOGICAL,
		.delivery = entry_delivery(entry),
		.vector = (uint8_t)entry,
		.level = entry & ENTRY_LEVEL,
	};

	ioapic->config.deliver(ioapic->config.ctx, &message);
}

static bool entry_is_level(uint64_t entry)
{
	return entry & ENTRY_LEVEL;
}

bool hv_ioapic_has_nmi(const struct hv_ioapic *ioapic)
{
	for (unsigned int pin = 0; pin < HV_IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->s.entry[pin];

		if (!(entry & ENTRY_MASKED) && entry_delivery(entry) == HV_DELIVERY_NMI)
			return true;
	}
	return false;
}

/* Send a level interrupt that is asserted and not in service yet. */
static void pin_update_level(struct hv_ioapic *ioapic, unsigned int pin)
{
	uint64_t *entry = &ioapic->s.entry[pin];

	if (!entry_is_level(*entry) || !(ioapic->s.lines & 1u << pin) ||
	    (*entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
		return;
	/* Before it is sent: its EOI may come back within. */
	*entry |= ENTRY_REMOTE_IRR;
	ioapic_send(ioapic, *entry);
}

void hv_ioapic_set_irq(void *controller, unsigned int pin, bool level)
{
	struct hv_ioapic *ioapic = controller;
	uint32_t bit = 1u << (pin & 31);
	bool rises;

	if (pin >= HV_IOAPIC_PINS)
		return;
	rises = level && !(ioapic->s.lines & bit);
	ioapic->s.lines = level ? ioapic->s.lines | bit : ioapic->s.lines & ~bit;
	if (entry_is_level(ioapic->s.entry[pin]))
		pin_update_level(ioapic, pin);
	else if (rises && !(ioapic->s.entry[pin] & ENTRY_MASKED))
		ioapic_send(ioapic, ioapic->s.entry[pin]);
}

void hv_ioapic_eoi(struct hv_ioapic *ioapic, uint8_t vector)
{
	for (unsigned int pin = 0; pin < HV_IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->s.entry[pin];

		if (!(*entry & ENTRY_REMOTE_IRR) || (*entry & ENTRY_VECTOR) != vector)
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		pin_update_level(ioapic, pin);
	}
}

/* A masked entry may still have its interrupt in service. */
void hv_ioapic_level_vectors(const struct hv_ioapic *ioapic, uint64_t bitmap[4])
{
	memset(bitmap, 0, 4 * sizeof(*bitmap));
	for (unsigned int pin = 0; pin < HV_IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->s.entry[pin];

		if (entry_is_level(entry) &&
		    (entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) != ENTRY_MASKED)
			bitmap[(entry & ENTRY_VECTOR) / 64] |= 1ull << (entry & 63);
	}
}

/*
 * The read-only bits survive, but an entry that turns to edge has no remote IRR:
 * guests switch there and back to get rid of one.
 */
static void pin_write_entry(struct hv_ioapic *ioapic, unsigned int pin, uint64_t value)
{
	uint64_t *entry = &ioapic->s.entry[pin];

	*entry = (value & ENTRY_BITS & ~ENTRY_READ_ONLY) | (*entry & ENTRY_REMOTE_IRR);
	if (!entry_is_level(*entry))
		*entry &= ~ENTRY_REMOTE_IRR;
	pin_update_level(ioapic, pin);
}

static uint32_t ioapic_read_register(const struct hv_ioapic *ioapic)
{
	unsigned int select = ioapic->s.select, pin = (select - REG_ENTRIES) / 2;

	switch (select) {
	case REG_ID:
	case REG_ARBITRATION:
		return (uint32_t)ioapic->s.id << 24;
	case REG_VERSION:
		return (HV_IOAPIC_PINS - 1) << 16 | HV_IOAPIC_VERSION;
	default:
		break;
	}
	if (select < REG_ENTRIES || pin >= HV_IOAPIC_PINS)
		return 0;
	return (uint32_t)(ioapic->s.entry[pin] >> (select & 1 ? 32 : 0));
}

static void ioapic_write_register(struct hv_ioapic *ioapic, uint32_t value)
{
	unsigned int select = ioapic->s.select, pin = (select - REG_ENTRIES) / 2;
	uint64_t entry;

	if (select == REG_ID)
		ioapic->s.id = value >> 24 & 15;
	if (select < REG_ENTRIES || pin >= HV_IOAPIC_PINS)
		return;
	entry = ioapic->s.entry[pin];
	if (select & 1)
		entry = (entry & UINT32_MAX) | (uint64_t)value << 32;
	else
		entry = (entry & ~(uint64_t)UINT32_MAX) | value;
	pin_write_entry(ioapic, pin, entry);
}

/* The three registers are four bytes wide at sixteen-byte distance; the rest is nothing. */
static void ioapic_access(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	struct hv_ioapic *ioapic = dev;

	if (!write)
		*value = 0;
	if (offset == IOREGSEL && write)
		ioapic->s.select = (uint8_t)*value;
	else if (offset == IOREGSEL)
		*value = ioapic->s.select;
	else if (offset == EOI && write)
		hv_ioapic_eoi(ioapic, (uint8_t)*value);
	else if (offset != IOWIN || (write && width < 4))
		return;
	else if (write)
		ioapic_write_register(ioapic, (uint32_t)*value);
	else
		*value = ioapic_read_register(ioapic);
}

/* Intel SDM, "Message Address Register Format" and "Message Data Register Format". */
uint64_t hv_ioapic_msi_address(const struct hv_ioapic_message *message)
{
	/* Logical, and lowest priority, go with the redirection hint. */
	bool hint = message->delivery == HV_DELIVERY_LOWEST;

	return HV_XAPIC_BASE | (uint32_t)message->dest << 12 | (uint32_t)hint << 3 |
	       (uint32_t)message->logical << 2;
}

uint32_t hv_ioapic_msi_data(const struct hv_ioapic_message *message)
{
	return message->vector | (uint32_t)message->delivery << 8 |
	       (message->level ? 1u << 15 | 1u << 14 : 0);
}

void hv_ioapic_reset(struct hv_ioapic *ioapic)
{
	ioapic->s.id = ioapic->config.id & 15;
	ioapic->s.select = 0;
	for (unsigned int pin = 0; pin < HV_IOAPIC_PINS; pin++)
		ioapic->s.entry[pin] = ENTRY_MASKED;
}

int hv_ioapic_init(struct hv_ioapic *ioapic, const struct hv_ioapic_config *config)
{
	memset(ioapic, 0, sizeof(*ioapic));
	ioapic->config = *config;
	hv_ioapic_reset(ioapic);
	ioapic->region = (struct hv_region){
		.name = "ioapic",
		.space = HV_MMIO,
		.base = config->base,
		.len = HV_IOAPIC_LEN,
		.access = ioapic_access,
		.dev = ioapic,
	};
	return hv_bus_register(config->bus, &ioapic->region);
}

void hv_ioapic_exit(struct hv_ioapic *ioapic)
{
	hv_bus_unregister(ioapic->config.bus, &ioapic->region);
}

void hv_ioapic_save(const struct hv_ioapic *ioapic, struct hv_ioapic_state *state)
{
	*state = ioapic->s;
}

int hv_ioapic_check(const struct hv_ioapic *ioapic, const struct hv_ioapic_state *state)
{
	(void)ioapic;
	if (state->id > 15 || (state->pad[0] | state->pad[1]) || state->lines >> HV_IOAPIC_PINS)
		return -EINVAL;
	for (unsigned int pin = 0; pin < HV_IOAPIC_PINS; pin++) {
		uint64_t entry = state->entry[pin];

		if (entry & (~ENTRY_BITS | ENTRY_STATUS))
			return -EINVAL;
		if ((entry & ENTRY_REMOTE_IRR) && !entry_is_level(entry))
			return -EINVAL;
	}
	return 0;
}

/* Nothing is sent: what was on its way is in the state of the local APICs. */
int hv_ioapic_load(struct hv_ioapic *ioapic, const struct hv_ioapic_state *state)
{
	int err = hv_ioapic_check(ioapic, state);

	if (err)
		return err;
	ioapic->s = *state;
	return 0;
}

HV_STATE_KIND(ioapic, HV_STATE_IOAPIC, 1);
