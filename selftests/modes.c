// SPDX-License-Identifier: GPL-2.0-only
/* The way up: reset state, real mode, protected mode, PAE paging, long mode. */
#include "lib.h"

#define CODE_GPA	0x8000
#define PDPT_GPA	0x9000
#define PD_GPA		0xa000

/*
 * Copied to CODE_GPA. OUT of AL to port 80H tells how far it came. Real mode
 * starts at its first byte with CS = 0800H, base 8000H.
 */
extern char mode_code[], mode_code_end[];

__asm__(".pushsection .rodata\n"
	"mode_code:\n"
	".code16\n"
	"	mov	$0x10, %al\n"
	"	out	%al, $0x80\n"
	"	mov	%cs, %ax\n"
	"	mov	%ax, %ds\n"
	"	lgdtl	mode_gdtr - mode_code\n"
	"	mov	%cr0, %eax\n"
	"	or	$1, %eax\n"
	"	mov	%eax, %cr0\n"
	"	ljmpl	$8, $0x8000 + mode_32 - mode_code\n"
	".code32\n"
	"mode_32:\n"
	"	mov	$0x10, %eax\n"
	"	mov	%eax, %ds\n"
	"	mov	%eax, %ss\n"
	"	mov	%eax, %es\n"
	"	mov	$0x32, %al\n"
	"	out	%al, $0x80\n"
	"	mov	%cr4, %eax\n"
	"	or	$0x20, %eax\n"
	"	mov	%eax, %cr4\n"
	"	mov	$0x9000, %eax\n"
	"	mov	%eax, %cr3\n"
	"	mov	%cr0, %eax\n"
	"	or	$0x80000000, %eax\n"
	"	mov	%eax, %cr0\n"
	"	mov	0x40000100, %eax\n"	/* the first PDPTE's memory again */
	"	mov	%eax, %ebx\n"
	"	mov	$0x36, %al\n"
	"	out	%al, $0x80\n"
	/* A PDPTE changed in memory counts from the next MOV CR3 on. */
	"	movl	$0, 0x9008\n"
	"	mov	0x40000100, %ecx\n"
	"	mov	%cr3, %eax\n"
	"	mov	%eax, %cr3\n"
	"	movl	$0xa001, 0x9008\n"
	"	mov	%eax, %cr3\n"
	"	mov	0x40000100, %edx\n"
	"	mov	$0x37, %al\n"
	"	out	%al, $0x80\n"
	/* CD and NW (set by RESET) are not the guest's own, and reload PDPTEs. */
	"	mov	%cr0, %eax\n"
	"	and	$0x9fffffff, %eax\n"
	"	mov	%eax, %cr0\n"
	"	or	$0x40000000, %eax\n"
	"	mov	%eax, %cr0\n"
	"	mov	%cr0, %ebx\n"
	"	mov	$0x38, %al\n"
	"	out	%al, $0x80\n"
	/* Paging off, the long-mode tables, LME, paging on. */
	"	mov	%cr0, %eax\n"
	"	and	$0x7fffffff, %eax\n"
	"	mov	%eax, %cr0\n"
	"	mov	$0x1000, %eax\n"
	"	mov	%eax, %cr3\n"
	"	mov	$0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	or	$0x100, %eax\n"
	"	wrmsr\n"
	"	mov	%cr0, %eax\n"
	"	or	$0x80000000, %eax\n"
	"	mov	%eax, %cr0\n"
	"	ljmpl	$0x18, $0x8000 + mode_64 - mode_code\n"
	".code64\n"
	"mode_64:\n"
	"	mov	$0x1122334455667788, %r15\n"
	"	mov	$0x64, %al\n"
	"	out	%al, $0x80\n"
	"	hlt\n"
	".balign 8\n"
	"mode_gdt:\n"
	"	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"	.quad	0x00af9b000000ffff\n"
	"mode_gdtr:\n"
	"	.word	0x1f\n"
	"	.long	0x8000 + mode_gdt - mode_code\n"
	"mode_code_end:\n"
	".popsection\n");

static void build(u8 *ram)
{
	u64 *pdpt = (u64 *)(ram + PDPT_GPA), *pd = (u64 *)(ram + PD_GPA);

	memcpy(ram + CODE_GPA, mode_code, mode_code_end - mode_code);
	pdpt[0] = pdpt[1] = PD_GPA | 1;
	for (u64 i = 0; i < 8; i++)
		pd[i] = i << 21 | 0x83;
	*(u32 *)(ram + 0x100) = 0x600df00d;
}

static u32 finished_cr;	/* EXIT_CR seen */

static bool reached(struct vcpu *vcpu, u32 where)
{
	struct tinyvmx_run *run = vcpu->run;

	for (;;) {
		if (vcpu_run(vcpu)) {
			diag("RUN: %m");
			return false;
		}
		if (run->reason != TINYVMX_EXIT_CR)
			break;
		/* The header's recipe: PDPTEs from memory, new CR, RIP. */
		struct tinyvmx_sregs s = vcpu_sregs(vcpu);

		memcpy(s.pdpte, vcpu->vm->ram + (s.cr3 & 0xffffffe0), 32);
		*(run->cr.cr ? &s.cr4 : &s.cr0) = run->cr.value;
		vcpu_set_sregs(vcpu, &s);
		vcpu_get_regs(vcpu);
		vcpu->regs.rip += run->instruction_len;
		vcpu_set_regs(vcpu);
		run->request = TINYVMX_REQ_COMPLETE;
		finished_cr++;
	}
	if (run->reason == TINYVMX_EXIT_IO && run->io.port == 0x80 &&
	    run->io.data == where)
		return true;
	diag("exit %s, reason %#x, qualification %#llx, rip %#llx, data %#x",
	     exit_name(run->reason), run->exit_reason, run->exit_qualification,
	     run->rip, run->io.data);
	return false;
}

/* A vCPU as RESET leaves it, but for CS:IP. */
static struct vcpu *real_mode_vcpu(void)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	struct tinyvmx_cpuid table[100];
	struct tinyvmx_sregs s;

	vcpu->vm = vm_create();
	build(vcpu->vm->ram);
	vcpu->fd = must(create_vcpu_fd(vcpu->vm->fd, 0));
	vcpu->run = map_run(vcpu->fd);
	must(set_cpuid(vcpu->fd, table, host_cpuid(table, ARRAY_SIZE(table))));
	s = vcpu_sregs(vcpu);
	s.seg[TINYVMX_CS].selector = CODE_GPA >> 4;
	s.seg[TINYVMX_CS].base = CODE_GPA;
	vcpu_set_sregs(vcpu, &s);
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = 0;
	vcpu_set_regs(vcpu);
	return vcpu;
}

static void test_way_up(void)
{
	struct vcpu *vcpu = real_mode_vcpu();
	struct tinyvmx_sregs s;

	ok(reached(vcpu, 0x10), "real mode");
	is(vcpu_sregs(vcpu).cr0 & 0x80000001, 0, "CR0: no PE, no PG");
	ok(reached(vcpu, 0x32), "protected mode");
	s = vcpu_sregs(vcpu);
	is(s.cr0 & 0x80000001, 1, "CR0: PE");
	is(s.seg[TINYVMX_CS].selector, 8, "CS selector");
	is(s.seg[TINYVMX_CS].ar & TINYVMX_AR_DB, TINYVMX_AR_DB, "CS is 32-bit");
	ok(reached(vcpu, 0x36), "PAE paging");
	s = vcpu_sregs(vcpu);
	is(s.pdpte[0], PD_GPA | 1, "PDPTE 0 is in SREGS");
	is(s.pdpte[1], PD_GPA | 1, "PDPTE 1 is in SREGS");
	is(s.pdpte[2], 0, "PDPTE 2 is in SREGS");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.gpr[TINYVMX_RBX], 0x600df00d, "read through PDPTE 1");
	ok(reached(vcpu, 0x37), "PDPTEs are loaded by MOV CR3");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.gpr[TINYVMX_RCX], 0x600df00d, "a stale one stays in use");
	is(vcpu->regs.gpr[TINYVMX_RDX], 0x600df00d, "a reloaded one works");
	finished_cr = 0;
	ok(reached(vcpu, 0x38), "CR0.CD and NW cleared, CD set under PAE paging");
	is(finished_cr, 2, "both with userspace's help");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.gpr[TINYVMX_RBX] >> 30, 3, "the guest saw CD and PG set");
	ok(reached(vcpu, 0x64), "long mode");
	s = vcpu_sregs(vcpu);
	is(s.efer & 0x500, 0x500, "EFER: LMA and LME");
	ok(s.seg[TINYVMX_CS].ar & TINYVMX_AR_L, "CS is 64-bit");
	vcpu_get_regs(vcpu);
	is(vcpu->regs.gpr[TINYVMX_R15], 0x1122334455667788, "R15");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "HLT");
	vcpu_simple_destroy(vcpu);
}

/* The reset vector: 16 bytes below 4 GiB. */
static void test_reset_vector(void)
{
	struct vm *vm = vm_create();
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	u8 *rom = map_anon(PAGE);

	memcpy(rom + 0xff0, "\xb0\x55\xe6\x80\xf4", 5);
	must(set_memory(vm->fd, 1, TINYVMX_MEMORY_READONLY, 0xfffff000, PAGE, rom));
	vcpu->vm = vm;
	vcpu->fd = must(create_vcpu_fd(vm->fd, 0));
	vcpu->run = map_run(vcpu->fd);
	ok(reached(vcpu, 0x55), "a fresh vCPU runs from FFFFFFF0H");
	is(vcpu->run->rip, 0xfff2, "RIP is an offset in CS");
	ok_exit(vcpu, TINYVMX_EXIT_HLT, "HLT");
	vcpu_simple_destroy(vcpu);
}

/* Save in PAE mode, restore into a new vCPU: PDPTEs are state. */
static void test_restore_pae(void)
{
	struct vcpu *from = real_mode_vcpu(), *to = real_mode_vcpu();
	struct tinyvmx_sregs s;

	ok(reached(from, 0x10) && reached(from, 0x32) && reached(from, 0x36),
	   "one vCPU is in PAE mode");
	s = vcpu_sregs(from);
	vcpu_get_regs(from);
	to->regs = from->regs;
	vcpu_set_sregs(to, &s);
	vcpu_set_regs(to);
	ok(reached(to, 0x37), "another goes on with its state");
	vcpu_simple_destroy(from);
	vcpu_simple_destroy(to);
}

int main(void)
{
	tap_init();
	test_reset_vector();
	test_way_up();
	test_restore_pae();
	return tap_exit();
}
