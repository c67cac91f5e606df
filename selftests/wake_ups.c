// SPDX-License-Identifier: GPL-2.0-only
/*
 * No event is lost, wherever the vCPU is that it is for. Tokens go round among vCPUs; who waits for
 * one does so in one of many ways, and the next one's knows which: interrupt, NMI, kick. Meanwhile
 * the vCPUs' threads are moved between CPUs hundreds of times a second, and signalled.
 *
 *	wake_ups [ROUNDS]	so many hops of a token (5000)
 */
#include <sched.h>
#include <signal.h>

#include "lapic.h"

#define VCPUS	4
#define VECTOR	0x71
#define MOVE_US	1500

/* How a vCPU is to be woken. */
enum { NOT_READY, BY_IPI, BY_NMI, BY_KICK };

/* --------------------------------------------------------------------- guest */

struct seat {
	volatile u32 how;	/* it waits, and is to be told by this */
	volatile u32 arrived;	/* interrupts, NMIs that its handler has seen */
	volatile u64 token;	/* hops that this one has made; 0: it is elsewhere */
	u64 hops;
	u32 random;
} __attribute__((aligned(64)));

static struct seat seats[VCPUS];

static void arrives(struct guest_frame *frame)
{
	seats[rdmsr(X_ID)].arrived++;
	if (frame->vector != 2)
		guest_eoi();
}

static u32 draw(struct seat *seat, u32 below)
{
	seat->random = seat->random * 1664525 + 1013904223;
	return (seat->random >> 16) % below;
}

static void spins(struct seat *seat)
{
	seat->how = BY_IPI;
	sti();
	while (!seat->arrived)
		relax();
	cli();
}

static void halts(struct seat *seat)
{
	seat->how = BY_IPI;
	while (!seat->arrived) {
		sti_hlt();
		cli();
	}
}

static void exits_to_kernel(struct seat *seat)
{
	u32 regs[4];

	seat->how = BY_IPI;
	sti();
	while (!seat->arrived)
		cpuid(0, 0, regs);
	cli();
}

static void exits_to_user(struct seat *seat)
{
	seat->how = BY_IPI;
	sti();
	while (!seat->arrived)
		guest_sync(0);
	cli();
}

static void halts_for_nmi(struct seat *seat)
{
	seat->how = BY_NMI;
	while (!seat->arrived)
		__asm__ volatile("hlt" : : : "memory");
}

static void spins_for_nmi(struct seat *seat)
{
	seat->how = BY_NMI;
	while (!seat->arrived)
		relax();
}

/* A kick that comes before the HLT ends it, too. */
static void halts_for_kick(struct seat *seat)
{
	seat->how = BY_KICK;
	while (!seat->token)
		__asm__ volatile("hlt" : : : "memory");
}

static void (*const ways[])(struct seat *seat) = {
	spins, halts, exits_to_kernel, exits_to_user, halts_for_nmi, spins_for_nmi, halts_for_kick,
};

/* Who waits has said how: a token that is passed by another way would be lost rightly. */
static void pass(struct seat *to, u64 id, u64 hops)
{
	u32 how;

	while (to->how == NOT_READY)
		relax();
	how = to->how;
	to->how = NOT_READY;
	to->token = hops;
	if (how == BY_KICK)
		(void)kvm_call(KVM_CALL_KICK, 0, id, 0, 0);
	else
		wrmsr(X_ICR, id << 32 | (how == BY_NMI ? MODE_NMI : VECTOR));
}

static void sits(u64 id)
{
	struct seat *seat = &seats[id];

	cli();
	for (;;) {
		u64 token;

		if (!seat->token)	/* it had none to begin with */
			ways[draw(seat, ARRAY_SIZE(ways))](seat);
		token = seat->token;
		seat->token = 0;
		seat->arrived = 0;
		seat->hops++;
		/* Others come to rest meanwhile, by degrees: they poll, sleep, are put. */
		for (u32 n = draw(seat, 4) ? 0 : draw(seat, 4000); n; n--)
			relax();
		id = (seat - seats + 1) % VCPUS;
		pass(&seats[id], id, token + 1);
	}
}

/* ---------------------------------------------------------------------- host */

struct player {
	struct vcpu *vcpu;
	pthread_t thread;
	u32 broken;	/* the exit that nobody expected */
};

static struct player players[VCPUS];
static volatile bool stop;
static u64 moves;

static void *plays(void *arg)
{
	struct player *player = arg;

	while (!stop) {
		struct tinyvmx_run *run = player->vcpu->run;

		if (vcpu_run(player->vcpu)) {
			if (errno == EINTR)
				continue;
			player->broken = -1U;
			break;
		}
		if (run->reason != TINYVMX_EXIT_IO || run->io.data != GUEST_SYNC) {
			player->broken = run->reason + 1;
			break;
		}
	}
	return NULL;
}

static u64 hops(struct vm *vm)
{
	u64 sum = 0;

	for (u32 i = 0; i < VCPUS; i++)
		sum += G(vm, seats)[i].hops;
	return sum;
}

/* One of them, somewhere else. */
static void disturb(u32 *random)
{
	struct player *player;
	cpu_set_t set;

	*random = *random * 1664525 + 1013904223;
	player = &players[(*random >> 16) % VCPUS];
	CPU_ZERO(&set);
	CPU_SET((*random >> 20) % online_cpus(), &set);
	pthread_setaffinity_np(player->thread, sizeof(set), &set);
	moves++;
	if (!(*random >> 28))
		pthread_kill(player->thread, SIGUSR1);
}

/* Whether they get on until @rounds; five seconds without a hop are for ever. */
static bool get_on(struct vm *vm, u64 rounds)
{
	u64 seen = 0, since = rdtsc();
	u32 random = 1;

	while (seen < rounds) {
		u64 now = hops(vm);

		if (now != seen) {
			seen = now;
			since = rdtsc();
			alarm(TAP_WATCHDOG_S);
		} else if (rdtsc() - since > ms_to_tsc(5000)) {
			return false;
		}
		disturb(&random);
		sleep_us(MOVE_US);
	}
	return true;
}

static void tell_where(struct vm *vm)
{
	for (u32 i = 0; i < VCPUS; i++) {
		struct seat seat = G(vm, seats)[i];

		diag("vCPU %u: how %u, arrived %u, token %lu, hops %lu, last exit %u", i, seat.how,
		     seat.arrived, seat.token, seat.hops, players[i].broken);
	}
}

static void start(struct vm *vm)
{
	G(vm, guest_hook) = arrives;
	G(vm, guest_expected[0]) = 1UL << 2;
	G(vm, guest_expected[VECTOR / 64]) = 1UL << VECTOR % 64;
	for (u32 i = 0; i < VCPUS; i++) {
		players[i].vcpu = lapic_vcpu_kvm(vm, i, sits, KVM_FEATURE_UNHALT);
		players[i].vcpu->run->wait_for_peers = 1;
		G(vm, seats)[i].random = i;
		G(vm, seats)[i].token = i % 2;
	}
	for (u32 i = 0; i < VCPUS; i++)
		pthread_create(&players[i].thread, NULL, plays, &players[i]);
}

static void end(struct player *player)
{
	player->vcpu->run->immediate_exit = 1;
	while (pthread_tryjoin_np(player->thread, NULL)) {
		pthread_kill(player->thread, SIGUSR1);
		sleep_us(1000);
	}
	is(player->broken, 0, "no exit but those that it is to make");
	vcpu_destroy(player->vcpu);
}

int main(int argc, char **argv)
{
	u64 rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 5000, start_tsc = rdtsc(), ms;
	struct vm *vm;
	bool through;

	tap_init();
	ignore_signal(SIGUSR1);
	vm = lapic_vm();
	start(vm);
	through = get_on(vm, rounds);
	ms = (rdtsc() - start_tsc) / ms_to_tsc(1) + 1;
	ok(through, "%lu hops of two tokens among %u vCPUs, by interrupts, NMIs, kicks", rounds,
	   VCPUS);
	if (!through)
		tell_where(vm);
	ok(moves * 1000 / ms >= 200, "... their threads were moved %lu times in %lu ms", moves, ms);
	stop = true;
	for (u32 i = 0; i < VCPUS; i++)
		end(&players[i]);
	vm_destroy(vm);
	return tap_exit();
}
