// SPDX-License-Identifier: GPL-2.0-only
/* What a debugger has planted, hidden from the guest, shown to it, and seen by the BIOS. */
#include "lib/x86.h"
#include "machine_bios_test.h"
#include "vmm/debugger.h"

#define PAGE	4096ULL
#define BUFFER	0x10000
#define PLANT	(BUFFER + 0x10)
#define CODE	0x7c00
#define INT3	0xcc
#define S5_PORT 0x604
#define S5	0x2000

static struct hv_machine *machine;
static struct hv_debugger *debugger;
static unsigned int step;

/* A machine with our BIOS and an empty disk. */
static int setup(void **state)
{
	static const uint8_t sector[512] = { [510] = 0x55, [511] = 0xaa };
	char path[] = "/tmp/hv-sector-XXXXXX";
	struct hv_config config = test_config(HV_MACHINE_DEFAULT);
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, sector, sizeof(sector)), sizeof(sector));
	close(fd);
	step = 0;
	fake_reset(NULL);
	fake.capabilities |= TINYVMX_CAP_EXECUTE_ONLY | TINYVMX_CAP_DEBUG_STEP;
	config.load.path = path;
	machine = test_machine(&config);
	unlink(path);
	debugger = calloc(1, sizeof(*debugger));
	debugger->machine = machine;
	debugger->points.memory = &machine->memory;
	hv_debugger_veil_init(debugger);
	machine->debugger = debugger;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine->debugger = NULL;
	hv_machine_destroy(machine);
	free(debugger);
	return 0;
}

static void run(fake_guest_fn guest)
{
	test_machine_run(machine, guest);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
}

static void plant(uint64_t at)
{
	assert_int_equal(hv_gdb_plant(&debugger->points, at, at), 0);
	assert_int_equal(hv_debugger_veil(debugger), 0);
}

static void unplant_all(void)
{
	hv_gdb_points_clear(&debugger->points);
}

static bool hides(uint64_t at)
{
	bool hidden;

	test_with_lock(machine, hidden = hv_debugger_hides(machine, at));
	return hidden;
}

/* Slots that can only be executed. */
static unsigned int count_hidden(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < FAKE_SLOTS; i++)
		count += fake.slots[i].len && fake.slots[i].flags & TINYVMX_MEMORY_EXECUTE_ONLY;
	return count;
}

static void show(uint64_t at)
{
	test_with_lock(machine, hv_debugger_show(machine, at));
	hv_debugger_attend_show(machine);
}

/* ----------------------------------------------------------------- pages */

static void test_hidden(void **state)
{
	(void)state;
	plant(PLANT);
	assert_int_equal(count_hidden(), 1);
	assert_true(hides(BUFFER));
	assert_true(hides(BUFFER + PAGE - 1));
	assert_false(hides(BUFFER + PAGE));
	/* It may stay so while gdb steps. */
	unplant_all();
	assert_int_equal(hv_debugger_veil(debugger), 0);
	assert_true(hides(BUFFER));
	hv_debugger_unveil(debugger);
	assert_false(hides(BUFFER));
	assert_int_equal(count_hidden(), 0);
}

static void test_shown(void **state)
{
	/* An entry that is not used yet must not be taken for page 0. */
	static const uint64_t places[] = { PLANT, 0x600 };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		plant(places[i]);
		assert_true(hides(places[i]));
		show(places[i]);
		assert_false(hides(places[i]));
		plant(places[i] + 1);
		assert_false(hides(places[i]));
	}
	assert_int_equal(count_hidden(), 0);
}

/* What one debugger was shown does not count for the next. */
static void test_shown_again(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		plant(PLANT);
		assert_true(hides(PLANT));
		show(PLANT);
		assert_false(hides(PLANT));
		unplant_all();
		hv_debugger_unveil(debugger);
	}
}

/* More than are remembered. */
static void test_shown_many(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HV_GDB_PLANTS_MAX + 50; i++) {
		uint64_t at = PLANT + i * PAGE;

		plant(at);
		assert_true(hides(at));
		show(at);
		assert_false(hides(at));
		unplant_all();
	}
}

static void test_patience(void **state)
{
	(void)state;
	plant(PLANT);
	for (unsigned int i = 0; i < 100000; i++)
		assert_true(hides(BUFFER));
	hv_debugger_attend_show(machine);
	assert_false(hides(BUFFER));
}

static void test_beside_watchpoint(void **state)
{
	(void)state;
	plant(PLANT);
	assert_int_equal(hv_gdb_watch(&debugger->points, HV_GDB_HBREAK, CODE, 1), 0);
	plant(PLANT + PAGE);
	assert_int_equal(count_hidden(), 2);
	assert_int_equal(hv_gdb_watch(&debugger->points, HV_GDB_WATCH, CODE, 4), 0);
	assert_int_equal(hv_debugger_veil(debugger), 0);
	assert_int_equal(count_hidden(), 0);
	assert_int_equal(hv_gdb_unwatch(&debugger->points, HV_GDB_WATCH, CODE, 4), 0);
	assert_int_equal(hv_debugger_veil(debugger), 0);
	assert_int_equal(count_hidden(), 2);
}

static void test_most(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HV_VM_HIDDEN_MAX + 5; i++)
		plant(PLANT + i * PAGE);
	assert_int_equal(count_hidden(), HV_VM_HIDDEN_MAX);
}

static void test_without(void **state)
{
	(void)state;
	machine->vm.info.capabilities &= ~TINYVMX_CAP_EXECUTE_ONLY;
	plant(PLANT);
	assert_int_equal(count_hidden(), 0);
}

/* ------------------------------------------------------------- the BIOS */

static int power_off(struct fake_vcpu *vcpu)
{
	return fake_out(vcpu, S5_PORT, 2, S5);
}

/* The first sector to BUFFER. */
static int reads_disk(struct fake_vcpu *vcpu)
{
	vcpu->regs.gpr[TINYVMX_RBX] = 0;
	vcpu->regs.gpr[TINYVMX_RCX] = 1;
	vcpu->regs.gpr[TINYVMX_RDX] = 0;
	vcpu->sregs.seg[TINYVMX_ES].base = BUFFER;
	return test_bios_call(machine, vcpu, 0x13, 0x0201);
}

/* mov %al, (%bx), in a page that is hidden. */
static int writes(struct fake_vcpu *vcpu)
{
	struct tinyvmx_run *r = vcpu->run;

	test_put(&machine->memory, CODE, "\x88\x07", 2);
	vcpu->regs.rip = CODE;
	vcpu->sregs.seg[TINYVMX_CS].base = vcpu->sregs.seg[TINYVMX_DS].base = 0;
	vcpu->sregs.seg[TINYVMX_DS].limit = 0xffff;
	vcpu->regs.gpr[TINYVMX_RBX] = 0x900;
	r->regs = vcpu->regs;
	r->mmio = (struct tinyvmx_exit_mmio){
		.gpa = 0x900,
		.gla = 0x900,
		.flags = TINYVMX_MMIO_WRITE | TINYVMX_MMIO_GLA_VALID,
	};
	return fake_exit(vcpu, TINYVMX_EXIT_MMIO);
}

static int reads_disk_once(struct fake_vcpu *vcpu)
{
	return step++ ? power_off(vcpu) : reads_disk(vcpu);
}

static void test_bios(void **state)
{
	uint8_t byte;

	(void)state;
	test_put(&machine->memory, PLANT, "\x90", 1);
	plant(PLANT);
	run(reads_disk_once);
	assert_int_equal(hv_memory_read(&machine->memory, PLANT, &byte, 1), 0);
	assert_int_equal(byte, INT3);
	/* What it was read over with lies behind it. */
	hv_gdb_hide(&debugger->points, PLANT, &byte, 1);
	assert_int_equal(byte, 0);
}

static int after_it_has_left(struct fake_vcpu *vcpu)
{
	switch (step++) {
	case 0:
		return writes(vcpu);
	case 1:
		/* As with the machine stopped. */
		machine->debugger = NULL;
		free(debugger);
		debugger = NULL;
		return reads_disk(vcpu);
	}
	return power_off(vcpu);
}

static void test_bios_afterwards(void **state)
{
	(void)state;
	run(after_it_has_left);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_hidden),      T(test_shown),
		T(test_shown_again), T(test_shown_many),
		T(test_patience),    T(test_beside_watchpoint),
		T(test_most),        T(test_without),
		T(test_bios),        T(test_bios_afterwards),
	};

	return cmocka_run_group_tests_name("veil", tests, NULL, NULL);
}
