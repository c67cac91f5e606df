// SPDX-License-Identifier: GPL-2.0-only
/* What holds for every ioctl: ENOTTY, size rules, flags, padding, pointers. */
#include <sys/mman.h>

#include "lib.h"

enum { DEV, VM, VCPU, KINDS };

static const char * const kind_name[] = { "device", "VM", "vCPU" };
static int fds[KINDS];

struct call {
	const char *name;
	unsigned long cmd;
	int kind;
	u32 bytes;
	u32 pad;	/* offset of a __u32 that must be 0, 0: none */
	u32 flags;	/* the ones it knows */
	u32 first;	/* bytes of its first version, 0: it is still that */
};

#define CALL(NAME, kind_, type, pad_, flags_, ...) \
	{ .name = #NAME, .cmd = TINYVMX_##NAME, .kind = kind_, .bytes = sizeof(struct type), \
	  .pad = pad_, .flags = flags_, __VA_ARGS__ }

static const struct call calls[] = {
	CALL(GET_INFO, DEV, tinyvmx_info, 0, 0),
	CALL(CREATE_VM, DEV, tinyvmx_create_vm, offsetof(struct tinyvmx_create_vm, pad),
	     TINYVMX_VM_LAPIC | TINYVMX_VM_KVM | TINYVMX_VM_FERR, .first = 8),
	CALL(SET_MEMORY, VM, tinyvmx_memory,
	     offsetof(struct tinyvmx_memory, pad),
	     TINYVMX_MEMORY_READONLY | TINYVMX_MEMORY_EXECUTE_ONLY),
	CALL(GET_USE, VM, tinyvmx_get_use, 0, TINYVMX_USE_FORGET),
	CALL(GET_EPT, VM, tinyvmx_get_ept, offsetof(struct tinyvmx_get_ept, pad), 0),
	CALL(CREATE_VCPU, VM, tinyvmx_create_vcpu,
	     offsetof(struct tinyvmx_create_vcpu, pad), 0),
	/* Without APICs none of these two looks further. */
	CALL(MSI, VM, tinyvmx_msi, 0, 0),
	CALL(IRQFD, VM, tinyvmx_irqfd, 0, TINYVMX_IRQFD_DEASSIGN),
	CALL(IOEVENTFD, VM, tinyvmx_ioeventfd,
	     offsetof(struct tinyvmx_ioeventfd, pad),
	     TINYVMX_IOEVENTFD_DATAMATCH | TINYVMX_IOEVENTFD_DEASSIGN),
	CALL(GET_STATE, VCPU, tinyvmx_state, 0, 0),
	CALL(SET_STATE, VCPU, tinyvmx_state, 0, 0),
	CALL(SET_CPUID, VCPU, tinyvmx_set_cpuid,
	     offsetof(struct tinyvmx_set_cpuid, pad), 0),
	CALL(INJECT, VCPU, tinyvmx_inject, offsetof(struct tinyvmx_inject, pad),
	     TINYVMX_INJECT_ERROR_CODE),
	CALL(GET_VMCS, VCPU, tinyvmx_get_vmcs,
	     offsetof(struct tinyvmx_get_vmcs, pad), 0),
	CALL(SET_DEBUG, VCPU, tinyvmx_set_debug, 0,
	     TINYVMX_DEBUG_INT3 | TINYVMX_DEBUG_STEP | TINYVMX_DEBUG_BREAKPOINTS |
	     TINYVMX_DEBUG_NO_INTERRUPTS),
	CALL(SET_RECORD, VCPU, tinyvmx_set_record, offsetof(struct tinyvmx_set_record, pad), 0),
};

static u32 arg[2048];
static u32 next_vcpu = 1;	/* an id that is free */

/*
 * An argument that would succeed, or fail for a reason of its own that is told
 * apart by errno: ENOENT for SET_MEMORY (deletes a slot that is not there),
 * ENOSPC for GET_VMCS (no room). CREATE_* return fds that the caller closes.
 */
static void fill(const struct call *call, u32 size)
{
	static struct tinyvmx_regs regs;

	memset(arg, 0, sizeof(arg));
	arg[0] = size;
	regs.rflags = 2;
	switch (call->cmd) {
	case TINYVMX_GET_STATE:
	case TINYVMX_SET_STATE:
		*(struct tinyvmx_state *)arg = (struct tinyvmx_state){
			.size = size, .type = TINYVMX_STATE_REGS, .version = 1,
			.data = (uintptr_t)&regs, .len = sizeof(regs),
		};
		break;
	case TINYVMX_CREATE_VM:
		*(struct tinyvmx_create_vm *)arg = create_vm_arg(0);
		arg[0] = size;
		break;
	case TINYVMX_CREATE_VCPU:
		((struct tinyvmx_create_vcpu *)arg)->id = next_vcpu;
		break;
	case TINYVMX_GET_USE:
		((struct tinyvmx_get_use *)arg)->len = PAGE;
		break;
	case TINYVMX_MSI:
		((struct tinyvmx_msi *)arg)->address = 0xfee00000;
		((struct tinyvmx_msi *)arg)->data = 0x30;
		break;
	case TINYVMX_IOEVENTFD:
		((struct tinyvmx_ioeventfd *)arg)->fd = -1;
		((struct tinyvmx_ioeventfd *)arg)->width = 1;
		break;
	case TINYVMX_INJECT:
		((struct tinyvmx_inject *)arg)->type = 77;
		break;
	}
}

/* What fill()'s argument gives where all common rules hold. */
static int own_errno(const struct call *call)
{
	switch (call->cmd) {
	case TINYVMX_SET_MEMORY:
		return ENOENT;
	case TINYVMX_INJECT:
	case TINYVMX_MSI:	/* a VM without local APICs */
	case TINYVMX_IRQFD:
		return EOPNOTSUPP;
	case TINYVMX_IOEVENTFD:
		return EBADF;
	case TINYVMX_GET_VMCS:
		return ENOSPC;
	default:
		return 0;
	}
}

static long call_it(const struct call *call, void *where)
{
	long ret = ioctl(fds[call->kind], call->cmd, where);
	int err = errno;

	if (ret > 0)
		close(ret);
	if (ret >= 0)
		next_vcpu += call->cmd == TINYVMX_CREATE_VCPU;
	errno = err;
	return ret < 0 ? -1 : 0;
}

static void test_size(const struct call *call)
{
	fill(call, call->bytes);
	err_is(call_it(call, arg), own_errno(call), "%s: as documented",
	       call->name);
	fill(call, (call->first ? call->first : call->bytes) - 1);
	err_is(call_it(call, arg), EINVAL, "%s: size too small", call->name);
	if (call->first && !(arg[1] & TINYVMX_VM_KVM)) {
		fill(call, call->first);
		err_is(call_it(call, arg), own_errno(call), "%s: its first version", call->name);
	}
	fill(call, 0);
	err_is(call_it(call, arg), EINVAL, "%s: size 0", call->name);
	fill(call, call->bytes + 64);
	err_is(call_it(call, arg), own_errno(call), "%s: zero tail", call->name);
	fill(call, call->bytes + 64);
	arg[call->bytes / 4 + 15] = 1u << 31;
	err_is(call_it(call, arg), E2BIG, "%s: non-zero tail, last byte",
	       call->name);
	fill(call, call->bytes + 1);
	((u8 *)arg)[call->bytes] = 1;
	err_is(call_it(call, arg), E2BIG, "%s: non-zero tail, one byte",
	       call->name);
	fill(call, ~0U);
	ok(call_it(call, arg) && (errno == E2BIG || errno == EINVAL),
	   "%s: size 4 GiB - 1: errno %d", call->name, errno);
}

static void test_flags(const struct call *call)
{
	for (u32 bit = 0; bit < 32; bit++) {
		if (call->flags & 1u << bit)
			continue;
		fill(call, call->bytes);
		arg[1] = 1u << bit;
		if (call_it(call, arg) && errno == EOPNOTSUPP)
			continue;
		err_is(call_it(call, arg), EOPNOTSUPP, "%s: flag bit %u",
		       call->name, bit);
		return;
	}
	ok(true, "%s: unknown flags are EOPNOTSUPP", call->name);
}

static void test_padding(const struct call *call)
{
	if (!call->pad)
		return;
	fill(call, call->bytes);
	if (call->cmd == TINYVMX_INJECT)
		arg[2] = TINYVMX_INJECT_EXTINT, arg[3] = 32;
	arg[call->pad / 4] = 1u << 31;
	err_is(call_it(call, arg), EINVAL, "%s: padding", call->name);
}

static void test_pointer(const struct call *call, u8 *hole)
{
	u32 half = call->bytes > 8 ? call->bytes / 2 : 4;

	err_is(call_it(call, NULL), EFAULT, "%s: NULL", call->name);
	err_is(call_it(call, (void *)0xffff888000000000), EFAULT,
	       "%s: a kernel address", call->name);
	err_is(call_it(call, (void *)0x8000000000000000), EFAULT,
	       "%s: a non-canonical address", call->name);
	fill(call, call->bytes);
	memcpy(hole - half, arg, half);
	err_is(call_it(call, hole - half), EFAULT, "%s: ends in unmapped memory",
	       call->name);
	fill(call, call->bytes + 64);
	memcpy(hole - call->bytes, arg, call->bytes);
	err_is(call_it(call, hole - call->bytes), EFAULT,
	       "%s: the tail is unmapped", call->name);
}

static void test_other_kinds(const struct call *call)
{
	for (int kind = 0; kind < KINDS; kind++) {
		if (kind == call->kind)
			continue;
		fill(call, call->bytes);
		err_is(ioctl(fds[kind], call->cmd, arg), ENOTTY,
		       "%s on a %s fd", call->name, kind_name[kind]);
	}
}

static void test_unknown(void)
{
	static const u32 cmd[] = {
		0, 0xBE02, 0xBE0f, 0xBE17, 0xBE1f, 0xBE29, 0xBE3f, 0xBEff,
		0xAE00, 0x4004BE00, 0xC008BE21, 0x5401, 0xffffffff,
	};

	for (int kind = 0; kind < KINDS; kind++) {
		int bad = 0;

		for (u32 i = 0; i < ARRAY_SIZE(cmd); i++) {
			if (ioctl(fds[kind], cmd[i], arg) == -1 && errno == ENOTTY)
				continue;
			diag("ioctl %#x: errno %d", cmd[i], errno);
			bad++;
		}
		is(bad, 0, "unknown ioctls on a %s fd are ENOTTY",
		   kind_name[kind]);
	}
}

int main(void)
{
	u8 *hole;

	tap_init();
	fds[DEV] = dev_open();
	fds[VM] = must(create_vm_fd());
	fds[VCPU] = must(create_vcpu_fd(fds[VM], 0));
	hole = (u8 *)map_anon(2 * PAGE) + PAGE;
	must(munmap(hole, PAGE));

	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		test_size(&calls[i]);
		test_flags(&calls[i]);
		test_padding(&calls[i]);
		test_pointer(&calls[i], hole);
		test_other_kinds(&calls[i]);
	}
	err_is(ioctl(fds[DEV], TINYVMX_RUN, 0), ENOTTY, "RUN on a device fd");
	err_is(ioctl(fds[VM], TINYVMX_RUN, 0), ENOTTY, "RUN on a VM fd");
	err_is(ioctl(fds[VCPU], TINYVMX_RUN, 1), EINVAL, "RUN with an argument");
	test_unknown();
	return tap_exit();
}
