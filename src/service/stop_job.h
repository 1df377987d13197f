/*
 * The inside of stop: one job per service, one engine for all of them.
 */
#ifndef PMO_SERVICE_STOP_JOB_H
#define PMO_SERVICE_STOP_JOB_H

#include "model/membership.h"
#include "service/stop.h"

/* A process that got the stop signal already: nobody gets it twice. */
struct signalled {
	pid_t pid;
	uint64_t ticks;
};

struct stop_job {
	struct stop_result *result;
	struct record record;
	int signal;
	int64_t timeout_ns;
	int64_t deadline_ns;      /* then SIGKILL */
	int64_t kill_deadline_ns; /* then it has failed */
	int leader_pidfd;         /* -1 when the leader has gone */
	bool active;
	bool killed;
	bool refused;      /* a member may not be signalled: EPERM */
	bool removes_logs; /* log_on_stop: delete */
	int empty_scans;
	struct signalled *signalled;
	size_t signalled_count;
	size_t signalled_capacity;
};

/* Jobs that are stopped together. claims[i] belongs to jobs[i]. */
struct stop_engine {
	const struct stop_options *options;
	struct stop_job *jobs;
	struct claim *claims;
	size_t count;
	struct process_table table;
	int *owners;       /* of the last scan, one per process of the table */
	int *first_member; /* per job: index into the table, NOBODY at the end of its list */
	int *next_member;  /* per process */
	int64_t scan_cost_ns;
	int64_t started_ns;
	struct error scan_error;
};

/* Run until no job is active any more. Each then has its outcome, short of the record's removal. */
void stop_engine_run(struct stop_engine *engine);

/* End JOB with STOP_FAILED; the message is in job->result->error. */
void stop_job_fail(struct stop_job *job);

#endif
