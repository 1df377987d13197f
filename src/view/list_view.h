/*
 * What `pmo ls` shows: one row for each service.
 */
#ifndef PMO_VIEW_LIST_VIEW_H
#define PMO_VIEW_LIST_VIEW_H

#include "service/snapshot.h"
#include "view/json.h"
#include "view/style.h"

/* Services of one host, and the catalog they were selected from. */
struct list_part {
	const struct snapshot *snapshot;
	const struct catalog *catalog;
};

/* Append the table of all parts: the columns id, name, pid, uptime, status, restarts, cpu, mem, and
 * where there is something to show, gpu mem, gpu id, host; then user. Nothing at all for no
 * services.
 *
 * On a terminal a '*' after the status marks a service that runs with another definition than
 * pmo.yml has now, "**" one that pmo.yml does not name any more, and lines below the table say how
 * many run, what is wrong (view/trouble_view.h) and what the marks mean. */
void list_view_append(const struct list_part *parts, size_t count, const struct output *output,
		      struct buffer *buffer);

/* Append an array with one object for each service, in the same order (view/service_json.h). */
void list_view_append_json(const struct list_part *parts, size_t count, struct buffer *buffer);

#endif
