// SPDX-License-Identifier: GPL-2.0-only
/* Rounds of create, run, destroy give back all memory, references and slabs. */
#include "lib.h"

#define ROUNDS 60

static volatile u64 sink;

/* 8 MiB in steps of 4 KiB: some hundred EPT entries, several tables. */
static void touches(void)
{
	for (u64 off = 0; off < 8 * MIB; off += PAGE)
		sink += *(volatile u64 *)(GUEST_FREE_GPA + off);
}

static void halts(void)
{
	__asm__ volatile("hlt");
}

static void round_(u32 i)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpu = vcpu_create(vm, 0, i % 10 ? halts : touches, 0);
	struct vcpu *never_run = vcpu_create(vm, 1, halts, 0);

	if (vcpu_run(vcpu))
		bail("RUN: %m");
	must(inject(never_run->fd, TINYVMX_INJECT_NMI, 2));
	set_memory(vm->fd, 1, 0, GIB, PAGE, vm->ram);
	vcpu_destroy(never_run);
	if (i % 2) {
		vcpu_destroy(vcpu);
		vm_destroy(vm);
	} else {
		vm_destroy(vm);
		vcpu_destroy(vcpu);
	}
}

static long meminfo(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name) + 1);
	}
	if (f)
		fclose(f);
	return kib;
}

/* Pages that are free, also those that wait in a CPU's list. */
static long free_pages(void)
{
	FILE *f = fopen("/proc/zoneinfo", "re");
	char line[128];
	long sum = 0, n;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " pages free %ld", &n) == 1 ||
		    sscanf(line, " count: %ld", &n) == 1)
			sum += n;
	}
	if (f)
		fclose(f);
	return sum;
}

/* Objects in all kmalloc caches together, -1 if slabinfo cannot be read. */
static long kmalloc_objects(void)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[256], name[64];
	long sum = 0, active;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &active) == 2 &&
		    !strncmp(name, "kmalloc", 7))
			sum += active;
	}
	fclose(f);
	return sum;
}

struct sample {
	long free_pages, slab_kib, unreclaimable_kib, objects, refs, tables_kib;
};

static struct sample sample(void)
{
	struct sample s;

	/* RCU and delayed work of the closes before. */
	write_text("/proc/sys/vm/drop_caches", "3");
	sleep_us(100000);
	s.free_pages = free_pages();
	s.slab_kib = meminfo("Slab");
	s.unreclaimable_kib = meminfo("SUnreclaim");
	s.tables_kib = meminfo("PageTables");
	s.objects = kmalloc_objects();
	s.refs = read_long("/sys/module/tinyvmx/refcnt");
	return s;
}

int main(void)
{
	struct sample a, b;

	tap_init();
	info();
	for (u32 i = 0; i < 20; i++)
		round_(i);
	a = sample();
	for (u32 i = 0; i < ROUNDS; i++)
		round_(i);
	b = sample();

	/* A VMCS, an EPT root or a bitmap a round would be 60 pages. */
	ok(a.free_pages - b.free_pages < 50, "free pages %ld -> %ld",
	   a.free_pages, b.free_pages);
	ok(b.unreclaimable_kib - a.unreclaimable_kib < 150,
	   "SUnreclaim %ld -> %ld KiB", a.unreclaimable_kib, b.unreclaimable_kib);
	ok(b.tables_kib - a.tables_kib < 200, "PageTables %ld -> %ld KiB",
	   a.tables_kib, b.tables_kib);
	if (a.objects >= 0)
		ok(b.objects - a.objects < 50, "kmalloc objects %ld -> %ld",
		   a.objects, b.objects);
	else
		skip("/proc/slabinfo cannot be read", "kmalloc objects");
	if (a.refs >= 0)
		is(b.refs, 0, "the module has no users");
	else
		skip("no refcnt of the module", "the module has no users");
	return tap_exit();
}
