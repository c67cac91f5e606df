// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the control channel for who saves a guest's memory: "hold" and "copy". */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "control.h"
#include "firmware/fw_files.h"
#include "lib/args.h"
#include "lib/util.h"
#include "machine_pc.h"

#define PAGE 4096

/* -------------------------------------------------------------------- hold */

void hv_control_end_hold(struct hv_control_client *client)
{
	struct hv_control *control = client->control;

	if (control->holder != client)
		return;
	control->holder = NULL;
	if (control->machine && control->goes_on && !hv_machine_has_ended(control->machine))
		hv_control_let_go(control);
	control->goes_on = false;
}

static json_t *range_json(const struct hv_ram_range *range)
{
	return json_pack("{s:o, s:I}", "address",
			 json_sprintf("0x%llx", (unsigned long long)range->gpa), "bytes",
			 (json_int_t)range->len);
}

static json_t *memory_json(const struct hv_memory *memory)
{
	json_t *ranges = json_array();

	for (unsigned int i = 0; i < memory->count; i++)
		json_array_append_new(ranges, range_json(&memory->range[i]));
	for (unsigned int i = 0; i < memory->roms; i++)
		json_array_append_new(ranges, range_json(&memory->rom[i]));
	return ranges;
}

/* Where a guest of a PC says that its VMCOREINFO is; NULL: nowhere. */
static json_t *vmcoreinfo_json(const struct hv_machine *machine)
{
	uint64_t gpa;
	uint32_t bytes;

	if (!machine->pc || !hv_fw_vmcoreinfo(&machine->pc->board.fw_cfg, &gpa, &bytes))
		return NULL;
	return range_json(&(struct hv_ram_range){ .gpa = gpa, .len = bytes });
}

int hv_control_hold(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err)
{
	struct hv_control *control = client->control;
	const struct hv_machine *machine = control->machine;
	bool goes_on = !control->paused;
	int error = 0;

	(void)line;
	if (control->debugger)
		return hv_fail(err, EBUSY, "a debugger has it; detach that first");
	if (control->holder && control->holder != client)
		return hv_fail(err, EBUSY,
			       "process %d has it stand still; wait for that, or end it",
			       control->holder->pid);
	if (!control->paused)
		error = hv_control_stand_still(control, err);
	if (error)
		return error;
	if (!control->holder)
		control->goes_on = goes_on;
	control->holder = client;
	json_object_set_new(reply, "vcpus", json_integer(machine->nr_vcpus));
	json_object_set_new(reply, "gpa_bits", json_integer(machine->vm.info.gpa_bits));
	json_object_set_new(reply, "xsave_bytes", json_integer(machine->vm.info.xsave_bytes));
	json_object_set_new(reply, "memory", memory_json(&machine->memory));
	/* Without one there is no such key. */
	(void)json_object_set_new(reply, "vmcoreinfo", vmcoreinfo_json(machine));
	return 0;
}

/* -------------------------------------------------------------------- copy */

/* Nothing of ours is swapped out: what the host has no page for then has never been touched. */
static bool is_swap_empty(void)
{
	struct sysinfo info;

	return !sysinfo(&info) && info.freeswap == info.totalswap;
}

static bool is_zero(const uint8_t *page)
{
	return !*page && !memcmp(page, page + 1, PAGE - 1);
}

/* Pages in a row, at @from: which of them are worth a place in a file? */
struct pages {
	const uint8_t *from;
	size_t count;
	bool looked;			/* ... whether they are ... */
	unsigned char there[HV_CONTROL_COPY_MAX / PAGE];
};

static bool is_empty(const struct pages *pages, size_t i)
{
	return (pages->looked && !(pages->there[i] & 1)) || is_zero(pages->from + i * PAGE);
}

static int write_all(int file, const uint8_t *from, size_t bytes, uint64_t offset)
{
	while (bytes) {
		ssize_t n = pwrite(file, from, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		from += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* All but zeroes. Bytes, or -errno. */
static ssize_t write_pages(int file, const struct pages *pages, uint64_t offset)
{
	size_t written = 0;

	for (size_t i = 0, n; i < pages->count; i += n) {
		int error;

		n = 1;
		if (is_empty(pages, i))
			continue;
		while (i + n < pages->count && !is_empty(pages, i + n))
			n++;
		error = write_all(file, pages->from + i * PAGE, n * PAGE, offset + i * PAGE);
		if (error)
			return error;
		written += n * PAGE;
	}
	return (ssize_t)written;
}

/* What is asked for; NULL: it is not to be had. */
static const void *find_memory(const struct hv_memory *memory, const json_t *line, uint64_t *bytes,
			       struct hv_error *err)
{
	const char *text = json_string_value(json_object_get(line, "address")) ?: "";
	const json_t *count = json_object_get(line, "bytes");
	json_int_t value = json_integer_value(count);
	const void *from = NULL;
	uint64_t gpa;

	if (!json_is_integer(count) || value < PAGE || value > HV_CONTROL_COPY_MAX ||
	    value % PAGE) {
		hv_fail(err, EINVAL, "\"bytes\" is no multiple of %u up to %u; mend it", PAGE,
			HV_CONTROL_COPY_MAX);
		return NULL;
	}
	*bytes = (uint64_t)value;
	if (hv_parse_size(text, 1, &gpa) && gpa % PAGE == 0)
		from = hv_memory_at(memory, gpa, *bytes);
	if (!from)
		hv_fail(err, EINVAL,
			"\"address\" is none of a page, or there is not so much memory; see \"hold\"");
	return from;
}

int hv_control_copy(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err)
{
	const json_t *offset = json_object_get(line, "offset");
	json_int_t at = json_integer_value(offset);
	struct pages pages;
	struct stat st;
	uint64_t bytes;
	ssize_t written;

	pages.from = find_memory(&client->control->machine->memory, line, &bytes, err);
	if (!pages.from)
		return -EINVAL;
	if (!json_is_integer(offset) || at < 0 || at > INT64_MAX - HV_CONTROL_COPY_MAX)
		return hv_fail(err, EINVAL, "\"offset\" is no place in a file; mend it");
	if (client->file < 0)
		return hv_fail(err, EINVAL, "no file has come with it (SCM_RIGHTS); send one");
	/* A pipe, or a terminal, might take it never. */
	if (fstat(client->file, &st) || !S_ISREG(st.st_mode))
		return hv_fail(err, EINVAL, "what has come with it is no regular file; send one");
	pages.count = bytes / PAGE;
	pages.looked = is_swap_empty() && !mincore((void *)pages.from, bytes, pages.there);
	written = write_pages(client->file, &pages, (uint64_t)at);
	if (written < 0)
		return hv_fail(err, (int)-written, "writing: %s", strerror((int)-written));
	json_object_set_new(reply, "written", json_integer(written));
	return 0;
}
