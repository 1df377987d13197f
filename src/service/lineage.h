/*
 * Who runs this pmo: it must never signal itself, what it runs in, or whom it descends from.
 */
#ifndef PMO_SERVICE_LINEAGE_H
#define PMO_SERVICE_LINEAGE_H

#include "model/process.h"

#include <stdbool.h>

/* Read this process, its ancestors and the leaders of their sessions: all that it takes to tell to
 * whom this pmo belongs, and much less than all processes. TABLE is empty before, and released by
 * the caller. 0, or a negative errno value. */
int lineage_read(struct process_table *table);

/* True if OWNERS (model/membership.h) gives this process or one of its ancestors to CLAIM. */
bool lineage_belongs_to(const struct process_table *table, const int *owners, int claim);

#endif
