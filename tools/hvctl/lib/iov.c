// SPDX-License-Identifier: GPL-2.0-only
/* Buffers in pieces. */
#include <string.h>

#include "iov.h"

/*
 * What a buffer has from @offset on, @len bytes at the most; none if that is behind it. @offset is
 * then the next one's.
 */
static struct iovec part_of(const struct iovec *iov, uint64_t *offset, uint64_t len)
{
	struct iovec part;

	if (*offset >= iov->iov_len) {
		*offset -= iov->iov_len;
		return (struct iovec){ 0 };
	}
	part = (struct iovec){ (char *)iov->iov_base + *offset, iov->iov_len - *offset };
	if (part.iov_len > len)
		part.iov_len = len;
	*offset = 0;
	return part;
}

unsigned int hv_iov_cut(const struct iovec *from, unsigned int nr, uint64_t offset, uint64_t len,
			struct iovec *to)
{
	unsigned int count = 0;

	for (; nr && len; nr--, from++) {
		struct iovec part = part_of(from, &offset, len);

		if (part.iov_len)
			to[count++] = part;
		len -= part.iov_len;
	}
	return count;
}

size_t hv_iov_copy(const struct iovec *iov, unsigned int nr, uint64_t offset, void *buf, size_t len,
		   bool in)
{
	size_t done = 0;

	for (; nr && done < len; nr--, iov++) {
		struct iovec part = part_of(iov, &offset, len - done);

		if (!part.iov_len)
			continue;
		if (in)
			memcpy(part.iov_base, (char *)buf + done, part.iov_len);
		else
			memcpy((char *)buf + done, part.iov_base, part.iov_len);
		done += part.iov_len;
	}
	return done;
}
