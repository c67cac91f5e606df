// SPDX-License-Identifier: GPL-2.0-only
/* Saving and loading a vCPU. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tvx.h"
#include "lib/util.h"
#include "machine.h"
#include "records.h"
#include "vcpu_state.h"

#define VERSION 1

/* Those that the module may have and that are in no other blob; the TSC is in VCPU_TIME. */
static const uint32_t msrs[] = {
	0x3b,		/* IA32_TSC_ADJUST */
	0x48,		/* IA32_SPEC_CTRL */
	0x174,		/* IA32_SYSENTER_CS, ESP, EIP */
	0x175,
	0x176,
	0x1a0,		/* IA32_MISC_ENABLE */
	0x1d9,		/* IA32_DEBUGCTL */
	0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,	/* MTRRs: variable */
	0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
	0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f, /* fixed */
	0x277,		/* IA32_PAT */
	0x2ff,		/* IA32_MTRR_DEF_TYPE */
	0xc0000081,	/* STAR, LSTAR, CSTAR, FMASK */
	0xc0000082,
	0xc0000083,
	0xc0000084,
	0xc0000102,	/* KERNEL_GS_BASE */
	0xc0000103,	/* TSC_AUX */
};

static size_t xsave_len(const struct hv_vcpu *vcpu)
{
	return offsetof(struct tinyvmx_xsave, image) + vcpu->machine->vm.info.xsave_bytes;
}

/* Blobs of one length, in the order in which they are to be set; MSRs come behind REGS. */
struct blob {
	uint32_t type;
	size_t len;			/* 0: that of an XSAVE image */
	bool pc;			/* only where there is a local APIC */
};

static const struct blob blobs[] = {
	{ TINYVMX_STATE_LAPIC, sizeof(struct tinyvmx_lapic), true },
	{ TINYVMX_STATE_SREGS, sizeof(struct tinyvmx_sregs), false },
	{ TINYVMX_STATE_REGS, sizeof(struct tinyvmx_regs), false },
	{ TINYVMX_STATE_MSRS, 0, false },
	{ TINYVMX_STATE_XSAVE, 0, false },
	{ TINYVMX_STATE_DEBUG, sizeof(struct tinyvmx_debug), false },
	{ TINYVMX_STATE_EVENTS, sizeof(struct tinyvmx_events), false },
};

static bool has(const struct hv_vcpu *vcpu, const struct blob *blob)
{
	return !blob->pc || vcpu->machine->pc;
}

static int cannot(const struct hv_vcpu *vcpu, const char *what, const struct blob *blob, int error,
		  struct hv_error *err)
{
	return hv_fail(err, -error, "cannot %s state %u of vCPU %u: %s; do hvctl and module match?",
		       what, blob->type, vcpu->id, strerror(-error));
}

/* -------------------------------------------------------------------- save */

/* An MSR that the guest's CPU has not is left out. */
static size_t read_msrs(const struct hv_vcpu *vcpu, struct tinyvmx_msr *found)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++) {
		struct tinyvmx_msr msr = { .index = msrs[i] };

		if (!tvx_get_state(vcpu->fd, TINYVMX_STATE_MSRS, &msr, sizeof(msr)))
			found[count++] = msr;
	}
	return count;
}

static int save_msrs(const struct hv_vcpu *vcpu, struct hv_state *state)
{
	struct tinyvmx_msr found[ARRAY_SIZE(msrs)];
	size_t len = read_msrs(vcpu, found) * sizeof(found[0]);
	void *record =
		hv_records_add(state, HV_STATE_VCPU(TINYVMX_STATE_MSRS), vcpu->id, VERSION, len);

	if (!record)
		return -ENOMEM;
	memcpy(record, found, len);
	return 0;
}

static int save_blob(const struct hv_vcpu *vcpu, const struct blob *blob, struct hv_state *state)
{
	size_t len = blob->len ? blob->len : xsave_len(vcpu);
	void *record;

	if (blob->type == TINYVMX_STATE_MSRS)
		return save_msrs(vcpu, state);
	record = hv_records_add(state, HV_STATE_VCPU(blob->type), vcpu->id, VERSION, len);
	return record ? tvx_get_state(vcpu->fd, blob->type, record, len) : -ENOMEM;
}

int hv_vcpu_save(const struct hv_vcpu *vcpu, struct hv_state *state, struct hv_error *err)
{
	struct hv_vcpu_time *time =
		hv_records_add(state, HV_STATE_VCPU_TIME, vcpu->id, VERSION, sizeof(*time));

	if (!time)
		return hv_fail(err, ENOMEM, "no memory to save a vCPU; close something");
	*time = vcpu->time;
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		int error = has(vcpu, &blobs[i]) ? save_blob(vcpu, &blobs[i], state) : 0;

		if (error)
			return cannot(vcpu, "save", &blobs[i], error, err);
	}
	return 0;
}

/* -------------------------------------------------------------------- load */

static int load_blob(const struct hv_vcpu *vcpu, const struct blob *blob,
		     const struct hv_state *state, struct hv_error *err)
{
	size_t len = blob->type == TINYVMX_STATE_XSAVE ? xsave_len(vcpu) : blob->len;
	const void *record = hv_records_find(state, HV_STATE_VCPU(blob->type), vcpu->id, VERSION,
					     len, &len, err);
	int error;

	if (!record)
		return -EINVAL;
	error = tvx_set_state(vcpu->fd, blob->type, record, len);
	return error ? cannot(vcpu, "load", blob, error, err) : 0;
}

int hv_vcpu_load(struct hv_vcpu *vcpu, const struct hv_state *state, struct hv_error *err)
{
	const struct hv_vcpu_time *time = hv_records_find(state, HV_STATE_VCPU_TIME, vcpu->id,
							  VERSION, sizeof(*time), NULL, err);
	int error = 0;

	if (!time)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(blobs) && !error; i++)
		if (has(vcpu, &blobs[i]))
			error = load_blob(vcpu, &blobs[i], state, err);
	vcpu->time = *time;
	return error;
}
