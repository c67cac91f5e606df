// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a debugger does to a VM that stands still: registers, memory, points, and having it go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugger.h"
#include "examine.h"
#include "lib/event.h"
#include "lib/tvx.h"
#include "lib/x86.h"

#define IA32_KERNEL_GS_BASE 0xc0000102

static struct hv_vcpu *vcpu_of(void *ctx, unsigned int n)
{
	return &((struct hv_debugger *)ctx)->machine->vcpus[n];
}

static unsigned int count(void *ctx)
{
	return ((struct hv_debugger *)ctx)->machine->nr_vcpus;
}

/* ---------------------------------------------------------------- registers */

/* How much of the image is of interest. */
static size_t fpu_bytes(const struct hv_vcpu *vcpu)
{
	return vcpu->machine->vm.info.xsave_bytes >= HV_GDB_FPU_AVX ? HV_GDB_FPU_AVX :
								      HV_GDB_FPU_SSE;
}

static bool has_avx(const struct hv_vcpu *vcpu)
{
	return fpu_bytes(vcpu) == HV_GDB_FPU_AVX && vcpu->machine->vm.info.xcr0_mask & 4;
}

static int get_fpu(const struct hv_vcpu *vcpu, uint8_t *fpu)
{
	struct tinyvmx_xsave *xsave;
	int error = hv_vcpu_xsave(vcpu, &xsave);

	if (!error) {
		memcpy(fpu, xsave->image, fpu_bytes(vcpu));
		hv_gdb_fpu_fill(fpu, has_avx(vcpu));
	}
	free(xsave);
	return error;
}

static int set_fpu(const struct hv_vcpu *vcpu, const uint8_t *fpu)
{
	struct tinyvmx_xsave *xsave;
	int error = hv_vcpu_xsave(vcpu, &xsave);

	if (!error) {
		memcpy(xsave->image, fpu, fpu_bytes(vcpu));
		error = tvx_set_state(vcpu->fd, TINYVMX_STATE_XSAVE, xsave,
				      sizeof(*xsave) + vcpu->machine->vm.info.xsave_bytes);
	}
	free(xsave);
	return error;
}

static int get(void *ctx, unsigned int n, struct hv_gdb_cpu *cpu)
{
	const struct hv_vcpu *vcpu = vcpu_of(ctx, n);
	int error = tvx_get_regs(vcpu->fd, &cpu->regs);

	memset(cpu->fpu, 0, sizeof(cpu->fpu));
	if (!error)
		error = tvx_get_sregs(vcpu->fd, &cpu->sregs);
	if (!error)
		error = get_fpu(vcpu, cpu->fpu);
	/* A CPU without long mode has none. */
	if (tvx_get_msr(vcpu->fd, IA32_KERNEL_GS_BASE, &cpu->kernel_gs_base))
		cpu->kernel_gs_base = 0;
	return error;
}

static int set(void *ctx, unsigned int n, const struct hv_gdb_cpu *cpu, unsigned int parts)
{
	const struct hv_vcpu *vcpu = vcpu_of(ctx, n);
	int error = 0;

	if (parts & HV_GDB_WROTE_SREGS)
		error = tvx_set_sregs(vcpu->fd, &cpu->sregs);
	if (parts & HV_GDB_WROTE_REGS && !error)
		error = tvx_set_regs(vcpu->fd, &cpu->regs);
	if (parts & HV_GDB_WROTE_MSR && !error)
		error = tvx_set_msr(vcpu->fd, IA32_KERNEL_GS_BASE, cpu->kernel_gs_base);
	if (parts & HV_GDB_WROTE_FPU && !error)
		error = set_fpu(vcpu, cpu->fpu);
	return error;
}

static const char *describe(void *ctx, unsigned int n)
{
	struct tinyvmx_events events;

	if (tvx_get_state(vcpu_of(ctx, n)->fd, TINYVMX_STATE_EVENTS, &events, sizeof(events)))
		return "unknown";
	return hv_activity_name(events.activity);
}

/* ------------------------------------------------------------------- memory */

/* A part of a page, which is RAM or ROM. False: it cannot be done. */
typedef bool (*piece_fn)(struct hv_debugger *debugger, uint64_t gpa, void *buf, size_t len);

static bool read_piece(struct hv_debugger *debugger, uint64_t gpa, void *buf, size_t len)
{
	if (hv_memory_read(debugger->points.memory, gpa, buf, len))
		return false;
	hv_gdb_hide(&debugger->points, gpa, buf, len);
	return true;
}

static bool write_piece(struct hv_debugger *debugger, uint64_t gpa, void *buf, size_t len)
{
	uint8_t was[HV_GDB_BODY_MAX];

	/* First whether it can be. */
	if (len > sizeof(was) || hv_memory_read(debugger->points.memory, gpa, was, len))
		return false;
	hv_gdb_merge(&debugger->points, gpa, buf, len);
	return !hv_memory_write(debugger->points.memory, gpa, buf, len);
}

/* Page by page, as far as it goes: how many bytes. */
static size_t each_piece(struct hv_debugger *debugger, unsigned int n, uint64_t gva, void *buf,
			 size_t len, piece_fn fn)
{
	const struct hv_vcpu *vcpu = vcpu_of(debugger, n);
	struct tinyvmx_sregs sregs;
	size_t done = 0, piece;
	uint64_t gpa;

	if (tvx_get_sregs(vcpu->fd, &sregs))
		return 0;
	for (; done < len; done += piece) {
		if (!hv_debugger_translate(vcpu, &sregs, gva + done, &gpa, &piece))
			break;
		if (piece > len - done)
			piece = len - done;
		if (!fn(debugger, gpa, (uint8_t *)buf + done, piece))
			break;
	}
	return done;
}

static size_t read_memory(void *ctx, unsigned int n, uint64_t gva, void *buf, size_t len)
{
	return each_piece(ctx, n, gva, buf, len, read_piece);
}

static size_t write_memory(void *ctx, unsigned int n, uint64_t gva, const void *buf, size_t len)
{
	uint8_t copy[HV_GDB_BODY_MAX];

	if (len > sizeof(copy))
		return 0;
	memcpy(copy, buf, len);
	return each_piece(ctx, n, gva, copy, len, write_piece);
}

/* ------------------------------------------------------------------- points */

static int insert(void *ctx, unsigned int n, enum hv_gdb_point kind, uint64_t gva, uint64_t len)
{
	struct hv_debugger *debugger = ctx;
	const struct hv_vcpu *vcpu = vcpu_of(ctx, n);
	struct tinyvmx_sregs sregs;
	uint64_t gpa;
	size_t room;

	if (kind != HV_GDB_BREAK)
		return hv_gdb_watch(&debugger->points, kind, gva, len);
	if (tvx_get_sregs(vcpu->fd, &sregs) ||
	    !hv_debugger_translate(vcpu, &sregs, gva, &gpa, &room))
		return -EFAULT;
	return hv_gdb_plant(&debugger->points, gva, gpa);
}

static int remove_point(void *ctx, enum hv_gdb_point kind, uint64_t gva, uint64_t len)
{
	struct hv_debugger *debugger = ctx;

	if (kind != HV_GDB_BREAK)
		return hv_gdb_unwatch(&debugger->points, kind, gva, len);
	/* A reset may have taken it away, which gdb does not know. */
	(void)hv_gdb_unplant(&debugger->points, gva);
	return 0;
}

/* ------------------------------------------------------------------- resume */

/* A breakpoint on execution, in a debug register, that it is at: it was told, and goes past. */
static int go_past(const struct hv_debugger *debugger, const struct hv_vcpu *vcpu)
{
	struct hv_registers registers;
	struct hv_view view;
	int error;

	/* Not if another's hit was told instead. */
	if (vcpu->hit.cause)
		return 0;
	error = hv_vcpu_registers(vcpu, &registers);
	if (error)
		return error;
	view = hv_vcpu_view(vcpu, &registers);
	if (!hv_gdb_stops_at(&debugger->points, hv_view_code(&view, registers.regs.rip)))
		return 0;
	registers.regs.rflags |= X86_RFLAGS_RF;
	return tvx_set_regs(vcpu->fd, &registers.regs);
}

/* An access that was made and not told: all stand still until it is. */
static bool has_untold(const struct hv_debugger *debugger)
{
	for (unsigned int i = 0; i < debugger->machine->nr_vcpus; i++) {
		const struct hv_vcpu_hit *hit = &debugger->machine->vcpus[i].hit;
		const struct hv_gdb_debug_reg *reg = hv_gdb_hit(&debugger->points, hit->dr6);

		if (hit->cause && reg && reg->kind != HV_GDB_HBREAK)
			return true;
	}
	return false;
}

static int prepare(struct hv_debugger *debugger, unsigned int n, enum hv_gdb_action action)
{
	struct hv_vcpu *vcpu = vcpu_of(debugger, n);
	int error = action == HV_GDB_STAND ? 0 : go_past(debugger, vcpu);

	debugger->steps[n] = action == HV_GDB_STEP;
	/*
	 * What was not told comes again when it goes on: of one that stands it is kept till then.
	 */
	if (action != HV_GDB_STAND || vcpu->hit.cause != TINYVMX_DEBUG_BREAKPOINTS)
		vcpu->hit.cause = 0;
	hv_vcpu_hold(vcpu, action == HV_GDB_STAND);
	return error ? error : hv_debugger_arm(debugger, n);
}

static int resume(void *ctx, const enum hv_gdb_action action[HV_GDB_VCPUS_MAX])
{
	struct hv_debugger *debugger = ctx;
	int error = 0;

	if (has_untold(debugger)) {
		hv_signal_event(debugger->control->stops.fd);
		return 0;
	}
	error = hv_debugger_veil(debugger);
	for (unsigned int i = 0; i < count(ctx) && !error; i++)
		error = prepare(debugger, i, action[i]);
	if (error == -EOPNOTSUPP)
		hv_gdb_say(&debugger->gdb,
			   "This CPU cannot step (no monitor trap flag): set a breakpoint.\n");
	if (!error)
		hv_debugger_let_go(debugger);
	return error;
}

static void interrupt(void *ctx)
{
	struct hv_debugger *debugger = ctx;

	debugger->interrupted = true;
	if (!debugger->stopped)
		hv_machine_want_attention(debugger->machine, HV_ATTENTION_DEBUG);
}

/* The client is dropped when what was said to it is on its way. */
static void detach(void *ctx)
{
	struct hv_debugger *debugger = ctx;

	hv_debugger_disarm(debugger);
	hv_debugger_let_go(debugger);
	debugger->client->dropped = true;
}

static void end(void *ctx)
{
	struct hv_debugger *debugger = ctx;
	char who[HV_DEBUGGER_WHO_MAX];

	hv_debugger_who(debugger, who);
	hv_machine_end(debugger->machine, HV_END_KILLED, 0, "told so by the debugger of %s", who);
	hv_loop_stop(&debugger->machine->loop);
}

static void monitor(void *ctx, unsigned int n, const char *text, FILE *out)
{
	hv_debugger_monitor(ctx, vcpu_of(ctx, n), text, out);
}

static void send_to_client(void *ctx, const void *data, size_t len)
{
	struct hv_debugger *debugger = ctx;

	if (debugger->client)
		hv_control_send_raw(debugger->client, data, len);
}

const struct hv_gdb_ops hv_debugger_ops = {
	.count = count,
	.get = get,
	.set = set,
	.read = read_memory,
	.write = write_memory,
	.insert = insert,
	.remove = remove_point,
	.resume = resume,
	.interrupt = interrupt,
	.detach = detach,
	.kill = end,
	.describe = describe,
	.monitor = monitor,
	.send = send_to_client,
};
