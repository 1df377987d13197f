/*
 * What is wrong with services, one line each: below the table of `pmo ls`.
 */
#ifndef PMO_VIEW_TROUBLE_VIEW_H
#define PMO_VIEW_TROUBLE_VIEW_H

#include "view/list_view.h"

/* Append lines for the services that have failed, then for those that run without the supervisor
 * that they need, then for those that wait to be restarted: of each kind some, and how many more
 * there are. Nothing at all when all is well. */
void trouble_view_append(const struct list_part *parts, size_t count, const struct output *output,
			 struct buffer *buffer);

/* Add a warning to MESSAGES for each service whose supervisor is gone: some, and how many more
 * there are. For where the lines above are not shown. */
void trouble_view_warn(const struct list_part *parts, size_t count, struct message_list *messages);

#endif
