/*
 * Sending a signal to services: to every process of the leader's process group.
 */
#ifndef PMO_SERVICE_SEND_H
#define PMO_SERVICE_SEND_H

#include "base/error.h"
#include "service/project.h"

enum send_outcome { SEND_SENT, SEND_NOT_RUNNING, SEND_FAILED };

struct send_result {
	const struct catalog_entry *entry;
	enum send_outcome outcome;
	size_t processes; /* how many got it */
	struct error error;
};

/* Send SIGNAL_NUMBER to every service of SELECTION. RESULTS: one per selected service, in that
 * order, released with send_results_release. -1 only when processes cannot be read. */
int send_services(const struct project *project, const struct selection *selection,
		  int signal_number, struct send_result *results, struct error *err);
void send_results_release(struct send_result *results, size_t count);

#endif
