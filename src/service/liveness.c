#include "service/liveness.h"

#include "model/process.h"

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
