/*
 * Names of services: what may be one, and which of them share files.
 */
#ifndef PMO_MODEL_NAME_H
#define PMO_MODEL_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* NULL if NAME (LENGTH bytes) may name a service, else why not: "contains '/'". Names are printable
 * UTF-8 without '/', ':', control characters and invisible ones, do not start with '.' '-' or '@',
 * do not end in
 * '~', do not start or end with a space, are not "all" or "pmo" (any case) nor digits alone, and
 * have at most 200 bytes. Nor may they be "ports", whose lock file would be pids/ports.lock, or
 * start with "x-", which pmo.yml passes over. */
const char *name_problem(const char *name, size_t length);

#endif
