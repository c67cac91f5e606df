// SPDX-License-Identifier: GPL-2.0-only
/* Buffers in pieces. */
#include <string.h>

#include "iov.h"

unsigned int hv_iov_cut(const struct iovec *from, unsigned int nr, uint64_t offset, uint64_t len,
			struct iovec *to)
{
	unsigned int count = 0;

	for (; nr && len; nr--, from++) {
		uint64_t part;

		if (offset >= from->iov_len) {
			offset -= from->iov_len;
			continue;
		}
		part = from->iov_len - offset;
		part = part < len ? part : len;
		to[count++] = (struct iovec){ (char *)from->iov_base + offset, part };
		offset = 0;
		len -= part;
	}
	return count;
}

size_t hv_iov_copy(const struct iovec *iov, unsigned int nr, uint64_t offset, void *buf, size_t len,
		   bool in)
{
	size_t done = 0;

	for (; nr && done < len; nr--, iov++) {
		size_t part;
		char *at;

		if (offset >= iov->iov_len) {
			offset -= iov->iov_len;
			continue;
		}
		at = (char *)iov->iov_base + offset;
		part = iov->iov_len - offset;
		part = part < len - done ? part : len - done;
		if (in)
			memcpy(at, (char *)buf + done, part);
		else
			memcpy((char *)buf + done, at, part);
		done += part;
		offset = 0;
	}
	return done;
}
