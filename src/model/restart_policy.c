#include "model/restart_policy.h"

#include <stdio.h>

struct restart_policy restart_policy_of(const struct definition *definition)
{
	return (struct restart_policy){
		.mode = definition->restart,
		.max_restarts = definition->max_restarts,
		.min_uptime_ns = definition->min_uptime_ns,
		.delay_ns = definition->restart_delay_ns,
		.delay_max_ns = definition->restart_delay_max_ns,
	};
}

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;
	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

/* How long the run has lasted, never negative. */
static int64_t uptime(const struct restart_state *state, int64_t now_ns)
{
	int64_t length;
	if (now_ns <= state->started_ns)
		return 0;
	if (__builtin_sub_overflow(now_ns, state->started_ns, &length))
		return INT64_MAX;
	return length;
}

static int64_t first_delay(const struct restart_policy *policy)
{
	int64_t delay =
	    policy->delay_ns < policy->delay_max_ns ? policy->delay_ns : policy->delay_max_ns;
	return delay > 0 ? delay : 0;
}

/* STATE has begun with first_delay. */
static int64_t doubled_delay(const struct restart_policy *policy, const struct restart_state *state)
{
	if (state->delay_ns > policy->delay_max_ns / 2)
		return policy->delay_max_ns > 0 ? policy->delay_max_ns : 0;
	return 2 * state->delay_ns;
}

static void decide(struct restart_decision *decision, enum restart_action action)
{
	*decision = (struct restart_decision){ .action = action };
}

static void restart_at(struct restart_state *state, int64_t at_ns,
		       struct restart_decision *decision)
{
	state->phase = RESTART_WAITING;
	decide(decision, RESTART_ACTION_RESTART);
	decision->at_ns = at_ns;
}

static void end(struct restart_state *state, enum restart_action action,
		struct restart_decision *decision)
{
	state->phase = RESTART_ENDED;
	decide(decision, action);
}

static void give_up_row(struct restart_state *state, struct restart_decision *decision)
{
	end(state, RESTART_ACTION_GIVE_UP, decision);
	if (state->row == 0)
		snprintf(decision->reason, sizeof(decision->reason),
			 "gave up without a restart: 'max_restarts' is 0");
	else if (state->row == 1)
		snprintf(decision->reason, sizeof(decision->reason), "gave up after 1 restart");
	else
		snprintf(decision->reason, sizeof(decision->reason),
			 "gave up after %d restarts in a row", state->row);
}

/* Once more in the row of those that did not live long. */
static void restart_in_row(const struct restart_policy *policy, struct restart_state *state,
			   int64_t now_ns, struct restart_decision *decision)
{
	if (state->row >= policy->max_restarts) {
		give_up_row(state, decision);
		return;
	}
	state->delay_ns = state->row == 0 ? first_delay(policy) : doubled_delay(policy, state);
	state->row++;
	restart_at(state, add(now_ns, state->delay_ns), decision);
}

/* True if the run has lived long enough to be no part of a row, which is over with that. */
static bool leave_row(const struct restart_policy *policy, struct restart_state *state,
		      int64_t now_ns)
{
	if (uptime(state, now_ns) < policy->min_uptime_ns)
		return false;
	state->row = 0;
	return true;
}

void restart_policy_expected(struct restart_state *state)
{
	if (state->phase == RESTART_IDLE)
		state->phase = RESTART_WAITING;
}

void restart_policy_started(struct restart_state *state, int64_t started_ns)
{
	state->phase = RESTART_RUNNING;
	state->started_ns = started_ns;
}

void restart_policy_ended(const struct restart_policy *policy, struct restart_state *state,
			  const struct exit_record *exit, enum restart_watch watch, int64_t now_ns,
			  struct restart_decision *decision)
{
	bool failure = exit->kind != EXIT_CODE || exit->value != 0;
	decide(decision, RESTART_ACTION_NONE);
	if (state->phase != RESTART_RUNNING)
		return;
	if (!failure && policy->mode != RESTART_ALWAYS) {
		end(state, RESTART_ACTION_FINISH, decision);
	} else if (policy->mode == RESTART_NO) {
		end(state, RESTART_ACTION_GIVE_UP, decision);
	} else if (failure && watch == RESTART_IN_WATCH) {
		end(state, RESTART_ACTION_GIVE_UP, decision);
		snprintf(decision->reason, sizeof(decision->reason),
			 "not restarted, because it failed within its 'start_watch'");
	} else if (leave_row(policy, state, now_ns)) {
		restart_at(state, add(now_ns, first_delay(policy)), decision);
	} else {
		restart_in_row(policy, state, now_ns, decision);
	}
}

void restart_policy_failed(const struct restart_policy *policy, struct restart_state *state,
			   int64_t now_ns, struct restart_decision *decision)
{
	decide(decision, RESTART_ACTION_NONE);
	if (state->phase == RESTART_IDLE ||
	    (state->phase == RESTART_WAITING && policy->mode == RESTART_NO))
		end(state, RESTART_ACTION_GIVE_UP, decision);
	else if (state->phase == RESTART_WAITING)
		restart_in_row(policy, state, now_ns, decision);
}

void restart_policy_asked(const struct restart_policy *policy, struct restart_state *state,
			  int64_t now_ns, struct restart_decision *decision)
{
	decide(decision, RESTART_ACTION_NONE);
	if (state->phase == RESTART_RUNNING)
		leave_row(policy, state, now_ns);
	else if (state->phase != RESTART_WAITING)
		return;
	restart_at(state, now_ns, decision);
}

void restart_policy_stopped(struct restart_state *state, struct restart_decision *decision)
{
	if (state->phase == RESTART_ENDED)
		decide(decision, RESTART_ACTION_NONE);
	else
		end(state, RESTART_ACTION_FINISH, decision);
}
