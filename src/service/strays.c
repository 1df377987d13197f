#include "service/strays.h"

#include "base/memory.h"
#include "model/process.h"

#include <string.h>
#include <unistd.h>

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

/* `pmo exec` gives a command the same variables, but no PMO_RUN. */
static bool is_stray(int proc_fd, pid_t pid, const char *service, const char *directory)
{
	char mark[MARK_LENGTH + 1];
	struct buffer block CLEANUP_BUFFER = BUFFER_INIT;
	return process_read_mark(proc_fd, pid, mark) &&
	       process_append_environment(proc_fd, pid, &block) == 0 &&
	       block_has(&block, service) && block_has(&block, directory);
}

int strays_refuse(const struct project *project, const char *name, struct error *err)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct buffer pids CLEANUP_BUFFER = BUFFER_INIT;
	char *service CLEANUP_FREE = memory_printf("PMO_SERVICE=%s", name);
	char *directory CLEANUP_FREE = memory_printf("PMO_DIR=%s", project->directory);
	int result = process_table_read(&table, err);
	for (size_t i = 0; result == 0 && i < table.count; i++) {
		const struct process *process = &table.items[i];
		if (!process->kernel && process_is_alive(process) &&
		    is_stray(table.proc_fd, process->pid, service, directory))
			buffer_printf(&pids, "%s%ld", pids.length ? ", " : "", (long)process->pid);
	}
	process_table_release(&table);
	if (result == 0 && pids.length)
		result = error_set(err, ERROR_FAILED,
				   "the record of '%s' is damaged, and pid %s still runs that was "
				   "started as '%s': end it with kill(1) first",
				   name, buffer_string(&pids), name);
	return result;
}
