// SPDX-License-Identifier: GPL-2.0-only
/* A debugger of a VM: it comes, the VM stops, it goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debug/page_walk.h"
#include "debugger.h"
#include "lib/event.h"
#include "lib/lock.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "lib/x86.h"
#include "load/protocol.h"

/* ------------------------------------------------------------- vCPUs' side */

bool hv_debugger_translate(const struct hv_vcpu *vcpu, const struct tinyvmx_sregs *sregs,
			   uint64_t gva, uint64_t *gpa, size_t *len)
{
	const struct hv_machine *machine = vcpu->machine;
	struct hv_page_walk walk;

	hv_page_walk(&walk, &machine->memory, sregs, machine->vm.info.gpa_bits, gva);
	*gpa = walk.gpa;
	*len = 4096 - (gva & 4095);
	return walk.mapped;
}

/* Interruption information: valid, a software exception, of vector 3. */
#define INT3_EVENT (1U << 31 | 6U << 8 | 3)

static int give_back_int3(const struct hv_vcpu *vcpu)
{
	struct tinyvmx_events events;
	int error = tvx_get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events));

	events.pending |= TINYVMX_PENDING_EVENT;
	events.event_info = INT3_EVENT;
	events.event_instruction_len = vcpu->run->instruction_len;
	return error ? error :
		       tvx_set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events));
}

/*
 * Where the vCPU is one was planted: by whatever linear address it has come. Another may have
 * changed the page tables since: that is seen by what they lead to, where the CPU had its INT3.
 */
static bool is_ours(const struct hv_vcpu *vcpu)
{
	const struct hv_debugger *debugger = vcpu->machine->debugger;
	const uint64_t gva = vcpu->run->debug.address;
	struct tinyvmx_sregs sregs;
	uint64_t gpa;
	size_t len;

	if (!debugger || tvx_get_sregs(vcpu->fd, &sregs))
		return false;
	if (hv_debugger_translate(vcpu, &sregs, gva, &gpa, &len) &&
	    hv_gdb_has_int3(&debugger->points, gpa))
		return hv_gdb_is_planted(&debugger->points, gpa);
	return hv_gdb_is_planted_for(&debugger->points, gva);
}

int hv_debugger_exit(struct hv_vcpu *vcpu)
{
	const struct tinyvmx_exit_debug *exit = &vcpu->run->debug;

	hv_lock_assert_held(&vcpu->machine->lock);
	if (exit->cause & TINYVMX_DEBUG_INT3 && !is_ours(vcpu))
		return give_back_int3(vcpu);
	if (!vcpu->machine->debugger)
		return 0;
	vcpu->hit = (struct hv_vcpu_hit){ .cause = exit->cause, .dr6 = exit->dr6 };
	hv_machine_want_attention(vcpu->machine, HV_ATTENTION_DEBUG);
	return 0;
}

/* Of several vCPUs that see it the first one does it. */
void hv_debugger_attend(struct hv_machine *machine)
{
	bool wanted;

	if (!hv_machine_pause(machine))
		return;
	wanted = atomic_load(&machine->attention) & HV_ATTENTION_DEBUG;
	hv_machine_drop_attention(machine, HV_ATTENTION_DEBUG);
	if (!wanted || !machine->debugger) {
		hv_machine_resume(machine);
		return;
	}
	hv_signal_event(machine->debugger->control->stops.fd);
	hv_machine_stay_paused(machine);
}

void hv_debugger_reset(struct hv_machine *machine)
{
	struct hv_debugger *debugger = machine->debugger;
	int error = 0;

	if (!debugger)
		return;
	hv_gdb_replant(&debugger->points);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++) {
		machine->vcpus[i].hit.cause = 0;
		error = hv_debugger_arm(debugger, i);
	}
	if (error)
		hv_machine_end(machine, HV_END_ERROR, 0,
			       "cannot have the guest stop for its debugger: %s", strerror(-error));
}

/* ------------------------------------------------------------- stop and go */

int hv_debugger_arm(struct hv_debugger *debugger, unsigned int n)
{
	struct tinyvmx_set_debug arg = { 0 };
	int error;

	hv_gdb_points_ask(&debugger->points, &arg);
	if (debugger->steps[n])
		arg.flags |= TINYVMX_DEBUG_STEP | TINYVMX_DEBUG_NO_INTERRUPTS;
	if (!arg.flags && !debugger->armed[n])
		return 0;
	error = tvx_set_debug(debugger->machine->vcpus[n].fd, &arg);
	if (!error)
		debugger->armed[n] = arg.flags;
	return error;
}

void hv_debugger_disarm(struct hv_debugger *debugger)
{
	struct hv_machine *machine = debugger->machine;

	hv_gdb_points_clear(&debugger->points);
	hv_debugger_unveil(debugger);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		debugger->steps[i] = false;
		machine->vcpus[i].hit.cause = 0;
		machine->vcpus[i].mmio.guest.veil = NULL;
		(void)hv_debugger_arm(debugger, i);
		hv_vcpu_hold(&machine->vcpus[i], false);
	}
	machine->debugger = NULL;
}

void hv_debugger_let_go(struct hv_debugger *debugger)
{
	debugger->stopped = false;
	/* Of a hit that it has not been told: the next one would take it for its own stop. */
	(void)hv_take_event(debugger->control->stops.fd);
	hv_control_let_go(debugger->control);
}

static enum hv_gdb_why why_of(const struct hv_debugger *debugger, const struct hv_vcpu_hit *hit,
			      uint64_t *address)
{
	const struct hv_gdb_debug_reg *reg = hv_gdb_hit(&debugger->points, hit->dr6);

	if (hit->cause & TINYVMX_DEBUG_INT3)
		return HV_GDB_AT_BREAK;
	if (!reg)
		return HV_GDB_STEPPED;
	*address = reg->wanted;
	if (reg->kind == HV_GDB_HBREAK)
		return HV_GDB_AT_HBREAK;
	return reg->kind == HV_GDB_WATCH ? HV_GDB_AT_WATCH : HV_GDB_AT_AWATCH;
}

/*
 * How well a hit is worth telling: who was to step first; then accesses, which do not come again;
 * the others do, when their vCPU goes on. 0: there is none.
 */
static unsigned int worth(const struct hv_debugger *debugger, const struct hv_vcpu *vcpu)
{
	uint64_t address;
	enum hv_gdb_why why;

	if (!vcpu->hit.cause)
		return 0;
	why = why_of(debugger, &vcpu->hit, &address);
	if (why == HV_GDB_STEPPED)
		return debugger->steps[vcpu->id] ? 3 : 0;
	return why == HV_GDB_AT_WATCH || why == HV_GDB_AT_AWATCH ? 2 : 1;
}

/* The vCPU whose hit is to be told; NULL: none has any. */
static struct hv_vcpu *choose(const struct hv_debugger *debugger)
{
	struct hv_machine *machine = debugger->machine;
	struct hv_vcpu *best = NULL;

	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		struct hv_vcpu *vcpu = &machine->vcpus[i];

		if (worth(debugger, vcpu) > (best ? worth(debugger, best) : 0))
			best = vcpu;
	}
	return best;
}

static void tell_stop(struct hv_debugger *debugger)
{
	struct hv_gdb_stop stop = { .why = HV_GDB_INTERRUPTED, .vcpu = debugger->gdb.vcpu };
	struct hv_vcpu *vcpu = choose(debugger);

	if (vcpu) {
		stop.vcpu = vcpu->id;
		stop.why = why_of(debugger, &vcpu->hit, &stop.address);
		vcpu->hit.cause = 0;
	}
	if (debugger->points.lost && debugger->gdb.state == HV_GDB_RUNNING)
		hv_gdb_say(&debugger->gdb,
			   "A reset has taken breakpoints away: other code is there now.\n");
	debugger->points.lost = false;
	if (debugger->veil.shown && !debugger->veil.told && debugger->gdb.state == HV_GDB_RUNNING) {
		debugger->veil.told = true;
		hv_gdb_say(
			&debugger->gdb,
			"The guest uses pages with breakpoints as data, too: it can read them there.\n");
	}
	/* Who steps over and over would never hear of it. */
	if (debugger->interrupted && stop.why == HV_GDB_STEPPED)
		stop.why = HV_GDB_INTERRUPTED;
	debugger->interrupted = false;
	hv_gdb_stopped(&debugger->gdb, &stop);
	/* What it has sent meanwhile. */
	hv_control_take(debugger->client);
}

/* What the last exits have left is done: registers are those of whole instructions. */
static int synchronise(struct hv_machine *machine)
{
	int error = 0;

	pthread_mutex_lock(&machine->lock);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_synchronise(&machine->vcpus[i]);
	pthread_mutex_unlock(&machine->lock);
	return error;
}

static void stop(struct hv_debugger *debugger)
{
	struct hv_machine *machine = debugger->machine;
	int error = 0;

	/* What was asked for meanwhile has come. */
	hv_machine_drop_attention(machine, HV_ATTENTION_DEBUG);
	if (hv_machine_has_ended(machine))
		return;
	if (!debugger->control->paused)
		error = hv_control_keep_paused(debugger->control);
	if (!error)
		error = synchronise(machine);
	if (error) {
		hv_machine_end(machine, HV_END_ERROR, 0, "cannot stop for the debugger: %s",
			       strerror(-error));
		return;
	}
	debugger->stopped = true;
	if (debugger->fresh || !debugger->client)
		hv_debugger_disarm(debugger);
	debugger->fresh = false;
	if (debugger->client) {
		machine->debugger = debugger;
		tell_stop(debugger);
		return;
	}
	hv_debugger_let_go(debugger);
	hv_debugger_free(debugger);
}

void hv_debugger_take_stop(struct hv_control *control)
{
	if (hv_take_event(control->stops.fd) && control->debugger)
		stop(control->debugger);
}

/* ------------------------------------------------------------ come and leave */

size_t hv_debugger_take(struct hv_debugger *debugger, const void *data, size_t len)
{
	/* Its last words are nobody's. */
	if (!debugger->machine || hv_machine_has_ended(debugger->machine))
		return len;
	return hv_gdb_take(&debugger->gdb, data, len);
}

bool hv_debugger_is_used(const struct hv_debugger *debugger)
{
	return debugger && debugger->client;
}

void hv_debugger_who(const struct hv_debugger *debugger, char text[HV_DEBUGGER_WHO_MAX])
{
	const struct hv_control_door *door = &debugger->control->door[HV_DOOR_GDB];

	if (debugger->client->pid)
		snprintf(text, HV_DEBUGGER_WHO_MAX, "process %d", debugger->client->pid);
	else
		snprintf(text, HV_DEBUGGER_WHO_MAX, "who is at port %u",
			 door->listener.address.port);
}

pid_t hv_debugger_pid(const struct hv_debugger *debugger)
{
	return debugger && debugger->client ? debugger->client->pid : 0;
}

void hv_debugger_leave(struct hv_debugger *debugger)
{
	debugger->client->debugger = NULL;
	debugger->client = NULL;
	if (!debugger->machine || hv_machine_has_ended(debugger->machine))
		return;
	if (!debugger->stopped) {
		if (debugger->machine->debugger)
			hv_machine_want_attention(debugger->machine, HV_ATTENTION_DEBUG);
		else
			hv_debugger_free(debugger);
		return;
	}
	hv_debugger_disarm(debugger);
	hv_debugger_let_go(debugger);
	hv_debugger_free(debugger);
}

void hv_debugger_forget_machine(struct hv_debugger *debugger)
{
	if (!debugger || !debugger->machine)
		return;
	debugger->machine->debugger = NULL;
	debugger->machine = NULL;
}

void hv_debugger_tell_end(struct hv_debugger *debugger, int status)
{
	hv_gdb_ended(&debugger->gdb, status);
}

void hv_debugger_free(struct hv_debugger *debugger)
{
	if (!debugger)
		return;
	debugger->control->debugger = NULL;
	free(debugger);
}

/* --------------------------------------------------------------- the request */

#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_EDX_LM		(1U << 29)
#define ELF_CLASS		4
#define ELF_CLASS_64		2

static bool has_long_mode(const struct hv_machine *machine)
{
	for (size_t i = 0; i < machine->nr_cpuid; i++)
		if (machine->cpuid[i].function == CPUID_EXTENDED_FEATURES)
			return machine->cpuid[i].edx & CPUID_EDX_LM;
	return false;
}

/* Is the program one of 64 bits, however it starts? */
static bool is_wide(const struct hv_payload *payload)
{
	const struct hv_file *file = &payload->file;

	if (file->size > ELF_CLASS && !memcmp(file->data, "\177ELF", 4))
		return file->data[ELF_CLASS] == ELF_CLASS_64;
	return payload->protocol && !strcmp(payload->protocol->name, "linux");
}

/* gdb cannot change what registers there are while it is connected: by what there will be. */
static enum hv_gdb_arch guess_arch(const struct hv_machine *machine)
{
	struct tinyvmx_sregs sregs;
	enum hv_gdb_arch arch = HV_GDB_I386;

	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		if (tvx_get_sregs(machine->vcpus[i].fd, &sregs))
			continue;
		if (sregs.efer & X86_EFER_LMA)
			return HV_GDB_X86_64;
		if (!i && !(sregs.cr0 & X86_CR0_PE))
			arch = HV_GDB_I8086;
	}
	return has_long_mode(machine) && is_wide(&machine->payload) ? HV_GDB_X86_64 : arch;
}

static const char *const arch_names[] = {
	[HV_GDB_I8086] = "i8086", [HV_GDB_I386] = "i386", [HV_GDB_X86_64] = "x86-64"
};

static int choose_arch(const struct hv_machine *machine, const json_t *line, enum hv_gdb_arch *arch,
		       struct hv_error *err)
{
	const json_t *word = json_object_get(line, "arch");

	*arch = guess_arch(machine);
	for (unsigned int i = 0; word && i < ARRAY_SIZE(arch_names); i++)
		if (!strcmp(json_string_value(word) ?: "", arch_names[i])) {
			*arch = i;
			return 0;
		}
	return word ? hv_fail(err, EINVAL,
			      "\"arch\" is none of \"i8086\", \"i386\", \"x86-64\"; mend it") :
		      0;
}

static struct hv_debugger *make(struct hv_control *control)
{
	struct hv_debugger *debugger = calloc(1, sizeof(*debugger));

	if (!debugger)
		return NULL;
	debugger->control = control;
	debugger->machine = control->machine;
	debugger->points.memory = &control->machine->memory;
	hv_debugger_veil_init(debugger);
	control->debugger = debugger;
	return debugger;
}

#define XCR0_AVX (1U << 2)

/* Another one may be on its way out: this one takes its place. */
static int come(struct hv_control_client *client, enum hv_gdb_arch arch, struct hv_error *err)
{
	struct hv_control *control = client->control;
	struct hv_machine *machine = control->machine;
	const struct tinyvmx_info *info = &machine->vm.info;
	struct hv_debugger *debugger = control->debugger;
	char who[HV_DEBUGGER_WHO_MAX];

	if (hv_debugger_is_used(debugger)) {
		hv_debugger_who(debugger, who);
		return hv_fail(err, EBUSY, "%s debugs it; end that first", who);
	}
	if (control->holder)
		return hv_fail(err, EBUSY,
			       "process %d has it stand still; wait for that, or end it",
			       control->holder->pid);
	debugger = debugger ?: make(control);
	if (!debugger)
		return hv_fail(err, ENOMEM, "no memory for a debugger; close something");
	memset(&debugger->gdb, 0, sizeof(debugger->gdb));
	hv_gdb_regs_init(&debugger->gdb.regs, arch,
			 info->xcr0_mask & XCR0_AVX && info->xsave_bytes >= HV_GDB_FPU_AVX);
	hv_gdb_init(&debugger->gdb, &hv_debugger_ops, debugger);
	debugger->client = client;
	debugger->fresh = true;
	debugger->interrupted = false;
	client->debugger = debugger;
	machine->debugger = debugger;
	/* One that is paused already has no vCPU that would do it. */
	if (control->paused)
		hv_signal_event(control->stops.fd);
	else
		hv_machine_want_attention(machine, HV_ATTENTION_DEBUG);
	return 0;
}

int hv_control_gdb(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err)
{
	enum hv_gdb_arch arch;
	int error = choose_arch(client->control->machine, line, &arch, err);

	if (!error)
		error = come(client, arch, err);
	if (!error)
		json_object_set_new(reply, "arch", json_string(arch_names[arch]));
	return error;
}

/* ---------------------------------------------------------------------- --gdb */

void hv_debugger_meet(struct hv_control_client *client)
{
	const struct hv_machine *machine = client->control->machine;
	enum hv_gdb_hello hello = hv_gdb_hello(client->in, client->in_len, sizeof(client->in));
	char answer[HV_GDB_REFUSAL_MAX];
	struct hv_error err;
	int error;

	if (hello == HV_GDB_HELLO_MORE)
		return;
	if (hello == HV_GDB_HELLO_NO || client->refused) {
		client->dropped = true;
		return;
	}
	if (hv_machine_has_ended(machine))
		error = hv_fail(&err, EBUSY, "it has ended");
	else
		error = come(client, guess_arch(machine), &err);
	if (!error)
		return;
	/* It is read before the next packet comes: then this may be closed. */
	hv_control_send_raw(client, answer, hv_gdb_refusal(answer, err.text));
	client->refused = true;
	client->in_len = 0;
}
