#include "cli/completion.h"

#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "view/style.h"

#include <string.h>

enum completion_kind completion_of_option(const struct option_spec *option)
{
	static const struct {
		const char *argument;
		enum completion_kind kind;
	} kinds[] = {
		{ "FILE", COMPLETION_FILES },
		{ "DIR", COMPLETION_DIRECTORIES },
		{ "SIGNAL", COMPLETION_SIGNALS },
		{ "STATE", COMPLETION_STATES },
	};
	for (size_t i = 0; option->argument && i < ARRAY_LENGTH(kinds); i++)
		if (strcmp(option->argument, kinds[i].argument) == 0)
			return kinds[i].kind;
	return COMPLETION_NOTHING;
}

enum completion_kind completion_of_operands(const struct command *command)
{
	switch (command->operand_kind) {
	case OPERANDS_SERVICES:
		return COMPLETION_SERVICES;
	case OPERANDS_COMMANDS:
		return COMPLETION_COMMANDS;
	case OPERANDS_OTHER:
		return strcmp(command->name, "completion") == 0 ? COMPLETION_SHELLS
								: COMPLETION_SERVICES;
	case OPERANDS_NONE:
		break;
	}
	return COMPLETION_NOTHING;
}

const char *completion_words(enum completion_kind kind)
{
	switch (kind) {
	case COMPLETION_STATES:
		return "stopped running stopping exited errored elsewhere unknown";
	case COMPLETION_SHELLS:
		return "bash zsh fish";
	case COMPLETION_SIGNALS:
		return "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH";
	default:
		return NULL;
	}
}

/* A namespace once, at its first service. */
static bool namespace_is_new(const struct catalog *catalog, size_t index)
{
	const char *name = catalog->entries[index].definition->namespace_name;
	for (size_t i = 0; i < index; i++) {
		const struct definition *earlier = catalog->entries[i].definition;
		if (earlier && strcmp(earlier->namespace_name, name) == 0)
			return false;
	}
	return true;
}

/* One selector on each line. A project that cannot be read has none: somebody is typing. */
static void append_names(const struct context *context, struct buffer *names)
{
	struct project project;
	struct message_list unseen = MESSAGE_LIST_INIT;
	struct error err = ERROR_INIT;
	if (project_open(&project, context->file, PROJECT_NEEDS_STATE, &unseen, &err) == 0) {
		const struct catalog *catalog = &project.catalog;
		for (size_t i = 0; i < catalog->count; i++)
			buffer_printf(names, "%s\n", catalog->entries[i].name);
		for (size_t i = 0; i < catalog->count; i++)
			if (catalog->entries[i].definition && namespace_is_new(catalog, i))
				buffer_printf(names, "@%s\n",
					      catalog->entries[i].definition->namespace_name);
		buffer_append_string(names, catalog->count ? "all\n" : "");
		project_close(&project);
	}
	error_clear(&err);
	message_list_release(&unseen);
}

static int append_script(const struct arguments *arguments, struct buffer *script,
			 struct error *err)
{
	static const struct {
		const char *shell;
		void (*append)(struct buffer *script);
	} scripts[] = {
		{ "bash", completion_bash },
		{ "zsh", completion_zsh },
		{ "fish", completion_fish },
	};
	if (arguments->operand_count != 1)
		return error_set(err, ERROR_USAGE,
				 "'completion' needs one shell: bash, zsh or fish");
	for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++) {
		if (strcmp(arguments->operands[0], scripts[i].shell) == 0) {
			scripts[i].append(script);
			return 0;
		}
	}
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, arguments->operands[0], strlen(arguments->operands[0]));
	return error_set(err, ERROR_USAGE, "no completion for '%s' (there is bash, zsh and fish)",
			 buffer_string(&shown));
}

static int run_completion(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (arguments_has(arguments, "names"))
		append_names(context, &text);
	else if (append_script(arguments, &text, &err) < 0)
		return report_error(&err);
	return output_write(&text, &err) < 0 ? report_error(&err) : 0;
}

const struct command command_completion = {
	.name = "completion",
	.operands = "bash|zsh|fish",
	.summary = "print a completion script for a shell",
	.details = "In ~/.bashrc:                 eval \"$(pmo completion bash)\"\n"
		   "In ~/.zshrc, after compinit:  eval \"$(pmo completion zsh)\"\n"
		   "In config.fish:               pmo completion fish | source",
	.options =
	    (const struct option_spec[]){
		{ 0, "names", NULL, NULL }, /* for the scripts themselves */
		{ 0 },
	    },
	.need = COMMAND_NEEDS_NOTHING,
	.operand_kind = OPERANDS_OTHER,
	.run = run_completion,
};
