/* SPDX-License-Identifier: GPL-2.0-only */
/* A Linux guest at hvctl's terminal. There is one at a time. */
#ifndef GUEST_H
#define GUEST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "terminal.h"

#define PROMPT "linux# "
#define BOOT_S 200	/* until the prompt comes, in the machine's time */
#define COMMAND_S 30

/* hvctl's exit statuses, hvctl(1) */
#define STATUS_OFF 0
#define STATUS_HALTED 4
#define STATUS_PANIC 14

/* The kernel's tests of its ciphers would be half of the boot. */
#define APPEND "cryptomgr.notests"

extern struct terminal term;

/* @name in the directory of @image. */
char *beside(const char *image, const char *name, char path[PATH_MAX]);

/* hvctl run with the project's initramfs, the tests' own beside it, and options if there are some. */
void start(char *image, char *option, char *more);
void start_with(char *image, char *const options[]);

/* Wait for the shell's prompt; @text says what that shows. */
void boot(const char *text);

/* Type a command line; returns what it printed, until the next prompt. */
const char *guest(const char *command, unsigned int seconds);
bool prints(const char *command, const char *want);

/* Commands in the guest, and what each has to print. */
struct row {
	const char *command;
	const char *want;
	const char *text;
};

#define NR_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

void test_rows(const struct row *rows, size_t count);

/* What a shell here prints for @command, its first word. */
const char *host(const char *command);

/* A file of @mib MiB, in which each eight bytes are others. */
void make_disk(const char *path, unsigned int mib);

/* The kernel's log since hvctl was started is as that of a healthy kernel on a healthy CPU. */
void test_log(void);

/* How many of them /proc/interrupts tells on the first CPU. */
long interrupts(const char *device);

/* It ends with that exit status. */
void finish(int want, const char *text);

/* What there is with several CPUs, all of which are online; tests at a prompt. */
void test_smp(int cpus);

/* Start it with virtio devices; what there is with them, at a prompt. */
void start_virtio(char *image);
void test_virtio(void);

/* Start it with IDE disks and a CD; what there is with them, at a prompt. */
void start_ide(char *image);
void test_ide(void);

/* The same with a virtio console, which is what the shell is on. */
void start_console(char *image);
void test_console(void);

/* Start it with a balloon; what there is with one, at a prompt. */
void start_balloon(char *image);
void test_balloon(void);

#endif
