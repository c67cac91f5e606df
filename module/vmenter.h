/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch.
 */
#ifndef TVX_VMENTER_H
#define TVX_VMENTER_H

#include <linux/linkage.h>
#include <linux/types.h>

struct tvx_world;

/*
 * tvx_vmenter - run the guest until its next VM exit
 *
 * The VMCS of @world's vCPU is current; interrupts are disabled. Return: whether
 * VMLAUNCH (or, with @launched, VMRESUME) failed before entering the guest.
 */
asmlinkage bool tvx_vmenter(struct tvx_world *world, bool launched);

/* Where VM exits continue: the VMCS's HOST_RIP. Not to be called. */
asmlinkage void tvx_vmexit(void);

#endif
