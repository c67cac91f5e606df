// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the VMX capability MSRs can be read: the module, or the msr driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "info.h"
#include "lib/tvx.h"

int vmx_info_from_module(struct vmx_info *info)
{
	int device = tvx_open();
	int err;

	if (device < 0)
		return device;
	err = tvx_get_info(device, &info->module);
	close(device);
	if (err)
		return err;
	vmx_cpu_from_info(&info->cpu, &info->module);
	info->source = TINYVMX_DEVICE;
	info->has_module = true;
	info->feature_control = info->module.feature_control;
	info->has_feature_control = true;
	return 0;
}

const struct vmx_cpu *vmx_cpu_read(struct vmx_cpu *cpu)
{
	struct vmx_info info = { 0 };

	if (vmx_info_from_module(&info))
		return NULL;
	*cpu = info.cpu;
	return cpu;
}

static bool read_msr(int fd, uint32_t msr, uint64_t *value)
{
	return pread(fd, value, sizeof(*value), msr) == sizeof(*value);
}

/*
 * Which MSRs there are, each told by ones before it (SDM, "VMX Capability
 * Reporting Facility"). To try is not enough: some emulators answer 0 for all.
 */
static bool msr_exists(const struct vmx_cpu *cpu, uint32_t msr)
{
	uint64_t basic, proc, proc2, exits;

	vmx_cpu_msr(cpu, MSR_VMX_BASIC, &basic);
	vmx_cpu_msr(cpu, MSR_VMX_PROC, &proc);
	vmx_cpu_msr(cpu, MSR_VMX_PROC2, &proc2);
	vmx_cpu_msr(cpu, MSR_VMX_EXIT, &exits);
	switch (msr) {
	case MSR_VMX_PROC2:
		return proc >> 63; /* activate secondary controls */
	case MSR_VMX_EPT_VPID:
		return proc2 >> 32 & 0x22; /* enable EPT or VPID */
	case MSR_VMX_TRUE_PIN ... MSR_VMX_TRUE_ENTRY:
		return basic >> 55 & 1;
	case MSR_VMX_VMFUNC:
		return proc2 >> 45 & 1; /* enable VM functions */
	case MSR_VMX_PROC3:
		return proc >> 49 & 1; /* activate tertiary controls */
	case MSR_VMX_EXIT2:
		return exits >> 63; /* activate secondary controls */
	default:
		return true;
	}
}

static void read_msrs(int fd, struct vmx_info *info)
{
	struct vmx_cpu *cpu = &info->cpu;

	for (uint32_t i = 0; i < TINYVMX_VMX_MSR_COUNT; i++)
		if (msr_exists(cpu, TINYVMX_VMX_MSR_BASE + i) &&
		    read_msr(fd, TINYVMX_VMX_MSR_BASE + i, &cpu->msr[i]))
			cpu->msr_valid |= 1U << i;
	info->has_feature_control = read_msr(fd, MSR_FEATURE_CONTROL, &info->feature_control);
}

int vmx_info_from_msrs(struct vmx_info *info, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	vmx_cpu_probe(&info->cpu);
	read_msrs(fd, info);
	info->source = path;
	close(fd);
	return 0;
}
