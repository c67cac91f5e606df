// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU's state, one owner and one blob type after the other.
 *
 * A setter checks its whole blob before it changes anything.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "cpuid.h"
#include "debug_regs.h"
#include "state_cr.h"
#include "event.h"
#include "exit_common.h"
#include "irqchip/lapic.h"
#include "msr.h"
#include "state.h"
#include "vcpu_switch.h"
#include "vmx_caps.h"

/* A kernel copy of the blob. */
struct blob {
	void *data;
	size_t len;
	u64 small[40];	/* most have room there, and cost no allocation */
};

struct state_type {
	size_t len;		/* of the blob; 0: see check_len() */
	int (*get)(struct tvx_vcpu *vcpu, struct blob *blob);
	int (*set)(struct tvx_vcpu *vcpu, const struct blob *blob);
};

/* ------------------------------------------------------------- registers */

static int get_regs(struct tvx_vcpu *vcpu, struct blob *blob)
{
	tvx_regs_get(vcpu, blob->data);
	return 0;
}

static int set_regs(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	return tvx_regs_set(vcpu, blob->data);
}

/* The VMCS numbers segment fields in this order, two apart. */
static void get_segment(struct tinyvmx_segment *seg, unsigned int n)
{
	seg->base = vmcs_readn(GUEST_ES_BASE + 2 * n);
	seg->limit = vmcs_read32(GUEST_ES_LIMIT + 2 * n);
	seg->ar = vmcs_read32(GUEST_ES_AR_BYTES + 2 * n);
	seg->selector = vmcs_read16(GUEST_ES_SELECTOR + 2 * n);
}

static void set_segment(const struct tinyvmx_segment *seg, unsigned int n)
{
	vmcs_writen(GUEST_ES_BASE + 2 * n, seg->base);
	vmcs_write32(GUEST_ES_LIMIT + 2 * n, seg->limit);
	vmcs_write32(GUEST_ES_AR_BYTES + 2 * n, seg->ar);
	vmcs_write16(GUEST_ES_SELECTOR + 2 * n, seg->selector);
}

static int get_sregs(struct tvx_vcpu *vcpu, struct blob *blob)
{
	struct tinyvmx_sregs *sregs = blob->data;
	unsigned int n;

	for (n = 0; n < TINYVMX_NR_SEG; n++)
		get_segment(&sregs->seg[n], n);
	sregs->gdt_base = vmcs_readn(GUEST_GDTR_BASE);
	sregs->gdt_limit = vmcs_read32(GUEST_GDTR_LIMIT);
	sregs->idt_base = vmcs_readn(GUEST_IDTR_BASE);
	sregs->idt_limit = vmcs_read32(GUEST_IDTR_LIMIT);
	sregs->cr0 = tvx_cr0_read();
	sregs->cr2 = vcpu->cr2;
	sregs->cr3 = vmcs_readn(GUEST_CR3);
	sregs->cr4 = tvx_cr4_read();
	sregs->cr8 = tvx_lapic_tpr(&vcpu->lapic) >> 4;
	sregs->efer = vmcs_read64(GUEST_IA32_EFER);
	for (n = 0; n < ARRAY_SIZE(sregs->pdpte); n++)
		sregs->pdpte[n] = vmcs_read64(GUEST_PDPTR0 + 2 * n);
	return 0;
}

static bool sregs_valid(const struct tinyvmx_sregs *sregs)
{
	bool lma = (sregs->efer & EFER_LME) && (sregs->cr0 & X86_CR0_PG);
	unsigned int n;

	for (n = 0; n < TINYVMX_NR_SEG; n++)
		if (sregs->seg[n].pad[0] | sregs->seg[n].pad[1] | sregs->seg[n].pad[2])
			return false;
	if (sregs->gdt_limit > 0xffff || sregs->idt_limit > 0xffff || sregs->cr8 > 15)
		return false;
	if ((sregs->cr0 & ~vmx_caps.cr0_mask) || !tvx_cr0_valid(sregs->cr0))
		return false;
	if (sregs->cr3 >> boot_cpu_data.x86_phys_bits)
		return false;
	if ((sregs->cr4 & ~vmx_caps.cr4_mask) || (sregs->efer & ~TVX_EFER_KNOWN))
		return false;
	return lma == !!(sregs->efer & EFER_LMA);
}

static int set_sregs(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	const struct tinyvmx_sregs *sregs = blob->data;
	unsigned int n;

	if (!sregs_valid(sregs))
		return -EINVAL;
	for (n = 0; n < TINYVMX_NR_SEG; n++)
		set_segment(&sregs->seg[n], n);
	vmcs_writen(GUEST_GDTR_BASE, sregs->gdt_base);
	vmcs_write32(GUEST_GDTR_LIMIT, sregs->gdt_limit);
	vmcs_writen(GUEST_IDTR_BASE, sregs->idt_base);
	vmcs_write32(GUEST_IDTR_LIMIT, sregs->idt_limit);
	vcpu->cr2 = sregs->cr2;
	/* CR8 has no room for the lower half, which LAPIC may have set. */
	if (sregs->cr8 != tvx_lapic_tpr(&vcpu->lapic) >> 4)
		tvx_lapic_set_tpr(vcpu, sregs->cr8 << 4);
	vmcs_writen(GUEST_CR3, sregs->cr3);
	for (n = 0; n < ARRAY_SIZE(sregs->pdpte); n++)
		vmcs_write64(GUEST_PDPTR0 + 2 * n, sregs->pdpte[n]);
	tvx_cr0_write(vcpu, sregs->cr0);
	tvx_cr4_write(vcpu, sregs->cr4);
	tvx_efer_write(vcpu, sregs->efer);
	vcpu->flush_vpid = true;
	return 0;
}

/* ------------------------------------------------------------------ MSRs */

/* Userspace has the local APIC's registers by these numbers in xAPIC mode, too. */
static bool is_lapic_msr(u32 index)
{
	return index - TVX_LAPIC_MSR_BASE < TVX_LAPIC_REGS;
}

static bool read_msr(struct tvx_vcpu *vcpu, struct tinyvmx_msr *msr)
{
	if (is_lapic_msr(msr->index))
		return tvx_lapic_read(vcpu, msr->index - TVX_LAPIC_MSR_BASE, &msr->value);
	return tvx_msr_read(vcpu, msr->index, &msr->value);
}

static bool write_msr(struct tvx_vcpu *vcpu, const struct tinyvmx_msr *msr)
{
	if (is_lapic_msr(msr->index))
		return tvx_lapic_write(vcpu, msr->index - TVX_LAPIC_MSR_BASE, msr->value);
	return tvx_msr_restore(vcpu, msr->index, msr->value);
}

static int get_msrs(struct tvx_vcpu *vcpu, struct blob *blob)
{
	struct tinyvmx_msr *msr = blob->data;
	struct tinyvmx_msr *end = blob->data + blob->len;

	for (; msr < end; msr++)
		if (msr->pad || !read_msr(vcpu, msr))
			return -EINVAL;
	return 0;
}

static int set_msrs(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	const struct tinyvmx_msr *msr = blob->data;
	const struct tinyvmx_msr *end = blob->data + blob->len;

	for (; msr < end; msr++)
		if (msr->pad || !write_msr(vcpu, msr))
			return -EINVAL;
	return 0;
}

/* ----------------------------------------------------------------- XSAVE */

/* The XSAVE header behind the 512 bytes of the legacy region. */
struct xsave_header {
	u64 xstate_bv;
	u64 xcomp_bv;
	u64 reserved[6];
};

static int get_xsave(struct tvx_vcpu *vcpu, struct blob *blob)
{
	struct tinyvmx_xsave *xsave = blob->data;

	xsave->xcr0 = vcpu->xcr0;
	memcpy(xsave->image, vcpu->xsave, vmx_caps.xsave_bytes);
	return 0;
}

/* XRSTOR of an image that fails here would fault in the kernel. */
static bool xsave_valid(const struct tvx_vcpu *vcpu, const struct tinyvmx_xsave *xsave)
{
	const struct fxregs_state *fx = (const void *)xsave->image;
	const struct xsave_header *header = (const void *)&xsave->image[VMX_FXSAVE_BYTES];

	if (memchr_inv(xsave->pad, 0, sizeof(xsave->pad)) || !tvx_xcr0_valid(vcpu, xsave->xcr0))
		return false;
	if ((header->xstate_bv & ~vmx_caps.xcr0_mask) || header->xcomp_bv ||
	    memchr_inv(header->reserved, 0, sizeof(header->reserved)))
		return false;
	return !(fx->mxcsr & ~vmx_caps.mxcsr_mask);
}

static int set_xsave(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	const struct tinyvmx_xsave *xsave = blob->data;

	if (!xsave_valid(vcpu, xsave))
		return -EINVAL;
	memcpy(vcpu->xsave, xsave->image, vmx_caps.xsave_bytes);
	tvx_vcpu_update_xcr0(vcpu, xsave->xcr0);
	return 0;
}

/* ---------------------------------------------------------------- events */

#define KNOWN_PENDING	(TINYVMX_PENDING_NMI | TINYVMX_PENDING_EXTINT | TINYVMX_PENDING_EVENT | \
			 TINYVMX_PENDING_IGNNE | TINYVMX_PENDING_UNHALT)
#define KNOWN_BLOCKING	(TINYVMX_BLOCKING_BY_STI | TINYVMX_BLOCKING_BY_MOV_SS | \
			 TINYVMX_BLOCKING_BY_NMI)

/* Exceptions that push an error code. */
#define ERROR_CODE_VECTORS	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | \
				 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | \
				 BIT(X86_TRAP_AC))

static int get_events(struct tvx_vcpu *vcpu, struct blob *blob)
{
	struct tinyvmx_events *events = blob->data;

	/* An NMI may have come as a message meanwhile. */
	tvx_event_take_requests(vcpu);
	events->pending = vcpu->pending | (vcpu->ignne ? TINYVMX_PENDING_IGNNE : 0);
	events->interruptibility = tvx_blocking(vcpu) & KNOWN_BLOCKING;
	events->activity = vcpu->activity;
	if (vcpu->pending & TINYVMX_PENDING_EXTINT)
		events->extint_vector = vcpu->extint_vector;
	if (vcpu->pending & TINYVMX_PENDING_EVENT) {
		events->event_info = vcpu->event.info;
		events->event_error_code = vcpu->event.error_code;
		events->event_instruction_len = vcpu->event.instruction_len;
	}
	events->pending_dbg = vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS);
	if (tvx_debugger_has_breakpoints(vcpu))
		events->pending_dbg = tvx_debug_regs_pending(vcpu, events->pending_dbg);
	return 0;
}

/* SDM, "VM-Entry Controls for Event Injection": what VM entry would refuse. */
static bool event_valid(const struct tinyvmx_events *events)
{
	u32 info = events->event_info;
	u32 type = info & INTR_INFO_INTR_TYPE_MASK;
	u32 vector = info & INTR_INFO_VECTOR_MASK;

	if ((info & INTR_INFO_RESVD_BITS_MASK) || !(info & INTR_INFO_VALID_MASK))
		return false;
	if (type == INTR_TYPE_NMI_INTR && vector != X86_TRAP_NMI)
		return false;
	if (type == INTR_TYPE_HARD_EXCEPTION && vector > 31)
		return false;
	if ((info & INTR_INFO_DELIVER_CODE_MASK) &&
	    (type != INTR_TYPE_HARD_EXCEPTION || !(BIT(vector) & ERROR_CODE_VECTORS)))
		return false;
	/* 1 is reserved, 7 is "other event". */
	return type != INTR_TYPE_RESERVED && type != INTR_TYPE_OTHER_EVENT &&
	       events->event_instruction_len <= 15;
}

static int set_events(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	const struct tinyvmx_events *events = blob->data;

	if ((events->pending & ~KNOWN_PENDING) || (events->interruptibility & ~KNOWN_BLOCKING) ||
	    events->activity > TINYVMX_ACTIVITY_WAIT_FOR_SIPI)
		return -EOPNOTSUPP;
	if (events->activity == TINYVMX_ACTIVITY_WAIT_FOR_SIPI && !vcpu->lapic.present)
		return -EOPNOTSUPP;
	if ((events->pending & TINYVMX_PENDING_IGNNE) && !vcpu->has_ferr)
		return -EOPNOTSUPP;
	if (events->pad || events->extint_vector > 255)
		return -EINVAL;
	if ((events->pending & TINYVMX_PENDING_EVENT) && !event_valid(events))
		return -EINVAL;

	/* What has come as a message since GET stays: it is in no record. */
	vcpu->pending = events->pending & ~TINYVMX_PENDING_IGNNE;
	vcpu->ignne = vcpu->ferr && (events->pending & TINYVMX_PENDING_IGNNE);
	vcpu->controls_stale = true;
	vcpu->extint_vector = events->extint_vector;
	vcpu->event.info = events->event_info;
	vcpu->event.error_code = events->event_error_code;
	vcpu->event.instruction_len = events->event_instruction_len;
	vcpu->activity = events->activity;
	/* A failed VM entry leaves its event there, to be explained. */
	vmcs_write32(VM_ENTRY_INTR_INFO_FIELD, 0);
	tvx_set_blocking(vcpu, events->interruptibility);
	vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS, tvx_debugger_has_breakpoints(vcpu) ?
		    tvx_debug_regs_set_pending(vcpu, events->pending_dbg) : events->pending_dbg);
	return 0;
}

static int inject_exception(struct tvx_vcpu *vcpu, const struct tinyvmx_inject *arg)
{
	bool with_code = arg->flags & TINYVMX_INJECT_ERROR_CODE;

	if (vcpu->pending & TINYVMX_PENDING_EVENT)
		return -EBUSY;
	tvx_event_exception(vcpu, arg->vector,
			    with_code ? arg->error_code : TVX_NO_ERROR_CODE);
	return 0;
}

static int inject_one(struct tvx_vcpu *vcpu, const struct tinyvmx_inject *arg)
{
	switch (arg->type) {
	case TINYVMX_INJECT_EXCEPTION:
		return inject_exception(vcpu, arg);
	case TINYVMX_INJECT_NMI:
		if (vcpu->pending & TINYVMX_PENDING_NMI)
			return -EBUSY;
		vcpu->pending |= TINYVMX_PENDING_NMI;
		return 0;
	default:
		if (vcpu->pending & TINYVMX_PENDING_EXTINT)
			return -EBUSY;
		vcpu->extint_vector = arg->vector;
		vcpu->pending |= TINYVMX_PENDING_EXTINT;
		return 0;
	}
}

static int check_inject(const struct tinyvmx_inject *arg)
{
	bool with_code = arg->flags & TINYVMX_INJECT_ERROR_CODE;
	bool right_vector;

	switch (arg->type) {
	case TINYVMX_INJECT_EXTINT:
		right_vector = arg->vector <= 255;
		break;
	case TINYVMX_INJECT_NMI:
		right_vector = arg->vector == X86_TRAP_NMI;
		break;
	case TINYVMX_INJECT_EXCEPTION:
		right_vector = arg->vector < 32 && arg->vector != X86_TRAP_NMI;
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (arg->pad || !right_vector || (arg->error_code && !with_code))
		return -EINVAL;
	if (with_code && (arg->type != TINYVMX_INJECT_EXCEPTION ||
			  !(BIT(arg->vector) & ERROR_CODE_VECTORS)))
		return -EINVAL;
	/* VM entry wants 15 bits; the CPU itself never has more. */
	return arg->error_code >> 16 ? -EINVAL : 0;
}

int tvx_state_inject(struct tvx_vcpu *vcpu, const struct tinyvmx_inject *arg)
{
	int err;

	err = check_inject(arg);
	if (err)
		return err;
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		return err;
	err = inject_one(vcpu, arg);
	tvx_vcpu_forget_fault(vcpu);
	tvx_vcpu_put_vmcs(vcpu);
	return err;
}

/* ----------------------------------------------------------------- debug */

static int get_debug(struct tvx_vcpu *vcpu, struct blob *blob)
{
	struct tinyvmx_debug *debug = blob->data;

	memcpy(debug->dr, vcpu->debug.dr, sizeof(debug->dr));
	debug->dr6 = vcpu->debug.dr6;
	debug->dr7 = vcpu->debug.dr7;
	return 0;
}

static int set_debug(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	const struct tinyvmx_debug *debug = blob->data;

	if ((debug->dr6 | debug->dr7) >> 32)
		return -EINVAL;
	memcpy(vcpu->debug.dr, debug->dr, sizeof(debug->dr));
	vcpu->debug.dr6 = (debug->dr6 & TVX_DR6_WRITABLE) | TVX_DR6_FIXED;
	tvx_dr7_write(vcpu, debug->dr7);
	return 0;
}

/* ----------------------------------------------------------------- LAPIC */

static int get_lapic(struct tvx_vcpu *vcpu, struct blob *blob)
{
	if (!vcpu->lapic.present)
		return -EOPNOTSUPP;
	tvx_lapic_get_state(vcpu, blob->data);
	return 0;
}

static int set_lapic(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	return vcpu->lapic.present ? tvx_lapic_set_state(vcpu, blob->data) : -EOPNOTSUPP;
}

/* ------------------------------------------------------------------- TSC */

static int get_tsc(struct tvx_vcpu *vcpu, struct blob *blob)
{
	struct tinyvmx_tsc *tsc = blob->data;
	u64 now = rdtsc();

	tsc->guest = now + vcpu->tsc_offset;
	tsc->host = now + vcpu->tsc_lost;
	return 0;
}

static int set_tsc(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	const struct tinyvmx_tsc *tsc = blob->data;

	tvx_tsc_restore(vcpu, tsc->guest - (tsc->host - vcpu->tsc_lost));
	return 0;
}

/* ----------------------------------------------------------------- EXITS */

static int get_exits(struct tvx_vcpu *vcpu, struct blob *blob)
{
	memcpy(blob->data, &vcpu->exit_counts, sizeof(vcpu->exit_counts));
	return 0;
}

static int set_exits(struct tvx_vcpu *vcpu, const struct blob *blob)
{
	return -EOPNOTSUPP;
}

/* ------------------------------------------------------------- all types */

static const struct state_type types[] = {
	[TINYVMX_STATE_REGS] = { sizeof(struct tinyvmx_regs), get_regs, set_regs },
	[TINYVMX_STATE_SREGS] = { sizeof(struct tinyvmx_sregs), get_sregs, set_sregs },
	[TINYVMX_STATE_MSRS] = { 0, get_msrs, set_msrs },
	[TINYVMX_STATE_XSAVE] = { 0, get_xsave, set_xsave },
	[TINYVMX_STATE_EVENTS] = { sizeof(struct tinyvmx_events), get_events, set_events },
	[TINYVMX_STATE_DEBUG] = { sizeof(struct tinyvmx_debug), get_debug, set_debug },
	[TINYVMX_STATE_LAPIC] = { sizeof(struct tinyvmx_lapic), get_lapic, set_lapic },
	[TINYVMX_STATE_EXITS] = { sizeof(struct tinyvmx_exits), get_exits, set_exits },
	[TINYVMX_STATE_TSC] = { sizeof(struct tinyvmx_tsc), get_tsc, set_tsc },
};

static int check_len(u32 type, u64 len)
{
	bool right;

	switch (type) {
	case TINYVMX_STATE_MSRS:
		if (len > TVX_MAX_MSR_ENTRIES * sizeof(struct tinyvmx_msr))
			return -ENOSPC;
		right = len % sizeof(struct tinyvmx_msr) == 0;
		break;
	case TINYVMX_STATE_XSAVE:
		right = len == offsetof(struct tinyvmx_xsave, image) + vmx_caps.xsave_bytes;
		break;
	default:
		right = len == types[type].len;
	}
	return right ? 0 : -EINVAL;
}

static const struct state_type *find_type(const struct tinyvmx_state *arg)
{
	u32 type = arg->type;

	if (type >= ARRAY_SIZE(types) || arg->version != 1)
		return NULL;
	type = array_index_nospec(type, ARRAY_SIZE(types));
	return types[type].get ? &types[type] : NULL;
}

static void close_blob(struct blob *blob)
{
	if (blob->data != blob->small)
		kvfree(blob->data);
}

/* Copy the blob in, or clear it. On success the caller closes it. */
static int open_blob(const struct tinyvmx_state *arg, struct blob *blob, bool copy)
{
	int err = check_len(arg->type, arg->len);

	if (err)
		return err;
	blob->len = arg->len;
	if (blob->len <= sizeof(blob->small))
		blob->data = memset(blob->small, 0, blob->len);
	else
		blob->data = kvzalloc(blob->len, GFP_KERNEL_ACCOUNT);
	if (!blob->data)
		return -ENOMEM;
	if (copy && copy_from_user(blob->data, u64_to_user_ptr(arg->data), blob->len)) {
		close_blob(blob);
		return -EFAULT;
	}
	return 0;
}

int tvx_state_get(struct tvx_vcpu *vcpu, const struct tinyvmx_state *arg)
{
	const struct state_type *type = find_type(arg);
	struct blob blob;
	int err;

	if (!type)
		return -EOPNOTSUPP;
	err = open_blob(arg, &blob, arg->type == TINYVMX_STATE_MSRS);
	if (err)
		return err;
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		goto free;
	err = type->get(vcpu, &blob);
	tvx_vcpu_put_vmcs(vcpu);
	if (!err && copy_to_user(u64_to_user_ptr(arg->data), blob.data, blob.len))
		err = -EFAULT;
free:
	close_blob(&blob);
	return err;
}

int tvx_state_set(struct tvx_vcpu *vcpu, const struct tinyvmx_state *arg)
{
	const struct state_type *type = find_type(arg);
	struct blob blob;
	int err;

	if (!type)
		return -EOPNOTSUPP;
	err = open_blob(arg, &blob, true);
	if (err)
		return err;
	err = tvx_vcpu_get_vmcs(vcpu);
	if (err)
		goto free;
	err = type->set(vcpu, &blob);
	tvx_vcpu_forget_fault(vcpu);
	tvx_vcpu_put_vmcs(vcpu);
free:
	close_blob(&blob);
	return err;
}
