/* SPDX-License-Identifier: GPL-2.0-only */
/* The instruction that a guest died at, and what it works on. */
#ifndef HV_DEBUG_AUTOPSY_INSN_H
#define HV_DEBUG_AUTOPSY_INSN_H

#include "autopsy_parts.h"
#include "emul/zydis.h"

struct hv_last_insn {
	const struct hv_view *view;
	unsigned int bits;		/* of the code: 16, 32, 64 */
	unsigned int cpl;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	const char *name;		/* of the mnemonic */
};

/* Like hv_autopsy_first(), of what it does to memory, and of what it does but for that. */
enum hv_first hv_autopsy_operands(const struct hv_last_insn *insn, struct hv_ordeal *event);
enum hv_first hv_autopsy_rules(const struct hv_last_insn *insn, struct hv_ordeal *event);
enum hv_first hv_autopsy_branch(const struct hv_last_insn *insn, struct hv_ordeal *event);
enum hv_first hv_autopsy_arithmetic(const struct hv_last_insn *insn, struct hv_ordeal *event);

/* The value of a general or segment register, or of an operand; false: it cannot be had. */
bool hv_last_insn_register(const struct hv_last_insn *insn, ZydisRegister reg, uint64_t *value);
/* The linear address of a memory operand, through its segment. */
bool hv_last_insn_address(const struct hv_last_insn *insn, const ZydisDecodedOperand *op,
			  uint64_t *gla);
bool hv_last_insn_value(const struct hv_last_insn *insn, const ZydisDecodedOperand *op,
			uint64_t *value);

#endif
