// SPDX-License-Identifier: GPL-2.0-only
/* The flight recorder: TINYVMX_SET_RECORD, and the ring that a vCPU's fd is mapped for. */
#include <fcntl.h>
#include <sys/mman.h>

#include "lib.h"

#define RECORDS		64U
#define RING_BYTES	(RECORDS * sizeof(struct tinyvmx_record))

#define REASON_EXTERNAL	1
#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_IO	30
#define REASON_RDMSR	31
#define REASON_INVALID_STATE 0x80000021
#define REASON_EPT	48
#define MSR_PAT		0x277
#define VECTOR		0x40
#define NOT_CANONICAL	0x0000900000000000UL

/* The kernel writes there at any time. */
struct ring {
	const volatile struct tinyvmx_record *at;
};

#define SWITCHING_TICKS	20000

static int set_record(int fd, u32 records)
{
	struct tinyvmx_set_record arg = { .size = sizeof(arg), .records = records };

	return ioctl(fd, TINYVMX_SET_RECORD, &arg);
}

static void *try_map(int fd, size_t bytes, int prot, int flags)
{
	return mmap(NULL, bytes, prot, flags, fd, TINYVMX_RECORD_OFFSET);
}

static struct ring map_ring(const struct vcpu *vcpu, size_t bytes)
{
	struct ring ring = { try_map(vcpu->fd, bytes, PROT_READ, MAP_SHARED) };

	if (ring.at == MAP_FAILED)
		bail("mmap of the ring: %m");
	return ring;
}

static struct ring start(const struct vcpu *vcpu)
{
	must(set_record(vcpu->fd, RECORDS));
	return map_ring(vcpu, RING_BYTES);
}

/* Record @n in whole, as uapi/tinyvmx.h says: false: it is not there, or was being written. */
static bool read_record(struct ring ring, u64 n, struct tinyvmx_record *record)
{
	const volatile struct tinyvmx_record *at = &ring.at[n % RECORDS];

	if (!n || at->sequence != n)
		return false;
	__asm__ volatile("" : : : "memory");
	*record = *(const struct tinyvmx_record *)at;
	__asm__ volatile("" : : : "memory");
	return at->sequence == n;
}

static u64 newest(struct ring ring)
{
	u64 n = 0;

	for (u32 i = 0; i < RECORDS; i++)
		n = MAX(n, ring.at[i].sequence);
	return n;
}

/* ------------------------------------------------------ what is in a record */

static void leaves(void)
{
	u32 out[4];

	guest_sync(0);
	cpuid(1, 3, out);
	rdmsr(MSR_PAT);
	__asm__ volatile("movl (%0), %%ecx" : : "a"(GUEST_MMIO_GPA + 0x10UL) : "ecx");
	outl(0x60, 0x12345678);
	__asm__ volatile("cli; hlt");
}

/* Of the qualification of IN and OUT what is always there: port, direction, bytes less one. */
#define PORT_MASK	0xffff000fUL
#define OUTL(port)	((u64)(port) << 16 | 3)
#define ALL		(~0UL)
#define LOW		0xffffffffUL
#define HIGH		(LOW << 32)

struct field {
	u64 value;
	u64 mask;
};

static const struct expected {
	u32 reason;
	u32 handled;
	struct field qualification;
	struct field detail;
} known[] = {
	{ REASON_IO, TINYVMX_HANDLED_USER, { OUTL(GUEST_PORT), PORT_MASK },
	  { (u64)GUEST_SYNC << 32, HIGH } },
	{ REASON_CPUID, 0, { 0, ALL }, { 1UL << 32 | 3, ALL } },
	{ REASON_RDMSR, 0, { 0, ALL }, { MSR_PAT, LOW } },
	{ REASON_EPT, TINYVMX_HANDLED_USER, { 1, 7 }, { GUEST_MMIO_GPA + 0x10, ALL } },
	{ REASON_IO, TINYVMX_HANDLED_USER, { OUTL(0x60), PORT_MASK },
	  { 0x12345678UL << 32, HIGH } },
	{ REASON_HLT, TINYVMX_HANDLED_USER, { 0, ALL }, { 0, 0 } },
};

static bool is_field(u64 got, const struct field *want)
{
	return (got & want->mask) == want->value;
}

static bool is_known(const struct tinyvmx_record *record, const struct expected *want)
{
	/* Where it may sleep the kernel looks for memory, before it finds that there is none. */
	return record->reason == want->reason &&
	       (record->handled & ~TINYVMX_HANDLED_OUTSIDE) == want->handled &&
	       is_field(record->qualification, &want->qualification) &&
	       is_field(record->detail, &want->detail);
}

/* The host's interrupts, and first touches of pages of RAM, come in between. */
static bool is_the_guests(const struct tinyvmx_record *record)
{
	return record->reason != REASON_EXTERNAL &&
	       !(record->reason == REASON_EPT && record->detail < GUEST_RAM_BYTES);
}

/* To its HLT. */
static void run_to_halt(struct vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;

	while (must(vcpu_run(vcpu)), run->reason != TINYVMX_EXIT_HLT) {
		if (run->reason != TINYVMX_EXIT_MMIO)
			continue;
		run->regs.rip += 2;
		run->request = TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE;
	}
}

static bool is_in_order(const struct tinyvmx_record *record, const struct tinyvmx_record *before)
{
	return record->entered <= record->exited && before->exited <= record->entered &&
	       before->user_ticks <= record->entered - before->exited &&
	       !!before->user_ticks == !!(before->handled & TINYVMX_HANDLED_USER);
}

static void test_known(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves);
	struct tinyvmx_record record, before = { 0 };
	struct ring ring = start(vcpu);
	bool whole = true, ordered = true;
	u64 begin = rdtsc(), rip = 0;
	u32 found = 0;

	run_to_halt(vcpu);
	is(newest(ring), vcpu->run->exits, "as many records as exits");
	for (u64 n = 1; n <= newest(ring); n++) {
		whole &= read_record(ring, n, &record);
		ordered &= record.entered >= begin && is_in_order(&record, &before);
		before = record;
		if (!is_the_guests(&record) || found == ARRAY_SIZE(known))
			continue;
		ok(is_known(&record, &known[found]) && record.rip > rip,
		   "%llu: reason %u at 0x%llx, qualification 0x%llx, detail 0x%llx, handled %u",
		   record.sequence, record.reason, record.rip, record.qualification, record.detail,
		   record.handled);
		rip = record.rip;
		found++;
	}
	is(found, ARRAY_SIZE(known), "all exits of the guest, in order");
	ok(whole, "each record is there in whole");
	ok(ordered && record.exited <= rdtsc(), "times ascend, and those of userspace fit between");
	is(rip, vcpu->run->rip, "the last RIP is that of the run page");
	munmap((void *)ring.at, RING_BYTES);
	vcpu_simple_destroy(vcpu);
}

static void takes_interrupt(void)
{
	guest_expect(VECTOR);
	__asm__ volatile("sti");
	guest_sync(0);
	guest_sync(1);
}

static void test_injected(void)
{
	struct vcpu *vcpu = vcpu_simple(takes_interrupt);
	struct tinyvmx_record record;
	struct ring ring = start(vcpu);
	u32 found = 0;
	u64 first;

	ok_sync(vcpu, 0, "a guest with interrupts enabled");
	first = newest(ring);
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, VECTOR));
	ok_sync(vcpu, 1, "is given one");
	for (u64 n = 1; n <= newest(ring); n++)
		if (read_record(ring, n, &record) && record.injected == (0x80000000 | VECTOR))
			found += n > first ? 1 : 100;
	/* Pages that its delivery touches for the first time have it injected again. */
	ok(found && found < 100, "%u records have it injected, none before", found);
	vcpu_simple_destroy(vcpu);
	munmap((void *)ring.at, RING_BYTES);
}

static void test_refused_entry(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves);
	struct tinyvmx_sregs sregs = vcpu_sregs(vcpu);
	struct tinyvmx_record record;
	struct ring ring = start(vcpu);

	sregs.seg[TINYVMX_TR].base = NOT_CANONICAL;
	vcpu_set_sregs(vcpu, &sregs);
	ok_exit(vcpu, TINYVMX_EXIT_ENTRY_FAILED, "a state that the CPU refuses");
	ok(read_record(ring, newest(ring), &record), "is recorded");
	is(record.reason, REASON_INVALID_STATE, "with its reason");
	is(record.handled, TINYVMX_HANDLED_USER, "and that userspace was told");
	vcpu_simple_destroy(vcpu);
	munmap((void *)ring.at, RING_BYTES);
}

/* ---------------------------------------------------------------- the ring */

static volatile u64 rounds;

/* EAX and ECX of each CPUID are the same number: a record that is torn has two. */
static void counts(void)
{
	u32 out[4];

	for (u32 i = 1; i <= rounds; i++)
		cpuid(i, i, out);
	guest_sync(0);
}

static void test_wraps(void)
{
	struct vcpu *vcpu = vcpu_simple(counts);
	struct tinyvmx_record record;
	struct ring ring = start(vcpu);
	u32 there = 0;
	u64 last;

	G(vcpu->vm, rounds) = 1000;
	ok_sync(vcpu, 0, "a thousand exits in a ring of %u", RECORDS);
	last = newest(ring);
	is(last, vcpu->run->exits, "the newest has the number of the last exit");
	for (u64 n = last - RECORDS + 1; n <= last; n++)
		there += read_record(ring, n, &record);
	is(there, RECORDS, "as many as there is room for are there");
	vcpu_simple_destroy(vcpu);
	munmap((void *)ring.at, RING_BYTES);
}

/* Look at the newest records for as long as the guest runs. */
static u64 look(struct ring ring, const struct runner *runner, u64 *torn)
{
	struct tinyvmx_record record;
	u64 seen = 0;

	while (!runner->ended) {
		u64 n = newest(ring);

		for (u64 back = 0; back < 8 && back < n; back++) {
			if (!read_record(ring, n - back, &record))
				continue;
			seen++;
			*torn += record.entered > record.exited || !record.rip ||
				 (record.reason == REASON_CPUID &&
				  (u32)record.detail != record.detail >> 32);
		}
	}
	return seen;
}

static void test_read_meanwhile(void)
{
	struct vcpu *vcpu = vcpu_simple(counts);
	struct ring ring = start(vcpu);
	struct runner *runner;
	u64 seen, torn = 0;

	G(vcpu->vm, rounds) = 50000;
	runner = runner_start(vcpu);
	seen = look(ring, runner, &torn);
	runner_stop(runner);
	ok(seen > 100, "%lu records are read while the guest runs", seen);
	is(torn, 0, "none is torn");
	vcpu_simple_destroy(vcpu);
	munmap((void *)ring.at, RING_BYTES);
}

static void leaves_often(void)
{
	for (u32 i = 0; i < 16; i++)
		guest_sync(i);
}

static void test_stop_and_go(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves_often);
	struct ring ring = start(vcpu);
	struct tinyvmx_record record;
	u64 last;

	ok_sync(vcpu, 0, "a guest that leaves often");
	last = newest(ring);
	must(set_record(vcpu->fd, 0));
	must(set_record(vcpu->fd, 0));
	ok_sync(vcpu, 1, "leaves unrecorded");
	is(newest(ring), last, "stopped: nothing is recorded");
	ok(read_record(ring, last, &record), "what was, is still there");
	must(set_record(vcpu->fd, RECORDS));
	must(set_record(vcpu->fd, RECORDS));
	ok_sync(vcpu, 2, "leaves again");
	ok(!read_record(ring, last + 1, &record) && newest(ring) > last + 1,
	   "it goes on, and leaves a number out");
	is(ring.at[last % RECORDS].user_ticks, 0, "nobody knows how long the last before the stop took");
	vcpu_simple_destroy(vcpu);
	munmap((void *)ring.at, RING_BYTES);
}

/* ------------------------------------------------------------------ errors */

static void test_refusals(void)
{
	static const u32 numbers[] = { 1, TINYVMX_MIN_RECORDS / 2, 96, 2 * TINYVMX_MAX_RECORDS,
				       0x80000000, 0xffffffff };
	struct vcpu *vcpu = vcpu_simple(leaves);

	ok_exit(vcpu, TINYVMX_EXIT_IO, "a vCPU as it was made");
	errno = 0;
	ok(try_map(vcpu->fd, RING_BYTES, PROT_READ, MAP_SHARED) == MAP_FAILED && errno == ENOENT,
	   "has no ring: ENOENT");
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		err_is(set_record(vcpu->fd, numbers[i]), EINVAL, "%u records", numbers[i]);
	must(set_record(vcpu->fd, RECORDS));
	err_is(set_record(vcpu->fd, 2 * RECORDS), EEXIST, "another size than that of the ring");
	vcpu_simple_destroy(vcpu);
}

static void refused_map(const struct vcpu *vcpu, size_t bytes, int prot, int flags,
			const char *what)
{
	bool refused;

	errno = 0;
	refused = try_map(vcpu->fd, bytes, prot, flags) == MAP_FAILED;
	/* Newer kernels themselves let nobody execute what is in an anonymous inode. */
	ok(refused && (errno == EINVAL || (prot & PROT_EXEC && errno == EPERM)), "%s: %m", what);
}

static void test_mappings(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves);
	const u32 zero = 0;
	struct ring ring;
	int mem;

	must(set_record(vcpu->fd, 2 * RECORDS));
	refused_map(vcpu, 2 * RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, "to write");
	refused_map(vcpu, 2 * RING_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED, "to execute");
	refused_map(vcpu, 2 * RING_BYTES, PROT_READ, MAP_PRIVATE, "a private copy");
	refused_map(vcpu, RING_BYTES, PROT_READ, MAP_SHARED, "a part of it");
	refused_map(vcpu, 3 * RING_BYTES, PROT_READ, MAP_SHARED, "more than there is");
	ring = map_ring(vcpu, 2 * RING_BYTES);
	err_is(mprotect((void *)ring.at, PAGE, PROT_READ | PROT_WRITE), EACCES, "to write, later");
	err_is(mprotect((void *)ring.at, PAGE, PROT_READ | PROT_EXEC), EACCES, "to execute, later");
	ok(mremap((void *)ring.at, 2 * RING_BYTES, 4 * RING_BYTES, MREMAP_MAYMOVE) == MAP_FAILED,
	   "to grow");
	mem = must(open("/proc/self/mem", O_RDWR));
	ok(pwrite(mem, &zero, sizeof(zero), (uintptr_t)ring.at) < 0, "as a debugger does: %m");
	close(mem);
	munmap((void *)ring.at, 2 * RING_BYTES);
	vcpu_simple_destroy(vcpu);
}

/* ---------------------------------------------------------------- lifetime */

static struct ring inherited;

static int reads_what_it_inherited(void *arg)
{
	struct tinyvmx_record record;

	return !read_record(inherited, newest(inherited), &record) ||
	       record.sequence != *(u64 *)arg;
}

static void test_lifetime(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves);
	struct ring again;
	u64 last;

	inherited = start(vcpu);
	again = map_ring(vcpu, RING_BYTES);
	ok_sync(vcpu, 0, "a ring that is mapped twice");
	last = newest(inherited);
	munmap((void *)again.at, RING_BYTES);
	is(reap(spawn(reads_what_it_inherited, &last)), 0, "a child process reads it");
	vcpu_simple_destroy(vcpu);
	is(newest(inherited), last, "all is closed: it is still there");
	munmap((void *)inherited.at, RING_BYTES);
}

/*
 * What the host does for the first who records, and for the last who stops, interrupts each of its
 * CPUs: who switches it all the time must not have that done all the time.
 */
static void test_switching(void)
{
	struct vcpu *vcpu = vcpu_simple(leaves);
	u64 ticks = rdtsc();

	for (u32 i = 0; i < 100; i++) {
		must(set_record(vcpu->fd, RECORDS));
		must(set_record(vcpu->fd, 0));
	}
	ticks = (rdtsc() - ticks) / 100;
	diag("on and off take %lu ticks", ticks);
	ok(ticks < SWITCHING_TICKS, "recording is switched a hundred times");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	struct host_use before;

	tap_init();
	info();
	test_refusals();
	before = host_use();
	test_mappings();
	test_lifetime();
	nothing_is_left_since(&before);
	test_known();
	test_injected();
	test_refused_entry();
	test_wraps();
	test_read_meanwhile();
	test_stop_and_go();
	test_switching();
	return tap_exit();
}
