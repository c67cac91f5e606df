// SPDX-License-Identifier: GPL-2.0-only
/* INJECT: what it refuses, and that a refused event is not left pending. */
#include "lib.h"

static int vcpu;

static void nothing(void)
{
}

static int raw(u32 flags, u32 type, u32 vector, u32 error_code)
{
	struct tinyvmx_inject arg = {
		.size = sizeof(arg), .flags = flags, .type = type,
		.vector = vector, .error_code = error_code,
	};

	return ioctl(vcpu, TINYVMX_INJECT, &arg);
}

static u32 pending(void)
{
	struct tinyvmx_events ev;

	must(get_state(vcpu, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	return ev.pending;
}

static void test_types(void)
{
	static const u32 type[] = { 1, 4, 5, 6, 7, 8, 0x103, ~0U };

	for (u32 i = 0; i < ARRAY_SIZE(type); i++)
		err_is(raw(0, type[i], 32, 0), EOPNOTSUPP, "type %u", type[i]);
}

static void test_vectors(void)
{
	const u32 ext = TINYVMX_INJECT_EXTINT, exc = TINYVMX_INJECT_EXCEPTION;

	err_is(raw(0, ext, 256, 0), EINVAL, "EXTINT 256");
	err_is(raw(0, ext, ~0U, 0), EINVAL, "EXTINT 2^32 - 1");
	err_is(raw(0, TINYVMX_INJECT_NMI, 0, 0), EINVAL, "NMI 0");
	err_is(raw(0, TINYVMX_INJECT_NMI, 3, 0), EINVAL, "NMI 3");
	err_is(raw(0, exc, 2, 0), EINVAL, "exception 2");
	err_is(raw(0, exc, 32, 0), EINVAL, "exception 32");
	err_is(raw(1, ext, 32, 0), EINVAL, "EXTINT with an error code");
	err_is(raw(1, TINYVMX_INJECT_NMI, 2, 0), EINVAL, "NMI with one");
	err_is(raw(1, exc, 6, 0), EINVAL, "#UD with one");
	is(pending(), 0, "nothing of this is pending");
}

static void test_busy(void)
{
	err_is(raw(0, TINYVMX_INJECT_EXTINT, 8, 0), 0, "EXTINT 8, as a BIOS sets the 8259");
	is(pending(), TINYVMX_PENDING_EXTINT, "... is pending");
	err_is(raw(0, TINYVMX_INJECT_EXTINT, 255, 0), EBUSY, "a second EXTINT");
	err_is(raw(0, TINYVMX_INJECT_NMI, 2, 0), 0, "NMI");
	err_is(raw(0, TINYVMX_INJECT_NMI, 2, 0), EBUSY, "a second NMI");
	err_is(raw(0, TINYVMX_INJECT_EXCEPTION, 6, 0), 0, "#UD");
	err_is(raw(0, TINYVMX_INJECT_EXCEPTION, 0, 0), EBUSY,
	       "a second exception");
	is(pending(), 7, "all three are pending");
}

static void test_taken_back(void)
{
	struct tinyvmx_events ev;

	must(get_state(vcpu, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	is(ev.extint_vector, 8, "the vector is that of the first one");
	is(ev.event_info, 0x80000306, "the event is a hardware exception #UD");
	memset(&ev, 0, sizeof(ev));
	err_is(set_state(vcpu, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)), 0,
	       "SET_STATE takes them away");
	is(pending(), 0, "nothing is pending");
	err_is(raw(1, TINYVMX_INJECT_EXCEPTION, 13, 0xfff8), 0, "#GP");
	must(get_state(vcpu, TINYVMX_STATE_EVENTS, &ev, sizeof(ev)));
	is(ev.event_info, 0x80000b0d, "... as the VM-entry field has it");
	is(ev.event_error_code, 0xfff8, "... with its error code");
}

int main(void)
{
	tap_init();
	vcpu = vcpu_simple(nothing)->fd;
	test_types();
	test_vectors();
	test_busy();
	test_taken_back();
	return tap_exit();
}
