/*
 * The hooks around a stop: pre_stop before the first signal, post_stop when all is gone; those of
 * all services of a command side by side.
 */
#ifndef PMO_SERVICE_STOP_HOOKS_H
#define PMO_SERVICE_STOP_HOOKS_H

#include "service/stop_job.h"

#include <stddef.h>

/* Learn what the hooks of JOB run with, while its leader lives: its environment is in /proc. */
void stop_hooks_prepare(const struct project *project, struct stop_job *job,
			const struct stop_options *options);

/* Run them for the COUNT jobs that have some; a failure is in the service's log. */
void stop_hooks_run_before(struct stop_job *jobs, size_t count);
void stop_hooks_run_after(struct stop_job *jobs, size_t count);

void stop_hooks_release(struct stop_job *job);

#endif
