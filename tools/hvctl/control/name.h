/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of VMs. */
#ifndef HV_CONTROL_NAME_H
#define HV_CONTROL_NAME_H

#include <stdbool.h>

#define HV_NAME_MAX   64
#define HV_NAME_RULES "up to 64 letters, digits, - _ and ., a letter or a digit first"

struct hv_name {
	char text[HV_NAME_MAX + 1];
};

/* Is it one? HV_NAME_RULES, in ASCII; so it is a file's name, too, and never an option. */
bool hv_name_is_valid(const char *name);

/* One for a VM of @image that process @pid runs: "bzImage-1234". */
void hv_name_make(char name[HV_NAME_MAX + 1], const char *image, int pid);

#endif
