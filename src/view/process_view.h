/*
 * The process tree of a service, drawn as a table: pid, cpu, mem, command.
 */
#ifndef PMO_VIEW_PROCESS_VIEW_H
#define PMO_VIEW_PROCESS_VIEW_H

#include "service/snapshot.h"
#include "view/style.h"

/* Append the members of SERVICE, indented by two spaces. Branches stand before the commands, in
 * ASCII where the locale is not UTF-8. */
void process_view_append(const struct service_status *service, const struct output *output,
			 struct buffer *buffer);

#endif
