// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that this CPU executes on a copy of their memory operand. */
#include <stdlib.h>
#include <string.h>

#include "insn.h"
#include "lib/util.h"

static size_t xsave_len(const struct hv_mmio *m)
{
	return sizeof(struct tinyvmx_xsave) + m->xsave_bytes;
}

static bool load_vectors(struct hv_mmio *m)
{
	struct hv_native *native = &m->native;

	if (!native->xsave)
		native->xsave = aligned_alloc(64, hv_align_up(xsave_len(m), 64));
	native->states = m->xcr0_mask;
	return native->xsave &&
	       !m->get_state(m->ctx, TINYVMX_STATE_XSAVE, native->xsave, xsave_len(m));
}

static bool store_vectors(struct hv_mmio *m)
{
	return !m->set_state(m->ctx, TINYVMX_STATE_XSAVE, m->native.xsave, xsave_len(m));
}

/* SDM, "SIMD Floating-Point Exception": without CR4.OSXMMEXCPT it is #UD. */
static enum hv_mmio_result raised(struct hv_mmio *m, unsigned int vector)
{
	if (vector == X86_VECTOR_XM && !(m->guest.paging.cr4 & X86_CR4_OSXMMEXCPT))
		vector = X86_VECTOR_UD;
	return hv_insn_fault(m, vector, 0);
}

/*
 * What the CPU has looked at before it left the guest, but for code that another vCPU has changed
 * since: nobody computes with registers that the guest has put away.
 */
static bool may_use_vectors(struct hv_mmio *m, const struct hv_insn *insn)
{
	const struct hv_paging *paging = &m->guest.paging;

	if (insn->states & ~m->native.xsave->xcr0 || paging->cr0 & X86_CR0_EM)
		return hv_guest_fault(&m->guest, X86_VECTOR_UD, 0);
	if (paging->cr0 & X86_CR0_TS)
		return hv_guest_fault(&m->guest, X86_VECTOR_NM, 0);
	return true;
}

static void fill_frame(struct hv_mmio *m, const struct hv_insn *insn, struct hv_native_frame *frame)
{
	*frame = (struct hv_native_frame){
		.rflags = m->regs->rflags,
		.fip = m->regs->rip,
		.fdp = hv_insn_offset(m, insn, &insn->op[0]),
	};
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		frame->gpr[i] = m->regs->gpr[i];
}

static void execute(struct hv_mmio *m, const struct hv_insn *insn, struct hv_native_frame *frame)
{
	fill_frame(m, insn, frame);
	hv_native_run(&m->native, hv_mmio_place(m, insn), insn, frame);
}

/* What the instruction has made of the registers. */
static void take_over(struct hv_mmio *m, const struct hv_native_frame *frame)
{
	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		if (i != TINYVMX_RSP)
			m->regs->gpr[i] = frame->gpr[i];
	m->regs->rflags = frame->rflags;
}

/* x87 exceptions that are not masked, but for that of precision. */
static unsigned int x87_exceptions(const struct hv_mmio *m)
{
	uint16_t fcw, fsw;

	memcpy(&fcw, m->native.xsave->image, 2);
	memcpy(&fsw, m->native.xsave->image + 2, 2);
	return fsw & ~fcw & 0x1f;
}

/* SDM, "x87 FPU Exception Handling": a store that meets such a one leaves memory alone. */
static bool has_stored(const struct hv_mmio *m, const struct hv_insn *insn, unsigned int before)
{
	return insn->writes && !(insn->vector && x87_exceptions(m) & ~before);
}

/* What a mask lets through is in pieces: go on to the next one. */
static bool next_piece(uint64_t touched, unsigned int *start, unsigned int *len)
{
	*start += *len;
	if (*start >= 64 || !(touched >> *start))
		return false;
	*start += __builtin_ctzll(touched >> *start);
	*len = ~(touched >> *start) ? __builtin_ctzll(~(touched >> *start)) : 64;
	return true;
}

/* ... which are there, or the guest faults, before the first is touched. */
static bool access_pieces(struct hv_mmio *m, const struct hv_insn *insn, uint64_t touched,
			  bool check)
{
	uint8_t *operand = hv_native_operand(&m->native);

	for (unsigned int start = 0, len = 0; next_piece(touched, &start, &len);) {
		struct hv_operand piece = insn->op[0];

		piece.displacement += start;
		piece.bits = 8 * len;
		if (!(check ? hv_insn_check(m, insn, &piece, insn->writes) :
			      hv_insn_memory_bytes(m, insn, &piece, insn->writes, operand + start)))
			return false;
	}
	return true;
}

/* Nothing that the mask leaves out is touched, and it may be where there is no page. */
static enum hv_mmio_result move_masked(struct hv_mmio *m, const struct hv_insn *insn)
{
	struct hv_native_frame frame;
	uint64_t touched;

	fill_frame(m, insn, &frame);
	touched = hv_native_touched(&m->native, hv_mmio_place(m, insn), insn, &frame);
	if (frame.vector != HV_NATIVE_NONE)
		return raised(m, frame.vector);
	if (!access_pieces(m, insn, touched, true) || !access_pieces(m, insn, touched, false))
		return HV_MMIO_FAULT;
	if (insn->reads)
		execute(m, insn, &frame);
	return store_vectors(m) ? HV_MMIO_DONE :
				  hv_insn_unsupported(m, "has registers that cannot be set");
}

enum hv_mmio_result hv_insn_native(struct hv_mmio *m, const struct hv_insn *insn, int arg)
{
	const struct hv_operand *op = &insn->op[0];
	void *operand = hv_native_operand(&m->native);
	struct hv_native_frame frame;
	unsigned int x87 = 0;

	(void)arg;
	if (insn->vector && !load_vectors(m))
		return hv_insn_unsupported(m, "needs registers that cannot be had");
	if (insn->vector && !may_use_vectors(m, insn))
		return HV_MMIO_FAULT;
	if (insn->masked)
		return move_masked(m, insn);
	if (insn->vector)
		x87 = x87_exceptions(m);
	if (insn->writes && !hv_insn_check(m, insn, op, true))
		return HV_MMIO_FAULT;
	/* Of what was there before, another program's perhaps, nothing is left to be stored. */
	memset(operand, 0, HV_GUEST_MAX_BYTES);
	if (insn->reads && !hv_insn_memory_bytes(m, insn, op, false, operand))
		return HV_MMIO_FAULT;
	execute(m, insn, &frame);
	if (frame.vector == HV_NATIVE_NONE && has_stored(m, insn, x87) &&
	    !hv_insn_memory_bytes(m, insn, op, true, operand))
		return HV_MMIO_FAULT;
	if (insn->vector && !store_vectors(m))
		return hv_insn_unsupported(m, "has registers that cannot be set");
	if (frame.vector != HV_NATIVE_NONE)
		return raised(m, frame.vector);
	take_over(m, &frame);
	return HV_MMIO_DONE;
}
