#include "cli/help.h"

#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "view/style.h"

#include <string.h>

const struct option_spec help_global_options[] = {
	{ 'f', "file", "FILE", "use FILE instead of pmo.yml ($PMO_FILE)" },
	{ 'C', "directory", "DIR", "change to DIR first" },
	{ 0, "no-color", NULL, "no colours, not even on a terminal ($NO_COLOR)" },
	{ 'h', "help", NULL, "show this help, or that of the command" },
	{ 'V', "version", NULL, "show the version" },
	{ 0 },
};

static const struct option_spec command_help_options[] = {
	{ 'h', "help", NULL, "show this help" },
	{ 0 },
};

static void append_option_usage(struct buffer *buffer, const struct option_spec *option)
{
	if (!option->help)
		return;
	if (option->short_name)
		buffer_printf(buffer, " [-%c", option->short_name);
	else
		buffer_printf(buffer, " [--%s", option->long_name);
	if (option->argument)
		buffer_printf(buffer, " %s", option->argument);
	buffer_append_char(buffer, ']');
}

void help_usage(struct buffer *buffer, const struct command *command)
{
	buffer_printf(buffer, "pmo %s", command->name);
	for (const struct option_spec *option = command->options; option && option->long_name;
	     option++)
		append_option_usage(buffer, option);
	if (command->operands && *command->operands)
		buffer_printf(buffer, " %s", command->operands);
}

/* "-s, --signal SIG", in the column that all options share. */
static void append_option(struct buffer *buffer, const struct option_spec *option)
{
	if (!option->help)
		return;
	struct buffer left CLEANUP_BUFFER = BUFFER_INIT;
	if (option->short_name)
		buffer_printf(&left, "-%c, ", option->short_name);
	else
		buffer_append_string(&left, "    ");
	buffer_printf(&left, "--%s", option->long_name);
	if (option->argument)
		buffer_printf(&left, " %s", option->argument);
	buffer_printf(buffer, "  %-19s  %s\n", buffer_string(&left), option->help);
}

static void append_options(struct buffer *buffer, const struct option_spec *options)
{
	for (const struct option_spec *option = options; option && option->long_name; option++)
		append_option(buffer, option);
}

static void append_aliases(struct buffer *buffer, const struct command *command)
{
	for (size_t i = 0; i < ARRAY_LENGTH(command->aliases) && command->aliases[i]; i++)
		buffer_printf(buffer, "%s%s", i ? ", " : "\nalso called: ", command->aliases[i]);
	if (command->aliases[0])
		buffer_append_char(buffer, '\n');
}

enum { HELP_COLUMNS = 79 };

/* Lines that are too long are broken at blanks, the others stay as they are. */
static void append_wrapped(struct buffer *buffer, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		if (length > HELP_COLUMNS) {
			const char *blank = memrchr(text, ' ', HELP_COLUMNS + 1);
			length = blank ? (size_t)(blank - text) : length;
		}
		buffer_append(buffer, text, length);
		buffer_append_char(buffer, '\n');
		text += length;
		text += *text != '\0';
	}
}

void help_command(struct buffer *buffer, const struct command *command)
{
	buffer_append_string(buffer, "usage: ");
	help_usage(buffer, command);
	buffer_printf(buffer, "\n\n%s\n", command->summary);
	append_aliases(buffer, command);
	if (command->details) {
		buffer_append_char(buffer, '\n');
		append_wrapped(buffer, command->details);
	}
	buffer_append_string(buffer, "\noptions:\n");
	append_options(buffer, command->options);
	append_options(buffer, command_help_options);
}

void help_overview(struct buffer *buffer)
{
	buffer_append_string(
	    buffer, "usage: pmo [-f FILE] [-C DIR] [--no-color] COMMAND [OPTION...] [SERVICE...]\n"
		    "\n"
		    "Starts, stops and watches over the services that pmo.yml describes.\n"
		    "\n"
		    "commands:\n");
	for (size_t i = 0; command_table[i]; i++)
		if (!command_table[i]->hidden)
			buffer_printf(buffer, "  %-12s %s\n", command_table[i]->name,
				      command_table[i]->summary);
	buffer_append_string(buffer, "\noptions:\n");
	append_options(buffer, help_global_options);
	buffer_append_string(
	    buffer, "\n"
		    "SERVICE is a name, an id (the number in `pmo ls`), @NAMESPACE, or all.\n"
		    "`pmo help COMMAND` says more, the manuals pmo(1) and pmo.yml(5) say all.\n");
}

/* What later versions will have: better than a wrong guess at what was meant. */
static bool is_later_command(const char *name)
{
	static const char *const later[] = { "add", "graph", "monit", "reload", "up" };
	for (size_t i = 0; i < ARRAY_LENGTH(later); i++)
		if (strcmp(name, later[i]) == 0)
			return true;
	return false;
}

int help_unknown_command(const char *name, struct error *err)
{
	if (is_later_command(name))
		return error_set(err, ERROR_USAGE,
				 "'%s' is not supported by this version of pmo yet", name);
	const char *names[64];
	size_t count = 0;
	for (size_t i = 0; command_table[i] && count < ARRAY_LENGTH(names); i++)
		if (!command_table[i]->hidden)
			names[count++] = command_table[i]->name;
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, name, strlen(name));
	const char *nearest = text_suggest(name, names, count);
	if (nearest)
		return error_set(err, ERROR_USAGE, "no command '%s' (did you mean '%s'?)",
				 buffer_string(&shown), nearest);
	return error_set(err, ERROR_USAGE, "no command '%s' ('pmo help' lists them)",
			 buffer_string(&shown));
}

static int run_help(struct context *context, const struct arguments *arguments)
{
	(void)context;
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (arguments->operand_count > 1) {
		error_set(&err, ERROR_USAGE, "'help' takes one command");
		return report_error(&err);
	}
	if (arguments->operand_count == 0) {
		help_overview(&text);
	} else {
		const struct command *command = command_find(arguments->operands[0]);
		if (!command) {
			help_unknown_command(arguments->operands[0], &err);
			return report_error(&err);
		}
		help_command(&text, command);
	}
	return output_write(&text, &err) < 0 ? report_error(&err) : 0;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "explain pmo, or one of its commands",
	.need = COMMAND_NEEDS_NOTHING,
	.operand_kind = OPERANDS_COMMANDS,
	.run = run_help,
};
