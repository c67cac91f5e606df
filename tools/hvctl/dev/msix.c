// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X: PCI Local Bus Specification 3.0, "MSI-X Capability and Table Structures".
 *
 *  capability
 *  00 id 11, next   02 message control: 15 enable, 14 function mask, 10:0 vectors - 1
 *  04 table   08 pending bits: offset in the BAR 2:0
 *
 *  BAR
 *  000 table, 16 bytes a vector: 0 address, 8 data, C vector control: 0 masked
 *  800 pending bits
 */
#include <errno.h>
#include <string.h>

#include "msix.h"

#define CAPABILITY_ID 0x11
#define CAPABILITY_LEN 12
#define CAP_CONTROL 2
#define CAP_TABLE 4
#define CAP_PBA 8

#define CONTROL_ENABLE 0x8000
#define CONTROL_FUNCTION_MASK 0x4000

#define TABLE_LEN (HV_MSIX_VECTORS * sizeof(struct hv_msix_entry))
#define PBA 0x800
_Static_assert(TABLE_LEN <= PBA && PBA + HV_MSIX_VECTORS / 8 <= HV_MSIX_BAR_LEN, "they fit");

/* The lowest bits of an address are 0: messages are 4 bytes, aligned. */
#define ADDRESS_WRITABLE (~3ull)
#define ENTRY_MASKED 1u

static uint32_t control(const struct hv_msix *msix)
{
	return hv_pci_config_read(msix->config.device, msix->capability + CAP_CONTROL, 2);
}

/* ------------------------------------------------------------------ routes */

static bool is_wanted(const struct hv_msix *msix, unsigned int vector)
{
	return (control(msix) & (CONTROL_ENABLE | CONTROL_FUNCTION_MASK)) == CONTROL_ENABLE &&
	       !(msix->entry[vector].control & ENTRY_MASKED);
}

static void set_pending(struct hv_msix *msix, unsigned int vector, bool pending)
{
	if (msix->config.set_pending)
		msix->config.set_pending(msix->config.ctx, vector, pending);
}

/* What was for a message that nobody takes is lost with it. */
static void turn_off(struct hv_msix *msix, unsigned int vector)
{
	struct hv_msix_route *route = &msix->route[vector];

	if (route->wanted && route->refused)
		set_pending(msix, vector, false);
	else if (route->wanted)
		msix->config.route(msix->config.ctx, vector, false, 0, 0);
	route->wanted = false;
}

static void turn_on(struct hv_msix *msix, unsigned int vector)
{
	const struct hv_msix_entry *entry = &msix->entry[vector];
	int err = msix->config.route(msix->config.ctx, vector, true, entry->address, entry->data);

	msix->route[vector] = (struct hv_msix_route){
		.wanted = true,
		.refused = err,
		.address = entry->address,
		.data = entry->data,
	};
}

static void update(struct hv_msix *msix, unsigned int vector)
{
	const struct hv_msix_entry *entry = &msix->entry[vector];
	struct hv_msix_route *route = &msix->route[vector];
	bool wanted = is_wanted(msix, vector);

	if (wanted == route->wanted &&
	    (!wanted || (route->address == entry->address && route->data == entry->data)))
		return;
	turn_off(msix, vector);
	if (wanted)
		turn_on(msix, vector);
}

/* Who uses MSI-X hears of it when all its vectors are as they shall be. */
static void update_all(struct hv_msix *msix)
{
	bool enabled = control(msix) & CONTROL_ENABLE;

	for (unsigned int i = 0; i < msix->config.vectors; i++)
		update(msix, i);
	if (enabled == msix->enabled)
		return;
	msix->enabled = enabled;
	if (msix->config.enabled_changed)
		msix->config.enabled_changed(msix->config.ctx, enabled);
}

/* --------------------------------------------------------------------- BAR */

static bool is_pending(const struct hv_msix *msix, unsigned int vector)
{
	return !msix->route[vector].wanted && msix->config.pending(msix->config.ctx, vector);
}

static uint64_t pending_bits(const struct hv_msix *msix, unsigned int first)
{
	uint64_t bits = 0;

	for (unsigned int i = first; i < first + 64 && i < msix->config.vectors; i++)
		bits |= (uint64_t)is_pending(msix, i) << (i - first);
	return bits;
}

/* Eight bytes of the BAR. */
static uint64_t read_word(const struct hv_msix *msix, uint64_t offset)
{
	unsigned int vector = (unsigned int)(offset / sizeof(struct hv_msix_entry));
	const struct hv_msix_entry *entry;

	if (offset >= PBA)
		return offset < PBA + HV_MSIX_VECTORS / 8 ?
			       pending_bits(msix, (unsigned int)(offset - PBA) * 8) :
			       0;
	if (vector >= msix->config.vectors)
		return 0;
	entry = &msix->entry[vector];
	return offset & 8 ? (uint64_t)entry->control << 32 | entry->data : entry->address;
}

/* Those of its bits that are in @mask. */
static void write_word(struct hv_msix *msix, uint64_t offset, uint64_t bits, uint64_t mask)
{
	unsigned int vector = (unsigned int)(offset / sizeof(struct hv_msix_entry));
	struct hv_msix_entry *entry;
	uint64_t word;

	if (vector >= msix->config.vectors)
		return;
	entry = &msix->entry[vector];
	word = (read_word(msix, offset) & ~mask) | (bits & mask);
	if (offset & 8) {
		entry->data = (uint32_t)word;
		entry->control = word >> 32 & ENTRY_MASKED;
	} else {
		entry->address = word & ADDRESS_WRITABLE;
	}
	update(msix, vector);
}

/*
 * Four or eight bytes, aligned; what others do is undefined: here they read 0 and write nothing.
 * All eight at once make one change of the message.
 */
static void msix_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	unsigned int shift = offset & 4 ? 32 : 0;
	bool whole = width >= 4 && !(offset % width);

	if (!write)
		*value = whole ? read_word(dev, offset & ~7ull) >> shift : 0;
	else if (whole)
		write_word(dev, offset & ~7ull, *value << shift, hv_width_mask(width) << shift);
}

/* ------------------------------------------------------------------- chip */

static void mask_all(struct hv_msix *msix)
{
	memset(msix->entry, 0, sizeof(msix->entry));
	for (unsigned int i = 0; i < msix->config.vectors; i++)
		msix->entry[i].control = ENTRY_MASKED;
}

int hv_msix_init(struct hv_msix *msix, const struct hv_msix_config *config)
{
	struct hv_pci_device *device = config->device;
	int offset, err;

	if (!config->vectors || config->vectors > HV_MSIX_VECTORS)
		return -EINVAL;
	err = hv_pci_device_set_bar64(device, config->bar, HV_MSIX_BAR_LEN, msix_access, msix);
	if (err)
		return err;
	offset = hv_pci_device_add_capability(device, CAPABILITY_ID, CAPABILITY_LEN);
	if (offset < 0)
		return offset;
	memset(msix, 0, sizeof(*msix));
	msix->config = *config;
	msix->capability = (unsigned int)offset;
	mask_all(msix);
	hv_pci_config_set(device, msix->capability + CAP_CONTROL, 2, config->vectors - 1);
	hv_pci_config_allow(device, msix->capability + CAP_CONTROL, 2,
			    CONTROL_ENABLE | CONTROL_FUNCTION_MASK);
	hv_pci_config_set(device, msix->capability + CAP_TABLE, 4, config->bar);
	hv_pci_config_set(device, msix->capability + CAP_PBA, 4, PBA | config->bar);
	return 0;
}

void hv_msix_exit(struct hv_msix *msix)
{
	for (unsigned int i = 0; i < msix->config.vectors; i++)
		turn_off(msix, i);
}

void hv_msix_reset(struct hv_msix *msix)
{
	hv_pci_config_set(msix->config.device, msix->capability + CAP_CONTROL, 2,
			  msix->config.vectors - 1);
	mask_all(msix);
	update_all(msix);
	for (unsigned int i = 0; i < msix->config.vectors; i++)
		set_pending(msix, i, false);
}

void hv_msix_written(struct hv_msix *msix, unsigned int offset, unsigned int width)
{
	unsigned int begin = msix->capability + CAP_CONTROL;

	if (offset < begin + 2 && offset + width > begin)
		update_all(msix);
}

/* ------------------------------------------------------------------- state */

void hv_msix_save(const struct hv_msix *msix, struct hv_msix_state *state)
{
	*state = (struct hv_msix_state){ .vectors = msix->config.vectors };
	for (unsigned int i = 0; i < HV_MSIX_VECTORS; i += 64)
		state->pending[i / 64] = pending_bits(msix, i);
	memcpy(state->entry, msix->entry, sizeof(state->entry));
}

/* Can a table have this entry there? Behind the last vector there is nothing. */
static bool is_entry(const struct hv_msix *msix, unsigned int vector,
		     const struct hv_msix_entry *entry, bool pending)
{
	if (vector >= msix->config.vectors)
		return !entry->address && !entry->data && !entry->control && !pending;
	return !(entry->address & ~ADDRESS_WRITABLE) && !(entry->control & ~ENTRY_MASKED);
}

static bool was_pending(const struct hv_msix_state *state, unsigned int vector)
{
	return state->pending[vector / 64] >> vector % 64 & 1;
}

int hv_msix_check(const struct hv_msix *msix, const struct hv_msix_state *state)
{
	if (state->vectors != msix->config.vectors || state->pad)
		return -EINVAL;
	for (unsigned int i = 0; i < HV_MSIX_VECTORS; i++)
		if (!is_entry(msix, i, &state->entry[i], was_pending(state, i)))
			return -EINVAL;
	return 0;
}

/* What was pending is signalled while no vector is routed: not to where it was before. */
int hv_msix_load(struct hv_msix *msix, const struct hv_msix_state *state)
{
	int err = hv_msix_check(msix, state);

	if (err)
		return err;
	memcpy(msix->entry, state->entry, sizeof(msix->entry));
	for (unsigned int i = 0; i < msix->config.vectors; i++) {
		turn_off(msix, i);
		set_pending(msix, i, was_pending(state, i));
	}
	update_all(msix);
	return 0;
}

HV_STATE_KIND(msix, HV_STATE_MSIX, 1);
