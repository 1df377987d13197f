/*
 * Whether what a record names is alive.
 */
#ifndef PMO_SERVICE_LIVENESS_H
#define PMO_SERVICE_LIVENESS_H

#include "model/identity.h"
#include "model/process.h"
#include "model/state.h"
#include "service/project.h"

#include <stdbool.h>

enum liveness {
	LIVENESS_NONE,      /* no record, or garbage: there is no process to speak of */
	LIVENESS_ALIVE,     /* the leader is the process that was started, and lives */
	LIVENESS_GONE,      /* the leader has ended; others of the service may live on */
	LIVENESS_LOST,      /* recorded before the last boot of this host */
	LIVENESS_ELSEWHERE, /* recorded by another host or pid namespace */
	LIVENESS_UNKNOWN,   /* there is a record, but it cannot be read */
};

/* PROC_FD is a descriptor of /proc. */
enum liveness record_liveness(const struct record *record, const struct host *host, int proc_fd);

enum supervisor_life {
	SUPERVISOR_GONE,
	/* It stands still: held by a stop (service/stop_supervisor.h), which has the service's
	 * lock. Where nobody has that, the stop was killed. */
	SUPERVISOR_HELD,
	SUPERVISOR_AT_WORK,
};

/* What the supervisor that RECORD names does, where PROCESS is what has its pid (NULL: nothing). */
enum supervisor_life supervisor_life(const struct record *record, const struct host *host,
				     const struct process *process);

/* The same by a look at /proc. */
enum supervisor_life supervisor_look(const struct record *record, const struct host *host,
				     int proc_fd);

/* Whether the supervisor that RECORD names is alive and goes about its work. */
bool supervisor_is_at_work(const struct record *record, const struct host *host, int proc_fd);

/* Whether something of the service NAME may be alive and write to its logs. */
bool service_may_write(const struct project *project, const char *name);

#endif
