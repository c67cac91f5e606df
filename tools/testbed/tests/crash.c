// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tools/testbed/tests/crash.sh, in the machine:
 *
 *   crash load				load a few instructions for after a crash: they say so and end the machine
 *   crash load KERNEL INITRD COMMAND-LINE	load a kernel for it
 *   crash boots				count this boot in the CMOS RAM, which outlives a reset; print it
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_UNUSED	0x70	/* neither the clock's nor the BIOS's; 0 at power-on */

/*
 * Entered in 64-bit mode, identity mapped, with no stack to speak of. It speaks to the first
 * serial port, and then to Bochs' port that takes the word "Shutdown".
 */
extern const char payload[], payload_end[];
asm(".pushsection .rodata\n"
	"payload: cld\n"
	"	lea said(%rip), %rsi\n"
	"	mov $shutdown - said, %ecx\n"
	"1:	mov $0x3f8 + 5, %edx\n"
	"2:	in %dx, %al\n"
	"	test $0x20, %al\n"
	"	jz 2b\n"
	"	mov $0x3f8, %edx\n"
	"	outsb\n"
	"	loop 1b\n"
	"	mov $0x3f8 + 5, %edx\n"
	"3:	in %dx, %al\n"
	"	test $0x40, %al\n"
	"	jz 3b\n"
	"	mov $0x8900, %edx\n"
	"	mov $payload_end - shutdown, %ecx\n"
	"	rep outsb\n"
	"4:	hlt\n"
	"	jmp 4b\n"
	"said: .ascii \"\\nthe crash payload is up\\n\"\n"
	"shutdown: .ascii \"Shutdown\"\n"
	"payload_end:\n"
	".popsection");

static void load_payload(void)
{
	struct kexec_segment segment = { .buf = payload, .bufsz = payload_end - payload, .memsz = 4096 };
	unsigned long start = 0;
	char line[256];
	FILE *map = fopen("/proc/iomem", "r");

	while (map && fgets(line, sizeof(line), map))
		if (strstr(line, "Crash kernel"))
			sscanf(line, "%lx", &start);
	if (!start)
		errx(1, "nothing is reserved for a crash kernel");
	segment.mem = (void *)start;
	if (syscall(SYS_kexec_load, start, 1UL, &segment, KEXEC_ON_CRASH | KEXEC_ARCH_X86_64))
		err(1, "kexec_load");
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void load(const char *kernel, const char *initrd, const char *line)
{
	if (syscall(SYS_kexec_file_load, open_file(kernel), open_file(initrd), strlen(line) + 1, line,
		    KEXEC_FILE_ON_CRASH))
		err(1, "kexec_file_load");
}

static void count_boot(void)
{
	int n;

	if (iopl(3))
		err(1, "iopl");
	outb(CMOS_UNUSED, CMOS_INDEX);
	n = inb(CMOS_DATA) + 1;
	outb(n, CMOS_DATA);
	printf("%d\n", n);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "load"))
		load(argv[2], argv[3], argv[4]);
	else if (argc == 2 && !strcmp(argv[1], "load"))
		load_payload();
	else if (argc == 2 && !strcmp(argv[1], "boots"))
		count_boot();
	else
		errx(2, "usage: crash load [KERNEL INITRD COMMAND-LINE] | crash boots");
	return 0;
}
