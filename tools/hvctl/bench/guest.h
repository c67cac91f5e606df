/* SPDX-License-Identifier: GPL-2.0-only */
/* What the bench's guest code and its host side agree on: addresses, ports, vectors. */
#ifndef HV_BENCH_GUEST_H
#define HV_BENCH_GUEST_H

/* Guest-physical memory, mapped one to one. */
#define GUEST_PT		0x1000		/* PML4, PDPT, four page directories */
#define GUEST_GDT		0x8000
#define GUEST_IDT		0x9000
#define GUEST_TSS		0xa000
#define GUEST_RESULT		0xb000		/* ticks of the loop, less an empty one */
#define GUEST_SHARED		0xb040		/* what the vCPUs have taken */
#define GUEST_READY		0xb048		/* how many of the others are there */
#define GUEST_OTHERS		0xb050		/* how many there will be */
#define GUEST_BUFFER		0xc000		/* 4 KiB for OUTS */
#define GUEST_STACK_TOP		0x20000		/* of vCPU 0; below those of the others */
#define GUEST_STACK_BYTES	0x10000
#define GUEST_CODE		0x100000
#define GUEST_LOW_BYTES		0x200000	/* slot 0 */
#define GUEST_HIGH		0x4000000	/* slot 1: for EPT violations */
#define GUEST_HIGH_BYTES	0x7e00000	/* 128 MiB in all */
#define GUEST_TOUCHED_BYTES	0x4000000	/* of them */
#define GUEST_MMIO		0xd0000000	/* no memory there */
#define GUEST_MMIO_EVENT	0xd0001000	/* writes signal an eventfd, in KVM */
#define GUEST_REMAPPED		0x40000000	/* mapped to 0, now and then anew */

#define GUEST_CS		0x08
#define GUEST_DS		0x10
#define GUEST_TR		0x18

/* OUT to these: the case is over; an exception that should not be. */
#define GUEST_PORT_DONE		0x7e0
#define GUEST_PORT_TRAP		0x7e1
#define GUEST_PORT_DEVICE	0x7f0		/* a port with something behind it */
#define GUEST_PORT_EVENT	0x7f4		/* writes signal an eventfd */

#define GUEST_VECTOR_PLAIN	0x41		/* the handler only returns */
#define GUEST_VECTOR_EOI	0x42		/* x2APIC EOI first */
#define GUEST_VECTOR_COUNT	0x43		/* counts in GUEST_SHARED, then EOI */
#define GUEST_VECTOR_BACK	0x44		/* GUEST_VECTOR_COUNT to vCPU 0, EOI */
#define GUEST_VECTOR_ACK	0x45		/* counts as others do, too; then EOI */
#define GUEST_VECTOR_FLUSH	0x46		/* INVLPG of GUEST_REMAPPED, then the same */

#endif
