// SPDX-License-Identifier: GPL-2.0-only
/* Packets of the GDB remote protocol. What comes in may be anything. */
#include <stdio.h>
#include <string.h>

#include "gdb_packet.h"

#define INTERRUPT_BYTE 3
#define ESCAPE	       '}'
#define ESCAPE_XOR     0x20

static const char digits[] = "0123456789abcdef";

/* -1: it is none */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ------------------------------------------------------------------ to us */

static void begin(struct hv_gdb_parser *parser)
{
	parser->state = HV_GDB_INSIDE;
	parser->len = parser->sum = parser->told = 0;
	parser->too_long = false;
}

static enum hv_gdb_token outside(struct hv_gdb_parser *parser, uint8_t byte)
{
	switch (byte) {
	case '$':
		begin(parser);
		return HV_GDB_NOTHING;
	case '+':
		return HV_GDB_ACK;
	case '-':
		return HV_GDB_NAK;
	case INTERRUPT_BYTE:
		return HV_GDB_INTERRUPT;
	default:
		return HV_GDB_NOTHING;
	}
}

static void append(struct hv_gdb_parser *parser, uint8_t byte)
{
	if (parser->len < HV_GDB_BODY_MAX)
		parser->body[parser->len++] = (char)byte;
	else
		parser->too_long = true;
}

static void inside(struct hv_gdb_parser *parser, uint8_t byte)
{
	if (byte == '$') {
		/* Whoever has begun this one has given it up. */
		begin(parser);
		return;
	}
	if (byte == '#') {
		parser->state = HV_GDB_SUM1;
		return;
	}
	parser->sum += byte;
	if (byte == ESCAPE)
		parser->state = HV_GDB_ESCAPED;
	else
		append(parser, byte);
}

static void sum_digit(struct hv_gdb_parser *parser, uint8_t byte)
{
	int value = digit((char)byte);

	/* Without a sum there is no right one. */
	if (value < 0)
		parser->too_long = true;
	parser->told = (uint8_t)(parser->told << 4 | (value & 15));
}

static enum hv_gdb_token finish(struct hv_gdb_parser *parser)
{
	parser->state = HV_GDB_OUTSIDE;
	parser->body[parser->len] = 0;
	return parser->too_long || parser->told != parser->sum ? HV_GDB_BROKEN : HV_GDB_PACKET;
}

enum hv_gdb_token hv_gdb_parse(struct hv_gdb_parser *parser, uint8_t byte)
{
	switch (parser->state) {
	case HV_GDB_OUTSIDE:
		return outside(parser, byte);
	case HV_GDB_INSIDE:
		inside(parser, byte);
		return HV_GDB_NOTHING;
	case HV_GDB_ESCAPED:
		parser->sum += byte;
		append(parser, byte ^ ESCAPE_XOR);
		parser->state = HV_GDB_INSIDE;
		return HV_GDB_NOTHING;
	case HV_GDB_SUM1:
		sum_digit(parser, byte);
		parser->state = HV_GDB_SUM2;
		return HV_GDB_NOTHING;
	case HV_GDB_SUM2:
		sum_digit(parser, byte);
		return finish(parser);
	}
	return HV_GDB_NOTHING;
}

/* ---------------------------------------------------------------- from us */

static bool is_special(char c)
{
	return c == '$' || c == '#' || c == '*' || c == ESCAPE;
}

size_t hv_gdb_frame(char frame[HV_GDB_FRAME_MAX], const char *body, size_t len)
{
	uint8_t sum = 0;
	size_t at = 1;

	frame[0] = '$';
	for (size_t i = 0; i < len; i++) {
		if (at + 2 > HV_GDB_BODY_MAX + 1)
			return 0;
		if (is_special(body[i]))
			frame[at++] = ESCAPE;
		frame[at++] = is_special(body[i]) ? body[i] ^ ESCAPE_XOR : body[i];
	}
	for (size_t i = 1; i < at; i++)
		sum += (uint8_t)frame[i];
	frame[at++] = '#';
	frame[at++] = digits[sum >> 4];
	frame[at++] = digits[sum & 15];
	return at;
}

/* --------------------------------------------------------------- numbers */

void hv_gdb_hex(char *text, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[from[i] >> 4];
		*text++ = digits[from[i] & 15];
	}
	*text = 0;
}

bool hv_gdb_unhex(void *bytes, const char *text, size_t len)
{
	uint8_t *to = bytes;

	for (size_t i = 0; i < len; i++) {
		int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* -------------------------------------------------------------------- hello */

enum hv_gdb_hello hv_gdb_hello(const char *data, size_t len, size_t room)
{
	static const char first[] = { '+', '-', '$', INTERRUPT_BYTE };

	if (!len)
		return HV_GDB_HELLO_MORE;
	if (!memchr(first, *data, sizeof(first)))
		return HV_GDB_HELLO_NO;
	if (memchr(data, '$', len))
		return HV_GDB_HELLO_YES;
	return len < room ? HV_GDB_HELLO_MORE : HV_GDB_HELLO_NO;
}

size_t hv_gdb_refusal(char answer[HV_GDB_REFUSAL_MAX], const char *why)
{
	char body[HV_GDB_REFUSAL_MAX / 2 - 4], frame[HV_GDB_FRAME_MAX];
	size_t frame_len;

	snprintf(body, sizeof(body), "E.%s", why);
	frame_len = hv_gdb_frame(frame, body, strlen(body));
	*answer = '+';
	memcpy(answer + 1, frame, frame_len);
	return frame_len + 1;
}
