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

struct start_job {
	struct start_result *result;
	int lock;
	bool launched; /* `launch` is prepared */
	struct launch launch;
	struct spawn_plan plan;
	struct spawned child;
	int log_out;
	int log_error;
	struct identity identity;
	int64_t watch_until_ns;
	bool watched;
};

/* Let go of the launch and the log descriptors; the child keeps its own. */
void start_job_release(struct start_job *job);

/* Decide and, if it is to be started, spawn, record and release the service. The result's outcome
 * is set if the job is over, else job->child runs. The lock is held before and after. */
void start_job_spawn(const struct start_operation *operation, struct start_job *job);

/* Take the result of the exec; the launch is released. */
void start_job_settle(const struct start_operation *operation, struct start_job *job);

/* The service has ended during its watch: reap it, put its end on record. */
void start_job_ended(const struct start_operation *operation, struct start_job *job);

/* A failure of the job: "cannot start 'NAME': " before what result->error says. */
void start_job_fail(struct start_job *job);

#endif
