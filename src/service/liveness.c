#include "service/liveness.h"

#include "base/memory.h"
#include "model/process.h"

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

bool supervisor_is_at_work(const struct record *record, const struct host *host, int proc_fd)
{
	struct process process;
	const struct identity *supervisor = &record->supervisor;
	return record->supervisor_valid && identity_place(supervisor, host) == IDENTITY_HERE &&
	       process_read(proc_fd, supervisor->pid, &process) == 0 &&
	       process.ticks == supervisor->ticks && process_is_alive(&process) &&
	       process.state != 'T';
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
