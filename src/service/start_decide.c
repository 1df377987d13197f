#include "service/start_decide.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/discard.h"
#include "service/liveness.h"
#include "service/stop.h"
#include "service/stop_supervisor.h"
#include "service/strays.h"
#include "service/survivors.h"

#include <signal.h>

static const char *job_name(const struct start_job *job)
{
	return job->result->entry->name;
}

/* What is left of an earlier run must be stopped first: it may hold the port, and it would be lost
 * from sight. */
static enum start_decision refuse_survivors(const struct start_job *job, const struct identity *run)
{
	struct buffer pids CLEANUP_BUFFER = BUFFER_INIT;
	size_t count = survivors_list(run, &pids, &job->result->error);
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
	struct held_supervisor found = supervisor_find(record, &operation->project->host);
	supervisor_hold(&found);
	supervisor_kill(&found);
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

/* A supervised run ends with its leader: what that has left behind is stopped, and then the
 * supervisor, which what leaves its parent comes to until then. */
static int clear_survivors(const struct start_operation *operation, const struct start_job *job,
			   const struct record *record, const struct definition *definition)
{
	struct held_supervisor held = supervisor_find(record, &operation->project->host);
	const struct stop_run run = {
		.entry = job->result->entry,
		.identity = record->valid ? record->identity : record->supervisor,
		.supervisor = { .pid = held.pid, .ticks = held.ticks },
		.signal = definition->stop_signal,
		.timeout_ns = definition->stop_timeout_ns,
	};
	supervisor_hold(&held);
	supervisor_await_hold(&held);
	if (stop_one_run(&run, &job->result->error) < 0) {
		supervisor_let_go(&held);
		return -1;
	}
	supervisor_kill(&held);
	return 0;
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
	if (clear_survivors(operation, job, record, definition) < 0)
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

/* Its supervisor clears up after the last run, or waits for the next try: both end now. */
static enum start_decision hurry_up(const struct start_operation *operation,
				    const struct start_job *job, const struct record *record)
{
	struct definition definition = { .stop_signal = SIGTERM,
					 .stop_timeout_ns = DEFINITION_STOP_TIMEOUT_NS };
	struct arena arena = ARENA_INIT;
	(void)read_definition(operation, job, &arena, &definition);
	int result = clear_survivors(operation, job, record, &definition);
	arena_release(&arena);
	return result < 0 ? START_DECISION_REFUSE : START_DECISION_SPAWN;
}

static enum start_decision decide_gone(const struct start_operation *operation,
				       const struct start_job *job, const struct record *record)
{
	if (operation->options->mode == START_RESURRECT)
		return resurrect_gone(operation, job, record);
	if (is_supervised(operation, record))
		return hurry_up(operation, job, record);
	enum start_decision decision = refuse_survivors(job, &record->identity);
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
	/* of a stop that was killed: the user wants it up after all */
	if (record->stopping)
		(void)state_remove(&operation->project->state, job_name(job), STATE_FILE_STOP,
				   NULL);
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

/* Its supervisor was killed before the first run: the hook before that may run on. */
static enum start_decision deal_with_hook(const struct start_operation *operation,
					  const struct start_job *job, const struct record *record)
{
	struct definition definition;
	struct arena arena = ARENA_INIT;
	enum start_decision decision = START_DECISION_SPAWN;
	if (!record->supervisor_valid ||
	    identity_place(&record->supervisor, &operation->project->host) != IDENTITY_HERE)
		return decision;
	if (operation->options->mode != START_RESURRECT)
		decision = refuse_survivors(job, &record->supervisor);
	else if (read_definition(operation, job, &arena, &definition) &&
		 clear_survivors(operation, job, record, &definition) < 0)
		decision = START_DECISION_REFUSE;
	arena_release(&arena);
	return decision;
}

/* There is no process on record. */
static enum start_decision decide_none(const struct start_operation *operation,
				       const struct start_job *job, const struct record *record)
{
	bool resurrect = operation->options->mode == START_RESURRECT;
	bool supervised = is_supervised(operation, record);
	if (record->damaged &&
	    strays_refuse(operation->project, job_name(job), &job->result->error) < 0)
		return START_DECISION_REFUSE;
	if (resurrect && supervised)
		return START_DECISION_SKIP;
	dismiss_supervisor(operation, record);
	return supervised ? START_DECISION_SPAWN : deal_with_hook(operation, job, record);
}

/* `resurrect` respects a stop, and tells of one that was killed while the supervisor stood still:
 * it has to be run again, or taken back. */
static enum start_decision decide_half_stopped(const struct start_operation *operation,
					       const struct start_job *job,
					       const struct record *record)
{
	const struct host *host = &operation->project->host;
	if (supervisor_look(record, host, operation->proc_fd) != SUPERVISOR_HELD)
		return START_DECISION_SKIP;
	error_set(&job->result->error, ERROR_FAILED,
		  "'pmo stop %s' was interrupted: run it again, or 'pmo start %s' to keep it up",
		  job_name(job), job_name(job));
	return START_DECISION_REFUSE;
}

enum start_decision start_decide(const struct start_operation *operation,
				 const struct start_job *job, struct record *record)
{
	const struct state *state = &operation->project->state;
	bool resurrect = operation->options->mode == START_RESURRECT;
	state_read(state, job_name(job), record);
	if (resurrect && !record->intent)
		return START_DECISION_SKIP;
	if (resurrect && record->stopping)
		return decide_half_stopped(operation, job, record);
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
