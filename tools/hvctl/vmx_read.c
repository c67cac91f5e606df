// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the VMX capability MSRs can be read: the module, or the msr driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tvx.h"
#include "vmx_info.h"

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

/* An MSR that the CPU does not have is an I/O error to the msr driver. */
static bool read_msr(int fd, uint32_t msr, uint64_t *value)
{
	return pread(fd, value, sizeof(*value), msr) == sizeof(*value);
}

int vmx_info_from_msrs(struct vmx_info *info, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint32_t i;

	if (fd < 0)
		return -errno;
	vmx_cpu_probe(&info->cpu);
	for (i = 0; i < TINYVMX_VMX_MSR_COUNT; i++)
		if (read_msr(fd, TINYVMX_VMX_MSR_BASE + i, &info->cpu.msr[i]))
			info->cpu.msr_valid |= 1U << i;
	info->has_feature_control =
		read_msr(fd, MSR_FEATURE_CONTROL, &info->feature_control);
	info->source = path;
	close(fd);
	return 0;
}
