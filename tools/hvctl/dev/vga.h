/* SPDX-License-Identifier: GPL-2.0-only */
/* VGA in text mode: registers that read back what was written. Text memory is the VM's RAM. */
#ifndef HV_DEV_VGA_H
#define HV_DEV_VGA_H

#include "dev.h"

#define HV_VGA_SEQUENCER 5
#define HV_VGA_GRAPHICS 9
#define HV_VGA_CRTC 25
#define HV_VGA_ATTRIBUTE 21
#define HV_VGA_DAC (256 * 3)

#define HV_VGA_TEXT_GPA 0xb8000ull	/* where a BIOS has it, in mode 3 */
#define HV_VGA_CRTC_PORT 0x3d4		/* ... and its CRTC */
#define HV_VGA_CELLS 0x4000u		/* in text memory: a character and its attribute each */
#define HV_VGA_MAX_COLUMNS 160u
#define HV_VGA_MAX_ROWS 100u

struct hv_vga_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	void (*graphics)(void *ctx);	/* the guest goes to a graphics mode; may be NULL */
	void *ctx;
};

struct hv_vga_state {
	uint64_t frame_age_ns;		/* since the last retrace began */
	uint8_t retrace_due;		/* nobody has seen it yet */
	uint8_t misc, feature;
	uint8_t sequencer_index, graphics_index, crtc_index, attribute_index;
	uint8_t attribute_data;		/* the flip-flop: the next write is data */
	uint8_t dac_mask, dac_read, dac_write;
	uint8_t dac_reading;		/* by whichever index was written last */
	uint8_t dac_component;		/* red, green, blue: the next one */
	uint8_t dac_latch[2];		/* red and green, until blue comes */
	uint8_t sequencer[HV_VGA_SEQUENCER], graphics[HV_VGA_GRAPHICS], crtc[HV_VGA_CRTC],
		attribute[HV_VGA_ATTRIBUTE];
	uint8_t pad[5];
	uint8_t dac[HV_VGA_DAC];
};

struct hv_vga {
	struct hv_vga_config config;
	struct hv_region mono_region, region;
	uint64_t frame_ns;		/* when the last retrace began */
	struct hv_vga_state s;
};

/**
 * struct hv_vga_screen - what the registers show
 * @graphics: a graphics mode: the rest says nothing
 * @blank: the palette is turned off
 * @blink: bit 7 of an attribute blinks, else it is the background's fourth
 * @gpa: of text memory, HV_VGA_CELLS words: a character, and its attribute above it
 * @columns: of the screen, up to HV_VGA_MAX_COLUMNS
 * @rows: up to HV_VGA_MAX_ROWS
 * @stride: cells from one row to the next
 * @start: cell at the upper left; behind the last comes the first
 * @cursor: its cell
 * @cursor_on: there is one
 */
struct hv_vga_screen {
	bool graphics, blank, blink;
	uint64_t gpa;
	unsigned int columns, rows, stride, start, cursor;
	bool cursor_on;
};

int hv_vga_init(struct hv_vga *vga, const struct hv_vga_config *config);
void hv_vga_exit(struct hv_vga *vga);
void hv_vga_reset(struct hv_vga *vga);

void hv_vga_get_screen(const struct hv_vga *vga, struct hv_vga_screen *screen);

void hv_vga_save(const struct hv_vga *vga, struct hv_vga_state *state);
int hv_vga_check(const struct hv_vga *vga, const struct hv_vga_state *state);
int hv_vga_load(struct hv_vga *vga, const struct hv_vga_state *state);
extern const struct hv_state_kind hv_vga_kind;

#endif
