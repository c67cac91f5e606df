// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port I/O: hardware hands over everything but the data of the string forms.
 */
#include <linux/bits.h>
#include <linux/nospec.h>

#include "debug_regs.h"
#include "exit_handlers.h"
#include "ioeventfd.h"
#include "kick.h"
#include "state_cr.h"
#include "vcpu_switch.h"

/* Exit qualification (SDM, "Exit Qualification for I/O Instructions"). */
#define IO_WIDTH_MASK		7
#define IO_WIDTH(qual)		(((qual) & IO_WIDTH_MASK) + 1)
#define IO_IN			BIT(3)
#define IO_STRING		BIT(4)
#define IO_REP			BIT(5)
#define IO_PORT(qual)		(((qual) >> 16) & 0xffff)

static u64 width_mask(unsigned int width)
{
	return width == 4 ? 0xffffffff : width == 2 ? 0xffff : 0xff;
}

/* VM-exit instruction information, bits 9:7: 0, 1, 2 for 16, 32, 64 bits. */
static u32 string_address_size(void)
{
	return 2U << ((vmcs_read32(VMX_INSTRUCTION_INFO) >> 7) & 3);
}

static enum tvx_result string_io(struct tvx_vcpu *vcpu, struct tinyvmx_exit_io *io)
{
	io->data = 0;
	io->gla = vmcs_readn(GUEST_LINEAR_ADDRESS);
	io->address_size = string_address_size();
	if (tvx_guest_has_breakpoints(vcpu))
		io->flags |= TINYVMX_IO_BREAKPOINTS;
	tvx_paging_get(&io->paging);
	return tvx_exit_to_user_regs(vcpu, TINYVMX_EXIT_IO);
}

/* SDM, "Breakpoint Field Recognition": does breakpoint @n watch one of these ports? */
static bool watches_port(const struct tvx_debug *debug, unsigned int n, unsigned int port,
			 unsigned int width)
{
	static const u8 bytes[] = { 1, 2, 8, 4 };
	u64 len = bytes[TVX_DR7_LEN(debug->dr7, n)];
	u64 first = debug->dr[n] & ~(len - 1);

	return TVX_DR7_ENABLES(debug->dr7, n) && TVX_DR7_RW(debug->dr7, n) == TVX_DR7_RW_IO &&
	       first < port + width && port < first + len;
}

/* Their trap comes behind the instruction. */
static void meet_breakpoints(struct tvx_vcpu *vcpu, unsigned int port, unsigned int width)
{
	u64 met = 0;
	unsigned int n;

	if (!(vmcs_readn(GUEST_CR4) & X86_CR4_DE))
		return;
	tvx_vcpu_disown_debug(vcpu);
	for (n = 0; n < ARRAY_SIZE(vcpu->debug.dr); n++)
		if (watches_port(&vcpu->debug, n, port, width))
			met |= BIT_ULL(n) | TVX_PENDING_BREAKPOINT;
	if (met)
		vmcs_writen(GUEST_PENDING_DBG_EXCEPTIONS,
			    vmcs_readn(GUEST_PENDING_DBG_EXCEPTIONS) |
			    tvx_debug_regs_set_pending(vcpu, met));
}

static bool signals_eventfd(struct tvx_vcpu *vcpu, unsigned long qual)
{
	unsigned int width = IO_WIDTH(qual);

	if (qual & (IO_IN | IO_STRING))
		return false;
	return tvx_ioeventfd_signal(vcpu->ioeventfds, IO_PORT(qual), width,
				    vcpu->world.gpr[TINYVMX_RAX] & width_mask(width));
}

static bool shortcut_out(struct tvx_vcpu *vcpu, struct tinyvmx_shortcut *shortcut)
{
	u32 queued = READ_ONCE(shortcut->queued);

	if (queued >= TINYVMX_SHORTCUT_BYTES)
		return false;
	shortcut->queue[array_index_nospec(queued, TINYVMX_SHORTCUT_BYTES)] =
		vcpu->world.gpr[TINYVMX_RAX];
	WRITE_ONCE(shortcut->queued, queued + 1);
	return true;
}

/* Return: whether the access is finished, by the rules of struct tinyvmx_shortcut. */
static bool take_shortcut(struct tvx_vcpu *vcpu, unsigned long qual)
{
	struct tinyvmx_shortcut *shortcut = &vcpu->run->shortcut;
	unsigned long *rax = &vcpu->world.gpr[TINYVMX_RAX];
	unsigned int port = IO_PORT(qual);

	if ((qual & (IO_WIDTH_MASK | IO_STRING)) || !port)
		return false;
	if (!(qual & IO_IN))
		return port == READ_ONCE(shortcut->out_port) && shortcut_out(vcpu, shortcut);
	if (port != READ_ONCE(shortcut->in_port))
		return false;
	*rax = (*rax & ~0xffUL) | READ_ONCE(shortcut->in_value);
	return true;
}

enum tvx_result tvx_exit_io(struct tvx_vcpu *vcpu)
{
	unsigned long qual = tvx_exit_qualification(vcpu);
	struct tinyvmx_exit_io *io = &vcpu->run->io;
	unsigned int width = IO_WIDTH(qual);

	if (tvx_guest_has_breakpoints(vcpu) && !(qual & IO_STRING))
		meet_breakpoints(vcpu, IO_PORT(qual), width);
	if (take_shortcut(vcpu, qual)) {
		tvx_skip_instruction(vcpu);
		return TVX_RESUME;
	}
	if (signals_eventfd(vcpu, qual)) {
		tvx_skip_instruction(vcpu);
		tvx_vcpu_woke(vcpu);
		return TVX_RESUME;
	}
	io->port = IO_PORT(qual);
	io->width = width;
	io->flags = (qual & IO_IN ? TINYVMX_IO_IN : 0) |
		    (qual & IO_STRING ? TINYVMX_IO_STRING : 0) |
		    (qual & IO_REP ? TINYVMX_IO_REP : 0);
	if (qual & IO_STRING)
		return string_io(vcpu, io);

	io->gla = 0;
	io->address_size = 0;
	io->data = 0;
	if (qual & IO_IN)
		vcpu->in_width = width;
	else
		io->data = vcpu->world.gpr[TINYVMX_RAX] & width_mask(width);
	tvx_skip_instruction(vcpu);
	return tvx_exit_to_user(vcpu, TINYVMX_EXIT_IO);
}

void tvx_io_complete(struct tvx_vcpu *vcpu)
{
	u64 mask = width_mask(vcpu->in_width);
	unsigned long *rax = &vcpu->world.gpr[TINYVMX_RAX];
	u64 data = READ_ONCE(vcpu->run->io.data) & mask;

	/* Writing EAX clears the upper half of RAX; AX and AL leave the rest. */
	*rax = vcpu->in_width == 4 ? data : (*rax & ~mask) | data;
	vcpu->in_width = 0;
}
