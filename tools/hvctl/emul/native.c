// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions executed by this CPU, one each in places of a page of code that is never writable
 * and executable at once. native_make.c makes them, and says why they do no harm.
 *
 * They have the guest's general registers but RSP, its arithmetic flags alone (no TF, AC, DF,
 * NT or IOPL of the guest's is ever loaded), and all of its x87 and vector registers, or ours where
 * an instruction can name none. An exception at the instruction itself that it can raise is the
 * guest's; any other is a bug, and ends hvctl.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "guest.h"
#include "lib/util.h"
#include "native.h"
#include "native_make.h"

#define PAGE        4096
#define PLACE_BYTES (PAGE / HV_NATIVE_PLACES)

#define ARITHMETIC                                                                       \
	(X86_RFLAGS_CF | X86_RFLAGS_PF | X86_RFLAGS_AF | X86_RFLAGS_ZF | X86_RFLAGS_SF | \
	 X86_RFLAGS_OF)

/* What a list of instructions that compute can raise: not #PF, for one, its memory is there. */
#define RAISED                                                                                   \
	(1U << X86_VECTOR_DE | 1U << X86_VECTOR_UD | 1U << X86_VECTOR_GP | 1U << X86_VECTOR_MF | \
	 1U << X86_VECTOR_XM)

/* ------------------------------------------------------------------- exceptions */

static __thread struct hv_native_frame *running;
static struct sigaction before[NSIG];

static bool is_the_guests(const siginfo_t *info, const greg_t *regs)
{
	return running && info->si_code > 0 && regs[REG_RIP] == (greg_t)(uintptr_t)running->code &&
	       regs[REG_TRAPNO] < 32 && RAISED >> regs[REG_TRAPNO] & 1;
}

/* An exception there is the guest's: go on behind it. Others are a bug, and end as bugs do. */
static void on_exception(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	if (!is_the_guests(info, regs)) {
		sigaction(sig, &before[sig], NULL);
		/* One that somebody sent does not come again by itself. */
		if (info->si_code <= 0)
			raise(sig);
		return;
	}
	running->vector = regs[REG_TRAPNO];
	regs[REG_RIP] = running->end;
}

static void catch_exception(int sig)
{
	struct sigaction action = { .sa_sigaction = on_exception,
				    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	struct sigaction now;

	sigaction(sig, NULL, &now);
	if (now.sa_sigaction == on_exception)
		return;
	before[sig] = now;
	sigaction(sig, &action, NULL);
}

/* Whoever makes a page sees to it: somebody may have taken the signals back since. */
static void catch_exceptions(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	catch_exception(SIGFPE);
	catch_exception(SIGILL);
	catch_exception(SIGSEGV);
	pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------------------- pages */

static const char *make_page(struct hv_native *native)
{
	if (native->page)
		return NULL;
	native->page =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (native->page == MAP_FAILED) {
		native->page = NULL;
		return "needs memory that this host does not give";
	}
	memset(native->page, 0xcc, PAGE);
	catch_exceptions();
	return NULL;
}

static uint8_t *place_at(const struct hv_native *native, unsigned int place)
{
	return native->page + place * PLACE_BYTES;
}

void *hv_native_operand(const struct hv_native *native)
{
	return native->page + PAGE;
}

static const char *put_code(struct hv_native *native, unsigned int place,
			    const struct hv_native_code *made, const struct hv_native_code *twin)
{
	uint8_t *at = place_at(native, place);

	_Static_assert(sizeof(made->code) < PLACE_BYTES / 2, "and a RET; a twin, too");
	if (mprotect(native->page, PAGE, PROT_READ | PROT_WRITE))
		return "needs code that this host does not let hvctl write";
	memcpy(at, made->code, made->len);
	at[made->len] = 0xc3;
	memcpy(at + PLACE_BYTES / 2, twin->code, twin->len);
	at[PLACE_BYTES / 2 + twin->len] = 0xc3;
	if (mprotect(native->page, PAGE, PROT_READ | PROT_EXEC))
		return "needs code that this host does not let hvctl execute";
	return NULL;
}

const char *hv_native_build(struct hv_native *native, unsigned int place, struct hv_insn *insn,
			    const uint8_t *code, size_t len, unsigned int code_bits)
{
	struct hv_native_code made, twin = { .len = 0 };
	const char *why = make_page(native);

	if (!why)
		why = hv_native_make(&made, insn, code, len, code_bits, place_at(native, place),
				     hv_native_operand(native));
	if (!why && insn->masked && insn->reads)
		why = hv_native_make_twin(&twin, insn, code, len, code_bits,
					  place_at(native, place) + PLACE_BYTES / 2,
					  hv_native_operand(native));
	if (why)
		return why;
	insn->native_len = made.len;
	insn->twin_len = twin.len;
	return put_code(native, place, &made, &twin);
}

/* -------------------------------------------------------------------------- run */

/*
 * The FPU's last instruction and operand (FXSAVE64's layout) were not the guest's, nor was ModRM
 * in the opcode.
 */
static void mend_pointers(struct hv_native_frame *frame, const struct hv_native *native,
			  const struct hv_insn *insn)
{
	uint64_t *pointers = (uint64_t *)frame->image + 1;

	if (pointers[0] != (uint64_t)(uintptr_t)frame->code)
		return;
	pointers[0] = frame->fip;
	if (pointers[1] == (uint64_t)(uintptr_t)hv_native_operand(native))
		pointers[1] = frame->fdp;
	/* CPUs that keep an opcode for exceptions alone have 0 there. */
	if (native->xsave->image[6])
		native->xsave->image[6] = insn->modrm;
}

static void run(struct hv_native *native, const void *code, unsigned int len,
		const struct hv_insn *insn, struct hv_native_frame *frame)
{
	uint64_t rflags = frame->rflags;

	frame->code = code;
	frame->end = (uint64_t)(uintptr_t)code + len;
	frame->image = insn->vector ? native->xsave->image : NULL;
	frame->xsave_mask = native->states & HV_NATIVE_STATES;
	frame->rflags = (rflags & ARITHMETIC) | X86_RFLAGS_FIXED;
	frame->vector = HV_NATIVE_NONE;
	running = frame;
	hv_native_enter(frame);
	running = NULL;
	frame->rflags = (rflags & ~ARITHMETIC) | (frame->rflags & ARITHMETIC);
	if (insn->vector)
		mend_pointers(frame, native, insn);
}

void hv_native_run(struct hv_native *native, unsigned int place, const struct hv_insn *insn,
		   struct hv_native_frame *frame)
{
	run(native, place_at(native, place), insn->native_len, insn, frame);
}

/* Twice: what is there afterwards in any case was stored. */
uint64_t hv_native_touched(struct hv_native *native, unsigned int place, const struct hv_insn *insn,
			   struct hv_native_frame *frame)
{
	const uint8_t *code = place_at(native, place) + (insn->twin_len ? PLACE_BYTES / 2 : 0);
	unsigned int len = insn->twin_len ? insn->twin_len : insn->native_len;
	uint8_t *operand = hv_native_operand(native), first[HV_GUEST_MAX_BYTES];
	uint64_t touched = 0;

	memset(operand, 0, HV_GUEST_MAX_BYTES);
	run(native, code, len, insn, frame);
	memcpy(first, operand, HV_GUEST_MAX_BYTES);
	memset(operand, 0xff, HV_GUEST_MAX_BYTES);
	if (frame->vector == HV_NATIVE_NONE)
		run(native, code, len, insn, frame);
	for (unsigned int i = 0; i < insn->bits / 8; i++)
		touched |= (uint64_t)(first[i] == operand[i]) << i;
	return touched;
}

void hv_native_free(struct hv_native *native)
{
	if (native->page)
		munmap(native->page, 2 * PAGE);
	free(native->xsave);
	*native = (struct hv_native){ 0 };
}
