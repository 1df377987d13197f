/*
 * A service as pmo.yml defines it, after `extends`, `defaults` and merge keys: pmo.yml(5).
 *
 * Texts are as written: nothing is expanded and relative paths are still relative, because both
 * need the service's environment (model/environment.h, service/launch.h). All memory belongs to the
 * arena of the config or the spec that it was read from.
 */
#ifndef PMO_MODEL_DEFINITION_H
#define PMO_MODEL_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* Defaults that hold also where no definition can be read. */
static const int64_t DEFINITION_STOP_TIMEOUT_NS = INT64_C(5000000000);
static const int64_t DEFINITION_START_WATCH_NS = INT64_C(200000000);

struct variable {
	const char *name;
	const char *value;
};

/* One entry of `limits`: setrlimit(2). */
struct limit {
	const char *name; /* "nofile" */
	int resource;     /* RLIMIT_NOFILE */
	rlim_t soft;
	rlim_t hard;
};

enum log_on_stop { LOG_ON_STOP_KEEP, LOG_ON_STOP_DELETE };

struct string_list {
	const char **items;
	size_t count;
};

struct definition {
	const char *name;
	const char *namespace_name; /* "default" */
	const char *shell_command;  /* string `cmd`, run by /bin/sh -c; NULL for the list form */
	struct string_list command; /* list `cmd`, executed directly */
	const char *cwd;            /* NULL: pmo.yml's directory */
	struct variable *env;
	size_t env_count;
	struct string_list env_files;
	const char *user;  /* NULL: inherited */
	const char *group; /* NULL: inherited, or the user's own */
	int umask;         /* -1: inherited */
	bool has_nice;
	int nice;
	struct limit *limits;
	size_t limit_count;
	bool autostart;
	bool merge_logs;
	const char *out_file;   /* NULL: under .pmo/logs */
	const char *error_file; /* NULL: under .pmo/logs, or where out goes with merge_logs */
	int log_keep;           /* rotated files kept */
	enum log_on_stop log_on_stop;
	int stop_signal;
	int64_t stop_timeout_ns;
	int64_t start_watch_ns;
};

/* The command as a person would type it: the shell text, or the list quoted for sh. Appends. */
struct buffer;
void definition_append_command(const struct definition *definition, struct buffer *buffer);

/* Append WORD quoted for sh(1) where it needs quoting. */
void definition_append_quoted(struct buffer *buffer, const char *word);

#endif
