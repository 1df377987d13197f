/*
 * What tests of hooks, limits and watched files ask, besides support/supervised.h.
 */
#ifndef PMO_TESTS_GUARDED_H
#define PMO_TESTS_GUARDED_H

#include "supervised.h"

/* Field FIELD of the service in `pmo ls --json` is TEXT. */
bool service_is(struct test_project *project, const char *name, const char *field,
		const char *text);

/* A live child of a supervisor that is in its session: one of its helpers. 0 if there is none. */
pid_t supervisor_helper(pid_t supervisor);

#endif
