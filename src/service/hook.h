/*
 * The hooks of a service: shell commands that run at certain points of its life, pmo.yml(5) hooks.
 *
 * A hook is `/bin/sh -c COMMAND` in a session of its own, with the service's directory, user,
 * umask, limits and environment. It reads /dev/null and appends to the service's logs; a log that
 * cannot be opened is no reason not to run it: that stream is then lost. To the environment come
 *
 *	PMO_SERVICE	the service's name
 *	PMO_HOOK	"pre_start" and so on
 *	PMO_PID		its leader's pid
 *	PMO_EXIT_CODE	how its last run ended: the exit status, or
 *	PMO_EXIT_SIGNAL	the signal's name without SIG
 *
 * The last three are always set, and empty where there is nothing to tell: a shell with `set -u`
 * can use them, and those of an outer hook are never seen.
 *
 * Calling sequence: hook_start; at deadline_ns hook_kill; when the child has ended it is reaped by
 * the caller, and hook_end tells how it went. hooks_run does all of that for many. Where the values
 * of a source come from: service/hook_source.h.
 */
#ifndef PMO_SERVICE_HOOK_H
#define PMO_SERVICE_HOOK_H

#include "base/error.h"
#include "base/memory.h"
#include "model/definition.h"
#include "model/environment.h"
#include "model/state.h"
#include "os/spawn.h"

#include <stddef.h>
#include <stdint.h>

/* What all hooks of a service share. Pointers are borrowed, and except for `environment` and
 * `hooks` must stay until hook_end; the source itself need not. */
struct hook_source {
	const char *service;
	const struct hooks *hooks;
	const struct environment *environment; /* with PMO_RUN, if the service has run */
	const char *directory;                 /* absolute */
	const char *log_out;                   /* absolute */
	const char *log_error;                 /* absolute; the same pointer when merged */
	struct credentials credentials;
	int umask; /* -1: inherited */
	bool has_nice;
	int nice;
	const struct limit *limits;
	size_t limit_count;
	const struct rlimit *file_limit; /* as in struct spawn_plan */
	struct environment *owned;       /* these two by hook_source_read */
	struct arena arena;
};

/* What a hook is told about its service. */
struct hook_facts {
	pid_t pid;               /* its leader, 0 where there is none */
	struct exit_record exit; /* of the last run; EXIT_UNKNOWN where nothing is known */
};

/* A hook that runs. */
struct hook {
	enum hook_kind kind;
	struct spawned child; /* pidfd is readable when it has ended; nobody else needs `channel` */
	int64_t deadline_ns;  /* CLOCK_MONOTONIC; INT64_MAX: no limit, or hook_kill was called */
	/* for hook.c, hook_tree.c */
	int64_t timeout_ns;
	bool late;                  /* it was killed because its time was over */
	uint64_t ticks;             /* start time, as in struct identity */
	char mark[MARK_LENGTH + 1]; /* its PMO_RUN, "" for none */
	struct spawn_plan plan;     /* for what spawn_finish says */
	const char *log_error;
	uid_t log_owner; /* as in os/logfile.h */
};

/* Run the hook KIND, which SOURCE must have. Returns at once: a shell that cannot be executed, a
 * directory that is not there and the like are told by hook_end. -1 with an error that names the
 * hook when no process could be made; there is nothing to end then. */
int hook_start(struct hook *hook, enum hook_kind kind, const struct hook_source *source,
	       const struct hook_facts *facts, struct error *err);

/* End everything of a hook, now and by SIGKILL: its session, also where its leader has ended, and
 * its descendants in other sessions as far as their ancestors live. What it has started as another
 * service (another PMO_RUN) is left alone, and so is what may not be signalled. The child must not
 * be reaped yet; it may be a zombie, then what it has left behind is ended. Reads /proc at least
 * once: some milliseconds. Afterwards deadline_ns is INT64_MAX. */
void hook_kill(struct hook *hook);

/* The child has ended and was reaped with WAIT_STATUS (waitpid(2)): close its descriptors. 0 for
 * exit status 0. Else -1 with one of
 *
 *	hook 'pre_start' ended with exit status 3
 *	hook 'pre_start' was ended by signal KILL
 *	hook 'pre_start' took longer than 30s
 *	hook 'pre_start': cannot change to directory '/srv/web': No such file or directory
 *
 * and the same as a line "--- ... at YYYY-MM-DD HH:MM:SS ---" in the error log. */
int hook_end(struct hook *hook, int wait_status, struct error *err);

struct hook_request {
	enum hook_kind kind;
	const struct hook_source *source; /* one without this hook is a success */
	struct hook_facts facts;
};

/* Run hooks side by side (as many at a time as there are descriptors for) until all have ended or
 * were ended at their time limit; what they leave in the background is ended too. ERRORS has COUNT
 * elements: each is set (the caller clears it) to what hook_start or hook_end says, or to
 * ERROR_INIT. Returns how many failed. */
size_t hooks_run(const struct hook_request *requests, size_t count, struct error *errors);

#endif
