// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cleaning text: UTF-8 by the Unicode Standard, "Well-Formed UTF-8 Byte Sequences". And which
 * word somebody may have meant.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "text.h"

static unsigned int expected_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* The character at @in; 0xfffffff if it is none. */
static uint32_t decode(const uint8_t *in, unsigned int bytes)
{
	static const uint8_t mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = in[0] & mask[bytes];

	for (unsigned int i = 1; i < bytes; i++) {
		if ((in[i] & 0xc0) != 0x80)
			return UINT32_MAX;
		c = c << 6 | (in[i] & 0x3f);
	}
	if (c < least[bytes] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return UINT32_MAX;
	return c;
}

static int is_shown(uint32_t c)
{
	return c >= ' ' && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != UINT32_MAX;
}

size_t hv_text_clean(char *out, size_t room, const char *in, size_t len)
{
	size_t done = 0;

	for (size_t i = 0; i < len;) {
		unsigned int bytes = expected_length(in[i]);
		uint32_t c = bytes && bytes <= len - i ? decode((const uint8_t *)in + i, bytes) :
							 UINT32_MAX;

		if (c == UINT32_MAX)
			bytes = 1;
		if (done + bytes >= room)
			break;
		if (is_shown(c)) {
			memmove(out + done, in + i, bytes);
			done += bytes;
		} else {
			out[done++] = '?';
		}
		i += bytes;
	}
	out[done] = '\0';
	return done;
}

/* ---------------------------------------------------------------- likeness */

#define WORD_MAX 32

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: one row for each character of @word, of which the last three are kept;
 * row[j] is the distance to the first j characters of @known.
 */
unsigned int hv_text_distance(const char *word, const char *known)
{
	size_t m = strnlen(word, WORD_MAX), n = strnlen(known, WORD_MAX);
	unsigned int rows[3][WORD_MAX + 1];

	if (m >= 2 && m < n && !strncasecmp(word, known, m))
		return 1;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= m; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= n; j++) {
			bool same = is_same(word[i - 1], known[j - 1]);

			row[j] = least(least(row[j - 1], above[j]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && is_same(word[i - 1], known[j - 2]) &&
			    is_same(word[i - 2], known[j - 1]))
				row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[m % 3][n];
}

/* One slip in three characters. */
bool hv_text_is_like(const char *word, const char *known)
{
	size_t m = strlen(word), n = strlen(known);

	return hv_text_distance(word, known) * 3 <= (m > n ? m : n);
}
