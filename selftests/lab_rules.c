// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each rule of VM entry broken by itself: the CPU refuses the VMCS, in the stage that the rule
 * belongs to, and hvctl's rules name this one and no other. docs/entry-rules.md has which rules
 * these are. A CPU without what a rule is about is told so.
 */
#include "lab.h"

#include "lib/x86.h"

/* Not canonical, whether linear addresses have 48 bits or 57 */
#define ODD_ADDRESS	0x9000000000000000ULL
#define BEYOND		(1ULL << 51)	/* physical memory, of any CPU here */
#define LONGEST_AREA	0x1ffffff

#define BIT(n)		(1ULL << (n))
#define DB		TINYVMX_AR_DB

/* What the VMCS is like before it is broken; the CPU takes each. */
enum mode { LONG, COMPAT, RING_3, PROTECTED, PAE, V86, REAL };

#define MOST_CHANGES	12

struct row {
	const char *rule;
	enum mode mode;
	u32 segs;		/* of each of these, TINYVMX_ES ...; fields are then those of ES */
	struct lab_change change[MOST_CHANGES];
};

#define RULE(id, ...)			{ id, LONG, 0, { __VA_ARGS__ } }
#define RULE_IN(mode, id, ...)		{ id, mode, 0, { __VA_ARGS__ } }
#define RULE_SEGS(mode, id, segs, ...)	{ id, mode, segs, { __VA_ARGS__ } }

#define S(seg)		(1U << TINYVMX_##seg)
#define DATA		(S(DS) | S(ES) | S(FS) | S(GS))
#define CODE_DATA	(DATA | S(CS) | S(SS))
#define ALL		(CODE_DATA | S(LDTR) | S(TR))

#define NO_EPT		OFF(PROC2_CTLS, BIT(PROC2_EPT))
#define RESTRICTED	OFF(PROC2_CTLS, BIT(PROC2_UNRESTRICTED))
#define NO_SHADOW \
	OFF(PROC_CTLS, BIT(PROC_TPR_SHADOW)), \
	OFF(PROC2_CTLS, BIT(PROC2_X2APIC) | BIT(PROC2_APIC_REGISTERS) | \
	    BIT(PROC2_VIRTUAL_INTR) | BIT(PROC2_APIC_ACCESSES))
#define POSTED \
	ON(PIN_CTLS, BIT(PIN_POSTED_INTERRUPTS)), \
	ON(PROC2_CTLS, BIT(PROC2_VIRTUAL_INTR)), ON(EXIT_CTLS, BIT(EXIT_ACK_INTERRUPT)), \
	SET(POSTED_INTR_DESC_ADDR, 0x40), SET(POSTED_INTR_VECTOR, 0x40)
#define INJECT(info)	SET(ENTRY_INTR_INFO, BIT(31) | (info))
#define UD_EVENT		0x306
#define GP_0		0xb0d
#define NMI		0x202
#define EXTINT		0x020
#define INTERRUPTS_ON	ON(GUEST_RFLAGS, X86_RFLAGS_IF)
#define BLOCK(bits)	SET(GUEST_INTERRUPTIBILITY, (bits))

#define PAGE_ROW(id, field, ...)	RULE(id, __VA_ARGS__, SET(field, 0x1001))

/* The last area that fits below the top of memory, and one entry more */
#define AREA_ROWS(id, addr, count) \
	RULE(id, SET(count, 1), SET(addr, 8)), \
	RULE(id ".end", SET(count, LONGEST_AREA), SET(addr, BIT(40) - 0x1000))

static const struct row rows[] = {
	RULE("ctl.pin", OFF(PIN_CTLS, BIT(1))),
	RULE("ctl.proc", OFF(PROC_CTLS, BIT(1))),
	RULE("ctl.proc2", ON(PROC2_CTLS, BIT(29))),
	RULE("ctl.cr3_targets", SET(CR3_TARGET_COUNT, 5)),
	PAGE_ROW("ctl.io_bitmap_a", IO_BITMAP_A, ON(PROC_CTLS, BIT(PROC_IO_BITMAPS)),
		 SET(IO_BITMAP_B, 0x1000)),
	PAGE_ROW("ctl.io_bitmap_b", IO_BITMAP_B, ON(PROC_CTLS, BIT(PROC_IO_BITMAPS)),
		 SET(IO_BITMAP_A, 0x1000)),
	PAGE_ROW("ctl.msr_bitmap", MSR_BITMAP, ON(PROC_CTLS, BIT(PROC_MSR_BITMAPS))),
	PAGE_ROW("ctl.virtual_apic", VIRTUAL_APIC_ADDR, ON(PROC_CTLS, BIT(PROC_TPR_SHADOW))),
	RULE("ctl.tpr_threshold", OFF(PROC2_CTLS, BIT(PROC2_VIRTUAL_INTR)),
	     SET(TPR_THRESHOLD, 0x10)),
	RULE("ctl.x2apic_shadow", NO_SHADOW, ON(PROC2_CTLS, BIT(PROC2_X2APIC))),
	RULE("ctl.apic_registers_shadow", NO_SHADOW, ON(PROC2_CTLS, BIT(PROC2_APIC_REGISTERS))),
	RULE("ctl.virtual_intr_shadow", NO_SHADOW, ON(PROC2_CTLS, BIT(PROC2_VIRTUAL_INTR))),
	RULE("ctl.ipi_shadow", NO_SHADOW, ON(PROC_CTLS, BIT(PROC_TERTIARY)),
	     SET(PROC3_CTLS, BIT(PROC3_IPI)), SET(PID_POINTER_TABLE, 0x1000)),
	RULE("ctl.virtual_nmis", OFF(PIN_CTLS, BIT(PIN_NMI_EXITING))),
	RULE("ctl.nmi_window", OFF(PIN_CTLS, BIT(PIN_VIRTUAL_NMIS)),
	     ON(PROC_CTLS, BIT(PROC_NMI_WINDOW))),
	PAGE_ROW("ctl.apic_access", APIC_ACCESS_ADDR, OFF(PROC2_CTLS, BIT(PROC2_X2APIC)),
		 ON(PROC2_CTLS, BIT(PROC2_APIC_ACCESSES))),
	RULE("ctl.x2apic_accesses", SET(APIC_ACCESS_ADDR, 0x1000),
	     ON(PROC2_CTLS, BIT(PROC2_X2APIC) | BIT(PROC2_APIC_ACCESSES))),
	RULE("ctl.virtual_intr_exiting", ON(PROC2_CTLS, BIT(PROC2_VIRTUAL_INTR)),
	     OFF(PIN_CTLS, BIT(PIN_EXTINT_EXITING))),
	RULE("ctl.posted_delivery", POSTED, OFF(PROC2_CTLS, BIT(PROC2_VIRTUAL_INTR))),
	RULE("ctl.posted_ack", POSTED, OFF(EXIT_CTLS, BIT(EXIT_ACK_INTERRUPT))),
	RULE("ctl.posted_vector", POSTED, SET(POSTED_INTR_VECTOR, 0x100)),
	RULE("ctl.posted_desc", POSTED, SET(POSTED_INTR_DESC_ADDR, 0x41)),
	RULE("ctl.vpid", ON(PROC2_CTLS, BIT(PROC2_VPID)), SET(VPID, 0)),
	RULE("ctl.eptp.type", FLIP(EPTP, 3)),
	RULE("ctl.eptp.walk", FLIP(EPTP, 1 << 3)),
	RULE("ctl.eptp.sss", ON(EPTP, BIT(7))),
	RULE("ctl.eptp.reserved", ON(EPTP, BIT(8))),
	RULE("ctl.unrestricted_ept", NO_EPT),
	RULE("ctl.mode_based_ept", RESTRICTED, NO_EPT, ON(PROC2_CTLS, BIT(PROC2_MODE_BASED_EXEC))),
	RULE("ctl.pml_ept", RESTRICTED, NO_EPT, ON(PROC2_CTLS, BIT(PROC2_PML)),
	     SET(PML_ADDR, 0x1000)),
	RULE("ctl.spp_ept", RESTRICTED, NO_EPT, ON(PROC2_CTLS, BIT(PROC2_SPP)),
	     SET(SPPTP, 0x1000)),
	RULE("ctl.pt_gpa_ept", RESTRICTED, NO_EPT, ON(PROC2_CTLS, BIT(PROC2_PT_GPA)),
	     ON(ENTRY_CTLS, BIT(ENTRY_LOAD_RTIT)), ON(EXIT_CTLS, BIT(EXIT_CLEAR_RTIT))),
	RULE("ctl.pt_gpa_rtit", ON(PROC2_CTLS, BIT(PROC2_PT_GPA))),
	PAGE_ROW("ctl.pml", PML_ADDR, ON(PROC2_CTLS, BIT(PROC2_PML))),
	PAGE_ROW("ctl.sppt", SPPTP, ON(PROC2_CTLS, BIT(PROC2_SPP))),
	RULE("ctl.vm_functions", ON(PROC2_CTLS, BIT(PROC2_VM_FUNCTIONS)),
	     SET(VM_FUNCTION_CTLS, BIT(63))),
	RULE("ctl.eptp_switching_ept", RESTRICTED, NO_EPT,
	     ON(PROC2_CTLS, BIT(PROC2_VM_FUNCTIONS)), SET(VM_FUNCTION_CTLS, 1),
	     SET(EPTP_LIST_ADDR, 0x1000)),
	PAGE_ROW("ctl.eptp_list", EPTP_LIST_ADDR, ON(PROC2_CTLS, BIT(PROC2_VM_FUNCTIONS)),
		 SET(VM_FUNCTION_CTLS, 1)),
	PAGE_ROW("ctl.vmread_bitmap", VMREAD_BITMAP, ON(PROC2_CTLS, BIT(PROC2_SHADOWING)),
		 SET(VMWRITE_BITMAP, 0x1000)),
	PAGE_ROW("ctl.vmwrite_bitmap", VMWRITE_BITMAP, ON(PROC2_CTLS, BIT(PROC2_SHADOWING)),
		 SET(VMREAD_BITMAP, 0x1000)),
	PAGE_ROW("ctl.ve_info", VE_INFO_ADDR, ON(PROC2_CTLS, BIT(PROC2_VE))),
	RULE("ctl.tsc_multiplier", ON(PROC2_CTLS, BIT(PROC2_TSC_SCALING)),
	     SET(TSC_MULTIPLIER, 0)),

	RULE("ctl.exit", OFF(EXIT_CTLS, BIT(0))),
	RULE("ctl.save_timer", OFF(PIN_CTLS, BIT(PIN_PREEMPTION_TIMER)),
	     ON(EXIT_CTLS, BIT(EXIT_SAVE_TIMER))),
	AREA_ROWS("ctl.exit_msr_store", EXIT_MSR_STORE_ADDR, EXIT_MSR_STORE_COUNT),
	AREA_ROWS("ctl.exit_msr_load", EXIT_MSR_LOAD_ADDR, EXIT_MSR_LOAD_COUNT),

	RULE("ctl.entry", OFF(ENTRY_CTLS, BIT(0))),
	RULE("ctl.event.type", INJECT(0x100)),
	RULE("ctl.event.vector", INJECT(0x203)),
	RULE("ctl.event.error_code_flag", INJECT(GP_0 & ~0x800)),
	RULE("ctl.event.reserved", INJECT(UD_EVENT | BIT(12))),
	RULE("ctl.event.error_code", INJECT(GP_0), SET(ENTRY_ERROR_CODE, 0x10000)),
	RULE("ctl.event.length", INJECT(0x480), SET(ENTRY_INSTRUCTION_LEN, 16)),
	AREA_ROWS("ctl.entry_msr_load", ENTRY_MSR_LOAD_ADDR, ENTRY_MSR_LOAD_COUNT),
	RULE("ctl.entry_smm", ON(ENTRY_CTLS, BIT(ENTRY_SMM))),

	RULE("host.cr0", ON(HOST_CR0, BIT(40))),
	RULE("host.cr4", ON(HOST_CR4, BIT(40))),
	RULE("host.cr4.cet", ON(HOST_CR4, X86_CR4_CET), OFF(HOST_CR0, X86_CR0_WP)),
	RULE("host.cr3", ON(HOST_CR3, BEYOND)),
	RULE("host.sysenter_esp", SET(HOST_SYSENTER_ESP, ODD_ADDRESS)),
	RULE("host.sysenter_eip", SET(HOST_SYSENTER_EIP, ODD_ADDRESS)),
	RULE("host.perf_global", ON(EXIT_CTLS, BIT(EXIT_LOAD_PERF_GLOBAL)),
	     SET(HOST_PERF_GLOBAL_CTRL, BIT(60))),
	RULE("host.pat", SET(HOST_PAT, 2)),
	RULE("host.efer.reserved", ON(HOST_EFER, BIT(1))),
	RULE("host.efer.mode", OFF(HOST_EFER, X86_EFER_LMA | X86_EFER_LME)),
	RULE("host.s_cet", ON(EXIT_CTLS, BIT(EXIT_LOAD_CET)), SET(HOST_S_CET, BIT(6)),
	     SET(HOST_SSP, 0), SET(HOST_SSP_TABLE, 0)),
	RULE("host.ssp", ON(EXIT_CTLS, BIT(EXIT_LOAD_CET)), SET(HOST_S_CET, 0),
	     SET(HOST_SSP, 1), SET(HOST_SSP_TABLE, 0)),
	RULE("host.pkrs", ON(EXIT_CTLS, BIT(EXIT_LOAD_PKRS)), SET(HOST_PKRS, BIT(32))),
	RULE("host.es", ON(HOST_ES_SELECTOR, 4)),
	RULE("host.cs", ON(HOST_CS_SELECTOR, 1)),
	RULE("host.ss", ON(HOST_SS_SELECTOR, 2)),
	RULE("host.ds", ON(HOST_DS_SELECTOR, 3)),
	RULE("host.fs", ON(HOST_FS_SELECTOR, 4)),
	RULE("host.gs", ON(HOST_GS_SELECTOR, 4)),
	RULE("host.tr", ON(HOST_TR_SELECTOR, 4)),
	RULE("host.cs.null", SET(HOST_CS_SELECTOR, 0)),
	RULE("host.tr.null", SET(HOST_TR_SELECTOR, 0)),
	RULE("host.fs.base", SET(HOST_FS_BASE, ODD_ADDRESS)),
	RULE("host.gs.base", SET(HOST_GS_BASE, ODD_ADDRESS)),
	RULE("host.tr.base", SET(HOST_TR_BASE, ODD_ADDRESS)),
	RULE("host.gdtr.base", SET(HOST_GDTR_BASE, ODD_ADDRESS)),
	RULE("host.idtr.base", SET(HOST_IDTR_BASE, ODD_ADDRESS)),
	RULE("host.space", OFF(EXIT_CTLS, BIT(EXIT_HOST_64) | BIT(EXIT_LOAD_EFER))),
	RULE("host.cr4.pae", OFF(HOST_CR4, X86_CR4_PAE)),
	RULE("host.rip", SET(HOST_RIP, ODD_ADDRESS)),

	RULE("guest.cr0", ON(GUEST_CR0, BIT(40))),
	RULE_IN(REAL, "guest.cr0.pg", ON(GUEST_CR0, X86_CR0_PG)),
	RULE("guest.cr4", ON(GUEST_CR4, BIT(40))),
	RULE("guest.cr4.cet", ON(GUEST_CR4, X86_CR4_CET), OFF(GUEST_CR0, X86_CR0_WP)),
	RULE("guest.debugctl", ON(GUEST_DEBUGCTL, BIT(3))),
	RULE("guest.cr0.ia32e", OFF(GUEST_CR0, X86_CR0_PG)),
	RULE("guest.cr4.ia32e", OFF(GUEST_CR4, X86_CR4_PAE)),
	RULE_IN(PAE, "guest.cr4.pcide", ON(GUEST_CR4, X86_CR4_PCIDE)),
	RULE("guest.cr3", ON(GUEST_CR3, BEYOND)),
	RULE("guest.dr7", ON(GUEST_DR7, BIT(32))),
	RULE("guest.sysenter_esp", SET(GUEST_SYSENTER_ESP, ODD_ADDRESS)),
	RULE("guest.sysenter_eip", SET(GUEST_SYSENTER_EIP, ODD_ADDRESS)),
	RULE("guest.perf_global", ON(ENTRY_CTLS, BIT(ENTRY_LOAD_PERF_GLOBAL)),
	     SET(GUEST_PERF_GLOBAL_CTRL, BIT(60))),
	RULE("guest.pat", SET(GUEST_PAT, 3)),
	RULE("guest.efer.reserved", ON(GUEST_EFER, BIT(1))),
	RULE_IN(PAE, "guest.efer.lma", ON(GUEST_EFER, X86_EFER_LMA | X86_EFER_LME)),
	RULE_IN(PAE, "guest.efer.lme", ON(GUEST_EFER, X86_EFER_LME)),

	RULE_SEGS(LONG, "guest.seg.ti", S(TR) | S(LDTR), ON(GUEST_ES_SELECTOR, 4)),
	RULE("guest.ss.rpl", RESTRICTED, ON(GUEST_CS_SELECTOR, 1)),
	RULE_SEGS(V86, "guest.seg.v86.base", CODE_DATA, FLIP(GUEST_ES_BASE, 0x100)),
	RULE_SEGS(LONG, "guest.seg.base", S(FS) | S(GS) | S(LDTR) | S(TR),
		  SET(GUEST_ES_BASE, ODD_ADDRESS)),
	RULE_SEGS(LONG, "guest.seg.base.high", S(CS) | S(SS) | S(DS) | S(ES),
		  SET(GUEST_ES_BASE, BIT(32))),
	RULE_SEGS(V86, "guest.seg.v86.limit", CODE_DATA, SET(GUEST_ES_LIMIT, 0xfffff)),
	RULE_SEGS(V86, "guest.seg.v86.ar", CODE_DATA, SET(GUEST_ES_AR, 0x93)),
	RULE("guest.cs.type", OFF(GUEST_CS_AR, 1)),
	RULE("guest.ss.type", OFF(GUEST_SS_AR, 2)),
	RULE_SEGS(LONG, "guest.seg.accessed", DATA, OFF(GUEST_ES_AR, 1)),
	RULE_SEGS(LONG, "guest.seg.readable", DATA, SET(GUEST_ES_AR, 0xc099)),
	RULE_SEGS(LONG, "guest.seg.s", CODE_DATA, OFF(GUEST_ES_AR, TINYVMX_AR_S)),
	RULE_IN(RING_3, "guest.cs.dpl.data", SET(GUEST_CS_AR, 0xc0f3), SET(GUEST_SS_AR, 0xc093)),
	RULE("guest.cs.dpl.nonconforming", ON(GUEST_CS_AR, 0x60)),
	RULE("guest.cs.dpl.conforming", ON(GUEST_CS_AR, 0x64)),
	RULE("guest.ss.dpl.rpl", RESTRICTED, ON(GUEST_CS_SELECTOR, 1), ON(GUEST_SS_SELECTOR, 1)),
	RULE_IN(REAL, "guest.ss.dpl.zero", ON(GUEST_CS_AR, 0x60), ON(GUEST_SS_AR, 0x60)),
	RULE_SEGS(LONG, "guest.seg.dpl", DATA, RESTRICTED, ON(GUEST_ES_SELECTOR, 3)),
	RULE_SEGS(LONG, "guest.seg.present", ALL, OFF(GUEST_ES_AR, TINYVMX_AR_P)),
	RULE_SEGS(LONG, "guest.seg.reserved", ALL, ON(GUEST_ES_AR, BIT(8))),
	RULE("guest.cs.db", ON(GUEST_CS_AR, DB)),
	RULE_SEGS(LONG, "guest.seg.granularity", ALL, OFF(GUEST_ES_AR, TINYVMX_AR_G),
		  SET(GUEST_ES_LIMIT, 0x100000)),
	RULE("guest.tr.type", OFF(GUEST_TR_AR, 2)),
	RULE("guest.ldtr.type", ON(GUEST_LDTR_AR, 1)),
	RULE_SEGS(LONG, "guest.seg.system", S(TR) | S(LDTR), ON(GUEST_ES_AR, TINYVMX_AR_S)),
	RULE("guest.tr.usable", ON(GUEST_TR_AR, TINYVMX_AR_UNUSABLE)),
	RULE("guest.gdtr.base", SET(GUEST_GDTR_BASE, ODD_ADDRESS)),
	RULE("guest.idtr.base", SET(GUEST_IDTR_BASE, ODD_ADDRESS)),
	RULE("guest.gdtr.limit", SET(GUEST_GDTR_LIMIT, 0x10000)),
	RULE("guest.idtr.limit", SET(GUEST_IDTR_LIMIT, 0x10000)),

	RULE_IN(COMPAT, "guest.rip.high", SET(GUEST_RIP, BIT(32))),
	RULE("guest.rip", SET(GUEST_RIP, ODD_ADDRESS)),
	RULE("guest.rflags.reserved", ON(GUEST_RFLAGS, BIT(3))),
	RULE("guest.rflags.one", OFF(GUEST_RFLAGS, BIT(1))),
	RULE("guest.rflags.vm", ON(GUEST_RFLAGS, X86_RFLAGS_VM)),
	RULE("guest.rflags.if", INJECT(EXTINT), OFF(GUEST_RFLAGS, X86_RFLAGS_IF)),
	RULE("guest.activity", SET(GUEST_ACTIVITY, 4)),
	RULE_IN(RING_3, "guest.activity.hlt", SET(GUEST_ACTIVITY, 1)),
	RULE("guest.activity.blocking", SET(GUEST_ACTIVITY, 1), BLOCK(2)),
	RULE("guest.activity.event", SET(GUEST_ACTIVITY, 2), INJECT(UD_EVENT)),
	RULE("guest.blocking.reserved", BLOCK(BIT(5))),
	RULE("guest.blocking.both", INTERRUPTS_ON, BLOCK(3)),
	RULE("guest.blocking.sti", OFF(GUEST_RFLAGS, X86_RFLAGS_IF), BLOCK(1)),
	RULE("guest.blocking.extint", INTERRUPTS_ON, INJECT(EXTINT), BLOCK(1)),
	RULE("guest.blocking.nmi", INJECT(NMI), BLOCK(2)),
	RULE("guest.blocking.nmi_sti", INTERRUPTS_ON, INJECT(NMI), BLOCK(1)),
	RULE("guest.blocking.smi", BLOCK(4)),
	RULE("guest.blocking.virtual_nmi", INJECT(NMI), BLOCK(8)),
	RULE("guest.blocking.enclave", BLOCK(BIT(4))),
	RULE("guest.pending.reserved", SET(GUEST_PENDING_DEBUG, BIT(4))),
	RULE("guest.pending.bs.set", ON(GUEST_RFLAGS, X86_RFLAGS_TF), BLOCK(2)),
	RULE("guest.pending.bs.clear", BLOCK(2), SET(GUEST_PENDING_DEBUG, BIT(14))),
	RULE("guest.pending.rtm", SET(GUEST_PENDING_DEBUG, BIT(16))),
	RULE("guest.link_pointer", SET(LINK_POINTER, 1)),
	RULE_IN(PAE, "guest.pdpte0", SET(GUEST_PDPTE0, 0x1003)),
	RULE_IN(PAE, "guest.pdpte1", SET(GUEST_PDPTE1, 0x1003)),
	RULE_IN(PAE, "guest.pdpte2", SET(GUEST_PDPTE2, 0x1003)),
	RULE_IN(PAE, "guest.pdpte3", SET(GUEST_PDPTE3, 0x1003)),
};

static struct lab lab;

/* ----------------------------------------------------------------- the modes */

#define MODE(...)	(const struct lab_change[]){ __VA_ARGS__, { 0 } }

#define LEAVE_IA32E \
	OFF(ENTRY_CTLS, BIT(ENTRY_IA32E)), OFF(GUEST_EFER, X86_EFER_LMA | X86_EFER_LME), \
	SET(GUEST_CS_AR, 0xc09b), SET(GUEST_TR_AR, 0x8b), OFF(GUEST_CR4, X86_CR4_PCIDE)

static void set_segments(u32 selector, u64 base, u32 limit, u32 ar)
{
	for (u32 seg = TINYVMX_ES; seg <= TINYVMX_GS; seg++) {
		lab_change(&lab, VMCS_GUEST_ES_SELECTOR + 2 * seg, LAB_SET, selector);
		lab_change(&lab, VMCS_GUEST_ES_BASE + 2 * seg, LAB_SET, base);
		lab_change(&lab, VMCS_GUEST_ES_LIMIT + 2 * seg, LAB_SET, limit);
		lab_change(&lab, VMCS_GUEST_ES_AR + 2 * seg, LAB_SET, ar);
	}
}

static const struct lab_change *const modes[] = {
	[LONG] = MODE(INTERRUPTS_ON),
	[COMPAT] = MODE(SET(GUEST_CS_AR, 0xc09b)),
	[RING_3] = MODE(ON(GUEST_CS_AR, 0x60), ON(GUEST_SS_AR, 0x60)),
	[PROTECTED] = MODE(LEAVE_IA32E, OFF(GUEST_CR4, X86_CR4_PAE)),
	[PAE] = MODE(LEAVE_IA32E),
	[V86] = MODE(LEAVE_IA32E, SET(GUEST_CS_AR, 0xf3), SET(GUEST_RFLAGS, 0x20002),
		     SET(GUEST_RIP, 0x100)),
	[REAL] = MODE(LEAVE_IA32E, OFF(GUEST_CR4, X86_CR4_PAE),
		      OFF(GUEST_CR0, X86_CR0_PE | X86_CR0_PG), SET(GUEST_CS_AR, 0x9b),
		      SET(GUEST_RFLAGS, 2), SET(GUEST_RIP, 0x100)),
};

static void make_mode(enum mode mode)
{
	lab_begin(&lab);
	/* An LDT, for the rules about it */
	lab_change(&lab, VMCS_GUEST_LDTR_AR, LAB_SET, 0x82);
	lab_change(&lab, VMCS_GUEST_LDTR_LIMIT, LAB_SET, 0xff);
	if (mode == V86 || mode == REAL)
		set_segments(0x1000, 0x10000, 0xffff, mode == V86 ? 0xf3 : 0x93);
	lab_changes(&lab, modes[mode], MOST_CHANGES);
}

static void check_mode(enum mode mode, const char *what)
{
	make_mode(mode);
	lab_ask(&lab);
	is(lab.arg.verdict, TINYVMX_LAB_ENTERED, "%s: the CPU takes it", what);
	if (!is(lab.found, 0, "%s: hvctl finds no fault with it", what))
		diag("%s", lab.findings[0].text);
	is(lab.gaps.blanked + lab.gaps.missing + lab.gaps.unknown, 0, "%s: with all rules checked",
	   what);
}

/* ----------------------------------------------------------------- the rules */

/* Of another control word than the row is about: the CPU has not what the row wants to turn on. */
static bool lacks_control(const char *rule)
{
	static const char *const words[] = {
		"ctl.pin", "ctl.proc", "ctl.proc2", "ctl.exit", "ctl.entry", "host.cr4", "guest.cr4",
	};

	for (size_t i = 0; i < lab.found && i < LAB_FINDINGS; i++)
		for (u32 j = 0; j < ARRAY_SIZE(words); j++)
			if (!strcmp(lab.findings[i].id, words[j]) && strcmp(rule, words[j]))
				return true;
	return false;
}

/* Where a rule is checked: VM-instruction error 7 or 8, or an exit for invalid guest state */
static bool is_refused_there(const char *rule)
{
	if (lab.arg.verdict != TINYVMX_LAB_REFUSED)
		return false;
	if (!strncmp(rule, "ctl.", 4))
		return lab.arg.instruction_error == 7;
	if (!strncmp(rule, "host.", 5))
		return lab.arg.instruction_error == 8;
	return !lab.arg.instruction_error && lab.arg.exit_reason == 0x80000021;
}

static void check(const struct row *row, const char *segment)
{
	const char *in = segment ? " of " : "", *which = segment ? segment : "";

	if (!lab_ask(&lab) || lacks_control(row->rule)) {
		skip("this CPU has no such control", "%s%s%s", row->rule, in, which);
		return;
	}
	if (lab.found == 1 && lab_is_ignored(&lab, lab.findings) &&
	    lab.arg.verdict != TINYVMX_LAB_REFUSED)
		skip("this CPU does not check it", "%s%s%s", row->rule, in, which);
	else if (!ok(is_refused_there(row->rule), "%s%s%s: refused, where it is checked",
		     row->rule, in, which))
		diag("verdict %u (field 0x%x), error %u, reason 0x%x", lab.arg.verdict,
		     lab.arg.field, lab.arg.instruction_error, lab.arg.exit_reason);
	if (!ok(lab.found == 1 && !strcmp(lab.findings[0].id, row->rule) &&
		(!segment || !strcmp(lab.findings[0].segment, segment)),
		"%s%s%s: named, and nothing else", row->rule, in, which))
		for (size_t i = 0; i < lab.found && i < LAB_FINDINGS; i++)
			diag("%s: %s", lab.findings[i].id, lab.findings[i].text);
}

static void break_rule(const struct row *row)
{
	if (!row->segs) {
		make_mode(row->mode);
		lab_changes(&lab, row->change, MOST_CHANGES);
		check(row, NULL);
		return;
	}
	for (u32 seg = TINYVMX_ES; seg < TINYVMX_NR_SEG; seg++) {
		if (!(row->segs >> seg & 1))
			continue;
		make_mode(row->mode);
		for (u32 i = 0; i < MOST_CHANGES && row->change[i].how; i++) {
			const struct lab_change *c = &row->change[i];
			bool of_es = c->field != VMCS_PROC2_CTLS;

			lab_change(&lab, c->field + (of_es ? 2 * seg : 0), c->how, c->value);
		}
		check(row, explain_seg_names[seg]);
	}
}

int main(void)
{
	lab_start(&lab);
	check_mode(LONG, "64-bit mode");
	check_mode(COMPAT, "compatibility mode");
	check_mode(RING_3, "ring 3");
	check_mode(PROTECTED, "protected mode");
	check_mode(PAE, "protected mode with PAE");
	check_mode(V86, "virtual-8086 mode");
	check_mode(REAL, "real mode");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		break_rule(&rows[i]);
	lab_is_undone(&lab);
	vcpu_simple_destroy(lab.vcpu);
	return tap_exit();
}
