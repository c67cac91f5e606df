/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that people bring and that are no guests. */
#ifndef HV_LOAD_STRANGER_H
#define HV_LOAD_STRANGER_H

#include "file.h"

/* What a file is that would run into nonsense, and what to do, for messages; NULL: not known. */
const char *hv_stranger(const struct hv_file *file);

#endif
