#include "service/run_environment.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is being read, and where. */
struct run_reading {
	const struct identity *run;
	int proc_fd;
};

/* "Uid:" of /proc/PID/status: real, effective, saved, file system. True if USER is all of them. */
static bool status_has_user(const char *status, uid_t user)
{
	enum { IDS = 4 };
	const char *at = strstr(status, "\nUid:");
	if (!at)
		return false;
	at += strlen("\nUid:");
	for (int i = 0; i < IDS; i++) {
		char *end;
		unsigned long id = strtoul(at, &end, 10);
		if (end == at || id != user)
			return false;
		at = end;
	}
	return true;
}

/* A leader that has changed its user may have changed its environment too, which lies in its
 * memory: LD_PRELOAD for a hook that root runs. */
static bool runs_as(const struct run_reading *reading, uid_t user)
{
	char path[64];
	struct buffer status CLEANUP_BUFFER = BUFFER_INIT;
	snprintf(path, sizeof(path), "%ld/status", (long)reading->run->pid);
	int fd CLEANUP_CLOSE = openat(reading->proc_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd >= 0 && file_read_fd(fd, 0, &status) == 0 &&
	       status_has_user(buffer_string(&status), user);
}

static bool is_still_leader(const struct run_reading *reading)
{
	struct process process;
	return process_read(reading->proc_fd, reading->run->pid, &process) == 0 &&
	       process.ticks == reading->run->ticks;
}

/* ENTRY is "NAME=value"; anything else means nothing. */
static void set_entry(struct environment *environment, const char *entry)
{
	const char *equals = strchr(entry, '=');
	if (!equals || equals == entry)
		return;
	char *name CLEANUP_FREE = memory_strndup(entry, (size_t)(equals - entry));
	environment_set(environment, name, equals + 1);
}

static void set_block(struct environment *environment, const struct buffer *block)
{
	const char *end = block->data + block->length;
	for (const char *at = block->data; at && at < end; at += strlen(at) + 1)
		set_entry(environment, at);
}

bool run_environment_read(struct environment *environment, const struct identity *run, uid_t user)
{
	struct buffer block CLEANUP_BUFFER = BUFFER_INIT;
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct run_reading reading = { run, proc_fd };
	if (run->pid <= 1 || process_append_environment(proc_fd, run->pid, &block) < 0 ||
	    !runs_as(&reading, user) || !is_still_leader(&reading))
		return false;
	set_block(environment, &block);
	const char *mark = environment_get(environment, "PMO_RUN");
	if (mark && strcmp(mark, run->mark) == 0)
		return true;
	environment_release(environment);
	return false;
}
