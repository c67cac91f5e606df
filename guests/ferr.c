// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferr: what becomes of an x87 error: #MF while CR0.NE is 1; while it is 0 IRQ 13, whose handler
 * writes to port F0h and can use the FPU then. For 64-bit, 32-bit (ferr32) and real mode (ferr16).
 */
#include "lib/guest.h"
#include "lib/pic.h"
#ifdef REAL_MODE
#include "lib/trap16.h"

#define HOOK(name)	static void name(struct trap16_frame *frame)
#define HANDLED
#define hook(vector, fn) trap16_hook(vector, fn)
#else
#include "lib/trap.h"

#define HOOK(name)	static bool name(struct trap_frame *frame)
#define HANDLED		true
#define hook(vector, fn) trap_hook(vector, fn)
#endif

#define PIT_CHANNEL0	0x40
#define PIT_COMMAND	0x43
#define PORT_FERR	0xf0
#define BASE		0x60
#define IRQ_PIT		0
#define IRQ_CASCADE	2
#define IRQ_FERR	13

#define MF		16
#define CONTROL		0x037b	/* all errors masked but division by zero */
#define STATUS_ES	0x80
#define STATUS_ZE	0x04

static volatile u32 irqs, errors, timers;
static volatile ulong taken_at;
static void (*assert_ignne)(void);

static u16 control(void)
{
	u16 word;

	asm volatile("fnstcw %0" : "=m"(word));
	return word;
}

static u16 status(void)
{
	u16 word;

	asm volatile("fnstsw %0" : "=m"(word));
	return word;
}

static void by_out(void)
{
	outb(PORT_FERR, 0);
}

static void by_outs(void)
{
	static const u8 byte;
	const u8 *from = &byte;

	asm volatile("outsb" : "+S"(from) : "d"(PORT_FERR) : "memory");
}

/* 1 / 0. The error waits for the next x87 instruction. */
static void fail(void)
{
	static const u16 word = CONTROL;

	irqs = 0;
	errors = 0;
	timers = 0;
	asm volatile("fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st" : : "m"(word));
}

HOOK(on_error)
{
	errors++;
	taken_at = frame->ip;
	asm volatile("fnclex");
	return HANDLED;
}

HOOK(on_irq)
{
	irqs++;
	taken_at = frame->ip;
	check(status() & STATUS_ES);
	assert_ignne();
	/* Those that wait for errors do not, as long as this one is there. */
	asm volatile("fwait; fld1; fwait; fstp %%st(0); fwait" : :);
	check_eq(control(), CONTROL);
	check_eq(status() & (STATUS_ES | STATUS_ZE), STATUS_ES | STATUS_ZE);
	asm volatile("fnclex");
	outb(PIC2_COMMAND, PIC_EOI);
	outb(PIC1_COMMAND, PIC_EOI);
	return HANDLED;
}

static void unmask(int irq)
{
	if (irq >= 8) {
		outb(PIC2_DATA, inb(PIC2_DATA) & ~(1 << (irq - 8)));
		irq = IRQ_CASCADE;
	}
	outb(PIC1_DATA, inb(PIC1_DATA) & ~(1 << irq));
}

HOOK(on_timer)
{
	(void)frame;
	timers++;
	unmask(IRQ_FERR);
	outb(PIC1_COMMAND, PIC_EOI);
	return HANDLED;
}

static bool has_pic(void)
{
	outb(PIC1_DATA, 0x55);
	return inb(PIC1_DATA) == 0x55;
}

static void set_ne(bool on)
{
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS | CR0_NE)) | CR0_MP | (on ? CR0_NE : 0));
}

/* Whether what came of the error came at the instruction that waits for errors. */
static bool wait_for_error(void)
{
	ulong at;

	asm volatile("sti\n1:\tfwait\n\tcli\n\tmov $1b, %0" : "=r"(at) : : "memory");
	return at == taken_at;
}

static void check_irq(void)
{
	step("CR0.NE = 0: IRQ 13, at the instruction that waits for errors; IGNNE# in its handler");
	set_ne(false);
	unmask(IRQ_FERR);
	for (u32 i = 0; i < 3; i++) {
		fail();
		check_eq(irqs, 0);
		check(wait_for_error());
		check_eq(irqs, 1);
		check_eq(errors, 0);
	}
	step("the same by an instruction with an operand in memory, without STI before it");
	fail();
	asm volatile("sti; nop; fstl %0; cli" : "=m"(*(double *)&(u64){ 0 }) : : "memory");
	check_eq(irqs, 1);
	step("IGNNE# by a string instruction");
	assert_ignne = by_outs;
	fail();
	check(wait_for_error());
	check_eq(irqs, 1);
	assert_ignne = by_out;
	step("no error, no interrupt");
	fail();
	asm volatile("fnclex; sti; fwait; fld1; cli");
	check_eq(irqs, 0);
}

static void check_masked(void)
{
	step("IRQ 13 masked: the CPU waits, and goes on with the interrupt that unmasks it");
	pic_start(BASE);
	unmask(IRQ_PIT);
	fail();
	outb(PIT_COMMAND, 0x30);
	outb(PIT_CHANNEL0, 0);
	outb(PIT_CHANNEL0, 4);
	check(wait_for_error());
	check_eq(timers, 1);
	check_eq(irqs, 1);
	check_eq(errors, 0);
	pic_start(BASE);
}

static void check_exception(void)
{
	step("CR0.NE = 1: #MF");
	set_ne(true);
	for (u32 i = 0; i < 3; i++) {
		fail();
		check(wait_for_error());
		check_eq(errors, 1);
		check_eq(irqs, 0);
	}
}

GUEST("ferr")
{
	hook(MF, on_error);
	check_exception();
	if (!has_pic()) {
		skipped("no 8259");
		return;
	}
	assert_ignne = by_out;
	hook(BASE + IRQ_FERR, on_irq);
	hook(BASE + IRQ_PIT, on_timer);
	pic_start(BASE);
	check_irq();
	check_masked();
	check_exception();
	step("port F0h has nothing to read, and nothing to do");
	check_eq(inb(PORT_FERR), 0xff);
	outb(PORT_FERR, 0);
	set_ne(false);
	outb(PORT_FERR, 0);
}
