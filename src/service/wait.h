/*
 * Waiting until services have ended for good. Nothing is changed and nobody is signalled.
 *
 * A supervised service has ended when its supervisor has: between two runs it has not, and its
 * hooks belong to its end. A plain one has ended when its leader has, unless `pmo restart` gives it
 * another one.
 */
#ifndef PMO_SERVICE_WAIT_H
#define PMO_SERVICE_WAIT_H

#include "base/error.h"
#include "service/project.h"

#include <stdint.h>

enum wait_outcome {
	WAIT_RUNNING, /* time has run out before it ended */
	WAIT_ENDED,   /* as `end` tells; maybe long ago */
	WAIT_UNSEEN,  /* ended, but nobody saw how */
	WAIT_LOST,    /* the same, and it was meant to come back: its supervisor is gone */
	WAIT_STOPPED, /* while it was waited for, by another command */
	WAIT_IDLE,    /* it did not run, and there is no record of an end */
	WAIT_FAILED,  /* that cannot be known, as `error` tells */
};

struct wait_result {
	const struct catalog_entry *entry;
	enum wait_outcome outcome;
	struct exit_record end; /* of WAIT_ENDED */
	struct error error;
};

struct wait_options {
	int64_t timeout_ns; /* -1: none; 0: look once */
	/* Called once for each service when it is known how it ended (not with WAIT_RUNNING), in
	 * the order of their ends. May be NULL. */
	void (*ended)(void *context, const struct wait_result *result);
	void *ended_context;
};

/* Wait for every service of SELECTION. RESULTS: one per selected service, in that order, released
 * with wait_results_release. A service that this process runs in, or below, is WAIT_FAILED at once:
 * it would wait for ever. Takes a descriptor for each service. -1 only when processes cannot be
 * read. */
int wait_services(const struct project *project, const struct selection *selection,
		  const struct wait_options *options, struct wait_result *results,
		  struct error *err);
void wait_results_release(struct wait_result *results, size_t count);

#endif
