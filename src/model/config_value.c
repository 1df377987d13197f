#include "model/config_value.h"

#include "base/text.h"
#include "base/units.h"
#include "model/config_scalar.h"
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

/* `true` is the directory that the service runs in. */
static void read_watch(const struct value_target *target, const struct key *key,
		       const struct node *node)
{
	struct string_list *list = key_fields(key, target->definition);
	bool here;
	read_text_list(target, key, node);
	if (node->kind != NODE_SCALAR || list->count == 0 ||
	    !units_parse_boolean(list->items[0], &here))
		return;
	list->items[0] = ".";
	list->count = here ? 1 : 0;
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

static void report_unknown_hook(const struct value_target *target, const struct node *name)
{
	const char *names[HOOK_COUNT + 1];
	for (int kind = 0; kind < HOOK_COUNT; kind++)
		names[kind] = hook_kind_name((enum hook_kind)kind);
	names[HOOK_COUNT] = "timeout";
	const char *near = text_suggest(name->text, names, ARRAY_LENGTH(names));
	problem_add(target->problems, name->place, "unknown hook '%s' in '%s'%s%s%s",
		    problem_show(target->problems, name->text, name->count), target->entry,
		    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

/* Never 0: what runs before a start or a stop must not hold it up for ever. */
static void read_hook_timeout(const struct value_target *target, const struct node *node)
{
	static const char expected[] = "a duration like 500ms, 30s or 2m, not below 1ms";
	int64_t *timeout_ns = &target->definition->hooks.timeout_ns;
	const char *text = read_scalar(target, "timeout", expected, node);
	if (text && (!scalar_parse_duration(text, timeout_ns) || *timeout_ns == 0))
		report_type(target, "timeout", expected, node);
}

static void read_hook(const struct value_target *target, const struct node_pair *pair)
{
	const char *name = pair->key->text;
	int kind = 0;
	if (strcmp(name, "timeout") == 0) {
		read_hook_timeout(target, pair->value);
		return;
	}
	while (kind < HOOK_COUNT && strcmp(hook_kind_name((enum hook_kind)kind), name) != 0)
		kind++;
	if (kind == HOOK_COUNT) {
		report_unknown_hook(target, pair->key);
		return;
	}
	const char *text = read_scalar(target, name, "a command of the shell", pair->value);
	if (text && text[strspn(text, " \t\n")] == '\0')
		report_empty(target, name, pair->value);
	target->definition->hooks.commands[kind] = text;
}

static void read_hooks(const struct value_target *target, const struct key *key,
		       const struct node *node)
{
	target->definition->hooks.timeout_ns = DEFINITION_HOOK_TIMEOUT_NS;
	if (node_is_nothing(node))
		return;
	if (node->kind != NODE_MAPPING) {
		report_type(target, key->name, key->expected, node);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		read_hook(target, &node->pairs[i]);
}

static void read_one_text(const struct value_target *target, const struct key *key,
			  const struct node *node)
{
	const char *text = read_scalar(target, key->name, key->expected, node);
	if (!text || scalar_parse(key, text, target->definition))
		return;
	const struct key_choice *choice =
	    key->kind == KEY_CHOICE ? key_choice_find(key, text) : NULL;
	if (choice)
		problem_add(target->problems, node->place, "'%s' in '%s' must be %s, not '%s' (%s)",
			    key->name, target->entry, key->expected, choice->name, choice->hint);
	else
		report_type(target, key->name, key->expected, node);
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
	case KEY_HOOKS:
		read_hooks(target, key, node);
		return;
	case KEY_WATCH:
		read_watch(target, key, node);
		return;
	default:
		read_one_text(target, key, node);
		return;
	}
}

void value_set_defaults(struct definition *definition, struct arena *arena)
{
	*definition = (struct definition){
		.umask = -1,
		.hooks.timeout_ns = DEFINITION_HOOK_TIMEOUT_NS,
	};
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *key = key_at(i);
		if (key->default_text)
			scalar_parse(key, arena_strdup(arena, key->default_text), definition);
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
