// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl doctor on machines made up of a few files and a few CPUID leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd/doctor_report.h"
#include "lib/util.h"

#define RELEASE	"6.1.0-50-cloud-amd64"

/* --- the machine --- */

static char root[64];
static const char *vendor;
static const char *signature;	/* of the hypervisor around it; NULL: none */
static bool vmx, xsave;
static int module_err;
static const char *release;
static struct vmx_info module_info;

static void fake_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	(void)subleaf;
	memset(regs, 0, 16);
	if (leaf == 0) {
		memcpy(&regs[1], vendor, 4);
		memcpy(&regs[3], vendor + 4, 4);
		memcpy(&regs[2], vendor + 8, 4);
	} else if (leaf == 1) {
		regs[2] = (uint32_t)vmx << 5 | (uint32_t)xsave << 27 | (signature ? 1U << 31 : 0);
	} else if (leaf == 0x40000000 && signature) {
		memcpy(&regs[1], signature, strnlen(signature, 12));
	}
}

static int fake_module(struct vmx_info *info)
{
	if (!module_err)
		*info = module_info;
	return module_err;
}

static void make_dirs(char *path)
{
	char *slash;

	for (slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void add_bytes(const char *name, const void *data, size_t len)
{
	char path[PATH_MAX];
	FILE *out;

	snprintf(path, sizeof(path), "%s%s", root, name);
	make_dirs(path);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	fclose(out);
}

static void add(const char *name, const char *text)
{
	add_bytes(name, text, strlen(text));
}

/* Only the one MSR: their numbers are nearer to each other than they are long. */
static void add_feature_control(uint64_t value)
{
	char file[0x3a + 8] = "";

	memcpy(file + 0x3a, &value, 8);
	add_bytes("/dev/cpu/0/msr", file, sizeof(file));
}

static void set_msr(uint32_t msr, uint64_t value)
{
	module_info.cpu.msr[msr - TINYVMX_VMX_MSR_BASE] = value;
	module_info.cpu.msr_valid |= 1U << (msr - TINYVMX_VMX_MSR_BASE);
}

/* A healthy machine with tinyvmx loaded */
static int make_machine(void **state)
{
	(void)state;
	strcpy(root, "/tmp/hvctl-doctor-XXXXXX");
	assert_non_null(mkdtemp(root));
	vendor = "GenuineIntel";
	signature = NULL;
	vmx = xsave = true;
	module_err = 0;
	release = RELEASE;
	memset(&module_info, 0, sizeof(module_info));
	module_info.source = TINYVMX_DEVICE;
	module_info.has_feature_control = true;
	module_info.feature_control = 5;
	module_info.module.abi_version = TINYVMX_ABI_VERSION;
	set_msr(MSR_VMX_BASIC, 0x00da040000000004);
	set_msr(MSR_VMX_PIN, 0x0000007f00000016);
	set_msr(MSR_VMX_PROC, 0xfff9fffe0401e172);
	set_msr(MSR_VMX_TRUE_PIN, 0x0000007f00000016);
	set_msr(MSR_VMX_TRUE_PROC, 0xfff9fffe04006172);
	set_msr(MSR_VMX_TRUE_EXIT, 0x007fffff00036dfb);
	set_msr(MSR_VMX_TRUE_ENTRY, 0x0000ffff000011fb);
	set_msr(MSR_VMX_PROC2, 0x001ffcff00000000);
	set_msr(MSR_VMX_EXIT, 0x007fffff00036dff);
	set_msr(MSR_VMX_ENTRY, 0x0000ffff000011ff);
	set_msr(MSR_VMX_EPT_VPID, 0x00000f0106734141);
	add("/sys/module/tinyvmx/version", "0.1\n");
	add("/sys/module/tinyvmx/taint", "OE\n");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_machine(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* tinyvmx is not loaded after all. */
static void unload(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/module/tinyvmx", root);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	module_err = -ENOENT;
}

static void remove_file(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", root, name);
	unlink(path);
}

static struct doctor_result results[32];

static int run(void)
{
	const struct doctor_env env = {
		.root = root,
		.release = release,
		.cpuid = fake_cpuid,
		.from_module = fake_module,
	};
	struct doctor_facts facts;

	doctor_examine(&env, &facts);
	return doctor_run(&facts, results);
}

static const struct doctor_result *result(const char *name)
{
	for (size_t i = 0; i < doctor_nr_checks; i++)
		if (!strcmp(doctor_checks[i].name, name))
			return &results[i];
	fail_msg("no check %s", name);
	return NULL;
}

/* The check must come out so; its text and its remedy must have these in them. */
static void expect(const char *name, enum doctor_state want, const char *text, const char *remedy)
{
	const struct doctor_result *r = result(name);

	if (r->state != want || !strstr(r->text, text) || !strstr(r->remedy, remedy) ||
	    (!remedy[0] && r->remedy[0]))
		fail_msg("%s: %d, \"%s\", \"%s\"", name, r->state, r->text, r->remedy);
}

/* --- the tests --- */

static void test_healthy(void **state)
{
	(void)state;
	assert_int_equal(run(), 0);
	for (size_t i = 0; i < doctor_nr_checks; i++) {
		assert_int_equal(results[i].state, DOCTOR_OK);
		assert_int_equal(results[i].remedy[0], 0);
	}
	expect("module", DOCTOR_OK, "0.1, taints the kernel OE", "");
}

static void test_statuses_are_distinct(void **state)
{
	(void)state;
	for (size_t i = 0; i < doctor_nr_checks; i++) {
		assert_true(doctor_checks[i].status > 2);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(doctor_checks[i].status, doctor_checks[j].status);
	}
}

static void test_amd(void **state)
{
	(void)state;
	vendor = "AuthenticAMD";
	vmx = false;
	unload();
	assert_int_equal(run(), 11);
	expect("hypervisor", DOCTOR_OK, "not inside", "");
	expect("cpu", DOCTOR_NOT_OK, "AuthenticAMD", "MACHINE=bochs");
	expect("firmware", DOCTOR_UNKNOWN, "needs VMX", "");
	expect("features", DOCTOR_UNKNOWN, "needs VMX", "");
}

static void test_nested(void **state)
{
	static const struct {
		const char *signature;
		const char *name;
		const char *remedy;
	} cases[] = {
		{ "KVMKVMKVM", "KVM", "nested=1" },
		{ "VMwareVMware", "VMware", "vhv.enable" },
		{ "Microsoft Hv", "Hyper-V", "ExposeVirtualizationExtensions" },
		{ "VBoxVBoxVBox", "VirtualBox", "--nested-hw-virt on" },
		{ "XenVMMXenVMM", "Xen", "nestedhvm" },
		{ "TCGTCGTCGTCG", "QEMU without KVM", "-accel kvm" },
		{ "SomethingNew", "SomethingNew", "nested virtualization" },
	};

	(void)state;
	vmx = false;
	unload();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		signature = cases[i].signature;
		assert_int_equal(run(), 10);
		expect("hypervisor", DOCTOR_NOT_OK, cases[i].name, cases[i].remedy);
		expect("cpu", DOCTOR_NOT_OK, "no VMX", "see hypervisor");
	}
}

static void test_virtualbox_that_looks_like_kvm(void **state)
{
	(void)state;
	vmx = false;
	signature = "KVMKVMKVM";
	add("/sys/class/dmi/id/product_name", "VirtualBox\n");
	run();
	expect("hypervisor", DOCTOR_NOT_OK, "VirtualBox", "VBoxManage");
}

static void test_nested_and_working(void **state)
{
	(void)state;
	signature = "KVMKVMKVM";
	assert_int_equal(run(), 0);
	expect("hypervisor", DOCTOR_OK, "inside KVM, which passes VMX on", "");
}

static void test_firmware_lock(void **state)
{
	(void)state;
	unload();
	add_feature_control(1);
	assert_int_equal(run(), 12);
	expect("firmware", DOCTOR_NOT_OK, "0x1: locked, with VMX off", "firmware setup");
	add_feature_control(0);
	run();
	expect("firmware", DOCTOR_NOT_OK, "unlocked", "CONFIG_KVM_INTEL");
	add_feature_control(0x40005);
	run();
	expect("firmware", DOCTOR_OK, "0x40005: locked, with VMX on", "");
}

static void test_firmware_without_msr(void **state)
{
	(void)state;
	unload();
	run();
	expect("firmware", DOCTOR_UNKNOWN, "cannot be read", "modprobe msr");
	add("/proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: fpu vme vmx smx\nbugs\t\t:\n");
	run();
	expect("firmware", DOCTOR_OK, "/proc/cpuinfo", "");
	add("/proc/cpuinfo", "flags\t\t: fpu vme avmx vmxx\nbugs\t\t: vmx\n");
	assert_int_equal(run(), 12);
	expect("firmware", DOCTOR_NOT_OK, "does not list vmx", "firmware setup");
}

static void test_features(void **state)
{
	(void)state;
	set_msr(MSR_VMX_PROC2, 0x001ffc7d00000000);
	assert_int_equal(run(), 13);
	expect("features", DOCTOR_NOT_OK,
	       "this CPU lacks \"EPT\" (secondary processor-based controls, bit 1), \"unrestricted guest\" (secondary processor-based controls, bit 7)",
	       "Westmere");
	signature = "KVMKVMKVM";
	run();
	expect("features", DOCTOR_NOT_OK, "lacks ", "hypervisor pass them on");
	set_msr(MSR_VMX_PROC2, 0x001ffcff00000000);
	set_msr(MSR_VMX_EPT_VPID, 0x00000f0106630141 & ~(1ULL << 20));
	run();
	expect("features", DOCTOR_NOT_OK,
	       "lacks write-back EPT paging structures (IA32_VMX_EPT_VPID_CAP, bit 14), INVEPT (IA32_VMX_EPT_VPID_CAP, bit 20)",
	       "MACHINE=bochs");
	set_msr(MSR_VMX_EPT_VPID, 0x00000f0106734141);
	xsave = false;
	run();
	expect("features", DOCTOR_NOT_OK, "has no XSAVE", "noxsave");
}

/* Default-1 controls that cannot be cleared */
static void test_features_that_cannot_be_off(void **state)
{
	(void)state;
	set_msr(MSR_VMX_TRUE_PROC, 0xfff9fffe0401e172);
	assert_int_equal(run(), 13);
	expect("features", DOCTOR_NOT_OK,
	       "this CPU cannot turn off \"CR3-load exiting\" (primary processor-based controls, bit 15), \"CR3-store exiting\"",
	       "MACHINE=bochs");
	set_msr(MSR_VMX_TRUE_PIN, 0x0000007e00000016);
	run();
	expect("features", DOCTOR_NOT_OK,
	       "this CPU lacks \"external-interrupt exiting\" (pin-based controls, bit 0), cannot turn off \"CR3-load exiting\"",
	       "MACHINE=bochs");
}

/* More than there is room for */
static void test_features_all_missing(void **state)
{
	const struct doctor_result *r;
	const char *more;
	unsigned long n;

	(void)state;
	memset(module_info.cpu.msr, 0, sizeof(module_info.cpu.msr));
	assert_int_equal(run(), 13);
	r = result("features");
	more = strstr(r->text, ", and ");
	assert_non_null(more);
	n = strtoul(more + strlen(", and "), NULL, 10);
	assert_string_equal(strstr(more, " more"), " more");
	assert_true(n > 20);
}

static void test_features_without_msr(void **state)
{
	(void)state;
	unload();
	add("/proc/cpuinfo", "flags\t\t: vmx\nvmx flags\t: vnmi ept vpid unrestricted_guest ple\n");
	run();
	expect("features", DOCTOR_OK, "EPT and unrestricted guest", "");
	add("/proc/cpuinfo", "flags\t\t: vmx\nvmx flags\t: vnmi ept_ad vpid\n");
	assert_int_equal(run(), 13);
	expect("features", DOCTOR_NOT_OK, "this CPU lacks EPT and unrestricted guest", "Westmere");
}

static void test_kvm(void **state)
{
	(void)state;
	add("/sys/module/kvm_intel/refcnt", "0\n");
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "idle: kvm_intel", "");
	add("/sys/module/kvm_intel/refcnt", "7\n");
	module_info.module.capabilities = 0;
	assert_int_equal(run(), 14);
	expect("vmx-root", DOCTOR_NOT_OK, "cannot share", "modprobe -r kvm_intel");
	module_info.module.capabilities = TINYVMX_CAP_ROOT_KVM;
	assert_int_equal(run(), 14);
	expect("vmx-root", DOCTOR_NOT_OK, "/dev/kvm cannot be opened", "usermod -aG kvm");
	add("/dev/kvm", "");
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "shares it", "");
	add("/sys/module/kvm_intel/refcnt", "0\n");
	add("/sys/module/kvm/parameters/enable_virt_at_load", "Y\n");
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "shares it", "");
	unload();
	run();
	expect("vmx-root", DOCTOR_OK, "shares it", "");
}

static void test_sections(void **state)
{
	(void)state;
	module_info.module.capabilities = TINYVMX_CAP_ROOT_SECTION;
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "while interrupts are off", "");
	add("/sys/module/kvm_intel/refcnt", "0\n");
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "loaded but idle: kvm_intel; tinyvmx turns", "");
	module_info.module.capabilities |= TINYVMX_CAP_ROOT_KVM;
	add("/sys/module/kvm_intel/refcnt", "1\n");
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "/dev/kvm cannot be opened: tinyvmx does without", "");
	add("/dev/kvm", "");
	assert_int_equal(run(), 0);
	expect("vmx-root", DOCTOR_OK, "shares it", "");
}

static void test_other_holders(void **state)
{
	(void)state;
	add("/sys/module/vboxdrv/refcnt", "2\n");
	add("/sys/module/vmmon/refcnt", "0\n");
	assert_int_equal(run(), 14);
	expect("vmx-root", DOCTOR_NOT_OK, "VirtualBox", "vboxdrv");
	add("/sys/module/vboxdrv/refcnt", "0\n");
	run();
	expect("vmx-root", DOCTOR_OK, "vboxdrv, vmmon", "");
	add("/sys/hypervisor/type", "xen\n");
	add("/proc/xen/capabilities", "control_d\n");
	assert_int_equal(run(), 14);
	expect("vmx-root", DOCTOR_NOT_OK, "Xen", "without Xen");
}

static void test_lockdown(void **state)
{
	static const char secure[] = "\6\0\0\0\1";

	(void)state;
	add("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	assert_int_equal(run(), 0);
	unload();
	add_feature_control(5);
	add("/lib/modules/" RELEASE "/build/Makefile", "");
	assert_int_equal(run(), 15);
	expect("lockdown", DOCTOR_NOT_OK, "[integrity]", "sign-file");
	assert_null(strstr(result("lockdown")->remedy, "Secure Boot"));
	add_bytes("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		  secure, 5);
	run();
	expect("lockdown", DOCTOR_NOT_OK, "[integrity]", "Secure Boot off");
	add("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	run();
	expect("lockdown", DOCTOR_OK, "[none]", "");
	expect("signing", DOCTOR_OK, "Secure Boot is on", "");
}

static void test_signing(void **state)
{
	(void)state;
	add("/sys/module/module/parameters/sig_enforce", "Y\n");
	assert_int_equal(run(), 0);
	unload();
	add_feature_control(5);
	assert_int_equal(run(), 16);
	expect("signing", DOCTOR_NOT_OK, "sig_enforce",
	       "/lib/modules/" RELEASE "/build/scripts/sign-file");
	add("/proc/sys/kernel/modules_disabled", "1\n");
	assert_int_equal(run(), 16);
	expect("signing", DOCTOR_NOT_OK, "modules_disabled", "reboot");
}

#define MOK_LIST \
	"/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23"

/* From no key at all to a module that is signed by a trusted one */
static void test_secure_boot(void **state)
{
	static const char certificate[] = "\x30\x82\0\x10 certificate of DKMS";
	static const char others[] = "\6\0\0\0 others";
	static const char list[] = "\6\0\0\0\0\x30\x82\0\x10 certificate of DKMS, and more";
	const char *module = "/lib/modules/" RELEASE "/updates/dkms/tinyvmx.ko";

	(void)state;
	unload();
	add_feature_control(5);
	add("/lib/modules/" RELEASE "/build/Makefile", "");
	add("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	assert_int_equal(run(), 15);
	expect("lockdown", DOCTOR_NOT_OK, "no key here", "mokutil --import MOK.der");

	add_bytes("/var/lib/dkms/mok.pub", certificate, sizeof(certificate) - 1);
	run();
	expect("lockdown", DOCTOR_UNKNOWN, "cannot be read", "--test-key /var/lib/dkms/mok.pub");
	add_bytes(MOK_LIST, others, sizeof(others));
	assert_int_equal(run(), 15);
	expect("lockdown", DOCTOR_NOT_OK, "/var/lib/dkms/mok.pub, is not enrolled",
	       "mokutil --import /var/lib/dkms/mok.pub");

	add_bytes(MOK_LIST, list, sizeof(list));
	run();
	expect("lockdown", DOCTOR_OK, "trusts the key of DKMS", "");
	add(module, "tiny");
	assert_int_equal(run(), 15);
	expect("lockdown", DOCTOR_NOT_OK, "tinyvmx.ko has none",
	       "sign-file sha256 /var/lib/dkms/mok.key /var/lib/dkms/mok.pub /lib/modules/" RELEASE
	       "/updates/dkms/tinyvmx.ko");
	add(module, "some module without a signature at its end");
	assert_int_equal(run(), 15);
	add(module, "some module~Module signature appended~\n");
	run();
	expect("lockdown", DOCTOR_OK, "trusts the key of DKMS", "");

	add("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	add("/sys/module/module/parameters/sig_enforce", "Y\n");
	run();
	expect("signing", DOCTOR_OK, "sig_enforce: the kernel wants signed modules; it trusts", "");
	remove_file(MOK_LIST);
	add_bytes("/sys/firmware/efi/mok-variables/MokListRT", others, sizeof(others));
	assert_int_equal(run(), 16);
	expect("signing", DOCTOR_NOT_OK, "not enrolled", "Enroll MOK");
}

static void test_headers_and_module(void **state)
{
	(void)state;
	unload();
	add_feature_control(5);
	assert_int_equal(run(), 17);
	expect("headers", DOCTOR_NOT_OK, RELEASE, "/lib/modules/" RELEASE "/build");
	add("/lib/modules/" RELEASE "/build/Makefile", "");
	assert_int_equal(run(), 18);
	expect("module", DOCTOR_NOT_OK, "not loaded", "make && sudo insmod");
	add("/lib/modules/5.10.0/updates/dkms/tinyvmx.ko", "");
	run();
	expect("module", DOCTOR_NOT_OK, "/lib/modules/5.10.0/updates/dkms/tinyvmx.ko",
	       "make && sudo insmod");
	add("/var/lib/dkms/tinyvmx", "");
	run();
	expect("module", DOCTOR_NOT_OK, "/lib/modules/5.10.0/", "dkms autoinstall");
	add("/lib/modules/" RELEASE "/extra/tinyvmx.ko.xz", "");
	run();
	expect("module", DOCTOR_NOT_OK, "extra/tinyvmx.ko.xz", "modprobe tinyvmx");
	expect("device", DOCTOR_UNKNOWN, "needs the module", "");
}

/* By the distribution, or one that it is like */
static void test_headers_by_distribution(void **state)
{
	static const struct {
		const char *release, *os, *remedy;
	} cases[] = {
		{ "6.1.0-50-amd64", "ID=debian\n", "apt install linux-headers-6.1.0-50-amd64" },
		{ "6.8.0-31-generic",
		  "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
		  "apt install linux-headers-6.8.0-31-generic" },
		{ "6.12.4-200.fc41.x86_64", "ID=fedora\n",
		  "dnf install kernel-devel-6.12.4-200.fc41.x86_64" },
		{ "6.12.0-1.el10.x86_64", "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n",
		  "dnf install kernel-devel-6.12.0" },
		{ "5.14.0-570.el9.x86_64+rt", "ID=\"rhel\"\nID_LIKE=\"fedora\"\n",
		  "dnf install kernel-rt-devel-5.14.0-570.el9.x86_64" },
		{ "6.12.4-200.fc41.x86_64+debug", "ID=fedora\n",
		  "dnf install kernel-debug-devel-6.12.4-200.fc41.x86_64" },
		{ "6.12.0-0.20.20.el9uek.x86_64", "ID=\"ol\"\nID_LIKE=\"fedora\"\n",
		  "dnf install kernel-uek-devel-6.12.0-0.20.20.el9uek.x86_64" },
		{ "6.11.11-valve12-1-neptune-611-g517a46b477e1", "ID=steamos\nID_LIKE=arch\n",
		  "those of 6.11.11-valve12-1-neptune-611" },
		{ "6.4.0-150600.23-default", "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
		  "zypper install kernel-default-devel" },
		{ "6.4.0-150600.8.17-azure", "ID=\"sles\"\nID_LIKE='suse'\n",
		  "zypper install kernel-azure-devel" },
		{ "6.12.1-arch1-1", "ID=arch\n", "pacman -S linux-headers" },
		{ "6.6.63-1-lts", "ID=arch\n", "pacman -S linux-lts-headers" },
		{ "6.6.63-1-MANJARO", "ID=manjaro\nID_LIKE=arch\n",
		  "choose those of 6.6.63-1-MANJARO" },
		{ "6.6.63_1", "ID=\"void\"\n", "xbps-install linux-headers" },
		{ "6.6.58-0-virt", "ID=alpine\n", "apk add linux-virt-dev" },
		{ "6.6.58-gentoo", "ID=gentoo\n", "make modules_prepare" },
		{ "6.6.58", "ID=nixos\n", "kernelPackages.kernel.dev" },
		{ "6.6.58", "ID=\n", "/lib/modules/6.6.58/build" },
		{ "6.6.58", "VERSION_ID=debian\nID=own\nID_LIKE=strange\n",
		  "/lib/modules/6.6.58/build" },
		{ "6.6.58", "", "/lib/modules/6.6.58/build" },
	};

	(void)state;
	unload();
	add_feature_control(5);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		release = cases[i].release;
		add(i % 2 ? "/etc/os-release" : "/usr/lib/os-release", cases[i].os);
		assert_int_equal(run(), 17);
		expect("headers", DOCTOR_NOT_OK, release, cases[i].remedy);
		remove_file("/etc/os-release");
	}
}

static void test_foreign_abi(void **state)
{
	(void)state;
	module_info.module.abi_version = 99;
	assert_int_equal(run(), 18);
	expect("module", DOCTOR_NOT_OK, "ABI 99", "from one tree");
}

static void test_device(void **state)
{
	(void)state;
	add("/proc/misc", "124 tinyvmx\n232 kvm\n");
	add_feature_control(5);
	add("/proc/cpuinfo", "vmx flags\t: ept unrestricted_guest\n");
	module_err = -EACCES;
	assert_int_equal(run(), 19);
	expect("device", DOCTOR_NOT_OK, "Permission denied", "groupadd -r tinyvmx");
	add("/etc/group", "root:x:0:\nxtinyvmx:x:8:\n");
	run();
	expect("device", DOCTOR_NOT_OK, "Permission denied", "groupadd -r tinyvmx");
	add("/etc/group", "root:x:0:\ntinyvmx:x:977:\n");
	run();
	expect("device", DOCTOR_NOT_OK, "Permission denied", "or: sudo usermod -aG tinyvmx");
	module_err = -ENOENT;
	run();
	expect("device", DOCTOR_NOT_OK, "No such file", "mknod -m 600 /dev/tinyvmx c 10 124");
	module_err = -ENXIO;
	run();
	expect("device", DOCTOR_NOT_OK, "No such device", "rmmod");
}

/* The report tells of the machine, and not whose it is. */
static void test_report(void **state)
{
	const struct doctor_env env = {
		.root = root,
		.release = RELEASE,
		.cpuid = fake_cpuid,
		.from_module = fake_module,
	};
	struct doctor_facts facts;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	unload();
	add_feature_control(5);
	add("/proc/cmdline",
	    "BOOT_IMAGE=/boot/secret root=UUID=secret ip=10.secret mitigations=off quiet nohz_full=1-3 ima_hash=secret\n");
	add("/proc/cpuinfo",
	    "processor\t: 0\nmodel name\t: Some CPU\nmodel\t\t: 85\nbogomips\t: secret\n\nprocessor\t: 1\nmodel name\t: secret\n");
	add("/proc/sys/kernel/hostname", "secret\n");
	add("/sys/devices/system/cpu/vulnerabilities/mds", "Mitigation: \033[31m\n");
	add("/sys/module/kvm_intel/parameters/nested", "Y\n");
	assert_non_null(out);
	doctor_examine(&env, &facts);
	doctor_run(&facts, results);
	doctor_report(out, &facts, results, "/nowhere");
	fclose(out);
	assert_null(strstr(text, "secret"));
	assert_non_null(strstr(text, "the CPU: mitigations=off nohz_full=1-3\n"));
	assert_non_null(strstr(text, "model name: Some CPU\nmodel: 85\n"));
	assert_non_null(strstr(text, "vulnerabilities/mds: Mitigation: ?[31m\n"));
	assert_non_null(strstr(text, "/sys/module/kvm_intel/parameters/nested: Y\n"));
	assert_non_null(strstr(text, "not ok   module: not loaded\n"));
	assert_non_null(strstr(text, "not run: the device cannot be opened\n"));
	free(text);
}

/* What can only be guessed at does not count as an error. */
static void test_unknown_status(void **state)
{
	(void)state;
	unload();
	add("/lib/modules/" RELEASE "/build/Makefile", "");
	run();
	for (size_t i = 0; i < doctor_nr_checks; i++)
		if (results[i].state == DOCTOR_NOT_OK)
			assert_string_equal(doctor_checks[i].name, "module");
	module_info.has_feature_control = false;
	add("/sys/module/tinyvmx/version", "0.1\n");
	module_err = 0;
	assert_int_equal(run(), DOCTOR_STATUS_UNKNOWN);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, make_machine, remove_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_healthy),
		TEST(test_statuses_are_distinct),
		TEST(test_amd),
		TEST(test_nested),
		TEST(test_virtualbox_that_looks_like_kvm),
		TEST(test_nested_and_working),
		TEST(test_firmware_lock),
		TEST(test_firmware_without_msr),
		TEST(test_features),
		TEST(test_features_without_msr),
		TEST(test_features_that_cannot_be_off),
		TEST(test_features_all_missing),
		TEST(test_kvm),
		TEST(test_sections),
		TEST(test_other_holders),
		TEST(test_lockdown),
		TEST(test_signing),
		TEST(test_secure_boot),
		TEST(test_report),
		TEST(test_headers_and_module),
		TEST(test_headers_by_distribution),
		TEST(test_foreign_abi),
		TEST(test_device),
		TEST(test_unknown_status),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
