// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCSs at random, in all three areas: what the CPU refuses hvctl can explain, and what hvctl
 * finds fault with the CPU refuses, in the stage where the SDM has it. Arguments: number of
 * VMCSs, seed.
 */
#include "chance.h"
#include "lab.h"

static struct lab lab;

/* --- chance --- */

static u64 chance_value(void)
{
	static const u64 edges[] = {
		0, 1, 2, 0x40, 0xfff, 0x1000, 0xffff, 0x10000, 0xfffff, 0x100000, 0xffffffff,
		0x100000000, 0xffffffffff, 0x7fffffffffff, 0x800000000000, 0xffff800000000000,
		0x9000000000000000, 0xffffffffffffffff,
	};

	return edges[chance() % ARRAY_SIZE(edges)];
}

/* --- a VMCS --- */

/* Bits 11:10 of an encoding */
enum { CONTROL, INFO, GUEST, HOST };

static u32 kind_of(u32 field)
{
	return field >> 10 & 3;
}

static u64 width_mask(u32 field)
{
	static const u64 masks[] = { 0xffff, ~0ULL, 0xffffffff, ~0ULL };

	return masks[field >> 13 & 3];
}

static u32 chance_field(u32 kind)
{
	u32 field;

	do
		field = lab.good[chance() % lab.good_count].encoding;
	while (kind_of(field) != kind);
	return field;
}

/* Most rules need that to be on. */
static const struct lab_change usual[] = {
	SET(ENTRY_INTR_INFO, 0x80000020), SET(ENTRY_INTR_INFO, 0x80000202),
	SET(ENTRY_INTR_INFO, 0x80000b0d), SET(ENTRY_INTR_INFO, 0x80000306),
	SET(ENTRY_INTR_INFO, 0x80000480), SET(GUEST_RFLAGS, 0x202), SET(GUEST_RFLAGS, 0x20002),
	SET(GUEST_CS_AR, 0xc09b), OFF(PROC2_CTLS, 1 << PROC2_UNRESTRICTED),
	OFF(PROC2_CTLS, 1 << PROC2_EPT | 1 << PROC2_UNRESTRICTED),
	OFF(ENTRY_CTLS, 1 << ENTRY_IA32E), SET(GUEST_INTERRUPTIBILITY, 1),
	SET(GUEST_INTERRUPTIBILITY, 2), SET(GUEST_ACTIVITY, 1), SET(GUEST_LDTR_AR, 0x82),
	ON(GUEST_CS_AR, 0x60), ON(GUEST_SS_AR, 0x60),
};

static void change_one(u32 kind)
{
	u32 field = chance_field(kind);
	u64 mask = width_mask(field);

	switch (chance() % 8) {
	case 0:
		lab_change(&lab, field, LAB_SET, chance_value() & mask);
		break;
	case 1:
		lab_change(&lab, field, LAB_SET, chance() & mask);
		break;
	default:
		lab_change(&lab, field, LAB_FLIP, (1ULL << chance() % 64) & mask);
	}
}

static void make_vmcs(void)
{
	static const u32 kinds[] = { CONTROL, GUEST, HOST };
	u32 kind = kinds[chance() % 3], n = 1 + chance() % 2;

	lab_begin(&lab);
	if (chance() & 1)
		lab_changes(&lab, &usual[chance() % ARRAY_SIZE(usual)], 1);
	while (n--)
		change_one(kind);
}

/* --- both opinions --- */

static struct tally {
	u32 entered, checked, refused, unsafe, ignored;
	u32 unexplained, unfounded, elsewhere;
} tally;

static void tell(const char *what, const struct explain_finding *finding)
{
	diag("%s%s%s (error %u, reason 0x%x):", what, finding ? ", against " : "",
	     finding ? finding->text : "", lab.arg.instruction_error, lab.arg.exit_reason);
	for (u32 i = 0; i < lab.writes; i++)
		diag("  0x%x = 0x%llx", lab.write[i].encoding,
		     (unsigned long long)lab.write[i].value);
}

/* The first finding in the stage that is meant: controls, host state (7, 8), or the guest's. */
static const struct explain_finding *first_in(bool guest)
{
	for (size_t i = 0; i < lab.found && i < LAB_FINDINGS; i++) {
		const struct explain_finding *f = &lab.findings[i];

		if (!strncmp(f->id, "guest.", 6) == guest && !lab_is_ignored(&lab, f))
			return f;
	}
	return NULL;
}

static void compare_refused(void)
{
	bool guest = !lab.arg.instruction_error;

	tally.refused++;
	if (!lab.found) {
		tally.unexplained++;
		tell("refused and not explained", NULL);
	} else if (!first_in(guest)) {
		tally.elsewhere++;
		tell("refused elsewhere", &lab.findings[0]);
	}
}

static void compare(void)
{
	const struct explain_finding *found;

	make_vmcs();
	lab_ask(&lab);
	switch (lab.arg.verdict) {
	case TINYVMX_LAB_UNSAFE:
		tally.unsafe++;
		return;
	case TINYVMX_LAB_REFUSED:
		compare_refused();
		return;
	case TINYVMX_LAB_CHECKED:
		tally.checked++;
		found = first_in(false);
		break;
	default:
		tally.entered++;
		tally.ignored += lab.found != 0;
		found = first_in(false) ?: first_in(true);
	}
	if (!found)
		return;
	tally.unfounded++;
	tell("accepted", found);
}

int main(int argc, char **argv)
{
	u32 n = argc > 1 ? (u32)atoi(argv[1]) : 2000;

	lab_start(&lab);
	if (argc > 2)
		chance_begin(argv[2]);
	for (u32 i = 0; i < n; i++)
		compare();
	diag("of %u VMCSs %u entered, %u passed the checks on controls and host, %u refused, %u not tried; the CPU ignored %u faults",
	     n, tally.entered, tally.checked, tally.refused, tally.unsafe, tally.ignored);
	is(tally.unexplained, 0, "hvctl explains each VMCS that the CPU refuses");
	is(tally.elsewhere, 0, "in the stage in which it does");
	is(tally.unfounded, 0, "hvctl finds no fault with VMCSs that the CPU takes");
	ok(tally.entered && tally.checked && tally.refused, "there were all of them");
	vcpu_simple_destroy(lab.vcpu);
	return tap_exit();
}
