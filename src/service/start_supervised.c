/* Starting a service with a supervisor, which spawns it and tells how that went. */
#include "service/start_job.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/lock.h"
#include "service/liveness.h"
#include "service/supervisor.h"

#include <string.h>
#include <unistd.h>

/* The supervisor has a flight of its own, a copy. That the next job can have this one's memory at
 * once keeps small what every supervisor has to itself: the pages that change from fork to fork. */
static int start_supervisor(const struct start_operation *operation, struct start_job *job,
			    const struct identity *run)
{
	struct start_flight *flight = job->flight;
	bool listens = operation->options->mode != START_RESURRECT;
	struct supervisor_order order = {
		.project = operation->project,
		.entry = job->result->entry,
		.launch = &flight->launch,
		.plan = flight->plan,
		.lock = job->lock,
		.run = *run,
		.listens = listens,
	};
	if (supervisor_start(&order, &job->child, &job->result->error) < 0)
		return -1;
	if (listens && !job->adopted)
		job->watch_ns = flight->launch.definition->start_watch_ns;
	start_job_release(job);
	return 0;
}

int start_job_launch_supervised(const struct start_operation *operation, struct start_job *job)
{
	struct identity run = { .host = operation->project->host };
	memcpy(run.mark, job->mark, sizeof(run.mark));
	return start_supervisor(operation, job, &run);
}

int start_job_adopt(const struct start_operation *operation, struct start_job *job,
		    const struct identity *run)
{
	return start_supervisor(operation, job, run);
}

/* From here on only the channel is of interest: its end says that the supervisor has nothing more
 * to tell. */
static void listen_to_channel(struct start_job *job)
{
	close(job->child.pidfd);
	job->child.pidfd = job->child.channel;
	job->child.channel = -1;
}

/* What another command has done to the service, as a message says it, by the records alone; NULL:
 * nothing. */
static const char *change_on_record(const struct start_job *job, const struct record *record)
{
	if (record->unreadable)
		return NULL;
	if (record->stopping)
		return "stopped";
	/* a supervisor that has ended by itself has left its service's end */
	if (!record->supervised)
		return record->exit.at_realtime_ns ? NULL : "stopped";
	return !record->supervisor_valid || strcmp(record->supervisor.mark, job->mark) == 0
		   ? NULL
		   : "started anew";
}

/* The same, for a supervisor that says no more. One that does not live, but is on record, may be
 * so because a stop is about to remove its record. */
static const char *change_by_other(const struct start_operation *operation,
				   const struct start_job *job)
{
	const struct state *state = &operation->project->state;
	const char *name = job->result->entry->name;
	struct record record;
	state_read(state, name, &record);
	const char *change = change_on_record(job, &record);
	if (change || supervisor_is_at_work(&record, &operation->project->host, operation->proc_fd))
		return change;
	int lock CLEANUP_CLOSE = state_open_lock(state, name, NULL);
	if (lock < 0 || lock_wait(lock, clock_monotonic_ns() + LOCK_TIMEOUT_NS, name, NULL) < 0)
		return NULL;
	state_read(state, name, &record);
	return change_on_record(job, &record);
}

/* True, and the job is over, if another command has changed the service since. */
static bool is_changed(const struct start_operation *operation, struct start_job *job)
{
	const char *change = change_by_other(operation, job);
	if (!change)
		return false;
	error_set(&job->result->error, ERROR_FAILED, "'%s' was %s by another command",
		  job->result->entry->name, change);
	job->result->outcome = START_FAILED;
	return true;
}

/* There is no run to be watched. */
static void settle_failure(const struct start_operation *operation, struct start_job *job,
			   const struct supervisor_news *news)
{
	struct error *err = &job->result->error;
	if (news->kind == SUPERVISOR_RETRIES) { /* it lives on */
		error_set(err, ERROR_FAILED, "%s; it will be tried again", news->text);
		start_job_fail(job);
		return;
	}
	spawn_reap(&job->child, NULL);
	if (news->kind == SUPERVISOR_LOST && is_changed(operation, job))
		return;
	error_set(err, ERROR_FAILED, "%s",
		  news->kind == SUPERVISOR_LOST ? "its supervisor has ended unexpectedly"
						: news->text);
	start_job_fail(job);
}

void start_job_settle_supervised(const struct start_operation *operation, struct start_job *job)
{
	struct supervisor_news news;
	supervisor_receive(job->child.channel, &news);
	listen_to_channel(job);
	if (news.kind == SUPERVISOR_SPAWNED) {
		job->result->pid = news.pid;
		job->ticks = news.ticks;
		job->watched = job->watch_ns > 0;
		if (job->adopted)
			job->result->outcome = START_ADOPTED;
		job->watch_until_ns = clock_monotonic_ns() + job->watch_ns;
		return;
	}
	settle_failure(operation, job, &news);
}

void start_job_ended_supervised(const struct start_operation *operation, struct start_job *job)
{
	struct supervisor_news news;
	supervisor_receive(job->child.pidfd, &news);
	close(job->child.pidfd);
	job->child.pidfd = -1;
	if (news.kind == SUPERVISOR_ENDED)
		start_job_tell_end(operation, job, &news.end);
	else if (news.kind == SUPERVISOR_LOST) /* or it has seen the end of the watch first */
		(void)is_changed(operation, job);
}
