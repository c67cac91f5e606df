/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loader recognises this kernel by: a multiboot header, and an ELF note with a PVH entry. */

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_FLAGS	0x3		/* modules at pages, memory information */
#define NOTE_PHYS32_ENTRY 18

	.section .start, "ax"
	.balign	4
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_FLAGS
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.section .pvh, "a", @note
	.balign	4
	.long	4, 4, NOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	_start
	.section .note.GNU-stack, "", @progbits
