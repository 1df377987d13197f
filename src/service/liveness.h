/*
 * Whether what a record names is alive.
 */
#ifndef PMO_SERVICE_LIVENESS_H
#define PMO_SERVICE_LIVENESS_H

#include "model/identity.h"
#include "model/state.h"

enum liveness {
	LIVENESS_NONE,      /* no record, or garbage: there is no process to speak of */
	LIVENESS_ALIVE,     /* the leader is the process that was started, and lives */
	LIVENESS_GONE,      /* the leader has ended; others of the service may live on */
	LIVENESS_LOST,      /* recorded before the last boot of this host */
	LIVENESS_ELSEWHERE, /* recorded by another host or pid namespace */
};

/* PROC_FD is a descriptor of /proc. */
enum liveness record_liveness(const struct record *record, const struct host *host, int proc_fd);

#endif
