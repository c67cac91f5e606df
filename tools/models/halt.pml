/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How events reach a vCPU: no post is lost, wherever the vCPU is and wherever it goes meanwhile.
 *
 * The vCPU's thread goes through module/run.c and module/halt.c; senders go through post() of
 * module/irqchip/lapic_irq.c or tvx_vcpu_request() of module/kick.c. Each sends ROUNDS times, and
 * again only when the last one has been taken; an interrupt on the vCPU's CPU posts once. Spin goes
 * through all orders of all steps and of what leaves the store buffers: a state in which somebody
 * waits for ever is an invalid end.
 *
 * tools/check/models runs it, and once with each of the mistakes below: those it must find.
 *	-DNO_KICK_BARRIER	a kick looks where the vCPU is before its event is seen
 *	-DNO_LOAD_BARRIER	the vCPU looks for events before it is seen where it is
 *	-DNO_POLL_BARRIER	... before it is seen to poll no more
 *	-DNO_WAIT_BARRIER	it looks for events before it is seen to sleep
 *	-DLATE_CLEAR		it takes what is outstanding, and says so afterwards
 *	-DEARLY_OUTSTANDING	a sender says so before it has posted
 *	-DNO_RECHECK		an interrupt on its own CPU does not have it look again
 *	-DNO_HOME		kicks go to the CPU on which it was first
 *	-DSLEEP_AFTER_STARTUP	a start-up IPI that comes when it is about to sleep lets it
 */
#ifndef ROUNDS
#define ROUNDS	2
#endif

/* Who has a store buffer: the vCPU's thread, and two other CPUs. */
#define CPUS	3
#define VCPU	0

#define POSTED		0	/* lapic.posted: a bit a sender */
#define OUTSTANDING	1	/* lapic.outstanding */
#define REQUESTS	2	/* vcpu->requests: a bit a sender */
#define LOADED		3	/* vcpu->loaded_cpu; NOWHERE: -1 */
#define POLLING		4	/* vcpu->polling */
#define VARIABLES	5

#define NOWHERE	0

#include "tso.pml"

/* Who sends: CPU 1 a vector, CPU 2 a request, an interrupt on the vCPU's CPU a vector. */
#define VECTOR	1
#define REQUEST	2
#define LOCAL	4

byte taken;		/* by the guest, and not yet answered to the sender */
byte done;		/* senders that have had all their answers */
byte home;		/* the CPU that the thread is on, 1 or 2: the same while it is loaded */
bool ipi[3];		/* pending there */
bool asleep;		/* the task's state, as the scheduler has it */
bool waits;		/* rcuwait's task */

/* ------------------------------------------------------------------ senders */

inline wake()
{
	atomic {
		if
		:: waits -> asleep = false
		:: else
		fi
	}
}

/* tvx_vcpu_kick(), from another CPU. */
inline kick(cpu, where)
{
#ifndef NO_KICK_BARRIER
	BARRIER(cpu);
#endif
#ifdef NO_HOME
	where = 1;
#else
	where = READ(cpu, LOADED);
#endif
	if
	:: where == NOWHERE -> wake()
	:: where != NOWHERE ->
		if
		:: READ(cpu, POLLING)
		:: else -> ipi[where] = true
		fi
	fi;
	where = 0
}

/* What a locked instruction does to bits. */
inline set(cpu, variable, bits)
{
	atomic { BARRIER(cpu); memory[variable] = memory[variable] | (bits) }
}

inline clear(cpu, variable, bits)
{
	atomic { BARRIER(cpu); memory[variable] = memory[variable] & ~(bits) }
}

inline await_answer(sender)
{
	atomic { taken & sender; taken = taken & ~sender }
}

proctype posts()
{
	byte round, where;

	do
	:: round < ROUNDS ->
#ifdef EARLY_OUTSTANDING
		if
		:: READ(1, OUTSTANDING) -> set(1, POSTED, VECTOR)
		:: else -> write(1, OUTSTANDING, 1); kick(1, where); set(1, POSTED, VECTOR)
		fi;
#else
		set(1, POSTED, VECTOR);
		if
		:: READ(1, OUTSTANDING)
		:: else -> write(1, OUTSTANDING, 1); kick(1, where)
		fi;
#endif
		await_answer(VECTOR);
		round++
	:: else -> break
	od;
	done++
}

proctype requests()
{
	byte round, where;
	bool was;

	do
	:: round < ROUNDS ->
		atomic {
			BARRIER(2);
			was = memory[REQUESTS] & REQUEST;
			memory[REQUESTS] = memory[REQUESTS] | REQUEST
		}
		if
		:: was
		:: else -> kick(2, where)
		fi;
		was = false;
		await_answer(REQUEST);
		round++
	:: else -> break
	od;
	done++
}

/* ------------------------------------------------------------ the vCPU's thread */

byte local_rounds;	/* that the interrupt has yet to come */
bool startup;		/* requests are start-up IPIs: the outer part takes them */
byte begun;		/* ... and the guest executes what they are about */
bool recheck;

/* Everything that was sent has been taken: only then may the thread stay where it is for ever. */
#define FINISHED	(done == 2 && !local_rounds && !(memory[POSTED] & LOCAL))

/* A CPU that the thread is not on takes its IPIs without it. */
proctype host(byte cpu)
{
end:
	do
	:: atomic { ipi[cpu] && home != cpu -> ipi[cpu] = false }
	od
}

/* Interrupts are open: there may be an IPI, and one of a device, whose handler posts. */
inline interrupts()
{
	if
	:: ipi[home] -> ipi[home] = false; recheck = true
	:: local_rounds && !(memory[POSTED] & LOCAL) ->
		local_rounds--;
		set(VCPU, POSTED, LOCAL);
		if
		:: READ(VCPU, OUTSTANDING)
		:: else ->
			write(VCPU, OUTSTANDING, 1);
			BARRIER(VCPU);
			if
			:: READ(VCPU, LOADED) == NOWHERE -> wake()
#ifndef NO_RECHECK
			:: else -> recheck = true
#else
			:: else
#endif
			fi
		fi
	:: true
	fi
}

/* is_called() */
#define CALLED	(READ(VCPU, OUTSTANDING) || READ(VCPU, REQUESTS))

/* What before_entry() takes: tvx_event_take_requests(), tvx_lapic_take_outstanding(). */
inline take()
{
	if
	:: !startup && READ(VCPU, REQUESTS) ->
		atomic {
			BARRIER(VCPU);
			taken = taken | memory[REQUESTS];
			memory[REQUESTS] = 0
		}
	:: else
	fi;
	if
	:: READ(VCPU, OUTSTANDING) ->
#ifndef LATE_CLEAR
		write(VCPU, OUTSTANDING, 0);
		BARRIER(VCPU);
#endif
		atomic {
			BARRIER(VCPU);
			taken = taken | memory[POSTED];
			memory[POSTED] = 0
		}
#ifdef LATE_CLEAR
		write(VCPU, OUTSTANDING, 0);
#endif
	:: else
	fi
}

/* tvx_reset_startup(), where the thread may be about to sleep */
inline start_up(wait)
{
	if
	:: startup && READ(VCPU, REQUESTS) ->
		atomic {
			BARRIER(VCPU);
			begun = begun | memory[REQUESTS];
			memory[REQUESTS] = 0
		}
#ifndef SLEEP_AFTER_STARTUP
		wait = false
#endif
	:: else
	fi
}

/* tvx_halt_wait(): rcuwait_wait_event() */
inline halt_wait()
{
	waits = true;
	do
	:: true ->
#ifdef NO_WAIT_BARRIER
		if
		:: CALLED -> break
		:: else
		fi;
		asleep = true;
#else
		atomic { BARRIER(VCPU); asleep = true }
		if
		:: CALLED -> break
		:: else
		fi;
#endif
		do
		:: !asleep -> break
		:: asleep && (ipi[home] || local_rounds) -> interrupts()
		:: asleep && FINISHED -> break
		od;
		if
		:: FINISHED -> break
		:: else
		fi
	od;
	atomic { waits = false; asleep = false }
}

/* tvx_halt_poll(); wait: whether to sleep then */
inline halt_poll(wait)
{
	recheck = true;
	if
	:: wait = true			/* there is no window */
	:: write(VCPU, POLLING, 1);
		do
		:: CALLED -> break
		:: else ->
			if
			:: interrupts()
			:: break	/* the time is over */
			fi
		od;
		wait = !CALLED;
		write(VCPU, POLLING, 0);
#ifndef NO_POLL_BARRIER
		BARRIER(VCPU)
#endif
	fi
}

proctype vcpu()
{
	bool wait;

	do
	:: FINISHED -> break
	:: else ->
		/* load(), on either CPU */
		if
		:: home = 1
		:: home = 2
		fi;
		write(VCPU, LOADED, home);
#ifndef NO_LOAD_BARRIER
		BARRIER(VCPU);
#endif
		recheck = true;
		do
		:: recheck ->
			if
			:: startup && READ(VCPU, REQUESTS) -> break
			:: else
			fi;
			recheck = false;
			take();
			atomic { taken = (taken | begun) & ~LOCAL; begun = 0 }
			if
			:: true ->	/* into the guest, until an interrupt comes */
				do
				:: FINISHED -> break
				:: ipi[home] || local_rounds -> interrupts();
					if
					:: recheck -> break
					:: else
					fi
				od
			:: true ->	/* the guest is in HLT */
				halt_poll(wait);
				if
				:: wait -> break
				:: else
				fi
			:: true -> break	/* the outer part has something to do */
			fi
		:: !recheck -> break
		od;
		/* put() */
		write(VCPU, LOADED, NOWHERE);
		interrupts();
		start_up(wait);
		if
		:: wait -> wait = false; halt_wait()
		:: else
		fi
	od
}

init
{
	atomic {
		local_rounds = 1;
		home = 1;
		if
		:: startup = true
		:: startup = false
		fi;
		run drain(0);
		run drain(1);
		run drain(2);
		run posts();
		run requests();
		run vcpu();
		run host(1);
		run host(2)
	}
}
