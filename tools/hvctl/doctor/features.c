// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl doctor's check on what tinyvmx needs of VMX.
 */
#include <stdarg.h>
#include <string.h>

#include "doctor.h"
#include "features.h"
#include "lib/util.h"

#define ON	DOCTOR_NEED_ON
#define CAN	DOCTOR_NEED_CAN
#define OFF	DOCTOR_NEED_OFF

const struct doctor_control doctor_controls[] = {
	{ VMX_WORD_PIN, 0, ON, "external-interrupt exiting" },
	{ VMX_WORD_PIN, 3, ON, "NMI exiting" },
	{ VMX_WORD_PIN, 5, ON, "virtual NMIs" },
	{ VMX_WORD_PIN, 7, OFF, "process posted interrupts" },
	{ VMX_WORD_PROC, 2, CAN, "interrupt-window exiting" },
	{ VMX_WORD_PROC, 3, ON, "use TSC offsetting" },
	{ VMX_WORD_PROC, 7, ON, "HLT exiting" },
	{ VMX_WORD_PROC, 9, OFF, "INVLPG exiting" },
	{ VMX_WORD_PROC, 10, ON, "MWAIT exiting" },
	{ VMX_WORD_PROC, 11, ON, "RDPMC exiting" },
	{ VMX_WORD_PROC, 12, OFF, "RDTSC exiting" },
	{ VMX_WORD_PROC, 15, OFF, "CR3-load exiting" },
	{ VMX_WORD_PROC, 16, OFF, "CR3-store exiting" },
	{ VMX_WORD_PROC, 19, OFF, "CR8-load exiting" },
	{ VMX_WORD_PROC, 20, OFF, "CR8-store exiting" },
	{ VMX_WORD_PROC, 21, ON, "use TPR shadow" },
	{ VMX_WORD_PROC, 22, CAN, "NMI-window exiting" },
	{ VMX_WORD_PROC, 23, CAN, "MOV-DR exiting" },
	{ VMX_WORD_PROC, 24, ON, "unconditional I/O exiting" },
	{ VMX_WORD_PROC, 27, OFF, "monitor trap flag" },
	{ VMX_WORD_PROC, 28, ON, "use MSR bitmaps" },
	{ VMX_WORD_PROC, 29, ON, "MONITOR exiting" },
	{ VMX_WORD_PROC, 30, OFF, "PAUSE exiting" },
	{ VMX_WORD_PROC, 31, ON, "activate secondary controls" },
	{ VMX_WORD_PROC2, 1, ON, "EPT" },
	{ VMX_WORD_PROC2, 7, ON, "unrestricted guest" },
	{ VMX_WORD_PROC2, 6, ON, "WBINVD exiting" },
	{ VMX_WORD_EXIT, 2, ON, "save debug controls" },
	{ VMX_WORD_EXIT, 9, ON, "host address-space size" },
	{ VMX_WORD_EXIT, 12, OFF, "load IA32_PERF_GLOBAL_CTRL" },
	{ VMX_WORD_EXIT, 15, OFF, "acknowledge interrupt on exit" },
	{ VMX_WORD_EXIT, 18, ON, "save IA32_PAT" },
	{ VMX_WORD_EXIT, 19, ON, "load IA32_PAT" },
	{ VMX_WORD_EXIT, 20, ON, "save IA32_EFER" },
	{ VMX_WORD_EXIT, 21, ON, "load IA32_EFER" },
	{ VMX_WORD_ENTRY, 2, ON, "load debug controls" },
	{ VMX_WORD_ENTRY, 9, CAN, "IA-32e mode guest" },
	{ VMX_WORD_ENTRY, 10, OFF, "entry to SMM" },
	{ VMX_WORD_ENTRY, 13, OFF, "load IA32_PERF_GLOBAL_CTRL (entry)" },
	{ VMX_WORD_ENTRY, 14, ON, "load IA32_PAT (entry)" },
	{ VMX_WORD_ENTRY, 15, ON, "load IA32_EFER (entry)" },
};

const size_t doctor_nr_controls = ARRAY_SIZE(doctor_controls);

const char *const doctor_word_names[VMX_NR_WORDS] = {
	[VMX_WORD_PIN] = "pin-based",
	[VMX_WORD_PROC] = "primary processor-based",
	[VMX_WORD_PROC2] = "secondary processor-based",
	[VMX_WORD_EXIT] = "VM-exit",
	[VMX_WORD_ENTRY] = "VM-entry",
};

const struct doctor_ept doctor_ept_needs[] = {
	{ 6, "4-level EPT page walks" },
	{ 14, "write-back EPT paging structures" },
	{ 20, "INVEPT" },
	{ 25, "single-context INVEPT" },
};

const size_t doctor_nr_ept_needs = ARRAY_SIZE(doctor_ept_needs);

/* What is wrong, as far as there is room for it: "lacks A, B, cannot turn off C" */
struct list {
	char text[300];
	const char *how;	/* of the last one */
	size_t count;
	size_t told;
};

static void __attribute__((format(printf, 3, 4)))
add(struct list *list, const char *how, const char *format, ...)
{
	char what[128], one[160];
	size_t used = strlen(list->text);
	bool same = list->how && !strcmp(list->how, how);
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(one, sizeof(one), "%s%s%s%s", used ? ", " : "", same ? "" : how, same ? "" : " ",
		 what);
	list->count++;
	if (used + strlen(one) >= sizeof(list->text))
		return;
	strcpy(list->text + used, one);
	list->how = how;
	list->told++;
}

static void check_control(const struct vmx_cpu *cpu, const struct doctor_control *control,
			  struct list *list)
{
	struct vmx_limits limits;
	const char *how = NULL;

	/* A word that the CPU does not have is one of zeros. */
	vmx_word_limits(cpu, &vmx_words[control->word], &limits);
	if (control->need != OFF && !(limits.may_be_1 >> control->bit & 1))
		how = "lacks";
	else if (control->need != ON && limits.must_be_1 >> control->bit & 1)
		how = "cannot turn off";
	if (how)
		add(list, how, "\"%s\" (%s controls, bit %u)", control->name,
		    doctor_word_names[control->word], control->bit);
}

static void check_vmx(const struct vmx_cpu *cpu, struct list *list)
{
	uint64_t ept;

	for (size_t i = 0; i < doctor_nr_controls; i++)
		check_control(cpu, &doctor_controls[i], list);
	if (!vmx_cpu_msr(cpu, MSR_VMX_EPT_VPID, &ept))
		return;
	for (size_t i = 0; i < doctor_nr_ept_needs; i++)
		if (!(ept >> doctor_ept_needs[i].bit & 1))
			add(list, "lacks", "%s (IA32_VMX_EPT_VPID_CAP, bit %u)",
			    doctor_ept_needs[i].name, doctor_ept_needs[i].bit);
}

/* From Linux 5.6 on, /proc/cpuinfo has a line of VMX features. */
static void features_by_cpuinfo(const struct doctor_facts *f, struct doctor_result *r)
{
	bool known, ept, unrestricted;

	ept = doctor_cpuinfo_has(f, "vmx flags", "ept", &known);
	unrestricted = doctor_cpuinfo_has(f, "vmx flags", "unrestricted_guest", &known);
	if (!known) {
		doctor_say(r, DOCTOR_UNKNOWN, "the VMX capability MSRs cannot be read");
		doctor_mend(r, "to find out: sudo modprobe msr && sudo hvctl doctor");
	} else if (ept && unrestricted) {
		doctor_say(
			r, DOCTOR_OK,
			"EPT and unrestricted guest, as /proc/cpuinfo says; 'hvctl info' tells more");
	} else {
		doctor_say(r, DOCTOR_NOT_OK, "this CPU lacks %s%s%s", ept ? "" : "EPT",
			   ept || unrestricted ? "" : " and ",
			   unrestricted ? "" : "unrestricted guest");
		doctor_mend(r, "use a CPU of 2010 (Westmere) or newer; or %s", DOCTOR_TESTBED);
	}
}

void doctor_check_features(const struct doctor_facts *f, struct doctor_result *r)
{
	struct list list = { .text = "" };
	char more[32] = "";

	if (!f->has_vmx) {
		doctor_say(r, DOCTOR_UNKNOWN, DOCTOR_NO_VMX);
		return;
	}
	if (!f->has_xsave) {
		doctor_say(r, DOCTOR_NOT_OK, "this CPU or kernel has no XSAVE");
		doctor_mend(r, "boot without noxsave");
		return;
	}
	if (!f->vmx.cpu.msr_valid) {
		features_by_cpuinfo(f, r);
		return;
	}
	check_vmx(&f->vmx.cpu, &list);
	if (!list.count) {
		doctor_say(r, DOCTOR_OK,
			   "EPT, unrestricted guest and all others that tinyvmx needs (from %s)",
			   f->vmx.source);
		return;
	}
	if (list.count > list.told)
		snprintf(more, sizeof(more), ", and %zu more", list.count - list.told);
	doctor_say(r, DOCTOR_NOT_OK, "this CPU %s%s", list.text, more);
	if (f->hypervisor)
		doctor_mend(r, "let the hypervisor pass them on; or %s", DOCTOR_TESTBED);
	else
		doctor_mend(r, "use a CPU of 2010 (Westmere) or newer; or %s", DOCTOR_TESTBED);
}
