/*
 * Starting services: spawn and record one after another, watch them all together.
 *
 * Under its lock a service is spawned held, its pid and identity are put on disk, and only then it
 * is released; the lock is given up before the watch. During the watch (start_watch, counted from
 * each spawn) a service that ends with status 0 has finished, any other end is a failure.
 */
#ifndef PMO_SERVICE_START_H
#define PMO_SERVICE_START_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/message.h"
#include "service/launch.h"
#include "service/project.h"

#include <stdbool.h>
#include <sys/resource.h>

enum start_outcome {
	START_STARTED,
	START_ALREADY_RUNNING,
	START_ADOPTED,  /* it runs already, and has got a new supervisor */
	START_SKIPPED,  /* resurrect: there was nothing to bring back */
	START_FINISHED, /* ended with status 0 during the watch */
	START_FAILED,   /* `error` says why */
};

struct start_result {
	const struct catalog_entry *entry;
	enum start_outcome outcome;
	pid_t pid;
	bool changed;     /* already running, with another definition than pmo.yml has now */
	size_t survivors; /* processes that outlived their leader during the watch */
	struct error error;
	struct buffer output; /* START_FAILED after a run: the last lines it wrote */
};

enum start_mode {
	START_FRESH,
	START_RESTART,   /* counted in .restarts; stays meant to be up if it fails */
	START_RESURRECT, /* the same, for what a reboot or the loss of a supervisor has left, and
			    nothing else; not watched */
};

struct start_options {
	bool force; /* discard records from elsewhere */
	enum start_mode mode;
	const int *locks; /* restart: locks already held, one per service, -1: failed before. NULL:
			   * taken and closed here. All are closed here, unless nothing was begun
			   * (-1). */
	mode_t umask;     /* the caller's, given back to services that set none */
	const struct rlimit *file_limit; /* the caller's RLIMIT_NOFILE, given back to services */
};

/* Start every service of SELECTION. RESULTS: one per selected service, in that order, released with
 * start_results_release. -1 only when nothing could be begun. */
int start_services(struct project *project, const struct launcher *launcher,
		   const struct selection *selection, const struct start_options *options,
		   struct start_result *results, struct error *err);
void start_results_release(struct start_result *results, size_t count);

#endif
