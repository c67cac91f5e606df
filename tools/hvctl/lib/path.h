/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths that others have written. */
#ifndef HV_LIB_PATH_H
#define HV_LIB_PATH_H

/*
 * @dir/@path if @dir is not NULL and @path is relative, and not "-", which is standard input; else
 * @path. With @before before it; free() it. NULL: no memory.
 */
char *hv_path_join(const char *before, const char *dir, const char *path);

#endif
