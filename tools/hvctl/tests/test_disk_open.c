// SPDX-License-Identifier: GPL-2.0-only
/* Images are opened: what users say, sizes, formats that are not raw, locks, and each failure. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>

#include "disk_test.h"
#include "lib/util.h"

static struct hv_disk disk;
static struct hv_error err;

static int teardown(void **state)
{
	hv_disk_close(&disk);
	chmod(test_image, 0600);
	return test_image_end(state);
}

static void opens(const struct hv_disk_config *config)
{
	if (hv_disk_open(&disk, config, &err))
		fail_msg("%s", err.text);
}

/* The message is what is behind the path. */
static void refused(const struct hv_disk_config *config, int error, const char *why)
{
	struct hv_disk second;

	err.text[0] = '\0';
	assert_int_equal(hv_disk_open(&second, config, &err), -error);
	assert_memory_equal(err.text, config->path, strlen(config->path));
	assert_string_equal(err.text + strlen(config->path), why);
	assert_int_equal(second.fd, -1);
	assert_int_equal(second.cached_fd, -1);
}

#define IMAGE { .path = test_image }
#define READ_ONLY { .path = test_image, .read_only = true }

/* ----------------------------------------------------------------- options */

static void test_options(void **state)
{
	struct hv_disk_options options;

	(void)state;
	assert_int_equal(hv_disk_options_parse(&options, "a,,b.img", &err), 0);
	assert_string_equal(options.config.path, "a,b.img");
	assert_false(options.config.read_only);
	assert_int_equal(options.config.cache, HV_DISK_WRITEBACK);
	assert_null(options.config.serial);
	assert_false(options.config.raw);
	assert_int_equal(options.interface, HV_DISK_VIRTIO);
	hv_disk_options_end(&options);

	assert_int_equal(hv_disk_options_parse(
				 &options,
				 "a,ro,cache=none,serial=12345678901234567890,if=ide,format=raw",
				 &err),
			 0);
	assert_true(options.config.read_only);
	assert_int_equal(options.config.cache, HV_DISK_NONE);
	assert_string_equal(options.config.serial, "12345678901234567890");
	assert_true(options.config.raw);
	assert_int_equal(options.interface, HV_DISK_IDE);
	hv_disk_options_end(&options);
	hv_disk_options_end(&options);
}

static void test_wrong_options(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{ "", "FILE is missing; it comes before the first comma" },
		{ "a,cache=x", "cache=x: there is cache=writeback|writethrough|none" },
		{ "a,if=scsi", "if=scsi: there is if=virtio|ide" },
		{ "a,format=qcow2", "format=qcow2: there is format=raw" },
		{ "a,serial=123456789012345678901",
		  "serial=123456789012345678901 has 21 characters; 20 is the most" },
		{ "a,serial=a b", "serial: only printable ASCII without blanks is a serial" },
		{ "a,serial=\x7f", "serial: only printable ASCII without blanks is a serial" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct hv_disk_options options;

		assert_int_equal(hv_disk_options_parse(&options, wrong[i].text, &err), -EINVAL);
		assert_string_equal(err.text, wrong[i].why);
		hv_disk_options_end(&options);
	}
}

/* ------------------------------------------------------------------- facts */

static void test_size(void **state)
{
	const struct hv_disk_config config = IMAGE;

	(void)state;
	test_image_make(1 << 20);
	opens(&config);
	assert_int_equal(disk.size, 1 << 20);
	assert_int_equal(disk.odd, 0);
	assert_false(disk.is_block_device);
	assert_int_equal(disk.alignment, 1);
	assert_true(disk.block >= HV_DISK_SECTOR && disk.block <= 4096);
	assert_false(hv_disk_look_at_size(&disk));

	assert_int_equal(truncate(test_image, 3 << 20), 0);
	assert_true(hv_disk_look_at_size(&disk));
	assert_int_equal(disk.size, 3 << 20);
	assert_int_equal(truncate(test_image, 512), 0);
	assert_true(hv_disk_look_at_size(&disk));
	assert_int_equal(disk.size, 512);
	/* No whole sector more. */
	assert_int_equal(truncate(test_image, 1023), 0);
	assert_false(hv_disk_look_at_size(&disk));
	assert_int_equal(disk.odd, 511);
}

static void test_odd_size(void **state)
{
	const struct hv_disk_config config = IMAGE;

	(void)state;
	test_image_make(10 * 512 + 100);
	opens(&config);
	assert_int_equal(disk.size, 10 * 512);
	assert_int_equal(disk.odd, 100);
}

static void test_too_small(void **state)
{
	const struct hv_disk_config config = IMAGE;

	(void)state;
	test_image_make(0);
	refused(&config, EINVAL,
		" has 0 bytes, less than a sector; truncate -s 8G FILE makes it larger");
	test_image_make(511);
	refused(&config, EINVAL,
		" has 511 bytes, less than a sector; truncate -s 8G FILE makes it larger");
}

static void test_serials(void **state)
{
	struct hv_disk_config config = IMAGE;
	char first[sizeof(disk.serial)], other[100];

	(void)state;
	test_image_make(512);
	opens(&config);
	strcpy(first, disk.serial);
	assert_int_equal(strlen(first), 19);
	hv_disk_close(&disk);
	/* Another way there is the same disk. */
	snprintf(other, sizeof(other), "%s/../%s/a.img", test_dir, strrchr(test_dir, '/') + 1);
	config.path = other;
	opens(&config);
	assert_string_equal(disk.serial, first);
	hv_disk_close(&disk);

	snprintf(other, sizeof(other), "%s/b.img", test_dir);
	assert_int_equal(rename(test_image, other), 0);
	opens(&config);
	assert_string_not_equal(disk.serial, first);
	hv_disk_close(&disk);
	config.serial = "mine";
	opens(&config);
	assert_string_equal(disk.serial, "mine");
	assert_int_equal(rename(other, test_image), 0);
}

static void test_direct(void **state)
{
	struct hv_disk_config config = { .path = test_image, .cache = HV_DISK_NONE };

	(void)state;
	test_image_make(1 << 20);
	opens(&config);
	assert_true(fcntl(disk.fd, F_GETFL) & O_DIRECT);
	assert_false(fcntl(disk.cached_fd, F_GETFL) & O_DIRECT);
	assert_true(disk.alignment >= 1 && disk.alignment <= 65536);
	assert_false(disk.alignment & (disk.alignment - 1));
}

/* As root, with a loop device; elsewhere what a file can show is shown above. */
static void test_block_device(void **state)
{
	char command[200], device[64] = "";
	FILE *loop;
	struct hv_disk_config config = { .path = device };

	(void)state;
	test_image_make(1 << 20);
	snprintf(command, sizeof(command), "losetup -f --show %s 2>/dev/null", test_image);
	loop = popen(command, "re");
	if (!loop || !fgets(device, sizeof(device), loop)) {
		if (loop)
			pclose(loop);
		skip();
	}
	pclose(loop);
	device[strcspn(device, "\n")] = '\0';
	for (config.cache = 0; config.cache < HV_NR_DISK_CACHES; config.cache++) {
		opens(&config);
		assert_true(disk.is_block_device);
		assert_int_equal(disk.size, 1 << 20);
		assert_in_range(disk.block, 512, 4096);
		assert_false(hv_disk_look_at_size(&disk));
		refused(&config, EBUSY, ": the host uses it; umount it, or say ro");
		hv_disk_close(&disk);
	}
	snprintf(command, sizeof(command), "losetup -d %s", device);
	assert_int_equal(system(command), 0);
}

/* ---------------------------------------------------------------- failures */

static void test_missing(void **state)
{
	const struct hv_disk_config config = IMAGE;

	(void)state;
	refused(&config, ENOENT, ": no such file; truncate -s 8G FILE makes one");
}

/* Nobody makes a CD by truncate, and it has no format=raw. */
static void test_disc(void **state)
{
	const struct hv_disk_config config = { .path = test_image,
					       .read_only = true,
					       .disc = true };

	(void)state;
	refused(&config, ENOENT, ": no such file; give an ISO image");
	test_image_make(2047);
	refused(&config, EINVAL, " has 2047 bytes, less than a block of a CD; give an ISO image");
	test_image_make(2048);
	opens(&config);
	hv_disk_close(&disk);
	test_image_make(3 * 2048 + 700);
	opens(&config);
	assert_int_equal(disk.size, 3 * 2048 + 512);
	hv_disk_close(&disk);
	test_image_write("\x1f\x8b\x08", 3, 0);
	refused(&config, EINVAL, " is compressed by gzip; unpack it first (gzip -dk)");
	test_image_write("QFI\xfb", 4, 0);
	refused(&config, EINVAL, " is a qcow2 image; convert it (qemu-img convert -O raw OLD NEW)");
}

static void test_no_file(void **state)
{
	struct hv_disk_config config = { .path = test_dir };

	(void)state;
	refused(&config, EISDIR, " is a directory; --share DIR shows one to the guest");
	config.read_only = true;
	refused(&config, EISDIR, " is a directory; --share DIR shows one to the guest");
	config.path = "/dev/zero";
	refused(&config, EINVAL, " is neither a file nor a block device");
	config.path = "/dev/zero/x";
	refused(&config, ENOTDIR, ": Not a directory");
	/* Nobody writes there: to wait for one would be for ever. */
	config.path = test_image;
	assert_int_equal(mkfifo(test_image, 0600), 0);
	refused(&config, EINVAL, " is neither a file nor a block device");
}

/* Run in a child, with the rights of nobody, for whom the modes of files count. */
static void as_nobody(void (*fn)(void))
{
	const struct passwd *nobody = getpwnam("nobody");
	int status;
	pid_t child;

	if (geteuid()) {
		fn();
		return;
	}
	assert_int_equal(chmod(test_dir, 0755), 0);
	child = fork();
	if (!child)
		_exit(!nobody || setegid(nobody->pw_gid) || seteuid(nobody->pw_uid) ? 99 :
										      (fn(), 0));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static const char *wanted;
static struct hv_disk_config wanted_config;

static void child_refused(void)
{
	struct hv_disk second;

	if (hv_disk_open(&second, &wanted_config, &err) != -EACCES ||
	    strcmp(err.text + strlen(test_image), wanted)) {
		fprintf(stderr, "%s\n", err.text);
		_exit(1);
	}
}

static void test_permissions(void **state)
{
	(void)state;
	test_image_make(512);
	wanted_config = (struct hv_disk_config)IMAGE;
	assert_int_equal(chmod(test_image, 0444), 0);
	wanted = " may not be written; say ro, or chmod u+w FILE";
	as_nobody(child_refused);
	assert_int_equal(chmod(test_image, 0), 0);
	wanted = ": no permission; chmod u+rw FILE, or for a device join group disk";
	as_nobody(child_refused);
	wanted_config.read_only = true;
	as_nobody(child_refused);
}

static void test_formats(void **state)
{
	static const struct {
		unsigned int offset, len;
		const char *magic, *what;
	} known[] = {
		{ 0, 4, "QFI\xfb", " is a qcow2 image; convert" },
		{ 0, 4, "QED", " is a QED image; convert" },
		{ 0, 4, "KDMV", " is a VMDK image; convert" },
		{ 64, 4, "\x7f\x10\xda\xbe", " is a VDI image; convert" },
		{ 0, 8, "vhdxfile", " is a VHDX image; convert" },
		{ 0, 8, "conectix", " is a VHD image; convert" },
		{ 0, 16, "WithoutFreeSpace", " is a Parallels image; convert" },
		{ 0, 3, "\x1f\x8b\x08", " is compressed by gzip; unpack it first (gzip -dk), or" },
		{ 0, 6, "\xfd\x37zXZ", " is compressed by xz; unpack" },
		{ 0, 4, "\x28\xb5\x2f\xfd", " is compressed by zstd; unpack" },
	};
	struct hv_disk_config config = IMAGE;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		test_image_make(4096);
		test_image_write(known[i].magic, known[i].len, known[i].offset);
		config.raw = false;
		assert_int_equal(hv_disk_open(&disk, &config, &err), -EINVAL);
		assert_memory_equal(err.text + strlen(test_image), known[i].what,
				    strlen(known[i].what));
		assert_non_null(strstr(err.text, "format=raw"));
		config.raw = true;
		opens(&config);
		hv_disk_close(&disk);
	}
}

/* What qemu-img makes, and what the message says to do with it. */
static void test_qemu_img(void **state)
{
	static const char *const formats[] = { "qcow2", "qed", "vmdk", "vdi", "vhdx", "vpc" };
	const struct hv_disk_config config = IMAGE;
	char command[500];

	(void)state;
	if (system("command -v qemu-img >/dev/null"))
		skip();
	for (unsigned int i = 0; i < ARRAY_SIZE(formats); i++) {
		snprintf(command, sizeof(command), "qemu-img create -q -f %s %s 1M", formats[i],
			 test_image);
		assert_int_equal(system(command), 0);
		assert_int_equal(hv_disk_open(&disk, &config, &err), -EINVAL);
		assert_non_null(strstr(err.text, "qemu-img convert -O raw OLD NEW"));
		assert_non_null(strstr(err.text, "--vhost-user blk:SOCKET"));
		snprintf(command, sizeof(command),
			 "qemu-img convert -O raw %s %s.new && mv %s.new %s", test_image,
			 test_image, test_image, test_image);
		assert_int_equal(system(command), 0);
		opens(&config);
		assert_true(disk.size >= 1 << 20);
		hv_disk_close(&disk);
	}
}

/* ------------------------------------------------------------------- locks */

static void test_lock_within_a_process(void **state)
{
	const struct hv_disk_config writer = IMAGE, reader = READ_ONLY;
	char why[128];
	struct hv_disk second;

	(void)state;
	test_image_make(512);
	opens(&writer);
	snprintf(why, sizeof(why),
		 " is in use by process %d (test_disk_open); end that first, or have both say ro",
		 getpid());
	refused(&writer, EBUSY, why);
	snprintf(why, sizeof(why), " is in use by process %d (test_disk_open); end that first",
		 getpid());
	refused(&reader, EBUSY, why);
	hv_disk_close(&disk);

	opens(&reader);
	assert_int_equal(hv_disk_open(&second, &reader, &err), 0);
	assert_int_equal(hv_disk_open(&(struct hv_disk){ 0 }, &writer, &err), -EBUSY);
	hv_disk_close(&second);
	hv_disk_close(&disk);
	opens(&writer);
}

/* By another process; it goes when that is killed. */
static void test_lock_of_another_process(void **state)
{
	const struct hv_disk_config writer = IMAGE;
	char why[128];
	int ready[2], status;
	pid_t child;

	(void)state;
	test_image_make(512);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		if (hv_disk_open(&disk, &writer, &err) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &status, 1), 1);
	snprintf(why, sizeof(why),
		 " is in use by process %d (test_disk_open); end that first, or have both say ro",
		 child);
	refused(&writer, EBUSY, why);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	opens(&writer);
	close(ready[0]);
	close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_image_begin, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
		TEST(test_size),
		TEST(test_odd_size),
		TEST(test_too_small),
		TEST(test_serials),
		TEST(test_direct),
		TEST(test_block_device),
		TEST(test_missing),
		TEST(test_disc),
		TEST(test_no_file),
		TEST(test_permissions),
		TEST(test_formats),
		TEST(test_qemu_img),
		TEST(test_lock_within_a_process),
		TEST(test_lock_of_another_process),
	};

	disk = (struct hv_disk){ .fd = -1, .cached_fd = -1 };
	return cmocka_run_group_tests_name("disk_open", tests, NULL, NULL);
}
