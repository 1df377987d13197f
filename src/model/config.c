#include "model/config.h"

#include "base/file.h"
#include "base/text.h"
#include "model/config_check.h"
#include "model/config_entry.h"
#include "model/name.h"
#include "model/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

/* A pmo.yml while it is read. */
struct loader {
	struct config *config;
	struct entry_list entries;
	struct entry defaults;
	const struct node *settings; /* the name `pmo` */
	struct arena scratch;        /* of all that is needed only while the file is read */
	struct problem_list *problems;
};

static const char *show_node(struct loader *loader, const struct node *node)
{
	return problem_show(loader->problems, node->text, node->count);
}

static void read_setting(struct loader *loader, const struct node_pair *pair)
{
	static const char *const names[] = { "per_host", "defaults" };
	struct value_target target = { .entry = "pmo", .problems = loader->problems };
	const char *name = pair->key->text;
	if (strcmp(name, "per_host") == 0) {
		value_read_boolean(&target, name, pair->value, &loader->config->per_host);
	} else if (strcmp(name, "defaults") == 0) {
		loader->defaults.place = pair->key->place;
		entry_read(&loader->entries, &loader->defaults, pair->value, ENTRY_OF_DEFAULTS);
	} else {
		const char *near = text_suggest(name, names, ARRAY_LENGTH(names));
		problem_add(loader->problems, pair->key->place,
			    "unknown setting '%s' in 'pmo'%s%s%s", show_node(loader, pair->key),
			    near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	}
}

static void read_settings(struct loader *loader, const struct node_pair *pair)
{
	const struct node *value = pair->value;
	if (loader->settings) {
		problem_add(loader->problems, pair->key->place,
			    "'%s' and '%s' both hold the settings of the project",
			    show_node(loader, loader->settings), show_node(loader, pair->key));
		return;
	}
	loader->settings = pair->key;
	if (value->kind == NODE_MAPPING)
		for (size_t i = 0; i < value->count; i++)
			read_setting(loader, &value->pairs[i]);
	else if (value->kind != NODE_INVALID && !node_is_nothing(value))
		problem_add(loader->problems, value->place,
			    "'%s' holds the settings of the project and must be a mapping, not %s",
			    show_node(loader, pair->key), node_describe(value, loader->problems));
}

static void read_service(struct loader *loader, const struct node_pair *pair)
{
	const struct node *name = pair->key;
	struct entry_list *entries = &loader->entries;
	struct entry *entry = &entries->items[entries->count++];
	const char *problem = name_problem(name->text, name->count);
	entry->name = name->text;
	entry->place = name->place;
	/* a name without a problem is fit to be shown */
	entry->shown = problem ? show_node(loader, name) : name->text;
	if (problem)
		problem_add(loader->problems, name->place, "service name '%s' %s", entry->shown,
			    problem);
	*lookup_slot(&entries->names, name->text, name->count) = entry;
	entry_read(entries, entry, pair->value, ENTRY_OF_FILE);
}

static void read_root(struct loader *loader, const struct node *root)
{
	struct entry_list *entries = &loader->entries;
	if (root->kind != NODE_MAPPING) {
		if (root->kind != NODE_INVALID && !node_is_nothing(root))
			problem_add(loader->problems, root->place,
				    "expected a mapping of service names to commands, not %s",
				    node_describe(root, loader->problems));
		return;
	}
	entries->items = memory_zalloc(root->count, sizeof(*entries->items));
	lookup_init(&entries->names, &loader->scratch, root->count);
	for (size_t i = 0; i < root->count; i++) {
		const struct node_pair *pair = &root->pairs[i];
		if (strcasecmp(pair->key->text, "pmo") == 0)
			read_settings(loader, pair);
		else if (strncmp(pair->key->text, "x-", 2) != 0)
			read_service(loader, pair);
	}
}

/* An entry without a command that another one extends is a template. */
static bool is_service(struct loader *loader, const struct entry *entry)
{
	const struct definition *definition = &entry->definition;
	if (entry->state != ENTRY_RESOLVED)
		return false;
	if (definition->shell_command || definition->command.count > 0)
		return true;
	if (!entry->extended && !(entry->given & key_bit(key_find("cmd"))))
		problem_add(loader->problems, entry->place,
			    "'%s' has no command (add 'cmd', or extend it from another service)",
			    entry->shown);
	return false;
}

static void collect_services(struct loader *loader)
{
	struct config *config = loader->config;
	const struct entry_list *entries = &loader->entries;
	config->services = arena_alloc(&config->arena, entries->count * sizeof(*config->services));
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->items[i];
		if (!is_service(loader, entry))
			continue;
		struct definition *service = &config->services[config->service_count++];
		*service = entry->definition;
		entry_settle(service);
	}
}

static void read_config(struct loader *loader, const struct node *root)
{
	struct definition builtin;
	loader->defaults.name = loader->defaults.shown = "defaults";
	read_root(loader, root);
	value_set_defaults(&builtin, &loader->config->arena);
	entry_overlay(&loader->entries, &loader->defaults, &builtin);
	entry_resolve_all(&loader->entries, &loader->defaults.definition);
	collect_services(loader);
	config_check_files(&loader->entries);
	memory_cleanup_free(&loader->entries.items);
}

int config_parse(const char *text, size_t length, const char *label, struct config *config,
		 struct message_list *problems)
{
	struct problem_list found = PROBLEM_LIST_INIT;
	*config = (struct config){ 0 };
	if (length > CONFIG_SIZE_LIMIT) {
		message_add(problems, MESSAGE_ERROR, "'%s' is larger than 4 MiB", label);
		return -1;
	}
	struct loader loader = {
		.config = config,
		.entries = { .arena = &config->arena, .problems = &found },
		.problems = &found,
	};
	struct node_arenas arenas = { .nodes = &loader.scratch, .texts = &config->arena };
	const struct node *root = yaml_read(text, length, arenas, &found);
	if (root)
		read_config(&loader, root);
	arena_release(&loader.scratch);
	int result = found.count > 0 ? -1 : 0;
	problem_report(&found, label, problems);
	if (result < 0)
		config_release(config);
	return result;
}

static int report_file(struct message_list *problems, const char *label, int errnum)
{
	if (errnum == EFBIG)
		message_add(problems, MESSAGE_ERROR, "'%s' is larger than 4 MiB", label);
	else if (errnum == EISDIR)
		message_add(problems, MESSAGE_ERROR, "'%s' is a directory, not a file", label);
	else if (errnum == EINVAL)
		message_add(problems, MESSAGE_ERROR, "'%s' is not a regular file", label);
	else
		message_add(problems, MESSAGE_ERROR, "cannot read '%s': %s", label,
			    strerror(errnum));
	return -1;
}

int config_load(const char *path, const char *label, struct config *config,
		struct message_list *problems)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	*config = (struct config){ 0 };
	int result = file_read(AT_FDCWD, path, CONFIG_SIZE_LIMIT, &text);
	if (result < 0)
		return report_file(problems, label, -result);
	return config_parse(buffer_string(&text), text.length, label, config, problems);
}

void config_release(struct config *config)
{
	arena_release(&config->arena);
	*config = (struct config){ 0 };
}

const struct definition *config_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->service_count; i++)
		if (strcmp(config->services[i].name, name) == 0)
			return &config->services[i];
	return NULL;
}
