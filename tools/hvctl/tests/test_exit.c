// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of each exit: one row of vmm/exit.c after the other, without a vCPU's thread. */
#include <errno.h>
#include <stdio.h>

#include "lib/util.h"
#include "lib/x86.h"
#include "machine_test.h"
#include "vmm/exit.h"

#define PORT 0x5000
#define DEVICE 0xd0000000
#define CODE 0x1000
#define PAGE_TABLE 0x2000
#define SET_REGS TINYVMX_REQ_SET_REGS
#define DONE (TINYVMX_REQ_SET_REGS | TINYVMX_REQ_COMPLETE)

static struct hv_machine *machine;
static struct hv_vcpu *vcpu;
static struct tinyvmx_run *run;

/* ------------------------------------------------------------------ device */

static struct {
	unsigned int accesses, width;
	uint64_t offset, value;
	bool write;
} seen;

static void access_device(void *dev, uint64_t offset, unsigned int width, bool write,
			  uint64_t *value)
{
	(void)dev;
	seen.accesses++;
	seen.width = width;
	seen.offset = offset;
	seen.write = write;
	if (write)
		seen.value = *value;
	else
		*value = 0x8877665544332211;
}

static struct hv_region regions[] = {
	{ .name = "port", .space = HV_PORT, .base = PORT, .len = 8, .access = access_device },
	{ .name = "page", .space = HV_MMIO, .base = DEVICE, .len = 0x1000,
	  .access = access_device },
};

static void make(enum hv_machine_kind kind)
{
	machine = test_machine_of(kind, 1, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		assert_int_equal(hv_bus_register(&machine->bus, &regions[i]), 0);
	vcpu = machine->vcpus;
	run = vcpu->run;
	for (unsigned int i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		fake.vcpu[0].sregs.seg[i] = (struct tinyvmx_segment){
			.limit = UINT32_MAX,
			.ar = (i == TINYVMX_CS ? 0x9b : 0x93) | TINYVMX_AR_DB | TINYVMX_AR_G,
		};
	memset(&seen, 0, sizeof(seen));
}

static int bare(void **state)
{
	(void)state;
	make(HV_MACHINE_BARE);
	return 0;
}

static int pc(void **state)
{
	(void)state;
	make(HV_MACHINE_PC);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hv_machine_destroy(machine);
	return 0;
}

static void handle(uint32_t reason)
{
	run->reason = reason;
	pthread_mutex_lock(&machine->lock);
	hv_exit_handle(vcpu);
	pthread_mutex_unlock(&machine->lock);
}

static void assert_end(enum hv_end_kind kind, const char *text)
{
	assert_int_equal(machine->end.kind, kind);
	assert_string_equal(machine->end.text, text);
}

static void assert_goes_on(void)
{
	assert_false(hv_machine_has_ended(machine));
}

static void assert_injected(unsigned int vector, uint32_t error_code)
{
	const struct fake_vcpu *fake_vcpu = &fake.vcpu[0];

	assert_int_equal(fake_vcpu->injections, 1);
	assert_int_equal(fake_vcpu->injected.type, TINYVMX_INJECT_EXCEPTION);
	assert_int_equal(fake_vcpu->injected.flags,
			 vector == X86_VECTOR_DE ? 0 : TINYVMX_INJECT_ERROR_CODE);
	assert_int_equal(fake_vcpu->injected.vector, vector);
	assert_int_equal(fake_vcpu->injected.error_code, error_code);
}

/* 32-bit paging: the first 4 MiB and the device's, where they are; nothing else. */
static struct tinyvmx_paging paging(void)
{
	test_put32(&machine->memory, PAGE_TABLE, X86_PTE_P | X86_PTE_W | X86_PTE_PS);
	test_put32(&machine->memory, PAGE_TABLE + (DEVICE >> 22) * 4,
		   DEVICE | X86_PTE_P | X86_PTE_W | X86_PTE_PS);
	return (struct tinyvmx_paging){
		.cr0 = X86_CR0_PE | X86_CR0_PG,
		.cr3 = PAGE_TABLE,
		.cr4 = X86_CR4_PSE,
	};
}

/* ---------------------------------------------------------------------- IO */

static void test_out_widths(void **state)
{
	static const struct {
		unsigned int width;
		uint64_t value;
	} rows[] = {
		{ 1, 0x44 },
		{ 2, 0x3344 },
		{ 4, 0x11223344 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		run->io = (struct tinyvmx_exit_io){
			.port = PORT + 4,
			.width = rows[i].width,
			.data = rows[i].value,
		};
		handle(TINYVMX_EXIT_IO);
		assert_int_equal(seen.accesses, i + 1);
		assert_true(seen.write);
		assert_int_equal(seen.offset, 4);
		assert_int_equal(seen.width, rows[i].width);
		assert_int_equal(seen.value, rows[i].value);
		assert_int_equal(run->io.data, rows[i].value);
		/* The module has finished it. */
		assert_int_equal(run->request, 0);
	}
	assert_goes_on();
}

static uint32_t in(uint16_t port, unsigned int width)
{
	run->io = (struct tinyvmx_exit_io){
		.port = port,
		.width = width,
		.flags = TINYVMX_IO_IN,
	};
	handle(TINYVMX_EXIT_IO);
	assert_int_equal(run->request, 0);
	assert_goes_on();
	return width == 4 ? run->io.data : run->io.data & ((1U << 8 * width) - 1);
}

static void test_in_widths(void **state)
{
	(void)state;
	assert_int_equal(in(PORT, 1), 0x11);
	assert_int_equal(in(PORT, 2), 0x2211);
	assert_int_equal(in(PORT, 4), 0x44332211);
	assert_false(seen.write);
	assert_int_equal(seen.accesses, 3);
	/* Nobody is there. */
	assert_int_equal(in(PORT + 0x100, 1), 0xff);
	assert_int_equal(in(PORT + 0x100, 4), 0xffffffff);
	assert_int_equal(seen.accesses, 3);
}

/* REP OUTSB of @count bytes at @gla. */
static void outs(uint64_t gla, unsigned int count, struct tinyvmx_paging how)
{
	run->regs = (struct tinyvmx_regs){ .rip = CODE, .rflags = X86_RFLAGS_FIXED };
	run->regs.gpr[TINYVMX_RCX] = count;
	run->regs.gpr[TINYVMX_RSI] = gla;
	run->instruction_len = 2;
	run->io = (struct tinyvmx_exit_io){
		.port = PORT,
		.width = 1,
		.flags = TINYVMX_IO_STRING | TINYVMX_IO_REP,
		.gla = gla,
		.address_size = how.efer & X86_EFER_LMA ? 8 : 4,
		.paging = how,
	};
	handle(TINYVMX_EXIT_IO);
}

static void test_string(void **state)
{
	(void)state;
	test_put(&machine->memory, 0x3000, "abc", 3);
	outs(0x3000, 3, (struct tinyvmx_paging){ 0 });
	assert_int_equal(seen.accesses, 3);
	assert_int_equal(seen.value, 'c');
	assert_int_equal(run->request, DONE);
	assert_int_equal(run->regs.rip, CODE + 2);
	assert_int_equal(run->regs.gpr[TINYVMX_RCX], 0);
	assert_int_equal(run->regs.gpr[TINYVMX_RSI], 0x3003);
	assert_int_equal(fake.vcpu[0].injections, 0);
	assert_goes_on();
}

/* The last bytes before a page that is not there: they have gone, the rest faults. */
static void test_string_faults(void **state)
{
	(void)state;
	outs(0x3ffffe, 5, paging());
	assert_int_equal(seen.accesses, 2);
	assert_int_equal(run->request, SET_REGS);
	assert_int_equal(run->regs.rip, CODE);
	assert_int_equal(run->regs.gpr[TINYVMX_RCX], 3);
	assert_int_equal(run->regs.gpr[TINYVMX_RSI], 0x400000);
	assert_injected(X86_VECTOR_PF, 0);
	assert_int_equal(fake.vcpu[0].sregs.cr2, 0x400000);
	assert_goes_on();
}

/* Each thing that a page fault needs of the module. */
static void test_fault_cannot_be_given(void **state)
{
	int *const errors[] = { &fake.get_state_error, &fake.set_state_error, &fake.inject_error };
	struct tinyvmx_paging how = paging();
	size_t i = (size_t)*state;

	/* 64-bit code: no segment is asked for. */
	how.efer = X86_EFER_LME | X86_EFER_LMA;
	*errors[i] = -EBUSY;
	outs(0x400000, 1, how);
	*errors[i] = 0;
	assert_end(HV_END_ERROR, "cannot give the guest its exception: Device or resource busy");
	assert_int_equal(fake.vcpu[0].injections, 0);
}

/* -------------------------------------------------------------------- MMIO */

static void mmio(const void *code, size_t len, uint32_t flags, struct tinyvmx_paging how)
{
	test_put(&machine->memory, CODE, code, len);
	run->regs.rip = run->rip = CODE;
	run->regs.rflags = X86_RFLAGS_FIXED;
	run->mmio = (struct tinyvmx_exit_mmio){
		.gpa = DEVICE,
		.gla = DEVICE,
		.flags = flags,
		.paging = how,
		.cs_ar = TINYVMX_AR_DB,
	};
	handle(TINYVMX_EXIT_MMIO);
}

#define NO_PAGING ((struct tinyvmx_paging){ .cr0 = X86_CR0_PE })
#define WRITES (TINYVMX_MMIO_WRITE | TINYVMX_MMIO_GLA_VALID)
#define READS (TINYVMX_MMIO_READ | TINYVMX_MMIO_GLA_VALID)

static const uint8_t mov_to_device[] = { 0xa3, 0x08, 0x00, 0x00, 0xd0 };
/* ... whose address is in DS at another base */
static const uint8_t mov_to_zero[] = { 0xa3, 0x00, 0x00, 0x00, 0x00 };
static const uint8_t movsd[] = { 0xa5 };

static void test_mmio(void **state)
{
	(void)state;
	run->regs.gpr[TINYVMX_RAX] = 0xcafe0123;
	mmio(mov_to_device, sizeof(mov_to_device), WRITES, NO_PAGING);
	assert_int_equal(seen.accesses, 1);
	assert_true(seen.write);
	assert_int_equal(seen.offset, 8);
	assert_int_equal(seen.width, 4);
	assert_int_equal(seen.value, 0xcafe0123);
	assert_int_equal(run->regs.rip, CODE + 5);
	assert_int_equal(run->request, DONE);
	assert_goes_on();
}

/* The CPU's own page hides what else is there, as long as it is there. */
static void test_mmio_lapic(void **state)
{
	struct hv_bus *cpu_bus = &machine->pc->cpu_bus;
	struct hv_region own = regions[1];

	(void)state;
	own.base = 0;
	hv_xapic_exit(&machine->pc->xapic);
	assert_int_equal(hv_bus_register(cpu_bus, &own), 0);
	hv_bus_unregister(&machine->bus, &regions[1]);
	run->apic_page = DEVICE;
	mmio(mov_to_device, sizeof(mov_to_device), WRITES, NO_PAGING);
	assert_int_equal(seen.accesses, 1);
	assert_int_equal(seen.offset, 8);
	run->apic_page = DEVICE + 0x1000;
	mmio(mov_to_device, sizeof(mov_to_device), WRITES, NO_PAGING);
	run->apic_page = UINT64_MAX;
	mmio(mov_to_device, sizeof(mov_to_device), WRITES, NO_PAGING);
	assert_int_equal(seen.accesses, 1);
	assert_goes_on();
	hv_bus_unregister(cpu_bus, &own);
	assert_int_equal(hv_bus_register(cpu_bus, &machine->pc->xapic.region), 0);
}

/* Bases are read anew in each exit. */
static void test_mmio_segment(void **state)
{
	(void)state;
	fake.vcpu[0].sregs.seg[TINYVMX_DS].base = DEVICE;
	mmio(mov_to_zero, sizeof(mov_to_zero), WRITES, NO_PAGING);
	assert_int_equal(seen.offset, 0);
	fake.vcpu[0].sregs.seg[TINYVMX_DS].base = DEVICE + 0x10;
	mmio(mov_to_zero, sizeof(mov_to_zero), WRITES, NO_PAGING);
	assert_int_equal(seen.offset, 0x10);
	assert_int_equal(seen.accesses, 2);
	assert_goes_on();
}

static void test_mmio_without_segments(void **state)
{
	(void)state;
	fake.get_state_error = -EIO;
	mmio(mov_to_device, sizeof(mov_to_device), WRITES, NO_PAGING);
	fake.get_state_error = 0;
	assert_end(HV_END_ERROR, "cannot read the vCPU's state: Input/output error");
}

/* From the device to a page that is not there. */
static void test_mmio_faults(void **state)
{
	(void)state;
	run->regs.gpr[TINYVMX_RSI] = DEVICE;
	run->regs.gpr[TINYVMX_RDI] = 0x800000;
	mmio(movsd, sizeof(movsd), READS, paging());
	assert_int_equal(run->regs.rip, CODE);
	assert_int_equal(run->regs.gpr[TINYVMX_RDI], 0x800000);
	assert_int_equal(run->request, SET_REGS);
	assert_injected(X86_VECTOR_PF, X86_PF_W);
	assert_int_equal(fake.vcpu[0].sregs.cr2, 0x800000);
	assert_goes_on();
}

static const struct {
	uint8_t code[4];
	uint32_t flags;
	const char *text;
} unsupported[] = {
	{
		{ 0xff, 0xff }, READS,
		"bytes that are no instruction at guest-physical 0xd0000000, RIP 0x1000",
	}, {
		{ 0x0f, 0xae, 0x03 }, READS,
		"fxsave [ebx] keeps the state of the FPU in memory, and hvctl does not do that on a device at guest-physical 0xd0000000, RIP 0x1000",
	}, {
		{ 0x90 }, TINYVMX_MMIO_FETCH | TINYVMX_MMIO_GLA_VALID,
		"the guest executes where there is no memory: guest-physical 0xd0000000, RIP 0x1000",
	}, {
		{ 0x90 }, TINYVMX_MMIO_READ | TINYVMX_MMIO_WALK,
		"the guest's stack, IDT, GDT or TSS lies where there is no memory: guest-physical 0xd0000000, RIP 0x1000",
	},
};

#define EPT_VIOLATION 48

/* An access to @gla that the CPU has made of its own; @qualification: of the EPT violation. */
static void own_access(uint64_t gla, uint64_t qualification)
{
	struct tinyvmx_sregs *sregs = &fake.vcpu[0].sregs;

	sregs->idt_base = 0xd0001000, sregs->idt_limit = 0xfff;
	sregs->gdt_base = 0xd0002000, sregs->gdt_limit = 0x7f;
	sregs->seg[TINYVMX_TR].base = 0xd0003000, sregs->seg[TINYVMX_TR].limit = 0x67;
	run->exit_reason = EPT_VIOLATION;
	run->exit_qualification = qualification;
	run->rip = CODE;
	run->mmio = (struct tinyvmx_exit_mmio){
		.gpa = gla,
		.gla = gla,
		.flags = TINYVMX_MMIO_READ | TINYVMX_MMIO_WALK | TINYVMX_MMIO_GLA_VALID,
	};
	handle(TINYVMX_EXIT_MMIO);
}

static const struct {
	uint64_t gla, qualification;
	const char *what;
} structures[] = {
	{ 0xd0001fff, 0x181, "IDT lies" },
	{ 0xd0002000, 0x181, "GDT lies" },
	{ 0xd0003067, 0x181, "TSS lies" },
	{ 0xd0002080, 0x182, "stack lies" },
	{ 0xd0001000, 0x81, "page tables lie" },
};

/* Which of its structures the guest has put where nothing is. */
static void test_mmio_structures(void **state)
{
	size_t i = (size_t)*state;
	char text[160];

	own_access(structures[i].gla, structures[i].qualification);
	snprintf(text, sizeof(text),
		 "the guest's %s where there is no memory: guest-physical 0x%llx, RIP 0x1000",
		 structures[i].what, (unsigned long long)structures[i].gla);
	assert_end(HV_END_UNSUPPORTED, text);
	assert_int_equal(seen.accesses, 0);
}

/* DIV by the device, a quotient that has no room: the exception has no error code. */
static void test_mmio_exception(void **state)
{
	static const uint8_t div[] = { 0xf6, 0x35, 0x00, 0x00, 0x00, 0xd0 };

	(void)state;
	run->regs.gpr[TINYVMX_RAX] = 0xffff;
	mmio(div, sizeof(div), READS, NO_PAGING);
	assert_int_equal(seen.accesses, 1);
	assert_injected(X86_VECTOR_DE, 0);
	assert_int_equal(run->regs.rip, CODE);
	assert_goes_on();
}

/* A write that meets DR0 is done; the trap is pending behind it. */
static void test_mmio_breakpoint(void **state)
{
	(void)state;
	fake.vcpu[0].debug = (struct tinyvmx_debug){ .dr = { DEVICE + 8 }, .dr7 = 0x10001 };
	mmio(mov_to_device, sizeof(mov_to_device), WRITES, NO_PAGING);
	assert_int_equal(fake.vcpu[0].events.pending_dbg, 0);
	mmio(mov_to_device, sizeof(mov_to_device), WRITES | TINYVMX_MMIO_BREAKPOINTS, NO_PAGING);
	assert_int_equal(fake.vcpu[0].events.pending_dbg, 1ULL << 12 | 1);
	assert_int_equal(seen.accesses, 2);
	assert_int_equal(run->request, DONE);
	assert_goes_on();
}

static void test_mmio_breakpoint_cannot_be_given(void **state)
{
	(void)state;
	fake.vcpu[0].debug = (struct tinyvmx_debug){ .dr = { DEVICE + 8 }, .dr7 = 0x10001 };
	fake.set_state_error = -EBUSY;
	mmio(mov_to_device, sizeof(mov_to_device), WRITES | TINYVMX_MMIO_BREAKPOINTS, NO_PAGING);
	fake.set_state_error = 0;
	assert_end(HV_END_ERROR, "cannot give the guest its breakpoint: Device or resource busy");
}

/* What cannot be done is told, and nothing is done. */
static void test_mmio_unsupported(void **state)
{
	size_t i = (size_t)*state;

	mmio(unsupported[i].code, sizeof(unsupported[i].code), unsupported[i].flags, NO_PAGING);
	assert_end(HV_END_UNSUPPORTED, unsupported[i].text);
	assert_int_equal(run->request, 0);
	assert_int_equal(run->regs.rip, CODE);
	assert_int_equal(seen.accesses, 0);
}

static void test_memory_fault(void **state)
{
	(void)state;
	run->mmio = (struct tinyvmx_exit_mmio){ .gpa = 0x123000, .error = ENOMEM };
	handle(TINYVMX_EXIT_MEMORY_FAULT);
	assert_end(
		HV_END_ERROR,
		"the host cannot give the guest its RAM at 0x123000: Cannot allocate memory; free some memory");
}

static void test_memory_error(void **state)
{
	(void)state;
	run->mmio = (struct tinyvmx_exit_mmio){ .gpa = 0x123000, .error = EHWPOISON };
	handle(TINYVMX_EXIT_MEMORY_FAULT);
	assert_end(
		HV_END_ERROR,
		"the host cannot give the guest its RAM at 0x123000: Memory page has hardware error");
}

/* ------------------------------------------------------------- ends, events */

static void test_hlt(void **state)
{
	(void)state;
	handle(TINYVMX_EXIT_HLT);
	assert_end(HV_END_HALTED, "");
}

/* With somebody who may send an NMI, RUN is to wait for it; once: it may know better. */
static void test_hlt_nmi(void **state)
{
	uint64_t *entry = machine->pc->board.ioapic.s.entry;

	(void)state;
	entry[3] = HV_DELIVERY_NMI << 8;
	handle(TINYVMX_EXIT_HLT);
	assert_goes_on();
	assert_true(vcpu->nmi_may_come);
	run->wait_for_nmi = 1;
	handle(TINYVMX_EXIT_HLT);
	assert_end(HV_END_HALTED, "");
}

/* What is masked, or no NMI, wakes nobody; LINT0 is ExtINT. */
static void test_hlt_no_nmi(void **state)
{
	uint64_t *entry = machine->pc->board.ioapic.s.entry;

	(void)state;
	entry[3] = 1 << 16 | HV_DELIVERY_NMI << 8;
	entry[4] = 0x31;
	assert_int_equal(hv_machine_pc_wire_lapic(vcpu), 0);
	handle(TINYVMX_EXIT_HLT);
	assert_end(HV_END_HALTED, "");
}

static void test_hlt_lint0(void **state)
{
	(void)state;
	assert_int_equal(tvx_set_msr(vcpu->fd, 0x835, 0x400), 0);
	handle(TINYVMX_EXIT_HLT);
	assert_goes_on();
	assert_true(vcpu->nmi_may_come);
}

static void test_shutdown_bare(void **state)
{
	(void)state;
	handle(TINYVMX_EXIT_SHUTDOWN);
	assert_end(HV_END_TRIPLE_FAULT, "");
}

static bool reset_is_wanted(void)
{
	return atomic_load(&machine->attention) & HV_ATTENTION_RESET;
}

/* The first resets the machine; another at once is the end. */
static void test_shutdown_pc(void **state)
{
	(void)state;
	handle(TINYVMX_EXIT_SHUTDOWN);
	assert_goes_on();
	assert_true(reset_is_wanted());
	handle(TINYVMX_EXIT_SHUTDOWN);
	assert_end(HV_END_TRIPLE_FAULT, "");
}

static void test_shutdown_no_reboot(void **state)
{
	(void)state;
	machine->config.no_reboot = true;
	handle(TINYVMX_EXIT_SHUTDOWN);
	assert_false(reset_is_wanted());
	assert_end(HV_END_TRIPLE_FAULT, "");
}

static void test_entry_refused(void **state)
{
	(void)state;
	run->entry_failed.instruction_error = 7;
	handle(TINYVMX_EXIT_ENTRY_FAILED);
	assert_end(HV_END_ENTRY_FAILED,
		   "VM-instruction error 7: VM entry with invalid control field(s)");
}

static void test_entry_failed_late(void **state)
{
	(void)state;
	run->exit_reason = 1U << 31 | 33;
	run->exit_qualification = 4;
	handle(TINYVMX_EXIT_ENTRY_FAILED);
	assert_end(HV_END_ENTRY_FAILED,
		   "VM-entry failure due to invalid guest state, qualification 0x4");
}

static void test_unknown(void **state)
{
	static const uint32_t reasons[] = { TINYVMX_EXIT_UNKNOWN, HV_NR_EXITS, UINT32_MAX };

	run->exit_reason = 13;
	run->exit_qualification = 0x55;
	run->rip = CODE;
	handle(reasons[(size_t)*state]);
	assert_end(HV_END_UNSUPPORTED, "VM exit 13 (INVD), qualification 0x55, RIP 0x1000");
}

/* What emul/ does is test_task's: here is a GDT of nothing, and so a #GP in the old task. */
static void test_task_switch(void **state)
{
	(void)state;
	run->task_switch.selector = 0x20;
	run->task_switch.source = TINYVMX_TASK_SWITCH_JMP;
	run->regs.rip = CODE;
	handle(TINYVMX_EXIT_TASK_SWITCH);
	assert_goes_on();
	assert_int_equal(run->request, SET_REGS);
	assert_int_equal(run->regs.rip, CODE);
	assert_int_equal(fake.vcpu[0].events.pending, TINYVMX_PENDING_EVENT);
	assert_int_equal(fake.vcpu[0].events.event_info, 0x80000b0d);
	assert_int_equal(fake.vcpu[0].events.event_error_code, 0x20);
}

static void test_task_switch_fails(void **state)
{
	(void)state;
	fake.set_state_error = -EIO;
	handle(TINYVMX_EXIT_TASK_SWITCH);
	assert_end(HV_END_ERROR, "cannot write the vCPU's state: Input/output error");
}

static void test_intr(void **state)
{
	(void)state;
	handle(TINYVMX_EXIT_INTR);
	assert_goes_on();
	assert_int_equal(run->request, 0);
	assert_int_equal(fake.vcpu[0].injections, 0);
}

static void raise_timer(void)
{
	struct hv_irq irq = hv_pc_irq(&machine->pc->board, 0);

	test_program_pic(machine);
	hv_irq_set(&irq, false);
	hv_irq_set(&irq, true);
	assert_true(hv_i8259_pending(&machine->pc->board.pic));
}

static void test_window(void **state)
{
	(void)state;
	handle(TINYVMX_EXIT_INTR_WINDOW);
	assert_int_equal(fake.vcpu[0].injections, 0);
	raise_timer();
	handle(TINYVMX_EXIT_INTR_WINDOW);
	assert_int_equal(fake.vcpu[0].injections, 1);
	assert_int_equal(fake.vcpu[0].injected.type, TINYVMX_INJECT_EXTINT);
	assert_int_equal(fake.vcpu[0].injected.vector, 0x20);
	/* It is in service: no second one. */
	handle(TINYVMX_EXIT_INTR_WINDOW);
	assert_int_equal(fake.vcpu[0].injections, 1);
	assert_goes_on();
}

static void test_window_fails(void **state)
{
	(void)state;
	raise_timer();
	fake.inject_error = -EBUSY;
	handle(TINYVMX_EXIT_INTR_WINDOW);
	assert_end(HV_END_ERROR,
		   "cannot give the guest interrupt 0x20 of the 8259: Device or resource busy");
}

/* A bare machine has neither 8259s nor an I/O APIC: the module asks for nothing, or lies. */
static void test_events_bare(void **state)
{
	(void)state;
	handle(TINYVMX_EXIT_INTR_WINDOW);
	run->eoi.vector = 0x30;
	handle(TINYVMX_EXIT_EOI);
	handle(TINYVMX_EXIT_FERR);
	assert_int_equal(fake.vcpu[0].injections, 0);
	assert_int_equal(fake.msis, 0);
	assert_goes_on();
}

/* A level-triggered line that stays up comes again behind its EOI, and behind no other. */
static void test_eoi(void **state)
{
	(void)state;
	test_write_ioapic(machine, 0x10 + 2 * 16, 0x30 | 1 << 15);
	test_with_lock(machine, hv_ioapic_set_irq(&machine->pc->board.ioapic, 16, true));
	assert_int_equal(fake.msis, 1);
	run->eoi.vector = 0x31;
	handle(TINYVMX_EXIT_EOI);
	assert_int_equal(fake.msis, 1);
	run->eoi.vector = 0x30;
	handle(TINYVMX_EXIT_EOI);
	assert_int_equal(fake.msis, 2);
	assert_int_equal(fake.msi_data & 0xff, 0x30);
	assert_goes_on();
}

/* ---------------------------------------------------------------------- CR */

static const uint64_t good_pdptes[4] = { 0x3001, 0x1e6, 0x7ffffff019, 0 };

static void mov_to_cr(unsigned int cr, uint64_t cr3, const uint64_t *pdptes)
{
	test_put(&machine->memory, PAGE_TABLE, pdptes, sizeof(good_pdptes));
	fake.vcpu[0].sregs = (struct tinyvmx_sregs){ .cr0 = 0x11, .cr3 = cr3, .cr4 = 0x22 };
	run->regs.rip = CODE;
	run->instruction_len = 3;
	run->request = 0;
	run->cr = (struct tinyvmx_exit_cr){ .cr = cr, .value = 0xab };
	handle(TINYVMX_EXIT_CR);
}

/* Bits of CR3 that are no part of the table's address count for nothing. */
static void test_cr(void **state)
{
	const struct tinyvmx_sregs *sregs = &fake.vcpu[0].sregs;

	(void)state;
	mov_to_cr(0, PAGE_TABLE, good_pdptes);
	assert_int_equal(sregs->cr0, 0xab);
	assert_int_equal(sregs->cr4, 0x22);
	mov_to_cr(4, 0xf00000000 | PAGE_TABLE | 0x1f, good_pdptes);
	assert_int_equal(sregs->cr0, 0x11);
	assert_int_equal(sregs->cr4, 0xab);
	assert_memory_equal(sregs->pdpte, good_pdptes, sizeof(good_pdptes));
	assert_int_equal(run->regs.rip, CODE + 3);
	assert_int_equal(run->request, DONE);
	assert_int_equal(fake.vcpu[0].injections, 0);
	assert_goes_on();
}

/* The guest gets #GP(0) where it is, and nothing is loaded. */
static void assert_cr_refused(uint64_t cr3, const uint64_t *pdptes)
{
	const uint64_t none[4] = { 0 };

	fake.vcpu[0].injections = 0;
	mov_to_cr(4, cr3, pdptes);
	assert_injected(X86_VECTOR_GP, 0);
	assert_int_equal(run->regs.rip, CODE);
	assert_int_equal(run->request, 0);
	assert_int_equal(fake.vcpu[0].sregs.cr4, 0x22);
	assert_memory_equal(fake.vcpu[0].sregs.pdpte, none, sizeof(none));
	assert_goes_on();
}

static void test_cr_bad_pdptes(void **state)
{
	static const uint8_t reserved[] = { 1, 2, 5, 6, 7, 8, 39, 51, 63 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		uint64_t pdptes[4] = { 0 };

		pdptes[i % 4] = X86_PTE_P | 1ULL << reserved[i];
		assert_cr_refused(PAGE_TABLE, pdptes);
	}
}

/* All ones come from there, present and with reserved bits. */
static void test_cr_outside_ram(void **state)
{
	(void)state;
	assert_cr_refused(0xf0000000, good_pdptes);
	assert_cr_refused(4 * HV_MIB, good_pdptes);
}

static void test_cr_fails(void **state)
{
	static const struct {
		int *error;
		enum hv_end_kind kind;
		const char *text;
		uint64_t pdpte;
	} rows[] = {
		{ &fake.get_state_error, HV_END_UNSUPPORTED, "MOV to CR4 of 0xab: Invalid argument",
		  1 },
		{ &fake.set_state_error, HV_END_UNSUPPORTED, "MOV to CR4 of 0xab: Invalid argument",
		  1 },
		{ &fake.inject_error, HV_END_ERROR,
		  "cannot give the guest its exception: Invalid argument", ~0ULL },
	};
	size_t i = (size_t)*state;
	const uint64_t pdptes[4] = { rows[i].pdpte };

	*rows[i].error = -EINVAL;
	mov_to_cr(4, PAGE_TABLE, pdptes);
	*rows[i].error = 0;
	assert_end(rows[i].kind, rows[i].text);
	assert_int_equal(run->request, 0);
	assert_int_equal(run->regs.rip, CODE);
}

/* ------------------------------------------------------------------- names */

static void test_names(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HV_NR_EXITS; i++) {
		assert_non_null(hv_exit_reason_name(i));
		for (uint32_t j = 0; j < i; j++)
			assert_string_not_equal(hv_exit_reason_name(i), hv_exit_reason_name(j));
	}
	assert_string_equal(hv_exit_reason_name(HV_NR_EXITS), "unknown");
	assert_string_equal(hv_exit_reason_name(UINT32_MAX), "unknown");
}

#define BARE(test) cmocka_unit_test_setup_teardown(test, bare, teardown)
#define PC(test) cmocka_unit_test_setup_teardown(test, pc, teardown)
/* On a bare machine, with a number for the test. */
#define ROW(test, n) { #test " " #n, test, bare, teardown, (void *)(n) }

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(test_out_widths),
		BARE(test_in_widths),
		BARE(test_string),
		BARE(test_string_faults),
		ROW(test_fault_cannot_be_given, 0),
		ROW(test_fault_cannot_be_given, 1),
		ROW(test_fault_cannot_be_given, 2),
		BARE(test_mmio),
		PC(test_mmio_lapic),
		BARE(test_mmio_segment),
		BARE(test_mmio_without_segments),
		BARE(test_mmio_faults),
		ROW(test_mmio_unsupported, 0),
		ROW(test_mmio_unsupported, 1),
		ROW(test_mmio_unsupported, 2),
		ROW(test_mmio_unsupported, 3),
		ROW(test_mmio_structures, 0),
		ROW(test_mmio_structures, 1),
		ROW(test_mmio_structures, 2),
		ROW(test_mmio_structures, 3),
		ROW(test_mmio_structures, 4),
		BARE(test_mmio_exception),
		BARE(test_mmio_breakpoint),
		BARE(test_mmio_breakpoint_cannot_be_given),
		BARE(test_memory_fault),
		BARE(test_memory_error),
		BARE(test_hlt),
		PC(test_hlt_nmi),
		PC(test_hlt_no_nmi),
		PC(test_hlt_lint0),
		BARE(test_shutdown_bare),
		PC(test_shutdown_pc),
		PC(test_shutdown_no_reboot),
		BARE(test_entry_refused),
		BARE(test_entry_failed_late),
		ROW(test_unknown, 0),
		ROW(test_unknown, 1),
		ROW(test_unknown, 2),
		BARE(test_task_switch),
		BARE(test_task_switch_fails),
		BARE(test_intr),
		PC(test_window),
		PC(test_window_fails),
		BARE(test_events_bare),
		PC(test_eoi),
		BARE(test_cr),
		BARE(test_cr_bad_pdptes),
		BARE(test_cr_outside_ram),
		ROW(test_cr_fails, 0),
		ROW(test_cr_fails, 1),
		ROW(test_cr_fails, 2),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("exit", tests, NULL, NULL);
}
