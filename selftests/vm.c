// SPDX-License-Identifier: GPL-2.0-only
/* Host side: ioctl wrappers, VMs and vCPUs ready to run, run helpers. */
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>

#include "kvm.h"
#include "lib.h"

int dev_open(void)
{
	int fd = open(TINYVMX_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		skip_all("%s: %s", TINYVMX_DEVICE, strerror(errno));
	return fd;
}

const struct tinyvmx_info *info(void)
{
	static struct tinyvmx_info cached;
	int fd;

	if (cached.size)
		return &cached;
	fd = dev_open();
	cached.size = sizeof(cached);
	must(ioctl(fd, TINYVMX_GET_INFO, &cached));
	close(fd);
	return &cached;
}

struct tinyvmx_create_vm create_vm_arg(u32 flags)
{
	const char *root = getenv("TINYVMX_ROOT");
	static int kvm_vm = -1;

	if (!root || strcmp(root, "kvm"))
		return (struct tinyvmx_create_vm){
			.size = sizeof(struct tinyvmx_create_vm), .flags = flags,
		};
	if (kvm_vm < 0)
		kvm_vm = must(kvm_create_vm_fd());
	return (struct tinyvmx_create_vm){ .size = sizeof(struct tinyvmx_create_vm),
					   .flags = flags | TINYVMX_VM_KVM, .kvm_fd = kvm_vm };
}

int create_vm_fd_with(u32 flags)
{
	struct tinyvmx_create_vm arg = create_vm_arg(flags);
	int dev = dev_open();
	int fd = ioctl(dev, TINYVMX_CREATE_VM, &arg);
	int err = errno;

	close(dev);
	errno = err;
	return fd;
}

int create_vm_fd(void)
{
	return create_vm_fd_with(0);
}

int create_vcpu_fd(int vm_fd, u32 id)
{
	struct tinyvmx_create_vcpu arg = { .size = sizeof(arg), .id = id };

	return ioctl(vm_fd, TINYVMX_CREATE_VCPU, &arg);
}

int set_memory(int vm_fd, u32 slot, u32 flags, u64 gpa, u64 len,
	       const void *hva)
{
	struct tinyvmx_memory arg = {
		.size = sizeof(arg), .flags = flags, .slot = slot,
		.gpa = gpa, .len = len, .hva = (uintptr_t)hva,
	};

	return ioctl(vm_fd, TINYVMX_SET_MEMORY, &arg);
}

static int state(int fd, unsigned long cmd, u32 type, const void *data, u64 len)
{
	struct tinyvmx_state arg = {
		.size = sizeof(arg), .type = type, .version = 1,
		.data = (uintptr_t)data, .len = len,
	};

	return ioctl(fd, cmd, &arg);
}

int get_state(int vcpu_fd, u32 type, void *data, u64 len)
{
	return state(vcpu_fd, TINYVMX_GET_STATE, type, data, len);
}

int set_state(int vcpu_fd, u32 type, const void *data, u64 len)
{
	return state(vcpu_fd, TINYVMX_SET_STATE, type, data, len);
}

int set_cpuid(int vcpu_fd, const struct tinyvmx_cpuid *table, u32 count)
{
	struct tinyvmx_set_cpuid arg = {
		.size = sizeof(arg), .count = count, .entries = (uintptr_t)table,
	};

	return ioctl(vcpu_fd, TINYVMX_SET_CPUID, &arg);
}

int inject(int vcpu_fd, u32 type, u32 vector)
{
	struct tinyvmx_inject arg = {
		.size = sizeof(arg), .type = type, .vector = vector,
	};

	return ioctl(vcpu_fd, TINYVMX_INJECT, &arg);
}

int inject_error(int vcpu_fd, u32 vector, u32 error_code)
{
	struct tinyvmx_inject arg = {
		.size = sizeof(arg), .flags = TINYVMX_INJECT_ERROR_CODE,
		.type = TINYVMX_INJECT_EXCEPTION, .vector = vector,
		.error_code = error_code,
	};

	return ioctl(vcpu_fd, TINYVMX_INJECT, &arg);
}

struct tinyvmx_run *map_run(int vcpu_fd)
{
	void *page = mmap(NULL, info()->run_bytes, PROT_READ | PROT_WRITE,
			  MAP_SHARED, vcpu_fd, 0);

	if (page == MAP_FAILED)
		bail("mmap of the run page: %m");
	return page;
}

/* ------------------------------------------------------------------- VMs */

static int copy_segments(struct dl_phdr_info *object, size_t size, void *ram)
{
	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &object->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_vaddr < GUEST_STACK_TOP ||
		    ph->p_vaddr + ph->p_memsz > GUEST_FREE_GPA)
			bail("the program is linked where guests have no room");
		memcpy((u8 *)ram + ph->p_vaddr, (void *)ph->p_vaddr, ph->p_memsz);
	}
	return 1;	/* the program itself is the first object: stop */
}

/* Identity map of the first 4 GiB, 2 MiB pages, for ring 0 and ring 3. */
static void build_page_tables(u8 *ram)
{
	u64 *table = (u64 *)(ram + GUEST_PT_GPA);

	table[0] = (GUEST_PT_GPA + PAGE) | 7;
	for (u64 i = 0; i < 4; i++)
		table[512 + i] = (GUEST_PT_GPA + (2 + i) * PAGE) | 7;
	for (u64 i = 0; i < 2048; i++)
		table[1024 + i] = (i << 21) | 0xe7;
}

static void build_descriptors(u8 *ram)
{
	static const u64 gdt[] = {
		0,
		0x00af9b000000ffff,	/* SEL_CS64 */
		0x00cf93000000ffff,	/* SEL_DS */
		0x00cf9b000000ffff,	/* SEL_CS32 */
		0x00cff3000000ffff,	/* SEL_USER_DS */
		0x00affb000000ffff,	/* SEL_USER_CS64 */
		0x00008b0000000067 | (u64)GUEST_TSS_GPA << 16, 0,
	};
	u64 *tss = (u64 *)(ram + GUEST_TSS_GPA + 4);
	u64 *idt = (u64 *)(ram + GUEST_IDT_GPA);

	memcpy(ram + GUEST_GDT_GPA, gdt, sizeof(gdt));
	tss[0] = GUEST_IST_TOP - PAGE;	/* RSP0 */
	tss[4] = GUEST_IST_TOP;		/* IST1 */
	/* The I/O permission bitmap starts behind the limit: no ports for ring 3. */
	*(u16 *)(ram + GUEST_TSS_GPA + 0x66) = 0x68;
	for (u64 i = 0; i < 256; i++) {
		u64 stub = (uintptr_t)guest_vectors + 16 * i;

		idt[2 * i] = (stub & 0xffff) | SEL_CS64 << 16 |
			     0x8e0000000000 | (stub >> 16) << 48;
		idt[2 * i + 1] = stub >> 32;
	}
}

u8 *map_guest_ram(void)
{
	u8 *ram = map_anon(GUEST_RAM_BYTES);

	dl_iterate_phdr(copy_segments, ram);
	build_page_tables(ram);
	build_descriptors(ram);
	return ram;
}

struct vm *vm_create_with(u32 flags)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	vm->fd = must(create_vm_fd_with(flags));
	vm->ram = map_guest_ram();
	must(set_memory(vm->fd, 0, 0, 0, GUEST_RAM_BYTES, vm->ram));
	return vm;
}

struct vm *vm_create(void)
{
	return vm_create_with(0);
}

void vm_destroy(struct vm *vm)
{
	close(vm->fd);
	munmap(vm->ram, GUEST_RAM_BYTES);
	free(vm);
}

static u32 add_row(struct tinyvmx_cpuid *table, u32 n, u32 room, u32 function,
		   u32 index, u32 flags)
{
	u32 reg[4];

	if (n == room)
		bail("the host's CPUID table has more than %u rows", room);
	cpuid(function, index, reg);
	if (function == 1)	/* no VMX, MONITOR, performance MSRs */
		reg[2] &= ~(1U << 5 | 1U << 3 | 1U << 15);
	if (function == 7 && !index && info()->cr4_mask & 1 << 11)
		reg[2] |= 1 << 2;	/* UMIP, which the module may do for the CPU */
	if (function == 0xa)
		memset(reg, 0, sizeof(reg));
	table[n] = (struct tinyvmx_cpuid){
		.function = function, .index = index, .flags = flags,
		.eax = reg[0], .ebx = reg[1], .ecx = reg[2], .edx = reg[3],
	};
	return n + 1;
}

static u32 sub_leaves(u32 function)
{
	switch (function) {
	case 4:
		return 5;
	case 7:
		return 2;
	case 0xb:
		return 2;
	case 0xd:
		return 10;
	default:
		return 0;
	}
}

u32 host_cpuid(struct tinyvmx_cpuid *table, u32 room)
{
	static const u32 base[] = { 0, 0x80000000 };
	u32 reg[4], n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(base); i++) {
		cpuid(base[i], 0, reg);
		for (u32 f = base[i]; f <= reg[0] && f < base[i] + 0x20; f++) {
			u32 subs = sub_leaves(f);

			for (u32 s = 0; s < subs; s++)
				n = add_row(table, n, room, f, s,
					    TINYVMX_CPUID_INDEXED);
			if (!subs)
				n = add_row(table, n, room, f, 0, 0);
		}
	}
	return n;
}

static struct tinyvmx_segment segment(u16 selector, u32 ar, u64 base, u32 limit)
{
	return (struct tinyvmx_segment){
		.selector = selector, .ar = ar, .base = base, .limit = limit,
	};
}

static void set_long_mode(struct vcpu *vcpu)
{
	struct tinyvmx_sregs s = vcpu_sregs(vcpu);

	for (int i = 0; i < TINYVMX_LDTR; i++)
		s.seg[i] = segment(SEL_DS, 0xc093, 0, ~0U);
	s.seg[TINYVMX_CS] = segment(SEL_CS64, 0xa09b, 0, ~0U);
	s.seg[TINYVMX_LDTR] = segment(0, TINYVMX_AR_UNUSABLE, 0, 0);
	s.seg[TINYVMX_TR] = segment(SEL_TSS, 0x8b, GUEST_TSS_GPA, 0x67);
	s.gdt_base = GUEST_GDT_GPA;
	s.gdt_limit = 8 * 8 - 1;
	s.idt_base = GUEST_IDT_GPA;
	s.idt_limit = 256 * 16 - 1;
	s.cr0 = 0x80010033;		/* PG, WP, NE, ET, MP, PE */
	s.cr3 = GUEST_PT_GPA;
	s.cr4 = 0x620;			/* OSXMMEXCPT, OSFXSR, PAE */
	s.efer = 0xd00;			/* NXE, LMA, LME */
	if (info()->efer_mask & 1)
		s.efer |= 1;		/* SCE */
	vcpu_set_sregs(vcpu, &s);
}

struct vcpu *vcpu_create(struct vm *vm, u32 id, void *fn, u64 arg)
{
	struct vcpu *vcpu = calloc(1, sizeof(*vcpu));
	struct tinyvmx_cpuid table[100];

	vcpu->vm = vm;
	vcpu->fd = must(create_vcpu_fd(vm->fd, id));
	vcpu->run = map_run(vcpu->fd);
	must(set_cpuid(vcpu->fd, table, host_cpuid(table, ARRAY_SIZE(table))));
	set_long_mode(vcpu);
	memset(&vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs.rflags = 2;
	vcpu->regs.gpr[TINYVMX_RSP] = GUEST_STACK_TOP - id % 64 * GUEST_STACK_BYTES;
	vcpu_set_regs(vcpu);
	vcpu_call(vcpu, fn, arg);
	return vcpu;
}

/* Make it the called function of guest_return(), below its present stack. */
void vcpu_call(struct vcpu *vcpu, void *fn, u64 arg)
{
	u64 rsp;

	vcpu_get_regs(vcpu);
	rsp = (vcpu->regs.gpr[TINYVMX_RSP] & ~15UL) - 8;
	*(u64 *)(vcpu->vm->ram + rsp) = (uintptr_t)guest_return;
	vcpu->regs.gpr[TINYVMX_RSP] = rsp;
	vcpu->regs.gpr[TINYVMX_RDI] = arg;
	vcpu->regs.rip = (uintptr_t)fn;
	vcpu_set_regs(vcpu);
}

void vcpu_destroy(struct vcpu *vcpu)
{
	munmap(vcpu->run, info()->run_bytes);
	close(vcpu->fd);
	free(vcpu);
}

struct vcpu *vcpu_simple(void *fn)
{
	return vcpu_create(vm_create(), 0, fn, 0);
}

void vcpu_simple_destroy(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	vcpu_destroy(vcpu);
	vm_destroy(vm);
}
