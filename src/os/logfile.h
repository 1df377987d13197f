/*
 * Log files of services: append-only, rotated at each start, emptied while they are written.
 *
 * Only regular files are rotated, emptied or removed. Anything else that a configuration may name
 * (/dev/null, a FIFO, a terminal, and every symbolic link, such as /dev/stdout) belongs to somebody
 * else: it is written as it is and otherwise left alone, without an error. A directory is an error
 * everywhere. All paths in messages are as given.
 */
#ifndef PMO_OS_LOGFILE_H
#define PMO_OS_LOGFILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "os/line_splitter.h"
#include "os/log_chain.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Nobody in particular: logs stay with this process's user. */
#define LOGFILE_NO_OWNER ((uid_t)-1)

/* Rotate PATH (PATH.1 newest, KEEP files at most; 0 drops the old log) and open a fresh one
 * O_APPEND, mode 0600, close-on-exec. Anything that is no regular file (/dev/null, a FIFO) is
 * opened as it is; a FIFO that nobody reads is an error instead of a wait. Returns the descriptor,
 * or -1 with an error.
 *
 * Files move from the oldest to the newest into the first free number, so the cost follows what is
 * there, and a failure on the way loses nothing. An empty log is not rotated: it would push out one
 * that holds something. Where renaming is refused (EACCES, EPERM: a directory of somebody else;
 * EBUSY: a mounted file) the log is appended to instead.
 *
 * OWNER is who will write the log when that is not this process's user, else LOGFILE_NO_OWNER. A
 * regular file is given to the owner, who may have put something else in its place, so these are
 * errors: a symbolic link that the owner could have made or exchanged, also on the way to the
 * log's directory, and a file that has other names. A safe link (/dev/stdout) is followed, and what
 * it leads to is not given away. */
int logfile_start(const char *path, int keep, uid_t owner, struct error *err);

/* Whether logfile_start could make or append to PATH, as far as that can be seen beforehand: its
 * directory is there and can be written, and no link leads OWNER's log away. Changes nothing. */
int logfile_check(const char *path, uid_t owner, struct error *err);

/* Write "--- Starting service 'NAME' at YYYY-MM-DD HH:MM:SS ---", SUFFIX (" (merged logs)" or "")
 * before the closing dashes, with an empty line before it unless the file is empty; nothing when FD
 * is no regular file. PATH is for messages. */
int logfile_write_header(int fd, const char *path, const char *name, const char *suffix,
			 struct error *err);

/* True if there is something for the next two functions to do: the log, rotated files of it, or a
 * directory that they will complain about. */
bool logfile_exists(const char *path);

/* Empty PATH, leave a line "--- Log flushed at YYYY-MM-DD HH:MM:SS ---", and remove its rotated
 * files: for a log that is being written. That it is not there is success. */
int logfile_flush(const char *path, struct error *err);

/* Remove PATH and its rotated files. */
int logfile_remove(const char *path, struct error *err);

/* The logs in DIRECTORY: every NAME.log that exists, or that rotated files are left of. */
struct logfile_list {
	char **paths; /* sorted, each once, without a rotation's number */
	size_t count;
	struct arena arena;
};

#define LOGFILE_LIST_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* That DIRECTORY is not there is an empty list. */
int logfile_list(struct logfile_list *list, const char *directory, struct error *err);
void logfile_list_release(struct logfile_list *list);

/* Append the last LINES lines of PATH to BUFFER (each with its newline; the last one gets one),
 * read backwards from the end, at most LIMIT bytes of the file (0: no limit): as many whole lines
 * as fit, or the end of the last one. *end, if not NULL, gets the offset just behind what was read.
 * Nothing when there is no such file. */
int logfile_read_last(const char *path, size_t lines, size_t limit, struct buffer *buffer,
		      off_t *end, struct error *err);

/* A place in one certain file, whatever its name is by now. */
struct logfile_position {
	dev_t device;
	ino_t inode; /* 0: there was no file */
	off_t offset;
	struct log_mark mark; /* from which OFFSET counts, also when it was rotated since */
};

enum logfile_ending {
	LOGFILE_WHOLE_LINES, /* a last line without a newline is left for later */
	LOGFILE_ALL_LINES,   /* it counts as a line */
};

/* Hand on the last LINES lines of PATH, in constant memory however many they are. *position, if not
 * NULL, gets where they end, for follower_add. */
int logfile_visit_last(const char *path, size_t lines, enum logfile_ending ending,
		       line_handler *handle, void *context, struct logfile_position *position,
		       struct error *err);

#endif
