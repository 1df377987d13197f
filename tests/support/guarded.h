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

/* Write a pmo.yml for one service, `web`: the actor with these actions (a list in YAML) and these
 * further lines, each of them indented by two blanks. */
void configure_web(struct test_project *project, const char *actions, const char *lines);

/* SIGKILL the leader. */
void kill_leader(struct test_project *project, const char *name);

/* No process of the project lives, and the service has no record but for its lock and count. */
void assert_nothing_left(struct test_project *project, const char *name);

/* The same, but the service stays meant to be up: its .pid is there, and empty. */
void assert_down_but_wanted(struct test_project *project, const char *name);

#endif
