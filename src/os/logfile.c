#include "os/logfile.h"

#include "base/clock.h"
#include "base/file.h"
#include "os/log_numbers.h"
#include "os/log_rotate.h"
#include "os/logfile_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbers are removed until this many in a row were missing: rotation leaves gaps only where it
 * failed, people leave larger ones. */
enum { LONGEST_GAP = 64 };

enum log_type { LOG_MISSING, LOG_REGULAR, LOG_FOREIGN };

/* What PATH names, without following a link: enum log_type, or -1 with an error. *size gets the
 * size of a regular file. */
static int log_inspect(const char *path, off_t *size, struct error *err)
{
	struct stat status;
	*size = 0;
	if (lstat(path, &status) < 0) {
		if (errno == ENOENT)
			return LOG_MISSING;
		return error_set_errno(err, ERROR_FAILED, errno, "cannot open log '%s'", path);
	}
	if (S_ISDIR(status.st_mode))
		return error_set(err, ERROR_FAILED, "log '%s' is a directory", path);
	*size = status.st_size;
	return S_ISREG(status.st_mode) ? LOG_REGULAR : LOG_FOREIGN;
}

static bool exists(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}

/* Renaming or removing that is refused: the log is appended to instead. */
static bool is_refusal(int error)
{
	return error == EACCES || error == EPERM || error == EBUSY;
}

/* The log itself goes: to PATH.1, which is free now, or for good where KEEP is 0. */
static int move_away(const struct log_place *place, int keep, struct error *err)
{
	char *first CLEANUP_FREE = log_numbered_path(place->name, 1);
	int result = keep > 0 ? renameat(place->directory, place->name, place->directory, first)
			      : unlinkat(place->directory, place->name, 0);
	if (result == 0 || errno == ENOENT || is_refusal(errno))
		return 0;
	if (keep > 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot rotate log '%s' to '%s.1'",
				       place->path, place->path);
	return error_set_errno(err, ERROR_FAILED, errno, "cannot remove log '%s'", place->path);
}

static int rotate(const struct log_place *place, int keep, struct error *err)
{
	int shifted = keep > 0 ? log_numbers_shift(place, keep, err) : 0;
	if (shifted != 0)
		return shifted < 0 ? -1 : 0;
	if (move_away(place, keep, err) < 0)
		return -1;
	log_numbers_trim(place, keep > 0 ? keep : 0);
	return 0;
}

int logfile_check(const char *path, uid_t owner, struct error *err)
{
	struct log_place place;
	const char *slash = strrchr(path, '/');
	int result = log_place_find(&place, path, owner, err);
	if (result == 0)
		result = log_place_check(&place, err);
	log_place_release(&place);
	if (result < 0 || !slash || slash == path || access(path, W_OK) == 0)
		return result;
	char *parent CLEANUP_FREE = memory_strndup(path, (size_t)(slash - path));
	return access(parent, W_OK | X_OK) == 0 ? 0 : log_open_failed(path, errno, err);
}

/* What a start leaves that never ran its command, or whose command never said anything: rotating it
 * would push real logs out. */
static bool has_only_header(const char *path)
{
	static const char beginning[] = "--- Starting service '";
	char text[512];
	int fd CLEANUP_CLOSE =
	    open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text));
	return length > (ssize_t)sizeof(beginning) && length < (ssize_t)sizeof(text) &&
	       memcmp(text, beginning, sizeof(beginning) - 1) == 0 &&
	       memchr(text, '\n', (size_t)length) == text + length - 1;
}

/* Make room for a new log at PLACE. Returns whether the file there is to be emptied, or -1. */
static int clear_the_way(const struct log_place *place, off_t size, int keep, struct error *err)
{
	if (size == 0)
		return 0;
	return has_only_header(place->path) ? 1 : rotate(place, keep, err);
}

static int start_in_place(const struct log_place *place, int keep, struct error *err)
{
	off_t size;
	int type = log_inspect(place->path, &size, err);
	if (type < 0)
		return -1;
	if (type == LOG_FOREIGN)
		return log_place_open(place, 0, err);
	int emptied = clear_the_way(place, size, keep, err);
	int fd = emptied < 0 ? -1 : log_place_open(place, O_CREAT | O_NOFOLLOW, err);
	/* only now is it certain which file that is */
	if (fd >= 0 && emptied && ftruncate(fd, 0) < 0) {
		error_set_errno(err, ERROR_FAILED, errno, "cannot empty log '%s'", place->path);
		close(fd);
		return -1;
	}
	return fd;
}

int logfile_start(const char *path, int keep, uid_t owner, struct error *err)
{
	struct log_place place;
	int fd = -1;
	/* best effort: what cannot be put in order now stays as it is */
	log_rotate_recover(path, keep, owner, NULL);
	if (log_place_find(&place, path, owner, err) == 0)
		fd = start_in_place(&place, keep, err);
	log_place_release(&place);
	return fd;
}

static int write_log(int fd, const char *path, const char *text, size_t length, struct error *err)
{
	int result = file_write_all(fd, text, length);
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot write to log '%s'",
				       path);
	return 0;
}

int logfile_write_header(int fd, const char *path, const char *name, const char *suffix,
			 struct error *err)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot write to log '%s'", path);
	if (!S_ISREG(status.st_mode))
		return 0;
	char now[32];
	clock_format_local(clock_realtime_ns(), now, sizeof(now));
	struct buffer header CLEANUP_BUFFER = BUFFER_INIT;
	buffer_printf(&header, "%s--- Starting service '%s' at %s%s ---\n",
		      status.st_size > 0 ? "\n" : "", name, now, suffix);
	return write_log(fd, path, header.data, header.length, err);
}

bool logfile_exists(const char *path)
{
	struct stat status;
	if (lstat(path, &status) == 0)
		return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
	for (int number = 1; number <= LONGEST_GAP; number++) {
		char *rotated CLEANUP_FREE = log_numbered_path(path, number);
		if (exists(rotated))
			return true;
	}
	return false;
}

static int remove_file(const char *path, struct error *err)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return error_set_errno(err, ERROR_FAILED, errno, "cannot remove log '%s'", path);
}

static int remove_rotated(const char *path, struct error *err)
{
	log_rotate_discard(path);
	for (int number = 1, missing = 0; missing < LONGEST_GAP; number++) {
		char *rotated CLEANUP_FREE = log_numbered_path(path, number);
		if (unlink(rotated) == 0)
			missing = 0;
		else if (errno == ENOENT)
			missing++;
		else
			return error_set_errno(err, ERROR_FAILED, errno, "cannot remove log '%s'",
					       rotated);
	}
	return 0;
}

static int empty_log(const char *path, struct error *err)
{
	const struct log_place place = { .path = path, .owner = LOGFILE_NO_OWNER };
	int fd CLEANUP_CLOSE = log_place_open(&place, O_NOFOLLOW, err);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, 0) < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot empty log '%s'", path);
	char now[32];
	clock_format_local(clock_realtime_ns(), now, sizeof(now));
	char *marker CLEANUP_FREE = memory_printf("--- Log flushed at %s ---\n", now);
	return write_log(fd, path, marker, strlen(marker), err);
}

int logfile_flush(const char *path, struct error *err)
{
	off_t size;
	int type = log_inspect(path, &size, err);
	if (type < 0)
		return -1;
	if (type == LOG_FOREIGN)
		return 0;
	if (type == LOG_REGULAR && empty_log(path, err) < 0)
		return -1;
	return remove_rotated(path, err);
}

int logfile_remove(const char *path, struct error *err)
{
	off_t size;
	int type = log_inspect(path, &size, err);
	if (type < 0)
		return -1;
	if (type == LOG_FOREIGN)
		return 0;
	if (remove_file(path, err) < 0)
		return -1;
	return remove_rotated(path, err);
}
