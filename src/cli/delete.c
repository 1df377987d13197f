#include "service/delete.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/outcome.h"
#include "cli/report.h"
#include "service/snapshot.h"
#include "view/style.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int find_state(const char *name, enum service_state *state, struct error *err)
{
	const char *names[SERVICE_STATE_COUNT];
	for (size_t i = 0; i < SERVICE_STATE_COUNT; i++) {
		names[i] = service_state_name((enum service_state)i);
		if (strcmp(name, names[i]) == 0) {
			*state = (enum service_state)i;
			return 0;
		}
	}
	const char *nearest = text_suggest(name, names, SERVICE_STATE_COUNT);
	return error_set(err, ERROR_USAGE, "unknown status '%s' (%s '%s'?)", name,
			 nearest ? "did you mean" : "for example", nearest ? nearest : "exited");
}

/* Keep only what is in the state that --status asks for. */
static int filter_by_state(struct context *context, const char *name, struct selection *selection,
			   struct error *err)
{
	struct snapshot snapshot;
	enum service_state state = SERVICE_STOPPED;
	if (find_state(name, &state, err) < 0 ||
	    snapshot_take(&snapshot, &context->project, selection, SNAPSHOT_LIST, 0, NULL, err) < 0)
		return -1;
	size_t kept = 0;
	for (size_t i = 0; i < snapshot.count; i++)
		if (snapshot.services[i].state == state)
			selection->entries[kept++] = snapshot.services[i].entry;
	selection->count = kept;
	snapshot_release(&snapshot);
	return 0;
}

static bool is_bulk(const struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->operand_count; i++)
		if (strcmp(arguments->operands[i], "all") == 0 || arguments->operands[i][0] == '@')
			return true;
	return arguments_has(arguments, "status");
}

/* 1: yes. 0: no. -1: there is nobody to ask. */
static int ask(const struct selection *selection)
{
	char answer[16];
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return -1;
	for (size_t i = 0; i < selection->count; i++)
		fprintf(stderr, "  %s\n", selection->entries[i]->name);
	fprintf(stderr, "stop and delete %zu service%s with state and logs? (y/N) ",
		selection->count, selection->count == 1 ? "" : "s");
	if (!fgets(answer, sizeof(answer), stdin)) {
		/* nobody has typed the newline that ends the question's line */
		fputc('\n', stderr);
		return 0;
	}
	return answer[0] == 'y' || answer[0] == 'Y';
}

static int delete_selected(struct context *context, const struct arguments *arguments,
			   const struct selection *selection)
{
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const struct stop_options options = {
		.timeout_ns = -1,
		.force = arguments_has(arguments, "force"),
		.umask = &context->umask,
		.file_limit = &context->file_limit,
		.progress = outcome_progress,
	};
	struct stop_result *results CLEANUP_FREE =
	    memory_zalloc(selection->count, sizeof(*results));
	int result = delete_services(&context->project, selection, &options, results, &err);
	outcome_progress_end();
	if (result < 0)
		return report_error(&err);
	int status = 0;
	for (size_t i = 0; i < selection->count; i++) {
		int one = outcome_append_stop(&results[i], "deleted", &text);
		status = one > status ? one : status;
	}
	stop_results_release(results, selection->count);
	if (output_write(&text, &err) < 0)
		status = report_error(&err);
	return status;
}

static int confirm_and_delete(struct context *context, const struct arguments *arguments,
			      const struct selection *selection)
{
	int answer = arguments_has(arguments, "force") || !is_bulk(arguments) ? 1 : ask(selection);
	if (answer > 0)
		return delete_selected(context, arguments, selection);
	if (answer == 0)
		report_line("nothing was deleted");
	else
		report_line("deleting several services at once needs --force where nobody can be "
			    "asked");
	return answer == 0 ? ERROR_FAILED : ERROR_USAGE;
}

static int run_delete(struct context *context, const struct arguments *arguments)
{
	struct error err = ERROR_INIT;
	struct selection selection;
	const char *state = arguments_value(arguments, "status");
	if (arguments->operand_count == 0 && !state)
		return report_nothing_named(
		    context, &command_delete,
		    "its name, its id, @NAMESPACE or 'all', or --status STATE");
	int unknown = report_selection(context, arguments, SELECT_ALL_KNOWN, &selection);
	int status = 0;
	if (state && filter_by_state(context, state, &selection, &err) < 0)
		status = report_error(&err);
	else if (selection.count > 0)
		status = confirm_and_delete(context, arguments, &selection);
	else if (unknown == 0)
		report_line("there is nothing to delete");
	selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 0, "status", "STATE", "only services in this state: stopped, exited, errored, ..." },
	{ 0, "force", NULL, "do not ask; discard the records of another host" },
	{ 0 },
};

const struct command command_delete = {
	.name = "delete",
	.aliases = { "rm" },
	.operands = "SERVICE...",
	.summary = "stop services, and remove their state and logs",
	.details = "pmo.yml is left as it is. 'all', @NAMESPACE and --status ask first. A service "
		   "that cannot be stopped keeps everything.",
	.options = options,
	.need = COMMAND_NEEDS_STATE,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_delete,
};
