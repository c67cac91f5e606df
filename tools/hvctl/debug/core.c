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

/* A note with a name of four letters. */
struct note {
	Elf64_Nhdr header;
	char name[8];
};

/* In the file each begins at a multiple of 4. */
struct prstatus_note {
	struct note note;
	struct elf_prstatus status;
} __attribute__((packed, aligned(4)));

struct qemu_note {
	struct note note;
	struct qemu_cpu_state state;
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct prstatus_note) == 20 + 336, "a note has holes");
_Static_assert(sizeof(struct qemu_note) == 20 + 432, "a note has holes");

static struct note make_note(const char *name, uint32_t type, uint32_t bytes)
{
	struct note note = { .header = { .n_namesz = 5, .n_descsz = bytes, .n_type = type } };

	strcpy(note.name, name);
	return note;
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
static void put_prstatus(struct prstatus_note *to, unsigned int vcpu,
			 const struct hv_registers *registers)
{
	const struct user_regs_struct regs = user_regs(registers);

	*to = (struct prstatus_note){ 0 };
	to->note = make_note("CORE", NT_PRSTATUS, sizeof(to->status));
	to->status.pr_pid = (int)vcpu + 1;
	memcpy(&to->status.pr_reg, &regs, sizeof(regs));
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

static void put_qemu(struct qemu_note *to, const struct hv_registers *registers)
{
	static const uint8_t order[] = {
		TINYVMX_RAX, TINYVMX_RBX, TINYVMX_RCX, TINYVMX_RDX, TINYVMX_RSI, TINYVMX_RDI,
		TINYVMX_RSP, TINYVMX_RBP, TINYVMX_R8,  TINYVMX_R9,  TINYVMX_R10, TINYVMX_R11,
		TINYVMX_R12, TINYVMX_R13, TINYVMX_R14, TINYVMX_R15,
	};
	const struct tinyvmx_sregs *sregs = &registers->sregs;
	const struct tinyvmx_segment *seg = sregs->seg;

	to->note = make_note("QEMU", QEMU_NOTE, sizeof(to->state));
	to->state = (struct qemu_cpu_state){
		.version = QEMU_VERSION,
		.size = sizeof(to->state),
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
		to->state.gpr[i] = registers->regs.gpr[order[i]];
}

/* ------------------------------------------------------------------- layout */

static size_t vcpu_notes_bytes(const struct hv_core *core)
{
	return core->nr_vcpus * (sizeof(struct prstatus_note) + sizeof(struct qemu_note));
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

void hv_core_init(struct hv_core *core, unsigned int nr_vcpus, bool paging)
{
	*core = (struct hv_core){ .nr_vcpus = nr_vcpus, .paging = paging };
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

static void put_notes(void *to, const struct hv_core *core, const struct hv_registers *vcpus)
{
	struct prstatus_note *status = to;
	struct qemu_note *qemu;

	for (unsigned int i = 0; i < core->nr_vcpus; i++)
		put_prstatus(status++, i, &vcpus[i]);
	qemu = (struct qemu_note *)status;
	for (unsigned int i = 0; i < core->nr_vcpus; i++)
		put_qemu(qemu++, &vcpus[i]);
	if (core->note)
		memcpy(qemu, core->note, core->note_bytes);
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

int hv_core_write(const struct hv_core *core, const struct hv_registers *vcpus, int fd)
{
	size_t bytes = sizeof(Elf64_Ehdr) +
		       (1 + core->count + core->nr_mapped) * sizeof(Elf64_Phdr) + notes_bytes(core);
	void *front = malloc(bytes);
	int error;

	if (!front)
		return -ENOMEM;
	put_notes(put_headers(front, core), core, vcpus);
	error = write_all(fd, front, bytes);
	free(front);
	return error;
}
