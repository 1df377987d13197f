#include "model/process.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Paths below /proc: "PID/task/TID/environ". */
enum { PATH_SIZE = 64 };

/* A command line is shown to people: more of it than this is not. */
enum { COMMAND_LIMIT = 65536 };

/* Far above what execve(2) takes. */
enum { ENVIRONMENT_LIMIT = 16 * 1024 * 1024 };

static const char mark_prefix[] = "PMO_RUN=";
enum { MARK_PREFIX_LENGTH = sizeof(mark_prefix) - 1 };

/* The beginning of the entry that is being read, one byte more than a mark can have. */
struct mark_search {
	char entry[MARK_PREFIX_LENGTH + MARK_LENGTH + 1];
	size_t length;
	bool decided; /* the first PMO_RUN is the one that getenv(3) finds */
};

static void end_entry(struct mark_search *search, char mark[MARK_LENGTH + 1])
{
	size_t length = search->length;
	search->length = 0;
	if (length < MARK_PREFIX_LENGTH ||
	    memcmp(search->entry, mark_prefix, MARK_PREFIX_LENGTH) != 0)
		return;
	search->decided = true;
	length -= MARK_PREFIX_LENGTH;
	if (length > MARK_LENGTH)
		length = 0;
	memcpy(mark, search->entry + MARK_PREFIX_LENGTH, length);
	mark[length] = '\0';
}

static void search_chunk(struct mark_search *search, const char *chunk, size_t size,
			 char mark[MARK_LENGTH + 1])
{
	while (size > 0 && !search->decided) {
		const char *end = memchr(chunk, '\0', size);
		size_t length = end ? (size_t)(end - chunk) : size;
		size_t kept = sizeof(search->entry) - search->length;
		kept = length < kept ? length : kept;
		memcpy(search->entry + search->length, chunk, kept);
		search->length += kept;
		if (!end)
			return;
		end_entry(search, mark);
		chunk = end + 1;
		size -= length + 1;
	}
}

/* Returns how many bytes were read; *mark stays "" unless there is one. */
static size_t search_mark(int proc_fd, const char *path, char mark[MARK_LENGTH + 1])
{
	char chunk[8192];
	struct mark_search search = { .length = 0 };
	size_t total = 0;
	ssize_t got = 0;
	int fd CLEANUP_CLOSE = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd >= 0 && !search.decided && (got = read(fd, chunk, sizeof(chunk))) > 0) {
		search_chunk(&search, chunk, (size_t)got, mark);
		total += (size_t)got;
		/* the kernel gives all it has: less than asked for is the end */
		if ((size_t)got < sizeof(chunk))
			break;
	}
	if (got >= 0 && !search.decided)
		end_entry(&search, mark);
	return total;
}

bool process_read_mark(int proc_fd, pid_t pid, char mark[MARK_LENGTH + 1])
{
	char path[PATH_SIZE];
	mark[0] = '\0';
	snprintf(path, sizeof(path), "%d/environ", pid);
	if (search_mark(proc_fd, path, mark) > 0)
		return mark[0] != '\0';
	pid_t thread = process_find_live_thread(proc_fd, pid);
	snprintf(path, sizeof(path), "%d/task/%d/environ", pid, thread);
	if (thread > 0)
		search_mark(proc_fd, path, mark);
	return mark[0] != '\0';
}

int process_append_environment(int proc_fd, pid_t pid, struct buffer *buffer)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%d/environ", pid);
	int fd CLEANUP_CLOSE = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : file_read_fd(fd, ENVIRONMENT_LIMIT, buffer);
}

void process_append_command(int proc_fd, const struct process *process, struct buffer *buffer)
{
	char path[PATH_SIZE];
	struct buffer command CLEANUP_BUFFER = BUFFER_INIT;
	snprintf(path, sizeof(path), "%d/cmdline", process->pid);
	int fd CLEANUP_CLOSE = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		file_read_fd(fd, COMMAND_LIMIT, &command);
	size_t length = command.length < COMMAND_LIMIT ? command.length : COMMAND_LIMIT;
	while (length > 0 && command.data[length - 1] == '\0')
		length--;
	if (length == 0) {
		buffer_append_char(buffer, '[');
		text_append_visible(buffer, process->name, strlen(process->name));
		buffer_append_char(buffer, ']');
		return;
	}
	for (char *at = command.data;
	     (at = memchr(at, '\0', length - (size_t)(at - command.data)));)
		*at = ' ';
	text_append_visible(buffer, command.data, length);
}

bool process_read_owner(int proc_fd, pid_t pid, uid_t *owner)
{
	char path[PATH_SIZE];
	struct stat status;
	snprintf(path, sizeof(path), "%d", pid);
	/* this directory belongs to the effective user also where the process is not dumpable */
	if (fstatat(proc_fd, path, &status, 0) < 0)
		return false;
	*owner = status.st_uid;
	return true;
}
