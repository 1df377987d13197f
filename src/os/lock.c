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

/* The pid in a line "1: FLOCK  ADVISORY  WRITE 812 08:01:1234 0 EOF" for INODE, or 0: proc(5). */
static pid_t holder_in_line(const char *line, ino_t inode)
{
	char kind[16];
	long pid;
	unsigned long major_number, minor_number, number;
	int got = sscanf(line, "%*s %15s %*s %*s %ld %lx:%lx:%lu", kind, &pid, &major_number,
			 &minor_number, &number);
	return got == 5 && strcmp(kind, "FLOCK") == 0 && number == inode ? (pid_t)pid : 0;
}

static pid_t lock_holder(int fd)
{
	struct stat status;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	if (fstat(fd, &status) < 0 || file_read(AT_FDCWD, "/proc/locks", 0, &text) < 0)
		return 0;
	char *rest = NULL;
	char *line = text.data ? strtok_r(text.data, "\n", &rest) : NULL;
	for (; line; line = strtok_r(NULL, "\n", &rest)) {
		pid_t pid = holder_in_line(line, status.st_ino);
		if (pid > 0)
			return pid;
	}
	return 0;
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
