// SPDX-License-Identifier: GPL-2.0-only
/*
 * tinyvmm: a whole VMM on /dev/tinyvmx. Its guest, in real mode, says hello on COM1 and halts.
 *
 *	tinyvmm [CS-ACCESS-RIGHTS]
 *
 * The argument, in hexadecimal, goes into the guest's CS unseen, for the CPU to refuse: then the
 * VMCS is printed as "hvctl explain -" reads it. docs/course/10-vmm.md goes through this file.
 *
 * Exit status: 0: the guest has halted; 1: usage, or an ioctl has failed; 2: the guest has ended
 * in another way; 8: the CPU has refused to enter it.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tinyvmx.h"

#define RAM_BYTES	0x10000UL
#define LOAD_GPA	0x1000UL	/* where the guest's code goes, and begins */
#define STACK_TOP	0x8000UL
#define COM1		0x3f8
#define FIELDS		512		/* more than a VMCS has */

enum { END_HALTED = 0, END_ERROR = 1, END_OTHER = 2, END_REFUSED = 8 };

/* tinyguest.S */
extern const uint8_t tinyguest[], tinyguest_end[];

struct vcpu {
	int fd;
	struct tinyvmx_run *run;	/* the page that it shares with the kernel */
};

/* An ioctl without which we cannot go on. Returns what it does: 0, or a new file descriptor. */
static int must(int fd, unsigned long request, const char *name, void *argument)
{
	int ret = ioctl(fd, request, argument);

	if (ret < 0)
		err(END_ERROR, "%s", name);
	return ret;
}

#define MUST(fd, request, argument) must(fd, request, #request, argument)

/* A VM is an empty machine: no memory, no vCPU. */
static int create_vm(void)
{
	struct tinyvmx_create_vm arg = { .size = sizeof(arg) };
	int device = open(TINYVMX_DEVICE, O_RDWR | O_CLOEXEC);
	int vm;

	if (device < 0)
		err(END_ERROR, "%s ('hvctl doctor' says more)", TINYVMX_DEVICE);
	vm = MUST(device, TINYVMX_CREATE_VM, &arg);
	close(device);
	return vm;
}

/* Guest RAM is memory of ours, which the guest finds at guest-physical address 0. */
static uint8_t *create_ram(int vm)
{
	uint8_t *ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct tinyvmx_memory arg = {
		.size = sizeof(arg), .gpa = 0, .len = RAM_BYTES, .hva = (uintptr_t)ram,
	};

	if (ram == MAP_FAILED)
		err(END_ERROR, "guest RAM");
	MUST(vm, TINYVMX_SET_MEMORY, &arg);
	return ram;
}

static struct vcpu create_vcpu(int vm)
{
	struct tinyvmx_create_vcpu arg = { .size = sizeof(arg), .id = 0 };
	struct vcpu vcpu = { .fd = MUST(vm, TINYVMX_CREATE_VCPU, &arg) };

	vcpu.run = mmap(NULL, sizeof(*vcpu.run), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.fd, 0);
	if (vcpu.run == MAP_FAILED)
		err(END_ERROR, "the run page");
	return vcpu;
}

/* The argument of GET_STATE and SET_STATE: one type of state is at @data. */
static struct tinyvmx_state state(uint32_t type, void *data, size_t len)
{
	return (struct tinyvmx_state){
		.size = sizeof(struct tinyvmx_state), .type = type, .version = 1,
		.data = (uintptr_t)data, .len = len,
	};
}

/* From the state after RESET, which is real mode, to our code where that has firmware. */
static void set_registers(const struct vcpu *vcpu, uint32_t cs_ar)
{
	struct tinyvmx_regs regs = { .rip = LOAD_GPA, .rflags = 2 };
	struct tinyvmx_sregs sregs;
	struct tinyvmx_state arg = state(TINYVMX_STATE_SREGS, &sregs, sizeof(sregs));

	MUST(vcpu->fd, TINYVMX_GET_STATE, &arg);
	sregs.seg[TINYVMX_CS].selector = 0;
	sregs.seg[TINYVMX_CS].base = 0;
	if (cs_ar)
		sregs.seg[TINYVMX_CS].ar = cs_ar;
	MUST(vcpu->fd, TINYVMX_SET_STATE, &arg);

	regs.gpr[TINYVMX_RSP] = STACK_TOP;
	arg = state(TINYVMX_STATE_REGS, &regs, sizeof(regs));
	MUST(vcpu->fd, TINYVMX_SET_STATE, &arg);
}

/* The machine around the CPU: COM1, always ready. Where there is nothing one reads all ones. */
static void access_port(struct tinyvmx_exit_io *io)
{
	if (io->flags & TINYVMX_IO_IN)
		io->data = ~0U;
	else if (io->port == COM1)
		putchar((int)io->data);
}

/* What the CPU was asked to enter. */
static void print_vmcs(const struct vcpu *vcpu)
{
	static struct tinyvmx_vmcs_field fields[FIELDS];
	struct tinyvmx_get_vmcs arg = {
		.size = sizeof(arg), .count = FIELDS, .fields = (uintptr_t)fields,
	};

	MUST(vcpu->fd, TINYVMX_GET_VMCS, &arg);
	for (uint32_t i = 0; i < arg.count; i++)
		printf("%04x %llx\n", fields[i].encoding, fields[i].value);
}

/* Enter the guest, do what it has left for, and again, until it ends. */
static int run(const struct vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;

	for (;;) {
		MUST(vcpu->fd, TINYVMX_RUN, NULL);
		switch (run->reason) {
		case TINYVMX_EXIT_IO:
			if (!(run->io.flags & TINYVMX_IO_STRING)) {
				access_port(&run->io);
				continue;
			}
			break;
		case TINYVMX_EXIT_HLT:
			printf("halted at 0x%llx, after %llu VM exits\n", run->rip, run->exits);
			return END_HALTED;
		case TINYVMX_EXIT_SHUTDOWN:
			warnx("triple fault at 0x%llx", run->rip);
			return END_OTHER;
		case TINYVMX_EXIT_ENTRY_FAILED:
			warnx("the CPU refuses the VM entry: exit reason 0x%x, VM-instruction error %u",
			      run->exit_reason, run->entry_failed.instruction_error);
			print_vmcs(vcpu);
			return END_REFUSED;
		}
		warnx("exit %u at 0x%llx: we have nothing for it", run->reason, run->rip);
		return END_OTHER;
	}
}

int main(int argc, char **argv)
{
	struct vcpu vcpu;
	int vm;

	if (argc > 2)
		errx(END_ERROR, "usage: tinyvmm [CS-ACCESS-RIGHTS]");
	vm = create_vm();
	memcpy(create_ram(vm) + LOAD_GPA, tinyguest, tinyguest_end - tinyguest);
	vcpu = create_vcpu(vm);
	set_registers(&vcpu, argc > 1 ? strtoul(argv[1], NULL, 16) : 0);
	return run(&vcpu);	/* the kernel closes what is open, and with it the VM is gone */
}
