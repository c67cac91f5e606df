// SPDX-License-Identifier: GPL-2.0-only
/* Running, pausing, resetting and ending a machine, and who does so at the same time. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "lib/util.h"
#include "machine_test.h"
#include "virtio/pci.h"
#include "vmm/devices.h"

#define VCPUS 4

/* Start it, serve it to its end. */
static void run(struct hv_machine *machine)
{
	struct hv_error err = { .text = "" };

	if (hv_machine_start(machine, &err))
		fail_msg("%s", err.text);
	hv_machine_serve(machine);
	hv_machine_join(machine);
}

/* --------------------------------------------------------------------- end */

static int powers_off(struct fake_vcpu *vcpu)
{
	return fake_out(vcpu, 0x604, 2, 0x2000);
}

static void test_power_off(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_BARE, 1, powers_off);

	(void)state;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(machine->vcpus[0].exits[TINYVMX_EXIT_IO], 1);
	assert_int_equal(machine->vcpus[0].state, HV_VCPU_STOPPED);
	hv_machine_destroy(machine);
}

static int writes_exit_port(struct fake_vcpu *vcpu)
{
	return fake_out(vcpu, 0xf4, 1, 7 + vcpu->id);
}

static void test_the_first_end_counts(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, writes_exit_port);

	(void)state;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_EXITED);
	assert_in_range(machine->end.detail, 7, 7 + VCPUS - 1);
	hv_machine_destroy(machine);
}

static int fails(struct fake_vcpu *vcpu)
{
	(void)vcpu;
	return -EIO;
}

static void test_run_fails(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_BARE, 1, fails);

	(void)state;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_ERROR);
	assert_non_null(strstr(machine->end.text, "cannot run vCPU 0"));
	hv_machine_destroy(machine);
}

static void *ends_it(void *ctx)
{
	hv_machine_end(ctx, HV_END_QUIT, 0, "%s", "bell \a");
	return NULL;
}

/* Against vCPUs that are about to start, to enter RUN, or in it. */
static void test_end_races(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, fake_compute);
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, ends_it, machine), 0);
		run(machine);
		pthread_join(thread, NULL);
		assert_int_equal(machine->end.kind, HV_END_QUIT);
		assert_string_equal(machine->end.text, "bell ?");
		hv_machine_destroy(machine);
	}
}

/* ... at any moment of its first steps. */
static void test_end_at_any_moment(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		struct hv_machine *machine = test_machine_of(HV_MACHINE_BARE, 1, fake_compute);
		const struct timespec moment = { .tv_nsec = rand_r(&seed) % 300000 };
		struct hv_error err;

		assert_int_equal(hv_machine_start(machine, &err), 0);
		nanosleep(&moment, NULL);
		ends_it(machine);
		hv_machine_join(machine);
		assert_int_equal(machine->end.kind, HV_END_QUIT);
		hv_machine_destroy(machine);
	}
}

/* ------------------------------------------------------------------- reset */

/* CF9 at first; in its second life it turns itself off. */
static int resets(struct fake_vcpu *vcpu)
{
	return vcpu->made == 1 ? fake_out(vcpu, 0xcf9, 1, 6) : powers_off(vcpu);
}

static void test_reset(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, 1, resets);
	uint8_t byte = 0;

	(void)state;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(fake.vcpu[0].made, 2);
	assert_int_equal(hv_memory_read(&machine->memory, 0x100000, &byte, 1), 0);
	assert_int_equal(byte, 0xf4);
	hv_machine_destroy(machine);
}

/* All ask for it at once: it is done at least once, and nobody runs meanwhile. */
static void test_reset_by_all(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, resets);

	(void)state;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	for (unsigned int i = 0; i < VCPUS; i++)
		assert_in_range(fake.vcpu[i].made, 2, 2 + VCPUS);
	hv_machine_destroy(machine);
}

static atomic_bool answers;

/* A host's disk that does not, from a device's worker. */
static void wait_for_answer(void *ctx)
{
	(void)ctx;
	while (!atomic_load(&answers))
		test_sleep_ms(1);
}

static bool is_paused(struct hv_machine *machine)
{
	bool paused;

	pthread_mutex_lock(&machine->run_lock);
	paused = machine->paused;
	pthread_mutex_unlock(&machine->run_lock);
	return paused;
}

/* A machine whose guest resets it, and waits for a device. */
static struct hv_machine *make_waiting(struct hv_job *job)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_machine *machine;
	struct hv_virtio *dev;
	struct hv_error err;

	fake_reset(resets);
	assert_int_equal(hv_config_add_device(&config, "device", "rng", &err), 0);
	machine = test_machine(&config);
	dev = machine->devices[0].dev;
	hv_virtio_set_status(dev, HV_VIRTIO_ACKNOWLEDGE);
	atomic_store(&answers, false);
	*job = (struct hv_job){ .fn = wait_for_answer };
	hv_worker_post(&dev->worker, job);
	assert_int_equal(hv_machine_start(machine, &err), 0);
	while (!is_paused(machine))
		test_sleep_ms(1);
	return machine;
}

/* Nobody else waits with it: others get the lock, and hear that it is not their turn. */
static void test_reset_waits_for_disk(void **state)
{
	struct timespec until;
	struct hv_job job;
	struct hv_machine *machine = make_waiting(&job);

	(void)state;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	test_sleep_ms(50);
	assert_int_equal(pthread_mutex_timedlock(&machine->lock, &until), 0);
	pthread_mutex_unlock(&machine->lock);
	assert_false(hv_machine_try_pause(machine, 1));
	assert_int_equal(fake.vcpu[0].made, 1);
	atomic_store(&answers, true);
	hv_machine_serve(machine);
	hv_machine_join(machine);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(fake.vcpu[0].made, 2);
	hv_machine_destroy(machine);
}

/* ... and the machine's end does not. */
static void test_end_while_disk_hangs(void **state)
{
	struct hv_job job;
	struct hv_machine *machine = make_waiting(&job);

	(void)state;
	ends_it(machine);
	hv_machine_join(machine);
	assert_int_equal(machine->end.kind, HV_END_QUIT);
	assert_int_equal(fake.vcpu[0].made, 1);
	atomic_store(&answers, true);
	hv_machine_destroy(machine);
}

static int resets_and_spoils_it(struct fake_vcpu *vcpu)
{
	fake.create_vcpu_error = -ENOMEM;
	return fake_out(vcpu, 0xcf9, 1, 6);
}

static void test_reset_fails(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, 1, resets_and_spoils_it);

	(void)state;
	run(machine);
	assert_int_equal(machine->end.kind, HV_END_ERROR);
	assert_non_null(strstr(machine->end.text, "cannot reset the machine"));
	assert_null(machine->vcpus[0].run);
	hv_machine_destroy(machine);
}

/* ------------------------------------------------------------------- pause */

struct pauser {
	struct hv_machine *machine;
	pthread_t thread;
	unsigned int rounds;
	unsigned int seen_inside, seen_running, seen_moving;
};

static unsigned int all_runs(void)
{
	unsigned int runs = 0;

	for (unsigned int i = 0; i < VCPUS; i++)
		runs += fake.vcpu[i].runs;
	return runs;
}

static void look(struct pauser *p)
{
	unsigned int before = all_runs();

	pthread_mutex_lock(&p->machine->run_lock);
	for (unsigned int i = 0; i < VCPUS; i++) {
		p->seen_inside += fake.vcpu[i].inside;
		p->seen_running += p->machine->vcpus[i].state == HV_VCPU_RUNNING;
	}
	pthread_mutex_unlock(&p->machine->run_lock);
	test_sleep_ms(1);
	p->seen_moving += all_runs() != before;
}

static void *pauses(void *ctx)
{
	struct pauser *p = ctx;

	for (unsigned int i = 0; i < p->rounds; i++) {
		if (!hv_machine_pause(p->machine))
			break;
		look(p);
		hv_machine_resume(p->machine);
	}
	return NULL;
}

static void start_pausers(struct pauser *p, unsigned int count, struct hv_machine *machine)
{
	for (unsigned int i = 0; i < count; i++) {
		p[i] = (struct pauser){ .machine = machine, .rounds = 50 };
		assert_int_equal(pthread_create(&p[i].thread, NULL, pauses, &p[i]), 0);
	}
}

static void join_pausers(const struct pauser *p, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		pthread_join(p[i].thread, NULL);
		assert_int_equal(p[i].seen_inside, 0);
		assert_int_equal(p[i].seen_running, 0);
		assert_int_equal(p[i].seen_moving, 0);
	}
}

/* Some of them compute, some are busy with exits. */
static int works(struct fake_vcpu *vcpu)
{
	return vcpu->id % 2 ? fake_compute(vcpu) : fake_in(vcpu, 0x3fd, 1);
}

static void test_pause_by_many(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, works);
	struct hv_error err;
	struct pauser p[3];
	unsigned int before;

	(void)state;
	assert_int_equal(hv_machine_start(machine, &err), 0);
	start_pausers(p, 3, machine);
	join_pausers(p, 3);
	before = all_runs();
	while (all_runs() == before)
		test_sleep_ms(1);
	ends_it(machine);
	hv_machine_serve(machine);
	hv_machine_join(machine);
	hv_machine_destroy(machine);
}

static atomic_uint resets_left;

/* Ends after so many resets. */
static int resets_again(struct fake_vcpu *vcpu)
{
	unsigned int left = resets_left;

	if (!left)
		return powers_off(vcpu);
	if (vcpu->id || !atomic_compare_exchange_strong(&resets_left, &left, left - 1))
		return fake_in(vcpu, 0x3fd, 1);
	return fake_out(vcpu, 0xcf9, 1, 6);
}

/* A vCPU that pauses the others to reset, and threads that pause it. */
static void test_pause_while_resetting(void **state)
{
	struct hv_machine *machine;
	struct pauser p[2];

	(void)state;
	resets_left = 30;
	machine = test_machine_of(HV_MACHINE_PC, VCPUS, resets_again);
	start_pausers(p, 2, machine);
	run(machine);
	join_pausers(p, 2);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	hv_machine_destroy(machine);
}

/* Before it was started, and for good: an end gets through. */
static void test_end_of_a_paused_machine(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, fake_compute);
	struct hv_error err;

	(void)state;
	hv_machine_pause(machine);
	assert_int_equal(hv_machine_start(machine, &err), 0);
	test_sleep_ms(20);
	assert_int_equal(all_runs(), 0);
	ends_it(machine);
	hv_machine_serve(machine);
	hv_machine_join(machine);
	assert_int_equal(all_runs(), 0);
	hv_machine_resume(machine);
	hv_machine_destroy(machine);
}

static atomic_bool may_reset;

static int resets_when_told(struct fake_vcpu *vcpu)
{
	while (!may_reset)
		test_sleep_ms(1);
	return fake_out(vcpu, 0xcf9, 1, 6);
}

/*
 * A vCPU is about to reset the machine, somebody else is first to pause it, and ends it
 * like that: who waits for a turn gives up, and resets nothing.
 */
static void test_end_while_a_reset_waits(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, 1, resets_when_told);
	struct hv_error err;

	(void)state;
	may_reset = false;
	assert_int_equal(hv_machine_start(machine, &err), 0);
	while (!fake.vcpu[0].inside)
		test_sleep_ms(1);
	pthread_mutex_lock(&machine->run_lock);
	may_reset = true;
	while (!(machine->attention & HV_ATTENTION_RESET))
		test_sleep_ms(1);
	/* It goes for the lock: what hv_machine_pause() does, had we been faster. */
	test_sleep_ms(20);
	machine->paused = true;
	pthread_mutex_unlock(&machine->run_lock);
	test_sleep_ms(20);
	ends_it(machine);
	alarm(10);
	hv_machine_join(machine);
	alarm(0);
	assert_int_equal(fake.vcpu[0].made, 1);
	hv_machine_resume(machine);
	hv_machine_destroy(machine);
}

static struct hv_machine *ends_in_reset;
static bool touched;

/* The first vCPU is being replaced, another waits: it is to leave, and touch nothing on its way. */
static void ends_meanwhile(unsigned int id)
{
	unsigned int waits = hv_vcpu_current()->id == VCPUS - 1 ? VCPUS - 2 : VCPUS - 1;
	struct hv_vcpu *vcpu = &ends_in_reset->vcpus[waits];
	enum hv_vcpu_state state;

	if (id)
		return;
	vcpu->run->immediate_exit = 0;
	ends_it(ends_in_reset);
	do {
		test_sleep_ms(1);
		pthread_mutex_lock(&ends_in_reset->run_lock);
		state = vcpu->state;
		pthread_mutex_unlock(&ends_in_reset->run_lock);
		touched |= state == HV_VCPU_RUNNING;
	} while (state != HV_VCPU_STOPPED);
	touched |= __atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED);
}

static int resets_once(struct fake_vcpu *vcpu)
{
	if (vcpu->id)
		return fake_compute(vcpu);
	for (unsigned int i = 1; i < VCPUS; i++)
		while (!fake.vcpu[i].inside)
			test_sleep_ms(1);
	return fake_out(vcpu, 0xcf9, 1, 6);
}

/* The kick that tells the others of the end must not be taken where their run pages may be gone. */
static void test_end_while_resetting(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, VCPUS, resets_once);

	(void)state;
	touched = false;
	ends_in_reset = machine;
	fake.creates_vcpu = ends_meanwhile;
	alarm(10);
	run(machine);
	alarm(0);
	assert_false(touched);
	assert_int_equal(machine->end.kind, HV_END_QUIT);
	hv_machine_destroy(machine);
}

/* -------------------------------------------------------------------- time */

#define TSC 0x10

static void set_times(uint64_t tsc, uint64_t left)
{
	struct tinyvmx_msr msr = { .index = TSC, .value = tsc };

	tvx_set_state(fake.vcpu[0].fd, TINYVMX_STATE_MSRS, &msr, sizeof(msr));
	fake.vcpu[0].lapic.timer_left = left;
	fake.vcpu[0].lapic.deadline = 2 * left;
}

static void test_time_stands_still(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, 1, fake_compute);
	struct tinyvmx_msr msr = { .index = TSC };
	uint64_t before, after;

	(void)state;
	hv_machine_pause(machine);
	pthread_mutex_lock(&machine->lock);
	set_times(1000, 500);
	assert_int_equal(hv_machine_stop_time(machine), 0);
	before = hv_now_ns(&machine->clock);
	test_sleep_ms(20);
	assert_int_equal(hv_now_ns(&machine->clock), before);
	/* On the host it goes on; and an interrupt has come to the APIC. */
	set_times(5000000, 0);
	fake.vcpu[0].lapic.regs[0x20] = 1;
	assert_int_equal(hv_machine_start_time(machine), 0);
	after = hv_now_ns(&machine->clock);
	assert_in_range(after - before, 0, 15000000);
	tvx_get_state(fake.vcpu[0].fd, TINYVMX_STATE_MSRS, &msr, sizeof(msr));
	assert_int_equal(msr.value, 1000);
	assert_int_equal(fake.vcpu[0].lapic.timer_left, 500);
	assert_int_equal(fake.vcpu[0].lapic.deadline, 1000);
	assert_int_equal(fake.vcpu[0].lapic.regs[0x20], 1);
	fake.get_state_error = -EIO;
	assert_int_equal(hv_machine_stop_time(machine), -EIO);
	pthread_mutex_unlock(&machine->lock);
	hv_machine_resume(machine);
	hv_machine_destroy(machine);
}

/* A timer of a chip is due while time stands still: not before it goes on. */
static void test_timers_stand_still(void **state)
{
	struct hv_machine *machine = test_machine_of(HV_MACHINE_PC, 1, fake_compute);
	struct pollfd poller = { .fd = machine->timer_fd, .events = POLLIN };

	(void)state;
	hv_machine_pause(machine);
	test_out(machine, 0x43, 1, 0x34);
	test_out(machine, 0x40, 1, 0x01);
	test_out(machine, 0x40, 1, 0x40);
	pthread_mutex_lock(&machine->lock);
	assert_true(hv_clock_next(&machine->clock) != UINT64_MAX);
	assert_int_equal(hv_machine_stop_time(machine), 0);
	assert_int_equal(poll(&poller, 1, 60), 0);
	assert_int_equal(hv_machine_start_time(machine), 0);
	assert_int_equal(poll(&poller, 1, 1000), 1);
	hv_machine_resume(machine);
	pthread_mutex_unlock(&machine->lock);
	hv_machine_destroy(machine);
}

/* ------------------------------------------------------------------ errors */

static void refused(const struct hv_config *config, const char *subject, const char *text)
{
	struct hv_error err = { .text = "" };

	if (hv_machine_create(config, &err))
		fail_msg("not refused: %s", text);
	assert_string_equal(err.subject, subject);
	if (!strstr(err.text, text) || !strchr(err.text, ';'))
		fail_msg("%s", err.text);
}

/* In KVM's VMX root if there is one to share, else in the module's own. */
static void test_beside_kvm(void **state)
{
	static const struct {
		uint64_t capabilities;
		int kvm_error;
		bool shared;
	} cases[] = {
		{ TINYVMX_CAP_ROOT_KVM | TINYVMX_CAP_ROOT_OWN, 0, true },
		{ TINYVMX_CAP_ROOT_KVM, -EACCES, false },
		{ TINYVMX_CAP_ROOT_KVM, -EBUSY, false },
		{ TINYVMX_CAP_ROOT_OWN, 0, false },
	};
	struct hv_error err;
	struct hv_vm vm;
	uint32_t flags;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_reset(powers_off);
		fake.capabilities = cases[i].capabilities;
		fake.kvm_error = cases[i].kvm_error;
		assert_int_equal(hv_vm_open(&vm, &err), 0);
		assert_int_equal(hv_vm_create(&vm, TINYVMX_VM_LAPIC, &err), 0);
		assert_int_equal(vm.shared, cases[i].shared);
		flags = TINYVMX_VM_LAPIC;
		if (cases[i].shared)
			flags |= TINYVMX_VM_KVM;
		assert_int_equal(fake.vm_flags, flags);
		hv_vm_destroy(&vm);
	}
}

static void test_refusals(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	(void)state;
	fake_reset(powers_off);
	fake.open_error = -ENOENT;
	refused(&config, "/dev/tinyvmx", "hvctl doctor");
	fake_reset(powers_off);
	fake.abi_version = 99;
	refused(&config, "/dev/tinyvmx", "speaks ABI version 99");
	fake_reset(powers_off);
	fake.create_vm_error = -EBUSY;
	refused(&config, "/dev/tinyvmx", "another hypervisor");
	fake_reset(powers_off);
	fake.set_memory_error = -EINVAL;
	refused(&config, "/dev/tinyvmx", "refuses 4096 KiB");
	fake_reset(powers_off);
	fake.create_vcpu_error = -ENOMEM;
	refused(&config, "/dev/tinyvmx", "cannot create vCPU 0");
	fake_reset(powers_off);
	fake.set_state_error = -EINVAL;
	refused(&config, "/dev/tinyvmx", "first state");
	fake_reset(powers_off);
	config.memory = 1;
	refused(&config, "--mem", "1 MiB or more");
	config = test_config(HV_MACHINE_PC);
	strcpy(config.cpu, "+nosuchthing");
	refused(&config, "--cpu", "nosuchthing");
	config = test_config(HV_MACHINE_PC);
	config.load.path = "/nonexistent";
	refused(&config, "/nonexistent", "no such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_off),
		cmocka_unit_test(test_the_first_end_counts),
		cmocka_unit_test(test_run_fails),
		cmocka_unit_test(test_end_races),
		cmocka_unit_test(test_end_at_any_moment),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_by_all),
		cmocka_unit_test(test_reset_waits_for_disk),
		cmocka_unit_test(test_end_while_disk_hangs),
		cmocka_unit_test(test_reset_fails),
		cmocka_unit_test(test_pause_by_many),
		cmocka_unit_test(test_pause_while_resetting),
		cmocka_unit_test(test_end_of_a_paused_machine),
		cmocka_unit_test(test_end_while_a_reset_waits),
		cmocka_unit_test(test_end_while_resetting),
		cmocka_unit_test(test_time_stands_still),
		cmocka_unit_test(test_timers_stand_still),
		cmocka_unit_test(test_beside_kvm),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
