// SPDX-License-Identifier: GPL-2.0-only
/* hvctl mem, hvctl walk: the memory of a VM that runs, and how its addresses are translated. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "debug/facts.h"
#include "debug/page_walk.h"
#include "lib/args.h"
#include "lib/status.h"
#include "lib/util.h"
#include "look.h"

#define LINE_BYTES 16

/* -------------------------------------------------------------------- walk */

const struct argp hv_argp_walk = {
	.options = hv_look_options,
	.parser = hv_look_parse,
	.args_doc = "NAME ADDRESS",
	.doc = "Show how a VM's vCPU translates a linear address: each entry of its page tables, and what "
	       "there is.\v"
	       "ADDRESS is a number (0x for hexadecimal), or a register that has it, like rip or rsp.",
};

static int print_walk(const json_t *reply, struct hv_error *err)
{
	(void)err;
	hv_page_walk_print(reply, stdout);
	return 0;
}

int hv_cmd_walk(int argc, char **argv)
{
	struct hv_look look = { .vcpu = -1, .least = 1, .most = 1, .missing = "no address" };

	hv_command_parse(&hv_argp_walk, argc, argv, &look);
	return hv_look(argv[0], &look,
		       json_pack("{s:s, s:s}", "request", "walk", "address", look.word[0]),
		       print_walk);
}

/* ------------------------------------------------------------------ memory */

struct order {
	struct hv_look look;		/* first: hv_look_parse() has it for its own */
	bool physical;
	bool code;
};

enum { OPT_PHYSICAL = 'p', OPT_DISASSEMBLE = 'd' };

static const struct argp_option options[] = {
	HV_LOOK_OPTIONS,
	{ "physical", OPT_PHYSICAL, NULL, 0, "ADDRESS is guest-physical", 0 },
	{ "disassemble", OPT_DISASSEMBLE, NULL, 0, "show instructions, COUNT of them", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct order *order = state->input;

	switch (key) {
	case OPT_PHYSICAL:
		order->physical = true;
		return 0;
	case OPT_DISASSEMBLE:
		order->code = true;
		return 0;
	}
	return hv_look_parse(key, arg, state);
}

const struct argp hv_argp_mem = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME ADDRESS [COUNT]",
	.doc = "Show COUNT bytes of a VM's memory (128), or as many instructions (16).\v"
	       "ADDRESS is a number (0x for hexadecimal), or a register that has it, like rip or rsp: "
	       "linear, as the vCPU's page tables have it now. What cannot be read is shown as ??.",
};

/* A byte of @bytes, two digits; a dot if it is no letter. */
static char letter_of(const char *bytes)
{
	const char digits[] = { bytes[0], bytes[1], 0 };
	unsigned long byte = strtoul(digits, NULL, 16);

	return bytes[0] != '?' && byte < 0x80 && isprint((int)byte) ? byte : '.';
}

static void print_bytes(uint64_t address, const char *bytes)
{
	size_t len = strlen(bytes) / 2;

	for (size_t at = 0; at < len; at += LINE_BYTES) {
		size_t n = len - at < LINE_BYTES ? len - at : LINE_BYTES;

		printf("%016llx ", (unsigned long long)address + at);
		for (size_t i = 0; i < LINE_BYTES; i++)
			printf("%s%.2s", i == LINE_BYTES / 2 ? "  " : " ",
			       i < n ? bytes + 2 * (at + i) : "  ");
		fputs("  |", stdout);
		for (size_t i = 0; i < n; i++)
			putchar(letter_of(bytes + 2 * (at + i)));
		puts("|");
	}
}

static void print_code(const json_t *code)
{
	json_t *insn;
	size_t i;

	json_array_foreach((json_t *)code, i, insn) {
		const char *symbol = hv_fact_string(insn, "symbol");

		printf("%18s  %-24s  %s%s%s\n", hv_fact_string(insn, "address"),
		       hv_fact_string(insn, "bytes"), hv_fact_string(insn, "text"),
		       *symbol ? "  ; " : "", symbol);
	}
}

static int print_memory(const json_t *reply, struct hv_error *err)
{
	const json_t *code = json_object_get(reply, "code");

	(void)err;
	if (code)
		print_code(code);
	else
		print_bytes(strtoull(hv_fact_string(reply, "address"), NULL, 16),
			    hv_fact_string(reply, "bytes"));
	return 0;
}

static int fail_count(const char *command, const char *text)
{
	fprintf(stderr, "%s: %s is no count; give a number from 1 on\n", command, text);
	return HV_STATUS_USAGE;
}

int hv_cmd_mem(int argc, char **argv)
{
	struct order order = {
		.look = { .vcpu = -1, .least = 1, .most = 2, .missing = "no address" }
	};
	json_t *request;
	uint64_t count;

	hv_command_parse(&hv_argp_mem, argc, argv, &order);
	request = json_pack("{s:s, s:s, s:b, s:b}", "request", "memory", "address",
			    order.look.word[0], "physical", order.physical, "disassemble",
			    order.code);
	if (order.look.word[1]) {
		if (!hv_parse_size(order.look.word[1], 1, &count) || count > INT64_MAX) {
			json_decref(request);
			return fail_count(argv[0], order.look.word[1]);
		}
		json_object_set_new(request, "count", json_integer(count));
	}
	return hv_look(argv[0], &order.look, request, print_memory);
}
