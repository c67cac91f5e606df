// SPDX-License-Identifier: GPL-2.0-only
/* Several CPUs: their start, what is each one's own, and work for them. */
#include "smp.h"

#define STACK_BYTES	8192UL
#define IDT_LIMIT	(256 * 16 - 1)
#define PORT_PIC1_MASK	0x21
#define PORT_PIC2_MASK	0xa1

struct cpu cpus[CPUS_MAX];
u32 nr_cpus;
bool x2apic;
void (*volatile smp_at_start)(struct cpu *cpu);

extern char image_end[];
extern struct { u16 limit; u64 base; } __packed gdt_pointer;

__noreturn void smp_waited_in_vain(const char *condition)
{
	print("CPU %u waits in vain: %s\n", this_cpu()->index, condition);
	print("FAIL %s\n", guest_name);
	guest_exit(VERDICT_FAIL);
}

__noreturn void lock_stuck(const struct lock *lock)
{
	print("a lock: the one with ticket %u never releases it; the next is %u\n",
	      lock_serving(lock), lock->next);
	smp_waited_in_vain("lock_acquire()");
}

/* ---------------------------------------------------------- one's own CPU */

static void enable_apic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_ENABLE | (x2apic ? BASE_X2APIC : 0));
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
}

static void adopt(struct cpu *cpu)
{
	cpu->self = cpu;
	wrmsr(MSR_GS_BASE, (ulong)cpu);
	if (smp_at_start)
		smp_at_start(cpu);
	enable_apic();
}

/* Between the look and HLT nobody wakes it in vain: STI takes effect behind the HLT. */
static __noreturn void idle(struct cpu *cpu)
{
	for (;;) {
		if (!cpu->work) {
			asm volatile("sti; hlt; cli" : : : "memory");
			continue;
		}
		cpu->work(cpu->argument);
		cpu->work = NULL;
	}
}

static struct cpu *find(u32 id)
{
	struct cpu *cpu;

	for_each_cpu(cpu)
		if (cpu->apic_id == id)
			return cpu;
	return NULL;
}

/*
 * GDT and IDT are everybody's. There is no TSS: others than the BSP have no ring 3, and a
 * double fault of theirs is a triple fault.
 */
__noreturn void ap_main(u32 id)
{
	struct cpu *cpu = find(id);

	asm volatile("lgdt %0" : : "m"(gdt_pointer));
	trap_load_idt(IDT_LIMIT);
	adopt(cpu);
	cpu->alive = true;
	idle(cpu);
}

/* ------------------------------------------------------------------ start */

static bool on_wake(struct trap_frame *frame)
{
	(void)frame;
	apic_write(APIC_EOI, 0);
	return true;
}

static bool on_spurious(struct trap_frame *frame)
{
	(void)frame;
	return true;
}

static void add(u32 id)
{
	struct cpu *cpu = &cpus[nr_cpus];

	cpu->index = nr_cpus;
	cpu->apic_id = id;
	nr_cpus++;
	/* Behind the image, which would be large otherwise. */
	ap_set_stack(id, (void *)(((ulong)image_end & -16UL) + nr_cpus * STACK_BYTES));
}

static void init(const u32 ids[], u32 count)
{
	u32 i;

	outb(PORT_PIC1_MASK, 0xff);
	outb(PORT_PIC2_MASK, 0xff);
	trap_hook(SMP_WAKE_VECTOR, on_wake);
	trap_hook(SPURIOUS_VECTOR, on_spurious);
	add(cpuid(1, 0).ebx >> 24);
	for (i = 0; i < count; i++)
		if (ids[i] != cpus[0].apic_id)
			add(ids[i]);
	require(!count || nr_cpus == count);
	adopt(&cpus[0]);
	ap_prepare();
}

static u32 find_all(u32 ids[])
{
	return cpus_by_madt(ids) ?: cpus_by_mp_table(ids);
}

void smp_init_any(void)
{
	u32 ids[CPUS_MAX];

	init(ids, find_all(ids));
}

void smp_init(void)
{
	u32 ids[CPUS_MAX], count = find_all(ids);

	if (count < 2)
		skip_guest("one CPU; give it more by --cpus");
	init(ids, count);
}

bool smp_start(struct cpu *cpu)
{
	cpu->alive = false;
	cpu->work = NULL;
	ap_start(cpu->apic_id);
	return wait_until(cpu->alive);
}

void smp_start_all(void)
{
	struct cpu *cpu;

	for_each_other(cpu) {
		if (smp_start(cpu))
			continue;
		print("CPU %u, APIC id %u, does not come\n", cpu->index, cpu->apic_id);
		require(cpu->alive);
	}
}

bool smp_switch_to_x2apic(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_X2APIC))
		return false;
	x2apic = true;
	enable_apic();
	smp_start_all();
	return true;
}

/* ------------------------------------------------------------------- work */

void smp_run(struct cpu *cpu, void (*work)(void *), void *argument)
{
	cpu->argument = argument;
	cpu->work = work;
	apic_send(cpu->apic_id, SMP_WAKE_VECTOR);
}

void smp_join(struct cpu *cpu)
{
	if (wait_open(!cpu->work))
		return;
	print("CPU %u, APIC id %u, does not come to an end\n", cpu->index, cpu->apic_id);
	require(!cpu->work);
}

void smp_run_all(void (*work)(void *), void *argument)
{
	struct cpu *cpu;

	for_each_other(cpu)
		smp_run(cpu, work, argument);
	work(argument);
	for_each_other(cpu)
		smp_join(cpu);
}

static bool on_counted(struct trap_frame *frame)
{
	this_cpu()->taken[frame->vector]++;
	if (frame->vector != TRAP_NMI)
		apic_write(APIC_EOI, 0);
	return true;
}

void smp_count(u8 vector)
{
	trap_hook(vector, on_counted);
}

void smp_forget_counts(void)
{
	struct cpu *cpu;

	for_each_cpu(cpu)
		memset((void *)cpu->taken, 0, sizeof(cpu->taken));
}
