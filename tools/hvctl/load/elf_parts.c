// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of an ELF file is read: not its debug information, which may be a gigabyte. Here is what
 * says what it is and names its functions; its segments follow when somebody wants them.
 */
#include <gelf.h>
#include <libelf.h>

#include "elf.h"

/* Kernels have three or four. Who has more is not read again and again. */
#define TABLES_MAX 32
/* Of all together. A file of holes has more, and takes no room on its disk: here it would. */
#define BYTES_MAX (512 * HV_MIB)

struct parts {
	struct hv_file *file;
	int fd;
	uint64_t left;			/* bytes that may still be read */
};

static Elf *begin(const struct hv_file *file)
{
	elf_version(EV_CURRENT);
	return elf_memory((char *)file->data, file->size);
}

static int fetch(struct parts *parts, uint64_t offset, uint64_t len, struct hv_error *err)
{
	if (len > parts->left)
		return 0;
	parts->left -= len;
	return hv_file_fetch(parts->file, parts->fd, offset, len, err);
}

/* The tables of segments and sections. */
static int fetch_headers(struct parts *parts, struct hv_error *err)
{
	Elf *elf = begin(parts->file);
	GElf_Ehdr header;
	int error = 0;

	if (gelf_getehdr(elf, &header)) {
		error = fetch(parts, header.e_phoff, (uint64_t)header.e_phnum * header.e_phentsize,
			      err);
		if (!error)
			error = fetch(parts, header.e_shoff,
				      (header.e_shnum + 1ULL) * header.e_shentsize, err);
	}
	elf_end(elf);
	return error;
}

static int fetch_notes(struct parts *parts, Elf *elf, struct hv_error *err)
{
	size_t count = 0, notes = 0;
	GElf_Phdr ph;
	int error = 0;

	if (elf_getphdrnum(elf, &count))
		return 0;
	for (size_t i = 0; i < count && !error && gelf_getphdr(elf, i, &ph); i++)
		if (ph.p_type == PT_NOTE && ph.p_filesz <= HV_ELF_NOTES_MAX &&
		    notes++ < HV_ELF_NOTE_SEGMENTS_MAX)
			error = fetch(parts, ph.p_offset, ph.p_filesz, err);
	return error;
}

static int fetch_symbols(struct parts *parts, Elf *elf, struct hv_error *err)
{
	Elf_Scn *section = NULL;
	size_t tables = 0;
	GElf_Shdr sh;
	int error = 0;

	while (!error && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) &&
		    (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_STRTAB) && tables++ < TABLES_MAX)
			error = fetch(parts, sh.sh_offset, sh.sh_size, err);
	return error;
}

int hv_elf_fetch(struct hv_file *file, int fd, struct hv_error *err)
{
	struct parts parts = { file, fd, BYTES_MAX };
	int error = fetch_headers(&parts, err);
	Elf *elf;

	if (error)
		return error;
	elf = begin(file);
	error = fetch_notes(&parts, elf, err);
	if (!error)
		error = fetch_symbols(&parts, elf, err);
	elf_end(elf);
	return error;
}
