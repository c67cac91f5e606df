// SPDX-License-Identifier: GPL-2.0-only
/* What a debugger has planted is hidden from the guest that executes it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugger.h"
#include "lib/lock.h"

#define PAGE_MASK (~4095ULL)

/* So many accesses of the guest to a page are done for it: some tenths of a second. */
#define PATIENCE 100000

static void hide(void *ctx, uint64_t gpa, void *bytes, size_t len)
{
	hv_gdb_hide(ctx, gpa, bytes, len);
}

static void merge(void *ctx, uint64_t gpa, void *bytes, size_t len)
{
	hv_gdb_merge(ctx, gpa, bytes, len);
}

void hv_debugger_veil_init(struct hv_debugger *debugger)
{
	debugger->veil = (struct hv_debugger_veil){
		.veil = { .hide = hide, .merge = merge, .ctx = &debugger->points },
	};
}

const struct hv_veil *hv_debugger_veil_of(const struct hv_machine *machine)
{
	return machine->debugger ? &machine->debugger->veil.veil : NULL;
}

static bool has(const uint64_t *page, unsigned int count, uint64_t gpa)
{
	for (unsigned int i = 0; i < count; i++)
		if (page[i] == (gpa & PAGE_MASK))
			return true;
	return false;
}

static bool is_shown(const struct hv_debugger_veil *veil, uint64_t gpa)
{
	return has(veil->shown_page,
		   veil->shown < HV_GDB_PLANTS_MAX ? veil->shown : HV_GDB_PLANTS_MAX, gpa);
}

static bool is_ram(const struct hv_debugger *debugger, uint64_t gpa)
{
	const struct hv_memory *memory = debugger->points.memory;

	return !hv_memory_is_rom(memory, gpa) && hv_memory_at(memory, gpa, 1);
}

/* ------------------------------------------------------- which are to be hidden */

/* A set of pages. */
struct pages {
	unsigned int count;
	uint64_t page[HV_GDB_PLANTS_MAX];
};

static void add(struct pages *pages, uint64_t gpa)
{
	if (pages->count < HV_GDB_PLANTS_MAX && !has(pages->page, pages->count, gpa))
		pages->page[pages->count++] = gpa & PAGE_MASK;
}

/* Is one of the CPU's watchpoints for data? */
static bool watches(const struct hv_debugger *debugger)
{
	for (unsigned int i = 0; i < HV_GDB_DEBUG_REGS; i++)
		if (debugger->points.reg[i].used && debugger->points.reg[i].kind != HV_GDB_HBREAK)
			return true;
	return false;
}

/* What hvctl does for the guest hits no watchpoint of the CPU: beside these nothing is hidden. */
static void find_wanted(const struct hv_debugger *debugger, struct pages *wanted)
{
	if (watches(debugger))
		return;
	for (unsigned int i = 0; i < debugger->points.plants; i++) {
		uint64_t gpa = debugger->points.plant[i].gpa;

		if (is_ram(debugger, gpa) && !is_shown(&debugger->veil, gpa))
			add(wanted, gpa);
	}
	if (wanted->count > HV_VM_HIDDEN_MAX)
		wanted->count = HV_VM_HIDDEN_MAX;
}

/*
 * gdb takes its breakpoints away at each stop, and some at each step: what is hidden already may
 * stay so, as long as it does no harm.
 */
static bool is_good_enough(const struct hv_debugger *debugger, const struct pages *wanted)
{
	const struct hv_debugger_veil *veil = &debugger->veil;

	for (unsigned int i = 0; i < wanted->count; i++)
		if (!has(veil->page, veil->count, wanted->page[i]))
			return false;
	return !veil->count || !watches(debugger);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int apply(struct hv_debugger *debugger, struct pages *pages)
{
	struct hv_debugger_veil *veil = &debugger->veil;

	if (!veil->count && !pages->count)
		return 0;
	qsort(pages->page, pages->count, sizeof(pages->page[0]), compare);
	veil->count = pages->count;
	memcpy(veil->page, pages->page, pages->count * sizeof(pages->page[0]));
	memset(veil->accesses, 0, sizeof(veil->accesses));
	return hv_vm_hide(&debugger->machine->vm, &debugger->machine->memory, veil->page,
			  veil->count);
}

static bool can_hide(const struct hv_debugger *debugger)
{
	return debugger->machine->vm.info.capabilities & TINYVMX_CAP_EXECUTE_ONLY;
}

int hv_debugger_veil(struct hv_debugger *debugger)
{
	struct pages wanted = { 0 };

	if (!can_hide(debugger))
		return 0;
	find_wanted(debugger, &wanted);
	if (is_good_enough(debugger, &wanted))
		return 0;
	return apply(debugger, &wanted);
}

static void end(struct hv_debugger *debugger, int error)
{
	if (error)
		hv_machine_end(debugger->machine, HV_END_ERROR, 0,
			       "cannot give the guest its RAM back: %s", strerror(-error));
}

void hv_debugger_unveil(struct hv_debugger *debugger)
{
	end(debugger, apply(debugger, &(struct pages){ 0 }));
	debugger->veil.shown = 0;
	debugger->veil.told = false;
}

/* ----------------------------------------------------------- vCPUs' side */

static bool is_tired_of(struct hv_debugger_veil *veil, uint64_t gpa)
{
	for (unsigned int i = 0; i < veil->count; i++)
		if (veil->page[i] == (gpa & PAGE_MASK))
			return ++veil->accesses[i] == PATIENCE;
	return false;
}

bool hv_debugger_hides(struct hv_machine *machine, uint64_t gpa)
{
	struct hv_debugger *debugger = machine->debugger;

	hv_lock_assert_held(&machine->lock);
	if (!debugger || !has(debugger->veil.page, debugger->veil.count, gpa))
		return false;
	if (is_tired_of(&debugger->veil, gpa))
		hv_debugger_show(machine, gpa);
	return true;
}

void hv_debugger_show(struct hv_machine *machine, uint64_t gpa)
{
	struct hv_debugger_veil *veil = &machine->debugger->veil;

	hv_lock_assert_held(&machine->lock);
	if (!is_shown(veil, gpa))
		veil->shown_page[veil->shown++ % HV_GDB_PLANTS_MAX] = gpa & PAGE_MASK;
	hv_machine_want_attention(machine, HV_ATTENTION_SHOW);
}

static void show(struct hv_debugger *debugger)
{
	const struct hv_debugger_veil *veil = &debugger->veil;
	struct pages left = { 0 };

	for (unsigned int i = 0; i < veil->count; i++)
		if (!is_shown(veil, veil->page[i]))
			add(&left, veil->page[i]);
	end(debugger, apply(debugger, &left));
}

/* Of several vCPUs that see it the first one does it. */
void hv_debugger_attend_show(struct hv_machine *machine)
{
	bool wanted;

	if (!hv_machine_pause(machine))
		return;
	wanted = atomic_load(&machine->attention) & HV_ATTENTION_SHOW;
	hv_machine_drop_attention(machine, HV_ATTENTION_SHOW);
	if (wanted && machine->debugger)
		show(machine->debugger);
	hv_machine_resume(machine);
}
