/* SPDX-License-Identifier: GPL-2.0-only */
/* The bus master of one ATA channel: it goes through a table of regions in guest memory. */
#ifndef HV_DEV_ATA_DMA_H
#define HV_DEV_ATA_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/memory.h"

#define HV_ATA_DMA_PORTS 8

struct hv_ata_dma_state {
	uint8_t command, status;
	uint8_t last;			/* the region below is the table's last */
	uint8_t pad;
	uint32_t table;
	/* Where it is, while it is active */
	uint32_t next;			/* entry of the table, in bytes */
	uint32_t address, left;		/* of the region: bytes */
};

struct hv_ata_dma {
	const struct hv_memory *memory;
	struct hv_ata_dma_state s;
};

/* Does it run? */
bool hv_ata_dma_is_active(const struct hv_ata_dma *dma);

/**
 * hv_ata_dma_copy() - move bytes between a drive and guest RAM
 * @dma: active
 * @data: the drive's
 * @len: bytes
 * @to_memory: from the drive to RAM
 *
 * The table is read entry by entry, each once. Returns 0; or -ENOSPC: the table is shorter;
 * -EFAULT: what it points to is no RAM, or it is none itself. Then it has stopped.
 */
int hv_ata_dma_copy(struct hv_ata_dma *dma, uint8_t *data, uint32_t len, bool to_memory);

/* All bytes were moved: it stops, unless the table has more. */
void hv_ata_dma_finish(struct hv_ata_dma *dma);
/* The drive has raised its interrupt. */
void hv_ata_dma_interrupt(struct hv_ata_dma *dma);

/* Registers; true: it has been started by this write. */
uint8_t hv_ata_dma_read(const struct hv_ata_dma *dma, uint64_t offset);
bool hv_ata_dma_write(struct hv_ata_dma *dma, uint64_t offset, uint8_t value);

void hv_ata_dma_reset(struct hv_ata_dma *dma);
bool hv_ata_dma_check(const struct hv_ata_dma_state *state);

#endif
