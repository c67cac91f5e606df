// SPDX-License-Identifier: GPL-2.0-only
/* Names for addresses: looked up for people, a few at a time; so nothing is sorted or kept. */
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "symbols.h"

/* In a System.map nothing tells where the code ends. */
#define FAR 0x100000

struct symbol {
	uint64_t value;
	const char *name;
	size_t len;			/* of the name */
};

static void consider(struct symbol *best, const struct symbol *symbol, uint64_t address)
{
	if (symbol->value <= address && symbol->len && (!best->name || symbol->value > best->value))
		*best = *symbol;
}

/* Whoever has made the file has chosen each byte of the name, and a terminal will get it. */
static bool tell(const struct symbol *best, uint64_t address, char *text, size_t len)
{
	size_t shown = best->len < len ? best->len : len;

	if (!best->name)
		return false;
	snprintf(text, len, "%.*s+0x%llx", (int)shown, best->name,
		 (unsigned long long)(address - best->value));
	hv_text_clean(text, len, text, strlen(text));
	return true;
}

/* --------------------------------------------------------------------- ELF */

/* Is it in a section of code? Then @index is that section's. */
static bool find_code(Elf *elf, uint64_t address, size_t *index)
{
	Elf_Scn *section = NULL;
	GElf_Shdr sh;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_flags & SHF_EXECINSTR &&
		    sh.sh_flags & SHF_ALLOC && address - sh.sh_addr < sh.sh_size) {
			*index = elf_ndxscn(section);
			return true;
		}
	return false;
}

static uint64_t to_virtual(Elf *elf, uint64_t address)
{
	size_t count;
	GElf_Phdr ph;

	if (elf_getphdrnum(elf, &count))
		return address;
	for (size_t i = 0; i < count && gelf_getphdr(elf, i, &ph); i++)
		if (ph.p_type == PT_LOAD && address - ph.p_paddr < ph.p_memsz)
			return address - ph.p_paddr + ph.p_vaddr;
	return address;
}

/* The best one so far; its name is looked up when it is the last: names may be long. */
struct elf_symbol {
	uint64_t value;
	size_t strings, name;		/* section, and offset in it; 0: there is none yet */
};

static void search_table(Elf_Scn *section, const GElf_Shdr *sh, size_t code, uint64_t address,
			 struct elf_symbol *best)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; i < count && gelf_getsym(data, i, &sym); i++) {
		unsigned int type = GELF_ST_TYPE(sym.st_info);

		if (sym.st_shndx == code && sym.st_name && sym.st_value <= address &&
		    (type == STT_FUNC || type == STT_NOTYPE) &&
		    (!best->name || sym.st_value > best->value))
			*best = (struct elf_symbol){ sym.st_value, sh->sh_link, sym.st_name };
	}
}

static bool search_elf(Elf *elf, uint64_t address, char *text, size_t len)
{
	struct elf_symbol best = { 0 };
	Elf_Scn *section = NULL;
	const char *name;
	GElf_Shdr sh;
	size_t code;

	if (!find_code(elf, address, &code)) {
		address = to_virtual(elf, address);
		if (!find_code(elf, address, &code))
			return false;
	}
	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_SYMTAB)
			search_table(section, &sh, code, address, &best);
	name = best.name ? elf_strptr(elf, best.strings, best.name) : NULL;
	return name &&
	       tell(&(struct symbol){ best.value, name, strnlen(name, len) }, address, text, len);
}

bool hv_symbols_in_elf(const struct hv_file *file, uint64_t address, char *text, size_t len)
{
	bool found;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = file->size ? elf_memory((char *)file->data, file->size) : NULL;
	found = elf_kind(elf) == ELF_K_ELF && search_elf(elf, address, text, len);
	elf_end(elf);
	return found;
}

/* -------------------------------------------------------------- System.map */

/* "ffffffff81000000 T _stext": the value, or false if it is no line of code. */
static bool parse_line(const char *line, size_t len, uint64_t *value, size_t *name)
{
	char digits[17] = "", *end;

	/* A copy: the file has no NUL at its end. */
	memcpy(digits, line, len < 16 ? len : 16);
	*value = strtoull(digits, &end, 16);
	*name = end - digits + 3;
	return end != digits && *name < len && line[*name - 3] == ' ' && line[*name - 1] == ' ' &&
	       strchr("tTwW", line[*name - 2]);
}

/* The next line of code from *@line on, which moves behind it. False: there are no more. */
static bool next_symbol(const struct hv_file *file, const char **line, struct symbol *symbol)
{
	const char *end = (const char *)file->data + file->size;

	while (*line && *line < end) {
		const char *begin = *line, *next = memchr(begin, '\n', end - begin);
		size_t size = (next ? next : end) - begin, name;

		*line = next ? next + 1 : NULL;
		if (!parse_line(begin, size, &symbol->value, &name))
			continue;
		symbol->name = begin + name;
		symbol->len = size - name;
		return true;
	}
	return false;
}

bool hv_symbols_in_map(const struct hv_file *file, uint64_t address, char *text, size_t len)
{
	const char *line = (const char *)file->data;
	struct symbol best = { 0 }, symbol;

	while (next_symbol(file, &line, &symbol))
		if (address - symbol.value < FAR)
			consider(&best, &symbol, address);
	return tell(&best, address, text, len);
}

bool hv_symbols_is_map(const struct hv_file *file)
{
	const char *line = (const char *)file->data;
	struct symbol symbol;

	return next_symbol(file, &line, &symbol);
}
