/*
 * The inside of a snapshot: which state a service is in, by its record and by who lives.
 */
#ifndef PMO_SERVICE_SNAPSHOT_STATE_H
#define PMO_SERVICE_SNAPSHOT_STATE_H

#include "service/snapshot.h"

/* Set supervision and supervisor_pid of SERVICE, whose record was read before the process table. */
void snapshot_find_supervisor(const struct snapshot *snapshot, const struct project *project,
			      struct service_status *service);

/* Set state and next_try_in_ns of SERVICE, whose pid and supervision are known. */
void snapshot_find_state(const struct snapshot *snapshot, const struct project *project,
			 struct service_status *service);

/* Whether a stop of SERVICE, which is filled, was killed before the service was gone. */
bool snapshot_stop_is_interrupted(const struct snapshot *snapshot, const struct project *project,
				  const struct service_status *service);

/* Whether another command is at work on NAME: files that do not fit are then on their way, and
 * .stop is more than what a killed `pmo stop` left. */
bool snapshot_is_being_changed(const struct state *state, const char *name);

#endif
