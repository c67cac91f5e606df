/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests in KVM, by its ioctls: the neighbours of ours.
 */
#ifndef SELFTESTS_KVM_H
#define SELFTESTS_KVM_H

#include <linux/kvm.h>

#include "lib.h"

/* What it leaves in the CPU of its own system call MSRs. */
#define KVM_GUEST_STAR	0x0018001000000000UL
#define KVM_GUEST_LSTAR	0xffffffff44440000UL

/**
 * struct kvm - a VM of KVM's with one vCPU, in the memory layout of guest.h
 * @vm: its fds
 * @vcpu: likewise
 * @run: KVM's run pages
 * @run_bytes: of them
 * @ram: guest-physical 0; @ram.fd is none
 */
struct kvm {
	int vm;
	int vcpu;
	struct kvm_run *run;
	size_t run_bytes;
	struct vm ram;
};

/* /dev/kvm, kvm_intel being loaded if need be: an fd, or -1. */
int kvm_open(void);
/* The fd of an empty VM, or -1 and errno; the program need not close it. */
int kvm_create_vm_fd(void);
/* Load and unload kvm_intel: whether it is so now. */
bool kvm_load(void);
bool kvm_unload(void);

/* Long mode, ring 0; @fn runs at the first KVM_RUN. skip_all() without KVM. */
struct kvm *kvm_create(void *fn);
void kvm_destroy(struct kvm *kvm);

/* KVM_RUN until an OUT: what it wrote, or below zero, with the reason as a diagnostic. */
long kvm_next(struct kvm *kvm);

/* Guests: an OUT to GUEST_PORT with the next number, for ever; count in guest_alive. */
void kvm_guest_outs(void);
void kvm_guest_spins(void);

/* A thread on @cpu that runs it until kvm_thread_stop(), whose value is false after an error. */
struct kvm_thread;
struct kvm_thread *kvm_thread_start(struct kvm *kvm, int cpu);
bool kvm_thread_stop(struct kvm_thread *thread);
/* Send it out of the guest and back; to another CPU. */
void kvm_thread_kick(struct kvm_thread *thread);
bool kvm_thread_move(struct kvm_thread *thread, int cpu);

#endif
