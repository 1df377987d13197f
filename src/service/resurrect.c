#include "service/resurrect.h"

#include "base/memory.h"
#include "service/liveness.h"
#include "service/snapshot_state.h"

#include <fcntl.h>

static bool lacks_supervisor(const struct record *record, const struct host *host, int proc_fd)
{
	return record->supervised && !supervisor_is_at_work(record, host, proc_fd);
}

/* There is the wish that it be up, and no process: a restart that was killed, a record that a power
 * cut has torn. Or its supervisor is about to start it, here or elsewhere. */
static bool is_unfinished(const struct record *record, const struct host *host, int proc_fd)
{
	bool elsewhere = record->supervisor_valid &&
			 identity_place(&record->supervisor, host) == IDENTITY_ELSEWHERE;
	return !elsewhere && !supervisor_is_at_work(record, host, proc_fd);
}

/* A stop that was killed has left the supervisor standing still: that is to be told about. */
static bool is_half_stopped(const struct project *project, const struct catalog_entry *entry,
			    const struct record *record, int proc_fd)
{
	return supervisor_look(record, &project->host, proc_fd) == SUPERVISOR_HELD &&
	       !snapshot_is_being_changed(&project->state, entry->name);
}

static bool is_lost(const struct project *project, const struct catalog_entry *entry,
		    const struct record *record, int proc_fd)
{
	const struct host *host = &project->host;
	if (!record->intent)
		return false;
	if (record->stopping)
		return is_half_stopped(project, entry, record, proc_fd);
	switch (record_liveness(record, host, proc_fd)) {
	case LIVENESS_LOST:
		return entry->configured;
	case LIVENESS_ALIVE:
	case LIVENESS_GONE:
		return lacks_supervisor(record, host, proc_fd);
	case LIVENESS_NONE:
		return entry->configured && is_unfinished(record, host, proc_fd);
	case LIVENESS_UNKNOWN: /* to be told about */
		return true;
	case LIVENESS_ELSEWHERE:
		break;
	}
	return false;
}

void resurrect_select(const struct project *project, struct selection *chosen)
{
	const struct catalog *catalog = &project->catalog;
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	chosen->entries = memory_zalloc(catalog->count, sizeof(struct catalog_entry *));
	chosen->count = 0;
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_entry *entry = &catalog->entries[i];
		struct record record;
		if (!entry->recorded)
			continue;
		state_read_listed(&project->state, entry->name, entry->files, &record);
		if (is_lost(project, entry, &record, proc_fd))
			chosen->entries[chosen->count++] = entry;
	}
}
