// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks: who runs, who waits, and how they come and go. Task 0 is the first CPU's idle one;
 * the other CPUs have theirs aside.
 */
#include "kernel.h"

#define TASKS	32

enum state { UNUSED, READY, SLEEPING, WAITING, ZOMBIE };

static const char * const state_names[] = {
	"unused", "ready", "sleep", "wait", "zombie",
};

struct task {
	enum state state;
	bool running;		/* on a CPU: not for another one to pick */
	long id, parent, status;
	char name[16];
	u64 *space;		/* NULL: the kernel's */
	u8 *stack;		/* KERNEL_STACK bytes; NULL: the idle task has what we booted on */
	u64 sp;			/* while another one runs */
	u64 wake_us;		/* SLEEPING */
	u64 busy_us, since_us;
};

/* What switch_stacks() pops when a task runs for the first time. */
struct first_switch {
	u64 registers[6];
	u64 ret;
	struct frame frame;
};

static struct task tasks[TASKS];
/* page_alloc() promises no two pages in a row: stacks have their own pool. */
static u8 stacks[TASKS][KERNEL_STACK] __aligned(16);
static struct task idle_tasks[CPUS];	/* of CPU 1 and up */
static long next_id = 1;

static struct task *current(void)
{
	return this_cpu()->current;
}

static void set_name(struct task *task, const char *name)
{
	size_t n = strlen(name);

	if (n > sizeof(task->name) - 1)
		n = sizeof(task->name) - 1;
	memset(task->name, 0, sizeof(task->name));
	memcpy(task->name, name, n);
}

/* The next ready one in turn, which may be the one that runs; the idle task if there is none. */
static struct task *pick(const struct cpu *cpu)
{
	long i, at = cpu->current == cpu->idle ? 0 : cpu->current - tasks;

	for (i = 1; i <= TASKS; i++) {
		struct task *task = &tasks[(at + i) % TASKS];

		if (task != &tasks[0] && task->state == READY &&
		    (!task->running || task == cpu->current))
			return task;
	}
	return cpu->idle;
}

/*
 * An idle task needs no address space: it keeps the one that is there, which is loaded already
 * should the same task go on. Whoever destroys one asks idle CPUs to let go of it.
 */
static void schedule(void)
{
	struct cpu *cpu = this_cpu();
	struct task *from = cpu->current, *to = pick(cpu);
	u64 now = clock_us();

	cpu->called = false;
	if (to == from)
		return;
	if (from == cpu->idle && cpu->index)
		apic_timer_arm(TICK_US);
	from->busy_us += now - from->since_us;
	to->since_us = now;
	from->running = false;
	to->running = true;
	cpu->current = to;
	cpu->info.switches += to != cpu->idle;
	if (to->space && to->space != cpu->space)
		space_load(to->space);
	if (to->stack)
		cpu_set_kernel_stack((u64)to->stack + KERNEL_STACK);
	switch_stacks(&from->sp, to->sp);
}

/*
 * A CPU that has no task looks for one, if there is such a CPU: another one for each task, lest
 * the second wait. Should it be the caller's own, it does so before it leaves the kernel.
 */
static void call_idle_cpu(void)
{
	u32 i;

	for (i = 0; i < smp_count(); i++) {
		struct cpu *cpu = smp_cpu(i);

		if (cpu->current != cpu->idle || cpu->called)
			continue;
		cpu->called = true;
		if (cpu != this_cpu())
			apic_interrupt(cpu, RESCHEDULE_VECTOR);
		return;
	}
}

static void make_ready(struct task *task)
{
	task->state = READY;
	call_idle_cpu();
}

void task_yield(void)
{
	schedule();
}

void task_sleep(u64 us)
{
	current()->state = SLEEPING;
	current()->wake_us = clock_us() + us;
	schedule();
}

static void wake_sleepers(void)
{
	u64 now = clock_us();
	int i;

	for (i = 0; i < TASKS; i++) {
		if (tasks[i].state == SLEEPING && tasks[i].wake_us <= now)
			make_ready(&tasks[i]);
	}
}

/* The first CPU ticks always, for those that sleep and for the console; others with a task. */
void task_tick(void)
{
	const struct cpu *cpu = this_cpu();

	if (!cpu->index || cpu->current != cpu->idle)
		apic_timer_arm(TICK_US);
	console_poll();
	wake_sleepers();
	schedule();
}

void task_init(void)
{
	struct cpu *cpu = this_cpu();
	struct task *idle = cpu->index ? &idle_tasks[cpu->index] : &tasks[0];

	set_name(idle, "idle");
	idle->state = READY;
	idle->running = true;
	idle->since_us = clock_us();
	cpu->idle = idle;
	cpu->current = idle;
}

/*
 * What makes a task ready for this CPU is an interrupt, whose handler switches to it: so nothing is
 * looked at here, between STI and HLT, that could come too late.
 */
__noreturn void task_idle(void)
{
	if (!this_cpu()->index)
		apic_timer_arm(TICK_US);
	schedule();
	kernel_leave();
	asm volatile("sti");
	for (;;)
		asm volatile("hlt");
}

static struct task *task_alloc(const char *name)
{
	int i;

	for (i = 1; i < TASKS; i++) {
		struct task *task = &tasks[i];

		if (task->state != UNUSED)
			continue;
		memset(task, 0, sizeof(*task));
		task->id = next_id++;
		task->parent = current()->id;
		task->stack = stacks[i];
		set_name(task, name);
		return task;
	}
	return NULL;
}

/* Ready to return to its program with the registers of @frame. */
static void task_ready(struct task *task, const struct frame *frame)
{
	u64 top = (u64)task->stack + KERNEL_STACK;
	struct first_switch *first = (struct first_switch *)(top - sizeof(*first));

	memset(first, 0, sizeof(*first));
	first->ret = (u64)task_begin;
	first->frame = *frame;
	task->sp = (u64)first;
	make_ready(task);
}

static bool map_stack(u64 *space)
{
	u64 va;

	for (va = USER_END - USER_STACK; va < USER_END; va += PAGE) {
		if (!space_map(space, va, MAP_WRITE))
			return false;
	}
	return true;
}

/* An address space with @program in it, and the registers it starts with. */
static u64 *load_program(const char *program, struct frame *frame)
{
	const void *elf = program_find(program);
	u64 *space = elf ? space_create() : NULL;

	if (!space)
		return NULL;
	memset(frame, 0, sizeof(*frame));
	if (!program_load(space, elf, &frame->ip) || !map_stack(space)) {
		space_destroy(space);
		return NULL;
	}
	frame->cs = USER_CS;
	frame->ss = USER_DS;
	frame->sp = USER_END - 8;	/* as behind a CALL */
	frame->flags = EFLAGS_FIXED | EFLAGS_IF;
	return space;
}

void task_create(const char *program)
{
	struct task *task = task_alloc(program);
	struct frame frame;

	task->space = load_program(program, &frame);
	if (!task->space)
		panic("cannot load %s", program);
	task_ready(task, &frame);
}

long task_fork(const struct frame *frame)
{
	struct task *child = task_alloc(current()->name);
	struct frame copy = *frame;

	if (!child)
		return -1;
	child->space = space_copy(current()->space);
	if (!child->space)
		return -1;	/* the slot is still UNUSED */
	copy.ax = 0;
	task_ready(child, &copy);
	return child->id;
}

/* The caller's frame becomes the new program's: SYSRET goes to its first instruction. */
long task_exec(struct frame *frame, const char *program)
{
	u64 *old = current()->space;
	struct frame fresh;
	u64 *space = load_program(program, &fresh);

	if (!space)
		return -1;
	current()->space = space;
	space_load(space);
	space_destroy(old);
	set_name(current(), program);
	*frame = fresh;
	return 0;
}

static struct task *find_task(long id)
{
	int i;

	for (i = 0; i < TASKS; i++) {
		if (tasks[i].state != UNUSED && tasks[i].id == id)
			return &tasks[i];
	}
	return NULL;
}

/* Children of the dead go to the first task, whose own end is the end of all. */
static void give_away_children(void)
{
	int i;

	for (i = 0; i < TASKS; i++) {
		if (tasks[i].state != UNUSED && tasks[i].parent == current()->id)
			tasks[i].parent = 1;
	}
}

__noreturn void task_exit(long status)
{
	struct task *task = current(), *parent = find_task(task->parent);

	if (task->id == 1)
		power_off();
	give_away_children();
	task->status = status;
	task->state = ZOMBIE;
	if (parent && parent->state == WAITING)
		make_ready(parent);
	schedule();
	panic("a dead task runs");
}

/* Its stack is free again as well: nobody stands on it, once its CPU has left the kernel. */
static long reap(struct task *child, long *status)
{
	*status = child->status;
	space_destroy(child->space);
	child->state = UNUSED;
	return child->id;
}

long task_wait(long *status)
{
	for (;;) {
		bool any = false;
		int i;

		for (i = 0; i < TASKS; i++) {
			struct task *child = &tasks[i];

			if (child->state == UNUSED || child->parent != current()->id)
				continue;
			if (child->state == ZOMBIE)
				return reap(child, status);
			any = true;
		}
		if (!any)
			return -1;
		current()->state = WAITING;
		schedule();
	}
}

long task_id(void)
{
	return current()->id;
}

const char *task_name(void)
{
	return current()->name;
}

u64 *task_space(void)
{
	return current()->space;
}

bool task_info(u64 index, struct task_info *info)
{
	u64 i;

	for (i = 0; i < TASKS; i++) {
		const struct task *task = &tasks[i];

		if (task->state == UNUSED || index--)
			continue;
		memset(info, 0, sizeof(*info));
		info->id = task->id;
		info->parent = task->parent;
		info->busy_us = task->busy_us;
		memcpy(info->state, state_names[task->state],
		       strlen(state_names[task->state]));
		memcpy(info->name, task->name, sizeof(info->name));
		return true;
	}
	return false;
}
