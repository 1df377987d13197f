#include "model/keys.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "model/resource_limit.h"

#include <stdio.h>
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

#define COMMAND_EXPECTED "a command or a list of words"

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
	LATER("restart"),
	LATER("max_restarts"),
	LATER("min_uptime"),
	LATER("restart_delay"),
	LATER("restart_delay_max"),
	LATER("on_exit"),
	LATER("max_memory"),
	{ .name = "stop_signal",
	  .kind = KEY_SIGNAL,
	  FIELD(stop_signal),
	  .default_text = "TERM",
	  .expected = "a signal like TERM, HUP or 15" },
	{ .name = "stop_timeout",
	  .kind = KEY_DURATION,
	  FIELD(stop_timeout_ns),
	  .default_text = "5s",
	  .expected = "a duration like 500ms, 5s or 2m" },
	{ .name = "start_watch",
	  .kind = KEY_DURATION,
	  FIELD(start_watch_ns),
	  .default_text = "200ms",
	  .expected = "a duration like 500ms, 5s or 2m" },
	LATER("stop_cmd"),
	LATER("status_cmd"),
	LATER("reload_cmd"),
	LATER("reload_signal"),
	LATER("pidfile"),
	LATER("hooks"),
	LATER("watch"),
	LATER("ignore_watch"),
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
	LATER("log_max_size"),
	{ .name = "log_on_stop",
	  .kind = KEY_LOG_ON_STOP,
	  FIELD(log_on_stop),
	  .default_text = "keep",
	  .expected = "keep or delete" },
};

_Static_assert(ARRAY_LENGTH(keys) <= 64, "a set of keys is a uint64_t");

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

static bool get_text(const char *text, struct key_value *value)
{
	*value = (struct key_value){ .kind = KEY_VALUE_TEXT, .text = text };
	return text != NULL;
}

static bool get_words(const struct string_list *list, struct key_value *value)
{
	*value = (struct key_value){ .kind = KEY_VALUE_WORDS };
	value->words = list->items;
	value->count = list->count;
	return list->count > 0;
}

static bool get_text_list(const struct string_list *list, struct key_value *value)
{
	return list->count == 1 ? get_text(list->items[0], value) : get_words(list, value);
}

static bool get_boolean(const bool *field, struct key_value *value)
{
	*value = (struct key_value){ .kind = KEY_VALUE_BOOLEAN, .number = *field };
	value->text = *field ? "true" : "false";
	return true;
}

static bool get_integer(int number, struct arena *arena, struct key_value *value)
{
	*value = (struct key_value){ .kind = KEY_VALUE_INTEGER, .number = number };
	value->text = arena_printf(arena, "%d", number);
	return true;
}

static bool get_umask(int mask, struct arena *arena, struct key_value *value)
{
	return get_text(mask < 0 ? NULL : arena_printf(arena, "%04o", (unsigned int)mask), value);
}

static bool get_signal(int signal, struct arena *arena, struct key_value *value)
{
	char text[16];
	units_format_signal(signal, text, sizeof(text));
	return get_text(arena_strdup(arena, text), value);
}

static bool get_duration(int64_t nanoseconds, struct arena *arena, struct key_value *value)
{
	char text[32];
	units_format_duration_exact(nanoseconds, text, sizeof(text));
	get_text(arena_strdup(arena, text), value);
	value->kind = KEY_VALUE_DURATION;
	value->number = nanoseconds;
	return true;
}

static bool get_environment(const struct definition *definition, struct key_value *value)
{
	*value = (struct key_value){ .kind = KEY_VALUE_MAPPING };
	value->pairs = definition->env;
	value->count = definition->env_count;
	return definition->env_count > 0;
}

static bool get_limits(const struct definition *definition, struct arena *arena,
		       struct key_value *value)
{
	size_t count = definition->limit_count;
	struct variable *pairs = arena_alloc(arena, count * sizeof(*pairs));
	for (size_t i = 0; i < count; i++) {
		char text[48];
		limit_format(&definition->limits[i], text, sizeof(text));
		pairs[i].name = definition->limits[i].name;
		pairs[i].value = arena_strdup(arena, text);
	}
	*value = (struct key_value){ .kind = KEY_VALUE_MAPPING, .pairs = pairs, .count = count };
	return count > 0;
}

static const char *log_on_stop_name(enum log_on_stop choice)
{
	return choice == LOG_ON_STOP_DELETE ? "delete" : "keep";
}

bool key_get(const struct key *key, const struct definition *definition, struct arena *arena,
	     struct key_value *value)
{
	const void *field = key_fields_const(key, definition);
	if (key->alias_of)
		return false;
	switch (key->kind) {
	case KEY_COMMAND:
		return get_text(definition->shell_command, value) ||
		       get_words(&definition->command, value);
	case KEY_TEXT:
		return get_text(*(const char *const *)field, value);
	case KEY_TEXT_LIST:
		return get_text_list(field, value);
	case KEY_ENVIRONMENT:
		return get_environment(definition, value);
	case KEY_BOOLEAN:
		return get_boolean(field, value);
	case KEY_INTEGER:
		return get_integer(*(const int *)field, arena, value);
	case KEY_NICE:
		return definition->has_nice && get_integer(definition->nice, arena, value);
	case KEY_UMASK:
		return get_umask(*(const int *)field, arena, value);
	case KEY_LIMITS:
		return get_limits(definition, arena, value);
	case KEY_SIGNAL:
		return get_signal(*(const int *)field, arena, value);
	case KEY_DURATION:
		return get_duration(*(const int64_t *)field, arena, value);
	case KEY_LOG_ON_STOP:
		return get_text(log_on_stop_name(definition->log_on_stop), value);
	case KEY_EXTENDS:
	case KEY_UNSUPPORTED:
		return false;
	}
	return false;
}

bool key_value_is_default(const struct key *key, const struct key_value *value)
{
	return key->default_text && value->text && strcmp(key->default_text, value->text) == 0;
}
