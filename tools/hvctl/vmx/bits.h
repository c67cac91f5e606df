/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a field of a VMCS says, in words: its bits by the SDM's names, where it belongs, and who may
 * see it.
 */
#ifndef HV_VMX_BITS_H
#define HV_VMX_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyvmx.h"

/* In the order of the SDM's chapter on the VMCS */
enum vmx_group {
	VMX_GROUP_GUEST,
	VMX_GROUP_HOST,
	VMX_GROUP_EXECUTION,
	VMX_GROUP_EXIT,
	VMX_GROUP_ENTRY,
	VMX_GROUP_INFORMATION,
	VMX_NR_GROUPS
};

/**
 * vmx_field_group - to which group of a VMCS's data a field belongs
 * @encoding: its encoding
 */
enum vmx_group vmx_field_group(uint32_t encoding);

/* "guest-state area", "VM-execution control fields", ... */
const char *vmx_group_name(enum vmx_group group);

/**
 * vmx_field_is_host - whether a field says where the host has something
 * @encoding: its encoding
 *
 * Return: true for the host-state area and the addresses of control structures, which GET_VMCS
 * gives as 0 to callers without CAP_SYS_ADMIN.
 */
bool vmx_field_is_host(uint32_t encoding);

/**
 * vmx_dump_is_blanked - whether those fields were kept from whoever made a dump
 * @fields: the dump
 * @n: its length
 */
bool vmx_dump_is_blanked(const struct tinyvmx_vmcs_field *fields, size_t n);

/**
 * vmx_describe_field - the value of a field in words
 * @encoding: the field
 * @value: its value
 * @exit_reason: of the same VMCS, by which a qualification is read
 * @buf: gets a NUL-terminated text; empty if there is nothing to say
 * @len: size of @buf
 *
 * Return: the length of the whole text, as snprintf() does.
 */
size_t vmx_describe_field(uint32_t encoding, uint64_t value, uint32_t exit_reason, char *buf,
			  size_t len);

#endif
