/*
 * Files as the state needs them: read whole, replaced whole.
 *
 * All functions return 0 or a negative errno value. Paths are relative to DIRFD as in openat(2);
 * AT_FDCWD is the current directory. Every descriptor is close-on-exec.
 */
#ifndef PMO_BASE_FILE_H
#define PMO_BASE_FILE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Append the whole regular file to BUFFER. -EFBIG when it holds more than LIMIT bytes (0: no
 * limit), -EISDIR for a directory, -EINVAL for anything else that is no regular file (a FIFO is
 * never waited for). */
int file_read(int dirfd, const char *path, size_t limit, struct buffer *buffer);

/* Append what the open descriptor still gives, up to LIMIT bytes (0: no limit, else -EFBIG).
 * Meant for /proc files, whose size is unknown. */
int file_read_fd(int fd, size_t limit, struct buffer *buffer);

/* Write all bytes, over short writes and EINTR. */
int file_write_all(int fd, const void *bytes, size_t length);

/* Replace NAME by a file of these bytes: written beside it as "NAME~", then renamed, so that a
 * reader sees the old or the new content and never a part. "NAME~" is removed on failure; one that
 * a killed writer left is replaced. Two writers of one NAME must exclude each other. The file goes
 * through file_give_to_owner. No fsync. */
int file_replace(int dirfd, const char *name, const void *bytes, size_t length, mode_t mode);

/* When root has made FD, a new file or directory, in the directory DIRFD of another user: make it
 * that user's, who could not even read it else. Never fails. */
void file_give_to_owner(int dirfd, int fd);

/* mkdir(2) where nothing is there yet; -ENOTDIR where something else is. */
int file_make_directory(int dirfd, const char *path, mode_t mode);

/* How many descriptors this process may still open, a reserve for itself left out; at least 8. */
size_t file_descriptor_budget(void);

/* True if PATH names a directory. */
bool file_is_directory(int dirfd, const char *path);

#endif
