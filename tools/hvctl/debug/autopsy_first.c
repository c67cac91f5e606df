// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first exception: a triple fault leaves RIP and the registers as they were before the
 * instruction that began it. It is looked at as a CPU does it: fetch, decode, rules, operands.
 */
#include "autopsy_insn.h"
#include "lib/util.h"

static unsigned int user(const struct hv_view *view)
{
	return hv_view_cpl(view) == 3 ? HV_ACCESS_USER : 0;
}

/* Up to an instruction's worth of code; what is wrong behind it is in @fault. */
static unsigned int fetch(const struct hv_view *view, unsigned int bits, uint8_t *code,
			  struct hv_ordeal *fault)
{
	const struct tinyvmx_segment *cs = &view->sregs->seg[TINYVMX_CS];
	unsigned int n;

	for (n = 0; n < HV_INSN_MAX; n++) {
		uint64_t rip = view->regs->rip + n;
		uint64_t gla = bits == 64 ? rip : (uint32_t)(cs->base + (uint32_t)rip);

		if (bits != 64 && (uint32_t)rip > cs->limit) {
			hv_ordeal_set(fault, X86_VECTOR_GP, 0,
				      "the code at 0x%llx is beyond CS's limit, 0x%x",
				      (unsigned long long)rip, cs->limit);
			break;
		}
		if (!hv_autopsy_access(view, gla, 1, HV_ACCESS_FETCH | user(view), "the code",
				       fault))
			break;
		/* What no RAM is there floats. */
		if (!hv_view_peek(view, gla, &code[n], 1))
			code[n] = 0xff;
	}
	return n;
}

/* All 15 bytes are there: more of them are refused for their number, whatever they are. */
static void say_no_insn(ZyanStatus status, const uint8_t *code, struct hv_ordeal *event)
{
	if (status == ZYDIS_STATUS_NO_MORE_DATA || status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
		hv_ordeal_set(event, X86_VECTOR_GP, 0,
			      "the instruction, %02x %02x ..., is longer than 15 bytes", code[0],
			      code[1]);
	else
		hv_ordeal_set(event, X86_VECTOR_UD, 0,
			      "the code there, %02x %02x ..., is no instruction", code[0], code[1]);
}

static enum hv_first look(const struct hv_last_insn *insn, struct hv_ordeal *event)
{
	static enum hv_first (*const looks[])(const struct hv_last_insn *insn,
					      struct hv_ordeal *event) = {
		hv_autopsy_rules,
		hv_autopsy_operands,
		hv_autopsy_arithmetic,
		hv_autopsy_branch,
	};
	enum hv_first how = HV_FIRST_NOTHING;
	struct hv_ordeal maybe;

	for (unsigned int i = 0; i < ARRAY_SIZE(looks); i++) {
		how = looks[i](insn, event);
		if (how == HV_FIRST_CERTAIN)
			return how;
		if (how != HV_FIRST_MAYBE)
			continue;
		maybe = *event;
		/* What the CPU comes to later may be certain. */
		while (++i < ARRAY_SIZE(looks))
			if (looks[i](insn, event) == HV_FIRST_CERTAIN)
				return HV_FIRST_CERTAIN;
		*event = maybe;
		return HV_FIRST_MAYBE;
	}
	return how;
}

enum hv_first hv_autopsy_first(const struct hv_view *view, struct hv_ordeal *event)
{
	struct hv_last_insn insn = {
		.view = view,
		.bits = hv_view_bits(view),
		.cpl = hv_view_cpl(view),
	};
	uint8_t code[HV_INSN_MAX];
	ZydisDecoder decoder;
	ZyanStatus status;
	unsigned int len;

	len = fetch(view, insn.bits, code, event);
	if (!len)
		return HV_FIRST_CERTAIN;
	hv_zydis_init(&decoder, insn.bits);
	status = ZydisDecoderDecodeFull(&decoder, code, len, &insn.z, insn.operand);
	if (!ZYAN_SUCCESS(status)) {
		if (len == HV_INSN_MAX)
			say_no_insn(status, code, event);
		return HV_FIRST_CERTAIN;
	}
	insn.name = ZydisMnemonicGetString(insn.z.mnemonic);
	return look(&insn, event);
}
