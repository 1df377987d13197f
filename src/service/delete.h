/*
 * Deleting services: stop, then remove their state and their logs. The lock files stay.
 */
#ifndef PMO_SERVICE_DELETE_H
#define PMO_SERVICE_DELETE_H

#include "service/stop.h"

/* Delete every service of SELECTION. A service that cannot be stopped keeps everything. RESULTS as
 * of stop_services; STOP_FAILED also when something could not be removed. */
int delete_services(struct project *project, const struct selection *selection,
		    const struct stop_options *options, struct stop_result *results,
		    struct error *err);

#endif
