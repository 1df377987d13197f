#include "model/keys.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

#define FIELDS(first, last)                                                                        \
	.offset = offsetof(struct definition, first),                                              \
	.size = offsetof(struct definition, last) + sizeof(((struct definition *)0)->last) -       \
		offsetof(struct definition, first)
#define FIELD(name) FIELDS(name, name)
#define LATER(title)                                                                               \
	{                                                                                          \
		.name = (title), .kind = KEY_UNSUPPORTED                                           \
	}

#define COMMAND_EXPECTED  "a command or a list of words"
#define DURATION_EXPECTED "a duration like 500ms, 5s or 2m"

static const struct key_choice restart_choices[] = {
	{ "no", RESTART_NO, NULL },
	{ "on-failure", RESTART_ON_FAILURE, NULL },
	{ "always", RESTART_ALWAYS, NULL },
	{ "false", RESTART_NO, NULL },
	{ "off", RESTART_NO, NULL },
	{ "unless-stopped", 0, "write 'always': pmo never starts again what was stopped" },
	{ "exit_on_failure", 0, "write 'on_exit: stop-all'" },
	{ NULL, 0, NULL },
};

static const struct key_choice on_exit_choices[] = {
	{ "none", ON_EXIT_NONE, NULL },
	{ "stop-all", ON_EXIT_STOP_ALL, NULL },
	{ NULL, 0, NULL },
};

static const struct key_choice log_on_stop_choices[] = {
	{ "keep", LOG_ON_STOP_KEEP, NULL },
	{ "delete", LOG_ON_STOP_DELETE, NULL },
	{ NULL, 0, NULL },
};

static const struct key keys[] = {
	{ .name = "cmd",
	  .kind = KEY_COMMAND,
	  FIELDS(shell_command, command),
	  .expected = COMMAND_EXPECTED,
	  .never_default = true },
	{ .name = "script",
	  .kind = KEY_COMMAND,
	  FIELDS(shell_command, command),
	  .expected = COMMAND_EXPECTED,
	  .alias_of = "cmd",
	  .never_default = true },
	{ .name = "cwd", .kind = KEY_TEXT, FIELD(cwd), .expected = "a directory" },
	{ .name = "env",
	  .kind = KEY_ENVIRONMENT,
	  FIELDS(env, env_count),
	  .expected = "a mapping like 'NAME: value'" },
	{ .name = "env_file",
	  .kind = KEY_TEXT_LIST,
	  FIELD(env_files),
	  .expected = "a file or a list of files" },
	{ .name = "extends",
	  .kind = KEY_EXTENDS,
	  .expected = "the name of a service",
	  .never_default = true },
	LATER("venv"),
	{ .name = "user", .kind = KEY_TEXT, FIELD(user), .expected = "a user" },
	{ .name = "group", .kind = KEY_TEXT, FIELD(group), .expected = "a group" },
	{ .name = "umask",
	  .kind = KEY_UMASK,
	  FIELD(umask),
	  .expected = "an octal number from 0 to 0777",
	  .maximum = 0777 },
	{ .name = "nice",
	  .kind = KEY_NICE,
	  FIELDS(has_nice, nice),
	  .expected = "a number from -20 to 19",
	  .minimum = -20,
	  .maximum = 19 },
	{ .name = "limits",
	  .kind = KEY_LIMITS,
	  FIELDS(limits, limit_count),
	  .expected = "a mapping like 'nofile: 1024'" },
	{ .name = "namespace",
	  .kind = KEY_TEXT,
	  FIELD(namespace_name),
	  .default_text = "default",
	  .expected = "a name" },
	{ .name = "autostart",
	  .kind = KEY_BOOLEAN,
	  FIELD(autostart),
	  .default_text = "true",
	  .expected = "true or false" },
	LATER("instances"),
	LATER("port"),
	LATER("affinity"),
	LATER("depends_on"),
	LATER("ready"),
	LATER("healthcheck"),
	{ .name = "restart",
	  .kind = KEY_CHOICE,
	  FIELD(restart),
	  .default_text = "no",
	  .expected = "no, on-failure or always",
	  .choices = restart_choices },
	{ .name = "max_restarts",
	  .kind = KEY_INTEGER,
	  FIELD(max_restarts),
	  .default_text = "16",
	  .expected = "a number from 0 to 1000000",
	  .maximum = 1000000 },
	{ .name = "min_uptime",
	  .kind = KEY_DURATION,
	  FIELD(min_uptime_ns),
	  .default_text = "1s",
	  .expected = DURATION_EXPECTED },
	{ .name = "restart_delay",
	  .kind = KEY_DURATION,
	  FIELD(restart_delay_ns),
	  .default_text = "100ms",
	  .expected = DURATION_EXPECTED },
	{ .name = "restart_delay_max",
	  .kind = KEY_DURATION,
	  FIELD(restart_delay_max_ns),
	  .default_text = "15s",
	  .expected = DURATION_EXPECTED },
	{ .name = "on_exit",
	  .kind = KEY_CHOICE,
	  FIELD(on_exit),
	  .default_text = "none",
	  .expected = "none or stop-all",
	  .choices = on_exit_choices },
	{ .name = "max_memory",
	  .kind = KEY_SIZE,
	  FIELD(max_memory_bytes),
	  .expected = "a size of at least 1M, like 512M or 2G, or 0 for none",
	  .minimum = 1024 * 1024 },
	{ .name = "stop_signal",
	  .kind = KEY_SIGNAL,
	  FIELD(stop_signal),
	  .default_text = "TERM",
	  .expected = "a signal like TERM, HUP or 15" },
	{ .name = "stop_timeout",
	  .kind = KEY_DURATION,
	  FIELD(stop_timeout_ns),
	  .default_text = "5s",
	  .expected = DURATION_EXPECTED },
	{ .name = "start_watch",
	  .kind = KEY_DURATION,
	  FIELD(start_watch_ns),
	  .default_text = "200ms",
	  .expected = DURATION_EXPECTED },
	LATER("stop_cmd"),
	LATER("status_cmd"),
	LATER("reload_cmd"),
	LATER("reload_signal"),
	LATER("pidfile"),
	{ .name = "hooks",
	  .kind = KEY_HOOKS,
	  FIELD(hooks),
	  .expected = "a mapping like 'on_fail: command'" },
	{ .name = "watch",
	  .kind = KEY_WATCH,
	  FIELD(watch),
	  .expected = "true, a path or a list of paths" },
	{ .name = "ignore_watch",
	  .kind = KEY_TEXT_LIST,
	  FIELD(ignore_watch),
	  .expected = "a pattern or a list of patterns" },
	{ .name = "merge_logs",
	  .kind = KEY_BOOLEAN,
	  FIELD(merge_logs),
	  .default_text = "false",
	  .expected = "true or false" },
	{ .name = "out_file", .kind = KEY_TEXT, FIELD(out_file), .expected = "a file" },
	{ .name = "error_file", .kind = KEY_TEXT, FIELD(error_file), .expected = "a file" },
	{ .name = "log_keep",
	  .kind = KEY_INTEGER,
	  FIELD(log_keep),
	  .default_text = "30",
	  .expected = "a number from 0 to 1000",
	  .maximum = 1000 },
	{ .name = "log_max_size",
	  .kind = KEY_SIZE,
	  FIELD(log_max_size_bytes),
	  .expected = "a size of at least 4K, like 10M, or 0 for none",
	  .minimum = 4 * 1024 },
	{ .name = "log_on_stop",
	  .kind = KEY_CHOICE,
	  FIELD(log_on_stop),
	  .default_text = "keep",
	  .expected = "keep or delete",
	  .choices = log_on_stop_choices },
};

_Static_assert(ARRAY_LENGTH(keys) <= 64, "a set of keys is a uint64_t");
_Static_assert(sizeof(enum restart_mode) == sizeof(int) && sizeof(enum on_exit) == sizeof(int) &&
		   sizeof(enum log_on_stop) == sizeof(int),
	       "a choice is written as an int");

/* What other process managers call it. */
static const struct {
	const char *name;
	const char *key;
} synonyms[] = {
	{ "command", "cmd" },
	{ "exec", "cmd" },
	{ "environment", "env" },
	{ "envfile", "env_file" },
	{ "env-file", "env_file" },
	{ "directory", "cwd" },
	{ "dir", "cwd" },
	{ "workdir", "cwd" },
	{ "workingdir", "cwd" },
	{ "working_dir", "cwd" },
	{ "working_directory", "cwd" },
	{ "stdout", "out_file" },
	{ "stdout_logfile", "out_file" },
	{ "out", "out_file" },
	{ "log_file", "out_file" },
	{ "stderr", "error_file" },
	{ "stderr_logfile", "error_file" },
	{ "err_file", "error_file" },
	{ "stopsignal", "stop_signal" },
	{ "kill_signal", "stop_signal" },
	{ "stop_grace_period", "stop_timeout" },
	{ "stopwaitsecs", "stop_timeout" },
	{ "kill_timeout", "stop_timeout" },
	{ "autorestart", "restart" },
	{ "restart_policy", "restart" },
	{ "startretries", "max_restarts" },
	{ "max_retries", "max_restarts" },
	{ "startsecs", "min_uptime" },
	{ "exp_backoff_restart_delay", "restart_delay" },
	{ "restartsec", "restart_delay" },
	{ "restart_sec", "restart_delay" },
	{ "backoff_seconds", "restart_delay" },
	{ "max_memory_restart", "max_memory" },
	{ "mem_limit", "max_memory" },
	{ "memory_max", "max_memory" },
	{ "pre_start", "hooks" },
	{ "post_start", "hooks" },
	{ "pre_stop", "hooks" },
	{ "post_stop", "hooks" },
	{ "on_restart", "hooks" },
	{ "on_fail", "hooks" },
	{ "watch_ignore", "ignore_watch" },
	{ "log_size", "log_max_size" },
	{ "max_log_size", "log_max_size" },
	{ "stdout_logfile_maxbytes", "log_max_size" },
};

size_t key_count(void)
{
	return ARRAY_LENGTH(keys);
}

const struct key *key_at(size_t position)
{
	return &keys[position];
}

const struct key *key_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

const struct key *key_suggest(const char *name)
{
	const char *names[ARRAY_LENGTH(keys) + ARRAY_LENGTH(synonyms)];
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
		names[i] = keys[i].name;
	for (size_t i = 0; i < ARRAY_LENGTH(synonyms); i++)
		names[ARRAY_LENGTH(keys) + i] = synonyms[i].name;
	const char *suggestion = text_suggest(name, names, ARRAY_LENGTH(names));
	for (size_t i = 0; i < ARRAY_LENGTH(synonyms); i++)
		if (suggestion == synonyms[i].name)
			suggestion = synonyms[i].key;
	return suggestion ? key_find(suggestion) : NULL;
}

const struct key_choice *key_choice_find(const struct key *key, const char *name)
{
	for (const struct key_choice *choice = key->choices; choice->name; choice++)
		if (strcmp(choice->name, name) == 0)
			return choice;
	return NULL;
}

uint64_t key_bit(const struct key *key)
{
	if (key->alias_of)
		key = key_find(key->alias_of);
	return UINT64_C(1) << (key - keys);
}

void *key_fields(const struct key *key, struct definition *definition)
{
	return (char *)definition + key->offset;
}

const void *key_fields_const(const struct key *key, const struct definition *definition)
{
	return (const char *)definition + key->offset;
}
