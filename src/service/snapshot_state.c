#include "service/snapshot_state.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/lock.h"
#include "service/liveness.h"

const char *service_state_name(enum service_state state)
{
	static const char *const names[SERVICE_STATE_COUNT] = {
		[SERVICE_STOPPED] = "stopped",   [SERVICE_STARTING] = "starting",
		[SERVICE_RUNNING] = "running",   [SERVICE_RESTARTING] = "restarting",
		[SERVICE_STOPPING] = "stopping", [SERVICE_EXITED] = "exited",
		[SERVICE_ERRORED] = "errored",   [SERVICE_ELSEWHERE] = "elsewhere",
		[SERVICE_UNKNOWN] = "unknown",
	};
	return names[state];
}

bool snapshot_is_being_changed(const struct state *state, const char *name)
{
	int lock CLEANUP_CLOSE = state_open_lock(state, name, NULL);
	return lock >= 0 && lock_try(lock, name, NULL) == LOCK_BUSY;
}

static enum supervisor_life life_of_supervisor(const struct snapshot *snapshot,
					       const struct host *host, const struct record *record)
{
	const struct process *process =
	    record->supervisor_valid
		? process_table_find(&snapshot->processes, record->supervisor.pid)
		: NULL;
	return supervisor_life(record, host, process);
}

/* That it stands still is part of a stop, as long as there is one. */
static bool is_left_standing(const struct snapshot *snapshot, const struct project *project,
			     const struct service_status *service)
{
	const struct record *record = &service->record;
	return !snapshot_is_being_changed(&project->state, service->entry->name) &&
	       supervisor_look(record, &project->host, snapshot->processes.proc_fd) ==
		   SUPERVISOR_HELD;
}

void snapshot_find_supervisor(const struct snapshot *snapshot, const struct project *project,
			      struct service_status *service)
{
	const struct record *record = &service->record;
	if (!record->supervised)
		return;
	bool elsewhere = record->supervisor_valid &&
			 identity_place(&record->supervisor, &project->host) == IDENTITY_ELSEWHERE;
	enum supervisor_life life = life_of_supervisor(snapshot, &project->host, record);
	if (life == SUPERVISOR_AT_WORK ||
	    (life == SUPERVISOR_HELD && !is_left_standing(snapshot, project, service))) {
		service->supervision = SUPERVISION_ALIVE;
		service->supervisor_pid = record->supervisor.pid;
	} else if (!elsewhere && record->intent) {
		service->supervision = SUPERVISION_MISSING;
	}
}

bool snapshot_stop_is_interrupted(const struct snapshot *snapshot, const struct project *project,
				  const struct service_status *service)
{
	const struct record *record = &service->record;
	bool lives = service->member_count > 0 ||
		     life_of_supervisor(snapshot, &project->host, record) == SUPERVISOR_HELD;
	return record->stopping && record->intent && lives &&
	       !snapshot_is_being_changed(&project->state, service->entry->name);
}

static bool has_ended_on_record(const struct exit_record *end)
{
	return end->kind != EXIT_UNKNOWN || end->at_realtime_ns != 0;
}

static enum service_state ended_state(const struct record *record)
{
	const struct exit_record *end = &record->exit;
	if (!has_ended_on_record(end))
		return record->intent ? SERVICE_EXITED : SERVICE_STOPPED;
	/* an end that needs none has no reason; one that waits for the next try is not the last */
	if (end->reason[0] && !end->next_try_ns)
		return SERVICE_ERRORED;
	if (end->kind == EXIT_UNKNOWN)
		return SERVICE_EXITED;
	return end->kind == EXIT_CODE && end->value == 0 ? SERVICE_EXITED : SERVICE_ERRORED;
}

/* When the supervisor was started, in realtime. */
static int64_t supervisor_start(const struct snapshot *snapshot, const struct record *record)
{
	int64_t started_ns = (int64_t)((__int128)record->supervisor.ticks * NSEC_PER_SEC /
				       process_ticks_per_second());
	return snapshot->taken_at_ns - (clock_boottime_ns() - started_ns);
}

/* The leader is gone, and its supervisor lives: it prepares a run, clears up after one, waits for
 * the next try, or is about to end. */
static enum service_state supervised_state(const struct snapshot *snapshot,
					   const struct service_status *service)
{
	const struct record *record = &service->record;
	const struct definition *definition = service->entry->definition;
	int64_t begun_ns =
	    record->valid ? record->started_at_ns : supervisor_start(snapshot, record);
	if (record->exit.at_realtime_ns > begun_ns)
		return record->exit.next_try_ns ? SERVICE_RESTARTING : ended_state(record);
	if (!record->valid)
		return SERVICE_STARTING;
	return definition && definition->restart == RESTART_NO ? SERVICE_STOPPING
							       : SERVICE_RESTARTING;
}

static enum service_state find_state(const struct snapshot *snapshot, const struct project *project,
				     const struct service_status *service)
{
	const struct record *record = &service->record;
	if (record->valid &&
	    identity_place(&record->identity, &project->host) == IDENTITY_ELSEWHERE)
		return SERVICE_ELSEWHERE;
	if (record->unreadable)
		return SERVICE_UNKNOWN;
	/* also where everything is dead already: the record goes last */
	bool dead = record->valid && !record->supervised && service->pid == 0;
	bool settled = !record->intent || (record->valid && !record->stopping && !dead);
	if (!settled && snapshot_is_being_changed(&project->state, service->entry->name))
		return record->stopping || dead ? SERVICE_STOPPING : SERVICE_STARTING;
	if (service->pid > 0)
		return SERVICE_RUNNING;
	return service->supervision == SUPERVISION_ALIVE ? supervised_state(snapshot, service)
							 : ended_state(record);
}

void snapshot_find_state(const struct snapshot *snapshot, const struct project *project,
			 struct service_status *service)
{
	int64_t next_try_ns = service->record.exit.next_try_ns;
	service->state = find_state(snapshot, project, service);
	if (service->state != SERVICE_RESTARTING || next_try_ns == 0)
		return;
	int64_t left_ns = next_try_ns - snapshot->taken_at_ns;
	service->next_try_in_ns = left_ns > 0 ? left_ns : 0;
}
