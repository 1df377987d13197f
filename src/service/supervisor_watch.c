/* A supervisor's dealings with the process that watches files for it. */
#include "service/supervisor_loop.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the watcher is told; all in one arena. */
struct watch_order {
	struct arena arena;
	const char **roots;
	const char **patterns;
	size_t pattern_count;
};

/* Relative roots count from the service's directory, which is not kept busy. */
static void add_roots(struct watch_order *order, const struct launch *launch)
{
	const struct string_list *watch = &launch->definition->watch;
	order->roots = arena_alloc(&order->arena, watch->count * sizeof(*order->roots));
	for (size_t i = 0; i < watch->count; i++) {
		const char *root = watch->items[i];
		order->roots[i] =
		    *root == '/' ? root
				 : arena_printf(&order->arena, "%s/%s", launch->directory, root);
	}
}

/* PATH as a pattern that fits nothing else. */
static const char *escape(struct watch_order *order, const char *path)
{
	char *text = arena_alloc(&order->arena, 2 * strlen(path) + 1);
	char *end = text;
	for (; *path; path++) {
		if (strchr("*?[]\\", *path))
			*end++ = '\\';
		*end++ = *path;
	}
	*end = '\0';
	return text;
}

static void add_log(struct watch_order *order, const char *root, const char *log)
{
	char *place CLEANUP_FREE = realpath(root, NULL);
	char *file CLEANUP_FREE = realpath(log, NULL);
	size_t length = place ? strlen(place) : 0;
	if (!place || !file || strncmp(place, file, length) != 0 || file[length] != '/')
		return;
	static const char *const suffixes[] = { "", ".[0-9]*", ".part" };
	const char *pattern = escape(order, file + length);
	for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++)
		order->patterns[order->pattern_count++] =
		    arena_printf(&order->arena, "%s%s", pattern, suffixes[i]);
}

/* The service's own logs may lie in a directory that is watched: each start writes to them. */
static void add_patterns(struct watch_order *order, const struct launch *launch)
{
	enum { PER_LOG = 3, LOGS = 2 };
	const struct definition *definition = launch->definition;
	const struct string_list *ignored = &definition->ignore_watch;
	size_t room = PER_LOG * LOGS * definition->watch.count + ignored->count;
	order->patterns = arena_alloc(&order->arena, room * sizeof(*order->patterns));
	for (size_t i = 0; i < definition->watch.count; i++) {
		add_log(order, order->roots[i], launch->log_out);
		add_log(order, order->roots[i], launch->log_error);
	}
	for (size_t i = 0; i < ignored->count; i++)
		order->patterns[order->pattern_count++] = ignored->items[i];
}

static int watcher_main(void *context, int channel, int kept)
{
	const struct supervisor *supervisor = context;
	const struct launch *launch = supervisor->order->launch;
	struct watch_order order = { .arena = ARENA_INIT };
	(void)kept;
	add_roots(&order, launch);
	add_patterns(&order, launch);
	return watcher_run(order.roots, launch->definition->watch.count, order.patterns,
			   order.pattern_count, channel);
}

void supervisor_watch_files(struct supervisor *supervisor)
{
	if (supervisor->helpers[HELPER_WATCHER].pid < 0)
		supervisor_fork_helper(supervisor, HELPER_WATCHER, watcher_main);
}

/* A service that waits for its next try after a crash may have been mended just now. */
static void react(struct supervisor *supervisor, const char *path)
{
	if (supervisor->phase == PHASE_WAITING)
		supervisor->timers[TIMER_SPAWN] = clock_monotonic_ns();
	if (supervisor->phase != PHASE_RUNNING)
		return;
	snprintf(supervisor->wish, sizeof(supervisor->wish), "'%s' has changed", path);
	supervisor_renew(supervisor);
}

static void read_line(struct supervisor *supervisor, const char *line)
{
	const char *text;
	switch (watcher_parse(line, &text)) {
	case WATCHER_CHANGED:
		react(supervisor, text);
		break;
	case WATCHER_MISSING:
		supervisor_log(supervisor, "watches '%s', which is not there", text);
		break;
	case WATCHER_ERROR:
		supervisor_log(supervisor, "is not watched any more: %s", text);
		break;
	case WATCHER_UNKNOWN:
		break;
	}
}

/* The lines that have arrived whole. */
static void read_lines(struct supervisor *supervisor, struct buffer *text)
{
	char *line = text->data;
	for (char *end; (end = memchr(line, '\n', (size_t)(text->data + text->length - line)));
	     line = end + 1) {
		*end = '\0';
		read_line(supervisor, line);
	}
	size_t rest = (size_t)(text->data + text->length - line);
	memmove(text->data, line, rest);
	text->length = rest;
}

void supervisor_files_changed(struct supervisor *supervisor)
{
	char text[4096];
	int *channel = &supervisor->helpers[HELPER_WATCHER].channel;
	ssize_t got = recv(*channel, text, sizeof(text), MSG_DONTWAIT);
	if (got > 0) {
		buffer_append(&supervisor->watch_text, text, (size_t)got);
		read_lines(supervisor, &supervisor->watch_text);
		return;
	}
	close(*channel);
	*channel = -1;
	buffer_release(&supervisor->watch_text);
}
