/*
 * The locks of several services, taken in name order so that two commands cannot wait for each
 * other for ever.
 */
#ifndef PMO_SERVICE_LOCK_SET_H
#define PMO_SERVICE_LOCK_SET_H

#include "base/error.h"
#include "service/project.h"

struct locked_service {
	const struct catalog_entry *entry;
	int lock; /* -1: not taken, error says why */
	struct error error;
};

/* Lock the COUNT services of SERVICES (their `entry` is set), waiting LOCK_TIMEOUT_NS in all. The
 * caller closes each lock. Without a pids directory there is nothing to lock: all locks are -1,
 * with no error. */
void lock_services(const struct project *project, struct locked_service *services, size_t count);

#endif
