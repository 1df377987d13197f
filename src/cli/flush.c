#include "service/flush.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "view/style.h"

static int flush_one(const struct context *context, struct log_owners *owners,
		     const struct service_log *log, struct buffer *text)
{
	struct error err = ERROR_INIT;
	switch (service_flush_logs(&context->project, owners, log, &err)) {
	case FLUSH_EMPTIED:
		buffer_printf(text, "emptied the logs of %s\n", log->label);
		return 0;
	case FLUSH_REMOVED:
		buffer_printf(text, "removed the logs of %s\n", log->label);
		return 0;
	case FLUSH_FAILED:
		return report_error(&err);
	case FLUSH_NOTHING:
		break;
	}
	return 0;
}

static bool config_is_known(const struct context *context)
{
	return context->project.config_state == PROJECT_CONFIG_OK;
}

static int flush_left_over(const struct context *context, const struct log_selection *selection,
			   struct buffer *text)
{
	struct error err = ERROR_INIT;
	size_t count;
	if (!config_is_known(context)) {
		report_line("warning: '%s' cannot be read: only the logs of services on record are "
			    "flushed",
			    context->project.label);
		return 0;
	}
	int result = service_flush_left_over(&context->project, selection, &count, &err);
	if (count > 0)
		buffer_printf(text, "removed %zu log%s of services that are no more\n", count,
			      count == 1 ? "" : "s");
	return result < 0 ? report_error(&err) : 0;
}

static int run_flush(struct context *context, const struct arguments *arguments)
{
	struct log_selection selection;
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct log_owners *owners = log_owners_create(LOG_OWNERS_KNOWN);
	int unknown = (int)log_selection_make(&selection, &context->project, arguments->operands,
					      arguments->operand_count, &context->messages);
	int status = 0;
	report_messages(context);
	for (size_t i = 0; i < selection.count; i++)
		if (flush_one(context, owners, &selection.items[i], &text) != 0)
			status = ERROR_FAILED;
	if (selection.all_here && flush_left_over(context, &selection, &text) != 0)
		status = ERROR_FAILED;
	if (text.length == 0 && status == 0 && unknown == 0 &&
	    (config_is_known(context) || !selection.all_here))
		report_line("there are no logs");
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	log_owners_free(owners);
	log_selection_release(&selection);
	return unknown ? unknown : status;
}

const struct command command_flush = {
	.name = "flush",
	.operands = "[SERVICE...]",
	.summary = "empty the logs of running services, remove those of stopped ones",
	.details =
	    "Without a service: all, also the logs of services that are neither in pmo.yml nor on "
	    "record any more (while pmo.yml cannot be read, only what is on record). A log that "
	    "something may still write to is emptied and goes on with a line that says so; its "
	    "rotated files are removed. HOST:SERVICE empties the logs of "
	    "another machine that shares a per_host project. Logs that are no regular files "
	    "(/dev/null, a FIFO, a symbolic link) are left alone.",
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_flush,
};
