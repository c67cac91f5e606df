/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of a machine with our BIOS share: how its guest calls that. */
#ifndef HV_TESTS_MACHINE_BIOS_TEST_H
#define HV_TESTS_MACHINE_BIOS_TEST_H

#include "bios/rom.h"
#include "machine_test.h"

#define STACK 0x6000

/* INT @number with AX, as far as the ROM's OUT. */
static inline int test_bios_call(struct hv_machine *machine, struct fake_vcpu *vcpu,
				 uint16_t number, uint16_t ax)
{
	const uint16_t frame[4] = { number, 0, 0, 0x202 };

	test_put(&machine->memory, STACK, frame, sizeof(frame));
	vcpu->sregs.seg[TINYVMX_CS].selector = HV_BIOS_SEGMENT;
	vcpu->sregs.seg[TINYVMX_SS].base = 0;
	vcpu->regs.gpr[TINYVMX_RSP] = STACK;
	vcpu->regs.gpr[TINYVMX_RAX] = ax;
	vcpu->regs.rip = hv_bios_at(hv_bios_rom_called);
	return fake_out(vcpu, HV_BIOS_PORT, 1, 0);
}

/* With that guest, to its end. */
static inline void test_machine_run(struct hv_machine *machine, fake_guest_fn guest)
{
	struct hv_error err;

	fake.guest = guest;
	assert_int_equal(hv_machine_start(machine, &err), 0);
	hv_machine_serve(machine);
	hv_machine_join(machine);
}

#endif
