// SPDX-License-Identifier: GPL-2.0-only
/* Run a case: its rounds, and the median and spread of them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "blobs.h"
#include "cases.h"

/* The first rounds fill the EPT and the host's caches. */
#define WARM_UP 2	/* where there is more than one */
#define MAX_ROUNDS 64

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void evaluate(const struct hv_bench_case *c, uint64_t ticks[],
		     struct hv_bench_number *number)
{
	double per_operation = c->iterations;

	qsort(ticks, c->rounds, sizeof(*ticks), compare);
	number->ticks = ticks[c->rounds / 2] / per_operation;
	if (c->flags & HV_BENCH_BEYOND)
		number->ticks -= c->argument;
	number->spread = (ticks[c->rounds * 3 / 4] - ticks[c->rounds / 4]) / per_operation;
	number->valid = true;
}

static int run_rounds(const struct hv_bench_case *c, struct hv_bench_vm *vm, uint64_t ticks[],
		      struct hv_error *err)
{
	bool kvm = vm->backend == &hv_bench_kvm;
	const char *guest = kvm && c->kvm_guest ? c->kvm_guest : c->guest;
	int error = 0;

	if (c->other)
		error = hv_bench_others_start(vm, c->other, c->others, err);
	for (unsigned int i = 0; i < c->rounds + WARM_UP && !error; i++) {
		error = hv_bench_set_high(vm, c->high, err);
		if (!error)
			error = hv_bench_run(vm, guest, c->iterations, c->argument,
					     &ticks[i < WARM_UP ? 0 : i - WARM_UP], err);
	}
	return error;
}

static int run_guest(const struct hv_bench_case *c, const struct hv_bench_backend *backend,
		     uint64_t ticks[], struct hv_error *err)
{
	struct hv_bench_vm vm;
	int error;

	error = hv_bench_vm_init(&vm, backend, c->flags & HV_BENCH_LAPIC, err);
	if (!error && (c->flags & HV_BENCH_EVENT))
		error = hv_bench_vm_event(&vm, err);
	if (!error)
		error = run_rounds(c, &vm, ticks, err);
	hv_bench_vm_exit(&vm);
	return error;
}

static int run_host(const struct hv_bench_case *c, const struct hv_bench_backend *backend,
		    uint64_t ticks[], struct hv_error *err)
{
	unsigned int warm_up = c->rounds > 1 ? WARM_UP : 0;
	int error = 0;

	for (unsigned int i = 0; i < c->rounds + warm_up && !error; i++)
		error = c->host(backend, &ticks[i < warm_up ? 0 : i - warm_up], err);
	return error;
}

int hv_bench_measure(const struct hv_bench_case *c, const struct hv_bench_backend *backend,
		     struct hv_bench_number *number, struct hv_error *err)
{
	uint64_t ticks[MAX_ROUNDS];
	int error;

	/* vCPUs that have to wait for a CPU would measure the scheduler's time slice. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 1 + (long)c->others)
		return hv_fail(err, ENODEV, "needs %u CPUs, one for each vCPU", 1 + c->others);
	error = c->host ? run_host(c, backend, ticks, err) : run_guest(c, backend, ticks, err);
	if (!error)
		evaluate(c, ticks, number);
	return error;
}

/* ------------------------------------------------------------- the host's side */

int hv_bench_host_vm(const struct hv_bench_backend *backend, uint64_t *ticks, struct hv_error *err)
{
	struct hv_bench_vm vm = { .backend = backend };
	int device = backend->open(), error;
	uint64_t begin;

	if (device < 0)
		return hv_fail(err, -device, "%s: opening the device: %s", backend->name,
			       strerror(-device));
	vm.device = device;
	begin = hv_bench_tsc();
	error = backend->vm_create(&vm);
	if (!error)
		close(vm.fd);
	*ticks = hv_bench_tsc() - begin;
	close(device);
	return error ? hv_fail(err, -error, "%s: creating a VM: %s", backend->name,
			       strerror(-error)) :
		       0;
}

int hv_bench_host_syscall(const struct hv_bench_backend *backend, uint64_t *ticks,
			  struct hv_error *err)
{
	uint64_t begin = hv_bench_tsc();

	(void)backend;
	(void)err;
	getppid();
	*ticks = hv_bench_tsc() - begin;
	return 0;
}

/* Asked to come back at once: system call, load, checks, put. */
int hv_bench_host_run(const struct hv_bench_backend *backend, uint64_t *ticks, struct hv_error *err)
{
	struct hv_bench_vm vm;
	struct hv_bench_exit exit;
	int error = hv_bench_vm_init(&vm, backend, false, err);

	*ticks = 0;
	if (!error)
		backend->request_exit(&vm.vcpu[0]);
	/* The second one finds everything in place. */
	for (unsigned int i = 0; i < 2 && !error; i++) {
		uint64_t begin = hv_bench_tsc();

		backend->run(&vm.vcpu[0], &exit);
		*ticks = hv_bench_tsc() - begin;
	}
	hv_bench_vm_exit(&vm);
	return error;
}

int hv_bench_host_vcpu(const struct hv_bench_backend *backend, uint64_t *ticks,
		       struct hv_error *err)
{
	struct hv_bench_vm vm;
	int error = hv_bench_vm_init(&vm, backend, false, err);
	struct hv_bench_vcpu *vcpu = &vm.vcpu[1];
	uint64_t begin = hv_bench_tsc();

	if (!error) {
		*vcpu = (struct hv_bench_vcpu){ .vm = &vm, .id = 1, .fd = -1 };
		error = backend->vcpu_create(vcpu);
		if (error)
			hv_fail(err, -error, "%s: creating a vCPU: %s", backend->name,
				strerror(-error));
	}
	*ticks = hv_bench_tsc() - begin;
	hv_bench_vm_exit(&vm);
	return error;
}

int hv_bench_host_first_entry(const struct hv_bench_backend *backend, uint64_t *ticks,
			      struct hv_error *err)
{
	struct hv_bench_vm vm;
	uint64_t guest_ticks, begin;
	int error = hv_bench_vm_init(&vm, backend, false, err);

	begin = hv_bench_tsc();
	if (!error)
		error = hv_bench_run(&vm, hv_bench_guest_wbinvd, 1, 0, &guest_ticks, err);
	*ticks = hv_bench_tsc() - begin;
	hv_bench_vm_exit(&vm);
	return error;
}
