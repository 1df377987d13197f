#include "service/start.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/footprint.h"
#include "base/memory.h"
#include "os/lock.h"
#include "service/start_job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The channel and the two logs of a child that has not executed its program yet. */
enum { DESCRIPTORS_IN_PIPELINE = 4 };

static void job_unlock(struct start_job *job)
{
	if (job->lock >= 0)
		close(job->lock);
	job->lock = -1;
}

/* The lock at once, or LOCK_BUSY: then the job comes again after all the others. */
static enum lock_result job_try_lock(const struct start_operation *operation, struct start_job *job)
{
	const char *name = job->result->entry->name;
	struct error *err = &job->result->error;
	if (operation->options->locks)
		return job->lock >= 0 ? LOCK_TAKEN : LOCK_FAILED;
	job->lock = state_open_lock(&operation->project->state, name, err);
	enum lock_result result = job->lock < 0 ? LOCK_FAILED : lock_try(job->lock, name, err);
	if (result == LOCK_FAILED) {
		job_unlock(job);
		start_job_fail(job);
	}
	return result;
}

static bool job_is_running(const struct start_job *job)
{
	return job->child.channel >= 0;
}

/* The jobs between release and exec, oldest first. */
enum { PIPELINE_PLACES = START_PIPELINE + 1 };

struct pipeline {
	struct start_job *jobs[PIPELINE_PLACES];
	size_t first;
	size_t count;
};

static void pipeline_settle_oldest(const struct start_operation *operation,
				   struct pipeline *pipeline)
{
	start_job_settle(operation, pipeline->jobs[pipeline->first]);
	pipeline->first = (pipeline->first + 1) % PIPELINE_PLACES;
	pipeline->count--;
}

static void job_run_locked(const struct start_operation *operation, struct pipeline *pipeline,
			   struct start_job *job)
{
	start_job_spawn(operation, job);
	job_unlock(job);
	if (!job_is_running(job))
		return;
	pipeline->jobs[(pipeline->first + pipeline->count) % PIPELINE_PLACES] = job;
	if (pipeline->count++ == operation->pipeline)
		pipeline_settle_oldest(operation, pipeline);
}

static void job_unwatch(struct start_job *job)
{
	job->watched = false;
	if (job->child.pidfd >= 0)
		close(job->child.pidfd);
	job->child.pidfd = -1;
}

/* End the watches that are over, from *FRONT to END: every fork copies what is open, and every
 * child closes it. A service that has ended waits for watch_all, because to put its end on record
 * takes a lock, and others may be held. */
static void unwatch_front(struct start_job *jobs, size_t end, size_t *front)
{
	int64_t now = clock_monotonic_ns();
	for (; *front < end && !job_is_running(&jobs[*front]); ++*front) {
		struct start_job *job = &jobs[*front];
		struct pollfd look = { .fd = job->child.pidfd, .events = POLLIN };
		if (job->watched && job->watch_until_ns > now)
			return;
		if (job->watched && poll(&look, 1, 0) == 0)
			job_unwatch(job);
	}
}

static void spawn_all(const struct start_operation *operation, struct start_job *jobs, size_t count)
{
	struct pipeline *pipeline CLEANUP_OWN = footprint_own(1, sizeof(*pipeline));
	size_t busy = 0;
	size_t front = 0;
	struct start_job **busy_jobs CLEANUP_OWN = footprint_own(count, sizeof(struct start_job *));
	int64_t deadline_ns = clock_monotonic_ns() + LOCK_TIMEOUT_NS;
	for (size_t i = 0; i < count; i++) {
		enum lock_result lock = job_try_lock(operation, &jobs[i]);
		if (lock == LOCK_TAKEN)
			job_run_locked(operation, pipeline, &jobs[i]);
		else if (lock == LOCK_BUSY)
			busy_jobs[busy++] = &jobs[i];
		unwatch_front(jobs, i, &front);
	}
	for (size_t i = 0; i < busy; i++) {
		struct start_job *job = busy_jobs[i];
		if (lock_wait(job->lock, deadline_ns, job->result->entry->name,
			      &job->result->error) == 0)
			job_run_locked(operation, pipeline, job);
		else
			start_job_fail(job);
		job_unlock(job);
	}
	while (pipeline->count)
		pipeline_settle_oldest(operation, pipeline);
}

/* The jobs that are watched, packed for poll(2); *next_end is when the first watch will be over. */
static size_t watched_jobs(struct start_job *jobs, size_t count, struct pollfd *polls,
			   struct start_job **polled, int64_t *next_end)
{
	size_t watched = 0;
	*next_end = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		struct start_job *job = &jobs[i];
		if (!job->watched)
			continue;
		if (job->watch_until_ns < *next_end)
			*next_end = job->watch_until_ns;
		polls[watched] = (struct pollfd){ .fd = job->child.pidfd, .events = POLLIN };
		polled[watched++] = job;
	}
	return watched;
}

static void watch_all(const struct start_operation *operation, struct start_job *jobs, size_t count)
{
	struct pollfd *polls CLEANUP_FREE = memory_zalloc(count, sizeof(*polls));
	struct start_job **polled CLEANUP_FREE = memory_zalloc(count, sizeof(struct start_job *));
	int64_t next_end;
	size_t watched;
	while ((watched = watched_jobs(jobs, count, polls, polled, &next_end)) > 0) {
		/* a watch is over only when a look after its end saw the service alive: this
		 * process may have been kept from running for longer than the watch */
		int64_t looked_at = clock_monotonic_ns();
		if (poll(polls, watched, clock_poll_timeout(next_end)) < 0)
			continue;
		for (size_t i = 0; i < watched; i++) {
			if (polls[i].revents) {
				polled[i]->watched = false;
				start_job_ended(operation, polled[i]);
			} else if (polled[i]->watch_until_ns <= looked_at) {
				job_unwatch(polled[i]);
			}
		}
	}
}

/* What is noted about each job after its fork is in pages that the supervisors do not get. */
static void start_batch(const struct start_operation *operation,
			const struct catalog_entry *const *entries, const int *locks, size_t count,
			struct start_result *results)
{
	struct start_job *jobs CLEANUP_OWN = footprint_own(count, sizeof(*jobs));
	struct start_result *noted CLEANUP_OWN = footprint_own(count, sizeof(*noted));
	for (size_t i = 0; i < count; i++) {
		noted[i] = (struct start_result){ .entry = entries[i] };
		jobs[i] = (struct start_job){
			.result = &noted[i],
			.lock = locks ? locks[i] : -1,
			.child = { .pid = -1, .pidfd = -1, .channel = -1 },
		};
	}
	spawn_all(operation, jobs, count);
	watch_all(operation, jobs, count);
	for (size_t i = 0; i < count; i++)
		job_unwatch(&jobs[i]);
	memcpy(results, noted, count * sizeof(*results));
}

static bool any_needs_supervisor(const struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++) {
		const struct definition *definition = selection->entries[i]->definition;
		if (definition && definition_needs_supervisor(definition))
			return true;
	}
	return false;
}

int start_services(struct project *project, const struct launcher *launcher,
		   const struct selection *selection, const struct start_options *options,
		   struct start_result *results, struct error *err)
{
	size_t budget = file_descriptor_budget();
	size_t pipeline = budget / 8 < START_PIPELINE ? budget / 8 : START_PIPELINE;
	size_t batch = budget - pipeline * DESCRIPTORS_IN_PIPELINE;
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return error_set_errno(err, ERROR_FAILED, errno, "cannot open '/proc'");
	if (selection->count == 0)
		return 0;
	if (project_prepare_state(project, err) < 0)
		return -1;
	const struct start_operation operation = {
		.project = project,
		.launcher = launcher,
		.options = options,
		.proc_fd = proc_fd,
		.pipeline = pipeline,
	};
	/* every fork copies the page tables of what reading pmo.yml has freed, too */
	if (any_needs_supervisor(selection))
		footprint_isolate_large();
	footprint_pack();
	for (size_t begin = 0; begin < selection->count; begin += batch) {
		size_t left = selection->count - begin;
		start_batch(&operation, selection->entries + begin,
			    options->locks ? options->locks + begin : NULL,
			    left < batch ? left : batch, results + begin);
	}
	return 0;
}

void start_results_release(struct start_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		error_clear(&results[i].error);
		buffer_release(&results[i].output);
	}
}
