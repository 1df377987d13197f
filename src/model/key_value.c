#include "base/units.h"
#include "model/keys.h"
#include "model/resource_limit.h"

#include <string.h>

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

static bool get_size(int64_t bytes, struct arena *arena, struct key_value *value)
{
	char text[24];
	units_format_size_exact(bytes, text, sizeof(text));
	*value = (struct key_value){ .kind = KEY_VALUE_INTEGER, .number = bytes };
	value->text = arena_strdup(arena, text);
	return bytes > 0;
}

static bool get_choice(const struct key *key, int number, struct key_value *value)
{
	const struct key_choice *choice = key->choices;
	while (choice->name && choice->value != number)
		choice++;
	return get_text(choice->name, value);
}

/* A mapping without a command says nothing. */
static bool get_hooks(const struct hooks *hooks, struct arena *arena, struct key_value *value)
{
	char timeout[32];
	struct variable *pairs = arena_alloc(arena, (HOOK_COUNT + 1) * sizeof(*pairs));
	size_t count = 0;
	for (int kind = 0; kind < HOOK_COUNT; kind++)
		if (hooks->commands[kind])
			pairs[count++] = (struct variable){ hook_kind_name((enum hook_kind)kind),
							    hooks->commands[kind] };
	if (count > 0 && hooks->timeout_ns != DEFINITION_HOOK_TIMEOUT_NS) {
		units_format_duration_exact(hooks->timeout_ns, timeout, sizeof(timeout));
		pairs[count++] = (struct variable){ "timeout", arena_strdup(arena, timeout) };
	}
	*value = (struct key_value){ .kind = KEY_VALUE_MAPPING, .pairs = pairs, .count = count };
	return count > 0;
}

/* A path that reads as a boolean stays a path in a list. */
static bool get_watch(const struct string_list *list, struct key_value *value)
{
	bool truth;
	if (list->count == 1 && !units_parse_boolean(list->items[0], &truth))
		return get_text(list->items[0], value);
	return get_words(list, value);
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
	case KEY_SIZE:
		return get_size(*(const int64_t *)field, arena, value);
	case KEY_CHOICE:
		return get_choice(key, *(const int *)field, value);
	case KEY_HOOKS:
		return get_hooks(field, arena, value);
	case KEY_WATCH:
		return get_watch(field, value);
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
