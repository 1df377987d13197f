/*
 * When a service that has ended is started again: every state with every event, rows of restarts,
 * and values that nobody in his right mind would use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/restart_policy.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum event {
	STARTED,
	ENDED_WELL,
	ENDED_BADLY,
	ENDED_BY_SIGNAL,
	ENDED_UNSEEN,
	ENDED_WELL_IN_WATCH,
	ENDED_BADLY_IN_WATCH,
	FAILED_TO_START,
	ASKED,
	STOPPED,
	EVENT_COUNT
};

static const struct restart_policy usual = {
	.mode = RESTART_ALWAYS,
	.max_restarts = 16,
	.min_uptime_ns = NSEC_PER_SEC,
	.delay_ns = 100 * NSEC_PER_MSEC,
	.delay_max_ns = 15 * NSEC_PER_SEC,
};

static const struct exit_record good_end = { .kind = EXIT_CODE, .at_realtime_ns = 1 };
static const struct exit_record bad_end = { .kind = EXIT_CODE, .value = 3, .at_realtime_ns = 1 };
static const struct exit_record killed = { .kind = EXIT_SIGNAL, .value = 15, .at_realtime_ns = 1 };
static const struct exit_record unseen = { .kind = EXIT_UNKNOWN, .at_realtime_ns = 1 };

static struct restart_decision happen(const struct restart_policy *policy,
				      struct restart_state *state, enum event event, int64_t now_ns)
{
	const struct exit_record *end = &bad_end;
	enum restart_watch watch = RESTART_AFTER_WATCH;
	struct restart_decision decision = { .action = RESTART_ACTION_NONE };
	switch (event) {
	case STARTED:
		restart_policy_started(state, now_ns);
		return decision;
	case FAILED_TO_START:
		restart_policy_failed(policy, state, now_ns, &decision);
		return decision;
	case ASKED:
		restart_policy_asked(policy, state, now_ns, &decision);
		return decision;
	case STOPPED:
		restart_policy_stopped(state, &decision);
		return decision;
	case ENDED_WELL:
		end = &good_end;
		break;
	case ENDED_BY_SIGNAL:
		end = &killed;
		break;
	case ENDED_UNSEEN:
		end = &unseen;
		break;
	case ENDED_WELL_IN_WATCH:
		end = &good_end;
		watch = RESTART_IN_WATCH;
		break;
	case ENDED_BADLY_IN_WATCH:
		watch = RESTART_IN_WATCH;
		break;
	case ENDED_BADLY:
	case EVENT_COUNT:
		break;
	}
	restart_policy_ended(policy, state, end, watch, now_ns, &decision);
	return decision;
}

/* What is decided under `no`, `on-failure` and `always`. '-': nothing, 'N': a restart now, 'R': one
 * after the first delay, 'F': the end as it should be, 'G': giving up. */
static const char *const decisions[][EVENT_COUNT] = {
	[RESTART_IDLE] = { "---", "---", "---", "---", "---", "---", "---", "GGG", "---", "FFF" },
	[RESTART_RUNNING] = { "---", "FFR", "GRR", "GRR", "GRR", "FFR", "GGG", "---", "NNN",
			      "FFF" },
	[RESTART_WAITING] = { "---", "---", "---", "---", "---", "---", "---", "GRR", "NNN",
			      "FFF" },
	[RESTART_ENDED] = { "---", "---", "---", "---", "---", "---", "---", "---", "---", "---" },
};

static void check_decision(char expected, enum restart_phase before, enum event event,
			   const struct restart_state *state,
			   const struct restart_decision *decision, int64_t now_ns)
{
	enum restart_action action = RESTART_ACTION_NONE;
	enum restart_phase after = event == STARTED ? RESTART_RUNNING : before;
	int64_t at_ns = 0;
	if (expected == 'N' || expected == 'R') {
		action = RESTART_ACTION_RESTART;
		after = RESTART_WAITING;
		at_ns = now_ns + (expected == 'R' ? usual.delay_ns : 0);
	} else if (expected != '-') {
		action = expected == 'F' ? RESTART_ACTION_FINISH : RESTART_ACTION_GIVE_UP;
		after = RESTART_ENDED;
	}
	if (decision->action != action || state->phase != after || decision->at_ns != at_ns)
		fail_msg("phase %d, event %d: action %d, phase %d, at %lld", (int)before,
			 (int)event, (int)decision->action, (int)state->phase,
			 (long long)decision->at_ns);
}

/* The first event of its kind, shortly after the start and long after it. */
static void test_every_state_and_event(void **state)
{
	static const int64_t lives[] = { NSEC_PER_SEC / 2, NSEC_PER_SEC, 3600 * NSEC_PER_SEC };
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(decisions) * EVENT_COUNT * 3; i++) {
		enum restart_phase phase = (enum restart_phase)(i / 3 / EVENT_COUNT);
		enum event event = (enum event)(i / 3 % EVENT_COUNT);
		struct restart_policy policy = usual;
		policy.mode = (enum restart_mode)(i % 3);
		for (size_t life = 0; life < ARRAY_LENGTH(lives); life++) {
			struct restart_state now = { .phase = phase, .started_ns = 7 };
			int64_t now_ns = 7 + lives[life];
			struct restart_decision decision = happen(&policy, &now, event, now_ns);
			check_decision(decisions[phase][event][policy.mode], phase, event, &now,
				       &decision, now_ns);
		}
	}
}

/* Runs of LIFE_NS each that end badly, until it gives up or LIMIT restarts. Returns how many. */
static int crash(const struct restart_policy *policy, struct restart_state *state, int64_t life_ns,
		 int limit, struct restart_decision *decision, int64_t *delays)
{
	int64_t now_ns = 1000;
	for (int i = 0; i < limit; i++) {
		restart_policy_started(state, now_ns);
		now_ns += life_ns;
		*decision = happen(policy, state, ENDED_BADLY, now_ns);
		if (decision->action != RESTART_ACTION_RESTART)
			return i;
		if (delays)
			delays[i] = decision->at_ns - now_ns;
		now_ns = decision->at_ns;
	}
	return limit;
}

static void test_delays_double_until_it_gives_up(void **state)
{
	static const int64_t expected[16] = { 100,   200,   400,   800,   1600,  3200,
					      6400,  12800, 15000, 15000, 15000, 15000,
					      15000, 15000, 15000, 15000 };
	struct restart_state now = { 0 };
	struct restart_decision decision;
	int64_t delays[20];
	(void)state;
	assert_int_equal(crash(&usual, &now, NSEC_PER_SEC - 1, 20, &decision, delays), 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(delays[i], expected[i] * NSEC_PER_MSEC);
	assert_int_equal(decision.action, RESTART_ACTION_GIVE_UP);
	assert_string_equal(decision.reason, "gave up after 16 restarts in a row");
	assert_int_equal(now.phase, RESTART_ENDED);
}

static void test_reasons(void **state)
{
	static const struct {
		int max_restarts;
		const char *reason;
	} rows[] = {
		{ -5, "gave up without a restart: 'max_restarts' is 0" },
		{ 0, "gave up without a restart: 'max_restarts' is 0" },
		{ 1, "gave up after 1 restart" },
		{ 2, "gave up after 2 restarts in a row" },
		{ 1000, "gave up after 1000 restarts in a row" },
	};
	struct restart_decision decision;
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct restart_state now = { 0 };
		struct restart_policy policy = usual;
		policy.max_restarts = rows[i].max_restarts;
		crash(&policy, &now, 0, 2000, &decision, NULL);
		assert_int_equal(decision.action, RESTART_ACTION_GIVE_UP);
		assert_string_equal(decision.reason, rows[i].reason);
	}
	struct restart_state watched = { 0 };
	struct restart_policy plain = usual;
	restart_policy_started(&watched, 0);
	decision = happen(&usual, &watched, ENDED_BADLY_IN_WATCH, 5);
	assert_string_equal(decision.reason,
			    "not restarted, because it failed within its 'start_watch'");
	/* that it ended says it all */
	plain.mode = RESTART_NO;
	for (int event = ENDED_WELL; event < EVENT_COUNT; event++) {
		struct restart_state now = { .phase = RESTART_RUNNING };
		decision = happen(&plain, &now, (enum event)event, 5);
		assert_string_equal(decision.reason, "");
	}
}

/* Exit 0 counts in a row like any other end that is followed by a restart. */
static void test_row_of_good_ends(void **state)
{
	struct restart_state now = { 0 };
	struct restart_decision decision;
	(void)state;
	for (int i = 0; i < 16; i++) {
		restart_policy_started(&now, 5);
		assert_int_equal(happen(&usual, &now, ENDED_WELL, 6).action,
				 RESTART_ACTION_RESTART);
	}
	restart_policy_started(&now, 5);
	decision = happen(&usual, &now, ENDED_WELL, 6);
	assert_int_equal(decision.action, RESTART_ACTION_GIVE_UP);
	assert_string_equal(decision.reason, "gave up after 16 restarts in a row");
}

static void test_long_run_ends_the_row(void **state)
{
	struct restart_state now = { 0 };
	struct restart_decision decision;
	int64_t delays[16];
	(void)state;
	assert_int_equal(crash(&usual, &now, 5, 15, &decision, delays), 15);
	restart_policy_started(&now, 0);
	decision = happen(&usual, &now, ENDED_BADLY, NSEC_PER_SEC);
	assert_int_equal(decision.at_ns, NSEC_PER_SEC + usual.delay_ns);
	assert_int_equal(now.row, 0);
	assert_int_equal(crash(&usual, &now, 5, 100, &decision, delays), 16);
	assert_int_equal(delays[0], usual.delay_ns);
	assert_int_equal(delays[1], 2 * usual.delay_ns);
	/* with min_uptime 0 no run is short */
	struct restart_policy patient = usual;
	struct restart_state fresh = { 0 };
	patient.min_uptime_ns = 0;
	assert_int_equal(crash(&patient, &fresh, 0, 1000, &decision, NULL), 1000);
	assert_int_equal(fresh.row, 0);
}

/* A restart that is wanted neither lengthens the row nor, after a short run, ends it. */
static void test_asked_restarts(void **state)
{
	struct restart_state now = { 0 };
	struct restart_decision decision;
	(void)state;
	assert_int_equal(crash(&usual, &now, 5, 3, &decision, NULL), 3);
	for (int i = 0; i < 100; i++) {
		restart_policy_started(&now, 1000);
		decision = happen(&usual, &now, ASKED, 1005);
		assert_int_equal(decision.action, RESTART_ACTION_RESTART);
		assert_int_equal(decision.at_ns, 1005);
		assert_int_equal(now.row, 3);
	}
	restart_policy_started(&now, 1000);
	decision = happen(&usual, &now, ENDED_BADLY, 1005);
	assert_int_equal(decision.at_ns, 1005 + 8 * usual.delay_ns);
	/* whoever waits need not wait any longer */
	decision = happen(&usual, &now, ASKED, 2000);
	assert_int_equal(decision.at_ns, 2000);
	restart_policy_started(&now, 2000);
	decision = happen(&usual, &now, ASKED, 2000 + NSEC_PER_SEC);
	assert_int_equal(now.row, 0);
}

static void test_failing_restarts(void **state)
{
	struct restart_state now = { 0 };
	struct restart_decision decision;
	(void)state;
	restart_policy_started(&now, 0);
	decision = happen(&usual, &now, ENDED_BADLY, 5);
	for (int i = 1; i < 16; i++) {
		decision = happen(&usual, &now, FAILED_TO_START, 10);
		assert_int_equal(decision.action, RESTART_ACTION_RESTART);
		assert_int_equal(now.row, i + 1);
	}
	assert_int_equal(decision.at_ns, 10 + usual.delay_max_ns);
	decision = happen(&usual, &now, FAILED_TO_START, 10);
	assert_int_equal(decision.action, RESTART_ACTION_GIVE_UP);
	assert_string_equal(decision.reason, "gave up after 16 restarts in a row");
}

static void test_no_delay(void **state)
{
	struct restart_state now = { 0 };
	struct restart_policy policy = usual;
	struct restart_decision decision;
	int64_t delays[16];
	(void)state;
	policy.delay_ns = 0;
	assert_int_equal(crash(&policy, &now, 5, 100, &decision, delays), 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(delays[i], 0);
}

static int64_t pick_time(unsigned int *seed)
{
	static const int64_t odd[] = {
		INT64_MIN,         INT64_MIN + 1, -1,       0, 1, INT64_MAX / 2,
		INT64_MAX / 2 + 1, INT64_MAX - 1, INT64_MAX
	};
	if (rand_r(seed) % 4 == 0)
		return (int64_t)rand_r(seed) * NSEC_PER_MSEC;
	return odd[(size_t)rand_r(seed) % ARRAY_LENGTH(odd)];
}

static int pick_number(unsigned int *seed)
{
	static const int odd[] = { INT_MIN, -1, 0, 1, 2, 16, INT_MAX };
	return odd[(size_t)rand_r(seed) % ARRAY_LENGTH(odd)];
}

/* Events in any order, at any times, under any policy: a restart is never before now, at most the
 * longest delay after it, and never comes after the end for good. The sanitizers see overflows. */
static void test_absurd_values(void **state)
{
	unsigned int seed = 11;
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct restart_state now = { 0 };
		const struct restart_policy policy = {
			.mode = (enum restart_mode)(rand_r(&seed) % 3),
			.max_restarts = pick_number(&seed),
			.min_uptime_ns = pick_time(&seed),
			.delay_ns = pick_time(&seed),
			.delay_max_ns = pick_time(&seed),
		};
		for (int i = 0; i < 30; i++) {
			enum event event = (enum event)(rand_r(&seed) % EVENT_COUNT);
			int64_t now_ns = pick_time(&seed);
			bool ended = now.phase == RESTART_ENDED;
			struct restart_decision decision = happen(&policy, &now, event, now_ns);
			if (decision.action == RESTART_ACTION_RESTART) {
				__int128 delay = (__int128)decision.at_ns - now_ns;
				assert_true(delay >= 0);
				assert_true(delay == 0 || delay <= policy.delay_max_ns);
				assert_false(ended);
			}
			assert_true(now.row >= 0);
			assert_true(now.row <= (policy.max_restarts > 0 ? policy.max_restarts : 0));
		}
	}
}

static void test_clock_that_stands_still_or_runs_backwards(void **state)
{
	struct restart_state now = { 0 };
	struct restart_decision decision;
	(void)state;
	restart_policy_started(&now, INT64_MAX);
	decision = happen(&usual, &now, ENDED_BADLY, INT64_MIN);
	assert_int_equal(decision.at_ns, INT64_MIN + usual.delay_ns);
	assert_int_equal(now.row, 1);
	restart_policy_started(&now, INT64_MIN);
	decision = happen(&usual, &now, ENDED_BADLY, INT64_MAX);
	assert_int_equal(decision.at_ns, INT64_MAX);
	assert_int_equal(now.row, 0);
}

static void test_policy_of_definition(void **state)
{
	const struct definition definition = {
		.restart = RESTART_ON_FAILURE,
		.max_restarts = 3,
		.min_uptime_ns = 4,
		.restart_delay_ns = 5,
		.restart_delay_max_ns = 6,
	};
	(void)state;
	struct restart_policy policy = restart_policy_of(&definition);
	assert_int_equal(policy.mode, RESTART_ON_FAILURE);
	assert_int_equal(policy.max_restarts, 3);
	assert_int_equal(policy.min_uptime_ns, 4);
	assert_int_equal(policy.delay_ns, 5);
	assert_int_equal(policy.delay_max_ns, 6);
}

/* What ran before a reboot: its first start may be tried again. */
static void test_expected(void **state)
{
	struct restart_state waits = { 0 };
	struct restart_state runs = { .phase = RESTART_RUNNING };
	struct restart_policy never = usual;
	(void)state;
	never.mode = RESTART_NO;
	restart_policy_expected(&waits);
	assert_int_equal(happen(&usual, &waits, FAILED_TO_START, 5).action, RESTART_ACTION_RESTART);
	assert_int_equal(waits.row, 1);
	waits = (struct restart_state){ 0 };
	restart_policy_expected(&waits);
	assert_int_equal(happen(&never, &waits, FAILED_TO_START, 5).action, RESTART_ACTION_GIVE_UP);
	restart_policy_expected(&runs);
	assert_int_equal(runs.phase, RESTART_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_and_event),
		cmocka_unit_test(test_delays_double_until_it_gives_up),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_row_of_good_ends),
		cmocka_unit_test(test_long_run_ends_the_row),
		cmocka_unit_test(test_asked_restarts),
		cmocka_unit_test(test_failing_restarts),
		cmocka_unit_test(test_expected),
		cmocka_unit_test(test_no_delay),
		cmocka_unit_test(test_absurd_values),
		cmocka_unit_test(test_clock_that_stands_still_or_runs_backwards),
		cmocka_unit_test(test_policy_of_definition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
