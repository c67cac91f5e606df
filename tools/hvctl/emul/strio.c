// SPDX-License-Identifier: GPL-2.0-only
/* INS and OUTS. */
#include "lib/x86.h"
#include "strio.h"

static uint64_t address_mask(const struct tinyvmx_exit_io *io)
{
	return io->address_size == 8 ? UINT64_MAX : io->address_size == 2 ? 0xffff : UINT32_MAX;
}

/* Write the low part of a register as an instruction of that address size does. */
static void set_register(__u64 *reg, uint64_t value, uint64_t mask)
{
	*reg = mask == 0xffff ? (*reg & ~mask) | (value & mask) : value & mask;
}

static bool move_one(struct hv_guest *guest, const struct tinyvmx_exit_io *io, uint64_t gla)
{
	bool in = io->flags & TINYVMX_IO_IN;
	uint64_t value = 0;

	if (in) {
		/* The port must not be read for nothing: will the store work? */
		if (!hv_guest_check(guest, gla, io->width, true))
			return false;
		hv_bus_access(guest->bus, HV_PORT, io->port, io->width, false, &value);
		return hv_guest_access(guest, gla, io->width, true, &value);
	}
	if (!hv_guest_access(guest, gla, io->width, false, &value))
		return false;
	hv_bus_access(guest->bus, HV_PORT, io->port, io->width, true, &value);
	return true;
}

bool hv_strio(struct hv_guest *guest, struct tinyvmx_regs *regs, const struct tinyvmx_exit_io *io,
	      uint32_t instruction_len)
{
	__u64 *index = &regs->gpr[io->flags & TINYVMX_IO_IN ? TINYVMX_RDI : TINYVMX_RSI];
	__u64 *count = &regs->gpr[TINYVMX_RCX];
	uint64_t mask = address_mask(io), base = io->gla - (*index & mask);
	uint64_t step = regs->rflags & X86_RFLAGS_DF ? -(uint64_t)io->width : io->width;
	bool rep = io->flags & TINYVMX_IO_REP;

	for (unsigned int i = 0; i < HV_STRIO_BATCH; i++) {
		if (rep && !(*count & mask))
			break;
		if (!move_one(guest, io, base + (*index & mask)))
			return false;
		set_register(index, *index + step, mask);
		if (!rep)
			break;
		set_register(count, *count - 1, mask);
		/* Single steps are single elements. */
		if (regs->rflags & X86_RFLAGS_TF)
			break;
	}
	if (!rep || !(*count & mask)) {
		regs->rip += instruction_len;
		regs->rflags &= ~X86_RFLAGS_RF;
	}
	return true;
}
