// SPDX-License-Identifier: GPL-2.0-only
/* Real mode: events go through the interrupt vector table, without error codes. */
#include "lib.h"

#define CODE_GPA	0x8000
#define HANDLER_GPA	0x8800
#define STACK_TOP	0x7000

/*
 * Port 80H: the main loop is alive. Port 81H, from the handler: the vector, which
 * is the handler's CS, as every entry of the table names the same address.
 */
extern char real_loop[], real_int[], real_handler[], real_end[];

__asm__(".pushsection .rodata\n"
	".code16\n"
	"real_loop:\n"
	"	out	%al, $0x80\n"
	"	jmp	real_loop\n"
	"real_int:\n"
	"	int	$0x42\n"
	"	jmp	real_loop\n"
	"real_handler:\n"
	"	mov	%cs, %ax\n"
	"	out	%ax, $0x81\n"
	"	iret\n"
	"real_end:\n"
	".code64\n"
	".popsection\n");

static void build(u8 *ram)
{
	memcpy(ram + CODE_GPA, real_loop, real_handler - real_loop);
	memcpy(ram + HANDLER_GPA, real_handler, real_end - real_handler);
	/* The table: offset, then segment; segment v makes CS = v. */
	for (u32 v = 0; v < 256; v++) {
		u16 *entry = (u16 *)(ram + 4 * v);

		entry[0] = HANDLER_GPA - v * 16;
		entry[1] = v;
	}
}

static struct vcpu *real_vcpu(u64 rip)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	struct tinyvmx_sregs s;

	vcpu->vm = vm_create();
	build(vcpu->vm->ram);
	vcpu->fd = must(create_vcpu_fd(vcpu->vm->fd, 0));
	vcpu->run = map_run(vcpu->fd);
	s = vcpu_sregs(vcpu);
	s.seg[TINYVMX_CS].selector = 0;
	s.seg[TINYVMX_CS].base = 0;
	vcpu_set_sregs(vcpu, &s);
	vcpu_get_regs(vcpu);
	vcpu->regs.rip = rip;
	vcpu->regs.rflags = 0x202;
	vcpu->regs.gpr[TINYVMX_RSP] = STACK_TOP;
	vcpu_set_regs(vcpu);
	return vcpu;
}

static bool comes_out(struct vcpu *vcpu, u16 port)
{
	return run_until(vcpu, TINYVMX_EXIT_IO) && vcpu->run->io.port == port;
}

static u16 stack_word(struct vcpu *vcpu, u32 n)
{
	return ((u16 *)(vcpu->vm->ram + vcpu->regs.gpr[TINYVMX_RSP]))[n];
}

/* In the handler: the vector, and IP, CS, FLAGS on the stack, nothing else. */
static void handler_is(struct vcpu *vcpu, u32 vector, u16 ip, const char *what)
{
	if (!ok(comes_out(vcpu, 0x81), "%s: the handler", what))
		return;
	vcpu_get_regs(vcpu);
	is(vcpu->run->io.data, vector, "%s: vector", what);
	is(vcpu->regs.gpr[TINYVMX_RSP], STACK_TOP - 6,
	   "%s: three words on the stack", what);
	is(stack_word(vcpu, 0), ip, "%s: IP", what);
	is(stack_word(vcpu, 1), 0, "%s: CS", what);
	is(stack_word(vcpu, 2) & 0x200, 0x200, "%s: FLAGS.IF", what);
	is(vcpu->regs.rflags & 0x200, 0, "%s: IF is clear in the handler", what);
	ok(comes_out(vcpu, 0x80), "%s: back in the loop", what);
}

static void test_injected(void)
{
	struct vcpu *vcpu = real_vcpu(CODE_GPA);
	/* Behind the OUT, in front of the JMP. */
	u16 ip = CODE_GPA + 2;

	ok(comes_out(vcpu, 0x80), "real mode runs");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 8));
	handler_is(vcpu, 8, ip, "EXTINT 8");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXTINT, 0xff));
	handler_is(vcpu, 0xff, ip, "EXTINT FFH");
	must(inject(vcpu->fd, TINYVMX_INJECT_NMI, 2));
	handler_is(vcpu, 2, ip, "NMI");
	must(inject(vcpu->fd, TINYVMX_INJECT_EXCEPTION, 6));
	handler_is(vcpu, 6, ip, "#UD");
	must(inject_error(vcpu->fd, 13, 0x55));
	handler_is(vcpu, 13, ip, "#GP with an error code, which is not pushed");
	vcpu_simple_destroy(vcpu);
}

static void test_int(void)
{
	u16 next = CODE_GPA + (real_int - real_loop) + 2;
	struct vcpu *vcpu = real_vcpu(next - 2);

	handler_is(vcpu, 0x42, next, "INT 42H");
	vcpu_simple_destroy(vcpu);
}

/* The table is where no RAM is: delivery is cut short and done again. */
static void test_cut_short(void)
{
	u16 next = CODE_GPA + (real_int - real_loop) + 2;
	struct vcpu *vcpu = real_vcpu(next - 2);
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	s.idt_base = GUEST_MMIO_GPA;
	vcpu_set_sregs(vcpu, &s);
	ok_exit(vcpu, TINYVMX_EXIT_MMIO, "INT 42H without a table");
	is(vcpu->run->mmio.gpa, GUEST_MMIO_GPA + 4 * 0x42, "at its entry");
	must(set_memory(vcpu->vm->fd, 1, 0, GUEST_MMIO_GPA, PAGE,
			vcpu->vm->ram));
	handler_is(vcpu, 0x42, next, "INT 42H again");
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	tap_init();
	test_injected();
	test_int();
	test_cut_short();
	return tap_exit();
}
