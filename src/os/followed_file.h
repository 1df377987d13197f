/*
 * One log file that is read as it grows: the part of following that knows no inotify.
 */
#ifndef PMO_OS_FOLLOWED_FILE_H
#define PMO_OS_FOLLOWED_FILE_H

#include "os/line_splitter.h"
#include "os/logfile.h"

#include <stdbool.h>

enum { FOLLOWED_SEEN_SIZE = 64, FOLLOWED_CHUNK_SIZE = 64 * 1024 };

struct followed_file {
	char *path;                       /* owned */
	struct logfile_position position; /* which file, and how far it was read */
	int fd;                           /* -1: not open */
	int failure;                      /* EMFILE or ENFILE when that kept it from being opened */
	bool rotating; /* it is being rotated: what it holds is known only afterwards */
	/* The last bytes before the offset. When they are no longer there, the file was emptied,
	 * even if it is already longer again than it was. */
	char seen[FOLLOWED_SEEN_SIZE];
	size_t seen_length;
	struct line_splitter lines;
};

/* Where lines go, and a block to read into. */
struct line_sink {
	line_handler *handle;
	void *context;
	char *chunk; /* FOLLOWED_CHUNK_SIZE bytes */
};

/* FROM may be NULL: from the beginning. */
void followed_file_init(struct followed_file *file, const char *path,
			const struct logfile_position *from);

/* Hand on the lines that came since the last look, first those of rotated files that were not read
 * to their end. A line that a rotation of the running service's log has divided comes whole.
 * Returns true if there was so much that another look should follow at once. */
bool followed_file_look(struct followed_file *file, const struct line_sink *sink);

/* Hand on an unfinished line, and release everything. */
void followed_file_finish(struct followed_file *file, const struct line_sink *sink);

#endif
