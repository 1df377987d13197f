#include "service/stop.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "view/style.h"

static int read_options(const struct context *context, const struct arguments *arguments,
			struct stop_options *options, struct error *err)
{
	*options = (struct stop_options){
		.timeout_ns = -1,
		.force = arguments_has(arguments, "force"),
		.umask = &context->umask,
		.file_limit = &context->file_limit,
		.progress = outcome_progress,
	};
	if (arguments_duration(arguments, "timeout", &options->timeout_ns, err) < 0)
		return -1;
	return arguments_signal(arguments, "signal", &options->signal, err);
}

static int stop_selected(struct context *context, const struct selection *selection,
			 const struct stop_options *options)
{
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct stop_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	int result = stop_services(&context->project, selection, options, results, &err);
	outcome_progress_end();
	if (result < 0)
		return report_error(&err);
	int status = 0;
	for (size_t i = 0; i < selection->count; i++) {
		int one = outcome_append_stop(&results[i], "stopped", &text);
		status = one > status ? one : status;
	}
	stop_results_release(results, selection->count);
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	return status;
}

static int run_stop(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct stop_options options;
	struct selection selection;
	if (read_options(context, arguments, &options, &err) < 0)
		return report_error(&err);
	int unknown = report_selection(context, arguments, SELECT_ALL_RECORDED, &selection);
	int status = 0;
	if (selection.count > 0)
		status = stop_selected(context, &selection, &options);
	else if (unknown == 0)
		report_line("nothing is running");
	selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 't', "timeout", "TIME", "how long until SIGKILL, instead of stop_timeout" },
	{ 's', "signal", "SIGNAL", "what to send first, instead of stop_signal" },
	{ 0, "force", NULL, "discard the records of another host" },
	{ 0 },
};

const struct command command_stop = {
	.name = "stop",
	.operands = "SERVICE...",
	.summary = "stop services and everything they started",
	.details =
	    "Sends each its stop_signal (TERM), and SIGKILL after its stop_timeout (5s) to what is "
	    "left. Returns when every process of the services is gone. 'all' also stops services "
	    "that pmo.yml no longer names.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.operands_required = true,
	.run = run_stop,
};
