/*
 * Stopping services: all of a command at once, in reverse order, until nothing of them is left.
 *
 * Under each service's lock: `.stop` is written, the leader's process group gets the stop signal;
 * when the leader has gone, what is left of the service gets it too; after the stop timeout
 * everything gets SIGKILL, for KILL_TIMEOUT_NS at most. A service counts as gone when two scans in
 * a row find nothing of it; then its record is removed, .pid first. What cannot be ended is
 * reported and its record kept.
 */
#ifndef PMO_SERVICE_STOP_H
#define PMO_SERVICE_STOP_H

#include "base/error.h"
#include "service/project.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

static const int64_t KILL_TIMEOUT_NS = INT64_C(5000000000);

enum stop_outcome {
	STOP_STOPPED,
	STOP_KILLED,      /* gone, but only after SIGKILL */
	STOP_NOT_RUNNING, /* there was nothing to stop */
	STOP_DISCARDED,   /* a record from elsewhere was removed (force) */
	STOP_FAILED,      /* `error` says why */
};

struct stop_result {
	const struct catalog_entry *entry;
	enum stop_outcome outcome;
	struct error error;
	int lock; /* with keep_locks: still held, the caller closes it; else -1 */
};

struct stop_options {
	int signal;         /* 0: each service's own stop_signal */
	int64_t timeout_ns; /* -1: each service's own stop_timeout */
	bool force;         /* discard records from elsewhere */
	bool keep_locks;    /* restart, delete: the lock is handed over in the result */
	bool keep_intent;   /* restart: what ran stays meant to be up, whatever happens next */
	/* the caller's umask and RLIMIT_NOFILE, for hooks; NULL: what this process has */
	const mode_t *umask;
	const struct rlimit *file_limit;
	/* called now and then while services keep us waiting; may be NULL */
	void (*progress)(void *context, const struct stop_result *const *waiting, size_t count);
	void *progress_context;
};

/* How many services can be stopped at once with the descriptors that there are: at least 1. With
 * keep_locks no more may be selected. */
size_t stop_batch_size(void);

/* Stop every service of SELECTION. RESULTS (one per selected service, in that order, released with
 * stop_results_release) tell how each went. -1 only when nothing could be begun. */
int stop_services(struct project *project, const struct selection *selection,
		  const struct stop_options *options, struct stop_result *results,
		  struct error *err);
/* One run, as its own supervisor ends it: without lock and records. */
struct stop_run {
	const struct catalog_entry *entry;
	struct identity identity;   /* of the run */
	struct identity supervisor; /* which is this process or its parent */
	int signal;
	int64_t timeout_ns;
};

/* Stop what there is of RUN. -1 if some of it stays. */
int stop_one_run(const struct stop_run *run, struct error *err);

void stop_results_release(struct stop_result *results, size_t count);

#endif
