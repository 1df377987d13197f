/*
 * Deleting services: stop, then remove their state and their logs. The lock files stay.
 */
#ifndef PMO_SERVICE_DELETE_H
#define PMO_SERVICE_DELETE_H

#include "service/stop.h"

/* Delete every service of SELECTION, in batches where there are more than the open files suffice
 * for. Logs of an earlier form (merged or not) go too, unless another service of the catalog may
 * own them; a log that another service may be writing stays. A service that cannot be stopped keeps
 * everything. RESULTS as of stop_services; STOP_FAILED also when something could not be removed. */
int delete_services(struct project *project, const struct selection *selection,
		    const struct stop_options *options, struct stop_result *results,
		    struct error *err);

#endif
