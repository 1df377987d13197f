/*
 * HOST:SERVICE: what the other machines that share a `per_host` project have on record.
 *
 * Names of services hold no ':', so what stands before the first one is a host. "HOST:" and
 * "HOST:all" are everything that host has on record. The own name of this host is this host.
 */
#ifndef PMO_SERVICE_HOST_SELECTION_H
#define PMO_SERVICE_HOST_SELECTION_H

#include "base/message.h"
#include "service/project.h"

/* What was selected of one host. */
struct host_selection {
	const char *host; /* NULL: this one */
	const struct project
	    *project; /* for another host, with its state, its catalog, no config */
	struct selection selection;
	struct project *other; /* owned; NULL for this host */
};

struct host_selections {
	struct host_selection *items; /* this host first if it has part, then as named */
	size_t count;
	struct arena arena;
};

/* Resolve SPECS as catalog_select does, those with a host against what that host has on record; no
 * specs mean all of this host. What is wrong with one is added to MESSAGES and makes the result
 * -1, but the others are still selected. PROJECT outlives the result. */
int host_selections_make(struct host_selections *selections, const struct project *project,
			 char *const *specs, size_t count, enum select_all all,
			 struct message_list *messages);
void host_selections_release(struct host_selections *selections);

#endif
