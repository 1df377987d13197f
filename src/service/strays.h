/*
 * Processes of a service that no usable record names.
 */
#ifndef PMO_SERVICE_STRAYS_H
#define PMO_SERVICE_STRAYS_H

#include "base/error.h"
#include "service/project.h"

/* When the record of NAME is damaged: 0 if no process says in its environment that this project
 * started it as NAME, else -1 with an error that names those that do. Nobody is signalled on the
 * word of an environment alone. -1 also where it cannot be told: a process leads a session since
 * the minute in which NAME was last started, and its environment cannot be read. */
int strays_refuse(const struct project *project, const char *name, struct error *err);

#endif
