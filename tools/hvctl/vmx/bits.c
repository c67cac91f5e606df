// SPDX-License-Identifier: GPL-2.0-only
/* What a field of a VMCS says, in words: a row a field, or a kind of them. */
#include <inttypes.h>
#include <stdio.h>

#include "bits.h"
#include "caps.h"
#include "lib/util.h"
#include "names.h"
#include "words.h"

/* ------------------------------------------------------------------- groups */

enum vmx_group vmx_field_group(uint32_t encoding)
{
	/* Bits 11:10 are the type; the SDM tells controls apart by their names. */
	static const enum vmx_group of_type[] = {
		VMX_GROUP_EXECUTION,
		VMX_GROUP_INFORMATION,
		VMX_GROUP_GUEST,
		VMX_GROUP_HOST,
	};

	switch (encoding) {
	case VMCS_EXIT_CTLS:
	case VMCS_EXIT2_CTLS:
	case VMCS_EXIT_MSR_STORE_COUNT:
	case VMCS_EXIT_MSR_STORE_ADDR:
	case VMCS_EXIT_MSR_LOAD_COUNT:
	case VMCS_EXIT_MSR_LOAD_ADDR:
		return VMX_GROUP_EXIT;
	case VMCS_ENTRY_CTLS:
	case VMCS_ENTRY_MSR_LOAD_COUNT:
	case VMCS_ENTRY_MSR_LOAD_ADDR:
	case VMCS_ENTRY_INTR_INFO:
	case VMCS_ENTRY_ERROR_CODE:
	case VMCS_ENTRY_INSTRUCTION_LEN:
	case VMCS_INJECTED_EVENT_DATA:
		return VMX_GROUP_ENTRY;
	default:
		return of_type[encoding >> 10 & 3];
	}
}

const char *vmx_group_name(enum vmx_group group)
{
	static const char *const names[VMX_NR_GROUPS] = {
		[VMX_GROUP_GUEST] = "guest-state area",
		[VMX_GROUP_HOST] = "host-state area",
		[VMX_GROUP_EXECUTION] = "VM-execution control fields",
		[VMX_GROUP_EXIT] = "VM-exit control fields",
		[VMX_GROUP_ENTRY] = "VM-entry control fields",
		[VMX_GROUP_INFORMATION] = "VM-exit information fields",
	};

	return names[group];
}

bool vmx_field_is_host(uint32_t encoding)
{
	switch (encoding) {
	case VMCS_IO_BITMAP_A:
	case VMCS_IO_BITMAP_B:
	case VMCS_MSR_BITMAP:
	case VMCS_EXIT_MSR_STORE_ADDR:
	case VMCS_EXIT_MSR_LOAD_ADDR:
	case VMCS_ENTRY_MSR_LOAD_ADDR:
	case VMCS_EXECUTIVE_VMCS:
	case VMCS_PML_ADDR:
	case VMCS_VIRTUAL_APIC_ADDR:
	case VMCS_APIC_ACCESS_ADDR:
	case VMCS_POSTED_INTR_DESC_ADDR:
	case VMCS_EPTP:
	case VMCS_EPTP_LIST_ADDR:
	case VMCS_VMREAD_BITMAP:
	case VMCS_VMWRITE_BITMAP:
	case VMCS_VE_INFO_ADDR:
	case VMCS_SPPTP:
	case VMCS_LOW_PASID_DIR:
	case VMCS_HIGH_PASID_DIR:
	case VMCS_HLATP:
	case VMCS_PID_POINTER_TABLE:
		return true;
	default:
		return vmx_field_group(encoding) == VMX_GROUP_HOST;
	}
}

/* No host does without any of these: then the caller was not shown them. */
bool vmx_dump_is_blanked(const struct tinyvmx_vmcs_field *fields, size_t n)
{
	static const uint32_t needed[] = { VMCS_HOST_CR0, VMCS_HOST_CR3, VMCS_HOST_RIP };
	size_t zeros = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < ARRAY_SIZE(needed); j++)
			zeros += fields[i].encoding == needed[j] && !fields[i].value;
	return zeros == ARRAY_SIZE(needed);
}

/* -------------------------------------------------------------------- words */

struct words {
	struct vmx_words text;
	uint32_t exit_reason;
};

static const char *comma(const struct words *w)
{
	return w->text.used ? ", " : "";
}

static unsigned int field(uint64_t value, unsigned int high, unsigned int low)
{
	return (unsigned int)(value >> low & ((1ULL << (high - low + 1)) - 1));
}

/* Where a run of bits ends that are set, and that nobody has named. */
static unsigned int end_of_run(const struct vmx_bits *bits, uint64_t value, unsigned int bit)
{
	while (bit < 63 && value >> (bit + 1) & 1 && !vmx_bit_name(bits, bit + 1))
		bit++;
	return bit;
}

/* Each bit that is set, by its name, or by its number. */
static void say_bits(struct words *w, const struct vmx_bits *bits, uint64_t value)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = vmx_bit_name(bits, bit);
		unsigned int last = bit;

		if (!(value >> bit & 1))
			continue;
		if (!name)
			last = end_of_run(bits, value, bit);
		if (name)
			vmx_say(&w->text, "%s%s", comma(w), name);
		else if (last == bit)
			vmx_say(&w->text, "%sbit %u", comma(w), bit);
		else
			vmx_say(&w->text, "%sbits %u:%u", comma(w), last, bit);
		bit = last;
	}
}

#define BITS(table)	{ (table), ARRAY_SIZE(table) }

static const struct vmx_bit efer_table[] = {
	{ 0, "SCE" }, { 8, "LME" }, { 10, "LMA" }, { 11, "NXE" },
};

/* Without IOPL, which is a number */
static const struct vmx_bit rflags_table[] = {
	{ 0, "CF" }, { 1, "1" }, { 2, "PF" }, { 4, "AF" }, { 6, "ZF" }, { 7, "SF" }, { 8, "TF" },
	{ 9, "IF" }, { 10, "DF" }, { 11, "OF" }, { 14, "NT" }, { 16, "RF" }, { 17, "VM" },
	{ 18, "AC" }, { 19, "VIF" }, { 20, "VIP" }, { 21, "ID" },
};

static const struct vmx_bit debugctl_table[] = {
	{ 0, "LBR" }, { 1, "BTF" }, { 2, "bus-lock detection" }, { 6, "TR" }, { 7, "BTS" },
	{ 8, "BTINT" }, { 9, "BTS_OFF_OS" }, { 10, "BTS_OFF_USR" }, { 11, "FREEZE_LBRS_ON_PMI" },
	{ 12, "FREEZE_PERFMON_ON_PMI" }, { 13, "uncore PMI" }, { 14, "FREEZE_WHILE_SMM" },
	{ 15, "RTM debug" },
};

static const struct vmx_bit dr7_table[] = {
	{ 0, "L0" }, { 1, "G0" }, { 2, "L1" }, { 3, "G1" }, { 4, "L2" }, { 5, "G2" }, { 6, "L3" },
	{ 7, "G3" }, { 8, "LE" }, { 9, "GE" }, { 10, "1" }, { 11, "RTM" }, { 13, "GD" },
};

static const struct vmx_bit blocking_table[] = {
	{ 0, "blocking by STI" }, { 1, "blocking by MOV SS" }, { 2, "blocking by SMI" },
	{ 3, "blocking by NMI" }, { 4, "enclave interruption" },
};

static const struct vmx_bit pending_table[] = {
	{ 0, "B0" }, { 1, "B1" }, { 2, "B2" }, { 3, "B3" }, { 11, "bus lock" },
	{ 12, "enabled breakpoint" }, { 14, "BS" }, { 16, "RTM" },
};

static const struct vmx_bit s_cet_table[] = {
	{ 0, "SH_STK_EN" }, { 1, "WR_SHSTK_EN" }, { 2, "ENDBR_EN" }, { 3, "LEG_IW_EN" },
	{ 4, "NO_TRACK_EN" }, { 5, "SUPPRESS_DIS" }, { 10, "SUPPRESS" }, { 11, "TRACKER" },
};

static const struct vmx_bit exception_table[] = {
	{ 0, "#DE" }, { 1, "#DB" }, { 2, "NMI" }, { 3, "#BP" }, { 4, "#OF" }, { 5, "#BR" },
	{ 6, "#UD" }, { 7, "#NM" }, { 8, "#DF" }, { 10, "#TS" }, { 11, "#NP" }, { 12, "#SS" },
	{ 13, "#GP" }, { 14, "#PF" }, { 16, "#MF" }, { 17, "#AC" }, { 18, "#MC" }, { 19, "#XM" },
	{ 20, "#VE" }, { 21, "#CP" },
};

/* Of the exit reason, beside the basic one */
static const struct vmx_bit reason_table[] = {
	{ 25, "prematurely busy shadow stack" }, { 26, "bus lock" }, { 27, "enclave mode" },
	{ 28, "pending MTF VM exit" }, { 29, "VM exit from VMX root operation" },
	{ 31, "VM-entry failure" },
};

static const struct vmx_bits efer_bits = BITS(efer_table), rflags_bits = BITS(rflags_table),
			     debugctl_bits = BITS(debugctl_table), dr7_bits = BITS(dr7_table),
			     blocking_bits = BITS(blocking_table),
			     pending_bits = BITS(pending_table), s_cet_bits = BITS(s_cet_table),
			     exception_bits = BITS(exception_table),
			     reason_bits = BITS(reason_table);

/* ------------------------------------------------ fields that are not all bits */

static void say_rflags(struct words *w, uint64_t value)
{
	say_bits(w, &rflags_bits, value & ~(3ULL << 12));
	vmx_say(&w->text, "%sIOPL %u", comma(w), field(value, 13, 12));
}

/* An address goes along with the switches. */
static void say_s_cet(struct words *w, uint64_t value)
{
	say_bits(w, &s_cet_bits, value & 0xfff);
	if (value >> 12)
		vmx_say(&w->text, "%slegacy code bitmap at 0x%" PRIx64, comma(w),
			value & ~(uint64_t)0xfff);
}

/* R/W and LEN of the breakpoints that are on */
static void say_dr7(struct words *w, uint64_t value)
{
	static const char *const access[] = { "execution", "write", "I/O", "read or write" };
	static const unsigned int len[] = { 1, 2, 8, 4 };

	say_bits(w, &dr7_bits, value & ~0xffff0000ULL);
	for (unsigned int i = 0; i < 4; i++)
		if (value >> (2 * i) & 3)
			vmx_say(&w->text, "%sDR%u: %s of %u", comma(w), i,
				access[field(value, 17 + 4 * i, 16 + 4 * i)],
				len[field(value, 19 + 4 * i, 18 + 4 * i)]);
}

static void say_code_data(struct words *w, uint64_t ar)
{
	if (ar & 8)
		vmx_say(&w->text, "code%s%s", ar & 4 ? " conforming" : "",
			ar & 2 ? " readable" : "");
	else
		vmx_say(&w->text, "data%s%s", ar & 4 ? " expand-down" : "",
			ar & 2 ? " writable" : "");
	vmx_say(&w->text, "%s", ar & 1 ? " accessed" : "");
}

static void say_system(struct words *w, uint64_t ar)
{
	static const char *const types[16] = {
		[1] = "available 16-bit TSS",
		[2] = "LDT",
		[3] = "busy 16-bit TSS",
		[4] = "16-bit call gate",
		[5] = "task gate",
		[6] = "16-bit interrupt gate",
		[7] = "16-bit trap gate",
		[9] = "available TSS",
		[11] = "busy TSS",
		[12] = "call gate",
		[14] = "interrupt gate",
		[15] = "trap gate",
	};
	const char *type = types[ar & 0xf];

	vmx_say(&w->text, "system: %s", type ? type : "reserved type");
}

static void say_access_rights(struct words *w, uint64_t ar)
{
	if (ar & TINYVMX_AR_UNUSABLE)
		vmx_say(&w->text, "unusable: ");
	if (ar & TINYVMX_AR_S)
		say_code_data(w, ar);
	else
		say_system(w, ar);
	vmx_say(&w->text, ", DPL %u%s%s%s%s%s", field(ar, 6, 5),
		ar & TINYVMX_AR_P ? ", present" : "", ar & 1 << 12 ? ", AVL" : "",
		ar & TINYVMX_AR_L ? ", 64-bit" : "", ar & TINYVMX_AR_DB ? ", D/B" : "",
		ar & TINYVMX_AR_G ? ", G" : "");
}

static void say_selector(struct words *w, uint64_t value)
{
	if (value & ~3ULL)
		vmx_say(&w->text, "%s[%u], RPL %u", value & 4 ? "LDT" : "GDT", field(value, 15, 3),
			field(value, 1, 0));
	else
		vmx_say(&w->text, "null");
}

/* Of the event that is injected, that led to the exit, or whose delivery did */
static void say_event(struct words *w, uint64_t value)
{
	static const char *const types[] = {
		"external interrupt", "reserved type",      "NMI",
		"hardware exception", "software interrupt", "privileged software exception",
		"software exception", "other event",
	};
	unsigned int vector = field(value, 7, 0), type = field(value, 10, 8);
	const char *name =
		type == 3 || type == 5 || type == 6 ? vmx_bit_name(&exception_bits, vector) : NULL;

	if (!(value >> 31 & 1)) {
		vmx_say(&w->text, "not valid");
		return;
	}
	vmx_say(&w->text, "%s, vector %u%s%s%s%s", types[type], vector, name ? " (" : "",
		name ? name : "", name ? ")" : "", value & 1 << 11 ? ", with an error code" : "");
	if (value & 1 << 12)
		vmx_say(&w->text, ", NMI unblocking due to IRET");
	if (value & 1 << 13)
		vmx_say(&w->text, ", nested exception");
}

static void say_exit_reason(struct words *w, uint64_t value)
{
	vmx_say(&w->text, "%s", vmx_exit_name((uint32_t)value));
	say_bits(w, &reason_bits, value & ~0xffffULL);
}

static void say_qualification(struct words *w, uint64_t value)
{
	w->text.used = vmx_describe_qualification(w->exit_reason, value, w->text.buf, w->text.size);
}

static void say_instruction_error(struct words *w, uint64_t value)
{
	vmx_say(&w->text, "%s", vmx_instruction_error((uint32_t)value));
}

static void say_activity(struct words *w, uint64_t value)
{
	static const char *const states[] = { "active", "HLT", "shutdown", "wait-for-SIPI" };

	vmx_say(&w->text, "%s", value < ARRAY_SIZE(states) ? states[value] : "no such state");
}

static void say_pat(struct words *w, uint64_t value)
{
	static const char *const types[] = {
		"UC", "WC", "reserved", "reserved", "WT", "WP", "WB", "UC-",
	};

	for (unsigned int i = 0; i < 8; i++) {
		unsigned int type = field(value, 8 * i + 7, 8 * i);

		vmx_say(&w->text, "%s%s", i ? " " : "", type < 8 ? types[type] : "reserved");
	}
}

static void say_eptp(struct words *w, uint64_t value)
{
	vmx_say(&w->text, "table at 0x%" PRIx64 ", %u levels, %s%s%s", value & ~(uint64_t)0xfff,
		field(value, 5, 3) + 1, vmx_memory_type_name(field(value, 2, 0)),
		value & 1 << 6 ? ", accessed and dirty flags" : "",
		value & 1 << 7 ? ", supervisor shadow-stack control" : "");
}

static void say_link_pointer(struct words *w, uint64_t value)
{
	if (value == UINT64_MAX)
		vmx_say(&w->text, "none");
}

static void say_intr_status(struct words *w, uint64_t value)
{
	vmx_say(&w->text, "RVI 0x%02x, SVI 0x%02x", field(value, 7, 0), field(value, 15, 8));
}

/* -------------------------------------------------------------------- table */

/* Fields @first to @last, which are alike; one of @bits and @say. */
static const struct row {
	uint32_t first, last;
	const struct vmx_bits *bits;
	void (*say)(struct words *w, uint64_t value);
} rows[] = {
	{ VMCS_GUEST_ES_SELECTOR, VMCS_GUEST_TR_SELECTOR, NULL, say_selector },
	{ VMCS_GUEST_INTR_STATUS, VMCS_GUEST_INTR_STATUS, NULL, say_intr_status },
	{ VMCS_HOST_ES_SELECTOR, VMCS_HOST_TR_SELECTOR, NULL, say_selector },
	{ VMCS_VM_FUNCTION_CTLS, VMCS_VM_FUNCTION_CTLS, &vmx_vmfunc_bits, NULL },
	{ VMCS_EPTP, VMCS_EPTP, NULL, say_eptp },
	{ VMCS_LINK_POINTER, VMCS_LINK_POINTER, NULL, say_link_pointer },
	{ VMCS_GUEST_DEBUGCTL, VMCS_GUEST_DEBUGCTL, &debugctl_bits, NULL },
	{ VMCS_GUEST_PAT, VMCS_GUEST_PAT, NULL, say_pat },
	{ VMCS_GUEST_EFER, VMCS_GUEST_EFER, &efer_bits, NULL },
	{ VMCS_HOST_PAT, VMCS_HOST_PAT, NULL, say_pat },
	{ VMCS_HOST_EFER, VMCS_HOST_EFER, &efer_bits, NULL },
	{ VMCS_EXCEPTION_BITMAP, VMCS_EXCEPTION_BITMAP, &exception_bits, NULL },
	{ VMCS_ENTRY_INTR_INFO, VMCS_ENTRY_INTR_INFO, NULL, say_event },
	{ VMCS_INSTRUCTION_ERROR, VMCS_INSTRUCTION_ERROR, NULL, say_instruction_error },
	{ VMCS_EXIT_REASON, VMCS_EXIT_REASON, NULL, say_exit_reason },
	{ VMCS_EXIT_INTR_INFO, VMCS_EXIT_INTR_INFO, NULL, say_event },
	{ VMCS_IDT_VECTORING_INFO, VMCS_IDT_VECTORING_INFO, NULL, say_event },
	{ VMCS_GUEST_ES_AR, VMCS_GUEST_TR_AR, NULL, say_access_rights },
	{ VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_INTERRUPTIBILITY, &blocking_bits, NULL },
	{ VMCS_GUEST_ACTIVITY, VMCS_GUEST_ACTIVITY, NULL, say_activity },
	{ VMCS_CR0_MASK, VMCS_CR0_MASK, &vmx_cr0_bits, NULL },
	{ VMCS_CR4_MASK, VMCS_CR4_MASK, &vmx_cr4_bits, NULL },
	{ VMCS_CR0_SHADOW, VMCS_CR0_SHADOW, &vmx_cr0_bits, NULL },
	{ VMCS_CR4_SHADOW, VMCS_CR4_SHADOW, &vmx_cr4_bits, NULL },
	{ VMCS_EXIT_QUALIFICATION, VMCS_EXIT_QUALIFICATION, NULL, say_qualification },
	{ VMCS_GUEST_CR0, VMCS_GUEST_CR0, &vmx_cr0_bits, NULL },
	{ VMCS_GUEST_CR4, VMCS_GUEST_CR4, &vmx_cr4_bits, NULL },
	{ VMCS_GUEST_DR7, VMCS_GUEST_DR7, NULL, say_dr7 },
	{ VMCS_GUEST_RFLAGS, VMCS_GUEST_RFLAGS, NULL, say_rflags },
	{ VMCS_GUEST_PENDING_DEBUG, VMCS_GUEST_PENDING_DEBUG, &pending_bits, NULL },
	{ VMCS_GUEST_S_CET, VMCS_GUEST_S_CET, NULL, say_s_cet },
	{ VMCS_HOST_CR0, VMCS_HOST_CR0, &vmx_cr0_bits, NULL },
	{ VMCS_HOST_CR4, VMCS_HOST_CR4, &vmx_cr4_bits, NULL },
	{ VMCS_HOST_S_CET, VMCS_HOST_S_CET, NULL, say_s_cet },
};

static const struct vmx_bits *control_bits(uint32_t encoding)
{
	for (size_t i = 0; i < VMX_NR_WORDS; i++)
		if (vmx_words[i].field == encoding)
			return &vmx_words[i].bits;
	return NULL;
}

size_t vmx_describe_field(uint32_t encoding, uint64_t value, uint32_t exit_reason, char *buf,
			  size_t len)
{
	struct words w = { .text = { .buf = buf, .size = len }, .exit_reason = exit_reason };
	const struct vmx_bits *bits = control_bits(encoding);

	if (len)
		buf[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !bits; i++) {
		if (encoding < rows[i].first || encoding > rows[i].last)
			continue;
		bits = rows[i].bits;
		if (!bits)
			rows[i].say(&w, value);
		break;
	}
	if (bits)
		say_bits(&w, bits, value);
	return w.text.used;
}
