// SPDX-License-Identifier: GPL-2.0-only
/* Several vCPUs that halt: the machine ends when none goes on and none can be woken. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "lib/x86.h"
#include "machine_test.h"

#define VCPUS 3
#define TRAP  (1 << 14)

/* What a vCPU does, by its id. */
static enum act {
	HALTS,
	WAITS_FOR_SIPI,
	WAITS_FOR_INTERRUPT,
	COMPUTES,	/* until it is let go: then it halts, */
	STARVES,	/* ... the same, woken from a first halt; the host gives it no CPU, */
	PARKS,		/* ... or sends an INIT to itself */
	WAKES_FIRST,
	STEPS,
	RELAYS
} acts[VCPUS];
static atomic_bool let_go;
static int wakes[VCPUS];	/* eventfds: another vCPU has sent something */

static uint32_t activity(const struct fake_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->events.activity, __ATOMIC_SEQ_CST);
}

static void set_activity(struct fake_vcpu *vcpu, uint32_t value)
{
	__atomic_store_n(&vcpu->events.activity, value, __ATOMIC_SEQ_CST);
}

/* As the module does, without using the CPU. Return: 0: woken by another vCPU; -EINTR: kicked. */
static int sleep_in_run(struct fake_vcpu *vcpu)
{
	struct pollfd wake = { .fd = wakes[vcpu->id], .events = POLLIN };
	sigset_t kick, before;
	uint64_t count;
	int n = 0;

	sigemptyset(&kick);
	sigaddset(&kick, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &kick, &before);
	if (!__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED))
		n = ppoll(&wake, 1, NULL, &before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return n == 1 && read(wake.fd, &count, sizeof(count)) > 0 ? 0 : -EINTR;
}

/* In HLT or waiting for a SIPI: the module waits if there may be something to wait for. */
static int wait_for_peers(struct fake_vcpu *vcpu)
{
	return vcpu->run->wait_for_peers ? sleep_in_run(vcpu) : fake_exit(vcpu, TINYVMX_EXIT_HLT);
}

static int halt(struct fake_vcpu *vcpu, uint64_t rflags)
{
	set_activity(vcpu, TINYVMX_ACTIVITY_HLT);
	vcpu->regs.rflags = rflags;
	return rflags & X86_RFLAGS_IF ? sleep_in_run(vcpu) : wait_for_peers(vcpu);
}

static int park(struct fake_vcpu *vcpu)
{
	set_activity(vcpu, TINYVMX_ACTIVITY_WAIT_FOR_SIPI);
	return wait_for_peers(vcpu);
}

/* Until it is let go. */
static int compute(struct fake_vcpu *vcpu)
{
	set_activity(vcpu, TINYVMX_ACTIVITY_ACTIVE);
	while (!atomic_load(&let_go) &&
	       !__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED))
		test_sleep_ms(1);
	return atomic_load(&let_go) ? halt(vcpu, 0) : -EINTR;
}

static int starve(struct fake_vcpu *vcpu)
{
	if (vcpu->runs == 1 || atomic_load(&let_go))
		return halt(vcpu, 0);
	set_activity(vcpu, TINYVMX_ACTIVITY_ACTIVE);
	return sleep_in_run(vcpu);
}

/* Sends the first one an NMI once that has halted, and halts, too. */
static int wake_first(struct fake_vcpu *vcpu)
{
	struct fake_vcpu *first = &fake.vcpu[0];

	while (activity(first) == TINYVMX_ACTIVITY_ACTIVE)
		test_sleep_ms(1);
	if (activity(vcpu) != TINYVMX_ACTIVITY_HLT)
		__atomic_store_n(&first->events.pending, TINYVMX_PENDING_NMI, __ATOMIC_SEQ_CST);
	return halt(vcpu, 0);
}

/* The trap behind HLT, which RUN is about to see. */
static int step(struct fake_vcpu *vcpu)
{
	if (vcpu->run->wait_for_peers)
		vcpu->events.pending_dbg = TRAP;
	return halt(vcpu, 0);
}

/* ------------------------------------------------- a baton, from vCPU to vCPU */

#define PASSES 3000

static atomic_uint passes;	/* so far; whose turn it is follows */
static atomic_bool done;

static void kick_next(void)
{
	unsigned int next = (atomic_load(&passes) + 1) % VCPUS;
	uint64_t one = 1;

	__atomic_store_n(&fake.vcpu[next].events.pending, TINYVMX_PENDING_UNHALT, __ATOMIC_SEQ_CST);
	atomic_fetch_add(&passes, 1);
	assert_int_equal(write(wakes[next], &one, sizeof(one)), sizeof(one));
}

/* Return: false: kicked meanwhile. */
static bool carry(struct fake_vcpu *vcpu)
{
	static atomic_bool starved;

	set_activity(vcpu, TINYVMX_ACTIVITY_ACTIVE);
	__atomic_store_n(&vcpu->events.pending, 0, __ATOMIC_SEQ_CST);
	/* Longer than it takes to be asked what it does. */
	if (atomic_load(&passes) % 1000 == 999 && !atomic_exchange(&starved, true))
		return !sleep_in_run(vcpu);
	atomic_store(&starved, false);
	if (atomic_load(&passes) < PASSES)
		kick_next();
	else
		atomic_store(&done, true);
	return true;
}

static int relay(struct fake_vcpu *vcpu)
{
	int error = 0;

	while (!error) {
		if (!atomic_load(&done) && atomic_load(&passes) % VCPUS == vcpu->id && !carry(vcpu))
			return -EINTR;
		error = halt(vcpu, 0);
		if (!vcpu->run->wait_for_peers)
			break;
	}
	return error;
}

static bool takes_nmi(const struct fake_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->events.pending, __ATOMIC_SEQ_CST) & TINYVMX_PENDING_NMI &&
	       !(vcpu->events.interruptibility & TINYVMX_BLOCKING_BY_NMI);
}

static int guest(struct fake_vcpu *vcpu)
{
	if (takes_nmi(vcpu) || vcpu->events.pending_dbg & TRAP)
		return fake_out(vcpu, 0xf4, 1, 7);
	switch (acts[vcpu->id]) {
	case HALTS:
		return halt(vcpu, 0);
	case WAITS_FOR_SIPI:
		assert_int_equal(activity(vcpu), TINYVMX_ACTIVITY_WAIT_FOR_SIPI);
		return park(vcpu);
	case WAITS_FOR_INTERRUPT:
		return halt(vcpu, X86_RFLAGS_IF);
	case COMPUTES:
		return compute(vcpu);
	case STARVES:
		return starve(vcpu);
	case PARKS:
		return atomic_load(&let_go) ? park(vcpu) : compute(vcpu);
	case WAKES_FIRST:
		return wake_first(vcpu);
	case STEPS:
		return step(vcpu);
	case RELAYS:
		return relay(vcpu);
	}
	return -EIO;
}

/* ---------------------------------------------------------------- the tests */

static struct hv_machine *machine;
static pthread_t loop;

static void *serve(void *arg)
{
	hv_machine_serve(arg);
	return NULL;
}

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
	assert_int_equal(pthread_create(&loop, NULL, serve, machine), 0);
}

static void ends(enum hv_end_kind kind)
{
	assert_int_equal(pthread_join(loop, NULL), 0);
	hv_machine_join(machine);
	assert_int_equal(machine->end.kind, kind);
	hv_machine_destroy(machine);
}

static void ends_soon(void)
{
	uint64_t since = hv_monotonic_ns();

	ends(HV_END_HALTED);
	assert_in_range(hv_monotonic_ns() - since, 0, 1000000000);
}

/* For longer than it takes to see that it does not. */
static void goes_on(void)
{
	test_sleep_ms(500);
	assert_false(hv_machine_has_ended(machine));
}

static void test_all_halt(void **state)
{
	(void)state;
	start(HALTS, HALTS, HALTS);
	ends_soon();
}

static void test_others_never_started(void **state)
{
	(void)state;
	start(HALTS, WAITS_FOR_SIPI, WAITS_FOR_SIPI);
	ends_soon();
}

static void test_one_computes(void **state)
{
	(void)state;
	start(HALTS, COMPUTES, WAITS_FOR_SIPI);
	goes_on();
	/* Who halts tells it once, and is asked nothing; the first one gets the PIT's tick. */
	assert_in_range(fake.vcpu[0].runs, 2, 3);
	assert_int_equal(fake.vcpu[1].runs, 1);
	atomic_store(&let_go, true);
	ends_soon();
}

/* After an INIT no interrupt wakes it either. */
static void test_last_one_parks_itself(void **state)
{
	(void)state;
	start(HALTS, PARKS, WAITS_FOR_SIPI);
	goes_on();
	atomic_store(&let_go, true);
	hv_vcpu_kick(&machine->vcpus[1]);
	ends_soon();
}

static void test_one_waits_for_an_interrupt(void **state)
{
	(void)state;
	start(HALTS, HALTS, WAITS_FOR_INTERRUPT);
	goes_on();
	assert_in_range(fake.vcpu[0].runs, 2, 3);
	assert_int_equal(fake.vcpu[1].runs, 2);
	hv_machine_end(machine, HV_END_QUIT, 0, "%s", "");
	ends(HV_END_QUIT);
}

/* All have told, but one was woken since, and waits for a CPU. */
static void test_woken_and_starved(void **state)
{
	(void)state;
	start(STARVES, HALTS, WAITS_FOR_SIPI);
	goes_on();
	/* It is to tell again, so nobody asks it any more. */
	assert_in_range(fake.vcpu[0].runs, 3, 6);
	atomic_store(&let_go, true);
	hv_vcpu_kick(&machine->vcpus[0]);
	ends_soon();
}

/* What is on its way when the last one halts counts. */
static void test_woken(void **state)
{
	(void)state;
	start(HALTS, WAKES_FIRST, WAITS_FOR_SIPI);
	ends(HV_END_EXITED);
}

static void test_trap(void **state)
{
	(void)state;
	start(HALTS, STEPS, WAITS_FOR_SIPI);
	ends(HV_END_EXITED);
}

/* ... unless it cannot be taken. */
static void test_nmi_is_blocked(void **state)
{
	(void)state;
	start(HALTS, COMPUTES, WAITS_FOR_SIPI);
	test_sleep_ms(50);
	assert_true(hv_machine_pause(machine));
	fake.vcpu[0].events.pending = TINYVMX_PENDING_NMI;
	fake.vcpu[0].events.interruptibility = TINYVMX_BLOCKING_BY_NMI;
	hv_machine_resume(machine);
	atomic_store(&let_go, true);
	ends_soon();
}

/* A pin of the I/O APIC may send an NMI. */
static void test_chip_sends_nmi(void **state)
{
	(void)state;
	start(HALTS, COMPUTES, WAITS_FOR_SIPI);
	test_write_ioapic(machine, 0x12, 0x400);
	atomic_store(&let_go, true);
	goes_on();
	/* No more than that, from then on. */
	test_write_ioapic(machine, 0x12, 0x10000);
	ends_soon();
}

static bool have_told(void)
{
	bool told;

	pthread_mutex_lock(&machine->lock);
	told = machine->vcpus[0].waits_for_peers && machine->vcpus[1].waits_for_peers &&
	       machine->vcpus[2].waits_for_peers;
	pthread_mutex_unlock(&machine->lock);
	return told;
}

/* Start it and pause it before it is seen to have halted, which a slow host may miss. */
static bool start_and_pause(void)
{
	start(HALTS, HALTS, WAITS_FOR_SIPI);
	while (!have_told())
		test_sleep_ms(1);
	assert_true(hv_machine_pause(machine));
	if (!hv_machine_has_ended(machine))
		return true;
	hv_machine_resume(machine);
	ends(HV_END_HALTED);
	return false;
}

/* Somebody has paused it, and the loop must be there to resume it. */
static void test_paused(void **state)
{
	(void)state;
	while (!start_and_pause())
		;
	goes_on();
	hv_machine_resume(machine);
	ends_soon();
}

/* Thousands of kicks: nobody leaves RUN for them, and it ends when the last one is over. */
static void test_relay(void **state)
{
	(void)state;
	atomic_store(&passes, 0);
	atomic_store(&done, false);
	start(RELAYS, RELAYS, RELAYS);
	while (atomic_load(&passes) < PASSES) {
		assert_false(hv_machine_has_ended(machine));
		test_sleep_ms(20);
	}
	/* Two RUNs for each time that all were asked. */
	assert_in_range(fake.vcpu[0].runs, 2, 100);
	ends_soon();
	assert_int_equal(atomic_load(&passes), PASSES);
}

static int make_wakes(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < VCPUS; i++)
		wakes[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return 0;
}

static int close_wakes(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < VCPUS; i++)
		close(wakes[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_halt),
		cmocka_unit_test(test_others_never_started),
		cmocka_unit_test(test_one_computes),
		cmocka_unit_test(test_last_one_parks_itself),
		cmocka_unit_test(test_one_waits_for_an_interrupt),
		cmocka_unit_test(test_woken_and_starved),
		cmocka_unit_test(test_woken),
		cmocka_unit_test(test_trap),
		cmocka_unit_test(test_nmi_is_blocked),
		cmocka_unit_test(test_chip_sends_nmi),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_relay),
	};

	return cmocka_run_group_tests_name("halt", tests, make_wakes, close_wakes);
}
