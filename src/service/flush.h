/*
 * Emptying logs: those that something may still write to are truncated, the others removed.
 */
#ifndef PMO_SERVICE_FLUSH_H
#define PMO_SERVICE_FLUSH_H

#include "service/log_owners.h"
#include "service/log_selection.h"

enum flush_result {
	FLUSH_NOTHING, /* there was no log */
	FLUSH_EMPTIED, /* truncated, rotated files removed */
	FLUSH_REMOVED,
	FLUSH_FAILED, /* with an error */
};

/* Flush the logs of one service. While a start or stop of it is under way, it is waited for. A
 * service that has a record is not known to have ended with all its processes: its logs are
 * truncated. So are those of other hosts, and a log that another service may be writing. OWNERS has
 * LOG_OWNERS_KNOWN. */
enum flush_result service_flush_logs(const struct project *project, struct log_owners *owners,
				     const struct service_log *log, struct error *err);

/* Flush what else lies in the project's logs directory: logs of services that are neither
 * configured nor on record, and of other forms (merged or not) of those that are. For projects with
 * PROJECT_CONFIG_OK alone: else nobody knows what is configured. SELECTION has
 * been flushed. *flushed gets the count. Returns 0, or -1 with an error, after which the rest was
 * still done. */
int service_flush_left_over(const struct project *project, const struct log_selection *selection,
			    size_t *flushed, struct error *err);

#endif
