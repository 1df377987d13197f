/*
 * What commands say to people on standard error: "pmo: message".
 */
#ifndef PMO_CLI_REPORT_H
#define PMO_CLI_REPORT_H

#include "base/error.h"
#include "cli/command.h"

/* Print and clear the error; returns its exit status. */
int report_error(struct error *err);

/* Print and empty the collected messages ("pmo: warning: ..." for warnings). */
void report_messages(struct context *context);

/* Print one line "pmo: ...". */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say that COMMAND needs a service, in one of the FORMS, and list those there are. Returns the exit
 * status 2. */
int report_nothing_named(const struct context *context, const struct command *command,
			 const char *forms);

/* The same for a command that takes one service and no more. */
int report_one_needed(const struct context *context, const struct command *command);

/* Resolve the operands of COMMAND against the project, print what is wrong with them, and return 0
 * or the exit status 4. What could be resolved is selected either way. No operands select `all`. */
int report_selection(struct context *context, const struct arguments *arguments,
		     enum select_all all, struct selection *selection);

/* The same for commands that need a definition: what was named but is no longer in pmo.yml is
 * reported as well, and not selected. */
int report_configured_selection(struct context *context, const struct arguments *arguments,
				enum select_all all, struct selection *selection);

#endif
