// SPDX-License-Identifier: GPL-2.0-only
/*
 * NimbOS: the kernel is a flat image at 2 MiB; a stub at 0x8000 starts in real mode, goes
 * to flat 32-bit protected mode and jumps there, as a multiboot loader would.
 */
#include <errno.h>
#include <string.h>

#include "elf.h"
#include "multiboot.h"
#include "nimbos_stub.h"
#include "protocol.h"

#define KERNEL_GPA HV_NIMBOS_KERNEL_GPA
#define RAM_MIN (16 * HV_MIB)
#define SEGMENT_SIZE 0x10000

/* The stub cannot include C headers. */
_Static_assert(HV_NIMBOS_ESP == HV_BOOT_STACK_REAL, "stack");
_Static_assert(HV_NIMBOS_EAX == HV_MULTIBOOT_EAX, "magic");
_Static_assert(HV_NIMBOS_EBX == HV_BOOT_INFO, "information");

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	*image = (struct hv_image){
		.kind = "NimbOS kernel",
		.mode = HV_MODE_REAL,
		.entry = HV_NIMBOS_STUB_GPA,
		.file_size = file->size,
		.count = 1,
		.segment[0] = {
			.gpa = KERNEL_GPA,
			.mem_size = file->size,
			.file_size = file->size,
		},
	};
	if (hv_is_elf(file))
		return hv_fail(
			err, ENOEXEC,
			"is an ELF file, and --boot nimbos wants a flat image; give the .bin made by objcopy -O binary");
	if (options->load != HV_UNSET || options->entry != HV_UNSET ||
	    options->mode != HV_MODE_DEFAULT)
		return hv_fail(
			err, EINVAL,
			"is put at 0x%x by --boot nimbos; leave out --load, --entry and --mode",
			KERNEL_GPA);
	return 0;
}

static uint64_t stub_gpa(const struct hv_payload *payload)
{
	const struct hv_payload_config *config = payload->config;

	return config->bios && config->bios_gpa != HV_UNSET ? config->bios_gpa : HV_NIMBOS_STUB_GPA;
}

/* Real mode with all segments 0 reaches 64 KiB, and the stub's stack lies below 0x7000. */
static int check_stub(struct hv_payload *payload, struct hv_error *err)
{
	uint64_t gpa = stub_gpa(payload);

	if (gpa >= HV_BOOT_STACK_REAL && gpa < SEGMENT_SIZE &&
	    payload->stub.size <= SEGMENT_SIZE - gpa)
		return 0;
	payload->subject = payload->config->bios;
	return hv_fail(
		err, EINVAL, "0x%zx bytes at 0x%llx are not within 0x%x-0x%x; use another @GPA",
		payload->stub.size, (unsigned long long)gpa, HV_BOOT_STACK_REAL, SEGMENT_SIZE - 1);
}

static int place(struct hv_payload *payload, const struct hv_memory *memory, struct hv_error *err)
{
	int error = check_stub(payload, err);

	if (error)
		return error;
	/* The kernel is far above: the information lies where the stub expects it. */
	if (memory->size >= RAM_MIN)
		return hv_multiboot_place(payload, memory, err);
	payload->subject = "--mem";
	return hv_fail(err, ENOSPC, "--boot nimbos needs 16 MiB of RAM or more; use --mem 16M");
}

static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	size_t size = hv_nimbos_stub_end - hv_nimbos_stub;
	const uint8_t *stub = hv_nimbos_stub;
	uint64_t gpa = stub_gpa(payload);

	(void)env;
	if (payload->stub.data) {
		stub = payload->stub.data;
		size = payload->stub.size;
	}
	hv_multiboot_write_info(payload, memory);
	hv_image_put(memory, gpa, stub, size);
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.rip = gpa;
}

/* Its image has a multiboot header too, and is booted by that unless asked otherwise. */
const struct hv_protocol hv_protocol_nimbos = {
	.name = "nimbos",
	.load = load,
	.place = place,
	.start = start,
	.advice = "is it linked for 0x200000, and entered there in 32-bit protected mode? It starts without an IDT; see -v",
	.module_args = true,
	.takes_bios = true,
	.pc = true,
};
