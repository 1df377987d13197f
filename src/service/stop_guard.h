/*
 * What is refused before anything is done: a stop from inside the service, or of what may not be
 * signalled. For services with a supervisor or hooks, which would suffer by a stop that is refused
 * later; the others find out at the first look at all processes.
 */
#ifndef PMO_SERVICE_STOP_GUARD_H
#define PMO_SERVICE_STOP_GUARD_H

#include "service/stop_job.h"

#include <stddef.h>

/* Fail those of the COUNT jobs that cannot be carried out. Their supervisors, found and not held
 * yet, are left as they are. */
void stop_guard(struct stop_job *jobs, size_t count);

#endif
