/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of the GDB remote protocol: "$BODY#SUM", acknowledgements, and an interrupt. */
#ifndef HV_DEBUG_GDB_PACKET_H
#define HV_DEBUG_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest body, in bytes as they are sent: what the stub calls PacketSize. */
#define HV_GDB_BODY_MAX 4096
/* ... and with what stands around it. */
#define HV_GDB_FRAME_MAX (HV_GDB_BODY_MAX + 4)

enum hv_gdb_token {
	HV_GDB_NOTHING,			/* more is to come */
	HV_GDB_PACKET,			/* a body is there */
	HV_GDB_BROKEN,			/* to be sent again: its sum is wrong, it is too long */
	HV_GDB_ACK,
	HV_GDB_NAK,
	HV_GDB_INTERRUPT
};

struct hv_gdb_parser {
	enum { HV_GDB_OUTSIDE, HV_GDB_INSIDE, HV_GDB_ESCAPED, HV_GDB_SUM1, HV_GDB_SUM2 } state;
	bool too_long;
	uint8_t sum, told;		/* as it is, and as it is said to be */
	size_t len;
	char body[HV_GDB_BODY_MAX + 1];	/* with the escapes taken out, and a 0 behind it */
};

/* The next byte; a body stays until the next but one. */
enum hv_gdb_token hv_gdb_parse(struct hv_gdb_parser *parser, uint8_t byte);

/**
 * hv_gdb_frame() - make a packet
 * @frame: filled in
 * @body: any bytes; those with a meaning of their own are escaped
 * @len: how many
 *
 * Returns its length; 0: it is longer than HV_GDB_BODY_MAX.
 */
size_t hv_gdb_frame(char frame[HV_GDB_FRAME_MAX], const char *body, size_t len);

/* Whoever has come to a socket: is it gdb, as far as can be said? */
enum hv_gdb_hello {
	HV_GDB_HELLO_MORE,		/* its first packet is to come */
	HV_GDB_HELLO_YES,
	HV_GDB_HELLO_NO
};

/* By the first @len bytes, of which @room can be kept. */
enum hv_gdb_hello hv_gdb_hello(const char *data, size_t len, size_t room);

#define HV_GDB_REFUSAL_MAX 500
/* An answer that gdb shows its user: "Remote failure reply: E.@why". Returns its length. */
size_t hv_gdb_refusal(char answer[HV_GDB_REFUSAL_MAX], const char *why);

/* Two digits a byte, and a 0 behind them. */
void hv_gdb_hex(char *text, const void *bytes, size_t len);

/* @len bytes of twice as many digits. False: those are no digits, or too few. */
bool hv_gdb_unhex(void *bytes, const char *text, size_t len);

#endif
