#include "cli/completion.h"

#include "cli/help.h"

#include <string.h>

/* What stands between these two sets $options, $operands and, after an option that takes one, the
 * kind of its argument. Candidates are matched and offered quoted, since names may hold blanks; '@'
 * is a word of its own to readline. Nothing typed is ever evaluated. */
static const char script_begin[] =
    "# bash completion for pmo: eval \"$(pmo completion bash)\"\n"
    "_pmo() {\n"
    "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\tlocal command='' options='' operands='' kind='' prefix='' program word i\n"
    "\tlocal -a place=() offered=()\n"
    "\tif [[ $COMP_WORDBREAKS == *@* ]]; then\n"
    "\t\tif [[ $current == @ ]]; then\n"
    "\t\t\tprefix=@\n"
    "\t\telif [[ $previous == @ ]]; then\n"
    "\t\t\tprefix=@ current=@$current previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "\t\tfi\n"
    "\tfi\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t-f | --file | -C | --directory)\n"
    "\t\t\tword=${COMP_WORDS[i + 1]/#\\~/$HOME} word=${word//[\\\"\\'\\\\]/}\n"
    "\t\t\tplace+=(\"${COMP_WORDS[i]}\" \"$word\")\n"
    "\t\t\t((i++)) ;;\n"
    "\t\t-*) ;;\n"
    "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tcase $command in\n";

static const char script_end[] =
    "\tesac\n"
    "\tcase $kind in\n"
    "\tfiles) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
    "\tdirectories) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
    "\tesac\n"
    "\tcase $kind in\n"
    "\tfiles | directories) compopt -o filenames 2>/dev/null; return ;;\n"
    "\tnothing) return ;;\n"
    "\tesac\n"
    "\tif [[ -z $kind && $current == -* ]]; then\n"
    "\t\tread -ra offered <<<\"$options\"\n"
    "\telif [[ ${kind:=$operands} == services ]]; then\n"
    "\t\tprogram=${COMP_WORDS[0]/#\\~/$HOME}\n"
    "\t\tmapfile -t offered < <(\"$program\" \"${place[@]}\" completion --names 2>/dev/null)\n"
    "\telif [[ $kind != nothing ]]; then\n"
    "\t\tread -ra offered <<<\"$kind\"\n"
    "\tfi\n"
    "\tCOMPREPLY=()\n"
    "\tfor word in \"${offered[@]}\"; do\n"
    "\t\tif [[ $word == @* ]]; then\n"
    "\t\t\tprintf -v word '@%q' \"${word#@}\"\n"
    "\t\telse\n"
    "\t\t\tprintf -v word '%q' \"$word\"\n"
    "\t\tfi\n"
    "\t\t[[ $word == \"$current\"* ]] && COMPREPLY+=(\"${word#\"$prefix\"}\")\n"
    "\tdone\n"
    "}\n"
    "complete -F _pmo pmo\n";

static const char *kind_word(enum completion_kind kind)
{
	switch (kind) {
	case COMPLETION_FILES:
		return "files";
	case COMPLETION_DIRECTORIES:
		return "directories";
	case COMPLETION_SERVICES:
		return "services";
	default:
		return completion_words(kind) ? completion_words(kind) : "nothing";
	}
}

static void append_command_names(struct buffer *script)
{
	for (size_t i = 0; command_table[i]; i++)
		if (!command_table[i]->hidden)
			buffer_printf(script, "%s%s", i ? " " : "", command_table[i]->name);
}

static void append_options(struct buffer *script, const struct option_spec *options)
{
	buffer_append_string(script, "\t\toptions='");
	for (const struct option_spec *option = options; option && option->long_name; option++) {
		if (!option->help)
			continue;
		if (option->short_name)
			buffer_printf(script, "-%c ", option->short_name);
		buffer_printf(script, "--%s ", option->long_name);
	}
	if (options != help_global_options)
		buffer_append_string(script, "-h --help");
	buffer_append_string(script, "'\n");
}

/* What is completed after an option that takes an argument. */
static void append_option_arguments(struct buffer *script, const struct option_spec *options)
{
	buffer_append_string(script, "\t\tcase $previous in\n");
	for (const struct option_spec *option = options; option && option->long_name; option++) {
		if (!option->argument)
			continue;
		buffer_append_string(script, "\t\t");
		if (option->short_name)
			buffer_printf(script, "-%c | ", option->short_name);
		buffer_printf(script, "--%s) kind='%s' ;;\n", option->long_name,
			      kind_word(completion_of_option(option)));
	}
	buffer_append_string(script, "\t\tesac\n");
}

static void append_command(struct buffer *script, const struct command *command)
{
	buffer_printf(script, "\t%s", command->name);
	for (size_t i = 0; i < ARRAY_LENGTH(command->aliases) && command->aliases[i]; i++)
		buffer_printf(script, " | %s", command->aliases[i]);
	buffer_append_string(script, ")\n");
	append_options(script, command->options);
	buffer_append_string(script, "\t\toperands='");
	if (completion_of_operands(command) == COMPLETION_COMMANDS)
		append_command_names(script);
	else
		buffer_append_string(script, kind_word(completion_of_operands(command)));
	buffer_append_string(script, "'\n");
	append_option_arguments(script, command->options);
	buffer_append_string(script, "\t\t;;\n");
}

void completion_bash(struct buffer *script)
{
	buffer_append_string(script, script_begin);
	buffer_append_string(script, "\t'')\n\t\toperands='");
	append_command_names(script);
	buffer_append_string(script, "'\n");
	append_options(script, help_global_options);
	append_option_arguments(script, help_global_options);
	buffer_append_string(script, "\t\t;;\n");
	for (size_t i = 0; command_table[i]; i++)
		if (!command_table[i]->hidden)
			append_command(script, command_table[i]);
	buffer_append_string(script, script_end);
}
