#include "view/style.h"

#include "base/text.h"
#include "base/units.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const style_sequences[STYLE_COUNT] = {
	[STYLE_PLAIN] = "",        [STYLE_DIM] = "\033[2m",   [STYLE_BOLD] = "\033[1m",
	[STYLE_GOOD] = "\033[32m", [STYLE_BUSY] = "\033[33m", [STYLE_BAD] = "\033[31m",
	[STYLE_NAME] = "\033[36m",
};

static bool environment_wants_color(void)
{
	const char *refusal = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	if (refusal && *refusal)
		return false;
	return terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

static size_t terminal_columns(int fd)
{
	enum { UNTOLD = 80 };
	const char *wanted = getenv("COLUMNS");
	struct winsize size;
	int64_t columns;
	if (wanted && units_parse_integer(wanted, 1, UINT16_MAX, &columns))
		return (size_t)columns;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return UNTOLD;
}

struct output output_describe(int fd, bool color_allowed)
{
	struct output output = { .terminal = isatty(fd) == 1, .utf8 = text_locale_is_utf8() };
	output.color = output.terminal && color_allowed && environment_wants_color();
	output.columns = output.terminal ? terminal_columns(fd) : 0;
	return output;
}

const char *style_begin(const struct output *output, enum style style)
{
	return output->color ? style_sequences[style] : "";
}

const char *style_end(const struct output *output, enum style style)
{
	return output->color && style != STYLE_PLAIN ? "\033[0m" : "";
}

void style_append(struct buffer *buffer, const struct output *output, enum style style,
		  const char *text)
{
	if (!*text)
		return;
	buffer_append_string(buffer, style_begin(output, style));
	buffer_append_string(buffer, text);
	buffer_append_string(buffer, style_end(output, style));
}

/* Standard output may be shared with a program that made it non-blocking. */
static void wait_until_writable(void)
{
	struct pollfd entry = { .fd = STDOUT_FILENO, .events = POLLOUT };
	poll(&entry, 1, -1);
}

int output_write(const struct buffer *buffer, struct error *err)
{
	for (size_t done = 0; done < buffer->length;) {
		ssize_t count = write(STDOUT_FILENO, buffer->data + done, buffer->length - done);
		if (count >= 0)
			done += (size_t)count;
		else if (errno == EAGAIN)
			wait_until_writable();
		else if (errno == EPIPE)
			return 0;
		else if (errno != EINTR)
			return error_set_errno(err, ERROR_FAILED, errno,
					       "cannot write to standard output");
	}
	return 0;
}
