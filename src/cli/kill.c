#include "base/memory.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "service/send.h"
#include "view/style.h"

#include <signal.h>

static int append_result(const struct send_result *result, const char *signal_name,
			 struct buffer *text)
{
	switch (result->outcome) {
	case SEND_SENT:
		buffer_printf(text, "sent %s to %s (%zu process%s)\n", signal_name,
			      result->entry->name, result->processes,
			      result->processes == 1 ? "" : "es");
		return 0;
	case SEND_NOT_RUNNING:
		report_line("'%s' is not running", result->entry->name);
		return ERROR_FAILED;
	case SEND_FAILED:
		break;
	}
	report_line("%s", result->error.message);
	return ERROR_FAILED;
}

static int kill_selected(struct context *context, const struct selection *selection,
			 int signal_number)
{
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	char signal_name[16];
	struct send_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	if (send_services(&context->project, selection, signal_number, results, &err) < 0)
		return report_error(&err);
	units_format_signal(signal_number, signal_name, sizeof(signal_name));
	int status = 0;
	for (size_t i = 0; i < selection->count; i++) {
		int one = append_result(&results[i], signal_name, &text);
		status = one > status ? one : status;
	}
	send_results_release(results, selection->count);
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	return status;
}

static int run_kill(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct selection selection;
	int signal_number = SIGTERM;
	if (arguments_signal(arguments, "signal", &signal_number, &err) < 0)
		return report_error(&err);
	int unknown = report_selection(context, arguments, SELECT_ALL_RECORDED, &selection);
	int status = 0;
	if (selection.count > 0)
		status = kill_selected(context, &selection, signal_number);
	else if (unknown == 0)
		report_line("nothing is running");
	selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 's', "signal", "SIGNAL", "a name or a number (default TERM)" },
	{ 0 },
};

const struct command command_kill = {
	.name = "kill",
	.operands = "SERVICE...",
	.summary = "send a signal to services",
	.details = "Sends the signal to every process of the service's process group and does not "
		   "wait. The service stays meant to be up: to end it, use 'pmo stop'.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.operands_required = true,
	.run = run_kill,
};
