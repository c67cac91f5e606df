// SPDX-License-Identifier: GPL-2.0-only
/* ELF cores, read as others read them: by libelf. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include "debug/core.h"
#include "debug/gdb_regs.h"
#include "lib/util.h"
#include "walk_test.h"

#define GPA_BITS 39
#define PHYSICAL 0x8000000000000000ULL
#define XSAVE	 840		/* with AVX */

/* The order of notes: three of the first vCPU, three of the second, QEMU's of both. */
enum {
	PRSTATUS,
	PRFPREG,
	XSTATE,
	VCPU_NOTES,
	FIRST_QEMU = 2 * VCPU_NOTES,
	GUESTS = FIRST_QEMU + 2
};

static struct hv_core core;
static struct hv_registers vcpus[2];
static uint8_t images[2][XSAVE];
static struct hv_core_fpu fpus[2];
static FILE *file;
static Elf *elf;

/* All registers have values of their own. */
static void make_registers(struct hv_registers *registers, uint64_t seed)
{
	struct tinyvmx_sregs *sregs = &registers->sregs;

	for (unsigned int i = 0; i < TINYVMX_NR_GPR; i++)
		registers->regs.gpr[i] = seed + i;
	registers->regs.rip = seed + 0x100;
	registers->regs.rflags = seed + 0x101;
	for (unsigned int i = 0; i < TINYVMX_NR_SEG; i++)
		sregs->seg[i] = (struct tinyvmx_segment){ .base = seed + 0x200 + i,
							  .limit = 0x1000 + i,
							  .selector = (uint16_t)(0x10 + i),
							  .ar = 0xa09b };
	sregs->idt_base = seed + 0x300;
	sregs->idt_limit = 0xfff;
	sregs->cr0 = long_mode.cr0;
	sregs->cr2 = seed + 0x400;
	sregs->cr3 = long_mode.cr3;
	sregs->cr4 = long_mode.cr4;
	sregs->efer = long_mode.efer;
}

static int setup(void **state)
{
	new_memory(state);
	make_registers(&vcpus[0], 0x111111111111ULL);
	make_registers(&vcpus[1], 0x222222222222ULL);
	for (unsigned int i = 0; i < 2; i++) {
		memset(images[i], (int)i + 1, XSAVE);
		memset(images[i] + HV_GDB_FPU_LEGACY, 0, 64);
		images[i][HV_GDB_FPU_LEGACY] = 7;
		fpus[i] = (struct hv_core_fpu){ .xcr0 = 7, .image = images[i] };
	}
	file = tmpfile();
	return !file;
}

static int teardown(void **state)
{
	elf_end(elf);
	elf = NULL;
	fclose(file);
	hv_core_exit(&core);
	return free_memory(state);
}

static void put(uint64_t gpa, uint64_t value)
{
	test_put(&memory, gpa, &value, sizeof(value));
}

static void begin(bool paging)
{
	hv_core_init(&core, ARRAY_SIZE(vcpus), XSAVE, paging);
	assert_true(hv_core_add(&core, 0, memory.size));
}

static void map(void)
{
	assert_int_equal(hv_core_map(&core, &memory, &vcpus[0].sregs, GPA_BITS), 0);
}

static void finish(void)
{
	assert_int_equal(ftruncate(fileno(file), (off_t)hv_core_size(&core)), 0);
	assert_int_equal(hv_core_write(&core, vcpus, fpus, fileno(file)), 0);
	elf_version(EV_CURRENT);
	elf = elf_begin(fileno(file), ELF_C_READ, NULL);
	assert_int_equal(elf_kind(elf), ELF_K_ELF);
}

static GElf_Phdr header(int index)
{
	GElf_Phdr phdr;

	assert_non_null(gelf_getphdr(elf, index, &phdr));
	return phdr;
}

/* Of the note number @index, which must be that. */
static const void *note(unsigned int index, const char *name, unsigned int type, size_t bytes)
{
	const GElf_Phdr notes = header(0);
	Elf_Data *data =
		elf_getdata_rawchunk(elf, (int64_t)notes.p_offset, notes.p_filesz, ELF_T_NHDR);
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr nhdr;

	assert_int_equal(notes.p_type, PT_NOTE);
	for (unsigned int i = 0; i <= index; i++)
		at = gelf_getnote(data, at, &nhdr, &name_at, &desc_at);
	assert_int_not_equal(at, 0);
	assert_string_equal((const char *)data->d_buf + name_at, name);
	assert_int_equal(nhdr.n_type, type);
	assert_int_equal(nhdr.n_descsz, bytes);
	return (const char *)data->d_buf + desc_at;
}

static uint64_t number(const void *from, size_t at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)from + at, bytes);
	return value;
}

static void test_headers(void **state)
{
	GElf_Phdr load;
	GElf_Ehdr ehdr;
	size_t count;

	(void)state;
	begin(false);
	assert_true(hv_core_add(&core, 0xfffc0000, 0x40000));
	finish();
	assert_non_null(gelf_getehdr(elf, &ehdr));
	assert_int_equal(gelf_getclass(elf), ELFCLASS64);
	assert_int_equal(ehdr.e_type, ET_CORE);
	assert_int_equal(ehdr.e_machine, EM_X86_64);
	assert_int_equal(elf_getphdrnum(elf, &count), 0);
	assert_int_equal(count, 3);
	load = header(1);
	assert_int_equal(load.p_type, PT_LOAD);
	assert_int_equal(load.p_vaddr, 0);
	assert_int_equal(load.p_paddr, 0);
	assert_int_equal(load.p_filesz, memory.size);
	assert_int_equal(load.p_memsz, memory.size);
	assert_int_equal(load.p_offset % 4096, 0);
	/* By which crash knows a kdump, or QEMU's. */
	assert_int_equal(load.p_align, 0);
	/* crash reads all that is before it. */
	assert_in_range(load.p_offset, header(0).p_offset + header(0).p_filesz,
			8192 + HV_CORE_NOTE_MAX);
	load = header(2);
	assert_int_equal(load.p_vaddr, 0xfffc0000);
	assert_int_equal(load.p_paddr, 0xfffc0000);
	assert_int_equal(load.p_offset, header(1).p_offset + memory.size);
	assert_int_equal(load.p_offset + load.p_filesz, hv_core_size(&core));
}

static void test_prstatus(void **state)
{
	struct user_regs_struct regs;
	struct elf_prstatus status;

	(void)state;
	begin(false);
	finish();
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t seed = i ? 0x222222222222ULL : 0x111111111111ULL;

		memcpy(&status,
		       note(i * VCPU_NOTES + PRSTATUS, "CORE", NT_PRSTATUS, sizeof(status)),
		       sizeof(status));
		memcpy(&regs, status.pr_reg, sizeof(regs));
		assert_int_equal(status.pr_pid, i + 1);
		assert_int_equal(regs.rax, seed + TINYVMX_RAX);
		assert_int_equal(regs.rbx, seed + TINYVMX_RBX);
		assert_int_equal(regs.rsp, seed + TINYVMX_RSP);
		assert_int_equal(regs.rdi, seed + TINYVMX_RDI);
		assert_int_equal(regs.r15, seed + TINYVMX_R15);
		assert_int_equal(regs.rip, seed + 0x100);
		assert_int_equal(regs.eflags, seed + 0x101);
		assert_int_equal(regs.cs, 0x10 + TINYVMX_CS);
		assert_int_equal(regs.gs_base, seed + 0x200 + TINYVMX_GS);
	}
}

/* As they are; what has its initial configuration is that, whatever its bytes are. */
static void test_fpu(void **state)
{
	static const uint8_t zero[16];
	const uint8_t *legacy, *image;

	(void)state;
	fpus[1].xcr0 = 3;
	images[1][HV_GDB_FPU_LEGACY] = 1;
	begin(false);
	finish();
	legacy = note(PRFPREG, "CORE", NT_PRFPREG, 512);
	assert_memory_equal(legacy, images[0], 464);
	image = note(XSTATE, "LINUX", NT_X86_XSTATE, XSAVE);
	assert_memory_equal(image, legacy, 512);
	assert_int_equal(number(image, 464, 8), 7);
	assert_int_equal(image[XSAVE - 1], 1);
	/* The second vCPU: x87 is in use, SSE is not, AVX is not there. */
	legacy = note(VCPU_NOTES + PRFPREG, "CORE", NT_PRFPREG, 512);
	assert_int_equal(legacy[32], 2);
	assert_memory_equal(legacy + 160, zero, 16);
	image = note(VCPU_NOTES + XSTATE, "LINUX", NT_X86_XSTATE, XSAVE);
	assert_int_equal(number(image, 464, 8), 3);
	assert_int_equal(number(image, 512, 8), 3);
}

/* Where QEMU has them. */
static void test_qemu(void **state)
{
	const uint64_t seed = 0x222222222222ULL;
	const void *cpu;

	(void)state;
	begin(false);
	finish();
	cpu = note(FIRST_QEMU + 1, "QEMU", 0, 432);
	assert_int_equal(number(cpu, 0, 4), 1);
	assert_int_equal(number(cpu, 4, 4), 432);
	assert_int_equal(number(cpu, 8, 8), seed + TINYVMX_RAX);
	assert_int_equal(number(cpu, 16, 8), seed + TINYVMX_RBX);
	assert_int_equal(number(cpu, 56, 8), seed + TINYVMX_RSP);
	assert_int_equal(number(cpu, 136, 8), seed + 0x100);
	/* CS: selector, limit, flags (P, code, G, L), base. */
	assert_int_equal(number(cpu, 152, 4), 0x10 + TINYVMX_CS);
	assert_int_equal(number(cpu, 156, 4), 0x1000 + TINYVMX_CS);
	assert_int_equal(number(cpu, 160, 4), 0xa09b00);
	assert_int_equal(number(cpu, 168, 8), seed + 0x200 + TINYVMX_CS);
	/* IDT, CR0, CR2, CR3, CR4 */
	assert_int_equal(number(cpu, 152 + 9 * 24 + 4, 4), 0xfff);
	assert_int_equal(number(cpu, 152 + 9 * 24 + 16, 8), seed + 0x300);
	assert_int_equal(number(cpu, 392, 8), long_mode.cr0);
	assert_int_equal(number(cpu, 408, 8), seed + 0x400);
	assert_int_equal(number(cpu, 416, 8), 0x1000);
	assert_int_equal(number(cpu, 424, 8), long_mode.cr4);
}

#define NOTE 0x5000		/* where the guest has it */

/* A note of that name with @bytes of text; its size. */
static uint32_t put_note(uint64_t gpa, const char *name, uint32_t type, uint32_t bytes)
{
	static const char text[HV_CORE_NOTE_MAX] = "OSRELEASE=6.1\n";
	const uint32_t header[3] = { (uint32_t)strlen(name) + 1, bytes, type };

	test_put(&memory, gpa, header, sizeof(header));
	test_put(&memory, gpa + 12, name, header[0]);
	test_put(&memory, gpa + 24, text, bytes < sizeof(text) ? bytes : sizeof(text));
	return 24 + bytes;
}

/* What is saved of memory is in the file when the note is looked for. */
static const char *take(uint64_t gpa, uint32_t bytes)
{
	const void *from = hv_memory_at(&memory, 0, memory.size);

	assert_int_equal(pwrite(fileno(file), from, memory.size, (off_t)core.memory[0].offset),
			 memory.size);
	return hv_core_take_note(&core, fileno(file), gpa, bytes);
}

static void test_vmcoreinfo(void **state)
{
	uint32_t bytes;

	(void)state;
	begin(false);
	bytes = put_note(NOTE, "VMCOREINFO", 0, 15);
	/* The guest says how much room there is, the note how much it takes of it. */
	assert_null(take(NOTE, bytes + 100));
	finish();
	assert_memory_equal(note(GUESTS, "VMCOREINFO", 0, 15), "OSRELEASE=6.1\n", 15);
	assert_int_equal(core.note_bytes, 40);
	assert_int_equal(((const uint8_t *)core.note)[39], 0);
	/* The others are where they were. */
	assert_int_equal(number(note(FIRST_QEMU + 1, "QEMU", 0, 432), 0, 4), 1);
	/* What crash reads before memory. */
	assert_true(header(0).p_offset + header(0).p_filesz <= header(1).p_offset);
}

/* The largest that can be, at memory's end. */
static void test_large_vmcoreinfo(void **state)
{
	const uint64_t gpa = memory.size - HV_CORE_NOTE_MAX;

	(void)state;
	begin(false);
	put_note(gpa, "VMCOREINFO", 0, HV_CORE_NOTE_MAX - 24);
	assert_null(take(gpa, HV_CORE_NOTE_MAX));
	finish();
	note(GUESTS, "VMCOREINFO", 0, HV_CORE_NOTE_MAX - 24);
	assert_true(header(0).p_offset + header(0).p_filesz <= header(1).p_offset);
}

static void refuses(uint64_t gpa, uint32_t bytes, const char *with)
{
	const char *wrong = take(gpa, bytes);

	if (!wrong || !strstr(wrong, with))
		fail_msg("0x%llx, %u bytes: %s", (unsigned long long)gpa, bytes, wrong ?: "taken");
	assert_null(core.note);
	assert_int_equal(core.note_bytes, 0);
}

static void test_bad_vmcoreinfo(void **state)
{
	uint32_t bytes = put_note(NOTE, "VMCOREINFO", 0, 15);

	(void)state;
	begin(false);
	refuses(NOTE, 23, "no size");
	refuses(NOTE, HV_CORE_NOTE_MAX + 1, "no size");
	refuses(NOTE, UINT32_MAX, "no size");
	refuses(memory.size - bytes + 1, bytes, "no memory");
	refuses(UINT64_MAX - 10, bytes, "no memory");
	refuses(memory.size, bytes, "no memory");
	refuses(NOTE + 4, bytes, "none");
	refuses(NOTE, bytes - 1, "larger");
	put_note(NOTE, "VMCOREINFO", 0, UINT32_MAX - 24);
	refuses(NOTE, bytes, "larger");
	put_note(NOTE, "VMCOREINFO", 0, 0);
	refuses(NOTE, bytes, "larger");
	put_note(NOTE, "VMCOREINFO", 1, 15);
	refuses(NOTE, bytes, "none");
	put_note(NOTE, "VMCOREINF", 0, 15);
	refuses(NOTE, bytes, "none");
	put_note(NOTE, "VMCOREINFOS", 0, 15);
	refuses(NOTE, bytes, "none");
	finish();
}

static void is_load(int index, uint64_t address, uint64_t gpa, uint64_t bytes)
{
	const GElf_Phdr load = header(index);

	if (load.p_type != PT_LOAD || load.p_vaddr != address || load.p_paddr != gpa ||
	    load.p_filesz != bytes)
		fail_msg("header %d: 0x%llx at 0x%llx, 0x%llx bytes", index,
			 (unsigned long long)load.p_vaddr, (unsigned long long)load.p_paddr,
			 (unsigned long long)load.p_filesz);
	assert_int_equal(load.p_offset, core.memory[0].offset + gpa);
}

/* A kernel's text, pages that lie in a row or do not, and a page that ends where memory does. */
static void test_paging(void **state)
{
	size_t count;

	(void)state;
	put(0x1000 + 511 * 8, 0x2000 | P | W);
	put(0x2000 + 510 * 8, 0x3000 | P | W);
	put(0x3000, 0x4000 | P | W);
	put(0x4000 + 5 * 8, 0x9000 | P);
	put(0x4000 + 6 * 8, 0xa000 | P);
	put(0x4000 + 7 * 8, 0x8000 | P);
	put(0x4000 + 9 * 8, 0x9000000 | P); /* no memory */
	put(0x1000, 0x5000 | P | W);
	put(0x5000, 0 | P | PS); /* 1 GiB, of which there are 2 MiB */
	begin(true);
	map();
	assert_false(core.cut_short);
	finish();
	assert_int_equal(elf_getphdrnum(elf, &count), 0);
	assert_int_equal(count, 5);
	is_load(1, PHYSICAL, 0, memory.size);
	is_load(2, 0xffffffff80005000, 0x9000, 0x2000);
	is_load(3, 0xffffffff80007000, 0x8000, 0x1000);
	is_load(4, 0, 0, memory.size);
}

static void test_no_paging(void **state)
{
	size_t count;

	(void)state;
	vcpus[0].sregs.cr0 = X86_CR0_PE;
	begin(true);
	map();
	finish();
	assert_int_equal(elf_getphdrnum(elf, &count), 0);
	assert_int_equal(count, 3);
	is_load(2, 0, 0, memory.size);
}

static void test_32_bits(void **state)
{
	const uint32_t entry = 0x9000 | P;
	size_t count;

	(void)state;
	vcpus[0].sregs.efer = 0;
	vcpus[0].sregs.cr4 = 0;
	put(0x1000 + 0x300 * 4, 0x2000 | P);
	test_put(&memory, 0x2000 + 0x3ff * 4, &entry, sizeof(entry));
	begin(true);
	map();
	finish();
	assert_int_equal(elf_getphdrnum(elf, &count), 0);
	assert_int_equal(count, 3);
	is_load(2, 0xc03ff000, 0x9000, 0x1000);
}

/* Each entry of each table is the table itself: 2^36 pages, all the same. It has an end. */
static void test_circle(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 512; i++)
		put(0x1000 + i * 8, 0x1000 | P | W | U);
	begin(true);
	map();
	assert_true(core.cut_short);
	assert_int_equal(core.nr_mapped, HV_CORE_MAPPED_MAX);
	finish();
	is_load(2, (uint64_t)-2 * HV_GIB, 0x1000, 0x1000);
	is_load(1 + HV_CORE_MAPPED_MAX, -2 * HV_GIB + (HV_CORE_MAPPED_MAX - 1) * 4096ULL, 0x1000,
		0x1000);
}

/* The same with pages where nothing is: what is looked at has an end, too. */
static void test_void(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 512; i++) {
		put(0x1000 + i * 8, 0x2000 | P);
		put(0x2000 + i * 8, 0x3000 | P);
		put(0x3000 + i * 8, 0x4000 | P);
		put(0x4000 + i * 8, 0x9000000 | P);
	}
	begin(true);
	map();
	assert_true(core.cut_short);
	assert_int_equal(core.nr_mapped, 0);
	finish();
}

static void test_ranges(void **state)
{
	(void)state;
	begin(false);
	assert_false(hv_core_add(&core, 0x1000, 0));
	assert_false(hv_core_add(&core, 0x1001, 0x1000));
	assert_false(hv_core_add(&core, 0x1000, 0x1001));
	assert_false(hv_core_add(&core, -0x1000ULL, 0x1000));
	assert_false(hv_core_add(&core, 0, 1ULL << 63));
	assert_false(hv_core_add(&core, 0, (1ULL << 63) - 0x1000));
	for (unsigned int i = 1; i < HV_CORE_RANGES; i++)
		assert_true(hv_core_add(&core, i * HV_GIB, 0x1000));
	assert_false(hv_core_add(&core, 0, 0x1000));
	finish();
}

/* A file that takes nothing. */
static void test_no_room(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	begin(false);
	assert_int_equal(hv_core_write(&core, vcpus, fpus, full), -ENOSPC);
	close(full);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_headers),
		T(test_prstatus),
		T(test_fpu),
		T(test_qemu),
		T(test_paging),
		T(test_no_paging),
		T(test_32_bits),
		T(test_circle),
		T(test_void),
		T(test_ranges),
		T(test_no_room),
		T(test_vmcoreinfo),
		T(test_large_vmcoreinfo),
		T(test_bad_vmcoreinfo),
	};

	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
