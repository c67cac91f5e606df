// SPDX-License-Identifier: GPL-2.0-only
/* What the CPU must know: segments, the TSS, gates, and where SYSCALL leads. */
#include "kernel.h"

#define GATE_PRESENT	0x8e	/* interrupt gate: interrupts off */
#define TSS_AVAILABLE	0x89ULL
#define TSS_BYTES	104
#define TRAP_BP		3
#define TRAP_DF		8

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, zero;
};

struct table_pointer {
	u16 limit;
	u64 base;
} __packed;

static const u64 gdt[] = {
	[KERNEL_CS / 8] = 0x00af9b000000ffff,
	[KERNEL_DS / 8] = 0x00cf93000000ffff,
	[USER_CS32 / 8] = 0x00cffb000000ffff,
	[USER_DS / 8] = 0x00cff3000000ffff,
	[USER_CS / 8] = 0x00affb000000ffff,
	[TSS_SELECTOR / 8 + 1] = 0,
};

static struct gate idt[256] __aligned(16);
static struct cpu boot_cpu;
static u8 double_fault_stack[4096] __aligned(16);

/* A TSS is busy once it is loaded, so each CPU has its own, and a GDT that points to it. */
static void gdt_init(struct cpu *cpu, void *fault_stack_top)
{
	struct table_pointer pointer = { sizeof(cpu->gdt) - 1, (u64)cpu->gdt };
	u64 base = (u64)&cpu->tss;

	cpu->tss.io_map = TSS_BYTES;
	cpu->tss.ist[0] = (u64)fault_stack_top;
	memcpy(cpu->gdt, gdt, sizeof(gdt));
	cpu->gdt[TSS_SELECTOR / 8] = (TSS_BYTES - 1) | (base & 0xffffff) << 16 |
				     TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
	cpu->gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
	asm volatile("lgdt %0; ltr %w1" : : "m"(pointer), "r"(TSS_SELECTOR) : "memory");
}

static void idt_init(void)
{
	int i;

	for (i = 0; i < 256; i++) {
		u64 address = (u64)trap_stubs + 16 * i;

		idt[i] = (struct gate){
			.offset_low = address,
			.offset_middle = address >> 16,
			.offset_high = address >> 32,
			.selector = KERNEL_CS,
			.type = GATE_PRESENT,
		};
	}
	idt[TRAP_BP].type |= 3 << 5;	/* programs may INT3 */
	idt[TRAP_DF].ist = 1;
}

static void idt_load(void)
{
	struct table_pointer pointer = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(pointer) : "memory");
}

/* SYSRET adds 16 and 8 to the upper selector: USER_CS and USER_DS follow it. */
static void syscall_init(void)
{
	wrmsr(MSR_STAR, (u64)USER_CS32 << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)syscall_entry);
	wrmsr(MSR_FMASK, EFLAGS_IF | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void cpu_adopt(struct cpu *cpu, void *fault_stack_top)
{
	cpu->self = cpu;
	gdt_init(cpu, fault_stack_top);
	idt_load();
	wrmsr(MSR_GS_BASE, (u64)cpu);
	syscall_init();
}

void cpu_init(void)
{
	idt_init();
	cpu_adopt(&boot_cpu, double_fault_stack + sizeof(double_fault_stack));
}

/* Where the next entry from a program finds its stack, by either way. */
void cpu_set_kernel_stack(u64 top)
{
	struct cpu *cpu = this_cpu();

	cpu->tss.rsp[0] = top;
	cpu->kernel_sp = top;
}
