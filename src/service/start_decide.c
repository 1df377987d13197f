#include "service/start_decide.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/discard.h"
#include "service/liveness.h"
#include "service/stop.h"
#include "service/stop_supervisor.h"
#include "service/strays.h"
#include "service/survivors.h"

static const char *job_name(const struct start_job *job)
{
	return job->result->entry->name;
}

/* What is left of an earlier run must be stopped first: it may hold the port, and it would be lost
 * from sight. */
static enum start_decision refuse_survivors(const struct start_job *job,
					    const struct record *record)
{
	struct buffer pids CLEANUP_BUFFER = BUFFER_INIT;
	size_t count = survivors_list(&record->identity, &pids, &job->result->error);
	if (count == 0)
		return job->result->error.message ? START_DECISION_REFUSE : START_DECISION_SPAWN;
	error_set(&job->result->error, ERROR_FAILED,
		  "its last run left pid %s behind ('pmo stop %s' ends %s)", buffer_string(&pids),
		  job_name(job), count == 1 ? "it" : "them");
	return START_DECISION_REFUSE;
}

/* One that was left standing still by a stop that was killed, or that waits for its next try while
 * somebody starts the service by hand, is of no use any more. */
static void dismiss_supervisor(const struct start_operation *operation, const struct record *record)
{
	struct held_supervisor held = supervisor_hold(record, &operation->project->host);
	supervisor_kill(&held);
}

static bool is_supervised(const struct start_operation *operation, const struct record *record)
{
	return supervisor_is_at_work(record, &operation->project->host, operation->proc_fd);
}

/* What a run is to be judged by: what it was started as, or where that is lost, pmo.yml. False
 * where there is neither. */
static bool read_definition(const struct start_operation *operation, const struct start_job *job,
			    struct arena *arena, struct definition *definition)
{
	const struct definition *now = job->result->entry->definition;
	if (state_read_spec(&operation->project->state, job_name(job), arena, definition, NULL) ==
	    0)
		return true;
	if (now)
		*definition = *now;
	return now;
}

/* A supervised run ends with its leader: what that has left behind is stopped. */
static int clear_survivors(const struct start_job *job, const struct record *record,
			   const struct definition *definition)
{
	const struct stop_run run = {
		.entry = job->result->entry,
		.identity = record->identity,
		.signal = definition->stop_signal,
		.timeout_ns = definition->stop_timeout_ns,
	};
	return stop_one_run(&run, &job->result->error);
}

/* Its supervisor has said how it ended. */
static bool is_end_told(const struct record *record)
{
	return record->supervised && record->exit.at_realtime_ns > record->started_at_ns;
}

/* Ended for good, if the supervisor has said so, or if it said nothing and the service is not one
 * that is started again after an end that nobody has seen. */
static bool has_ended_for_good(const struct record *record, const struct definition *definition)
{
	if (is_end_told(record))
		return record->exit.next_try_ns == 0;
	return definition->restart == RESTART_NO;
}

/* What the supervisor did not come to. */
static void complete_end(const struct start_operation *operation, const struct start_job *job,
			 const struct record *record)
{
	const struct state *state = &operation->project->state;
	if (!is_end_told(record)) {
		const struct exit_record end = { .kind = EXIT_UNKNOWN,
						 .at_realtime_ns = clock_realtime_ns() };
		(void)state_write_exit(state, job_name(job), &end, NULL);
	}
	(void)state_remove(state, job_name(job), STATE_FILE_PID, NULL);
	(void)state_remove(state, job_name(job), STATE_FILE_TIME, NULL);
	(void)state_remove(state, job_name(job), STATE_FILE_SUPERVISOR, NULL);
}

/* The leader has ended, and its supervisor did not live to deal with that. */
static enum start_decision deal_with_end(const struct start_operation *operation,
					 const struct start_job *job, const struct record *record,
					 const struct definition *definition)
{
	bool for_good = has_ended_for_good(record, definition);
	if (!for_good && !job->result->entry->configured)
		return START_DECISION_SKIP;
	dismiss_supervisor(operation, record);
	if (clear_survivors(job, record, definition) < 0)
		return START_DECISION_REFUSE;
	if (!for_good)
		return START_DECISION_SPAWN;
	complete_end(operation, job, record);
	return START_DECISION_SKIP;
}

static enum start_decision resurrect_gone(const struct start_operation *operation,
					  const struct start_job *job, const struct record *record)
{
	struct definition definition;
	struct arena arena = ARENA_INIT;
	enum start_decision decision = START_DECISION_SKIP;
	if (record->supervised && !is_supervised(operation, record) &&
	    read_definition(operation, job, &arena, &definition))
		decision = deal_with_end(operation, job, record, &definition);
	arena_release(&arena);
	return decision;
}

static enum start_decision decide_gone(const struct start_operation *operation,
				       const struct start_job *job, const struct record *record)
{
	if (operation->options->mode == START_RESURRECT)
		return resurrect_gone(operation, job, record);
	enum start_decision decision = refuse_survivors(job, record);
	if (decision == START_DECISION_SPAWN)
		dismiss_supervisor(operation, record);
	return decision;
}

static enum start_decision decide_alive(const struct start_operation *operation,
					const struct start_job *job, const struct record *record)
{
	job->result->pid = record->identity.pid;
	if (record->supervised && !is_supervised(operation, record)) {
		dismiss_supervisor(operation, record);
		return START_DECISION_ADOPT;
	}
	job->result->changed = launch_differs_from_record(operation->launcher, job->result->entry);
	return START_DECISION_RUNS;
}

static enum start_decision refuse_elsewhere(const struct start_operation *operation,
					    const struct start_job *job,
					    const struct record *record)
{
	if (operation->options->force)
		return START_DECISION_SPAWN;
	if (operation->options->mode == START_RESURRECT)
		return START_DECISION_SKIP;
	error_set(&job->result->error, ERROR_FAILED, DISCARD_ELSEWHERE_FORMAT, job_name(job),
		  record->identity.host.name);
	return START_DECISION_REFUSE;
}

/* Before the last boot. */
static enum start_decision decide_lost(const struct start_operation *operation,
				       const struct start_job *job, const struct record *record)
{
	if (operation->options->mode != START_RESURRECT)
		return START_DECISION_SPAWN;
	if (is_end_told(record) && record->exit.next_try_ns == 0) {
		complete_end(operation, job, record);
		return START_DECISION_SKIP;
	}
	return START_DECISION_SPAWN;
}

/* There is no process on record. */
static enum start_decision decide_none(const struct start_operation *operation,
				       const struct start_job *job, const struct record *record)
{
	bool resurrect = operation->options->mode == START_RESURRECT;
	if (record->damaged &&
	    strays_refuse(operation->project, job_name(job), &job->result->error) < 0)
		return START_DECISION_REFUSE;
	if (resurrect && is_supervised(operation, record))
		return START_DECISION_SKIP;
	dismiss_supervisor(operation, record);
	return START_DECISION_SPAWN;
}

enum start_decision start_decide(const struct start_operation *operation,
				 const struct start_job *job, struct record *record)
{
	const struct state *state = &operation->project->state;
	bool resurrect = operation->options->mode == START_RESURRECT;
	state_read(state, job_name(job), record);
	if (resurrect && (!record->intent || record->stopping))
		return START_DECISION_SKIP;
	switch (record_liveness(record, &operation->project->host, operation->proc_fd)) {
	case LIVENESS_ALIVE:
		return decide_alive(operation, job, record);
	case LIVENESS_ELSEWHERE:
		return refuse_elsewhere(operation, job, record);
	case LIVENESS_GONE:
		return decide_gone(operation, job, record);
	case LIVENESS_UNKNOWN:
		state_require_readable(state, job_name(job), record, &job->result->error);
		return START_DECISION_REFUSE;
	case LIVENESS_NONE:
		return decide_none(operation, job, record);
	case LIVENESS_LOST:
		break;
	}
	return decide_lost(operation, job, record);
}
