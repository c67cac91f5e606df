// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several CPUs: their start, the lock around the kernel, and the interrupts that they send each
 * other. Each runs tasks of its own choice from the one list of task.c.
 */
#include "kernel.h"
#include "../lib/ap.h"
#include "../lib/cpus.h"
#include "../lib/lock.h"

#define PATIENCE_US	1000000

static struct cpu *cpus[CPUS];
static u32 count = 1;
static struct lock kernel_lock;

u32 smp_count(void)
{
	return count;
}

struct cpu *smp_cpu(u32 index)
{
	return cpus[index];
}

/* ------------------------------------------------------- one at a time */

/*
 * Not first come, first served: the next in turn may be a CPU of a VM whose thread does not run
 * just now, and all others would wait for the host to have it run again, each time. Whoever is in
 * the kernel may be waiting for us to let go of an address space.
 */
void kernel_enter(void)
{
	while (!lock_try(&kernel_lock)) {
		smp_answer();
		cpu_pause();
	}
}

void kernel_leave(void)
{
	lock_release(&kernel_lock);
}

/* ----------------------------------------------------- address spaces */

void smp_answer(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->flush)
		return;
	space_load(NULL);
	cpu->info.flushes++;
	cpu->flush = false;
}

/*
 * A CPU that has it in CR3 without need is idle, or waits in kernel_enter(): what it holds in
 * its TLB leads to pages that will soon be somebody else's. (TLB shootdown) Ask all of them, then
 * wait: each answers with interrupts on, or in kernel_enter(), so that none can be waiting for us.
 */
void smp_forget_space(const u64 *space)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (cpus[i]->space != space)
			continue;
		cpus[i]->flush = true;
		if (cpus[i] != this_cpu())
			apic_interrupt(cpus[i], FLUSH_VECTOR);
	}
	smp_answer();
	for (i = 0; i < count; i++) {
		while (cpus[i]->flush)
			cpu_pause();
	}
}

/* --------------------------------------------------------------- start */

static struct cpu *find_cpu(u32 apic_id)
{
	u32 i;

	for (i = 1; i < count; i++)
		if (cpus[i]->apic_id == apic_id)
			return cpus[i];
	panic("APIC id %u: who is that?", apic_id);
}

/* Its idle task has the stack that it has come with. */
__noreturn void ap_main(u32 apic_id)
{
	struct cpu *cpu = find_cpu(apic_id);

	cpu_adopt(cpu, (void *)cpu->tss.ist[0]);
	apic_init_cpu();
	cpu->up = true;
	kernel_enter();
	space_load(NULL);
	task_init();
	task_idle();
}

static void *must_alloc(void)
{
	void *page = page_alloc();

	if (!page)
		panic("no memory for a CPU");
	return page;
}

/* A page each for what it has to itself, for its stack and for double faults. */
static void start(u32 apic_id)
{
	struct cpu *cpu = must_alloc();
	u64 deadline = clock_us() + PATIENCE_US;

	cpu->index = count;
	cpu->apic_id = apic_id;
	cpu->tss.ist[0] = (u64)must_alloc() + PAGE;
	ap_set_stack(apic_id, (u8 *)must_alloc() + PAGE);
	cpus[count++] = cpu;
	ap_start(apic_id);
	while (!cpu->up && clock_us() < deadline)
		cpu_pause();
	if (!cpu->up)
		panic("the CPU with APIC id %u does not start", apic_id);
}

void smp_init(void)
{
	u32 ids[CPUS_MAX], found = cpus_by_madt(ids), i;

	cpus[0] = this_cpu();
	if (!found)
		found = cpus_by_mp_table(ids);
	if (found < 2)
		return;
	ap_prepare();
	for (i = 0; i < found && count < CPUS; i++)
		if (ids[i] != cpus[0]->apic_id)
			start(ids[i]);
	print("cpus: %u of %u are up\n", count, found);
}
