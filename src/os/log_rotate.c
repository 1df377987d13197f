#include "os/log_rotate.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/log_numbers.h"
#include "os/logfile.h"
#include "os/logfile_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK_SHORTEST_NS (200 * NSEC_PER_MSEC)
#define CHECK_LONGEST_NS  (10 * NSEC_PER_SEC)

enum {
	BLOCK = 64 * 1024,
	COPY_ROUNDS = 8, /* what came while the round before was copied */
	/* A service that writes without a pause is always ahead by what it wrote meanwhile. */
	CATCH_UP_ROUNDS = 1000,
};

struct rotation {
	struct log_place place;
	char *part; /* PATH.part, as seen from the place; so is the next */
	char *copy; /* PATH.0 */
	int log_fd;
	int copy_fd;
	off_t copied; /* how much of the log is in the copy */
	struct stat log;
	char *block;
};

static void rotation_release(struct rotation *rotation)
{
	memory_cleanup_close(&rotation->log_fd);
	memory_cleanup_close(&rotation->copy_fd);
	log_place_release(&rotation->place);
	free(rotation->part);
	free(rotation->copy);
	free(rotation->block);
}

static int rotation_init(struct rotation *rotation, const char *path, uid_t owner,
			 struct error *err)
{
	*rotation = (struct rotation){ .log_fd = -1, .copy_fd = -1 };
	int result = log_place_find(&rotation->place, path, owner, err);
	rotation->part = memory_printf("%s.part", rotation->place.name);
	rotation->copy = log_numbered_path(rotation->place.name, 0);
	return result;
}

static int open_file(const struct rotation *rotation, const char *name, int flags)
{
	return openat(rotation->place.directory, name,
		      flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
}

static int inspect_file(const struct rotation *rotation, const char *name, struct stat *status)
{
	return fstatat(rotation->place.directory, name, status, AT_SYMLINK_NOFOLLOW);
}

static int remove_file(const struct rotation *rotation, const char *name)
{
	return unlinkat(rotation->place.directory, name, 0);
}

static int rename_file(const struct rotation *rotation, const char *from, const char *to)
{
	return renameat(rotation->place.directory, from, rotation->place.directory, to);
}

static int failed(const struct rotation *rotation, int errnum, struct error *err)
{
	return error_set_errno(err, ERROR_FAILED, errnum, "cannot rotate log '%s'",
			       rotation->place.path);
}

static int check_type(const struct rotation *rotation, const struct stat *log, struct error *err)
{
	if (!S_ISREG(log->st_mode))
		return error_set(err, ERROR_FAILED, "cannot rotate log '%s': it is no regular file",
				 rotation->place.path);
	if (log->st_nlink > 1 && rotation->place.owner != LOGFILE_NO_OWNER)
		return error_set(err, ERROR_FAILED,
				 "cannot rotate log '%s': the file has another name, which is not "
				 "safe for a service with 'user': remove it",
				 rotation->place.path);
	return 0;
}

/* Open the log. Returns 0; 1 when there is none; -1 with an error. The type is looked at first:
 * opening may mean something to what is no regular file. */
static int open_log(struct rotation *rotation, struct error *err)
{
	struct stat named;
	if (inspect_file(rotation, rotation->place.name, &named) < 0)
		return errno == ENOENT ? 1 : failed(rotation, errno, err);
	if (check_type(rotation, &named, err) < 0)
		return -1;
	rotation->log_fd = open_file(rotation, rotation->place.name, 0);
	if (rotation->log_fd < 0 || fstat(rotation->log_fd, &rotation->log) < 0)
		return errno == ENOENT ? 1 : failed(rotation, errno, err);
	return check_type(rotation, &rotation->log, err);
}

/* pread(2) over signals and short reads. */
static ssize_t read_block(int fd, char *block, size_t length, off_t offset)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = pread(fd, block + done, length - done, offset + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static bool begins_with(int log_fd, int copy_fd, off_t size)
{
	char *blocks CLEANUP_FREE = memory_alloc(2 * BLOCK);
	for (off_t offset = 0; offset < size;) {
		size_t length = size - offset < BLOCK ? (size_t)(size - offset) : BLOCK;
		ssize_t ours = read_block(copy_fd, blocks, length, offset);
		ssize_t theirs = read_block(log_fd, blocks + BLOCK, length, offset);
		if (ours != (ssize_t)length || theirs != ours ||
		    memcmp(blocks, blocks + BLOCK, length) != 0)
			return false;
		offset += ours;
	}
	return true;
}

enum log_copy log_copy_inspect(int copy_fd, int log_fd)
{
	struct stat copy;
	struct stat log;
	if (flock(copy_fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return LOG_COPY_BUSY;
	flock(copy_fd, LOCK_UN);
	if (log_fd < 0 || fstat(copy_fd, &copy) < 0 || fstat(log_fd, &log) < 0)
		return LOG_COPY_CUT;
	bool whole = log.st_size >= copy.st_size && begins_with(log_fd, copy_fd, copy.st_size);
	return whole ? LOG_COPY_UNCUT : LOG_COPY_CUT;
}

/* The log is cut: give its copy its number. */
static int settle(const struct rotation *rotation, int keep, struct error *err)
{
	char *first CLEANUP_FREE = log_numbered_path(rotation->place.name, 1);
	int result = log_numbers_shift(&rotation->place, keep, err);
	if (result < 0)
		return -1;
	if (result > 0 || rename_file(rotation, rotation->copy, first) < 0)
		return failed(rotation, result ? EACCES : errno, err);
	log_numbers_trim(&rotation->place, keep);
	return 0;
}

/* Open what a rotation may have left. Returns the descriptor, locked; -1 when nothing is there that
 * could be opened; -2 with an error when that rotation is not over. */
static int open_leftover(const struct rotation *rotation, const char *name, struct error *err)
{
	int fd = open_file(rotation, name, 0);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return fd;
	close(fd);
	error_set(err, ERROR_FAILED, "cannot rotate log '%s': it is being rotated already",
		  rotation->place.path);
	return -2;
}

static int recover(const struct rotation *rotation, int keep, struct error *err)
{
	int part_fd CLEANUP_CLOSE = open_leftover(rotation, rotation->part, err);
	if (part_fd == -2)
		return -1;
	if (remove_file(rotation, rotation->part) < 0 && errno != ENOENT)
		return failed(rotation, errno, err);
	int fd CLEANUP_CLOSE = open_leftover(rotation, rotation->copy, err);
	if (fd == -2)
		return -1;
	if (fd < 0)
		return remove_file(rotation, rotation->copy) < 0 && errno != ENOENT
			   ? failed(rotation, errno, err)
			   : 0;
	/* the lock is our own by now: inspecting through it converts and drops it */
	if (keep > 0 && log_copy_inspect(fd, rotation->log_fd) == LOG_COPY_CUT)
		return settle(rotation, keep, err);
	return remove_file(rotation, rotation->copy) < 0 ? failed(rotation, errno, err) : 0;
}

int log_rotate_recover(const char *path, int keep, uid_t owner, struct error *err)
{
	struct rotation rotation;
	struct stat status;
	int result = rotation_init(&rotation, path, owner, err);
	if (result == 0 && (inspect_file(&rotation, rotation.part, &status) == 0 ||
			    inspect_file(&rotation, rotation.copy, &status) == 0)) {
		result = open_log(&rotation, err);
		result = result < 0 ? -1 : recover(&rotation, keep, err);
	}
	rotation_release(&rotation);
	return result;
}

void log_rotate_discard(const char *path)
{
	struct rotation rotation;
	rotation_init(&rotation, path, LOGFILE_NO_OWNER, NULL);
	remove_file(&rotation, rotation.part);
	remove_file(&rotation, rotation.copy);
	rotation_release(&rotation);
}

/* Another rotation may take a file that is not locked yet for a leftover. */
static int create_copy(struct rotation *rotation, struct error *err)
{
	struct stat named;
	struct stat own;
	int fd = open_file(rotation, rotation->part, O_CREAT | O_EXCL);
	rotation->copy_fd = fd;
	if (fd < 0)
		return failed(rotation, errno, err);
	if ((flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) || fstat(fd, &own) < 0 ||
	    inspect_file(rotation, rotation->part, &named) < 0 || named.st_ino != own.st_ino)
		return failed(rotation, EBUSY, err);
	if (geteuid() == 0)
		(void)!fchown(fd, rotation->log.st_uid, rotation->log.st_gid);
	(void)!fchmod(fd, rotation->log.st_mode & 0777);
	return 0;
}

/* Returns how many bytes were copied, 0 at the end of the log, -1 with an error. */
static ssize_t copy_block(struct rotation *rotation, struct error *err)
{
	ssize_t got;
	do
		got = pread(rotation->log_fd, rotation->block, BLOCK, rotation->copied);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 ? failed(rotation, errno, err) : 0;
	int result = lseek(rotation->copy_fd, rotation->copied, SEEK_SET) < 0
			 ? -errno
			 : file_write_all(rotation->copy_fd, rotation->block, (size_t)got);
	if (result < 0)
		return failed(rotation, -result, err);
	rotation->copied += got;
	return got;
}

/* Copy the bytes before END within the kernel; where that is refused, stop. */
static void copy_inside(struct rotation *rotation, off_t end)
{
	ssize_t got = 1;
	while (rotation->copied < end && got > 0) {
		off_t from = rotation->copied;
		off_t to = from;
		do
			got = copy_file_range(rotation->log_fd, &from, rotation->copy_fd, &to,
					      (size_t)(end - to), 0);
		while (got < 0 && errno == EINTR);
		if (got > 0)
			rotation->copied += got;
	}
}

/* What can be taken out of the front of a log of SIZE bytes: whole blocks, but not all of it. All
 * of a log that is hardly larger than what would stay. */
static off_t copied_end(const struct rotation *rotation, off_t size)
{
	off_t block = rotation->log.st_blksize;
	return size >= 2 * block ? (size - 1) / block * block : size;
}

/* Returns 0; 1 when somebody has emptied the log meanwhile; -1 with an error. */
static int copy_log(struct rotation *rotation, struct error *err)
{
	for (int round = 0; round < COPY_ROUNDS; round++) {
		struct stat now;
		if (fstat(rotation->log_fd, &now) < 0)
			return failed(rotation, errno, err);
		off_t end = copied_end(rotation, now.st_size);
		if (now.st_size < rotation->copied)
			return 1;
		if (end <= rotation->copied)
			return 0;
		copy_inside(rotation, end);
		while (rotation->copied < end) {
			ssize_t got = copy_block(rotation, err);
			if (got <= 0)
				return got < 0 ? -1 : 1;
		}
	}
	return 0;
}

/* Nothing may come between the read that finds the end and the emptying. */
static int catch_up_and_empty(struct rotation *rotation, struct error *err)
{
	ssize_t got = 1;
	for (int round = 0; round < CATCH_UP_ROUNDS && got > 0; round++)
		got = copy_block(rotation, err);
	if (got < 0)
		return -1;
	return ftruncate(rotation->log_fd, 0) < 0 ? failed(rotation, errno, err) : 0;
}

static int cut_log(struct rotation *rotation, struct error *err)
{
	if (rotation->copied % rotation->log.st_blksize == 0 &&
	    fallocate(rotation->log_fd, FALLOC_FL_COLLAPSE_RANGE, 0, rotation->copied) == 0)
		return 0;
	return catch_up_and_empty(rotation, err);
}

/* The copy must be on the disk before the original goes. */
static int save_copy(struct rotation *rotation, struct error *err)
{
	if (fdatasync(rotation->copy_fd) < 0 && errno != EINVAL && errno != EROFS)
		return failed(rotation, errno, err);
	return 0;
}

static int rotate_log(struct rotation *rotation, int keep, struct error *err)
{
	if (create_copy(rotation, err) < 0)
		return -1;
	int result = copy_log(rotation, err);
	if (result == 0)
		result = save_copy(rotation, err);
	if (result == 0)
		result = copy_log(rotation, err);
	if (result == 0 && rename_file(rotation, rotation->part, rotation->copy) < 0)
		result = failed(rotation, errno, err);
	if (result != 0) {
		remove_file(rotation, rotation->part);
		return result < 0 ? -1 : 0;
	}
	if (cut_log(rotation, err) < 0) {
		remove_file(rotation, rotation->copy);
		return -1;
	}
	return settle(rotation, keep, err);
}

static int drop_log(struct rotation *rotation, struct error *err)
{
	if (ftruncate(rotation->log_fd, 0) < 0)
		return failed(rotation, errno, err);
	log_numbers_trim(&rotation->place, 0);
	return 0;
}

int logfile_rotate_running(const char *path, int keep, uid_t owner, struct error *err)
{
	struct rotation rotation;
	int result = rotation_init(&rotation, path, owner, err);
	if (result == 0)
		result = open_log(&rotation, err);
	if (result == 0)
		result = recover(&rotation, keep, err);
	if (result == 0 && fstat(rotation.log_fd, &rotation.log) == 0 && rotation.log.st_size > 0) {
		rotation.block = memory_alloc(BLOCK);
		result = keep > 0 ? rotate_log(&rotation, keep, err) : drop_log(&rotation, err);
	}
	rotation_release(&rotation);
	return result < 0 ? -1 : 0;
}

int64_t log_size_next_check(int64_t size, int64_t limit, int64_t grown, int64_t elapsed_ns)
{
	if (size >= limit || elapsed_ns <= 0 || grown < 0)
		return CHECK_SHORTEST_NS;
	double wait = 2.0 * (double)elapsed_ns;
	if (grown > 0) {
		double full = (double)(limit - size) / (double)grown * (double)elapsed_ns;
		wait = full / 2 < wait ? full / 2 : wait;
	}
	if (wait < (double)CHECK_SHORTEST_NS)
		return CHECK_SHORTEST_NS;
	return wait > (double)CHECK_LONGEST_NS ? CHECK_LONGEST_NS : (int64_t)wait;
}
