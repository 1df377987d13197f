/*
 * Completion scripts for shells, made from the command table. Each asks the hidden
 * `pmo completion --names` for the services of the project that the command line names.
 */
#ifndef PMO_CLI_COMPLETION_H
#define PMO_CLI_COMPLETION_H

#include "base/buffer.h"
#include "cli/command.h"

/* Append the whole script. */
void completion_bash(struct buffer *script);
void completion_zsh(struct buffer *script);
void completion_fish(struct buffer *script);

/* What an option's argument or an operand is, so that a shell can offer it. */
enum completion_kind {
	COMPLETION_NOTHING,
	COMPLETION_FILES,
	COMPLETION_DIRECTORIES,
	COMPLETION_SIGNALS,
	COMPLETION_STATES,
	COMPLETION_SHELLS,
	COMPLETION_SERVICES,
	COMPLETION_COMMANDS,
};

/* By what help calls the argument: FILE, DIR, SIGNAL, STATE; everything else is free text. */
enum completion_kind completion_of_option(const struct option_spec *option);
enum completion_kind completion_of_operands(const struct command *command);

/* The words that COMPLETION_STATES, COMPLETION_SHELLS and COMPLETION_SIGNALS offer, between blanks;
 * NULL for other kinds. */
const char *completion_words(enum completion_kind kind);

#endif
