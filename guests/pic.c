// SPDX-License-Identifier: GPL-2.0-only
/* pic: the old interrupt controllers, and who interrupts through them: PIT, UART, RTC. */
#include "lib/cmos.h"
#include "lib/trap.h"

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_COMMAND	0xa0
#define PIC2_DATA	0xa1
#define PIC_EOI		0x20
#define PIC_EOI_OF(n)	(0x60 | (n))
#define PIC_READ_IRR	0x0a
#define PIC_READ_ISR	0x0b
#define ICW4_8086	0x01
#define ICW4_AUTO_EOI	0x02

#define PIT_CHANNEL0	0x40
#define PIT_CHANNEL2	0x42
#define PIT_COMMAND	0x43
#define PIT_HZ		1193182
#define PORT_61		0x61
#define PIT_GATE2	0x01
#define PIT_OUT2	0x20

#define UART_DATA	(PORT_COM1 + 0)
#define UART_IER	(PORT_COM1 + 1)
#define UART_IIR	(PORT_COM1 + 2)
#define UART_MCR	(PORT_COM1 + 4)
#define UART_LSR	(PORT_COM1 + 5)
#define IER_DATA	0x01
#define IER_THR_EMPTY	0x02
#define IIR_MASK	0x0f
#define IIR_NONE	0x01
#define IIR_THR_EMPTY	0x02
#define IIR_DATA	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define MCR_NORMAL	0x03

#define RTC_A		0x0a
#define RTC_B		0x0b
#define RTC_C		0x0c
#define RTC_D		0x0d
#define RTC_PERIODIC	0x40

#define BASE		0x60
#define IRQ_PIT		0
#define IRQ_CASCADE	2
#define IRQ_UART	4
#define IRQ_RTC		8
#define PATIENCE	2000000000ULL	/* ticks */

static volatile u32 taken[16];
static volatile u8 uart_reason, rtc_reason;
static bool auto_eoi;

static void end_of_interrupt(int irq)
{
	if (auto_eoi)
		return;
	if (irq >= 8)
		outb(PIC2_COMMAND, PIC_EOI);
	outb(PIC1_COMMAND, PIC_EOI);
}

static bool on_irq(struct trap_frame *frame)
{
	int irq = frame->vector - BASE;

	taken[irq]++;
	if (irq == IRQ_UART)
		uart_reason = inb(UART_IIR) & IIR_MASK;
	if (irq == IRQ_RTC)
		rtc_reason = cmos_read(RTC_C);
	end_of_interrupt(irq);
	return true;
}

static void forget(void)
{
	memset((void *)taken, 0, sizeof(taken));
}

static void let_in(void)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
}

static bool wait_for(int irq, u32 times)
{
	u64 start = rdtsc();

	asm volatile("sti");
	while (taken[irq] < times && rdtsc() - start < PATIENCE)
		cpu_pause();
	asm volatile("cli");
	return taken[irq] >= times;
}

static void pic_init(u8 icw4)
{
	outb(PIC1_COMMAND, 0x11);
	outb(PIC1_DATA, BASE);
	outb(PIC1_DATA, 1 << IRQ_CASCADE);
	outb(PIC1_DATA, icw4);
	outb(PIC2_COMMAND, 0x11);
	outb(PIC2_DATA, BASE + 8);
	outb(PIC2_DATA, IRQ_CASCADE);
	outb(PIC2_DATA, icw4);
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
	auto_eoi = icw4 & ICW4_AUTO_EOI;
}

static void unmask(int irq)
{
	if (irq >= 8) {
		outb(PIC2_DATA, inb(PIC2_DATA) & ~(1 << (irq - 8)));
		irq = IRQ_CASCADE;
	}
	outb(PIC1_DATA, inb(PIC1_DATA) & ~(1 << irq));
}

static void mask_all(void)
{
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

static u8 pic_read(u8 what)
{
	outb(PIC1_COMMAND, what);
	return inb(PIC1_COMMAND);
}

static void pit_program(u8 channel, u8 mode, u16 count)
{
	outb(PIT_COMMAND, channel << 6 | 0x30 | mode << 1);
	outb(PIT_CHANNEL0 + channel, count);
	outb(PIT_CHANNEL0 + channel, count >> 8);
}

static u16 pit_latched(u8 channel)
{
	u8 low;

	outb(PIT_COMMAND, channel << 6);
	low = inb(PIT_CHANNEL0 + channel);
	return low | inb(PIT_CHANNEL0 + channel) << 8;
}

static bool has_pic(void)
{
	outb(PIC1_DATA, 0x55);
	if (inb(PIC1_DATA) != 0x55)
		return false;
	outb(PIC1_DATA, 0xff);
	return inb(PIC1_DATA) == 0xff;
}

static void check_pit(void)
{
	u64 start;

	step("PIT, mode 2, 1 kHz: ten interrupts into a spinning guest");
	forget();
	pit_program(0, 2, PIT_HZ / 1000);
	unmask(IRQ_PIT);
	start = rdtsc();
	check(wait_for(IRQ_PIT, 10));
	print("  %llu ticks\n", rdtsc() - start);
	step("the same, out of HLT");
	forget();
	while (taken[IRQ_PIT] < 10)
		asm volatile("sti; hlt; cli" : : : "memory");
	check_eq(taken[IRQ_PIT], 10);
	mask_all();
}

static void check_mask(void)
{
	step("masked: in the IRR alone; then delivered once");
	pit_program(0, 0, 0xffff);	/* OUT low: nothing more to come */
	unmask(IRQ_PIT);
	let_in();
	mask_all();
	forget();
	pit_program(0, 0, 100);
	while (!(pic_read(PIC_READ_IRR) & 1 << IRQ_PIT))
		cpu_pause();
	let_in();
	check_eq(taken[IRQ_PIT], 0);
	unmask(IRQ_PIT);
	let_in();
	check_eq(taken[IRQ_PIT], 1);
	check_eq(pic_read(PIC_READ_ISR), 0);
	let_in();
	check_eq(taken[IRQ_PIT], 1);
	mask_all();
}

static u8 isr_inside;

/* Neither the same nor a lower one comes before the EOI. */
static bool on_pit_without_eoi(struct trap_frame *frame)
{
	(void)frame;
	taken[IRQ_PIT]++;
	isr_inside = pic_read(PIC_READ_ISR);
	return true;
}

static void check_eoi(void)
{
	u64 start = rdtsc();

	step("without EOI nothing more; a specific EOI ends it");
	forget();
	trap_hook(BASE + IRQ_PIT, on_pit_without_eoi);
	pit_program(0, 2, PIT_HZ / 1000);
	unmask(IRQ_PIT);
	check(wait_for(IRQ_PIT, 1));
	check_eq(isr_inside, 1 << IRQ_PIT);
	while (!(pic_read(PIC_READ_IRR) & 1 << IRQ_PIT) && rdtsc() - start < PATIENCE)
		cpu_pause();
	let_in();
	check_eq(taken[IRQ_PIT], 1);
	outb(PIC1_COMMAND, PIC_EOI_OF(IRQ_PIT));
	let_in();
	check_eq(taken[IRQ_PIT], 2);
	outb(PIC1_COMMAND, PIC_EOI);
	check_eq(pic_read(PIC_READ_ISR), 0);
	mask_all();
	trap_hook(BASE + IRQ_PIT, on_irq);
}

static void check_auto_eoi(void)
{
	step("automatic EOI");
	pic_init(ICW4_8086 | ICW4_AUTO_EOI);
	forget();
	unmask(IRQ_PIT);
	check(wait_for(IRQ_PIT, 3));
	check_eq(pic_read(PIC_READ_ISR), 0);
	pic_init(ICW4_8086);
}

static void check_counter(void)
{
	u16 first, second, again;

	step("PIT: a latched count stays; counts go down; read-back tells the mode");
	pit_program(0, 2, 0xffff);
	first = pit_latched(0);
	outb(PIT_COMMAND, 0);
	second = inb(PIT_CHANNEL0);
	cpuid(0, 0);
	second |= inb(PIT_CHANNEL0) << 8;
	again = pit_latched(0);
	check(second <= first);
	check(again <= second);
	outb(PIT_COMMAND, 0xe2);	/* status of channel 0 */
	check_eq(inb(PIT_CHANNEL0) & 0x3f, 0x34);
	step("PIT: channel 2 by port 0x61: gate and output");
	outb(PORT_61, inb(PORT_61) & ~(PIT_GATE2 | 2));
	pit_program(2, 0, 1000);
	check_eq(inb(PORT_61) & PIT_OUT2, 0);
	check_eq(pit_latched(2), pit_latched(2));	/* the gate holds it */
	outb(PORT_61, inb(PORT_61) | PIT_GATE2);
	while (!(inb(PORT_61) & PIT_OUT2))
		cpu_pause();
	check(inb(PORT_61) & PIT_OUT2);
}

static void check_uart(void)
{
	step("UART: transmitter empty, and data by loopback, as IRQ 4");
	forget();
	console_drain();
	outb(UART_MCR, MCR_NORMAL | MCR_OUT2);
	unmask(IRQ_UART);
	outb(UART_IER, IER_THR_EMPTY);
	check(wait_for(IRQ_UART, 1));
	check_eq(uart_reason, IIR_THR_EMPTY);
	outb(UART_IER, 0);
	let_in();
	forget();
	outb(UART_MCR, MCR_LOOP | MCR_OUT2);
	outb(UART_IER, IER_DATA);
	outb(UART_DATA, 0x5a);
	while (!(inb(UART_LSR) & 1))
		cpu_pause();
	check_eq(inb(UART_IIR) & IIR_MASK & ~8, IIR_DATA);
	check_eq(inb(UART_DATA), 0x5a);
	check_eq(inb(UART_IIR) & IIR_MASK, IIR_NONE);
	outb(UART_IER, 0);
	outb(UART_MCR, MCR_NORMAL);
	let_in();
	mask_all();
}

static int bcd(u8 value)
{
	return (value >> 4) * 10 + (value & 15);
}

static void check_rtc(void)
{
	step("RTC: the time is one, and periodic interrupts come by both controllers");
	check_eq(cmos_read(RTC_D) & 0x80, 0x80);
	if (!(cmos_read(RTC_B) & 4)) {
		check(bcd(cmos_read(0)) < 60);
		check(bcd(cmos_read(8)) >= 1 && bcd(cmos_read(8)) <= 12);
		check(bcd(cmos_read(9)) >= 20);
	}
	forget();
	cmos_write(RTC_A, 0x26);	/* 1024 Hz */
	cmos_read(RTC_C);
	unmask(IRQ_RTC);
	cmos_write(RTC_B, cmos_read(RTC_B) | RTC_PERIODIC);
	check(wait_for(IRQ_RTC, 3));
	check_eq(rtc_reason & 0xc0, 0xc0);
	cmos_write(RTC_B, cmos_read(RTC_B) & ~RTC_PERIODIC);
	cmos_read(RTC_C);
	mask_all();
}

#define ELCR		0x4d0
#define ELCR_MASTER	0xf8	/* lines that can be level-triggered */
#define ELCR_SLAVE	0xde
#define ROUNDS		300	/* more than the module queues */

/* Test suites measure hypervisors by it: hvctl lets the module answer, and queue. */
static void check_elcr(void)
{
	u8 master = inb(ELCR), slave = inb(ELCR + 1);
	u64 start, reads, writes;
	u32 i;

	step("ELCR: what is written is read, whoever answers");
	for (i = 0; i < ROUNDS; i++) {
		outb(ELCR, i);
		outb(ELCR, i + 1);
		outb(ELCR + 1, i);
		check_eq(inb(ELCR), (i + 1) & ELCR_MASTER);
		check_eq(inb(ELCR), (i + 1) & ELCR_MASTER);
		check_eq(inb(ELCR + 1), i & ELCR_SLAVE);
	}
	start = rdtsc();
	for (i = 0; i < ROUNDS; i++)
		outb(ELCR, i);
	writes = rdtsc() - start;
	check_eq(inb(ELCR), (ROUNDS - 1) & ELCR_MASTER);
	start = rdtsc();
	for (i = 0; i < ROUNDS; i++)
		inb(ELCR);
	reads = rdtsc() - start;
	print("  ELCR: %llu ticks a read, %llu a write\n", reads / ROUNDS, writes / ROUNDS);
	outb(ELCR, master);
	outb(ELCR + 1, slave);
}

GUEST("pic")
{
	int i;

	if (!has_pic())
		skip_guest("no 8259");
	for (i = 0; i < 16; i++)
		trap_hook(BASE + i, on_irq);
	pic_init(ICW4_8086);
	check_pit();
	check_mask();
	check_eoi();
	check_auto_eoi();
	check_counter();
	check_uart();
	check_rtc();
	check_elcr();
}
