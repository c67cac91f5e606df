// SPDX-License-Identifier: GPL-2.0-only
/* TINYVMX_MSI: what is refused, who is addressed. */
#include "lapic.h"

#define VECTOR	0x61

static struct vm *vm;
static struct vcpu *vcpus[4];

/* Four vCPUs with these ids, none of them running. */
static void create(const u32 *ids, bool x2apic)
{
	vm = lapic_vm();
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++) {
		vcpus[i] = x2apic ? lapic_vcpu(vm, ids[i], guest_spin) :
				    lapic_vcpu_reset(vm, ids[i], guest_spin);
		vcpu_set_msr(vcpus[i], X_SVR, SVR_ON);
	}
}

static void destroy(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpu_destroy(vcpus[i]);
	vm_destroy(vm);
}

/* Bit n: vCPU n has it pending; it is cleared. */
static u32 taken(u8 vector)
{
	struct tinyvmx_lapic state;
	u32 mask = 0;

	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++) {
		mask |= (u32)lapic_bit(vcpus[i], X_IRR, vector) << i;
		state = lapic_state(vcpus[i]);
		memset(&state.regs[REGS(X_IRR)], 0, 8 * sizeof(u32));
		must(try_set_lapic(vcpus[i], &state));
	}
	return mask;
}

static const u32 low_ids[] = { 0, 1, 2, 3 };

static void test_errors(void)
{
	static const u64 bad_address[] = {
		0, 0xfec00000, 0xfed00000, 0xfef00000, 0xfee, 0x1fee00000,
		0xfffee00000, ~0UL, 0x100fee00000 ^ 0x80000000,
	};
	static const u32 bad_mode[] = { 0x200, 0x300, 0x500, 0x600 };
	struct tinyvmx_msi arg = { .size = sizeof(arg), .address = MSI_BASE, .data = VECTOR };

	create(low_ids, false);
	for (u32 i = 0; i < ARRAY_SIZE(bad_address); i++)
		err_is(msi_raw(vm->fd, bad_address[i], VECTOR), EINVAL,
		       "address %#lx", bad_address[i]);
	for (u32 vector = 0; vector < 16; vector += 15) {
		err_is(msi_raw(vm->fd, MSI_BASE, vector), EINVAL, "vector %u", vector);
		err_is(msi_raw(vm->fd, MSI_BASE, MODE_LOWEST | vector), EINVAL,
		       "... lowest priority");
	}
	for (u32 i = 0; i < ARRAY_SIZE(bad_mode); i++)
		err_is(msi_raw(vm->fd, MSI_BASE, bad_mode[i] | VECTOR), EOPNOTSUPP,
		       "delivery mode %u", bad_mode[i] >> 8);
	arg.pad = 1;
	err_is(ioctl(vm->fd, TINYVMX_MSI, &arg), EINVAL, "non-zero padding");
	arg.pad = 0;
	arg.flags = 1;
	err_is(ioctl(vm->fd, TINYVMX_MSI, &arg), EOPNOTSUPP, "a flag");
	arg.flags = 0;
	arg.size = sizeof(arg) - 4;
	err_is(ioctl(vm->fd, TINYVMX_MSI, &arg), EINVAL, "too small a struct");
	err_is(ioctl(vcpus[0]->fd, TINYVMX_MSI, &arg), ENOTTY, "on a vCPU");
	err_is(ioctl(vm->fd, TINYVMX_MSI, NULL), EFAULT, "no struct");
	err_is(msi(vm, 4, VECTOR), ENOENT, "an id that is not there");
	err_is(msi_raw(vm->fd, MSI_BASE | MSI_DEST(4), MODE_NMI), ENOENT, "... NMI");
	is(taken(VECTOR), 0, "nobody has got anything");
	destroy();
}

static void test_other_vms(void)
{
	struct vm *plain = vm_create();
	struct vm *empty = lapic_vm();
	struct vcpu *vcpu = vcpu_create(plain, 0, guest_spin, 0);
	struct tinyvmx_lapic state;

	err_is(msi(plain, 0, VECTOR), EOPNOTSUPP, "a VM without local APICs");
	err_is(msi_raw(plain->fd, 0, 0), EOPNOTSUPP, "... whatever the message is");
	err_is(get_state(vcpu->fd, TINYVMX_STATE_LAPIC, &state, sizeof(state)),
	       EOPNOTSUPP, "... it has no STATE_LAPIC");
	err_is(msi(empty, 0, VECTOR), ENOENT, "a VM without vCPUs");
	vcpu_destroy(vcpu);
	vm_destroy(plain);
	vm_destroy(empty);
}

struct row {
	u64 address;
	u32 data;
	u32 want;	/* bit n: vcpus[n] gets it */
};

static void send_all(const struct row *rows, u32 count, const char *what)
{
	for (u32 i = 0; i < count; i++) {
		u64 address = MSI_BASE | rows[i].address;
		int err = rows[i].want ? 0 : ENOENT;

		err_is(msi_raw(vm->fd, address, rows[i].data | VECTOR), err,
		       "%s: address %#lx data %#x", what, address, rows[i].data);
		is(taken(VECTOR), rows[i].want, "... to whom");
	}
}

#define L(dest)	(MSI_LOGICAL | MSI_DEST(dest))
#define P(dest)	MSI_DEST(dest)

static void set_logical(u32 dfr, const u32 *ldr)
{
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++) {
		vcpu_set_msr(vcpus[i], X_DFR, dfr);
		vcpu_set_msr(vcpus[i], X_LDR, ldr[i] << 24);
	}
}

static void test_xapic(void)
{
	static const u32 flat_ldr[] = { 1, 2, 4, 0x84 };
	static const u32 cluster_ldr[] = { 0x11, 0x12, 0x21, 0x22 };
	static const struct row flat[] = {
		{ P(0), 0, 1 }, { P(3), 0, 8 }, { P(0xff), 0, 0xf },
		{ P(3) | 8, 0, 8 },	/* the redirection hint changes nothing here */
		{ L(1), 0, 1 }, { L(6), 0, 0xe }, { L(0x80), 0, 8 },
		{ L(0xff), 0, 0xf }, { L(0x10), 0, 0 }, { L(0), 0, 0 },
		{ P(2), MODE_LOWEST, 4 }, { P(2), 0x4000, 4 },
		{ P(0x80), 0, 0 }, { P(0x100), 0, 0 }, { P(0x10000), 0, 0 },
	};
	static const struct row cluster[] = {
		{ L(0x11), 0, 1 }, { L(0x13), 0, 3 }, { L(0x23), 0, 0xc },
		{ L(0x31), 0, 0 }, { L(0x14), 0, 0 }, { L(0xff), 0, 0xf },
		{ L(0x20), 0, 0 }, { P(1), 0, 2 },
	};

	create(low_ids, false);
	set_logical(~0U, flat_ldr);
	send_all(flat, ARRAY_SIZE(flat), "xAPIC flat");
	set_logical(0x0fffffff, cluster_ldr);
	send_all(cluster, ARRAY_SIZE(cluster), "xAPIC cluster");
	destroy();
}

static void test_x2apic(void)
{
	static const u32 ids[] = { 0, 9, 16, 63 };
	static const struct row rows[] = {
		{ P(0), 0, 1 }, { P(9), 0, 2 }, { P(16), 0, 4 }, { P(63), 0, 8 },
		{ P(0xff), 0, 0xf }, { P(0xffffffff), 0, 0xf },
		{ P(0x109), 0, 0 }, { P(0x80000000), 0, 0 },
		{ L(1), 0, 1 }, { L(0x200), 0, 2 }, { L(0x201), 0, 3 },
		{ L(0x10001), 0, 4 }, { L(0x38000), 0, 8 },
		{ L(0x1ffff), 0, 4 }, { L(0x20001), 0, 0 },
		{ L(0xffffffff), 0, 0xf }, { L(0x10000), 0, 0 },
	};

	create(ids, true);
	send_all(rows, ARRAY_SIZE(rows), "x2APIC");
	destroy();
}

static void test_lowest(void)
{
	static const u32 ldr[] = { 1, 2, 4, 8 };
	u32 mask;

	create(low_ids, false);
	set_logical(~0U, ldr);
	must(msi_raw(vm->fd, MSI_BASE | L(0xe), MODE_LOWEST | VECTOR));
	mask = taken(VECTOR);
	ok(mask == 2 || mask == 4 || mask == 8, "lowest priority: one of those addressed");
	vcpu_set_msr(vcpus[1], X_SVR, 0xff);
	must(msi_raw(vm->fd, MSI_BASE | L(6), MODE_LOWEST | VECTOR));
	is(taken(VECTOR), 4, "... that is enabled");
	destroy();
}

static void test_disabled(void)
{
	create(low_ids, false);
	vcpu_set_msr(vcpus[1], X_SVR, 0xff);
	vcpu_set_msr(vcpus[2], APIC_BASE, BASE_ADDRESS);
	err_is(msi(vm, 1, VECTOR), ENOENT, "a software-disabled APIC takes none");
	err_is(msi(vm, 2, VECTOR), ENOENT, "a disabled one neither");
	err_is(msi_raw(vm->fd, MSI_BASE | P(1), MODE_NMI), 0,
	       "software-disabled, it takes NMIs");
	err_is(msi_raw(vm->fd, MSI_BASE | P(2), MODE_NMI), ENOENT,
	       "disabled, it does not");
	must(msi_raw(vm->fd, MSI_BASE | P(0xff), VECTOR));
	is(taken(VECTOR), 0x9, "a broadcast reaches the others");
	destroy();
}

static void nmi_and_done(void)
{
	guest_expect(2);
	guest_sync(1);
	guest_is(guest_taken[2], 1);
}

static void test_nmi(void)
{
	struct vcpu *vcpu = lapic_simple(nmi_and_done);

	ok_sync(vcpu, 1, "a guest with IF clear");
	for (u32 i = 0; i < 3; i++)	/* the vector does not count */
		must(msi_raw(vcpu->vm->fd, MSI_BASE, MODE_NMI | i));
	ok_done(vcpu, "NMIs by MSI are one NMI, with IF clear");
	vcpu_simple_destroy(vcpu);
}

/* Dead or closed vCPUs are not addressed any more. */
static void test_closed(void)
{
	create(low_ids, false);
	vcpu_destroy(vcpus[3]);
	err_is(msi(vm, 3, VECTOR), ENOENT, "a closed vCPU");
	vcpus[3] = lapic_vcpu_reset(vm, 3, guest_spin);
	err_is(msi(vm, 3, VECTOR), ENOENT, "a new one, not enabled yet");
	vcpu_set_msr(vcpus[3], X_SVR, SVR_ON);
	err_is(msi(vm, 3, VECTOR), 0, "... and enabled");
	destroy();
}

int main(void)
{
	tap_init();
	test_errors();
	test_other_vms();
	test_xapic();
	test_x2apic();
	test_lowest();
	test_disabled();
	test_nmi();
	test_closed();
	return tap_exit();
}
