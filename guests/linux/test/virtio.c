// SPDX-License-Identifier: GPL-2.0-only
/* A Linux guest with disks and a network: what it writes is in the file, what it sends comes here. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"

#define DISK "/tmp/disk"
#define LOCKED "/tmp/locked"
#define SENT "/tmp/sent"
#define DISK_MIB 8
#define SENT_MIB 1
#define PORT 7000
#define FORWARDED 2222
#define WORK_S 200

/* -------------------------------------------------------------------- disk */

static const struct row disk_rows[] = {
	{ "cat /sys/block/vda/size", "16384\r", "a disk has the size of its file" },
	{ "cat /sys/block/vda/serial", "tinyvmx-1", "... the serial number that it was given" },
	{ "cat /sys/block/vda/queue/write_cache", "write back", "... a cache that can be flushed" },
	{ "echo $(cat /sys/block/vd?/ro)", "0 1", "one is writable, one is not" },
	{ "dd if=/dev/zero of=/dev/vdb count=1 2>&1", "not permitted", "... and refuses to be written" },
	{ "grep -c 'MSI.*virtio.*-req' /proc/interrupts", "2", "both have interrupts by MSI-X" },
};

static const struct row file_rows[] = {
	{ "mke2fs -F /dev/vda >/dev/null && mount -t ext2 /dev/vda /mnt && echo made", "made", "a file system" },
	{ "cp -a /bin /mnt && sync && umount /mnt && echo filled", "filled", "... takes files" },
	{ "mount -t ext2 -o ro /dev/vda /mnt && cmp /bin/busybox /mnt/bin/busybox && echo same", "same",
	  "... which are there again" },
	{ "umount /mnt && blkdiscard /dev/vda && echo gone", "gone", "all of it is discarded" },
};

static void test_disk(void)
{
	struct stat file;

	test_rows(disk_rows, NR_ROWS(disk_rows));
	ok(prints("md5sum /dev/vda", host("md5sum " DISK)), "it reads what is in the file");
	guest("dd if=/dev/urandom of=/tmp/random bs=64k count=16", WORK_S);
	guest("dd if=/tmp/random of=/dev/vda bs=64k seek=64 conv=notrunc,fsync", WORK_S);
	ok(prints("md5sum /tmp/random",
		  host("dd if=" DISK " bs=64k skip=64 count=16 2>/dev/null | md5sum")),
	   "what it has written is in the file");
	guest("mkdir -p /mnt", COMMAND_S);
	test_rows(file_rows, NR_ROWS(file_rows));
	must(stat(DISK, &file));
	ok(file.st_blocks < 2048, "... and takes no room any more: %ld KiB", (long)file.st_blocks / 2);
}

/* ----------------------------------------------------------------- network */

static int listener(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	must(listen(fd, 1));
	return fd;
}

/* Another process, which takes one connection and keeps what comes. */
static pid_t receive(int listening)
{
	static char data[1 << 16];
	pid_t child = must(fork());
	FILE *file;
	ssize_t len;
	int fd;

	if (child)
		return child;
	alarm(WORK_S);
	fd = accept(listening, NULL, NULL);
	file = fopen(SENT, "w");
	while (fd >= 0 && file && (len = read(fd, data, sizeof(data))) > 0)
		fwrite(data, 1, len, file);
	_exit(!file || fclose(file));
}

/* What comes back over the forwarded port for a line that is sent there. */
static bool answers(const char *line)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(FORWARDED) };
	char got[100] = "";
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	must(write(fd, line, strlen(line)));
	for (size_t len = 0; len < strlen(line); ) {
		ssize_t n = read(fd, got + len, sizeof(got) - 1 - len);

		if (n <= 0)
			break;
		len += n;
	}
	close(fd);
	return !strcmp(got, line);
}

/* Who listens there has just been started. */
static bool answers_soon(const char *line)
{
	for (unsigned int tries = 0; tries < 100; tries++) {
		if (answers(line))
			return true;
		usleep(100000);
	}
	return false;
}

static const struct row net_rows[] = {
	{ "ip link set eth0 up; udhcpc -i eth0 -n -q -s /bin/true 2>&1", "lease of 10.0.2.15 obtained", "DHCP" },
	{ "ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2 && echo up", "up", "an address" },
	{ "ping -c 3 10.0.2.2", " 0% packet loss", "the gateway answers" },
	{ "grep -c 'MSI.*virtio.*-input' /proc/interrupts", "1", "interrupts by MSI-X" },
};

static void test_net(void)
{
	int listening = listener(), status;
	pid_t child;

	test_rows(net_rows, NR_ROWS(net_rows));
	child = receive(listening);
	close(listening);
	guest("head -c 1048576 /dev/vdb | nc 10.0.2.2 7000", WORK_S);
	must(waitpid(child, &status, 0));
	ok(!status && !strcmp(host("cmp " LOCKED " " SENT " && echo same"), "same"),
	   "%d MiB come here whole", SENT_MIB);
	guest("nc -ll -p 7 -e cat &", COMMAND_S);
	ok(answers_soon("through the forwarded port\n"), "a forwarded port leads into the guest");
}

/* ------------------------------------------------------------------- start */

static const char modules[] =
	"for m in virtio_pci virtio_blk virtio_net virtio_rng virtio_balloon; do modprobe $m 2>/dev/null; done; lsmod";

void start_virtio(char *image)
{
	char initrd[PATH_MAX];
	char *options[] = {
		"--initrd", beside(image, "virtio.cpio", initrd), "--disk", DISK ",serial=tinyvmx-1", "--disk", LOCKED ",ro",
		"--net", "user,hostfwd=tcp:127.0.0.1:2222-:7", NULL
	};

	make_disk(DISK, DISK_MIB);
	make_disk(LOCKED, DISK_MIB);
	must(truncate(LOCKED, SENT_MIB << 20));
	start_with(image, options);
}

void test_virtio(void)
{
	guest(modules, COMMAND_S);
	test_disk();
	test_net();
	unlink(DISK);
	unlink(LOCKED);
	unlink(SENT);
}
