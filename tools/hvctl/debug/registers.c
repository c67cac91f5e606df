// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a vCPU, in words and in JSON. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "registers.h"

/* ------------------------------------------------------------------- flags */

struct flag {
	unsigned int bit;
	const char *name;
};

static const struct flag rflags_bits[] = {
	{ 0, "CF" },  { 2, "PF" },  { 4, "AF" },   { 6, "ZF" },	  { 7, "SF" },
	{ 8, "TF" },  { 9, "IF" },  { 10, "DF" },  { 11, "OF" },  { 14, "NT" },
	{ 16, "RF" }, { 17, "VM" }, { 18, "AC" }, { 19, "VIF" }, { 20, "VIP" },
	{ 21, "ID" },
};

static const struct flag cr0_bits[] = {
	{ 0, "PE" },  { 1, "MP" },  { 2, "EM" },  { 3, "TS" },	{ 4, "ET" },  { 5, "NE" },
	{ 16, "WP" }, { 18, "AM" }, { 29, "NW" }, { 30, "CD" }, { 31, "PG" },
};

static const struct flag cr4_bits[] = {
	{ 0, "VME" },	     { 1, "PVI" },	{ 2, "TSD" },	   { 3, "DE" },	   { 4, "PSE" },
	{ 5, "PAE" },	     { 6, "MCE" },	{ 7, "PGE" },	   { 8, "PCE" },   { 9, "OSFXSR" },
	{ 10, "OSXMMEXCPT" }, { 11, "UMIP" },	{ 12, "LA57" },	   { 13, "VMXE" }, { 14, "SMXE" },
	{ 16, "FSGSBASE" },  { 17, "PCIDE" },	{ 18, "OSXSAVE" }, { 19, "KL" },   { 20, "SMEP" },
	{ 21, "SMAP" },	     { 22, "PKE" },	{ 23, "CET" },	   { 24, "PKS" },  { 25, "UINTR" },
	{ 28, "LAM_SUP" },   { 32, "FRED" },
};

static const struct flag efer_bits[] = { { 0, "SCE" }, { 8, "LME" }, { 10, "LMA" }, { 11, "NXE" } };

static void print_flags(uint64_t value, const struct flag *flags, size_t count, FILE *out)
{
	const char *between = "";

	fputs(" [", out);
	for (size_t i = 0; i < count; i++)
		if (value >> flags[i].bit & 1) {
			fprintf(out, "%s%s", between, flags[i].name);
			between = " ";
		}
	fputc(']', out);
}

#define PRINT_FLAGS(value, flags, out) print_flags(value, flags, ARRAY_SIZE(flags), out)

/* ------------------------------------------------------------------- words */

static const char *const gpr_names[TINYVMX_NR_GPR] = {
	"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
	"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
};

static const char *const seg_names[TINYVMX_NR_SEG] = {
	"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR",
};

const char *hv_activity_name(unsigned int activity)
{
	static const char *const names[] = {
		[TINYVMX_ACTIVITY_ACTIVE] = "active",
		[TINYVMX_ACTIVITY_HLT] = "halted",
		[TINYVMX_ACTIVITY_SHUTDOWN] = "shut down",
		[TINYVMX_ACTIVITY_WAIT_FOR_SIPI] = "waits for a start-up IPI",
	};

	return activity < ARRAY_SIZE(names) ? names[activity] : "unknown";
}

static void print_regs(const struct tinyvmx_regs *regs, FILE *out)
{
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		fprintf(out, "  %-6s %016llx%s", gpr_names[i], regs->gpr[i],
			i % 4 == 3 ? "\n" : "");
	fprintf(out, "  %-6s %016llx  %-6s %016llx", "RIP", regs->rip, "RFLAGS", regs->rflags);
	PRINT_FLAGS(regs->rflags, rflags_bits, out);
	fprintf(out, " IOPL %llu\n", regs->rflags >> 12 & 3);
}

static void print_segments(const struct tinyvmx_sregs *sregs, FILE *out)
{
	for (unsigned int i = 0; i < TINYVMX_NR_SEG; i++) {
		const struct tinyvmx_segment *seg = &sregs->seg[i];

		fprintf(out, "  %-6s %04x  base %016llx  limit %08x  access rights %05x%s\n",
			seg_names[i], seg->selector, seg->base, seg->limit, seg->ar,
			seg->ar & TINYVMX_AR_UNUSABLE ? " (unusable)" : "");
	}
	fprintf(out, "  GDTR   base %016llx  limit %04x    IDTR   base %016llx  limit %04x\n",
		sregs->gdt_base, sregs->gdt_limit, sregs->idt_base, sregs->idt_limit);
}

static void print_control(const struct tinyvmx_sregs *sregs, FILE *out)
{
	fprintf(out, "  CR0    %016llx", sregs->cr0);
	PRINT_FLAGS(sregs->cr0, cr0_bits, out);
	fprintf(out, "\n  CR2    %016llx  CR3    %016llx  CR8    %llx\n", sregs->cr2, sregs->cr3,
		sregs->cr8);
	fprintf(out, "  CR4    %016llx", sregs->cr4);
	PRINT_FLAGS(sregs->cr4, cr4_bits, out);
	fprintf(out, "\n  EFER   %016llx", sregs->efer);
	PRINT_FLAGS(sregs->efer, efer_bits, out);
	fputc('\n', out);
}

void hv_registers_print(const struct hv_registers *registers, FILE *out)
{
	print_regs(&registers->regs, out);
	print_segments(&registers->sregs, out);
	print_control(&registers->sregs, out);
}

void hv_registers_print_rest(const struct hv_registers *registers, FILE *out)
{
	const struct tinyvmx_events *events = &registers->events;
	const struct tinyvmx_debug *debug = &registers->debug;
	const struct flag blocking[] = { { 0, "STI" }, { 1, "MOV SS" }, { 3, "NMI" } };
	const struct flag pending[] = {
		{ 0, "NMI" }, { 1, "interrupt" }, { 2, "event" }, { 3, "IGNNE" }, { 4, "unhalt" }
	};

	for (unsigned int i = 0; i < 4; i++)
		fprintf(out, "  DR%u    %016llx%s", i, debug->dr[i], i == 3 ? "\n" : "");
	fprintf(out, "  DR6    %016llx  DR7    %016llx\n", debug->dr6, debug->dr7);
	fprintf(out, "  %s; blocking by", hv_activity_name(events->activity));
	PRINT_FLAGS(events->interruptibility, blocking, out);
	fputs("; pending", out);
	PRINT_FLAGS(events->pending, pending, out);
	if (events->pending & TINYVMX_PENDING_EXTINT)
		fprintf(out, "; interrupt vector 0x%x", events->extint_vector);
	if (events->pending & TINYVMX_PENDING_EVENT)
		fprintf(out, "; event 0x%x, error code 0x%x", events->event_info,
			events->event_error_code);
	if (events->pending_dbg)
		fprintf(out, "; pending debug exceptions 0x%llx", events->pending_dbg);
	fputc('\n', out);
}

/* -------------------------------------------------------------------- JSON */

/* Where a register is, and in which object of JSON; NULL: in the outermost. */
struct place {
	const char *object;
	const char *name;
	size_t offset;
	size_t bytes;
};

#define AT(member) \
	offsetof(struct hv_registers, member), sizeof(((struct hv_registers *)NULL)->member)
#define GPR(reg)   { NULL, #reg, AT(regs.gpr[TINYVMX_##reg]) }
#define SREG(name_, member)   { NULL, name_, AT(sregs.member) }
#define DREG(name_, member)   { NULL, name_, AT(debug.member) }
#define EVENT(member) { "events", #member, AT(events.member) }
#define SEGMENT(reg)                                                         \
	{ #reg, "selector", AT(sregs.seg[TINYVMX_##reg].selector) },         \
	{ #reg, "base", AT(sregs.seg[TINYVMX_##reg].base) },                 \
	{ #reg, "limit", AT(sregs.seg[TINYVMX_##reg].limit) },               \
	{ #reg, "access_rights", AT(sregs.seg[TINYVMX_##reg].ar) }

static const struct place places[] = {
	GPR(RAX), GPR(RCX), GPR(RDX), GPR(RBX), GPR(RSP), GPR(RBP), GPR(RSI), GPR(RDI),
	GPR(R8), GPR(R9), GPR(R10), GPR(R11), GPR(R12), GPR(R13), GPR(R14), GPR(R15),
	{ NULL, "RIP", AT(regs.rip) }, { NULL, "RFLAGS", AT(regs.rflags) },
	SEGMENT(ES), SEGMENT(CS), SEGMENT(SS), SEGMENT(DS), SEGMENT(FS), SEGMENT(GS),
	SEGMENT(LDTR), SEGMENT(TR),
	{ "GDTR", "base", AT(sregs.gdt_base) }, { "GDTR", "limit", AT(sregs.gdt_limit) },
	{ "IDTR", "base", AT(sregs.idt_base) }, { "IDTR", "limit", AT(sregs.idt_limit) },
	SREG("CR0", cr0), SREG("CR2", cr2), SREG("CR3", cr3), SREG("CR4", cr4), SREG("CR8", cr8),
	SREG("EFER", efer), SREG("PDPTE0", pdpte[0]), SREG("PDPTE1", pdpte[1]),
	SREG("PDPTE2", pdpte[2]), SREG("PDPTE3", pdpte[3]),
	DREG("DR0", dr[0]), DREG("DR1", dr[1]), DREG("DR2", dr[2]), DREG("DR3", dr[3]),
	DREG("DR6", dr6), DREG("DR7", dr7),
	EVENT(pending), EVENT(interruptibility), EVENT(activity), EVENT(extint_vector),
	EVENT(event_info), EVENT(event_error_code), EVENT(event_instruction_len),
	EVENT(pending_dbg),
};

/* All hosts are x86: the low bytes are first. */
static uint64_t get(const struct hv_registers *registers, const struct place *place)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)registers + place->offset, place->bytes);
	return value;
}

static json_t *object_of(json_t *all, const char *name)
{
	json_t *object = name ? json_object_get(all, name) : all;

	if (object)
		return object;
	object = json_object();
	return json_object_set_new(all, name, object) ? NULL : object;
}

json_t *hv_registers_json(const struct hv_registers *registers)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < ARRAY_SIZE(places); i++) {
		unsigned long long value = get(registers, &places[i]);

		if (!json_object_set_new(object_of(all, places[i].object), places[i].name,
					 json_sprintf("0x%llx", value)))
			continue;
		json_decref(all);
		all = NULL;
	}
	return all;
}

static bool put(struct hv_registers *registers, const struct place *place, const json_t *json)
{
	const char *text = json_string_value(json);
	uint64_t value;
	char *end;

	if (!text || strncmp(text, "0x", 2))
		return false;
	errno = 0;
	value = strtoull(text, &end, 16);
	if (errno || *end)
		return false;
	memcpy((uint8_t *)registers + place->offset, &value, place->bytes);
	return true;
}

bool hv_registers_from_json(struct hv_registers *registers, const json_t *object)
{
	memset(registers, 0, sizeof(*registers));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *inner = places[i].object;
		const json_t *from = inner ? json_object_get(object, inner) : object;

		if (!put(registers, &places[i], json_object_get(from, places[i].name)))
			return false;
	}
	return true;
}
