// SPDX-License-Identifier: GPL-2.0-only
/* INS and OUTS. */
#include "insn.h"
#include "lib/x86.h"
#include "strio.h"

struct strio {
	struct hv_mmio *m;
	const struct tinyvmx_exit_io *io;
	unsigned int segment;		/* HV_NO_SEGMENT: in 64-bit mode, @base is its base */
	uint64_t base;
	uint64_t mask;			/* of an address */
};

/* Write the low part of a register as an instruction of that address size does. */
static void set_register(__u64 *reg, uint64_t value, uint64_t mask)
{
	*reg = mask == 0xffff ? (*reg & ~mask) | (value & mask) : value & mask;
}

/*
 * What OUTS reads through: DS, or what a prefix says. The exit does not tell, but in 64-bit mode
 * that does not matter. INS writes through ES alone.
 */
static unsigned int segment_of(struct hv_mmio *m, const struct tinyvmx_exit_io *io)
{
	const struct tinyvmx_segment *cs = hv_insn_segment(m, TINYVMX_CS);
	uint8_t code[HV_INSN_MAX];
	struct hv_insn insn;
	size_t len;

	if (io->flags & TINYVMX_IO_IN)
		return TINYVMX_ES;
	len = hv_peek(m->guest.memory, &m->guest.paging, (cs->base + m->regs->rip) & UINT32_MAX,
		      code, sizeof(code));
	if (hv_decode(&insn, code, len, hv_code_bits(io->paging.efer, cs->ar)) ||
	    insn.form != HV_FORM_STRING)
		return TINYVMX_DS;
	return insn.source_segment;
}

/* Is it 64-bit code? Without the long mode it is not; compatibility mode has its CS. */
static bool is_long_code(struct hv_mmio *m, const struct tinyvmx_exit_io *io)
{
	return io->paging.efer & X86_EFER_LMA &&
	       (io->address_size == 8 || hv_insn_segment(m, TINYVMX_CS)->ar & TINYVMX_AR_L);
}

static inline bool find(const struct strio *s, uint64_t offset, bool write, uint64_t *gla)
{
	*gla = s->base + offset;
	return s->segment == HV_NO_SEGMENT ||
	       hv_insn_linear(s->m, s->segment, offset, s->io->width, write, gla);
}

static bool read_port(const struct strio *s, uint64_t gla)
{
	struct hv_guest *guest = &s->m->guest;
	unsigned int width = s->io->width;
	uint64_t value = 0;

	/* The port must not be read for nothing: will the store work? */
	if (!hv_guest_check(guest, gla, width, true))
		return false;
	hv_bus_access(guest->bus, HV_PORT, s->io->port, width, false, &value);
	return hv_guest_access(guest, gla, width, true, &value);
}

static bool write_port(const struct strio *s, uint64_t gla)
{
	struct hv_guest *guest = &s->m->guest;
	unsigned int width = s->io->width;
	uint64_t value = 0;

	if (!hv_guest_access(guest, gla, width, false, &value))
		return false;
	hv_bus_access(guest->bus, HV_PORT, s->io->port, width, true, &value);
	return true;
}

static inline bool move_one(const struct strio *s, uint64_t offset, bool in)
{
	uint64_t gla;

	return find(s, offset, in, &gla) && (in ? read_port(s, gla) : write_port(s, gla));
}

/* Traps come behind single elements: steps, and breakpoints, those of the port among them. */
static bool traps(const struct strio *s)
{
	struct hv_guest *guest = &s->m->guest;

	if (guest->debug)
		hv_guest_meet_port(guest, s->io->port, s->io->width);
	return s->m->regs->rflags & X86_RFLAGS_TF || guest->dr6;
}

/* The part of an instruction that is done in one go. */
static bool move_some(const struct strio *s)
{
	struct tinyvmx_regs *regs = s->m->regs;
	bool in = s->io->flags & TINYVMX_IO_IN, rep = s->io->flags & TINYVMX_IO_REP;
	bool may_trap = regs->rflags & X86_RFLAGS_TF || s->m->guest.debug;
	__u64 *index = &regs->gpr[in ? TINYVMX_RDI : TINYVMX_RSI];
	__u64 *count = &regs->gpr[TINYVMX_RCX];
	uint64_t step = regs->rflags & X86_RFLAGS_DF ? -(uint64_t)s->io->width : s->io->width;
	uint64_t mask = s->mask;

	for (unsigned int i = 0; i < HV_STRIO_BATCH; i++) {
		if (rep && !(*count & mask))
			break;
		if (!move_one(s, *index & mask, in))
			return false;
		set_register(index, *index + step, mask);
		if (rep)
			set_register(count, *count - 1, mask);
		if ((may_trap && traps(s)) || !rep)
			break;
	}
	return true;
}

static void prepare(struct strio *s, struct tinyvmx_run *run)
{
	struct hv_mmio *m = s->m;
	uint64_t index = run->regs.gpr[run->io.flags & TINYVMX_IO_IN ? TINYVMX_RDI : TINYVMX_RSI];

	hv_guest_set_paging(&m->guest, &run->io.paging, &run->regs);
	m->sregs_read = false;
	m->regs = &run->regs;
	if (run->io.flags & TINYVMX_IO_BREAKPOINTS)
		hv_mmio_load_breakpoints(m);
	s->mask = hv_low_bits(UINT64_MAX, 8 * run->io.address_size);
	s->base = run->io.gla - (index & s->mask);
	m->code_bits = is_long_code(m, &run->io) ? 64 : 32;
	s->segment = m->code_bits == 64 ? HV_NO_SEGMENT : segment_of(m, &run->io);
}

bool hv_strio_exit(struct hv_mmio *m, struct tinyvmx_run *run)
{
	struct tinyvmx_exit_io io = run->io;
	struct strio s = { .m = m, .io = &io };

	prepare(&s, run);
	if (!move_some(&s))
		return false;
	if (!(io.flags & TINYVMX_IO_REP) || !(run->regs.gpr[TINYVMX_RCX] & s.mask)) {
		run->regs.rip += run->instruction_len;
		run->regs.rflags &= ~X86_RFLAGS_RF;
	}
	return true;
}
