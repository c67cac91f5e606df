// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the SDM calls things: tables, and the look-ups in them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/util.h"
#include "names.h"
#include "words.h"

/* SDM, "VMX Basic Exit Reasons" */
static const char *const exit_names[] = {
	[0] = "exception or NMI",
	[1] = "external interrupt",
	[2] = "triple fault",
	[3] = "INIT signal",
	[4] = "start-up IPI (SIPI)",
	[5] = "I/O system-management interrupt (SMI)",
	[6] = "other SMI",
	[7] = "interrupt window",
	[8] = "NMI window",
	[9] = "task switch",
	[10] = "CPUID",
	[11] = "GETSEC",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[17] = "RSM",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMXOFF",
	[27] = "VMXON",
	[28] = "control-register access",
	[29] = "MOV DR",
	[30] = "I/O instruction",
	[31] = "RDMSR",
	[32] = "WRMSR",
	[33] = "VM-entry failure due to invalid guest state",
	[34] = "VM-entry failure due to MSR loading",
	[36] = "MWAIT",
	[37] = "monitor trap flag",
	[39] = "MONITOR",
	[40] = "PAUSE",
	[41] = "VM-entry failure due to machine-check event",
	[43] = "TPR below threshold",
	[44] = "APIC access",
	[45] = "virtualized EOI",
	[46] = "access to GDTR or IDTR",
	[47] = "access to LDTR or TR",
	[48] = "EPT violation",
	[49] = "EPT misconfiguration",
	[50] = "INVEPT",
	[51] = "RDTSCP",
	[52] = "VMX-preemption timer expired",
	[53] = "INVVPID",
	[54] = "WBINVD or WBNOINVD",
	[55] = "XSETBV",
	[56] = "APIC write",
	[57] = "RDRAND",
	[58] = "INVPCID",
	[59] = "VMFUNC",
	[60] = "ENCLS",
	[61] = "RDSEED",
	[62] = "page-modification log full",
	[63] = "XSAVES",
	[64] = "XRSTORS",
	[65] = "PCONFIG",
	[66] = "SPP-related event",
	[67] = "UMWAIT",
	[68] = "TPAUSE",
	[69] = "LOADIWKEY",
	[70] = "ENCLV",
	[72] = "ENQCMD PASID translation failure",
	[73] = "ENQCMDS PASID translation failure",
	[74] = "bus lock",
	[75] = "instruction timeout",
	[76] = "SEAMCALL",
	[77] = "TDCALL",
	[78] = "RDMSRLIST",
	[79] = "WRMSRLIST",
	[80] = "URDMSR",
	[81] = "UWRMSR",
};

/* SDM, "VM Instruction Error Numbers" */
static const char *const instruction_errors[] = {
	[0] = "no error",
	[1] = "VMCALL executed in VMX root operation",
	[2] = "VMCLEAR with invalid physical address",
	[3] = "VMCLEAR with VMXON pointer",
	[4] = "VMLAUNCH with non-clear VMCS",
	[5] = "VMRESUME with non-launched VMCS",
	[6] = "VMRESUME after VMXOFF (VMXOFF and VMXON between VMLAUNCH and VMRESUME)",
	[7] = "VM entry with invalid control field(s)",
	[8] = "VM entry with invalid host-state field(s)",
	[9] = "VMPTRLD with invalid physical address",
	[10] = "VMPTRLD with VMXON pointer",
	[11] = "VMPTRLD with incorrect VMCS revision identifier",
	[12] = "VMREAD or VMWRITE from/to unsupported VMCS component",
	[13] = "VMWRITE to read-only VMCS component",
	[15] = "VMXON executed in VMX root operation",
	[16] = "VM entry with invalid executive-VMCS pointer",
	[17] = "VM entry with non-launched executive VMCS",
	[18] = "VM entry with executive-VMCS pointer not VMXON pointer",
	[19] = "VMCALL with non-clear VMCS",
	[20] = "VMCALL with invalid VM-exit control fields",
	[22] = "VMCALL with incorrect MSEG revision identifier",
	[23] = "VMXOFF under dual-monitor treatment of SMIs and SMM",
	[24] = "VMCALL with invalid SMM-monitor features",
	[25] = "VM entry with invalid VM-execution control fields in executive VMCS",
	[26] = "VM entry with events blocked by MOV SS",
	[28] = "invalid operand to INVEPT or INVVPID",
};

static const struct {
	uint32_t encoding;
	const char *name;
} field_names[] = {
#define VMCS_FIELD_NAME(id, encoding, name) { (encoding), (name) },
	VMCS_FIELDS(VMCS_FIELD_NAME)
#undef VMCS_FIELD_NAME
};

static const char *name_in(const char *const *table, size_t n, size_t index, const char *unknown)
{
	return index < n && table[index] ? table[index] : unknown;
}

const char *vmx_exit_name(uint32_t basic_reason)
{
	return name_in(exit_names, ARRAY_SIZE(exit_names), basic_reason & 0xffff,
		       "unknown exit reason");
}

const char *vmx_instruction_error(uint32_t n)
{
	return name_in(instruction_errors, ARRAY_SIZE(instruction_errors), n,
		       "unknown VM-instruction error");
}

const char *vmx_field_name(uint32_t encoding)
{
	size_t low = 0, high = ARRAY_SIZE(field_names);

	/* Bit 0 is the access type: the high half of a 64-bit field. */
	if ((encoding & 0x6001) == 0x2001)
		encoding &= ~1U;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (field_names[mid].encoding == encoding)
			return field_names[mid].name;
		if (field_names[mid].encoding < encoding)
			low = mid + 1;
		else
			high = mid;
	}
	return "unknown VMCS field";
}

static unsigned int bits(uint64_t value, unsigned int high, unsigned int low)
{
	return (unsigned int)(value >> low & ((1ULL << (high - low + 1)) - 1));
}

/* The registers in the order of the instruction encoding. */
static const char *gpr_name(unsigned int n)
{
	static const char *const names[] = {
		"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
		"R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15",
	};

	return names[n & 15];
}

static void add_list(struct vmx_words *t, const char *word)
{
	vmx_say(t, "%s%s", t->used ? ", " : "", word);
}

/* DR6-like bits; also the format of the pending debug exceptions */
static void qual_exception(struct vmx_words *t, uint64_t q)
{
	if (q)
		vmx_say(t, "#PF: linear address 0x%" PRIx64 "; #DB: DR6 bits 0x%" PRIx64, q,
			q & 0x1680f);
}

static void qual_sipi(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "SIPI vector 0x%02x", bits(q, 7, 0));
}

static void qual_task_switch(struct vmx_words *t, uint64_t q)
{
	static const char *const source[] = {
		"CALL",
		"IRET",
		"JMP",
		"task gate in IDT",
	};

	vmx_say(t, "to TSS selector 0x%04x by %s", bits(q, 15, 0), source[bits(q, 31, 30)]);
}

static void qual_linear(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "linear address 0x%" PRIx64, q);
}

static void qual_displacement(struct vmx_words *t, uint64_t q)
{
	if (q)
		vmx_say(t, "displacement 0x%" PRIx64, q);
}

static void qual_cr_access(struct vmx_words *t, uint64_t q)
{
	unsigned int cr = bits(q, 3, 0);
	const char *gpr = gpr_name(bits(q, 11, 8));

	switch (bits(q, 5, 4)) {
	case 0:
		vmx_say(t, "MOV to CR%u from %s", cr, gpr);
		break;
	case 1:
		vmx_say(t, "MOV from CR%u to %s", cr, gpr);
		break;
	case 2:
		vmx_say(t, "CLTS");
		break;
	default:
		vmx_say(t, "LMSW 0x%04x from %s", bits(q, 31, 16),
			bits(q, 6, 6) ? "memory" : "a register");
		break;
	}
}

static void qual_mov_dr(struct vmx_words *t, uint64_t q)
{
	const char *way = bits(q, 4, 4) ? "from" : "to";

	vmx_say(t, "MOV %s DR%u, %s", way, bits(q, 2, 0), gpr_name(bits(q, 11, 8)));
}

static void qual_io(struct vmx_words *t, uint64_t q)
{
	const char *string = bits(q, 4, 4) ? "S" : "";

	vmx_say(t, "%s%s%s port 0x%x, %u byte%s, %s", bits(q, 5, 5) ? "REP " : "",
		bits(q, 3, 3) ? "IN" : "OUT", string, bits(q, 31, 16), bits(q, 2, 0) + 1,
		bits(q, 2, 0) ? "s" : "", bits(q, 6, 6) ? "immediate" : "DX");
}

/* SDM, "Exit Qualification" under "VM-Entry Failures During or After Loading..." */
static void qual_entry_failed(struct vmx_words *t, uint64_t q)
{
	static const char *const why[] = {
		[0] = "guest state, not told which",
		[2] = "the PDPTEs",
		[3] = "injection of an NMI while events are blocked by MOV SS",
		[4] = "the VMCS link pointer",
	};

	vmx_say(t, "%s", name_in(why, ARRAY_SIZE(why), q, "undefined"));
}

static void qual_msr_load(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "entry %" PRIu64 " of the VM-entry MSR-load area", q);
}

static void qual_mwait(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "address-range monitoring hardware %sarmed", q & 1 ? "" : "not ");
}

static void qual_apic_access(struct vmx_words *t, uint64_t q)
{
	static const char *const type[16] = {
		[0] = "data read by an instruction",
		[1] = "data write by an instruction",
		[2] = "instruction fetch",
		[3] = "access during event delivery",
		[10] = "guest-physical access during event delivery",
		[15] = "guest-physical access by an instruction",
	};

	vmx_say(t, "offset 0x%03x, %s", bits(q, 11, 0),
		name_in(type, ARRAY_SIZE(type), bits(q, 15, 12), "undefined"));
}

static void qual_vector(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "vector 0x%02x", bits(q, 7, 0));
}

static void qual_apic_write(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "APIC register offset 0x%03x", bits(q, 11, 0));
}

static void qual_ept(struct vmx_words *t, uint64_t q)
{
	static const struct {
		uint64_t mask;
		const char *word;
	} access[] = {
		{ 1 << 0, "read" },
		{ 1 << 1, "write" },
		{ 1 << 2, "fetch" },
	};
	char may[4] = { q & 1 << 3 ? 'r' : '-', q & 1 << 4 ? 'w' : '-', q & 1 << 5 ? 'x' : '-', 0 };

	for (size_t i = 0; i < ARRAY_SIZE(access); i++)
		if (q & access[i].mask)
			add_list(t, access[i].word);
	vmx_say(t, "%spage allows %s", t->used ? "; " : "", may);
	if (q & 1 << 7)
		vmx_say(t, "; linear address valid, %s",
			q & 1 << 8 ? "access to the page itself" :
				     "access to a paging-structure entry");
	if (q & 1 << 12)
		vmx_say(t, "; NMI unblocked by IRET");
}

static void qual_spp(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "SPP %s", q & 1 << 11 ? "miss" : "misconfiguration");
}

static void qual_timeout(struct vmx_words *t, uint64_t q)
{
	vmx_say(t, "VM context %svalid", q & 1 ? "in" : "");
}

static void (*const describe[])(struct vmx_words *t, uint64_t q) = {
	[0] = qual_exception,
	[4] = qual_sipi,
	[9] = qual_task_switch,
	[14] = qual_linear,
	[19] = qual_displacement,
	[21] = qual_displacement,
	[22] = qual_displacement,
	[23] = qual_displacement,
	[25] = qual_displacement,
	[27] = qual_displacement,
	[28] = qual_cr_access,
	[29] = qual_mov_dr,
	[30] = qual_io,
	[33] = qual_entry_failed,
	[34] = qual_msr_load,
	[36] = qual_mwait,
	[44] = qual_apic_access,
	[45] = qual_vector,
	[46] = qual_displacement,
	[47] = qual_displacement,
	[48] = qual_ept,
	[50] = qual_displacement,
	[53] = qual_displacement,
	[56] = qual_apic_write,
	[58] = qual_displacement,
	[63] = qual_displacement,
	[64] = qual_displacement,
	[66] = qual_spp,
	[75] = qual_timeout,
};

size_t vmx_describe_qualification(uint32_t reason, uint64_t qual, char *buf, size_t len)
{
	struct vmx_words t = { .buf = buf, .size = len };
	uint32_t basic = reason & 0xffff;

	if (len)
		buf[0] = 0;
	if (basic < ARRAY_SIZE(describe) && describe[basic])
		describe[basic](&t, qual);
	return t.used;
}
