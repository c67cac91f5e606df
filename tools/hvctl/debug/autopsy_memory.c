// SPDX-License-Identifier: GPL-2.0-only
/* An autopsy's look at memory: may it be accessed, and if not, which entry forbids it. */
#include <stdarg.h>
#include <string.h>

#include "autopsy_parts.h"
#include "page_walk.h"

#define CR4_SMEP (1ULL << 20)

bool hv_ordeal_set(struct hv_ordeal *ordeal, unsigned int vector, uint32_t error_code,
		   const char *format, ...)
{
	va_list args;

	*ordeal = (struct hv_ordeal){ .vector = vector, .error_code = error_code };
	va_start(args, format);
	vsnprintf(ordeal->cause, sizeof(ordeal->cause), format, args);
	va_end(args);
	return false;
}

/* ------------------------------------------------------------------ rights */

static bool nx_is_on(const struct hv_view *view)
{
	return view->sregs->efer & X86_EFER_NXE && view->sregs->cr4 & X86_CR4_PAE;
}

/* Why a page that is there may not be accessed so; NULL: it may. */
static const char *forbids(const struct hv_view *view, const struct hv_page_walk *walk,
			   unsigned int access)
{
	const struct tinyvmx_sregs *sregs = view->sregs;
	bool user = access & HV_ACCESS_USER;

	if (!walk->count)
		return NULL;
	if (user && !walk->user)
		return "the page is the supervisor's";
	if (access & HV_ACCESS_FETCH && walk->no_execute && nx_is_on(view))
		return "the page is not executable (NX)";
	if (access & HV_ACCESS_FETCH)
		return !user && walk->user && sregs->cr4 & CR4_SMEP ?
			       "the page is the user's (SMEP)" :
			       NULL;
	if (!user && walk->user && sregs->cr4 & X86_CR4_SMAP &&
	    (access & HV_ACCESS_SYSTEM || !(view->regs->rflags & X86_RFLAGS_AC)))
		return "the page is the user's (SMAP)";
	if (access & HV_ACCESS_WRITE && !walk->writable && (user || sregs->cr0 & X86_CR0_WP))
		return "the page is read-only";
	return NULL;
}

static uint32_t error_code(const struct hv_view *view, unsigned int access, uint32_t code)
{
	if (access & HV_ACCESS_WRITE)
		code |= X86_PF_W;
	if (access & HV_ACCESS_USER)
		code |= X86_PF_U;
	if (access & HV_ACCESS_FETCH && (nx_is_on(view) || view->sregs->cr4 & CR4_SMEP))
		code |= X86_PF_I;
	return code;
}

static bool page_fault(const struct hv_view *view, const struct hv_page_walk *walk, uint64_t gla,
		       unsigned int access, const char *why, const char *what,
		       struct hv_ordeal *fault)
{
	const struct hv_page_step *step = &walk->step[walk->count - 1];
	const char *verb = access & HV_ACCESS_WRITE ? "write to" :
			   access & HV_ACCESS_FETCH ? "fetch from" :
						      "read of";
	uint32_t code = why ? X86_PF_P : step->reserved ? X86_PF_P | X86_PF_RSVD : 0;
	char reason[120];

	if (why)
		snprintf(reason, sizeof(reason), "%s: %s[%u] is 0x%llx", why, step->table,
			 step->index, (unsigned long long)step->value);
	else if (step->reserved)
		snprintf(reason, sizeof(reason), "%s[%u] has reserved bits set: 0x%llx",
			 step->table, step->index, (unsigned long long)step->reserved);
	else
		snprintf(reason, sizeof(reason), "%s[%u] is not present%s", step->table,
			 step->index, step->is_ram ? "" : ", in no memory");
	hv_ordeal_set(fault, X86_VECTOR_PF, error_code(view, access, code), "%s %s, 0x%llx: %s",
		      verb, what, (unsigned long long)gla, reason);
	fault->cr2 = gla;
	return false;
}

static bool access_page(const struct hv_view *view, uint64_t gla, unsigned int access,
			const char *what, uint64_t *gpa, struct hv_ordeal *fault)
{
	struct hv_page_walk walk;
	const char *why;

	hv_page_walk(&walk, view->memory, view->sregs, view->gpa_bits, gla);
	*gpa = walk.gpa;
	if (!walk.canonical)
		return hv_ordeal_set(fault, X86_VECTOR_GP, 0, "%s, 0x%llx, is not canonical", what,
				     (unsigned long long)gla);
	why = walk.mapped ? forbids(view, &walk, access) : NULL;
	if (walk.mapped && !why)
		return true;
	return page_fault(view, &walk, gla, access, why, what, fault);
}

/* ------------------------------------------------------------------ accesses */

static uint64_t linear(const struct hv_view *view, uint64_t gla)
{
	return hv_view_is_long(view) ? gla : (uint32_t)gla;
}

static unsigned int to_page_end(uint64_t gla, unsigned int bytes)
{
	unsigned int left = 4096 - (gla & 4095);

	return bytes < left ? bytes : left;
}

bool hv_autopsy_access(const struct hv_view *view, uint64_t gla, unsigned int bytes,
		       unsigned int access, const char *what, struct hv_ordeal *fault)
{
	for (unsigned int piece; bytes; bytes -= piece, gla += piece) {
		uint64_t gpa;

		gla = linear(view, gla);
		piece = to_page_end(gla, bytes);
		if (!access_page(view, gla, access, what, &gpa, fault))
			return false;
	}
	return true;
}

bool hv_autopsy_read(const struct hv_view *view, uint64_t gla, void *buf, unsigned int bytes,
		     const char *what, struct hv_ordeal *fault)
{
	uint8_t *to = buf;

	for (unsigned int piece; bytes; bytes -= piece, gla += piece, to += piece) {
		const void *ram;
		uint64_t gpa;

		gla = linear(view, gla);
		piece = to_page_end(gla, bytes);
		if (!access_page(view, gla, HV_ACCESS_SYSTEM, what, &gpa, fault))
			return false;
		ram = hv_memory_at(view->memory, gpa, piece);
		if (ram)
			memcpy(to, ram, piece);
		else
			memset(to, 0xff, piece);
	}
	return true;
}

/* -------------------------------------------------------------- descriptors */

bool hv_autopsy_descriptor(const struct hv_view *view, uint16_t selector, unsigned int vector,
			   uint32_t ext, const char *what, struct hv_segment_facts *segment,
			   struct hv_ordeal *fault)
{
	const struct tinyvmx_sregs *sregs = view->sregs;
	const struct tinyvmx_segment *ldt = &sregs->seg[TINYVMX_LDTR];
	bool local = selector & 4;
	uint32_t limit = local ? ldt->limit : sregs->gdt_limit, at = selector & ~7u;
	uint64_t raw;

	if (!(selector & ~3u))
		return hv_ordeal_set(fault, vector, ext, "%s is null", what);
	if (local && ldt->ar & TINYVMX_AR_UNUSABLE)
		return hv_ordeal_set(fault, vector, (selector & ~3u) | ext,
				     "%s, 0x%x, is of an LDT, and there is none", what, selector);
	if (at + 7 > limit)
		return hv_ordeal_set(fault, vector, (selector & ~3u) | ext,
				     "%s, 0x%x, is beyond the %s's limit, 0x%x", what, selector,
				     local ? "LDT" : "GDT", limit);
	if (!hv_autopsy_read(view, (local ? ldt->base : sregs->gdt_base) + at, &raw, sizeof(raw),
			     "a descriptor", fault))
		return false;
	limit = (raw & 0xffff) | (raw >> 32 & 0xf0000);
	*segment = (struct hv_segment_facts){
		.selector = selector,
		.base = (raw >> 16 & 0xffffff) | (raw >> 56) << 24,
		.ar = (raw >> 40 & 0xff) | (raw >> 52 & 0xf) << 12,
	};
	segment->limit = segment->ar & TINYVMX_AR_G ? limit << 12 | 0xfff : limit;
	return true;
}
