// SPDX-License-Identifier: GPL-2.0-only
/* The machine: what a guest is surrounded by, made in one order and unmade in the other. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "devices.h"
#include "display.h"
#include "firmware/acpi.h"
#include "firmware/cpu_features.h"
#include "halt.h"
#include "lib/lock.h"
#include "lib/text.h"
#include "lib/util.h"
#include "load/protocol.h"
#include "machine.h"
#include "machine_bios.h"
#include "machine_ide.h"
#include "machine_pc.h"
#include "ports.h"
#include "serial.h"

/* --------------------------------------------------------------------- end */

void hv_machine_end(struct hv_machine *machine, enum hv_end_kind kind, uint32_t detail,
		    const char *fmt, ...)
{
	const struct hv_vcpu *vcpu = hv_vcpu_current();
	struct hv_end *end = &machine->end;
	bool first;

	pthread_mutex_lock(&machine->end_lock);
	first = end->kind == HV_END_NONE;
	if (first) {
		va_list args;

		end->kind = kind;
		end->detail = detail;
		end->vcpu = vcpu ? vcpu->id : 0;
		va_start(args, fmt);
		vsnprintf(end->text, sizeof(end->text), fmt, args);
		va_end(args);
		/* Some of it is a guest's words. */
		hv_text_clean(end->text, sizeof(end->text), end->text, strlen(end->text));
	}
	pthread_mutex_unlock(&machine->end_lock);
	if (!first)
		return;
	hv_machine_want_attention(machine, HV_ATTENTION_END);
	/* Those that wait to run find it, too. */
	pthread_mutex_lock(&machine->run_lock);
	pthread_cond_broadcast(&machine->run_changed);
	pthread_mutex_unlock(&machine->run_lock);
	hv_loop_stop(&machine->loop);
}

static void on_exit_port(void *ctx, uint32_t value)
{
	hv_machine_end(ctx, HV_END_EXITED, value, "%s", "");
}

static void on_power_off(void *ctx)
{
	hv_machine_end(ctx, HV_END_POWEROFF, 0, "%s", "");
}

/* ------------------------------------------------------------------- clock */

static struct hv_machine *machine_of(struct hv_clock *clock)
{
	return (void *)((char *)clock - offsetof(struct hv_machine, clock));
}

static uint64_t guest_ns(struct hv_clock *clock)
{
	const struct hv_machine *machine = machine_of(clock);

	if (machine->time_stopped_ns)
		return machine->time_stopped_ns;
	return hv_monotonic_ns() - machine->time_lost_ns;
}

/* Called with the machine's lock held, by any thread. */
static void rearm_timer_fd(struct hv_clock *clock)
{
	struct hv_machine *machine = machine_of(clock);
	uint64_t next = hv_clock_next(clock);
	struct itimerspec when = { 0 };

	hv_lock_assert_held(&machine->lock);
	/* Zero disarms; a deadline of zero has passed long ago. */
	if (next != UINT64_MAX && !machine->time_stopped_ns) {
		next += machine->time_lost_ns;
		when.it_value.tv_sec = next / 1000000000;
		when.it_value.tv_nsec = next ? next % 1000000000 : 1;
	}
	timerfd_settime(machine->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_timers(void *ctx, short revents)
{
	struct hv_machine *machine = ctx;
	uint64_t expirations;

	(void)revents;
	(void)!read(machine->timer_fd, &expirations, sizeof(expirations));
	pthread_mutex_lock(&machine->lock);
	if (!machine->time_stopped_ns)
		hv_clock_run(&machine->clock);
	rearm_timer_fd(&machine->clock);
	pthread_mutex_unlock(&machine->lock);
}

/* ------------------------------------------------------------------ create */

/* A terminal that shows the screen shows nothing else. */
static void move_serial(struct hv_config *config)
{
	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (config->display != HV_DISPLAY_NONE && config->serial[i].kind == HV_SERIAL_STDIO)
			config->serial[i].kind = HV_SERIAL_PTY;
}

/* What exists before anything of the guest, and so is always there to be destroyed. */
static struct hv_machine *allocate(const struct hv_config *config, struct hv_error *err)
{
	struct hv_machine *machine = calloc(1, sizeof(*machine));

	err->subject = "run";
	if (!machine) {
		hv_fail(err, ENOMEM, "no memory for a machine; close something");
		return NULL;
	}
	if (hv_loop_init(&machine->loop, err)) {
		free(machine);
		return NULL;
	}
	machine->config = *config;
	machine->records = config->records;
	machine->config.load.desk = config->display != HV_DISPLAY_NONE;
	move_serial(&machine->config);
	machine->console_end = (struct hv_backend)HV_BACKEND_NONE;
	machine->vm.device = machine->vm.fd = -1;
	machine->memory.fd = -1;
	hv_lock_init(&machine->lock);
	hv_lock_init(&machine->run_lock);
	pthread_cond_init(&machine->run_changed, NULL);
	hv_lock_init(&machine->end_lock);
	machine->clock.now_ns = guest_ns;
	machine->clock.rearm = rearm_timer_fd;
	machine->attention_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	machine->timer_watch = (struct hv_watch){
		.fd = machine->timer_fd,
		.ready = on_timers,
		.ctx = machine,
	};
	hv_loop_add(&machine->loop, &machine->timer_watch);
	hv_halt_init(machine);
	return machine;
}

static int check_descriptors(const struct hv_machine *machine, struct hv_error *err)
{
	if (machine->attention_fd >= 0 && machine->timer_fd >= 0)
		return 0;
	return hv_fail(err, EMFILE, "no file descriptors; close something, or raise ulimit -n");
}

bool hv_machine_is_pc(const struct hv_machine *machine)
{
	const struct hv_config *config = &machine->config;

	if (config->machine == HV_MACHINE_DEFAULT)
		return machine->payload.protocol->pc || config->display != HV_DISPLAY_NONE ||
		       config->devices || config->cdrom;
	return config->machine == HV_MACHINE_PC;
}

static int make_memory(struct hv_machine *machine, int fd, struct hv_error *err)
{
	struct hv_memory *memory = &machine->memory;
	uint64_t size = machine->config.memory;

	err->subject = "--mem";
	if (fd >= 0)
		return hv_memory_init_fd(memory, fd, size, err);
	/* The test device flushes pages of a memfd only; some devices are other processes. */
	if (machine->config.shared_memory || machine->config.testdev ||
	    hv_devices_share_memory(&machine->config))
		return hv_memory_init_shared(memory, size, err);
	return hv_memory_init(memory, size, err);
}

/* All that can be wrong with what the user gave; nothing is started yet. */
static int read_input(struct hv_machine *machine, int memory_fd, struct hv_error *err)
{
	const struct hv_config *config = &machine->config;
	int error;

	if (!config->load.path)
		return hv_fail(err, EINVAL, "there is no image; name one");
	error = make_memory(machine, memory_fd, err);
	if (error)
		return error;
	error = hv_payload_read(&machine->payload, &config->load, &machine->memory, err);
	err->subject = machine->payload.subject;
	if (error || !config->vmgenid)
		return error;
	return hv_memory_add_rom_at(&machine->memory, HV_LAYOUT_GENERATION,
				    HV_LAYOUT_GENERATION_LEN, err);
}

/* It may go well: few guests use all that they are given. */
static void tell_memory(struct hv_machine *machine)
{
	uint64_t size = machine->memory.size, host = hv_memory_of_host();

	if (size <= host)
		return;
	hv_machine_note(
		machine,
		"hvctl run: --mem: %llu MiB is more than this host has (%llu MiB): it kills what uses it up",
		(unsigned long long)(size / HV_MIB), (unsigned long long)(host / HV_MIB));
}

static void tell_image(struct hv_machine *machine)
{
	const struct hv_payload *payload = &machine->payload;
	const struct hv_image *image = &payload->image;

	hv_machine_say(machine, "boot protocol %s, because of %s", payload->protocol->name,
		       payload->why);
	if (image->note)
		hv_machine_note(machine, "hvctl run: %s: %s", machine->config.load.path,
				image->note);
	if (payload->packed)
		hv_machine_say(machine, "image %s: compressed by %s", machine->config.load.path,
			       payload->packed);
	hv_machine_say(machine, "image %s: %s, %llu bytes, loaded at 0x%llx-0x%llx",
		       machine->config.load.path, image->kind, (unsigned long long)image->file_size,
		       (unsigned long long)hv_image_begin(image),
		       (unsigned long long)hv_image_end(image) - 1);
	for (unsigned int i = 0; i < payload->modules; i++)
		hv_machine_say(machine, "initrd %s: %zu bytes, loaded at 0x%llx",
			       payload->module[i].path, payload->module[i].file.size,
			       (unsigned long long)payload->module[i].gpa);
	if (machine->config.load.kernel)
		hv_machine_say(machine, "kernel %s: %zu bytes, for the firmware to start",
			       machine->config.load.kernel, payload->kernel.size);
	if (*payload->text)
		hv_machine_say(machine, "command line: %s", payload->text);
}

/* What a bare machine has not. */
static int check_bare(const struct hv_machine *machine, struct hv_error *err)
{
	if (hv_machine_is_pc(machine))
		return 0;
	err->subject = "--display text";
	if (machine->config.display != HV_DISPLAY_NONE)
		return hv_fail(err, EINVAL, "a bare machine has no screen; use --machine pc");
	/* Nothing there starts the others: all at once they would execute the same code. */
	err->subject = "--cpus";
	if (machine->config.cpus > 1)
		return hv_fail(err, EINVAL, "a bare machine has one CPU; add --machine pc");
	err->subject = "--machine bare";
	if (machine->payload.image.bios)
		return hv_fail(err, EINVAL,
			       "a bare machine has no BIOS, which this image needs; leave it out");
	err->subject = "--fw-cfg";
	if (machine->config.load.fw_files)
		return hv_fail(err, EINVAL, "a bare machine has no fw_cfg; add --machine pc");
	err->subject = machine->config.devices ? machine->config.device[0].text : NULL;
	if (machine->config.devices)
		return hv_fail(err, EINVAL, "a bare machine has no devices; add --machine pc");
	err->subject = "--cdrom";
	if (machine->config.cdrom)
		return hv_fail(err, EINVAL, "a bare machine has no drives; add --machine pc");
	err->subject = hv_devices_of_board(&machine->config);
	return err->subject ? hv_fail(err, EINVAL, "is a PC's; add --machine pc") : 0;
}

static int check_vcpus(const struct hv_machine *machine, struct hv_error *err)
{
	unsigned int max = machine->vm.info.max_vcpus;

	if (machine->config.cpus <= max)
		return 0;
	err->subject = "--cpus";
	return hv_fail(err, EINVAL, "the module gives a VM %u at the most; ask for fewer", max);
}

static int create_vm(struct hv_machine *machine, struct hv_error *err)
{
	struct hv_vm *vm = &machine->vm;
	uint32_t flags = 0;
	int error;

	err->subject = TINYVMX_DEVICE;
	error = hv_vm_open(vm, err);
	if (error)
		return error;
	hv_machine_say(machine,
		       "VMX supported: %s, ABI version %u, %u-bit guest-physical addresses",
		       TINYVMX_DEVICE, vm->info.abi_version, vm->info.gpa_bits);
	hv_machine_say(machine, "VMCS revision 0x%x", vm->info.vmcs_revision);
	if (hv_machine_is_pc(machine))
		flags |= TINYVMX_VM_LAPIC;
	if (hv_machine_is_pc(machine) && vm->info.capabilities & TINYVMX_CAP_FERR)
		flags |= TINYVMX_VM_FERR;
	error = check_vcpus(machine, err);
	if (!error)
		error = hv_vm_create(vm, flags, err);
	if (error)
		return error;
	hv_machine_say(machine, "VMX on");
	if (vm->shared)
		hv_machine_say(machine, "VMX is KVM's: its guests go on beside this one");
	return hv_vm_map(vm, &machine->memory, err);
}

static int make_cpuid(struct hv_machine *machine, struct hv_error *err)
{
	const struct hv_cpuid_config config = {
		.host = hv_cpuid_host,
		.info = &machine->vm.info,
		.cpus = machine->config.cpus,
		.lapic = hv_machine_is_pc(machine),
	};
	struct hv_cpu_features features = { 0 };

	err->subject = "--cpu";
	machine->nr_cpuid = hv_cpuid_build(machine->cpuid, &config);
	if (*machine->config.cpu && hv_cpu_features_parse(&features, machine->config.cpu, err))
		return -EINVAL;
	return hv_cpu_features_apply(&features, machine->cpuid, machine->nr_cpuid, err);
}

static int create_vcpus(struct hv_machine *machine, struct hv_error *err)
{
	int error = make_cpuid(machine, err);

	if (error)
		return error;
	err->subject = TINYVMX_DEVICE;
	machine->vcpus = calloc(machine->config.cpus, sizeof(*machine->vcpus));
	if (!machine->vcpus)
		return hv_fail(err, ENOMEM, "no memory for a vCPU; close something");
	for (unsigned int i = 0; i < machine->config.cpus && !error; i++) {
		error = hv_vcpu_create(&machine->vcpus[i], machine, i, err);
		machine->nr_vcpus++;
	}
	return error;
}

static int create_devices(struct hv_machine *machine, struct hv_error *err)
{
	const struct hv_debugport_config debugport = {
		.bus = &machine->bus,
		.output = hv_machine_output_debug,
		.ctx = machine,
		.firmware_only = machine->config.testdev,
		/* SeaBIOS writes all that it says to COM1 there, too. */
		.firmware_quiet = machine->payload.image.rom_size && !machine->config.verbose,
	};
	const struct hv_exitport_config exitport = {
		.bus = &machine->bus,
		.exited = on_exit_port,
		/* A PC has it as the control register of its PM block. */
		.powered_off = hv_machine_is_pc(machine) ? NULL : on_power_off,
		.ctx = machine,
	};
	int error = 0;

	err->subject = "--serial";
	if (hv_machine_is_pc(machine))
		error = hv_machine_pc_create(machine);
	if (!error && machine->payload.image.bios)
		error = hv_machine_bios_create(machine);
	if (!error)
		error = hv_debugport_init(&machine->debugport, &debugport);
	if (!error)
		error = hv_exitport_init(&machine->exitport, &exitport);
	if (error)
		return hv_fail(err, -error, "two devices want the same ports; please report it");
	error = hv_machine_ide_create(machine, err);
	if (!error)
		error = hv_serial_create(machine, err);
	if (error || !machine->pc)
		return error;
	/* Firmware is told of them. */
	error = hv_devices_create(machine, err);
	if (!error)
		error = hv_machine_pc_place_devices(machine, err);
	return error ? error : hv_machine_pc_fill_fw_cfg(machine, err);
}

/* The firmware's part first: what the guest brings along may be in the same place. */
int hv_machine_load(struct hv_machine *machine, struct hv_error *err)
{
	const struct hv_boot_env env = {
		.huge_1g = hv_cpuid_has_1g_pages(machine->cpuid, machine->nr_cpuid),
		.signature = hv_cpuid_signature(machine->cpuid, machine->nr_cpuid),
		.rsdp = machine->pc ? HV_ACPI_GPA : 0,
		.screen = machine->pc,
	};
	struct hv_boot boot;
	int error;

	err->subject = TINYVMX_DEVICE;
	/* ... unless there is a real one. */
	if (machine->pc && !machine->payload.image.rom_size && hv_machine_pc_write_tables(machine))
		return hv_fail(err, ENOSPC, "the firmware's tables have no room; please report it");
	if (machine->pc && (machine->payload.protocol->after_bios || machine->payload.image.bios))
		hv_pc_after_bios(&machine->pc->board);
	hv_payload_start(&machine->payload, &machine->memory, &env, &boot);
	hv_machine_say(machine, "guest context: %s mode, RIP 0x%llx, RSP 0x%llx",
		       hv_mode_name(machine->payload.image.mode), boot.regs.rip,
		       boot.regs.gpr[TINYVMX_RSP]);
	hv_machine_bios_start(machine, &boot);
	error = hv_vcpu_set_boot(hv_machine_bsp(machine), &boot, err);
	for (unsigned int i = 1; i < machine->nr_vcpus && !error; i++)
		error = hv_vcpu_set_parked(&machine->vcpus[i], &boot, err);
	return error;
}

struct hv_machine *hv_machine_prepare(const struct hv_config *config, int memory_fd,
				      struct hv_error *err)
{
	struct hv_machine *machine = allocate(config, err);
	int error;

	if (!machine)
		return NULL;
	error = check_descriptors(machine, err);
	if (!error)
		error = read_input(machine, memory_fd, err);
	if (!error)
		error = check_bare(machine, err);
	if (!error)
		error = hv_machine_ide_prepare(machine, err);
	if (!error)
		return machine;
	hv_machine_destroy(machine);
	return NULL;
}

struct hv_machine *hv_machine_create_empty(const struct hv_config *config, int memory_fd,
					   struct hv_error *err)
{
	struct hv_machine *machine = hv_machine_prepare(config, memory_fd, err);
	int error;

	if (!machine)
		return NULL;
	error = hv_machine_open_consoles(machine, err);
	if (!error)
		error = create_vm(machine, err);
	if (!error) {
		tell_memory(machine);
		tell_image(machine);
		error = create_vcpus(machine, err);
	}
	/* Nobody else is there yet, but from here on chips are entered, which want it. */
	pthread_mutex_lock(&machine->lock);
	if (!error)
		error = create_devices(machine, err);
	pthread_mutex_unlock(&machine->lock);
	if (!error)
		return machine;
	hv_machine_destroy(machine);
	return NULL;
}

struct hv_machine *hv_machine_create(const struct hv_config *config, struct hv_error *err)
{
	struct hv_machine *machine = hv_machine_create_empty(config, -1, err);
	int error;

	if (!machine)
		return NULL;
	hv_backend_empty(&machine->console_end);
	hv_serial_empty_files(machine);
	hv_ports_empty_files(machine);
	pthread_mutex_lock(&machine->lock);
	error = hv_machine_pc_new_generation(machine, err);
	if (!error)
		error = hv_machine_load(machine, err);
	pthread_mutex_unlock(&machine->lock);
	if (error) {
		hv_machine_destroy(machine);
		return NULL;
	}
	hv_machine_say(machine, "VMCS set up");
	return machine;
}

void hv_machine_destroy(struct hv_machine *machine)
{
	hv_machine_ide_stop(machine);
	for (unsigned int i = 0; i < machine->nr_vcpus; i++)
		hv_vcpu_destroy(&machine->vcpus[i]);
	pthread_mutex_lock(&machine->lock);
	hv_devices_destroy(machine);
	pthread_mutex_unlock(&machine->lock);
	hv_machine_close_consoles(machine);
	hv_backend_close(&machine->console_end);
	hv_ports_destroy(machine);
	pthread_mutex_lock(&machine->lock);
	hv_serial_destroy(machine);
	hv_machine_bios_destroy(machine);
	hv_machine_ide_destroy(machine);
	hv_machine_pc_destroy(machine);
	pthread_mutex_unlock(&machine->lock);
	free(machine->vcpus);
	hv_vm_destroy(&machine->vm);
	hv_payload_free(&machine->payload);
	hv_memory_exit(&machine->memory);
	hv_close(machine->attention_fd);
	hv_close(machine->timer_fd);
	hv_loop_exit(&machine->loop);
	pthread_mutex_destroy(&machine->lock);
	pthread_mutex_destroy(&machine->run_lock);
	pthread_cond_destroy(&machine->run_changed);
	pthread_mutex_destroy(&machine->end_lock);
	hv_config_free(machine->owned_config);
	free(machine);
}
