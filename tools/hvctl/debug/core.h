/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ELF cores of guests, for gdb and crash: ELF64, ET_CORE, x86-64.
 *
 * In front the ELF header, the program headers and the notes: for each vCPU its registers as
 * Linux writes those of a thread (NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE), then for each a
 * CPU state as QEMU writes it ("QEMU", by which crash finds the kernel), and the guest's own
 * VMCOREINFO, if it has told where that is. Behind them
 * guest-physical memory, range by range, each page of it at an offset that hv_core_add() fixes
 * before anything is written: so the memory can come first, and the front when all is known.
 */
#ifndef HV_DEBUG_CORE_H
#define HV_DEBUG_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/memory.h"
#include "registers.h"

#define HV_CORE_RANGES (HV_MEMORY_MAX_RANGES + HV_MEMORY_MAX_ROMS)

/* What the guest's VMCOREINFO note may have, in bytes: Linux' has one page, and a header. */
#define HV_CORE_NOTE_MAX 16384

/* Program headers of linear memory: e_phnum has 16 bits. */
#define HV_CORE_MAPPED_MAX 65000

/*
 * With --paging no address is that of guest-physical memory; it is here, where none is canonical.
 */
#define HV_CORE_PHYSICAL (1ULL << 63)

/**
 * struct hv_core_piece - memory in the file
 * @address: by which a debugger finds it (p_vaddr)
 * @gpa: where it is (p_paddr)
 * @bytes: how much
 * @offset: in the file
 */
struct hv_core_piece {
	uint64_t address;
	uint64_t gpa;
	uint64_t bytes;
	uint64_t offset;
};

/* Of an XSAVE image, in bytes: what is there at the least, and can be at the most. */
#define HV_CORE_XSAVE_MIN 576
#define HV_CORE_XSAVE_MAX 65536

/**
 * struct hv_core_fpu - FPU and vector registers of a vCPU
 * @xcr0: which of them it has
 * @image: an XSAVE image in standard format, of the core's @xsave_bytes
 */
struct hv_core_fpu {
	uint64_t xcr0;
	uint8_t *image;
};

/**
 * struct hv_core - a core that is being made
 * @nr_vcpus: how many
 * @xsave_bytes: of an image of their FPU registers, HV_CORE_XSAVE_MIN to HV_CORE_XSAVE_MAX
 * @paging: linear memory has program headers, too
 * @memory: guest-physical ranges, in the order in which they were added
 * @count: of them
 * @mapped: linear memory
 * @nr_mapped: of it, HV_CORE_MAPPED_MAX at the most
 * @cut_short: there is more that is mapped
 * @note: the guest's, whole and checked; NULL: there is none
 * @note_bytes: its size
 */
struct hv_core {
	unsigned int nr_vcpus;
	size_t xsave_bytes;
	bool paging;
	struct hv_core_piece memory[HV_CORE_RANGES];
	unsigned int count;
	struct hv_core_piece *mapped;
	size_t nr_mapped;
	bool cut_short;
	void *note;
	size_t note_bytes;
};

void hv_core_init(struct hv_core *core, unsigned int nr_vcpus, size_t xsave_bytes, bool paging);
void hv_core_exit(struct hv_core *core);

/* One more range, of whole pages, up to HV_CORE_RANGES. False: it cannot be one. */
bool hv_core_add(struct hv_core *core, uint64_t gpa, uint64_t bytes);

/* Of the whole file, in bytes. */
uint64_t hv_core_size(const struct hv_core *core);

/**
 * hv_core_map() - find what linear addresses stand for
 * @core: all of its ranges are added
 * @memory: what was saved of them; the guest's page tables are there, and may be anything
 * @sregs: of the vCPU whose paging it is
 * @gpa_bits: of guest-physical addresses
 *
 * Kernels first: the upper 2 GiB, the rest of the upper half, the lower one. What is left out then,
 * as there is too much, is told by @core->cut_short. Returns 0 or -ENOMEM.
 */
int hv_core_map(struct hv_core *core, const struct hv_memory *memory,
		const struct tinyvmx_sregs *sregs, unsigned int gpa_bits);

/**
 * hv_core_take_note() - find the guest's VMCOREINFO note
 * @core: all of its ranges are added
 * @fd: the file, with what was saved of them
 * @gpa: where the guest says that it is; it is believed neither that nor what is there
 * @bytes: ... and how large, at the most
 *
 * Returns NULL, or what is wrong with it, for people; the core goes without one then.
 */
const char *hv_core_take_note(struct hv_core *core, int fd, uint64_t gpa, uint32_t bytes);

/*
 * Write the front to @fd, by @vcpus and @fpus, @core->nr_vcpus of each; what @fpus leave to the
 * initial configuration is filled in there. Returns 0 or -errno.
 */
int hv_core_write(const struct hv_core *core, const struct hv_registers *vcpus,
		  const struct hv_core_fpu *fpus, int fd);

#endif
