#include "os/logfile.h"

#include "base/clock.h"
#include "base/file.h"

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

static char *rotated_path(const char *path, int number)
{
	return memory_printf("%s.%d", path, number);
}

static bool exists(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}

/* The lowest number from 1 to KEEP that no file has; KEEP when all are taken. */
static int first_free_number(const char *path, int keep)
{
	for (int number = 1; number < keep; number++) {
		char *candidate CLEANUP_FREE = rotated_path(path, number);
		if (!exists(candidate))
			return number;
	}
	return keep;
}

static int move_log(const char *path, int from, int to, struct error *err)
{
	char *old CLEANUP_FREE = from ? rotated_path(path, from) : memory_strdup(path);
	char *new CLEANUP_FREE = rotated_path(path, to);
	if (rename(old, new) == 0 || errno == ENOENT)
		return 0;
	if (errno == EACCES || errno == EPERM || errno == EBUSY)
		return 1;
	return error_set_errno(err, ERROR_FAILED, errno, "cannot rotate log '%s' to '%s'", old,
			       new);
}

/* A lower `log_keep` than last time leaves files above it. */
static void remove_surplus(const char *path, int keep)
{
	for (int number = keep + 1; number > 0; number++) {
		char *surplus CLEANUP_FREE = rotated_path(path, number);
		if (unlink(surplus) < 0)
			return;
	}
}

static int rotate(const char *path, int keep, struct error *err)
{
	if (keep <= 0) {
		if (unlink(path) < 0 && errno != ENOENT && errno != EACCES && errno != EPERM &&
		    errno != EBUSY)
			return error_set_errno(err, ERROR_FAILED, errno, "cannot remove log '%s'",
					       path);
		remove_surplus(path, 0);
		return 0;
	}
	for (int number = first_free_number(path, keep); number > 0; number--) {
		int result = move_log(path, number - 1, number, err);
		if (result != 0)
			return result < 0 ? -1 : 0;
	}
	remove_surplus(path, keep);
	return 0;
}

static int open_failed(const char *path, int errnum, struct error *err)
{
	if (errnum == ENXIO)
		return error_set(err, ERROR_FAILED,
				 "cannot open log '%s': nobody reads it, start its reader first",
				 path);
	const char *slash = strrchr(path, '/');
	if (errnum == ENOENT && slash && slash > path) {
		char *parent CLEANUP_FREE = memory_strndup(path, (size_t)(slash - path));
		if (!exists(parent))
			return error_set(err, ERROR_FAILED,
					 "cannot open log '%s': create its directory '%s' first",
					 path, parent);
	}
	return error_set_errno(err, ERROR_FAILED, errnum, "cannot open log '%s'", path);
}

/* Opened without waiting for a FIFO's reader, written with waiting: a service expects that. */
static int open_for_append(const char *path, int more_flags, struct error *err)
{
	int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | more_flags;
	int fd = open(path, flags, 0600);
	if (fd < 0)
		return open_failed(path, errno, err);
	if (fcntl(fd, F_SETFL, O_APPEND) < 0) {
		open_failed(path, errno, err);
		close(fd);
		return -1;
	}
	return fd;
}

int logfile_check(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path || access(path, W_OK) == 0)
		return 0;
	char *parent CLEANUP_FREE = memory_strndup(path, (size_t)(slash - path));
	return access(parent, W_OK | X_OK) == 0 ? 0 : open_failed(path, errno, err);
}

/* What a start leaves that never ran its command, or whose command never said anything: rotating it
 * would push real logs out. */
static bool has_only_header(const char *path)
{
	static const char beginning[] = "--- Starting service '";
	char text[512];
	int fd CLEANUP_CLOSE = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text));
	return length > (ssize_t)sizeof(beginning) && length < (ssize_t)sizeof(text) &&
	       memcmp(text, beginning, sizeof(beginning) - 1) == 0 &&
	       memchr(text, '\n', (size_t)length) == text + length - 1;
}

int logfile_start(const char *path, int keep, struct error *err)
{
	off_t size;
	int type = log_inspect(path, &size, err);
	if (type < 0)
		return -1;
	if (type == LOG_FOREIGN)
		return open_for_append(path, 0, err);
	if (size > 0 && has_only_header(path))
		return open_for_append(path, O_CREAT | O_TRUNC, err);
	if (size > 0 && rotate(path, keep, err) < 0)
		return -1;
	return open_for_append(path, O_CREAT, err);
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
		char *rotated CLEANUP_FREE = rotated_path(path, number);
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
	for (int number = 1, missing = 0; missing < LONGEST_GAP; number++) {
		char *rotated CLEANUP_FREE = rotated_path(path, number);
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
	int fd CLEANUP_CLOSE = open_for_append(path, O_NOFOLLOW, err);
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
