#include "service/liveness.h"

#include "base/memory.h"
#include "model/process.h"

#include <fcntl.h>

enum liveness record_liveness(const struct record *record, const struct host *host, int proc_fd)
{
	struct process process;
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

bool service_is_running(const struct project *project, const char *name)
{
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct record record;
	state_read_identity(&project->state, name, &record);
	return record_liveness(&record, &project->host, proc_fd) == LIVENESS_ALIVE;
}
