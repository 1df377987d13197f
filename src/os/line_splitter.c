#include "os/line_splitter.h"

#include <string.h>

/* What one line may leave allocated behind it; follow holds a splitter for every file. */
enum { KEPT_CAPACITY = 64 * 1024 };

void line_splitter_finish(struct line_splitter *splitter, line_handler *handle, void *context)
{
	struct buffer *held = &splitter->held;
	if (held->length == 0)
		return;
	handle(context, held->data, held->length);
	buffer_clear(held);
	if (held->capacity > KEPT_CAPACITY)
		buffer_release(held);
}

static void finish_with(struct line_splitter *splitter, const char *bytes, size_t length,
			line_handler *handle, void *context)
{
	if (splitter->held.length == 0) {
		handle(context, bytes, length);
		return;
	}
	buffer_append(&splitter->held, bytes, length);
	line_splitter_finish(splitter, handle, context);
}

void line_splitter_feed(struct line_splitter *splitter, const char *bytes, size_t length,
			line_handler *handle, void *context)
{
	const char *newline;
	while (length > 0 && (newline = memchr(bytes, '\n', length))) {
		size_t line = (size_t)(newline - bytes);
		finish_with(splitter, bytes, line, handle, context);
		bytes += line + 1;
		length -= line + 1;
	}
	if (length == 0)
		return;
	if (splitter->held.length + length > LINE_HELD_LIMIT)
		line_splitter_finish(splitter, handle, context);
	buffer_append(&splitter->held, bytes, length);
}

void line_splitter_release(struct line_splitter *splitter)
{
	buffer_release(&splitter->held);
}
