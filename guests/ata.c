// SPDX-License-Identifier: GPL-2.0-only
/*
 * ata: a disk at the first ATA channel, by its registers, as systems drive it that know nothing
 * else: PIO, the interrupt, the bus master of the PIIX. Needs "--disk FILE,if=ide" with a file of
 * at least 256 sectors, whose content is lost.
 */
#include "lib/pic.h"
#include "lib/trap.h"

#define BASE		0x1f0
#define DATA		(BASE + 0)
#define ERROR		(BASE + 1)
#define COUNT		(BASE + 2)
#define LBA_LOW		(BASE + 3)
#define LBA_MID		(BASE + 4)
#define LBA_HIGH	(BASE + 5)
#define DEVICE		(BASE + 6)
#define COMMAND		(BASE + 7)
#define STATUS		(BASE + 7)	/* reading it takes the interrupt back */
#define CONTROL		0x3f6
#define ALTERNATE	0x3f6

#define CONTROL_SRST	0x04
#define DEVICE_LBA	0x40
#define DEVICE_SECOND	0x10
#define STATUS_BSY	0x80
#define STATUS_DRDY	0x40
#define STATUS_DRQ	0x08
#define STATUS_ERR	0x01
#define ERROR_ABRT	0x04
#define ERROR_IDNF	0x10
#define DIAGNOSED	0x01	/* in ERROR, after a reset */

#define READ_SECTORS		0x20
#define WRITE_SECTORS		0x30
#define READ_DMA		0xc8
#define WRITE_DMA		0xca
#define FLUSH_CACHE		0xe7
#define IDENTIFY		0xec
#define NO_COMMAND		0x02

#define SECTOR		512
#define WORDS		(SECTOR / 2)
#define SECTORS		8	/* at once */
#define PATIENCE	100000000

#define IRQ_BIT		(1 << 6)	/* 14 */
#define ELCR2		0x4d1

/* The bus master: PCI function 1 of the PIIX */
#define CONFIG_ADDRESS	0xcf8
#define CONFIG_DATA	0xcfc
#define PCI_COMMAND	0x04
#define PCI_COMMAND_IO	0x01
#define PCI_COMMAND_MASTER 0x04
#define PCI_CLASS	0x08
#define PCI_BAR4	0x20
#define CLASS_IDE	0x0101
#define BM_START	0x01
#define BM_TO_MEMORY	0x08
#define BM_ACTIVE	0x01
#define BM_ERROR	0x02
#define BM_INTERRUPT	0x04
#define PRD_LAST	0x80000000u

static u16 sectors[SECTORS * WORDS], others[SECTORS * WORDS] __attribute__((aligned(SECTOR)));

static void fill(u16 seed)
{
	for (u32 i = 0; i < SECTORS * WORDS; i++)
		sectors[i] = (u16)(i * 40503 + seed);
}

static bool is_same(void)
{
	for (u32 i = 0; i < SECTORS * WORDS; i++)
		if (sectors[i] != others[i])
			return false;
	return true;
}

static u8 wait_while_busy(void)
{
	u8 status = STATUS_BSY;

	for (u32 i = 0; i < PATIENCE && status & STATUS_BSY; i++)
		status = inb(ALTERNATE);
	require(!(status & STATUS_BSY));
	return status;
}

static void command(u32 lba, u8 count, u8 code)
{
	wait_while_busy();
	outb(DEVICE, (u8)(DEVICE_LBA | lba >> 24));
	outb(COUNT, count);
	outb(LBA_LOW, (u8)lba);
	outb(LBA_MID, (u8)(lba >> 8));
	outb(LBA_HIGH, (u8)(lba >> 16));
	outb(COMMAND, code);
}

static bool interrupt_waits(void)
{
	outb(PIC2_COMMAND, PIC_READ_IRR);
	return inb(PIC2_COMMAND) & IRQ_BIT;
}

/* A command without data, or the end of one: its status, and the interrupt is taken back. */
static u8 end(void)
{
	u8 status = wait_while_busy();

	check(interrupt_waits());
	check_eq(inb(STATUS), status);
	check(!interrupt_waits());
	return status;
}

static void read_pio(u32 lba, u16 *to, u8 count)
{
	command(lba, count, READ_SECTORS);
	for (u8 i = 0; i < count; i++) {
		check_eq(end() & (STATUS_DRQ | STATUS_ERR), STATUS_DRQ);
		for (u32 word = 0; word < WORDS; word++)
			*to++ = inw(DATA);
	}
	check_eq(inb(ALTERNATE) & (STATUS_BSY | STATUS_DRQ), 0);
}

static void write_pio(u32 lba, u16 *from, u8 count)
{
	command(lba, count, WRITE_SECTORS);
	for (u8 i = 0; i < count; i++) {
		check_eq(wait_while_busy() & (STATUS_DRQ | STATUS_ERR), STATUS_DRQ);
		for (u32 word = 0; word < WORDS; word++)
			outw(DATA, *from++);
		check_eq(end() & STATUS_ERR, 0);
	}
}

/* ------------------------------------------------------------------- steps */

static void check_reset(void)
{
	step("a reset of the channel: the signature of a disk");
	outb(CONTROL, CONTROL_SRST);
	check(inb(ALTERNATE) & STATUS_BSY);
	outb(CONTROL, 0);
	check(wait_while_busy() & STATUS_DRDY);
	check_eq(inb(ERROR), DIAGNOSED);
	check_eq(inb(COUNT), 1);
	check_eq(inb(LBA_LOW), 1);
	check_eq(inb(LBA_MID), 0);
	check_eq(inb(LBA_HIGH), 0);
	step("no second drive");
	outb(DEVICE, DEVICE_SECOND);
	check_eq(inb(ALTERNATE), 0);
	outb(DEVICE, 0);
}

static u32 check_identify(void)
{
	u16 *id = sectors;
	u32 size;

	step("IDENTIFY DEVICE");
	command(0, 0, IDENTIFY);
	check_eq(end() & (STATUS_DRQ | STATUS_ERR), STATUS_DRQ);
	for (u32 word = 0; word < WORDS; word++)
		id[word] = inw(DATA);
	check_eq(id[0] & 0x8000, 0);		/* no packets */
	check_eq(id[49] >> 8 & 3, 3);		/* LBA and DMA */
	size = (u32)id[61] << 16 | id[60];
	check(size >= 256);
	return size;
}

static void check_pio(void)
{
	step("PIO: eight sectors are written and read, one by one and together");
	fill(1);
	write_pio(16, sectors, SECTORS);
	read_pio(16, others, SECTORS);
	check(is_same());
	fill(2);
	for (u8 i = 0; i < SECTORS; i++)
		write_pio(32 + i, sectors + i * WORDS, 1);
	for (u8 i = 0; i < SECTORS; i++)
		read_pio(32 + i, others + i * WORDS, 1);
	check(is_same());
	step("the cache is flushed");
	command(0, 0, FLUSH_CACHE);
	check_eq(end() & STATUS_ERR, 0);
}

static void check_errors(u32 size)
{
	step("a sector behind the end, and a command that there is not");
	command(size, 1, READ_SECTORS);
	check(end() & STATUS_ERR);
	check_eq(inb(ERROR), ERROR_IDNF);
	command(0, 0, NO_COMMAND);
	check(end() & STATUS_ERR);
	check_eq(inb(ERROR), ERROR_ABRT);
	read_pio(16, others, 1);
}

/* ------------------------------------------------------------------ by DMA */

static u16 bus_master;
static struct prd {
	u32 address, bytes;
} prds[2] __attribute__((aligned(64)));

static u32 config(u8 reg)
{
	outl(CONFIG_ADDRESS, 0x80000000u | 1 << 11 | 1 << 8 | reg);
	return inl(CONFIG_DATA);
}

static bool find_bus_master(void)
{
	if (config(PCI_CLASS) >> 16 != CLASS_IDE)
		return false;
	config(PCI_COMMAND);
	outl(CONFIG_DATA, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	bus_master = config(PCI_BAR4) & 0xfff0;
	return bus_master;
}

static void dma(u32 lba, u16 *buffer, u8 code)
{
	u8 direction = code == READ_DMA ? BM_TO_MEMORY : 0;
	u8 status = 0;

	outb(bus_master, direction);
	outb(bus_master + 2, BM_INTERRUPT | BM_ERROR);
	outl(bus_master + 4, (u32)(ulong)prds);
	/* Two pieces, whose border lies within a sector. */
	prds[0] = (struct prd){ (u32)(ulong)buffer, SECTOR + 100 };
	prds[1] = (struct prd){ prds[0].address + prds[0].bytes,
				PRD_LAST | (SECTORS * SECTOR - prds[0].bytes) };
	command(lba, SECTORS, code);
	outb(bus_master, direction | BM_START);
	for (u32 i = 0; i < PATIENCE && !(status & BM_INTERRUPT); i++)
		status = inb(bus_master + 2);
	outb(bus_master, direction);
	check_eq(status & (BM_INTERRUPT | BM_ERROR | BM_ACTIVE), BM_INTERRUPT);
	check_eq(end() & (STATUS_ERR | STATUS_DRQ), 0);
}

static void check_dma(void)
{
	step("the bus master: written by it and read by PIO, and the other way round");
	require(find_bus_master());
	fill(3);
	dma(64, sectors, WRITE_DMA);
	read_pio(64, others, SECTORS);
	check(is_same());
	fill(4);
	write_pio(96, sectors, SECTORS);
	dma(96, others, READ_DMA);
	check(is_same());
}

GUEST("ata")
{
	outb(LBA_LOW, 0x5a);
	if (inb(LBA_LOW) != 0x5a)
		skip_guest("there is no disk at the first ATA channel");
	/* By level, so that the 8259 shows the line as it is. */
	outb(ELCR2, IRQ_BIT);
	check_reset();
	check_errors(check_identify());
	check_pio();
	check_dma();
}
