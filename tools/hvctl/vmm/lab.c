// SPDX-License-Identifier: GPL-2.0-only
/* Lab mode: a vCPU whose VMCS is changed at will. */
#include <errno.h>
#include <string.h>

#include "lab.h"
#include "lib/tvx.h"
#include "lib/util.h"
#include "lib/x86.h"

/* ------------------------------------------------------------- the vCPU */

static struct tinyvmx_segment segment(uint16_t selector, uint32_t ar, uint32_t limit)
{
	return (struct tinyvmx_segment){ .selector = selector, .ar = ar, .limit = limit };
}

/* Flat segments, paging, ring 0. There is no memory: the guest does not come to an instruction. */
static int enter_long_mode(int vcpu)
{
	struct tinyvmx_regs regs = { .rip = 0x1000, .rflags = X86_RFLAGS_FIXED };
	struct tinyvmx_sregs sregs;
	int ret = tvx_get_sregs(vcpu, &sregs);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < TINYVMX_LDTR; i++)
		sregs.seg[i] = segment(0x10, 0xc093, UINT32_MAX);
	sregs.seg[TINYVMX_CS] = segment(0x8, 0xa09b, UINT32_MAX);
	sregs.seg[TINYVMX_LDTR] = segment(0, TINYVMX_AR_UNUSABLE, 0);
	sregs.seg[TINYVMX_TR] = segment(0x18, 0x8b, 0x67);
	sregs.cr0 = X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_PE;
	sregs.cr3 = 0x1000;
	sregs.cr4 = X86_CR4_PAE;
	sregs.efer = X86_EFER_LMA | X86_EFER_LME;
	ret = tvx_set_sregs(vcpu, &sregs);
	return ret ? ret : tvx_set_regs(vcpu, &regs);
}

static int make_vcpu(struct hv_lab *lab, uint64_t capabilities, struct hv_error *err)
{
	bool shared;
	int ret;

	lab->vm = tvx_create_vm_beside_kvm(lab->device, capabilities, 0, &shared);
	if (lab->vm < 0)
		return hv_fail(err, -lab->vm, "no VM: %s", strerror(-lab->vm));
	lab->vcpu = tvx_create_vcpu(lab->vm, 0);
	ret = lab->vcpu < 0 ? lab->vcpu : enter_long_mode(lab->vcpu);
	return ret ? hv_fail(err, -ret, "no vCPU: %s", strerror(-ret)) : 0;
}

int hv_lab_open(struct hv_lab *lab, struct hv_error *err)
{
	struct tinyvmx_info info;
	int ret;

	*lab = (struct hv_lab){ .vm = -1, .vcpu = -1 };
	lab->device = tvx_open();
	if (lab->device < 0)
		return hv_fail(err, -lab->device, TINYVMX_DEVICE ": %s; 'hvctl doctor' says more",
			       strerror(-lab->device));
	ret = tvx_get_info(lab->device, &info);
	if (ret)
		return hv_fail(err, -ret, TINYVMX_DEVICE ": %s", strerror(-ret));
	if (!(info.capabilities & TINYVMX_CAP_LAB))
		return hv_fail(
			err, EOPNOTSUPP,
			"lab mode is off; load the module anew with it: insmod tinyvmx.ko lab=1");
	vmx_cpu_from_info(&lab->cpu, &info);
	ret = make_vcpu(lab, info.capabilities, err);
	if (ret)
		return ret;
	ret = hv_lab_try(lab, err);
	if (ret)
		return ret;
	memcpy(lab->good, lab->tried, sizeof(lab->good));
	hv_lab_reset(lab);
	return 0;
}

void hv_lab_close(struct hv_lab *lab)
{
	if (lab->vcpu >= 0)
		close(lab->vcpu);
	if (lab->vm >= 0)
		close(lab->vm);
	if (lab->device >= 0)
		close(lab->device);
}

/* ------------------------------------------------------------- the VMCS */

void hv_lab_reset(struct hv_lab *lab)
{
	memcpy(lab->field, lab->good, sizeof(lab->field));
}

void hv_lab_change(struct hv_lab *lab, const struct hv_lab_change *changes, size_t count)
{
	for (; count && changes->how != HV_LAB_NOTHING; count--, changes++)
		for (size_t i = 0; i < lab->count; i++)
			if (lab->field[i].encoding == changes->field)
				lab->field[i].value = hv_lab_changed(lab->field[i].value, changes);
}

/* Those that are not as the module has them. */
static uint32_t find_changes(const struct hv_lab *lab, struct tinyvmx_vmcs_field *changes)
{
	uint32_t n = 0;

	for (size_t i = 0; i < lab->count; i++)
		if (lab->field[i].value != lab->good[i].value)
			changes[n++] = lab->field[i];
	return n;
}

int hv_lab_try(struct hv_lab *lab, struct hv_error *err)
{
	struct tinyvmx_vmcs_field changes[HV_LAB_FIELDS];
	int ret;

	lab->result = (struct tinyvmx_lab){
		.count = find_changes(lab, changes),
		.fields = (uintptr_t)changes,
		.dump_count = HV_LAB_FIELDS,
		.dump = (uintptr_t)lab->tried,
	};
	ret = tvx_lab(lab->vcpu, &lab->result);
	if (ret == -EPERM)
		return hv_fail(err, -ret, "lab mode is for root; use sudo");
	if (ret)
		return hv_fail(err, -ret, "the VM entry cannot be tried: %s", strerror(-ret));
	lab->count = lab->result.dump_count;
	return 0;
}
