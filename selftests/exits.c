// SPDX-License-Identifier: GPL-2.0-only
/* TINYVMX_STATE_EXITS: VM exits are counted by reason, for GET only. */
#include "lib.h"

#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_IO	30
#define REASON_WBINVD	54

static void leaves(void)
{
	u32 eax = 0, ebx, ecx = 0, edx;

	for (u32 i = 0; i < 3; i++)
		__asm__ volatile("wbinvd");
	for (u32 i = 0; i < 5; i++)
		__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	guest_sync(0);
	__asm__ volatile("cli; hlt");
}

static u64 sum(const struct tinyvmx_exits *exits)
{
	u64 total = 0;

	for (u32 i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++)
		total += exits->count[i];
	return total;
}

static void refusals(struct vcpu *vcpu, struct tinyvmx_exits *exits)
{
	err_is(get_state(vcpu->fd, TINYVMX_STATE_EXITS, exits, sizeof(*exits) - 8), EINVAL, "too short");
	err_is(get_state(vcpu->fd, TINYVMX_STATE_EXITS, exits, sizeof(*exits) + 8), EINVAL, "too long");
	err_is(get_state(vcpu->fd, TINYVMX_STATE_EXITS, NULL, sizeof(*exits)), EFAULT, "nowhere to put it");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_EXITS, exits, sizeof(*exits)), EOPNOTSUPP, "not to be set");
}

int main(void)
{
	struct tinyvmx_exits exits;
	struct vcpu *vcpu;

	tap_init();
	info();
	vcpu = vcpu_simple(leaves);
	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	ok(!sum(&exits), "none before the first RUN");
	ok_sync(vcpu, 0, "a guest with an OUT");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "and a HLT");
	must(get_state(vcpu->fd, TINYVMX_STATE_EXITS, &exits, sizeof(exits)));
	ok(exits.count[REASON_WBINVD] == 3, "WBINVD: %llu", exits.count[REASON_WBINVD]);
	ok(exits.count[REASON_CPUID] == 5, "CPUID: %llu", exits.count[REASON_CPUID]);
	ok(exits.count[REASON_IO] == 1, "I/O: %llu", exits.count[REASON_IO]);
	ok(exits.count[REASON_HLT] == 1, "HLT: %llu", exits.count[REASON_HLT]);
	ok(sum(&exits) == vcpu->run->exits, "all of them: %lu, the run page says %llu", sum(&exits),
	   vcpu->run->exits);
	refusals(vcpu, &exits);
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
