/*
 * Whose logs a command is about, and where they are: also those of services that are only a name
 * of files in the logs directory any more, and those of other hosts.
 */
#ifndef PMO_SERVICE_LOG_SELECTION_H
#define PMO_SERVICE_LOG_SELECTION_H

#include "base/message.h"
#include "service/host_selection.h"
#include "service/launch.h"

#include <stdbool.h>

enum log_owner {
	LOG_OWNER_HERE,
	LOG_OWNER_OTHER_HOST, /* it may write to them at any time, and nothing tells us */
};

struct service_log {
	const char *name;
	const char *label; /* for people: the name, or HOST:NAME */
	enum log_owner owner;
	struct log_paths paths;
};

struct log_selection {
	struct service_log
	    *items; /* this host's in the order of `ls`, other hosts', then leftovers */
	size_t count;
	bool all_here; /* everything of this host was selected */
	struct host_selections hosts;
	struct arena arena;
};

/* Resolve SPECS (none: all of this host). What is wrong is added to MESSAGES and makes the result
 * an error_kind other than ERROR_NONE, but the rest is still selected. PROJECT outlives the result.
 */
enum error_kind log_selection_make(struct log_selection *selection, const struct project *project,
				   char *const *specs, size_t count, struct message_list *messages);
void log_selection_release(struct log_selection *selection);

#endif
