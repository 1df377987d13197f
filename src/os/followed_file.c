#include "os/followed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much of one file is read before the others get their turn. */
enum { LOOK_LIMIT = 1024 * 1024 };

/* A rotation under way leaves one number free at a time; this many in a row are the end. */
enum { LONGEST_GAP = 4 };

void followed_file_init(struct followed_file *file, const char *path,
			const struct logfile_position *from)
{
	*file = (struct followed_file){ .path = memory_strdup(path), .fd = -1 };
	if (from)
		file->position = *from;
}

static void close_file(struct followed_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->position = (struct logfile_position){ 0 };
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

/* Take over FD as the file; POSITION tells what was read of it before. */
static void adopt(struct followed_file *file, int fd, struct logfile_position position)
{
	close_file(file);
	file->fd = fd;
	file->position = position;
	off_t length = position.offset < FOLLOWED_SEEN_SIZE ? position.offset : FOLLOWED_SEEN_SIZE;
	ssize_t got = pread(fd, file->seen, (size_t)length, position.offset - length);
	if (got == length)
		file->seen_length = (size_t)length;
	else
		file->position.offset = 0;
}

/* Hand on what is new in the open file, up to about LIMIT bytes. True if there is more. */
static bool read_new(struct followed_file *file, const struct line_sink *sink, size_t limit)
{
	size_t total = 0;
	while (total < limit) {
		size_t seen = file->seen_length;
		ssize_t got =
		    read_chunk(file->fd, sink->chunk, file->position.offset - (off_t)seen);
		if (got < 0)
			return false;
		if ((size_t)got < seen || memcmp(sink->chunk, file->seen, seen) != 0) {
			line_splitter_finish(&file->lines, sink->handle, sink->context);
			file->position.offset = 0;
			file->seen_length = 0;
			continue;
		}
		size_t fresh = (size_t)got - seen;
		if (fresh == 0)
			return false;
		file->position.offset += (off_t)fresh;
		remember_seen(file, sink->chunk, (size_t)got);
		total += fresh;
		line_splitter_feed(&file->lines, sink->chunk + seen, fresh, sink->handle,
				   sink->context);
	}
	return true;
}

/* A run's log that was found under the path or one of its rotated names. */
struct generation {
	int number; /* of the rotated name; 0 for the path itself */
	int fd;
	struct stat status;
};

/* Newest first. */
struct generations {
	struct generation *items;
	size_t count;
	size_t capacity;
};

static void generations_cut(struct generations *list, size_t count)
{
	while (list->count > count)
		close(list->items[--list->count].fd);
}

/* The type is looked at before the file is opened: a FIFO must not be. */
static int open_generation(struct followed_file *file, int number, struct stat *status)
{
	char *name CLEANUP_FREE =
	    number ? memory_printf("%s.%d", file->path, number) : memory_strdup(file->path);
	if (stat(name, status) < 0 || !S_ISREG(status->st_mode))
		return -1;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		file->failure = errno;
	if (fd >= 0 && (fstat(fd, status) < 0 || !S_ISREG(status->st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Files only move up while they are counted upwards, so none is missed; but one may be met twice,
 * and then those met in between are newer than it: they are left for the next look. */
static void generations_add(struct generations *list, const struct generation *found)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct stat *other = &list->items[i].status;
		if (other->st_ino == found->status.st_ino &&
		    other->st_dev == found->status.st_dev) {
			generations_cut(list, i + 1);
			close(found->fd);
			return;
		}
	}
	MEMORY_GROW(list->items, list->count, list->capacity);
	list->items[list->count++] = *found;
}

/* Collect what is newer than the file known so far. Returns a descriptor of that one, or -1 if it
 * is no longer among the rotated files. */
static int collect_generations(struct generations *list, struct followed_file *file)
{
	int last = file->position.inode ? INT_MAX : 1;
	for (int number = 0, missing = 0; number < last && missing < LONGEST_GAP; number++) {
		struct generation found = { .number = number };
		found.fd = open_generation(file, number, &found.status);
		if (found.fd < 0) {
			missing++;
			continue;
		}
		missing = 0;
		if (is_file(&file->position, &found.status))
			return found.fd;
		generations_add(list, &found);
	}
	return -1;
}

static bool later(const struct timespec *left, const struct timespec *right)
{
	return left->tv_sec != right->tv_sec ? left->tv_sec > right->tv_sec
					     : left->tv_nsec > right->tv_nsec;
}

/* The known file was removed, so the rotated ones may be older than it: only those written to after
 * its last line are new. */
static void drop_older(struct generations *list, int known_fd)
{
	struct stat known;
	size_t newer = list->count > 0 && list->items[0].number == 0;
	if (known_fd >= 0 && fstat(known_fd, &known) == 0)
		while (newer < list->count &&
		       later(&list->items[newer].status.st_mtim, &known.st_mtim))
			newer++;
	generations_cut(list, newer);
}

/* The path names another file than the one that was read so far: read that one to its end, then the
 * runs in between, which came and went unseen, and begin with the newest. False if there is none.
 */
static bool move_on(struct followed_file *file, const struct line_sink *sink)
{
	struct generations list = { 0 };
	int known = collect_generations(&list, file);
	if (known < 0)
		drop_older(&list, file->fd);
	else if (file->fd < 0)
		adopt(file, known, file->position);
	else
		close(known);
	bool moved = list.count > 0;
	while (list.count > 0) {
		if (file->fd >= 0)
			read_new(file, sink, SIZE_MAX);
		line_splitter_finish(&file->lines, sink->handle, sink->context);
		const struct generation *next = &list.items[--list.count];
		struct logfile_position start = { .device = next->status.st_dev,
						  .inode = next->status.st_ino };
		adopt(file, next->fd, start);
	}
	free(list.items);
	return moved;
}

/* Open the file at the path, which is the one that is known. */
static bool reopen(struct followed_file *file)
{
	struct stat status;
	int fd = open_generation(file, 0, &status);
	if (fd < 0)
		return false;
	if (!is_file(&file->position, &status)) {
		close(fd);
		return false;
	}
	adopt(file, fd, file->position);
	return true;
}

/* The path names nothing. In the middle of a rotation the file goes on under another name; once it
 * is removed for good, its space on the disk must not be held by us. */
static bool look_absent(struct followed_file *file, const struct line_sink *sink)
{
	struct stat status;
	if (file->fd < 0)
		return false;
	bool more = read_new(file, sink, LOOK_LIMIT);
	if (!more && fstat(file->fd, &status) == 0 && status.st_nlink == 0) {
		line_splitter_finish(&file->lines, sink->handle, sink->context);
		close_file(file);
	}
	return more;
}

bool followed_file_look(struct followed_file *file, const struct line_sink *sink)
{
	for (;;) {
		struct stat status;
		if (stat(file->path, &status) < 0 || !S_ISREG(status.st_mode))
			return look_absent(file, sink);
		if (is_file(&file->position, &status)) {
			if (file->fd < 0 && !reopen(file))
				return false;
			return read_new(file, sink, LOOK_LIMIT);
		}
		if (!move_on(file, sink))
			return false;
	}
}
