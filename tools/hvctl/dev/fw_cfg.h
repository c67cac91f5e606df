/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware configuration device of QEMU's PCs, as its specification (docs/specs/fw_cfg of
 * QEMU) has it: items by number and files by name, which firmware and kernels read by port or
 * by DMA. All but one are read-only.
 */
#ifndef HV_DEV_FW_CFG_H
#define HV_DEV_FW_CFG_H

#include "dev.h"

#define HV_FW_CFG_PORT 0x510
#define HV_FW_CFG_LEN 12
#define HV_FW_CFG_NAME 56		/* with its NUL */
#define HV_FW_CFG_ITEMS 96
#define HV_FW_CFG_FILES 48
#define HV_FW_CFG_WRITABLE 16		/* bytes that a guest may overwrite */
#define HV_FW_CFG_DMA_PIECE (1u << 20)	/* bytes that one access, or one timer, copies at most */

/* Items with a number of their own. */
enum hv_fw_cfg_key {
	HV_FW_CFG_SIGNATURE = 0x00,
	HV_FW_CFG_ID = 0x01,
	HV_FW_CFG_RAM_SIZE = 0x03,
	HV_FW_CFG_NOGRAPHIC = 0x04,
	HV_FW_CFG_CPUS = 0x05,
	HV_FW_CFG_KERNEL_ADDR = 0x07,
	HV_FW_CFG_KERNEL_SIZE = 0x08,
	HV_FW_CFG_INITRD_ADDR = 0x0a,
	HV_FW_CFG_INITRD_SIZE = 0x0b,
	HV_FW_CFG_BOOT_MENU = 0x0e,
	HV_FW_CFG_MAX_CPUS = 0x0f,
	HV_FW_CFG_KERNEL_DATA = 0x11,
	HV_FW_CFG_INITRD_DATA = 0x12,
	HV_FW_CFG_CMDLINE_ADDR = 0x13,
	HV_FW_CFG_CMDLINE_SIZE = 0x14,
	HV_FW_CFG_CMDLINE_DATA = 0x15,
	HV_FW_CFG_SETUP_ADDR = 0x16,
	HV_FW_CFG_SETUP_SIZE = 0x17,
	HV_FW_CFG_SETUP_DATA = 0x18,
	HV_FW_CFG_DIRECTORY = 0x19,
	HV_FW_CFG_FIRST_FILE = 0x20,
	HV_FW_CFG_IRQ0_OVERRIDE = 0x8002,
};

struct hv_fw_cfg_config {
	struct hv_bus *bus;
	struct hv_clock *clock;
	/*
	 * Guest RAM at @gpa, @len bytes of it, which are about to be written or read; NULL unless
	 * all of them are RAM. NULL function: there is none.
	 */
	void *(*ram)(void *ctx, uint64_t gpa, uint64_t len);
	/* The guest is about to read an item: bring the bytes behind it up to date. May be NULL. */
	void (*selected)(void *ctx);
	void *ctx;
};

struct hv_fw_cfg_item {
	uint16_t key;
	uint32_t len;
	bool writable;
	const void *data;		/* NULL: in @number */
	uint8_t number[8];
};

struct hv_fw_cfg_state {
	uint8_t address[8];		/* of the next DMA request: big endian */
	uint64_t dma_request;		/* that which is being done, */
	uint64_t dma_to;		/* where its next byte goes, */
	int64_t dma_left_ns;		/* when, as hv_timer_save() says; only in a record, */
	uint32_t dma_len;		/* and how many bytes are left; 0: there is no request */
	uint32_t offset;		/* in the item, not behind its end */
	uint16_t key;
	uint16_t pad[3];
	uint8_t written[HV_FW_CFG_WRITABLE];	/* the writable file; behind its end 0 */
};

struct hv_fw_cfg {
	struct hv_fw_cfg_config config;
	struct hv_region region;
	struct hv_timer dma;
	struct hv_fw_cfg_item item[HV_FW_CFG_ITEMS];
	unsigned int items, files;
	uint32_t writable_len;
	uint8_t unwritten[HV_FW_CFG_WRITABLE];	/* what @s.written is after a reset */
	uint8_t directory[4 + 64 * HV_FW_CFG_FILES];
	const struct hv_fw_cfg_item *current;	/* that of @s.key; NULL: there is none */
	struct hv_fw_cfg_state s;
};

/* Returns 0 or -EEXIST. */
int hv_fw_cfg_init(struct hv_fw_cfg *fw_cfg, const struct hv_fw_cfg_config *config);
void hv_fw_cfg_exit(struct hv_fw_cfg *fw_cfg);
void hv_fw_cfg_reset(struct hv_fw_cfg *fw_cfg);

/*
 * Add an item before the guest starts: bytes that stay the caller's and where they are, or a
 * little-endian number of up to 8 bytes. Returns 0, -EEXIST or -ENOSPC.
 */
int hv_fw_cfg_add(struct hv_fw_cfg *fw_cfg, uint16_t key, const void *data, uint32_t len);
int hv_fw_cfg_add_number(struct hv_fw_cfg *fw_cfg, uint16_t key, uint64_t value, uint32_t len);

/* A file, which gets the next number; -EINVAL: its name is empty or too long. */
int hv_fw_cfg_add_file(struct hv_fw_cfg *fw_cfg, const char *name, const void *data, uint32_t len);

/*
 * The one file that the guest may overwrite, by DMA: @len bytes, HV_FW_CFG_WRITABLE at the most,
 * which are those of @data after each reset. What the guest has made of them is in .s.written.
 */
int hv_fw_cfg_add_writable(struct hv_fw_cfg *fw_cfg, const char *name, const void *data,
			   uint32_t len);

void hv_fw_cfg_save(const struct hv_fw_cfg *fw_cfg, struct hv_fw_cfg_state *state);
int hv_fw_cfg_check(const struct hv_fw_cfg *fw_cfg, const struct hv_fw_cfg_state *state);
int hv_fw_cfg_load(struct hv_fw_cfg *fw_cfg, const struct hv_fw_cfg_state *state);
extern const struct hv_state_kind hv_fw_cfg_kind;

#endif
