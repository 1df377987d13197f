/*
 * Bytes in, whole lines out.
 */
#ifndef PMO_OS_LINE_SPLITTER_H
#define PMO_OS_LINE_SPLITTER_H

#include "base/buffer.h"

#include <stddef.h>

/* An unfinished line is held up to this many bytes, then handed on as it is. */
enum { LINE_HELD_LIMIT = 8 * 1024 * 1024 };

/* Called with each LINE, without its newline; it is valid during the call only. */
typedef void line_handler(void *context, const char *line, size_t length);

struct line_splitter {
	struct buffer held; /* the beginning of a line whose newline has not come yet */
};

#define LINE_SPLITTER_INIT                                                                         \
	{                                                                                          \
		BUFFER_INIT                                                                        \
	}

/* Add BYTES and hand on every line that is whole now. */
void line_splitter_feed(struct line_splitter *splitter, const char *bytes, size_t length,
			line_handler *handle, void *context);

/* Hand on what is held, if anything: nothing more will be added to this line. */
void line_splitter_finish(struct line_splitter *splitter, line_handler *handle, void *context);

void line_splitter_release(struct line_splitter *splitter);

#endif
