/*
 * What hooks run with: from a launch, or from the record of a service that somebody else started.
 */
#ifndef PMO_SERVICE_HOOK_SOURCE_H
#define PMO_SERVICE_HOOK_SOURCE_H

#include "service/hook.h"
#include "service/launch.h"
#include "service/project.h"

/* Everything is borrowed from LAUNCH. UMASK is what a service without `umask` gets. */
void hook_source_from_launch(struct hook_source *source, const struct launch *launch, int umask,
			     const struct rlimit *file_limit);

/* Of a service that is on record: its definition is the one it was started with (NAME.spec). LEADER
 * is who it is; its environment is read from /proc, so this comes before the service is stopped.
 * Where LEADER is NULL or gone, has overwritten its environment, or runs by now as somebody else
 * than the hook will, the environment is this process's own with the variables that pmo sets, and
 * those of the user that the service has. FILE_LIMIT is borrowed. hook_source_release in any case.
 * -1 when there is no such definition, its user does not exist, or its logs cannot be found. */
int hook_source_read(struct hook_source *source, const struct project *project,
		     const struct catalog_entry *entry, const struct identity *leader,
		     const struct rlimit *file_limit, struct error *err);
void hook_source_release(struct hook_source *source);

#endif
