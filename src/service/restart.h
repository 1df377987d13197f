/*
 * Restarting: everything that can be known to fail is checked first, then all selected services are
 * stopped together and started again, each under one lock from before its stop until its release.
 */
#ifndef PMO_SERVICE_RESTART_H
#define PMO_SERVICE_RESTART_H

#include "service/start.h"
#include "service/stop.h"

struct restart_result {
	const struct catalog_entry *entry;
	struct stop_result stop;   /* meaningful if `attempted` */
	struct start_result start; /* START_FAILED with its error when anything went wrong */
	bool attempted;
};

/* Restart every service of SELECTION; one that is not running is started. RESULTS: one per selected
 * service, in that order, released with restart_results_release. STOP and START give the options of
 * both halves. -1 only when nothing could be begun. */
int restart_services(struct project *project, const struct launcher *launcher,
		     const struct selection *selection, const struct stop_options *stop,
		     const struct start_options *start, struct restart_result *results,
		     struct error *err);
void restart_results_release(struct restart_result *results, size_t count);

#endif
