#include "view/log_view.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

/* Told apart on dark and on light backgrounds; red is left for what went wrong. */
static const char *const name_colors[] = { "\033[36m", "\033[33m", "\033[32m", "\033[35m",
					   "\033[34m", "\033[96m", "\033[93m", "\033[92m",
					   "\033[95m", "\033[94m" };
static const char reset[] = "\033[0m";

/* Longer than any sequence that sets a colour. */
enum { SGR_LONGEST = 64 };

void log_view_init(struct log_view *view, const struct output *output)
{
	*view = (struct log_view){ .output = *output };
}

void log_view_add_name(struct log_view *view, const char *name)
{
	struct buffer visible CLEANUP_BUFFER = BUFFER_INIT;
	text_append_visible(&visible, name, strlen(name));
	size_t width = text_width(buffer_string(&visible));
	if (width > view->name_width)
		view->name_width = width;
}

/* The length of the SGR sequence that BYTES begin with: ESC [, digits, ';' and ':', m. Else 0. */
static size_t sgr_length(const char *bytes, size_t length)
{
	if (length < 3 || bytes[0] != '\033' || bytes[1] != '[')
		return 0;
	for (size_t i = 2; i < length && i < SGR_LONGEST; i++) {
		if (bytes[i] == 'm')
			return i + 1;
		if (!strchr("0123456789;:", bytes[i]) || bytes[i] == '\0')
			return 0;
	}
	return 0;
}

/* How many bytes from the start need no second look. */
static size_t plain_length(const char *bytes, size_t length)
{
	size_t plain = 0;
	while (plain < length &&
	       ((bytes[plain] >= 0x20 && bytes[plain] < 0x7f) || bytes[plain] == '\t'))
		plain++;
	return plain;
}

/* How many bytes from the start, at least one, belong to text_append_visible: up to the next tab or
 * escape, where this module decides. */
static size_t doubtful_length(const char *bytes, size_t length)
{
	size_t doubtful = 1;
	while (doubtful < length && bytes[doubtful] != '\t' && bytes[doubtful] != '\033')
		doubtful++;
	return doubtful;
}

void log_view_append_safe(const char *line, size_t length, enum log_color color,
			  struct buffer *buffer)
{
	bool colored = false;
	while (length > 0) {
		size_t step = plain_length(line, length);
		if (step > 0) {
			buffer_append(buffer, line, step);
		} else if ((step = sgr_length(line, length)) > 0) {
			colored = color == LOG_COLOR_PASS;
			if (colored)
				buffer_append(buffer, line, step);
		} else {
			step = doubtful_length(line, length);
			text_append_visible(buffer, line, step);
		}
		line += step;
		length -= step;
	}
	if (colored)
		buffer_append_string(buffer, reset);
}

static void append_name(const struct log_view *view, const char *name, size_t number,
			struct buffer *buffer)
{
	if (view->output.color)
		buffer_append_string(buffer, name_colors[number % ARRAY_LENGTH(name_colors)]);
	size_t start = buffer->length;
	text_append_visible(buffer, name, strlen(name));
	size_t width = text_width(buffer_string(buffer) + start);
	for (; width < view->name_width; width++)
		buffer_append_char(buffer, ' ');
	if (view->output.color)
		buffer_append_string(buffer, reset);
}

static void append_separator(const struct log_view *view, enum log_stream stream,
			     struct buffer *buffer)
{
	if (stream == LOG_STREAM_OUT) {
		buffer_append_string(buffer, " | ");
		return;
	}
	buffer_printf(buffer, " %s!%s ", style_begin(&view->output, STYLE_BAD),
		      style_end(&view->output, STYLE_BAD));
}

void log_view_append(const struct log_view *view, const char *name, size_t number,
		     enum log_stream stream, const char *line, size_t length, struct buffer *buffer)
{
	append_name(view, name, number, buffer);
	append_separator(view, stream, buffer);
	if (view->output.terminal) {
		if (length > 0 && line[length - 1] == '\r')
			length--;
		log_view_append_safe(line, length,
				     view->output.color ? LOG_COLOR_PASS : LOG_COLOR_DROP, buffer);
	} else {
		buffer_append(buffer, line, length);
	}
	buffer_append_char(buffer, '\n');
}
