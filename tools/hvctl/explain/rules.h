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
extern const struct rules explain_guest_register_rules;
extern const struct rules explain_guest_segment_rules;
extern const struct rules explain_guest_state_rules;

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
	EXIT2_LOAD_FRED = 1,
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
	ENTRY_LOAD_LBR = 21,
	ENTRY_LOAD_PKRS = 22,
	ENTRY_LOAD_FRED = 23,
};

/*
 * probe_get - a field of the dump
 *
 * 0 if the dump does not have it or hides it; the probe then remembers that its
 * answer is worth nothing.
 */
uint64_t probe_get(struct probe *p, uint32_t encoding);

/* The same for a capability MSR. */
uint64_t probe_msr(struct probe *p, uint32_t msr);

/* The same, for a row that can say something without it, too: false if it is not known. */
bool probe_knows_msr(const struct probe *p, uint32_t msr, uint64_t *value);

/* The CPU; NULL if it is not known, and the probe remembers that. */
const struct vmx_cpu *probe_cpu(struct probe *p);

/* A control bit as the CPU takes it: 0 in a word that is not activated. */
bool pin_on(struct probe *p, unsigned int bit);
bool proc_on(struct probe *p, unsigned int bit);
bool proc2_on(struct probe *p, unsigned int bit);
bool proc3_on(struct probe *p, unsigned int bit);
bool exit_on(struct probe *p, unsigned int bit);
bool exit2_on(struct probe *p, unsigned int bit);
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
bool ia32e_or_real_mode(struct probe *p);
bool guest_64_bit(struct probe *p);
bool guest_fred(struct probe *p);      /* the guest will use FRED transitions */
bool guest_fred_user(struct probe *p); /* the same, in ring 3 */
bool loads_guest_cet(struct probe *p);

/* Access rights of a guest segment register */
#define AR_DPL(ar)	((unsigned int)((ar) >> 5 & 3))

uint64_t guest_ar(struct probe *p, unsigned int seg);
unsigned int guest_cpl(struct probe *p);

/* Common faults; @arg as told */
bool bad_combination(struct probe *p); /* @when said it all */
bool bad_ones(struct probe *p);        /* a bit of @arg is set */
bool bad_zeros(struct probe *p);       /* a bit of @arg is clear */
bool bad_null(struct probe *p);        /* the whole field is 0 */
bool bad_canonical(struct probe *p);
bool bad_pointer(struct probe *p); /* bad_canonical() or bits of @arg set */
bool bad_linear(struct probe *p);  /* bits 63:N differ */
bool bad_phys(struct probe *p);
bool bad_address(struct probe *p); /* bad_phys() or bits of @arg set */
bool bad_cr0(struct probe *p);     /* @arg: what "unrestricted guest" sets free */
bool bad_cr3(struct probe *p);
bool bad_cr4(struct probe *p);
bool bad_cet_without_wp(struct probe *p); /* @arg: the field of CR0 */
bool bad_pat(struct probe *p);
bool bad_s_cet(struct probe *p);
bool bad_perf_global(struct probe *p); /* @arg, of these three: the bits that some CPU has */
bool bad_lbr_ctl(struct probe *p);
bool bad_rtit_ctl(struct probe *p);
bool bad_fred_config(struct probe *p);	/* @arg: reserved bits below the address */
bool bad_word(struct probe *p);		/* @arg: enum vmx_word_id */

/* Counters 0 to 31, fixed ones 0 to 15, PERF_METRICS (SDM, "IA32_PERF_GLOBAL_CTRL MSR") */
#define PERF_GLOBAL_BITS	0x1ffffffffffffULL

/*
 * The seven FRED MSRs of @area_, HOST or GUEST, that have reserved bits or an address. The stack
 * levels of the vectors have neither.
 */
#define FRED_ROW(id_, section_, field_, when_, bad_, arg_, rule_, mend_) \
	{ .id = (id_), .section = (section_), .field = (field_), .when = (when_), .bad = (bad_), \
	  .arg = (arg_), .rule = (rule_), .mend = (mend_) }

#define FRED_STACK(id_, section_, field_, when_) \
	FRED_ROW(id_, section_, field_, when_, bad_pointer, 0x3f, \
		 "must be a canonical address, 64-byte aligned", "align the stack")

#define FRED_SHADOW_STACK(id_, section_, field_, when_) \
	FRED_ROW(id_, section_, field_, when_, bad_pointer, 0x7, \
		 "must be a canonical address, 8-byte aligned", "align the shadow stack")

#define FRED_ROWS(prefix_, area_, section_, when_) \
	FRED_ROW(prefix_ "fred_config", section_, VMCS_##area_##_FRED_CONFIG, when_, \
		 bad_fred_config, 0x834, \
		 "bits 2, 5:4 and 11 must be 0, and bits 63:12 a canonical address", \
		 "clear those bits; give the address of the event handlers' page"), \
	FRED_STACK(prefix_ "fred_rsp1", section_, VMCS_##area_##_FRED_RSP1, when_), \
	FRED_STACK(prefix_ "fred_rsp2", section_, VMCS_##area_##_FRED_RSP2, when_), \
	FRED_STACK(prefix_ "fred_rsp3", section_, VMCS_##area_##_FRED_RSP3, when_), \
	FRED_SHADOW_STACK(prefix_ "fred_ssp1", section_, VMCS_##area_##_FRED_SSP1, when_), \
	FRED_SHADOW_STACK(prefix_ "fred_ssp2", section_, VMCS_##area_##_FRED_SSP2, when_), \
	FRED_SHADOW_STACK(prefix_ "fred_ssp3", section_, VMCS_##area_##_FRED_SSP3, when_)

#endif
