/*
 * A definition turned into what will be executed: environment, directory, command, logs.
 *
 * Nothing here changes anything on disk: `dry-run`, `env` and `exec` use it as well as `start`.
 */
#ifndef PMO_SERVICE_LAUNCH_H
#define PMO_SERVICE_LAUNCH_H

#include "base/error.h"
#include "base/memory.h"
#include "base/message.h"
#include "model/environment.h"
#include "os/spawn.h"
#include "service/project.h"

/* What all services of one invocation share. */
struct launcher {
	const struct project *project;
	struct environment base;           /* pmo's own environment, then .env */
	struct environment dotenv;         /* what .env set */
	struct message_list *messages;     /* borrowed: where warnings go */
	struct log_owners *log_owners;     /* for launch_check */
	const struct environment *running; /* of a run that is taken over: instead of what the
					    * configuration says; NULL */
};

struct log_paths {
	const char *out;   /* absolute */
	const char *error; /* the same pointer as out when merged */
};

struct launch {
	const struct definition *definition; /* borrowed */
	char **arguments;                    /* NULL-terminated, expanded */
	const char *program;                 /* what execve(2) gets */
	const char *directory;               /* absolute */
	struct environment environment;      /* complete but for PMO_RUN, which each start sets */
	struct environment account_base;     /* what that borrows of, with `user` */
	struct environment file_added;       /* what env_file set */
	struct environment config_added;     /* what env set */
	const char *log_out;                 /* absolute */
	const char *log_error;               /* absolute; the same pointer as log_out when merged */
	struct credentials credentials;
	struct arena arena;
	struct arena definition_arena; /* of launch_prepare_running */
};

/* Read .env, once. */
int launcher_open(struct launcher *launcher, const struct project *project,
		  struct message_list *messages, struct error *err);
void launcher_close(struct launcher *launcher);

/* Resolve DEFINITION. Errors do not name the service: the caller knows what for it asked. A program
 * that is not found and a directory that is not there are errors of the later start, not of this.
 */
int launch_prepare(struct launch *launch, const struct launcher *launcher,
		   const struct definition *definition, struct error *err);

/* The same for the service ENTRY that runs as RUN: with the definition that it was started with,
 * and its environment as far as that can be read. */
int launch_prepare_running(struct launch *launch, const struct launcher *launcher,
			   const struct catalog_entry *entry, const struct identity *run,
			   struct error *err);
void launch_release(struct launch *launch);

/* What can be known to fail before anything is changed: a program that is not in PATH, a directory
 * that is not there, a log whose directory cannot be written or that another service writes. */
int launch_check(const struct launch *launch, const struct launcher *launcher, struct error *err);

/* Who will write the logs, for os/logfile.h: LOGFILE_NO_OWNER unless that is another user. */
uid_t launch_log_owner(const struct launch *launch);

/* Where DEFINITION would log, without what else launch_prepare does and refuses. The paths live in
 * ARENA. */
int launch_find_logs(const struct launcher *launcher, const struct definition *definition,
		     struct arena *arena, struct log_paths *paths, struct error *err);

/* Append pids/NAME.spec for this launch: the definition with absolute paths, without the values of
 * its environment. */
void launch_append_spec(const struct launch *launch, struct buffer *buffer);

/* True if ENTRY, which is configured and has a record, was started with another definition than
 * pmo.yml has now. Values in its environment are not
 * compared: they are never on disk. */
bool launch_differs_from_record(const struct launcher *launcher, const struct catalog_entry *entry);

/* Where the logs of ENTRY are: from its record when STATE has one, else as pmo.yml says. The paths
 * live in ARENA. STATE is the project's, or that of another host. */
int service_log_paths(const struct project *project, const struct state *state,
		      const struct catalog_entry *entry, struct arena *arena,
		      struct log_paths *paths, struct error *err);

#endif
