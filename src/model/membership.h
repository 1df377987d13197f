/*
 * What belongs to a service: its leader; the leader's session; the descendants of its living
 * supervisor; their descendants; every process that carries its mark. For all services at once,
 * over one process table.
 *
 * The leader of one claim, and what descends from it, never belongs to another claim; nor does the
 * leader of a session that carries the mark of a service which is none of the claims. Is the leader
 * gone, its session counts only if one of its members carries the mark; a leader that is a zombie
 * is not gone, because its pid cannot be used again. Is the leader's pid another process's by now,
 * only the mark counts. Environments are read only of processes that nothing else assigns, not
 * older than the oldest claim, and not of kernel threads; a mark counts only on a process that is
 * not older than the claim.
 *
 * A supervisor and its helpers, which are the members of its session, belong to nobody; what
 * descends from them outside that session belongs to the claim. To a supervisor come also the
 * orphans of other services that were started from inside its own: what it has adopted belongs to
 * the claim whose mark it carries, or with a foreign one to none.
 */
#ifndef PMO_MODEL_MEMBERSHIP_H
#define PMO_MODEL_MEMBERSHIP_H

#include "model/process.h"

/* One service that was started here, under this boot (IDENTITY_HERE). */
struct claim {
	pid_t leader;     /* 0: none */
	uint64_t ticks;   /* start time of the leader */
	const char *mark; /* borrowed; NULL: none */
	pid_t supervisor; /* 0: none */
	uint64_t supervisor_ticks;
	const char *supervisor_mark; /* a second mark, as old as the supervisor; borrowed; NULL:
				      * none */
};

enum { NOBODY = -1 };

/* For every process of TABLE, the index of the claim that owns it, or NOBODY. The result has
 * table->count elements and is freed by the caller. Dead processes (process_is_alive) are NOBODY.
 */
int *membership_assign(const struct process_table *table, const struct claim *claims, size_t count);

/* A process that was seen to belong to a claim: it does so whatever becomes of its ancestors, its
 * session and its environment. */
struct known_member {
	pid_t pid;
	uint64_t ticks;
	int claim;
};

/* The same with what earlier tables have shown. */
int *membership_assign_known(const struct process_table *table, const struct claim *claims,
			     size_t count, const struct known_member *known, size_t known_count);

#endif
