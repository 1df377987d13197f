#include "cli/command.h"

#include "cli/commands.h"

#include <string.h>

const struct command *const command_table[] = {
	&command_start,     &command_stop,    &command_restart, &command_kill,
	&command_delete,    &command_list,    &command_status,  &command_logs,
	&command_flush,     &command_dry_run, &command_config,  &command_env,
	&command_exec,      &command_wait,    &command_init,    &command_completion,
	&command_resurrect, &command_help,    &command_version, NULL,
};

static bool command_is(const struct command *command, const char *name)
{
	if (strcmp(command->name, name) == 0)
		return true;
	for (size_t i = 0; i < sizeof(command->aliases) / sizeof(*command->aliases); i++)
		if (command->aliases[i] && strcmp(command->aliases[i], name) == 0)
			return true;
	return false;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; command_table[i]; i++)
		if (command_is(command_table[i], name))
			return command_table[i];
	return NULL;
}
