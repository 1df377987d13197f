/*
 * Bringing back what the machine has lost: services on record as up before the last boot, and
 * supervised services whose supervisor is gone. Nothing else: what was stopped stays stopped, a
 * plain service that has ended under this boot stays ended. A supervisor that a stop which was
 * killed has left standing still is chosen as well, to be told about.
 */
#ifndef PMO_SERVICE_RESURRECT_H
#define PMO_SERVICE_RESURRECT_H

#include "service/project.h"

/* Choose from the catalog what may have to be brought back: to be started with START_RESURRECT,
 * which decides again under each service's lock. The caller releases *chosen. */
void resurrect_select(const struct project *project, struct selection *chosen);

#endif
