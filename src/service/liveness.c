#include "service/liveness.h"

#include "base/memory.h"

#include <fcntl.h>

enum liveness record_liveness(const struct record *record, const struct host *host, int proc_fd)
{
	struct process process;
	if (record->unreadable)
		return LIVENESS_UNKNOWN;
	if (!record->valid)
		return LIVENESS_NONE;
	switch (identity_place(&record->identity, host)) {
	case IDENTITY_ELSEWHERE:
		return LIVENESS_ELSEWHERE;
	case IDENTITY_LOST:
		return LIVENESS_LOST;
	case IDENTITY_HERE:
		break;
	}
	if (process_read(proc_fd, record->identity.pid, &process) < 0 || process.kernel ||
	    process.ticks != record->identity.ticks || !process_is_alive(&process))
		return LIVENESS_GONE;
	return LIVENESS_ALIVE;
}

enum supervisor_life supervisor_life(const struct record *record, const struct host *host,
				     const struct process *process)
{
	if (!process || !record->supervisor_valid ||
	    identity_place(&record->supervisor, host) != IDENTITY_HERE ||
	    process->ticks != record->supervisor.ticks || !process_is_alive(process))
		return SUPERVISOR_GONE;
	return process->state == 'T' ? SUPERVISOR_HELD : SUPERVISOR_AT_WORK;
}

enum supervisor_life supervisor_look(const struct record *record, const struct host *host,
				     int proc_fd)
{
	struct process process;
	bool there = record->supervisor_valid &&
		     process_read(proc_fd, record->supervisor.pid, &process) == 0;
	return supervisor_life(record, host, there ? &process : NULL);
}

bool supervisor_is_at_work(const struct record *record, const struct host *host, int proc_fd)
{
	return supervisor_look(record, host, proc_fd) == SUPERVISOR_AT_WORK;
}

/* A leader that is gone may have left others that write on. */
bool service_may_write(const struct project *project, const char *name)
{
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct record record;
	state_read(&project->state, name, &record);
	switch (record_liveness(&record, &project->host, proc_fd)) {
	case LIVENESS_ALIVE:
	case LIVENESS_GONE:
	case LIVENESS_ELSEWHERE:
	case LIVENESS_UNKNOWN:
		return true;
	case LIVENESS_NONE:
	case LIVENESS_LOST:
		break;
	}
	/* a supervisor lets hooks write before it has started anything */
	return record.supervised || (record.intent && !record.valid);
}
