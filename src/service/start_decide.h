/*
 * What is to be done about a service that shall be up, by its record; under its lock.
 */
#ifndef PMO_SERVICE_START_DECIDE_H
#define PMO_SERVICE_START_DECIDE_H

#include "service/start_job.h"

enum start_decision {
	START_DECISION_REFUSE, /* the result's error says why */
	START_DECISION_SKIP,   /* resurrect: it is not meant to be up any more */
	START_DECISION_RUNS,   /* it is up already; the result knows its pid */
	START_DECISION_ADOPT,  /* it runs, but its supervisor is gone; RECORD tells who it is */
	START_DECISION_SPAWN,
};

/* Decide about the service of JOB. *record is what was read. A supervisor that waits for its next
 * try is dismissed: the user has no need to. */
enum start_decision start_decide(const struct start_operation *operation,
				 const struct start_job *job, struct record *record);

#endif
