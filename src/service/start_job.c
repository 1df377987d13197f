#include "service/start_job.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/logfile.h"
#include "service/discard.h"
#include "service/run_record.h"
#include "service/start_decide.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *job_name(const struct start_job *job)
{
	return job->result->entry->name;
}

static const struct state *job_state(const struct start_operation *operation)
{
	return &operation->project->state;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void start_job_release(struct start_job *job)
{
	struct start_flight *flight = job->flight;
	if (!flight)
		return;
	close_fd(&flight->log_out);
	close_fd(&flight->log_error);
	if (flight->launched)
		launch_release(&flight->launch);
	free(flight);
	job->flight = NULL;
}

void start_job_fail(struct start_job *job)
{
	error_prefix(&job->result->error, "cannot start '%s'", job_name(job));
	job->result->outcome = START_FAILED;
	start_job_release(job);
}

struct identity start_job_identity(const struct start_operation *operation,
				   const struct start_job *job)
{
	struct identity identity = {
		.pid = job->child.pid,
		.ticks = job->ticks,
		.host = operation->project->host,
	};
	memcpy(identity.mark, job->mark, sizeof(identity.mark));
	return identity;
}

static int open_logs(struct start_job *job)
{
	struct start_flight *flight = job->flight;
	const struct launch *launch = &flight->launch;
	struct error *err = &job->result->error;
	bool merged = launch->log_out == launch->log_error;
	const char *suffix = merged ? " (merged logs)" : "";
	int keep = launch->definition->log_keep;
	uid_t owner = launch_log_owner(launch);
	flight->log_out = logfile_start(launch->log_out, keep, owner, err);
	if (flight->log_out < 0 ||
	    logfile_write_header(flight->log_out, launch->log_out, job_name(job), suffix, err) < 0)
		return -1;
	if (merged)
		return 0;
	flight->log_error = logfile_start(launch->log_error, keep, owner, err);
	if (flight->log_error < 0)
		return -1;
	return logfile_write_header(flight->log_error, launch->log_error, job_name(job), suffix,
				    err);
}

static void make_plan(const struct start_operation *operation, struct start_job *job)
{
	struct start_flight *flight = job->flight;
	const struct launch *launch = &flight->launch;
	flight->plan = (struct spawn_plan){
		.program = launch->program,
		.arguments = launch->arguments,
		.environment = launch->environment.entries,
		.directory = launch->directory,
		.input = -1,
		.output = flight->log_out,
		.errors = flight->log_error >= 0 ? flight->log_error : flight->log_out,
		.group = SPAWN_NEW_SESSION,
		.credentials = launch->credentials,
		.umask = launch->definition->umask >= 0 ? launch->definition->umask
							: (int)operation->options->umask,
		.has_nice = launch->definition->has_nice,
		.nice = launch->definition->nice,
		.limits = launch->definition->limits,
		.limit_count = launch->definition->limit_count,
		.file_limit = operation->options->file_limit,
	};
}

static int job_prepare(const struct start_operation *operation, struct start_job *job)
{
	struct start_flight *flight = job->flight;
	struct launch *launch = &flight->launch;
	struct error *err = &job->result->error;
	if (launch_check(launch, operation->launcher, err) < 0)
		return -1;
	if (identity_make_mark(job->mark, err) < 0 || open_logs(job) < 0)
		return -1;
	environment_set(&launch->environment, "PMO_RUN", job->mark);
	make_plan(operation, job);
	return 0;
}

static int write_spec(const struct start_operation *operation, struct start_job *job)
{
	struct buffer spec CLEANUP_BUFFER = BUFFER_INIT;
	launch_append_spec(&job->flight->launch, &spec);
	return state_write_spec(job_state(operation), job_name(job), buffer_string(&spec),
				spec.length, &job->result->error);
}

static int write_records(const struct start_operation *operation, struct start_job *job)
{
	struct identity identity = start_job_identity(operation, job);
	int result = run_record_write(job_state(operation), job_name(job), operation->proc_fd,
				      &identity, &job->result->error);
	job->ticks = identity.ticks;
	return result;
}

static int clear_leftovers(const struct start_operation *operation, struct start_job *job)
{
	const struct state *state = job_state(operation);
	struct error *err = &job->result->error;
	static const enum state_file files[] = { STATE_FILE_STOP, STATE_FILE_EXIT,
						 STATE_FILE_SUPERVISOR };
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		if (state_remove(state, job_name(job), files[i], err) < 0)
			return -1;
	return 0;
}

static void count_restart(const struct start_operation *operation, struct start_job *job)
{
	struct record record;
	if (operation->options->mode == START_FRESH)
		return;
	state_read(job_state(operation), job_name(job), &record);
	/* the service runs: a count that cannot be written is no reason to fail it */
	(void)state_write_restarts(job_state(operation), job_name(job), record.restarts + 1, NULL);
}

static int launch_plain(const struct start_operation *operation, struct start_job *job)
{
	struct error *err = &job->result->error;
	if (spawn_start(&job->flight->plan, &job->child, err) < 0)
		return -1;
	job->watch_until_ns = clock_monotonic_ns() + job->flight->launch.definition->start_watch_ns;
	if (clear_leftovers(operation, job) == 0 && write_spec(operation, job) == 0 &&
	    write_records(operation, job) == 0 && spawn_release(&job->child, err) == 0) {
		job->result->pid = job->child.pid;
		return 0;
	}
	spawn_abandon(&job->child);
	return -1;
}

static int launch_supervised(const struct start_operation *operation, struct start_job *job)
{
	return clear_leftovers(operation, job) < 0 || write_spec(operation, job) < 0
		   ? -1
		   : start_job_launch_supervised(operation, job);
}

static int job_launch(const struct start_operation *operation, struct start_job *job)
{
	if (job_prepare(operation, job) < 0)
		return -1;
	job->supervised = definition_needs_supervisor(job->flight->launch.definition);
	if ((job->supervised ? launch_supervised : launch_plain)(operation, job) == 0) {
		count_restart(operation, job);
		return 0;
	}
	if (operation->options->mode != START_FRESH)
		(void)record_retire(job_state(operation), job_name(job), NULL);
	else
		(void)record_remove(job_state(operation), job_name(job), NULL, NULL);
	return -1;
}

/* A service that runs gets a new supervisor; nothing else about it changes. */
static int job_adopt(const struct start_operation *operation, struct start_job *job,
		     const struct record *record)
{
	job->supervised = true;
	job->adopted = true;
	memcpy(job->mark, record->identity.mark, sizeof(job->mark));
	job->ticks = record->identity.ticks;
	make_plan(operation, job);
	/* of a stop that was killed: the user wants it up after all */
	if (state_remove(job_state(operation), job_name(job), STATE_FILE_STOP,
			 &job->result->error) < 0)
		return -1;
	return start_job_adopt(operation, job, &record->identity);
}

static int prepare_launch(const struct start_operation *operation, struct start_job *job,
			  enum start_decision decision, const struct record *record)
{
	struct start_flight *flight = job->flight;
	struct error *err = &job->result->error;
	const struct catalog_entry *entry = job->result->entry;
	int result =
	    decision == START_DECISION_ADOPT
		? launch_prepare_running(&flight->launch, operation->launcher, entry,
					 &record->identity, err)
		: launch_prepare(&flight->launch, operation->launcher, entry->definition, err);
	flight->launched = result == 0;
	return result;
}

static int job_carry_out(const struct start_operation *operation, struct start_job *job,
			 enum start_decision decision, const struct record *record)
{
	if (decision == START_DECISION_REFUSE ||
	    prepare_launch(operation, job, decision, record) < 0)
		return -1;
	return decision == START_DECISION_ADOPT ? job_adopt(operation, job, record)
						: job_launch(operation, job);
}

void start_job_spawn(const struct start_operation *operation, struct start_job *job)
{
	struct record record;
	enum start_decision decision = start_decide(operation, job, &record);
	/* resurrect: pmo.yml has it no longer */
	if (decision == START_DECISION_SPAWN && !job->result->entry->configured)
		decision = START_DECISION_SKIP;
	if (decision == START_DECISION_RUNS)
		job->result->outcome = START_ALREADY_RUNNING;
	if (decision == START_DECISION_SKIP)
		job->result->outcome = START_SKIPPED;
	if (decision == START_DECISION_RUNS || decision == START_DECISION_SKIP)
		return;
	job->flight = memory_alloc(sizeof(*job->flight));
	*job->flight = (struct start_flight){ .log_out = -1, .log_error = -1 };
	if (job_carry_out(operation, job, decision, &record) < 0)
		start_job_fail(job);
}
