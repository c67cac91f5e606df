// SPDX-License-Identifier: GPL-2.0-only
/* Names of VMs: what may be one, and what is one where nobody gives any. */
#include <stdio.h>
#include <string.h>

#include "name.h"

/* Whatever the locale thinks of letters. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

static bool may_follow(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '.';
}

bool hv_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > HV_NAME_MAX || !is_alnum(*name))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!may_follow(name[i]))
			return false;
	return true;
}

/* Without ".bin", ".elf", ".img", but with all of "vmlinuz-6.1.0-18-amd64" */
static size_t stem_len(const char *file)
{
	const char *dot = strrchr(file, '.');
	size_t letters = 0;

	while (dot && is_alnum(dot[1 + letters]))
		letters++;
	if (!dot || dot == file || dot[1 + letters] || letters > 3 || !is_letter(dot[1]))
		return strlen(file);
	return dot - file;
}

void hv_name_make(char name[HV_NAME_MAX + 1], const char *image, int pid)
{
	const char *file = strrchr(image, '/');
	char end[16];
	size_t len, room;

	file = file ? file + 1 : image;
	if (!is_alnum(*file))
		file = "vm";
	room = HV_NAME_MAX - snprintf(end, sizeof(end), "-%d", pid);
	len = stem_len(file);
	if (len > room)
		len = room;
	snprintf(name, HV_NAME_MAX + 1, "%.*s%s", (int)len, file, end);
	for (size_t i = 0; i < len; i++)
		if (!may_follow(name[i]))
			name[i] = '-';
}
