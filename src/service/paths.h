/*
 * Where a service works and writes, running or not, configured or not.
 */
#ifndef PMO_SERVICE_PATHS_H
#define PMO_SERVICE_PATHS_H

#include "base/error.h"
#include "base/memory.h"
#include "service/project.h"

struct service_paths {
	const char *command;   /* as a person would type it; NULL where unknown */
	const char *directory; /* absolute; NULL where unknown */
	const char *log_out;   /* absolute */
	const char *log_error; /* absolute; the same pointer as log_out when merged */
};

/* Of what runs, as NAME.spec tells, where STATE has a record of ENTRY; else as pmo.yml says; else
 * the default logs alone. The texts live in ARENA. -1 when pmo.yml's own paths cannot be resolved.
 */
int service_paths_find(const struct project *project, const struct state *state,
		       const struct catalog_entry *entry, struct arena *arena,
		       struct service_paths *paths, struct error *err);

#endif
