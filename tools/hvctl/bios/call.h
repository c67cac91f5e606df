/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the BIOS: a call of it, and what services do with the guest. */
#ifndef HV_BIOS_CALL_H
#define HV_BIOS_CALL_H

#include "bios.h"
#include "lib/x86.h"

/* A register by its names: eax, ax, al and ah. */
#define HV_BIOS_REGISTER(r)                 \
	union {                             \
		uint32_t e##r##x;           \
		uint16_t r##x;              \
		struct {                    \
			uint8_t r##l, r##h; \
		};                          \
	}
#define HV_BIOS_INDEX(r)       \
	union {                \
		uint32_t e##r; \
		uint16_t r;    \
	}

/* When the ROM is to ask again. */
enum hv_bios_again {
	HV_BIOS_DONE,
	HV_BIOS_AT_ONCE,
	HV_BIOS_AFTER_INTERRUPT,
};

struct hv_bios_call {
	HV_BIOS_REGISTER(a);
	HV_BIOS_REGISTER(b);
	HV_BIOS_REGISTER(c);
	HV_BIOS_REGISTER(d);
	HV_BIOS_INDEX(si);
	HV_BIOS_INDEX(di);
	HV_BIOS_INDEX(bp);
	uint32_t ds, es;		/* where the segments begin */
	uint16_t es_selector;
	uint16_t ip, cs, flags;		/* where it returns to, and what it finds there */
	enum hv_bios_again again;
	uint8_t number;			/* of the interrupt */
	struct hv_bios *bios;
	struct hv_guest *guest;
	const struct hv_bios_disk *disk;	/* of INT 13H */
};

/* The services. False: there is none for this AH (AX, BL). */
typedef bool (*hv_bios_service)(struct hv_bios_call *call);
bool hv_bios_video(struct hv_bios_call *call);
bool hv_bios_equipment(struct hv_bios_call *call);
bool hv_bios_low_memory(struct hv_bios_call *call);
bool hv_bios_disk(struct hv_bios_call *call);
bool hv_bios_boot(struct hv_bios_call *call);
bool hv_bios_serial(struct hv_bios_call *call);
bool hv_bios_system(struct hv_bios_call *call);
bool hv_bios_key_pressed(struct hv_bios_call *call);
bool hv_bios_keyboard(struct hv_bios_call *call);
bool hv_bios_clock(struct hv_bios_call *call);

/* What kind of disk is the image? */
void hv_bios_disk_init(struct hv_bios *bios);

/* The BIOS data area */
#define BDA_COM_PORTS 0x400
#define BDA_EQUIPMENT 0x410
#define BDA_LOW_MEMORY 0x413
#define BDA_SHIFTS 0x417
#define BDA_KEY_FIRST 0x41a		/* offsets in segment 40H, as are the next three */
#define BDA_KEY_NEXT 0x41c
#define BDA_FLOPPY_STATUS 0x441
#define BDA_MODE 0x449
#define BDA_COLUMNS 0x44a
#define BDA_PAGE_SIZE 0x44c
#define BDA_PAGE_START 0x44e
#define BDA_CURSORS 0x450		/* column, row, for each page */
#define BDA_CURSOR_SHAPE 0x460
#define BDA_PAGE 0x462
#define BDA_TICKS 0x46c
#define BDA_MIDNIGHT 0x470
#define BDA_DISK_STATUS 0x474
#define BDA_DISKS 0x475
#define BDA_KEYS_BEGIN 0x480
#define BDA_KEYS_END 0x482
#define BDA_ROWS 0x484		/* less one */
#define BDA_KEY_PREFIX 0x496		/* bit 1: E0 has come, bit 4: a keyboard of 101 keys */

/* Guest memory by linear address; what the guest itself could not reach is all zeroes. */
uint32_t hv_bios_get(struct hv_bios_call *call, uint32_t linear, unsigned int width);
void hv_bios_put(struct hv_bios_call *call, uint32_t linear, unsigned int width, uint32_t value);
/* ... @len bytes at @offset of a segment, at whose end its beginning comes. */
void hv_bios_write(struct hv_bios_call *call, uint32_t segment, uint16_t offset, const void *data,
		   size_t len);
void hv_bios_read(struct hv_bios_call *call, uint32_t segment, uint16_t offset, void *data,
		  size_t len);

uint8_t hv_bios_in(struct hv_bios_call *call, uint16_t port);
void hv_bios_out(struct hv_bios_call *call, uint16_t port, uint8_t value);

/* The flags that the caller finds: X86_RFLAGS_CF, X86_RFLAGS_ZF. */
static inline void hv_bios_flag(struct hv_bios_call *call, uint16_t flag, bool on)
{
	call->flags = on ? call->flags | flag : call->flags & ~flag;
}

/* The caller goes nowhere any more. */
void hv_bios_stop(struct hv_bios_call *call);

void hv_bios_say(const struct hv_bios *bios, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Is it the first time that @ah of this interrupt is spoken of? */
bool hv_bios_first_time(struct hv_bios_call *call, uint8_t ah);

#endif
