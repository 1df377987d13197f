/*
 * The environment of a run, from /proc/PID/environ: no environment is ever on disk.
 */
#ifndef PMO_SERVICE_RUN_ENVIRONMENT_H
#define PMO_SERVICE_RUN_ENVIRONMENT_H

#include "model/environment.h"
#include "model/identity.h"

#include <stdbool.h>
#include <sys/types.h>

/* Add to ENVIRONMENT what the leader of RUN has in its own. False, and nothing added, where that is
 * not what it was started with: it is gone, it runs by now as somebody else than USER (and may want
 * to lead astray whoever trusts it), or it has written over its mark, which comes last. */
bool run_environment_read(struct environment *environment, const struct identity *run, uid_t user);

#endif
