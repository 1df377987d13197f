#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "service/launch.h"
#include "view/json.h"
#include "view/style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_names(const void *left, const void *right)
{
	const char *a = *(const char *const *)left;
	const char *b = *(const char *const *)right;
	for (; *a == *b && *a != '='; a++, b++)
		;
	/* the name that ends first comes first */
	return (*a == '=' ? 0 : (unsigned char)*a) - (*b == '=' ? 0 : (unsigned char)*b);
}

/* A value of several lines is quoted, and so is one that would look quoted: a reader can tell where
 * each variable ends. */
static void append_value(struct buffer *buffer, const char *value)
{
	if (*value == '\'' || strchr(value, '\n'))
		definition_append_quoted(buffer, value);
	else
		buffer_append_string(buffer, value);
}

static void append_text(struct buffer *buffer, const struct environment *environment)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct buffer value CLEANUP_BUFFER = BUFFER_INIT;
	for (size_t i = 0; i < environment->count; i++) {
		const char *entry = environment->entries[i];
		size_t name_size = strcspn(entry, "=") + 1;
		text_append_visible(buffer, entry, name_size);
		buffer_clear(&value);
		append_value(&value, entry + name_size);
		if (terminal)
			text_append_visible_lines(buffer, buffer_string(&value));
		else
			buffer_append(buffer, buffer_string(&value), value.length);
		buffer_append_char(buffer, '\n');
	}
}

static void append_json(struct buffer *buffer, const struct environment *environment)
{
	struct json json = JSON_INIT(buffer);
	json_begin_object(&json);
	for (size_t i = 0; i < environment->count; i++) {
		const char *entry = environment->entries[i];
		size_t length = strcspn(entry, "=");
		char *name CLEANUP_FREE = memory_strndup(entry, length);
		json_key(&json, name);
		json_string(&json, entry + length + 1);
	}
	json_end_object(&json);
	json_finish(&json);
}

static int show_environment(const struct launch *launch, const struct arguments *arguments,
			    struct error *err)
{
	/* a copy of the pointers: the block itself keeps its order */
	struct environment sorted = launch->environment;
	size_t size = sorted.count * sizeof(*sorted.entries);
	char **entries CLEANUP_FREE = memory_alloc(size);
	if (size > 0)
		memcpy(entries, sorted.entries, size);
	sorted.entries = entries;
	qsort(entries, sorted.count, sizeof(*entries), compare_names);
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (arguments_has(arguments, "json"))
		append_json(&text, &sorted);
	else
		append_text(&text, &sorted);
	return output_write(&text, err);
}

static int prepare_and_show(struct context *context, const struct arguments *arguments,
			    const struct definition *definition, struct error *err)
{
	struct launcher launcher;
	struct launch launch;
	if (launcher_open(&launcher, &context->project, &context->messages, err) < 0)
		return -1;
	int result = launch_prepare(&launch, &launcher, definition, err);
	error_prefix(err, "'%s'", definition->name);
	report_messages(context);
	if (result == 0) {
		/* even if .env sets it, a start gives a new one */
		environment_unset(&launch.environment, "PMO_RUN");
		result = show_environment(&launch, arguments, err);
		launch_release(&launch);
	}
	launcher_close(&launcher);
	return result;
}

/* The one service that the operand names, or NULL with an error. */
static const struct catalog_entry *only_service(const struct context *context,
						const struct arguments *arguments,
						const struct selection *selection,
						struct error *err)
{
	if (selection->count != 1) {
		error_set(err, ERROR_USAGE, "'%s' selects %zu services: name exactly one",
			  arguments->operands[0], selection->count);
		return NULL;
	}
	if (!selection->entries[0]->configured) {
		error_set(err, ERROR_NO_SERVICE,
			  "'%s' is not in %s any more: its environment is not known",
			  selection->entries[0]->name, context->project.label);
		return NULL;
	}
	return selection->entries[0];
}

static int run_env(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	if (arguments->operand_count == 0)
		return report_one_needed(context, &command_env);
	if (arguments->operand_count > 1) {
		error_set(&err, ERROR_USAGE, "env takes exactly one SERVICE, not %zu",
			  arguments->operand_count);
		return report_error(&err);
	}
	struct selection selection;
	int status = report_selection(context, arguments, SELECT_ALL_CONFIGURED, &selection);
	if (status == 0) {
		const struct catalog_entry *entry =
		    only_service(context, arguments, &selection, &err);
		if (!entry || prepare_and_show(context, arguments, entry->definition, &err) < 0) {
			report_messages(context);
			status = report_error(&err);
		}
	}
	selection_release(&selection);
	return status;
}

static const struct option_spec options[] = {
	{ 0, "json", NULL, "one JSON object" },
	{ 0 },
};

const struct command command_env = {
	.name = "env",
	.operands = "SERVICE",
	.summary = "print the environment of a service",
	.details =
	    "Every variable that the next start would give it, sorted, one NAME=value a line:\n"
	    "pmo's own environment, .env, env_file, env, and what pmo sets but for PMO_RUN,\n"
	    "which is new for each start. A value of several lines is quoted for the shell.",
	.options = options,
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_env,
};
