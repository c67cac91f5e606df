// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions and other events that raise themselves again: in their delivery, in their
 * handlers, in tables that are not there. Where no instruction of the guest comes to its
 * end between two exits, nothing but the module lets the host's interrupts in
 * (CVE-2015-5307, CVE-2015-8104).
 */
#include <sys/mman.h>

#include "hostile.h"

#define DB	1
#define DF	8
#define AC	17

/* No table of the guest's has it. */
#define NOWHERE		"0x100000000"

void give_absent_memory(struct vcpu *vcpu)
{
	static void *nothing;

	if (!nothing)
		nothing = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (nothing == MAP_FAILED)
		bail("mmap: %m");
	must(set_memory(vcpu->vm->fd, 1, 0, ABSENT_GPA, 16 * PAGE, nothing));
}

static void set_gate(struct vm *vm, u32 vector, const char *handler, u64 ist)
{
	u64 *entry = (u64 *)(vm->ram + GUEST_IDT_GPA) + 2 * vector;
	u64 to = (uintptr_t)handler;

	entry[0] = (to & 0xffff) | SEL_CS64 << 16 | ist << 32 | 0x8e0000000000 | to >> 16 << 48;
	entry[1] = to >> 32;
}

/* ------------------------------------------------ protected mode, 32 bits */

#define CODE32		GUEST_FREE_GPA
#define GDT32		(GUEST_FREE_GPA + PAGE)
#define IDT32		(GUEST_FREE_GPA + 2 * PAGE)
#define STACK32		(GUEST_FREE_GPA + 4 * PAGE)
#define TSS32		(GUEST_FREE_GPA + 5 * PAGE)
#define SEL_TASK	0x18

static struct tinyvmx_segment flat(u16 selector, u32 type)
{
	return (struct tinyvmx_segment){
		.limit = 0xffffffff, .selector = selector | (type >> 5 & 3),
		.ar = TINYVMX_AR_S | TINYVMX_AR_P | TINYVMX_AR_DB | TINYVMX_AR_G | type,
	};
}

/* At CODE32, with an empty IDT, without paging. */
static void enter_protected(struct vcpu *vcpu, u32 cpl)
{
	const u64 dpl = (u64)cpl << 45;
	const u64 gdt[] = {
		0, 0x00cf9b000000ffff | dpl, 0x00cf93000000ffff | dpl,
		0x890000000067 | (TSS32 & 0xffffff) << 16 | (TSS32 >> 24) << 56,
	};
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	memcpy(vcpu->vm->ram + GDT32, gdt, sizeof(gdt));
	s.gdt_base = GDT32;
	s.gdt_limit = sizeof(gdt) - 1;
	s.idt_base = IDT32;
	s.idt_limit = 8 * 32 - 1;
	s.cr0 = 0x40031;	/* PE, ET, NE, AM */
	s.cr4 = 0;
	s.efer = 0;
	for (u32 i = 0; i < TINYVMX_LDTR; i++)
		s.seg[i] = flat(0x10, 3 | cpl << TINYVMX_AR_DPL_SHIFT);
	s.seg[TINYVMX_CS] = flat(0x08, 0xb | cpl << TINYVMX_AR_DPL_SHIFT);
	vcpu_set_sregs(vcpu, &s);
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = CODE32;
	vcpu->regs.gpr[TINYVMX_RSP] = STACK32;
	vcpu_set_regs(vcpu);
}

/* PUSH EAX, and #AC from its handler's frame: both are in ring 3. */
static void prepare_ac(struct vcpu *vcpu)
{
	u8 *ram = vcpu->vm->ram;

	ram[CODE32] = 0x50;
	*(u64 *)(ram + IDT32 + 8 * AC) =
		0x0b0000 | 0x8f0000000000 | (CODE32 & 0xffff) | (u64)(CODE32 >> 16) << 48;
	enter_protected(vcpu, 3);
	vcpu->regs.gpr[TINYVMX_RSP] -= 2;
	vcpu->regs.rflags = 0x40002;	/* AC */
	vcpu_set_regs(vcpu);
}

static void check_ac(struct vcpu *vcpu)
{
	vcpu_get_regs(vcpu);
	is(vcpu->regs.rip, CODE32, "#AC: no handler was reached");
	is(vcpu_events(vcpu).event_info & 0xff, AC, "#AC: it is pending");
}

/* A far jump to a task. */
static void prepare_task(struct vcpu *vcpu)
{
	static const u8 ljmp[] = { 0xea, 0, 0, 0, 0, SEL_TASK, 0 };

	memcpy(vcpu->vm->ram + CODE32, ljmp, sizeof(ljmp));
	enter_protected(vcpu, 0);
}

/* UD2, whose gate is a task gate: the exit cuts a delivery short. */
static void prepare_task_gate(struct vcpu *vcpu)
{
	vcpu->vm->ram[CODE32] = 0x0f;
	vcpu->vm->ram[CODE32 + 1] = 0x0b;
	*(u64 *)(vcpu->vm->ram + IDT32 + 8 * UD) = 0x850000000000 | SEL_TASK << 16;
	enter_protected(vcpu, 0);
}

/* PE off and on again by CR0, which does not exit: XOR EAX, 1; MOV CR0; INC alive. */
static void prepare_modes(struct vcpu *vcpu)
{
	static const u8 code[] = {
		0x0f, 0x20, 0xc0, 0x83, 0xf0, 0x01, 0x0f, 0x22, 0xc0, 0xff, 0x05, 0, 0, 0, 0,
		0xeb, 0xef,
	};
	u8 *ram = vcpu->vm->ram + CODE32;

	memcpy(ram, code, sizeof(code));
	*(u32 *)(ram + 11) = (uintptr_t)&guest_alive;
	enter_protected(vcpu, 0);
}

/* -------------------------------------------------------------- #DB, #AC */

REPEATS(loops, "cli", :)

static void watches_frame(u64 id)
{
	volatile u64 *ss = (volatile u64 *)(GUEST_IST_TOP - 8);

	(void)id;
	WRITE_REG("db0", (uintptr_t)ss);
	WRITE_REG("db7", 0x90402UL);	/* G0: writes of 8 bytes */
	*ss = 0;
	guest_sync(1);
}

static void prepare_db_on_ist(struct vcpu *vcpu)
{
	set_gate(vcpu->vm, DB, guest_vectors + 16 * DB, 1);
}

static void check_db(struct vcpu *vcpu)
{
	is(G(vcpu->vm, guest_trap.count), 0, "#DB on IST: no handler was reached");
	is(vcpu_events(vcpu).event_info & 0xff, DB, "#DB on IST: it is pending");
}

/* An instruction breakpoint on the first instruction of its own handler. */
static void breaks_handler(u64 id)
{
	(void)id;
	WRITE_REG("db0", (uintptr_t)guest_vectors + 16 * DB);
	WRITE_REG("db7", 0x402UL);
	__asm__ volatile(".byte 0xf1");
	guest_sync(1);
}

static void steps_on(struct guest_frame *frame)
{
	frame->rflags |= 0x100;
	guest_alive++;
}

static void single_steps(u64 id)
{
	(void)id;
	guest_hook = steps_on;
	guest_expect(DB);
	__asm__ volatile("pushfq; orq $0x100, (%rsp); popfq; 1: nop; jmp 1b");
}

static void counts(struct guest_frame *frame)
{
	(void)frame;
	guest_alive++;
}

static void icebp(u64 id)
{
	(void)id;
	guest_hook = counts;
	guest_expect(DB);
	for (;;)
		__asm__ volatile(".byte 0xf1");
}

/* --------------------------------------- exceptions the module never sees */

extern const char raises_ud[], raises_pf[], raises_gp[];

__asm__(".pushsection .text\n"
	"raises_ud: incq guest_alive(%rip); ud2\n"
	"raises_pf: incq guest_alive(%rip); movabs " NOWHERE ", %al\n"
	"raises_gp: incq guest_alive(%rip); xor %eax, %eax; bts $63, %rax; mov (%rax), %al\n"
	".popsection");

static void ud2(u64 id)
{
	(void)id;
	__asm__ volatile("ud2");
}

static void prepare_ud_in_ud(struct vcpu *vcpu)
{
	set_gate(vcpu->vm, UD, raises_ud, 1);
}

static void prepare_pf_in_pf(struct vcpu *vcpu)
{
	set_gate(vcpu->vm, UD, raises_pf, 1);
	set_gate(vcpu->vm, PF, raises_pf, 1);
}

/* #GP has no gate, and #NP makes it a double fault, whose handler does it again. */
static void prepare_df(struct vcpu *vcpu)
{
	set_gate(vcpu->vm, UD, raises_gp, 1);
	set_gate(vcpu->vm, DF, raises_gp, 1);
	memset(vcpu->vm->ram + GUEST_IDT_GPA + 16 * GP, 0, 16);
}

/* A page fault whose frame has no page either: a double fault, too. */
static void prepare_df_by_stack(struct vcpu *vcpu)
{
	u64 *tss = (u64 *)(vcpu->vm->ram + GUEST_TSS_GPA + 4);

	tss[5] = 0x200000000;	/* IST2: nowhere */
	set_gate(vcpu->vm, UD, raises_pf, 1);
	set_gate(vcpu->vm, PF, raises_pf, 2);
	set_gate(vcpu->vm, DF, raises_pf, 1);
}

static void prepare_triple(struct vcpu *vcpu)
{
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	s.idt_limit = 0;
	vcpu_set_sregs(vcpu, &s);
}

static void interrupts_itself(u64 id)
{
	(void)id;
	guest_expect(0x80);
	for (;; guest_alive++)
		__asm__ volatile("int $0x80");
}

FAULTS(ud2_storm, UD, "ud2", :)
FAULTS(divides, 0, "xor %%ecx, %%ecx; div %%ecx", : : : "rax", "rcx", "rdx")

/* --------------------------------------- tables in MMIO and absent memory */

enum table { IDT, GDT, TSS, STACK, PAGING };

static void move_table(struct vcpu *vcpu, enum table table, u64 to)
{
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	switch (table) {
	case IDT:
		s.idt_base = to;
		break;
	case GDT:
		s.gdt_base = to;
		break;
	case TSS:
		s.seg[TINYVMX_TR].base = to;
		set_gate(vcpu->vm, UD, raises_ud, 1);
		break;
	case PAGING:
		s.cr3 = to;
		break;
	case STACK:
		vcpu_get_regs(vcpu);
		vcpu->regs.gpr[TINYVMX_RSP] = to + PAGE;
		vcpu_set_regs(vcpu);
		break;
	}
	vcpu_set_sregs(vcpu, &s);
}

#define MOVED(table)							\
static void prepare_mmio_##table(struct vcpu *vcpu)			\
{									\
	move_table(vcpu, table, GUEST_MMIO_GPA);			\
}									\
static void prepare_absent_##table(struct vcpu *vcpu)			\
{									\
	give_absent_memory(vcpu);					\
	move_table(vcpu, table, ABSENT_GPA);				\
}

MOVED(IDT)
MOVED(GDT)
MOVED(TSS)
MOVED(STACK)
MOVED(PAGING)

/* ------------------------------------------------------ shadows, windows */

/*
 * 6 ms of instructions, more than a process may have to wait: each blocks interrupts up to
 * the one behind it, where the CPU must not let it block them again.
 */
#define CHAIN	(300 * 1024)

static void write_chain(struct vcpu *vcpu, const void *bytes, u32 len, u32 times)
{
	u8 *code = vcpu->vm->ram + GUEST_FREE_GPA;

	for (u32 i = 0; i < times; i++)
		memcpy(code + i * len, bytes, len);
	code[times * len] = 0xc3;
}

static void prepare_mov_ss(struct vcpu *vcpu)
{
	write_chain(vcpu, "\x8e\xd0", 2, CHAIN);	/* MOV SS, EAX */
}

static void prepare_sti(struct vcpu *vcpu)
{
	write_chain(vcpu, "\xfa\xfb", 2, CHAIN / 2);	/* CLI; STI */
}

static void runs_chain(u64 id)
{
	(void)id;
	for (;; guest_alive++)
		__asm__ volatile("call *%1" : : "a"(SEL_DS), "r"((u64)GUEST_FREE_GPA) : "memory");
}

REPEATS(cpuid_in_mov_ss, "mov %0, %%ss; cpuid", : : "r"(SEL_DS) : "rax", "rbx", "rcx", "rdx")
REPEATS(cpuid_in_sti, "cli; sti; cpuid", : : : "rax", "rbx", "rcx", "rdx")

static void opens_windows(u64 id)
{
	(void)id;
	guest_hook = counts;
	guest_expect(0x40);
	for (;;)
		__asm__ volatile("sti; nop; cli" : : : "memory");
}

static void want_window(struct vcpu *vcpu)
{
	vcpu->run->want_intr_window = 1;
}

static void use_window(struct vcpu *vcpu)
{
	if (vcpu->run->reason == TINYVMX_EXIT_INTR_WINDOW)
		must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0x40));
}

/* ------------------------------------------------------------------- NMIs */

static void floods_nmi(u64 id)
{
	guest_expect(2);
	for (;; guest_alive++)
		wrmsr(X_ICR, (id ^ 1) << 32 | MODE_NMI);
}

static void sends_nmi(struct guest_frame *frame)
{
	(void)frame;
	guest_alive++;
	wrmsr(X_ICR, MODE_NMI);
}

/* The next is sent while the last blocks it. */
static void nmi_in_nmi(u64 id)
{
	(void)id;
	guest_hook = sends_nmi;
	guest_expect(2);
	wrmsr(X_ICR, MODE_NMI);
	for (;;)
		relax();
}

static void spins(u64 id)
{
	(void)id;
	for (;;)
		relax();
}

static void prepare_nmi(struct vcpu *vcpu)
{
	G(vcpu->vm, guest_hook) = counts;
	G(vcpu->vm, guest_expected[0]) = 1 << 2;
}

static void send_nmi(struct vcpu *vcpu)
{
	msi_raw(vcpu->vm->fd, MSI_BASE, MODE_NMI);
}

/* ---------------------------------------- x87 errors, while CR0.NE is 0 */

static void fail_x87(void)
{
	static const u16 control = 0x037b;	/* all errors masked but division by zero */

	WRITE_REG("cr0", READ_REG("cr0") & ~0x20UL);
	__asm__ volatile("fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st" : : "m"(control));
}

static void waits_for_irq13(u64 id)
{
	(void)id;
	fail_x87();
	__asm__ volatile("fwait");
}

static void ignores_x87(u64 id)
{
	(void)id;
	for (;; guest_alive++) {
		fail_x87();
		__asm__ volatile("fwait; fld1; fstp %st(0); fwait; fnclex");
	}
}

static void assert_ignne(struct vcpu *vcpu)
{
	if (vcpu->run->reason == TINYVMX_EXIT_FERR)
		vcpu->run->request |= TINYVMX_REQ_IGNNE;
}

/* -------------------------------------------------- entries that fail */

static void prepare_bad_cs(struct vcpu *vcpu)
{
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	s.seg[TINYVMX_CS].ar |= TINYVMX_AR_L | TINYVMX_AR_DB;
	vcpu_set_sregs(vcpu, &s);
}

const struct attack attacks_exceptions[] = {
	{ "a loop", "without exits of its own, interrupts disabled", .guest = loops,
	  .exit = BY(EXTERNAL_INTERRUPT) },
	{ "four loops", "two vCPUs a CPU, none of which ever gives way", .guest = loops,
	  .exit = BY(EXTERNAL_INTERRUPT), .flags = ATTACK_FOUR },
	{ "#AC", "delivery raises it again, for ever, with interrupts disabled: the CPU is lost",
	  .prepare = prepare_ac, .check = check_ac, .exit = BY(EXCEPTION_NMI),
	  .flags = ATTACK_STUCK },
	{ "#DB on IST", "the same by a breakpoint on its frame", .guest = watches_frame,
	  .prepare = prepare_db_on_ist, .check = check_db, .exit = BY(EXCEPTION_NMI),
	  .flags = ATTACK_STUCK },
	{ "#DB on its handler",
	  "the same with an instruction boundary, which is no instruction done",
	  .guest = breaks_handler, .prepare = prepare_db_on_ist, .exit = BY(EXCEPTION_NMI),
	  .flags = ATTACK_STUCK },
	{ "single steps", "each instruction exits", .guest = single_steps,
	  .exit = BY(EXCEPTION_NMI) },
	{ "INT1", "each is injected again", .guest = icebp, .exit = BY(EXCEPTION_NMI) },
	{ "#UD in its handler", "no instruction is ever finished, and nothing exits", .guest = ud2,
	  .prepare = prepare_ud_in_ud },
	{ "#PF in its handler", "as before", .guest = ud2, .prepare = prepare_pf_in_pf },
	{ "#DF by #NP", "as before, by contributory exceptions", .guest = ud2,
	  .prepare = prepare_df },
	{ "#DF by its stack", "as before", .guest = ud2, .prepare = prepare_df_by_stack },
	{ "triple faults", "a VMM that starts over: nothing is left of the last time", .guest = ud2,
	  .prepare = prepare_triple, .exit = BY(TRIPLE_FAULT), .flags = ATTACK_STUCK },
	{ "x87 errors", TO_USER, .guest = waits_for_irq13, .exit = BY(EXCEPTION_NMI),
	  .flags = ATTACK_STUCK | ATTACK_FERR },
	{ "IGNNE#", "two exits an instruction, in the kernel: they keep the host out",
	  .guest = ignores_x87, .answer = assert_ignne, .exit = BY(MONITOR_TRAP_FLAG),
	  .flags = ATTACK_FERR },
	{ "#UD", "exceptions keep interrupts out", .guest = ud2_storm },
	{ "#DE", "as before", .guest = divides },
	{ "INT n", "as before", .guest = interrupts_itself },
	{ "task switches", "a VMM that does nothing about them gets the same one for ever",
	  .prepare = prepare_task, .exit = BY(TASK_SWITCH), .flags = ATTACK_STUCK },
	{ "task gates", "the exit cuts a delivery short, and the event must not be delivered again",
	  .prepare = prepare_task_gate, .exit = BY(TASK_SWITCH), .flags = ATTACK_STUCK },
	{ "CR0.PE", "a mode switch is not seen by who caches the mode", .prepare = prepare_modes },
	{ "IDT in MMIO", "the delivery starts over in the kernel, for ever", .guest = ud2,
	  .prepare = prepare_mmio_IDT, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "IDT in absent memory", "as before, and each time a page is looked for", .guest = ud2,
	  .prepare = prepare_absent_IDT, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "GDT in MMIO", "the delivery starts over in the kernel, for ever", .guest = ud2,
	  .prepare = prepare_mmio_GDT, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "GDT in absent memory", "as before, and each time a page is looked for", .guest = ud2,
	  .prepare = prepare_absent_GDT, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "TSS in MMIO", "the delivery starts over in the kernel, for ever", .guest = ud2,
	  .prepare = prepare_mmio_TSS, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "TSS in absent memory", "as before, and each time a page is looked for", .guest = ud2,
	  .prepare = prepare_absent_TSS, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "stack in MMIO", "the delivery starts over in the kernel, for ever", .guest = ud2,
	  .prepare = prepare_mmio_STACK, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "stack in absent memory", "as before, and each time a page is looked for", .guest = ud2,
	  .prepare = prepare_absent_STACK, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "page tables in MMIO", "the walk starts over in the kernel, for ever", .guest = ud2,
	  .prepare = prepare_mmio_PAGING, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "page tables in absent memory", "as before, and each time a page is looked for",
	  .guest = ud2, .prepare = prepare_absent_PAGING, .exit = BY(EPT_VIOLATION),
	  .flags = ATTACK_STUCK },
	{ "MOV SS in a row", "interrupts are blocked from the first to the last",
	  .guest = runs_chain, .prepare = prepare_mov_ss, .flags = ATTACK_SLOW },
	{ "STI in a row", "as before", .guest = runs_chain, .prepare = prepare_sti,
	  .flags = ATTACK_SLOW },
	{ "exits behind MOV SS", "the shadow stays, and interrupts out", .guest = cpuid_in_mov_ss,
	  .exit = BY(CPUID) },
	{ "exits behind STI", "as before", .guest = cpuid_in_sti, .exit = BY(CPUID) },
	{ "interrupt windows", "they exit before the host's interrupts do", .guest = opens_windows,
	  .prepare = want_window, .answer = use_window, .exit = BY(INTERRUPT_WINDOW) },
	{ "NMIs to itself", "an NMI is the host's first concern", .guest = floods_nmi,
	  .exit = BY(MSR_WRITE), .flags = ATTACK_LAPIC },
	{ "NMIs to another", "each interrupts the other's CPU", .guest = floods_nmi,
	  .exit = BY(MSR_WRITE), .flags = ATTACK_LAPIC | ATTACK_TWO },
	{ "NMI windows", "they exit before the host's interrupts do", .guest = nmi_in_nmi,
	  .exit = BY(NMI_WINDOW), .flags = ATTACK_LAPIC },
	{ "NMIs from the VMM", "each interrupts the CPU", .guest = spins, .prepare = prepare_nmi,
	  .beside = send_nmi, .flags = ATTACK_LAPIC },
	{ "entries that fail", "nothing of the guest runs: no boundary", .guest = ud2,
	  .prepare = prepare_bad_cs, .exit = BY(INVALID_STATE), .flags = ATTACK_STUCK },
	{ }
};
