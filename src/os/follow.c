#include "os/follow.h"

#include "base/clock.h"
#include "os/followed_file.h"
#include "os/watched_directory.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_INTERVAL_NS (500 * NSEC_PER_MSEC)

enum { EVENT_BUFFER_SIZE = 64 * 1024 };

struct source {
	struct followed_file file;
	const char *name; /* within its directory; part of file.path */
	size_t directory;
	enum follow_mode mode;
	bool pending; /* to be looked at */
};

struct follower {
	follow_line *handle;
	void *context;
	struct directory_set directories;
	struct source *sources;
	size_t source_count;
	size_t source_capacity;
	size_t *by_name; /* source numbers sorted by name; stale while sources are added */
	bool sorted;
	int end_fd; /* -1: none */
	int64_t
	    poll_at_ns; /* when the polled files are looked at next; INT64_MAX: there are none */
	char *chunk;
};

/* What a line handler needs to know about where a line comes from. */
struct delivery {
	const struct follower *follower;
	size_t number;
};

static void deliver(void *context, const char *line, size_t length)
{
	const struct delivery *delivery = context;
	delivery->follower->handle(delivery->follower->context, delivery->number, line, length);
}

struct follower *follower_create(follow_line *handle, void *context)
{
	struct follower *follower = memory_zalloc(1, sizeof(*follower));
	follower->handle = handle;
	follower->context = context;
	follower->end_fd = -1;
	follower->poll_at_ns = INT64_MAX;
	follower->chunk = memory_alloc(FOLLOWED_CHUNK_SIZE);
	directory_set_open(&follower->directories);
	return follower;
}

void follower_destroy(struct follower *follower)
{
	if (!follower)
		return;
	for (size_t i = 0; i < follower->source_count; i++) {
		struct delivery delivery = { follower, i };
		const struct line_sink sink = { deliver, &delivery, follower->chunk };
		followed_file_finish(&follower->sources[i].file, &sink);
	}
	directory_set_close(&follower->directories);
	free(follower->sources);
	free(follower->by_name);
	free(follower->chunk);
	free(follower);
}

static size_t add_directory(struct follower *follower, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return directory_set_add(&follower->directories, ".");
	size_t length = slash == path ? 1 : (size_t)(slash - path);
	char *directory CLEANUP_FREE = memory_strndup(path, length);
	return directory_set_add(&follower->directories, directory);
}

/* What a link leads to changes in a directory that is not watched. */
static bool is_link(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

size_t follower_add(struct follower *follower, const char *path,
		    const struct logfile_position *from, enum follow_mode mode)
{
	MEMORY_GROW(follower->sources, follower->source_count, follower->source_capacity);
	struct source *source = &follower->sources[follower->source_count];
	*source = (struct source){ .pending = true };
	followed_file_init(&source->file, path, from);
	const char *slash = strrchr(source->file.path, '/');
	source->name = slash ? slash + 1 : source->file.path;
	source->directory = add_directory(follower, path);
	source->mode = is_link(path) ? FOLLOW_POLLED : mode;
	follower->sorted = false;
	return follower->source_count++;
}

void follower_end_with(struct follower *follower, int fd)
{
	follower->end_fd = fd;
}

static int compare_names(const void *left, const void *right, void *follower)
{
	const struct source *sources = ((struct follower *)follower)->sources;
	return strcmp(sources[*(const size_t *)left].name, sources[*(const size_t *)right].name);
}

static void sort_by_name(struct follower *follower)
{
	if (follower->sorted || follower->source_count == 0)
		return;
	follower->by_name =
	    memory_resize(follower->by_name, follower->source_count, sizeof(*follower->by_name));
	for (size_t i = 0; i < follower->source_count; i++)
		follower->by_name[i] = i;
	qsort_r(follower->by_name, follower->source_count, sizeof(*follower->by_name),
		compare_names, follower);
	follower->sorted = true;
}

/* The first position in by_name whose name is not below NAME. */
static size_t find_name(const struct follower *follower, const char *name)
{
	size_t low = 0;
	size_t high = follower->source_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(follower->sources[follower->by_name[middle]].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void mark_named(struct follower *follower, size_t directory, const char *name)
{
	for (size_t i = find_name(follower, name); i < follower->source_count; i++) {
		struct source *source = &follower->sources[follower->by_name[i]];
		if (strcmp(source->name, name) != 0)
			return;
		if (source->directory == directory)
			source->pending = true;
	}
}

/* The end of a rotation under a running service is seen by what becomes of NAME.0. */
static void mark_log(struct follower *follower, size_t directory, const char *name)
{
	mark_named(follower, directory, name);
	size_t length = strlen(name);
	if (length <= 2 || strcmp(name + length - 2, ".0") != 0)
		return;
	char *log CLEANUP_FREE = memory_strndup(name, length - 2);
	mark_named(follower, directory, log);
}

static void mark_directory(struct follower *follower, size_t directory)
{
	directory_set_renew(&follower->directories, directory);
	for (size_t i = 0; i < follower->source_count; i++)
		if (follower->sources[i].directory == directory)
			follower->sources[i].pending = true;
}

static void handle_event(struct follower *follower, const struct inotify_event *event)
{
	const struct directory_set *directories = &follower->directories;
	for (size_t i = 0; i < directories->count; i++) {
		if (event->mask & IN_Q_OVERFLOW) {
			mark_directory(follower, i);
			continue;
		}
		if (directories->items[i].descriptor != event->wd)
			continue;
		if (watched_directory_changed(&directories->items[i], event))
			mark_directory(follower, i);
		else if (event->len > 0)
			mark_log(follower, i, event->name);
	}
}

static int read_events(struct follower *follower, struct error *err)
{
	_Alignas(struct inotify_event) char events[EVENT_BUFFER_SIZE];
	ssize_t got = read(follower->directories.inotify, events, sizeof(events));
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot follow logs");
	for (ssize_t offset = 0; offset < got;) {
		const struct inotify_event *event = (const void *)(events + offset);
		handle_event(follower, event);
		offset += (ssize_t)(sizeof(*event) + event->len);
	}
	return 0;
}

static bool is_polled(const struct follower *follower, const struct source *source)
{
	return source->mode == FOLLOW_POLLED || source->file.rotating ||
	       follower->directories.items[source->directory].state == WATCH_BLIND;
}

/* For how long poll(2) may wait: not at all while something is to be looked at. */
static int wait_limit_ms(struct follower *follower)
{
	bool polled = false;
	for (size_t i = 0; i < follower->source_count; i++) {
		if (follower->sources[i].pending)
			return 0;
		polled = polled || is_polled(follower, &follower->sources[i]);
	}
	if (!polled)
		follower->poll_at_ns = INT64_MAX;
	else if (follower->poll_at_ns == INT64_MAX)
		follower->poll_at_ns = clock_monotonic_ns() + POLL_INTERVAL_NS;
	return clock_poll_timeout(follower->poll_at_ns);
}

static void mark_polled(struct follower *follower)
{
	if (follower->poll_at_ns > clock_monotonic_ns())
		return;
	follower->poll_at_ns = INT64_MAX;
	for (size_t i = 0; i < follower->directories.count; i++)
		if (follower->directories.items[i].state == WATCH_BLIND)
			mark_directory(follower, i);
	for (size_t i = 0; i < follower->source_count; i++)
		if (is_polled(follower, &follower->sources[i]))
			follower->sources[i].pending = true;
}

/* poll(2) with all signals held back until it waits, so that none comes between the question
 * whether to stop and the waiting. */
static int wait_unless_stopped(struct pollfd *polled, int timeout_ms, const volatile bool *stop)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	struct timespec timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	int ready = -1;
	errno = EINTR;
	if (!stop || !*stop)
		ready = ppoll(polled, 2, timeout_ms < 0 ? NULL : &timeout, &before);
	int errnum = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return ready;
}

static int look_at_sources(struct follower *follower, struct error *err)
{
	for (size_t i = 0; i < follower->source_count; i++) {
		struct source *source = &follower->sources[i];
		if (!source->pending)
			continue;
		struct delivery delivery = { follower, i };
		const struct line_sink sink = { deliver, &delivery, follower->chunk };
		source->pending = followed_file_look(&source->file, &sink);
		if (source->file.failure)
			return error_set_errno(err, ERROR_FAILED, source->file.failure,
					       "cannot follow log '%s'", source->file.path);
	}
	return 0;
}

int follower_run(struct follower *follower, const volatile bool *stop, struct error *err)
{
	sort_by_name(follower);
	int timeout_ms = wait_limit_ms(follower);
	struct pollfd polled[2] = { { .fd = follower->directories.inotify, .events = POLLIN },
				    { .fd = follower->end_fd } };
	int ready = wait_unless_stopped(polled, timeout_ms, stop);
	if (ready < 0 && errno != EINTR)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot follow logs");
	if (ready < 0)
		return 0;
	if (polled[1].revents)
		return FOLLOW_ENDED;
	if (polled[0].revents && read_events(follower, err) < 0)
		return -1;
	mark_polled(follower);
	return look_at_sources(follower, err);
}
