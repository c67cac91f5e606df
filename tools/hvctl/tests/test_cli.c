// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl as its users meet it, without VT-x: bad input gives one line, which begins with
 * the command's name, says what is wrong and how to mend it, and status 2. HVCTL names
 * the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli_test.h"
#include "hv_test.h"
#include "lib/util.h"

/* We, and the hvctl that we run, are there. */
static char dir[] = "/tmp/hv-cli-XXXXXX";

static void refused(const char *args, const char *what)
{
	refuses(args, 2, what);
	if (!strchr(said, ';'))
		fail_msg("hvctl %s: without a remedy: %s", args, said);
}

static void make_file(const char *name, const void *data, size_t len)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

/* An image as large as all that hvctl uses below 640 KiB. */
static const uint8_t low[0x9e000];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || chdir(dir))
		return -1;
	make_file("ok", "\xf4", 1);
	make_file("empty", "", 0);
	make_file("elf", "\177ELF", 4);
	make_file("two", "\xf4\xf4", 2);
	make_file("at@0x6000", "\xf4", 1);
	make_file("low", low, sizeof(low));
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "ok",  "empty",   "elf",      "two",     "at@0x6000",
					     "low", "vm.toml", "bad.toml", "fw.toml", "a.toml" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void test_images(void **state)
{
	(void)state;
	refused("run nothing", "nothing: no such file");
	refused("run ok/x", "no such file");
	refused("run empty", "empty: is empty");
	refused("run .", "directory");
	refused("run /dev/null", "/dev/null: is neither a file nor a pipe");
	refused("run -", "-: is neither a file nor a pipe");
	refused("run - <&-", "-: is neither a file nor a pipe");
	refused("run - <empty", "-: is empty");
	refused("run elf", "truncated");
	refused("run --boot elf ok", "ok: is no ELF file");
	refused("run --boot multiboot ok", "leave out --boot");
	refused("run --boot linux ok", "leave out --boot");
	refused("run --boot lilo ok", "--boot: lilo: no such boot protocol");
	refused("run /bin/sh", "program for Linux");
	refused("run", "no image");
	refused("run ''", ": no such file");
	/* A name is not obeyed by the terminal. */
	refused("run \"$(printf '\\033[2Jx\\nx')\"", "?[2Jx?x: no such file");
	refused("run ok two", "two: one image too many");
	refused("run --firmware ok", "ok: is no flat firmware");
	refused("run --firmware ok two", "ok: is no flat firmware");
	refused("run two --firmware ok", "ok: is no flat firmware");
	refused("run --firmware ok --firmware two", "--firmware two: one too many");
	refused("run --firmware ok two ok", "ok: one image too many");
	refused("run --firmware ok nothing", "nothing: no such file");
	refused("run --device floppy ok", "--device floppy: no such device");
	refused("run --fw-cfg opt/x ok", "--fw-cfg opt/x: not of the form NAME=FILE");
	refused("run --fw-cfg =two ok", "--fw-cfg =two: not of the form NAME=FILE");
	refused("run --fw-cfg opt/x= ok", "--fw-cfg opt/x=: not of the form NAME=FILE");
	refused("run --fw-cfg opt/x=nothing ok", "nothing: no such file");
	refused("run --initrd nothing ok", "nothing: no such file");
	refused("run --initrd ok two", "ok: the boot protocol 'flat' takes no initrd");
	refused("run --bios two ok", "--bios: has no meaning");
	refused("run --boot nimbos --bios two@0x6000 ok",
		"two: 0x2 bytes at 0x6000 are not within");
	refused("run --boot nimbos --bios two@here ok", "two@here: no such file");
	refused("run --boot nimbos --mem 8M --bios at@0x6000 ok", "--mem: --boot nimbos needs");
	refused("run --system-map nothing ok", "nothing: no such file");
	refused("run --system-map two ok", "two: is no System.map");
	refused("run --system-map elf ok", "elf: is no System.map");
}

static void test_numbers(void **state)
{
	(void)state;
	refused("run --mem 0 ok", "--mem");
	refused("run --mem -1 ok", "--mem -1");
	refused("run --mem 999999999 ok", "no address space");
	refused("run --mem 99999999999999999999 ok", "--mem 99999999999999999999: not a size");
	refused("run --mem '' ok", "--mem : not a size");
	refused("run --mem '1 G' ok", "--mem 1 G: not a size");
	refused("run --mem 12X ok", "--mem 12X");
	refused("run --mem 1025K ok", "4 KiB");
	refused("run --cpus 0 ok", "--cpus 0: not a number of CPUs; give 1 to 64");
	refused("run --cpus 65 ok", "--cpus 65: not a number of CPUs");
	refused("run --cpus two ok", "--cpus two: not a number of CPUs");
	refused("run --record=100 ok", "--record 100: no power of two from 64 to 4096; give 1024");
	refused("run --record= ok", "--record : no power of two");
	refused("run --record=64k ok", "--record 64k: no power of two");
	refused("run --cpus 2 ok", "--cpus: a bare machine has one CPU; add --machine pc");
	refused("run --load here ok", "--load here");
	refused("run --entry '' ok", "--entry");
	refused("run --mode long32 ok", "--mode long32");
}

static void test_serial(void **state)
{
	(void)state;
	refused("run --serial COM9:pty ok", "--serial COM9:pty: no such port");
	refused("run --serial COM1: ok", "--serial COM1:: no such thing");
	refused("run --display vga ok", "--display vga: no such display");
	refused("run --display text ok",
		"--display text: standard input and output are no terminal");
	refused("run --serial COM1:file:x --serial COM2:file:x ok", "COM1 writes into that file");
}

static void test_places(void **state)
{
	(void)state;
	refused("run --mem 2M --load 2M ok",
		"do not fit into guest RAM (0-0x1fffff); use --mem 3M");
	refused("run --mem 2M --load 0x1fffff two", "use --mem 3M or more");
	refused("run --mem 2M --load 3G ok", "below 3 GiB");
	refused("run --load 0xfffffffffffffffe two", "below 3 GiB");
	refused("run --load 0xffffffffffffffff two", "not a size or address");
	refused("run --entry 0x100001 ok", "outside the image");
	refused("run --load 0x1000 low", "leaves no room for a GDT");
	refused("run --mode protected --load 0x2000 low", "leaves no room for a stack");
	refused("run --mode real --load 0x1000 --cmdline x low",
		"leaves no room for the command line");
	refused("run --load 0x100000 elf", "");
}

static void put(const char *name, const char *text)
{
	make_file(name, text, strlen(text));
}

static void test_config(void **state)
{
	(void)state;
	put("vm.toml", "image = \"ok\"\nmemory = \"8M\"\ninitrd = [\"two\"]\ncpu = \"-avx\"\n"
		       "boot = \"flat\"\nserial.COM1 = \"file:log\"\n");
	put("bad.toml", "image = \"ok\"\n\nmemorie = 1\n");
	put("fw.toml", "image = \"fw\"\nboot = \"firmware\"\nkernel = \"k\"\n");
	refused("run --config nothing", "nothing: no such file");
	refused("run --config .", "directory");
	refused("run --config", "--config: wants a value");
	refused("run --config vm.toml --config vm.toml", "--config: is given more than once");
	refused("run --config bad.toml", "bad.toml:3: \"memorie\" is no key of a machine; is it");
	refused("run ok --config two", "two:1: is no TOML");
	refused("run --config - <empty", "-: is empty");
	refused("run --config vm.toml ok ok", "one image too many");
	refused("run --dry-run --config vm.toml", "two: the boot protocol 'flat' takes no initrd");
	refused("run --dry-run", "no image given");
	refused("run --dry-run ok --machine bare --fw-cfg opt/x=ok",
		"a bare machine has no fw_cfg");
	refused("run --dry-run ok --machine bare --device testdev", "is a PC's");
	/* Whether there is a file to be written is seen when it runs. */
	says("run --dry-run ok --serial COM1:file:not/here", 0, "would run ok: flat binary");
	assert_int_equal(run("run --dry-run ok >/dev/full"), 12);
	says("run --dry-run -m 1028K --machine pc ok", 0, "pc, 1 vCPU, 1028 KiB of RAM");
}

/* Wherever they stand, options override the file's. */
static void test_overrides(void **state)
{
	(void)state;
	says("run --config vm.toml --print-config", 0, "memory = \"8M\"");
	says("run --mem 16 --config vm.toml --print-config", 0, "memory = \"16M\"");
	says("run --config vm.toml --mem 16 --print-config", 0, "memory = \"16M\"");
	says("run --config vm.toml --cpu -avx2 --cpu +smep --print-config", 0,
	     "cpu = \"-avx2,+smep\"");
	says("run --config vm.toml --initrd ok --print-config", 0, "/ok\"]\n");
	says("run --config vm.toml --serial COM2:pty --print-config", 0,
	     "/log\"\nCOM2 = \"pty\"\n");
	says("run two --config vm.toml --print-config", 0, "/two\"\nboot");
	says("run --config fw.toml --print-config", 0, "/fw\"\nkernel = \"");
	says("run --config fw.toml --print-config other", 0, "/other\"\nboot = \"firmware\"\n");
	says("run --config fw.toml --print-config --firmware f", 0, "/f\"\nkernel = \"");
	says("run --config fw.toml --print-config --boot linux l", 0, "/l\"\nboot = \"linux\"\n");
	says("run --config vm.toml --print-config --firmware f", 0, "/ok\"\nboot = \"firmware\"\n");
	says("run --print-config --firmware f two", 0, "/f\"\nkernel = \"");
}

/* The same machine, with absolute paths, and words about it that are a comment there. */
static void test_print_config(void **state)
{
	char first[4096];

	(void)state;
	says("run --dry-run --print-config --cmdline 'a \"b\"' ok", 0,
	     "# would run ok: flat binary, boot protocol flat, bare, 1 vCPU, 128 MiB of RAM\n"
	     "image = \"/");
	snprintf(first, sizeof(first), "%s", strchr(said, '\n') + 1);
	assert_non_null(strstr(first, "cmdline = \"a \\\"b\\\"\"\n"));
	put("a.toml", said);
	assert_int_equal(run("run --config a.toml --print-config"), 0);
	assert_string_equal(said, first);
	refused("run --print-config \"$(printf '\\377')\"", "--print-config: a path or a text");
}

static void test_no_device(void **state)
{
	(void)state;
	if (!access("/dev/tinyvmx", F_OK))
		skip();
	refused("run ok", "/dev/tinyvmx: is not there");
	refused("run --mode real ok", "doctor");
	/* Images that are taken get as far as that. */
	refused("run - <ok", "/dev/tinyvmx: is not there");
	refused("run /dev/fd/3 3<ok", "/dev/tinyvmx: is not there");
	refused("run --boot flat /proc/version", "/dev/tinyvmx: is not there");
}

static void test_bench(void **state)
{
	(void)state;
	refused("bench --case nothing", "nothing: no such case");
	refused("bench --backend xen", "xen: is no back end");
	refused("bench ok", "no argument expected");
	refused("bench --backend none --with nothing", "nothing");
	refused("bench --backend none --with ok", "ok: ");
	refused("bench --backend none --with empty", "empty: ");
	assert_int_equal(run("bench --list"), 0);
	assert_non_null(strstr(said, "wbinvd"));
	assert_int_equal(run("bench --backend none --json --case cpuid"), 0);
	assert_non_null(strstr(said, "\"cases\""));
}

static void test_commands(void **state)
{
	(void)state;
	assert_int_equal(run(""), 2);
	assert_non_null(strstr(said, "usage"));
	refuses_by("hvctl: ", "jump", 2, "jump: no such command; ");
	refuses_by("hvctl: ", "help jump", 2, "jump: no such command; ");
	refuses_by("hvctl: ", "--jump", 2, "--jump: no such command; ");
	assert_int_equal(run("help"), 0);
	assert_int_equal(run("help help"), 0);
	assert_int_equal(run("help run"), 0);
	assert_non_null(strstr(said, "--cmdline"));
	assert_int_equal(run("--help"), 0);
	assert_int_equal(run("--version"), 0);
}

static unsigned int count_lines(const char *text)
{
	unsigned int count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

static void helps(const char *args, const char *with)
{
	if (run(args))
		fail_msg("hvctl %s: not status 0: %s", args, said);
	if (strncmp(said, "Usage: hvctl ", 13) || !strstr(said, with))
		fail_msg("hvctl %s: does not say \"%s\": %s", args, with, said);
}

static void test_options(void **state)
{
	(void)state;
	refused("run --nonsense ok", "--nonsense: no such option");
	refused("run ok --nonsense=3", "--nonsense=3: no such option");
	refused("run -x ok", "-x: no such option");
	refused("run -vx ok", "-x: no such option");
	refused("run --ini x ok two", "one image too many");
	refused("run --m x ok", "--m: no such option, or short for several");
	refused("run ok --mem", "--mem: wants a value");
	refused("run ok -m", "--mem: wants a value");
	refused("run --json=3 ok", "--json: takes no value");
	refused("info -jx", "-x: no such option");
	refused("info --json=3", "--json: takes no value");
	refused("info x", "x: no argument expected");
	refused("bench --case", "--case: wants a value");
	refused("doctor --json", "--json: no such option");
	refused("doctor x", "x: no argument expected");
	refused("doctor --selftests .", "--selftests: is for a report");
	refused("doctor --report /nowhere/x", "--report /nowhere/x: No such file");
	assert_int_equal(run("doctor --report /dev/full"), 12);
	assert_non_null(strstr(said, "is there room?"));
	refused("explain --stats x", "--stats: no such option");
	refused("explain", "no file given");
	refused("explain ok two", "two: one file only");
	refused("completion", "no shell given");
	refused("completion fish", "fish: no such shell");
	refused("completion bash zsh", "zsh: one shell only");
	/* What looks like an option may be the value of one, or an image. */
	refused("run --cmdline --nonsense nothing", "nothing: no such file");
	refused("run -- --nonsense", "--nonsense: no such file");
	helps("run -h", "--cmdline=STR");
	assert_true(count_lines(said) <= 40);
	assert_int_equal(run("run --help-devices"), 0);
	assert_non_null(strstr(said, "--disk=FILE"));
	helps("run -vh", "--cmdline=STR");
	helps("run --help nothing", "--cmdline=STR");
	helps("run --usage", "[--cmdline=STR]");
	helps("info -h", "--json");
	helps("doctor -h", "vmx-root");
	helps("explain -h", "FILE");
	helps("bench -h", "loop\naround them. Each number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images),       cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_places),       cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_bench),        cmocka_unit_test(test_commands),
		cmocka_unit_test(test_options),      cmocka_unit_test(test_serial),
		cmocka_unit_test(test_config),       cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_print_config),
	};

	if (!find_hvctl())
		return 0;
	return cmocka_run_group_tests_name("cli", tests, setup, teardown);
}
