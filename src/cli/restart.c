#include "service/restart.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "view/style.h"

static int report_restart(const struct context *context, const struct restart_result *result,
			  struct buffer *text)
{
	if (result->attempted && result->stop.outcome == STOP_FAILED)
		return outcome_append_stop(&result->stop, "stopped", text);
	bool was_running =
	    result->stop.outcome == STOP_STOPPED || result->stop.outcome == STOP_KILLED;
	return outcome_append_start(context, &result->start, was_running ? "restarted" : "started",
				    text);
}

static int report_restarts(const struct context *context, const struct restart_result *results,
			   size_t count)
{
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int status = 0;
	for (size_t i = 0; i < count; i++) {
		int one = report_restart(context, &results[i], &text);
		status = one > status ? one : status;
	}
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	return status;
}

static int restart_selected(struct context *context, const struct arguments *arguments,
			    const struct selection *selection)
{
	struct error err = ERROR_INIT;
	struct launcher launcher;
	struct restart_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	const struct stop_options stop = {
		.timeout_ns = -1,
		.force = arguments_has(arguments, "force"),
		.umask = &context->umask,
		.file_limit = &context->file_limit,
		.progress = outcome_progress,
	};
	const struct start_options start = { .umask = context->umask,
					     .file_limit = &context->file_limit };
	if (launcher_open(&launcher, &context->project, &context->messages, &err) < 0) {
		report_messages(context);
		return report_error(&err);
	}
	int result =
	    restart_services(&context->project, &launcher, selection, &stop, &start, results, &err);
	outcome_progress_end();
	report_messages(context);
	int status =
	    result < 0 ? report_error(&err) : report_restarts(context, results, selection->count);
	restart_results_release(results, selection->count);
	launcher_close(&launcher);
	return status;
}

static int run_restart(struct context *context, const struct arguments *arguments)
{
	struct selection selection;
	int unknown =
	    report_configured_selection(context, arguments, SELECT_ALL_INTENDED, &selection);
	int status = 0;
	if (selection.count > 0)
		status = restart_selected(context, arguments, &selection);
	else if (unknown == 0)
		report_line("nothing is meant to be running: 'pmo start all' starts everything");
	selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 0, "force", NULL, "discard the records of another host" },
	{ 0 },
};

const struct command command_restart = {
	.name = "restart",
	.operands = "SERVICE...",
	.summary = "stop services and start them again",
	.details =
	    "Reads pmo.yml and .env anew. A service that does not run is started; one that could "
	    "not be started again (a missing directory, an unknown user) is not stopped. 'all' "
	    "means every service of pmo.yml that is meant to be up.",
	.options = options,
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_SERVICES,
	.operands_required = true,
	.leaves_supervisors = true,
	.run = run_restart,
};
