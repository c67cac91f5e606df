// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flat firmware, such as SeaBIOS: a ROM that ends at 4 GiB, its last 256 KiB once more in
 * RAM at the end of the first MiB, as chipsets shadow it; entered at the reset vector. What
 * it is to know, and a kernel that it is to start, it finds in fw_cfg.
 */
#include <errno.h>
#include <string.h>

#include "firmware/layout.h"
#include "fw_kernel.h"
#include "protocol.h"

/* Chipsets shadow 128 KiB at first; SeaBIOS gets the rest only where it knows the chipset. */
#define SHADOW_MAX (256 * HV_KIB)
#define RESET_CS_BASE 0xffff0000
#define RESET_CS 0xf000
#define RESET_IP 0xfff0
#define PAGE 0x1000

static int load(struct hv_image *image, const struct hv_file *file,
		const struct hv_load_options *options, struct hv_error *err)
{
	uint64_t shadow = file->size < SHADOW_MAX ? file->size : SHADOW_MAX;

	*image = (struct hv_image){ 0 };
	if (options->load != HV_UNSET || options->entry != HV_UNSET ||
	    options->mode != HV_MODE_DEFAULT)
		return hv_fail(
			err, EINVAL,
			"is firmware, which is entered at the reset vector; leave out --load, --entry and --mode");
	if (file->size % PAGE || file->size > HV_ROM_MAX)
		return hv_fail(
			err, ENOEXEC,
			"is no flat firmware of up to 16 MiB in steps of 4 KiB (it has %zu bytes); pad it in front",
			file->size);
	*image = (struct hv_image){
		.kind = "firmware",
		.mode = HV_MODE_REAL,
		.entry = RESET_CS_BASE + RESET_IP,
		.file_size = file->size,
		.rom_size = file->size,
		.count = 2,
		.segment = {
			{
				.gpa = HV_GAP_END - file->size,
				.mem_size = file->size,
				.file_size = file->size,
			}, {
				.gpa = HV_LAYOUT_HIGH - shadow,
				.mem_size = shadow,
				.file_offset = file->size - shadow,
				.file_size = shadow,
			},
		},
	};
	return 0;
}

/* SDM, "Processor State After Reset". */
static void start(const struct hv_payload *payload, const struct hv_memory *memory,
		  const struct hv_boot_env *env, struct hv_boot *boot)
{
	struct tinyvmx_segment *cs = &boot->sregs.seg[TINYVMX_CS];

	(void)payload;
	(void)memory;
	memset(boot->regs.gpr, 0, sizeof(boot->regs.gpr));
	boot->regs.gpr[TINYVMX_RDX] = env->signature;
	cs->base = RESET_CS_BASE;
	cs->selector = RESET_CS;
	boot->regs.rip = RESET_IP;
	boot->firmware = true;
}

const struct hv_protocol hv_protocol_firmware = {
	.name = "firmware",
	.load = load,
	.place = hv_fw_kernel_plan,
	.start = start,
	.advice = "is it firmware for a PC, with its reset vector 16 bytes before its end? With -v, what it writes to port 0x402 is seen",
	.pc = true,
};
