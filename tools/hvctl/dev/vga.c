// SPDX-License-Identifier: GPL-2.0-only
/*
 * VGA in text mode, as a BIOS leaves it: mode 3, the cursor at home.
 *
 *  port      write                        read
 *  3C0       attribute controller: index, attribute index (5 palette on)
 *            then data, by turns
 *  3C1                                    attribute data
 *  3C2       misc output (0 CRTC at 3Dx)  input status 0
 *  3C4, 3C5  sequencer index, data        the same
 *  3C6       DAC mask                     the same
 *  3C7       DAC index to read from       1:0 reading (3) or writing (0)
 *  3C8       DAC index to write to        the same
 *  3C9       DAC data: red, green, blue, 6 bits each, then the next index
 *  3CA                                    feature control
 *  3CC                                    misc output
 *  3CE, 3CF  graphics index, data         the same
 *  3x4, 3x5  CRTC index, data             the same; x is D, or B for monochrome
 *  3xA       feature control              input status 1: 3 vertical retrace, 0 not drawing;
 *                                         the attribute controller takes an index next
 *
 * Names and bits: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem". A
 * register that the VGA has not reads 0, a port that nobody answers at, all ones.
 */
#include <errno.h>
#include <string.h>

#include "vga.h"

#define MISC_COLOR 0x01
#define MISC_BITS 0xef
#define FEATURE_BITS 0x0b
#define STATUS0_SENSE 0x10		/* a monitor */
#define STATUS1_NOT_DRAWING 0x01
#define STATUS1_RETRACE 0x08
#define ATTRIBUTE_BITS 0x3f		/* of the index */
#define ATTRIBUTE_NUMBER 0x1f
#define PALETTE_ON 0x20
#define MODE_CONTROL 0x10		/* attribute register */
#define MODE_BLINK 0x08
#define GRAPHICS_MISC 6
#define GRAPHICS_MODE 0x01
#define MEMORY_MAP(misc) ((misc) >> 2 & 3)
#define DAC_BITS 0x3f
#define DAC_READING 3

enum {
	CRTC_COLUMNS = 0x01,
	CRTC_OVERFLOW = 0x07,
	CRTC_MAX_SCAN_LINE = 0x09,
	CRTC_CURSOR_START = 0x0a,
	CRTC_CURSOR_END = 0x0b,
	CRTC_START = 0x0c,
	CRTC_CURSOR = 0x0e,
	CRTC_RETRACE_END = 0x11,
	CRTC_LINES = 0x12,
	CRTC_OFFSET = 0x13,
};

#define OVERFLOW_LINES8 0x02
#define OVERFLOW_COMPARE8 0x10
#define OVERFLOW_LINES9 0x40
#define SCAN_LINE 0x1f
#define DOUBLE_SCAN 0x80
#define CURSOR_OFF 0x20
#define PROTECT 0x80			/* registers 0-7, but for bit 8 of the line compare */
#define PROTECTED 7

/* The bits that there are. */
static const uint8_t sequencer_bits[HV_VGA_SEQUENCER] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };

static const uint8_t graphics_bits[HV_VGA_GRAPHICS] = {
	0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff,
};

static const uint8_t crtc_bits[HV_VGA_CRTC] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f, 0x7f, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff,
};

static const uint8_t attribute_bits[HV_VGA_ATTRIBUTE] = {
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

/* Mode 3: 80 by 25 characters of 8 by 16 dots, 400 lines, 70 Hz. */
static const struct hv_vga_state mode3 = {
	.misc = 0x67,
	.attribute_index = PALETTE_ON,
	.dac_mask = 0xff,
	.sequencer = { 0x03, 0x00, 0x03, 0x00, 0x02 },
	.graphics = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff },
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
		  0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
	.attribute = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
		       0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00 },
};

/* -------------------------------------------------------------------- time */

/* 449 lines of 31,778 ns: two of retrace, 35 until drawing begins, 400, and 12 to the next. */
#define LINE_NS 31778u
#define FRAME_NS (449 * LINE_NS)
#define RETRACE_NS (2 * LINE_NS)
#define DRAWING_NS (37 * LINE_NS)
#define DRAWN_NS (437 * LINE_NS)
#define LINE_DRAWN_NS 25422u		/* 640 dots of 800 */

/*
 * Who polls rarely would miss the 64 us of a retrace again and again. So one that nobody has
 * looked at goes on until somebody does.
 */
static uint8_t input_status1(struct hv_vga *vga)
{
	uint64_t age = hv_now_ns(vga->config.clock) - vga->frame_ns;
	bool retrace, drawing;

	if (age >= FRAME_NS) {
		vga->frame_ns += age / FRAME_NS * FRAME_NS;
		age %= FRAME_NS;
		vga->s.retrace_due = true;
	}
	retrace = age < RETRACE_NS || vga->s.retrace_due;
	vga->s.retrace_due = false;
	drawing = age >= DRAWING_NS && age < DRAWN_NS && age % LINE_NS < LINE_DRAWN_NS;
	return (retrace ? STATUS1_RETRACE : 0) | (retrace || !drawing ? STATUS1_NOT_DRAWING : 0);
}

/* --------------------------------------------------------------------- DAC */

static void dac_next(uint8_t *index, uint8_t *component)
{
	*component = (*component + 1) % 3;
	if (!*component)
		++*index;
}

static uint8_t read_dac(struct hv_vga_state *s)
{
	uint8_t value = s->dac[s->dac_read * 3 + s->dac_component];

	dac_next(&s->dac_read, &s->dac_component);
	return value;
}

/* A colour changes as a whole. */
static void write_dac(struct hv_vga_state *s, uint8_t value)
{
	uint8_t *color = &s->dac[s->dac_write * 3];

	value &= DAC_BITS;
	if (s->dac_component < 2) {
		s->dac_latch[s->dac_component] = value;
	} else {
		memcpy(color, s->dac_latch, 2);
		color[2] = value;
	}
	dac_next(&s->dac_write, &s->dac_component);
}

static void select_dac(struct hv_vga_state *s, uint8_t *index, uint8_t value, bool reading)
{
	*index = value;
	s->dac_component = 0;
	s->dac_reading = reading;
}

/* The 64 colours of the EGA: bits 2-0 two thirds of red, green, blue, bits 5-3 one third. */
static void fill_dac(uint8_t *dac)
{
	memset(dac, 0, HV_VGA_DAC);
	for (unsigned int i = 0; i < 64; i++)
		for (unsigned int c = 0; c < 3; c++)
			dac[i * 3 + c] = 42 * (i >> (2 - c) & 1) + 21 * (i >> (5 - c) & 1);
}

/* --------------------------------------------------------------- registers */

static void write_graphics(struct hv_vga *vga, uint8_t value)
{
	struct hv_vga_state *s = &vga->s;
	uint8_t index = s->graphics_index;
	bool was_text = !(s->graphics[GRAPHICS_MISC] & GRAPHICS_MODE);

	if (index >= HV_VGA_GRAPHICS)
		return;
	s->graphics[index] = value & graphics_bits[index];
	if (was_text && s->graphics[GRAPHICS_MISC] & GRAPHICS_MODE && vga->config.graphics)
		vga->config.graphics(vga->config.ctx);
}

static void write_crtc(struct hv_vga_state *s, uint8_t value)
{
	uint8_t index = s->crtc_index;

	if (index >= HV_VGA_CRTC)
		return;
	if (index <= PROTECTED && s->crtc[CRTC_RETRACE_END] & PROTECT) {
		if (index != CRTC_OVERFLOW)
			return;
		value = (s->crtc[index] & ~OVERFLOW_COMPARE8) | (value & OVERFLOW_COMPARE8);
	}
	s->crtc[index] = value & crtc_bits[index];
}

static void write_attribute(struct hv_vga_state *s, uint8_t value)
{
	uint8_t number = s->attribute_index & ATTRIBUTE_NUMBER;

	if (!s->attribute_data)
		s->attribute_index = value & ATTRIBUTE_BITS;
	else if (number < HV_VGA_ATTRIBUTE)
		s->attribute[number] = value & attribute_bits[number];
	s->attribute_data = !s->attribute_data;
}

static uint8_t pick(const uint8_t *registers, unsigned int count, uint8_t index)
{
	return index < count ? registers[index] : 0;
}

/* 3B4, 3B5, 3BA or 3D4, 3D5, 3DA: one of the two is there. False: @port is none of them. */
static bool is_crtc(const struct hv_vga *vga, uint64_t port, unsigned int *which)
{
	*which = port & 0xf;
	return (port & ~0xfull) == (vga->s.misc & MISC_COLOR ? 0x3d0 : 0x3b0);
}

static uint8_t read_crtc_port(struct hv_vga *vga, unsigned int which)
{
	struct hv_vga_state *s = &vga->s;

	switch (which) {
	case 0x4:
		return s->crtc_index;
	case 0x5:
		return pick(s->crtc, HV_VGA_CRTC, s->crtc_index);
	case 0xa:
		s->attribute_data = false;
		return input_status1(vga);
	default:
		return 0xff;
	}
}

static uint8_t vga_read8(void *dev, uint64_t port)
{
	struct hv_vga *vga = dev;
	struct hv_vga_state *s = &vga->s;
	unsigned int which;

	if (is_crtc(vga, port, &which))
		return read_crtc_port(vga, which);
	switch (port) {
	case 0x3c0:
		return s->attribute_index;
	case 0x3c1:
		return pick(s->attribute, HV_VGA_ATTRIBUTE, s->attribute_index & ATTRIBUTE_NUMBER);
	case 0x3c2:
		return STATUS0_SENSE;
	case 0x3c4:
		return s->sequencer_index;
	case 0x3c5:
		return pick(s->sequencer, HV_VGA_SEQUENCER, s->sequencer_index);
	case 0x3c6:
		return s->dac_mask;
	case 0x3c7:
		return s->dac_reading ? DAC_READING : 0;
	case 0x3c8:
		return s->dac_write;
	case 0x3c9:
		return read_dac(s);
	case 0x3ca:
		return s->feature;
	case 0x3cc:
		return s->misc;
	case 0x3ce:
		return s->graphics_index;
	case 0x3cf:
		return pick(s->graphics, HV_VGA_GRAPHICS, s->graphics_index);
	default:
		return 0xff;
	}
}

static void write_crtc_port(struct hv_vga_state *s, unsigned int which, uint8_t value)
{
	if (which == 0x4)
		s->crtc_index = value;
	else if (which == 0x5)
		write_crtc(s, value);
	else if (which == 0xa)
		s->feature = value & FEATURE_BITS;
}

static void vga_write8(void *dev, uint64_t port, uint8_t value)
{
	struct hv_vga *vga = dev;
	struct hv_vga_state *s = &vga->s;
	unsigned int which;

	if (is_crtc(vga, port, &which)) {
		write_crtc_port(s, which, value);
		return;
	}
	switch (port) {
	case 0x3c0:
		write_attribute(s, value);
		break;
	case 0x3c2:
		s->misc = value & MISC_BITS;
		break;
	case 0x3c4:
		s->sequencer_index = value;
		break;
	case 0x3c5:
		if (s->sequencer_index < HV_VGA_SEQUENCER)
			s->sequencer[s->sequencer_index] = value &
							   sequencer_bits[s->sequencer_index];
		break;
	case 0x3c6:
		s->dac_mask = value;
		break;
	case 0x3c7:
		select_dac(s, &s->dac_read, value, true);
		break;
	case 0x3c8:
		select_dac(s, &s->dac_write, value, false);
		break;
	case 0x3c9:
		write_dac(s, value);
		break;
	case 0x3ce:
		s->graphics_index = value;
		break;
	case 0x3cf:
		write_graphics(vga, value);
		break;
	}
}

/* ------------------------------------------------------------------ screen */

static unsigned int crtc_word(const struct hv_vga_state *s, unsigned int high)
{
	return s->crtc[high] << 8 | s->crtc[high + 1];
}

static unsigned int at_most(unsigned int value, unsigned int limit)
{
	return value < limit ? value : limit;
}

static unsigned int rows(const struct hv_vga_state *s)
{
	unsigned int lines = 1 + s->crtc[CRTC_LINES] +
			     (s->crtc[CRTC_OVERFLOW] & OVERFLOW_LINES8 ? 0x100 : 0) +
			     (s->crtc[CRTC_OVERFLOW] & OVERFLOW_LINES9 ? 0x200 : 0);
	unsigned int height = (s->crtc[CRTC_MAX_SCAN_LINE] & SCAN_LINE) + 1;

	if (s->crtc[CRTC_MAX_SCAN_LINE] & DOUBLE_SCAN)
		height *= 2;
	return lines < height ? 1 : at_most(lines / height, HV_VGA_MAX_ROWS);
}

static bool cursor_is_on(const struct hv_vga_state *s)
{
	uint8_t start = s->crtc[CRTC_CURSOR_START], end = s->crtc[CRTC_CURSOR_END];

	return !(start & CURSOR_OFF) && (start & SCAN_LINE) <= (end & SCAN_LINE);
}

void hv_vga_get_screen(const struct hv_vga *vga, struct hv_vga_screen *screen)
{
	static const uint32_t base[] = { 0xa0000, 0xa0000, 0xb0000, HV_VGA_TEXT_GPA };
	const struct hv_vga_state *s = &vga->s;

	*screen = (struct hv_vga_screen){
		.graphics = s->graphics[GRAPHICS_MISC] & GRAPHICS_MODE,
		.blank = !(s->attribute_index & PALETTE_ON),
		.blink = s->attribute[MODE_CONTROL] & MODE_BLINK,
		.gpa = base[MEMORY_MAP(s->graphics[GRAPHICS_MISC])],
		.columns = at_most(s->crtc[CRTC_COLUMNS] + 1u, HV_VGA_MAX_COLUMNS),
		.rows = rows(s),
		.stride = s->crtc[CRTC_OFFSET] * 2u,
		.start = crtc_word(s, CRTC_START) % HV_VGA_CELLS,
		.cursor = crtc_word(s, CRTC_CURSOR) % HV_VGA_CELLS,
		.cursor_on = cursor_is_on(s),
	};
}

/* ---------------------------------------------------------------- together */

static void vga_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	struct hv_vga *vga = dev;

	hv_access_bytes(dev, vga->region.base + offset, width, write, value, vga_read8, vga_write8);
}

static void vga_mono_access(void *dev, uint64_t offset, unsigned int width, bool write,
			    uint64_t *value)
{
	struct hv_vga *vga = dev;

	hv_access_bytes(dev, vga->mono_region.base + offset, width, write, value, vga_read8,
			vga_write8);
}

/* What a reset and the BIOS behind it leave. */
void hv_vga_reset(struct hv_vga *vga)
{
	vga->s = mode3;
	fill_dac(vga->s.dac);
	vga->frame_ns = hv_now_ns(vga->config.clock);
}

int hv_vga_init(struct hv_vga *vga, const struct hv_vga_config *config)
{
	int err;

	memset(vga, 0, sizeof(*vga));
	vga->config = *config;
	hv_vga_reset(vga);
	vga->mono_region = (struct hv_region){
		.name = "vga",
		.space = HV_PORT,
		.base = 0x3b0,
		.len = 0xc, /* the printer's ports are behind them */
		.access = vga_mono_access,
		.dev = vga,
	};
	vga->region = (struct hv_region){
		.name = "vga",
		.space = HV_PORT,
		.base = 0x3c0,
		.len = 0x20,
		.access = vga_access,
		.dev = vga,
	};
	err = hv_bus_register(config->bus, &vga->mono_region);
	if (err)
		return err;
	err = hv_bus_register(config->bus, &vga->region);
	if (err)
		hv_bus_unregister(config->bus, &vga->mono_region);
	return err;
}

void hv_vga_exit(struct hv_vga *vga)
{
	hv_bus_unregister(vga->config.bus, &vga->region);
	hv_bus_unregister(vga->config.bus, &vga->mono_region);
}

void hv_vga_save(const struct hv_vga *vga, struct hv_vga_state *state)
{
	*state = vga->s;
	state->frame_age_ns = hv_now_ns(vga->config.clock) - vga->frame_ns;
}

static bool has_others(const uint8_t *registers, const uint8_t *bits, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (registers[i] & ~bits[i])
			return true;
	return false;
}

static bool flags_are_bad(const struct hv_vga_state *s)
{
	return s->retrace_due > 1 || s->attribute_data > 1 || s->dac_reading > 1 ||
	       s->dac_component > 2 || (s->misc & ~MISC_BITS) || (s->feature & ~FEATURE_BITS) ||
	       (s->attribute_index & ~ATTRIBUTE_BITS) ||
	       ((s->dac_latch[0] | s->dac_latch[1]) & ~DAC_BITS);
}

int hv_vga_check(const struct hv_vga *vga, const struct hv_vga_state *s)
{
	uint8_t pad = 0, colors = 0;

	(void)vga;
	for (size_t i = 0; i < sizeof(s->pad); i++)
		pad |= s->pad[i];
	for (size_t i = 0; i < HV_VGA_DAC; i++)
		colors |= s->dac[i];
	if (pad || colors & ~DAC_BITS || flags_are_bad(s) ||
	    has_others(s->sequencer, sequencer_bits, HV_VGA_SEQUENCER) ||
	    has_others(s->graphics, graphics_bits, HV_VGA_GRAPHICS) ||
	    has_others(s->crtc, crtc_bits, HV_VGA_CRTC) ||
	    has_others(s->attribute, attribute_bits, HV_VGA_ATTRIBUTE))
		return -EINVAL;
	return 0;
}

int hv_vga_load(struct hv_vga *vga, const struct hv_vga_state *state)
{
	int err = hv_vga_check(vga, state);

	if (err)
		return err;
	vga->s = *state;
	vga->frame_ns = hv_now_ns(vga->config.clock) - state->frame_age_ns;
	return 0;
}

HV_STATE_KIND(vga, HV_STATE_VGA, 1);
