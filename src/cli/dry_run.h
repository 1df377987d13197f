/*
 * What a start would run: `pmo dry-run`, and `pmo start --dry-run`.
 */
#ifndef PMO_CLI_DRY_RUN_H
#define PMO_CLI_DRY_RUN_H

#include "cli/command.h"
#include "view/launch_view.h"

/* Print what starting the selected services would run, and report what is wrong with those that
 * could not be started. Returns the exit status. */
int dry_run_show(struct context *context, const struct selection *selection,
		 enum launch_secrets secrets);

#endif
