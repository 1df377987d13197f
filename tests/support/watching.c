#include "watching.h"

#include "support.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct watching watching_open_without(const char *root, const char *ignored)
{
	const struct tree_watch_options options = { &root, 1, &ignored, ignored ? 1 : 0 };
	struct error err = ERROR_INIT;
	struct watching watching = { tree_watch_open(&options, &err), clock_monotonic_ns() };
	if (!watching.watch)
		fail_msg("%s", err.message);
	return watching;
}

struct watching watching_open(const char *root)
{
	return watching_open_without(root, NULL);
}

void watching_close(struct watching *watching)
{
	tree_watch_close(watching->watch);
}

static const char *read_at(struct watching *watching, int64_t now_ns)
{
	struct error err = ERROR_INIT;
	const char *path = NULL;
	watching->now_ns = now_ns;
	if (tree_watch_read(watching->watch, now_ns, &path, &err) < 0)
		fail_msg("%s", err.message);
	return path;
}

/* The system queues an event before the call that causes it returns: one look sees them all. */
const char *watching_report(struct watching *watching)
{
	const char *early = read_at(watching, watching->now_ns + 1);
	assert_null(early);
	return read_at(watching, watching->now_ns + TREE_WATCH_QUIET_NS);
}

void watching_skip_to_deadline(struct watching *watching)
{
	watching->now_ns = tree_watch_deadline(watching->watch);
	assert_int_not_equal(watching->now_ns, INT64_MAX);
}

void check_change(struct watching *watching, const char *expected, const char *file, int line)
{
	const char *path = watching_report(watching);
	if (!path && !expected)
		return;
	if (!path || !expected || strcmp(path, expected) != 0) {
		print_error("reported: '%s', expected: '%s'\n", path ? path : "(nothing)",
			    expected ? expected : "(nothing)");
		_fail(file, line);
	}
	check_change(watching, NULL, file, line);
}

void append_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void remove_tree(const char *path)
{
	assert_int_equal(nftw(path, remove_entry, 16, FTW_PHYS | FTW_DEPTH), 0);
}
