/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the lapic_* tests: the registers by their x2APIC MSR numbers, VMs
 * with local APICs, guest code that many of them need.
 */
#ifndef SELFTESTS_LAPIC_H
#define SELFTESTS_LAPIC_H

#include "lib.h"

#define MSR_TSC		0x10
#define APIC_BASE	0x1b
#define TSC_DEADLINE	0x6e0

#define BASE_BSP	0x100UL
#define BASE_X2APIC	0x400UL
#define BASE_ENABLE	0x800UL
#define BASE_ADDRESS	0xfee00000UL
#define BASE_XAPIC	(BASE_ADDRESS | BASE_BSP | BASE_ENABLE)

enum {
	X_ID = 0x802, X_VERSION = 0x803, X_TPR = 0x808, X_PPR = 0x80a,
	X_EOI = 0x80b, X_LDR = 0x80d, X_DFR = 0x80e, X_SVR = 0x80f,
	X_ISR = 0x810, X_TMR = 0x818, X_IRR = 0x820, X_ESR = 0x828,
	X_ICR = 0x830, X_ICR_HIGH = 0x831, X_LVT_TIMER = 0x832,
	X_LVT_THERMAL = 0x833, X_LVT_PERF = 0x834, X_LVT_LINT0 = 0x835,
	X_LVT_LINT1 = 0x836, X_LVT_ERROR = 0x837, X_TICR = 0x838,
	X_TCCR = 0x839, X_TDCR = 0x83e, X_SELF_IPI = 0x83f,
};

#define REGS(msr)	((msr) - 0x800)	/* index into tinyvmx_lapic.regs */

#define SVR_ON		0x1ffUL
#define LVT_MASKED	0x10000UL
#define TIMER_PERIODIC	0x20000UL
#define TIMER_DEADLINE	0x40000UL
#define MODE_LOWEST	0x100UL
#define MODE_NMI	0x400UL
#define MODE_INIT	0x500UL
#define MODE_STARTUP	0x600UL
#define MODE_EXTINT	0x700UL
#define ICR_LOGICAL	0x800UL
#define ICR_SELF	0x40000UL
#define ICR_ALL		0x80000UL
#define ICR_OTHERS	0xc0000UL
#define TDCR_1		0xb

#define MSI_BASE	0xfee00000UL
#define MSI_LOGICAL	0x4UL
#define MSI_LEVEL	0x8000U
#define MSI_DEST(id)	(((u64)(id) & 0xff) << 12 | ((u64)(id) >> 8) << 40)

/* ------------------------------------------------------------------- host */

/* Whether the module uses APIC virtualization. */
static inline bool apicv(void)
{
	return info()->capabilities & TINYVMX_CAP_APICV;
}

int create_lapic_vm_fd(void);
struct vm *lapic_vm(void);
/* As vcpu_create(), with x2APIC and TSC-deadline in CPUID; as after RESET. */
struct vcpu *lapic_vcpu_reset(struct vm *vm, u32 id, void *fn);
/* ... in x2APIC mode and software-enabled. */
struct vcpu *lapic_vcpu(struct vm *vm, u32 id, void *fn);
struct vcpu *lapic_simple(void *fn);
/* ... which is offered what KVM_FEATURE_* say of KVM's calls. */
struct vcpu *lapic_vcpu_kvm(struct vm *vm, u32 id, void *fn, u32 features);

int msi_raw(int vm_fd, u64 address, u32 data);
/* A fixed one to a physical id. */
int msi(struct vm *vm, u32 id, u8 vector);

/* 0, or -1 and errno. */
int try_set_msr(struct vcpu *vcpu, u32 index, u64 value);
int try_get_msr(struct vcpu *vcpu, u32 index, u64 *value);
struct tinyvmx_lapic lapic_state(struct vcpu *vcpu);
int try_set_lapic(struct vcpu *vcpu, const struct tinyvmx_lapic *state);
/* Bit @vector of the IRR or ISR in the state. */
bool lapic_bit(struct vcpu *vcpu, u32 first, u8 vector);

/* Wait until the guest has taken this many of @vector, at most 5 s. */
bool wait_taken(struct vm *vm, u8 vector, u32 count);

/* ------------------------------------------------------------------ guest */

#define KVM_FEATURE_UNHALT	(1U << 7)
#define KVM_FEATURE_IPI		(1U << 11)
#define KVM_CALL_KICK		5
#define KVM_CALL_SEND_IPI	10

static inline long kvm_call(long number, u64 a0, u64 a1, u64 a2, u64 a3)
{
	__asm__ volatile("vmcall" : "+a"(number)
			 : "b"(a0), "c"(a1), "d"(a2), "S"(a3) : "memory");
	return number;
}

static inline void guest_eoi(void)
{
	wrmsr(X_EOI, 0);
}

static inline void sti(void)
{
	__asm__ volatile("sti; nop" : : : "memory");
}

static inline void cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void sti_hlt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* The order in which vectors came, by guest_log(). */
extern volatile u8 guest_order[64];
extern volatile u32 guest_orders;

/* TSC ticks of a millisecond; lapic_vm() sets it. */
extern volatile u64 guest_ms;

/* guest_hook functions: end the interrupt; note its vector first. */
void guest_hook_eoi(struct guest_frame *frame);
void guest_log(struct guest_frame *frame);
/* Spin, at most @ms, until @vector has come @count times. */
bool guest_wait(u8 vector, u32 count, u64 ms);
void guest_delay(u64 ms);

#endif
