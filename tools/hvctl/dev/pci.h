/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI bus behind configuration mechanism #1, and what devices need of it:
 * configuration space, BARs, INTx. Its host bridge is a device: i440fx.h.
 *
 * A device: hv_pci_device_init() with its ids, hv_pci_device_set_bar() or _bar64() for
 * each BAR, hv_pci_add() at a device number. When all are there, hv_pci_assign() does
 * a BIOS's work, so that guests without resource allocation find them too.
 */
#ifndef HV_DEV_PCI_H
#define HV_DEV_PCI_H

#include "cf9.h"
#include "dev.h"

#define HV_PCI_ADDRESS 0xcf8
#define HV_PCI_DATA 0xcfc
#define HV_PCI_FUNCTIONS 256		/* of bus 0; device number * 8 + function number */
#define HV_PCI_CONFIG 256
#define HV_PCI_BARS 6
#define HV_PCI_INTX 4			/* lines A to D */

struct hv_pci;
struct hv_pci_device;

struct hv_pci_ids {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code;		/* base class, sub-class, interface: 24 bits */
	uint8_t revision;
	uint8_t intx;			/* 0: none, 1: INTA ... 4: INTD */
};

struct hv_pci_bar {
	struct hv_pci_device *device;
	struct hv_region region;	/* .len 0: no such BAR */
	uint8_t reg;			/* where its address stands */
	uint8_t enable;			/* bit 0 there turns it on; 0: the command register does */
	bool wide;			/* 64 bits: the next register belongs to it */
	bool decodes;			/* the device is to answer there */
	bool mapped;			/* and it does */
	uint64_t told;			/* where it was when moved() last heard of it; 0: nowhere */
};

struct hv_pci_device {
	struct hv_pci *pci;		/* NULL: not added */
	uint8_t devfn;
	uint8_t config[HV_PCI_CONFIG];
	uint8_t writable[HV_PCI_CONFIG];	/* bits that the guest can write */
	uint8_t clearable[HV_PCI_CONFIG];	/* bits that it clears by writing 1 */
	struct hv_pci_bar bar[HV_PCI_BARS];
	bool intx_level;
	uint8_t next_capability;	/* where there is room for one */
	/* The guest is about to read configuration space there; may be NULL. */
	void (*reading)(void *dev, unsigned int offset, unsigned int width);
	/* Configuration space was written there, or all of it loaded; may be NULL. */
	void (*written)(void *dev, unsigned int offset, unsigned int width);
	/*
	 * BAR @n is not where it was told to be before, or is at @where now; 0: nowhere. Of several
	 * all have left before one comes to where another was. May be NULL.
	 */
	void (*moved)(void *dev, unsigned int n, uint64_t where);
	void *dev;
};

struct hv_pci_config {
	struct hv_bus *bus;
	struct hv_cf9 *cf9;		/* byte accesses to CF9h; may be NULL */
	/* INTx lines: .line is the first of HV_PCI_INTX consecutive lines. */
	struct hv_irq intx;
	/* What the interrupt line register says for each of them, for guests without ACPI. */
	uint8_t legacy_irq[HV_PCI_INTX];
};

struct hv_pci {
	struct hv_pci_config config;
	struct hv_region address_region, data_region;
	uint32_t address;
	struct hv_pci_device *function[HV_PCI_FUNCTIONS];
	unsigned int intx_count[HV_PCI_INTX];	/* devices that assert the line */
};

struct hv_pci_state {
	uint32_t address;
	uint32_t pad;
};

struct hv_pci_device_state {
	uint8_t config[HV_PCI_CONFIG];
};

/* The bus, with nothing on it. */
int hv_pci_init(struct hv_pci *pci, const struct hv_pci_config *config);
void hv_pci_exit(struct hv_pci *pci);
void hv_pci_reset(struct hv_pci *pci);

void hv_pci_device_init(struct hv_pci_device *device, const struct hv_pci_ids *ids);

/*
 * BAR @n of @size bytes, a power of two: at least 4 for ports, 16 for memory
 * (32-bit, not prefetchable). @access gets offsets into the BAR, and @dev.
 * Returns 0 or -EINVAL. Before hv_pci_add().
 */
int hv_pci_device_set_bar(struct hv_pci_device *device, unsigned int n, enum hv_space space,
			  uint64_t size, hv_access_fn access, void *dev);

/* The same for memory anywhere in 64 bits of addresses: it takes BAR @n + 1, too. */
int hv_pci_device_set_bar64(struct hv_pci_device *device, unsigned int n, uint64_t size,
			    hv_access_fn access, void *dev);

/* Does BAR @n answer now? Its address, whether it does or not. */
bool hv_pci_bar_where(const struct hv_pci_device *device, unsigned int n, uint64_t *base);

/*
 * A window of @size ports that is none of the BARs, as chipsets have them: its address at
 * offset @reg, whose bit 0 reads 1, turned on by bit 0 of @enable, which is writable. It
 * takes the place of BAR @n, and the firmware that writes it: hv_pci_assign() leaves it alone.
 */
int hv_pci_device_set_window(struct hv_pci_device *device, unsigned int n, uint8_t reg,
			     uint8_t enable, uint16_t size, hv_access_fn access, void *dev);

/*
 * Append a capability of @len bytes; returns its offset or -ENOSPC. Nothing of it is writable
 * yet.
 */
int hv_pci_device_add_capability(struct hv_pci_device *device, uint8_t id, unsigned int len);

/* Returns 0, -EINVAL for a bad @devfn, -EEXIST if it is taken. */
int hv_pci_add(struct hv_pci *pci, struct hv_pci_device *device, unsigned int devfn);
/* Its BARs have moved nowhere. */
void hv_pci_remove(struct hv_pci_device *device);

/* How many device numbers are in use, up to the highest. */
unsigned int hv_pci_slots(const struct hv_pci *pci);

/*
 * Give each BAR an address from these ranges and turn decoding on, as firmware
 * does; those of 64 bits, too. Returns 0, or -ENOSPC if a range is too small.
 */
int hv_pci_assign(struct hv_pci *pci, uint64_t port_base, uint64_t port_end, uint64_t mmio_base,
		  uint64_t mmio_end);

/* Assert or release the device's INTx. */
void hv_pci_set_intx(struct hv_pci_device *device, bool level);

/* Which of the four lines pin @intx (1-4) of a device is wired to: in slot 1 INTA is line A. */
unsigned int hv_pci_intx_line(unsigned int devfn, unsigned int intx);

/* Configuration space, little endian; @width 1, 2 or 4, not across its end. */
uint32_t hv_pci_config_read(const struct hv_pci_device *device, unsigned int offset,
			    unsigned int width);
void hv_pci_config_set(struct hv_pci_device *device, unsigned int offset, unsigned int width,
		       uint32_t value);

/* Let the guest write these bits: before hv_pci_add(). */
void hv_pci_config_allow(struct hv_pci_device *device, unsigned int offset, unsigned int width,
			 uint32_t bits);

/* hv_pci_config_set() was called behind hv_pci_add(): BARs and INTx follow. */
void hv_pci_config_follow(struct hv_pci_device *device);

void hv_pci_save(const struct hv_pci *pci, struct hv_pci_state *state);
int hv_pci_check(const struct hv_pci *pci, const struct hv_pci_state *state);
int hv_pci_load(struct hv_pci *pci, const struct hv_pci_state *state);
extern const struct hv_state_kind hv_pci_kind;

/* Load a device that was made like the saved one: its read-only bits must agree. */
void hv_pci_device_save(const struct hv_pci_device *device, struct hv_pci_device_state *state);
int hv_pci_device_check(const struct hv_pci_device *device,
			const struct hv_pci_device_state *state);
int hv_pci_device_load(struct hv_pci_device *device, const struct hv_pci_device_state *state);
extern const struct hv_state_kind hv_pci_device_kind;

#endif
