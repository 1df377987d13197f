/*
 * What stop does with a supervisor: it is held (SIGSTOP) while its service is stopped, so that it
 * cannot restart anything and still is the parent that every orphan of the service comes to; then
 * it is killed. SIGKILL at once would let go of what double-forks at that moment.
 */
#ifndef PMO_SERVICE_STOP_SUPERVISOR_H
#define PMO_SERVICE_STOP_SUPERVISOR_H

#include "model/identity.h"
#include "model/state.h"

struct held_supervisor {
	pid_t pid; /* 0: there is none */
	uint64_t ticks;
	int pidfd; /* -1: there is none, or it is this process */
};

#define HELD_SUPERVISOR_NONE                                                                       \
	{                                                                                          \
		0, 0, -1                                                                           \
	}

/* The supervisor that RECORD names, if it lives; nothing is done to it. HOST is where we are. */
struct held_supervisor supervisor_find(const struct record *record, const struct host *host);

/* Stop it from doing anything more. The caller holds the service's lock: so it is not about to
 * spawn. This process itself is not held. */
void supervisor_hold(const struct held_supervisor *found);

/* Wait until it stands still: the kernel stops a process a moment after the signal. */
void supervisor_await_hold(const struct held_supervisor *held);

/* Let it go on as if nothing had happened. */
void supervisor_let_go(struct held_supervisor *held);

/* Have nothing more to do with one that was found and not held. */
void supervisor_forget(struct held_supervisor *found);

/* Kill it and wait for its end. */
void supervisor_kill(struct held_supervisor *held);

#endif
