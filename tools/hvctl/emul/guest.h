/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory by linear address, RAM and chips alike: what an emulated instruction sees. */
#ifndef HV_EMUL_GUEST_H
#define HV_EMUL_GUEST_H

#include "dev/bus.h"
#include "lib/x86.h"
#include "tinyvmx.h"
#include "tlb.h"

/* What lies in RAM and is not the guest's: a debugger's. */
struct hv_veil {
	/* @bytes were read at @gpa: let them be the guest's. */
	void (*hide)(void *ctx, uint64_t gpa, void *bytes, size_t len);
	/* It writes them there: let them be what is to lie there. */
	void (*merge)(void *ctx, uint64_t gpa, void *bytes, size_t len);
	void *ctx;
};

/* @veil may be NULL: nothing lies there. */
static inline void hv_veil_hide(const struct hv_veil *veil, uint64_t gpa, void *bytes, size_t len)
{
	if (veil)
		veil->hide(veil->ctx, gpa, bytes, len);
}

static inline void hv_veil_merge(const struct hv_veil *veil, uint64_t gpa, void *bytes, size_t len)
{
	if (veil)
		veil->merge(veil->ctx, gpa, bytes, len);
}

/* Memory as one vCPU sees it; used by its thread alone. */
struct hv_guest {
	const struct hv_memory *memory;
	struct hv_bus *bus;
	/* What only this CPU sees of memory: @cpu_bus, from 0 on, is at @cpu_page; NULL: nothing */
	struct hv_bus *cpu_bus;
	uint64_t cpu_page;
	struct hv_paging paging;
	/*
	 * HV_KNOWN_*: a translation that the CPU has just done, and what it has checked it for;
	 * for lack of RAM there it came to an exit.
	 */
	unsigned int known;
	uint64_t known_gla;
	uint64_t known_gpa;
	bool aligned;			/* ... must its accesses be: CR0.AM, RFLAGS.AC, CPL 3 */
	const struct hv_veil *veil;	/* over RAM, or NULL */
	const struct tinyvmx_debug *debug;	/* breakpoints to look for, or NULL */
	uint64_t dr6;			/* B3:B0: those that accesses here have met */
	struct hv_fault fault;		/* what the guest takes when a function here says no */
	struct hv_tlb tlb;
};

#define HV_KNOWN_READ (1U << 0)
#define HV_KNOWN_WRITE (1U << 1)

/* As an exit tells it; @regs: for RFLAGS.AC. No translation is known, and no breakpoint. */
static inline void hv_guest_set_paging(struct hv_guest *guest, const struct tinyvmx_paging *paging,
				       const struct tinyvmx_regs *regs)
{
	guest->paging = (struct hv_paging){
		.cr0 = paging->cr0,
		.cr3 = paging->cr3,
		.cr4 = paging->cr4,
		.efer = paging->efer,
		.rflags = regs->rflags,
		.user = paging->cpl == 3,
	};
	guest->known = 0;
	guest->aligned = paging->cpl == 3 && paging->cr0 & X86_CR0_AM &&
			 regs->rflags & X86_RFLAGS_AC;
	guest->debug = NULL;
	guest->dr6 = 0;
}

/* The guest takes an exception with this error code; returns false. */
bool hv_guest_fault(struct hv_guest *guest, unsigned int vector, uint32_t error_code);

/*
 * Read or write @width (1, 2, 4 or 8) bytes at linear address @gla. An access
 * that crosses a page is done only if the guest may do all of it. Returns false
 * with guest->fault filled when it may not; then nothing was done.
 */
bool hv_guest_access(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write,
		     uint64_t *value);

/* The same of up to a page, which chips see in pieces of at most 8; operands have at most MAX. */
bool hv_guest_access_bytes(struct hv_guest *guest, uint64_t gla, unsigned int len, bool write,
			   void *bytes);
#define HV_GUEST_MAX_BYTES 64

/* May the guest do that access? Nothing is done but what a page walk does. */
bool hv_guest_check(struct hv_guest *guest, uint64_t gla, unsigned int width, bool write);

/* An access to a port goes on: look for its breakpoints. @guest->debug is not NULL. */
void hv_guest_meet_port(struct hv_guest *guest, uint16_t port, unsigned int width);

/*
 * Where @len bytes of code are that the guest has fetched; NULL: not in RAM, or not in
 * one page. It may change them while we look.
 */
const void *hv_guest_code(struct hv_guest *guest, uint64_t gla, unsigned int len);

#endif
