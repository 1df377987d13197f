/*
 * Lines of logs with the name of their service before them: "NAME | line", and "NAME ! line" for
 * what a service wrote to its standard error.
 *
 * On a terminal nothing in a line can move the cursor, change the title or do anything else but set
 * colours for itself: SGR sequences (ESC [ ... m) pass, tabs pass, and every other control
 * character or sequence, and every byte that is not UTF-8, is shown as \xNN. Off a terminal lines
 * are what they are, byte by byte.
 */
#ifndef PMO_VIEW_LOG_VIEW_H
#define PMO_VIEW_LOG_VIEW_H

#include "base/buffer.h"
#include "view/style.h"

#include <stddef.h>

enum log_stream {
	LOG_STREAM_OUT, /* also merged logs */
	LOG_STREAM_ERROR,
};

struct log_view {
	struct output output;
	size_t name_width; /* columns of the widest name */
};

/* The view adapts to the names that it is told about before the first line. */
void log_view_init(struct log_view *view, const struct output *output);
void log_view_add_name(struct log_view *view, const char *name);

/* Append the line (without its newline) of the service NAME, and a newline. NUMBER chooses the
 * colour of the name. */
void log_view_append(const struct log_view *view, const char *name, size_t number,
		     enum log_stream stream, const char *line, size_t length,
		     struct buffer *buffer);

/* Append LINE as a terminal may show it: the rule above. COLOR says whether SGR sequences pass or
 * are dropped. */
enum log_color { LOG_COLOR_DROP, LOG_COLOR_PASS };
void log_view_append_safe(const char *line, size_t length, enum log_color color,
			  struct buffer *buffer);

#endif
