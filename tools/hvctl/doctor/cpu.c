// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of hvctl doctor on the CPU, the firmware, and hypervisors around us.
 */
#include <inttypes.h>
#include <string.h>

#include "doctor.h"
#include "lib/util.h"

#define NO_VMX		"needs VMX, which this CPU does not show"
#define TESTBED		"try it in the emulated machine: MACHINE=bochs make run"

static bool is_intel(const struct doctor_facts *f)
{
	return !strcmp(f->vendor, "GenuineIntel");
}

/* --- hypervisors around this machine --- */

struct hypervisor {
	const char *signature;	/* CPUID.40000000H: EBX, ECX, EDX */
	const char *name;
	const char *remedy;	/* how it passes VMX on */
};

static const struct hypervisor hypervisors[] = {
	{ "KVMKVMKVM", "KVM",
	  "on the host: modprobe -r kvm_intel; modprobe kvm_intel nested=1; give the machine -cpu host" },
	{ "VMwareVMware", "VMware",
	  "power the machine off and add to its .vmx file: vhv.enable = \"TRUE\"" },
	{ "Microsoft Hv", "Hyper-V",
	  "on the host, machine off: Set-VMProcessor NAME -ExposeVirtualizationExtensions $true" },
	{ "VBoxVBoxVBox", "VirtualBox",
	  "on the host, machine off: VBoxManage modifyvm NAME --nested-hw-virt on" },
	{ "XenVMMXenVMM", "Xen",
	  "in the domain's configuration: type = \"hvm\" and nestedhvm = 1" },
	{ "TCGTCGTCGTCG", "QEMU without KVM, which has no VMX",
	  "run QEMU with -accel kvm -cpu host" },
	{ " lrpepyh  vr", "Parallels",
	  "machine off: prlctl set NAME --nested-virt on" },
	{ "prl hyperv  ", "Parallels",
	  "machine off: prlctl set NAME --nested-virt on" },
	{ "bhyve bhyve ", "bhyve, which does not pass VMX on", TESTBED },
	{ "ACRNACRNACRN", "ACRN, which does not pass VMX on", TESTBED },
	{ "Jailhouse", "Jailhouse, which does not pass VMX on",
	  "on the root cell: jailhouse disable" },
};

static const struct hypervisor *hypervisor_by_signature(const char *signature)
{
	for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++)
		if (!strcmp(hypervisors[i].signature, signature))
			return &hypervisors[i];
	return NULL;
}

/*
 * VirtualBox shows Linux guests the interface of KVM, and so its signature;
 * only the firmware tables tell.
 */
static const struct hypervisor *find_hypervisor(const struct doctor_facts *f, char signature[13])
{
	uint32_t regs[4];
	char product[64];

	f->env->cpuid(0x40000000, 0, regs);
	memcpy(signature, &regs[1], 12);
	signature[12] = 0;
	doctor_read(f->env, product, sizeof(product), "/sys/class/dmi/id/product_name");
	if (!strcmp(product, "VirtualBox"))
		return hypervisor_by_signature("VBoxVBoxVBox");
	return hypervisor_by_signature(signature);
}

void doctor_check_hypervisor(const struct doctor_facts *f, struct doctor_result *r)
{
	const struct hypervisor *h;
	char signature[13];

	if (!f->hypervisor) {
		doctor_say(r, DOCTOR_OK, "not inside a virtual machine");
		return;
	}
	h = find_hypervisor(f, signature);
	if (f->has_vmx) {
		doctor_say(r, DOCTOR_OK, "inside %s, which passes VMX on", h ? h->name : signature);
		return;
	}
	/* Nothing it could pass on: the CPU's check says so. */
	if (!is_intel(f)) {
		doctor_say(r, DOCTOR_OK, "inside %s", h ? h->name : signature);
		return;
	}
	doctor_say(r, DOCTOR_NOT_OK, "inside %s; it does not show VMX to this machine",
		   h ? h->name : signature);
	doctor_mend(r, "%s", h ? h->remedy : "turn on nested virtualization in that hypervisor");
}

/* --- the CPU itself --- */

void doctor_check_cpu(const struct doctor_facts *f, struct doctor_result *r)
{
	if (f->has_vmx) {
		doctor_say(r, DOCTOR_OK, "%s, has VMX", f->vendor);
		return;
	}
	if (is_intel(f))
		doctor_say(r, DOCTOR_NOT_OK, "no VMX (CPUID.1:ECX[5] is 0)");
	else
		doctor_say(r, DOCTOR_NOT_OK,
			   "%s: tinyvmx needs Intel VT-x, and this CPU has no VMX", f->vendor);
	doctor_mend(r, "%s%s", f->hypervisor && is_intel(f) ? "see hypervisor; or " : "", TESTBED);
}

/* --- firmware --- */

#define FIRMWARE_REMEDY \
	"enable VT-x (Intel Virtualization Technology, VMX) in the firmware setup and power off and on: systemctl reboot --firmware-setup"

/* Find a whole word in a line of /proc/cpuinfo that starts with @key. */
static bool cpuinfo_has(const struct doctor_facts *f, const char *key, const char *word,
			bool *known)
{
	char text[8192], *line, *end, *at;
	size_t len = strlen(word);

	*known = false;
	if (!doctor_read(f->env, text, sizeof(text), "/proc/cpuinfo"))
		return false;
	for (line = text; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (strncmp(line, key, strlen(key)))
			continue;
		*known = true;
		if (end)
			*end = 0;
		for (at = line; (at = strstr(at, word)); at += len)
			if (at > line && strchr(" \t", at[-1]) && strchr(" ", at[len]))
				return true;
		return false;
	}
	return false;
}

/* The kernel hides the flag if the firmware has locked VMX off. */
static void firmware_by_cpuinfo(const struct doctor_facts *f, struct doctor_result *r)
{
	bool known;

	if (cpuinfo_has(f, "flags", "vmx", &known)) {
		doctor_say(r, DOCTOR_OK, "the kernel lists vmx in /proc/cpuinfo");
	} else if (known) {
		doctor_say(
			r, DOCTOR_NOT_OK,
			"CPUID has VMX, but the kernel does not list vmx in /proc/cpuinfo: locked off by the firmware");
		doctor_mend(r, FIRMWARE_REMEDY);
	} else {
		doctor_say(r, DOCTOR_UNKNOWN, "IA32_FEATURE_CONTROL cannot be read");
		doctor_mend(r, "to find out: sudo modprobe msr && sudo hvctl doctor");
	}
}

void doctor_check_firmware(const struct doctor_facts *f, struct doctor_result *r)
{
	uint64_t v = f->vmx.feature_control;

	if (!f->has_vmx) {
		doctor_say(r, DOCTOR_UNKNOWN, NO_VMX);
		return;
	}
	if (!f->vmx.has_feature_control) {
		firmware_by_cpuinfo(f, r);
		return;
	}
	if ((v & 5) == 5) {
		doctor_say(r, DOCTOR_OK,
			   "IA32_FEATURE_CONTROL = 0x%" PRIx64 ": locked, with VMX on", v);
		return;
	}
	if (v & 1) {
		doctor_say(r, DOCTOR_NOT_OK,
			   "IA32_FEATURE_CONTROL = 0x%" PRIx64 ": locked, with VMX off", v);
		doctor_mend(r, FIRMWARE_REMEDY);
		return;
	}
	doctor_say(r, DOCTOR_NOT_OK,
		   "IA32_FEATURE_CONTROL = 0x%" PRIx64
		   ": left unlocked by the firmware, and by this kernel",
		   v);
	doctor_mend(r, "boot a kernel with CONFIG_KVM_INTEL, which turns VMX on and locks; or %s",
		    FIRMWARE_REMEDY);
}

/* --- what tinyvmx needs of VMX --- */

static const struct {
	enum vmx_word_id word;
	unsigned int bit;
} needed[] = {
	{ VMX_WORD_PIN, 0 },	/* external-interrupt exiting */
	{ VMX_WORD_PIN, 3 },	/* NMI exiting */
	{ VMX_WORD_PIN, 5 },	/* virtual NMIs */
	{ VMX_WORD_PROC, 2 },	/* interrupt-window exiting */
	{ VMX_WORD_PROC, 3 },	/* use TSC offsetting */
	{ VMX_WORD_PROC, 7 },	/* HLT exiting */
	{ VMX_WORD_PROC, 22 },	/* NMI-window exiting */
	{ VMX_WORD_PROC, 24 },	/* unconditional I/O exiting */
	{ VMX_WORD_PROC, 28 },	/* use MSR bitmaps */
	{ VMX_WORD_PROC, 31 },	/* activate secondary controls */
	{ VMX_WORD_PROC2, 1 },	/* enable EPT */
	{ VMX_WORD_PROC2, 6 },	/* WBINVD exiting */
	{ VMX_WORD_PROC2, 7 },	/* unrestricted guest */
	{ VMX_WORD_EXIT, 9 },	/* host address-space size */
	{ VMX_WORD_EXIT, 18 },	/* save IA32_PAT */
	{ VMX_WORD_EXIT, 19 },	/* load IA32_PAT */
	{ VMX_WORD_EXIT, 20 },	/* save IA32_EFER */
	{ VMX_WORD_EXIT, 21 },	/* load IA32_EFER */
	{ VMX_WORD_ENTRY, 9 },	/* IA-32e mode guest */
	{ VMX_WORD_ENTRY, 14 },	/* load IA32_PAT */
	{ VMX_WORD_ENTRY, 15 },	/* load IA32_EFER */
};

/* page-walk length 4, write-back, INVEPT, single-context INVEPT */
static const unsigned int needed_ept[] = { 6, 14, 20, 25 };

static void add_name(char *list, size_t size, const char *name, const char *where)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%s (%s)", used ? ", " : "", name, where);
}

/* Returns the number of missing features; @list gets their names. */
static size_t missing_features(const struct vmx_cpu *cpu, char *list, size_t size)
{
	struct vmx_limits limits;
	uint64_t ept;
	size_t n = 0;

	list[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const struct vmx_word *word = &vmx_words[needed[i].word];

		if (vmx_word_limits(cpu, word, &limits) && limits.may_be_1 >> needed[i].bit & 1)
			continue;
		add_name(list, size, vmx_bit_name(&word->bits, needed[i].bit), word->key);
		n++;
	}
	if (!vmx_cpu_msr(cpu, MSR_VMX_EPT_VPID, &ept))
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(needed_ept); i++) {
		if (ept >> needed_ept[i] & 1)
			continue;
		add_name(list, size, vmx_bit_name(&vmx_ept_vpid_bits, needed_ept[i]), "EPT");
		n++;
	}
	return n;
}

/* From Linux 5.6 on, /proc/cpuinfo has a line of VMX features. */
static void features_by_cpuinfo(const struct doctor_facts *f, struct doctor_result *r)
{
	bool known, ept, unrestricted;

	ept = cpuinfo_has(f, "vmx flags", "ept", &known);
	unrestricted = cpuinfo_has(f, "vmx flags", "unrestricted_guest", &known);
	if (!known) {
		doctor_say(r, DOCTOR_UNKNOWN, "the VMX capability MSRs cannot be read");
		doctor_mend(r, "to find out: sudo modprobe msr && sudo hvctl doctor");
	} else if (ept && unrestricted) {
		doctor_say(
			r, DOCTOR_OK,
			"EPT and unrestricted guest, as /proc/cpuinfo says; 'hvctl info' tells more");
	} else {
		doctor_say(r, DOCTOR_NOT_OK, "missing:%s%s", ept ? "" : " EPT",
			   unrestricted ? "" : " unrestricted guest");
		doctor_mend(r, "use a CPU of 2010 (Westmere) or newer; or %s", TESTBED);
	}
}

void doctor_check_features(const struct doctor_facts *f, struct doctor_result *r)
{
	char list[300];

	if (!f->has_vmx) {
		doctor_say(r, DOCTOR_UNKNOWN, NO_VMX);
		return;
	}
	if (!f->vmx.cpu.msr_valid) {
		features_by_cpuinfo(f, r);
		return;
	}
	if (!missing_features(&f->vmx.cpu, list, sizeof(list))) {
		doctor_say(r, DOCTOR_OK,
			   "EPT, unrestricted guest and all others that tinyvmx needs (from %s)",
			   f->vmx.source);
		return;
	}
	doctor_say(r, DOCTOR_NOT_OK, "missing: %s", list);
	if (f->hypervisor)
		doctor_mend(r, "let the hypervisor pass them on; or %s", TESTBED);
	else
		doctor_mend(r, "use a CPU of 2010 (Westmere) or newer; or %s", TESTBED);
}
