// SPDX-License-Identifier: GPL-2.0-only
/* A VM of /dev/tinyvmx and its RAM. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/tvx.h"
#include "vm.h"

static int explain_open(int error, struct hv_error *err)
{
	switch (error) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return hv_fail(
			err, -error,
			"is not there; load the module (insmod tinyvmx.ko, or modprobe tinyvmx), or ask 'hvctl doctor' why not");
	case -EACCES:
	case -EPERM:
		return hv_fail(
			err, -error,
			"no permission to open it; run hvctl as root, or let root give you access to it (chgrp, chmod)");
	}
	return hv_fail(err, -error, "cannot be opened: %s; ask 'hvctl doctor'", strerror(-error));
}

int hv_vm_open(struct hv_vm *vm, struct hv_error *err)
{
	int error;

	*vm = (struct hv_vm){ .device = -1, .fd = -1 };
	vm->device = tvx_open();
	if (vm->device < 0)
		return explain_open(vm->device, err);
	error = tvx_get_info(vm->device, &vm->info);
	if (error)
		return hv_fail(err, -error,
			       "does not answer GET_INFO (%s); is it the tinyvmx module's?",
			       strerror(-error));
	if (vm->info.abi_version != TINYVMX_ABI_VERSION)
		return hv_fail(
			err, EPROTO,
			"speaks ABI version %u, hvctl %u; build and load both from one source",
			vm->info.abi_version, TINYVMX_ABI_VERSION);
	return 0;
}

int hv_vm_create(struct hv_vm *vm, uint32_t flags, struct hv_error *err)
{
	int fd = tvx_create_vm_beside_kvm(vm->device, vm->info.capabilities, flags, &vm->shared);

	if (fd == -EBUSY)
		return hv_fail(
			err, EBUSY,
			"another hypervisor holds VMX; let this user open /dev/kvm, so that KVM can share it (sudo usermod -aG kvm $USER), or unload it (sudo modprobe -r kvm_intel); see 'hvctl doctor'");
	if (fd == -EOPNOTSUPP)
		return hv_fail(
			err, EOPNOTSUPP,
			"the module gives no local APIC: the host's TSC is unreliable (see 'dmesg | tail'), or hvctl and module are not of one source; use --machine bare");
	if (fd == -ENOSPC)
		return hv_fail(
			err, ENOSPC,
			"this user has as many VMs as he may; end one, or raise /sys/module/tinyvmx/parameters/user_vms");
	if (fd < 0)
		return hv_fail(err, -fd, "cannot create a VM: %s; see 'dmesg | tail'",
			       strerror(-fd));
	vm->fd = fd;
	return 0;
}

static int map_range(struct hv_vm *vm, unsigned int slot, uint32_t flags,
		     const struct hv_ram_range *range, struct hv_error *err)
{
	int error = tvx_set_memory(vm->fd, slot, flags, range->gpa, range->len, range->hva);

	if (!error)
		return 0;
	return hv_fail(err, -error, "refuses %llu KiB of memory at 0x%llx: %s; use a smaller --mem",
		       (unsigned long long)(range->len / HV_KIB), (unsigned long long)range->gpa,
		       strerror(-error));
}

int hv_vm_map(struct hv_vm *vm, const struct hv_memory *memory, struct hv_error *err)
{
	int error = 0;

	for (unsigned int i = 0; i < memory->count && !error; i++)
		error = map_range(vm, i, 0, &memory->range[i], err);
	for (unsigned int i = 0; i < memory->roms && !error; i++)
		error = map_range(vm, memory->count + i, TINYVMX_MEMORY_READONLY, &memory->rom[i],
				  err);
	return error;
}

/* -------------------------------------------------------- hidden pages */

#define PAGE 4096ULL

/* A range of RAM, piece by piece. */
struct division {
	const struct hv_vm *vm;
	const struct hv_ram_range *range;
	bool begun;			/* the range's own slot has its first piece, */
	unsigned int slot;		/* which is this; */
	unsigned int next;		/* of the next other piece */
};

/* The piece of the range from @from to @to. */
static int map_piece(struct division *division, uint64_t from, uint64_t to, uint32_t flags)
{
	const struct hv_ram_range *range = division->range;
	unsigned int slot;

	if (from == to)
		return 0;
	slot = division->begun ? division->next++ : division->slot;
	division->begun = true;
	return tvx_set_memory(division->vm->fd, slot, flags, from, to - from,
			      range->hva + (from - range->gpa));
}

static int map_divided(struct division *division, const uint64_t *page, unsigned int count)
{
	const struct hv_ram_range *range = division->range;
	uint64_t from = range->gpa;
	int error = 0;

	for (unsigned int i = 0; i < count && !error; i++) {
		if (!hv_ram_range_has(range, page[i], PAGE))
			continue;
		error = map_piece(division, from, page[i], 0);
		from = page[i] + PAGE;
		if (!error)
			error = map_piece(division, page[i], from, TINYVMX_MEMORY_EXECUTE_ONLY);
	}
	return error ? error : map_piece(division, from, range->gpa + range->len, 0);
}

static unsigned int ranges_of(const struct hv_memory *memory, const uint64_t *page,
			      unsigned int count)
{
	unsigned int ranges = 0;

	for (unsigned int n = 0; n < memory->count; n++)
		for (unsigned int i = 0; i < count; i++)
			if (hv_ram_range_has(&memory->range[n], page[i], PAGE))
				ranges |= 1U << n;
	return ranges;
}

static int delete_slot(const struct hv_vm *vm, unsigned int slot)
{
	return tvx_set_memory(vm->fd, slot, 0, 0, 0, NULL);
}

int hv_vm_hide(struct hv_vm *vm, const struct hv_memory *memory, const uint64_t *page,
	       unsigned int count)
{
	unsigned int split = ranges_of(memory, page, count), whole = memory->count + memory->roms;
	struct division division = { .vm = vm, .next = whole };
	int error = 0;

	while (vm->pieces && !error)
		error = delete_slot(vm, whole + --vm->pieces);
	for (unsigned int n = 0; n < memory->count && !error; n++) {
		if (!((vm->split | split) >> n & 1))
			continue;
		division.range = &memory->range[n];
		division.slot = n;
		division.begun = false;
		error = delete_slot(vm, n);
		if (!error)
			error = map_divided(&division, page, count);
	}
	vm->pieces = division.next - whole;
	vm->split = split;
	return error;
}

void hv_vm_destroy(struct hv_vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->device >= 0)
		close(vm->device);
	vm->fd = vm->device = -1;
}
