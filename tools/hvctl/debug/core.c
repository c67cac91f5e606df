// SPDX-License-Identifier: GPL-2.0-only
/* The front of an ELF core: its headers, and notes about each vCPU. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "core.h"
#include "gdb_regs.h"
#include "lib/util.h"

#define PAGE 4096

/* ------------------------------------------------------------------- notes */

/* As QEMU's dump-guest-memory has it, and crash reads it. */
struct qemu_segment {
	uint32_t selector;
	uint32_t limit;
	uint32_t flags;			/* the upper half of a descriptor without base and limit */
	uint32_t pad;
	uint64_t base;
};

struct qemu_cpu_state {
	uint32_t version;
	uint32_t size;
	uint64_t gpr[16];		/* RAX RBX RCX RDX RSI RDI RSP RBP R8 ... R15 */
	uint64_t rip, rflags;
	struct qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
};

#define QEMU_VERSION 1
#define QEMU_NOTE    0

_Static_assert(sizeof(struct elf_prstatus) == 336 && sizeof(struct qemu_cpu_state) == 432,
	       "a note has holes");

/* A note's head, with a name of up to seven letters. In the file each begins at a multiple of 4. */
struct note {
	Elf64_Nhdr header;
	char name[8];
};

static size_t note_bytes(size_t bytes)
{
	return sizeof(struct note) + hv_align_up(bytes, 4);
}

/* Returns where the next one goes. */
static uint8_t *put_note(uint8_t *to, const char *name, uint32_t type, const void *data,
			 size_t bytes)
{
	struct note note = { .header = { .n_namesz = (uint32_t)strlen(name) + 1,
					 .n_descsz = (uint32_t)bytes,
					 .n_type = type } };

	strcpy(note.name, name);
	memcpy(to, &note, sizeof(note));
	memcpy(to + sizeof(note), data, bytes);
	return to + note_bytes(bytes);
}

static struct user_regs_struct user_regs(const struct hv_registers *registers)
{
	const __u64 *gpr = registers->regs.gpr;
	const struct tinyvmx_segment *seg = registers->sregs.seg;

	return (struct user_regs_struct){
		.rax = gpr[TINYVMX_RAX],
		.rcx = gpr[TINYVMX_RCX],
		.rdx = gpr[TINYVMX_RDX],
		.rbx = gpr[TINYVMX_RBX],
		.rsp = gpr[TINYVMX_RSP],
		.rbp = gpr[TINYVMX_RBP],
		.rsi = gpr[TINYVMX_RSI],
		.rdi = gpr[TINYVMX_RDI],
		.r8 = gpr[TINYVMX_R8],
		.r9 = gpr[TINYVMX_R9],
		.r10 = gpr[TINYVMX_R10],
		.r11 = gpr[TINYVMX_R11],
		.r12 = gpr[TINYVMX_R12],
		.r13 = gpr[TINYVMX_R13],
		.r14 = gpr[TINYVMX_R14],
		.r15 = gpr[TINYVMX_R15],
		.orig_rax = UINT64_MAX,
		.rip = registers->regs.rip,
		.eflags = registers->regs.rflags,
		.cs = seg[TINYVMX_CS].selector,
		.ss = seg[TINYVMX_SS].selector,
		.ds = seg[TINYVMX_DS].selector,
		.es = seg[TINYVMX_ES].selector,
		.fs = seg[TINYVMX_FS].selector,
		.gs = seg[TINYVMX_GS].selector,
		.fs_base = seg[TINYVMX_FS].base,
		.gs_base = seg[TINYVMX_GS].base,
	};
}

/* Threads are numbered from 1 on: to gdb 0 is none. */
static uint8_t *put_prstatus(uint8_t *to, unsigned int vcpu, const struct hv_registers *registers)
{
	const struct user_regs_struct regs = user_regs(registers);
	struct elf_prstatus status = { .pr_pid = (int)vcpu + 1, .pr_fpvalid = 1 };

	memcpy(&status.pr_reg, &regs, sizeof(regs));
	return put_note(to, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* Where Linux has XCR0 in the bytes of the legacy region that are software's, and gdb finds it. */
#define XSAVE_XCR0 464
#define XCR0_BASE  (1U << 0 | 1U << 1)	/* x87, SSE */
#define XCR0_AVX   (1U << 2)

/* FXSAVE's part by itself, for who knows no more. */
static uint8_t *put_fpu(uint8_t *to, const struct hv_core *core, const struct hv_core_fpu *fpu)
{
	const uint64_t xcr0 = fpu->xcr0 | XCR0_BASE;

	hv_gdb_fpu_fill(fpu->image, xcr0 & XCR0_AVX && core->xsave_bytes >= HV_GDB_FPU_AVX);
	memcpy(fpu->image + XSAVE_XCR0, &xcr0, sizeof(xcr0));
	to = put_note(to, "CORE", NT_PRFPREG, fpu->image, HV_GDB_FPU_LEGACY);
	return put_note(to, "LINUX", NT_X86_XSTATE, fpu->image, core->xsave_bytes);
}

static struct qemu_segment qemu_segment(const struct tinyvmx_segment *seg)
{
	return (struct qemu_segment){
		.selector = seg->selector,
		.limit = seg->limit,
		.flags = (seg->ar & 0xf0ff) << 8,
		.base = seg->base,
	};
}

static uint8_t *put_qemu(uint8_t *to, const struct hv_registers *registers)
{
	static const uint8_t order[] = {
		TINYVMX_RAX, TINYVMX_RBX, TINYVMX_RCX, TINYVMX_RDX, TINYVMX_RSI, TINYVMX_RDI,
		TINYVMX_RSP, TINYVMX_RBP, TINYVMX_R8,  TINYVMX_R9,  TINYVMX_R10, TINYVMX_R11,
		TINYVMX_R12, TINYVMX_R13, TINYVMX_R14, TINYVMX_R15,
	};
	const struct tinyvmx_sregs *sregs = &registers->sregs;
	const struct tinyvmx_segment *seg = sregs->seg;
	struct qemu_cpu_state state = {
		.version = QEMU_VERSION,
		.size = sizeof(state),
		.rip = registers->regs.rip,
		.rflags = registers->regs.rflags,
		.cs = qemu_segment(&seg[TINYVMX_CS]),
		.ds = qemu_segment(&seg[TINYVMX_DS]),
		.es = qemu_segment(&seg[TINYVMX_ES]),
		.fs = qemu_segment(&seg[TINYVMX_FS]),
		.gs = qemu_segment(&seg[TINYVMX_GS]),
		.ss = qemu_segment(&seg[TINYVMX_SS]),
		.ldt = qemu_segment(&seg[TINYVMX_LDTR]),
		.tr = qemu_segment(&seg[TINYVMX_TR]),
		.gdt = { .limit = sregs->gdt_limit, .base = sregs->gdt_base },
		.idt = { .limit = sregs->idt_limit, .base = sregs->idt_base },
		.cr = { sregs->cr0, 0, sregs->cr2, sregs->cr3, sregs->cr4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		state.gpr[i] = registers->regs.gpr[order[i]];
	return put_note(to, "QEMU", QEMU_NOTE, &state, sizeof(state));
}

/* ------------------------------------------------------------------- layout */

static size_t vcpu_notes_bytes(const struct hv_core *core)
{
	return core->nr_vcpus *
	       (note_bytes(sizeof(struct elf_prstatus)) + note_bytes(HV_GDB_FPU_LEGACY) +
		note_bytes(core->xsave_bytes) + note_bytes(sizeof(struct qemu_cpu_state)));
}

static size_t notes_bytes(const struct hv_core *core)
{
	return vcpu_notes_bytes(core) + core->note_bytes;
}

/* As much as the front may need; what it does not is a hole in the file. */
static uint64_t front_bytes(const struct hv_core *core)
{
	size_t headers = 1 + HV_CORE_RANGES + (core->paging ? HV_CORE_MAPPED_MAX : 0);

	return hv_align_up(sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr) +
				   vcpu_notes_bytes(core) + HV_CORE_NOTE_MAX,
			   PAGE);
}

void hv_core_init(struct hv_core *core, unsigned int nr_vcpus, size_t xsave_bytes, bool paging)
{
	*core = (struct hv_core){ .nr_vcpus = nr_vcpus,
				  .xsave_bytes = xsave_bytes,
				  .paging = paging };
}

void hv_core_exit(struct hv_core *core)
{
	free(core->mapped);
	free(core->note);
	core->mapped = NULL;
	core->note = NULL;
}

uint64_t hv_core_size(const struct hv_core *core)
{
	const struct hv_core_piece *last = &core->memory[core->count];

	return core->count ? last[-1].offset + last[-1].bytes : front_bytes(core);
}

bool hv_core_add(struct hv_core *core, uint64_t gpa, uint64_t bytes)
{
	uint64_t offset = hv_core_size(core), end;

	if (core->count == HV_CORE_RANGES || !bytes || (gpa | bytes) % PAGE ||
	    __builtin_add_overflow(gpa, bytes, &end) || end > HV_CORE_PHYSICAL ||
	    bytes > INT64_MAX - offset)
		return false;
	core->memory[core->count++] = (struct hv_core_piece){
		.address = core->paging ? HV_CORE_PHYSICAL | gpa : gpa,
		.gpa = gpa,
		.bytes = bytes,
		.offset = offset,
	};
	return true;
}

/* -------------------------------------------------------------------- write */

/*
 * No p_align, as kdump and QEMU have it: with one, crash takes it for a netdump, which it is not.
 */
static void put_load(Elf64_Phdr *to, const struct hv_core_piece *piece)
{
	*to = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = piece->offset,
		.p_vaddr = piece->address,
		.p_paddr = piece->gpa,
		.p_filesz = piece->bytes,
		.p_memsz = piece->bytes,
	};
}

/* crash wants the notes' header first, and guest-physical memory next. Returns where notes go. */
static void *put_headers(Elf64_Ehdr *elf, const struct hv_core *core)
{
	Elf64_Phdr *header = (Elf64_Phdr *)(elf + 1);
	const size_t count = 1 + core->count + core->nr_mapped;

	*elf = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT, ELFOSABI_NONE },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(*elf),
		.e_ehsize = sizeof(*elf),
		.e_phentsize = sizeof(*header),
		.e_phnum = (Elf64_Half)count,
	};
	*header++ = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = sizeof(*elf) + count * sizeof(*header),
		.p_filesz = notes_bytes(core),
		.p_align = 4,
	};
	for (unsigned int i = 0; i < core->count; i++)
		put_load(header++, &core->memory[i]);
	for (size_t i = 0; i < core->nr_mapped; i++)
		put_load(header++, &core->mapped[i]);
	return header;
}

/* To gdb what follows an NT_PRSTATUS is of the same thread. */
static void put_notes(uint8_t *to, const struct hv_core *core, const struct hv_registers *vcpus,
		      const struct hv_core_fpu *fpus)
{
	for (unsigned int i = 0; i < core->nr_vcpus; i++) {
		to = put_prstatus(to, i, &vcpus[i]);
		to = put_fpu(to, core, &fpus[i]);
	}
	for (unsigned int i = 0; i < core->nr_vcpus; i++)
		to = put_qemu(to, &vcpus[i]);
	if (core->note)
		memcpy(to, core->note, core->note_bytes);
}

static int write_all(int fd, const char *data, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = pwrite(fd, data + done, bytes - done, (off_t)done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

int hv_core_write(const struct hv_core *core, const struct hv_registers *vcpus,
		  const struct hv_core_fpu *fpus, int fd)
{
	size_t bytes = sizeof(Elf64_Ehdr) +
		       (1 + core->count + core->nr_mapped) * sizeof(Elf64_Phdr) + notes_bytes(core);
	void *front = calloc(1, bytes);
	int error;

	if (!front)
		return -ENOMEM;
	put_notes(put_headers(front, core), core, vcpus, fpus);
	error = write_all(fd, front, bytes);
	free(front);
	return error;
}
