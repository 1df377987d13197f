/*
 * Putting a run on record: the commit protocol of model/state.h, between spawn and release.
 */
#ifndef PMO_SERVICE_RUN_RECORD_H
#define PMO_SERVICE_RUN_RECORD_H

#include "base/error.h"
#include "model/identity.h"
#include "model/state.h"

/* Write .time and .pid of NAME for a held child of this process: IDENTITY has all but the ticks,
 * which are read from /proc (PROC_FD). The caller holds the lock. */
int run_record_write(const struct state *state, const char *name, int proc_fd,
		     struct identity *identity, struct error *err);

#endif
