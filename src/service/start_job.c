#include "service/start_job.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/process.h"
#include "os/logfile.h"
#include "service/discard.h"
#include "service/liveness.h"
#include "service/strays.h"
#include "service/survivors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	close_fd(&job->log_out);
	close_fd(&job->log_error);
	if (job->launched)
		launch_release(&job->launch);
	job->launched = false;
}

void start_job_fail(struct start_job *job)
{
	error_prefix(&job->result->error, "cannot start '%s'", job_name(job));
	job->result->outcome = START_FAILED;
	start_job_release(job);
}

/* What is left of an earlier run must be stopped first: it may hold the port, and it would be lost
 * from sight. */
static int refuse_survivors(const struct start_job *job, const struct record *record)
{
	struct buffer pids CLEANUP_BUFFER = BUFFER_INIT;
	size_t count = survivors_list(&record->identity, &pids, &job->result->error);
	if (count == 0)
		return job->result->error.message ? -1 : 0;
	return error_set(&job->result->error, ERROR_FAILED,
			 "its last run left pid %s behind ('pmo stop %s' ends %s)",
			 buffer_string(&pids), job_name(job), count == 1 ? "it" : "them");
}

/* 1: start it. 0: it runs already. -1: it cannot be started. */
static int job_decide(const struct start_operation *operation, struct start_job *job)
{
	struct record record;
	state_read_identity(job_state(operation), job_name(job), &record);
	switch (record_liveness(&record, &operation->project->host, operation->proc_fd)) {
	case LIVENESS_ALIVE:
		job->result->pid = record.identity.pid;
		job->result->changed =
		    launch_differs_from_record(operation->launcher, job->result->entry);
		return 0;
	case LIVENESS_ELSEWHERE:
		if (operation->options->force)
			return 1;
		return error_set(&job->result->error, ERROR_FAILED, DISCARD_ELSEWHERE_FORMAT,
				 job_name(job), record.identity.host.name);
	case LIVENESS_GONE:
		return refuse_survivors(job, &record) < 0 ? -1 : 1;
	case LIVENESS_NONE:
		if (record.damaged &&
		    strays_refuse(operation->project, job_name(job), &job->result->error) < 0)
			return -1;
		break;
	case LIVENESS_LOST:
		break;
	}
	return 1;
}

/* A service with another user may want to open /dev/stderr by name. */
static void give_log(const struct launch *launch, int fd)
{
	struct stat status;
	if (fd >= 0 && launch->credentials.set && fstat(fd, &status) == 0 &&
	    S_ISREG(status.st_mode))
		(void)!fchown(fd, launch->credentials.user, (gid_t)-1);
}

static int open_logs(struct start_job *job)
{
	const struct launch *launch = &job->launch;
	struct error *err = &job->result->error;
	bool merged = launch->log_out == launch->log_error;
	const char *suffix = merged ? " (merged logs)" : "";
	int keep = launch->definition->log_keep;
	job->log_out = logfile_start(launch->log_out, keep, err);
	give_log(launch, job->log_out);
	if (job->log_out < 0 ||
	    logfile_write_header(job->log_out, launch->log_out, job_name(job), suffix, err) < 0)
		return -1;
	if (merged)
		return 0;
	job->log_error = logfile_start(launch->log_error, keep, err);
	give_log(launch, job->log_error);
	if (job->log_error < 0)
		return -1;
	return logfile_write_header(job->log_error, launch->log_error, job_name(job), suffix, err);
}

static int job_prepare(const struct start_operation *operation, struct start_job *job)
{
	struct launch *launch = &job->launch;
	struct error *err = &job->result->error;
	if (launch_check(launch, err) < 0)
		return -1;
	job->identity.host = operation->project->host;
	if (identity_make_mark(job->identity.mark, err) < 0 || open_logs(job) < 0)
		return -1;
	environment_set(&launch->environment, "PMO_RUN", job->identity.mark);
	job->plan = (struct spawn_plan){
		.program = launch->program,
		.arguments = launch->arguments,
		.environment = launch->environment.entries,
		.directory = launch->directory,
		.input = -1,
		.output = job->log_out,
		.errors = job->log_error >= 0 ? job->log_error : job->log_out,
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
	return 0;
}

static int write_spec(const struct start_operation *operation, struct start_job *job)
{
	struct buffer spec CLEANUP_BUFFER = BUFFER_INIT;
	launch_append_spec(&job->launch, &spec);
	return state_write_spec(job_state(operation), job_name(job), buffer_string(&spec),
				spec.length, &job->result->error);
}

/* The records of a held child. The order is the commit protocol of model/state.h. */
static int write_records(const struct start_operation *operation, struct start_job *job)
{
	const struct state *state = job_state(operation);
	struct error *err = &job->result->error;
	struct process process;
	int result = process_read(operation->proc_fd, job->child.pid, &process);
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot read '/proc/%ld/stat'",
				       (long)job->child.pid);
	job->identity.pid = job->child.pid;
	job->identity.ticks = process.ticks;
	if (state_write_identity(state, job_name(job), &job->identity, clock_realtime_ns(), err) <
	    0)
		return -1;
	return state_write_pid(state, job_name(job), job->child.pid, err);
}

static int clear_leftovers(const struct start_operation *operation, struct start_job *job)
{
	const struct state *state = job_state(operation);
	struct error *err = &job->result->error;
	return state_remove(state, job_name(job), STATE_FILE_STOP, err) < 0
		   ? -1
		   : state_remove(state, job_name(job), STATE_FILE_EXIT, err);
}

static void count_restart(const struct start_operation *operation, struct start_job *job)
{
	struct record record;
	if (!operation->options->restart)
		return;
	state_read(job_state(operation), job_name(job), &record);
	/* the service runs: a count that cannot be written is no reason to fail it */
	(void)state_write_restarts(job_state(operation), job_name(job), record.restarts + 1, NULL);
}

static int job_launch(const struct start_operation *operation, struct start_job *job)
{
	struct error *err = &job->result->error;
	if (job_prepare(operation, job) < 0 || spawn_start(&job->plan, &job->child, err) < 0)
		return -1;
	job->watch_until_ns = clock_monotonic_ns() + job->launch.definition->start_watch_ns;
	if (clear_leftovers(operation, job) == 0 && write_spec(operation, job) == 0 &&
	    write_records(operation, job) == 0 && spawn_release(&job->child, err) == 0) {
		count_restart(operation, job);
		job->result->pid = job->child.pid;
		return 0;
	}
	spawn_abandon(&job->child);
	if (operation->options->restart)
		(void)record_retire(job_state(operation), job_name(job), NULL);
	else
		(void)record_remove(job_state(operation), job_name(job), NULL);
	return -1;
}

void start_job_spawn(const struct start_operation *operation, struct start_job *job)
{
	struct error *err = &job->result->error;
	int decision = job_decide(operation, job);
	if (decision == 0)
		job->result->outcome = START_ALREADY_RUNNING;
	if (decision == 0)
		return;
	if (decision > 0 && !job->launched)
		job->launched = launch_prepare(&job->launch, operation->launcher,
					       job->result->entry->definition, err) == 0;
	if (decision < 0 || !job->launched || job_launch(operation, job) < 0)
		start_job_fail(job);
}
