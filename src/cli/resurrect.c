#include "service/resurrect.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "service/start.h"
#include "view/style.h"

static int report_results(struct context *context, const struct start_result *results, size_t count)
{
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int status = 0;
	for (size_t i = 0; i < count; i++) {
		/* somebody else was faster: nothing was done, and nothing is to be told */
		if (results[i].outcome == START_ALREADY_RUNNING)
			continue;
		int one = outcome_append_start(context, &results[i], "resurrected", &text);
		status = one > status ? one : status;
	}
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	return status;
}

static int resurrect_selected(struct context *context, const struct selection *selection)
{
	struct error err = ERROR_INIT;
	struct launcher launcher;
	const struct start_options options = {
		.mode = START_RESURRECT,
		.umask = context->umask,
		.file_limit = &context->file_limit,
	};
	struct start_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	if (launcher_open(&launcher, &context->project, &context->messages, &err) < 0) {
		report_messages(context);
		return report_error(&err);
	}
	int result =
	    start_services(&context->project, &launcher, selection, &options, results, &err);
	report_messages(context);
	int status =
	    result < 0 ? report_error(&err) : report_results(context, results, selection->count);
	start_results_release(results, selection->count);
	launcher_close(&launcher);
	return status;
}

static int run_resurrect(struct context *context, const struct arguments *arguments)
{
	struct selection selection;
	(void)arguments;
	resurrect_select(&context->project, &selection);
	int status = selection.count > 0 ? resurrect_selected(context, &selection) : 0;
	selection_release(&selection);
	return status;
}

static const struct option_spec options[] = {
	{ 0 },
};

const struct command command_resurrect = {
	.name = "resurrect",
	.operands = "",
	.summary = "bring back what a reboot or the loss of a supervisor has ended",
	.details =
	    "Starts every service that was up before the last boot, and gives a supervised service "
	    "whose supervisor is gone a new one, which takes over what runs. What was stopped "
	    "stays stopped. Says nothing when there is nothing to do: for cron and for start-up "
	    "scripts.",
	.options = options,
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_NONE,
	.leaves_supervisors = true,
	.run = run_resurrect,
};
