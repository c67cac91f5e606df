// SPDX-License-Identifier: GPL-2.0-only
/* A machine saved and made again: the same to the last byte, or refused and nothing left. */
#include <errno.h>
#include <stdio.h>

#include "machine_test.h"
#include "vmm/records.h"
#include "vmm/shortcut.h"

static uint32_t seed = 1;

static uint32_t random32(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8 | seed << 24;
}

static void fill(void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)data)[i] = random32();
}

static void out(struct hv_machine *machine, uint16_t port, uint64_t value)
{
	test_access(machine, HV_PORT, port, 1, true, &value);
}

/* Chips at work, a vCPU full of values, words on their way in both directions. */
static void stir(struct hv_machine *machine)
{
	static const uint8_t pic[] = { 0x11, 0x20, 0x04, 0x01, 0xfa };
	struct fake_vcpu *vcpu = &fake.vcpu[0];
	struct tinyvmx_msr msr = { .index = 0x277, .value = 0x0007040600070406 };

	fill(&vcpu->regs, sizeof(vcpu->regs));
	fill(&vcpu->sregs, sizeof(vcpu->sregs));
	fill(&vcpu->events, sizeof(vcpu->events));
	fill(&vcpu->debug, sizeof(vcpu->debug));
	fill(&vcpu->lapic, sizeof(vcpu->lapic));
	fill(vcpu->xsave, sizeof(vcpu->xsave));
	vcpu->xcr0 = 3;
	tvx_set_state(vcpu->fd, TINYVMX_STATE_MSRS, &msr, sizeof(msr));
	for (size_t i = 0; i < sizeof(pic); i++)
		out(machine, i ? 0x21 : 0x20, pic[i]);
	out(machine, 0x43, 0x34);
	out(machine, 0x40, 0x99);
	out(machine, 0x40, 0x12);
	out(machine, 0x3f9, 1);
	for (const char *c = "half a line of the guest"; *c; c++)
		out(machine, 0x3f8, *c);
	hv_panic_watch(&machine->serial[0].panic, (const uint8_t *)"[ 1.0] x\n[ 2.0] Kernel pa",
		       24);
	memcpy(machine->console.in, "typed", 5);
	machine->console.in_len = 5;
	hv_memory_write(&machine->memory, 0x123456, "here and", 8);
	hv_memory_write(&machine->memory, 0x3ffffc, "end", 4);
	machine->pc->has_shut_down = true;
	machine->pc->shutdown_ns = hv_now_ns(&machine->clock) - 5000;
	machine->pc->resets = 3;
	machine->pc->reset_ns = hv_now_ns(&machine->clock) - 4000;
	machine->pc->redelivered = 7;
	machine->pc->late_vector = 0x42;
	test_with_lock(machine, hv_timer_arm(&machine->clock, &machine->pc->late_eoi,
					     hv_now_ns(&machine->clock) + 100000));
}

static struct hv_machine *machine_of(bool shared)
{
	struct hv_config config = test_config(HV_MACHINE_PC);

	config.shared_memory = shared;
	config.testdev = shared;
	config.serial[1] = (struct hv_serial_choice){ HV_SERIAL_NULL, NULL };
	return test_machine(&config);
}

static void stop(struct hv_machine *machine)
{
	hv_machine_pause(machine);
	pthread_mutex_lock(&machine->lock);
	assert_int_equal(hv_machine_stop_time(machine), 0);
}

static void save(struct hv_machine *machine, unsigned int flags, struct hv_state *state)
{
	struct hv_error err = { .text = "" };

	if (hv_machine_save(machine, flags, state, &err))
		fail_msg("%s", err.text);
}

/* It goes away; what it has typed and said goes along, so none of it is written here. */
static void destroy(struct hv_machine *machine)
{
	pthread_mutex_unlock(&machine->lock);
	machine->console.out_len = 0;
	hv_machine_destroy(machine);
}

static struct hv_machine *restore(const struct hv_state *state)
{
	struct hv_error err = { .text = "" };
	struct hv_machine *machine = hv_machine_restore(state, &err);

	if (!machine)
		fail_msg("%s", err.text);
	return machine;
}

static void assert_same(const struct hv_state *a, const struct hv_state *b)
{
	const struct hv_record *r = NULL, *s = NULL;

	while ((r = hv_records_next(a, r))) {
		s = hv_records_next(b, s);
		assert_non_null(s);
		assert_int_equal(r->type, s->type);
		assert_int_equal(r->len, s->len);
		if (memcmp(r, s, sizeof(*r) + r->len))
			fail_msg("record 0x%x.%u is another now", r->type, r->instance);
	}
	assert_int_equal(a->len, b->len);
}

static void round_trip(bool shared, unsigned int flags)
{
	struct hv_machine *machine;
	struct hv_state first, second;
	char text[8];

	fake_reset(NULL);
	machine = machine_of(shared);
	stir(machine);
	stop(machine);
	save(machine, flags, &first);
	assert_int_equal(first.memory_fd >= 0, !!(flags & HV_SAVE_MEMORY_BY_FD));
	destroy(machine);
	memset(fake.vcpu, 0, sizeof(fake.vcpu));
	machine = restore(&first);
	assert_int_equal(hv_memory_read(&machine->memory, 0x123456, text, 8), 0);
	assert_memory_equal(text, "here and", 8);
	assert_int_equal(hv_memory_read(&machine->memory, 0x3ffffc, text, 4), 0);
	assert_string_equal(text, "end");
	assert_int_equal(machine->console.in_len, 5);
	assert_int_equal(fake.vcpu[0].made, 1);
	hv_machine_pause(machine);
	pthread_mutex_lock(&machine->lock);
	save(machine, flags, &second);
	assert_same(&first, &second);
	destroy(machine);
	hv_state_free(&first);
	hv_state_free(&second);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(false, 0);
	round_trip(true, 0);
	round_trip(true, HV_SAVE_MEMORY_BY_FD);
}

static void test_no_memfd(void **state)
{
	struct hv_machine *machine;
	struct hv_state saved;
	struct hv_error err = { .text = "" };

	(void)state;
	fake_reset(NULL);
	machine = machine_of(false);
	if (machine->memory.fd >= 0) {
		hv_machine_destroy(machine);
		skip();
	}
	stop(machine);
	assert_int_equal(hv_machine_save(machine, HV_SAVE_MEMORY_BY_FD, &saved, &err), -EINVAL);
	assert_non_null(strstr(err.text, "shared memory"));
	hv_state_free(&saved);
	destroy(machine);
}

/* A machine's ID stays through pauses and resets; a copy has another, and its guest is told. */
static void test_generation(void **state)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	uint8_t first[16], then[16], none[16] = { 0 };
	struct hv_acpi_pm_state pm;
	struct hv_machine *machine;
	struct hv_state saved;

	(void)state;
	fake_reset(NULL);
	config.vmgenid = true;
	machine = test_machine(&config);
	assert_int_equal(hv_memory_read(&machine->memory, HV_LAYOUT_GENERATION, first, 16), 0);
	assert_memory_not_equal(first, none, 16);
	assert_true(hv_memory_is_rom(&machine->memory, HV_LAYOUT_GENERATION));
	hv_machine_pc_press_reset(machine);
	stop(machine);
	hv_acpi_pm_save(&machine->pc->board.pm, &pm);
	assert_int_equal(pm.gpe_status, 0);
	save(machine, 0, &saved);
	assert_int_equal(hv_memory_read(&machine->memory, HV_LAYOUT_GENERATION, then, 16), 0);
	assert_memory_equal(first, then, 16);
	destroy(machine);
	machine = restore(&saved);
	assert_int_equal(hv_memory_read(&machine->memory, HV_LAYOUT_GENERATION, then, 16), 0);
	assert_memory_not_equal(first, then, 16);
	assert_memory_not_equal(then, none, 16);
	hv_acpi_pm_save(&machine->pc->board.pm, &pm);
	assert_int_equal(pm.gpe_status, 1 << HV_ACPI_PM_GPE_GENERATION);
	hv_machine_destroy(machine);
	hv_state_free(&saved);
}

/* A file on a serial port is emptied by a start, and goes on after a restore. */
static void test_files_go_on(void **state)
{
	char path[] = "/tmp/hv-state-XXXXXX", text[16] = "";
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_machine *machine;
	struct hv_state saved;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "old words", 9), 9);
	fake_reset(NULL);
	config.serial[1] = (struct hv_serial_choice){ HV_SERIAL_FILE, path };
	machine = test_machine(&config);
	out(machine, 0x2f8, 'a');
	test_with_lock(machine, hv_serial_flush(machine));
	hv_console_finish(machine->serial[1].console);
	stop(machine);
	save(machine, 0, &saved);
	destroy(machine);
	machine = restore(&saved);
	out(machine, 0x2f8, 'b');
	test_with_lock(machine, hv_serial_flush(machine));
	hv_console_finish(machine->serial[1].console);
	hv_machine_destroy(machine);
	hv_state_free(&saved);
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), 2);
	assert_string_equal(text, "ab");
	close(fd);
	unlink(path);
}

/* What the guest has read from a port is the module's to finish; what it has queued, ours. */
static int reads(struct fake_vcpu *vcpu)
{
	return fake_in(vcpu, 0x3fd, 1);
}

static void test_unfinished_exits_are_finished(void **state)
{
	struct hv_machine *machine;
	struct hv_state saved;
	struct tinyvmx_run *run;

	(void)state;
	fake_reset(reads);
	machine = machine_of(false);
	run = machine->vcpus[0].run;
	run->request = TINYVMX_REQ_SET_REGS;
	run->regs.rip = 0x4242;
	run->shortcut.out_port = 0x3f8;
	run->shortcut.queued = 2;
	memcpy(run->shortcut.queue, "hi", 2);
	stop(machine);
	save(machine, 0, &saved);
	assert_int_equal(fake.vcpu[0].regs.rip, 0x4242);
	assert_int_equal(fake.vcpu[0].runs, 1);
	assert_int_equal(run->immediate_exit, 0);
	assert_int_equal(run->shortcut.queued, 0);
	assert_int_equal(machine->serial[0].uart.s.batch_len, 2);
	hv_state_free(&saved);
	destroy(machine);
}

/* --------------------------------------------------------------- mangled */

static void make(struct hv_state *saved)
{
	struct hv_machine *machine;

	fake_reset(NULL);
	machine = machine_of(false);
	stir(machine);
	stop(machine);
	save(machine, 0, saved);
	destroy(machine);
}

static bool is_taken(const struct hv_state *state)
{
	struct hv_error err = { .text = "" };
	struct hv_machine *machine = hv_machine_restore(state, &err);

	if (machine) {
		machine->console.out_len = 0;
		hv_machine_destroy(machine);
		return true;
	}
	if (!strchr(err.text, ';'))
		fail_msg("no remedy: %s", err.text);
	return false;
}

static struct hv_state copy_of(const struct hv_state *state, size_t len)
{
	struct hv_state copy = {
		.data = malloc(len + 1),
		.len = len,
		.room = len,
		.memory_fd = -1,
	};

	memcpy(copy.data, state->data, len);
	return copy;
}

static void test_cut_off(void **state)
{
	struct hv_state saved;

	(void)state;
	make(&saved);
	for (unsigned int i = 0; i < 300; i++) {
		struct hv_state copy = copy_of(&saved, random32() % saved.len);

		/* Memory is last and may be less than all. */
		if (is_taken(&copy))
			assert_non_null(hv_records_next(&copy, NULL));
		hv_state_free(&copy);
	}
	hv_state_free(&saved);
}

/* Each record in turn is taken away, doubled, or made one of another version or length. */
static void test_each_record_counts(void **state)
{
	const struct hv_record *record = NULL;
	struct hv_state saved;

	(void)state;
	make(&saved);
	while ((record = hv_records_next(&saved, record))) {
		struct hv_state copy = copy_of(&saved, saved.len);
		struct hv_record *its = (void *)(copy.data + ((uint8_t *)record - saved.data));
		void *more;

		its->version++;
		assert_false(is_taken(&copy));
		its->version--;
		if (its->type != HV_STATE_RAM) {
			its->instance += 100;
			assert_false(is_taken(&copy));
			its->instance -= 100;
			more = hv_records_add(&copy, record->type, record->instance,
					      record->version, record->len);
			memcpy(more, hv_record_data(record), record->len);
			assert_false(is_taken(&copy));
		}
		hv_state_free(&copy);
	}
	hv_state_free(&saved);
}

static void test_flipped_bits(void **state)
{
	struct hv_state saved;
	unsigned int taken = 0;

	(void)state;
	make(&saved);
	for (unsigned int i = 0; i < 400; i++) {
		struct hv_state copy = copy_of(&saved, saved.len);
		unsigned int flips = 1 + random32() % 3;

		while (flips--)
			copy.data[random32() % (copy.len < 12000 ? copy.len : 12000)] ^=
				1 << random32() % 8;
		taken += is_taken(&copy);
		hv_state_free(&copy);
	}
	/* Some of them make another machine, none of them may do harm. */
	assert_in_range(taken, 1, 399);
	hv_state_free(&saved);
}

static char path[] = "/tmp/hv-other-XXXXXX";

/* Saved with a file of its own in it, which is gone then. */
static void make_with_file(const char *boot, const void *data, size_t len, struct hv_state *saved)
{
	struct hv_config config = test_config(HV_MACHINE_PC);
	struct hv_machine *machine;
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
	config.load.path = path;
	config.load.boot = boot;
	fake_reset(NULL);
	machine = test_machine(&config);
	stop(machine);
	save(machine, 0, saved);
	destroy(machine);
}

static void test_image_is_gone(void **state)
{
	struct hv_error err = { .text = "" };
	struct hv_state saved;

	(void)state;
	make_with_file("flat", "\xf4", 1, &saved);
	unlink(path);
	assert_null(hv_machine_restore(&saved, &err));
	assert_string_equal(err.subject, "restore");
	assert_non_null(strstr(err.text, path));
	hv_state_free(&saved);
}

/* The file has changed since: the guest's ROM is what it was. */
static void test_rom_is_state(void **state)
{
	static uint8_t rom[2 * 4096], now[sizeof(rom)];
	struct hv_machine *machine;
	struct hv_state saved;
	int fd;

	(void)state;
	memset(rom + 4096, 0x90, 4096);
	make_with_file("firmware", rom, sizeof(rom), &saved);
	fd = open(path, O_WRONLY);
	memset(now, 0xcc, sizeof(now));
	assert_int_equal(write(fd, now, sizeof(now)), sizeof(now));
	close(fd);
	machine = restore(&saved);
	assert_int_equal(
		hv_memory_read(&machine->memory, HV_GAP_END - sizeof(now), now, sizeof(now)), 0);
	assert_memory_equal(now, rom, sizeof(rom));
	hv_machine_destroy(machine);
	hv_state_free(&saved);
	unlink(path);
}

/* A configuration can be all right for JSON, and yet be none of a machine. */
static void test_no_image(void **state)
{
	struct hv_error err = { .text = "" };
	struct hv_state saved = { .memory_fd = -1 };
	static const char text[] = "{\"version\":1}";

	(void)state;
	fake_reset(NULL);
	memcpy(hv_records_add(&saved, HV_STATE_CONFIG, 0, HV_CONFIG_VERSION, sizeof(text)), text,
	       sizeof(text));
	assert_null(hv_machine_restore(&saved, &err));
	assert_non_null(strstr(err.text, "no image"));
	hv_state_free(&saved);
}

static void test_the_module_refuses(void **state)
{
	struct hv_state saved;

	(void)state;
	make(&saved);
	fake.set_state_error = -EINVAL;
	assert_false(is_taken(&saved));
	fake.set_state_error = 0;
	fake.create_vm_error = -EBUSY;
	assert_false(is_taken(&saved));
	fake.create_vm_error = 0;
	assert_true(is_taken(&saved));
	hv_state_free(&saved);
}

static void test_saving_fails(void **state)
{
	struct hv_machine *machine;
	struct hv_state saved;
	struct hv_error err = { .text = "" };

	(void)state;
	fake_reset(NULL);
	machine = machine_of(false);
	stop(machine);
	fake.get_state_error = -EIO;
	assert_int_equal(hv_machine_save(machine, 0, &saved, &err), -EIO);
	hv_state_free(&saved);
	fake.get_state_error = 0;
	machine->config.load.path = "\xff";
	assert_int_equal(hv_machine_save(machine, 0, &saved, &err), -EINVAL);
	assert_non_null(strstr(err.text, "UTF-8"));
	hv_state_free(&saved);
	destroy(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_memfd),
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_files_go_on),
		cmocka_unit_test(test_unfinished_exits_are_finished),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_each_record_counts),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_image_is_gone),
		cmocka_unit_test(test_rom_is_state),
		cmocka_unit_test(test_no_image),
		cmocka_unit_test(test_the_module_refuses),
		cmocka_unit_test(test_saving_fails),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
