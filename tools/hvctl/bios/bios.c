// SPDX-License-Identifier: GPL-2.0-only
/* From the ROM's write to a port to the service, and back. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "lib/util.h"
#include "rom.h"

#define VECTORS 256
#define ENTRY(n)     (HV_BIOS_OFFSET + 8 * (n))
#define PIC 0x20
#define PIC2 0xa0
#define PIC_EOI 0x20
#define PIC_READ_ISR 0x0b

/* ------------------------------------------------------------ guest and chips */

static bool access_memory(struct hv_bios_call *call, uint32_t linear, unsigned int width,
			  bool write, uint64_t *value)
{
	return hv_guest_access(call->guest, linear, width, write, value);
}

uint32_t hv_bios_get(struct hv_bios_call *call, uint32_t linear, unsigned int width)
{
	uint64_t value = 0;

	return access_memory(call, linear, width, false, &value) ? value : 0;
}

void hv_bios_put(struct hv_bios_call *call, uint32_t linear, unsigned int width, uint32_t value)
{
	uint64_t wide = value;

	(void)access_memory(call, linear, width, true, &wide);
}

/* Eight bytes at a time where they are aligned, so that none crosses the segment's end. */
static void copy(struct hv_bios_call *call, uint32_t segment, uint16_t offset, uint8_t *data,
		 size_t len, bool write)
{
	while (len) {
		unsigned int width = offset % 8 || len < 8 ? 1 : 8;
		uint64_t value = 0;

		if (write)
			memcpy(&value, data, width);
		if (!access_memory(call, segment + offset, width, write, &value))
			value = 0;
		if (!write)
			memcpy(data, &value, width);
		offset += width;
		data += width;
		len -= width;
	}
}

void hv_bios_write(struct hv_bios_call *call, uint32_t segment, uint16_t offset, const void *data,
		   size_t len)
{
	copy(call, segment, offset, (uint8_t *)data, len, true);
}

void hv_bios_read(struct hv_bios_call *call, uint32_t segment, uint16_t offset, void *data,
		  size_t len)
{
	copy(call, segment, offset, data, len, false);
}

uint8_t hv_bios_in(struct hv_bios_call *call, uint16_t port)
{
	uint64_t value = 0;

	hv_bus_access(call->bios->config.bus, HV_PORT, port, 1, false, &value);
	return value;
}

void hv_bios_out(struct hv_bios_call *call, uint16_t port, uint8_t value)
{
	uint64_t wide = value;

	hv_bus_access(call->bios->config.bus, HV_PORT, port, 1, true, &wide);
}

void hv_bios_say(const struct hv_bios *bios, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bios->config.say(bios->config.ctx, text);
}

bool hv_bios_first_time(struct hv_bios_call *call, uint8_t ah)
{
	uint8_t *byte = &call->bios->said[(call->number << 8 | ah) / 8], bit = 1 << ah % 8;
	bool first = !(*byte & bit);

	*byte |= bit;
	return first;
}

void hv_bios_stop(struct hv_bios_call *call)
{
	call->cs = HV_BIOS_SEGMENT;
	call->ip = hv_bios_at(hv_bios_rom_stop);
	hv_bios_flag(call, X86_RFLAGS_IF | X86_RFLAGS_TF, false);
}

/* -------------------------------------------------------------- interrupts */

/* Inputs of the 8259s are served, by their in-service register; else it was no interrupt. */
static bool end_interrupt(struct hv_bios_call *call, uint16_t pic, unsigned int input)
{
	hv_bios_out(call, pic, PIC_READ_ISR);
	if (!(hv_bios_in(call, pic) & 1 << input))
		return false;
	hv_bios_out(call, pic, PIC_EOI);
	return true;
}

/* An input that nobody has asked for: a program that turned it on has no use for it. */
static bool irq_master(struct hv_bios_call *call)
{
	return end_interrupt(call, PIC, call->number & 7);
}

static bool irq_slave(struct hv_bios_call *call)
{
	bool served = end_interrupt(call, PIC2, call->number & 7);

	return end_interrupt(call, PIC, 2) || served;
}

/*
 * SDM, "Exceptions and Interrupts": faults that come back as long as nobody mends what
 * they are about. Vectors 8 to FH are those of the first 8259, too.
 */
static const char *const faults[] = {
	[0x00] = "a division by zero, or one with too large a quotient",
	[0x06] = "an instruction that does not exist",
	[0x07] = "an x87 instruction while CR0 says that there is none",
	[0x08] = "a double fault",
	[0x0c] = "an access behind the end of the stack's segment",
	[0x0d] = "an access behind a segment's end, or an instruction that real mode does not have",
};

static bool fault(struct hv_bios_call *call)
{
	if (call->number >= 8 && irq_master(call))
		return true;
	if (hv_bios_first_time(call, 0))
		hv_bios_say(call->bios, "at %04x:%04x, %s (exception %u); the guest stops there",
			    call->cs, call->ip, faults[call->number], call->number);
	hv_bios_stop(call);
	return true;
}

static bool no_boot_device(struct hv_bios_call *call)
{
	if (hv_bios_first_time(call, 0))
		hv_bios_say(call->bios, "the guest gives up: INT 18H, no boot device");
	hv_bios_stop(call);
	return true;
}

static const hv_bios_service services[VECTORS] = {
	[0x00] = fault,
	[0x06 ... 0x08] = fault,
	[0x09] = hv_bios_key_pressed,
	[0x0a ... 0x0b] = irq_master,
	[0x0c ... 0x0d] = fault,
	[0x0e ... 0x0f] = irq_master,
	[0x10] = hv_bios_video,
	[0x11] = hv_bios_equipment,
	[0x12] = hv_bios_low_memory,
	[0x13] = hv_bios_disk,
	[0x14] = hv_bios_serial,
	[0x15] = hv_bios_system,
	[0x16] = hv_bios_keyboard,
	[0x18] = no_boot_device,
	[0x19] = hv_bios_boot,
	[0x1a] = hv_bios_clock,
	[0x70 ... 0x77] = irq_slave,
};

/* Programs look at CF and AH, whatever they have asked for. */
static void not_there(struct hv_bios_call *call)
{
	if (hv_bios_first_time(call, call->ah))
		hv_bios_say(call->bios, "there is no INT %02XH with AX=%04XH here (at %04x:%04x)",
			    call->number, call->ax, call->cs, call->ip);
	hv_bios_flag(call, X86_RFLAGS_CF, true);
	call->ah = call->number == 0x13 ? 0x01 : 0x86;
}

/* ------------------------------------------------------------------- a call */

/* What the entry and the INT have left on the stack. */
struct frame {
	uint16_t number, ip, cs, flags;
};

static void set_low(__u64 *reg, uint32_t value)
{
	*reg = (*reg & ~0xffffffffULL) | value;
}

static void take_registers(struct hv_bios_call *call, const struct tinyvmx_regs *regs,
			   const struct tinyvmx_sregs *sregs)
{
	call->eax = regs->gpr[TINYVMX_RAX];
	call->ebx = regs->gpr[TINYVMX_RBX];
	call->ecx = regs->gpr[TINYVMX_RCX];
	call->edx = regs->gpr[TINYVMX_RDX];
	call->esi = regs->gpr[TINYVMX_RSI];
	call->edi = regs->gpr[TINYVMX_RDI];
	call->ebp = regs->gpr[TINYVMX_RBP];
	call->ds = sregs->seg[TINYVMX_DS].base;
	call->es = sregs->seg[TINYVMX_ES].base;
	call->es_selector = sregs->seg[TINYVMX_ES].selector;
}

static void give_registers(const struct hv_bios_call *call, struct tinyvmx_regs *regs,
			   struct tinyvmx_sregs *sregs)
{
	struct tinyvmx_segment *es = &sregs->seg[TINYVMX_ES];

	set_low(&regs->gpr[TINYVMX_RAX], call->eax);
	set_low(&regs->gpr[TINYVMX_RBX], call->ebx);
	set_low(&regs->gpr[TINYVMX_RCX], call->ecx);
	set_low(&regs->gpr[TINYVMX_RDX], call->edx);
	set_low(&regs->gpr[TINYVMX_RSI], call->esi);
	set_low(&regs->gpr[TINYVMX_RDI], call->edi);
	set_low(&regs->gpr[TINYVMX_RBP], call->ebp);
	if (call->es_selector != es->selector) {
		es->selector = call->es_selector;
		es->base = call->es_selector << 4;
	}
	/* The ROM's question, see there. */
	regs->rflags &= ~(X86_RFLAGS_CF | X86_RFLAGS_ZF);
	if (call->again)
		regs->rflags |= X86_RFLAGS_CF;
	if (call->again == HV_BIOS_AT_ONCE)
		regs->rflags |= X86_RFLAGS_ZF;
}

static bool is_rom(const struct tinyvmx_regs *regs, const struct tinyvmx_sregs *sregs)
{
	bool real = !(sregs->cr0 & X86_CR0_PE) || regs->rflags & X86_RFLAGS_VM;

	return real && sregs->seg[TINYVMX_CS].selector == HV_BIOS_SEGMENT &&
	       regs->rip == hv_bios_at(hv_bios_rom_called);
}

void hv_bios_serve(struct hv_bios *bios, struct hv_guest *guest, struct tinyvmx_regs *regs,
		   struct tinyvmx_sregs *sregs)
{
	struct hv_bios_call call = { .bios = bios, .guest = guest };
	uint32_t stack = sregs->seg[TINYVMX_SS].base;
	uint16_t sp = regs->gpr[TINYVMX_RSP];
	hv_bios_service service;
	struct frame frame;

	if (!is_rom(regs, sregs))
		return;
	hv_bios_read(&call, stack, sp, &frame, sizeof(frame));
	call.number = frame.number;
	call.ip = frame.ip;
	call.cs = frame.cs;
	call.flags = frame.flags;
	take_registers(&call, regs, sregs);
	service = services[call.number];
	if (!service || !service(&call))
		not_there(&call);
	give_registers(&call, regs, sregs);
	frame = (struct frame){ frame.number, call.ip, call.cs, call.flags };
	hv_bios_write(&call, stack, sp, &frame, sizeof(frame));
}

/* ------------------------------------------------------------------- start */

void hv_bios_init(struct hv_bios *bios, const struct hv_bios_config *config)
{
	*bios = (struct hv_bios){ .config = *config };
	hv_bios_disk_init(bios);
}

struct vector {
	uint16_t offset, segment;
};

/* Those that are no services of ours but pointers, or for programs to hook. */
static void put_vectors(const struct hv_memory *memory)
{
	struct vector vectors[VECTORS];

	for (unsigned int i = 0; i < VECTORS; i++)
		vectors[i] = (struct vector){ ENTRY(i), HV_BIOS_SEGMENT };
	vectors[0x08].offset = hv_bios_at(hv_bios_rom_irq0);
	vectors[0x1e].offset = hv_bios_at(hv_bios_rom_floppy);
	vectors[0x01].offset = hv_bios_at(hv_bios_rom_nothing);
	vectors[0x03].offset = hv_bios_at(hv_bios_rom_nothing);
	vectors[0x1b].offset = hv_bios_at(hv_bios_rom_nothing);
	vectors[0x1c].offset = hv_bios_at(hv_bios_rom_nothing);
	vectors[0x4a].offset = hv_bios_at(hv_bios_rom_nothing);
	(void)hv_memory_write(memory, 0, vectors, sizeof(vectors));
}

/* Bit 0: there are floppy drives; 7:6: how many, less one. */
static void put_disks(const struct hv_bios *bios)
{
	const struct hv_memory *memory = bios->config.memory;
	uint16_t equipment = 0;
	uint8_t disks = 1;

	(void)hv_memory_read(memory, BDA_EQUIPMENT, &equipment, sizeof(equipment));
	equipment |= !!bios->floppy.sectors;
	(void)hv_memory_write(memory, BDA_EQUIPMENT, &equipment, sizeof(equipment));
	(void)hv_memory_write(memory, BDA_DISKS, &disks, sizeof(disks));
}

void hv_bios_install(struct hv_bios *bios, struct tinyvmx_regs *regs)
{
	const struct hv_memory *memory = bios->config.memory;

	bios->wait_until_ns = bios->serial_until_ns = 0;
	bios->row = bios->column = bios->last = 0;
	memset(bios->streamed, 0, sizeof(bios->streamed));
	put_vectors(memory);
	put_disks(bios);
	(void)hv_memory_write(memory, HV_BIOS_GPA, hv_bios_rom, HV_BIOS_SIZE);
	regs->gpr[TINYVMX_RDX] = (regs->gpr[TINYVMX_RDX] & ~0xffULL) | bios->drive;
}
