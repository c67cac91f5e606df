// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory_large [GIB]: a large slot, sparsely mapped, is taken away. What else changes in the
 * process's memory meanwhile waits for the same lock, and not for long: time in which the host has
 * given the CPU to others does not count.
 *
 * Each 2 MiB that are touched cost a page of the process's page tables and one of EPT: 16 GiB
 * (the default) 64 MiB, 64 GiB 256 MiB.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "lib.h"

#define GPA		(4 * GIB)
#define SMALL_GPA	0xc0000000UL
#define STEP		(2 * MIB)
#define TABLES_KIB	"/sys/module/tinyvmx/parameters/user_tables_kib"

static volatile u64 first, last;

static void reads(void)
{
	for (u64 i = first; i < last; i++)
		guest_is(*(volatile u64 *)(GPA + i * STEP), 0);
}

static void guest_reads(struct vcpu *vcpu, u64 from, u64 to)
{
	G(vcpu->vm, first) = from;
	G(vcpu->vm, last) = to;
	vcpu_call(vcpu, reads, 0);
}

/* Translate what is behind 4 GiB by pages of 1 GiB. */
static void map_linear(struct vm *vm)
{
	u64 *pdpt = (u64 *)(vm->ram + GUEST_PT_GPA + PAGE);

	for (u64 i = 4; i < 512; i++)
		pdpt[i] = i << 30 | 0xe7;
}

static bool has_large_pages(void)
{
	u32 regs[4];

	cpuid(0x80000001, 0, regs);
	return regs[3] >> 26 & 1;
}

/* Does something all the time that takes the lock, and notes how long that takes at most. */
struct watcher {
	pthread_t thread;
	void (*probe)(struct watcher *watcher);
	int vm_fd;
	u8 *page;
	volatile bool stop;
	int schedstat;		/* of its thread; -1: this kernel has none */
	u64 start, delay;	/* of what is timed now */
	volatile u64 rounds;
	volatile u64 longest;	/* TSC ticks */
	volatile u64 preempted;	/* the most that was taken off, ticks */
};

/* Ticks for which the watcher was ready to run and another one had its CPU. */
static u64 run_delay(const struct watcher *watcher)
{
	unsigned long ns = 0;
	char text[80] = "";

	if (pread(watcher->schedstat, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "%*u %lu", &ns);
	return ns / 1000 * ms_to_tsc(1) / 1000;
}

static void begin(struct watcher *watcher)
{
	watcher->delay = run_delay(watcher);
	watcher->start = rdtsc();
}

static void end(struct watcher *watcher)
{
	u64 ticks = rdtsc() - watcher->start, delay = run_delay(watcher) - watcher->delay;

	ticks -= MIN(ticks, delay);
	watcher->longest = MAX(watcher->longest, ticks);
	watcher->preempted = MAX(watcher->preempted, delay);
	watcher->rounds++;
}

/* Another slot comes: that has nothing to do with the process's memory. */
static void probe_slot(struct watcher *watcher)
{
	must(set_memory(watcher->vm_fd, 2, 0, 0, 0, NULL));
	begin(watcher);
	must(set_memory(watcher->vm_fd, 2, 0, SMALL_GPA, PAGE, watcher->page));
	end(watcher);
}

/* Another slot's page goes: slots do not change meanwhile. */
static void probe_page(struct watcher *watcher)
{
	begin(watcher);
	must(madvise(watcher->page, PAGE, MADV_DONTNEED));
	end(watcher);
}

static void *watches(void *arg)
{
	struct watcher *watcher = arg;

	run_on_cpu(1);
	watcher->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	while (!watcher->stop)
		watcher->probe(watcher);
	close(watcher->schedstat);
	return NULL;
}

static void watcher_start(struct watcher *watcher, void (*probe)(struct watcher *watcher))
{
	watcher->probe = probe;
	watcher->stop = false;
	if (pthread_create(&watcher->thread, NULL, watches, watcher))
		bail("pthread_create: %m");
}

static void watcher_stop(struct watcher *watcher)
{
	watcher->stop = true;
	pthread_join(watcher->thread, NULL);
}

/* The longest wait since the last call. */
static u64 take_longest(struct watcher *watcher)
{
	u64 longest;

	/* One that has begun before the end. */
	wait_change(&watcher->rounds, watcher->rounds);
	longest = watcher->longest;
	watcher->longest = 0;
	return longest;
}

#define INSTRUCTIONS	200000UL

/* Where an emulator's CPUs share its ticks an instruction takes as many as there are CPUs. */
static u64 ticks_per_instruction(void)
{
	u64 least = ~0UL;

	for (u32 i = 0; i < 3; i++) {
		u64 n = INSTRUCTIONS / 2, start = rdtsc();

		__asm__ volatile("1: dec %0; jnz 1b" : "+r"(n) : : "cc");
		least = MIN(least, rdtsc() - start);
	}
	return (least + INSTRUCTIONS / 2) / INSTRUCTIONS;
}

/* A millisecond; with more than two CPUs in an emulator as much longer as an instruction takes. */
static u64 patience(void)
{
	return ms_to_tsc(1) * MAX(ticks_per_instruction(), 2) / 2;
}

/* How long others wait at most while @take does its work: ticks, and what that is without it. */
static void watch(struct vcpu *vcpu, void (*probe)(struct watcher *watcher),
		  void (*take)(struct vcpu *vcpu), const char *what)
{
	struct watcher watcher = { .vm_fd = vcpu->vm->fd };
	u64 quiet, busy;

	if (online_cpus() < 2) {
		take(vcpu);
		skip("one CPU: nobody waits", "%s", what);
		return;
	}
	watcher.page = map_anon(PAGE);
	must(set_memory(vcpu->vm->fd, 2, 0, SMALL_GPA, PAGE, watcher.page));
	watcher_start(&watcher, probe);
	take_longest(&watcher);
	sleep_us(20000);
	quiet = take_longest(&watcher);
	take(vcpu);
	busy = take_longest(&watcher);
	watcher_stop(&watcher);
	ok(busy < quiet + patience(), "%s: others wait %lu ticks at most, else %lu", what, busy,
	   quiet);
	diag("up to %lu more when others of the host had that CPU", watcher.preempted);
	must(set_memory(vcpu->vm->fd, 2, 0, 0, 0, NULL));
	munmap(watcher.page, PAGE);
}

static u8 *ram;
static u64 half;	/* of its bytes */

static void drop_half(struct vcpu *vcpu)
{
	(void)vcpu;
	must(madvise(ram, half, MADV_DONTNEED));
}

static void delete_slot(struct vcpu *vcpu)
{
	must(set_memory(vcpu->vm->fd, 1, 0, 0, 0, NULL));
}

static void test_large(u64 gib)
{
	struct vcpu *vcpu = vcpu_simple(reads);
	u64 steps;

	half = gib * GIB / 2;
	steps = half / STEP;
	ram = map_anon(2 * half);
	map_linear(vcpu->vm);
	use_small_pages(ram, 2 * half);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, 2 * half, ram));
	guest_reads(vcpu, 0, 2 * steps);
	ok_done(vcpu, "the guest reads %lu pages in %lu GiB", 2 * steps, gib);
	watch(vcpu, probe_slot, drop_half, "MADV_DONTNEED of half of it");
	guest_reads(vcpu, steps - 2, steps + 2);
	ok_done(vcpu, "the guest reads on both sides of the border");
	watch(vcpu, probe_page, delete_slot, "the slot is deleted");
	guest_reads(vcpu, 2 * steps - 1, 2 * steps);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "nothing is left of it");
	vcpu_simple_destroy(vcpu);
	munmap(ram, 2 * half);
}

int main(int argc, char **argv)
{
	long bound = read_long(TABLES_KIB);
	char text[24];

	tap_init();
	info();
	if (!has_large_pages())
		skip_all("the CPU has no pages of 1 GiB to reach a large slot by");
	write_text(TABLES_KIB, "1000000");
	run_on_cpu(0);
	test_large(argc > 1 ? strtoul(argv[1], NULL, 0) : 16);
	snprintf(text, sizeof(text), "%ld", bound);
	if (bound >= 0)
		write_text(TABLES_KIB, text);
	return tap_exit();
}
