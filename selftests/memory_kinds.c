// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of memory behind a slot: memfd, huge pages, files, sparse GiBs. */
#include <fcntl.h>
#include <sys/mman.h>

#include "lib.h"

#define GPA 0x80000000UL
#define AT(offset) (*(volatile u64 *)(GPA + (offset)))

static volatile u64 first, last, stride;

static void touches(void)
{
	for (u64 off = first; off <= last; off += stride) {
		guest_is(AT(off), off ^ 0x5555);
		AT(off) = off + 1;
	}
}

/* The guest reads the host's words and writes its own, all over [0, bytes). */
static void go_through(int slot_flags, u8 *hva, u64 gpa_offset, u64 bytes,
		       u64 step, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(touches);
	struct vm *vm = vcpu->vm;
	u64 bad = 0;

	G(vm, first) = gpa_offset;
	G(vm, last) = gpa_offset + bytes - 8;
	G(vm, stride) = step;
	for (u64 off = 0; off < bytes; off += step)
		*(u64 *)(hva + off) = (off + gpa_offset) ^ 0x5555;
	must(set_memory(vm->fd, 1, slot_flags, GPA + gpa_offset, bytes, hva));
	if (ok_done(vcpu, "%s: the guest goes through", what)) {
		diag("%llu exits for %lu pages", vcpu->run->exits, bytes / PAGE);
		for (u64 off = 0; off < bytes; off += step)
			bad += *(u64 *)(hva + off) != off + gpa_offset + 1;
		is(bad, 0, "%s: the host sees what it wrote", what);
	}
	vcpu_simple_destroy(vcpu);
}

static void *map_aligned(u64 bytes, int flags, int fd)
{
	u8 *p = mmap(NULL, bytes + 2 * MIB, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *at = (u8 *)(((uintptr_t)p + 2 * MIB - 1) & -(2 * MIB));

	return mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | flags, fd, 0);
}

static void test_memfd(void)
{
	int fd = must(memfd_create("ram", MFD_CLOEXEC));
	u8 *one, *two;

	must(ftruncate(fd, MIB));
	one = map_aligned(MIB, MAP_SHARED, fd);
	two = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0);
	go_through(0, one, 0, MIB, PAGE, "memfd");
	is(*(u64 *)(two + 0x5000), 0x5001, "another mapping sees it");
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MIB));
	is(*(u64 *)(one + 0x5000), 0, "a punched hole is zero");
	go_through(0, one, 0, MIB, PAGE, "memfd after a hole");
	close(fd);
	munmap(one, MIB);
	munmap(two, MIB);
}

/* Memory behind the end of the file: SIGBUS here, MEMORY_FAULT there. */
static void test_truncated(void)
{
	int fd = must(memfd_create("short", MFD_CLOEXEC));
	struct vcpu *vcpu = vcpu_simple(touches);
	u8 *p = map_aligned(MIB, MAP_SHARED, fd);

	G(vcpu->vm, last) = PAGE;
	G(vcpu->vm, stride) = PAGE;
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, MIB, p));
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "memory behind a file's end");
	is(vcpu->run->mmio.error, EFAULT, "with EFAULT");
	must(ftruncate(fd, MIB));
	*(u64 *)p = 0x5555;
	*(u64 *)(p + PAGE) = PAGE ^ 0x5555;
	ok_done(vcpu, "the file grows: RUN goes on");
	must(ftruncate(fd, 0));
	vcpu_call(vcpu, touches, 0);
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "the file is cut again");
	vcpu_simple_destroy(vcpu);
	close(fd);
}

/* A file that is only readable: reads work, writes fault. */
static void test_read_only_file(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct vcpu *vcpu = vcpu_simple(touches);
	u8 *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		bail("mmap of the program: %m");
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, PAGE, p));
	G(vcpu->vm, stride) = PAGE;
	ok(run_until_port(vcpu, GUEST_FAIL), "a file mapped for reading");
	is(G(vcpu->vm, guest_failure.got), *(u64 *)p, "is read");
	ok_exit(vcpu, TINYVMX_EXIT_MEMORY_FAULT, "and not written");
	is(vcpu->run->mmio.flags & TINYVMX_MMIO_WRITE, TINYVMX_MMIO_WRITE,
	   "as the exit says");
	vcpu_simple_destroy(vcpu);
	close(fd);
}

static void test_thp(void)
{
	u8 *p = map_aligned(4 * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (madvise(p, 4 * MIB, MADV_HUGEPAGE)) {
		skip("no transparent huge pages here", "THP");
		return;
	}
	go_through(0, p, 0, 4 * MIB, 0x3000 * 16, "THP, aligned");
	/* hva and gpa differ below 2 MiB: no large EPT page may be used. */
	go_through(0, p, 0x7000, 2 * MIB, PAGE * 8, "THP, skewed");
	go_through(0, p + 0x1000, 0x1000, 3 * MIB, PAGE * 8, "THP, in part");
	/* Split under the guest. */
	must(munmap(p + MIB, PAGE));
	must((long)mmap(p + MIB, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	go_through(0, p, 0, 4 * MIB, PAGE * 8, "THP, split");
	munmap(p, 4 * MIB);
}

/*
 * 2 MiB that were two mappings of small pages go away in two halves, and come
 * back as one huge page: no notifier ever covers the 2 MiB as a whole, to tell
 * that the tables of the small pages are of no use any more.
 */
static void touches_twice(void)
{
	touches();
	guest_sync(1);
	touches();
}

static void fill_words(u8 *p)
{
	for (u64 off = 0; off < 2 * MIB; off += 16 * PAGE)
		*(u64 *)(p + off) = off ^ 0x5555;
}

static void test_small_then_huge(void)
{
	u8 *p = map_aligned(2 * MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct vcpu *vcpu = vcpu_simple(touches_twice);
	void *again;

	G(vcpu->vm, last) = 2 * MIB - 8;
	G(vcpu->vm, stride) = 16 * PAGE;
	/* A VMA that is split would be told as a whole: make two of them. */
	again = mmap(p + MIB, MIB, PROT_READ | PROT_WRITE, MAP_SHARED |
		     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (again == MAP_FAILED)
		bail("mmap: %m");
	use_small_pages(p, MIB);
	fill_words(p);
	must(set_memory(vcpu->vm->fd, 1, 0, GPA, 2 * MIB, p));
	ok_sync(vcpu, 1, "2 MiB in small pages");
	must(munmap(p, MIB));
	must(munmap(p + MIB, MIB));
	again = mmap(p, 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		     MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (again == MAP_FAILED || madvise(p, 2 * MIB, MADV_HUGEPAGE)) {
		skip("no transparent huge pages here", "small, then huge");
		return;
	}
	fill_words(p);
	ok_done(vcpu, "the same 2 MiB as a huge page");
	vcpu_simple_destroy(vcpu);
	munmap(p, 2 * MIB);
}

static void test_hugetlb(void)
{
	const char *knob = "/proc/sys/vm/nr_hugepages";
	long old = read_long(knob);
	u8 *p = MAP_FAILED;

	if (old >= 0 && write_text(knob, "4"))
		p = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED) {
		skip("no hugetlb pages to be had", "hugetlb");
	} else {
		go_through(0, p, 0, 4 * MIB, PAGE * 8, "hugetlb");
		go_through(0, p, 0x3000, 2 * MIB, PAGE * 8, "hugetlb, skewed");
		munmap(p, 4 * MIB);
	}
	if (old == 0)
		write_text(knob, "0");
}

static void test_sparse(void)
{
	u8 *p = map_aligned(GIB, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	use_small_pages(p, GIB);
	go_through(0, p, 0, GIB, 64 * MIB + PAGE, "1 GiB, sparse");
	munmap(p, GIB);
}

int main(void)
{
	tap_init();
	test_memfd();
	test_truncated();
	test_read_only_file();
	test_thp();
	test_small_then_huge();
	test_hugetlb();
	test_sparse();
	return tap_exit();
}
