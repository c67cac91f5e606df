// SPDX-License-Identifier: GPL-2.0-only
/* GET_USE: which pages the guest has used. */
#include <fcntl.h>
#include <sys/mman.h>

#include "cgroup.h"

#define GPA	0x80000000UL
#define PAGES	4096UL		/* 16 MiB */
#define BYTES	(PAGES * PAGE)

/* What the guest does to each page: a character, '.', 'r' or 'w'. */
static volatile char does[PAGES];
static volatile u64 rounds;

static volatile u64 *at(u64 page)
{
	return (volatile u64 *)(GPA + page * PAGE);
}

static void uses(void)
{
	for (u64 i = 0; i < PAGES; i++) {
		if (does[i] == 'r')
			(void)*at(i);
		if (does[i] == 'w')
			*at(i) = i;
	}
	rounds++;
}

static void goes_on_using(void)
{
	for (;;) {
		uses();
		guest_alive++;
	}
}

static struct vcpu *vcpu;
static u8 *ram;

static int get_use(u64 gpa, u64 len, void *used, void *written, u32 flags)
{
	struct tinyvmx_get_use arg = {
		.size = sizeof(arg), .flags = flags, .gpa = gpa, .len = len,
		.used = (uintptr_t)used, .written = (uintptr_t)written,
	};

	return ioctl(vcpu->vm->fd, TINYVMX_GET_USE, &arg);
}

/* As does[] has it; '!': written, but not used. */
static const char *map(u32 flags)
{
	static u8 used[PAGES / 8], written[PAGES / 8];
	static char text[PAGES + 1];

	memset(used, 0xff, sizeof(used));
	memset(written, 0xff, sizeof(written));
	must(get_use(GPA, BYTES, used, written, flags));
	for (u64 i = 0; i < PAGES; i++) {
		bool u = used[i / 8] >> i % 8 & 1, w = written[i / 8] >> i % 8 & 1;

		text[i] = w ? (u ? 'w' : '!') : u ? 'r' : '.';
	}
	return text;
}

static u64 count(const char *text, char c)
{
	u64 n = 0;

	for (u64 i = 0; i < PAGES; i++)
		n += text[i] == c;
	return n;
}

/* The first page that differs, PAGES: none. */
static u64 difference(const char *text)
{
	u64 i = 0;

	while (i < PAGES && text[i] == G(vcpu->vm, does[i]))
		i++;
	return i;
}

/* How many of @pages pages from @first on are used, and written; they are forgotten. */
static u64 count_in(u64 first, u64 pages)
{
	u8 used[PAGES / 8] = { 0 }, written[PAGES / 8] = { 0 };
	u64 n = 0;

	must(get_use(GPA + first * PAGE, pages * PAGE, used, written, TINYVMX_USE_FORGET));
	for (u64 i = 0; i < pages; i++)
		n += used[i / 8] & written[i / 8] & 1 << i % 8 ? 1 : 0;
	return n;
}

/* The guest does to pages from @from on, each @step-th, what @c says, and nothing to others. */
static void plan(u64 from, u64 step, char c)
{
	memset((void *)&G(vcpu->vm, does), '.', PAGES);
	for (u64 i = from; i < PAGES; i += step)
		G(vcpu->vm, does[i]) = c;
}

static void use(void)
{
	vcpu_call(vcpu, uses, 0);
	must_done(vcpu);
}

static void begin(void)
{
	vcpu = vcpu_simple(uses);
	ram = map_anon(BYTES + 2 * MIB);
	ram += -(uintptr_t)ram % (2 * MIB);
	use_small_pages(ram, BYTES);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, BYTES, ram));
}

static void end(void)
{
	vcpu_simple_destroy(vcpu);
	munmap(ram, BYTES);
}

static void test_pages(void)
{
	begin();
	plan(0, PAGES, '.');
	is(difference(map(0)), PAGES, "nothing is used before the guest runs");
	plan(3, 7, 'r');
	for (u64 i = 5; i < PAGES; i += 11)
		G(vcpu->vm, does[i]) = 'w';
	use();
	is(difference(map(0)), PAGES, "what it reads and writes, page by page");
	is(difference(map(TINYVMX_USE_FORGET)), PAGES, "the same once more");
	plan(0, PAGES, '.');
	is(difference(map(0)), PAGES, "that is forgotten");
	plan(0, 3, 'r');
	use();
	is(difference(map(TINYVMX_USE_FORGET)), PAGES, "it reads what it has written: read");
	plan(1, 1000, 'w');
	use();
	is(difference(map(TINYVMX_USE_FORGET)), PAGES, "it writes again");
	end();
}

static void test_parts(void)
{
	u8 used[3] = { 0xaa, 0xaa, 0xaa }, written[2] = { 0xaa, 0xaa };

	begin();
	plan(512, PAGES, 'w');
	use();
	must(get_use(GPA + 510 * PAGE, 10 * PAGE, used, NULL, 0));
	ok(used[0] == 4 && used[1] == 0 && used[2] == 0xaa,
	   "ten pages are two bytes, page 2 is bit 2 (%x %x %x)", used[0], used[1], used[2]);
	must(get_use(GPA + 511 * PAGE, PAGE, NULL, written, TINYVMX_USE_FORGET));
	is(written[0], 0, "the page before it is not written");
	must(get_use(GPA + 512 * PAGE, PAGE, NULL, written, TINYVMX_USE_FORGET));
	is(written[0], 1, "a page alone, which was not forgotten with the one before it");
	is(written[1], 0xaa, "no byte too many");
	must(get_use(GPA + 512 * PAGE, PAGE, used, written, 0));
	ok(!used[0] && !written[0], "forgotten, though nobody has asked for one of the two");
	is(get_use(GPA, PAGE, NULL, NULL, TINYVMX_USE_FORGET), 0, "without any bitmap");
	is(get_use(64 * GIB - PAGE, PAGE, used, written, 0), 0, "where no slot is");
	ok(!used[0] && !written[0], "nothing is used there");
	end();
}

/* Translations that the CPU has would keep it from noting what it does. */
static void test_running(void)
{
	struct runner *runner;
	u64 good = 0;

	begin();
	plan(1, 2, 'w');
	vcpu_call(vcpu, goes_on_using, 0);
	runner = runner_start(vcpu);
	for (u32 i = 0; i < 20; i++) {
		map(TINYVMX_USE_FORGET);
		if (!wait_alive(vcpu->vm) || !wait_alive(vcpu->vm))
			break;
		good += difference(map(0)) == PAGES;
	}
	is(good, 20, "a guest that goes on is seen to, 20 times");
	runner_stop(runner);
	is(runner->err, EINTR, "it was in the guest to the end");
	end();
}

static void test_large_page(void)
{
	if (!(info()->capabilities & TINYVMX_CAP_EPT_2M)) {
		skip("no large pages here", "a large page");
		return;
	}
	begin();
	madvise(ram, BYTES, MADV_HUGEPAGE);
	memset(ram, 1, BYTES);
	plan(700, PAGES, 'w');
	use();
	if (count(map(0), 'w') != 512) {
		/* Kernels without transparent huge pages. */
		is(count(map(0), 'w'), 1, "without a large page: one page");
	} else {
		for (u64 i = 512; i < 1024; i++)
			G(vcpu->vm, does[i]) = 'w';
		is(difference(map(TINYVMX_USE_FORGET)), PAGES, "a large page counts as a whole");
		is(count(map(0), '.'), PAGES, "and is forgotten as a whole");
		use();
		is(count_in(512 + 200, 400), 312, "a call that begins in its midst forgets it, too");
		use();
		is(count_in(512 - 100, 1024), 512, "... and a call that looks at it piece by piece");
	}
	end();
}

/* Of each @step-th page, from @first on. */
static u64 count_present(u64 first, u64 step)
{
	static u64 entries[PAGES];
	int fd = must(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
	u64 n = 0;

	if (pread(fd, entries, sizeof(entries), (uintptr_t)ram / PAGE * 8) != sizeof(entries))
		bail("pagemap: %m");
	close(fd);
	for (u64 i = first; i < PAGES; i += step)
		n += entries[i] >> 63;
	return n;
}

struct outcome {
	u64 present;
	u64 told;
	u64 hot_out;
	u64 cold_out;
};

/* Reclaim looks at the age of pages, and forgets it, before it takes some. */
static int reclaimed(void *arg)
{
	struct outcome *outcome = arg;

	if (!cgroup_enter())
		return 1;
	begin();
	plan(0, 1, 'w');
	use();
	for (u32 i = 0; i < 8; i++)
		cgroup_write("memory.reclaim", "512K");
	outcome->present = count_present(0, 1);
	outcome->told = PAGES - count(map(0), '.');
	end();
	return 0;
}

/*
 * The guest uses each fourth page, and stands still while reclaim looks: what it has used was
 * asked for before, and forgotten.
 */
static int spared(void *arg)
{
	struct outcome *outcome = arg;
	long came_back;
	u64 hot;

	if (!cgroup_enter())
		return 1;
	begin();
	plan(0, 1, 'w');
	use();
	must(madvise(ram, BYTES, MADV_COLD));
	plan(0, 4, 'r');
	came_back = -read_line("/proc/vmstat", "pswpin");
	for (u32 i = 0; i < 64 && count_present(0, 1) > PAGES / 2; i++) {
		use();
		map(TINYVMX_USE_FORGET);
		cgroup_write("memory.reclaim", "512K");
	}
	came_back += read_line("/proc/vmstat", "pswpin");
	hot = count_present(0, 4);
	outcome->hot_out = PAGES / 4 - hot + came_back;
	outcome->cold_out = PAGES * 3 / 4 - (count_present(0, 1) - hot);
	end();
	return 0;
}

static void test_reclaim(void)
{
	struct outcome *outcome = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (read_line("/proc/meminfo", "SwapTotal") <= 0) {
		skip("no swap here (vtbox --swap 64)", "use, with reclaim");
		return;
	}
	if (!cgroup_create() || cgroup_read("memory.current") < 0) {
		skip("no memory cgroups here", "use, with reclaim");
		return;
	}
	is(reap(spawn(reclaimed, outcome)), 0, "reclaim looks for old pages");
	ok(outcome->present > 1024, "%lu of %lu are there then", outcome->present, PAGES);
	/* A page that was taken and given back looks unused. */
	ok(outcome->told <= outcome->present && outcome->told + 16 > outcome->present,
	   "%lu of those that are there are told, after reclaim", outcome->told);
	is(reap(spawn(spared, outcome)), 0, "reclaim, while what is used is asked for");
	ok(outcome->cold_out > 1024, "%lu of 3072 pages that it does not use are taken",
	   outcome->cold_out);
	ok(outcome->hot_out < 200, "%lu times one of 1024 that it uses, though they were asked for",
	   outcome->hot_out);
	cgroup_destroy();
	munmap(outcome, PAGE);
}

/* ----------------------------------------- others who ask for the age of pages */

#define DAMON	"/sys/kernel/mm/damon/admin/kdamonds"
/* Newer kernels let it look for themselves, and nobody else meanwhile. */
#define DAMON_STAT "/sys/module/damon_stat/parameters/enabled"
#define LOOKED	16UL		/* pages that DAMON looks at, each by itself */

static bool tell_damon(const char *file, u64 value)
{
	char path[160], text[24];

	snprintf(path, sizeof(path), DAMON "/%s", file);
	snprintf(text, sizeof(text), "%lu", value);
	return write_text(path, text);
}

/* Have DAMON look at the age of our first pages, over and over: a region of each. */
static bool start_damon(void)
{
	char file[64];
	bool good = tell_damon("nr_kdamonds", 1) && tell_damon("0/contexts/nr_contexts", 1) &&
		    write_text(DAMON "/0/contexts/0/operations", "vaddr") &&
		    tell_damon("0/contexts/0/monitoring_attrs/intervals/update_us", 3600000000) &&
		    tell_damon("0/contexts/0/targets/nr_targets", 1) &&
		    tell_damon("0/contexts/0/targets/0/pid_target", getpid()) &&
		    tell_damon("0/contexts/0/targets/0/regions/nr_regions", LOOKED);

	for (u64 i = 0; good && i < LOOKED; i++) {
		u64 start = (uintptr_t)ram + i * PAGE;

		snprintf(file, sizeof(file), "0/contexts/0/targets/0/regions/%lu/start", i);
		good = tell_damon(file, start);
		snprintf(file, sizeof(file), "0/contexts/0/targets/0/regions/%lu/end", i);
		good = good && tell_damon(file, start + PAGE);
	}
	return good && write_text(DAMON "/0/state", "on");
}

/* How many of those pages have their accessed flag in EPT. */
static u64 count_accessed(void)
{
	u64 n = 0;

	for (u64 i = 0; i < LOOKED; i++) {
		struct tinyvmx_get_ept ept = { .size = sizeof(ept), .gpa = GPA + i * PAGE };

		must(ioctl(vcpu->vm->fd, TINYVMX_GET_EPT, &ept));
		n += ept.entries[ept.count - 1] >> 8 & 1;
	}
	return n;
}

static void test_age(void)
{
	bool kernels = line_contains(DAMON_STAT, "Y") && write_text(DAMON_STAT, "N");
	u64 left = LOOKED;

	begin();
	plan(0, 1, 'w');
	use();
	is(count_accessed(), LOOKED, "pages that the guest uses are accessed");
	if (!start_damon()) {
		skip("no DAMON here", "use, with DAMON");
	} else {
		for (u32 i = 0; i < 500 && left; i++) {
			sleep_us(10000);
			left = count_accessed();
		}
		write_text(DAMON "/0/state", "off");
		is(left, 0, "DAMON has looked at them, and they are not accessed any more");
		is(difference(map(TINYVMX_USE_FORGET)), PAGES, "they are told all the same");
		is(count(map(0), '.'), PAGES, "once");
	}
	tell_damon("nr_kdamonds", 0);
	if (kernels)
		write_text(DAMON_STAT, "Y");
	end();
}

static void test_errors(void)
{
	u64 last = 1UL << info()->gpa_bits;
	static u8 bits[TINYVMX_MAX_USE_BYTES / PAGE / 8];

	begin();
	err_is(get_use(GPA + 1, PAGE, bits, bits, 0), EINVAL, "gpa is not aligned");
	err_is(get_use(GPA, PAGE + 1, bits, bits, 0), EINVAL, "len is not aligned");
	err_is(get_use(GPA, 0, bits, bits, 0), EINVAL, "len is 0");
	is(get_use(0, TINYVMX_MAX_USE_BYTES, bits, bits, 0), 0, "the longest range");
	err_is(get_use(0, TINYVMX_MAX_USE_BYTES + PAGE, bits, bits, 0), EINVAL, "longer than that");
	is(get_use(last - PAGE, PAGE, bits, bits, 0), 0, "the last page");
	err_is(get_use(last, PAGE, bits, bits, 0), EINVAL, "beyond gpa_bits");
	err_is(get_use(-PAGE, 2 * PAGE, bits, bits, 0), EINVAL, "wraps around");
	err_is(get_use(GPA, PAGE, (void *)8, NULL, 0), EFAULT, "no bitmap there");
	err_is(get_use(GPA, PAGE, NULL, (void *)8, 0), EFAULT, "no other bitmap there");
	end();
}

/* Page tables that it cannot write to cost a VM its accessed flags: selftests/memory_walk.c. */
int main(void)
{
	tap_init();
	if (!(info()->capabilities & TINYVMX_CAP_EPT_AD)) {
		begin();
		err_is(get_use(GPA, PAGE, NULL, NULL, 0), EOPNOTSUPP, "no accessed flags here");
		end();
		return tap_exit();
	}
	test_pages();
	test_parts();
	test_running();
	test_large_page();
	test_reclaim();
	test_age();
	test_errors();
	return tap_exit();
}
