// SPDX-License-Identifier: GPL-2.0-only
/* What drives of all kinds say in IDENTIFY, and the transfer modes that they tell of there. */
#include "ata.h"
#include "lib/bytes.h"

#define MODE_FAMILY 0xf8
#define MODE_NUMBER 0x07
#define MODE_PIO_DEFAULT 0x00
#define MODE_PIO 0x08
#define MODE_MULTIWORD 0x20
#define MODE_ULTRA 0x40

/* Bits 15:0 of each word, low byte first. */
void hv_ata_put_word(uint8_t *data, unsigned int word, uint16_t value)
{
	hv_put_le(data + 2 * word, value, 2);
}

void hv_ata_put_text(uint8_t *data, unsigned int word, unsigned int words, const char *text)
{
	for (unsigned int i = 0; i < 2 * words; i++)
		data[(2 * word + i) ^ 1] = *text ? (uint8_t)*text++ : ' ';
}

bool hv_ata_set_mode(struct hv_ata_drive *drive, uint8_t mode)
{
	uint8_t number = mode & MODE_NUMBER;
	bool known = false;

	switch (mode & MODE_FAMILY) {
	case MODE_PIO_DEFAULT:
		known = number <= 1;
		break;
	case MODE_PIO:
		known = number <= 4;
		break;
	case MODE_MULTIWORD:
		known = number <= 2;
		break;
	case MODE_ULTRA:
		known = number <= 5;
		break;
	}
	if (known)
		drive->s.mode = mode;
	return known;
}

void hv_ata_put_modes(const struct hv_ata_drive *drive, uint8_t *data)
{
	uint8_t family = drive->s.mode & MODE_FAMILY;
	uint16_t in_use = (uint16_t)(0x100u << (drive->s.mode & MODE_NUMBER));

	hv_ata_put_word(data, 63, 0x0007 | (family == MODE_MULTIWORD ? in_use : 0));
	hv_ata_put_word(data, 64, 0x0003);
	for (unsigned int word = 65; word <= 68; word++)
		hv_ata_put_word(data, word, 120);
	hv_ata_put_word(data, 88, 0x003f | (family == MODE_ULTRA ? in_use : 0));
	/* An 80-wire cable, or drivers leave out the faster modes. */
	hv_ata_put_word(data, 93, 0x6001);
}
