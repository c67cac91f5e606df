// SPDX-License-Identifier: GPL-2.0-only
/* Code and stack of a vCPU that stands still. The guest may have put anything there. */
#include <string.h>

#include "emul/decode.h"
#include "emul/disasm.h"
#include "page_walk.h"
#include "view.h"

/* Around RIP, and up the stack. */
#define BEFORE 4
#define BEHIND 5
#define FRAMES 24

unsigned int hv_view_peek(const struct hv_view *view, uint64_t gla, void *buf, unsigned int bytes)
{
	unsigned int done = 0;

	while (done < bytes) {
		uint64_t at = gla + done;
		unsigned int piece = 4096 - (at & 4095);
		struct hv_page_walk walk;
		const void *ram;

		if (piece > bytes - done)
			piece = bytes - done;
		hv_page_walk(&walk, view->memory, view->sregs, view->gpa_bits, at);
		ram = walk.mapped ? hv_memory_at(view->memory, walk.gpa, piece) : NULL;
		if (!ram)
			break;
		memcpy((uint8_t *)buf + done, ram, piece);
		done += piece;
	}
	return done;
}

unsigned int hv_view_bits(const struct hv_view *view)
{
	return hv_code_bits(view->sregs->efer, view->sregs->seg[TINYVMX_CS].ar);
}

uint64_t hv_view_code(const struct hv_view *view, uint64_t rip)
{
	if (hv_view_bits(view) == 64)
		return rip;
	return (uint32_t)(view->sregs->seg[TINYVMX_CS].base + rip);
}

const char *hv_view_symbol(const struct hv_view *view, uint64_t address, char *text, size_t len)
{
	text[0] = ' ';
	if (!view->find_symbol || !view->find_symbol(view->symbols, address, text + 1, len - 1))
		text[0] = 0;
	return text;
}

/* -------------------------------------------------------------------- code */

/* One line; returns the instruction's length, 0 if there is none. */
static unsigned int print_insn(const struct hv_view *view, uint64_t rip, const char *mark,
			       FILE *out)
{
	uint8_t code[HV_INSN_MAX];
	unsigned int len = hv_view_peek(view, hv_view_code(view, rip), code, sizeof(code)), insn;
	char text[128];

	if (!len) {
		fprintf(out, "%s0x%llx  there is no memory\n", mark, (unsigned long long)rip);
		return 0;
	}
	insn = hv_disasm(code, len, hv_view_bits(view), rip, text, sizeof(text));
	fprintf(out, "%s0x%llx ", mark, (unsigned long long)rip);
	for (unsigned int i = 0; i < (insn ? insn : 1); i++)
		fprintf(out, " %02x", code[i]);
	fprintf(out, "  %s\n", text);
	return insn;
}

void hv_view_print_insns(const struct hv_view *view, uint64_t rip, unsigned int count, FILE *out)
{
	while (count--) {
		unsigned int len = print_insn(view, rip, "  ", out);

		rip += len ? len : 1;
	}
}

/* How many instructions there are from @back bytes before RIP on; 0: they do not end there. */
static unsigned int count_insns(const struct hv_view *view, unsigned int back,
				unsigned int start[HV_INSN_MAX * BEFORE])
{
	uint8_t code[2 * HV_INSN_MAX * BEFORE];
	uint64_t rip = view->regs->rip - back;
	unsigned int at = 0, count = 0;

	if (hv_view_peek(view, hv_view_code(view, rip), code, back) < back)
		return 0;
	while (at < back) {
		char text[128];
		size_t len = hv_disasm(code + at, back - at, hv_view_bits(view), rip + at, text,
				       sizeof(text));

		if (!len)
			return 0;
		start[count++] = back - at;
		at += len;
	}
	return count;
}

/* Code that is read from the wrong byte on soon falls into step: the longest way is the best. */
static void print_before(const struct hv_view *view, FILE *out)
{
	unsigned int start[HV_INSN_MAX * BEFORE], count = 0, back = HV_INSN_MAX * BEFORE;

	for (; back && !count; back--)
		count = count_insns(view, back, start);
	for (unsigned int i = count > BEFORE ? count - BEFORE : 0; i < count; i++)
		print_insn(view, view->regs->rip - start[i], "    ", out);
}

void hv_view_print_code(const struct hv_view *view, FILE *out)
{
	uint64_t rip = view->regs->rip;
	char symbol[200];
	unsigned int len;

	fprintf(out, "code (%u-bit):%s\n", hv_view_bits(view),
		hv_view_symbol(view, rip, symbol, sizeof(symbol)));
	print_before(view, out);
	len = print_insn(view, rip, " => ", out);
	for (unsigned int i = 0; len && i < BEHIND; i++) {
		rip += len;
		len = print_insn(view, rip, "    ", out);
	}
}

/* ------------------------------------------------------------------- stack */

/* What a frame pointer points to. */
struct frame {
	uint64_t up;
	uint64_t caller;
};

static bool read_frame(const struct hv_view *view, uint64_t at, struct frame *frame)
{
	bool wide = hv_view_bits(view) == 64;
	uint32_t narrow[2];

	if (!wide)
		at = (uint32_t)(view->sregs->seg[TINYVMX_SS].base + at);
	if (wide)
		return hv_view_peek(view, at, frame, sizeof(*frame)) == sizeof(*frame);
	if (hv_view_peek(view, at, narrow, sizeof(narrow)) < sizeof(narrow))
		return false;
	*frame = (struct frame){ narrow[0], narrow[1] };
	return true;
}

/* Is there code where a call is said to come from? RBP may be a number like any other. */
static bool is_code(const struct hv_view *view, uint64_t address)
{
	uint8_t byte;

	return address && hv_view_peek(view, hv_view_code(view, address), &byte, 1);
}

/* The stack grows down, so callers' frames lie above: there are no loops. */
void hv_view_print_backtrace(const struct hv_view *view, FILE *out)
{
	uint64_t at = view->regs->gpr[TINYVMX_RBP];
	struct frame frame;
	char symbol[200];

	if (hv_view_bits(view) == 16 || !read_frame(view, at, &frame) ||
	    !is_code(view, frame.caller))
		return;
	fputs("called from (by frame pointers, which may not be any):\n", out);
	for (unsigned int i = 0; i < FRAMES && is_code(view, frame.caller); i++) {
		fprintf(out, "  0x%llx%s\n", (unsigned long long)frame.caller,
			hv_view_symbol(view, frame.caller, symbol, sizeof(symbol)));
		if (frame.up <= at)
			return;
		at = frame.up;
		if (!read_frame(view, at, &frame))
			return;
	}
}
