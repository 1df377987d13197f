#include "os/followed_file.h"

#include "os/log_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much of one file is read before the others get their turn. */
enum { LOOK_LIMIT = 1024 * 1024 };

/* How often a log may move away under one look. */
enum { MOST_MOVES = 64 };

void followed_file_init(struct followed_file *file, const char *path,
			const struct logfile_position *from)
{
	*file = (struct followed_file){ .path = memory_strdup(path), .fd = -1 };
	if (from)
		file->position = *from;
	else
		log_mark_take(&file->position.mark, path);
}

static void close_file(struct followed_file *file)
{
	const struct log_mark mark = file->position.mark;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->position = (struct logfile_position){ .mark = mark };
	file->seen_length = 0;
}

void followed_file_finish(struct followed_file *file, const struct line_sink *sink)
{
	line_splitter_finish(&file->lines, sink->handle, sink->context);
	line_splitter_release(&file->lines);
	close_file(file);
	free(file->path);
	file->path = NULL;
}

static bool is_file(const struct logfile_position *position, const struct stat *status)
{
	return position->inode == status->st_ino && position->device == status->st_dev;
}

static ssize_t read_chunk(int fd, char *chunk, off_t offset)
{
	ssize_t got;
	do
		got = pread(fd, chunk, FOLLOWED_CHUNK_SIZE, offset);
	while (got < 0 && errno == EINTR);
	return got;
}

static void remember_seen(struct followed_file *file, const char *chunk, size_t length)
{
	file->seen_length = length < FOLLOWED_SEEN_SIZE ? length : FOLLOWED_SEEN_SIZE;
	memcpy(file->seen, chunk + length - file->seen_length, file->seen_length);
}

/* Nothing that was read is still there: begin with what is. */
static void start_over(struct followed_file *file, const struct line_sink *sink)
{
	line_splitter_finish(&file->lines, sink->handle, sink->context);
	file->position.offset = 0;
	file->seen_length = 0;
}

/* Hand on what a read at the offset, less what was seen, has GOT. False if that was not there. */
static bool take_chunk(struct followed_file *file, const struct line_sink *sink, ssize_t got)
{
	size_t seen = file->seen_length;
	if ((size_t)got < seen || memcmp(sink->chunk, file->seen, seen) != 0)
		return false;
	size_t fresh = (size_t)got - seen;
	if (fresh == 0)
		return true;
	file->position.offset += (off_t)fresh;
	remember_seen(file, sink->chunk, (size_t)got);
	line_splitter_feed(&file->lines, sink->chunk + seen, fresh, sink->handle, sink->context);
	return true;
}

/* Hand on the rest of a file that was renamed or copied and does not change any more. */
static void read_rest(struct followed_file *file, int fd, const struct line_sink *sink)
{
	off_t before;
	do {
		before = file->position.offset;
		ssize_t got = read_chunk(fd, sink->chunk, before - (off_t)file->seen_length);
		if (got < 0)
			return;
		if (!take_chunk(file, sink, got)) {
			start_over(file, sink);
			before = -1;
		}
	} while (file->position.offset != before);
}

enum reading { READ_ALL, READ_PART, READ_IN_VAIN };

/* Hand on what is new in the log, up to LOOK_LIMIT bytes. What a read gave is good if no rotation
 * had begun by then. */
static enum reading read_new(struct followed_file *file, const struct line_sink *sink)
{
	size_t total = 0;
	while (total < LOOK_LIMIT) {
		off_t before = file->position.offset;
		ssize_t got = read_chunk(file->fd, sink->chunk, before - (off_t)file->seen_length);
		if (!log_mark_unchanged(&file->position.mark, file->path))
			return READ_IN_VAIN;
		if (got < 0)
			return READ_ALL;
		if (!take_chunk(file, sink, got))
			start_over(file, sink);
		else if (file->position.offset == before)
			return READ_ALL;
		else
			total += (size_t)(file->position.offset - before);
	}
	return READ_PART;
}

/* Take over FD as the log at the path, where reading goes on at the offset. */
static void adopt(struct followed_file *file, int fd, const struct log_identity *identity)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->position.device = identity->device;
	file->position.inode = identity->inode;
}

/* The offset is so much nearer to the beginning of a file that goes on where another ended. */
static void go_on_at(struct followed_file *file, off_t offset)
{
	file->position.offset = offset;
	if ((off_t)file->seen_length <= offset)
		return;
	size_t surplus = file->seen_length - (size_t)offset;
	memmove(file->seen, file->seen + surplus, (size_t)offset);
	file->seen_length = (size_t)offset;
}

static void read_rotated(struct followed_file *file, const struct log_file *rotated,
			 const struct line_sink *sink)
{
	if (rotated->copy && file->position.offset > rotated->size) {
		go_on_at(file, file->position.offset - rotated->size);
		return;
	}
	read_rest(file, rotated->fd, sink);
	if (!rotated->copy)
		line_splitter_finish(&file->lines, sink->handle, sink->context);
	go_on_at(file, 0);
}

/* True if the last bytes before the offset are in FD. */
static bool was_read(const struct followed_file *file, int fd)
{
	char bytes[FOLLOWED_SEEN_SIZE];
	size_t length = file->seen_length;
	ssize_t got = pread(fd, bytes, length, file->position.offset - (off_t)length);
	return length > 0 && got == (ssize_t)length && memcmp(bytes, file->seen, length) == 0;
}

/* The log that was read so far has no name any more: what is left of it can only be had from the
 * descriptor. */
static void read_removed(struct followed_file *file, const struct line_sink *sink)
{
	if (file->fd >= 0)
		read_rest(file, file->fd, sink);
	start_over(file, sink);
}

/* True if what was read of the removed log was copied before: it goes on behind the copies. */
static bool was_copied(const struct followed_file *file, struct log_chain *chain)
{
	struct log_file *oldest = chain->count > 0 ? &chain->items[chain->count - 1] : NULL;
	if (!oldest || oldest->number == LOG_ITSELF || !was_read(file, oldest->fd))
		return false;
	oldest->copy = true;
	return true;
}

/* Read what has a number, from the oldest to the newest. Returns how many files are left. */
static size_t read_numbered(struct followed_file *file, struct log_chain *chain, bool removed,
			    const struct line_sink *sink)
{
	bool copied = removed && was_copied(file, chain);
	size_t left = chain->count;
	if (removed && !copied)
		read_removed(file, sink);
	for (; left > 0 && chain->items[left - 1].number != LOG_ITSELF; left--)
		read_rotated(file, &chain->items[left - 1], sink);
	if (copied)
		read_removed(file, sink);
	return left;
}

/* The log is not what it was: read what was rotated away since, to the end, and go on with the log
 * that is there. False if there is nothing to go on with for now. */
static bool move_on(struct followed_file *file, const struct line_sink *sink)
{
	struct log_chain chain;
	const struct log_reader reader = { file->position.mark, file->position.device,
					   file->position.inode };
	log_chain_collect(&chain, file->path, &reader);
	file->rotating = chain.busy;
	file->failure = chain.failure;
	if (chain.busy || chain.failure) {
		log_chain_release(&chain);
		return false;
	}
	bool removed = log_chain_find(&chain, &reader) == chain.count;
	size_t left = read_numbered(file, &chain, removed, sink);
	if (left > 0) {
		adopt(file, chain.items[0].fd, &chain.items[0].identity);
		chain.items[0].fd = -1;
	} else {
		close_file(file);
	}
	file->position.mark = chain.mark;
	log_chain_release(&chain);
	return left > 0;
}

/* Where reading begins, the last bytes before the offset are not known yet. */
static void look_back(struct followed_file *file)
{
	off_t length =
	    file->position.offset < FOLLOWED_SEEN_SIZE ? file->position.offset : FOLLOWED_SEEN_SIZE;
	ssize_t got = pread(file->fd, file->seen, (size_t)length, file->position.offset - length);
	if (!log_mark_unchanged(&file->position.mark, file->path))
		return;
	if (got == length)
		file->seen_length = (size_t)length;
	else
		file->position.offset = 0;
}

/* Open the file at the path, which is the one that is known. */
static bool reopen(struct followed_file *file)
{
	struct stat status;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		file->failure = errno;
	if (fd < 0)
		return false;
	if (fstat(fd, &status) < 0 || !is_file(&file->position, &status)) {
		close(fd);
		return false;
	}
	file->fd = fd;
	look_back(file);
	return true;
}

/* The path names nothing. In the middle of a rotation the file goes on under another name; once it
 * is removed for good, its space on the disk must not be held by us. */
static bool look_absent(struct followed_file *file, const struct line_sink *sink)
{
	struct stat status;
	if (file->fd < 0)
		return false;
	enum reading reading = read_new(file, sink);
	if (reading == READ_PART)
		return true;
	if (fstat(file->fd, &status) < 0 || status.st_nlink > 0)
		return false;
	if (reading == READ_IN_VAIN)
		return move_on(file, sink);
	line_splitter_finish(&file->lines, sink->handle, sink->context);
	close_file(file);
	return false;
}

bool followed_file_look(struct followed_file *file, const struct line_sink *sink)
{
	file->rotating = false;
	for (int moves = 0; moves < MOST_MOVES; moves++) {
		struct stat status;
		if (stat(file->path, &status) < 0 || !S_ISREG(status.st_mode))
			return look_absent(file, sink);
		if (is_file(&file->position, &status)) {
			if (file->fd < 0 && !reopen(file))
				return false;
			enum reading reading = read_new(file, sink);
			if (reading != READ_IN_VAIN)
				return reading == READ_PART;
		}
		if (!move_on(file, sink))
			return false;
	}
	return true;
}
