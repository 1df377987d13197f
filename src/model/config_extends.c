#include "base/text.h"
#include "base/units.h"
#include "model/config_entry.h"

#include <string.h>
#include <strings.h>

enum {
	FEW_VARIABLES = 16,          /* up to so many, comparing is faster than a table */
	MOST_SUGGESTIONS = 16,       /* names; each one is held against all others */
	MOST_MERGED_VALUES = 1000000 /* variables: 16 MB */
};

static bool find_variable(const struct variable *variables, size_t count, const char *name,
			  size_t *position)
{
	for (*position = 0; *position < count; ++*position)
		if (strcmp(variables[*position].name, name) == 0)
			return true;
	return false;
}

/* Join a few variables to many, or many to few: each with each. */
static size_t join_few(struct variable *joined, size_t count, const struct variable *own,
		       size_t own_count)
{
	size_t below_count = count;
	for (size_t i = 0; i < own_count; i++) {
		size_t position;
		if (find_variable(joined, below_count, own[i].name, &position))
			joined[position].value = own[i].value;
		else
			joined[count++] = own[i];
	}
	return count;
}

static size_t join_many(struct variable *joined, size_t count, const struct variable *own,
			size_t own_count)
{
	struct arena scratch = ARENA_INIT;
	struct lookup names;
	lookup_init(&names, &scratch, count);
	for (size_t i = 0; i < count; i++)
		*lookup_slot(&names, joined[i].name, strlen(joined[i].name)) = &joined[i];
	for (size_t i = 0; i < own_count; i++) {
		struct variable *below = lookup_find(&names, own[i].name, strlen(own[i].name));
		if (below)
			below->value = own[i].value;
		else
			joined[count++] = own[i];
	}
	arena_release(&scratch);
	return count;
}

/* The variables of BELOW, with the values that OWN gives them, then the new ones of OWN. */
static void join_environment(struct entry_list *list, struct entry *own,
			     const struct definition *below)
{
	struct definition *definition = &own->definition;
	size_t count = below->env_count;
	size_t room = count + definition->env_count;
	if (definition->env_count == 0 || count == 0) {
		definition->env = count ? below->env : definition->env;
		definition->env_count = room;
		return;
	}
	list->merged_values += room;
	if (list->merged_values > MOST_MERGED_VALUES) {
		if (list->merged_values - room <= MOST_MERGED_VALUES)
			problem_add(list->problems, own->place,
				    "'env' of '%s' and of the entries before it come to more than "
				    "%d variables",
				    own->shown, (int)MOST_MERGED_VALUES);
		return;
	}
	struct variable *joined = arena_alloc(list->arena, room * sizeof(*joined));
	memcpy(joined, below->env, count * sizeof(*joined));
	definition->env_count =
	    (count <= FEW_VARIABLES ? join_few : join_many)(joined, count, definition->env,
							    definition->env_count);
	definition->env = joined;
}

/* The entry that gives one of the two is to blame, not those that inherit them. */
static void check_delays(struct entry_list *list, const struct entry *own)
{
	const struct definition *definition = &own->definition;
	char delay[32];
	char limit[32];
	if (definition->restart_delay_ns <= definition->restart_delay_max_ns)
		return;
	uint64_t maximum = key_bit(key_find("restart_delay_max"));
	if (!(own->given & maximum) &&
	    (definition->restart_delay_max_ns == DEFINITION_RESTART_DELAY_MAX_NS ||
	     !(own->given & key_bit(key_find("restart_delay")))))
		return;
	units_format_duration_exact(definition->restart_delay_ns, delay, sizeof(delay));
	units_format_duration_exact(definition->restart_delay_max_ns, limit, sizeof(limit));
	problem_add(list->problems, own->place,
		    "'restart_delay' of '%s' is %s, longer than its 'restart_delay_max' of %s",
		    own->shown, delay, limit);
}

void entry_overlay(struct entry_list *list, struct entry *own, const struct definition *below)
{
	struct definition result = *below;
	result.name = own->name;
	for (uint64_t rest = own->given; rest; rest &= rest - 1) {
		const struct key *key = key_at((size_t)__builtin_ctzll(rest));
		if (key->size == 0)
			continue;
		if (key->kind == KEY_ENVIRONMENT)
			join_environment(list, own, below);
		memcpy(key_fields(key, &result), key_fields(key, &own->definition), key->size);
	}
	own->definition = result;
	check_delays(list, own);
}

void entry_settle(struct definition *definition)
{
	if (definition->restart_delay_max_ns < definition->restart_delay_ns)
		definition->restart_delay_max_ns = definition->restart_delay_ns;
}

static const char *suggest_name(struct entry_list *list, const char *name)
{
	if (list->suggestions++ >= MOST_SUGGESTIONS)
		return NULL;
	const char **names CLEANUP_FREE = memory_zalloc(list->count, sizeof(*names));
	for (size_t i = 0; i < list->count; i++)
		names[i] = list->items[i].name;
	return text_suggest(name, names, list->count);
}

static void report_no_parent(struct entry_list *list, const struct entry *entry)
{
	const struct node *wanted = entry->extends;
	const char *shown = problem_show(list->problems, wanted->text, wanted->count);
	if (strcasecmp(wanted->text, "pmo") == 0) {
		problem_add(list->problems, wanted->place,
			    "'%s' extends '%s', which holds the settings of the project",
			    entry->shown, shown);
		return;
	}
	if (strncmp(wanted->text, "x-", 2) == 0) {
		problem_add(list->problems, wanted->place,
			    "'%s' extends '%s', but entries that start with 'x-' are ignored",
			    entry->shown, shown);
		return;
	}
	const char *near = suggest_name(list, wanted->text);
	problem_add(list->problems, wanted->place, "'%s' extends '%s', which does not exist%s%s%s",
		    entry->shown, shown, near ? " (did you mean '" : "",
		    near ? problem_show(list->problems, near, strlen(near)) : "",
		    near ? "'?)" : "");
}

static void link_parent(struct entry_list *list, struct entry *entry)
{
	if (!entry->extends)
		return;
	entry->parent = lookup_find(&list->names, entry->extends->text, entry->extends->count);
	if (entry->parent) {
		entry->parent->extended = true;
		return;
	}
	report_no_parent(list, entry);
	entry->state = ENTRY_BROKEN;
}

/* ENTRY is on its own way up. */
static void report_cycle(struct entry_list *list, struct entry *entry)
{
	struct buffer path CLEANUP_BUFFER = BUFFER_INIT;
	const struct entry *step = entry;
	do {
		buffer_printf(&path, "%s -> ", step->shown);
		step = step->parent;
	} while (step != entry);
	buffer_append_string(&path, entry->shown);
	problem_add(list->problems, entry->extends->place, "'%s' extends itself: %s", entry->shown,
		    buffer_string(&path));
}

/* Walk up to what is resolved, or to nothing more, and come back down: not by recursion, because
 * a file can hold a chain of any length. */
static void resolve(struct entry_list *list, struct entry *entry, struct entry **path,
		    const struct definition *defaults)
{
	size_t length = 0;
	for (; entry && entry->state == ENTRY_READ; entry = entry->parent) {
		entry->state = ENTRY_VISITED;
		path[length++] = entry;
	}
	if (entry && entry->state == ENTRY_VISITED)
		report_cycle(list, entry);
	bool broken = entry && entry->state != ENTRY_RESOLVED;
	while (length > 0) {
		struct entry *own = path[--length];
		own->state = broken ? ENTRY_BROKEN : ENTRY_RESOLVED;
		if (!broken)
			entry_overlay(list, own, own->parent ? &own->parent->definition : defaults);
	}
}

void entry_resolve_all(struct entry_list *list, const struct definition *defaults)
{
	struct entry **path CLEANUP_FREE = memory_zalloc(list->count, sizeof(struct entry *));
	list->suggestions = 0;
	for (size_t i = 0; i < list->count; i++)
		link_parent(list, &list->items[i]);
	for (size_t i = 0; i < list->count; i++)
		resolve(list, &list->items[i], path, defaults);
}
