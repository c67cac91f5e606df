// SPDX-License-Identifier: GPL-2.0-only
/* SET_STATE: illegal values are refused and leave the state as it was. */
#include "lib.h"

static struct vcpu *vcpu;

static void nothing(void)
{
}

/* SET of @bad fails with @want (or @or_else), and GET gives what it gave. */
static void refused(u32 type, const void *bad, size_t len, int want,
		    int or_else, const char *what)
{
	u8 before[512], after[512];
	int ret;

	must(get_state(vcpu->fd, type, before, len));
	ret = set_state(vcpu->fd, type, bad, len);
	if (ret && errno == or_else)
		want = or_else;
	err_is(ret, want, "%s", what);
	must(get_state(vcpu->fd, type, after, len));
	if (memcmp(before, after, len))
		ok(false, "%s: the state is as it was", what);
	must(set_state(vcpu->fd, type, before, len));
}

static void test_regs(void)
{
	static const u8 reserved[] = { 3, 5, 15, 22, 31, 32, 63 };
	struct tinyvmx_regs r = { .rflags = 0 };

	refused(TINYVMX_STATE_REGS, &r, sizeof(r), EINVAL, 0,
		"RFLAGS without bit 1");
	for (u32 i = 0; i < ARRAY_SIZE(reserved); i++) {
		r.gpr[0] = 0x5555;
		r.rflags = 2 | 1UL << reserved[i];
		refused(TINYVMX_STATE_REGS, &r, sizeof(r), EINVAL, 0,
			"RFLAGS: a reserved bit");
	}
}

struct sregs_case {
	const char *what;
	size_t field;
	u64 set;
	u64 clear;
};

#define S(field) offsetof(struct tinyvmx_sregs, field)

/* Segment fields in the table are paddings, of 2 bytes. */
static size_t sregs_field_bytes(size_t field)
{
	if (field < S(gdt_base))
		return 2;
	return field == S(gdt_limit) || field == S(idt_limit) ? 4 : 8;
}

static void test_sregs(void)
{
	static const struct sregs_case cases[] = {
		{ "CR0: bit 63", S(cr0), 1UL << 63, 0 },
		{ "CR0: bit 32", S(cr0), 1UL << 32, 0 },
		{ "CR0: a reserved bit", S(cr0), 1 << 17, 0 },
		{ "CR0: PG without PE", S(cr0), 0, 1 },
		{ "CR0: NW without CD", S(cr0), 1 << 29, 0 },
		{ "CR3: bit 52", S(cr3), 1UL << 52, 0 },
		{ "CR3: bit 63", S(cr3), 1UL << 63, 0 },
		{ "CR4: VMXE", S(cr4), 1 << 13, 0 },
		{ "CR4: bit 15", S(cr4), 1 << 15, 0 },
		{ "CR4: bit 32", S(cr4), 1UL << 32, 0 },
		{ "CR8: 16", S(cr8), 16, 0 },
		{ "CR8: bit 63", S(cr8), 1UL << 63, 0 },
		{ "EFER: a reserved bit", S(efer), 2, 0 },
		{ "EFER: bit 63", S(efer), 1UL << 63, 0 },
		{ "EFER: LMA clear with LME and PG", S(efer), 0, 0x400 },
		{ "EFER: LME clear with LMA", S(efer), 0, 0x100 },
		{ "CR0: PG clear with LMA", S(cr0), 0, 0x80000000 },
		{ "GDT limit 10000H", S(gdt_limit), 0x10000, 0 },
		{ "IDT limit 10000H", S(idt_limit), 0x10000, 0 },
		{ "segment padding", S(seg[0].pad[0]), 1, 0 },
		{ "segment padding of TR", S(seg[7].pad[2]), 1, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tinyvmx_sregs s = vcpu_sregs(vcpu);
		u8 *p = (u8 *)&s + cases[i].field;
		u64 value;
		size_t n = sregs_field_bytes(cases[i].field);

		value = 0;
		memcpy(&value, p, n);
		value = (value | cases[i].set) & ~cases[i].clear;
		memcpy(p, &value, n);
		s.cr2 = 0x7777;
		refused(TINYVMX_STATE_SREGS, &s, sizeof(s), EINVAL, 0,
			cases[i].what);
	}
}

static void test_masks(void)
{
	struct tinyvmx_sregs s;
	u32 accepted = 0;

	for (u32 bit = 0; bit < 64; bit++) {
		s = vcpu_sregs(vcpu);
		if (info()->cr4_mask >> bit & 1)
			continue;
		s.cr4 |= 1UL << bit;
		accepted += !set_state(vcpu->fd, TINYVMX_STATE_SREGS, &s,
				       sizeof(s));
	}
	is(accepted, 0, "no CR4 bit outside cr4_mask is accepted");
	for (u32 bit = 0; bit < 64; bit++) {
		s = vcpu_sregs(vcpu);
		if (info()->efer_mask >> bit & 1)
			continue;
		s.efer |= 1UL << bit;
		accepted += !set_state(vcpu->fd, TINYVMX_STATE_SREGS, &s,
				       sizeof(s));
	}
	is(accepted, 0, "no EFER bit outside efer_mask is accepted");
}

static void test_msrs(void)
{
	static const struct tinyvmx_msr bad[] = {
		{ 0x12345678, 0, 0 }, { 0xc0000082, 0, 1UL << 47 },
		{ 0xc0000102, 0, 1UL << 63 }, { 0x277, 0, 2 },
		{ 0x176, 0, 1UL << 47 }, { 0xc0000080, 0, 2 },
		{ 0xc0000082, 1, 0 },
	};
	struct tinyvmx_msr m = { .index = 0x12345678 };
	struct tinyvmx_msr some[3] = {
		{ 0xc0000081, 0, 0x1111 }, { 0x12345678, 0, 0 },
		{ 0xc0000083, 0, 0x3333 },
	};
	u32 most = info()->max_msr_entries;
	struct tinyvmx_msr *many = calloc(most + 1, sizeof(*many));

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, &bad[i],
				 sizeof(m)), EINVAL, "SET MSR %#x = %#llx, pad %u",
		       bad[i].index, bad[i].value, bad[i].pad);
	err_is(get_state(vcpu->fd, TINYVMX_STATE_MSRS, &m, sizeof(m)), EINVAL,
	       "GET of an unknown MSR");
	m.index = 0xc0000082;
	m.pad = 1;
	err_is(get_state(vcpu->fd, TINYVMX_STATE_MSRS, &m, sizeof(m)), EINVAL,
	       "GET with padding");
	vcpu_set_msr(vcpu, 0xc0000083, 0);
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, some, sizeof(some)),
	       EINVAL, "a list with a bad one in the middle");
	is(vcpu_msr(vcpu, 0xc0000081), 0x1111, "the ones before it are written");
	is(vcpu_msr(vcpu, 0xc0000083), 0, "the ones behind it are not");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, &m, 15), EINVAL,
	       "15 bytes");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, &m, 17), EINVAL,
	       "17 bytes");
	for (u32 i = 0; i <= most; i++)
		many[i].index = 0xc0000081;
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, many,
			 most * sizeof(*many)), 0, "max_msr_entries");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, many,
			 (most + 1) * sizeof(*many)), ENOSPC, "one more");
	free(many);
}

static void xsave_refused(u64 where, u8 bits, int want, const char *what)
{
	u64 len = offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
	u8 *x = calloc(1, len), *after = calloc(1, len);

	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len));
	x[64 + 160] ^= 0xff;
	x[where] |= bits;
	if (!where)
		x[0] = bits;
	err_is(set_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len), want, "%s", what);
	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, after, len));
	ok(after[64 + 160] != x[64 + 160], "%s: the state is as it was", what);
	free(x);
	free(after);
}

static void test_xsave(void)
{
	xsave_refused(0, 0, EINVAL, "XCR0 = 0");
	xsave_refused(0, 2, EINVAL, "XCR0 without x87");
	xsave_refused(0, 5, EINVAL, "XCR0 with AVX without SSE");
	xsave_refused(7, 0x80, EINVAL, "XCR0 bit 63");
	xsave_refused(6, 0x40, EINVAL, "XCR0 bit 62");
	xsave_refused(8, 1, EINVAL, "padding");
	xsave_refused(63, 0x80, EINVAL, "the last byte of padding");
	xsave_refused(64 + 26, 1, EINVAL, "MXCSR bit 16");
	xsave_refused(64 + 27, 0x80, EINVAL, "MXCSR bit 31");
	xsave_refused(64 + 512 + 7, 0x40, EINVAL, "XSTATE_BV bit 62");
	xsave_refused(64 + 512 + 8, 1, EINVAL, "XCOMP_BV");
	xsave_refused(64 + 512 + 16, 1, EINVAL, "a reserved header byte");
}

static void event_refused(struct tinyvmx_events e, const char *what)
{
	refused(TINYVMX_STATE_EVENTS, &e, sizeof(e), EINVAL, EOPNOTSUPP, what);
}

#define E(...) ((struct tinyvmx_events){ __VA_ARGS__ })

static void test_events(void)
{
	event_refused(E(.pending = 8), "an unknown pending bit");
	event_refused(E(.pending = 1U << 31), "pending bit 31");
	event_refused(E(.interruptibility = 4), "blocking by SMI");
	event_refused(E(.interruptibility = 16), "enclave interruption");
	event_refused(E(.interruptibility = 1U << 31), "interruptibility bit 31");
	event_refused(E(.activity = 3), "activity wait-for-SIPI");
	event_refused(E(.activity = ~0U), "activity 2^32 - 1");
	event_refused(E(.pending = 2, .extint_vector = 256), "EXTINT 256");
	event_refused(E(.pad = 1), "padding");
	event_refused(E(.pending = 4, .event_info = 0x306),
		      "an event that is not valid");
	event_refused(E(.pending = 4, .event_info = 0x80000106),
		      "an event of the reserved type 1");
	event_refused(E(.pending = 4, .event_info = 0x80000700),
		      "an event of type 7");
	event_refused(E(.pending = 4, .event_info = 0x80001306),
		      "an event with a reserved bit");
	event_refused(E(.pending = 4, .event_info = 0x80000203),
		      "an NMI with vector 3");
	event_refused(E(.pending = 4, .event_info = 0x80000320),
		      "a hardware exception 32");
	event_refused(E(.pending = 4, .event_info = 0x80000b06),
		      "#UD with an error code");
	event_refused(E(.pending = 4, .event_info = 0x80000480,
			.event_instruction_len = 16), "an instruction of 16 bytes");
}

static void test_debug(void)
{
	struct tinyvmx_debug d = { .dr6 = 1UL << 32, .dr7 = 0x400 };

	refused(TINYVMX_STATE_DEBUG, &d, sizeof(d), EINVAL, 0, "DR6 bit 32");
	d.dr6 = 0xffff0ff0;
	d.dr7 = 1UL << 63 | 0x400;
	refused(TINYVMX_STATE_DEBUG, &d, sizeof(d), EINVAL, 0, "DR7 bit 63");
}

static void test_arguments(void)
{
	static const struct {
		u32 type;
		u64 len;
	} types[] = {
		{ TINYVMX_STATE_REGS, sizeof(struct tinyvmx_regs) },
		{ TINYVMX_STATE_SREGS, sizeof(struct tinyvmx_sregs) },
		{ TINYVMX_STATE_EVENTS, sizeof(struct tinyvmx_events) },
		{ TINYVMX_STATE_DEBUG, sizeof(struct tinyvmx_debug) },
	};
	struct tinyvmx_state arg = {
		.size = sizeof(arg), .type = 1, .version = 2, .len = 144,
	};
	u8 blob[512];

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		u32 type = types[i].type;
		u64 len = types[i].len;

		err_is(get_state(vcpu->fd, type, blob, len - 1), EINVAL,
		       "type %u: GET a byte too short", type);
		err_is(get_state(vcpu->fd, type, blob, len + 1), EINVAL,
		       "type %u: GET a byte too long", type);
		err_is(set_state(vcpu->fd, type, blob, len + 8), EINVAL,
		       "type %u: SET too long", type);
		err_is(set_state(vcpu->fd, type, blob, 0), EINVAL,
		       "type %u: SET of nothing", type);
		err_is(set_state(vcpu->fd, type, NULL, len), EFAULT,
		       "type %u: SET from NULL", type);
		err_is(get_state(vcpu->fd, type, NULL, len), EFAULT,
		       "type %u: GET to NULL", type);
		err_is(get_state(vcpu->fd, type, (void *)0xffff888000000000,
				 len), EFAULT, "type %u: GET to the kernel", type);
	}
	err_is(get_state(vcpu->fd, 0, blob, 8), EOPNOTSUPP, "type 0");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_TSC + 1, blob, 8), EOPNOTSUPP,
	       "the type behind the last one");
	err_is(get_state(vcpu->fd, TINYVMX_STATE_LAPIC, blob,
			 sizeof(struct tinyvmx_lapic)), EOPNOTSUPP,
	       "LAPIC of a VM without local APICs");
	err_is(set_state(vcpu->fd, ~0U, blob, 8), EOPNOTSUPP, "type 2^32 - 1");
	arg.data = (uintptr_t)blob;
	err_is(ioctl(vcpu->fd, TINYVMX_GET_STATE, &arg), EOPNOTSUPP, "version 2");
	arg.version = 0;
	err_is(ioctl(vcpu->fd, TINYVMX_SET_STATE, &arg), EOPNOTSUPP, "version 0");
	err_is(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, blob, 64), EINVAL,
	       "XSAVE without an image");
	err_is(set_state(vcpu->fd, TINYVMX_STATE_MSRS, blob, 1UL << 40), ENOSPC,
	       "a TiB of MSRs");
}

int main(void)
{
	tap_init();
	vcpu = vcpu_simple(nothing);
	test_regs();
	test_sregs();
	test_masks();
	test_msrs();
	test_xsave();
	test_events();
	test_debug();
	test_arguments();
	return tap_exit();
}
