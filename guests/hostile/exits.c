// SPDX-License-Identifier: GPL-2.0-only
/* One instruction, as often as can be: each that exits, and those that could. */
#include <sys/eventfd.h>

#include "hostile.h"

static u64 operand[2] __attribute__((aligned(16)));
static u8 lines[128] __attribute__((aligned(64)));

#define PORT		0x5e0	/* nobody's */
#define RO_GPA		0x9000000UL

/* ----------------------------------------------------- what is finished */

REPEATS(does_cpuid, "cpuid", : : "a"(0xd), "c"(1) : "rbx", "rdx")
REPEATS(does_invd, "invd", :)
REPEATS(does_wbinvd, "wbinvd", :)
REPEATS(does_rdtsc, "rdtsc", : : : "rax", "rdx")
REPEATS(does_pause, "pause", :)
REPEATS(does_invlpg, "invlpg %0", : : "m"(operand))
REPEATS(does_rdmsr, "rdmsr", : : "c"(0x10) : "rax", "rdx")
REPEATS(does_wrmsr, "wrmsr", : : "c"(0x174), "a"(8), "d"(0))
REPEATS(does_sgdt,
	"sub $16, %%rsp; sgdt (%%rsp); lgdt (%%rsp); sidt (%%rsp); lidt (%%rsp); add $16, %%rsp",
	: : : "memory")
REPEATS(does_ltr, "str %%eax; sldt %%eax; xor %%eax, %%eax; lldt %%ax", : : : "rax")
REPEATS(does_clflush, "clflush %0; mfence", : : "m"(operand))
REPEATS(does_split_lock, "lock incl (%0)", : : "r"(lines + 62) : "memory")
REPEATS(does_cr0, "mov %%cr0, %%rax; btc $30, %%rax; mov %%rax, %%cr0", : : : "rax")	/* CD */
REPEATS(does_lmsw, "smsw %%eax; lmsw %%ax; clts", : : : "rax")
REPEATS(does_cr8, "xor %%eax, %%eax; mov %%rax, %%cr8; mov %%cr8, %%rax", : : : "rax")
REPEATS(does_dr, "mov %%db7, %%rax; mov %%rax, %%db7; mov %%db6, %%rax; mov %%rax, %%db6",
	: : : "rax")
REPEATS(does_xsetbv, "xor %%ecx, %%ecx; xgetbv; xsetbv", : : : "rax", "rcx", "rdx")
REPEATS(does_in, "in %%dx, %%al", : : "d"(PORT) : "rax")
REPEATS(does_out, "out %%al, %%dx", : : "d"(PORT), "a"(0))
REPEATS(does_ins, "mov %0, %%edi; mov $1000, %%ecx; rep insb", : : "i"(GUEST_FREE_GPA), "d"(PORT)
	: "rcx", "rdi", "memory")
REPEATS(does_outs, "mov %0, %%esi; mov $1000, %%ecx; rep outsb", : : "i"(GUEST_FREE_GPA), "d"(PORT)
	: "rcx", "rsi")
REPEATS(does_hlt, "cli; hlt", :)
REPEATS(reads_mmio, "mov (%0), %%eax", : : "r"((u64)GUEST_MMIO_GPA) : "rax")
REPEATS(writes_rom, "mov %%eax, (%0)", : : "r"(RO_GPA) : "memory")

static void umip_on(void)
{
	WRITE_REG("cr4", READ_REG("cr4") | UMIP);
}

/* In ring 0 the CPU does them, with an exit before and one behind. */
static void does_sgdt_umip(u64 id)
{
	umip_on();
	does_sgdt(id);
}

static void leave_ring3(struct guest_frame *frame)
{
	frame->cs = SEL_CS64;
	frame->ss = SEL_DS;
}

static void does_str_umip(u64 id)
{
	(void)id;
	umip_on();
	guest_hook = leave_ring3;
	for (;; guest_alive++)
		guest_is(RING3_TRY("str %%eax"), GP);
}

/* Some CPUs lack it: an exception is as good. */
static void does_random(u64 id)
{
	(void)id;
	for (;; guest_alive++) {
		GUEST_TRY("rdrand %%eax", : : : "rax");
		GUEST_TRY("rdseed %%eax", : : : "rax");
		GUEST_TRY("rdtscp", : : : "rax", "rcx", "rdx");
		GUEST_TRY("invpcid %0, %1", : : "m"(operand), "r"(2UL));
		GUEST_TRY("umwait %%eax", : : : "rax", "rdx");
		GUEST_TRY("rdpkru", : : "c"(0) : "rax", "rdx");
	}
}

/* --------------------------------------------------------- what is #UD */

FAULTS(does_vmcall, UD, "vmcall", :)
FAULTS(does_vmlaunch, UD, "vmlaunch", :)
FAULTS(does_vmresume, UD, "vmresume", :)
FAULTS(does_vmxoff, UD, "vmxoff", :)
FAULTS(does_vmxon, UD, "vmxon %0", : : "m"(operand))
FAULTS(does_vmclear, UD, "vmclear %0", : : "m"(operand))
FAULTS(does_vmptrld, UD, "vmptrld %0", : : "m"(operand))
FAULTS(does_vmptrst, UD, "vmptrst %0", : : "m"(operand))
FAULTS(does_vmread, UD, "vmread %%rax, %%rax", : : "a"(0))
FAULTS(does_vmwrite, UD, "vmwrite %%rax, %%rax", : : "a"(0))
FAULTS(does_invept, UD, "invept %0, %1", : : "m"(operand), "r"(1UL))
FAULTS(does_invvpid, UD, "invvpid %0, %1", : : "m"(operand), "r"(1UL))
FAULTS(does_vmfunc, UD, ".byte 0x0f, 0x01, 0xd4", : : "a"(0), "c"(0))
FAULTS(does_getsec, UD, "getsec", : : "a"(0))
FAULTS(does_encls, UD, ".byte 0x0f, 0x01, 0xcf", : : "a"(0))
FAULTS(does_monitor, UD, "monitor", : : "a"(operand), "c"(0), "d"(0))
FAULTS(does_mwait, UD, "mwait", : : "a"(0), "c"(0))
FAULTS(does_rsm, UD, "rsm", :)

/* --------------------------------------------------------- what is #GP */

FAULTS(does_rdpmc, GP, "rdpmc", : : "c"(0) : "rax", "rdx")
FAULTS(does_cr4_vmxe, GP, "mov %%cr4, %%rax; bts $13, %%rax; mov %%rax, %%cr4", : : : "rax")
FAULTS(reads_no_msr, GP, "rdmsr", : : "c"(0x12345678) : "rax", "rdx")
FAULTS(writes_no_msr, GP, "wrmsr", : : "c"(0xc0012345), "a"(1), "d"(0))
FAULTS(does_bad_xsetbv, GP, "xsetbv", : : "a"(0), "c"(0), "d"(0))

/* ------------------------------------------------------------------- VMM */

static void prepare_xsave(struct vcpu *vcpu)
{
	vcpu_enable_xsave(vcpu, ~0UL);
}

static void prepare_shortcut(struct vcpu *vcpu)
{
	vcpu->run->shortcut.in_port = PORT;
	vcpu->run->shortcut.out_port = PORT;
}

static void empty_shortcut(struct vcpu *vcpu)
{
	vcpu->run->shortcut.queued = 0;
}

static void prepare_ioeventfd(struct vcpu *vcpu)
{
	struct tinyvmx_ioeventfd arg = {
		.size = sizeof(arg), .fd = must(eventfd(0, EFD_CLOEXEC)),
		.port = PORT, .width = 1,
	};

	must(ioctl(vcpu->vm->fd, TINYVMX_IOEVENTFD, &arg));
	close(arg.fd);
}

static void prepare_rom(struct vcpu *vcpu)
{
	must(set_memory(vcpu->vm->fd, 1, TINYVMX_MEMORY_READONLY, RO_GPA, PAGE, vcpu->vm->ram));
}

#define INJECTED "the exit leaves an exception, whose delivery is no boundary"

const struct attack attacks_exits[] = {
	{ "CPUID", IN_KERNEL, .guest = does_cpuid, .exit = BY(CPUID) },
	{ "INVD", IN_KERNEL, .guest = does_invd, .exit = BY(INVD) },
	{ "WBINVD", "the CPU's caches are emptied, each time", .guest = does_wbinvd,
	  .exit = BY(WBINVD) },
	{ "RDMSR", IN_KERNEL, .guest = does_rdmsr, .exit = BY(MSR_READ) },
	{ "WRMSR", IN_KERNEL, .guest = does_wrmsr, .exit = 0 },
	{ "MOV CR0", IN_KERNEL, .guest = does_cr0, .exit = BY(CR_ACCESS) },
	{ "MOV DR", IN_KERNEL, .guest = does_dr, .exit = BY(DR_ACCESS) },
	{ "XSETBV", IN_KERNEL, .guest = does_xsetbv, .prepare = prepare_xsave, .exit = BY(XSETBV) },
	{ "IN, shortcut", IN_KERNEL, .guest = does_in, .prepare = prepare_shortcut,
	  .exit = BY(IO_INSTRUCTION) },
	{ "OUT, shortcut", IN_KERNEL, .guest = does_out, .prepare = prepare_shortcut,
	  .answer = empty_shortcut, .exit = BY(IO_INSTRUCTION) },
	{ "OUT, eventfd", "as before, and each wakes somebody", .guest = does_out,
	  .prepare = prepare_ioeventfd, .exit = BY(IO_INSTRUCTION) },
	{ "IN", TO_USER, .guest = does_in, .exit = BY(IO_INSTRUCTION) },
	{ "OUT", TO_USER, .guest = does_out, .exit = BY(IO_INSTRUCTION) },
	{ "INS", TO_USER, .guest = does_ins, .exit = BY(IO_INSTRUCTION), .flags = ATTACK_STUCK },
	{ "OUTS", TO_USER, .guest = does_outs, .exit = BY(IO_INSTRUCTION), .flags = ATTACK_STUCK },
	{ "HLT", TO_USER, .guest = does_hlt, .exit = BY(HLT) },
	{ "MMIO", TO_USER, .guest = reads_mmio, .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "writes to ROM", TO_USER, .guest = writes_rom, .prepare = prepare_rom,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_STUCK },
	{ "descriptor tables, UMIP", IN_KERNEL, .guest = does_sgdt_umip,
	  .exit = BY(MONITOR_TRAP_FLAG) },
	{ "STR in ring 3, UMIP", INJECTED, .guest = does_str_umip, .exit = BY(LDTR_TR) },
	{ "VMCALL", INJECTED, .guest = does_vmcall, .exit = BY(VMCALL) },
	{ "VMLAUNCH", INJECTED, .guest = does_vmlaunch, .exit = BY(VMLAUNCH) },
	{ "VMRESUME", INJECTED, .guest = does_vmresume, .exit = BY(VMRESUME) },
	{ "VMXOFF", INJECTED, .guest = does_vmxoff, .exit = BY(VMOFF) },
	{ "VMXON", INJECTED, .guest = does_vmxon, .exit = BY(VMON) },
	{ "VMCLEAR", INJECTED, .guest = does_vmclear, .exit = BY(VMCLEAR) },
	{ "VMPTRLD", INJECTED, .guest = does_vmptrld, .exit = BY(VMPTRLD) },
	{ "VMPTRST", INJECTED, .guest = does_vmptrst, .exit = BY(VMPTRST) },
	{ "VMREAD", INJECTED, .guest = does_vmread, .exit = BY(VMREAD) },
	{ "VMWRITE", INJECTED, .guest = does_vmwrite, .exit = BY(VMWRITE) },
	{ "INVEPT", INJECTED, .guest = does_invept, .exit = BY(INVEPT) },
	{ "INVVPID", INJECTED, .guest = does_invvpid, .exit = BY(INVVPID) },
	{ "MONITOR", INJECTED, .guest = does_monitor, .exit = BY(MONITOR_INSTRUCTION) },
	{ "MWAIT", INJECTED, .guest = does_mwait, .exit = BY(MWAIT_INSTRUCTION) },
	{ "RDPMC", INJECTED, .guest = does_rdpmc, .exit = BY(RDPMC) },
	{ "CR4.VMXE", INJECTED, .guest = does_cr4_vmxe, .exit = BY(CR_ACCESS) },
	{ "RDMSR of none", "as before, and each is noted", .guest = reads_no_msr,
	  .exit = BY(MSR_READ) },
	{ "WRMSR of none", "as before, and each is noted", .guest = writes_no_msr,
	  .exit = BY(MSR_WRITE) },
	{ "XSETBV refused", INJECTED, .guest = does_bad_xsetbv, .prepare = prepare_xsave,
	  .exit = BY(XSETBV) },
	{ "VMFUNC", "the guest has them", .guest = does_vmfunc },
	{ "GETSEC", "as before", .guest = does_getsec },
	{ "ENCLS", INJECTED, .guest = does_encls, .exit = BY(ENCLS) },
	{ "RSM", "as before", .guest = does_rsm },
	{ "RDTSC", "each exits, though it should not", .guest = does_rdtsc },
	{ "PAUSE", "as before", .guest = does_pause },
	{ "INVLPG", "as before", .guest = does_invlpg },
	{ "CLFLUSH", "as before", .guest = does_clflush },
	{ "SGDT, LIDT", "as before", .guest = does_sgdt },
	{ "LLDT, STR", "as before", .guest = does_ltr },
	{ "LMSW, CLTS", "as before", .guest = does_lmsw },
	{ "MOV CR8", "as before", .guest = does_cr8 },
	{ "split locks", "each stops the memory of all CPUs (no emulator shows it)",
	  .guest = does_split_lock },
	{ "RDRAND and others", "as before", .guest = does_random },
	{ }
};
