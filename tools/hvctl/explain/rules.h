/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SDM's checks on VM entry as rows of tables, and how a row reads a dump.
 */
#ifndef HV_EXPLAIN_RULES_H
#define HV_EXPLAIN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"
#include "vmx/caps.h"
#include "vmx/names.h"

/* A VMCS dump, and the CPU that refused it (NULL: not known). */
struct dump {
	const struct tinyvmx_vmcs_field *fields;
	size_t n;
	const struct vmx_cpu *cpu;
	bool blanked;	/* what holds host addresses is shown as 0 */
};

/* One question to a dump: a row, for one segment register where it has some. */
struct probe {
	const struct dump *dump;
	const struct rule *rule;
	unsigned int seg;	/* TINYVMX_ES ... */
	uint64_t value;		/* of the row's field */
	/* why the answer is not to be trusted */
	bool blanked;
	bool missing;
	bool unknown;
	char detail[192];	/* which bits are wrong, if a row tells */
};

/*
 * A row is violated if @when holds (or is NULL) and @bad does. Of a row with
 * @segs there is one instance a segment register; its @field is that of ES, and
 * '@' in its texts becomes the register's name.
 */
struct rule {
	const char *id;
	const char *section;
	uint32_t field;
	uint32_t segs;		/* bit n: applies to segment register n */
	bool (*when)(struct probe *p);
	bool (*bad)(struct probe *p);
	uint64_t arg;		/* for @bad, where it takes one */
	const char *rule;
	const char *mend;
};

struct rules {
	const struct rule *rule;
	size_t count;
};

extern const struct rules explain_ctl_rules;
extern const struct rules explain_host_rules;
extern const struct rules explain_guest_rules;

/* Names of the segment registers, TINYVMX_ES ... */
extern const char *const explain_seg_names[TINYVMX_NR_SEG];

/* The bits of the control words that rows ask for */
enum {
	PIN_EXTINT_EXITING = 0,
	PIN_NMI_EXITING = 3,
	PIN_VIRTUAL_NMIS = 5,
	PIN_PREEMPTION_TIMER = 6,
	PIN_POSTED_INTERRUPTS = 7,
	PROC_TERTIARY = 17,
	PROC_TPR_SHADOW = 21,
	PROC_NMI_WINDOW = 22,
	PROC_IO_BITMAPS = 25,
	PROC_MTF = 27,
	PROC_MSR_BITMAPS = 28,
	PROC_SECONDARY = 31,
	PROC2_APIC_ACCESSES = 0,
	PROC2_EPT = 1,
	PROC2_X2APIC = 4,
	PROC2_VPID = 5,
	PROC2_UNRESTRICTED = 7,
	PROC2_APIC_REGISTERS = 8,
	PROC2_VIRTUAL_INTR = 9,
	PROC2_VM_FUNCTIONS = 13,
	PROC2_SHADOWING = 14,
	PROC2_PML = 17,
	PROC2_VE = 18,
	PROC2_MODE_BASED_EXEC = 22,
	PROC2_SPP = 23,
	PROC2_PT_GPA = 24,
	PROC2_TSC_SCALING = 25,
	PROC3_HLAT = 1,
	PROC3_PAGING_WRITE = 2,
	PROC3_PAGING_VERIFY = 3,
	PROC3_IPI = 4,
	EXIT_HOST_64 = 9,
	EXIT_LOAD_PERF_GLOBAL = 12,
	EXIT_ACK_INTERRUPT = 15,
	EXIT_LOAD_PAT = 19,
	EXIT_LOAD_EFER = 21,
	EXIT_SAVE_TIMER = 22,
	EXIT_CLEAR_RTIT = 25,
	EXIT_LOAD_CET = 28,
	EXIT_LOAD_PKRS = 29,
	EXIT_SECONDARY = 31,
	ENTRY_LOAD_DEBUG = 2,
	ENTRY_IA32E = 9,
	ENTRY_SMM = 10,
	ENTRY_DUAL_MONITOR = 11,
	ENTRY_LOAD_PERF_GLOBAL = 13,
	ENTRY_LOAD_PAT = 14,
	ENTRY_LOAD_EFER = 15,
	ENTRY_LOAD_BNDCFGS = 16,
	ENTRY_LOAD_RTIT = 18,
	ENTRY_LOAD_UINV = 19,
	ENTRY_LOAD_CET = 20,
	ENTRY_LOAD_PKRS = 22,
};

#define CR0_PE		(1ULL << 0)
#define CR0_WP		(1ULL << 16)
#define CR0_PG		(1ULL << 31)
#define CR4_PAE		(1ULL << 5)
#define CR4_PCIDE	(1ULL << 17)
#define CR4_CET		(1ULL << 23)
#define CR4_LAM_SUP	(1ULL << 28)
#define EFER_LME	(1ULL << 8)
#define EFER_LMA	(1ULL << 10)
#define EFER_DEFINED	0xd01ULL	/* SCE, LME, LMA, NXE */

/*
 * probe_get - a field of the dump
 *
 * 0 if the dump does not have it or hides it; the probe then remembers that its
 * answer is worth nothing.
 */
uint64_t probe_get(struct probe *p, uint32_t encoding);

/* The same for a capability MSR. */
uint64_t probe_msr(struct probe *p, uint32_t msr);

/* A control bit as the CPU takes it: 0 in a word that is not activated. */
bool pin_on(struct probe *p, unsigned int bit);
bool proc_on(struct probe *p, unsigned int bit);
bool proc2_on(struct probe *p, unsigned int bit);
bool proc3_on(struct probe *p, unsigned int bit);
bool exit_on(struct probe *p, unsigned int bit);
bool entry_on(struct probe *p, unsigned int bit);

/* The event that this VM entry injects */
enum {
	EVENT_EXTINT = 0,
	EVENT_RESERVED = 1,
	EVENT_NMI = 2,
	EVENT_HARDWARE_EXCEPTION = 3,
	EVENT_SOFTWARE_INTERRUPT = 4,
	EVENT_PRIVILEGED_SOFTWARE = 5,
	EVENT_SOFTWARE_EXCEPTION = 6,
	EVENT_OTHER = 7,
};

bool injects_event(struct probe *p);
unsigned int injected_type(struct probe *p);
unsigned int injected_vector(struct probe *p);

/* Common conditions */
bool proc2_active(struct probe *p);
bool proc3_active(struct probe *p);
bool ept_on(struct probe *p);
bool unrestricted_on(struct probe *p);
bool ia32e_on(struct probe *p);

/* Common faults; @arg as told */
bool bad_combination(struct probe *p); /* @when said it all */
bool bad_ones(struct probe *p);        /* a bit of @arg is set */
bool bad_zeros(struct probe *p);       /* a bit of @arg is clear */
bool bad_null(struct probe *p);        /* the whole field is 0 */
bool bad_canonical(struct probe *p);
bool bad_phys(struct probe *p);
bool bad_address(struct probe *p); /* bad_phys() or bits of @arg set */
bool bad_pat(struct probe *p);
bool bad_word(struct probe *p); /* @arg: enum vmx_word_id */
bool bad_s_cet(struct probe *p);
bool bad_linear(struct probe *p);		/* bits 63:N differ */

/* Violations of "fixed" bits: @fixed0 set bits must be 1, others than @fixed1 0. */
bool bad_fixed(struct probe *p, const struct vmx_bits *names, uint64_t fixed0, uint64_t fixed1);

#endif
