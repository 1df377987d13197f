/*
 * The commands, one per file: cli/NAME.c.
 */
#ifndef PMO_CLI_COMMANDS_H
#define PMO_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command command_start;
extern const struct command command_stop;
extern const struct command command_restart;
extern const struct command command_resurrect;
extern const struct command command_kill;
extern const struct command command_delete;
extern const struct command command_list;
extern const struct command command_status;
extern const struct command command_logs;
extern const struct command command_flush;
extern const struct command command_dry_run;
extern const struct command command_config;
extern const struct command command_env;
extern const struct command command_exec;
extern const struct command command_wait;
extern const struct command command_init;
extern const struct command command_completion;
extern const struct command command_help;
extern const struct command command_version;

#endif
