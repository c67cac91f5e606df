// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of hvctl doctor on the CPU, the firmware, and hypervisors around us.
 */
#include <inttypes.h>
#include <string.h>

#include "doctor.h"
#include "lib/util.h"

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
	{
		"KVMKVMKVM", "KVM",
		"on the host: modprobe -r kvm_intel; modprobe kvm_intel nested=1; give the machine -cpu host",
	},
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
	{ "bhyve bhyve ", "bhyve, which does not pass VMX on", DOCTOR_TESTBED },
	{ "ACRNACRNACRN", "ACRN, which does not pass VMX on", DOCTOR_TESTBED },
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
	doctor_mend(r, "%s%s", f->hypervisor && is_intel(f) ? "see hypervisor; or " : "",
		    DOCTOR_TESTBED);
}

/* --- firmware --- */

#define FIRMWARE_REMEDY \
	"enable VT-x (Intel Virtualization Technology, VMX) in the firmware setup and power off and on: systemctl reboot --firmware-setup"

bool doctor_cpuinfo_has(const struct doctor_facts *f, const char *key, const char *word,
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

	if (doctor_cpuinfo_has(f, "flags", "vmx", &known)) {
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
		doctor_say(r, DOCTOR_UNKNOWN, DOCTOR_NO_VMX);
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
