// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8259A pair: fifteen interrupt lines, priorities, and the vector for the CPU.
 *
 *  port (master, slave)  write                          read
 *  20, A0   D4=1         ICW1: 3 LTIM, 1 SNGL, 0 IC4
 *           D4:3=00      OCW2: 7 R, 6 SL, 5 EOI, 2:0 L  IRR, or ISR, or the poll word
 *           D4:3=01      OCW3: 6:5 special mask,
 *                              2 poll, 1:0 IRR or ISR
 *  21, A1   after ICW1   ICW2: 7:3 vector base
 *                        ICW3: cascade (wired on a PC)
 *                        ICW4: 4 SFNM, 1 AEOI, 0 uPM
 *           else         OCW1: IMR                      IMR
 *  4D0, 4D1              ELCR: 1 = level-triggered      ELCR
 *
 * As in every chipset with an ELCR, LTIM has no effect.
 *
 * An edge stays latched until it is acknowledged, even when the line falls
 * before. The real chip would then report a spurious interrupt, but real lines do
 * not fall and rise in no time as emulated ones do.
 */
#include <errno.h>
#include <string.h>

#include "i8259.h"

enum { MASTER, SLAVE };

#define CASCADE 2		/* the master's input that the slave drives */
#define SPURIOUS 7

#define ICW1_IC4 0x01
#define ICW1_SNGL 0x02
#define ICW1_INIT 0x10
#define ICW4_AEOI 0x02
#define ICW4_SFNM 0x10

#define OCW2_LEVEL 0x07
#define OCW3_SELECT 0x08
#define OCW3_RIS 0x01
#define OCW3_RR 0x02
#define OCW3_POLL 0x04
#define OCW3_SMM 0x20
#define OCW3_ESMM 0x40

#define POLL_PENDING 0x80

/* These inputs are wired to the timer, the keyboard, the cascade, the RTC and the FPU. */
static const uint8_t elcr_mask[2] = { 0xf8, 0xde };

static uint8_t chip_irr(const struct hv_i8259_chip *chip)
{
	const struct hv_i8259_chip_state *s = &chip->s;

	return (s->edges & ~s->elcr) | (s->lines & s->elcr);
}

/* The input in @bits that has the highest priority, or -1. */
static int chip_highest(const struct hv_i8259_chip *chip, uint8_t bits)
{
	unsigned int input;

	for (unsigned int i = 1; i <= 8; i++) {
		input = (chip->s.lowest + i) & 7;
		if (bits & 1 << input)
			return (int)input;
	}
	return -1;
}

/* How far down the priorities @input is; nothing (-1) is below all. */
static unsigned int chip_rank(const struct hv_i8259_chip *chip, int input)
{
	return input < 0 ? 8 : ((unsigned int)input - chip->s.lowest - 1) & 7;
}

/* The in-service inputs that hold others back. */
static uint8_t chip_blocking(const struct hv_i8259_chip *chip)
{
	const struct hv_i8259_chip_state *s = &chip->s;

	return s->special_mask ? s->isr & ~s->imr : s->isr;
}

/* Special fully nested: the slave may interrupt its own service, and nobody else may. */
static bool chip_nests(const struct hv_i8259_chip *chip, int request, int service)
{
	return (chip->s.icw4 & ICW4_SFNM) && !chip->is_slave && request == CASCADE &&
	       service == CASCADE;
}

/* The input to be served next, or -1. */
static int chip_next(const struct hv_i8259_chip *chip)
{
	int request = chip_highest(chip, chip_irr(chip) & ~chip->s.imr);
	int service = chip_highest(chip, chip_blocking(chip));

	if (chip_nests(chip, request, service))
		return request;
	return chip_rank(chip, request) < chip_rank(chip, service) ? request : -1;
}

static void chip_set_line(struct hv_i8259_chip *chip, unsigned int input, bool level)
{
	uint8_t bit = (uint8_t)(1 << input);

	if (level && !(chip->s.lines & bit))
		chip->s.edges |= bit;
	if (level)
		chip->s.lines |= bit;
	else
		chip->s.lines &= ~bit;
}

/* Carry the slave's output to the master, and the master's to the CPU. */
static void pic_update(struct hv_i8259 *pic)
{
	bool level;

	chip_set_line(&pic->chip[MASTER], CASCADE, chip_next(&pic->chip[SLAVE]) >= 0);
	level = chip_next(&pic->chip[MASTER]) >= 0;
	if (level == pic->intr_level)
		return;
	pic->intr_level = level;
	hv_irq_set(&pic->config.intr, level);
}

/* Take the next request into service; returns its input, or -1 if there is none. */
static int chip_take(struct hv_i8259_chip *chip)
{
	struct hv_i8259_chip_state *s = &chip->s;
	int input = chip_next(chip);

	if (input < 0)
		return -1;
	s->edges &= ~(1 << input);
	if (!(s->icw4 & ICW4_AEOI))
		s->isr |= 1 << input;
	else if (s->rotate_on_aeoi)
		s->lowest = (uint8_t)input;
	/* The output falls with each acknowledge, so that a next request is an edge. */
	if (chip->is_slave)
		chip_set_line(&chip->pair->chip[MASTER], CASCADE, false);
	return input;
}

static int chip_vector(const struct hv_i8259_chip *chip, int input)
{
	return chip->s.base + (input < 0 ? SPURIOUS : input);
}

int hv_i8259_ack(struct hv_i8259 *pic)
{
	struct hv_i8259_chip *chip = &pic->chip[MASTER];
	int input = chip_take(chip);
	int vector;

	if (input == CASCADE) {
		chip = &pic->chip[SLAVE];
		input = chip_take(chip);
	}
	vector = chip_vector(chip, input);
	pic_update(pic);
	return vector;
}

bool hv_i8259_pending(const struct hv_i8259 *pic)
{
	return pic->intr_level;
}

bool hv_i8259_idle(const struct hv_i8259 *pic)
{
	const struct hv_i8259_chip_state *master = &pic->chip[MASTER].s;
	const struct hv_i8259_chip_state *slave = &pic->chip[SLAVE].s;

	return !((master->lines | master->edges) & elcr_mask[MASTER]) &&
	       !((slave->lines | slave->edges) & elcr_mask[SLAVE]);
}

void hv_i8259_set_irq(void *controller, unsigned int line, bool level)
{
	struct hv_i8259 *pic = controller;

	if (line >= 16 || line == CASCADE)
		return;
	chip_set_line(&pic->chip[line / 8], line % 8, level);
	pic_update(pic);
}

/* Edges seen before are forgotten; a line that stays high must fall first. */
static void chip_write_icw1(struct hv_i8259_chip *chip, uint8_t value)
{
	struct hv_i8259_chip_state *s = &chip->s;

	s->icw1 = value;
	s->icw_step = 2;
	if (!(value & ICW1_IC4))
		s->icw4 = 0;
	s->edges = 0;
	s->imr = 0;
	s->isr = 0;
	s->lowest = 7;
	s->rotate_on_aeoi = 0;
	s->special_mask = 0;
	s->poll = 0;
	s->read_isr = 0;
}

static void chip_write_icw(struct hv_i8259_chip *chip, uint8_t value)
{
	struct hv_i8259_chip_state *s = &chip->s;
	uint8_t last = s->icw1 & ICW1_IC4 ? 4 : 3;

	if (s->icw_step == 2)
		s->base = value & 0xf8;
	else if (s->icw_step == 3)
		s->icw3 = value;
	else
		s->icw4 = value & 0x1f;
	s->icw_step++;
	if (s->icw_step == 3 && (s->icw1 & ICW1_SNGL))
		s->icw_step++;
	if (s->icw_step > last)
		s->icw_step = 0;
}

/* With a special mask, a masked input in service is not what a plain EOI means. */
static int chip_eoi_target(const struct hv_i8259_chip *chip)
{
	uint8_t isr = chip->s.isr;

	if (chip->s.special_mask)
		isr &= ~chip->s.imr;
	return chip_highest(chip, isr);
}

static void chip_eoi(struct hv_i8259_chip *chip, int input, bool rotate)
{
	if (input < 0)
		return;
	chip->s.isr &= ~(1 << input);
	if (rotate)
		chip->s.lowest = (uint8_t)input;
}

static void chip_write_ocw2(struct hv_i8259_chip *chip, uint8_t value)
{
	uint8_t level = value & OCW2_LEVEL;

	switch (value >> 5) {
	case 0: /* rotate in automatic EOI: off, on */
	case 4:
		chip->s.rotate_on_aeoi = value >> 7;
		break;
	case 1: /* non-specific EOI, without and with rotation */
	case 5:
		chip_eoi(chip, chip_eoi_target(chip), value >> 7);
		break;
	case 3: /* specific EOI, without and with rotation */
	case 7:
		chip_eoi(chip, level, value >> 7);
		break;
	case 6: /* set priority */
		chip->s.lowest = level;
		break;
	default:
		break;
	}
}

static void chip_write_ocw3(struct hv_i8259_chip *chip, uint8_t value)
{
	struct hv_i8259_chip_state *s = &chip->s;

	if (value & OCW3_ESMM)
		s->special_mask = !!(value & OCW3_SMM);
	s->poll = !!(value & OCW3_POLL);
	if (value & OCW3_RR)
		s->read_isr = value & OCW3_RIS;
}

static void chip_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_i8259_chip *chip = dev;

	if (offset && chip->s.icw_step)
		chip_write_icw(chip, value);
	else if (offset)
		chip->s.imr = value;
	else if (value & ICW1_INIT)
		chip_write_icw1(chip, value);
	else if (value & OCW3_SELECT)
		chip_write_ocw3(chip, value);
	else
		chip_write_ocw2(chip, value);
	pic_update(chip->pair);
}

/* A poll is an acknowledge that the guest does by hand. */
static uint8_t chip_poll(struct hv_i8259_chip *chip)
{
	int input = chip_take(chip);

	chip->s.poll = 0;
	pic_update(chip->pair);
	return input < 0 ? 0 : (uint8_t)(POLL_PENDING | input);
}

static uint8_t chip_read8(void *dev, uint64_t offset)
{
	struct hv_i8259_chip *chip = dev;

	if (chip->s.poll)
		return chip_poll(chip);
	if (offset)
		return chip->s.imr;
	return chip->s.read_isr ? chip->s.isr : chip_irr(chip);
}

static void chip_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, chip_read8, chip_write8);
}

static uint8_t elcr_read8(void *dev, uint64_t offset)
{
	return ((struct hv_i8259 *)dev)->chip[offset].s.elcr;
}

static void elcr_write8(void *dev, uint64_t offset, uint8_t value)
{
	struct hv_i8259 *pic = dev;
	struct hv_i8259_chip_state *s = &pic->chip[offset].s;

	s->elcr = value & elcr_mask[offset];
	s->edges &= ~s->elcr;
	pic_update(pic);
}

static void elcr_access(void *dev, uint64_t offset, unsigned int width, bool write, uint64_t *value)
{
	hv_access_bytes(dev, offset, width, write, value, elcr_read8, elcr_write8);
}

/*
 * A guest that never touches the PIC must not be surprised by it: all inputs are
 * masked, and the vectors are where a BIOS puts them. The wires stay as they are.
 */
void hv_i8259_reset(struct hv_i8259 *pic)
{
	static const uint8_t base[2] = { 0x08, 0x70 };

	for (unsigned int i = MASTER; i <= SLAVE; i++)
		pic->chip[i].s = (struct hv_i8259_chip_state){
			.lines = pic->chip[i].s.lines,
			.imr = 0xff,
			.lowest = 7,
			.base = base[i],
		};
	pic_update(pic);
}

static struct hv_region pic_region(uint64_t base, hv_access_fn access, void *dev)
{
	return (struct hv_region){
		.name = "i8259",
		.space = HV_PORT,
		.base = base,
		.len = 2,
		.access = access,
		.dev = dev,
	};
}

int hv_i8259_init(struct hv_i8259 *pic, const struct hv_i8259_config *config)
{
	struct hv_region *const regions[] = {
		&pic->chip[MASTER].region,
		&pic->chip[SLAVE].region,
		&pic->elcr_region,
	};
	unsigned int i;
	int err;

	memset(pic, 0, sizeof(*pic));
	pic->config = *config;
	pic->chip[SLAVE].is_slave = true;
	pic->chip[MASTER].pair = pic;
	pic->chip[SLAVE].pair = pic;
	hv_i8259_reset(pic);
	*regions[0] = pic_region(0x20, chip_access, &pic->chip[MASTER]);
	*regions[1] = pic_region(0xa0, chip_access, &pic->chip[SLAVE]);
	*regions[2] = pic_region(0x4d0, elcr_access, pic);
	for (i = 0; i < 3; i++) {
		err = hv_bus_register(config->bus, regions[i]);
		if (err)
			goto unregister;
	}
	return 0;

unregister:
	while (i--)
		hv_bus_unregister(config->bus, regions[i]);
	return err;
}

void hv_i8259_exit(struct hv_i8259 *pic)
{
	hv_bus_unregister(pic->config.bus, &pic->elcr_region);
	hv_bus_unregister(pic->config.bus, &pic->chip[SLAVE].region);
	hv_bus_unregister(pic->config.bus, &pic->chip[MASTER].region);
}

void hv_i8259_save(const struct hv_i8259 *pic, struct hv_i8259_state *state)
{
	*state = (struct hv_i8259_state){
		.chip = { pic->chip[MASTER].s, pic->chip[SLAVE].s },
	};
}

static bool chip_state_valid(const struct hv_i8259_chip_state *s, unsigned int which)
{
	if (s->lowest > 7 || (s->base & 7) || (s->elcr & ~elcr_mask[which]) || (s->icw4 & ~0x1f))
		return false;
	if (s->icw_step > 4 || s->icw_step == 1 || s->pad)
		return false;
	return (s->rotate_on_aeoi | s->special_mask | s->poll | s->read_isr) <= 1;
}

int hv_i8259_check(const struct hv_i8259 *pic, const struct hv_i8259_state *state)
{
	(void)pic;
	if (!chip_state_valid(&state->chip[MASTER], MASTER) ||
	    !chip_state_valid(&state->chip[SLAVE], SLAVE))
		return -EINVAL;
	return 0;
}

int hv_i8259_load(struct hv_i8259 *pic, const struct hv_i8259_state *state)
{
	int err = hv_i8259_check(pic, state);

	if (err)
		return err;
	pic->chip[MASTER].s = state->chip[MASTER];
	pic->chip[SLAVE].s = state->chip[SLAVE];
	pic_update(pic);
	return 0;
}

HV_STATE_KIND(i8259, HV_STATE_I8259, 1);
