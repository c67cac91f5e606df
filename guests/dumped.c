// SPDX-License-Identifier: GPL-2.0-only
/* dumped: has known FPU registers, tells fw_cfg of a note as Linux does, and waits to be dumped. */
#include "lib/fpu.h"
#include "lib/guest.h"

#define SELECTOR	0x510
#define DATA		0x511
#define DMA_ADDRESS	0x514
#define DIRECTORY	0x19
#define ENTRY_NAME	56

#define DMA_SELECT	0x08
#define DMA_WRITE	0x10

#define FORM_ELF	1

static struct {
	u32 name_bytes, bytes, type;
	char name[12];
	char text[24];
} note = { sizeof("VMCOREINFO"), 19, 0, "VMCOREINFO", "OSRELEASE=dumped.1\n" };

static const u64 vector[4] = { 0x1111, 0x2222, 0x3333, 0x4444 };

static struct {
	u16 host, guest;
	u32 bytes;
	u64 address;
} told;

/* Big endian. */
static volatile struct {
	u32 control, bytes;
	u64 address;
} request;

static u32 next(int bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | inb(DATA);
	return value;
}

/* The file's number; 0: there is none. */
static u16 find(const char *name)
{
	char entry[ENTRY_NAME];

	outw(SELECTOR, DIRECTORY);
	for (u32 count = next(4); count; count--) {
		u32 key;

		next(4);
		key = next(4) >> 16;
		for (int i = 0; i < ENTRY_NAME; i++)
			entry[i] = inb(DATA);
		if (!strcmp(entry, name))
			return key;
	}
	return 0;
}

static void write_file(u16 key, const void *data, u32 bytes)
{
	request.control = __builtin_bswap32((u32)key << 16 | DMA_SELECT | DMA_WRITE);
	request.bytes = __builtin_bswap32(bytes);
	request.address = __builtin_bswap64((ulong)data);
	outl(DMA_ADDRESS, 0);
	outl(DMA_ADDRESS + 4, __builtin_bswap32((u32)(ulong)&request));
	check_eq(request.control, 0);
}

static void load_fpu(void)
{
	u64 xcr0 = fpu_enable_all();

	asm volatile("fldpi; fld1");
	if (xcr0 & XCR0_AVX)
		asm volatile("vmovdqu %0, %%ymm7" : : "m"(vector));
	else
		asm volatile("movdqu %0, %%xmm7" : : "m"(vector));
}

GUEST("dumped")
{
	u16 key = find("etc/vmcoreinfo");

	load_fpu();
	require(key);
	outw(SELECTOR, key);
	check_eq(inb(DATA), FORM_ELF);
	told.guest = FORM_ELF;
	told.bytes = sizeof(note);
	told.address = (ulong)&note;
	write_file(key, &told, sizeof(told));
	print("it is told\n");
	for (;;)
		asm volatile("pause");
}
