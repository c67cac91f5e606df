// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU saved at any instant and restored into another VM goes on unharmed. */
#include <signal.h>
#include <time.h>

#include "lib.h"

static const u32 msrs[] = {
	0x10, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
	0xc0000101, 0xc0000102, 0x174, 0x175, 0x176, 0x277,
};

static volatile u64 result;

/* A sum that takes memory, GPRs, XMM, MSRs and interrupts' frames. */
static void computes(void)
{
	double x = 1.0;
	u64 crc = 1;

	for (u64 i = 0; i < 60000; i++) {
		crc = (crc << 7 | crc >> 57) ^ i * 0x9e3779b97f4a7c15;
		x = x * 1.0000001 + 0.5;
		if (i % 3000 == 0) {
			wrmsr(0xc0000102, i << 12);
			WRITE_REG("cr2", i);
		}
		if (i % 3000 == 2999)
			crc += rdmsr(0xc0000102) + READ_REG("cr2");
	}
	result = crc ^ (u64)x;
}

struct saved {
	struct tinyvmx_regs regs;
	struct tinyvmx_sregs sregs;
	struct tinyvmx_events events;
	struct tinyvmx_debug debug;
	struct tinyvmx_msr msrs[ARRAY_SIZE(msrs)];
	u8 xsave[8192];
};

static u64 xsave_len(void)
{
	return offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
}

static void save(struct vcpu *vcpu, struct saved *s)
{
	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		s->msrs[i] = (struct tinyvmx_msr){ .index = msrs[i] };
	must(get_state(vcpu->fd, TINYVMX_STATE_SREGS, &s->sregs, sizeof(s->sregs)));
	must(get_state(vcpu->fd, TINYVMX_STATE_REGS, &s->regs, sizeof(s->regs)));
	must(get_state(vcpu->fd, TINYVMX_STATE_MSRS, s->msrs, sizeof(s->msrs)));
	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, s->xsave, xsave_len()));
	must(get_state(vcpu->fd, TINYVMX_STATE_DEBUG, &s->debug, sizeof(s->debug)));
	must(get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &s->events,
		       sizeof(s->events)));
}

static void restore(struct vcpu *vcpu, const struct saved *s)
{
	must(set_state(vcpu->fd, TINYVMX_STATE_SREGS, &s->sregs, sizeof(s->sregs)));
	must(set_state(vcpu->fd, TINYVMX_STATE_REGS, &s->regs, sizeof(s->regs)));
	must(set_state(vcpu->fd, TINYVMX_STATE_MSRS, s->msrs, sizeof(s->msrs)));
	must(set_state(vcpu->fd, TINYVMX_STATE_XSAVE, s->xsave, xsave_len()));
	must(set_state(vcpu->fd, TINYVMX_STATE_DEBUG, &s->debug, sizeof(s->debug)));
	must(set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &s->events,
		       sizeof(s->events)));
}

static struct vcpu *move(struct vcpu *from)
{
	struct vcpu *to = vcpu_simple(computes);
	static struct saved s;

	save(from, &s);
	memcpy(to->vm->ram, from->vm->ram, GUEST_FREE_GPA);
	restore(to, &s);
	vcpu_simple_destroy(from);
	return to;
}

static u64 undisturbed(void)
{
	struct vcpu *vcpu = vcpu_simple(computes);
	u64 value;

	must_done(vcpu);
	value = G(vcpu->vm, result);
	vcpu_simple_destroy(vcpu);
	return value;
}

int main(void)
{
	struct itimerspec when = { .it_value.tv_nsec = 700000 };
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
	};
	struct vcpu *vcpu;
	timer_t timer;
	u32 moves = 0;
	u64 want;

	tap_init();
	ignore_signal(SIGUSR1);
	want = undisturbed();
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	vcpu = vcpu_simple(computes);
	for (;;) {
		must(timer_settime(timer, 0, &when, NULL));
		if (!vcpu_run(vcpu))
			break;
		if (errno != EINTR)
			bail("RUN: %m");
		vcpu = move(vcpu);
		moves++;
		when.it_value.tv_nsec += moves * 70000;
	}
	is(vcpu->run->io.data, GUEST_DONE, "the guest came to its end");
	ok(moves > 3, "it was moved to another VM %u times", moves);
	is(G(vcpu->vm, result), want, "and got the same result");
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
