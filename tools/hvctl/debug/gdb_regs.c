// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a vCPU as gdb numbers them: in the order of their description. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb_regs.h"
#include "lib/util.h"

/* Of the FXSAVE image (SDM, "Layout of the 64-bit Mode FXSAVE Map"). */
#define FPU_FCW	  0
#define FPU_FSW	  2
#define FPU_FTW	  4
#define FPU_FOP	  6
#define FPU_FIP	  8
#define FPU_FCS	  12
#define FPU_FDP	  16
#define FPU_FDS	  20
#define FPU_MXCSR 24
#define FPU_ST	  32
#define FPU_XMM	  160
#define XSTATE_BV 512
#define FPU_YMMH  576

#define XSTATE_X87 1
#define XSTATE_SSE 2
#define XSTATE_AVX 4

enum { CORE, SSE, SEGMENTS, AVX, SYSTEM };

static const char *const features[] = {
	[CORE] = "org.gnu.gdb.i386.core", [SSE] = "org.gnu.gdb.i386.sse",
	[SEGMENTS] = "org.gnu.gdb.i386.segments", [AVX] = "org.gnu.gdb.i386.avx",
	[SYSTEM] = "tinyvmx.system",
};

/* How they are written. */
enum { PLAIN, FIXED, TAGS };

#define CPU(field) offsetof(struct hv_gdb_cpu, field)
#define GPR(n)	   (CPU(regs.gpr) + 8 * (n))
#define SEG(n)	   (CPU(sregs.seg) + (n) * sizeof(struct tinyvmx_segment))
#define BASE(n)	   (SEG(n) + offsetof(struct tinyvmx_segment, base))
#define FPU(n)	   (CPU(fpu) + (n))

/* ------------------------------------------------------------------- list */

struct row {
	const char *name, *wide;	/* in 32 and in 64 bits; NULL: not there */
	const char *type;
	uint8_t kind, bytes, kept;	/* bytes 0: those of a general register */
	uint16_t at;
};

static const struct row core[] = {
	{ "eax", "rax", "int", PLAIN, 0, 8, GPR(TINYVMX_RAX) },
	{ NULL, "rbx", "int", PLAIN, 0, 8, GPR(TINYVMX_RBX) },
	{ "ecx", "rcx", "int", PLAIN, 0, 8, GPR(TINYVMX_RCX) },
	{ "edx", "rdx", "int", PLAIN, 0, 8, GPR(TINYVMX_RDX) },
	{ "ebx", NULL, "int", PLAIN, 0, 8, GPR(TINYVMX_RBX) },
	{ NULL, "rsi", "int", PLAIN, 0, 8, GPR(TINYVMX_RSI) },
	{ NULL, "rdi", "int", PLAIN, 0, 8, GPR(TINYVMX_RDI) },
	{ NULL, "rbp", "data_ptr", PLAIN, 0, 8, GPR(TINYVMX_RBP) },
	{ "esp", "rsp", "data_ptr", PLAIN, 0, 8, GPR(TINYVMX_RSP) },
	{ "ebp", NULL, "data_ptr", PLAIN, 0, 8, GPR(TINYVMX_RBP) },
	{ "esi", NULL, "int", PLAIN, 0, 8, GPR(TINYVMX_RSI) },
	{ "edi", NULL, "int", PLAIN, 0, 8, GPR(TINYVMX_RDI) },
	{ NULL, "r8", "int", PLAIN, 0, 8, GPR(TINYVMX_R8) },
	{ NULL, "r9", "int", PLAIN, 0, 8, GPR(TINYVMX_R9) },
	{ NULL, "r10", "int", PLAIN, 0, 8, GPR(TINYVMX_R10) },
	{ NULL, "r11", "int", PLAIN, 0, 8, GPR(TINYVMX_R11) },
	{ NULL, "r12", "int", PLAIN, 0, 8, GPR(TINYVMX_R12) },
	{ NULL, "r13", "int", PLAIN, 0, 8, GPR(TINYVMX_R13) },
	{ NULL, "r14", "int", PLAIN, 0, 8, GPR(TINYVMX_R14) },
	{ NULL, "r15", "int", PLAIN, 0, 8, GPR(TINYVMX_R15) },
	{ "eip", "rip", "code_ptr", PLAIN, 0, 8, CPU(regs.rip) },
	{ "eflags", "eflags", "i386_eflags", PLAIN, 4, 4, CPU(regs.rflags) },
	{ "cs", "cs", "int32", FIXED, 4, 2, SEG(TINYVMX_CS) + 16 },
	{ "ss", "ss", "int32", FIXED, 4, 2, SEG(TINYVMX_SS) + 16 },
	{ "ds", "ds", "int32", FIXED, 4, 2, SEG(TINYVMX_DS) + 16 },
	{ "es", "es", "int32", FIXED, 4, 2, SEG(TINYVMX_ES) + 16 },
	{ "fs", "fs", "int32", FIXED, 4, 2, SEG(TINYVMX_FS) + 16 },
	{ "gs", "gs", "int32", FIXED, 4, 2, SEG(TINYVMX_GS) + 16 },
};

_Static_assert(offsetof(struct tinyvmx_segment, selector) == 16, "the rows above say 16");

static const struct row x87[] = {
	{ "fctrl", "fctrl", "int", PLAIN, 4, 2, FPU(FPU_FCW) },
	{ "fstat", "fstat", "int", PLAIN, 4, 2, FPU(FPU_FSW) },
	{ "ftag", "ftag", "int", TAGS, 4, 1, FPU(FPU_FTW) },
	{ "fiseg", "fiseg", "int", PLAIN, 4, 2, FPU(FPU_FCS) },
	{ "fioff", "fioff", "int", PLAIN, 4, 4, FPU(FPU_FIP) },
	{ "foseg", "foseg", "int", PLAIN, 4, 2, FPU(FPU_FDS) },
	{ "fooff", "fooff", "int", PLAIN, 4, 4, FPU(FPU_FDP) },
	{ "fop", "fop", "int", PLAIN, 4, 2, FPU(FPU_FOP) },
};

static const struct row mxcsr[] = {
	{ "mxcsr", "mxcsr", "i386_mxcsr", PLAIN, 4, 4, FPU(FPU_MXCSR) },
};

static const struct row segments[] = {
	{ NULL, "fs_base", "int", PLAIN, 8, 8, BASE(TINYVMX_FS) },
	{ NULL, "gs_base", "int", PLAIN, 8, 8, BASE(TINYVMX_GS) },
};

static const struct row system_regs[] = {
	{ "cr0", "cr0", "int", PLAIN, 8, 8, CPU(sregs.cr0) },
	{ "cr2", "cr2", "int", PLAIN, 8, 8, CPU(sregs.cr2) },
	{ "cr3", "cr3", "int", PLAIN, 8, 8, CPU(sregs.cr3) },
	{ "cr4", "cr4", "int", PLAIN, 8, 8, CPU(sregs.cr4) },
	{ "cr8", "cr8", "int", PLAIN, 8, 8, CPU(sregs.cr8) },
	{ "efer", "efer", "int", PLAIN, 8, 8, CPU(sregs.efer) },
	{ "kernel_gs_base", "kernel_gs_base", "int", PLAIN, 8, 8, CPU(kernel_gs_base) },
	{ "cs_base", "cs_base", "int", PLAIN, 8, 8, BASE(TINYVMX_CS) },
	{ "ss_base", "ss_base", "int", PLAIN, 8, 8, BASE(TINYVMX_SS) },
	{ "ds_base", "ds_base", "int", PLAIN, 8, 8, BASE(TINYVMX_DS) },
	{ "es_base", "es_base", "int", PLAIN, 8, 8, BASE(TINYVMX_ES) },
	{ "fs_base", NULL, "int", PLAIN, 8, 8, BASE(TINYVMX_FS) },
	{ "gs_base", NULL, "int", PLAIN, 8, 8, BASE(TINYVMX_GS) },
	{ "tr", "tr", "int32", FIXED, 4, 2, SEG(TINYVMX_TR) + 16 },
	{ "tr_base", "tr_base", "int", PLAIN, 8, 8, BASE(TINYVMX_TR) },
	{ "ldtr", "ldtr", "int32", FIXED, 4, 2, SEG(TINYVMX_LDTR) + 16 },
	{ "ldtr_base", "ldtr_base", "int", PLAIN, 8, 8, BASE(TINYVMX_LDTR) },
	{ "gdt_base", "gdt_base", "int", PLAIN, 8, 8, CPU(sregs.gdt_base) },
	{ "gdt_limit", "gdt_limit", "int", PLAIN, 4, 4, CPU(sregs.gdt_limit) },
	{ "idt_base", "idt_base", "int", PLAIN, 8, 8, CPU(sregs.idt_base) },
	{ "idt_limit", "idt_limit", "int", PLAIN, 4, 4, CPU(sregs.idt_limit) },
};

static void add(struct hv_gdb_regs *regs, uint8_t feature, const struct row *rows, size_t count)
{
	bool wide = regs->arch == HV_GDB_X86_64;

	for (size_t i = 0; i < count; i++) {
		const char *name = wide ? rows[i].wide : rows[i].name;

		if (name)
			regs->reg[regs->count++] = (struct hv_gdb_reg){
				.name = name,
				.type = rows[i].type,
				.feature = feature,
				.kind = rows[i].kind,
				.bytes = rows[i].bytes ? rows[i].bytes :
					 wide          ? 8 :
							 4,
				.kept = rows[i].kept,
				.at = rows[i].at,
			};
	}
}

#define ADD(regs, feature, rows) add(regs, feature, rows, ARRAY_SIZE(rows))

/* @count of a kind, 16 bytes from one to the next. */
static void add_file(struct hv_gdb_regs *regs, uint8_t feature, const char *const *names,
		     unsigned int count, const char *type, uint8_t bytes, uint16_t at)
{
	for (unsigned int i = 0; i < count; i++)
		regs->reg[regs->count++] = (struct hv_gdb_reg){
			.name = names[i],
			.type = type,
			.feature = feature,
			.kind = PLAIN,
			.bytes = bytes,
			.kept = bytes,
			.at = at + 16 * i,
		};
}

void hv_gdb_regs_init(struct hv_gdb_regs *regs, enum hv_gdb_arch arch, bool avx)
{
	static const char *const st[8] = { "st0", "st1", "st2", "st3", "st4", "st5", "st6", "st7" };
	static const char *const xmm[16] = { "xmm0",  "xmm1",  "xmm2",  "xmm3", "xmm4",  "xmm5",
					     "xmm6",  "xmm7",  "xmm8",  "xmm9", "xmm10", "xmm11",
					     "xmm12", "xmm13", "xmm14", "xmm15" };
	static const char *const ymmh[16] = { "ymm0h",  "ymm1h",  "ymm2h",  "ymm3h",
					      "ymm4h",  "ymm5h",  "ymm6h",  "ymm7h",
					      "ymm8h",  "ymm9h",  "ymm10h", "ymm11h",
					      "ymm12h", "ymm13h", "ymm14h", "ymm15h" };
	unsigned int vectors = arch == HV_GDB_X86_64 ? 16 : 8;

	regs->arch = arch;
	regs->count = 0;
	ADD(regs, CORE, core);
	add_file(regs, CORE, st, 8, "i387_ext", 10, FPU(FPU_ST));
	ADD(regs, CORE, x87);
	add_file(regs, SSE, xmm, vectors, "vec128", 16, FPU(FPU_XMM));
	ADD(regs, SSE, mxcsr);
	ADD(regs, SEGMENTS, segments);
	if (avx)
		add_file(regs, AVX, ymmh, vectors, "uint128", 16, FPU(FPU_YMMH));
	ADD(regs, SYSTEM, system_regs);
}

/* ------------------------------------------------------------ description */

struct bit {
	unsigned int bit;
	const char *name;
};

static const struct bit eflags[] = {
	{ 0, "CF" },  { 1, "" },    { 2, "PF" },  { 4, "AF" },	{ 6, "ZF" },   { 7, "SF" },
	{ 8, "TF" },  { 9, "IF" },  { 10, "DF" }, { 11, "OF" }, { 14, "NT" },  { 16, "RF" },
	{ 17, "VM" }, { 18, "AC" }, { 19, "VIF" }, { 20, "VIP" }, { 21, "ID" },
};

static const struct bit mxcsr_bits[] = {
	{ 0, "IE" },  { 1, "DE" },  { 2, "ZE" },  { 3, "OE" },	{ 4, "UE" },
	{ 5, "PE" },  { 6, "DAZ" }, { 7, "IM" },  { 8, "DM" },	{ 9, "ZM" },
	{ 10, "OM" }, { 11, "UM" }, { 12, "PM" }, { 15, "FZ" },
};

static void describe_bits(const char *id, const struct bit *bits, size_t count, FILE *out)
{
	fprintf(out, "<flags id=\"%s\" size=\"4\">\n", id);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", bits[i].name,
			bits[i].bit, bits[i].bit);
	fputs("</flags>\n", out);
}

/* A vector register as what it may hold. */
static void describe_vector(FILE *out)
{
	static const struct {
		const char *name, *type;
		unsigned int count;
	} parts[] = {
		{ "v4_float", "ieee_single", 4 }, { "v2_double", "ieee_double", 2 },
		{ "v16_int8", "int8", 16 },       { "v8_int16", "int16", 8 },
		{ "v4_int32", "int32", 4 },       { "v2_int64", "int64", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		fprintf(out, "<vector id=\"of_%s\" type=\"%s\" count=\"%u\"/>\n", parts[i].name,
			parts[i].type, parts[i].count);
	fputs("<union id=\"vec128\">\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		fprintf(out, "<field name=\"%s\" type=\"of_%s\"/>\n", parts[i].name, parts[i].name);
	fputs("<field name=\"uint128\" type=\"uint128\"/>\n</union>\n", out);
}

static void describe_types(uint8_t feature, FILE *out)
{
	if (feature == CORE)
		describe_bits("i386_eflags", eflags, ARRAY_SIZE(eflags), out);
	if (feature != SSE)
		return;
	describe_vector(out);
	describe_bits("i386_mxcsr", mxcsr_bits, ARRAY_SIZE(mxcsr_bits), out);
}

static void describe(const struct hv_gdb_regs *regs, FILE *out)
{
	static const char *const arch[] = {
		[HV_GDB_I8086] = "i8086", [HV_GDB_I386] = "i386", [HV_GDB_X86_64] = "i386:x86-64"
	};
	int feature = -1;

	fprintf(out,
		"<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
		"<target>\n<architecture>%s</architecture>\n",
		arch[regs->arch]);
	for (unsigned int i = 0; i < regs->count; i++) {
		const struct hv_gdb_reg *reg = &regs->reg[i];

		if (feature != reg->feature) {
			fprintf(out, "%s<feature name=\"%s\">\n", i ? "</feature>\n" : "",
				features[reg->feature]);
			describe_types(reg->feature, out);
		}
		feature = reg->feature;
		fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>\n", reg->name,
			8 * reg->bytes, reg->type);
	}
	fputs("</feature>\n</target>\n", out);
}

char *hv_gdb_regs_describe(const struct hv_gdb_regs *regs)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	describe(regs, out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* -------------------------------------------------------------- the x87's */

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

/* What ST(i) holds, which is not empty. */
static unsigned int tag_of(const uint8_t *st)
{
	uint64_t significand;
	uint16_t exponent;

	memcpy(&significand, st, 8);
	memcpy(&exponent, st + 8, 2);
	exponent &= 0x7fff;
	if (!exponent)
		return significand ? TAG_SPECIAL : TAG_ZERO;
	return exponent == 0x7fff || !(significand >> 63) ? TAG_SPECIAL : TAG_VALID;
}

/* SDM, "x87 FPU Tag Word": two bits a register, of which FXSAVE keeps whether it is empty. */
static uint16_t read_tags(const uint8_t *fpu)
{
	unsigned int top = fpu[FPU_FSW + 1] >> 3 & 7;
	uint16_t tags = 0;

	for (unsigned int i = 0; i < 8; i++) {
		const uint8_t *st = fpu + FPU_ST + 16 * (size_t)((i - top) & 7);
		unsigned int tag = fpu[FPU_FTW] >> i & 1 ? tag_of(st) : TAG_EMPTY;

		tags |= tag << 2 * i;
	}
	return tags;
}

static void write_tags(uint8_t *fpu, uint16_t tags)
{
	fpu[FPU_FTW] = 0;
	for (unsigned int i = 0; i < 8; i++)
		if ((tags >> 2 * i & 3) != TAG_EMPTY)
			fpu[FPU_FTW] |= 1u << i;
}

/* SDM, "XSAVE-Managed State": the initial configuration of each component. */
void hv_gdb_fpu_fill(uint8_t *fpu, bool avx)
{
	if (!(fpu[XSTATE_BV] & XSTATE_X87)) {
		memset(fpu, 0, FPU_MXCSR);
		memset(fpu + FPU_ST, 0, 8 * 16);
		fpu[FPU_FCW] = 0x7f;
		fpu[FPU_FCW + 1] = 0x03;
	}
	if (!(fpu[XSTATE_BV] & XSTATE_SSE))
		memset(fpu + FPU_XMM, 0, 16 * 16);
	if (avx && !(fpu[XSTATE_BV] & XSTATE_AVX))
		memset(fpu + FPU_YMMH, 0, 16 * 16);
	fpu[XSTATE_BV] |= XSTATE_X87 | XSTATE_SSE | (avx ? XSTATE_AVX : 0);
}

/* ------------------------------------------------------------- read, write */

size_t hv_gdb_reg_get(const struct hv_gdb_regs *regs, unsigned int n, const struct hv_gdb_cpu *cpu,
		      uint8_t bytes[HV_GDB_REG_BYTES_MAX])
{
	const struct hv_gdb_reg *reg = &regs->reg[n];
	uint16_t tags;

	memset(bytes, 0, HV_GDB_REG_BYTES_MAX);
	memcpy(bytes, (const uint8_t *)cpu + reg->at,
	       reg->kept < reg->bytes ? reg->kept : reg->bytes);
	if (reg->kind == TAGS) {
		tags = read_tags(cpu->fpu);
		memcpy(bytes, &tags, sizeof(tags));
	}
	return reg->bytes;
}

static int part_of(const struct hv_gdb_reg *reg)
{
	if (reg->at < CPU(sregs))
		return HV_GDB_WROTE_REGS;
	if (reg->at < CPU(kernel_gs_base))
		return HV_GDB_WROTE_SREGS;
	return reg->at < CPU(fpu) ? HV_GDB_WROTE_MSR : HV_GDB_WROTE_FPU;
}

int hv_gdb_reg_set(const struct hv_gdb_regs *regs, unsigned int n, struct hv_gdb_cpu *cpu,
		   const uint8_t bytes[HV_GDB_REG_BYTES_MAX])
{
	const struct hv_gdb_reg *reg = &regs->reg[n];
	uint8_t now[HV_GDB_REG_BYTES_MAX], *at = (uint8_t *)cpu + reg->at;
	uint16_t tags;

	hv_gdb_reg_get(regs, n, cpu, now);
	if (!memcmp(now, bytes, reg->bytes))
		return 0;
	if (reg->kind == FIXED)
		return -1;
	if (reg->kind == TAGS) {
		memcpy(&tags, bytes, sizeof(tags));
		write_tags(cpu->fpu, tags);
		return HV_GDB_WROTE_FPU;
	}
	memset(at, 0, reg->kept);
	memcpy(at, bytes, reg->kept < reg->bytes ? reg->kept : reg->bytes);
	return part_of(reg);
}
