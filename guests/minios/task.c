// SPDX-License-Identifier: GPL-2.0-only
/* Tasks: who runs, who waits, and how they come and go. Task 0 is the idle one. */
#include "kernel.h"

#define TASKS	32

enum state { UNUSED, READY, SLEEPING, WAITING, ZOMBIE };

static const char * const state_names[] = {
	"unused", "ready", "sleep", "wait", "zombie",
};

struct task {
	enum state state;
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
static struct task *current = &tasks[0];
static long next_id = 1;

static void set_name(struct task *task, const char *name)
{
	size_t n = strlen(name);

	if (n > sizeof(task->name) - 1)
		n = sizeof(task->name) - 1;
	memset(task->name, 0, sizeof(task->name));
	memcpy(task->name, name, n);
}

/* The next ready one in turn; the idle task if there is none. */
static struct task *pick(void)
{
	long i, at = current - tasks;

	for (i = 1; i <= TASKS; i++) {
		struct task *task = &tasks[(at + i) % TASKS];

		if (task != &tasks[0] && task->state == READY)
			return task;
	}
	return &tasks[0];
}

static void schedule(void)
{
	struct task *from = current, *to = pick();
	u64 now = clock_us();

	if (to == from)
		return;
	from->busy_us += now - from->since_us;
	to->since_us = now;
	current = to;
	space_load(to->space);
	if (to->stack)
		cpu_set_kernel_stack((u64)to->stack + KERNEL_STACK);
	switch_stacks(&from->sp, to->sp);
}

void task_yield(void)
{
	schedule();
}

void task_sleep(u64 us)
{
	current->state = SLEEPING;
	current->wake_us = clock_us() + us;
	schedule();
}

static void wake_sleepers(void)
{
	u64 now = clock_us();
	int i;

	for (i = 0; i < TASKS; i++) {
		if (tasks[i].state == SLEEPING && tasks[i].wake_us <= now)
			tasks[i].state = READY;
	}
}

void task_tick(void)
{
	apic_timer_arm(TICK_US);
	console_poll();
	wake_sleepers();
	schedule();
}

void task_init(void)
{
	set_name(current, "idle");
	current->state = READY;
	current->parent = 0;
	current->since_us = clock_us();
}

/* Never HLT: a spinning guest must get its timer interrupts on time as well. */
__noreturn void task_idle(void)
{
	apic_timer_arm(TICK_US);
	asm volatile("sti");
	for (;;)
		cpu_pause();
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
		task->parent = current->id;
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
	first->ret = (u64)trap_return;
	first->frame = *frame;
	task->sp = (u64)first;
	task->state = READY;
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
	struct task *child = task_alloc(current->name);
	struct frame copy = *frame;

	if (!child)
		return -1;
	child->space = space_copy(current->space);
	if (!child->space)
		return -1;	/* the slot is still UNUSED */
	copy.ax = 0;
	task_ready(child, &copy);
	return child->id;
}

/* The caller's frame becomes the new program's: SYSRET goes to its first instruction. */
long task_exec(struct frame *frame, const char *program)
{
	u64 *old = current->space;
	struct frame fresh;
	u64 *space = load_program(program, &fresh);

	if (!space)
		return -1;
	current->space = space;
	space_load(space);
	space_destroy(old);
	set_name(current, program);
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
		if (tasks[i].state != UNUSED && tasks[i].parent == current->id)
			tasks[i].parent = 1;
	}
}

__noreturn void task_exit(long status)
{
	struct task *parent = find_task(current->parent);

	if (current->id == 1)
		power_off();
	give_away_children();
	current->status = status;
	current->state = ZOMBIE;
	if (parent && parent->state == WAITING)
		parent->state = READY;
	schedule();
	panic("a dead task runs");
}

/* Its stack is free again as well: it is not the one we stand on. */
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

			if (child->state == UNUSED || child->parent != current->id)
				continue;
			if (child->state == ZOMBIE)
				return reap(child, status);
			any = true;
		}
		if (!any)
			return -1;
		current->state = WAITING;
		schedule();
	}
}

long task_id(void)
{
	return current->id;
}

const char *task_name(void)
{
	return current->name;
}

u64 *task_space(void)
{
	return current->space;
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
