// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running and pausing a machine.
 *
 * A vCPU's thread is RUNNING (in the guest, or at work on an exit), PAUSED (waiting
 * here, or doing what it has paused the others for) or STOPPED (not started yet, or gone).
 * Only the thread itself leaves RUNNING, and enters it only while nobody has paused the
 * machine. What it is to look at, it finds in machine->attention; that is set first, the
 * kick comes second, and the thread takes the kick back before it looks: so one of the
 * two is always seen.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "debugger.h"
#include "halt.h"
#include "lib/event.h"
#include "lib/lock.h"
#include "machine.h"
#include "machine_pc.h"

/* --------------------------------------------------------------- attention */

void hv_machine_want_attention(struct hv_machine *machine, unsigned int why)
{
	atomic_fetch_or(&machine->attention, why);
	hv_signal_event(machine->attention_fd);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		hv_vcpu_kick(&machine->vcpus[i]);
}

/* Readable again if another reason has come in between. */
void hv_machine_drop_attention(struct hv_machine *machine, unsigned int why)
{
	uint64_t value;

	if (atomic_fetch_and(&machine->attention, ~why) & ~why)
		return;
	(void)!read(machine->attention_fd, &value, sizeof(value));
	value = 1;
	if (atomic_load(&machine->attention))
		(void)!write(machine->attention_fd, &value, sizeof(value));
}

/* ------------------------------------------------------------------ states */

static void set_state(struct hv_vcpu *vcpu, enum hv_vcpu_state state)
{
	static const bool legal[HV_VCPU_NR_STATES][HV_VCPU_NR_STATES] = {
		[HV_VCPU_STOPPED] = { [HV_VCPU_PAUSED] = true },
		[HV_VCPU_PAUSED] = { [HV_VCPU_RUNNING] = true, [HV_VCPU_STOPPED] = true },
		[HV_VCPU_RUNNING] = { [HV_VCPU_PAUSED] = true },
	};

	hv_lock_assert_held(&vcpu->machine->run_lock);
	assert(legal[vcpu->state][state]);
	vcpu->state = state;
	pthread_cond_broadcast(&vcpu->machine->run_changed);
}

/* False: it has ended, and whoever has paused it may never resume it. */
static bool wait_for_turn(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->run_lock);
	while (machine->paused && !hv_machine_has_ended(machine))
		pthread_cond_wait(&machine->run_changed, &machine->run_lock);
	return !machine->paused;
}

/* The same, for a vCPU that wants to run: a debugger may hold it. */
static bool wait_to_run(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;

	while ((machine->paused || vcpu->held) && !hv_machine_has_ended(machine))
		pthread_cond_wait(&machine->run_changed, &machine->run_lock);
	return !machine->paused && !vcpu->held;
}

void hv_vcpu_hold(struct hv_vcpu *vcpu, bool hold)
{
	pthread_mutex_lock(&vcpu->machine->run_lock);
	assert(vcpu->machine->paused);
	vcpu->held = hold;
	pthread_mutex_unlock(&vcpu->machine->run_lock);
}

/* By the vCPU's own thread, as what follows; @run_lock is held. */
static void leave_running(struct hv_vcpu *vcpu)
{
	hv_vcpu_block_kicks(true);
	set_state(vcpu, HV_VCPU_PAUSED);
}

/*
 * Not when it has ended meanwhile: the thread only leaves, and a kick would write to its
 * run page, which whoever has paused the machine may be replacing.
 */
static void enter_running(struct hv_vcpu *vcpu)
{
	if (!wait_to_run(vcpu))
		return;
	set_state(vcpu, HV_VCPU_RUNNING);
	hv_vcpu_block_kicks(false);
}

void hv_vcpu_begin(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;

	pthread_mutex_lock(&machine->run_lock);
	leave_running(vcpu);
	atomic_store(&vcpu->tid, gettid());
	enter_running(vcpu);
	pthread_mutex_unlock(&machine->run_lock);
}

void hv_vcpu_finish(struct hv_vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->run_lock);
	if (vcpu->state == HV_VCPU_RUNNING)
		leave_running(vcpu);
	atomic_store(&vcpu->tid, 0);
	set_state(vcpu, HV_VCPU_STOPPED);
	pthread_mutex_unlock(&vcpu->machine->run_lock);
}

static void wait_while_paused(struct hv_vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->machine->run_lock);
	leave_running(vcpu);
	enter_running(vcpu);
	pthread_mutex_unlock(&vcpu->machine->run_lock);
}

bool hv_vcpu_attend(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	unsigned int why;

	while ((why = atomic_load(&machine->attention))) {
		if (why & HV_ATTENTION_END)
			return false;
		if (why & HV_ATTENTION_PAUSE)
			wait_while_paused(vcpu);
		else if (why & HV_ATTENTION_RESET)
			hv_machine_pc_reset(machine);
		else if (why & HV_ATTENTION_HALT)
			hv_halt_look(machine);
		else if (why & HV_ATTENTION_DEBUG)
			hv_debugger_attend(machine);
		else if (why & HV_ATTENTION_SHOW)
			hv_debugger_attend_show(machine);
	}
	return true;
}

/* ------------------------------------------------------------------- pause */

static bool none_runs(const struct hv_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		if (machine->vcpus[i].state == HV_VCPU_RUNNING)
			return false;
	return true;
}

/* The machine's vCPU whose thread this is, or NULL. */
static struct hv_vcpu *ourselves(const struct hv_machine *machine)
{
	struct hv_vcpu *vcpu = hv_vcpu_current();

	return vcpu && vcpu->machine == machine ? vcpu : NULL;
}

static void pause_others(struct hv_machine *machine)
{
	hv_lock_assert_held(&machine->run_lock);
	machine->paused = true;
	hv_machine_want_attention(machine, HV_ATTENTION_PAUSE);
	while (!none_runs(machine))
		pthread_cond_wait(&machine->run_changed, &machine->run_lock);
}

bool hv_machine_pause(struct hv_machine *machine)
{
	struct hv_vcpu *self = ourselves(machine);
	bool ours;

	pthread_mutex_lock(&machine->run_lock);
	if (self)
		leave_running(self);
	ours = wait_for_turn(machine);
	if (ours)
		pause_others(machine);
	pthread_mutex_unlock(&machine->run_lock);
	return ours;
}

bool hv_machine_try_pause(struct hv_machine *machine, unsigned int ms)
{
	const uint64_t end = hv_monotonic_ns() + ms * 1000000ull;
	const struct timespec until = { .tv_sec = (time_t)(end / 1000000000),
					.tv_nsec = (long)(end % 1000000000) };
	bool ours;

	assert(!ourselves(machine));
	pthread_mutex_lock(&machine->run_lock);
	while (machine->paused && !pthread_cond_clockwait(&machine->run_changed, &machine->run_lock,
							  CLOCK_MONOTONIC, &until))
		;
	ours = !machine->paused;
	if (ours)
		pause_others(machine);
	pthread_mutex_unlock(&machine->run_lock);
	return ours;
}

void hv_machine_resume(struct hv_machine *machine)
{
	struct hv_vcpu *self = ourselves(machine);

	pthread_mutex_lock(&machine->run_lock);
	assert(machine->paused);
	machine->paused = false;
	hv_machine_drop_attention(machine, HV_ATTENTION_PAUSE);
	pthread_cond_broadcast(&machine->run_changed);
	if (self)
		enter_running(self);
	pthread_mutex_unlock(&machine->run_lock);
}

void hv_machine_stay_paused(struct hv_machine *machine)
{
	pthread_mutex_lock(&machine->run_lock);
	enter_running(ourselves(machine));
	pthread_mutex_unlock(&machine->run_lock);
}

/* -------------------------------------------------------------------- time */

/* Their threads may be on their way to where they wait. */
static bool is_nobody_running(struct hv_machine *machine)
{
	bool none;

	pthread_mutex_lock(&machine->run_lock);
	none = none_runs(machine);
	pthread_mutex_unlock(&machine->run_lock);
	return none;
}

int hv_machine_stop_time(struct hv_machine *machine)
{
	uint64_t host_tsc;
	int error = hv_vcpu_host_tsc(hv_machine_bsp(machine), &host_tsc);

	hv_lock_assert_held(&machine->lock);
	assert(machine->paused && !machine->time_stopped_ns);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_stop_time(&machine->vcpus[i], host_tsc);
	if (error)
		return error;
	machine->time_stopped_ns = hv_now_ns(&machine->clock);
	machine->clock.rearm(&machine->clock);
	return 0;
}

int hv_machine_start_time(struct hv_machine *machine)
{
	uint64_t host_tsc;
	int error = hv_vcpu_host_tsc(hv_machine_bsp(machine), &host_tsc);

	hv_lock_assert_held(&machine->lock);
	assert(machine->time_stopped_ns && is_nobody_running(machine));
	machine->time_lost_ns = hv_monotonic_ns() - machine->time_stopped_ns;
	machine->time_stopped_ns = 0;
	machine->clock.rearm(&machine->clock);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_start_time(&machine->vcpus[i], host_tsc);
	return error;
}

int hv_machine_hold(struct hv_machine *machine, struct hv_error *err)
{
	int error = 0;

	(void)hv_machine_pause(machine);
	pthread_mutex_lock(&machine->lock);
	if (!machine->time_stopped_ns)
		error = hv_machine_stop_time(machine);
	pthread_mutex_unlock(&machine->lock);
	return error ? hv_fail(err, -error, "cannot hold the guest's time: %s", strerror(-error)) :
		       0;
}

int hv_machine_let_go(struct hv_machine *machine, struct hv_error *err)
{
	int error;

	pthread_mutex_lock(&machine->lock);
	error = hv_machine_start_time(machine);
	pthread_mutex_unlock(&machine->lock);
	hv_machine_resume(machine);
	return error ? hv_fail(err, -error, "cannot start the guest's time: %s", strerror(-error)) :
		       0;
}

/* --------------------------------------------------------------------- run */

int hv_machine_start(struct hv_machine *machine, struct hv_error *err)
{
	int error = 0;

	err->subject = "run";
	pthread_mutex_lock(&machine->lock);
	/* One that is held goes when it is let go. */
	if (machine->time_stopped_ns && !machine->paused)
		error = hv_machine_start_time(machine);
	pthread_mutex_unlock(&machine->lock);
	if (error)
		return hv_fail(err, -error, "cannot start the guest's time: %s; see 'dmesg | tail'",
			       strerror(-error));
	hv_machine_say(machine, "launching");
	/* None of them begins before all are there: its first act may be to reset the others. */
	pthread_mutex_lock(&machine->run_lock);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_start(&machine->vcpus[i], err);
	pthread_mutex_unlock(&machine->run_lock);
	return error;
}

void hv_machine_serve(struct hv_machine *machine)
{
	if (hv_loop_run(&machine->loop))
		hv_machine_end(machine, HV_END_ERROR, 0,
			       "no memory for the event loop; close something");
}

void hv_machine_join(struct hv_machine *machine)
{
	/* Those that run may still kick each other. */
	pthread_mutex_lock(&machine->run_lock);
	while (!none_runs(machine))
		pthread_cond_wait(&machine->run_changed, &machine->run_lock);
	pthread_mutex_unlock(&machine->run_lock);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		hv_vcpu_join(&machine->vcpus[i]);
}
