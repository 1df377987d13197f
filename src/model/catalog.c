#include "model/catalog.h"

#include "base/text.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Where NAME stands in the sorted NAMES, or NULL. */
static const char *const *names_find(const char *const *names, size_t count, const char *name)
{
	return count ? bsearch(&name, names, count, sizeof(*names), compare_strings) : NULL;
}

/* The names of pmo.yml's services, sorted, for the caller to free. */
static const char **configured_names(const struct config *config)
{
	const char **names = memory_zalloc(config->service_count, sizeof(*names));
	for (size_t i = 0; i < config->service_count; i++)
		names[i] = config->services[i].name;
	qsort(names, config->service_count, sizeof(*names), compare_strings);
	return names;
}

static void add_configured(struct catalog *catalog, const struct config *config)
{
	const char *const *recorded = (const char *const *)catalog->recorded.items;
	for (size_t i = 0; i < config->service_count; i++) {
		struct catalog_entry *entry = &catalog->entries[catalog->count++];
		entry->id = catalog->count;
		entry->name = config->services[i].name;
		entry->configured = true;
		entry->definition = &config->services[i];
		const char *const *found =
		    names_find(recorded, catalog->recorded.count, entry->name);
		entry->recorded = found != NULL;
		entry->files = found ? catalog->recorded.files[found - recorded] : 0;
	}
}

static void add_recorded(struct catalog *catalog, size_t index)
{
	const char *name = catalog->recorded.items[index];
	struct catalog_entry *entry = &catalog->entries[catalog->count++];
	entry->id = catalog->count;
	entry->name = name;
	entry->recorded = true;
	entry->files = catalog->recorded.files[index];
	struct definition *definition = arena_alloc(&catalog->arena, sizeof(*definition));
	if (state_read_spec(catalog->state, name, &catalog->arena, definition, NULL) == 0)
		entry->definition = definition;
}

int catalog_build(struct catalog *catalog, const struct config *config, const struct state *state,
		  struct error *err)
{
	static const struct config nothing;
	*catalog = (struct catalog){ .ids_valid = config != NULL, .state = state };
	if (state_list(state, &catalog->recorded, err) < 0)
		return -1;
	const struct config *known = config ? config : &nothing;
	const struct state_names *recorded = &catalog->recorded;
	catalog->entries =
	    memory_zalloc(known->service_count + recorded->count, sizeof(*catalog->entries));
	add_configured(catalog, known);
	const char **names CLEANUP_FREE = recorded->count ? configured_names(known) : NULL;
	for (size_t i = 0; i < recorded->count; i++)
		if (!names_find(names, known->service_count, recorded->items[i]))
			add_recorded(catalog, i);
	return 0;
}

void catalog_release(struct catalog *catalog)
{
	free(catalog->entries);
	state_names_release(&catalog->recorded);
	arena_release(&catalog->arena);
	*catalog = (struct catalog)CATALOG_INIT;
}

const struct catalog_entry *catalog_find(const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (strcmp(catalog->entries[i].name, name) == 0)
			return &catalog->entries[i];
	return NULL;
}

static bool entry_is_intended(const struct catalog *catalog, const struct catalog_entry *entry)
{
	struct record record;
	if (!entry->configured || !entry->recorded)
		return false;
	state_read_identity(catalog->state, entry->name, &record);
	return record.intent;
}

static bool entry_in_all(const struct catalog *catalog, const struct catalog_entry *entry,
			 enum select_all all)
{
	switch (all) {
	case SELECT_ALL_AUTOSTART:
		return entry->configured && entry->definition->autostart;
	case SELECT_ALL_RECORDED:
		return entry->recorded;
	case SELECT_ALL_INTENDED:
		return entry_is_intended(catalog, entry);
	case SELECT_ALL_CONFIGURED:
		return entry->configured;
	case SELECT_ALL_KNOWN:
		break;
	}
	return true;
}

static void mark_all(const struct catalog *catalog, enum select_all all, bool *chosen)
{
	for (size_t i = 0; i < catalog->count; i++)
		chosen[i] = chosen[i] || entry_in_all(catalog, &catalog->entries[i], all);
}

static const char *entry_namespace(const struct catalog_entry *entry)
{
	return entry->definition ? entry->definition->namespace_name : "default";
}

/* For what works on pmo.yml's services a namespace has no others, as `all` has none. */
static bool only_configured(enum select_all all)
{
	return all == SELECT_ALL_AUTOSTART || all == SELECT_ALL_INTENDED ||
	       all == SELECT_ALL_CONFIGURED;
}

static int mark_namespace(const struct catalog *catalog, const char *name, enum select_all all,
			  bool *chosen, struct message_list *messages)
{
	const char **known CLEANUP_FREE = memory_zalloc(catalog->count, sizeof(*known));
	size_t matches = 0;
	size_t known_count = 0;
	for (size_t i = 0; i < catalog->count; i++) {
		if (only_configured(all) && !catalog->entries[i].configured)
			continue;
		const char *namespace_name = entry_namespace(&catalog->entries[i]);
		known[known_count++] = namespace_name;
		if (strcmp(namespace_name, name) != 0)
			continue;
		chosen[i] = true;
		matches++;
	}
	if (matches)
		return 0;
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, name, strlen(name));
	const char *nearest = text_suggest(name, known, known_count);
	if (nearest)
		message_add(messages, MESSAGE_ERROR,
			    "no service in namespace '%s' (did you mean '@%s'?)",
			    buffer_string(&shown), nearest);
	else
		message_add(messages, MESSAGE_ERROR, "no service in namespace '%s'",
			    buffer_string(&shown));
	return -1;
}

static int mark_id(const struct catalog *catalog, const char *spec, bool *chosen,
		   struct message_list *messages)
{
	int64_t id;
	if (catalog->ids_valid && units_parse_integer(spec, 1, (int64_t)catalog->count, &id)) {
		chosen[id - 1] = true;
		return 0;
	}
	if (!catalog->ids_valid)
		message_add(messages, MESSAGE_ERROR,
			    "id '%s' means nothing while pmo.yml cannot be read: use the name",
			    spec);
	else
		message_add(messages, MESSAGE_ERROR, "no service with id '%s' (there are %zu)",
			    spec, catalog->count);
	return -1;
}

static int mark_name(const struct catalog *catalog, const char *spec, bool *chosen,
		     struct message_list *messages)
{
	const struct catalog_entry *entry = catalog_find(catalog, spec);
	if (entry) {
		chosen[entry - catalog->entries] = true;
		return 0;
	}
	const char **names CLEANUP_FREE = memory_zalloc(catalog->count, sizeof(*names));
	for (size_t i = 0; i < catalog->count; i++)
		names[i] = catalog->entries[i].name;
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, spec, strlen(spec));
	const char *nearest = text_suggest(spec, names, catalog->count);
	if (nearest)
		message_add(messages, MESSAGE_ERROR, "no service '%s' (did you mean '%s'?)",
			    buffer_string(&shown), nearest);
	else
		message_add(messages, MESSAGE_ERROR, "no service '%s'", buffer_string(&shown));
	return -1;
}

static bool is_number(const char *spec)
{
	return *spec && spec[strspn(spec, "0123456789")] == '\0';
}

static int mark_spec(const struct catalog *catalog, const char *spec, enum select_all all,
		     bool *chosen, struct message_list *messages)
{
	if (strcmp(spec, "all") == 0) {
		mark_all(catalog, all, chosen);
		return 0;
	}
	if (spec[0] == '@')
		return mark_namespace(catalog, spec + 1, all, chosen, messages);
	if (is_number(spec))
		return mark_id(catalog, spec, chosen, messages);
	return mark_name(catalog, spec, chosen, messages);
}

int catalog_select(const struct catalog *catalog, char *const *specs, size_t count,
		   enum select_all all, struct selection *selection, struct message_list *messages)
{
	int result = 0;
	bool *chosen CLEANUP_FREE = memory_zalloc(catalog->count, sizeof(*chosen));
	for (size_t i = 0; i < count; i++)
		if (mark_spec(catalog, specs[i], all, chosen, messages) < 0)
			result = -1;
	*selection = (struct selection){ 0 };
	selection->entries = memory_zalloc(catalog->count, sizeof(struct catalog_entry *));
	for (size_t i = 0; i < catalog->count; i++)
		if (chosen[i])
			selection->entries[selection->count++] = &catalog->entries[i];
	return result;
}

void selection_release(struct selection *selection)
{
	free(selection->entries);
	*selection = (struct selection){ 0 };
}
