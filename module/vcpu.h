/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual CPU: what the VMCS does not keep of it.
 */
#ifndef TVX_VCPU_H
#define TVX_VCPU_H

#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <asm/vmx.h>

#include "ept.h"
#include "host.h"
#include "irqchip/lapic_types.h"
#include "memory.h"
#include "memory_fault.h"
#include "vmcs_host.h"
#include "vmx_vmcs.h"
#include "../uapi/tinyvmx.h"

#define TVX_MAX_VCPUS		64
#define TVX_MAX_CPUID		128
#define TVX_MAX_UNKNOWN_MSRS	32	/* that are traced */

/* SDM, "Debug Registers": what can be written, what reads as one. */
#define TVX_DR6_WRITABLE	0xe00fULL
#define TVX_DR6_FIXED		0xffff0ff0ULL
#define TVX_DR6_TRAPS		0xfULL
#define TVX_DR6_BD		0x2000ULL
#define TVX_DR6_BS		0x4000ULL
/* Pending debug exceptions: a breakpoint is among them that DR7 enables. */
#define TVX_PENDING_BREAKPOINT	0x1000ULL
#define TVX_PENDING_HITS	(TVX_PENDING_BREAKPOINT | TVX_DR6_TRAPS)
#define TVX_DR7_ENABLED		0xffULL
/* Of breakpoint n: is it enabled, its type (R/W) and its length field. */
#define TVX_DR7_ENABLES(dr7, n)	((dr7) >> (2 * (n)) & 3)
#define TVX_DR7_RW(dr7, n)	((dr7) >> (16 + 4 * (n)) & 3)
#define TVX_DR7_LEN(dr7, n)	((dr7) >> (18 + 4 * (n)) & 3)
#define TVX_DR7_RW_EXECUTE	0
#define TVX_DR7_RW_IO		2
#define TVX_DR7_GD		0x2000ULL
#define TVX_DR7_WRITABLE	0xffff2bffULL
#define TVX_DR7_FIXED		0x400ULL

struct tvx_ioeventfds;
struct tvx_vm;

/* Asked of a vCPU by another context: bits of tvx_vcpu.requests. */
enum { TVX_REQUEST_TIMER, TVX_REQUEST_NMI, TVX_REQUEST_UNHALT, TVX_REQUEST_STARTUP };

/* tvx_vcpu.startup: what has come of INIT and SIPI, the one with its vector, in this order. */
#define TVX_STARTUP_INIT	BIT(8)
#define TVX_STARTUP_SIPI	BIT(9)
#define TVX_STARTUP_VECTOR	0xff

/* What a handler of a VM exit returns. */
enum tvx_result {
	TVX_RESUME,	/* finished in the kernel: back into the guest */
	TVX_USER,	/* the run page is filled: back to userspace */
	TVX_FAIL,	/* the VM is dead, vcpu->error says why */
};

/**
 * struct tvx_world - what vmenter.S works on; offsets are known there
 * @gpr: the guest's general registers (RSP's place is unused: the VMCS has it)
 * @host_rsp: the value in the VMCS's HOST_RSP field
 */
struct tvx_world {
	unsigned long gpr[TINYVMX_NR_GPR];
	unsigned long host_rsp;
};

/* Fields of the current exit that have been read: bits of tvx_exit.valid. */
#define TVX_EXIT_RIP	BIT(0)
#define TVX_EXIT_QUAL	BIT(1)
#define TVX_EXIT_RFLAGS	BIT(2)
#define TVX_EXIT_BLOCKING	BIT(3)

/**
 * struct tvx_exit - the VM exit being handled
 * @reason: exit reason, all 32 bits
 * @valid: TVX_EXIT_*
 * @flags: TVX_ROW_* of its row in the exit table
 * @blocking: see tvx_blocking()
 * @rip: see tvx_exit_rip()
 * @qualification: see tvx_exit_qualification()
 * @rflags: see tvx_rflags()
 */
struct tvx_exit {
	u32 reason;
	u32 valid;
	u32 flags;
	u32 blocking;
	unsigned long rip;
	unsigned long qualification;
	unsigned long rflags;
};

/* An event on its way into the guest, in the VM-entry fields' format. */
struct tvx_event {
	u32 info;
	u32 error_code;
	u32 instruction_len;
};

/* The guest's MTRRs, which are kept: tvx_vcpu.mtrr[]. */
#define TVX_MTRR_PAIRS	8
enum {
	TVX_MTRR_DEFAULT,
	TVX_MTRR_FIXED_64K,
	TVX_MTRR_FIXED_16K,				/* two */
	TVX_MTRR_FIXED_4K = TVX_MTRR_FIXED_16K + 2,	/* eight */
	TVX_MTRR_VARIABLE = TVX_MTRR_FIXED_4K + 8,	/* base and mask in turn */
	TVX_NR_MTRRS = TVX_MTRR_VARIABLE + 2 * TVX_MTRR_PAIRS
};

/**
 * struct tvx_debug - the guest's debug registers
 * @dr: DR0 ... DR3
 * @dr6: DR6
 * @dr7: DR7, which the VMCS holds, too, unless a debugger has breakpoints; in the handler of an
 *	exit: tvx_dr7()
 * @loaded: the CPU's DR0 ... DR3 are the guest's
 * @owned: and its DR6, and MOV DR does not exit: @dr, @dr6 and @dr7 may be old
 */
struct tvx_debug {
	u64 dr[4];
	u64 dr6;
	u64 dr7;
	bool loaded;
	bool owned;
};

/**
 * struct tvx_debugger - what a debugger outside of the guest wants: no state of the guest's
 * @flags: TINYVMX_DEBUG_*
 * @stepped: an instruction was finished for the guest: to be told before the next entry
 * @dr: DR0 ... DR3 in place of the guest's, with TINYVMX_DEBUG_BREAKPOINTS
 * @dr7: likewise DR7
 */
struct tvx_debugger {
	u32 flags;
	bool stepped;
	u64 dr[4];
	u64 dr7;
};

/* MSRs switched at the edges of a run, in this order. */
enum tvx_switched_msr {
	TVX_MSR_STAR, TVX_MSR_LSTAR, TVX_MSR_CSTAR, TVX_MSR_SYSCALL_MASK,
	TVX_MSR_TSC_AUX, TVX_MSR_KERNEL_GS_BASE,
	TVX_NR_SWITCHED_MSRS
};

/**
 * struct tvx_policy - what the CPUID table lets the guest use
 * @cr4: CR4 bits it may set
 * @efer: IA32_EFER bits it may set
 * @xcr0: XCR0 bits it may set
 * @rdtscp: RDTSCP and IA32_TSC_AUX
 * @invpcid: INVPCID
 * @x2apic: x2APIC mode
 * @tsc_deadline: IA32_TSC_DEADLINE
 * @tsc_adjust: IA32_TSC_ADJUST
 * @arch_capabilities: IA32_ARCH_CAPABILITIES
 * @mtrr: the memory type range registers
 * @gpa_bits: how wide a guest-physical address is, for what MSRs take
 * @kvm_calls: VMCALL, as KVM answers it
 * @kvm_features: KVM's features that CPUID offers: bits by KVM_FEATURE_*
 * @spec_ctrl: IA32_SPEC_CTRL bits it may set; with any, IA32_PRED_CMD
 */
struct tvx_policy {
	u64 cr4;
	u64 efer;
	u64 xcr0;
	bool rdtscp;
	bool invpcid;
	bool x2apic;
	bool tsc_deadline;
	bool tsc_adjust;
	bool arch_capabilities;
	bool mtrr;
	u8 gpa_bits;
	bool kvm_calls;
	u32 kvm_features;
	u64 spec_ctrl;
};

/**
 * struct tvx_spec_ctrl - IA32_SPEC_CTRL, in the VMCS's MSR-load areas
 * @guest: what VM entry loads
 * @host: what VM exit loads
 * @count: entries of each area that are in use
 */
struct tvx_spec_ctrl {
	struct vmx_msr_entry guest;
	struct vmx_msr_entry host;
	u32 count;
};

/**
 * struct tvx_recorder - the flight recorder: the ring that TINYVMX_SET_RECORD describes
 * @ring: NULL: has never been on
 * @records: in @ring, a power of two
 * @on: it records
 * @sequence: of the newest record
 * @left: TSC at which RUN has ended, 0: not known
 */
struct tvx_recorder {
	struct tinyvmx_record *ring;
	u32 records;
	bool on;
	u64 sequence;
	u64 left;
};

/* What a search in the CPUID table found: NULL, an answer of zeros. */
struct tvx_cpuid_hit {
	bool valid;
	u32 function;
	u32 index;
	const struct tinyvmx_cpuid *row;
};

#define TVX_CPUID_HITS	8

struct tvx_vcpu;

/* The vCPUs of a VM by id, for those who send interrupts; read under RCU. */
struct tvx_vcpu_set {
	struct tvx_vcpu __rcu *vcpu[TVX_MAX_VCPUS];
};

/**
 * struct tvx_vcpu - one virtual CPU
 * @world: first, for the assembly
 * @vm: the VM it belongs to and keeps alive
 * @memory: the VM's memory
 * @peers: all vCPUs of the VM
 * @ioeventfds: the VM's
 * @rcu: frees it when nobody can find it through @peers
 * @id: the ABI's vCPU id
 * @lock: held while an ioctl works on the vCPU
 * @vmcs: its VMCS
 * @vpid: its VPID, 0: none
 * @exit: the exit being handled
 * @recheck: look at @pending, flushes and reasons to leave before the next entry
 * @exposed: see tvx_mitigate_entry()
 * @invept_generation: memory generation of the last INVEPT on this CPU
 * @flush_vpid: an INVVPID is due
 * @error: errno of the dead VM, with TVX_FAIL
 * @fault: the last EPT violation
 * @faulted: @fault is still to be resolved
 * @fault_error: what resolving it said, still to be told to userspace
 * @split_lock: a split lock of the guest's is still to be told to the kernel
 * @yield: the guest spins, and another task wants this CPU
 * @ept_cache: pages for EPT paging structures
 * @pending: TINYVMX_PENDING_* bits
 * @event: with TINYVMX_PENDING_EVENT
 * @event_held: an exit has left @event behind: interrupts first, see inject_event()
 * @extint_vector: with TINYVMX_PENDING_EXTINT
 * @activity: TINYVMX_ACTIVITY_*
 * @in_width: bytes of run->io.data that the next RUN moves to RAX, 0: none
 * @want_window: the run page asks for an interrupt window
 * @intr_window: exit when the guest can take an external interrupt
 * @nmi_window: exit when the guest can take an NMI
 * @controls_stale: the controls in the VMCS are not those that the rest here asks for
 * @has_ferr: with TINYVMX_VM_FERR
 * @ferr: and CR0.NE is 0: #MF exits
 * @ignne: IGNNE# is asserted: an exit behind each instruction looks whether the error is gone
 * @x87_control: the guest's x87 control word while an instruction runs with all errors masked
 *	instead; 0: none does
 * @umip: CR4.UMIP is set, and the CPU has none
 * @stepping: the guest does one instruction, a descriptor-table access that is allowed
 * @proc: primary processor-based controls in the VMCS
 * @proc2: secondary processor-based controls in the VMCS
 * @exceptions: exception bitmap in the VMCS
 * @tpr_threshold: the value in the VMCS's TPR threshold field
 * @cr2: guest CR2
 * @tsc_offset: the value in the VMCS's TSC_OFFSET field
 * @tsc_lost: what @tsc_offset makes up for, of tvx_host_tsc_lost()
 * @tsc_adjust: guest IA32_TSC_ADJUST
 * @lapic: the local APIC
 * @requests: TVX_REQUEST_*; any context
 * @startup: TVX_STARTUP_*, with TVX_REQUEST_STARTUP; any context
 * @loaded_cpu: the CPU on which it is loaded, -1: none
 * @wait: where it waits in HLT
 * @halt_wait: the outer part is to wait for an event
 * @halt_start: TSC at which it halted
 * @halt_window: for how many TSC ticks it looks for an event before it sleeps
 * @polling: it looks for what is pending all the time: a kick is not needed
 * @debug: the debug registers
 * @debugger: who looks on from outside
 * @loaded: the CPU holds the guest's FPU, MSRs and so on (a run is under way)
 * @xcr0: guest XCR0
 * @xsave: guest FPU state, XSAVE standard format
 * @msrs: guest values of the switched MSRs
 * @host_msrs: the host's values on the CPU where the VMCS is, IA32_KERNEL_GS_BASE aside
 * @wanted_msrs: bit n: the guest can see msrs[n] without a VM exit
 * @guest_switch: what a run writes: those of @wanted_msrs whose host_msrs[n] is another
 * @host_switch: what its end writes
 * @nr_switched: entries in both
 * @host: host registers saved around runs
 * @host_fields: what the VMCS's host-state area holds of it
 * @msr_bitmap: the VMCS's MSR bitmap
 * @spec_ctrl: guest IA32_SPEC_CTRL
 * @misc_enable: guest IA32_MISC_ENABLE
 * @mtrr: guest MTRRs, by TVX_MTRR_*
 * @unknown_msrs: accesses to MSRs that do not exist
 * @unknown_msr: those that have been traced
 * @unknown_msrs_traced: entries in @unknown_msr
 * @policy: what CPUID allows
 * @cpuid: sorted by function and index
 * @cpuid_count: entries in @cpuid
 * @cpuid_last: rows that were found last, by the low bits of the function
 * @run: the run page
 * @recorder: the last exits
 * @exits: VM exits so far
 * @exit_counts: the same by basic exit reason
 */
struct tvx_vcpu {
	struct tvx_world world;
	struct tvx_vm *vm;
	struct tvx_memory *memory;
	struct tvx_vcpu_set *peers;
	struct tvx_ioeventfds *ioeventfds;
	struct rcu_head rcu;
	unsigned int id;
	struct mutex lock;	/* held while an ioctl works on the vCPU */

	struct vmx_vmcs vmcs;
	u16 vpid;
	struct tvx_exit exit;
	bool recheck;
	bool exposed;
	u64 invept_generation;
	bool flush_vpid;
	int error;

	struct tvx_fault fault;
	bool faulted;
	int fault_error;
	bool split_lock;
	bool yield;
	struct ept_cache ept_cache;

	u32 pending;
	struct tvx_event event;
	bool event_held;
	u8 extint_vector;
	u32 activity;
	u8 in_width;
	bool want_window;

	bool intr_window;
	bool nmi_window;
	bool controls_stale;
	bool has_ferr;
	bool ferr;
	bool ignne;
	u16 x87_control;
	bool umip;
	bool stepping;
	u32 proc;
	u32 proc2;
	u32 exceptions;
	u32 tpr_threshold;
	unsigned long cr2;
	u64 tsc_offset;
	u64 tsc_lost;
	u64 tsc_adjust;
	struct tvx_lapic lapic;
	unsigned long requests;
	u32 startup;
	int loaded_cpu;
	struct rcuwait wait;
	bool halt_wait;
	u64 halt_start;
	u64 halt_window;
	bool polling;
	struct tvx_debug debug;
	struct tvx_debugger debugger;
	bool loaded;
	u64 xcr0;
	void *xsave;
	u64 msrs[TVX_NR_SWITCHED_MSRS];
	u64 host_msrs[TVX_NR_SWITCHED_MSRS];
	u32 wanted_msrs;
	struct vmx_msr_entry guest_switch[TVX_NR_SWITCHED_MSRS];
	struct vmx_msr_entry host_switch[TVX_NR_SWITCHED_MSRS];
	unsigned int nr_switched;
	struct tvx_host_regs host;
	struct vmcs_host host_fields;
	unsigned long *msr_bitmap;
	struct tvx_spec_ctrl spec_ctrl;
	u64 misc_enable;
	u64 mtrr[TVX_NR_MTRRS];
	u64 unknown_msrs;
	u32 unknown_msr[TVX_MAX_UNKNOWN_MSRS];
	unsigned int unknown_msrs_traced;

	struct tvx_policy policy;
	struct tinyvmx_cpuid *cpuid;
	unsigned int cpuid_count;
	struct tvx_cpuid_hit cpuid_last[TVX_CPUID_HITS];

	struct tinyvmx_run *run;
	struct tvx_recorder recorder;
	u64 exits;
	struct tinyvmx_exits exit_counts;
};

/*
 * What the guest does next has been changed from outside, and a fault that waits to be
 * resolved may be of something else: if it is not, it comes again.
 */
static inline void tvx_vcpu_forget_fault(struct tvx_vcpu *vcpu)
{
	vcpu->faulted = false;
	vcpu->fault_error = 0;
}

/*
 * tvx_vcpu_init - make @vcpu ready to run in the state after RESET
 *
 * Return: 0 or -ENOMEM. May sleep. The caller has zeroed @vcpu and owns the VM
 * reference.
 */
struct tvx_vcpu_config {
	struct tvx_vm *vm;
	struct tvx_memory *memory;
	struct tvx_vcpu_set *peers;
	struct tvx_ioeventfds *ioeventfds;
	unsigned int id;
	u64 tsc_start;		/* the host's TSC when the guest's was 0: it never went back */
	bool lapic;
	bool ferr;
};

int tvx_vcpu_init(struct tvx_vcpu *vcpu, const struct tvx_vcpu_config *config);
void tvx_vcpu_destroy(struct tvx_vcpu *vcpu);

#endif
