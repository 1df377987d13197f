#include "service/start.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "view/style.h"

static int report_starts(struct context *context, const struct start_result *results, size_t count,
			 struct buffer *text)
{
	int status = 0;
	for (size_t i = 0; i < count; i++) {
		int one = outcome_append_start(context, &results[i], "started", text);
		status = one > status ? one : status;
	}
	return status;
}

static int start_selected(struct context *context, const struct arguments *arguments,
			  const struct selection *selection)
{
	struct error err = ERROR_INIT;
	struct launcher launcher;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const struct start_options options = {
		.force = arguments_has(arguments, "force"),
		.umask = context->umask,
		.file_limit = &context->file_limit,
	};
	struct start_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	int status = 0;
	if (launcher_open(&launcher, &context->project, &context->messages, &err) < 0) {
		report_messages(context);
		return report_error(&err);
	}
	if (start_services(&context->project, &launcher, selection, &options, results, &err) < 0) {
		status = report_error(&err);
	} else {
		report_messages(context);
		status = report_starts(context, results, selection->count, &text);
	}
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	start_results_release(results, selection->count);
	launcher_close(&launcher);
	return status;
}

static int run_start(struct context *context, const struct arguments *arguments)
{
	struct selection selection;
	int unknown =
	    report_configured_selection(context, arguments, SELECT_ALL_AUTOSTART, &selection);
	int status = 0;
	if (selection.count > 0 && arguments_has(arguments, "dry-run"))
		status = dry_run_show(context, &selection, LAUNCH_SECRETS_HIDDEN);
	else if (selection.count > 0)
		status = start_selected(context, arguments, &selection);
	else if (unknown == 0)
		report_line("no services to start in '%s'", context->project.label);
	selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 0, "dry-run", NULL, "print what would run, and run nothing" },
	{ 0, "force", NULL, "start what another host has on record; its record is discarded" },
	{ 0 },
};

const struct command command_start = {
	.name = "start",
	.operands = "SERVICE...",
	.summary = "start services that do not run",
	.details =
	    "Starts all at once and watches each for its start_watch (200ms): one that ends with "
	    "an error meanwhile is shown with its exit status and its last lines, and makes the "
	    "exit status 1. A service that runs already is left alone.",
	.options = options,
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_SERVICES,
	.operands_required = true,
	.leaves_supervisors = true,
	.run = run_start,
};
