#include "model/process_memory.h"

#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "PID/status", and all of it up to VmHWM, which is among its first thirty lines. */
enum { PATH_SIZE = 32, STATUS_SIZE = 4096 };

int64_t process_read_peak_memory(int proc_fd, pid_t pid)
{
	static const char key[] = "\nVmHWM:";
	char path[PATH_SIZE];
	char text[STATUS_SIZE];
	snprintf(path, sizeof(path), "%d/status", pid);
	int fd CLEANUP_CLOSE = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	const char *value = strstr(text, key);
	/* always in kB; the name above it is escaped, so that no line can be forged */
	return value ? (int64_t)strtoull(value + strlen(key), NULL, 10) * 1024 : -1;
}
