/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The tinyvmx ABI: create virtual machines, map their memory, run their vCPUs.
 *
 * Three kinds of file descriptor, each with its own ioctls:
 *
 *   /dev/tinyvmx  --CREATE_VM-->  VM fd  --CREATE_VCPU-->  vCPU fd
 *
 * Conventions that hold for every ioctl here:
 *
 * - The argument points to a struct that starts with ``__u32 size; __u32 flags;``
 *   (TINYVMX_RUN alone takes no argument: pass 0). @size is sizeof() of the
 *   struct as the caller was compiled with. A larger struct than the kernel
 *   knows is accepted if all bytes beyond what it knows are zero (else E2BIG);
 *   a smaller one than the first version of the struct is EINVAL.
 * - Padding must be zero (EINVAL), unknown flag bits and unknown enum values
 *   are EOPNOTSUPP. Pointers travel as __u64.
 * - ioctls return 0 (CREATE_*: a new O_CLOEXEC file descriptor) or -1 and errno.
 * - The error vocabulary:
 *
 *     ENOTTY      unknown ioctl on this kind of fd
 *     E2BIG       the struct has a non-zero tail that this kernel does not know
 *     EOPNOTSUPP  unknown flag or value, or the CPU cannot do it
 *     EINVAL      malformed: misaligned, out of range, non-zero padding
 *     EFAULT      a pointer in the argument is not readable or writable
 *     EBADF       a file descriptor in the argument is not open
 *     EEXIST      that id, guest-physical range, port or eventfd is taken
 *     ENOENT      no such thing: slot, assigned eventfd, ring of records
 *     ENOSPC      a limit of GET_INFO is reached, or what the user may have at a time:
 *                 module parameters user_vms, user_vcpus, user_tables_kib
 *     ENOMEM      the kernel is out of memory (or its memory cgroup is)
 *     EBUSY       wrong moment: the vCPU is running in another thread, an event
 *                 of that kind is already pending, another hypervisor has VMX
 *     EINTR       RUN was ended by a signal's handler or by run->immediate_exit
 *     EIO         the VM is dead, or belongs to another process's memory
 *
 * A VM belongs to the memory (mm) of the process that created it. Its fds may be
 * passed to another process or inherited through fork(), but every ioctl except
 * close() from another mm fails with EIO.
 *
 * "The SDM" below is Intel's Software Developer's Manual, volume 3; sections
 * are cited by name.
 */
#ifndef _UAPI_TINYVMX_H
#define _UAPI_TINYVMX_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TINYVMX_DEVICE		"/dev/tinyvmx"
#define TINYVMX_ABI_VERSION	1

#define TINYVMX_IOC		0xBE

/* On /dev/tinyvmx */
#define TINYVMX_GET_INFO	_IO(TINYVMX_IOC, 0x00)	/* struct tinyvmx_info */
#define TINYVMX_CREATE_VM	_IO(TINYVMX_IOC, 0x01)	/* struct tinyvmx_create_vm */

/* On a VM */
#define TINYVMX_SET_MEMORY	_IO(TINYVMX_IOC, 0x10)	/* struct tinyvmx_memory */
#define TINYVMX_CREATE_VCPU	_IO(TINYVMX_IOC, 0x11)	/* struct tinyvmx_create_vcpu */
#define TINYVMX_MSI		_IO(TINYVMX_IOC, 0x12)	/* struct tinyvmx_msi */
#define TINYVMX_IOEVENTFD	_IO(TINYVMX_IOC, 0x13)	/* struct tinyvmx_ioeventfd */
#define TINYVMX_IRQFD		_IO(TINYVMX_IOC, 0x14)	/* struct tinyvmx_irqfd */
#define TINYVMX_GET_USE		_IO(TINYVMX_IOC, 0x15)	/* struct tinyvmx_get_use */
#define TINYVMX_GET_EPT		_IO(TINYVMX_IOC, 0x16)	/* struct tinyvmx_get_ept */

/* On a vCPU */
#define TINYVMX_RUN		_IO(TINYVMX_IOC, 0x20)	/* no argument */
#define TINYVMX_GET_STATE	_IO(TINYVMX_IOC, 0x21)	/* struct tinyvmx_state */
#define TINYVMX_SET_STATE	_IO(TINYVMX_IOC, 0x22)	/* struct tinyvmx_state */
#define TINYVMX_SET_CPUID	_IO(TINYVMX_IOC, 0x23)	/* struct tinyvmx_set_cpuid */
#define TINYVMX_INJECT		_IO(TINYVMX_IOC, 0x24)	/* struct tinyvmx_inject */
#define TINYVMX_GET_VMCS	_IO(TINYVMX_IOC, 0x25)	/* struct tinyvmx_get_vmcs */
#define TINYVMX_SET_DEBUG	_IO(TINYVMX_IOC, 0x26)	/* struct tinyvmx_set_debug */
#define TINYVMX_LAB		_IO(TINYVMX_IOC, 0x27)	/* struct tinyvmx_lab */
#define TINYVMX_SET_RECORD	_IO(TINYVMX_IOC, 0x28)	/* struct tinyvmx_set_record */

/* ------------------------------------------------------------------ system */

/* Bits of tinyvmx_info.capabilities: what the CPUs of this host add. */
#define TINYVMX_CAP_VPID		(1ULL << 0)
#define TINYVMX_CAP_EPT_2M		(1ULL << 1)
#define TINYVMX_CAP_EPT_1G		(1ULL << 2)
#define TINYVMX_CAP_EPT_AD		(1ULL << 3)
#define TINYVMX_CAP_PREEMPTION_TIMER	(1ULL << 4)
#define TINYVMX_CAP_TPR_SHADOW		(1ULL << 5)
#define TINYVMX_CAP_APICV		(1ULL << 6)	/* in use: module parameter apicv */
#define TINYVMX_CAP_POSTED_INTERRUPTS	(1ULL << 7)
#define TINYVMX_CAP_XSAVE		(1ULL << 8)	/* TINYVMX_STATE_XSAVE beyond SSE */
#define TINYVMX_CAP_RDTSCP		(1ULL << 9)
#define TINYVMX_CAP_INVPCID		(1ULL << 10)
#define TINYVMX_CAP_SPEC_CTRL		(1ULL << 11)	/* SPEC_CTRL, PRED_CMD, ARCH_CAPABILITIES */
/* What TINYVMX_CREATE_VM takes on this kernel: see there. */
#define TINYVMX_CAP_ROOT_OWN		(1ULL << 12)
#define TINYVMX_CAP_ROOT_KVM		(1ULL << 13)
#define TINYVMX_CAP_ROOT_SECTION	(1ULL << 14)
#define TINYVMX_CAP_FERR		(1ULL << 15)
#define TINYVMX_CAP_DEBUG_STEP		(1ULL << 16)	/* TINYVMX_DEBUG_STEP */
#define TINYVMX_CAP_LAB			(1ULL << 17)	/* TINYVMX_LAB: module parameter lab */
#define TINYVMX_CAP_EXECUTE_ONLY	(1ULL << 18)	/* TINYVMX_MEMORY_EXECUTE_ONLY */

/* The VMX capability MSRs are numbered from IA32_VMX_BASIC (480H). */
#define TINYVMX_VMX_MSR_BASE	0x480
#define TINYVMX_VMX_MSR_COUNT	20

/**
 * struct tinyvmx_info - what this module and the CPU under it can do
 * @size: sizeof(struct tinyvmx_info)
 * @flags: must be 0
 * @abi_version: TINYVMX_ABI_VERSION of the module
 * @vmcs_revision: VMCS revision identifier, bits 30:0 of IA32_VMX_BASIC
 * @capabilities: TINYVMX_CAP_* bits
 * @max_vcpus: vCPU ids of a VM are 0 ... max_vcpus - 1
 * @max_slots: memory slots of a VM are 0 ... max_slots - 1
 * @max_cpuid_entries: the longest table SET_CPUID takes
 * @max_msr_entries: the longest list TINYVMX_STATE_MSRS takes
 * @run_bytes: bytes to mmap() on a vCPU fd at offset 0 for its run page
 * @gpa_bits: width of a guest-physical address
 * @xsave_bytes: length of the XSAVE image in TINYVMX_STATE_XSAVE
 * @tsc_khz: frequency of the host's TSC, 0 if not known
 * @xcr0_mask: XCR0 bits a guest can have
 * @cr0_mask: CR0 bits a guest can set
 * @cr4_mask: CR4 bits a guest can set (CPUID policy can only take bits away). UMIP (bit 11) may
 *	be among them though the CPU has it not: SGDT, SIDT, SLDT and STR outside of ring 0 give
 *	#GP(0) all the same, SMSW does not. It is userspace that puts it into CPUID
 * @efer_mask: IA32_EFER bits a guest can set
 * @vmx_msr_valid: bit n set: @vmx_msrs[n] exists on this CPU
 * @max_eventfds: how many TINYVMX_IOEVENTFD, and as many TINYVMX_IRQFD, a VM can have
 * @feature_control: IA32_FEATURE_CONTROL (3AH) as read
 * @vmx_msrs: MSR (TINYVMX_VMX_MSR_BASE + n) as read
 *
 * TINYVMX_GET_INFO fills the struct. Up to the caller's @size bytes are written;
 * @size itself is set to the kernel's size of the struct.
 * Errors: EINVAL (@size), EOPNOTSUPP (@flags), EFAULT.
 */
struct tinyvmx_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 vmcs_revision;
	__u64 capabilities;
	__u32 max_vcpus;
	__u32 max_slots;
	__u32 max_cpuid_entries;
	__u32 max_msr_entries;
	__u32 run_bytes;
	__u32 gpa_bits;
	__u32 xsave_bytes;
	__u32 tsc_khz;
	__u64 xcr0_mask;
	__u64 cr0_mask;
	__u64 cr4_mask;
	__u64 efer_mask;
	__u32 vmx_msr_valid;
	__u32 max_eventfds;
	__u64 feature_control;
	__u64 vmx_msrs[TINYVMX_VMX_MSR_COUNT];
};

/* tinyvmx_create_vm.flags */
#define TINYVMX_VM_LAPIC		(1U << 0)	/* vCPUs have a local APIC */
#define TINYVMX_VM_KVM			(1U << 1)	/* share KVM's VMX root: kvm_fd */
#define TINYVMX_VM_FERR			(1U << 2)	/* x87 errors while CR0.NE is 0 exit */

/**
 * struct tinyvmx_create_vm - TINYVMX_CREATE_VM: returns a VM fd
 * @size: sizeof(struct tinyvmx_create_vm)
 * @flags: TINYVMX_VM_*
 * @kvm_fd: with TINYVMX_VM_KVM: a VM fd of KVM's (KVM_CREATE_VM); else 0
 * @pad: must be zero
 *
 * With TINYVMX_VM_LAPIC each vCPU has a local APIC (id = vCPU id) with a timer:
 *
 * - The guest reaches it by the x2APIC MSRs, or by its page in xAPIC mode: at FEE00000H, or
 *   where IA32_APIC_BASE has moved it. An access to the page that the CPU cannot finish
 *   (without TINYVMX_CAP_APICV, or elsewhere than at FEE00000H: each) exits as MMIO with
 *   run->apic_page, and userspace does it by GET/SET_STATE MSRS: register
 *   at offset N is MSR 800H + N / 10H whatever the mode is (ICR: 830H with the
 *   destination in bits 63:32, the low half is what starts it).
 *   Memory slots take precedence over the page. In x2APIC mode there is none, nor while
 *   IA32_APIC_BASE has the APIC off; then CPUID.1:EDX[9] reads 0, too.
 * - Its timer counts at the frequency of the guest's TSC.
 * - HLT waits in the kernel: RUN returns with HLT only if nothing can wake it, but perhaps
 *   an NMI or another vCPU (run->wait_for_nmi, run->wait_for_peers).
 * - want_intr_window also asks LINT0: the window opens only while LINT0 is
 *   unmasked and programmed as ExtINT (as after RESET while the APIC is disabled).
 * - EOI of a level-triggered interrupt exits with TINYVMX_EXIT_EOI.
 * - An INIT IPI puts the vCPU into the state that the SDM's "Processor State After Reset" has
 *   for INIT: the one whose IA32_APIC_BASE says BSP goes on at F000:FFF0, all others wait for
 *   a start-up IPI, in RUN (as in HLT: run->wait_for_peers). CREATE_VCPU knows of no such
 *   wait: who wants application processors that are started by the BSP sets
 *   TINYVMX_ACTIVITY_WAIT_FOR_SIPI. Both are taken by RUN alone, also with
 *   run->immediate_exit, and after what the last exit has left unfinished: what userspace
 *   does about an exit finds the vCPU as the exit has left it.
 * - With KVM's signature in CPUID, VMCALL is answered as KVM does. What the features in the
 *   leaf behind the signature's offer is done: KVM_FEATURE_PV_UNHALT (KVM_HC_KICK_CPU),
 *   KVM_FEATURE_PV_SEND_IPI (KVM_HC_SEND_IPI).
 *
 * With TINYVMX_VM_FERR (TINYVMX_CAP_FERR) an x87 error is told as CR0.NE says. While that is 1 it
 * is #MF. While it is 0 the error exits with TINYVMX_EXIT_FERR, at the first instruction that would
 * raise #MF: this is where a CPU has asserted FERR# and waits for an interrupt, as the vCPU does
 * from then on, as if in HLT. A PC makes IRQ 13 of it.
 * TINYVMX_REQ_IGNNE is what a PC makes of a write to port F0H. Without TINYVMX_VM_FERR, as in the
 * VMCS, CR0.NE is always 1 to the x87 FPU.
 *
 * Who turns VMX on is decided by the first VM of the host, until the last one is gone:
 *
 * - With TINYVMX_VM_KVM (TINYVMX_CAP_ROOT_KVM) KVM has, and its guests run beside. The VM
 *   holds the one behind @kvm_fd, which may be empty and closed at once.
 * - Without, the module does, on every CPU (TINYVMX_CAP_ROOT_OWN), and KVM gets no VM
 *   meanwhile; since Linux 6.12 it already has VMX when it is loaded, which is EBUSY.
 * - Or the module does while interrupts are disabled (TINYVMX_CAP_ROOT_SECTION, in place
 *   of TINYVMX_CAP_ROOT_OWN), whether KVM is there or not. VMs with TINYVMX_VM_KVM can be
 *   created beside those.
 *
 * The first version of the struct ended behind @flags.
 * Errors: EBUSY: another hypervisor holds VMX on some CPU, or the VMs that live have
 * another root; EBADF: @kvm_fd; EINVAL: it is no VM of KVM's, or set without the flag;
 * EOPNOTSUPP: KVM's root cannot be shared, or, with TINYVMX_VM_LAPIC, the host's TSC, by
 * which the timer goes, has no known frequency or is not reliable; EINTR: the process is
 * being killed or frozen; EIO: VMXON failed, or the machine goes down; ENOSPC: the user has
 * user_vms VMs; ENOMEM; EMFILE.
 */
struct tinyvmx_create_vm {
	__u32 size;
	__u32 flags;
	__s32 kvm_fd;
	__u32 pad;
};

/* ---------------------------------------------------------------------- VM */

/* tinyvmx_memory.flags */
#define TINYVMX_MEMORY_READONLY		(1U << 0)	/* guest writes exit as MMIO */
#define TINYVMX_MEMORY_EXECUTE_ONLY	(1U << 1)	/* guest reads and writes do */

/**
 * struct tinyvmx_memory - TINYVMX_SET_MEMORY: give, move or take guest RAM
 * @size: sizeof(struct tinyvmx_memory)
 * @flags: TINYVMX_MEMORY_*
 * @slot: 0 ... max_slots - 1
 * @pad: must be 0
 * @gpa: guest-physical address, multiple of 4096
 * @len: bytes, multiple of 4096; 0 deletes the slot
 * @hva: address in the calling process, multiple of 4096, without a tag
 *
 * The memory behind @hva stays an ordinary mapping: it may be absent now, be
 * swapped, remapped or unmapped later, and the guest sees what the process
 * would see. To change a slot delete it first. Takes effect for all vCPUs, also
 * running ones, before the call returns.
 *
 * With EXECUTE_ONLY (TINYVMX_CAP_EXECUTE_ONLY) the guest executes what is there, but what it reads
 * is userspace's to say: what a debugger has planted there can be hidden from it. Accesses
 * that no instruction makes, such as those to page tables, exit with TINYVMX_MMIO_WALK.
 *
 * Errors: EINVAL: @slot, alignment, wrap-around, beyond gpa_bits or the user
 * address space; EEXIST: the slot is in use or the range overlaps another slot;
 * ENOENT: deleting a slot that is not there; EOPNOTSUPP: EXECUTE_ONLY, and the CPU cannot.
 */
struct tinyvmx_memory {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__u32 pad;
	__u64 gpa;
	__u64 len;
	__u64 hva;
};

/* tinyvmx_get_use.flags */
#define TINYVMX_USE_FORGET	(1U << 0)	/* tell the next time what is used from now on */

/* The longest range, bytes, that one TINYVMX_GET_USE looks at. */
#define TINYVMX_MAX_USE_BYTES	0x40000000

/**
 * struct tinyvmx_get_use - TINYVMX_GET_USE: which pages the guest has used
 * @size: sizeof(struct tinyvmx_get_use)
 * @flags: TINYVMX_USE_*
 * @gpa: guest-physical address, multiple of 4096
 * @len: bytes, multiple of 4096, 4096 ... TINYVMX_MAX_USE_BYTES
 * @used: address of a bitmap of @len / 4096 bits, in bytes from the lowest bit on: page n has
 *	been read, written or executed; 0: not asked for
 * @written: the same: it has been written; 0: not asked for
 *
 * What the CPUs have noted in the accessed and dirty flags of EPT (SDM, "Accessed and Dirty
 * Flags for EPT") since the page was mapped, or since a call with TINYVMX_USE_FORGET: what a
 * guest does after that has returned is told by the next, and nothing is lost between two.
 * A large page of the host counts as a whole, and is forgotten as a whole, also by a call about a
 * part of it. A CPU that reads the guest's paging structures has written them, and the
 * page of the local APICs' registers may be told. Both flags are forgotten, whichever bitmap is
 * asked for. The host's own reclaim, which uses the same flags, learns what it would without.
 *
 * This is no log of what has changed: what userspace does to memory, for devices, is not
 * noted, and a page that the host has taken away or moved meanwhile has not been used.
 *
 * May sleep; vCPUs may run.
 *
 * Errors: EINVAL: @gpa, @len, beyond gpa_bits; EOPNOTSUPP: no TINYVMX_CAP_EPT_AD, or this VM
 * has lost the flags because the guest has paging structures where it cannot write; EFAULT: a
 * bitmap. With the last two some may be forgotten.
 */
struct tinyvmx_get_use {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 len;
	__u64 used;
	__u64 written;
};

#define TINYVMX_EPT_LEVELS	4

/**
 * struct tinyvmx_get_ept - TINYVMX_GET_EPT: the EPT entries that translate an address
 * @size: sizeof(struct tinyvmx_get_ept)
 * @flags: must be 0
 * @gpa: guest-physical address
 * @count: out: how many entries there are, 1 ... TINYVMX_EPT_LEVELS
 * @pad: must be 0
 * @entries: out: a PML4E first, then a PDPTE, a PDE, a PTE, as far as they go
 *
 * In the CPU's format (SDM, "EPT Translation Mechanism"), bits 10:0: rights, memory type, page
 * size, accessed and dirty flags. Host-physical addresses, and all other bits, are 0. The last
 * entry maps a page, or is 0 when none is mapped: RAM is when it is first used, and the host
 * may take it away at any time. What the host's reclaim and TINYVMX_USE_FORGET clear of
 * the flags is 0.
 *
 * May sleep; vCPUs may run.
 *
 * Errors: EINVAL: @pad; @gpa is beyond gpa_bits.
 */
struct tinyvmx_get_ept {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u32 count;
	__u32 pad;
	__u64 entries[TINYVMX_EPT_LEVELS];
};

/**
 * struct tinyvmx_create_vcpu - TINYVMX_CREATE_VCPU: returns a vCPU fd
 * @size: sizeof(struct tinyvmx_create_vcpu)
 * @flags: must be 0
 * @id: 0 ... max_vcpus - 1
 * @pad: must be 0
 *
 * The vCPU starts in the state of a processor after RESET (SDM, "Processor State
 * After Reset"): real mode, CS:IP = F000:FFF0 with CS base FFFF0000H, and with
 * an empty CPUID table.
 *
 * Errors: EINVAL: @id; EEXIST: that vCPU exists; ENOSPC: the user has user_vcpus vCPUs;
 * ENOMEM; EMFILE.
 */
struct tinyvmx_create_vcpu {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 pad;
};

/**
 * struct tinyvmx_msi - TINYVMX_MSI: deliver a message-signalled interrupt
 * @size: sizeof(struct tinyvmx_msi)
 * @flags: must be 0
 * @address: as a device would write to: FEExxxxxH (SDM, "Message Address Register
 *	Format"); bits 63:40 give bits 31:8 of an x2APIC destination
 * @data: as a device would write (SDM, "Message Data Register Format"): vector,
 *	delivery mode (fixed, lowest priority, NMI), trigger mode
 * @pad: must be 0
 *
 * May be called from any thread while vCPUs run. Errors: EOPNOTSUPP: the VM has
 * no local APICs, or the delivery mode is another; EINVAL: @address, or a vector
 * below 16; ENOENT: no vCPU is addressed, or its APIC is disabled.
 */
struct tinyvmx_msi {
	__u32 size;
	__u32 flags;
	__u64 address;
	__u32 data;
	__u32 pad;
};

/* tinyvmx_ioeventfd.flags */
#define TINYVMX_IOEVENTFD_DATAMATCH	(1U << 0)	/* only writes of @data */
#define TINYVMX_IOEVENTFD_DEASSIGN	(1U << 1)	/* take it away again */

/**
 * struct tinyvmx_ioeventfd - TINYVMX_IOEVENTFD: have a port write signal an eventfd
 * @size: sizeof(struct tinyvmx_ioeventfd)
 * @flags: TINYVMX_IOEVENTFD_*
 * @fd: an eventfd
 * @port: I/O port
 * @width: 1, 2 or 4: bytes that are written
 * @data: with TINYVMX_IOEVENTFD_DATAMATCH: the value, of @width bytes; else 0
 * @pad: must be 0
 *
 * An OUT of exactly @width bytes to @port, of @data if that is asked for, adds 1
 * to the eventfd's counter, and the guest goes on without an exit to userspace.
 * All other accesses exit as before: reads, other widths, other values, OUTS.
 *
 * The kernel holds the eventfd, not @fd, which may be closed. To deassign it pass
 * the same again with TINYVMX_IOEVENTFD_DEASSIGN and any fd of that eventfd; from
 * the return of the call on no write signals it. It goes with the VM at the latest.
 *
 * May be called from any thread while vCPUs run. Errors: EINVAL: @width, a port
 * beyond FFFFH, @data without DATAMATCH or wider than @width, @fd is no eventfd;
 * EBADF: @fd is not open; EEXIST: a write to that port could be meant for another
 * one; ENOENT: deassigning one that is not there; ENOSPC: there are max_eventfds.
 */
struct tinyvmx_ioeventfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u16 port;
	__u16 width;
	__u32 data;
	__u32 pad;
};

/* tinyvmx_irqfd.flags */
#define TINYVMX_IRQFD_DEASSIGN		(1U << 0)	/* take it away again */

/**
 * struct tinyvmx_irqfd - TINYVMX_IRQFD: have an eventfd raise an interrupt
 * @size: sizeof(struct tinyvmx_irqfd)
 * @flags: TINYVMX_IRQFD_*
 * @fd: an eventfd
 * @data: as in struct tinyvmx_msi; 0 to deassign
 * @address: as in struct tinyvmx_msi; 0 to deassign
 *
 * Whenever the eventfd is signalled the kernel takes what it has counted and
 * delivers the message once, also for what it has counted before the call. A
 * message that nobody takes is lost, as a device's would be.
 *
 * The kernel holds the eventfd, not @fd, which may be closed. An eventfd raises one
 * interrupt in a VM; to change it, deassign it first, by any fd of that eventfd:
 * from the return of the call on nothing is delivered. It goes with the VM at the
 * latest. (With EFD_SEMAPHORE one count is taken at a time: use none.)
 *
 * So a vector is masked by deassigning its eventfd and unmasked by assigning it
 * again, with the same message or another one. What is signalled in between stays in
 * the eventfd, where poll() sees it, and is delivered by the assignment: whoever
 * signals meanwhile, a signal is delivered before or afterwards, and never lost.
 *
 * May be called from any thread while vCPUs run. Errors: EOPNOTSUPP: the VM has no
 * local APICs, or the delivery mode is another; EINVAL: @address, @data, or @fd is
 * no eventfd; EBADF: @fd is not open; EEXIST: that eventfd raises one already;
 * ENOENT: deassigning one that does not; ENOSPC: there are max_eventfds.
 */
struct tinyvmx_irqfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 data;
	__u64 address;
};

/* ------------------------------------------------------------------ states */

/* General registers in the order of the instruction encoding. */
enum {
	TINYVMX_RAX, TINYVMX_RCX, TINYVMX_RDX, TINYVMX_RBX,
	TINYVMX_RSP, TINYVMX_RBP, TINYVMX_RSI, TINYVMX_RDI,
	TINYVMX_R8, TINYVMX_R9, TINYVMX_R10, TINYVMX_R11,
	TINYVMX_R12, TINYVMX_R13, TINYVMX_R14, TINYVMX_R15,
	TINYVMX_NR_GPR
};

/**
 * struct tinyvmx_regs - TINYVMX_STATE_REGS
 * @gpr: general registers, indexed by TINYVMX_RAX ...
 * @rip: instruction pointer (offset in CS)
 * @rflags: bit 1 reads as one and must be one, reserved bits zero (EINVAL)
 */
struct tinyvmx_regs {
	__u64 gpr[TINYVMX_NR_GPR];
	__u64 rip;
	__u64 rflags;
};

/* Segment access rights in the VMCS format (SDM, "Guest Register State"). */
#define TINYVMX_AR_TYPE_MASK	0x000f
#define TINYVMX_AR_S		0x0010	/* code or data */
#define TINYVMX_AR_DPL_SHIFT	5
#define TINYVMX_AR_P		0x0080
#define TINYVMX_AR_L		0x2000	/* 64-bit code */
#define TINYVMX_AR_DB		0x4000
#define TINYVMX_AR_G		0x8000
#define TINYVMX_AR_UNUSABLE	0x10000

/**
 * struct tinyvmx_segment - one segment register with its hidden part
 * @base: linear base address
 * @limit: in bytes, also where the granularity bit is set
 * @ar: TINYVMX_AR_*
 * @selector: visible part
 * @pad: must be 0
 */
struct tinyvmx_segment {
	__u64 base;
	__u32 limit;
	__u32 ar;
	__u16 selector;
	__u16 pad[3];
};

/* Index into tinyvmx_sregs.seg: the order of the instruction encoding. */
enum {
	TINYVMX_ES, TINYVMX_CS, TINYVMX_SS, TINYVMX_DS, TINYVMX_FS, TINYVMX_GS,
	TINYVMX_LDTR, TINYVMX_TR,
	TINYVMX_NR_SEG
};

/**
 * struct tinyvmx_sregs - TINYVMX_STATE_SREGS: segments, tables, control registers
 * @seg: segment registers, indexed by TINYVMX_ES ...
 * @gdt_base: linear base address of the GDT
 * @idt_base: linear base address of the IDT
 * @gdt_limit: in bytes, at most 0xffff
 * @idt_limit: in bytes, at most 0xffff
 * @cr0: EINVAL for bits outside cr0_mask and for combinations MOV CR0 refuses
 * @cr2: page-fault linear address
 * @cr3: EINVAL for bits beyond the physical-address width
 * @cr4: EINVAL for bits outside cr4_mask
 * @cr8: task priority, 0 ... 15
 * @efer: EINVAL for bits outside efer_mask, and unless LMA = LME && CR0.PG
 * @pdpte: the four page-directory-pointer-table entries; used only with PAE
 *	paging (CR0.PG and CR4.PAE set, EFER.LMA clear)
 *
 * The kernel checks what the module itself relies on; all else is left to the
 * CPU, which refuses at VM entry (TINYVMX_EXIT_ENTRY_FAILED).
 */
struct tinyvmx_sregs {
	struct tinyvmx_segment seg[TINYVMX_NR_SEG];
	__u64 gdt_base;
	__u64 idt_base;
	__u32 gdt_limit;
	__u32 idt_limit;
	__u64 cr0;
	__u64 cr2;
	__u64 cr3;
	__u64 cr4;
	__u64 cr8;
	__u64 efer;
	__u64 pdpte[4];
};

/**
 * struct tinyvmx_msr - one element of TINYVMX_STATE_MSRS
 * @index: MSR number, as in ECX
 * @pad: must be 0
 * @value: the MSR's value
 *
 * The blob is an array of these. For GET the caller fills @index; an MSR that
 * the module does not have is EINVAL. SET stops at the first entry that WRMSR
 * would refuse (EINVAL), with the ones before it written. It does what WRMSR does,
 * but that IA32_TIME_STAMP_COUNTER and IA32_TSC_ADJUST do not move each other.
 */
struct tinyvmx_msr {
	__u32 index;
	__u32 pad;
	__u64 value;
};

/**
 * struct tinyvmx_xsave - head of TINYVMX_STATE_XSAVE
 * @xcr0: the guest's XCR0; EINVAL for a value XSETBV would refuse
 * @image: XSAVE image in standard format, info.xsave_bytes long. Components
 *	outside xcr0_mask are EINVAL, also reserved MXCSR bits.
 *
 * Blob length: offsetof(struct tinyvmx_xsave, image) + info.xsave_bytes.
 */
struct tinyvmx_xsave {
	__u64 xcr0;
	__u64 pad[7];
	__u8 image[];
};

/* tinyvmx_events.activity (SDM, "Guest Non-Register State") */
#define TINYVMX_ACTIVITY_ACTIVE		0
#define TINYVMX_ACTIVITY_HLT		1
#define TINYVMX_ACTIVITY_SHUTDOWN	2	/* after a triple fault */
#define TINYVMX_ACTIVITY_WAIT_FOR_SIPI	3	/* TINYVMX_VM_LAPIC only, else EOPNOTSUPP */

/* tinyvmx_events.interruptibility */
#define TINYVMX_BLOCKING_BY_STI		(1U << 0)
#define TINYVMX_BLOCKING_BY_MOV_SS	(1U << 1)
#define TINYVMX_BLOCKING_BY_NMI		(1U << 3)

/* tinyvmx_events.pending */
#define TINYVMX_PENDING_NMI		(1U << 0)
#define TINYVMX_PENDING_EXTINT		(1U << 1)	/* @extint_vector */
#define TINYVMX_PENDING_EVENT		(1U << 2)	/* @event_info, re-injected first */
#define TINYVMX_PENDING_IGNNE		(1U << 3)	/* TINYVMX_REQ_IGNNE is in force */
#define TINYVMX_PENDING_UNHALT		(1U << 4)	/* KVM_HC_KICK_CPU: next HLT ends at once */

/**
 * struct tinyvmx_events - TINYVMX_STATE_EVENTS: what is under way or pending
 * @pending: TINYVMX_PENDING_* bits
 * @interruptibility: TINYVMX_BLOCKING_* bits
 * @activity: TINYVMX_ACTIVITY_*
 * @extint_vector: 0 ... 255, with TINYVMX_PENDING_EXTINT
 * @event_info: the next event to inject, in the format of the VM-entry
 *	interruption-information field (bit 31, valid, is set), with
 *	TINYVMX_PENDING_EVENT: an exception, or an event whose delivery a VM exit
 *	cut short
 * @event_error_code: its error code
 * @event_instruction_len: for software events, 0 ... 15
 * @pad: must be 0
 * @pending_dbg: pending debug exceptions (SDM, "Guest Non-Register State")
 *
 * An NMI, or a kick, that comes as a message between GET and SET is not lost by SET.
 */
struct tinyvmx_events {
	__u32 pending;
	__u32 interruptibility;
	__u32 activity;
	__u32 extint_vector;
	__u32 event_info;
	__u32 event_error_code;
	__u32 event_instruction_len;
	__u32 pad;
	__u64 pending_dbg;
};

/**
 * struct tinyvmx_debug - TINYVMX_STATE_DEBUG
 * @dr: DR0 ... DR3
 * @dr6: EINVAL for bits 63:32
 * @dr7: EINVAL for bits 63:32
 */
struct tinyvmx_debug {
	__u64 dr[4];
	__u64 dr6;
	__u64 dr7;
};

/**
 * struct tinyvmx_lapic - TINYVMX_STATE_LAPIC (VMs with TINYVMX_VM_LAPIC only)
 * @base: IA32_APIC_BASE
 * @deadline: IA32_TSC_DEADLINE, 0: not armed
 * @timer_left: TSC ticks to the next timer interrupt, if one-shot or periodic and
 *	running; 0: not running
 * @pad: must be 0
 * @regs: the registers: register at offset N is regs[N / 16]
 *
 * GET has in IRR what was sent so far. What comes between that and SET is not lost: it
 * gets into IRR afterwards.
 *
 * EINVAL: what WRMSR to IA32_APIC_BASE would refuse, reserved register bits.
 */
struct tinyvmx_lapic {
	__u64 base;
	__u64 deadline;
	__u64 timer_left;
	__u64 pad;
	__u32 regs[64];
};

#define TINYVMX_NR_EXIT_COUNTS	256

/**
 * struct tinyvmx_exits - TINYVMX_STATE_EXITS: how often the vCPU left the guest
 * @count: VM exits so far by basic exit reason, modulo TINYVMX_NR_EXIT_COUNTS
 *
 * For GET only: what was counted is no state to restore (SET: EOPNOTSUPP).
 */
struct tinyvmx_exits {
	__u64 count[TINYVMX_NR_EXIT_COUNTS];
};

/**
 * struct tinyvmx_tsc - TINYVMX_STATE_TSC: the guest's TSC at a moment of the host's
 * @guest: what the guest's TSC is ...
 * @host: ... when the host's is this, counted on where the host has slept and begun anew
 *
 * GET tells of now. For SET any moment will do: vCPUs that are set with one @host are in step
 * to the tick, however long it takes. IA32_TSC_ADJUST stays as it is.
 */
struct tinyvmx_tsc {
	__u64 guest;
	__u64 host;
};

/* tinyvmx_state.type */
#define TINYVMX_STATE_REGS	1	/* struct tinyvmx_regs */
#define TINYVMX_STATE_SREGS	2	/* struct tinyvmx_sregs */
#define TINYVMX_STATE_MSRS	3	/* struct tinyvmx_msr[] */
#define TINYVMX_STATE_XSAVE	4	/* struct tinyvmx_xsave */
#define TINYVMX_STATE_EVENTS	5	/* struct tinyvmx_events */
#define TINYVMX_STATE_DEBUG	6	/* struct tinyvmx_debug */
#define TINYVMX_STATE_LAPIC	7	/* struct tinyvmx_lapic */
#define TINYVMX_STATE_EXITS	8	/* struct tinyvmx_exits, GET only */
#define TINYVMX_STATE_TSC	9	/* struct tinyvmx_tsc: IA32_TIME_STAMP_COUNTER */

/**
 * struct tinyvmx_state - TINYVMX_GET_STATE, TINYVMX_SET_STATE
 * @size: sizeof(struct tinyvmx_state)
 * @flags: must be 0
 * @type: TINYVMX_STATE_*
 * @version: layout of the blob: 1 for every type today
 * @data: address of the blob
 * @len: its length in bytes: exactly the type's (EINVAL); MSRS: 0 to
 *	max_msr_entries elements (ENOSPC)
 *
 * A vCPU is saved by GET of all types and restored by SET of all types, in the
 * order LAPIC, SREGS, REGS, MSRS, XSAVE, DEBUG, EVENTS. Both wait for nothing: a vCPU
 * that runs in another thread is EBUSY. SET is all or nothing (but see MSRS).
 * A response that RUN left unfinished (IN) is not part of the state: finish it
 * by RUN with run->immediate_exit set.
 */
struct tinyvmx_state {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 version;
	__u64 data;
	__u64 len;
};

/* tinyvmx_cpuid.flags */
#define TINYVMX_CPUID_INDEXED	(1U << 0)	/* @index matters */

/**
 * struct tinyvmx_cpuid - one row of the guest's CPUID table
 * @function: EAX on entry
 * @index: ECX on entry, looked at with TINYVMX_CPUID_INDEXED
 * @flags: TINYVMX_CPUID_*
 * @eax: result
 * @ebx: result
 * @ecx: result
 * @edx: result
 * @pad: must be 0
 *
 * The module itself keeps true what depends on the guest's registers: OSXSAVE, APIC
 * and the APIC id in leaf 1, the XSAVE sizes in leaf 0DH. A function above the
 * table's highest basic one answers as that one does, as Intel processors do.
 */
struct tinyvmx_cpuid {
	__u32 function;
	__u32 index;
	__u32 flags;
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 pad;
};

/**
 * struct tinyvmx_set_cpuid - TINYVMX_SET_CPUID: replace the CPUID table
 * @size: sizeof(struct tinyvmx_set_cpuid)
 * @flags: must be 0
 * @count: entries, 0 ... max_cpuid_entries (ENOSPC)
 * @pad: must be 0
 * @entries: address of struct tinyvmx_cpuid[@count]
 *
 * The table also decides which CR4, EFER and XCR0 bits and which MSRs the guest
 * may use; with an empty one, as after CREATE_VCPU, CPUID answers with zeros and
 * the guest may use all that info's masks have. EEXIST: a row is there twice, or
 * a function has a row with and one without an index. EBUSY: the vCPU is running.
 */
struct tinyvmx_set_cpuid {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 pad;
	__u64 entries;
};

/* tinyvmx_inject.type: the interruption types of the SDM */
#define TINYVMX_INJECT_EXTINT		0
#define TINYVMX_INJECT_NMI		2
#define TINYVMX_INJECT_EXCEPTION	3

/* tinyvmx_inject.flags */
#define TINYVMX_INJECT_ERROR_CODE	(1U << 0)	/* exception: push @error_code */

/**
 * struct tinyvmx_inject - TINYVMX_INJECT: make an event pending
 * @size: sizeof(struct tinyvmx_inject)
 * @flags: TINYVMX_INJECT_*
 * @type: TINYVMX_INJECT_*
 * @vector: EXTINT 0 ... 255; EXCEPTION 0 ... 31 without 2; NMI 2
 * @error_code: for exceptions that have one
 * @pad: must be 0
 *
 * EXTINT and NMI are delivered as soon as the guest can take them and wake it
 * from HLT; an EXCEPTION is delivered by the next VM entry.
 * EBUSY: one of that type is already pending, or the vCPU is running.
 */
struct tinyvmx_inject {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 vector;
	__u32 error_code;
	__u32 pad;
};

/**
 * struct tinyvmx_vmcs_field - one element of TINYVMX_GET_VMCS
 * @encoding: VMCS component encoding (SDM, "Field Encoding in VMCS")
 * @pad: 0
 * @value: zero-extended
 */
struct tinyvmx_vmcs_field {
	__u32 encoding;
	__u32 pad;
	__u64 value;
};

/**
 * struct tinyvmx_get_vmcs - TINYVMX_GET_VMCS: the vCPU's VMCS, for explaining
 * @size: sizeof(struct tinyvmx_get_vmcs)
 * @flags: must be 0
 * @count: in: room in @fields; out: fields the VMCS has
 * @pad: must be 0
 * @fields: address of struct tinyvmx_vmcs_field[@count]
 *
 * Every field that exists on this CPU, ascending by encoding. Fields that hold
 * addresses of the host kernel (host-state area, control-structure addresses)
 * are given as 0 unless the caller has CAP_SYS_ADMIN.
 * ENOSPC: @count is too small; it is set to what is needed. EBUSY.
 */
struct tinyvmx_get_vmcs {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 pad;
	__u64 fields;
};

/* tinyvmx_set_debug.flags, and tinyvmx_exit_debug.cause but for the last */
#define TINYVMX_DEBUG_INT3		(1U << 0)	/* INT3 exits */
#define TINYVMX_DEBUG_STEP		(1U << 1)	/* exit behind each instruction */
#define TINYVMX_DEBUG_BREAKPOINTS	(1U << 2)	/* @dr and @dr7 beside the guest's */
#define TINYVMX_DEBUG_NO_INTERRUPTS	(1U << 3)	/* STEP: interrupts and NMIs wait */

/**
 * struct tinyvmx_set_debug - TINYVMX_SET_DEBUG: what a debugger outside of the guest wants
 * @size: sizeof(struct tinyvmx_set_debug)
 * @flags: TINYVMX_DEBUG_*; 0: there is none
 * @dr: with TINYVMX_DEBUG_BREAKPOINTS: linear addresses, as in DR0 ... DR3; else 0
 * @dr7: likewise: which are enabled, their types and lengths, as in DR7; else 0
 *
 * RUN returns with TINYVMX_EXIT_DEBUG. This is no state of the guest's: GET_STATE and SET_STATE
 * know nothing of it, INIT leaves it, and but for its breakpoints the guest cannot tell.
 *
 * - INT3: it exits before anything is done. One that is not the debugger's goes to the
 *   guest as event 3 of type 6 with run->instruction_len (TINYVMX_STATE_EVENTS). INT n with
 *   n = 3 does not exit.
 * - STEP (TINYVMX_CAP_DEBUG_STEP): each RUN is one instruction, one iteration of a repeated one,
 *   or the delivery of one event, and ends with other exits as ever: an instruction that
 *   RUN or userspace finishes is told by the next RUN, at its start. SET_DEBUG forgets that.
 * - NO_INTERRUPTS: no interrupt and no NMI is delivered, nor is an interrupt window
 *   told of, unless the guest waits in HLT. Exceptions are.
 * - BREAKPOINTS: a hit exits. The guest's own go on hitting as far as the CPU's four registers
 *   reach: the debugger's come first. Its debug registers hold what it writes. If both are met
 *   at once, RUN comes out first, and the guest takes its own by the next. A breakpoint on
 *   execution exits before the instruction, others behind it; with RFLAGS.RF set in regs RUN goes
 *   past one on execution. Accesses that userspace does for the guest do not hit. Its hits that
 *   are pending are lost when this changes.
 *
 * Errors: EOPNOTSUPP: STEP, and the CPU has no monitor trap flag; a breakpoint on I/O ports;
 * EINVAL: @dr or @dr7 set without BREAKPOINTS, reserved bits or GD in @dr7, a length other than
 * one byte for execution, NO_INTERRUPTS without STEP; EBUSY: the vCPU is running.
 */
struct tinyvmx_set_debug {
	__u32 size;
	__u32 flags;
	__u64 dr[4];
	__u64 dr7;
};

/* tinyvmx_lab.verdict */
#define TINYVMX_LAB_ENTERED	0	/* the CPU has accepted all of it */
#define TINYVMX_LAB_REFUSED	1	/* it has not: instruction_error, exit_reason tell */
#define TINYVMX_LAB_CHECKED	2	/* it has, controls and host; no more was tried */
#define TINYVMX_LAB_UNSAFE	3	/* not tried: the host might not come back */

/**
 * struct tinyvmx_lab - TINYVMX_LAB: try a VM entry with fields of the VMCS as you want them
 * @size: sizeof(struct tinyvmx_lab)
 * @flags: must be 0
 * @count: fields to write, 0 ... 512
 * @dump_count: in: room in @dump; out: fields the VMCS has
 * @fields: address of struct tinyvmx_vmcs_field[@count]
 * @dump: address of struct tinyvmx_vmcs_field[@dump_count]: the VMCS as it was tried, as of
 *	TINYVMX_GET_VMCS
 * @verdict: out: TINYVMX_LAB_*
 * @field: out: with UNSAFE: the encoding of a field that makes it so; else 0
 * @instruction_error: out: VM-instruction error of a refusal, or 0
 * @exit_reason: out: all 32 bits, with ENTERED, and with a refusal where bit 31 is set; else 0
 * @exit_qualification: out: likewise
 *
 * For teaching, and for holding rules of VM entry against a CPU. One VM entry is tried from
 * where the vCPU stands, with these fields written in their order, and then all fields are what
 * they were. An event that is injected is delivered, into the guest's memory; instructions of
 * the guest are executed only on a CPU without VMX-preemption timer. Pending events of the vCPU
 * wait for RUN.
 *
 * The host stays safe: with controls that would let the guest out of its VM the entry is made
 * to fail behind the checks on controls and host state, and the verdict on those is CHECKED;
 * what a failed entry would load into the CPU for good is tried only if the CPU is known to
 * refuse it before. @dump shows what was asked for, not what is done about that.
 *
 * EPERM: the caller has no CAP_SYS_ADMIN; EOPNOTSUPP: the module was loaded without lab=1
 * (TINYVMX_CAP_LAB); EINVAL: @count, a value that is wider than its field, a read-only field or
 * the high half of one; ENOENT: a field that the CPU does not have; ENOSPC: @dump_count is too
 * small; it is set to what is needed, and nothing was tried; EINTR: a signal, while VMX is off
 * here; EIO: it went off.
 */
struct tinyvmx_lab {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 dump_count;
	__u64 fields;
	__u64 dump;
	__u32 verdict;
	__u32 field;
	__u32 instruction_error;
	__u32 exit_reason;
	__u64 exit_qualification;
};

/* --------------------------------------------------------- flight recorder */

/* mmap() a vCPU fd here, read-only, for its ring of struct tinyvmx_record. */
#define TINYVMX_RECORD_OFFSET	0x100000

#define TINYVMX_MIN_RECORDS	64	/* a page */
#define TINYVMX_MAX_RECORDS	4096

/**
 * struct tinyvmx_set_record - TINYVMX_SET_RECORD: record the exits of a vCPU
 * @size: sizeof(struct tinyvmx_set_record)
 * @flags: must be 0
 * @records: how many are kept: a power of two, TINYVMX_MIN_RECORDS ... TINYVMX_MAX_RECORDS;
 *	0: stop
 * @pad: must be 0
 *
 * The last @records exits stand in a ring, which is mapped by mmap() on the vCPU fd at offset
 * TINYVMX_RECORD_OFFSET, in whole, with MAP_SHARED and PROT_READ alone (else EINVAL; ENOENT:
 * there is no ring yet). After CREATE_VCPU nothing is recorded. A ring stays as long as the
 * vCPU does, also when recording has stopped; it can go on with as many records.
 *
 * Errors: EINVAL: @records; EEXIST: the ring has another number of records; EBUSY; ENOMEM.
 */
struct tinyvmx_set_record {
	__u32 size;
	__u32 flags;
	__u32 records;
	__u32 pad;
};

/* tinyvmx_record.handled: where the kernel has been since the exit; none: it went straight back */
#define TINYVMX_HANDLED_OUTSIDE	(1U << 0)	/* where it may sleep */
#define TINYVMX_HANDLED_WAITED	(1U << 1)	/* for an event, in HLT */
#define TINYVMX_HANDLED_USER	(1U << 2)	/* out of RUN */
/* The CPU did not enter: @detail is the VM-instruction error, @reason 0. */
#define TINYVMX_HANDLED_NO_ENTRY (1U << 3)

/**
 * struct tinyvmx_record - a VM entry and the exit that ended it
 * @sequence: number of the exit since recording began, from 1 on; 0: nothing stands here, or
 *	not in whole
 * @entered: the host's TSC at the entry
 * @exited: the host's TSC at the exit
 * @rip: the guest's RIP at the exit
 * @qualification: exit qualification
 * @detail: EPT violation and misconfiguration: the guest-physical address. Exception or NMI:
 *	VM-exit interruption information, its error code in bits 63:32. All others: ECX, with
 *	EAX in bits 63:32, at the exit: which MSR, which CPUID leaf, what OUT writes
 * @reason: exit reason, all 32 bits
 * @injected: VM-entry interruption information, if its bit 31 is set: the event that the entry
 *	has delivered. Else bits 7:0 are the vector of the local APIC's interrupt that the CPU
 *	was to deliver as soon as the guest takes it, 0: none
 * @handled: TINYVMX_HANDLED_*
 * @user_ticks: TSC ticks out of RUN, all ones for that or more
 *
 * Record n stands at index n % @records of the ring. The kernel writes it while a reader may
 * look: first it sets @sequence of the oldest to 0, at the entry, and at the exit, when all is
 * written, to n. So who reads @sequence, then what he wants of the record, then @sequence
 * again, and finds the same number (not 0) twice, has read one record in whole; what a reader
 * misses he knows from the numbers. @handled and @user_ticks of the newest record still
 * change, each at once, until the next entry: from its @exited to the next one's @entered is
 * what the exit has cost.
 *
 * After a stop one number is left out, since exits may have gone unseen.
 */
struct tinyvmx_record {
	__u64 sequence;
	__u64 entered;
	__u64 exited;
	__u64 rip;
	__u64 qualification;
	__u64 detail;
	__u32 reason;
	__u32 injected;
	__u32 handled;
	__u32 user_ticks;
};

/* --------------------------------------------------------------------- RUN */

/* tinyvmx_run.reason: why RUN came back with 0 */
#define TINYVMX_EXIT_UNKNOWN		0	/* an exit this module does not handle */
#define TINYVMX_EXIT_IO			1	/* io */
#define TINYVMX_EXIT_MMIO		2	/* mmio */
#define TINYVMX_EXIT_HLT		3	/* HLT or wait-for-SIPI: nothing to wake it */
#define TINYVMX_EXIT_SHUTDOWN		4	/* triple fault */
#define TINYVMX_EXIT_INTR		5	/* RUN returned -1 with EINTR */
#define TINYVMX_EXIT_INTR_WINDOW	6	/* asked for by want_intr_window */
#define TINYVMX_EXIT_ENTRY_FAILED	7	/* entry_failed */
#define TINYVMX_EXIT_MEMORY_FAULT	8	/* mmio: RAM that the process cannot reach */
#define TINYVMX_EXIT_CR			9	/* cr: needs guest memory to be finished */
#define TINYVMX_EXIT_EOI		10	/* eoi: of a level-triggered interrupt */
#define TINYVMX_EXIT_FERR		11	/* an x87 error waits; with TINYVMX_VM_FERR */
#define TINYVMX_EXIT_TASK_SWITCH	12	/* task_switch: a hardware task switch */
#define TINYVMX_EXIT_DEBUG		13	/* debug: asked for by SET_DEBUG */

/*
 * tinyvmx_run.flags. Registers are filled in wherever userspace has an
 * instruction to finish or a fault to report: MMIO, MEMORY_FAULT, CR, TASK_SWITCH, string IO,
 * UNKNOWN, SHUTDOWN and ENTRY_FAILED; and with DEBUG.
 */
#define TINYVMX_RUN_REGS		(1U << 0)	/* regs is filled */
#define TINYVMX_RUN_INTR_READY		(1U << 1)	/* an EXTINT would be taken now */

/* tinyvmx_run.request */
#define TINYVMX_REQ_SET_REGS		(1U << 0)	/* load regs before entering */
/*
 * Userspace has executed the instruction of the last exit, or one iteration of a
 * repeated one: end blocking by STI and MOV SS, and raise the single-step trap if
 * RFLAGS.TF is set (after SET_REGS, if both are asked for).
 */
#define TINYVMX_REQ_COMPLETE		(1U << 1)
/*
 * Assert IGNNE# until no x87 error waits any more (FERR# is not asserted): so long x87
 * instructions go on in spite of it. Nothing if none waits, or CR0.NE is 1. EOPNOTSUPP without
 * TINYVMX_VM_FERR.
 */
#define TINYVMX_REQ_IGNNE		(1U << 2)

/**
 * struct tinyvmx_paging - what decides how the guest's linear addresses are translated
 * @cr0: CR0 without ET, NE, NW and CD
 * @cr3: page-table root
 * @cr4: CR4 without MCE and VMXE
 * @efer: IA32_EFER
 * @cpl: current privilege level, 0 ... 3
 * @pad: 0
 *
 * RFLAGS.AC, which counts too, is in regs.
 */
struct tinyvmx_paging {
	__u64 cr0;
	__u64 cr3;
	__u64 cr4;
	__u64 efer;
	__u32 cpl;
	__u32 pad;
};

/* tinyvmx_exit_io.flags */
#define TINYVMX_IO_IN			(1U << 0)	/* else OUT */
#define TINYVMX_IO_STRING		(1U << 1)	/* INS or OUTS: userspace does it */
#define TINYVMX_IO_REP			(1U << 2)
#define TINYVMX_IO_BREAKPOINTS		(1U << 3)	/* DR7 enables one: see below */

/**
 * struct tinyvmx_exit_io - an IN, OUT, INS or OUTS
 * @port: port number
 * @width: 1, 2 or 4 bytes
 * @flags: TINYVMX_IO_*
 * @data: OUT: the value written. IN: the value the guest is to read, put here by
 *	userspace before the next RUN, which completes the instruction.
 * @gla: string forms: linear address of the first element
 * @address_size: string forms: 2, 4 or 8 bytes: the width of RCX, RSI, RDI used
 * @paging: string forms: how to get at the guest's memory
 *
 * IN and OUT are complete but for @data: RIP is already behind them, and breakpoints that they
 * meet are pending. For the string forms nothing has been done: userspace moves the data,
 * updates RCX, RSI or RDI and RIP (instruction_len) in regs, and sets TINYVMX_REQ_SET_REGS and
 * TINYVMX_REQ_COMPLETE. With TINYVMX_IO_BREAKPOINTS it looks for the breakpoints that the
 * accesses meet (TINYVMX_STATE_DEBUG), and makes them pending (pending_dbg of
 * TINYVMX_STATE_EVENTS).
 */
struct tinyvmx_exit_io {
	__u16 port;
	__u16 width;
	__u32 flags;
	__u32 data;
	__u32 address_size;
	__u64 gla;
	struct tinyvmx_paging paging;
};

/* tinyvmx_exit_mmio.flags: the access, as the exit qualification tells it */
#define TINYVMX_MMIO_READ		(1U << 0)
#define TINYVMX_MMIO_WRITE		(1U << 1)
#define TINYVMX_MMIO_FETCH		(1U << 2)
#define TINYVMX_MMIO_GLA_VALID		(1U << 3)
#define TINYVMX_MMIO_WALK		(1U << 4)	/* not by it: page tables, events */
#define TINYVMX_MMIO_BREAKPOINTS	(1U << 5)	/* DR7 enables one: see below */

/**
 * struct tinyvmx_exit_mmio - an access to guest-physical memory that is not RAM
 * @gpa: guest-physical address
 * @gla: guest-linear address, with TINYVMX_MMIO_GLA_VALID
 * @flags: TINYVMX_MMIO_*
 * @error: MEMORY_FAULT: errno of the failed access to the process's memory, else 0;
 *	EHWPOISON: the memory there has had an uncorrectable error (a program that
 *	touches it gets SIGBUS with BUS_MCEERR_AR)
 * @paging: how to get at the instruction and its operands
 * @cs_base: CS base (0 in 64-bit mode)
 * @cs_ar: CS access rights: TINYVMX_AR_L and TINYVMX_AR_DB tell the code size
 * @pad: 0
 *
 * Nothing of the instruction has been done. Userspace decodes it, does the
 * access, updates regs (rip included) and sets TINYVMX_REQ_SET_REGS and
 * TINYVMX_REQ_COMPLETE. If it does nothing, the next RUN repeats the instruction.
 * TINYVMX_MMIO_BREAKPOINTS is as TINYVMX_IO_BREAKPOINTS.
 * Without TINYVMX_MMIO_GLA_VALID and TINYVMX_MMIO_WALK an instruction has accessed the
 * local APIC's page, and its operands alone tell the linear address.
 */
struct tinyvmx_exit_mmio {
	__u64 gpa;
	__u64 gla;
	__u32 flags;
	__u32 error;
	struct tinyvmx_paging paging;
	__u64 cs_base;
	__u32 cs_ar;
	__u32 pad;
};

/**
 * struct tinyvmx_exit_entry_failed - the CPU refused a VM entry
 * @instruction_error: VM-instruction error number (SDM, "VM Instruction Error
 *	Numbers"), 0 if the entry failed in its later checks: then
 *	run->exit_reason has bit 31 set and run->exit_qualification says more
 * @pad: 0
 *
 * The vCPU's state is unchanged; SET_STATE may mend it and RUN may be retried.
 */
struct tinyvmx_exit_entry_failed {
	__u32 instruction_error;
	__u32 pad;
};

/**
 * struct tinyvmx_exit_cr - a MOV to CR0 or CR4 that turns PAE paging on, or
 *	changes it, together with a bit the guest does not own
 * @cr: 0 or 4
 * @pad: 0
 * @value: what the guest wrote
 *
 * Nothing has been done. Userspace reads the four PDPTEs from guest memory at
 * CR3, sets the new control register and the PDPTEs (SREGS) and RIP, and asks for
 * TINYVMX_REQ_COMPLETE.
 */
struct tinyvmx_exit_cr {
	__u32 cr;
	__u32 pad;
	__u64 value;
};

/**
 * struct tinyvmx_exit_eoi - the guest ended a level-triggered interrupt
 * @vector: 16 ... 255
 * @pad: 0
 *
 * Everything is done; an I/O APIC in userspace clears remote IRR for @vector.
 */
struct tinyvmx_exit_eoi {
	__u32 vector;
	__u32 pad;
};

/* tinyvmx_exit_task_switch.source */
#define TINYVMX_TASK_SWITCH_CALL	0
#define TINYVMX_TASK_SWITCH_IRET	1
#define TINYVMX_TASK_SWITCH_JMP		2
#define TINYVMX_TASK_SWITCH_GATE	3	/* a task gate in the IDT: an event */

/**
 * struct tinyvmx_exit_task_switch - a hardware task switch (SDM, "Task Switching")
 * @selector: of the new task's TSS
 * @source: TINYVMX_TASK_SWITCH_*
 * @event_info: GATE: the event whose delivery met the task gate, in the format of the IDT-vectoring
 *	information field (bit 31, valid, is set); else 0
 * @event_error_code: its error code, if bit 11 of @event_info is set; else 0
 * @pad: 0
 *
 * The CPU has checked the gate, and privilege, type, presence and limit of the new TSS; a fault
 * of those needs no exit. Nothing else has been done: userspace saves and loads the state in guest
 * memory, sets it (SREGS, DEBUG, regs with TINYVMX_REQ_SET_REGS), and gives the guest the
 * exceptions that come of it (EVENTS).
 * For an instruction, and an event that one has raised (INT n, INT1, INT3, INTO), RIP is on it
 * and instruction_len is its length. The event is userspace's: RUN does not deliver it again. An
 * NMI has blocked others; IRET may or may not have ended that.
 */
struct tinyvmx_exit_task_switch {
	__u16 selector;
	__u16 source;
	__u32 event_info;
	__u32 event_error_code;
	__u32 pad;
};

/**
 * struct tinyvmx_exit_debug - something that SET_DEBUG asked for
 * @cause: TINYVMX_DEBUG_INT3, _STEP or _BREAKPOINTS; perhaps the latter two together
 * @pad: 0
 * @dr6: with TINYVMX_DEBUG_BREAKPOINTS: bit n: breakpoint n was hit
 * @address: linear address of the instruction that is next: CS base + RIP
 *
 * run->rip is that of the next instruction: with INT3 that one.
 */
struct tinyvmx_exit_debug {
	__u32 cause;
	__u32 pad;
	__u64 dr6;
	__u64 address;
};

#define TINYVMX_SHORTCUT_BYTES	256

/**
 * struct tinyvmx_shortcut - port accesses of one byte that RUN finishes by itself
 * @out_port: an OUT to it appends its byte to @queue, as long as there is room;
 *	0: none
 * @in_port: an IN from it gives @in_value; 0: none
 * @in_value: what the guest reads
 * @pad: unused
 * @queued: bytes in @queue; userspace takes them and writes 0
 * @pad2: unused
 * @queue: what the guest wrote, the oldest byte first
 *
 * For a chip whose registers do only that for a while, such as a UART with a
 * driver that polls. The kernel looks here at each such access, so any thread may
 * close a shortcut while the vCPU runs. @queued and @queue are userspace's only
 * while it does not. String and wider accesses take no shortcut.
 */
struct tinyvmx_shortcut {
	__u16 out_port;
	__u16 in_port;
	__u8 in_value;
	__u8 pad[3];
	__u32 queued;
	__u32 pad2;
	__u8 queue[TINYVMX_SHORTCUT_BYTES];
};

/**
 * struct tinyvmx_run - the run page, mmap()ed from a vCPU fd at offset 0
 *
 * @immediate_exit: request: non-zero: RUN finishes what the last exit left
 *	unfinished (IN data, SET_REGS), then returns EINTR without entering the
 *	guest. Set it from a signal handler to close the race with RUN.
 * @want_intr_window: request: non-zero: RUN returns with INTR_WINDOW as soon as
 *	the guest could take an external interrupt. In a VM with local APICs it is the
 *	INTR line, which ends at LINT0: where that is unmasked with delivery mode NMI, the
 *	change from zero to non-zero is an NMI
 * @request: request: TINYVMX_REQ_*; the kernel clears it when it is done
 * @wait_for_nmi: request: non-zero, with TINYVMX_VM_LAPIC: RUN waits in HLT also while
 *	interrupts are off, unless NMIs are blocked: userspace knows of somebody who may
 *	send one. Looked at when the guest halts so
 * @wait_for_peers: request: non-zero, with TINYVMX_VM_LAPIC: RUN waits in HLT whatever is blocked,
 *	and for a start-up IPI: another vCPU may send an INIT, KVM_HC_KICK_CPU, or that. Else RUN
 *	returns with HLT. Looked at as @wait_for_nmi
 * @pad: unused
 *
 * @reason: response: TINYVMX_EXIT_*
 * @flags: response: TINYVMX_RUN_*
 * @exit_reason: response: the VMCS exit reason, all 32 bits
 * @instruction_len: response: VM-exit instruction length, 0 where undefined
 * @exit_qualification: response: the VMCS exit qualification
 * @rip: response: RIP of the exit: the instruction that caused it, if one did
 * @exits: response: VM exits of this vCPU so far
 * @intr_info: response: VM-exit interruption information, 0 where not valid
 * @intr_error_code: response: its error code
 * @unknown_msrs: response: RDMSRs and WRMSRs of this vCPU so far that gave #GP
 *	because there is no such MSR; the tracepoint tinyvmx_unknown_msr names each
 * @apic_page: response, at any time: the guest-physical address of the page at which this
 *	vCPU's local APIC answers; all ones: nowhere
 *
 * @regs: registers, both ways: see TINYVMX_RUN_REGS and TINYVMX_REQ_SET_REGS
 * @shortcut: request and response, see there
 *
 * The kernel reads each request word once per RUN, but for the two @wait_for_..., and takes
 * nothing it finds here on trust. The response is valid until the next RUN. When RUN fails with
 * an errno other than EINTR the response is not valid.
 */
struct tinyvmx_run {
	/* request */
	__u32 immediate_exit;
	__u32 want_intr_window;
	__u32 request;
	__u32 wait_for_nmi;
	__u32 wait_for_peers;
	__u32 pad[11];
	/* response */
	__u32 reason;
	__u32 flags;
	__u32 exit_reason;
	__u32 instruction_len;
	__u64 exit_qualification;
	__u64 rip;
	__u64 exits;
	__u32 intr_info;
	__u32 intr_error_code;
	__u64 unknown_msrs;
	__u64 apic_page;
	struct tinyvmx_regs regs;
	__u64 pad3[14];
	union {
		struct tinyvmx_exit_io io;
		struct tinyvmx_exit_mmio mmio;
		struct tinyvmx_exit_entry_failed entry_failed;
		struct tinyvmx_exit_cr cr;
		struct tinyvmx_exit_eoi eoi;
		struct tinyvmx_exit_task_switch task_switch;
		struct tinyvmx_exit_debug debug;
		__u64 payload[32];
	};
	struct tinyvmx_shortcut shortcut;
};

#endif /* _UAPI_TINYVMX_H */
