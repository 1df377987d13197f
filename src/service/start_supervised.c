/* Starting a service with a supervisor, which spawns it and tells how that went. */
#include "service/start_job.h"

#include "base/clock.h"
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

void start_job_settle_supervised(const struct start_operation *operation, struct start_job *job)
{
	struct supervisor_news news;
	struct error *err = &job->result->error;
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
	if (news.kind == SUPERVISOR_LOST)
		error_set(err, ERROR_FAILED, "its supervisor has ended unexpectedly");
	else
		error_set(err, ERROR_FAILED, "%s", news.text);
	(void)operation;
	spawn_reap(&job->child, NULL);
	start_job_fail(job);
}

void start_job_ended_supervised(const struct start_operation *operation, struct start_job *job)
{
	struct supervisor_news news;
	supervisor_receive(job->child.pidfd, &news);
	close(job->child.pidfd);
	job->child.pidfd = -1;
	if (news.kind == SUPERVISOR_ENDED)
		start_job_tell_end(operation, job, &news.end);
}
