/*
 * Rotating the log of a running service without its help: the log is copied, then cut in place.
 *
 * The steps, each of which a killed rotation may end with:
 *	PATH.part	a copy is being made; worthless when left behind
 *	PATH.0	the copy is complete, the log is being cut; whoever rotates holds flock(2) on it
 *	PATH.1	the log is cut
 * Following (os/log_chain.h) relies on this order: the log changes only while PATH.0 is there.
 *
 * Where the file system can take blocks out of the front of a file (ext4, xfs) nothing is lost: the
 * log keeps less than a block that was not copied. The cut may then be inside of a line; PATH.1
 * and PATH together are all bytes in their order. Elsewhere the log is emptied once all of it was
 * copied: what is written between the last look at its end and the emptying, about a microsecond,
 * is lost. The service must write with O_APPEND, as those that pmo starts do.
 */
#ifndef PMO_OS_LOG_ROTATE_H
#define PMO_OS_LOG_ROTATE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Move what PATH holds to PATH.1, older ones a number up, KEEP files at most (0: what it holds is
 * dropped), while a process appends to it. A log that is empty or missing is left alone. The copy
 * gets the log's mode and, for root, its owner. What a killed rotation left is put in order first.
 *
 * OWNER is who writes the log when that is not this process's user, else LOGFILE_NO_OWNER: as in
 * logfile_start, links that the owner could have made and a log that has other names are errors.
 *
 * Blocks for as long as copying and one fdatasync(2) take: meant for a process of its own. On an
 * error (a full disk, somebody else rotating, not a regular file, a symbolic link) all lines
 * are still there, and it can be tried again. Returns 0 or -1 with an error. */
int logfile_rotate_running(const char *path, int keep, uid_t owner, struct error *err);

/* Put in order what a killed rotation of PATH left, nothing else: before its files are renumbered
 * otherwise. Returns 0 or -1 with an error. */
int log_rotate_recover(const char *path, int keep, uid_t owner, struct error *err);

/* Remove what a killed rotation of PATH left, with the lines in it: when its logs are removed. */
void log_rotate_discard(const char *path);

enum log_copy {
	LOG_COPY_BUSY,  /* it is being rotated right now */
	LOG_COPY_UNCUT, /* left by a killed rotation before the log was cut: the log has it all */
	LOG_COPY_CUT,   /* the log was cut: this holds what came before it */
};

/* How far the rotation came whose PATH.0 is open as COPY_FD; LOG_FD is PATH, or -1 if it is gone.
 * Reads both files when that rotation was killed. */
enum log_copy log_copy_inspect(int copy_fd, int log_fd);

/* How long to wait, in nanoseconds, before a log that may have LIMIT bytes is looked at again: SIZE
 * is its size now, GROWN what was added in the last ELAPSED_NS. Half the time in which it would be
 * full at this rate and at most twice the last wait, but never under 200 ms or over 10 s; 200 ms
 * when it is full, nothing is known yet (ELAPSED_NS 0), or it shrank. */
int64_t log_size_next_check(int64_t size, int64_t limit, int64_t grown, int64_t elapsed_ns);

#endif
