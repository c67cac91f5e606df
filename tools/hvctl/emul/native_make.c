// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's instruction made over, so that this CPU may execute it in our process. The guest
 * has chosen each byte of it, and may have changed it since the exit. So:
 *
 * - Only what is in the list below is made over: nothing privileged, no branch, no string, no
 *   operand but registers that compute, immediates, and one operand in memory, that of ModRM.
 * - None of the guest's bytes that says where memory is comes along: prefixes, base, index and
 *   displacement are left behind, and the operand is 64 bytes in a page of ours.
 * - What has been made is decoded again, as 64-bit code, and must be the same instruction with
 *   the same operands, its memory operand ours.
 *
 * What runs can thus read and write the guest's registers and that operand, and raise an
 * exception, which native.c takes for the guest's. Whatever is found to be neither is refused.
 */
#include <string.h>

#include "guest.h"
#include "lib/util.h"
#include "native_make.h"
#include "zydis.h"

#define CONDITIONAL (ZYDIS_OPERAND_ACTION_CONDREAD | ZYDIS_OPERAND_ACTION_CONDWRITE)

/* Bits of XCR0 that an encoding wants: SDM, "Detection of AVX Instructions", and of AVX-512. */
#define XCR0_AVX    0x06U
#define XCR0_AVX512 0xe6U

/* What must be in no instruction that was made here. */
#define PREFIXES                                                                          \
	(ZYDIS_ATTRIB_HAS_LOCK | ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |           \
	 ZYDIS_ATTRIB_HAS_REPNE | ZYDIS_ATTRIB_HAS_XACQUIRE | ZYDIS_ATTRIB_HAS_XRELEASE | \
	 ZYDIS_ATTRIB_HAS_SEGMENT | ZYDIS_ATTRIB_HAS_ADDRESSSIZE)

/* ------------------------------------------------------------- what is executed */

/*
 * Instructions by Zydis' category: what they do to registers and to one memory operand is all
 * they do. Whatever is not here is never executed.
 */
static const uint8_t computing[] = {
	ZYDIS_CATEGORY_ADOX_ADCX,   ZYDIS_CATEGORY_AES,
	ZYDIS_CATEGORY_AVX,         ZYDIS_CATEGORY_AVX2,
	ZYDIS_CATEGORY_AVX512,      ZYDIS_CATEGORY_AVX512_BITALG,
	ZYDIS_CATEGORY_AVX512_VBMI, ZYDIS_CATEGORY_AVX512_VP2INTERSECT,
	ZYDIS_CATEGORY_BINARY,      ZYDIS_CATEGORY_BITBYTE,
	ZYDIS_CATEGORY_BLEND,       ZYDIS_CATEGORY_BMI1,
	ZYDIS_CATEGORY_BMI2,        ZYDIS_CATEGORY_BROADCAST,
	ZYDIS_CATEGORY_CMOV,        ZYDIS_CATEGORY_CONFLICT,
	ZYDIS_CATEGORY_CONVERT,     ZYDIS_CATEGORY_DATAXFER,
	ZYDIS_CATEGORY_FP16,        ZYDIS_CATEGORY_GFNI,
	ZYDIS_CATEGORY_IFMA,        ZYDIS_CATEGORY_KMASK,
	ZYDIS_CATEGORY_LOGICAL,     ZYDIS_CATEGORY_LOGICAL_FP,
	ZYDIS_CATEGORY_LZCNT,       ZYDIS_CATEGORY_MMX,
	ZYDIS_CATEGORY_PCLMULQDQ,   ZYDIS_CATEGORY_ROTATE,
	ZYDIS_CATEGORY_SEMAPHORE,   ZYDIS_CATEGORY_SETCC,
	ZYDIS_CATEGORY_SHA,         ZYDIS_CATEGORY_SHIFT,
	ZYDIS_CATEGORY_SSE,         ZYDIS_CATEGORY_STTNI,
	ZYDIS_CATEGORY_VAES,        ZYDIS_CATEGORY_VBMI2,
	ZYDIS_CATEGORY_VEX,         ZYDIS_CATEGORY_VFMA,
	ZYDIS_CATEGORY_VPCLMULQDQ,  ZYDIS_CATEGORY_X87_ALU,
};

/* Why not, of all others and of some of those; the first row that fits. A test counts them. */
static const struct {
	uint16_t category; /* or 0: any */
	uint16_t mnemonic; /* or 0: any */
	const char *why;
} left_out[] = {
	{ 0, ZYDIS_MNEMONIC_FNSTENV, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FLDENV, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FNSAVE, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FRSTOR, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FXSAVE, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FXSAVE64, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FXRSTOR, "keeps the state of the FPU in memory" },
	{ 0, ZYDIS_MNEMONIC_FXRSTOR64, "keeps the state of the FPU in memory" },
	/* mmio.c does these. */
	{ 0, ZYDIS_MNEMONIC_BT, "reaches beyond its operand" },
	{ 0, ZYDIS_MNEMONIC_BTS, "reaches beyond its operand" },
	{ 0, ZYDIS_MNEMONIC_BTR, "reaches beyond its operand" },
	{ 0, ZYDIS_MNEMONIC_BTC, "reaches beyond its operand" },
	{ ZYDIS_CATEGORY_XSAVE, 0, "keeps the state of the CPU in memory" },
	{ ZYDIS_CATEGORY_XSAVEOPT, 0, "keeps the state of the CPU in memory" },
	{ ZYDIS_CATEGORY_AVX2GATHER, 0, "has an address for each element" },
	{ ZYDIS_CATEGORY_GATHER, 0, "has an address for each element" },
	{ ZYDIS_CATEGORY_SCATTER, 0, "has an address for each element" },
	{ ZYDIS_CATEGORY_FMA4, 0, "is no instruction of Intel's" },
	{ ZYDIS_CATEGORY_XOP, 0, "is no instruction of Intel's" },
	{ ZYDIS_CATEGORY_TBM, 0, "is no instruction of Intel's" },
	{ ZYDIS_CATEGORY_AMD3DNOW, 0, "is no instruction of Intel's" },
	{ ZYDIS_CATEGORY_AMX_TILE, 0, "loads or stores a tile" },
	{ ZYDIS_CATEGORY_COMPRESS, 0, "touches as many elements as a mask has bits" },
	{ ZYDIS_CATEGORY_EXPAND, 0, "touches as many elements as a mask has bits" },
	{ ZYDIS_CATEGORY_KEYLOCKER, 0, "uses a key that is the CPU's" },
	{ ZYDIS_CATEGORY_KEYLOCKER_WIDE, 0, "uses a key that is the CPU's" },
	{ ZYDIS_CATEGORY_ENQCMD, 0, "is a command to a device that is not there" },
	{ ZYDIS_CATEGORY_MOVDIR, 0, "is a store that bypasses all caches" },
	{ ZYDIS_CATEGORY_CET, 0, "is about shadow stacks" },
	{ ZYDIS_CATEGORY_VTX, 0, "is a VMX instruction" },
	{ ZYDIS_CATEGORY_MPX, 0, "is about bounds" },
	{ ZYDIS_CATEGORY_INTERRUPT, 0, "may deliver an event" },
	{ ZYDIS_CATEGORY_RET, 0, "returns to another privilege level" },
	{ ZYDIS_CATEGORY_SYSTEM, 0, "is about the CPU's own tables" },
	{ ZYDIS_CATEGORY_SEGOP, 0, "loads a segment register" },
	{ 0, 0, "is not an access to a device" },
};

static bool computes(const ZydisDecodedInstruction *z)
{
	if (z->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(computing); i++)
		if (computing[i] == z->meta.category)
			return true;
	return false;
}

static const char *why_not(const ZydisDecodedInstruction *z)
{
	size_t i = 0;

	while ((left_out[i].category && left_out[i].category != z->meta.category) ||
	       (left_out[i].mnemonic && left_out[i].mnemonic != z->mnemonic))
		i++;
	return left_out[i].why;
}

static bool is_named(const ZydisDecodedInstruction *z)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (left_out[i].mnemonic && left_out[i].mnemonic == z->mnemonic)
			return true;
	return false;
}

/* The only memory operand; NULL: there is none, or more than one. */
static const ZydisDecodedOperand *find_memory(const ZydisDecodedInstruction *z,
					      const ZydisDecodedOperand *operands)
{
	const ZydisDecodedOperand *found = NULL;

	for (unsigned int i = 0; i < z->operand_count; i++) {
		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (found || operands[i].mem.type != ZYDIS_MEMOP_TYPE_MEM)
			return NULL;
		found = &operands[i];
	}
	return found;
}

/* Registers that an instruction may have to do with. */
static bool is_harmless(ZydisRegister reg)
{
	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
	case ZYDIS_REGCLASS_FLAGS:
	case ZYDIS_REGCLASS_X87:
	case ZYDIS_REGCLASS_MMX:
	case ZYDIS_REGCLASS_XMM:
	case ZYDIS_REGCLASS_YMM:
	case ZYDIS_REGCLASS_ZMM:
	case ZYDIS_REGCLASS_MASK:
		return true;
	default:
		return reg == ZYDIS_REGISTER_MXCSR || reg == ZYDIS_REGISTER_X87CONTROL ||
		       reg == ZYDIS_REGISTER_X87STATUS || reg == ZYDIS_REGISTER_X87TAG;
	}
}

/*
 * Has it to do with x87 or vector registers, their control and status included? Operands do not
 * tell of those. Whatever is not known to be plain gets the guest's.
 */
static bool has_vectors(const ZydisDecodedInstruction *z)
{
	static const uint8_t plain[] = {
		ZYDIS_ISA_SET_I86,       ZYDIS_ISA_SET_I186,        ZYDIS_ISA_SET_I386,
		ZYDIS_ISA_SET_I486REAL,  ZYDIS_ISA_SET_PENTIUMREAL, ZYDIS_ISA_SET_LONGMODE,
		ZYDIS_ISA_SET_CMOV,      ZYDIS_ISA_SET_CMPXCHG16B,  ZYDIS_ISA_SET_LZCNT,
		ZYDIS_ISA_SET_POPCNT,    ZYDIS_ISA_SET_BMI1,        ZYDIS_ISA_SET_BMI2,
		ZYDIS_ISA_SET_ADOX_ADCX, ZYDIS_ISA_SET_MOVBE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (plain[i] == z->meta.isa_set)
			return false;
	/* Of SSE2 and SSE4.2, but plain. */
	return z->mnemonic != ZYDIS_MNEMONIC_MOVNTI && z->mnemonic != ZYDIS_MNEMONIC_CRC32;
}

/* XCR0 bits without which it is #UD; counts where vector registers do. */
static uint8_t wanted_states(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	for (unsigned int i = 0; i < z->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ZydisRegisterGetClass(operands[i].reg.value) == ZYDIS_REGCLASS_MASK)
			return XCR0_AVX512;
	return z->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX ? XCR0_AVX512 :
	       z->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX  ? XCR0_AVX :
								0;
}

/* Moves that may have a mask, and their opcodes; @mask: they have one, in a vector register. */
static const struct move {
	uint16_t mnemonic;
	uint8_t load, store;
	bool mask;
} moves[] = {
	{ ZYDIS_MNEMONIC_VMOVUPS, 0x10, 0x11, false },
	{ ZYDIS_MNEMONIC_VMOVUPD, 0x10, 0x11, false },
	{ ZYDIS_MNEMONIC_VMOVSS, 0x10, 0x11, false },
	{ ZYDIS_MNEMONIC_VMOVSD, 0x10, 0x11, false },
	{ ZYDIS_MNEMONIC_VMOVAPS, 0x28, 0x29, false },
	{ ZYDIS_MNEMONIC_VMOVAPD, 0x28, 0x29, false },
	{ ZYDIS_MNEMONIC_VMOVDQU8, 0x6f, 0x7f, false },
	{ ZYDIS_MNEMONIC_VMOVDQU16, 0x6f, 0x7f, false },
	{ ZYDIS_MNEMONIC_VMOVDQU32, 0x6f, 0x7f, false },
	{ ZYDIS_MNEMONIC_VMOVDQU64, 0x6f, 0x7f, false },
	{ ZYDIS_MNEMONIC_VMOVDQA32, 0x6f, 0x7f, false },
	{ ZYDIS_MNEMONIC_VMOVDQA64, 0x6f, 0x7f, false },
	{ ZYDIS_MNEMONIC_VMASKMOVPS, 0x2c, 0x2e, true },
	{ ZYDIS_MNEMONIC_VMASKMOVPD, 0x2d, 0x2f, true },
	{ ZYDIS_MNEMONIC_VPMASKMOVD, 0x8c, 0x8e, true },
	{ ZYDIS_MNEMONIC_VPMASKMOVQ, 0x8c, 0x8e, true },
};

static const struct move *find_move(const ZydisDecodedInstruction *z)
{
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].mnemonic == z->mnemonic)
			return &moves[i];
	return NULL;
}

static bool is_masked(const ZydisDecodedInstruction *z)
{
	const struct move *move = find_move(z);

	return (move && move->mask) ||
	       (z->avx.mask.reg != ZYDIS_REGISTER_NONE && z->avx.mask.reg != ZYDIS_REGISTER_K0);
}

static const char *refuse(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	if (!computes(z) || is_named(z))
		return why_not(z);
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	    z->encoding != ZYDIS_INSTRUCTION_ENCODING_VEX &&
	    z->encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return "is no instruction of Intel's";
	if (is_masked(z) && !find_move(z))
		return "must not touch what its mask leaves out";
	for (unsigned int i = 0; i < z->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    !is_harmless(operands[i].reg.value))
			return "has to do with the CPU's own registers";
	return NULL;
}

/* ------------------------------------------------------------ how it is made over */

struct recipe {
	const ZydisDecodedInstruction *z;
	const uint8_t *from;
	struct hv_native_code *made;
};

static void put(struct recipe *r, uint8_t byte)
{
	r->made->code[r->made->len++] = byte;
}

/* Those of segments, address size and LOCK have no say here: the operand is a copy. */
static void put_prefixes(struct recipe *r, bool operand_16)
{
	const ZydisDecodedInstructionRaw *raw = &r->z->raw;
	uint8_t mandatory = 0;

	for (unsigned int i = 0; i < raw->prefix_count; i++) {
		if (raw->prefixes[i].type != ZYDIS_PREFIX_TYPE_MANDATORY)
			continue;
		mandatory = raw->prefixes[i].value;
		put(r, mandatory);
	}
	if (operand_16 && mandatory != 0x66)
		put(r, 0x66);
}

/* RIP-relative needs no register: what would extend one is out, and so is what 32-bit ignores. */
static void put_vex(struct recipe *r, const uint8_t *at, unsigned int len)
{
	bool long_code = r->z->machine_mode == ZYDIS_MACHINE_MODE_LONG_64;

	for (unsigned int i = 0; i < len; i++) {
		uint8_t byte = at[i];

		if (i == 1 && len > 2)
			byte |= 0x60;
		if (!long_code && ((len == 2 && i == 1) || (len > 2 && i == 2)))
			byte |= 0x40;
		if (!long_code && len == 4 && i == 3)
			byte |= 0x08;
		put(r, byte);
	}
}

/*
 * Bytes of the opcode, right before ModRM. What else is there (a REX that counts for nothing, and
 * prefixes behind it) must not come along: a segment's would lead elsewhere.
 */
static unsigned int opcode_len(const ZydisDecodedInstruction *z)
{
	if (z->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return 1;
	return z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT ? 1 :
	       z->opcode_map == ZYDIS_OPCODE_MAP_0F      ? 2 :
							   3;
}

static void put_head(struct recipe *r, bool operand_16)
{
	const ZydisDecodedInstructionRaw *raw = &r->z->raw;

	if (r->z->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX) {
		put_vex(r, r->from + raw->evex.offset, 4);
	} else if (r->z->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX) {
		put_vex(r, r->from + raw->vex.offset, raw->vex.size);
	} else {
		put_prefixes(r, operand_16);
		if (r->z->attributes & ZYDIS_ATTRIB_HAS_REX)
			put(r, 0x40 | raw->rex.W << 3 | raw->rex.R << 2);
	}
}

/*
 * The whole instruction, its memory operand at @operand, to be executed at @at: at most 19
 * bytes, those of the guest's and 4 of displacement.
 */
static void cook(struct recipe *r, const uint8_t *at, const uint8_t *operand, bool operand_16)
{
	const ZydisDecodedInstructionRaw *raw = &r->z->raw;
	unsigned int tail = raw->modrm.offset + 1 + (raw->sib.offset ? 1 : 0) + raw->disp.size / 8;
	int32_t distance;

	put_head(r, operand_16);
	for (unsigned int i = raw->modrm.offset - opcode_len(r->z); i < raw->modrm.offset; i++)
		put(r, r->from[i]);
	put(r, raw->modrm.reg << 3 | 5);
	distance = operand - (at + r->made->len + 4 + (r->z->length - tail));
	memcpy(r->made->code + r->made->len, &distance, 4);
	r->made->len += 4;
	for (unsigned int i = tail; i < r->z->length; i++)
		put(r, r->from[i]);
}

/* RSP cannot be lent out. */
static bool names_rsp(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	for (unsigned int i = 0; i < z->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
						     operands[i].reg.value) == ZYDIS_REGISTER_RSP)
			return true;
	return false;
}

static bool has_16_bits(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	for (unsigned int i = 0; i < z->operand_count_visible; i++)
		if (operands[i].size == 16)
			return z->operand_width == 16;
	return false;
}

/* ------------------------------------------------------------------- the second look */

/* Flags have another name in code of each size. */
static bool same_register(ZydisRegister a, ZydisRegister b)
{
	return a == b || (ZydisRegisterGetClass(a) == ZYDIS_REGCLASS_FLAGS &&
			  ZydisRegisterGetClass(b) == ZYDIS_REGCLASS_FLAGS);
}

static bool same_operand(const ZydisDecodedOperand *a, const ZydisDecodedOperand *b)
{
	if (a->type != b->type || a->actions != b->actions)
		return false;
	if (a->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return same_register(a->reg.value, b->reg.value);
	if (a->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return a->size == b->size && a->imm.value.u == b->imm.value.u;
	return a->size == b->size;
}

/* Is @made, to be executed at @at, the instruction @z, on @operand? */
static bool is_right(const struct hv_native_code *made, const void *at, const void *operand,
		     const ZydisDecodedInstruction *z, const ZydisDecodedOperand *operands)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction ours;
	ZydisDecodedOperand of_ours[ZYDIS_MAX_OPERAND_COUNT];
	const ZydisDecodedOperand *memory;
	ZyanU64 address;

	hv_zydis_init(&decoder, 64);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, made->code, made->len, &ours, of_ours)))
		return false;
	if (ours.length != made->len || ours.mnemonic != z->mnemonic ||
	    ours.encoding != z->encoding || ours.operand_count != z->operand_count ||
	    ours.attributes & PREFIXES || ours.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE ||
	    !computes(&ours))
		return false;
	for (unsigned int i = 0; i < z->operand_count; i++)
		if (!same_operand(&operands[i], &of_ours[i]))
			return false;
	memory = find_memory(&ours, of_ours);
	return memory && memory->mem.base == ZYDIS_REGISTER_RIP &&
	       ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&ours, memory, (uintptr_t)at, &address)) &&
	       address == (uintptr_t)operand;
}

const char *hv_native_make(struct hv_native_code *made, struct hv_insn *insn, const uint8_t *code,
			   size_t len, unsigned int code_bits, const void *at, const void *operand)
{
	ZydisDecoder decoder;
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct recipe recipe = { .z = &z, .from = code, .made = made };
	const ZydisDecodedOperand *memory;
	const char *why;

	hv_zydis_init(&decoder, code_bits);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &z, operands)))
		return "is no instruction";
	why = refuse(&z, operands);
	if (why)
		return why;
	memory = find_memory(&z, operands);
	if (!memory || memory->encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
		return "has no operand in memory, or several";
	if (memory->size % 8 || memory->size > 8 * HV_GUEST_MAX_BYTES || !memory->size)
		return "has an operand of a size that no device knows";
	/* What is read first, as by CMPXCHG and shifts, may be written back as it was. */
	if (memory->actions & CONDITIONAL && !is_masked(&z) &&
	    !(memory->actions & ZYDIS_OPERAND_ACTION_READ))
		return "must not touch what its mask leaves out";
	if (names_rsp(&z, operands))
		return "computes with the stack pointer";
	insn->vector = has_vectors(&z);
	made->len = 0;
	cook(&recipe, at, operand, !insn->vector && has_16_bits(&z, operands));
	if (!is_right(made, at, operand, &z, operands))
		return "is encoded in a way that means something else here";
	hv_decode_memory(&insn->op[0], memory, code_bits);
	insn->bits = memory->size;
	insn->reads = memory->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
	insn->writes = memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	insn->masked = is_masked(&z);
	insn->states = wanted_states(&z, operands);
	insn->modrm = z.raw.modrm.mod << 6 | z.raw.modrm.reg << 3 | z.raw.modrm.rm;
	return NULL;
}

/*
 * Zydis tells where the opcode is; of EVEX, the bit that would have masked elements cleared is
 * for loads alone.
 */
const char *hv_native_make_twin(struct hv_native_code *made, const struct hv_insn *insn,
				const uint8_t *code, size_t len, unsigned int code_bits,
				const void *at, const void *operand)
{
	static const char why_not_twin[] = "must not touch what its mask leaves out";
	ZydisDecoder decoder;
	ZydisDecodedInstruction z;
	struct hv_insn twin = { 0 };
	uint8_t copy[HV_INSN_MAX] = { 0 };
	const struct move *move;
	const char *why;

	memcpy(copy, code, len < sizeof(copy) ? len : sizeof(copy));
	hv_zydis_init(&decoder, code_bits);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, copy, sizeof(copy), &z)))
		return "is no instruction";
	move = find_move(&z);
	if (!move || copy[z.raw.modrm.offset - 1] != move->load)
		return why_not_twin;
	copy[z.raw.modrm.offset - 1] = move->store;
	if (z.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
		copy[z.raw.evex.offset + 3] &= 0x7f;
	why = hv_native_make(made, &twin, copy, z.length, code_bits, at, operand);
	if (!why && (!twin.masked || !twin.writes || twin.reads || twin.bits != insn->bits))
		why = why_not_twin;
	return why;
}
