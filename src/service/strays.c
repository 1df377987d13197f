#include "service/strays.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/process.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The leader is forked just before its .spec is written; clocks may differ, and disks be slow. */
static const int64_t START_WINDOW_NS = 60 * NSEC_PER_SEC;

/* Pids, as a message names them. */
struct pid_text {
	struct buffer text;
	size_t count;
};

struct search {
	char *service;          /* "PMO_SERVICE=..." */
	char *directory;        /* "PMO_DIR=..." */
	int64_t started_ns;     /* when the service was last started, in realtime; 0: unknown */
	int64_t booted_ns;      /* in realtime */
	struct pid_text found;  /* started as that service */
	struct pid_text hidden; /* started when it was, but their environment cannot be read */
};

static void add_pid(struct pid_text *pids, pid_t pid)
{
	buffer_printf(&pids->text, "%s%ld", pids->count++ ? ", " : "", (long)pid);
}

/* Whether the environment BLOCK (entries that end with NUL) has ENTRY, "NAME=value". */
static bool block_has(const struct buffer *block, const char *entry)
{
	size_t size = strlen(entry) + 1;
	const char *at = buffer_string(block);
	const char *end = at + block->length;
	while (at < end) {
		const char *next = memchr(at, '\0', (size_t)(end - at));
		size_t length = (size_t)((next ? next : end) - at);
		if (length + 1 == size && memcmp(at, entry, length) == 0)
			return true;
		at += length + 1;
	}
	return false;
}

/* Leaders lead their session. Who started at another time than the service is not looked at: of
 * most processes of other users the environment cannot be read. */
static bool may_be_leader(const struct search *search, const struct process *process)
{
	int64_t started = search->booted_ns + (int64_t)((__int128)process->ticks * NSEC_PER_SEC /
							process_ticks_per_second());
	int64_t apart = started - search->started_ns;
	return search->started_ns && process->session == process->pid && apart > -START_WINDOW_NS &&
	       apart < START_WINDOW_NS;
}

static void look_at(struct search *search, int proc_fd, const struct process *process)
{
	char mark[MARK_LENGTH + 1];
	struct buffer block CLEANUP_BUFFER = BUFFER_INIT;
	int result = process_append_environment(proc_fd, process->pid, &block);
	if (result < 0) {
		if (result != -ENOENT && result != -ESRCH && may_be_leader(search, process))
			add_pid(&search->hidden, process->pid);
		return;
	}
	/* `pmo exec` gives a command the same variables, but no PMO_RUN */
	if (block_has(&block, search->service) && block_has(&block, search->directory) &&
	    process_read_mark(proc_fd, process->pid, mark))
		add_pid(&search->found, process->pid);
}

static int refuse(const struct search *search, const char *name, struct error *err)
{
	const struct pid_text *found = &search->found;
	const struct pid_text *hidden = &search->hidden;
	if (found->count)
		return error_set(err, ERROR_FAILED,
				 "the record of '%s' is damaged, and pid%s %s still run%s that %s "
				 "started as '%s': end %s with kill(1) first",
				 name, found->count == 1 ? "" : "s", buffer_string(&found->text),
				 found->count == 1 ? "s" : "", found->count == 1 ? "was" : "were",
				 name, found->count == 1 ? "it" : "them");
	if (hidden->count)
		return error_set(err, ERROR_FAILED,
				 "the record of '%s' is damaged, and it may still run as pid %s, "
				 "whose environment cannot be read: do this as root",
				 name, buffer_string(&hidden->text));
	return 0;
}

int strays_refuse(const struct project *project, const char *name, struct error *err)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct search search = {
		.service = memory_printf("PMO_SERVICE=%s", name),
		.directory = memory_printf("PMO_DIR=%s", project->directory),
		.started_ns = state_file_time(&project->state, name, STATE_FILE_SPEC),
		.booted_ns = clock_realtime_ns() - clock_boottime_ns(),
	};
	int result = process_table_read(&table, err);
	for (size_t i = 0; result == 0 && i < table.count; i++) {
		const struct process *process = &table.items[i];
		if (!process->kernel && process_is_alive(process))
			look_at(&search, table.proc_fd, process);
	}
	if (result == 0)
		result = refuse(&search, name, err);
	process_table_release(&table);
	memory_cleanup_free(&search.service);
	memory_cleanup_free(&search.directory);
	buffer_release(&search.found.text);
	buffer_release(&search.hidden.text);
	return result;
}
