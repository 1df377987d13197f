/*
 * Where results go: what the stream is, colour where there is a terminal that wants it, and the one
 * way in which a command writes its result.
 */
#ifndef PMO_VIEW_STYLE_H
#define PMO_VIEW_STYLE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum style {
	STYLE_PLAIN,
	STYLE_DIM,
	STYLE_BOLD,
	STYLE_GOOD, /* running */
	STYLE_BUSY, /* starting, stopping, restarting */
	STYLE_BAD,  /* errored */
	STYLE_NAME,
	STYLE_COUNT
};

/* What a stream is. */
struct output {
	bool terminal;
	bool color;
	bool utf8;
	size_t columns; /* 0: unlimited (no terminal) */
};

/* FD's properties: isatty(3), NO_COLOR, TERM=dumb, COLUMNS or TIOCGWINSZ, the locale. A terminal
 * whose width nobody tells has 80 columns. */
struct output output_describe(int fd, bool color_allowed);

/* The escape sequence that turns STYLE on, "" without colour. style_end turns it off again. */
const char *style_begin(const struct output *output, enum style style);
const char *style_end(const struct output *output, enum style style);

/* Append TEXT (already visible, base/text.h) between style_begin and style_end;
 * nothing at all for an empty one. */
void style_append(struct buffer *buffer, const struct output *output, enum style style,
		  const char *text);

/* Write the whole buffer to standard output: the result of a command, in one write(2) where the
 * kernel lets it. Returns 0, or -1 with ERROR_FAILED "cannot write to standard output: ...".
 * A reader that went away (EPIPE, when SIGPIPE is ignored) wants no more: that is success. */
int output_write(const struct buffer *buffer, struct error *err);

#endif
