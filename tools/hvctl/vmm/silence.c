// SPDX-License-Identifier: GPL-2.0-only
/* What a silent guest does: the VM exits since the last look, and a look at each vCPU. */
#include "report.h"
#include "silence.h"
#include "vmx/names.h"

#define NS_PER_S 1000000000ULL

/* By reason, of all vCPUs. */
static void count_exits(const struct hv_machine *machine, struct tinyvmx_exits *sum)
{
	struct tinyvmx_exits exits;

	*sum = (struct tinyvmx_exits){ 0 };
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		hv_vcpu_count_exits(&machine->vcpus[i], &exits);
		for (unsigned int j = 0; j < TINYVMX_NR_EXIT_COUNTS; j++)
			sum->count[j] += exits.count[j];
	}
}

/* "no output for 10 s, in which there were 12 VM exits, most of them HLT (10)" */
static void tell_exits(struct hv_silence *silence)
{
	unsigned long long seconds = silence->wait_ns / NS_PER_S, all = 0, most = 0;
	struct tinyvmx_exits now;
	unsigned int reason = 0;

	count_exits(silence->machine, &now);
	for (unsigned int i = 0; i < TINYVMX_NR_EXIT_COUNTS; i++) {
		unsigned long long times = now.count[i] - silence->exits.count[i];

		all += times;
		if (times > most) {
			most = times;
			reason = i;
		}
	}
	silence->exits = now;
	if (all)
		hv_machine_say(
			silence->machine,
			"no output for %llu s: %llu VM exits meanwhile, most of them %s (%llu)",
			seconds, all, vmx_exit_name(reason), most);
	else
		hv_machine_say(silence->machine, "no output for %llu s: no VM exits meanwhile",
			       seconds);
}

static void tell_vcpu(const struct hv_vcpu *vcpu)
{
	char text[300];

	if (hv_report_place(vcpu, text, sizeof(text)))
		hv_machine_say(vcpu->machine, "%s", text);
}

static void tell(struct hv_silence *silence)
{
	struct hv_machine *machine = silence->machine;

	if (!hv_machine_try_pause(machine, 100))
		return;
	tell_exits(silence);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		tell_vcpu(&machine->vcpus[i]);
	hv_machine_resume(machine);
}

static void wait_from_now(struct hv_silence *silence)
{
	struct hv_clock *clock = &silence->machine->loop.clock;

	silence->said = silence->machine->console.out_total;
	hv_timer_arm(clock, &silence->timer, hv_now_ns(clock) + silence->wait_ns);
}

void hv_silence_look(struct hv_silence *silence)
{
	const struct hv_machine *machine = silence->machine;
	bool silent = silence->said == machine->console.out_total;

	/*
	 * Of one that is paused nobody expects words; to pause it here would wait for ourselves, as
	 * it would beside a debugger, for whom it may be about to stop.
	 */
	if (silent && !machine->time_stopped_ns && !machine->debugger) {
		tell(silence);
		silence->wait_ns *= 2;
	} else if (!silent) {
		silence->wait_ns = HV_SILENCE_NS;
	}
	wait_from_now(silence);
}

static void on_timer(void *dev)
{
	hv_silence_look(dev);
}

void hv_silence_watch(struct hv_silence *silence, struct hv_machine *machine)
{
	if (!machine->config.verbose)
		return;
	*silence = (struct hv_silence){
		.machine = machine,
		.timer = { .fn = on_timer, .dev = silence },
		.wait_ns = HV_SILENCE_NS,
	};
	wait_from_now(silence);
}

void hv_silence_forget(struct hv_silence *silence)
{
	if (silence->machine)
		hv_timer_cancel(&silence->machine->loop.clock, &silence->timer);
	silence->machine = NULL;
}
