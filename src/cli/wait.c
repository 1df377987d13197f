#include "service/wait.h"

#include "base/memory.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "view/style.h"

#include <string.h>

/* What the exit status of a shell command would be. One that its supervisor gave up has failed,
 * however its last run ended. */
static int end_status(const struct exit_record *end)
{
	if (end->kind == EXIT_SIGNAL)
		return 128 + end->value;
	return end->value == 0 && end->reason[0] ? ERROR_FAILED : end->value;
}

static int result_status(const struct wait_result *result)
{
	switch (result->outcome) {
	case WAIT_RUNNING:
		return ERROR_TIMEOUT;
	case WAIT_ENDED:
		return end_status(&result->end);
	case WAIT_UNSEEN:
	case WAIT_LOST:
	case WAIT_FAILED:
		return ERROR_FAILED;
	case WAIT_STOPPED:
	case WAIT_IDLE:
		break;
	}
	return 0;
}

/* That of the first that failed, but first of all whether time ran out. */
static int all_status(const struct wait_result *results, size_t count)
{
	int status = 0;
	for (size_t i = 0; i < count; i++) {
		if (results[i].outcome == WAIT_RUNNING)
			return ERROR_TIMEOUT;
		if (status == 0)
			status = result_status(&results[i]);
	}
	return status;
}

static void append_end(const char *name, const struct exit_record *end, struct buffer *text)
{
	char signal_name[16];
	if (end->kind == EXIT_SIGNAL) {
		units_format_signal(end->value, signal_name, sizeof(signal_name));
		buffer_printf(text, "%s was ended by signal %s", name, signal_name);
	} else {
		buffer_printf(text, "%s ended with exit status %d", name, end->value);
	}
	buffer_printf(text, end->reason[0] ? ": %s\n" : "\n", end->reason);
}

/* One service has ended. CONTEXT is the error of standard output, once there is one. */
static void show_end(void *context, const struct wait_result *result)
{
	struct error *err = context;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const char *name = result->entry->name;
	switch (result->outcome) {
	case WAIT_RUNNING:
		break;
	case WAIT_ENDED:
		append_end(name, &result->end, &text);
		break;
	case WAIT_UNSEEN:
		report_line("'%s' has ended; its exit status is not known (services with 'restart' "
			    "have one)",
			    name);
		break;
	case WAIT_LOST:
		report_line("'%s' has ended, and its supervisor is gone: its exit status is not "
			    "known",
			    name);
		break;
	case WAIT_STOPPED:
		buffer_printf(&text, "%s was stopped\n", name);
		break;
	case WAIT_IDLE:
		buffer_printf(&text, "%s is not running\n", name);
		break;
	case WAIT_FAILED:
		report_line("%s", result->error.message);
		break;
	}
	if (text.length && !err->message)
		(void)output_write(&text, err);
}

static void report_timeout(const struct wait_result *results, size_t count, int64_t timeout_ns)
{
	char duration[32];
	struct buffer names CLEANUP_BUFFER = BUFFER_INIT;
	for (size_t i = 0; i < count; i++)
		if (results[i].outcome == WAIT_RUNNING)
			buffer_printf(&names, "%s'%s'", names.length ? ", " : "",
				      results[i].entry->name);
	if (names.length == 0)
		return;
	units_format_duration_exact(timeout_ns, duration, sizeof(duration));
	report_line("time ran out after %s: %s still running", duration, buffer_string(&names));
}

static int wait_selected(struct context *context, const struct selection *selection,
			 int64_t timeout_ns)
{
	struct error err = ERROR_INIT;
	struct error write_error = ERROR_INIT;
	const struct wait_options options = {
		.timeout_ns = timeout_ns,
		.ended = show_end,
		.ended_context = &write_error,
	};
	struct wait_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	if (wait_services(&context->project, selection, &options, results, &err) < 0)
		return report_error(&err);
	report_timeout(results, selection->count, timeout_ns);
	int status = all_status(results, selection->count);
	wait_results_release(results, selection->count);
	return write_error.message ? report_error(&write_error) : status;
}

static int read_options(const struct arguments *arguments, int64_t *timeout_ns, struct error *err)
{
	const char *event = arguments_value(arguments, "for");
	if (event && (strcmp(event, "ready") == 0 || strcmp(event, "healthy") == 0))
		return error_set(err, ERROR_USAGE,
				 "'--for %s' is not supported by this version of pmo yet", event);
	if (event && strcmp(event, "exit") != 0)
		return error_set(err, ERROR_USAGE, "invalid value '%s' for --for: expected exit",
				 event);
	return arguments_duration(arguments, "timeout", timeout_ns, err);
}

static int run_wait(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct selection selection;
	int64_t timeout_ns = -1;
	if (read_options(arguments, &timeout_ns, &err) < 0)
		return report_error(&err);
	/* a name with a typing error is told now, not when the others have ended */
	int status = report_selection(context, arguments, SELECT_ALL_RECORDED, &selection);
	if (status == 0 && selection.count > 0)
		status = wait_selected(context, &selection, timeout_ns);
	else if (status == 0)
		report_line("nothing is running");
	selection_release(&selection);
	return status;
}

static const struct option_spec options[] = {
	{ 't', "timeout", "TIME", "wait no longer than this: then exit with 3" },
	{ 0, "for", "EVENT", "what to wait for: exit (the default)" },
	{ 0 },
};

const struct command command_wait = {
	.name = "wait",
	.operands = "SERVICE...",
	.summary = "wait until services have ended",
	.details =
	    "Returns when every service has ended for good: one with 'restart' has not while it "
	    "waits for its next try. The exit status is that of the service, 128+N where signal N "
	    "ended it; of several services that of the first, in the order of 'pmo ls', that "
	    "failed. A service that was stopped on purpose, or never ran, counts as 0; one whose "
	    "exit status nobody saw as 1. 3: time ran out.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.operands_required = true,
	.run = run_wait,
};
