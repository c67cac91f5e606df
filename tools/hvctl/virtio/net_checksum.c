// SPDX-License-Identifier: GPL-2.0-only
/* The Internet's checksum: RFC 1071. */
#include <string.h>

#include "net_checksum.h"

/* In the byte order of memory, which its sum does not depend on. */
static uint64_t sum_up(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;
	uint32_t word;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, data, len);
	return sum + word;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool hv_net_finish_checksum(const struct virtio_net_hdr_v1 *header, uint8_t *frame, size_t len)
{
	size_t start = header->csum_start, at = start + header->csum_offset;
	uint16_t checksum;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	if (at + sizeof(checksum) > len)
		return false;
	checksum = (uint16_t)~fold(sum_up(frame + start, len - start));
	/* 0 says of a UDP datagram that it has none; both are the same number. */
	checksum = checksum ?: 0xffff;
	memcpy(frame + at, &checksum, sizeof(checksum));
	return true;
}
