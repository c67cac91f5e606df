// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCSs in the logs of others. A log is words among which some forms stand that name fields;
 * all else, loggers' prefixes too, is passed over, and what a log lacks is simply not there.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/util.h"
#include "names.h"
#include "vmcs_log.h"

/* The headings of KVM's and Xen's dumps: the same words mean another field under each. */
enum part { ANYWHERE, GUEST, HOST, CONTROLS };

#define MOST_VALUES 7

/*
 * What may stand in a log. In a pattern a blank is any number of them, or none; '%' a hexadecimal
 * and '#' a decimal number; '~' what separates a name from its value; '!' no parenthesis, which
 * would say that the value is not the VMCS's.
 */
struct form {
	enum part part;
	const char *pattern;
	uint32_t field[MOST_VALUES];	/* one a number */
};

#define SEGMENT(name) \
	{ VMCS_GUEST_##name##_SELECTOR, VMCS_GUEST_##name##_AR, VMCS_GUEST_##name##_LIMIT, \
	  VMCS_GUEST_##name##_BASE }
#define SEGMENT_FORMS(name) \
	{ GUEST, #name ": sel=%, attr=%, limit=%, base=%", SEGMENT(name) }, \
	{ GUEST, #name ": % % % %", SEGMENT(name) }
#define TABLE(name) \
	{ VMCS_GUEST_##name##_LIMIT, VMCS_GUEST_##name##_BASE }
#define TABLE_FORMS(name) \
	{ GUEST, #name ": limit=%, base=%", TABLE(name) }, \
	{ GUEST, #name ": % %", TABLE(name) }

static const struct form kvm_and_xen[] = {
	{ ANYWHERE, "vmentry failure (reason %)", { VMCS_EXIT_REASON } },
	{ ANYWHERE, "VMRESUME error: %", { VMCS_INSTRUCTION_ERROR } },
	{ ANYWHERE, "VMLAUNCH error: %", { VMCS_INSTRUCTION_ERROR } },

	{ GUEST, "CR0: actual=%, shadow=%, gh_mask=%",
	  { VMCS_GUEST_CR0, VMCS_CR0_SHADOW, VMCS_CR0_MASK } },
	{ GUEST, "CR4: actual=%, shadow=%, gh_mask=%",
	  { VMCS_GUEST_CR4, VMCS_CR4_SHADOW, VMCS_CR4_MASK } },
	{ GUEST, "CR3 = %", { VMCS_GUEST_CR3 } },
	{ GUEST, "PDPTR0 = %", { VMCS_GUEST_PDPTE0 } },
	{ GUEST, "PDPTR1 = %", { VMCS_GUEST_PDPTE1 } },
	{ GUEST, "PDPTR2 = %", { VMCS_GUEST_PDPTE2 } },
	{ GUEST, "PDPTR3 = %", { VMCS_GUEST_PDPTE3 } },
	{ GUEST, "PDPTE0 = %", { VMCS_GUEST_PDPTE0 } },
	{ GUEST, "PDPTE1 = %", { VMCS_GUEST_PDPTE1 } },
	{ GUEST, "PDPTE2 = %", { VMCS_GUEST_PDPTE2 } },
	{ GUEST, "PDPTE3 = %", { VMCS_GUEST_PDPTE3 } },
	{ GUEST, "RSP = %", { VMCS_GUEST_RSP } },
	{ GUEST, "RIP = %", { VMCS_GUEST_RIP } },
	{ GUEST, "RFLAGS=%", { VMCS_GUEST_RFLAGS } },
	{ GUEST, "DR7 = %", { VMCS_GUEST_DR7 } },
	{ GUEST, "Sysenter RSP=% CS:RIP=%:%",
	  { VMCS_GUEST_SYSENTER_ESP, VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_EIP } },
	SEGMENT_FORMS(CS),
	SEGMENT_FORMS(DS),
	SEGMENT_FORMS(SS),
	SEGMENT_FORMS(ES),
	SEGMENT_FORMS(FS),
	SEGMENT_FORMS(GS),
	SEGMENT_FORMS(LDTR),
	SEGMENT_FORMS(TR),
	TABLE_FORMS(GDTR),
	TABLE_FORMS(IDTR),
	{ GUEST, "EFER = %!", { VMCS_GUEST_EFER } },
	{ GUEST, "EFER(VMCS) = %", { VMCS_GUEST_EFER } },
	{ GUEST, "PAT = %", { VMCS_GUEST_PAT } },
	{ GUEST, "PreemptionTimer = %", { VMCS_PREEMPTION_TIMER } },
	{ GUEST, "SM Base = %", { VMCS_GUEST_SMBASE } },
	{ GUEST, "DebugCtl = %", { VMCS_GUEST_DEBUGCTL } },
	{ GUEST, "DebugExceptions = %", { VMCS_GUEST_PENDING_DEBUG } },
	{ GUEST, "PerfGlobCtl = %", { VMCS_GUEST_PERF_GLOBAL_CTRL } },
	{ GUEST, "BndCfgS = %", { VMCS_GUEST_BNDCFGS } },
	{ GUEST, "Interruptibility = %", { VMCS_GUEST_INTERRUPTIBILITY } },
	{ GUEST, "ActivityState = %", { VMCS_GUEST_ACTIVITY } },
	{ GUEST, "InterruptStatus = %", { VMCS_GUEST_INTR_STATUS } },
	{ GUEST, "S_CET = %, SSP = %, SSP TABLE = %",
	  { VMCS_GUEST_S_CET, VMCS_GUEST_SSP, VMCS_GUEST_SSP_TABLE } },

	{ HOST, "RIP = %", { VMCS_HOST_RIP } },
	{ HOST, "RSP = %", { VMCS_HOST_RSP } },
	{ HOST, "CS=% SS=% DS=% ES=% FS=% GS=% TR=%",
	  { VMCS_HOST_CS_SELECTOR, VMCS_HOST_SS_SELECTOR, VMCS_HOST_DS_SELECTOR,
	    VMCS_HOST_ES_SELECTOR, VMCS_HOST_FS_SELECTOR, VMCS_HOST_GS_SELECTOR,
	    VMCS_HOST_TR_SELECTOR } },
	{ HOST, "FSBase=% GSBase=% TRBase=%",
	  { VMCS_HOST_FS_BASE, VMCS_HOST_GS_BASE, VMCS_HOST_TR_BASE } },
	{ HOST, "GDTBase=% IDTBase=%", { VMCS_HOST_GDTR_BASE, VMCS_HOST_IDTR_BASE } },
	{ HOST, "CR0=% CR3=% CR4=%", { VMCS_HOST_CR0, VMCS_HOST_CR3, VMCS_HOST_CR4 } },
	{ HOST, "Sysenter RSP=% CS:RIP=%:%",
	  { VMCS_HOST_SYSENTER_ESP, VMCS_HOST_SYSENTER_CS, VMCS_HOST_SYSENTER_EIP } },
	{ HOST, "EFER = %!", { VMCS_HOST_EFER } },
	{ HOST, "PAT = %", { VMCS_HOST_PAT } },
	{ HOST, "PerfGlobCtl = %", { VMCS_HOST_PERF_GLOBAL_CTRL } },
	{ HOST, "S_CET = %, SSP = %, SSP TABLE = %",
	  { VMCS_HOST_S_CET, VMCS_HOST_SSP, VMCS_HOST_SSP_TABLE } },

	{ CONTROLS, "PinBased=%", { VMCS_PIN_CTLS } },
	{ CONTROLS, "CPUBased=%", { VMCS_PROC_CTLS } },
	{ CONTROLS, "SecondaryExec=%", { VMCS_PROC2_CTLS } },
	{ CONTROLS, "TertiaryExec=%", { VMCS_PROC3_CTLS } },
	{ CONTROLS, "EntryControls=%", { VMCS_ENTRY_CTLS } },
	{ CONTROLS, "ExitControls=%", { VMCS_EXIT_CTLS } },
	{ CONTROLS, "ExceptionBitmap=%", { VMCS_EXCEPTION_BITMAP } },
	{ CONTROLS, "PFECmask=%", { VMCS_PF_ERROR_MASK } },
	{ CONTROLS, "PFECmatch=%", { VMCS_PF_ERROR_MATCH } },
	{ CONTROLS, "VMEntry: intr_info=% errcode=% ilen=%",
	  { VMCS_ENTRY_INTR_INFO, VMCS_ENTRY_ERROR_CODE, VMCS_ENTRY_INSTRUCTION_LEN } },
	{ CONTROLS, "VMExit: intr_info=% errcode=% ilen=%",
	  { VMCS_EXIT_INTR_INFO, VMCS_EXIT_INTR_ERROR_CODE, VMCS_EXIT_INSTRUCTION_LEN } },
	{ CONTROLS, "reason=% qualification=%", { VMCS_EXIT_REASON, VMCS_EXIT_QUALIFICATION } },
	{ CONTROLS, "IDTVectoring: info=% errcode=%",
	  { VMCS_IDT_VECTORING_INFO, VMCS_IDT_VECTORING_ERROR_CODE } },
	{ CONTROLS, "TSC Offset = %", { VMCS_TSC_OFFSET } },
	{ CONTROLS, "TSC Multiplier = %", { VMCS_TSC_MULTIPLIER } },
	{ CONTROLS, "TPR Threshold = %", { VMCS_TPR_THRESHOLD } },
	{ CONTROLS, "APIC-access addr = %", { VMCS_APIC_ACCESS_ADDR } },
	{ CONTROLS, "virt-APIC addr = %", { VMCS_VIRTUAL_APIC_ADDR } },
	{ CONTROLS, "PostedIntrVec = %", { VMCS_POSTED_INTR_VECTOR } },
	{ CONTROLS, "EPT pointer = %", { VMCS_EPTP } },
	{ CONTROLS, "EPTP index = %", { VMCS_EPTP_INDEX } },
	{ CONTROLS, "PLE Gap=% Window=%", { VMCS_PLE_GAP, VMCS_PLE_WINDOW } },
	{ CONTROLS, "Virtual processor ID = %", { VMCS_VPID } },
	{ CONTROLS, "VMfunc controls = %", { VMCS_VM_FUNCTION_CTLS } },
};

/*
 * VirtualBox: "HM: CPU[n] " before those of its release log; what its debug log has by the names
 * of its constants. The registers that it shows are the guest's own view, not the fields.
 */
#define NAMED(name, field)	{ ANYWHERE, "VMX_VMCS" name "~%", { VMCS_##field } }

static const struct form virtualbox[] = {
	{ ANYWHERE, "Instruction error~%", { VMCS_INSTRUCTION_ERROR } },
	{ ANYWHERE, "Exit reason~%", { VMCS_EXIT_REASON } },
	{ ANYWHERE, "PinCtls~%", { VMCS_PIN_CTLS } },
	{ ANYWHERE, "ProcCtls~%", { VMCS_PROC_CTLS } },
	{ ANYWHERE, "ProcCtls2~%", { VMCS_PROC2_CTLS } },
	{ ANYWHERE, "EntryCtls~%", { VMCS_ENTRY_CTLS } },
	{ ANYWHERE, "ExitCtls~%", { VMCS_EXIT_CTLS } },
	{ ANYWHERE, "HCPhysMsrBitmap~%", { VMCS_MSR_BITMAP } },
	{ ANYWHERE, "HCPhysGuestMsrLoad~%", { VMCS_ENTRY_MSR_LOAD_ADDR } },
	{ ANYWHERE, "HCPhysGuestMsrStore~%", { VMCS_EXIT_MSR_STORE_ADDR } },
	{ ANYWHERE, "HCPhysHostMsrLoad~%", { VMCS_EXIT_MSR_LOAD_ADDR } },
	{ ANYWHERE, "cEntryMsrLoad~#", { VMCS_ENTRY_MSR_LOAD_COUNT } },
	{ ANYWHERE, "cExitMsrStore~#", { VMCS_EXIT_MSR_STORE_COUNT } },
	{ ANYWHERE, "cExitMsrLoad~#", { VMCS_EXIT_MSR_LOAD_COUNT } },
	{ ANYWHERE, "Guest-intr. state~%", { VMCS_GUEST_INTERRUPTIBILITY } },

	{ ANYWHERE, "uExitReason~%", { VMCS_EXIT_REASON } },
	{ ANYWHERE, "Exit Qualification~%", { VMCS_EXIT_QUALIFICATION } },
	{ ANYWHERE, "InstrError~%", { VMCS_INSTRUCTION_ERROR } },
	NAMED("32_CTRL_PIN_EXEC", PIN_CTLS),
	NAMED("32_CTRL_PROC_EXEC", PROC_CTLS),
	NAMED("32_CTRL_PROC_EXEC2", PROC2_CTLS),
	NAMED("32_CTRL_ENTRY", ENTRY_CTLS),
	NAMED("32_CTRL_EXIT", EXIT_CTLS),
	NAMED("32_CTRL_CR3_TARGET_COUNT", CR3_TARGET_COUNT),
	NAMED("32_CTRL_ENTRY_INTERRUPTION_INFO", ENTRY_INTR_INFO),
	NAMED("32_CTRL_ENTRY_EXCEPTION_ERRCODE", ENTRY_ERROR_CODE),
	NAMED("32_CTRL_ENTRY_INSTR_LENGTH", ENTRY_INSTRUCTION_LEN),
	NAMED("32_CTRL_TPR_THRESHOLD", TPR_THRESHOLD),
	NAMED("32_CTRL_EXIT_MSR_STORE_COUNT", EXIT_MSR_STORE_COUNT),
	NAMED("32_CTRL_EXIT_MSR_LOAD_COUNT", EXIT_MSR_LOAD_COUNT),
	NAMED("32_CTRL_ENTRY_MSR_LOAD_COUNT", ENTRY_MSR_LOAD_COUNT),
	NAMED("32_CTRL_EXCEPTION_BITMAP", EXCEPTION_BITMAP),
	NAMED("32_CTRL_PAGEFAULT_ERROR_MASK", PF_ERROR_MASK),
	NAMED("32_CTRL_PAGEFAULT_ERROR_MATCH", PF_ERROR_MATCH),
	NAMED("_CTRL_CR0_MASK", CR0_MASK),
	NAMED("_CTRL_CR0_READ_SHADOW", CR0_SHADOW),
	NAMED("_CTRL_CR4_MASK", CR4_MASK),
	NAMED("_CTRL_CR4_READ_SHADOW", CR4_SHADOW),
	NAMED("64_CTRL_EPTP_FULL", EPTP),
	NAMED("_GUEST_RIP", GUEST_RIP),
	NAMED("_GUEST_RSP", GUEST_RSP),
	NAMED("_GUEST_RFLAGS", GUEST_RFLAGS),
	NAMED("16_VPID", VPID),
	NAMED("_HOST_CR0", HOST_CR0),
	NAMED("_HOST_CR3", HOST_CR3),
	NAMED("_HOST_CR4", HOST_CR4),
	NAMED("16_HOST_ES_SEL", HOST_ES_SELECTOR),
	NAMED("16_HOST_CS_SEL", HOST_CS_SELECTOR),
	NAMED("16_HOST_SS_SEL", HOST_SS_SELECTOR),
	NAMED("16_HOST_DS_SEL", HOST_DS_SELECTOR),
	NAMED("16_HOST_FS_SEL", HOST_FS_SELECTOR),
	NAMED("16_HOST_GS_SEL", HOST_GS_SELECTOR),
	NAMED("16_HOST_TR_SEL", HOST_TR_SELECTOR),
	NAMED("_HOST_TR_BASE", HOST_TR_BASE),
	NAMED("_HOST_GDTR_BASE", HOST_GDTR_BASE),
	NAMED("_HOST_IDTR_BASE", HOST_IDTR_BASE),
	NAMED("32_HOST_SYSENTER_CS", HOST_SYSENTER_CS),
	NAMED("_HOST_SYSENTER_EIP", HOST_SYSENTER_EIP),
	NAMED("_HOST_SYSENTER_ESP", HOST_SYSENTER_ESP),
	NAMED("_HOST_RSP", HOST_RSP),
	NAMED("_HOST_RIP", HOST_RIP),
};

/* ----------------------------------------------------------------- matching */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* -1: it is none */
static int digit(char c, unsigned int base)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return found && found - digits < (int)base ? (int)(found - digits) : -1;
}

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* What is behind the number; NULL: there is none, or not one of 64 bits. */
static const char *take_number(const char *text, unsigned int base, uint64_t *value)
{
	const char *begin;
	uint64_t sum = 0;

	if (base == 16 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (begin = text; digit(*text, base) >= 0; text++)
		if (__builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)digit(*text, base), &sum))
			return NULL;
	*value = sum;
	return text == begin || is_word(*text) ? NULL : text;
}

/* Between a name and its value, where a longer name must not be taken for a shorter one. */
static const char *take_separator(const char *text)
{
	size_t len = strspn(text, " \t=:");

	return len ? text + len : NULL;
}

/* What is behind @pattern in @text, with its numbers in @values; NULL: it does not stand there. */
static const char *match(const char *pattern, const char *text, uint64_t *values)
{
	for (; *pattern && text; pattern++) {
		switch (*pattern) {
		case ' ':
			text = skip_blanks(text);
			break;
		case '%':
			text = take_number(text, 16, values++);
			break;
		case '#':
			text = take_number(text, 10, values++);
			break;
		case '~':
			text = take_separator(text);
			break;
		case '!':
			text = *skip_blanks(text) == '(' ? NULL : text;
			break;
		default:
			text = *text == *pattern ? text + 1 : NULL;
		}
	}
	return text;
}

static size_t count_values(const char *pattern)
{
	size_t n = 0;

	for (; *pattern; pattern++)
		n += *pattern == '%' || *pattern == '#';
	return n;
}

/* ------------------------------------------------------------------ reading */

struct reader {
	const struct form *forms;
	size_t nr_forms;
	struct tinyvmx_vmcs_field *fields;
	size_t max, n;
	enum part part;			/* which heading we are under */
	unsigned int cpu;		/* VirtualBox: whose lines these are */
	bool others;			/* ... of a CPU that we do not care for */
	unsigned int line;
	struct vmcs_source *source;
};

static struct tinyvmx_vmcs_field *find(struct reader *r, uint32_t encoding)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->fields[i].encoding == encoding)
			return &r->fields[i];
	return NULL;
}

/* Lines of two CPUs that died together may be mixed: that is no VMCS. */
static int add(struct reader *r, uint32_t encoding, uint64_t value, struct hv_error *err)
{
	struct tinyvmx_vmcs_field *field = find(r, encoding);

	if (field && field->value == value)
		return 0;
	if (field)
		return hv_fail(err, EINVAL,
			       "line %u: %s is 0x%" PRIx64 " and 0x%" PRIx64
			       " in one dump; cut out the lines of one",
			       r->line, vmx_field_name(encoding), (uint64_t)field->value, value);
	if (r->n == r->max)
		return hv_fail(err, EINVAL, "more fields than a VMCS has; give one dump");
	r->fields[r->n++] = (struct tinyvmx_vmcs_field){ .encoding = encoding, .value = value };
	return 0;
}

/* What the log said of the failure before its first heading belongs to the dump. */
static void begin_guest(struct reader *r)
{
	if (r->part != ANYWHERE)
		r->n = 0;
	r->part = GUEST;
	r->source->dumps++;
}

static bool is_heading(struct reader *r, const char *line)
{
	if (strstr(line, "(XEN)"))
		r->source->name = "Xen";
	if (strstr(line, "*** Guest State ***"))
		begin_guest(r);
	else if (strstr(line, "*** Host State ***"))
		r->part = HOST;
	else if (strstr(line, "*** Control State ***"))
		r->part = CONTROLS;
	else
		return false;
	return true;
}

static bool has_failed(struct reader *r)
{
	const struct tinyvmx_vmcs_field *error = find(r, VMCS_INSTRUCTION_ERROR);
	const struct tinyvmx_vmcs_field *reason = find(r, VMCS_EXIT_REASON);

	return (error && error->value) || (reason && reason->value >> 31);
}

/* VirtualBox tells of all its virtual CPUs, of those, too, that have not failed. */
static void look_for_cpu(struct reader *r, const char *line)
{
	const char *found = strstr(line, "HM: CPU[");
	uint64_t cpu[1];

	if (!found || !match("HM: CPU[#]", found, cpu))
		return;
	if (r->source->dumps && cpu[0] == r->cpu)
		return;
	r->others = r->source->dumps && has_failed(r);
	if (r->others)
		return;
	if (r->source->dumps)
		r->n = 0;
	r->cpu = (unsigned int)cpu[0];
	r->source->dumps = 1;
}

/* What is behind a form that stands at @text, its fields being added; NULL: none does. */
static const char *take_form(struct reader *r, const char *text, int *error, struct hv_error *err)
{
	uint64_t values[MOST_VALUES];

	for (size_t i = 0; i < r->nr_forms; i++) {
		const struct form *form = &r->forms[i];
		const char *end;

		if (form->part != ANYWHERE && form->part != r->part)
			continue;
		end = match(form->pattern, text, values);
		if (!end)
			continue;
		/* A new failure: what was read is an older one's. */
		if (form->part == ANYWHERE && r->part == CONTROLS) {
			r->n = 0;
			r->part = ANYWHERE;
		}
		for (size_t j = 0; j < count_values(form->pattern) && !*error; j++)
			*error = add(r, form->field[j], values[j], err);
		return end;
	}
	return NULL;
}

static int read_line(struct reader *r, const char *line, struct hv_error *err)
{
	int error = 0;

	if (is_heading(r, line))
		return 0;
	look_for_cpu(r, line);
	for (line = skip_blanks(line); *line && !error && !r->others; line = skip_blanks(line)) {
		const char *end = take_form(r, line, &error, err);

		/* On with the next word. */
		line = end ? end : line;
		line += strcspn(line, " \t");
	}
	return error;
}

/* Longer lines say nothing of a VMCS behind that. */
#define LINE_MAX_LEN 1024

static int read_lines(struct reader *r, const char *text, struct hv_error *err)
{
	char line[LINE_MAX_LEN];
	int error = 0;

	while (*text && !error) {
		size_t len = strcspn(text, "\n");
		size_t kept = len < sizeof(line) ? len : sizeof(line) - 1;

		r->line++;
		memcpy(line, text, kept);
		line[kept] = 0;
		error = read_line(r, line, err);
		text += len + (text[len] == '\n');
	}
	return error;
}

static const char heading[] = "*** Guest State ***";

/* Whether @what stands in the text as in a log, and not as in a program that knows the word. */
static bool has(const char *text, size_t len, const char *what, const char *before,
		const char *behind)
{
	const char *end = text + len, *at = text;

	while ((at = memmem(at, (size_t)(end - at), what, strlen(what)))) {
		bool good = !before || at == text || (at[-1] && strchr(before, at[-1]));

		at += strlen(what);
		if (good && at < end && *at && strchr(behind, *at))
			return true;
	}
	return false;
}

bool vmcs_log_is_one(const char *text, size_t len)
{
	return has(text, len, heading, NULL, "\r\n") ||
	       has(text, len, "HM: CPU[", " \t\n", "0123456789") ||
	       has(text, len, "VMX_VMCS", " \t\n", "1346_");
}

int vmcs_log_read(const char *text, struct tinyvmx_vmcs_field *fields, size_t max, size_t *n,
		  struct vmcs_source *source, struct hv_error *err)
{
	bool headed = strstr(text, heading);
	struct reader r = {
		.forms = headed ? kvm_and_xen : virtualbox,
		.nr_forms = headed ? ARRAY_SIZE(kvm_and_xen) : ARRAY_SIZE(virtualbox),
		.fields = fields,
		.max = max,
		.source = source,
	};
	int error;

	*source = (struct vmcs_source){ .name = headed ? "KVM" : "VirtualBox" };
	error = read_lines(&r, text, err);
	*n = r.n;
	/* A debug log has no heading, nor says whose lines they are. */
	source->dumps += !source->dumps;
	if (!error && !r.n)
		return hv_fail(
			err, EINVAL,
			"a log of %s without a field of a VMCS; give one of a failed VM entry",
			source->name);
	return error;
}
