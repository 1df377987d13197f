#include "cli/dry_run.h"

#include "cli/commands.h"
#include "cli/report.h"

#include <unistd.h>

/* Services of one run, on their way into one text. */
struct dry_run {
	struct context *context;
	struct launcher launcher;
	struct output output;
	enum launch_secrets secrets;
	size_t hidden;
	struct buffer text;
};

static int append_service(struct dry_run *run, const struct catalog_entry *entry)
{
	struct error err = ERROR_INIT;
	struct launch launch;
	int result = launch_prepare(&launch, &run->launcher, entry->definition, &err);
	report_messages(run->context);
	if (result < 0) {
		error_prefix(&err, "'%s'", entry->name);
		return report_error(&err);
	}
	run->hidden +=
	    launch_view_append(&launch, &run->launcher, run->secrets, &run->output, &run->text);
	launch_release(&launch);
	return 0;
}

static int append_services(struct dry_run *run, const struct selection *selection)
{
	int worst = 0;
	for (size_t i = 0; i < selection->count; i++) {
		int status = append_service(run, selection->entries[i]);
		worst = status > worst ? status : worst;
	}
	if (run->hidden > 0)
		buffer_append_string(&run->text,
				     "# '****' hides what comes from .env and env_file: --show-env "
				     "shows it\n");
	return worst;
}

int dry_run_show(struct context *context, const struct selection *selection,
		 enum launch_secrets secrets)
{
	struct error err = ERROR_INIT;
	struct dry_run run = { .context = context, .secrets = secrets };
	run.output = output_describe(STDOUT_FILENO, context->color_allowed);
	if (launcher_open(&run.launcher, &context->project, &context->messages, &err) < 0) {
		report_messages(context);
		return report_error(&err);
	}
	report_messages(context);
	int status = append_services(&run, selection);
	if (output_write(&run.text, &err) < 0)
		status = report_error(&err);
	launcher_close(&run.launcher);
	buffer_release(&run.text);
	return status;
}

static int run_dry_run(struct context *context, const struct arguments *arguments)
{
	struct selection selection;
	enum launch_secrets secrets =
	    arguments_has(arguments, "show-env") ? LAUNCH_SECRETS_SHOWN : LAUNCH_SECRETS_HIDDEN;
	int unknown =
	    report_configured_selection(context, arguments, SELECT_ALL_CONFIGURED, &selection);
	int status = 0;
	if (selection.count > 0)
		status = dry_run_show(context, &selection, secrets);
	else if (unknown == 0)
		report_line("no services in '%s': nothing would start", context->project.label);
	selection_release(&selection);
	return unknown ? unknown : status;
}

static const struct option_spec options[] = {
	{ 0, "show-env", NULL, "also the values that come from .env and env_file" },
	{ 0 },
};

const struct command command_dry_run = {
	.name = "dry-run",
	.operands = "[SERVICE...]",
	.summary = "print what start would run, and run nothing",
	.details =
	    "For each service a line that sh takes: the directory, the variables that .env, "
	    "env_file and env in pmo.yml add, and the command. Values from .env and env_file are "
	    "hidden, because secrets live there.",
	.options = options,
	.need = COMMAND_NEEDS_CONFIG,
	.operand_kind = OPERANDS_SERVICES,
	.run = run_dry_run,
};
