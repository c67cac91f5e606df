// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8042: what the keyboard sends comes through it, translated to set 1 or not. A mouse
 * is not there, and every probe for one is answered at once.
 *
 *  port  write                       read
 *  60    data: of a command, or to   output buffer
 *        the keyboard
 *  64    command                     7 parity, 6 timeout, 5 from the mouse,
 *                                    4 not locked, 3 last write was a command,
 *                                    2 self-test passed, 1 IBF, 0 OBF
 *
 *  command  20 read, 60 write command byte (6 translate, 5 mouse off, 4 keyboard off,
 *           2 system flag, 1 mouse interrupt, 0 keyboard interrupt)
 *           21..3F read, 61..7F write the rest of its 32 bytes of RAM
 *           A7 mouse off   A8 mouse on    A9 test mouse (not 0: bad)
 *           AA self-test (55)   AB test keyboard (0: good)   AD off   AE on
 *           C0 read input port   D0 read, D1 write output port (1 A20, 0 not reset)
 *           D2, D3 put into the output buffer, as if from keyboard, mouse
 *           D4 to the mouse   F0..FF pulse output port lines 3:0 that are 0
 *
 * A20 is open whatever the guest writes.
 */
#include <errno.h>
#include <string.h>

#include "i8042.h"

#define STATUS_OBF 0x01
#define STATUS_SYSTEM 0x04
#define STATUS_COMMAND 0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX 0x20
#define STATUS_TIMEOUT 0x40
#define STATUS_OF_DATA (STATUS_OBF | STATUS_AUX | STATUS_TIMEOUT)
#define STATUS_BITS (STATUS_OF_DATA | STATUS_SYSTEM | STATUS_COMMAND | STATUS_UNLOCKED)

#define CB_IRQ 0x01
#define CB_AUX_IRQ 0x02
#define CB_SYSTEM 0x04
#define CB_OFF 0x10
#define CB_AUX_OFF 0x20
#define CB_TRANSLATE 0x40

#define BREAK_SET2 0xf0
#define RELEASED 0x80
/* A byte on the cable takes so long, and so come no two before the guest could tell them apart. */
#define BYTE_NS 1000000

#define PORT_NOT_RESET 0x01
#define PORT_A20 0x02

#define CMD_READ_CB 0x20
#define CMD_READ_RAM 0x21		/* byte 1 of it, and so on: */
#define CMD_READ_RAM_LAST 0x3f
#define CMD_WRITE_CB 0x60
#define CMD_WRITE_RAM 0x61
#define CMD_WRITE_RAM_LAST 0x7f
#define CMD_AUX_OFF 0xa7
#define CMD_AUX_ON 0xa8
#define CMD_AUX_TEST 0xa9
#define CMD_SELF_TEST 0xaa
#define CMD_TEST 0xab
#define CMD_OFF 0xad
#define CMD_ON 0xae
#define CMD_READ_INPUT 0xc0
#define CMD_READ_OUTPUT 0xd0
#define CMD_WRITE_OUTPUT 0xd1
#define CMD_FROM_KEYBOARD 0xd2
#define CMD_FROM_AUX 0xd3
#define CMD_TO_AUX 0xd4
#define CMD_PULSE 0xf0

#define SELF_TEST_PASSED 0x55
#define TEST_PASSED 0x00
#define TEST_CLOCK_LOW 0x01
#define INPUT_UNLOCKED 0x80
#define RESEND 0xfe		/* what the controller says for a device that is silent */

static void kbc_update_irq(struct hv_i8042 *kbc)
{
	const struct hv_i8042_state *s = &kbc->s;
	bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX;
	bool irq = full && !aux && (s->command_byte & CB_IRQ);
	bool aux_irq = full && aux && (s->command_byte & CB_AUX_IRQ);

	if (irq != kbc->irq_level)
		hv_irq_set(&kbc->config.irq, irq);
	if (aux_irq != kbc->aux_irq_level)
		hv_irq_set(&kbc->config.aux_irq, aux_irq);
	kbc->irq_level = irq;
	kbc->aux_irq_level = aux_irq;
}

/* Is the keyboard let, and has it something to send? */
static bool kbc_may_receive(const struct hv_i8042 *kbc)
{
	return !(kbc->s.status & STATUS_OBF) && !(kbc->s.command_byte & CB_OFF) &&
	       hv_ps2kbd_pending(kbc->config.keyboard);
}

/* Behind whatever may have changed that, or the interrupts. */
static void kbc_settle(struct hv_i8042 *kbc)
{
	struct hv_clock *clock = kbc->config.clock;

	kbc_update_irq(kbc);
	if (kbc_may_receive(kbc) && !kbc->byte_timer.armed)
		hv_timer_arm(clock, &kbc->byte_timer, hv_now_ns(clock) + BYTE_NS);
}

/* Put a byte into the output buffer; @status says where from (AUX) and how (TIMEOUT). */
static void kbc_answer(struct hv_i8042 *kbc, uint8_t data, uint8_t status)
{
	kbc->s.data = data;
	kbc->s.status = (kbc->s.status & ~STATUS_OF_DATA) | STATUS_OBF | status;
}

/* A break code of set 2, F0 and the key's, is one byte of set 1. */
static void kbc_receive_translated(struct hv_i8042 *kbc, uint8_t byte, bool is_answer)
{
	if (is_answer) {
		kbc_answer(kbc, hv_ps2kbd_translate(byte), 0);
	} else if (byte == BREAK_SET2) {
		kbc->s.released = RELEASED;
	} else {
		kbc_answer(kbc, hv_ps2kbd_translate(byte) | kbc->s.released, 0);
		kbc->s.released = 0;
	}
}

static void kbc_receive(void *dev)
{
	struct hv_i8042 *kbc = dev;
	bool is_answer;
	uint8_t byte;

	if (!kbc_may_receive(kbc))
		return;
	byte = hv_ps2kbd_take(kbc->config.keyboard, &is_answer);
	if (kbc->s.command_byte & CB_TRANSLATE)
		kbc_receive_translated(kbc, byte, is_answer);
	else
		kbc_answer(kbc, byte, 0);
	kbc_settle(kbc);
	if (hv_i8042_wants_key(kbc) && kbc->config.room)
		kbc->config.room(kbc->config.ctx);
}

bool hv_i8042_key(struct hv_i8042 *kbc, uint8_t key, bool down)
{
	bool taken = hv_ps2kbd_key(kbc->config.keyboard, key, down);

	kbc_settle(kbc);
	return taken;
}

static void kbc_reset_cpu(struct hv_i8042 *kbc)
{
	if (kbc->config.reset)
		kbc->config.reset(kbc->config.ctx);
}

static void kbc_answer_command(struct hv_i8042 *kbc, uint8_t command)
{
	switch (command) {
	case CMD_READ_CB:
		kbc_answer(kbc, kbc->s.command_byte, 0);
		break;
	case CMD_READ_RAM ... CMD_READ_RAM_LAST:
		kbc_answer(kbc, kbc->s.ram[command - CMD_READ_RAM], 0);
		break;
	case CMD_AUX_TEST:
		kbc_answer(kbc, TEST_CLOCK_LOW, 0);
		break;
	case CMD_SELF_TEST:
		kbc->s.status |= STATUS_SYSTEM;
		kbc->s.command_byte |= CB_SYSTEM;
		kbc_answer(kbc, SELF_TEST_PASSED, 0);
		break;
	case CMD_TEST:
		kbc_answer(kbc, TEST_PASSED, 0);
		break;
	case CMD_READ_INPUT:
		kbc_answer(kbc, INPUT_UNLOCKED, 0);
		break;
	case CMD_READ_OUTPUT:
		kbc_answer(kbc, kbc->s.output_port, 0);
		break;
	default:
		break;
	}
}

static void kbc_command(struct hv_i8042 *kbc, uint8_t command)
{
	kbc->s.status |= STATUS_COMMAND;
	kbc->s.command = 0;
	switch (command) {
	case CMD_WRITE_CB ... CMD_WRITE_RAM_LAST:
	case CMD_WRITE_OUTPUT:
	case CMD_FROM_KEYBOARD:
	case CMD_FROM_AUX:
	case CMD_TO_AUX:
		kbc->s.command = command;
		break;
	case CMD_AUX_OFF:
		kbc->s.command_byte |= CB_AUX_OFF;
		break;
	case CMD_AUX_ON:
		kbc->s.command_byte &= ~CB_AUX_OFF;
		break;
	case CMD_OFF:
		kbc->s.command_byte |= CB_OFF;
		break;
	case CMD_ON:
		kbc->s.command_byte &= ~CB_OFF;
		break;
	default:
		kbc_answer_command(kbc, command);
		if (command >= CMD_PULSE && !(command & PORT_NOT_RESET))
			kbc_reset_cpu(kbc);
		break;
	}
}

static void kbc_write_output_port(struct hv_i8042 *kbc, uint8_t value)
{
	kbc->s.output_port = value | PORT_NOT_RESET;
	if (!(value & PORT_NOT_RESET))
		kbc_reset_cpu(kbc);
}

static void kbc_data(struct hv_i8042 *kbc, uint8_t value)
{
	uint8_t command = kbc->s.command;

	kbc->s.command = 0;
	kbc->s.status &= ~STATUS_COMMAND;
	switch (command) {
	case CMD_WRITE_CB:
		kbc->s.command_byte = value;
		break;
	case CMD_WRITE_RAM ... CMD_WRITE_RAM_LAST:
		kbc->s.ram[command - CMD_WRITE_RAM] = value;
		break;
	case CMD_WRITE_OUTPUT:
		kbc_write_output_port(kbc, value);
		break;
	case CMD_FROM_KEYBOARD:
	case CMD_FROM_AUX: /* comes back from the wrong side: so there is no mouse port */
		kbc_answer(kbc, value, 0);
		break;
	case CMD_TO_AUX:
		kbc_answer(kbc, RESEND, STATUS_AUX | STATUS_TIMEOUT);
		break;
	default: /* the keyboard's, which may answer */
		kbc->s.command_byte &= ~CB_OFF;
		hv_ps2kbd_write(kbc->config.keyboard, value);
		break;
	}
}

static uint8_t kbc_read_data(void *dev, uint64_t offset)
{
	struct hv_i8042 *kbc = dev;

	(void)offset;
	kbc->s.status &= ~STATUS_OF_DATA;
	kbc_settle(kbc);
	return kbc->s.data;
}

static void kbc_write_data(void *dev, uint64_t offset, uint8_t value)
{
	(void)offset;
	kbc_data(dev, value);
	kbc_settle(dev);
}

static uint8_t kbc_read_status(void *dev, uint64_t offset)
{
	(void)offset;
	return ((struct hv_i8042 *)dev)->s.status;
}

static void kbc_write_command(void *dev, uint64_t offset, uint8_t value)
{
	(void)offset;
	kbc_command(dev, value);
	kbc_settle(dev);
}

static void kbc_access_data(void *dev, uint64_t offset, unsigned int width, bool write,
			    uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, kbc_read_data, kbc_write_data);
}

static void kbc_access_command(void *dev, uint64_t offset, unsigned int width, bool write,
			       uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, kbc_read_status, kbc_write_command);
}

/* As a BIOS leaves it that has found a keyboard. */
void hv_i8042_reset(struct hv_i8042 *kbc)
{
	hv_ps2kbd_reset(kbc->config.keyboard);
	hv_timer_cancel(kbc->config.clock, &kbc->byte_timer);
	kbc->s = (struct hv_i8042_state){
		.status = STATUS_SYSTEM | STATUS_UNLOCKED,
		.command_byte = CB_TRANSLATE | CB_AUX_OFF | CB_SYSTEM | CB_IRQ,
		.output_port = PORT_NOT_RESET | PORT_A20,
	};
	kbc_update_irq(kbc);
}

int hv_i8042_init(struct hv_i8042 *kbc, const struct hv_i8042_config *config)
{
	int err;

	memset(kbc, 0, sizeof(*kbc));
	kbc->config = *config;
	kbc->byte_timer = (struct hv_timer){ .fn = kbc_receive, .dev = kbc };
	hv_i8042_reset(kbc);
	kbc->data_region = (struct hv_region){
		.name = "i8042",
		.space = HV_PORT,
		.base = 0x60,
		.len = 1,
		.access = kbc_access_data,
		.dev = kbc,
	};
	kbc->command_region = (struct hv_region){
		.name = "i8042",
		.space = HV_PORT,
		.base = 0x64,
		.len = 1,
		.access = kbc_access_command,
		.dev = kbc,
	};
	err = hv_bus_register(config->bus, &kbc->data_region);
	if (err)
		return err;
	err = hv_bus_register(config->bus, &kbc->command_region);
	if (err)
		hv_bus_unregister(config->bus, &kbc->data_region);
	return err;
}

void hv_i8042_exit(struct hv_i8042 *kbc)
{
	hv_timer_cancel(kbc->config.clock, &kbc->byte_timer);
	hv_bus_unregister(kbc->config.bus, &kbc->command_region);
	hv_bus_unregister(kbc->config.bus, &kbc->data_region);
}

void hv_i8042_save(const struct hv_i8042 *kbc, struct hv_i8042_state *state)
{
	*state = kbc->s;
	state->byte_left_ns = hv_timer_save(kbc->config.clock, &kbc->byte_timer);
}

int hv_i8042_check(const struct hv_i8042 *kbc, const struct hv_i8042_state *state)
{
	uint8_t command = state->command;

	(void)kbc;
	if ((state->status & ~STATUS_BITS) || !(state->output_port & PORT_NOT_RESET) ||
	    (state->released & ~RELEASED) || (state->pad[0] | state->pad[1] | state->pad[2]))
		return -EINVAL;
	if (command && (command < CMD_WRITE_CB || command > CMD_WRITE_RAM_LAST) &&
	    (command < CMD_WRITE_OUTPUT || command > CMD_TO_AUX))
		return -EINVAL;
	return 0;
}

int hv_i8042_load(struct hv_i8042 *kbc, const struct hv_i8042_state *state)
{
	int err = hv_i8042_check(kbc, state);

	if (err)
		return err;
	kbc->s = *state;
	hv_timer_load(kbc->config.clock, &kbc->byte_timer, state->byte_left_ns);
	kbc_update_irq(kbc);
	return 0;
}

HV_STATE_KIND(i8042, HV_STATE_I8042, 3);
