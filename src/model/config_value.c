#include "model/config_value.h"

#include "base/clock.h"
#include "base/units.h"
#include "model/resource_limit.h"

#include <string.h>

static void report_type(const struct value_target *target, const char *name, const char *expected,
			const struct node *node)
{
	if (node->kind != NODE_INVALID)
		problem_add(target->problems, node->place, "'%s' in '%s' must be %s, not %s", name,
			    target->entry, expected, node_describe(node, target->problems));
}

static void report_empty(const struct value_target *target, const char *name,
			 const struct node *node)
{
	problem_add(target->problems, node->place, "'%s' in '%s' is empty", name, target->entry);
}

/* The text of a scalar that is not empty, else NULL and a problem. */
static const char *read_scalar(const struct value_target *target, const char *name,
			       const char *expected, const struct node *node)
{
	if (node->kind != NODE_SCALAR) {
		report_type(target, name, expected, node);
		return NULL;
	}
	if (node->count == 0) {
		report_empty(target, name, node);
		return NULL;
	}
	return node->text;
}

/* The texts of a list. */
static void read_list(const struct value_target *target, const struct key *key,
		      const struct node *node, struct string_list *list)
{
	list->items = arena_alloc(target->arena, node->count * sizeof(*list->items));
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->items[i];
		if (item->kind == NODE_SCALAR)
			list->items[list->count++] = item->text;
		else if (item->kind != NODE_INVALID)
			problem_add(target->problems, item->place,
				    "'%s' in '%s' must be a list of texts, but one of them is %s",
				    key->name, target->entry,
				    node_describe(item, target->problems));
	}
}

static void read_command(const struct value_target *target, const struct key *key,
			 const struct node *node)
{
	struct definition *definition = target->definition;
	if (node->kind == NODE_SCALAR) {
		if (node->text[strspn(node->text, " \t\n")] == '\0')
			report_empty(target, key->name, node);
		definition->shell_command = node->text;
	} else if (node->kind == NODE_SEQUENCE) {
		read_list(target, key, node, &definition->command);
		if (node->count == 0)
			report_empty(target, key->name, node);
		else if (node->items[0]->kind == NODE_SCALAR && node->items[0]->count == 0)
			report_empty(target, key->name, node->items[0]);
	} else {
		report_type(target, key->name, key->expected, node);
	}
}

static void read_text_list(const struct value_target *target, const struct key *key,
			   const struct node *node)
{
	struct string_list *list = key_fields(key, target->definition);
	if (node->kind == NODE_SEQUENCE) {
		read_list(target, key, node, list);
		for (size_t i = 0; i < node->count; i++)
			if (node->items[i]->kind == NODE_SCALAR && node->items[i]->count == 0)
				report_empty(target, key->name, node->items[i]);
		return;
	}
	const char *text =
	    node_is_nothing(node) ? NULL : read_scalar(target, key->name, key->expected, node);
	if (!text)
		return;
	list->items = arena_alloc(target->arena, sizeof(*list->items));
	list->items[0] = text;
	list->count = 1;
}

static bool variable_is_fine(const struct node_pair *pair)
{
	return pair->value->kind == NODE_SCALAR && pair->key->count > 0 &&
	       !memchr(pair->key->text, '=', pair->key->count);
}

static void report_variable(const struct value_target *target, const struct key *key,
			    const struct node_pair *pair)
{
	const struct node *name = pair->key;
	const char *shown = problem_show(target->problems, name->text, name->count);
	if (name->count == 0)
		problem_add(target->problems, name->place,
			    "'%s' in '%s' has a variable without a name", key->name, target->entry);
	else if (strchr(name->text, '='))
		problem_add(target->problems, name->place,
			    "variable '%s' of '%s' has '=' in its name", shown, target->entry);
	else if (pair->value->kind != NODE_INVALID)
		problem_add(target->problems, pair->value->place,
			    "variable '%s' of '%s' must be a single value, not %s", shown,
			    target->entry, node_describe(pair->value, target->problems));
}

static void read_environment(const struct value_target *target, const struct key *key,
			     const struct node *node)
{
	struct definition *definition = target->definition;
	if (node_is_nothing(node))
		return;
	if (node->kind == NODE_SEQUENCE) {
		problem_add(target->problems, node->place,
			    "'%s' in '%s' must be a mapping, not a list: write 'NAME: value' "
			    "instead of '- NAME=value'",
			    key->name, target->entry);
		return;
	}
	if (node->kind != NODE_MAPPING) {
		report_type(target, key->name, key->expected, node);
		return;
	}
	definition->env = arena_alloc(target->arena, node->count * sizeof(*definition->env));
	for (size_t i = 0; i < node->count; i++) {
		const struct node_pair *pair = &node->pairs[i];
		if (variable_is_fine(pair))
			definition->env[definition->env_count++] = (struct variable){
				.name = pair->key->text,
				.value = pair->value->text,
			};
		else
			report_variable(target, key, pair);
	}
}

static bool read_limit(const struct value_target *target, const struct node_pair *pair,
		       struct limit *limit)
{
	const char *name = pair->key->text;
	const char *shown = problem_show(target->problems, name, pair->key->count);
	const struct limit_kind *kind = limit_kind_find(name);
	if (!kind) {
		const struct limit_kind *near = limit_kind_suggest(name);
		problem_add(target->problems, pair->key->place, "unknown limit '%s' in '%s'%s%s%s",
			    shown, target->entry, near ? " (did you mean '" : "",
			    near ? near->name : "", near ? "'?)" : "");
		return false;
	}
	if (pair->value->kind != NODE_SCALAR || !limit_parse(kind, pair->value->text, limit)) {
		report_type(target, name,
			    kind->bytes ? "a size like 64M, 'unlimited' or SOFT:HARD"
					: "a number, 'unlimited' or SOFT:HARD",
			    pair->value);
		return false;
	}
	if (limit->soft > limit->hard) {
		problem_add(target->problems, pair->value->place,
			    "the soft limit '%s' in '%s' is above the hard one", shown,
			    target->entry);
		return false;
	}
	return true;
}

static void read_limits(const struct value_target *target, const struct key *key,
			const struct node *node)
{
	struct definition *definition = target->definition;
	if (node_is_nothing(node))
		return;
	if (node->kind != NODE_MAPPING) {
		report_type(target, key->name, key->expected, node);
		return;
	}
	definition->limits = arena_alloc(target->arena, node->count * sizeof(*definition->limits));
	for (size_t i = 0; i < node->count; i++)
		if (read_limit(target, &node->pairs[i],
			       &definition->limits[definition->limit_count]))
			definition->limit_count++;
}

static bool parse_umask(const char *text, int *mask)
{
	size_t digits = strspn(text, "01234567");
	if (digits == 0 || text[digits] != '\0' || digits > 8)
		return false;
	int value = 0;
	for (size_t i = 0; i < digits; i++)
		value = value * 8 + (text[i] - '0');
	if (value > 0777)
		return false;
	*mask = value;
	return true;
}

static bool parse_integer(const struct key *key, const char *text, int *field)
{
	int64_t number;
	if (!units_parse_integer(text, key->minimum, key->maximum, &number))
		return false;
	*field = (int)number;
	return true;
}

/* Kept in whole milliseconds, which is what durations are written in. */
static bool parse_duration(const char *text, int64_t *field)
{
	int64_t nanoseconds;
	if (!units_parse_duration(text, &nanoseconds))
		return false;
	*field = (nanoseconds + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC * NSEC_PER_MSEC;
	return true;
}

static bool parse_log_on_stop(const char *text, enum log_on_stop *field)
{
	bool keep = strcmp(text, "keep") == 0;
	*field = keep ? LOG_ON_STOP_KEEP : LOG_ON_STOP_DELETE;
	return keep || strcmp(text, "delete") == 0;
}

/* The kinds that are one scalar. */
static bool parse_scalar(const struct key *key, const char *text, struct definition *definition)
{
	void *field = key_fields(key, definition);
	switch (key->kind) {
	case KEY_TEXT:
		*(const char **)field = text;
		return true;
	case KEY_BOOLEAN:
		return units_parse_boolean(text, field);
	case KEY_INTEGER:
		return parse_integer(key, text, field);
	case KEY_NICE:
		definition->has_nice = true;
		return parse_integer(key, text, &definition->nice);
	case KEY_UMASK:
		return parse_umask(text, field);
	case KEY_SIGNAL:
		return units_parse_signal(text, field);
	case KEY_DURATION:
		return parse_duration(text, field);
	case KEY_LOG_ON_STOP:
		return parse_log_on_stop(text, field);
	default:
		return false;
	}
}

void value_read(const struct value_target *target, const struct key *key, const struct node *node)
{
	switch (key->kind) {
	case KEY_COMMAND:
		read_command(target, key, node);
		return;
	case KEY_TEXT_LIST:
		read_text_list(target, key, node);
		return;
	case KEY_ENVIRONMENT:
		read_environment(target, key, node);
		return;
	case KEY_LIMITS:
		read_limits(target, key, node);
		return;
	default:
		break;
	}
	const char *text = read_scalar(target, key->name, key->expected, node);
	if (text && !parse_scalar(key, text, target->definition))
		report_type(target, key->name, key->expected, node);
}

void value_set_defaults(struct definition *definition, struct arena *arena)
{
	*definition = (struct definition){ .umask = -1 };
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *key = key_at(i);
		if (key->default_text)
			parse_scalar(key, arena_strdup(arena, key->default_text), definition);
	}
}

bool value_read_boolean(const struct value_target *target, const char *name,
			const struct node *node, bool *value)
{
	const char *expected = "true or false";
	const char *text = read_scalar(target, name, expected, node);
	if (!text)
		return false;
	if (units_parse_boolean(text, value))
		return true;
	report_type(target, name, expected, node);
	return false;
}
