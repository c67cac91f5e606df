// SPDX-License-Identifier: GPL-2.0-only
/*
 * The note of an ELF core that the guest has made: its VMCOREINFO, lines about its kernel, by
 * which crash, makedumpfile and drgn find their way. All of it is the guest's word, and goes to
 * them as such; here only its form is held to.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "lib/util.h"

#define NAME "VMCOREINFO"

/* Whatever the guest writes meanwhile, this is a copy. */
struct head {
	Elf64_Nhdr header;
	char name[12];			/* with its NUL, and one more up to a multiple of 4 */
};

_Static_assert(sizeof(struct head) == 24 && sizeof(NAME) == 11, "a note's head has no holes");

/* Where in the file guest-physical memory is; 0: not all of it is there. */
static uint64_t offset_of(const struct hv_core *core, uint64_t gpa, uint64_t bytes)
{
	for (unsigned int i = 0; i < core->count; i++) {
		const struct hv_core_piece *range = &core->memory[i];

		if (gpa >= range->gpa && gpa - range->gpa < range->bytes &&
		    bytes <= range->bytes - (gpa - range->gpa))
			return range->offset + (gpa - range->gpa);
	}
	return 0;
}

/* With the size that its head names, of @bytes at the most; what pads it is zero. */
static const char *take(struct hv_core *core, const struct head *head, int fd, uint64_t offset,
			uint32_t bytes)
{
	const uint32_t desc = head->header.n_descsz;

	if (head->header.n_namesz != sizeof(NAME) || memcmp(head->name, NAME, sizeof(NAME)) ||
	    head->header.n_type)
		return "what is there is none";
	if (!desc || desc > bytes - sizeof(*head))
		return "it is empty, or larger than the guest has said";
	core->note_bytes = hv_align_up(sizeof(*head) + desc, 4);
	core->note = calloc(1, core->note_bytes);
	if (!core->note)
		return "no memory for it; close something";
	*(struct head *)core->note = *head;
	if (pread(fd, (uint8_t *)core->note + sizeof(*head), desc,
		  (off_t)(offset + sizeof(*head))) == (ssize_t)desc)
		return NULL;
	free(core->note);
	core->note = NULL;
	return "it cannot be read";
}

const char *hv_core_take_note(struct hv_core *core, int fd, uint64_t gpa, uint32_t bytes)
{
	uint64_t offset = offset_of(core, gpa, bytes);
	const char *wrong;
	struct head head;

	if (bytes < sizeof(head) || bytes > HV_CORE_NOTE_MAX)
		return "it has no size that can be";
	if (!offset)
		return "where the guest says that it is there is no memory";
	if (pread(fd, &head, sizeof(head), (off_t)offset) != (ssize_t)sizeof(head))
		return "it cannot be read";
	wrong = take(core, &head, fd, offset, bytes);
	if (wrong)
		core->note_bytes = 0;
	return wrong;
}
