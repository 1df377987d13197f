/*
 * The inside of stop: one job per service, one engine for all of them.
 */
#ifndef PMO_SERVICE_STOP_JOB_H
#define PMO_SERVICE_STOP_JOB_H

#include "model/membership.h"
#include "service/stop.h"
#include "service/stop_supervisor.h"

struct hook_source;

/* A process that got the stop signal already: nobody gets it twice. */
struct signalled {
	pid_t pid;
	uint64_t ticks;
};

/* A dead process that nobody has reaped yet. */
struct corpse {
	uint64_t ticks; /* its start time; 0: there is none */
	pid_t pid;
};

struct stop_job {
	struct stop_result *result;
	struct record record; /* where no run is on record, its identity is that of the supervisor,
			       * which may be dead, with pid 0 */
	struct held_supervisor supervisor;
	struct hook_source *hooks; /* NULL: it has none */
	int signal;
	int64_t timeout_ns;
	int64_t deadline_ns;      /* then SIGKILL */
	int64_t kill_deadline_ns; /* then it has failed */
	int leader_pidfd;         /* also stands for its process group; -1 if it had gone before */
	bool leader_alive;
	bool asked;  /* the stop signal was sent: the deadlines count from there */
	bool unsent; /* somebody could not be sent the stop signal at the last look */
	bool active;
	int kill_rounds;      /* how many scans have sent SIGKILL */
	bool refused;         /* a member may not be signalled: EPERM */
	bool removes_logs;    /* log_on_stop: delete */
	int empty_scans;      /* in a row */
	struct corpse corpse; /* the newest of the last scan */
	struct signalled *signalled;
	size_t signalled_count;
	size_t signalled_capacity;
};

/* A process by which corpses are known: a leader, or a supervisor. */
struct leader {
	pid_t pid;
	size_t job;
};

/* Jobs that are stopped together. claims[i] belongs to jobs[i]. */
struct stop_engine {
	const struct stop_options *options;
	const struct state *state; /* where a stop that takes a while is marked; NULL: nowhere */
	bool marked;
	struct stop_job *jobs;
	struct claim *claims;
	size_t count;
	struct process_table table;
	int *owners;            /* of the last scan, one per process of the table */
	int *first_member;      /* per job: index into the table, NOBODY at the end of its list */
	int *next_member;       /* per process */
	struct corpse *corpses; /* per job: the newest of its leader's session and of what its
				 * supervisor has adopted */
	struct leader *leaders; /* the jobs by leader, and by supervisor, ascending */
	size_t leader_count;
	struct known_member *known; /* who belonged to the jobs at the last scan */
	size_t known_count;
	size_t scans;
	uint64_t oldest_ticks; /* start time of the oldest leader */
	int64_t scan_cost_ns;
	int64_t started_ns;
	struct error scan_error;
};

/* The process at INDEX of the engine's table; NULL for NOBODY, which ends a job's list. */
static inline const struct process *member_at(const struct stop_engine *engine, int index)
{
	return index == NOBODY ? NULL : &engine->table.items[index];
}

#define FOR_EACH_MEMBER(engine, job_index, process, at)                                            \
	for (int at = (engine)->first_member[job_index];                                           \
	     ((process) = member_at((engine), at)) != NULL; at = (engine)->next_member[at])

/* Wait until the next look at all processes is due: until some have died, or a deadline. */
void stop_engine_wait(struct stop_engine *engine);

/* Run until no job is active any more. Each then has its outcome, short of the record's removal. */
void stop_engine_run(struct stop_engine *engine);

/* End JOB with STOP_FAILED; the message is in job->result->error. */
void stop_job_fail(struct stop_job *job);

/* The same where this pmo runs inside the service. */
void stop_job_refuse_inside(struct stop_job *job);

/* What belongs to JOB. Borrows from it. */
struct claim stop_job_claim(const struct stop_job *job);

#endif
