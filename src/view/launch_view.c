#include "view/launch_view.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char mask[] = "'****'";

/* One launch on its way into a buffer. */
struct launch_view {
	const struct launch *launch;
	const struct environment *dotenv;
	enum launch_secrets secrets;
	size_t hidden;
	struct buffer *buffer;
};

static bool holds_value_of(const char *text, const struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++) {
		const char *value = strchr(environment->entries[i], '=') + 1;
		if (*value && strstr(text, value))
			return true;
	}
	return false;
}

/* A text of pmo.yml, as WRITTEN there and as EXPANDED, that took something from a file of
 * variables. */
static bool gives_away(const struct launch_view *view, const char *written, const char *expanded)
{
	return strcmp(written, expanded) != 0 &&
	       (holds_value_of(expanded, view->dotenv) ||
		holds_value_of(expanded, &view->launch->file_added));
}

static const char *written_value(const struct definition *definition, const char *name)
{
	const char *value = "";
	for (size_t i = 0; i < definition->env_count; i++)
		if (strcmp(definition->env[i].name, name) == 0)
			value = definition->env[i].value;
	return value;
}

static void append_text(struct launch_view *view, const char *text, bool secret)
{
	if (secret && view->secrets == LAUNCH_SECRETS_HIDDEN) {
		buffer_append(view->buffer, mask, sizeof(mask) - 1);
		view->hidden++;
	} else {
		definition_append_quoted(view->buffer, text);
	}
}

static void append_variable(struct launch_view *view, const char *name, size_t name_length)
{
	const struct launch *launch = view->launch;
	const char *value = environment_get_bounded(&launch->environment, name, name_length);
	const char *configured = environment_get_bounded(&launch->config_added, name, name_length);
	char *key CLEANUP_FREE = memory_strndup(name, name_length);
	if (!value)
		return;
	bool secret =
	    !configured || gives_away(view, written_value(launch->definition, key), configured);
	buffer_append_char(view->buffer, ' ');
	/* env(1) takes any name, and a name that sh(1) would read differently is quoted */
	definition_append_quoted(view->buffer, key);
	buffer_append_char(view->buffer, '=');
	append_text(view, value, secret);
}

static void append_variables(struct launch_view *view)
{
	const struct launch *launch = view->launch;
	const struct environment *sources[] = { view->dotenv, &launch->file_added,
						&launch->config_added };
	struct environment seen = ENVIRONMENT_INIT;
	for (size_t source = 0; source < ARRAY_LENGTH(sources); source++) {
		for (size_t i = 0; i < sources[source]->count; i++) {
			const char *name = sources[source]->entries[i];
			size_t length = strcspn(name, "=");
			if (environment_get_bounded(&seen, name, length))
				continue;
			if (seen.count == 0)
				buffer_append_string(view->buffer, "env");
			append_variable(view, name, length);
			char *key CLEANUP_FREE = memory_strndup(name, length);
			environment_set(&seen, key, "");
		}
	}
	if (seen.count > 0)
		buffer_append_char(view->buffer, ' ');
	environment_release(&seen);
}

static void append_arguments(struct launch_view *view)
{
	const struct launch *launch = view->launch;
	const struct definition *definition = launch->definition;
	for (size_t i = 0; launch->arguments[i]; i++) {
		const char *argument = launch->arguments[i];
		bool secret = !definition->shell_command &&
			      gives_away(view, definition->command.items[i], argument);
		if (i > 0)
			buffer_append_char(view->buffer, ' ');
		append_text(view, argument, secret);
	}
}

static void append_property(struct buffer *buffer, const char *name, const char *value)
{
	if (value)
		buffer_printf(buffer, "%s %s %s", buffer->length ? "," : ":", name, value);
}

/* "# web: user www, umask 022": what a line of shell cannot say in short. */
static void append_comment(const struct launch *launch, struct buffer *buffer)
{
	const struct definition *definition = launch->definition;
	struct buffer properties CLEANUP_BUFFER = BUFFER_INIT;
	char number[24];
	append_property(&properties, "user", definition->user);
	append_property(&properties, "group", definition->group);
	if (definition->umask >= 0) {
		snprintf(number, sizeof(number), "%03o", (unsigned int)definition->umask);
		append_property(&properties, "umask", number);
	}
	if (definition->has_nice) {
		snprintf(number, sizeof(number), "%d", definition->nice);
		append_property(&properties, "nice", number);
	}
	for (size_t i = 0; i < definition->limit_count; i++)
		append_property(&properties, "limit", definition->limits[i].name);
	buffer_append(buffer, "# ", 2);
	text_append_visible(buffer, definition->name, strlen(definition->name));
	text_append_visible(buffer, buffer_string(&properties), properties.length);
	buffer_append_char(buffer, '\n');
}

size_t launch_view_append(const struct launch *launch, const struct launcher *launcher,
			  enum launch_secrets secrets, const struct output *output,
			  struct buffer *buffer)
{
	struct buffer line CLEANUP_BUFFER = BUFFER_INIT;
	struct launch_view view = { launch, &launcher->dotenv, secrets, 0, &line };
	buffer_append_string(&line, "cd ");
	definition_append_quoted(&line, launch->directory);
	buffer_append_string(&line, " && ");
	append_variables(&view);
	append_arguments(&view);
	append_comment(launch, buffer);
	if (output->terminal)
		text_append_visible_lines(buffer, buffer_string(&line));
	else
		buffer_append(buffer, buffer_string(&line), line.length);
	buffer_append_char(buffer, '\n');
	return view.hidden;
}
