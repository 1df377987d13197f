#include "base/clock.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "service/snapshot.h"
#include "view/status_view.h"

#include <unistd.h>

enum { SAMPLE_MILLISECONDS = 50 };

static void append_json(const struct snapshot *snapshot, const struct catalog *catalog,
			struct buffer *text)
{
	struct json json = JSON_INIT(text);
	json_begin_array(&json);
	for (size_t i = 0; i < snapshot->count; i++)
		status_view_append_json(&json, &snapshot->services[i], catalog);
	json_end_array(&json);
	json_finish(&json);
}

static void append_panels(const struct snapshot *snapshot, const struct context *context,
			  struct buffer *text)
{
	struct output output = output_describe(STDOUT_FILENO, context->color_allowed);
	for (size_t i = 0; i < snapshot->count; i++) {
		if (i > 0)
			buffer_append_char(text, '\n');
		status_view_append(&snapshot->services[i], &context->project.catalog, &output,
				   text);
	}
}

static int show(const struct context *context, const struct arguments *arguments,
		const struct snapshot *snapshot, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (arguments_has(arguments, "json"))
		append_json(snapshot, &context->project.catalog, &text);
	else
		append_panels(snapshot, context, &text);
	return output_write(&text, err);
}

/* Show the selected services and fold their states into *CODE. */
static int take_and_show(struct context *context, const struct arguments *arguments,
			 const struct selection *selection, enum status_code *code,
			 struct error *err)
{
	struct snapshot snapshot = SNAPSHOT_INIT;
	int result = snapshot_take(&snapshot, &context->project, selection, SNAPSHOT_STATUS,
				   SAMPLE_MILLISECONDS * NSEC_PER_MSEC, &context->messages, err);
	report_messages(context);
	if (result == 0)
		result = show(context, arguments, &snapshot, err);
	for (size_t i = 0; i < snapshot.count; i++)
		*code = status_view_worse_code(*code, status_view_code(&snapshot.services[i]));
	snapshot_release(&snapshot);
	return result;
}

static int run_status(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct selection selection;
	enum status_code code = STATUS_CODE_RUNNING;
	if (report_selection(context, arguments, SELECT_ALL_KNOWN, &selection) != 0)
		code = STATUS_CODE_UNKNOWN;
	else if (selection.count == 0 && !arguments_has(arguments, "json"))
		report_line("there are no services to show");
	int status = take_and_show(context, arguments, &selection, &code, &err) < 0
			 ? report_error(&err)
			 : (int)code;
	selection_release(&selection);
	return status;
}

static const struct option_spec options[] = {
	{ 0, "json", NULL, "a JSON array with one object for each service" },
	{ 0 },
};

const struct command command_status = {
	.name = "status",
	.aliases = { "st", "info" },
	.operands = "[SERVICE...]",
	.summary = "show everything about services, with their processes",
	.details =
	    "The exit status tells the state: 0 running (also starting, restarting, stopping), 1 "
	    "ended with an error or with nobody there to see how, 3 stopped, never started or "
	    "finished with exit status 0, 4 no such service, on record from another host, or with "
	    "a "
	    "record that cannot be read. Of several services it is the worst: 4, then 1, then 3, "
	    "then 0.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_status,
};
