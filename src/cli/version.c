#include "cli/commands.h"
#include "cli/report.h"
#include "view/style.h"

static int run_version(struct context *context, const struct arguments *arguments)
{
	(void)context;
	(void)arguments;
	struct error err = ERROR_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	buffer_append_string(&text, "pmo " PMO_VERSION "\n");
	return output_write(&text, &err) < 0 ? report_error(&err) : 0;
}

const struct command command_version = {
	.name = "version",
	.operands = "",
	.summary = "show the version",
	.need = COMMAND_NEEDS_NOTHING,
	.operand_kind = OPERANDS_NONE,
	.run = run_version,
};
