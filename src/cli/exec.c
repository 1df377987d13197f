#include "base/memory.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "os/spawn.h"
#include "service/launch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* As a shell says it. */
enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

static int replace(struct context *context, const struct launch *launch, char **command)
{
	char *program CLEANUP_FREE =
	    spawn_find_program(command[0], environment_get(&launch->environment, "PATH"),
			       launch->directory);
	if (!program) {
		report_line("command '%s' not found", command[0]);
		return STATUS_NOT_FOUND;
	}
	if (chdir(launch->directory) < 0) {
		report_line("cannot change to directory '%s': %s", launch->directory,
			    strerror(errno));
		return ERROR_FAILED;
	}
	const struct spawn_plan plan = {
		.program = program,
		.arguments = command,
		.environment = launch->environment.entries,
		.umask = (int)context->umask,
		.file_limit = &context->file_limit,
	};
	int error = spawn_replace(&plan);
	report_line("cannot execute '%s': %s", command[0], strerror(error));
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int exec_in(struct context *context, const struct catalog_entry *entry, char **command)
{
	struct error err = ERROR_INIT;
	struct launcher launcher;
	struct launch launch;
	if (!entry->configured) {
		report_line("'%s' is no longer in '%s'", entry->name, context->project.label);
		return ERROR_NO_SERVICE;
	}
	if (launcher_open(&launcher, &context->project, &context->messages, &err) < 0) {
		report_messages(context);
		return report_error(&err);
	}
	int result = launch_prepare(&launch, &launcher, entry->definition, &err);
	report_messages(context);
	error_prefix(&err, "'%s'", entry->name);
	int status = result < 0 ? report_error(&err) : replace(context, &launch, command);
	if (result == 0)
		launch_release(&launch);
	launcher_close(&launcher);
	return status;
}

static int run_exec(struct context *context, const struct arguments *arguments)
{
	struct selection selection;
	size_t first =
	    arguments->operand_count > 1 && strcmp(arguments->operands[1], "--") == 0 ? 2 : 1;
	if (arguments->operand_count <= first) {
		report_line("'exec' needs a service and a command: pmo exec SERVICE -- COMMAND");
		return ERROR_USAGE;
	}
	int unknown = catalog_select(&context->project.catalog, arguments->operands, 1,
				     SELECT_ALL_CONFIGURED, &selection, &context->messages);
	report_messages(context);
	int status = ERROR_NO_SERVICE;
	if (unknown == 0 && selection.count == 1)
		status = exec_in(context, selection.entries[0], arguments->operands + first);
	else if (unknown == 0)
		report_line("'exec' takes one service, '%s' names %zu", arguments->operands[0],
			    selection.count);
	if (unknown == 0 && selection.count != 1)
		status = ERROR_USAGE;
	selection_release(&selection);
	return status;
}

const struct command command_exec = {
	.name = "exec",
	.operands = "SERVICE -- COMMAND [ARGUMENT...]",
	.summary = "run a command in a service's directory and environment",
	.details =
	    "The exit status is the command's own, 127 when it was not found and 126 when it could "
	    "not be executed. The service need not run, and is not touched.",
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_SERVICES,
	.options_first = true,
	.run = run_exec,
};
