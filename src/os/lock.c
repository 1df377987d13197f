#include "os/lock.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { RETRY_INTERVAL = 5 /* ms; flock(2) has no time limit and no descriptor to poll */ };

enum lock_result lock_try(int fd, const char *name, struct error *err)
{
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return LOCK_TAKEN;
		if (errno == EWOULDBLOCK)
			return LOCK_BUSY;
		if (errno != EINTR)
			break;
	}
	error_set_errno(err, ERROR_FAILED, errno, "cannot lock '%s'", name);
	return LOCK_FAILED;
}

/* A line of /proc/locks, "1: FLOCK  ADVISORY  WRITE 812 08:01:1234 0 EOF": proc(5). */
struct lock_line {
	long pid;
	unsigned int major, minor;
	unsigned long inode;
};

static bool lock_line_parse(const char *text, struct lock_line *line)
{
	char kind[16];
	int got = sscanf(text, "%*s %15s %*s %*s %ld %x:%x:%lu", kind, &line->pid, &line->major,
			 &line->minor, &line->inode);
	return got == 5 && strcmp(kind, "FLOCK") == 0 && line->pid > 0;
}

/* 0 where it is not told. Some file systems show stat(2) another device than /proc/locks: then the
 * inode has to do. */
static pid_t lock_holder(int fd)
{
	struct stat status;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (fstat(fd, &status) < 0 || file_read(AT_FDCWD, "/proc/locks", 0, &text) < 0)
		return 0;
	pid_t same_inode = 0;
	char *rest = NULL;
	char *text_line = text.data ? strtok_r(text.data, "\n", &rest) : NULL;
	for (; text_line; text_line = strtok_r(NULL, "\n", &rest)) {
		struct lock_line line;
		if (!lock_line_parse(text_line, &line) || line.inode != status.st_ino)
			continue;
		if (line.major == major(status.st_dev) && line.minor == minor(status.st_dev))
			return (pid_t)line.pid;
		same_inode = same_inode ? same_inode : (pid_t)line.pid;
	}
	return same_inode;
}

static int busy_error(int fd, const char *name, struct error *err)
{
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = lock_holder(fd);
	struct process holder;
	if (pid <= 0 || process_read(proc_fd, pid, &holder) < 0)
		return error_set(err, ERROR_FAILED, "'%s' is locked by another pmo", name);
	struct buffer command CLEANUP_BUFFER = BUFFER_INIT;
	process_append_command(proc_fd, &holder, &command);
	return error_set(err, ERROR_FAILED, "'%s' is locked by pid %ld (%s)", name, (long)pid,
			 buffer_string(&command));
}

int lock_wait(int fd, int64_t deadline_ns, const char *name, struct error *err)
{
	for (;;) {
		enum lock_result result = lock_try(fd, name, err);
		if (result == LOCK_TAKEN)
			return 0;
		if (result == LOCK_FAILED)
			return -1;
		if (clock_monotonic_ns() >= deadline_ns)
			return busy_error(fd, name, err);
		poll(NULL, 0, RETRY_INTERVAL);
	}
}
