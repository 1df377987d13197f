#include "cli/completion.h"

#include "cli/help.h"

#include <string.h>

static const char services_function[] =
    "_pmo_services() {\n"
    "\tlocal -a names\n"
    "\tnames=(\"${(@f)$(command pmo \"${pmo_place[@]}\" completion --names 2>/dev/null)}\")\n"
    "\tcompadd -a names\n"
    "}\n\n";

/* Text inside [] of an _arguments specification that itself stands in single quotes. */
static void append_description(struct buffer *script, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'') {
			buffer_append_string(script, "'\\''");
			continue;
		}
		if (strchr("[]:\\", *text))
			buffer_append_char(script, '\\');
		buffer_append_char(script, *text);
	}
}

/* What stands behind the last colon of a specification. */
static void append_action(struct buffer *script, enum completion_kind kind)
{
	switch (kind) {
	case COMPLETION_FILES:
		buffer_append_string(script, "_files");
		break;
	case COMPLETION_DIRECTORIES:
		buffer_append_string(script, "_files -/");
		break;
	case COMPLETION_SERVICES:
		buffer_append_string(script, "_pmo_services");
		break;
	case COMPLETION_COMMANDS:
		buffer_append_string(script, "_pmo_commands");
		break;
	default:
		if (completion_words(kind))
			buffer_printf(script, "(%s)", completion_words(kind));
		break;
	}
}

static void append_option(struct buffer *script, const struct option_spec *option)
{
	if (!option->help)
		return;
	buffer_append_string(script, " \\\n\t\t");
	if (option->short_name)
		buffer_printf(script, "'(-%c --%s)'{-%c,--%s}'[", option->short_name,
			      option->long_name, option->short_name, option->long_name);
	else
		buffer_printf(script, "'--%s[", option->long_name);
	append_description(script, option->help);
	buffer_append_char(script, ']');
	if (option->argument) {
		buffer_printf(script, ":%s:", option->argument);
		append_action(script, completion_of_option(option));
	}
	buffer_append_char(script, '\'');
}

static void append_options(struct buffer *script, const struct option_spec *options)
{
	for (const struct option_spec *option = options; option && option->long_name; option++)
		append_option(script, option);
}

static void append_commands_function(struct buffer *script)
{
	buffer_append_string(script, "_pmo_commands() {\n\tlocal -a commands=(\n");
	for (size_t i = 0; command_table[i]; i++) {
		if (command_table[i]->hidden)
			continue;
		buffer_printf(script, "\t\t'%s:", command_table[i]->name);
		append_description(script, command_table[i]->summary);
		buffer_append_string(script, "'\n");
	}
	buffer_append_string(script, "\t)\n\t_describe -t commands command commands\n}\n\n");
}

static void append_command(struct buffer *script, const struct command *command)
{
	buffer_printf(script, "\t%s", command->name);
	for (size_t i = 0; i < ARRAY_LENGTH(command->aliases) && command->aliases[i]; i++)
		buffer_printf(script, "|%s", command->aliases[i]);
	buffer_append_string(script, ")\n\t\t_arguments -s");
	append_options(script, command->options);
	buffer_append_string(script, " \\\n\t\t'(-h --help)'{-h,--help}'[show its help]'");
	enum completion_kind operands = completion_of_operands(command);
	if (operands != COMPLETION_NOTHING) {
		buffer_append_string(script, " \\\n\t\t'*: :");
		append_action(script, operands);
		buffer_append_char(script, '\'');
	}
	buffer_append_string(script, "\n\t\t;;\n");
}

void completion_zsh(struct buffer *script)
{
	buffer_append_string(script,
			     "#compdef pmo\n"
			     "# zsh completion for pmo: eval \"$(pmo completion zsh)\"\n\n");
	append_commands_function(script);
	buffer_append_string(script, services_function);
	buffer_append_string(script, "_pmo() {\n"
				     "\tlocal curcontext=$curcontext context state line\n"
				     "\tlocal -a pmo_place\n"
				     "\tlocal -A opt_args\n"
				     "\t_arguments -s -C");
	append_options(script, help_global_options);
	buffer_append_string(
	    script,
	    " \\\n\t\t'1: :_pmo_commands' '*:: :->operands'\n"
	    "\t[[ $state == operands ]] || return\n"
	    "\tlocal at\n"
	    "\tfor at in -f --file; do\n"
	    "\t\t[[ -n ${opt_args[$at]-} ]] && pmo_place+=(-f \"${(Q)${(Q)opt_args[$at]}}\")\n"
	    "\tdone\n"
	    "\tfor at in -C --directory; do\n"
	    "\t\t[[ -n ${opt_args[$at]-} ]] && pmo_place+=(-C \"${(Q)${(Q)opt_args[$at]}}\")\n"
	    "\tdone\n"
	    "\tcase $words[1] in\n");
	for (size_t i = 0; command_table[i]; i++)
		if (!command_table[i]->hidden)
			append_command(script, command_table[i]);
	buffer_append_string(script, "\tesac\n}\n\n"
				     "if [[ ${funcstack[1]-} == _pmo ]]; then\n"
				     "\t_pmo \"$@\"\n"
				     "else\n"
				     "\tcompdef _pmo pmo\n"
				     "fi\n");
}
