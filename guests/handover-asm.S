/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loader recognises this kernel by: multiboot headers, and an ELF note with a PVH entry. */

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_FLAGS	0x3		/* modules at pages, memory information */
#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_ARCHITECTURE 0	/* i386, protected mode */
#define MULTIBOOT2_LENGTH (multiboot2_end - multiboot2)
#define TAG_END		0
#define TAG_MODULE_ALIGN 6
#define TAG_SIZE	8
#define NOTE_PHYS32_ENTRY 18

	.section .start, "ax"
	.balign	4
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_FLAGS
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.balign	8
multiboot2:
	.long	MULTIBOOT2_MAGIC
	.long	MULTIBOOT2_ARCHITECTURE
	.long	MULTIBOOT2_LENGTH
	.long	-(MULTIBOOT2_MAGIC + MULTIBOOT2_ARCHITECTURE + MULTIBOOT2_LENGTH)
	.short	TAG_MODULE_ALIGN, 0
	.long	TAG_SIZE
	.short	TAG_END, 0
	.long	TAG_SIZE
multiboot2_end:

	.section .pvh, "a", @note
	.balign	4
	.long	4, 4, NOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	_start
	.section .note.GNU-stack, "", @progbits
