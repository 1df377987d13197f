#include "os/logfile.h"

#include "os/followed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK = 64 * 1024,
	RANGE_TRIES = 10, /* while the log is rotated again and again */
};

/* Open PATH for reading if it is a regular file. Returns the descriptor, -1 when there is nothing
 * to read, -2 with an error. The type is looked at first, because opening a FIFO and closing it
 * again kills its writer. */
static int open_log(const char *path, struct stat *status, struct error *err)
{
	if (stat(path, status) == 0) {
		if (S_ISDIR(status->st_mode)) {
			error_set(err, ERROR_FAILED, "log '%s' is a directory", path);
			return -2;
		}
		if (!S_ISREG(status->st_mode))
			return -1;
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd >= 0 && fstat(fd, status) == 0)
			return fd;
		memory_cleanup_close(&fd);
	}
	if (errno == ENOENT)
		return -1;
	error_set_errno(err, ERROR_FAILED, errno, "cannot read log '%s'", path);
	return -2;
}

/* pread(2) until LENGTH bytes or the end of the file. Returns the count, or -1 with an error. */
static ssize_t read_at(int fd, const char *path, char *bytes, size_t length, off_t offset,
		       struct error *err)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = pread(fd, bytes + done, length - done, offset + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, ERROR_FAILED, errno, "cannot read log '%s'",
					       path);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

struct backward_scan {
	off_t floor;      /* nothing before this offset is looked at */
	off_t end;        /* just behind the last line */
	size_t newlines;  /* how many ends of lines before it are still to be found */
	off_t line_start; /* of the earliest line known to be whole */
};

/* Count newlines in the block at OFFSET from its end. True when the last one wanted was found. */
static bool scan_block(struct backward_scan *scan, const char *block, size_t length, off_t offset)
{
	const char *newline;
	while ((newline = memrchr(block, '\n', length))) {
		length = (size_t)(newline - block);
		off_t start = offset + (off_t)length + 1;
		if (start >= scan->end)
			continue; /* the newline of the last line itself */
		scan->line_start = start;
		if (--scan->newlines == 0)
			return true;
	}
	return false;
}

/* Where the wanted lines before scan->end begin; -1 with an error. */
static off_t find_start(int fd, const char *path, struct backward_scan *scan, struct error *err)
{
	if (scan->newlines == 0)
		return scan->end;
	char *block CLEANUP_FREE = memory_alloc(BLOCK);
	/* The byte before the floor tells whether a line begins right there. */
	off_t lowest = scan->floor > 0 ? scan->floor - 1 : 0;
	scan->line_start = scan->end;
	for (off_t position = scan->end; position > lowest;) {
		size_t length = position - lowest < BLOCK ? (size_t)(position - lowest) : BLOCK;
		position -= (off_t)length;
		ssize_t got = read_at(fd, path, block, length, position, err);
		if (got < 0)
			return -1;
		if (scan_block(scan, block, (size_t)got, position))
			return scan->line_start;
	}
	bool cut = scan->floor > 0 && scan->line_start < scan->end;
	return cut ? scan->line_start : scan->floor;
}

int logfile_read_last(const char *path, size_t lines, size_t limit, struct buffer *buffer,
		      off_t *end, struct error *err)
{
	struct stat status;
	if (end)
		*end = 0;
	int fd CLEANUP_CLOSE = open_log(path, &status, err);
	if (fd < 0)
		return fd == -2 ? -1 : 0;
	struct backward_scan scan = { .end = status.st_size, .newlines = lines };
	if (limit && scan.end > (off_t)limit)
		scan.floor = scan.end - (off_t)limit;
	off_t start = find_start(fd, path, &scan, err);
	if (start < 0)
		return -1;
	char *bytes = buffer_reserve(buffer, (size_t)(scan.end - start) + 1);
	ssize_t got = read_at(fd, path, bytes, (size_t)(scan.end - start), start, err);
	if (got < 0)
		return -1;
	buffer->length += (size_t)got;
	if (got > 0 && bytes[got - 1] != '\n')
		buffer->data[buffer->length++] = '\n';
	buffer->data[buffer->length] = '\0';
	if (end)
		*end = start + got;
	return 0;
}

/* The offset behind the last newline before SIZE: where whole lines end. -1 with an error. */
static off_t whole_lines_end(int fd, const char *path, off_t size, struct error *err)
{
	/* A byte is imagined behind the end, so that a newline in the last place counts too. */
	struct backward_scan scan = { .end = size + 1, .newlines = 1 };
	return find_start(fd, path, &scan, err);
}

/* Lines of a log, and which file they are in. */
struct line_range {
	int fd;                           /* -1: there is nothing to read */
	struct logfile_position position; /* how far it was read */
	off_t end;
};

/* Returns 0; 1 when the log was rotated meanwhile; -1 with an error. */
static int try_find_range(struct line_range *range, const char *path, size_t lines,
			  enum logfile_ending ending, struct error *err)
{
	struct stat status;
	*range = (struct line_range){ .fd = -1 };
	log_mark_take(&range->position.mark, path);
	range->fd = open_log(path, &status, err);
	if (range->fd < 0)
		return range->fd == -2 ? -1 : 0;
	struct backward_scan scan = { .end = status.st_size, .newlines = lines };
	if (ending == LOGFILE_WHOLE_LINES)
		scan.end = whole_lines_end(range->fd, path, status.st_size, err);
	off_t start = scan.end < 0 ? -1 : find_start(range->fd, path, &scan, err);
	range->position.device = status.st_dev;
	range->position.inode = status.st_ino;
	range->position.offset = start;
	range->end = scan.end;
	if (start < 0)
		return -1;
	return log_mark_unchanged(&range->position.mark, path) ? 0 : 1;
}

static int find_range(struct line_range *range, const char *path, size_t lines,
		      enum logfile_ending ending, struct error *err)
{
	int result = 1;
	for (int i = 0; i < RANGE_TRIES && result == 1; i++) {
		if (i > 0)
			memory_cleanup_close(&range->fd);
		result = try_find_range(range, path, lines, ending, err);
	}
	return result < 0 ? -1 : 0;
}

/* Hand on lines until the end, or until the log is rotated. */
static int visit_range(struct line_range *range, const char *path, struct line_splitter *splitter,
		       line_handler *handle, void *context, struct error *err)
{
	char *block CLEANUP_FREE = memory_alloc(BLOCK);
	struct logfile_position *position = &range->position;
	while (position->offset < range->end) {
		off_t left = range->end - position->offset;
		ssize_t got = read_at(range->fd, path, block, left < BLOCK ? (size_t)left : BLOCK,
				      position->offset, err);
		if (got < 0)
			return -1;
		if (got == 0 || !log_mark_unchanged(&position->mark, path))
			break;
		line_splitter_feed(splitter, block, (size_t)got, handle, context);
		position->offset += got;
	}
	return 0;
}

/* What is left lies in a rotated file by now, and is found as following finds it. */
static void visit_moved(struct line_range *range, const char *path, line_handler *handle,
			void *context)
{
	char *chunk CLEANUP_FREE = memory_alloc(FOLLOWED_CHUNK_SIZE);
	const struct line_sink sink = { handle, context, chunk };
	struct followed_file file;
	followed_file_init(&file, path, &range->position);
	followed_file_look(&file, &sink);
	followed_file_finish(&file, &sink);
}

int logfile_visit_last(const char *path, size_t lines, enum logfile_ending ending,
		       line_handler *handle, void *context, struct logfile_position *position,
		       struct error *err)
{
	struct line_range range;
	struct line_splitter splitter = LINE_SPLITTER_INIT;
	int result = find_range(&range, path, lines, ending, err);
	if (result == 0 && range.fd >= 0)
		result = visit_range(&range, path, &splitter, handle, context, err);
	if (result == 0 && range.position.offset < range.end) {
		range.position.offset -= (off_t)splitter.held.length;
		buffer_clear(&splitter.held);
		if (ending == LOGFILE_ALL_LINES)
			visit_moved(&range, path, handle, context);
	}
	line_splitter_finish(&splitter, handle, context);
	line_splitter_release(&splitter);
	memory_cleanup_close(&range.fd);
	if (position)
		*position = result == 0 ? range.position
					: (struct logfile_position){ .mark = range.position.mark };
	return result;
}
