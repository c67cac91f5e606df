// SPDX-License-Identifier: GPL-2.0-only
/* Helpers of the lapic_* tests. */
#include "lapic.h"

/* ------------------------------------------------------------------- host */

int create_lapic_vm_fd(void)
{
	return create_vm_fd_with(TINYVMX_VM_LAPIC);
}

struct vm *lapic_vm(void)
{
	struct vm *vm = vm_create_with(TINYVMX_VM_LAPIC);

	G(vm, guest_ms) = info()->tsc_khz;
	return vm;
}

static void add_features(struct vcpu *vcpu, u32 ecx)
{
	struct tinyvmx_cpuid table[100];
	u32 count = host_cpuid(table, ARRAY_SIZE(table));

	for (u32 i = 0; i < count; i++)
		if (table[i].function == 1)
			table[i].ecx |= ecx;
	must(set_cpuid(vcpu->fd, table, count));
}

struct vcpu *lapic_vcpu_reset(struct vm *vm, u32 id, void *fn)
{
	struct vcpu *vcpu = vcpu_create(vm, id, fn, id);

	add_features(vcpu, 1U << 21 | 1U << 24);	/* x2APIC, TSC-deadline */
	return vcpu;
}

struct vcpu *lapic_vcpu(struct vm *vm, u32 id, void *fn)
{
	struct vcpu *vcpu = lapic_vcpu_reset(vm, id, fn);

	vcpu_set_msr(vcpu, APIC_BASE, vcpu_msr(vcpu, APIC_BASE) | BASE_X2APIC);
	vcpu_set_msr(vcpu, X_SVR, SVR_ON);
	return vcpu;
}

struct vcpu *lapic_vcpu_kvm(struct vm *vm, u32 id, void *fn, u32 features)
{
	struct vcpu *vcpu = lapic_vcpu(vm, id, fn);
	struct tinyvmx_cpuid table[102];
	u32 count = host_cpuid(table, ARRAY_SIZE(table) - 2);

	for (u32 i = 0; i < count; i++)
		if (table[i].function == 1)
			table[i].ecx |= 1U << 21;
	table[count++] = (struct tinyvmx_cpuid){
		.function = 0x40000100, .eax = 0x40000101,
		.ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d,
	};
	table[count++] = (struct tinyvmx_cpuid){ .function = 0x40000101, .eax = features };
	must(set_cpuid(vcpu->fd, table, count));
	return vcpu;
}

struct vcpu *lapic_simple(void *fn)
{
	return lapic_vcpu(lapic_vm(), 0, fn);
}

int msi_raw(int vm_fd, u64 address, u32 data)
{
	struct tinyvmx_msi arg = {
		.size = sizeof(arg), .address = address, .data = data,
	};

	return ioctl(vm_fd, TINYVMX_MSI, &arg);
}

int msi(struct vm *vm, u32 id, u8 vector)
{
	return msi_raw(vm->fd, MSI_BASE | MSI_DEST(id), vector);
}

int try_set_msr(struct vcpu *vcpu, u32 index, u64 value)
{
	struct tinyvmx_msr row = { .index = index, .value = value };

	return set_state(vcpu->fd, TINYVMX_STATE_MSRS, &row, sizeof(row));
}

int try_get_msr(struct vcpu *vcpu, u32 index, u64 *value)
{
	struct tinyvmx_msr row = { .index = index };
	int ret = get_state(vcpu->fd, TINYVMX_STATE_MSRS, &row, sizeof(row));

	*value = row.value;
	return ret;
}

struct tinyvmx_lapic lapic_state(struct vcpu *vcpu)
{
	struct tinyvmx_lapic state;

	must(get_state(vcpu->fd, TINYVMX_STATE_LAPIC, &state, sizeof(state)));
	return state;
}

int try_set_lapic(struct vcpu *vcpu, const struct tinyvmx_lapic *state)
{
	return set_state(vcpu->fd, TINYVMX_STATE_LAPIC, state, sizeof(*state));
}

bool lapic_bit(struct vcpu *vcpu, u32 first, u8 vector)
{
	return vcpu_msr(vcpu, first + vector / 32) >> (vector % 32) & 1;
}

bool wait_taken(struct vm *vm, u8 vector, u32 count)
{
	for (u32 i = 0; i < 5000; i++) {
		if (G(vm, guest_taken[vector]) >= count)
			return true;
		sleep_us(1000);
	}
	return false;
}

/* ------------------------------------------------------------------ guest */

volatile u8 guest_order[64];
volatile u32 guest_orders;
volatile u64 guest_ms;

void guest_hook_eoi(struct guest_frame *frame)
{
	if ((u8)frame->vector >= 32)
		guest_eoi();
}

void guest_log(struct guest_frame *frame)
{
	guest_order[guest_orders++ % 64] = frame->vector;
	guest_hook_eoi(frame);
}

bool guest_wait(u8 vector, u32 count, u64 ms)
{
	u64 start = rdtsc();

	while (guest_taken[vector] < count)
		if (rdtsc() - start > ms * guest_ms)
			return false;
	return true;
}

void guest_delay(u64 ms)
{
	u64 start = rdtsc();

	while (rdtsc() - start < ms * guest_ms)
		relax();
}
