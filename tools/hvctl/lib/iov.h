/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers in pieces. */
#ifndef HV_LIB_IOV_H
#define HV_LIB_IOV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * A part of @nr buffers: @len bytes from byte @offset on, into @to, which has room for as many.
 * Returns how many buffers that are.
 */
unsigned int hv_iov_cut(const struct iovec *from, unsigned int nr, uint64_t offset, uint64_t len,
			struct iovec *to);

/*
 * Copy @len bytes between @buf and @nr buffers, from byte @offset of these on; @in: into them.
 * Returns the number of bytes, less than @len where the buffers end.
 */
size_t hv_iov_copy(const struct iovec *iov, unsigned int nr, uint64_t offset, void *buf, size_t len,
		   bool in);

#endif
