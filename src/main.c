/* clang-format off */
/*
 * pmo: a process manager without a daemon. A map of the source:
 *
 *   main.c      this file: global options, set-up of a command, dispatch
 *   cli/        one file per command; command.h says what a command is, commands.c is the table,
 *               parse.c reads options, report.c talks to standard error, help.c explains
 *   view/       what is shown: table, json, list and status views, logs, colours
 *   service/    what is done: project (what we work on), launch (a definition made executable),
 *               start, stop, restart, delete, send (signals), flush, snapshot (for ls and status)
 *   os/         how it is done: spawn (the only fork), signal (by pidfd), lock, log files, follow,
 *               sample (cpu), gpu
 *   model/      what is known: yaml, keys and config (pmo.yml), dotenv and environment, expand,
 *               state (.pmo), catalog (which services), process and membership (/proc)
 *   base/       error, message, memory, footprint, buffer, file, clock, units, text: no word about services
 *
 * Includes go downward only; below cli/ nothing prints and nothing exits.
 */
/* clang-format on */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/report.h"
#include "os/spawn.h"
#include "service/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor 0, 1 or 2 that is closed would be given to the next file that is opened. */
static void open_standard_streams(void)
{
	int fd;
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run_with_project(struct context *context, const struct command *command,
			    const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	enum project_need need =
	    command->need == COMMAND_NEEDS_CONFIG ? PROJECT_NEEDS_CONFIG : PROJECT_NEEDS_STATE;
	int result = project_open(&context->project, context->file, need, &context->messages, &err);
	report_messages(context);
	if (result < 0)
		return report_error(&err);
	int status =
	    command->operands_required && arguments->operand_count == 0
		? report_nothing_named(context, command, "its name, its id, @NAMESPACE or 'all'")
		: command->run(context, arguments);
	report_messages(context);
	project_close(&context->project);
	return status;
}

static int refuse_operands(const struct command *command, const struct arguments *arguments)
{
	struct buffer shown CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&shown, arguments->operands[0], strlen(arguments->operands[0]));
	report_line("unexpected argument '%s': '%s' takes none", buffer_string(&shown),
		    command->name);
	return ERROR_USAGE;
}

static int show_help(const struct command *command)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct error err = ERROR_INIT;
	if (command)
		help_command(&text, command);
	else
		help_overview(&text);
	int result = file_write_all(STDOUT_FILENO, buffer_string(&text), text.length);
	if (result == 0)
		return 0;
	error_set_errno(&err, ERROR_FAILED, -result, "cannot write to standard output");
	return report_error(&err);
}

static int run_command(struct context *context, const struct command *command, int argc,
		       char **argv)
{
	struct arguments arguments;
	struct error err = ERROR_INIT;
	enum parse_order order = command->options_first ? PARSE_UP_TO_OPERAND : PARSE_ANYWHERE;
	if (parse_arguments(command->name, command->options, order, argc, argv, &arguments, &err) <
	    0)
		return report_error(&err);
	int status;
	if (arguments_has(&arguments, "help"))
		status = show_help(command);
	else if (command->operand_kind == OPERANDS_NONE && arguments.operand_count)
		status = refuse_operands(command, &arguments);
	else if (command->need == COMMAND_NEEDS_NOTHING)
		status = command->run(context, &arguments);
	else
		status = run_with_project(context, command, &arguments);
	arguments_release(&arguments);
	return status;
}

static int apply_global_options(struct context *context, const struct arguments *global,
				struct error *err)
{
	const char *directory = arguments_value(global, "directory");
	const char *file = arguments_value(global, "file");
	if (directory && chdir(directory) < 0)
		return error_set_errno(err, ERROR_USAGE, errno, "cannot change to directory '%s'",
				       directory);
	if (!file)
		file = getenv("PMO_FILE");
	context->file = file && *file ? file : NULL;
	context->color_allowed = !arguments_has(global, "no-color");
	return 0;
}

static int dispatch(struct context *context, const struct arguments *global)
{
	struct error err = ERROR_INIT;
	if (arguments_has(global, "help"))
		return show_help(NULL);
	char version[] = "version";
	char *version_arguments[] = { version, NULL };
	if (arguments_has(global, "version"))
		return run_command(context, command_find(version), 1, version_arguments);
	if (global->operand_count == 0) {
		report_line("say what to do: 'pmo help' lists the commands");
		return ERROR_USAGE;
	}
	const struct command *command = command_find(global->operands[0]);
	if (command)
		return run_command(context, command, (int)global->operand_count, global->operands);
	help_unknown_command(global->operands[0], &err);
	return report_error(&err);
}

/* Comes back only if there is no need: the command line is read again after that. */
static void make_room(int argc, char **argv)
{
	struct arguments global;
	struct error err = ERROR_INIT;
	if (parse_arguments("pmo", help_global_options, PARSE_UP_TO_OPERAND, argc, argv, &global,
			    &err) < 0) {
		error_clear(&err);
		return;
	}
	const struct command *command =
	    global.operand_count ? command_find(global.operands[0]) : NULL;
	arguments_release(&global);
	if (command && command->leaves_supervisors)
		supervisor_make_room_for_mark(argv);
}

int main(int argc, char **argv)
{
	struct context context = { .messages = MESSAGE_LIST_INIT };
	struct arguments global;
	struct error err = ERROR_INIT;
	if (!supervisor_has_room_for_mark())
		make_room(argc, argv);
	open_standard_streams();
	/* ignored by some callers: then nobody could tell how a service ended */
	signal(SIGCHLD, SIG_DFL);
	/* a log at the caller's file size limit is an error to report, not a death */
	signal(SIGXFSZ, SIG_IGN);
	/* what pmo makes is its own, whatever the caller's mask would take away or leave */
	context.umask = umask(0077);
	spawn_raise_file_limit(&context.file_limit);
	if (parse_arguments("pmo", help_global_options, PARSE_UP_TO_OPERAND, argc, argv, &global,
			    &err) < 0)
		return report_error(&err);
	int status = apply_global_options(&context, &global, &err) < 0
			 ? report_error(&err)
			 : dispatch(&context, &global);
	arguments_release(&global);
	message_list_release(&context.messages);
	return status;
}
