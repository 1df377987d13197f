/*
 * Following growing log files by inotify(7): any number of files, over rotation, truncation,
 * removal and re-creation. Only whole lines are handed on.
 *
 * Files and their directories may be missing and appear later. Where inotify cannot help (its
 * limits are reached, a directory may not be read, a link leads elsewhere) the files are looked at
 * every half second instead; that is no error. Every file takes a descriptor while it exists.
 */
#ifndef PMO_OS_FOLLOW_H
#define PMO_OS_FOLLOW_H

#include "base/error.h"
#include "os/logfile.h"

#include <stdbool.h>
#include <stddef.h>

struct follower;

/* Called with each complete LINE (without its newline) of the file added as SOURCE. The beginning
 * of a line is held until its newline comes, and handed on as it is when it grows over
 * LINE_HELD_LIMIT or its file ends (rotation, truncation, removal, follower_destroy). */
typedef void follow_line(void *context, size_t source, const char *line, size_t length);

/* Never NULL. */
struct follower *follower_create(follow_line *handle, void *context);

enum follow_mode {
	FOLLOW_NOTIFIED,
	FOLLOW_POLLED, /* also look every half second: for network file systems, where inotify is
			* blind to what other hosts do */
};

/* Follow PATH, which need not exist yet, from FROM (logfile_visit_last) on: also when that file was
 * rotated since. NULL is the beginning of the file. Returns the source number, from 0. */
size_t follower_add(struct follower *follower, const char *path,
		    const struct logfile_position *from, enum follow_mode mode);

/* Let follower_run return FOLLOW_ENDED once nobody reads the pipe or terminal FD any more. */
void follower_end_with(struct follower *follower, int fd);

enum { FOLLOW_ENDED = 1 };

/* Hand on the lines that are there; if there are none, wait for the next change first. Returns 0,
 * FOLLOW_ENDED, or -1 with an error. STOP may be NULL; a signal handler that sets *STOP makes it
 * return, without a gap in which the signal would be missed. */
int follower_run(struct follower *follower, const volatile bool *stop, struct error *err);

/* Hand on what is held of unfinished lines, and free everything. FOLLOWER may be NULL. */
void follower_destroy(struct follower *follower);

#endif
