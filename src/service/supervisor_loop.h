/*
 * The inside of a supervisor: what it knows, and the rooms its code is in.
 *
 * supervisor.c       its birth and its news
 * supervisor_loop.c  what it waits for
 * supervisor_run.c   a run's beginning: hook, lock, spawn, record, exec
 * supervisor_clear.c a run's end: clearing up after it
 * supervisor_end.c   after a run: deciding, the end for good, SIGTERM
 * supervisor_guard.c what is looked after while it runs: memory, log size, files
 */
#ifndef PMO_SERVICE_SUPERVISOR_LOOP_H
#define PMO_SERVICE_SUPERVISOR_LOOP_H

#include "model/restart_policy.h"
#include "service/hook.h"
#include "service/supervisor.h"

enum supervisor_phase {
	PHASE_PREPARING, /* the hook `pre_start` runs */
	PHASE_SPAWNING,  /* waits for the lock, or for the exec */
	PHASE_RUNNING,
	PHASE_CLEARING, /* the run is over, or is to be: what is left of it is being stopped */
	PHASE_WAITING,  /* for the next try */
	PHASE_ENDING,   /* waits for the lock, to end for good */
	PHASE_LEAVING,  /* its end is on record; the last hooks run */
	PHASE_OVER,
};

enum supervisor_timer {
	TIMER_SPAWN,  /* the next try, or the next try for the lock */
	TIMER_END,    /* the next try for the lock */
	TIMER_RECORD, /* the next try for the lock, to put on record what is waited for */
	TIMER_WATCH,  /* the end of start_watch */
	TIMER_MEMORY, /* the next look at the memory of the tree */
	TIMER_LOG,    /* the next look at the size of the logs */
	TIMER_COUNT
};

/* Processes of its own that do what would take long. */
enum supervisor_helper { HELPER_STOPPER, HELPER_ROTATOR, HELPER_WATCHER, HELPER_COUNT };

struct supervisor {
	const struct supervisor_order *order;
	const char *name;
	struct state *state; /* the project's; open only while it is used */
	struct identity identity;
	enum supervisor_phase phase;
	int proc_fd;
	int signals;                 /* signalfd(2) */
	int channel;                 /* to the command that made it; -1 when that listens no more */
	int lock;                    /* -1 unless held */
	int64_t timers[TIMER_COUNT]; /* CLOCK_MONOTONIC; INT64_MAX: not set */
	struct restart_policy policy;
	struct restart_state restart;
	bool automatic;     /* this run is a restart of its own */
	struct spawned run; /* the leader; `channel` is open until the exec */
	struct identity run_identity;
	bool untidy;            /* a run has begun since memory was last given back */
	bool adopted;           /* the leader is no child of ours: only run.pidfd tells its end */
	bool leader_ended;      /* but may not be reaped yet */
	int64_t ended_ns;       /* when that was: what clearing up takes is no part of the run */
	struct exit_record end; /* of the last run */
	bool failed;            /* the end for good is a failure */
	char *failure;          /* why the first run could not begin; NULL: it could */
	char wish[128];         /* why this run is stopped to start another one; "": it is not */
	struct spawned helpers[HELPER_COUNT]; /* pid -1: none */
	struct hook *hooks;                   /* HOOK_COUNT, or NULL where there are none */
	bool hook_runs[HOOK_COUNT];
	size_t last_hooks;        /* how many of those that come at the end have had their turn */
	struct buffer watch_text; /* what the watcher has said of a line */
	off_t log_size[2];        /* of out and error at the last look */
	int64_t log_seen_ns;
	int64_t log_wait_ns;
};

/* Live until the service has ended for good. Returns the exit status. */
int supervisor_run(struct supervisor *supervisor);

/* The project's state directory, open for one piece of work: no directory is kept busy. False when
 * it is not there any more. */
bool supervisor_open_state(struct supervisor *supervisor);
void supervisor_close_state(struct supervisor *supervisor);

/* Take the service's lock without waiting. True if it is taken, the service is still ours, and its
 * state is open. Else TIMER is set for another try, or, where somebody has stopped the service or
 * replaced us, the phase is PHASE_OVER. */
bool supervisor_take_lock(struct supervisor *supervisor, enum supervisor_timer timer);
void supervisor_unlock(struct supervisor *supervisor);

/* A line of its own in the service's log. */
void supervisor_log(const struct supervisor *supervisor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tell the command, if it still listens. */
void supervisor_send(struct supervisor *supervisor, const struct supervisor_news *news);
void supervisor_hang_up(struct supervisor *supervisor);

/* Whether PID is the leader, a helper or a hook, and not something that the service has left. */
bool supervisor_owns_child(const struct supervisor *supervisor, pid_t pid);

/* Take over the run of the order. */
void supervisor_adopt(struct supervisor *supervisor);

/* Begin a run: the hook first, if there is one. */
void supervisor_begin(struct supervisor *supervisor);
void supervisor_spawn(struct supervisor *supervisor);

/* The exec's result can be read from run.channel. */
void supervisor_executed(struct supervisor *supervisor);

/* The run cannot begin: `why` goes to the command and to the log. The first one is given up, unless
 * nobody looks on and the service is one that is started again. */
void supervisor_spawn_failed(struct supervisor *supervisor, const char *why, int exec_errno);

/* The leader has ended like this; a child is a zombie still. */
void supervisor_leader_ended(struct supervisor *supervisor, const struct exit_record *end);

/* An adopted leader has ended, nobody could see how. */
void supervisor_leader_lost(struct supervisor *supervisor);

/* Stop this run, for the reason in `wish`, and start another one. */
void supervisor_renew(struct supervisor *supervisor);

/* Put on record how the last run has ended and when the next try is, if that is still waited for:
 * under the lock, and as soon as that is free. */
void supervisor_record_wait(struct supervisor *supervisor);

/* The stopper has ended; `left` is true if it could not end everything. */
void supervisor_cleared(struct supervisor *supervisor, bool left);

/* End for good. */
void supervisor_end(struct supervisor *supervisor);

/* Go on with the end, which is on record: the hooks that still run are waited for, then the last
 * ones run, and then nothing is left to do. */
void supervisor_leave(struct supervisor *supervisor);

/* SIGTERM: stop the service as `pmo stop` would, and end. */
void supervisor_terminate(struct supervisor *supervisor);

/* Fork a helper that runs BODY with the supervisor as its context. */
int supervisor_fork_helper(struct supervisor *supervisor, enum supervisor_helper helper,
			   int (*body)(void *supervisor, int channel, int kept));

/* Close the leader's descriptor, and reap it if it is a child. */
void supervisor_reap_leader(struct supervisor *supervisor);

/* Run a hook, if the service has it, and wait for its end: for a helper. */
void supervisor_run_hook(const struct supervisor *supervisor, enum hook_kind kind);

/* Begin and end looking after the run; a timer of it is due; the watcher's channel is readable. */
void supervisor_guard(struct supervisor *supervisor);
void supervisor_unguard(struct supervisor *supervisor);
void supervisor_check_memory(struct supervisor *supervisor);
void supervisor_check_logs(struct supervisor *supervisor);
void supervisor_watch_files(struct supervisor *supervisor);
void supervisor_files_changed(struct supervisor *supervisor);

enum supervisor_hook { SUPERVISOR_HOOK_NONE, SUPERVISOR_HOOK_RUNS, SUPERVISOR_HOOK_FAILED };

/* Start a hook if the service has it; its end is noticed in the loop. None of them is left behind:
 * supervisor_hooks_run tells whether any runs, supervisor_kill_hooks ends them all. */
enum supervisor_hook supervisor_start_hook(struct supervisor *supervisor, enum hook_kind kind);
bool supervisor_hooks_run(const struct supervisor *supervisor);
void supervisor_kill_hooks(struct supervisor *supervisor);

#endif
