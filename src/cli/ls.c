#include "base/clock.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "service/host_selection.h"
#include "service/snapshot.h"
#include "view/list_view.h"
#include "view/trouble_view.h"

#include <unistd.h>

enum { SAMPLE_MILLISECONDS = 50 };

static size_t count_services(const struct host_selections *selections)
{
	size_t count = 0;
	for (size_t i = 0; i < selections->count; i++)
		count += selections->items[i].selection.count;
	return count;
}

static void report_nothing(const struct context *context)
{
	if (context->project.config_state == PROJECT_CONFIG_OK)
		report_line("no services in '%s' yet: add a line such as 'web: python3 -m "
			    "http.server'",
			    context->project.label);
	else
		report_line("no services on record");
}

static int show(struct context *context, const struct arguments *arguments,
		const struct list_part *parts, size_t count, struct error *err)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	struct output output = output_describe(STDOUT_FILENO, context->color_allowed);
	if (arguments_has(arguments, "json"))
		list_view_append_json(parts, count, &text);
	else
		list_view_append(parts, count, &output, &text);
	if (!output.terminal && !arguments_has(arguments, "json"))
		trouble_view_warn(parts, count, &context->messages);
	report_messages(context);
	return output_write(&text, err);
}

static int take_and_show(struct context *context, const struct arguments *arguments,
			 const struct host_selections *selections, int64_t window_ns,
			 struct error *err)
{
	size_t count = selections->count;
	struct snapshot *snapshots CLEANUP_FREE = memory_zalloc(count, sizeof(*snapshots));
	struct list_part *parts CLEANUP_FREE = memory_zalloc(count, sizeof(*parts));
	enum snapshot_detail detail =
	    arguments_has(arguments, "json") ? SNAPSHOT_RECORD : SNAPSHOT_LIST;
	size_t taken = 0;
	int result = 0;
	for (; taken < count && result == 0; taken++) {
		const struct host_selection *selected = &selections->items[taken];
		struct snapshot *snapshot = &snapshots[taken];
		*snapshot = (struct snapshot)SNAPSHOT_INIT;
		parts[taken] = (struct list_part){ snapshot, &selected->project->catalog };
		result = snapshot_take(snapshot, selected->project, &selected->selection, detail,
				       window_ns, &context->messages, err);
	}
	report_messages(context);
	if (result == 0)
		result = show(context, arguments, parts, count, err);
	while (taken-- > 0)
		snapshot_release(&snapshots[taken]);
	return result;
}

static int run_ls(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct host_selections selections;
	int64_t window_ns = SAMPLE_MILLISECONDS * NSEC_PER_MSEC;
	if (arguments_duration(arguments, "sample", &window_ns, &err) < 0)
		return report_error(&err);
	int resolved =
	    host_selections_make(&selections, &context->project, arguments->operands,
				 arguments->operand_count, SELECT_ALL_KNOWN, &context->messages);
	int status = resolved < 0 ? ERROR_NO_SERVICE : 0;
	report_messages(context);
	if (take_and_show(context, arguments, &selections, window_ns, &err) < 0)
		status = report_error(&err);
	else if (status == 0 && count_services(&selections) == 0 &&
		 !arguments_has(arguments, "json"))
		report_nothing(context);
	host_selections_release(&selections);
	return status;
}

static const struct option_spec options[] = {
	{ 0, "json", NULL, "a JSON array with one object for each service" },
	{ 0, "sample", "TIME", "measure CPU use for so long (default 50ms; 0: not at all)" },
	{ 0 },
};

const struct command command_list = {
	.name = "ls",
	.aliases = { "list" },
	.operands = "[SERVICE...]",
	.summary = "list services and what they use",
	.details =
	    "One row for each service, in the order of pmo.yml. cpu and mem are of all processes "
	    "of the service together; 100% is one CPU. HOST:SERVICE shows what another machine "
	    "that shares a per_host project has on record. On a terminal the table fits its "
	    "width; elsewhere all columns are there, at least two spaces apart.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_ls,
};
