#include "os/logfile_open.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many as the kernel follows. */
enum { MOST_LINKS = 40 };

/* A way through directories, one step at a time, so that nothing can be exchanged behind it. */
struct walk {
	int directory;
	int links;
};

static bool walk_to(struct walk *walk, const char *path, int *problem);

int log_open_failed(const char *path, int errnum, struct error *err)
{
	struct stat status;
	if (errnum == ENXIO)
		return error_set(err, ERROR_FAILED,
				 "cannot open log '%s': nobody reads it, start its reader first",
				 path);
	const char *slash = strrchr(path, '/');
	if (errnum == ENOENT && slash && slash > path) {
		char *parent CLEANUP_FREE = memory_strndup(path, (size_t)(slash - path));
		if (lstat(parent, &status) < 0)
			return error_set(err, ERROR_FAILED,
					 "cannot open log '%s': create its directory '%s' first",
					 path, parent);
	}
	return error_set_errno(err, ERROR_FAILED, errnum, "cannot open log '%s'", path);
}

/* EMLINK stands for links that must not be followed: open(2) never gives it. */
static int open_refused(const char *path, int errnum, struct error *err)
{
	if (errnum != EMLINK)
		return log_open_failed(path, errnum, err);
	return error_set(err, ERROR_FAILED,
			 "cannot open log '%s': it leads through a symbolic link that is not safe "
			 "for a service with 'user': name the file itself",
			 path);
}

static bool is_trusted(uid_t user)
{
	return user == 0 || user == geteuid();
}

static bool walk_link(struct walk *walk, int link, const struct stat *status, int *problem)
{
	char target[PATH_MAX];
	if (!is_trusted(status->st_uid) || walk->links++ == MOST_LINKS) {
		*problem = EMLINK;
		return false;
	}
	ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);
	if (length < 0) {
		*problem = errno;
		return false;
	}
	target[length] = '\0';
	return walk_to(walk, target, problem);
}

static bool walk_step(struct walk *walk, const char *step, int *problem)
{
	struct stat status;
	int next = openat(walk->directory, step, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 || fstat(next, &status) < 0) {
		*problem = errno;
		if (next >= 0)
			close(next);
		return false;
	}
	if (S_ISLNK(status.st_mode)) {
		bool result = walk_link(walk, next, &status, problem);
		close(next);
		return result;
	}
	close(walk->directory);
	walk->directory = next;
	return true;
}

/* Go on to PATH. False with an errno value in *problem. */
static bool walk_to(struct walk *walk, const char *path, int *problem)
{
	if (*path == '/' && !walk_step(walk, "/", problem))
		return false;
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t length = strcspn(path, "/");
		char *step CLEANUP_FREE = memory_strndup(path, length);
		if (!walk_step(walk, step, problem))
			return false;
		path += length;
	}
	return true;
}

int log_place_find(struct log_place *place, const char *path, uid_t owner, struct error *err)
{
	const char *slash = strrchr(path, '/');
	*place =
	    (struct log_place){ .path = path, .owner = owner, .directory = AT_FDCWD, .name = path };
	if (owner == LOGFILE_NO_OWNER)
		return 0;
	int problem = 0;
	char *parent CLEANUP_FREE =
	    slash ? memory_strndup(path, (size_t)(slash - path) + 1) : memory_strdup(".");
	struct walk walk = { .directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	if (walk.directory < 0)
		return open_refused(path, errno, err);
	bool found = walk_to(&walk, parent, &problem);
	place->directory = walk.directory;
	place->name = slash ? slash + 1 : path;
	return found ? 0 : open_refused(path, problem, err);
}

void log_place_release(struct log_place *place)
{
	if (place->directory >= 0)
		close(place->directory);
	place->directory = AT_FDCWD;
}

/* Whether the link that lies there was made by root or this process's user and nobody else can put
 * another one in its place: /dev/stdout is like that. */
static bool link_is_safe(const struct log_place *place, const struct stat *link)
{
	struct stat directory;
	if (!is_trusted(link->st_uid) || fstat(place->directory, &directory) < 0 ||
	    !is_trusted(directory.st_uid))
		return false;
	return !(directory.st_mode & (S_IWGRP | S_IWOTH)) || (directory.st_mode & S_ISVTX);
}

int log_place_check(const struct log_place *place, struct error *err)
{
	struct stat status;
	if (place->owner == LOGFILE_NO_OWNER ||
	    fstatat(place->directory, place->name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISLNK(status.st_mode) || link_is_safe(place, &status))
		return 0;
	return open_refused(place->path, EMLINK, err);
}

/* Whoever writes to the log may want to open it by name. */
static int give_away(const struct log_place *place, int fd, struct error *err)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return log_open_failed(place->path, errno, err);
	if (!S_ISREG(status.st_mode))
		return 0;
	if (status.st_nlink > 1)
		return error_set(err, ERROR_FAILED,
				 "cannot open log '%s': the file has another name, which is not "
				 "safe for a service with 'user': remove it",
				 place->path);
	if (status.st_uid != place->owner)
		(void)!fchown(fd, place->owner, (gid_t)-1);
	return 0;
}

static int open_owned(const struct log_place *place, int flags, struct error *err)
{
	int fd = openat(place->directory, place->name, flags | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		if (give_away(place, fd, err) == 0)
			return fd;
		close(fd);
		return -1;
	}
	if (errno != ELOOP)
		return open_refused(place->path, errno, err);
	if (log_place_check(place, err) < 0)
		return -1;
	fd = openat(place->directory, place->name, flags & ~(O_CREAT | O_NOFOLLOW));
	return fd < 0 ? open_refused(place->path, errno, err) : fd;
}

/* Opened without waiting for a FIFO's reader, written with waiting: a service expects that. */
int log_place_open(const struct log_place *place, int flags, struct error *err)
{
	int fd;
	flags |= O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	if (place->owner != LOGFILE_NO_OWNER)
		fd = open_owned(place, flags, err);
	else if ((fd = open(place->path, flags, 0600)) < 0)
		log_open_failed(place->path, errno, err);
	if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) < 0) {
		log_open_failed(place->path, errno, err);
		close(fd);
		fd = -1;
	}
	return fd;
}

int logfile_append(const char *path, uid_t owner, struct error *err)
{
	struct log_place place;
	int fd = -1;
	if (log_place_find(&place, path, owner, err) == 0)
		fd = log_place_open(&place, O_CREAT, err);
	log_place_release(&place);
	return fd;
}

/* Whether what is appended to PATH continues a line. */
static bool ends_inside_line(const char *path)
{
	struct stat status;
	char last = '\n';
	int fd CLEANUP_CLOSE =
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
		return false;
	return pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
}

void logfile_note(const char *path, uid_t owner, const char *text)
{
	char now[24];
	int fd CLEANUP_CLOSE = logfile_append(path, owner, NULL);
	if (fd < 0)
		return;
	clock_format_local(clock_realtime_ns(), now, sizeof(now));
	char *line CLEANUP_FREE =
	    memory_printf("%s--- %s at %s ---\n", ends_inside_line(path) ? "\n" : "", text, now);
	(void)file_write_all(fd, line, strlen(line));
}
