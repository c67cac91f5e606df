// SPDX-License-Identifier: GPL-2.0-only
/* One virtual CPU: create it, run it, kick it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exit.h"
#include "firmware/mtrr.h"
#include "firmware/topology.h"
#include "lib/sandbox.h"
#include "lib/tvx.h"
#include "lib/x86.h"
#include "machine_pc.h"
#include "recorder.h"
#include "serial.h"
#include "shortcut.h"
#include "vmx/names.h"

#define KICK_SIGNAL SIGUSR1

/* Whose thread this is: the kick's handler writes to its run page. */
static __thread struct hv_vcpu *current_vcpu;

/*
 * The signal gets the thread out of RUN. Where it comes between the look at what there is
 * to attend to and RUN, immediate_exit makes RUN return at once.
 */
static void on_kick(int sig)
{
	(void)sig;
	if (current_vcpu && current_vcpu->run)
		__atomic_store_n(&current_vcpu->run->immediate_exit, 1, __ATOMIC_RELAXED);
}

static void install_kick_handler(void)
{
	struct sigaction action = { .sa_handler = on_kick };

	sigaction(KICK_SIGNAL, &action, NULL);
}

void hv_vcpu_block_kicks(bool block)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* The machine's table, with the APIC id of this one. */
static int set_cpuid(const struct hv_vcpu *vcpu)
{
	const struct hv_machine *machine = vcpu->machine;
	struct tinyvmx_cpuid table[HV_CPUID_MAX];

	memcpy(table, machine->cpuid, machine->nr_cpuid * sizeof(table[0]));
	hv_topology_set_id(table, machine->nr_cpuid, vcpu->id);
	return tvx_set_cpuid(vcpu->fd, table, machine->nr_cpuid);
}

static int open_vcpu(struct hv_vcpu *vcpu, struct hv_error *err)
{
	struct hv_machine *machine = vcpu->machine;
	int fd = tvx_create_vcpu(machine->vm.fd, vcpu->id), error;

	if (fd == -ENOSPC)
		return hv_fail(
			err, ENOSPC,
			"this user has as many vCPUs as he may; end a VM, or raise /sys/module/tinyvmx/parameters/user_vcpus");
	if (fd < 0)
		return hv_fail(err, -fd, "cannot create vCPU %u: %s; see 'dmesg | tail'", vcpu->id,
			       strerror(-fd));
	vcpu->fd = fd;
	error = tvx_map_run(fd, machine->vm.info.run_bytes, &vcpu->run);
	if (error)
		return hv_fail(err, -error,
			       "cannot map the run page of vCPU %u: %s; see 'dmesg | tail'",
			       vcpu->id, strerror(-error));
	error = set_cpuid(vcpu);
	if (error)
		return hv_fail(err, -error,
			       "refuses the CPUID table: %s; do hvctl and module match?",
			       strerror(-error));
	return hv_vcpu_record(vcpu, err);
}

int hv_vcpu_create(struct hv_vcpu *vcpu, struct hv_machine *machine, unsigned int id,
		   struct hv_error *err)
{
	*vcpu = (struct hv_vcpu){ .machine = machine, .id = id, .fd = -1 };
	vcpu->mmio.guest.memory = &machine->memory;
	vcpu->mmio.guest.bus = &machine->bus;
	return open_vcpu(vcpu, err);
}

/* A new one in place of the old: the kernel resets no vCPU, it makes them in that state. */
int hv_vcpu_reset(struct hv_vcpu *vcpu, struct hv_error *err)
{
	hv_vcpu_count_exits(vcpu, &vcpu->exits_before);
	hv_vcpu_destroy(vcpu);
	vcpu->nmi_may_come = vcpu->waits_for_peers = false;
	return open_vcpu(vcpu, err);
}

struct hv_vcpu *hv_vcpu_current(void)
{
	return current_vcpu;
}

/* A guest's CPU without MTRRs does without. */
static int set_memory_types(const struct hv_vcpu *vcpu)
{
	const struct hv_machine *machine = vcpu->machine;
	struct tinyvmx_msr msrs[HV_MTRR_COUNT];

	if (!hv_cpuid_has_mtrr(machine->cpuid, machine->nr_cpuid))
		return 0;
	hv_mtrr_build(msrs, hv_cpuid_gpa_bits(machine->cpuid, machine->nr_cpuid));
	return tvx_set_state(vcpu->fd, TINYVMX_STATE_MSRS, msrs, sizeof(msrs));
}

static int refused(int error, struct hv_error *err)
{
	return hv_fail(
		err, -error,
		"refuses the guest's first state: %s; does this CPU lack a mode? see 'hvctl info'",
		strerror(-error));
}

int hv_vcpu_set_boot(struct hv_vcpu *vcpu, const struct hv_boot *boot, struct hv_error *err)
{
	int error = tvx_set_sregs(vcpu->fd, &boot->sregs);

	if (!error)
		error = tvx_set_regs(vcpu->fd, &boot->regs);
	if (!error && vcpu->machine->pc)
		error = hv_machine_pc_wire_lapic(vcpu);
	if (!error && !boot->firmware)
		error = set_memory_types(vcpu);
	return error ? refused(error, err) : 0;
}

int hv_vcpu_set_parked(struct hv_vcpu *vcpu, const struct hv_boot *boot, struct hv_error *err)
{
	struct tinyvmx_events events = { .activity = TINYVMX_ACTIVITY_WAIT_FOR_SIPI };
	int error = tvx_set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events));

	if (!error && !boot->firmware)
		error = set_memory_types(vcpu);
	return error ? refused(error, err) : 0;
}

/* --------------------------------------------------------------------- run */

static void tell_exit(const struct hv_vcpu *vcpu)
{
	const struct tinyvmx_run *run = vcpu->run;

	if (run->reason == TINYVMX_EXIT_ENTRY_FAILED && run->entry_failed.instruction_error) {
		hv_machine_say(vcpu->machine, "VM entry: VM-instruction error %u: %s",
			       run->entry_failed.instruction_error,
			       vmx_instruction_error(run->entry_failed.instruction_error));
		return;
	}
	hv_machine_say(vcpu->machine,
		       "VM exit: reason 0x%x (%u) %s, qualification 0x%llx, RIP 0x%llx, length %u",
		       run->exit_reason, run->exit_reason & 0xffff, vmx_exit_name(run->exit_reason),
		       run->exit_qualification, run->rip, run->instruction_len);
}

static void handle_exit(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	uint32_t reason = vcpu->run->reason;

	vcpu->exits[reason < HV_NR_EXITS ? reason : TINYVMX_EXIT_UNKNOWN]++;
	if (machine->config.verbose > !!machine->pc)
		tell_exit(vcpu);
	pthread_mutex_lock(&machine->lock);
	hv_shortcut_close(vcpu);
	hv_exit_handle(vcpu);
	if (reason == TINYVMX_EXIT_IO)
		hv_shortcut_open(vcpu);
	pthread_mutex_unlock(&machine->lock);
}

/* What the guest has said so far is wanted now. */
static void flush_console(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;

	pthread_mutex_lock(&machine->lock);
	hv_shortcut_close(vcpu);
	hv_serial_flush(machine);
	pthread_mutex_unlock(&machine->lock);
}

/* Returns whether to go on. */
static bool run_once(struct hv_vcpu *vcpu)
{
	struct hv_machine *machine = vcpu->machine;
	int error;

	vcpu->run->want_intr_window = hv_machine_pc_wants_window(vcpu);
	vcpu->run->wait_for_nmi = vcpu->nmi_may_come;
	vcpu->run->wait_for_peers = vcpu->waits_for_peers;
	/* For this RUN: when it has come out, who may send one may be another. */
	vcpu->nmi_may_come = false;
	error = tvx_run(vcpu->fd);
	if (!error) {
		handle_exit(vcpu);
		return true;
	}
	if (error != -EINTR) {
		hv_machine_end(machine, HV_END_ERROR, 0, "the module cannot run vCPU %u: %s; %s",
			       vcpu->id, strerror(-error),
			       error == -ENOSPC ?
				       "raise /sys/module/tinyvmx/parameters/user_tables_kib" :
				       "see 'dmesg | tail'");
		return false;
	}
	/* Taken back before the next look around: a kick after this sets it again. */
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	vcpu->exits[TINYVMX_EXIT_INTR]++;
	flush_console(vcpu);
	return true;
}

static void *vcpu_thread(void *arg)
{
	struct hv_vcpu *vcpu = arg;
	struct hv_machine *machine = vcpu->machine;

	current_vcpu = vcpu;
	hv_sandbox_enter(HV_SANDBOX_VCPU);
	hv_vcpu_begin(vcpu);
	do {
		if (atomic_load(&machine->attention) && !hv_vcpu_attend(vcpu))
			break;
		hv_machine_throttle(machine);
	} while (run_once(vcpu));
	hv_vcpu_finish(vcpu);
	return NULL;
}

int hv_vcpu_start(struct hv_vcpu *vcpu, struct hv_error *err)
{
	int error;

	install_kick_handler();
	vcpu->first_tsc = hv_vcpu_tsc(vcpu);
	error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	if (error)
		return hv_fail(err, error, "no thread for vCPU %u: %s; end some processes",
			       vcpu->id, strerror(error));
	vcpu->started = true;
	return 0;
}

void hv_vcpu_kick(struct hv_vcpu *vcpu)
{
	pid_t tid = atomic_load(&vcpu->tid);

	/* By its number: the thread may just have ended, and been joined. */
	if (tid)
		(void)tgkill(getpid(), tid, KICK_SIGNAL);
}

void hv_vcpu_join(struct hv_vcpu *vcpu)
{
	if (vcpu->started)
		pthread_join(vcpu->thread, NULL);
	vcpu->started = false;
}

void hv_vcpu_destroy(struct hv_vcpu *vcpu)
{
	hv_vcpu_forget_records(vcpu);
	if (vcpu->run)
		munmap(vcpu->run, vcpu->machine->vm.info.run_bytes);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	hv_mmio_free(&vcpu->mmio);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

/* ------------------------------------------------------------------- state */

#define IA32_TIME_STAMP_COUNTER 0x10

uint64_t hv_vcpu_tsc(const struct hv_vcpu *vcpu)
{
	uint64_t tsc = 0;

	(void)tvx_get_msr(vcpu->fd, IA32_TIME_STAMP_COUNTER, &tsc);
	return tsc;
}

void hv_vcpu_count_exits(const struct hv_vcpu *vcpu, struct tinyvmx_exits *exits)
{
	struct tinyvmx_exits now = { 0 };

	(void)tvx_get_state(vcpu->fd, TINYVMX_STATE_EXITS, &now, sizeof(now));
	for (unsigned int i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++)
		exits->count[i] = vcpu->exits_before.count[i] + now.count[i];
}

int hv_vcpu_synchronise(struct hv_vcpu *vcpu)
{
	int error;

	vcpu->run->immediate_exit = 1;
	error = tvx_run(vcpu->fd);
	vcpu->run->immediate_exit = 0;
	return error == -EINTR ? 0 : error ? error : -EBUSY;
}

/*
 * Give the local APIC's timer what @time says, and @time what the timer had; all else there
 * stays as it is, what has come meanwhile included.
 */
static int swap_timer(const struct hv_vcpu *vcpu, struct hv_vcpu_time *time)
{
	struct hv_vcpu_time wanted = *time;
	struct tinyvmx_lapic lapic;
	int error = tvx_get_state(vcpu->fd, TINYVMX_STATE_LAPIC, &lapic, sizeof(lapic));

	if (error)
		return error;
	time->timer_left = lapic.timer_left;
	time->deadline = lapic.deadline;
	lapic.timer_left = wanted.timer_left;
	lapic.deadline = wanted.deadline;
	return tvx_set_state(vcpu->fd, TINYVMX_STATE_LAPIC, &lapic, sizeof(lapic));
}

static int get_tsc(const struct hv_vcpu *vcpu, struct tinyvmx_tsc *tsc)
{
	return tvx_get_state(vcpu->fd, TINYVMX_STATE_TSC, tsc, sizeof(*tsc));
}

int hv_vcpu_host_tsc(const struct hv_vcpu *vcpu, uint64_t *host_tsc)
{
	struct tinyvmx_tsc tsc = { 0 };
	int error = get_tsc(vcpu, &tsc);

	*host_tsc = tsc.host;
	return error;
}

/* The timer is disarmed: else it would go off by the host's time. */
int hv_vcpu_stop_time(struct hv_vcpu *vcpu, uint64_t host_tsc)
{
	struct tinyvmx_tsc tsc = { 0 };
	int error = get_tsc(vcpu, &tsc);

	vcpu->time.tsc = tsc.guest - (tsc.host - host_tsc);
	vcpu->time.timer_left = vcpu->time.deadline = 0;
	return error || !vcpu->machine->pc ? error : swap_timer(vcpu, &vcpu->time);
}

int hv_vcpu_start_time(struct hv_vcpu *vcpu, uint64_t host_tsc)
{
	const struct tinyvmx_tsc tsc = { .guest = vcpu->time.tsc, .host = host_tsc };
	int error = tvx_set_state(vcpu->fd, TINYVMX_STATE_TSC, &tsc, sizeof(tsc));

	return error || !vcpu->machine->pc ? error : swap_timer(vcpu, &vcpu->time);
}

struct hv_paging hv_paging_of(const struct tinyvmx_regs *regs, const struct tinyvmx_sregs *sregs)
{
	return (struct hv_paging){
		.cr0 = sregs->cr0,
		.cr3 = sregs->cr3,
		.cr4 = sregs->cr4,
		.efer = sregs->efer,
		.rflags = regs->rflags,
		.user = (sregs->seg[TINYVMX_SS].ar >> TINYVMX_AR_DPL_SHIFT & 3) == 3,
	};
}

int hv_vcpu_paging(const struct hv_vcpu *vcpu, struct hv_paging *paging)
{
	struct tinyvmx_sregs sregs;
	struct tinyvmx_regs regs;
	int error = tvx_get_sregs(vcpu->fd, &sregs);

	if (!error)
		error = tvx_get_regs(vcpu->fd, &regs);
	if (error)
		return error;
	*paging = hv_paging_of(&regs, &sregs);
	return 0;
}
