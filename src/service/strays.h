/*
 * Processes of a service that no usable record names.
 */
#ifndef PMO_SERVICE_STRAYS_H
#define PMO_SERVICE_STRAYS_H

#include "base/error.h"
#include "service/project.h"

/* When the record of NAME is damaged: 0 if no process says in its environment that this project
 * started it as NAME, else -1 with an error that names those that do. Nobody is signalled on the
 * word of an environment alone. */
int strays_refuse(const struct project *project, const char *name, struct error *err);

#endif
