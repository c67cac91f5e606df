/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module without VT-x: the same functions as lib/tvx.h, and a test in the guest's place.
 *
 * Linked instead of lib/tvx.c into each test that uses something from here.
 */
#ifndef HV_TESTS_FAKE_TVX_H
#define HV_TESTS_FAKE_TVX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "lib/tvx.h"

#define FAKE_MAX_VCPUS   8
#define FAKE_MSRS        64
#define FAKE_XSAVE_BYTES 576
#define FAKE_EVENTFDS    64	/* each way */

struct fake_vcpu {
	int fd;				/* 0: there is none */
	unsigned int id;
	struct tinyvmx_run *run;
	unsigned int made;		/* so often; twice: it was reset */
	atomic_uint runs;		/* RUNs that came in */
	atomic_bool inside;		/* RUN is under way */
	uint32_t request;		/* of the run page, when the last RUN came in */
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	struct tinyvmx_events events;
	struct tinyvmx_debug debug;
	struct tinyvmx_lapic lapic;
	struct tinyvmx_msr msr[FAKE_MSRS];
	unsigned int msrs;
	uint64_t xcr0;
	uint8_t xsave[FAKE_XSAVE_BYTES];
	struct tinyvmx_inject injected;
	unsigned int injections;
	struct tinyvmx_set_debug set_debug;
	struct tinyvmx_exits exits;
	struct tinyvmx_record *ring;	/* NULL: none, or @records of them */
	uint32_t records;
	bool recording;
	uint64_t sequence;		/* of the last one */
};

/* What TINYVMX_IOEVENTFD and TINYVMX_IRQFD have assigned; fd -1: nothing. */
struct fake_ioeventfd {
	int fd;
	uint32_t flags;
	uint16_t port;
	uint16_t width;
	uint32_t data;
};

struct fake_irqfd {
	int fd;
	uint64_t address;
	uint32_t data;
};

/* What the guest does with one RUN: returns as tvx_run() does, with the run page filled. */
typedef int (*fake_guest_fn)(struct fake_vcpu *vcpu);

#define FAKE_SLOTS 64

struct fake_slot {
	uint64_t gpa, len;
	uint8_t *hva;
	uint32_t flags;
};

struct fake {
	fake_guest_fn guest;
	void (*creates_vcpu)(unsigned int id);	/* before one is made; may be NULL */
	struct fake_vcpu vcpu[FAKE_MAX_VCPUS];
	/* Errors to give instead of doing it: 0 or -errno */
	int open_error, kvm_error, create_vm_error, create_vcpu_error, set_memory_error,
		get_state_error, set_state_error, inject_error, get_vmcs_error, ioeventfd_error,
		irqfd_error, record_error, set_debug_error;
	uint32_t abi_version;
	uint64_t capabilities;
	uint32_t vm_flags;
	uint64_t host_tsc, host_step;
	uint8_t *ram;			/* from address 0 on */
	struct fake_slot slots[FAKE_SLOTS];
	/* What the guest has done to a page, 'r' or 'w', or 0; NULL: nobody knows. */
	char (*use)(uint64_t page, bool forget);
	atomic_uint msis;
	uint64_t msi_address;
	uint32_t msi_data;
	atomic_uint msis_of[256];	/* by vector */
	struct fake_ioeventfd ioeventfd[FAKE_EVENTFDS];
	struct fake_irqfd irqfd[FAKE_EVENTFDS];
	const struct tinyvmx_vmcs_field *vmcs;	/* of all vCPUs */
	uint32_t vmcs_fields;
};

extern struct fake fake;

/* As if just loaded, with this guest. */
void fake_reset(fake_guest_fn guest);

/*
 * Eventfds, any thread; one is known by its fd here, so a duplicate is another one.
 *
 * fake_kick() - a guest's OUT that may be for an eventfd: whether it was; then it is signalled
 * fake_take_signals() - what the module does while an eventfd is signalled: those that are
 *	assigned are read, and each that has counted is a message: how many
 * fake_ioeventfd(), fake_irqfd() - what is assigned to a port, to an fd: false: nothing
 */
bool fake_kick(uint16_t port, uint16_t width, uint32_t data);
unsigned int fake_take_signals(void);
bool fake_ioeventfd(uint16_t port, struct fake_ioeventfd *found);
bool fake_irqfd(int fd, struct fake_irqfd *found);

/* For guests: an exit by a port, ... */
int fake_out(struct fake_vcpu *vcpu, uint16_t port, unsigned int width, uint32_t value);
int fake_in(struct fake_vcpu *vcpu, uint16_t port, unsigned int width);
/* ... one of another kind (TINYVMX_EXIT_*), ... */
int fake_exit(struct fake_vcpu *vcpu, uint32_t reason);
/* ... one that RUN does not tell, which is recorded if anybody wants that; without @sequence ... */
void fake_record(struct fake_vcpu *vcpu, const struct tinyvmx_record *record);
/* ... or running on until somebody kicks it, for at most a minute. */
int fake_compute(struct fake_vcpu *vcpu);

#endif
