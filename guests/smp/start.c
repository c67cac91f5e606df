// SPDX-License-Identifier: GPL-2.0-only
/*
 * start: the CPUs of MADT and MP table, started one by one and all at once, by xAPIC and by
 * x2APIC; and what each sees of itself and the others in CPUID.
 */
#include "../lib/acpi.h"
#include "../lib/smp.h"

#define CPUID_HTT	(1U << 28)
#define BASE_BSP	(1U << 8)
#define LEVEL_SMT	1
#define LEVEL_CORE	2

/* What a CPU has seen of itself. */
struct view {
	u32 initial_id, logical_cpus, features;
	u32 cores, x2apic_ids[2][3], levels[2];
	bool agrees;			/* each level of a leaf has the same x2APIC id */
	u32 lapic_id;
	bool is_bsp;
};

static struct view views[CPUS_MAX];

/* Leaf 0BH or 1FH: levels from the thread to the package. */
static void look_at_levels(struct view *view, u32 leaf)
{
	bool newer = leaf == 0x1f;
	u32 level;

	for (level = 0; level < 3; level++) {
		struct cpuid r = cpuid(leaf, level);

		if (!(r.ecx >> 8 & 0xff))
			break;
		view->x2apic_ids[newer][level] = r.edx;
		view->agrees &= (r.ecx & 0xff) == level && r.edx == view->x2apic_ids[newer][0];
		view->levels[newer]++;
	}
}

static void look(void *unused)
{
	struct view *view = &views[this_cpu()->index];
	struct cpuid one = cpuid(1, 0);

	(void)unused;
	*view = (struct view){
		.initial_id = one.ebx >> 24,
		.logical_cpus = one.ebx >> 16 & 0xff,
		.features = one.edx,
		.cores = (cpuid(4, 0).eax >> 26) + 1,
		.agrees = true,
		.lapic_id = apic_id(),
		.is_bsp = rdmsr(MSR_APIC_BASE) & BASE_BSP,
	};
	if (cpuid(0, 0).eax >= 0xb)
		look_at_levels(view, 0xb);
	if (cpuid(0, 0).eax >= 0x1f)
		look_at_levels(view, 0x1f);
}

static void check_view(const struct cpu *cpu)
{
	const struct view *view = &views[cpu->index];
	u32 leaf;

	check_eq(view->lapic_id, cpu->apic_id);
	check_eq(view->initial_id, cpu->apic_id & 0xff);
	check_eq(view->is_bsp, cpu == cpus);
	check_eq(view->features & CPUID_HTT, CPUID_HTT);
	check(view->logical_cpus >= nr_cpus);
	/* Ids that could be in the package, rounded up to a power of two. */
	check(view->cores >= 1 && view->cores <= 64);
	check(view->agrees);
	for (leaf = 0; leaf < 2; leaf++)
		if (view->levels[leaf])
			check_eq(view->x2apic_ids[leaf][0], cpu->apic_id);
}

/* How many CPUs leaf 0BH says there are in the package, and by how many bits ids say which. */
static void check_levels(void)
{
	struct cpuid smt = cpuid(0xb, 0), core = cpuid(0xb, 1);
	u32 threads = smt.ebx & 0xffff, all = core.ebx & 0xffff;

	if (!views[0].levels[0]) {
		skipped("no leaf 0BH");
		return;
	}
	check_eq(smt.ecx >> 8 & 0xff, LEVEL_SMT);
	check_eq(core.ecx >> 8 & 0xff, LEVEL_CORE);
	check(threads >= 1 && threads <= 1U << (smt.eax & 0x1f));
	check(all <= 1U << (core.eax & 0x1f));
	check_eq(all, nr_cpus);
	/* All in one package. */
	check_eq(cpus[nr_cpus - 1].apic_id >> (core.eax & 0x1f), 0);
	print("  %u in the package, %u a core; ids have %u bits\n", all, threads, core.eax & 0x1f);
}

static void check_topology(void)
{
	struct cpu *cpu;

	step("each CPU sees itself in CPUID leaves 1, 0BH and 1FH, and the same number of all");
	smp_run_all(look, NULL);
	for_each_cpu(cpu)
		check_view(cpu);
	check_levels();
}

static void check_tables(void)
{
	u32 madt[CPUS_MAX], mp[CPUS_MAX], i;
	u32 count = cpus_by_madt(madt), old = cpus_by_mp_table(mp);
	u64 table = acpi_find_table("APIC");

	step("MADT and MP table name the same CPUs, the BSP first");
	check_eq(acpi_sum(table, acpi_field(table + ACPI_LENGTH, 4)), 0);
	check_eq(count, nr_cpus);
	check_eq(old, count);
	check_eq(madt[0], cpus[0].apic_id);
	for (i = 0; i < count && i < old; i++)
		check_eq(mp[i], madt[i]);
}

static u32 alive(void)
{
	struct cpu *cpu;
	u32 count = 1;

	for_each_other(cpu)
		count += cpu->alive;
	return count;
}

static void check_broadcast(void)
{
	struct cpu *cpu;

	step("all others at once");
	for_each_other(cpu)
		cpu->alive = false;
	ap_start_others();
	check(wait_until(alive() == nr_cpus));
	check_topology();
}

GUEST("start")
{
	smp_init();
	check_tables();
	step("by xAPIC, one by one");
	smp_start_all();
	check_topology();
	check_broadcast();
	step("by x2APIC, one by one");
	if (!smp_switch_to_x2apic()) {
		skipped("no x2APIC");
		return;
	}
	check_topology();
	check_broadcast();
	print("%u CPUs have come\n", nr_cpus);
}
