#include "base/memory.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "os/follow.h"
#include "os/logfile.h"
#include "service/log_selection.h"
#include "view/log_view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES_OF_ALL = 15, LINES_OF_NAMED = 30, WRITE_SIZE = 64 * 1024 };

/* One file to be shown. */
struct shown_log {
	const struct service_log *service;
	size_t number; /* of the service */
	const char *path;
	enum log_stream stream;
	struct logfile_position end; /* of what was shown */
};

struct logs {
	struct log_view view;
	struct shown_log *items;
	size_t count;
	struct buffer text; /* not yet written */
	struct error error; /* of writing */
	bool follow;
	int64_t lines;
};

/* Where lines that are read backwards come from. */
struct reading {
	struct logs *logs;
	size_t number;
};

static int write_text(struct logs *logs)
{
	int result = output_write(&logs->text, &logs->error);
	buffer_clear(&logs->text);
	return result;
}

static void show_line(void *context, size_t source, const char *line, size_t length)
{
	struct logs *logs = context;
	const struct shown_log *log = &logs->items[source];
	log_view_append(&logs->view, log->service->label, log->number, log->stream, line, length,
			&logs->text);
	if (logs->text.length >= WRITE_SIZE)
		write_text(logs);
}

static void show_read_line(void *context, const char *line, size_t length)
{
	const struct reading *reading = context;
	show_line(reading->logs, reading->number, line, length);
}

/* Show the last lines of every file, each service's output before its errors. */
static int show_last_lines(struct logs *logs)
{
	enum logfile_ending ending = logs->follow ? LOGFILE_WHOLE_LINES : LOGFILE_ALL_LINES;
	int status = 0;
	for (size_t i = 0; i < logs->count && !logs->error.message; i++) {
		struct shown_log *log = &logs->items[i];
		struct reading reading = { logs, i };
		struct error err = ERROR_INIT;
		if (logfile_visit_last(log->path, (size_t)logs->lines, ending, show_read_line,
				       &reading, &log->end, &err) < 0)
			status = report_error(&err);
	}
	if (!logs->error.message)
		write_text(logs);
	return logs->error.message ? report_error(&logs->error) : status;
}

static int follow(struct logs *logs)
{
	struct error err = ERROR_INIT;
	struct follower *follower = follower_create(show_line, logs);
	for (size_t i = 0; i < logs->count; i++) {
		const struct shown_log *log = &logs->items[i];
		follower_add(follower, log->path, &log->end,
			     log->service->owner == LOG_OWNER_OTHER_HOST ? FOLLOW_POLLED
									 : FOLLOW_NOTIFIED);
	}
	follower_end_with(follower, STDOUT_FILENO);
	int result = 0;
	while (result == 0) {
		result = follower_run(follower, NULL, &err);
		if (logs->text.length > 0 && !logs->error.message)
			write_text(logs);
		if (logs->error.message)
			result = -1;
	}
	follower_destroy(follower);
	if (logs->error.message)
		return report_error(&logs->error);
	return result < 0 ? report_error(&err) : 0;
}

static void add_log(struct logs *logs, const struct service_log *service, size_t number,
		    enum log_stream stream)
{
	logs->items[logs->count++] = (struct shown_log){
		.service = service,
		.number = number,
		.path = stream == LOG_STREAM_OUT ? service->paths.out : service->paths.error,
		.stream = stream,
	};
}

static void add_logs(struct logs *logs, const struct log_selection *selection,
		     const struct arguments *arguments)
{
	bool out = arguments_has(arguments, "out");
	bool error = arguments_has(arguments, "err");
	logs->items = memory_zalloc(2 * selection->count + 1, sizeof(*logs->items));
	for (size_t i = 0; i < selection->count; i++) {
		const struct service_log *service = &selection->items[i];
		bool merged = service->paths.out == service->paths.error;
		log_view_add_name(&logs->view, service->label);
		if (out || !error || merged)
			add_log(logs, service, i, LOG_STREAM_OUT);
		if ((error || !out) && !merged)
			add_log(logs, service, i, LOG_STREAM_ERROR);
	}
}

static bool is_log(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Nothing to show deserves a word, when nothing is waited for either. */
static void report_missing(const struct logs *logs)
{
	for (size_t i = 0; i < logs->count;) {
		const struct shown_log *first = &logs->items[i];
		const char *strange = NULL;
		bool found = false;
		for (; i < logs->count && logs->items[i].service == first->service; i++) {
			const char *path = logs->items[i].path;
			found = found || is_log(path);
			if (!is_log(path) && access(path, F_OK) == 0)
				strange = path;
		}
		if (!found && strange)
			report_line("log '%s' of '%s' is no regular file: it cannot be shown",
				    strange, first->service->label);
		else if (!found)
			report_line("no log of '%s' yet", first->service->label);
	}
}

/* The last of -f and -n counts; without them, a terminal follows. */
static bool wants_follow(const struct arguments *arguments, const struct output *output)
{
	bool wanted = output->terminal;
	for (size_t i = 0; i < arguments->option_count; i++) {
		const char *name = arguments->options[i].spec->long_name;
		if (strcmp(name, "follow") == 0)
			wanted = true;
		else if (strcmp(name, "no-follow") == 0)
			wanted = false;
	}
	return wanted;
}

static int show(const struct log_selection *selection, const struct arguments *arguments,
		struct logs *logs)
{
	add_logs(logs, selection, arguments);
	int status = show_last_lines(logs);
	if (logs->follow && logs->count > 0) {
		int followed = follow(logs);
		status = followed ? followed : status;
	} else {
		report_missing(logs);
	}
	return status;
}

static int run_logs(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct log_selection selection;
	struct output output = output_describe(STDOUT_FILENO, context->color_allowed);
	struct logs logs = { .follow = wants_follow(arguments, &output), .lines = -1 };
	if (arguments_integer(arguments, "lines", 0, INT64_MAX, &logs.lines, &err) < 0)
		return report_error(&err);
	int unknown = (int)log_selection_make(&selection, &context->project, arguments->operands,
					      arguments->operand_count, &context->messages);
	report_messages(context);
	if (logs.lines < 0)
		logs.lines = selection.all_here ? LINES_OF_ALL : LINES_OF_NAMED;
	log_view_init(&logs.view, &output);
	int status = 0;
	if (selection.count > 0)
		status = show(&selection, arguments, &logs);
	else if (unknown == 0)
		report_line("there are no services whose logs could be shown");
	free(logs.items);
	buffer_release(&logs.text);
	log_selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 'f', "follow", NULL, "go on with new lines (default on a terminal)" },
	{ 'n', "no-follow", NULL, "show the last lines and end (default elsewhere)" },
	{ 'l', "lines", "N", "how many of each log (default 15, of named services 30)" },
	{ 0, "out", NULL, "standard output only" },
	{ 0, "err", NULL, "standard error only" },
	{ 0 },
};

const struct command command_logs = {
	.name = "logs",
	.aliases = { "log" },
	.operands = "[SERVICE...]",
	.summary = "show the last lines of logs, and follow them",
	.details =
	    "Lines come as 'NAME | text', those of standard error as 'NAME ! text'; merged logs "
	    "count as standard output. Following survives restarts, flushes and removed files; "
	    "Ctrl-C ends it. On a terminal lines may set colours and nothing else: other control "
	    "characters are shown as \\xNN. Elsewhere lines are passed on byte by byte. A service "
	    "that is gone can be named as long as its logs are there. HOST:SERVICE shows the logs "
	    "of another machine that shares a per_host project.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_logs,
};
