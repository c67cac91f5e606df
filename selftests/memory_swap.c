// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest RAM that is swapped out and comes back; reclaim, which sees what the guest uses; a
 * memory cgroup that has no more.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "cgroup.h"

#define GPA	0x80000000UL
#define PAGES	4096UL		/* 16 MiB */
#define HOT(i)	((i) % 4 == 0)	/* that the guest goes on using */

static volatile u64 rounds;

static u64 word(u64 page)
{
	return page * 0x9e3779b97f4a7c15UL + 1;
}

static volatile u64 *at(u64 page)
{
	return (volatile u64 *)(GPA + page * PAGE);
}

/* Writes all of it, then goes on reading a quarter. */
static void uses_a_quarter(void)
{
	for (u64 i = 0; i < PAGES; i++)
		*at(i) = word(i);
	for (;;) {
		for (u64 i = 0; i < PAGES; i++)
			if (HOT(i))
				guest_is(*at(i), word(i));
		rounds++;
		guest_alive++;
	}
}

static void writes_all(void)
{
	for (u64 i = 0; i < PAGES; i++)
		*at(i) = word(i);
}

static void checks_all(void)
{
	for (u64 i = 0; i < PAGES; i++)
		guest_is(*at(i), word(i));
}

static bool has_swap(void)
{
	return read_line("/proc/meminfo", "SwapTotal") > 0;
}

/* How many of the hot pages, or of the others, are in swap: what /proc/self/pagemap has. */
static u64 count_swapped(const u8 *p, bool hot)
{
	static u64 entries[PAGES];
	int fd = must(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
	u64 n = 0;

	if (pread(fd, entries, sizeof(entries), (uintptr_t)p / PAGE * 8) != sizeof(entries))
		bail("pagemap: %m");
	close(fd);
	for (u64 i = 0; i < PAGES; i++)
		n += HOT(i) == hot && entries[i] >> 62 & 1;
	return n;
}

static u8 *map_ram(struct vcpu *vcpu)
{
	u8 *p = map_anon(PAGES * PAGE);

	use_small_pages(p, PAGES * PAGE);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGES * PAGE, p));
	return p;
}

/* ---------------------------------------------------------------- there and back */

static void test_out_and_in(void)
{
	struct vcpu *vcpu = vcpu_simple(writes_all);
	u8 *p = map_ram(vcpu);
	u64 out;

	ok_done(vcpu, "the guest writes 16 MiB");
	/* Older kernels, 6.1 among them, spare what the guest has used since the last look. */
	must(madvise(p, PAGES * PAGE, MADV_PAGEOUT));
	must(madvise(p, PAGES * PAGE, MADV_PAGEOUT));
	out = count_swapped(p, true) + count_swapped(p, false);
	ok(out > PAGES * 9 / 10, "MADV_PAGEOUT: %lu of %lu pages are in swap", out, PAGES);
	vcpu_call(vcpu, checks_all, 0);
	ok_done(vcpu, "the guest reads all of it");
	must(madvise(p, PAGES * PAGE, MADV_PAGEOUT));
	vcpu_call(vcpu, writes_all, 0);
	ok_done(vcpu, "out again: the guest writes to all of it");
	vcpu_call(vcpu, checks_all, 0);
	ok_done(vcpu, "and reads it");
	vcpu_simple_destroy(vcpu);
	munmap(p, PAGES * PAGE);
}

/* ---------------------------------------------------------------- what is used */

/* What came of taking 8 of 16 MiB away. */
struct outcome {
	u64 cold_out;	/* pages in swap at the end */
	u64 hot_out;
	long came_back;	/* pages read from swap meanwhile */
};

static int reclaims(void *arg)
{
	struct outcome *outcome = arg;
	struct vcpu *vcpu;
	struct runner *runner;
	bool good = true;
	u8 *p;

	if (!cgroup_enter())
		return 1;
	vcpu = vcpu_simple(uses_a_quarter);
	p = map_ram(vcpu);
	runner = runner_start(vcpu);
	good &= wait_alive(vcpu->vm) && wait_alive(vcpu->vm);
	/* Away from what is in use, so that it takes two looks, far apart, to lose a page. */
	must(madvise(p, PAGES * PAGE, MADV_COLD));
	outcome->came_back = -read_line("/proc/vmstat", "pswpin");
	/* It falls short where it would have to take what is in use. */
	for (u32 i = 0; i < 64 && count_swapped(p, false) < PAGES / 2; i++) {
		cgroup_write("memory.reclaim", "512K");
		good &= wait_alive(vcpu->vm) && wait_alive(vcpu->vm);
	}
	outcome->came_back += read_line("/proc/vmstat", "pswpin");
	outcome->hot_out = count_swapped(p, true);
	outcome->cold_out = count_swapped(p, false);
	runner_stop(runner);
	vcpu_call(vcpu, checks_all, 0);
	return good && runner->err == EINTR && run_until_port(vcpu, GUEST_DONE) ? 0 : 2;
}

static void test_reclaim(const char *what)
{
	struct outcome *outcome = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!cgroup_create() || cgroup_read("memory.current") < 0) {
		skip("no memory cgroups here", "%s", what);
		return;
	}
	is(reap(spawn(reclaims, outcome)), 0, "%s: the guest finds its data", what);
	ok(outcome->cold_out >= PAGES / 2, "%s: %lu of %lu pages that it does not use are in swap",
	   what, outcome->cold_out, PAGES * 3 / 4);
	ok(outcome->hot_out + outcome->came_back < 100,
	   "%s: of %lu that it uses %lu are, %ld came back", what, PAGES / 4,
	   outcome->hot_out, outcome->came_back);
	cgroup_destroy();
	munmap(outcome, PAGE);
}

/* Both of the kernel's ways to find what is old. */
static void test_reclaims(void)
{
	static const char * const knob = "/sys/kernel/mm/lru_gen/enabled";

	if (!write_text(knob, "n")) {
		test_reclaim("reclaim");
		return;
	}
	test_reclaim("reclaim by active and inactive lists");
	write_text(knob, "y");
	test_reclaim("reclaim by generations");
}

/* ---------------------------------------------------------------- limits */

static int takes_too_much(void *arg)
{
	struct vcpu *vcpu;

	(void)arg;
	if (!cgroup_enter())
		return 1;
	vcpu = vcpu_simple(writes_all);
	map_ram(vcpu);
	return run_until_port(vcpu, GUEST_DONE) ? 2 : 3;
}

/* Only who is in the group is hit. */
static void test_limit(void)
{
	struct vcpu *vcpu = vcpu_simple(guest_spin);
	struct runner *runner;

	if (!cgroup_create() || !cgroup_write("memory.max", "12M")) {
		skip("no memory cgroups here", "a limited group");
		return;
	}
	cgroup_write("memory.swap.max", "0");
	runner = runner_start(vcpu);
	is(reap(spawn(takes_too_much, NULL)), -SIGKILL,
	   "a VMM whose guest takes more than its group may have is killed");
	ok(cgroup_read_line("memory.events", "oom_kill") > 0, "by the group's limit");
	ok(wait_alive(vcpu->vm) && !runner->ended, "another VM goes on");
	if (has_swap()) {
		cgroup_write("memory.swap.max", "max");
		is(reap(spawn(takes_too_much, NULL)), 2,
		   "with swap the same guest comes to its end");
	}
	runner_stop(runner);
	cgroup_destroy();
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	info();
	test_limit();
	if (has_swap()) {
		test_out_and_in();
		test_reclaims();
	} else {
		skip("no swap here (vtbox --swap 64)", "guest RAM in swap");
	}
	return tap_exit();
}
