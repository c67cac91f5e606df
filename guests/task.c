// SPDX-License-Identifier: GPL-2.0-only
/* task: hardware task switches: SDM, "Task Management". */
#include "lib/apic.h"
#include "lib/trap.h"

/* The GDT's slots for the guest itself */
#define TASK		GDT_FREE
#define TASK_AND_BACK	(GDT_FREE + 8)
#define TASK16		(GDT_FREE + 16)
#define HANDLER		(GDT_FREE + 24)
#define TRIED		(GDT_FREE + 32)
#define BEYOND		(GDT_SLOTS * 8)

#define BUSY		(2ULL << 40)
#define EFLAGS_VM	(1UL << 17)
#define DR6_BT		(1UL << 15)
#define VECTOR		0x60
#define V86_SEGMENT	0x900
#define V86_DATA	0x8f0
#define PTE_P		1U
#define PTE_W		2U
#define PTE_PS		0x80U
#define NEAR_4M		0x400000UL

struct tss32 {
	u16 link, pad0;
	u32 sp0, ss0, sp1, ss1, sp2, ss2;
	u32 cr3, ip, flags;
	u32 ax, cx, dx, bx, sp, bp, si, di;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_map;
};

struct tss16 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2;
	u16 ip, flags;
	u16 ax, cx, dx, bx, sp, bp, si, di;
	u16 es, cs, ss, ds, ldt;
};

void task_entry(void);
void task_return(void);
void task_jumps(void);
void task_with_code(void);
void task_visited(void);
void task16_code(void);
extern const u8 task_v86_code[], task_v86_code_end[];
extern volatile u32 task_error_code, task16_sp, task16_ax, task16_visits;
extern volatile u16 task16_fs;

extern u64 gdt[];
extern struct tss32 tss;		/* of the task that we are */

bool x2apic;

static struct tss32 task, jumper, handler;
static struct tss16 task16;
static u8 stacks[4][4096] __aligned(16), ring0_stacks[4][4096] __aligned(16);
static u8 stack16[4096] __aligned(16);

static u32 directories[2][1024] __aligned(4096);
static u32 table[2][1024] __aligned(4096);
static volatile u32 pages[2][1024] __aligned(4096);

/* What a task has seen; and what else it is to do. */
static volatile u32 visits, seen_flags, seen_tr;
static volatile ulong seen_cr0;
static void (*volatile on_visit)(void);

static u64 descriptor(u32 base, u32 limit, u32 access)
{
	return (u64)(base >> 24) << 56 | (u64)(access & 0xf00) << 44 |
	       (u64)(limit >> 16 & 0xf) << 48 | (u64)(access & 0xff) << 40 |
	       (u64)(base & 0xffffff) << 16 | (limit & 0xffff);
}

void task_visited(void)
{
	u32 flags, tr;

	asm volatile("pushf; pop %0" : "=r"(flags));
	asm volatile("str %0" : "=r"(tr));
	seen_flags = flags;
	seen_tr = tr & 0xffff;
	seen_cr0 = read_cr0();
	visits++;
	if (on_visit)
		on_visit();
}

static void make_task(struct tss32 *t, u32 selector, u32 n, void (*entry)(void))
{
	memset(t, 0, sizeof(*t));
	t->sp0 = (ulong)(ring0_stacks[n] + sizeof(ring0_stacks[n]));
	t->ss0 = KERNEL_DS;
	t->cr3 = read_cr3();
	t->ip = (ulong)entry;
	t->flags = EFLAGS_FIXED;
	t->sp = (ulong)(stacks[n] + sizeof(stacks[n]));
	t->cs = KERNEL_CS;
	t->es = KERNEL_DS;
	t->ss = KERNEL_DS;
	t->ds = KERNEL_DS;
	t->fs = KERNEL_DS;
	t->gs = KERNEL_DS;
	t->io_map = sizeof(*t);
	gdt[selector / 8] = descriptor((ulong)t, sizeof(*t) - 1, 0x89);
	visits = 0;
	on_visit = NULL;
}

static bool is_busy(u32 selector)
{
	return gdt[selector / 8] & BUSY;
}

static u32 task_register(void)
{
	u32 tr;

	asm volatile("str %0" : "=r"(tr));
	return tr & 0xffff;
}

static void clear_ts(void)
{
	asm volatile("clts");
}

/* ------------------------------------------------------------------------ the ways */

static void check_back(u32 selector, u32 nested)
{
	check_eq(visits, 1);
	check_eq(seen_tr, selector);
	check_eq(seen_flags & EFLAGS_NT, nested ? EFLAGS_NT : 0);
	check(seen_cr0 & CR0_TS);
	check(read_cr0() & CR0_TS);
	check_eq(task_register(), TSS_SELECTOR);
	check(is_busy(TSS_SELECTOR));
	check(!is_busy(selector));
}

static void note_busy_main(void)
{
	check(!is_busy(TSS_SELECTOR));
}

static void check_jmp(void)
{
	u32 ax = 0x11223344, di = 0x55667788;

	step("JMP to a task and back");
	make_task(&jumper, TASK_AND_BACK, 1, task_jumps);
	jumper.ax = 0x99aabbcc;
	on_visit = note_busy_main;
	clear_ts();
	asm volatile("ljmp %2, $0" : "+a"(ax), "+D"(di) : "i"(TASK_AND_BACK) : "memory", "cc");
	check_eq(ax, 0x11223344);
	check_eq(di, 0x55667788);
	check_eq(tss.ax, 0x11223344);
	check_eq(tss.ds, KERNEL_DS);
	check_back(TASK_AND_BACK, false);
}

static void check_call(void)
{
	step("CALL of a task, back by IRET");
	make_task(&task, TASK, 0, task_entry);
	clear_ts();
	expect_none("lcall %0, $0", "i"(TASK));
	check_back(TASK, true);
	check_eq(task.link, TSS_SELECTOR);
	check_eq(task.flags & EFLAGS_NT, 0);
	check_eq(task.ip, (ulong)task_return + 1);
	expect_none("lcall %0, $0", "i"(TASK));
	check_eq(visits, 2);
}

static void call_further(void)
{
	if (task_register() != TASK)
		return;
	check(is_busy(TSS_SELECTOR));
	asm volatile("lcall %0, $0" : : "i"(HANDLER) : "memory", "cc");
	check_eq(task_register(), TASK);
	check(is_busy(TASK));
}

static void check_nested(void)
{
	step("a task that calls a task");
	make_task(&handler, HANDLER, 2, task_entry);
	make_task(&task, TASK, 0, task_entry);
	on_visit = call_further;
	expect_none("lcall %0, $0", "i"(TASK));
	check_eq(visits, 2);
	check_eq(handler.link, TASK);
	check(!is_busy(HANDLER));
	check(!is_busy(TASK));
}

static void check_gates(void)
{
	step("task gates: CALL, JMP, INT n");
	make_task(&task, TASK, 0, task_entry);
	gdt[TRIED / 8] = (u64)TASK << 16 | 0x8500ULL << 32;
	expect_none("lcall %0, $0", "i"(TRIED));
	check_eq(visits, 1);
	trap_set_task_gate(VECTOR, TASK, 0);
	expect_none("int %0", "i"(VECTOR));
	check_eq(visits, 2);
	check_eq(seen_flags & EFLAGS_NT, EFLAGS_NT);
	make_task(&jumper, TASK_AND_BACK, 1, task_jumps);
	gdt[TRIED / 8] = (u64)TASK_AND_BACK << 16 | 0x8500ULL << 32;
	expect_none("ljmp %0, $0", "i"(TRIED));
	check_eq(visits, 1);
	trap_restore_gate(VECTOR);
}

static void check_16bit(void)
{
	step("a task of 16 bits: CALL, INT n");
	memset(&task16, 0, sizeof(task16));
	gdt[CODE16 / 8] = descriptor((ulong)task16_code, 0xffff, 0x49b);
	gdt[DATA16 / 8] = descriptor((ulong)stack16, 0xffff, 0x093);
	gdt[TASK16 / 8] = descriptor((ulong)&task16, sizeof(task16) - 1, 0x81);
	task16.flags = EFLAGS_FIXED;
	task16.ax = 0x1234;
	task16.sp = sizeof(stack16);
	task16.cs = CODE16;
	task16.ss = DATA16;
	task16.ds = KERNEL_DS;
	task16.es = KERNEL_DS;
	expect_none("lcall %0, $0", "i"(TASK16));
	check_eq(task16_visits, 1);
	check_eq(task16_sp & 0xffff, sizeof(stack16));
	check_eq(task16_ax & 0xffff, 0x1234);
	check_eq(task16_fs, 0);
	check_eq(task16.cx, sizeof(stack16));
	check_eq(task16.link, TSS_SELECTOR);
	trap_set_task_gate(VECTOR, TASK16, 0);
	expect_none("int %0", "i"(VECTOR));
	check_eq(task16_visits, 2);
	check(!is_busy(TASK16));
	trap_restore_gate(VECTOR);
}

/* ---------------------------------------------------------------------- exceptions */

static volatile u32 fault_ip, fault_flags;

/* The task that has faulted is ours: let it go on behind the instruction, of two bytes. */
static void skip_two(void)
{
	fault_ip = tss.ip;
	fault_flags = tss.flags;
	tss.ip += 2;
	tss.flags &= ~EFLAGS_RF;
}

#define expect_fault_task(insn, ...) do {				\
	ulong at_;							\
									\
	visits = 0;							\
	asm volatile("movl $1f, %0\n1:\t" insn				\
		     : "=m"(at_) : __VA_ARGS__ : "memory", "cc");	\
	check_eq(visits, 1);						\
	check_eq(fault_ip, at_);					\
} while (0)

static void check_exceptions(void)
{
	step("exceptions through task gates: #UD, #GP with an error code, #BP");
	make_task(&handler, HANDLER, 2, task_entry);
	on_visit = skip_two;
	trap_set_task_gate(TRAP_UD, HANDLER, 0);
	expect_fault_task("ud2", "i"(0));
	check_eq(fault_flags & EFLAGS_RF, EFLAGS_RF);
	trap_restore_gate(TRAP_UD);
	make_task(&handler, HANDLER, 2, task_with_code);
	on_visit = skip_two;
	trap_set_task_gate(TRAP_GP, HANDLER, 0);
	expect_fault_task("mov %w1, %%fs", "r"(BEYOND));
	check_eq(task_error_code, BEYOND);
}

/* #NP, of a gate that is not present, while #GP is delivered. */
static void check_double_fault(void)
{
	step("a double fault through a task gate");
	trap_restore_gate(TRAP_GP);
	trap_set_present(TRAP_GP, false);
	trap_set_present(TRAP_NP, false);
	trap_set_task_gate(TRAP_DF, HANDLER, 0);
	task_error_code = 1;
	expect_fault_task("mov %w1, %%fs", "r"(BEYOND));
	check_eq(task_error_code, 0);
	trap_set_present(TRAP_NP, true);
	trap_restore_gate(TRAP_GP);
	trap_restore_gate(TRAP_DF);
}

static void check_breakpoint(void)
{
	step("INT3 through a task gate: a trap");
	make_task(&task, TASK, 0, task_entry);
	trap_set_task_gate(TRAP_BP, TASK, 3);
	expect_none("int3");
	check_eq(visits, 1);
	trap_restore_gate(TRAP_BP);
}

/* -------------------------------------------------------------- interrupts and NMIs */

static void end_of_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

static void send_second_nmi(void)
{
	int i;

	if (visits != 1)
		return;
	apic_write(APIC_ICR, ICR_NMI);
	for (i = 0; i < 100; i++)
		inb(PORT_COM1 + 7);
	check_eq(visits, 1);
}

static void check_interrupts(void)
{
	if (!(cpuid(1, 0).edx & 1U << 9)) {
		skipped("no local APIC");
		return;
	}
	step("an interrupt through a task gate");
	make_task(&task, TASK, 0, task_entry);
	on_visit = end_of_interrupt;
	trap_set_task_gate(VECTOR, TASK, 0);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | 0xff);
	apic_write(APIC_ICR, ICR_SELF | VECTOR);
	asm volatile("sti; nop; nop; cli" : : : "memory");
	check_eq(visits, 1);
	check_eq(seen_flags & EFLAGS_IF, 0);
	trap_restore_gate(VECTOR);
	step("NMIs through a task gate: blocked until its IRET");
	make_task(&task, TASK, 0, task_entry);
	on_visit = send_second_nmi;
	trap_set_task_gate(TRAP_NMI, TASK, 0);
	apic_write(APIC_ICR, ICR_NMI);
	inb(PORT_COM1 + 7);
	check_eq(visits, 2);
	trap_restore_gate(TRAP_NMI);
}

/* ---------------------------------------------------------------- faults of the old task */

static void set_nt(bool on)
{
	ulong flags;

	asm volatile("pushf; pop %0" : "=r"(flags));
	flags = on ? flags | EFLAGS_NT : flags & ~EFLAGS_NT;
	asm volatile("push %0; popf" : : "r"(flags) : "cc");
}

#define expect_old_fault(vec, err) \
	expect_fault(vec, err, "lcall %0, $0", "i"(TASK))

static void check_old_faults(void)
{
	u64 good;

	step("faults before the switch: they are the old task's");
	make_task(&task, TASK, 0, task_entry);
	good = gdt[TASK / 8];
	gdt[TASK / 8] = good & ~(0x80ULL << 40);
	expect_old_fault(TRAP_NP, TASK);
	gdt[TASK / 8] = good | BUSY;
	expect_old_fault(TRAP_GP, TASK);
	gdt[TASK / 8] = (good & ~0xffffULL) | 102;
	expect_old_fault(TRAP_TS, TASK);
	gdt[TASK / 8] = good;
	trap_set_task_gate(VECTOR, BEYOND, 0);
	expect_fault(TRAP_GP, BEYOND, "int %0", "i"(VECTOR));
	trap_set_task_gate(VECTOR, TSS_SELECTOR, 0);
	expect_fault(TRAP_GP, TSS_SELECTOR, "int %0", "i"(VECTOR));
	/* A return to a task that nobody has called from. */
	tss.link = TASK;
	set_nt(true);
	expect_fault(TRAP_TS, TASK, "iret");
	set_nt(false);
}

/* -------------------------------------------------------------- ... and of the new task */

static volatile u32 new_ip, new_error, new_vector, new_tr;

/* Runs in the new task, on the stack that its TSS has for ring 0: back by the link. */
static bool on_new_fault(struct trap_frame *frame)
{
	new_vector = frame->vector;
	new_error = frame->error;
	new_ip = frame->ip;
	new_tr = task_register();
	frame->ip = (ulong)task_return;
	frame->cs = KERNEL_CS;
	frame->flags = EFLAGS_FIXED | EFLAGS_NT;
	return true;
}

static const struct {
	const char *what;
	u32 offset;			/* of a selector in the TSS */
	u32 selector;
	u32 access;			/* of the segment TRIED */
	u32 vector;
	u32 error;
} new_faults[] = {
	{ "LDT beyond the GDT", offsetof(struct tss32, ldt), BEYOND, 0, TRAP_TS, BEYOND },
	{ "LDT absent", offsetof(struct tss32, ldt), TRIED, 0x002, TRAP_TS, TRIED },
	{ "data as LDT", offsetof(struct tss32, ldt), TRIED, 0x093, TRAP_TS, TRIED },
	{ "CS null", offsetof(struct tss32, cs), 0, 0, TRAP_TS, 0 },
	{ "data as CS", offsetof(struct tss32, cs), TRIED, 0xc93, TRAP_TS, TRIED },
	{ "CS of another ring", offsetof(struct tss32, cs), USER_CS & ~3, 0, TRAP_TS,
	  USER_CS & ~3 },
	{ "CS absent", offsetof(struct tss32, cs), TRIED, 0xc1b, TRAP_NP, TRIED },
	{ "SS null", offsetof(struct tss32, ss), 0, 0, TRAP_TS, 0 },
	{ "SS read-only", offsetof(struct tss32, ss), TRIED, 0xc91, TRAP_TS, TRIED },
	{ "SS absent", offsetof(struct tss32, ss), TRIED, 0xc13, TRAP_SS, TRIED },
	{ "SS of another ring", offsetof(struct tss32, ss), USER_DS, 0, TRAP_TS, USER_DS & ~3 },
	{ "DS beyond the GDT", offsetof(struct tss32, ds), BEYOND, 0, TRAP_TS, BEYOND },
	{ "GS execute-only", offsetof(struct tss32, gs), TRIED, 0xc99, TRAP_TS, TRIED },
	{ "ES absent", offsetof(struct tss32, es), TRIED, 0xc13, TRAP_NP, TRIED },
};

static void check_new_faults(void)
{
	bool good;
	u32 i;

	step("faults of what the new task loads: they are its own");
	trap_hook(TRAP_TS, on_new_fault);
	trap_hook(TRAP_NP, on_new_fault);
	trap_hook(TRAP_SS, on_new_fault);
	for (i = 0; i < ARRAY_SIZE(new_faults); i++) {
		make_task(&task, TASK, 0, task_entry);
		gdt[TRIED / 8] = descriptor(0, 0xfffff, new_faults[i].access);
		*(u32 *)((u8 *)&task + new_faults[i].offset) = new_faults[i].selector;
		new_vector = TRAP_NONE;
		asm volatile("lcall %0, $0" : : "i"(TASK) : "memory", "cc");
		/* All four, whatever the first ones say. */
		good = check_eq(new_vector, new_faults[i].vector);
		good &= check_eq(new_error, new_faults[i].error);
		good &= check_eq(new_ip, (ulong)task_entry);
		good &= check_eq(new_tr, TASK);
		if (!good)
			print("  %s\n", new_faults[i].what);
		check_eq(visits, 0);
	}
	trap_hook(TRAP_TS, NULL);
	trap_hook(TRAP_NP, NULL);
	trap_hook(TRAP_SS, NULL);
}

/* ------------------------------------------------------------------------ all the rest */

static volatile u32 v86_flags, v86_cs;

static bool leave_v86(struct trap_frame *frame)
{
	v86_flags = frame->flags;
	v86_cs = frame->cs;
	return on_new_fault(frame);
}

static void check_v86(void)
{
	step("a task in virtual-8086 mode");
	memcpy((void *)(V86_SEGMENT << 4), task_v86_code, task_v86_code_end - task_v86_code);
	make_task(&task, TASK, 0, NULL);
	task.flags |= EFLAGS_VM;
	task.cs = V86_SEGMENT;
	task.ds = V86_DATA;
	*(volatile u16 *)(V86_DATA << 4) = 0;
	trap_hook(TRAP_UD, leave_v86);
	expect_none("lcall %0, $0", "i"(TASK));
	check_eq(v86_flags & EFLAGS_VM, EFLAGS_VM);
	check_eq(v86_cs, V86_SEGMENT);
	check_eq(*(volatile u16 *)(V86_DATA << 4), V86_DATA);
	trap_hook(TRAP_UD, NULL);
}

static volatile ulong db_ip, db_dr6, db_count;

static bool on_debug(struct trap_frame *frame)
{
	db_ip = frame->ip;
	asm volatile("mov %%dr6, %0" : "=r"(db_dr6));
	db_count++;
	return true;
}

static void check_debug(void)
{
	ulong dr7;

	step("the debug trap of a TSS; DR7's local bits");
	make_task(&task, TASK, 0, task_entry);
	task.trap = 1;
	trap_hook(TRAP_DB, on_debug);
	asm volatile("mov %0, %%dr7" : : "r"(0x703UL));
	expect_none("lcall %0, $0", "i"(TASK));
	asm volatile("mov %%dr7, %0" : "=r"(dr7));
	check_eq(dr7, 0x602);
	check_eq(db_count, 1);
	check_eq(db_ip, (ulong)task_entry);
	check_eq(db_dr6 & DR6_BT, DR6_BT);
	check_eq(visits, 1);
	asm volatile("mov %0, %%dr7" : : "r"(0x400UL));
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0UL));
	trap_hook(TRAP_DB, NULL);
}

static volatile u32 seen_page;

static void look_at_page(void)
{
	seen_page = *(volatile u32 *)NEAR_4M;
}

static void build_tables(void)
{
	u32 n, i;

	for (n = 0; n < 2; n++) {
		for (i = 0; i < 1024; i++)
			directories[n][i] = i << 22 | PTE_PS | PTE_W | PTE_P;
		directories[n][NEAR_4M >> 22] = (ulong)table[n] | PTE_W | PTE_P;
		table[n][0] = (ulong)pages[n] | PTE_W | PTE_P;
		pages[n][0] = 0x1111 + n;
	}
}

static void check_paging(void)
{
	step("a task with page tables of its own; a TSS that is not there");
	build_tables();
	write_cr4(read_cr4() | CR4_PSE);
	write_cr3((ulong)directories[0]);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
	make_task(&task, TASK, 0, task_entry);
	tss.cr3 = (ulong)directories[0];
	task.cr3 = (ulong)directories[1];
	on_visit = look_at_page;
	expect_none("lcall %0, $0", "i"(TASK));
	check_eq(seen_page, 0x1112);
	look_at_page();
	check_eq(seen_page, 0x1111);
	gdt[TASK / 8] = descriptor(NEAR_4M + 8192, sizeof(task) - 1, 0x89);
	expect_fault(TRAP_PF, 0, "lcall %0, $0", "i"(TASK));
	check_eq(last_trap.cr2, NEAR_4M + 8192);
	check(!is_busy(TASK));
	write_cr0(read_cr0() & ~CR0_PG);
}

GUEST("task")
{
	check_jmp();
	check_call();
	check_nested();
	check_gates();
	check_16bit();
	check_exceptions();
	check_double_fault();
	check_breakpoint();
	check_interrupts();
	check_old_faults();
	check_new_faults();
	check_v86();
	check_debug();
	check_paging();
}
