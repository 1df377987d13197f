#include "service/stop_guard.h"

#include "base/memory.h"
#include "os/signal.h"
#include "service/lineage.h"
#include "service/stop_hooks.h"

#include <errno.h>
#include <stdlib.h>

static bool is_guarded(const struct stop_job *job)
{
	return job->active && (job->supervisor.pid || job->hooks);
}

static void refuse(struct stop_job *job)
{
	supervisor_forget(&job->supervisor);
	stop_hooks_release(job);
	stop_job_fail(job);
}

static void check_permission(int proc_fd, struct stop_job *job)
{
	const struct identity *leader = &job->record.identity;
	if (signal_send(proc_fd, leader->pid, leader->ticks, 0) != -EPERM)
		return;
	error_set(&job->result->error, ERROR_FAILED,
		  "cannot stop '%s': not permitted to signal pid %ld", job->result->entry->name,
		  (long)leader->pid);
	refuse(job);
}

static void check_all(const struct process_table *table, struct stop_job **guarded, size_t count)
{
	struct claim *claims CLEANUP_FREE = memory_zalloc(count, sizeof(*claims));
	for (size_t i = 0; i < count; i++)
		claims[i] = stop_job_claim(guarded[i]);
	int *owners CLEANUP_FREE = membership_assign(table, claims, count);
	for (size_t i = 0; i < count; i++) {
		if (!lineage_belongs_to(table, owners, (int)i)) {
			check_permission(table->proc_fd, guarded[i]);
			continue;
		}
		stop_job_refuse_inside(guarded[i]);
		refuse(guarded[i]);
	}
}

void stop_guard(struct stop_job *jobs, size_t count)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct stop_job **guarded CLEANUP_FREE = memory_zalloc(count, sizeof(struct stop_job *));
	size_t wanted = 0;
	for (size_t i = 0; i < count; i++)
		if (is_guarded(&jobs[i]))
			guarded[wanted++] = &jobs[i];
	if (wanted == 0)
		return;
	/* should /proc be out of reach, the engine says so */
	if (lineage_read(&table) == 0)
		check_all(&table, guarded, wanted);
	process_table_release(&table);
}
