// SPDX-License-Identifier: GPL-2.0-only
/* A machine with a BIOS: the guest's way to it and back, what is typed, and errors. */
#include <locale.h>

#include "lib/x86.h"
#include "machine_bios_test.h"
#include "vmm/machine_bios.h"
#include "vmm/machine_ide.h"

#define SECTOR_PATH "/tmp/hv-sector-XXXXXX"

static struct hv_machine *machine;
static unsigned int step;
static uint16_t flags[2], ax[2];
static size_t taken;

static const char *boot_sector(void)
{
	static const uint8_t sector[512] = { [510] = 0x55, [511] = 0xaa };
	static char path[sizeof(SECTOR_PATH)];
	int fd;

	strcpy(path, SECTOR_PATH);
	fd = mkstemp(path);
	assert_int_equal(write(fd, sector, sizeof(sector)), sizeof(sector));
	close(fd);
	return path;
}

static int setup(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_DEFAULT);

	(void)state;
	step = 0;
	fake_reset(NULL);
	config.load.path = boot_sector();
	machine = test_machine(&config);
	unlink(config.load.path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	return 0;
}

/* Looks for a key, which makes the port listen; and again, when one has been typed. */
static int looks_for_keys(struct fake_vcpu *vcpu)
{
	if (step) {
		flags[step - 1] = test_get(&machine->memory, STACK + 6, 2);
		ax[step - 1] = vcpu->regs.gpr[TINYVMX_RAX];
	}
	if (step == 1)
		test_with_lock(machine, taken = hv_serial_input(machine, (const uint8_t *)"A", 1));
	return step++ < 2 ? test_bios_call(machine, vcpu, 0x16, 0x0100) :
			    fake_out(vcpu, 0x604, 2, 0x2000);
}

static void test_keys(void **state)
{
	(void)state;
	test_machine_run(machine, looks_for_keys);
	assert_int_equal(machine->end.kind, HV_END_POWEROFF);
	assert_int_equal(taken, 1);
	assert_true(flags[0] & X86_RFLAGS_ZF);
	assert_false(flags[1] & X86_RFLAGS_ZF);
	assert_int_equal(ax[1], 0x1e41);
}

static int reads_the_disk(struct fake_vcpu *vcpu)
{
	if (step++)
		return fake_out(vcpu, 0x604, 2, 0x2000);
	vcpu->regs.gpr[TINYVMX_RBX] = 0;
	vcpu->regs.gpr[TINYVMX_RCX] = 1;
	vcpu->regs.gpr[TINYVMX_RDX] = 0;
	vcpu->sregs.seg[TINYVMX_ES].base = 0x10000;
	return test_bios_call(machine, vcpu, 0x13, 0x0201);
}

static void test_disk(void **state)
{
	(void)state;
	test_machine_run(machine, reads_the_disk);
	assert_int_equal(test_get(&machine->memory, 0x10000 + 510, 2), 0xaa55);
}

/* The first state: in the boot sector, with a ROM and the chips as that leaves them. */
static void test_start(void **state)
{
	const struct fake_vcpu *vcpu = &fake.vcpu[0];
	uint64_t mask = 0;

	(void)state;
	assert_non_null(machine->pc);
	assert_int_equal(vcpu->sregs.seg[TINYVMX_CS].selector, 0);
	assert_int_equal(vcpu->regs.rip, 0x7c00);
	assert_true(test_access(machine, HV_PORT, 0x21, 1, false, &mask));
	assert_int_equal(mask, 0xf8);
	assert_int_equal(test_get(&machine->memory, 0xffff0, 1), 0xea);
	assert_int_equal(test_get(&machine->memory, 0x410, 1) & 1, 1);
}

static int prints_controls(struct fake_vcpu *vcpu)
{
	static const char text[] = "a\033[2J\r\n\016\bb";

	if (step == sizeof(text) - 1)
		return fake_out(vcpu, 0x604, 2, 0x2000);
	vcpu->regs.gpr[TINYVMX_RBX] = 0;
	return test_bios_call(machine, vcpu, 0x10, 0x0e00 | text[step++]);
}

/* What moves the cursor goes out as it is; other control characters are drawn, as by a VGA. */
static void test_output(void **state)
{
	char text[40] = "";
	int fds[2];

	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	assert_int_equal(pipe(fds), 0);
	machine->console.out_stream.fd = fds[1];
	test_machine_run(machine, prints_controls);
	hv_console_finish(&machine->console);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "a\u2190[2J\r\n\u266b\bb");
	close(fds[0]);
	close(fds[1]);
}

static int prints(struct fake_vcpu *vcpu)
{
	static const char text[] = "x\r\n";

	if (step == sizeof(text) - 1)
		return fake_out(vcpu, 0x604, 2, 0x2000);
	vcpu->regs.gpr[TINYVMX_RBX] = 0;
	return test_bios_call(machine, vcpu, 0x10, 0x0e00 | text[step++]);
}

/* The output has it all; then something stands there that the guest has put there itself. */
static void test_told(void **state)
{
	(void)state;
	test_machine_run(machine, prints);
	assert_int_equal(test_get(&machine->memory, 0xb8000, 1), 'x');
	assert_true(hv_machine_bios_has_told(machine));
	test_put(&machine->memory, 0xb8000 + 2 * 80 * 24, "y", 1);
	assert_false(hv_machine_bios_has_told(machine));
	test_put(&machine->memory, 0xb8000 + 2 * 80 * 24, "", 1);
	assert_true(hv_machine_bios_has_told(machine));
	/* Text memory elsewhere */
	test_out(machine, 0x3ce, 1, 6);
	test_out(machine, 0x3cf, 1, 0);
	assert_false(hv_machine_bios_has_told(machine));
}

static void ide_command(uint8_t command)
{
	test_out(machine, 0x1f6, 1, 0xe0);
	test_out(machine, 0x1f2, 1, 1);
	for (uint16_t port = 0x1f3; port < 0x1f6; port++)
		test_out(machine, port, 1, 0);
	test_out(machine, 0x1f7, 1, command);
}

static uint64_t in(uint16_t port, unsigned int width)
{
	uint64_t value = 0;

	assert_true(test_access(machine, HV_PORT, port, width, false, &value));
	return value & ((1ull << 8 * width) - 1);
}

/* What the guest has started from is the first disk, too, and stays as it is. */
static void test_image_is_a_disk(void **state)
{
	uint8_t first[2];

	(void)state;
	assert_non_null(machine->ide);
	assert_true(hv_payload_read_image(&machine->payload, 0, first, sizeof(first)));
	ide_command(0x20);
	while (in(0x1f7, 1) & 0x80)
		usleep(1000);
	assert_int_equal(in(0x1f7, 1), 0x58);
	assert_int_equal(in(0x1f0, 2), first[0] | first[1] << 8);
	hv_machine_ide_reset(machine);
	ide_command(0x30);
	assert_int_equal(in(0x1f7, 1), 0x51);
	/* Whatever it is at is over behind this. */
	ide_command(0x20);
	hv_machine_ide_settle(machine);
	assert_int_equal(in(0x1f7, 1), 0x58);
}

static int loses_its_state(struct fake_vcpu *vcpu)
{
	if (step++)
		return fake_compute(vcpu);
	fake.get_state_error = -EIO;
	return test_bios_call(machine, vcpu, 0x12, 0);
}

static void test_no_state(void **state)
{
	(void)state;
	test_machine_run(machine, loses_its_state);
	assert_int_equal(machine->end.kind, HV_END_ERROR);
	assert_non_null(strstr(machine->end.text, "cannot read or set the vCPU's state"));
}

static void test_bare(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_BARE);
	struct hv_error err = { .text = "" };

	(void)state;
	config.load.boot = "bios";
	assert_null(hv_machine_create(&config, &err));
	assert_string_equal(err.subject, "--machine bare");
	assert_string_equal(err.text,
			    "a bare machine has no BIOS, which this image needs; leave it out");
	/* Others have none, and nobody is at its port. */
	config.load.boot = NULL;
	hv_machine_destroy(machine);
	machine = test_machine(&config);
	assert_null(machine->bios);
	assert_false(hv_machine_bios_has_told(machine));
	assert_false(test_access(machine, HV_PORT, HV_BIOS_PORT, 1, true, &(uint64_t){ 0 }));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_start),    T(test_keys), T(test_disk), T(test_image_is_a_disk),
		T(test_no_state), T(test_bare), T(test_told), T(test_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
