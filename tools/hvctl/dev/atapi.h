/* SPDX-License-Identifier: GPL-2.0-only */
/* A CD-ROM drive: between what goes over the channel (atapi.c) and packets (atapi_packet.c). */
#ifndef HV_DEV_ATAPI_H
#define HV_DEV_ATAPI_H

#include "ata.h"

#define HV_ATAPI_BLOCK 2048

/* Sense keys */
#define HV_ATAPI_NOT_READY 0x2
#define HV_ATAPI_MEDIUM_ERROR 0x3
#define HV_ATAPI_ILLEGAL_REQUEST 0x5
#define HV_ATAPI_UNIT_ATTENTION 0x6
#define HV_ATAPI_ABORTED_COMMAND 0xb

#define HV_ATAPI_EVENT_MAX 3

/* Do what stands in s.packet; or begin to. */
void hv_atapi_packet(struct hv_ata_drive *drive);

/* Blocks of the medium; an odd rest is not seen. */
uint32_t hv_atapi_blocks(const struct hv_ata_drive *drive);

/* The end of it: well, or with the sense that REQUEST SENSE tells. */
void hv_atapi_good(struct hv_ata_drive *drive);
void hv_atapi_bad(struct hv_ata_drive *drive, uint8_t sense, uint8_t asc, uint8_t ascq);

/*
 * @len bytes in the buffer are the answer, of which the host wants no more than @wanted. If it is
 * to wait for the bus master the packet is done once more then: the same must come out.
 */
void hv_atapi_answer(struct hv_ata_drive *drive, uint32_t len, uint32_t wanted);

/* ... or these blocks, which are there; at least one. */
void hv_atapi_read(struct hv_ata_drive *drive, uint32_t lba, uint32_t blocks);

#endif
