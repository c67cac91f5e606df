// SPDX-License-Identifier: GPL-2.0-only
/* The BIOS in a machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bios/rom.h"
#include "debugger.h"
#include "lib/tvx.h"
#include "machine_bios.h"
#include "machine_pc.h"
#include "screen.h"

#define UART_DATA 0
#define UART_LSR 5
#define UART_LSR_READY 0x01
#define POLLS 32
/* What a terminal sends for one key comes at once. */
#define KEY_COMPLETE_NS 50000000

/* ------------------------------------------------------------ serial console */

/* Who has a screen in front of them sees it there. */
static void output(void *ctx, uint8_t character)
{
	struct hv_machine_bios *bios = ctx;
	char text[HV_SCREEN_CHARACTER_MAX] = { character };
	size_t len = 1;

	/* Escape is an arrow, as on the screen, and nothing that a terminal would obey. */
	if (!character || !strchr("\b\r\n", character))
		len = hv_screen_local(character, text);
	hv_console_output(&bios->machine->console, (uint8_t *)text, len);
}

static uint8_t in(struct hv_machine *machine, uint16_t port)
{
	uint64_t value = 0;

	hv_bus_access(&machine->bus, HV_PORT, port, 1, false, &value);
	return value;
}

/* The UART holds input back from who only has a look: see uart_listens(). */
static bool has_input(struct hv_machine *machine, uint16_t port)
{
	for (unsigned int i = 0; i < POLLS; i++)
		if (in(machine, port + UART_LSR) & UART_LSR_READY)
			return true;
	return false;
}

/* As a BIOS with its console on a serial port does: no driver has that port yet. */
static void listen_to_port(struct hv_machine_bios *bios, uint16_t port)
{
	struct hv_machine *machine = bios->machine;

	while (bios->typed_len < sizeof(bios->typed) && has_input(machine, port)) {
		bios->typed[bios->typed_len++] = in(machine, port + UART_DATA);
		bios->typed_ns = hv_now_ns(&machine->clock);
	}
}

static bool take_keystroke(struct hv_machine_bios *bios, struct hv_keystroke *stroke)
{
	bool more = hv_now_ns(&bios->machine->clock) - bios->typed_ns < KEY_COMPLETE_NS;
	size_t used;

	if (!bios->typed_len)
		return false;
	used = hv_keys_parse(bios->typed, bios->typed_len, more, stroke);
	bios->typed_len -= used;
	memmove(bios->typed, bios->typed + used, bios->typed_len);
	return used;
}

static uint8_t typed(void *ctx, uint8_t *shifts)
{
	struct hv_machine_bios *bios = ctx;
	struct hv_keystroke stroke = { 0 };

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++)
		if (bios->machine->config.serial[i].kind == HV_SERIAL_STDIO)
			listen_to_port(bios, hv_pc_com[i].base);
	while (!stroke.key && take_keystroke(bios, &stroke))
		;
	*shifts = (stroke.shift ? HV_BIOS_SHIFT : 0) | (stroke.ctrl ? HV_BIOS_CTRL : 0) |
		  (stroke.alt ? HV_BIOS_ALT : 0);
	return stroke.key;
}

/* ------------------------------------------------------------------ machine */

static void reset_screen(void *ctx)
{
	struct hv_machine_bios *bios = ctx;

	hv_vga_reset(&bios->machine->pc->board.vga);
}

static void say(void *ctx, const char *text)
{
	struct hv_machine_bios *bios = ctx;
	char line[256];

	snprintf(line, sizeof(line), "hvctl: BIOS: %s\n", text);
	hv_console_print(&bios->machine->messages, line);
}

static int serve(struct hv_machine_bios *bios, struct hv_vcpu *vcpu)
{
	struct hv_guest *guest = &vcpu->mmio.guest;
	struct tinyvmx_sregs sregs;
	struct tinyvmx_regs regs;
	int error = tvx_get_regs(vcpu->fd, &regs);

	if (!error)
		error = tvx_get_sregs(vcpu->fd, &sregs);
	if (error)
		return error;
	guest->paging = hv_paging_of(&regs, &sregs);
	guest->known = 0;
	guest->veil = hv_debugger_veil_of(vcpu->machine);
	hv_bios_serve(&bios->bios, guest, &regs, &sregs);
	error = tvx_set_sregs(vcpu->fd, &sregs);
	return error ? error : tvx_set_regs(vcpu->fd, &regs);
}

static void access_port(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_machine_bios *bios = dev;
	struct hv_vcpu *vcpu = hv_vcpu_current();
	int error;

	(void)offset;
	(void)width;
	if (!write) {
		*value = UINT64_MAX;
		return;
	}
	error = serve(bios, vcpu);
	if (error)
		hv_machine_end(bios->machine, HV_END_ERROR, 0,
			       "cannot read or set the vCPU's state: %s", strerror(-error));
}

/* What the guest starts from is in memory; a disk may be larger than that of this host. */
static bool read_disk(void *ctx, uint64_t offset, void *data, size_t len)
{
	const struct hv_machine_bios *bios = ctx;

	return hv_payload_read_image(&bios->machine->payload, offset, data, len);
}

static int add_port(struct hv_machine_bios *bios)
{
	bios->region = (struct hv_region){
		.name = "BIOS",
		.space = HV_PORT,
		.base = HV_BIOS_PORT,
		.len = 1,
		.access = access_port,
		.dev = bios,
	};
	return hv_bus_register(&bios->machine->bus, &bios->region);
}

int hv_machine_bios_create(struct hv_machine *machine)
{
	struct hv_machine_bios *bios = calloc(1, sizeof(*bios));
	const struct hv_bios_config config = {
		.read = read_disk,
		.image_size = machine->payload.file.size,
		.memory = &machine->memory,
		.bus = &machine->bus,
		.clock = &machine->clock,
		.output = machine->config.display == HV_DISPLAY_NONE ? output : NULL,
		.typed = typed,
		.reset_screen = reset_screen,
		.say = say,
		.ctx = bios,
	};
	int error;

	if (!bios)
		return -ENOMEM;
	bios->machine = machine;
	hv_bios_init(&bios->bios, &config);
	error = add_port(bios);
	if (error) {
		free(bios);
		return error;
	}
	machine->bios = bios;
	return 0;
}

void hv_machine_bios_destroy(struct hv_machine *machine)
{
	if (!machine->bios)
		return;
	hv_bus_unregister(&machine->bus, &machine->bios->region);
	free(machine->bios);
	machine->bios = NULL;
}

void hv_machine_bios_start(struct hv_machine *machine, struct hv_boot *boot)
{
	if (machine->bios)
		hv_bios_install(&machine->bios->bios, &boot->regs);
}

bool hv_machine_bios_has_told(const struct hv_machine *machine)
{
	struct hv_screen screen;
	unsigned int row, column;

	if (!machine->bios || !hv_screen_look(machine, &screen) ||
	    screen.vga.gpa != HV_VGA_TEXT_GPA)
		return false;
	for (row = 0; row < screen.vga.rows; row++)
		for (column = 0; column < screen.vga.columns; column++) {
			uint8_t c = hv_screen_cell(&screen, row, column);
			unsigned int cell = screen.vga.start + row * screen.vga.stride + column;

			if (hv_screen_unicode(c) != ' ' &&
			    !hv_bios_has_streamed(&machine->bios->bios, cell, c))
				return false;
		}
	return true;
}
