/*
 * Hearing that files change: whole directories or single files, inotify(7).
 *
 * A change is a file that was closed after writing, a name that appeared, went or was renamed, a
 * directory that is new; reading and permissions are none. Symbolic links are not followed, but a
 * root that is one is, and so is its flip to another target. A single file is watched through its
 * directory: it may be replaced. A root need not be there: it is looked for, and its appearance is
 * a change, as is its end. When the system loses events that is a change too.
 *
 * Changes that come together are one: it is reported after 200 ms without another, and at most 2 s
 * after the first.
 *
 * Calling sequence: tree_watch_open; then until the end: poll(2) for tree_watch_fd (POLLIN) up to
 * tree_watch_deadline, tree_watch_read.
 */
#ifndef PMO_OS_TREE_WATCH_H
#define PMO_OS_TREE_WATCH_H

#include "base/clock.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define TREE_WATCH_QUIET_NS (200 * NSEC_PER_MSEC)
#define TREE_WATCH_LIMIT_NS (2 * NSEC_PER_SEC)

struct tree_watch_options {
	const char *const *roots;   /* absolute, or from the current directory */
	size_t root_count;          /* at least one */
	const char *const *ignored; /* model/ignore_pattern, each relative to the root that a */
	size_t ignored_count;       /* path is in; a root itself is never ignored */
};

struct tree_watch;

/* Watch all roots; the options are copied. NULL with an error that names the limit where one of the
 * system is reached. */
struct tree_watch *tree_watch_open(const struct tree_watch_options *options, struct error *err);
void tree_watch_close(struct tree_watch *watch);

/* Readable when something has happened. May be another one after each tree_watch_read. */
int tree_watch_fd(const struct tree_watch *watch);

/* When tree_watch_read has something to do even so (CLOCK_MONOTONIC); INT64_MAX: never. */
int64_t tree_watch_deadline(const struct tree_watch *watch);

/* Take in what has happened; NOW_NS is clock_monotonic_ns(). 1: there was a change, *path is the
 * first path of it, below its root as that was given, valid until the next call. 0: nothing to
 * report yet. -1 with an error: the watch is incomplete from now on and should be closed. */
int tree_watch_read(struct tree_watch *watch, int64_t now_ns, const char **path, struct error *err);

/* Root INDEX as reported paths begin with it: without "//" and "/./". Owned by the watch. */
const char *tree_watch_root(const struct tree_watch *watch, size_t index);

/* The next root that is not there, *index (0 at first) on; NULL: no more. */
const char *tree_watch_next_missing(const struct tree_watch *watch, size_t *index);

#endif
