#include "base/clock.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "model/keys.h"
#include "view/json.h"
#include "view/style.h"

static void write_words(struct json *json, const struct key_value *value)
{
	json_begin_array(json);
	for (size_t i = 0; i < value->count; i++)
		json_string(json, value->words[i]);
	json_end_array(json);
}

static void write_pairs(struct json *json, const struct key_value *value)
{
	json_begin_object(json);
	for (size_t i = 0; i < value->count; i++) {
		json_key(json, value->pairs[i].name);
		json_string(json, value->pairs[i].value);
	}
	json_end_object(json);
}

static void write_value(struct json *json, const struct key_value *value)
{
	switch (value->kind) {
	case KEY_VALUE_TEXT:
		json_string(json, value->text);
		return;
	case KEY_VALUE_WORDS:
		write_words(json, value);
		return;
	case KEY_VALUE_BOOLEAN:
		json_boolean(json, value->number != 0);
		return;
	case KEY_VALUE_INTEGER:
		json_integer(json, value->number);
		return;
	case KEY_VALUE_DURATION:
		json_number(json, (double)value->number / (double)NSEC_PER_SEC);
		return;
	case KEY_VALUE_MAPPING:
		write_pairs(json, value);
		return;
	}
}

/* Every key that has a value, also at its default. */
static void write_service(struct json *json, const struct definition *definition)
{
	struct arena scratch = ARENA_INIT;
	json_key(json, definition->name);
	json_begin_object(json);
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *key = key_at(i);
		struct key_value value;
		if (key_get(key, definition, &scratch, &value)) {
			json_key(json, key->name);
			write_value(json, &value);
		}
	}
	json_end_object(json);
	arena_release(&scratch);
}

static void append_json(struct buffer *buffer, const struct selection *selection,
			const struct config *settings)
{
	struct json json = JSON_INIT(buffer);
	json_begin_object(&json);
	if (settings && settings->per_host) {
		json_key(&json, "pmo");
		json_begin_object(&json);
		json_key(&json, "per_host");
		json_boolean(&json, true);
		json_end_object(&json);
	}
	for (size_t i = 0; i < selection->count; i++)
		write_service(&json, selection->entries[i]->definition);
	json_end_object(&json);
	json_finish(&json);
}

static void append_yaml(struct buffer *buffer, const struct selection *selection,
			const struct config *settings)
{
	if (settings && settings->per_host)
		buffer_append_string(buffer, "pmo:\n  per_host: true\n");
	for (size_t i = 0; i < selection->count; i++)
		config_append_yaml(selection->entries[i]->definition, CONFIG_ENVIRONMENT_VALUES,
				   buffer);
}

static int run_config(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct selection selection = { 0 };
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int status =
	    report_configured_selection(context, arguments, SELECT_ALL_CONFIGURED, &selection);
	/* they are no part of any one service */
	const struct config *settings = arguments->operand_count ? NULL : &context->project.config;
	if (arguments_has(arguments, "json"))
		append_json(&text, &selection, settings);
	else
		append_yaml(&text, &selection, settings);
	selection_release(&selection);
	if (output_write(&text, &err) < 0)
		return report_error(&err);
	return status;
}

const struct command command_config = {
	.name = "config",
	.operands = "[SERVICE...]",
	.summary = "print the resolved configuration",
	.details = "Shows what pmo.yml says after 'extends', merge keys and defaults are applied.\n"
		   "The YAML leaves out keys at their default; the JSON has them all. Both can be\n"
		   "read back as a pmo.yml.",
	.options =
	    (const struct option_spec[]){
		{ 0, "json", NULL, "print JSON instead of YAML" },
		{ 0 },
	    },
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_config,
};
