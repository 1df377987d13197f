/*
 * Removing what a service left in the state, in the order that no reader can misread.
 */
#ifndef PMO_SERVICE_DISCARD_H
#define PMO_SERVICE_DISCARD_H

#include "base/error.h"
#include "model/state.h"

/* With the service's name and the recorded host's. */
#define DISCARD_ELSEWHERE_FORMAT                                                                   \
	"'%s' was started elsewhere, by host '%s': stop it there, or discard its record with "     \
	"--force ('per_host: true' in pmo.yml keeps hosts apart)"

/* Remove .pid, then .time, .exit, .spec, .stop and .supervisor, whose process is gone. The restart
 * count and the lock stay. RECORD is what was read under the lock (files that it knows not to be
 * there are not looked for), or NULL. */
int record_remove(const struct state *state, const char *name, const struct record *record,
		  struct error *err);

/* The same for a service that stays meant to be up: .pid becomes empty, .spec stays. */
int record_retire(const struct state *state, const char *name, struct error *err);

#endif
