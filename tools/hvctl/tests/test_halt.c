// SPDX-License-Identifier: GPL-2.0-only
/* Several vCPUs that halt: the machine ends when none goes on and none can be woken. */
#include "lib/x86.h"
#include "machine_test.h"

#define VCPUS 3

/* What a vCPU does, by its id; the first row is the first of its RUNs. */
static enum act { HALTS, WAITS_FOR_SIPI, WAITS_FOR_INTERRUPT, COMPUTES, WAKES_FIRST } acts[VCPUS];
static atomic_bool let_go;	/* who computes halts now */

/* RUN in HLT: as the module, which waits if there may be something to wait for. */
static int halt(struct fake_vcpu *vcpu, uint64_t rflags)
{
	vcpu->events.activity = TINYVMX_ACTIVITY_HLT;
	vcpu->regs.rflags = rflags;
	if (rflags & X86_RFLAGS_IF || vcpu->run->wait_for_peers)
		return fake_compute(vcpu);
	return fake_exit(vcpu, TINYVMX_EXIT_HLT);
}

static int wait_for_sipi(struct fake_vcpu *vcpu)
{
	assert_int_equal(vcpu->events.activity, TINYVMX_ACTIVITY_WAIT_FOR_SIPI);
	return fake_compute(vcpu);
}

static int compute(struct fake_vcpu *vcpu)
{
	vcpu->events.activity = TINYVMX_ACTIVITY_ACTIVE;
	while (!atomic_load(&let_go) &&
	       !__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED))
		test_sleep_ms(1);
	return atomic_load(&let_go) ? halt(vcpu, 0) : -EINTR;
}

/* Sends the first one an NMI once that has halted, and halts, too. */
static int wake_first(struct fake_vcpu *vcpu)
{
	struct tinyvmx_events *first = &fake.vcpu[0].events;

	if (first->activity == TINYVMX_ACTIVITY_ACTIVE)
		return compute(vcpu);
	if (!(vcpu->events.activity == TINYVMX_ACTIVITY_HLT))
		first->pending = TINYVMX_PENDING_NMI;
	return halt(vcpu, 0);
}

static int guest(struct fake_vcpu *vcpu)
{
	if (vcpu->events.pending & TINYVMX_PENDING_NMI &&
	    !(vcpu->events.interruptibility & TINYVMX_BLOCKING_BY_NMI))
		return fake_out(vcpu, 0xf4, 1, 7);
	switch (acts[vcpu->id]) {
	case HALTS:
		return halt(vcpu, 0);
	case WAITS_FOR_SIPI:
		return wait_for_sipi(vcpu);
	case WAITS_FOR_INTERRUPT:
		return halt(vcpu, X86_RFLAGS_IF);
	case COMPUTES:
		return compute(vcpu);
	case WAKES_FIRST:
		return wake_first(vcpu);
	}
	return -EIO;
}

static struct hv_machine *machine;

static void start(enum act first, enum act second, enum act third)
{
	struct hv_error err = { .text = "" };

	acts[0] = first;
	acts[1] = second;
	acts[2] = third;
	atomic_store(&let_go, false);
	machine = test_machine_of(HV_MACHINE_PC, VCPUS, guest);
	/* The others have been started up already. */
	for (unsigned int i = 1; i < VCPUS; i++)
		if (acts[i] != WAITS_FOR_SIPI)
			fake.vcpu[i].events.activity = TINYVMX_ACTIVITY_ACTIVE;
	if (hv_machine_start(machine, &err))
		fail_msg("%s", err.text);
}

static void ends(enum hv_end_kind kind)
{
	hv_machine_serve(machine);
	hv_machine_join(machine);
	assert_int_equal(machine->end.kind, kind);
	hv_machine_destroy(machine);
}

static void goes_on(void)
{
	test_sleep_ms(50);
	assert_false(hv_machine_has_ended(machine));
}

static void test_all_halt(void **state)
{
	(void)state;
	start(HALTS, HALTS, HALTS);
	ends(HV_END_HALTED);
}

static void test_others_never_started(void **state)
{
	(void)state;
	start(HALTS, WAITS_FOR_SIPI, WAITS_FOR_SIPI);
	ends(HV_END_HALTED);
}

static void test_one_computes(void **state)
{
	(void)state;
	start(HALTS, COMPUTES, WAITS_FOR_SIPI);
	goes_on();
	/* It has been looked at once: who halts waits, and asks no more. */
	assert_in_range(fake.vcpu[0].runs, 2, 10);
	atomic_store(&let_go, true);
	ends(HV_END_HALTED);
}

static void test_one_waits_for_an_interrupt(void **state)
{
	(void)state;
	start(HALTS, HALTS, WAITS_FOR_INTERRUPT);
	goes_on();
	assert_true(machine->vcpus[0].waits_for_peers && machine->vcpus[1].waits_for_peers);
	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "");
	ends(HV_END_QUIT);
}

/* What is on its way when the last one halts counts. */
static void test_woken(void **state)
{
	(void)state;
	start(HALTS, WAKES_FIRST, WAITS_FOR_SIPI);
	ends(HV_END_EXITED);
}

/* ... unless it cannot be taken. */
static void test_nmi_is_blocked(void **state)
{
	(void)state;
	start(HALTS, COMPUTES, WAITS_FOR_SIPI);
	goes_on();
	assert_true(hv_machine_pause(machine));
	fake.vcpu[0].events.pending = TINYVMX_PENDING_NMI;
	fake.vcpu[0].events.interruptibility = TINYVMX_BLOCKING_BY_NMI;
	hv_machine_resume(machine);
	atomic_store(&let_go, true);
	ends(HV_END_HALTED);
}

/* A pin of the I/O APIC may send an NMI. */
static void test_chip_sends_nmi(void **state)
{
	(void)state;
	start(HALTS, COMPUTES, WAITS_FOR_SIPI);
	pthread_mutex_lock(&machine->lock);
	test_write_ioapic(machine, 0x12, 0x400);
	pthread_mutex_unlock(&machine->lock);
	atomic_store(&let_go, true);
	goes_on();
	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "");
	ends(HV_END_QUIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_halt),
		cmocka_unit_test(test_others_never_started),
		cmocka_unit_test(test_one_computes),
		cmocka_unit_test(test_one_waits_for_an_interrupt),
		cmocka_unit_test(test_woken),
		cmocka_unit_test(test_nmi_is_blocked),
		cmocka_unit_test(test_chip_sends_nmi),
	};
	int failed = cmocka_run_group_tests_name("halt", tests, NULL, NULL);

	test_remove_image();
	return failed;
}
