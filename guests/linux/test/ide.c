// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest with two IDE disks on one cable and a CD on the other: by the bus master, then by PIO. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define MASTER "/tmp/master"
#define SLAVE "/tmp/slave"
#define CD "/guests/bios/cd.iso"
#define DISK_MIB 4
#define WORK_S 100

#define UNTIL_THERE "until [ -b /dev/sda -a -b /dev/sdb -a -b /dev/sr0 ]; do sleep 1; done"

/* Which of them is probed first is chance: by their places on the cable. */
#define NAMES "m=/dev/$(ls /sys/bus/scsi/devices/*:0:0:0/block | grep ^sd); s=/dev/$(ls /sys/bus/scsi/devices/*:0:1:0/block | grep ^sd)"

static const struct row drive_rows[] = {
	{ "cat /sys/block/sd[ab]/size | tr '\\n' ' '", "8192 8192", "two disks have the sizes of their files" },
	{ "cat /sys/block/sr0/device/type", "5", "and there is a CD-ROM" },
	{ "cat /sys/class/ata_device/*/xfer_mode | grep -c MW_DMA_2", "3", "all are driven by the bus master" },
	{ "cat /sys/class/scsi_disk/*/cache_type | tr '\\n' ,", "write back,write back,", "caches can be flushed" },
};

static const struct row cd_rows[] = {
	{ "mount -t iso9660 -o ro /dev/sr0 /mnt && cat /mnt/cd.txt", "This text is on the cd", "the CD is mounted" },
	{ "dd if=/dev/zero of=/dev/sr0 bs=2k count=1 2>&1", "dd: ", "... and refuses to be written" },
};

/* What was written last comes from the drive, not from a cache. */
static const struct row file_rows[] = {
	{ "mke2fs -F $s >/dev/null && mount -t ext2 $s /mnt && echo made", "made", "a file system" },
	{ "cp /bin/busybox /mnt && umount /mnt && echo filled", "filled", "... takes a file" },
	{ "mount -t ext2 -o ro $s /mnt && cmp /bin/busybox /mnt/busybox && umount /mnt && echo same", "same",
	  "... which is there again" },
};

static void test_same(const char *device, const char *path, const char *text)
{
	char here[80], there[80];

	snprintf(here, sizeof(here), "md5sum <%s", path);
	snprintf(there, sizeof(there), "md5sum <%s", device);
	ok(prints(there, host(here)), "%s", text);
}

/* Both disks of a cable at once. */
static void test_writing(unsigned int mib, const char *how)
{
	char command[200];

	snprintf(command, sizeof(command), "dd if=/dev/urandom of=/tmp/random bs=1M count=%u", mib);
	guest(command, WORK_S);
	guest("for d in $m $s; do dd if=/tmp/random of=$d bs=1M conv=notrunc,fsync & done; wait", WORK_S);
	snprintf(command, sizeof(command), "dd if=" MASTER " bs=1M count=%u 2>/dev/null | md5sum", mib);
	ok(prints("md5sum /tmp/random", host(command)), "%s: what is written is in the first disk's file", how);
	snprintf(command, sizeof(command), "cmp -n %u " MASTER " " SLAVE " && echo same", mib << 20);
	is(strcmp(host(command), "same"), 0, "%s: ... and in the second one's", how);
}

static void test_interrupts(void)
{
	const char *counts = guest("grep -c ata_piix /proc/interrupts", COMMAND_S);

	ok(atoi(counts) == 2, "each channel has its interrupt");
}

static void test_pio(void)
{
	guest("rmmod sr_mod sd_mod ata_piix libata; modprobe libata dma=0", WORK_S);
	guest("modprobe -a ata_piix sd_mod sr_mod; " UNTIL_THERE, WORK_S);
	guest(NAMES, COMMAND_S);
	ok(prints("cat /sys/class/ata_device/*/xfer_mode | grep -c PIO_4", "3"), "without DMA, all are driven by PIO");
	test_writing(1, "by PIO");
	test_same("$s", SLAVE, "by PIO: the second disk reads as its file");
	test_same("/dev/sr0", CD, "by PIO: the CD, too");
}

void start_ide(char *image)
{
	char initrd[PATH_MAX];
	char *options[] = { "--initrd", beside(image, "ide.cpio", initrd), "--disk", MASTER ",if=ide",
			    "--disk", SLAVE ",if=ide", "--cdrom", CD, NULL };

	make_disk(MASTER, DISK_MIB);
	make_disk(SLAVE, DISK_MIB);
	start_with(image, options);
}

void test_ide(void)
{
	guest("modprobe -a ata_piix sd_mod sr_mod isofs; mkdir -p /mnt; " UNTIL_THERE, WORK_S);
	guest(NAMES, COMMAND_S);
	test_rows(drive_rows, NR_ROWS(drive_rows));
	test_same("$m", MASTER, "the first disk reads as its file");
	test_same("/dev/sr0", CD, "the CD, too");
	test_rows(cd_rows, NR_ROWS(cd_rows));
	test_same("/mnt/minios.bin", "/guests/minios/minios.bin", "a file of the CD");
	guest("umount /mnt", COMMAND_S);
	test_writing(DISK_MIB, "by DMA");
	test_rows(file_rows, NR_ROWS(file_rows));
	test_same("$s", SLAVE, "the second disk reads as its file");
	test_interrupts();
	test_pio();
	unlink(MASTER);
	unlink(SLAVE);
}
