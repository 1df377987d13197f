#include "cli/completion.h"

#include "cli/help.h"

#include <string.h>

/* __pmo_command prints the command of the line, or fails while there is none. */
static const char script_begin[] =
    "# fish completion for pmo: pmo completion fish | source\n"
    "function __pmo_words\n"
    "    set -l words (commandline -opc)\n"
    "    set -l place\n"
    "    set -e words[1]\n"
    "    while set -q words[1]\n"
    "        switch $words[1]\n"
    "            case -f --file -C --directory\n"
    "                set -q words[2]; or break\n"
    "                set place $place $words[1..2]\n"
    "                set -e words[1..2]\n"
    "            case '-*'\n"
    "                set -e words[1]\n"
    "            case '*'\n"
    "                test \"$argv[1]\" = command; and echo $words[1]; and return 0\n"
    "                break\n"
    "        end\n"
    "    end\n"
    "    test \"$argv[1]\" = place; and string join -- \\n $place\n"
    "end\n"
    "function __pmo_no_command\n"
    "    test -z (__pmo_words command | string collect)\n"
    "end\n"
    "function __pmo_command\n"
    "    set -l word (__pmo_words command)\n"
    "    test -n \"$word\"; and contains -- $word $argv\n"
    "end\n"
    "function __pmo_services\n"
    "    command pmo (__pmo_words place) completion --names 2>/dev/null\n"
    "end\n"
    "complete -c pmo -f\n";

/* TEXT in single quotes. */
static void append_quoted(struct buffer *script, const char *text)
{
	buffer_append_char(script, '\'');
	for (; *text; text++) {
		if (strchr("'\\", *text))
			buffer_append_char(script, '\\');
		buffer_append_char(script, *text);
	}
	buffer_append_char(script, '\'');
}

/* " -x -a ..." for what can be offered; " -x" alone keeps files away. */
static void append_offer(struct buffer *script, enum completion_kind kind)
{
	switch (kind) {
	case COMPLETION_FILES:
		buffer_append_string(script, " -r -F");
		break;
	case COMPLETION_DIRECTORIES:
		buffer_append_string(script, " -x -a '(__fish_complete_directories)'");
		break;
	case COMPLETION_SERVICES:
		buffer_append_string(script, " -x -a '(__pmo_services)'");
		break;
	default:
		buffer_append_string(script, " -x");
		if (completion_words(kind))
			buffer_printf(script, " -a '%s'", completion_words(kind));
		break;
	}
}

static void append_option(struct buffer *script, const char *condition,
			  const struct option_spec *option)
{
	if (!option->help)
		return;
	buffer_printf(script, "complete -c pmo -n '%s'", condition);
	if (option->short_name)
		buffer_printf(script, " -s %c", option->short_name);
	buffer_printf(script, " -l %s -d ", option->long_name);
	append_quoted(script, option->help);
	if (option->argument)
		append_offer(script, completion_of_option(option));
	buffer_append_char(script, '\n');
}

static void append_options(struct buffer *script, const char *condition,
			   const struct option_spec *options)
{
	for (const struct option_spec *option = options; option && option->long_name; option++)
		append_option(script, condition, option);
}

/* The names of all commands, offered where CONDITION holds. */
static void append_command_names(struct buffer *script, const char *condition)
{
	for (size_t i = 0; command_table[i]; i++) {
		if (command_table[i]->hidden)
			continue;
		buffer_printf(script, "complete -c pmo -n '%s' -a %s -d ", condition,
			      command_table[i]->name);
		append_quoted(script, command_table[i]->summary);
		buffer_append_char(script, '\n');
	}
}

static void append_command(struct buffer *script, const struct command *command)
{
	struct buffer condition CLEANUP_BUFFER = BUFFER_INIT;
	buffer_printf(&condition, "__pmo_command %s", command->name);
	for (size_t i = 0; i < ARRAY_LENGTH(command->aliases) && command->aliases[i]; i++)
		buffer_printf(&condition, " %s", command->aliases[i]);
	append_options(script, buffer_string(&condition), command->options);
	buffer_printf(script, "complete -c pmo -n '%s' -s h -l help -d 'show its help'\n",
		      buffer_string(&condition));
	enum completion_kind operands = completion_of_operands(command);
	if (operands == COMPLETION_COMMANDS) {
		append_command_names(script, buffer_string(&condition));
	} else if (operands != COMPLETION_NOTHING) {
		buffer_printf(script, "complete -c pmo -n '%s'", buffer_string(&condition));
		append_offer(script, operands);
		buffer_append_char(script, '\n');
	}
}

void completion_fish(struct buffer *script)
{
	buffer_append_string(script, script_begin);
	append_options(script, "__pmo_no_command", help_global_options);
	append_command_names(script, "__pmo_no_command");
	for (size_t i = 0; command_table[i]; i++)
		if (!command_table[i]->hidden)
			append_command(script, command_table[i]);
}
