/*
 * When a service that has ended is started again: pmo.yml(5), `restart` and its companions.
 *
 * Nothing here waits, signals or reads a clock. A supervisor tells what has happened and when, and
 * is told what to do. Times are nanoseconds of one clock that no one sets (CLOCK_MONOTONIC,
 * CLOCK_BOOTTIME); which one is the caller's choice. Any values are fine: what would overflow stays
 * at INT64_MAX, and a clock that runs backwards makes a run short.
 */
#ifndef PMO_MODEL_RESTART_POLICY_H
#define PMO_MODEL_RESTART_POLICY_H

#include "model/definition.h"
#include "model/state.h"

#include <stdint.h>

struct restart_policy {
	enum restart_mode mode;
	int max_restarts; /* in a row */
	int64_t min_uptime_ns;
	int64_t delay_ns;     /* before the first restart of a row */
	int64_t delay_max_ns; /* it doubles up to here */
};

enum restart_phase {
	RESTART_IDLE,    /* not started yet */
	RESTART_RUNNING, /* since started_ns */
	RESTART_WAITING, /* for the next try */
	RESTART_ENDED,   /* for good */
};

/* Begins as { 0 }. */
struct restart_state {
	enum restart_phase phase;
	int64_t started_ns;
	int row;          /* restarts after runs shorter than min_uptime, one after another */
	int64_t delay_ns; /* before the latest restart of the row; meaningless when row is 0 */
};

/* Whether a run ended while the user who started it was still looking: `start_watch`. */
enum restart_watch { RESTART_IN_WATCH, RESTART_AFTER_WATCH };

enum restart_action {
	RESTART_ACTION_NONE,    /* go on with what there is */
	RESTART_ACTION_RESTART, /* start it at at_ns */
	RESTART_ACTION_FINISH,  /* it has ended for good, as it should */
	RESTART_ACTION_GIVE_UP, /* it has ended for good, in `errored` */
};

struct restart_decision {
	enum restart_action action;
	int64_t at_ns;            /* of RESTART_ACTION_RESTART; may be now or past */
	char reason[REASON_SIZE]; /* why it is not started again, "" where its end says it all */
};

/* The keys of DEFINITION. */
struct restart_policy restart_policy_of(const struct definition *definition);

/* It was up before, and is to be so again: its first start is as any later one. */
void restart_policy_expected(struct restart_state *state);

/* It runs, since STARTED_NS: it was spawned, or it is taken over. */
void restart_policy_started(struct restart_state *state, int64_t started_ns);

/* It has ended by itself at NOW_NS, like END. Only an exit status of 0 is no failure; an end that
 * nobody could see is one. A failure IN_WATCH is given up at once, whatever the mode. Nothing is to
 * be done unless it was running. */
void restart_policy_ended(const struct restart_policy *policy, struct restart_state *state,
			  const struct exit_record *end, enum restart_watch watch, int64_t now_ns,
			  struct restart_decision *decision);

/* It could not be spawned, or `pre_start` was against it. The first start of all is given up: the
 * user is told. Later ones count as failures after no time at all. */
void restart_policy_failed(const struct restart_policy *policy, struct restart_state *state,
			   int64_t now_ns, struct restart_decision *decision);

/* It was stopped to be started again (memory, files), or is waiting and shall wait no longer: at
 * once, in every mode, and not part of the row. */
void restart_policy_asked(const struct restart_policy *policy, struct restart_state *state,
			  int64_t now_ns, struct restart_decision *decision);

/* It was stopped, or shall not be started any more. */
void restart_policy_stopped(struct restart_state *state, struct restart_decision *decision);

#endif
