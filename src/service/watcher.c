#include "service/watcher.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "os/tree_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const words[] = {
	[WATCHER_CHANGED] = "changed ",
	[WATCHER_MISSING] = "missing ",
	[WATCHER_ERROR] = "error ",
};

struct watcher {
	struct tree_watch *watch;
	size_t hidden; /* how much at the beginning of each path is the same for all */
	int channel;
};

enum watcher_news watcher_parse(const char *line, const char **text)
{
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		size_t length = strlen(words[i]);
		if (strncmp(line, words[i], length) == 0) {
			*text = line + length;
			return (enum watcher_news)i;
		}
	}
	*text = line;
	return WATCHER_UNKNOWN;
}

/* A pipe whose reader is gone would raise SIGPIPE, a socket need not. */
static ssize_t send_some(int channel, const char *bytes, size_t length)
{
	ssize_t sent = send(channel, bytes, length, MSG_NOSIGNAL);
	return sent < 0 && errno == ENOTSOCK ? write(channel, bytes, length) : sent;
}

/* Waits while nobody reads. -1 when nobody ever will. */
static int send_all(int channel, const char *bytes, size_t length)
{
	while (length > 0) {
		struct pollfd ready = { .fd = channel, .events = POLLOUT };
		ssize_t sent = send_some(channel, bytes, length);
		if (sent < 0 && errno == EAGAIN && poll(&ready, 1, -1) >= 0 &&
		    !(ready.revents & (POLLHUP | POLLERR)))
			continue;
		if (sent < 0 && errno != EINTR)
			return -1;
		bytes += sent > 0 ? sent : 0;
		length -= sent > 0 ? (size_t)sent : 0;
	}
	return 0;
}

static int send_line(int channel, enum watcher_news news, const char *text)
{
	struct buffer line CLEANUP_BUFFER = BUFFER_INIT;
	buffer_append_string(&line, words[news]);
	text_append_visible(&line, text, strlen(text));
	buffer_append_char(&line, '\n');
	return send_all(channel, line.data, line.length);
}

static int send_path(const struct watcher *watcher, enum watcher_news news, const char *path)
{
	size_t length = strlen(path);
	size_t skipped = watcher->hidden < length ? watcher->hidden : 0;
	return send_line(watcher->channel, news, path + skipped);
}

/* Shorten LENGTH bytes of PATH to the directory that OTHER is in too, or is. */
static size_t common_directory(const char *path, size_t length, const char *other)
{
	size_t same = 0;
	while (same < length && path[same] == other[same])
		same++;
	bool whole = same == length && (other[same] == '/' || other[same] == '\0');
	while (!whole && same > 0 && path[same] != '/')
		same--;
	return same;
}

static bool is_directory(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* How long what all roots begin with is, with its '/'. */
static size_t measure_hidden(const struct tree_watch *watch, size_t root_count)
{
	const char *first = tree_watch_root(watch, 0);
	size_t length = strlen(first);
	if (!is_directory(first))
		length = (size_t)(strrchr(first, '/') ? strrchr(first, '/') - first : 0);
	for (size_t i = 0; i < root_count; i++) {
		const char *root = tree_watch_root(watch, i);
		if (*root != '/')
			return 0;
		length = common_directory(first, length, root);
	}
	return length > 1 ? length + 1 : 1;
}

static int send_missing(const struct watcher *watcher)
{
	const char *path;
	size_t index = 0;
	while ((path = tree_watch_next_missing(watcher->watch, &index)))
		if (send_path(watcher, WATCHER_MISSING, path) != 0)
			return -1;
	return 0;
}

/* Returns false when the other end of the channel is closed. */
static bool wait_for_events(const struct watcher *watcher)
{
	struct pollfd ready[] = {
		{ .fd = tree_watch_fd(watcher->watch), .events = POLLIN },
		{ .fd = watcher->channel },
	};
	int timeout = clock_poll_timeout(tree_watch_deadline(watcher->watch));
	return poll(ready, ARRAY_LENGTH(ready), timeout) <= 0 || ready[1].revents == 0;
}

/* 0 when the other end of the channel is closed, -1 with an error. */
static int watch_files(const struct watcher *watcher, struct error *err)
{
	while (wait_for_events(watcher)) {
		const char *path;
		int got = tree_watch_read(watcher->watch, clock_monotonic_ns(), &path, err);
		if (got < 0)
			return -1;
		if (got > 0 && send_path(watcher, WATCHER_CHANGED, path) != 0)
			return 0;
	}
	return 0;
}

int watcher_run(const char *const *roots, size_t root_count, const char *const *patterns,
		size_t pattern_count, int channel)
{
	const struct tree_watch_options options = { roots, root_count, patterns, pattern_count };
	struct error err = ERROR_INIT;
	struct watcher watcher = { .watch = tree_watch_open(&options, &err), .channel = channel };
	int result = watcher.watch ? 0 : -1;
	if (watcher.watch) {
		watcher.hidden = measure_hidden(watcher.watch, root_count);
		if (send_missing(&watcher) == 0)
			result = watch_files(&watcher, &err);
	}
	if (result != 0)
		send_line(channel, WATCHER_ERROR, err.message);
	tree_watch_close(watcher.watch);
	error_clear(&err);
	return result;
}
