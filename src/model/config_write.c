#include "model/config.h"
#include "model/config_entry.h"
#include "model/yaml.h"

#include <string.h>

static void write_words(struct yaml_writer *writer, const struct key_value *value)
{
	yaml_write_begin_sequence(writer, YAML_STYLE_FLOW);
	for (size_t i = 0; i < value->count; i++)
		yaml_write_text(writer, value->words[i]);
	yaml_write_end_sequence(writer);
}

static void write_pairs(struct yaml_writer *writer, const struct key_value *value,
			enum config_environment environment)
{
	yaml_write_begin_mapping(writer, YAML_STYLE_BLOCK);
	for (size_t i = 0; i < value->count; i++) {
		yaml_write_text(writer, value->pairs[i].name);
		yaml_write_text(writer, environment == CONFIG_ENVIRONMENT_NAMES
					    ? ""
					    : value->pairs[i].value);
	}
	yaml_write_end_mapping(writer);
}

static void write_key(struct yaml_writer *writer, const struct key *key,
		      const struct key_value *value, enum config_environment environment)
{
	yaml_write_text(writer, key->name);
	if (value->kind == KEY_VALUE_WORDS)
		write_words(writer, value);
	else if (value->kind == KEY_VALUE_MAPPING)
		write_pairs(writer, value,
			    key->kind == KEY_ENVIRONMENT ? environment : CONFIG_ENVIRONMENT_VALUES);
	else
		yaml_write_text(writer, value->text);
}

void config_append_yaml(const struct definition *definition, enum config_environment environment,
			struct buffer *buffer)
{
	struct arena scratch = ARENA_INIT;
	struct yaml_writer *writer = yaml_writer_open(buffer);
	yaml_write_begin_mapping(writer, YAML_STYLE_BLOCK);
	yaml_write_text(writer, definition->name);
	yaml_write_begin_mapping(writer, YAML_STYLE_BLOCK);
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *key = key_at(i);
		struct key_value value;
		if (key_get(key, definition, &scratch, &value) &&
		    !key_value_is_default(key, &value))
			write_key(writer, key, &value, environment);
	}
	yaml_write_end_mapping(writer);
	yaml_write_end_mapping(writer);
	yaml_writer_close(writer);
	arena_release(&scratch);
}

/* The entry of a spec that is well-formed as YAML. */
static void read_spec(struct entry_list *list, const struct node *root, const char *name,
		      struct definition *definition)
{
	struct place start = { 1, 1 };
	struct definition builtin;
	struct entry entry = { .shown = problem_show(list->problems, name, strlen(name)) };
	entry.name = arena_strdup(list->arena, name);
	entry.place = start;
	if (root->kind != NODE_MAPPING || root->count != 1 ||
	    strcmp(root->pairs[0].key->text, name) != 0) {
		problem_add(list->problems, start, "not the record of '%s'", entry.shown);
		return;
	}
	entry_read(list, &entry, root->pairs[0].value, ENTRY_OF_SPEC);
	value_set_defaults(&builtin, list->arena);
	entry_overlay(list, &entry, &builtin);
	*definition = entry.definition;
	entry_settle(definition);
	if (!definition->shell_command && definition->command.count == 0)
		problem_add(list->problems, start, "there is no command");
}

int config_parse_spec(const char *text, size_t length, const char *name, struct arena *arena,
		      struct definition *definition, struct error *err)
{
	struct problem_list found = PROBLEM_LIST_INIT;
	struct message_list messages = MESSAGE_LIST_INIT;
	struct entry_list list = { .arena = arena, .problems = &found };
	struct arena scratch = ARENA_INIT;
	char *label CLEANUP_FREE = memory_printf("%s.spec", name);
	const struct node *root = NULL;
	if (length > CONFIG_SIZE_LIMIT)
		problem_add(&found, (struct place){ 1, 1 }, "larger than 4 MiB");
	else
		root = yaml_read(text, length,
				 (struct node_arenas){ .nodes = &scratch, .texts = arena }, &found);
	if (root)
		read_spec(&list, root, name, definition);
	arena_release(&scratch);
	int result = 0;
	problem_report(&found, label, &messages);
	if (messages.count > 0)
		result = error_set(err, ERROR_FAILED, "%s", messages.items[0].text);
	message_list_release(&messages);
	return result;
}
