/*
 * What `pmo status` shows: everything about one service, with its process tree.
 */
#ifndef PMO_VIEW_STATUS_VIEW_H
#define PMO_VIEW_STATUS_VIEW_H

#include "service/snapshot.h"
#include "view/json.h"
#include "view/style.h"

/* Append the panel of one service: its name, a line for each thing that is known, its processes.
 * On a terminal commands in the tree are cut to its width; nothing else is. */
void status_view_append(const struct service_status *service, const struct catalog *catalog,
			const struct output *output, struct buffer *buffer);

/* Append one object. Its fields are those of view/service_json.h, then, always there and null
 * where unknown:
 *
 *	wanted                boolean: the service is meant to be up
 *	definition_changed    boolean: it runs with another definition than pmo.yml has now; null
 *	                      while pmo.yml cannot be read
 *	identity              object, the process on record, alive or not: {pid, start_ticks
 *	                      (clock ticks since boot), boot_id, pid_namespace (inode), host, mark
 *	                      (its PMO_RUN)}
 *	autostart             boolean
 *	merge_logs            boolean
 *	stop_signal           string: "TERM"
 *	stop_timeout_seconds  number
 *	start_watch_seconds   number
 *	environment           array of strings: NAMES of the variables that `env` in pmo.yml sets
 *	env_files             array of strings, as written
 *	process_tree          array, in tree order, of {pid, parent, depth (0 for the leader and for
 *	                      detached processes), name, state (one letter, proc(5)), cpu_percent,
 *	                      memory_bytes, command}
 *
 * autostart to env_files are null where neither pmo.yml nor the record tells. */
void status_view_append_json(struct json *json, const struct service_status *service,
			     const struct catalog *catalog);

/* What `pmo status` exits with, in the manner of the Linux Standard Base. */
enum status_code {
	STATUS_CODE_RUNNING = 0, /* also while it starts, restarts or stops */
	STATUS_CODE_FAILED =
	    1, /* ended by itself: with an error, or with nobody there to see how */
	STATUS_CODE_STOPPED = 3, /* on purpose, never started, or finished with exit status 0 */
	STATUS_CODE_UNKNOWN = 4, /* no such service, recorded by another host, or unreadable */
};

enum status_code status_view_code(const struct service_status *service);

/* The worse of two: unknown, then failed, then stopped, then running. */
enum status_code status_view_worse_code(enum status_code a, enum status_code b);

#endif
