// SPDX-License-Identifier: GPL-2.0-only
/* hvctl run: load a guest, run it to its end, say how it ended. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "firmware/cpu_features.h"
#include "lib/args.h"
#include "lib/status.h"
#include "load/boot.h"
#include "load/load.h"
#include "run_load.h"
#include "vmm/loop.h"
#include "vmm/machine_pc.h"
#include "vmm/report.h"
#include "vmm/term.h"

#define DEFAULT_MEM (128 * HV_MIB)

struct run {
	/* asked for */
	struct hv_payload_config load;
	struct hv_cpu_features features;
	const char *machine_kind;	/* "pc", "bare"; NULL: what the boot protocol expects */
	uint64_t mem;
	struct hv_serial_choice serial[HV_PC_COM_PORTS];
	unsigned int verbose;
	bool no_reboot;
	bool json;
	bool stats;
	/* made of it */
	struct hv_payload payload;
	struct hv_machine *machine;
	int signal_fd;
	bool raw;
	bool launched;
	/* what went wrong, and with what */
	struct hv_error err;
	const char *subject;
};

/* --------------------------------------------------------------- arguments */

enum { OPT_MEM = 'm', OPT_VERBOSE = 'v', OPT_MACHINE = 0x100, OPT_CPU, OPT_NO_REBOOT, OPT_JSON, OPT_SERIAL, OPT_STATS };

static const struct argp_option options[] = {
	{ "mem", OPT_MEM, "SIZE", 0, "guest RAM, in MiB or with a suffix K, M, G (default 128M)", 0 },
	{ "machine", OPT_MACHINE, "KIND", 0,
	  "pc or bare: with or without interrupt controllers and timers (default: by the boot protocol)", 0 },
	{ "cpu", OPT_CPU, "[+-]FEATURE,...", 0, "take CPUID features away, or insist on them", 0 },
	{ "no-reboot", OPT_NO_REBOOT, NULL, 0, "end when the guest reboots", 0 },
	{ "serial", OPT_SERIAL, "COMn:BACKEND", 0,
	  "connect a serial port to stdio, pty, file:NAME or null; may be repeated (default COM1:stdio)", 0 },
	{ "verbose", OPT_VERBOSE, NULL, 0, "tell the life of the VM on standard error, a line a step", 0 },
	{ "stats", OPT_STATS, NULL, 0, "tell at the end, on standard error, how often each kind of VM exit came", 0 },
	{ "json", OPT_JSON, NULL, 0, "report the end as a last line of JSON on standard output", 0 },
	{ 0 }
};

static void bad_size(struct argp_state *state, const char *arg)
{
	argp_failure(state, HV_STATUS_USAGE, 0,
		     "--mem %s: not a size; give a number of MiB, or one like 2G", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &run->load;
		return 0;
	case OPT_MEM:
		if (!hv_parse_size(arg, HV_MIB, &run->mem))
			bad_size(state, arg);
		return 0;
	case OPT_MACHINE:
		if (strcmp(arg, "pc") && strcmp(arg, "bare"))
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "--machine %s: no such machine; use pc or bare", arg);
		run->machine_kind = arg;
		return 0;
	case OPT_CPU:
		if (hv_cpu_features_parse(&run->features, arg, &run->err))
			argp_failure(state, HV_STATUS_USAGE, 0, "--cpu %s: %s", arg, run->err.text);
		return 0;
	case OPT_NO_REBOOT:
		run->no_reboot = true;
		return 0;
	case OPT_VERBOSE:
		run->verbose++;
		return 0;
	case OPT_SERIAL:
		if (hv_serial_parse(run->serial, arg, &run->err))
			argp_failure(state, HV_STATUS_USAGE, 0, "--serial %s: %s", arg,
				     run->err.text);
		return 0;
	case OPT_STATS:
		run->stats = true;
		return 0;
	case OPT_JSON:
		run->json = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {
	{ &hv_payload_argp, 0, NULL, 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.children = children,
	.args_doc = "IMAGE",
	.doc = "Run IMAGE as a guest: a Linux bzImage or vmlinux, a multiboot or other ELF kernel, a flat binary.\v"
	       "Exit status: what the guest wrote to port 0xf4, times two plus one; 0 powered off; 4 halted; "
	       "6 triple fault; 8 VM entry failed; 10 unsupported; 12 host error; 14 the guest panicked; 2 bad input. "
	       "See hvctl(1).",
};

/* ----------------------------------------------------------- check, prepare */

static bool wants_pc(const struct run *run)
{
	if (run->machine_kind)
		return !strcmp(run->machine_kind, "pc");
	return run->payload.image.protocol->pc;
}

/* All that can be wrong with what the user gave; nothing is started yet. */
static int check_input(struct run *run)
{
	struct hv_memory *memory = &run->machine->memory;
	int error;

	run->subject = "--mem";
	error = hv_memory_init(memory, run->mem, &run->err);
	if (error)
		return error;
	error = hv_payload_read(&run->payload, &run->load, memory, &run->err);
	run->subject = run->payload.subject;
	if (!error)
		run->machine->is_pc = wants_pc(run);
	return error;
}

static void tell_image(const struct run *run)
{
	const struct hv_image *image = &run->payload.image;

	hv_machine_say(run->machine, "boot protocol %s, because of %s", image->protocol->name,
		       image->why);
	hv_machine_say(run->machine, "image %s: %s, %llu bytes, loaded at 0x%llx-0x%llx",
		       run->load.path, image->kind, (unsigned long long)image->file_size,
		       (unsigned long long)hv_image_begin(image),
		       (unsigned long long)hv_image_end(image) - 1);
	for (unsigned int i = 0; i < run->payload.modules; i++) {
		const struct hv_module *module = &run->payload.module[i];

		hv_machine_say(run->machine, "initrd %s: %zu bytes, loaded at 0x%llx", module->path,
			       module->file.size, (unsigned long long)module->gpa);
	}
	if (*run->payload.text)
		hv_machine_say(run->machine, "command line: %s", run->payload.text);
}

static int create_vm(struct run *run)
{
	struct hv_vm *vm = &run->machine->vm;
	int error;

	run->subject = TINYVMX_DEVICE;
	error = hv_vm_open(vm, &run->err);
	if (error)
		return error;
	hv_machine_say(run->machine,
		       "VMX supported: %s, ABI version %u, %u-bit guest-physical addresses",
		       TINYVMX_DEVICE, vm->info.abi_version, vm->info.gpa_bits);
	hv_machine_say(run->machine, "VMCS revision 0x%x", vm->info.vmcs_revision);
	error = hv_vm_create(vm, run->machine->is_pc ? TINYVMX_VM_LAPIC : 0, &run->err);
	if (error)
		return error;
	hv_machine_say(run->machine, "VMX on");
	return hv_vm_map(vm, &run->machine->memory, &run->err);
}

static int make_cpuid(struct run *run)
{
	struct hv_machine *machine = run->machine;
	const struct hv_cpuid_config config = {
		.host = hv_cpuid_host,
		.info = &machine->vm.info,
		.lapic = machine->is_pc,
	};

	machine->nr_cpuid = hv_cpuid_build(machine->cpuid, &config);
	run->subject = "--cpu";
	return hv_cpu_features_apply(&run->features, machine->cpuid, machine->nr_cpuid, &run->err);
}

/* The firmware's part first: what the guest brings along may be in the same place. */
static void load_guest(void *ctx, struct hv_boot *boot)
{
	const struct run *run = ctx;
	const struct hv_machine *machine = run->machine;

	if (machine->is_pc)
		hv_machine_pc_write_tables(machine);
	hv_payload_start(&run->payload, &machine->memory,
			 hv_cpuid_has_1g_pages(machine->cpuid, machine->nr_cpuid), boot);
}

static int create_vcpu(struct run *run)
{
	struct hv_machine *machine = run->machine;
	struct hv_vcpu *vcpu = &machine->vcpu[0];
	struct hv_boot boot;
	int error = make_cpuid(run);

	if (error)
		return error;
	run->subject = TINYVMX_DEVICE;
	machine->load = load_guest;
	machine->load_ctx = run;
	load_guest(run, &boot);
	hv_machine_say(machine, "guest context: %s mode, RIP 0x%llx, RSP 0x%llx",
		       hv_mode_name(run->payload.image.mode), boot.regs.rip,
		       boot.regs.gpr[TINYVMX_RSP]);
	error = hv_vcpu_create(vcpu, machine, 0, &run->err);
	machine->nr_vcpus = 1;
	if (!error)
		error = hv_vcpu_set_boot(vcpu, &boot, &run->err);
	if (!error)
		hv_machine_say(machine, "VMCS set up");
	return error;
}

/* From here on the terminal is raw and signals are ours. */
static int launch(struct run *run)
{
	struct hv_machine *machine = run->machine;
	int error;

	run->signal_fd = hv_loop_catch_signals();
	if (run->signal_fd < 0)
		return hv_fail(&run->err, -run->signal_fd,
			       "no file descriptor for signals; raise ulimit -n");
	run->raw = hv_term_raw();
	run->subject = "--serial";
	error = hv_machine_add_devices(machine, run->raw, &run->err);
	if (error)
		return error;
	if (run->raw)
		fputs("hvctl: Ctrl-A X ends the VM\n", stderr);
	hv_machine_say(machine, "launching");
	error = hv_vcpu_start(&machine->vcpu[0], &run->err);
	run->launched = !error;
	return error;
}

/* --------------------------------------------------------------------- end */

/* All that the guest said, before what we have to say. */
static void flush_console(struct run *run)
{
	struct hv_machine *machine = run->machine;
	bool killed = machine->end.kind == HV_END_SIGNAL || machine->end.kind == HV_END_QUIT;

	hv_serial_flush(machine);
	for (unsigned int i = 0; i < machine->nr_consoles; i++)
		if (killed)
			hv_console_drain(machine->consoles[i]);
		else
			hv_console_finish(machine->consoles[i], run->signal_fd);
	hv_console_exit(&machine->console);
}

/* Where in its program the guest has died, and what may help. */
static void tell_where(const struct run *run)
{
	const struct hv_protocol *protocol = run->payload.image.protocol;
	uint64_t rip = run->machine->vcpu[0].run->rip;
	char text[200];

	if (hv_payload_find_symbol(&run->payload, rip, text, sizeof(text)))
		fprintf(stderr, "RIP 0x%llx is %s\n", (unsigned long long)rip, text);
	if (protocol->advice)
		fprintf(stderr, "%s\n", protocol->advice);
}

static void tell_end(struct run *run)
{
	const struct hv_machine *machine = run->machine;
	const struct hv_vcpu *vcpu = &machine->vcpu[0];
	bool worth_telling = false;
	char text[300];

	switch (machine->end.kind) {
	case HV_END_ENTRY_FAILED:
		hv_report_entry_failure(vcpu, stderr);
		/* fall through */
	case HV_END_TRIPLE_FAULT:
	case HV_END_UNSUPPORTED:
		hv_report_vcpu(vcpu, stderr);
		tell_where(run);
		/* fall through */
	case HV_END_ERROR:
	case HV_END_HALTED:
	case HV_END_PANIC:
		worth_telling = true;
		break;
	default:
		break;
	}
	hv_end_describe(&machine->end, text, sizeof(text));
	if (worth_telling || machine->verbose)
		fprintf(stderr, "%s\n", text);
}

static int finish(struct run *run)
{
	struct hv_machine *machine = run->machine;

	hv_vcpu_join(&machine->vcpu[0]);
	flush_console(run);
	hv_term_restore();
	tell_end(run);
	if (run->stats)
		hv_report_stats(machine, stderr);
	if (run->json && hv_report_json(machine, run->load.path, stdout)) {
		fputs("hvctl: --json: cannot write the report; mend standard output\n", stderr);
		return HV_STATUS_ERROR;
	}
	return hv_end_status(&machine->end);
}

static int fail(const struct run *run)
{
	fprintf(stderr, "hvctl: %s: %s\n", run->subject, run->err.text);
	return HV_STATUS_USAGE;
}

static int run_guest(struct run *run)
{
	if (check_input(run) || create_vm(run))
		return fail(run);
	tell_image(run);
	if (create_vcpu(run) || launch(run))
		return fail(run);
	hv_loop_run(run->machine, run->signal_fd);
	return finish(run);
}

int hv_cmd_run(int argc, char **argv)
{
	struct run run = {
		.mem = DEFAULT_MEM,
		.load = HV_PAYLOAD_CONFIG_DEFAULT,
		.serial[0] = { HV_SERIAL_STDIO, NULL },
		.signal_fd = -1,
		.subject = "run",
	};
	struct hv_end end;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &run);
	run.machine = calloc(1, sizeof(*run.machine));
	if (!run.machine || hv_machine_init(run.machine, &run.err))
		return fail(&run);
	run.machine->verbose = run.verbose;
	run.machine->no_reboot = run.no_reboot;
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		run.machine->serial[i].choice = run.serial[i];
	status = run_guest(&run);
	hv_term_restore();
	end = run.machine->end;
	hv_payload_free(&run.payload);
	hv_machine_exit(run.machine);
	if (run.launched)
		hv_machine_say(run.machine, "cleaned up");
	free(run.machine);
	if (end.kind == HV_END_SIGNAL)
		hv_loop_die(end.detail);
	return status;
}
