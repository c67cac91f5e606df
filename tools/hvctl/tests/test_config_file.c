// SPDX-License-Identifier: GPL-2.0-only
/* Configurations in files: each key, what is refused and in which line, what is written there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/name.h"
#include "hv_test.h"
#include "lib/util.h"
#include "vmm/config_file.h"
#include "vmm/config_keys.h"

static char dir[] = "/tmp/hv-config-XXXXXX";
static char path[64];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/vm.toml", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

/* Close the file to let go of the configuration. */
static int read_file(struct hv_config_file *file, struct hv_config *config, const char *text,
		     struct hv_error *err)
{
	int error;

	put_file(text);
	*config = (struct hv_config)HV_CONFIG_DEFAULT;
	error = hv_config_file_open(file, path, err);
	return error ? error : hv_config_file_read(file, config, err);
}

static void test_each_key(void **state)
{
	static const char text[] = "version = 1\n"
				   "name = \"web\"\n"
				   "console = \"file:c\"\n"
				   "image = \"vmlinuz\"\n"
				   "kernel = '/boot/k'\n"
				   "boot = \"linux\"\n"
				   "cmdline = \"quiet\"\n"
				   "append = \"x\"\n"
				   "initrd = ['a', '-']\n"
				   "bios = \"b/stub\"\n"
				   "bios_gpa = 0x9000\n"
				   "system_map = \"m\"\n"
				   "load = 0x100000\n"
				   "entry = 1048592\n"
				   "mode = \"long\"\n"
				   "memory = \"2G\"\n"
				   "machine = \"pc\"\n"
				   "cpu = \"-avx\"\n"
				   "cpus = 4\n"
				   "display = \"text\"\n"
				   "testdev = true\n"
				   "no_reboot = true\n"
				   "shared_memory = true\n"
				   "record = 4096\n"
				   "[[fw_cfg]]\n"
				   "name = \"opt/a\"\n"
				   "file = \"a\"\n"
				   "[serial]\n"
				   "COM1 = \"file:log\"\n"
				   "COM2 = \"stdio\"\n";
	struct hv_config_file file;
	struct hv_config config;
	struct hv_error err = { .text = "" };
	char in_dir[80];

	(void)state;
	if (read_file(&file, &config, text, &err))
		fail_msg("line %u: %s", err.line, err.text);
	assert_string_equal(config.name, "web");
	snprintf(in_dir, sizeof(in_dir), "%s/c", dir);
	assert_string_equal(config.console.path, in_dir);
	snprintf(in_dir, sizeof(in_dir), "%s/vmlinuz", dir);
	assert_string_equal(config.load.path, in_dir);
	assert_string_equal(config.load.kernel, "/boot/k");
	assert_string_equal(config.load.boot, "linux");
	assert_string_equal(config.load.cmdline, "quiet");
	assert_string_equal(config.load.append, "x");
	snprintf(in_dir, sizeof(in_dir), "%s/a", dir);
	assert_string_equal(config.load.initrd[0], in_dir);
	assert_string_equal(config.load.initrd[1], "-");
	assert_int_equal(config.load.initrds, 2);
	assert_string_equal(config.load.fw_file[0].name, "opt/a");
	assert_string_equal(config.load.fw_file[0].path, in_dir);
	snprintf(in_dir, sizeof(in_dir), "%s/b/stub", dir);
	assert_string_equal(config.load.bios, in_dir);
	assert_int_equal(config.load.bios_gpa, 0x9000);
	snprintf(in_dir, sizeof(in_dir), "%s/m", dir);
	assert_string_equal(config.load.system_map, in_dir);
	assert_int_equal(config.load.options.load, 0x100000);
	assert_int_equal(config.load.options.entry, 0x100010);
	assert_int_equal(config.load.options.mode, HV_MODE_LONG);
	assert_int_equal(config.memory, 2 * HV_GIB);
	assert_int_equal(config.machine, HV_MACHINE_PC);
	assert_string_equal(config.cpu, "-avx");
	assert_int_equal(config.cpus, 4);
	assert_int_equal(config.display, HV_DISPLAY_TEXT);
	assert_true(config.testdev && config.no_reboot && config.shared_memory);
	assert_int_equal(config.records, 4096);
	snprintf(in_dir, sizeof(in_dir), "%s/log", dir);
	assert_int_equal(config.serial[0].kind, HV_SERIAL_FILE);
	assert_string_equal(config.serial[0].path, in_dir);
	assert_int_equal(config.serial[1].kind, HV_SERIAL_STDIO);
	assert_int_equal(config.serial[2].kind, HV_SERIAL_NONE);
	hv_config_file_close(&file);
}

static void test_other_forms(void **state)
{
	struct hv_config_file file;
	struct hv_config config;
	struct hv_error err = { .text = "" };

	(void)state;
	assert_int_equal(read_file(&file, &config,
				   "memory = 0x200000\ninitrd = \"/x\"\nfw_cfg = []\n"
				   "serial = { COM1 = \"none\" }\ncpu = \"\"\n",
				   &err),
			 0);
	assert_int_equal(config.memory, 2 * HV_MIB);
	assert_string_equal(config.load.initrd[0], "/x");
	assert_int_equal(config.serial[0].kind, HV_SERIAL_NONE);
	hv_config_file_close(&file);
	/* Standard output moves. */
	assert_int_equal(read_file(&file, &config, "serial.COM2 = \"stdio\"\n", &err), 0);
	assert_int_equal(config.serial[0].kind, HV_SERIAL_NULL);
	hv_config_file_close(&file);
}

static void test_where_paths_begin(void **state)
{
	struct hv_config_file file;
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };
	char *old = get_current_dir_name();

	(void)state;
	put_file("image = \"i\"\n");
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(hv_config_file_open(&file, "vm.toml", &err), 0);
	assert_int_equal(hv_config_file_read(&file, &config, &err), 0);
	assert_string_equal(config.load.path, "i");
	hv_config_file_close(&file);
	assert_int_equal(chdir(old), 0);
	free(old);
}

/* A comma in the name of the file's folder is not the end of what an option is told. */
static void test_comma_in_folder(void **state)
{
	static const char text[] = "image = \"i\"\nshare = \"src:tag,ro\"\n";
	char folder[80], file_path[100], expected[120];
	struct hv_config_file file;
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };
	FILE *out;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/a,b", dir);
	snprintf(file_path, sizeof(file_path), "%s/vm.toml", folder);
	snprintf(expected, sizeof(expected), "%s/a,,b/src:tag,ro", dir);
	assert_int_equal(mkdir(folder, 0700), 0);
	out = fopen(file_path, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(hv_config_file_open(&file, file_path, &err), 0);
	if (hv_config_file_read(&file, &config, &err))
		fail_msg("%s", err.text);
	assert_int_equal(config.devices, 1);
	assert_string_equal(config.device[0].text, expected);
	hv_config_file_close(&file);
	unlink(file_path);
	rmdir(folder);
}

static void test_no_file(void **state)
{
	struct hv_config_file file;
	struct hv_error err = { .text = "" };

	(void)state;
	unlink(path);
	assert_int_equal(hv_config_file_open(&file, path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no such file"));
	put_file("");
	assert_int_equal(hv_config_file_open(&file, path, &err), -EINVAL);
	put_file("x");
	assert_int_equal(truncate(path, HV_MIB + 1), 0);
	assert_int_equal(hv_config_file_open(&file, path, &err), -EFBIG);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *with;
	} cases[] = {
		{ "\nmemory =\n", 2, "is no TOML" },
		{ "\n\nmemorie = 1\n", 3, "\"memorie\" is no key of a machine; is it \"memory\"?" },
		{ "mem = \"1G\"\n", 1, "is it \"memory\"?" },
		{ "no-reboot = true\n", 1, "is it \"no_reboot\"?" },
		{ "\nrecord = 100\n", 2, "\"record\" is not 0, or a power of two from 64 to 4096" },
		{ "record = -64\n", 1, "\"record\" is not 0, or a power" },
		{ "record = true\n", 1, "\"record\" is not 0, or a power" },
		{ "xyzzy = 1\n", 1, "\"xyzzy\" is no key of a machine; leave it out" },
		{ "\"\\u001b[2J\" = 1\n", 1, "is no key" },
		{ "xyzzy = 1\nmemory = true\n", 1, "xyzzy" },
		{ "\nversion = 2\n", 2, "\"version\" is not 1" },
		{ "\nname = 1\n", 2, "\"name\" is not a string" },
		{ "\nname = \"-x\"\n", 2, "not a name" },
		{ "\nconsole = 1\n", 2, "\"console\" is not a string" },
		{ "\nconsole = \"modem\"\n", 2, "no such thing to connect it to" },
		{ "console = \"file:x\"\n[serial]\nCOM1 = \"file:x\"\n", 3, "the console writes" },
		{ "\nimage = 1\n", 2, "\"image\" is not a string" },
		{ "\nimage = ['a']\n", 2, "\"image\" is not a string" },
		{ "\nappend = 1.5\n", 2, "\"append\" is not a string" },
		{ "boot = \"lilo\"\n", 1, "\"boot\" is no boot protocol; use one of linux" },
		{ "boot = 1\n", 1, "no boot protocol" },
		{ "load = \"16M\"\n", 1, "\"load\" is not an address" },
		{ "entry = -1\n", 1, "\"entry\" is not an address" },
		{ "memory = true\n", 1, "\"memory\" is not a size" },
		{ "memory = \"512\"\n", 1, "\"memory\" is not a size" },
		{ "memory = \"-1G\"\n", 1, "\"memory\" is not a size" },
		{ "memory = 512\n", 1, "\"memory\" is not 1 MiB or more" },
		{ "memory = 1048577\n", 1, "a multiple of 4 KiB" },
		{ "memory = -4096\n", 1, "\"memory\" is not 1 MiB or more" },
		{ "\n\n\n\nmachine = \"mac\"\n", 5, "\"machine\" is not one of default, pc, bare" },
		{ "display = 1\n", 1, "\"display\" is not one of none, text" },
		{ "mode = \"long64\"\n", 1, "\"mode\" is not one of default, real" },
		{ "testdev = \"yes\"\n", 1, "\"testdev\" is not true or false" },
		{ "cpus = 0\n", 1, "\"cpus\" is not a number of CPUs" },
		{ "\ncpus = 65\n", 2, "\"cpus\" is not a number of CPUs" },
		{ "cpus = \"2\"\n", 1, "\"cpus\" is not a number of CPUs" },
		{ "cpu = [1]\n", 1, "\"cpu\" is not a string" },
		{ "\ncpu = \"+nosuchthing\"\n", 2, "nosuchthing" },
		{ "serial = \"pty\"\n", 1, "\"serial\" is not a table" },
		{ "[serial]\nCOM1 = 1\n", 2, "\"COM1\" is not a string" },
		{ "[serial]\n\nCOM5 = \"pty\"\n", 3, "\"COM5\" is not one of COM1 to COM4" },
		{ "[serial]\nCOM1 = \"modem\"\n", 2, "no such thing to connect it to" },
		{ "[serial]\nCOM1 = \"file:\"\n", 2, "no such thing to connect it to" },
		{ "[serial]\nCOM1 = \"stdio\"\nCOM2 = \"stdio\"\n", 3, "\"COM2\" is not the only" },
		{ "[serial]\nCOM1 = \"file:x\"\nCOM2 = \"file:x\"\n", 3, "COM1 writes into that" },
		{ "\ninitrd = 1\n", 2, "\"initrd\" is not a path" },
		{ "initrd = ['a',\n1]\n", 2, "\"initrd\" is not a path" },
		{ "initrd = ['1','2','3','4','5','6','7','8','9','a','b','c','d','e','f','g',\n"
		  "'h']\n",
		  2, "at most 16" },
		{ "fw_cfg = 'x'\n", 1, "\"fw_cfg\" is not an array" },
		{ "fw_cfg = [\n'x']\n", 2, "\"fw_cfg\" is not an array" },
		{ "[[fw_cfg]]\nname = 'x'\n", 1, "\"fw_cfg\" is not an array" },
		{ "[[fw_cfg]]\nfile = 'x'\n", 1, "\"fw_cfg\" is not an array" },
		{ "[[fw_cfg]]\nname = 'x'\nfile = 1\n", 1, "\"fw_cfg\" is not an array" },
		{ "[[fw_cfg]]\nname = 'x'\nfile = 'y'\nmode = 1\n", 1, "\"fw_cfg\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hv_error err = { .text = "" };
		struct hv_config_file file;
		struct hv_config config;

		if (!read_file(&file, &config, cases[i].text, &err))
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(err.text, cases[i].with) || !strchr(err.text, ';') ||
		    err.line != cases[i].line)
			fail_msg("%s: line %u: %s", cases[i].text, err.line, err.text);
		hv_config_file_close(&file);
	}
}

static void test_too_many_fw_files(void **state)
{
	char text[2000] = "";
	struct hv_error err = { .text = "" };
	struct hv_config_file file;
	struct hv_config config;

	(void)state;
	for (unsigned int i = 0; i <= HV_PAYLOAD_MAX_FW_FILES; i++)
		strcat(text, "[[fw_cfg]]\nname = 'x'\nfile = 'y'\n");
	assert_int_equal(read_file(&file, &config, text, &err), -EINVAL);
	assert_int_equal(err.line, 3 * HV_PAYLOAD_MAX_FW_FILES + 1);
	hv_config_file_close(&file);
}

/* ---------------------------------------------------------------- property */

static unsigned int seed;

static unsigned int pick(unsigned int below)
{
	return rand_r(&seed) % below;
}

/* Any character now and then, NUL excepted. */
static const char *make_text(const char *before)
{
	static const char *const pieces[] = { "\x01", "\x7f",     "\"", "\\",
					      "\n",   "\xc3\xa9", "/",  "'",
					      "=",    "#",        "[",  "\xf0\x9f\x90\xa7",
					      " ",    "\\u0041",  "\r" };
	static char pool[64][64];
	static unsigned int next;
	char *text = pool[next++ % ARRAY_SIZE(pool)];

	strcpy(text, before);
	for (unsigned int left = pick(8); left--;)
		strcat(text, pick(2) ? pieces[pick(ARRAY_SIZE(pieces))] : "a");
	return text;
}

static const char *maybe(const char *before)
{
	return pick(2) ? make_text(before) : NULL;
}

static uint64_t make_address(void)
{
	return pick(3) ? (uint64_t)rand_r(&seed) << pick(32) : HV_UNSET;
}

static void make_serial(struct hv_config *config)
{
	static const char *const files[] = { "/f1", "/f2", "/f3", "/f4" };
	bool has_stdio = false;

	for (unsigned int i = 0; i < HV_PC_COM_PORTS; i++) {
		struct hv_serial_choice *port = &config->serial[i];

		port->kind = pick(HV_SERIAL_UNIX);
		if (port->kind == HV_SERIAL_STDIO && has_stdio)
			port->kind = HV_SERIAL_PTY;
		has_stdio |= port->kind == HV_SERIAL_STDIO;
		port->path = port->kind == HV_SERIAL_FILE ? make_text(files[i]) : NULL;
	}
}

static struct hv_config make_config(void)
{
	static const char *const protocols[] = { "linux", "bios", "firmware", "flat", NULL };
	struct hv_config config = {
		.name = pick(2) ? "web-1.a" : NULL,
		.console = { pick(HV_NR_SERIAL_KINDS), "/console" },
		.memory = HV_MIB + (uint64_t)pick(1 << 20) * 4096,
		.cpus = 1 + pick(HV_CONFIG_CPUS_MAX),
		.machine = pick(HV_NR_MACHINE_KINDS),
		.display = pick(HV_NR_DISPLAY_KINDS),
		.testdev = pick(2),
		.vmgenid = pick(2),
		.no_reboot = pick(2),
		.shared_memory = pick(2),
		.records = pick(2) ? 64 << pick(7) : 0,
		.sandbox = pick(2),
		.load = {
			.path = maybe("/i"),
			.kernel = maybe("/k"),
			.boot = protocols[pick(ARRAY_SIZE(protocols))],
			.cmdline = maybe(""),
			.append = maybe("a"),
			.bios = maybe("/b"),
			.bios_gpa = make_address(),
			.system_map = maybe("/s"),
			.options = { make_address(), make_address(), pick(4) },
		},
	};

	strcpy(config.cpu, pick(2) ? "-avx,+smep" : "");
	make_serial(&config);
	for (unsigned int left = pick(HV_PAYLOAD_MAX_MODULES + 1); left--;)
		hv_payload_config_add_initrd(&config.load, pick(8) ? make_text("/r") : "-");
	for (unsigned int left = pick(HV_PAYLOAD_MAX_FW_FILES + 1); left--;)
		hv_payload_config_add_fw_file(&config.load, make_text("opt/"), make_text("/f"));
	return config;
}

static void same_again(const struct hv_config *config)
{
	struct hv_config again = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };
	char *text = hv_config_to_toml(config, &err), *one, *other;
	struct hv_value *root;

	if (!text)
		fail_msg("seed %u: %s", seed, err.text);
	root = hv_value_from_toml(text, strlen(text), &err);
	if (!root || hv_config_read(&again, root, "/elsewhere", &err))
		fail_msg("seed %u: %s: line %u: %s", seed, text, err.line, err.text);
	one = hv_config_to_json(config);
	other = hv_config_to_json(&again);
	assert_string_equal(one, other);
	free(one);
	free(other);
	free(text);
	hv_value_free(root);
}

static void test_written_and_read_again(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 500; i++) {
		struct hv_config config;

		seed = i;
		config = make_config();
		same_again(&config);
	}
}

static void test_written(void **state)
{
	struct hv_config config = HV_CONFIG_DEFAULT;
	struct hv_error err = { .text = "" };
	char *text, *old = get_current_dir_name();

	(void)state;
	config.load.path = "vmlinuz";
	config.load.initrd[config.load.initrds++] = "-";
	config.load.options.load = 0x100000;
	config.serial[1] = (struct hv_serial_choice){ HV_SERIAL_FILE, "log" };
	assert_int_equal(chdir("/usr"), 0);
	text = hv_config_to_toml(&config, &err);
	assert_string_equal(text, "image = \"/usr/vmlinuz\"\n"
				  "initrd = [\"-\"]\n"
				  "load = 0x100000\n"
				  "mode = \"default\"\n"
				  "memory = \"128M\"\n"
				  "machine = \"default\"\n"
				  "cpus = 1\n"
				  "display = \"none\"\n"
				  "testdev = false\n"
				  "pvpanic = false\n"
				  "vmgenid = false\n"
				  "no_reboot = false\n"
				  "shared_memory = false\n"
				  "record = 0\n"
				  "sandbox = true\n"
				  "\n"
				  "[serial]\n"
				  "COM1 = \"stdio\"\n"
				  "COM2 = \"file:/usr/log\"\n");
	free(text);
	config.load.append = "\xff";
	assert_null(hv_config_to_toml(&config, &err));
	assert_non_null(strstr(err.text, "no UTF-8"));
	assert_int_equal(chdir(old), 0);
	free(old);
}

/* ------------------------------------------------------------ several machines */

static void test_several(void **state)
{
	struct hv_config_file file;
	struct hv_config *configs;
	struct hv_error err;
	char image[80];

	(void)state;
	put_file("[vm.web]\nimage = \"a\"\ncpus = 2\nmachine = \"pc\"\n"
		 "[vm.db-1]\nimage = \"/b\"\nname = \"db-1\"\nmemory = \"64M\"\n");
	assert_int_equal(hv_config_file_open(&file, path, &err), 0);
	assert_int_equal(hv_config_file_read_vms(&file, &configs, &err), 2);
	assert_string_equal(configs[0].name, "web");
	snprintf(image, sizeof(image), "%s/a", dir);
	assert_string_equal(configs[0].load.path, image);
	assert_int_equal(configs[0].cpus, 2);
	assert_int_equal(configs[0].memory, HV_CONFIG_MEMORY);
	assert_string_equal(configs[1].name, "db-1");
	assert_string_equal(configs[1].load.path, "/b");
	assert_int_equal(configs[1].cpus, 1);
	assert_int_equal(configs[1].memory, 64 * HV_MIB);
	free(configs);
	hv_config_file_close(&file);
}

static void test_several_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *says;
	} rows[] = {
		{ "# none\n", 0, "there is no VM in it; begin each with [vm.NAME]" },
		{ "vm = 3\n", 1, "there is no VM in it; begin each with [vm.NAME]" },
		{ "vm = {}\n", 1, "there is no VM in it; begin each with [vm.NAME]" },
		{ "[vm]\nweb = 1\n", 2, "\"vm.web\" is no table; begin a VM with [vm.NAME]" },
		{ "[vm.a]\nimage = \"x\"\n[other]\n", 3,
		  "\"other\" is in no VM; begin each with [vm.NAME]" },
		{ "[vm.a]\nimage = \"x\"\n[vm.\"a/b\"]\n", 3,
		  "[vm.a/b] is no name of a VM; use " HV_NAME_RULES },
		{ "[vm.a]\nimage = \"x\"\nname = \"b\"\n", 1,
		  "[vm.a] says \"name\" once more, and another; leave it out" },
		{ "[vm.a]\nimage = \"x\"\n[vm.b]\nmemorie = \"1G\"\n", 4,
		  "\"memorie\" is no key of a machine; is it \"memory\"?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hv_config_file file;
		struct hv_config *configs = NULL;
		struct hv_error err = { 0 };

		put_file(rows[i].text);
		assert_int_equal(hv_config_file_open(&file, path, &err), 0);
		assert_int_equal(hv_config_file_read_vms(&file, &configs, &err), -EINVAL);
		assert_null(configs);
		assert_string_equal(err.text, rows[i].says);
		assert_int_equal(err.line, rows[i].line);
		hv_config_file_close(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_key),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_where_paths_begin),
		cmocka_unit_test(test_comma_in_folder),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_many_fw_files),
		cmocka_unit_test(test_written_and_read_again),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_several_refused),
	};

	return cmocka_run_group_tests_name("config_file", tests, setup, teardown);
}
