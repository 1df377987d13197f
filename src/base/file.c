#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIPTOR_RESERVE = 64, DESCRIPTOR_MINIMUM = 8 };

int file_read_fd(int fd, size_t limit, struct buffer *buffer)
{
	size_t start = buffer->length;
	size_t chunk = 4096;
	for (;;) {
		char *end = buffer_reserve(buffer, chunk);
		ssize_t got = read(fd, end, chunk);
		if (got < 0 && errno == EINTR)
			continue;
		end[got > 0 ? got : 0] = '\0';
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		buffer->length += (size_t)got;
		if (limit && buffer->length - start > limit)
			return -EFBIG;
		if (chunk < 65536)
			chunk *= 2;
	}
}

int file_read(int dirfd, const char *path, size_t limit, struct buffer *buffer)
{
	int fd CLEANUP_CLOSE = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) /* ENXIO: a socket, or a device without a driver */
		return errno == ENXIO ? -EINVAL : -errno;
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (limit && (uintmax_t)status.st_size > limit)
		return -EFBIG;
	return file_read_fd(fd, limit, buffer);
}

int file_write_all(int fd, const void *bytes, size_t length)
{
	const char *position = bytes;
	while (length > 0) {
		ssize_t written = write(fd, position, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		position += written;
		length -= (size_t)written;
	}
	return 0;
}

/* A file that is ours alone. What a killed writer left there goes first, whatever it is by now: a
 * link, or a FIFO that an open(2) would wait for. */
static int create_new(int dirfd, const char *name, mode_t mode)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = openat(dirfd, name, flags, mode);
	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, name, 0) == 0)
		fd = openat(dirfd, name, flags, mode);
	return fd < 0 ? -errno : fd;
}

void file_give_to_owner(int dirfd, int fd)
{
	struct stat directory;
	if (geteuid() == 0 && fstat(dirfd, &directory) == 0 && directory.st_uid != 0)
		(void)!fchown(fd, directory.st_uid, directory.st_gid);
}

static int write_new(int dirfd, const char *name, const void *bytes, size_t length, mode_t mode)
{
	int fd = create_new(dirfd, name, mode);
	if (fd < 0)
		return fd;
	file_give_to_owner(dirfd, fd);
	int result = file_write_all(fd, bytes, length);
	/* a network file system may report a full disk only here */
	if (close(fd) < 0 && result == 0)
		result = -errno;
	return result;
}

int file_replace(int dirfd, const char *name, const void *bytes, size_t length, mode_t mode)
{
	char temporary[512];
	int size = snprintf(temporary, sizeof(temporary), "%s~", name);
	if (size < 0 || (size_t)size >= sizeof(temporary))
		return -ENAMETOOLONG;
	int result = write_new(dirfd, temporary, bytes, length, mode);
	if (result == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		result = -errno;
	if (result < 0)
		unlinkat(dirfd, temporary, 0);
	return result;
}

size_t file_descriptor_budget(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < 2 * DESCRIPTOR_RESERVE)
		return DESCRIPTOR_MINIMUM;
	return limit.rlim_cur - DESCRIPTOR_RESERVE;
}

bool file_is_directory(int dirfd, const char *path)
{
	struct stat status;
	return fstatat(dirfd, path, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

int file_make_directory(int dirfd, const char *path, mode_t mode)
{
	if (mkdirat(dirfd, path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	return file_is_directory(dirfd, path) ? 0 : -ENOTDIR;
}
