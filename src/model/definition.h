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
static const int64_t DEFINITION_RESTART_DELAY_MAX_NS = INT64_C(15000000000);
static const int64_t DEFINITION_HOOK_TIMEOUT_NS = INT64_C(30000000000);

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
enum restart_mode { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS };
enum on_exit { ON_EXIT_NONE, ON_EXIT_STOP_ALL };

enum hook_kind {
	HOOK_PRE_START,  /* before every spawn; a failure is a veto */
	HOOK_POST_START, /* after every spawn */
	HOOK_PRE_STOP,   /* before pmo stops it on purpose */
	HOOK_POST_STOP,  /* when it is down and its supervisor will not start it again */
	HOOK_ON_RESTART, /* after an automatic restart */
	HOOK_ON_FAIL,    /* when it has ended in `errored` */
	HOOK_COUNT
};

struct hooks {
	const char *commands[HOOK_COUNT]; /* for /bin/sh -c; NULL: none */
	int64_t timeout_ns;               /* each */
};

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
	enum restart_mode restart;
	int max_restarts; /* in a row */
	int64_t min_uptime_ns;
	int64_t restart_delay_ns;
	int64_t restart_delay_max_ns;
	enum on_exit on_exit;
	int64_t max_memory_bytes;   /* 0: none */
	int64_t log_max_size_bytes; /* 0: none */
	struct hooks hooks;
	struct string_list watch;        /* paths, from `cwd`; `true` is "." */
	struct string_list ignore_watch; /* model/ignore_pattern.h */
};

/* The key of a hook in pmo.yml: "pre_start". */
const char *hook_kind_name(enum hook_kind kind);

/* True if it asks for something that only a supervisor can do. */
bool definition_needs_supervisor(const struct definition *definition);

/* The command as a person would type it: the shell text, or the list quoted for sh. Appends. */
struct buffer;
void definition_append_command(const struct definition *definition, struct buffer *buffer);

/* Append WORD quoted for sh(1) where it needs quoting. */
void definition_append_quoted(struct buffer *buffer, const char *word);

#endif
