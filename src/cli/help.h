/*
 * Help made from the command table: `pmo help`, `pmo COMMAND --help` and usage errors.
 */
#ifndef PMO_CLI_HELP_H
#define PMO_CLI_HELP_H

#include "base/buffer.h"
#include "cli/command.h"

/* The options that stand before the command, for parsing and for help; ends with an element
 * without long_name. Everywhere an option whose help is NULL works, but is not shown. */
extern const struct option_spec help_global_options[];

/* Append one line without its newline: "pmo stop [-t T] [-s SIG] [--force] SERVICE...". */
void help_usage(struct buffer *buffer, const struct command *command);

/* Append all about one command: usage, summary, details, options. */
void help_command(struct buffer *buffer, const struct command *command);

/* Append what `pmo help` and `pmo --help` show: usage, global options, every command that is not
 * hidden. */
void help_overview(struct buffer *buffer);

/* Fill *err with ERROR_USAGE for a command that does not exist, with a suggestion where one is
 * near. Returns -1. */
int help_unknown_command(const char *name, struct error *err);

#endif
