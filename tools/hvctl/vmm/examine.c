// SPDX-License-Identifier: GPL-2.0-only
/* What there is to look at of a vCPU that does not run. */
#include <errno.h>
#include <stdlib.h>

#include "debug/gdb_regs.h"
#include "examine.h"
#include "lib/tvx.h"

int hv_vcpu_registers(const struct hv_vcpu *vcpu, struct hv_registers *registers)
{
	struct tinyvmx_events *events = &registers->events;
	struct tinyvmx_debug *debug = &registers->debug;
	int error = tvx_get_regs(vcpu->fd, &registers->regs);

	if (!error)
		error = tvx_get_sregs(vcpu->fd, &registers->sregs);
	if (!error)
		error = tvx_get_state(vcpu->fd, TINYVMX_STATE_DEBUG, debug, sizeof(*debug));
	if (!error)
		error = tvx_get_state(vcpu->fd, TINYVMX_STATE_EVENTS, events, sizeof(*events));
	return error;
}

int hv_vcpu_xsave(const struct hv_vcpu *vcpu, struct tinyvmx_xsave **xsave)
{
	const size_t bytes = vcpu->machine->vm.info.xsave_bytes, head = sizeof(**xsave);
	int error = -ENOMEM;

	*xsave = calloc(1, head + (bytes < HV_GDB_FPU_SSE ? HV_GDB_FPU_SSE : bytes));
	if (*xsave)
		error = tvx_get_state(vcpu->fd, TINYVMX_STATE_XSAVE, *xsave, head + bytes);
	if (error) {
		free(*xsave);
		*xsave = NULL;
	}
	return error;
}

static bool find_symbol(const void *payload, uint64_t address, char *text, size_t len)
{
	return hv_payload_find_symbol(payload, address, text, len);
}

struct hv_view hv_vcpu_view(const struct hv_vcpu *vcpu, const struct hv_registers *registers)
{
	return (struct hv_view){
		.regs = &registers->regs,
		.sregs = &registers->sregs,
		.memory = &vcpu->machine->memory,
		.gpa_bits = vcpu->machine->vm.info.gpa_bits,
		.find_symbol = find_symbol,
		.symbols = &vcpu->machine->payload,
	};
}

int hv_vcpu_vmcs(const struct hv_vcpu *vcpu, struct hv_vmcs *vmcs)
{
	uint32_t count = 0;
	int error;

	*vmcs = (struct hv_vmcs){ 0 };
	/* It says how many there are. */
	tvx_get_vmcs(vcpu->fd, NULL, &count);
	vmcs->fields = calloc(count ? count : 1, sizeof(*vmcs->fields));
	if (!vmcs->fields)
		return -ENOMEM;
	error = tvx_get_vmcs(vcpu->fd, vmcs->fields, &count);
	vmcs->n = count;
	if (error)
		hv_vmcs_free(vmcs);
	return error;
}
