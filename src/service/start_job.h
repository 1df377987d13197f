/*
 * The inside of start: one job per service.
 */
#ifndef PMO_SERVICE_START_JOB_H
#define PMO_SERVICE_START_JOB_H

#include "model/identity.h"
#include "os/spawn.h"
#include "service/start.h"

/* How many children may be between release and exec at a time: enough to keep the processors busy,
 * few enough that their launches do not make this process large and its forks slow. */
enum { START_PIPELINE = 32 };

struct start_operation {
	struct project *project;
	const struct launcher *launcher;
	const struct start_options *options;
	int proc_fd;
	size_t pipeline; /* how many children may be between release and exec, START_PIPELINE at
			    most */
};

/* What a job needs only until its program is executed: large, so that few of them exist. */
struct start_flight {
	bool launched; /* `launch` is prepared */
	struct launch launch;
	struct spawn_plan plan;
	int log_out;
	int log_error;
};

/* There is one for every service, and each fork copies the page tables of all of them: small. */
struct start_job {
	struct start_result *result;
	struct start_flight *flight; /* owned, NULL before and after */
	int64_t watch_until_ns;
	int64_t watch_ns; /* supervised: how long, from when it runs; 0: not at all */
	uint64_t ticks;   /* these two as in struct identity */
	char mark[MARK_LENGTH + 1];
	bool watched;
	bool supervised; /* `child` is the supervisor; after start_job_settle child.pidfd is the
			  * channel to it */
	bool adopted;    /* it runs already, and gets a new supervisor */
	int lock;
	struct spawned child;
};

/* Release the flight, with its launch and log descriptors; the child keeps its own. */
void start_job_release(struct start_job *job);

/* Decide and, if it is to be started, spawn, record and release the service. The result's outcome
 * is set and there is no flight any more if the job is over, else job->child runs. The lock is held
 * before and after. */
void start_job_spawn(const struct start_operation *operation, struct start_job *job);

/* Take the result of the exec; the flight is released. */
void start_job_settle(const struct start_operation *operation, struct start_job *job);

/* Who the service of a job that was spawned is. */
struct identity start_job_identity(const struct start_operation *operation,
				   const struct start_job *job);

/* The service has ended during its watch: reap it, put its end on record. */
void start_job_ended(const struct start_operation *operation, struct start_job *job);

/* Give the service that runs as RUN a new supervisor. */
int start_job_adopt(const struct start_operation *operation, struct start_job *job,
		    const struct identity *run);

/* The same three for a service with a supervisor; start_job_spawn and so on call them. */
int start_job_launch_supervised(const struct start_operation *operation, struct start_job *job);
void start_job_settle_supervised(const struct start_operation *operation, struct start_job *job);
void start_job_ended_supervised(const struct start_operation *operation, struct start_job *job);

/* How a watch turned out, apart from records: the outcome, and what the run has said. */
void start_job_tell_end(const struct start_operation *operation, struct start_job *job,
			const struct exit_record *end);

/* A failure of the job: "cannot start 'NAME': " before what result->error says. */
void start_job_fail(struct start_job *job);

#endif
