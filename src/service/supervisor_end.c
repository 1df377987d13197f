/* After a run: deciding what comes next, the end for good, SIGTERM. */
#include "service/supervisor_loop.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "service/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void describe_end(const struct supervisor *supervisor, char text[64])
{
	char name[16];
	switch (supervisor->end.kind) {
	case EXIT_CODE:
		snprintf(text, 64, "ended with exit status %d", supervisor->end.value);
		break;
	case EXIT_SIGNAL:
		units_format_signal(supervisor->end.value, name, sizeof(name));
		snprintf(text, 64, "was ended by signal %s", name);
		break;
	case EXIT_UNKNOWN:
		snprintf(text, 64, "has ended");
		break;
	}
}

void supervisor_record_wait(struct supervisor *supervisor)
{
	if (supervisor->phase != PHASE_WAITING)
		return;
	if (!supervisor_take_lock(supervisor, TIMER_RECORD))
		return;
	(void)state_write_exit(supervisor->state, supervisor->name, &supervisor->end, NULL);
	supervisor_unlock(supervisor);
}

static void wait_for_next_try(struct supervisor *supervisor, const char *what, int64_t at_ns)
{
	char delay[32];
	int64_t wait_ns = at_ns - clock_monotonic_ns();
	supervisor->automatic = true;
	supervisor->phase = PHASE_WAITING;
	supervisor->timers[TIMER_SPAWN] = at_ns;
	wait_ns = wait_ns > 0 ? wait_ns : 0;
	supervisor->end.next_try_ns = clock_realtime_ns() + wait_ns;
	supervisor_record_wait(supervisor);
	if (supervisor->phase == PHASE_OVER)
		return;
	int64_t rounded_ns = (wait_ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC * NSEC_PER_MSEC;
	units_format_duration_exact(rounded_ns, delay, sizeof(delay));
	supervisor_log(supervisor, wait_ns ? "%s; next try in %s" : "%s; next try now", what,
		       delay);
}

/* What becomes of a run that is over; WHAT says how it ended, for the log. */
static void act(struct supervisor *supervisor, const struct restart_decision *decision,
		const char *what)
{
	snprintf(supervisor->end.reason, sizeof(supervisor->end.reason), "%s", decision->reason);
	switch (decision->action) {
	case RESTART_ACTION_NONE:
		break;
	case RESTART_ACTION_RESTART:
		wait_for_next_try(supervisor, what, decision->at_ns);
		break;
	case RESTART_ACTION_GIVE_UP:
	case RESTART_ACTION_FINISH:
		supervisor->failed = decision->action == RESTART_ACTION_GIVE_UP;
		/* who listens is told, and shown the end of the log */
		if (supervisor->channel < 0)
			supervisor_log(supervisor, decision->reason[0] ? "%s; %s" : "%s%s", what,
				       decision->reason);
		supervisor_end(supervisor);
		break;
	}
}

/* The end of start_watch and that of the service may come together, the command may have been
 * killed. */
static bool is_listened_to(struct supervisor *supervisor)
{
	struct pollfd command = { .fd = supervisor->channel };
	if (supervisor->timers[TIMER_WATCH] <= clock_monotonic_ns() ||
	    (poll(&command, 1, 0) > 0 && command.revents & POLLHUP))
		supervisor_hang_up(supervisor);
	return supervisor->channel >= 0;
}

void supervisor_cleared(struct supervisor *supervisor, bool left)
{
	struct restart_decision decision;
	char what[64];
	if (left && !supervisor->leader_ended) {
		supervisor_log(supervisor, "could not be stopped, and goes on");
		supervisor->wish[0] = '\0';
		supervisor->phase = PHASE_RUNNING;
		supervisor_guard(supervisor);
		return;
	}
	supervisor_reap_leader(supervisor);
	if (supervisor->wish[0]) {
		restart_policy_asked(&supervisor->policy, &supervisor->restart,
				     clock_monotonic_ns(), &decision);
		snprintf(decision.reason, sizeof(decision.reason), "%s", supervisor->wish);
	} else {
		enum restart_watch watch =
		    is_listened_to(supervisor) ? RESTART_IN_WATCH : RESTART_AFTER_WATCH;
		restart_policy_ended(&supervisor->policy, &supervisor->restart, &supervisor->end,
				     watch, supervisor->ended_ns, &decision);
	}
	describe_end(supervisor, what);
	act(supervisor, &decision, what);
}

/* What ran before the machine went down is tried again, and the command waits for the first try
 * only. */
static bool is_given_up(struct supervisor *supervisor, const char *why)
{
	struct supervisor_news news = { .kind = SUPERVISOR_RETRIES };
	if (supervisor->automatic)
		return false;
	if (supervisor->order->listens || supervisor->policy.mode == RESTART_NO)
		return true;
	restart_policy_expected(&supervisor->restart);
	snprintf(news.text, sizeof(news.text), "%s", why);
	supervisor_send(supervisor, &news);
	supervisor_hang_up(supervisor);
	return false;
}

void supervisor_spawn_failed(struct supervisor *supervisor, const char *why, int exec_errno)
{
	struct restart_decision decision;
	supervisor->end = (struct exit_record){
		.kind = EXIT_CODE,
		.value = exec_errno == ENOENT ? 127 : 126,
		.at_realtime_ns = clock_realtime_ns(),
	};
	if (is_given_up(supervisor, why)) {
		supervisor->failure = memory_strdup(why);
		snprintf(supervisor->end.reason, sizeof(supervisor->end.reason), "%s", why);
		supervisor_end(supervisor);
		return;
	}
	supervisor_unlock(supervisor);
	restart_policy_failed(&supervisor->policy, &supervisor->restart, clock_monotonic_ns(),
			      &decision);
	bool again = decision.action == RESTART_ACTION_RESTART;
	char *what CLEANUP_FREE =
	    memory_printf("could not be started%s%s", again ? ": " : "", again ? why : "");
	if (decision.reason[0] == '\0')
		snprintf(decision.reason, sizeof(decision.reason), "%s", why);
	act(supervisor, &decision, what);
}

static void tell_end(struct supervisor *supervisor)
{
	struct supervisor_news news = {
		.kind = supervisor->failure ? SUPERVISOR_FAILED : SUPERVISOR_ENDED,
		.pid = supervisor->run_identity.pid,
		.end = supervisor->end,
	};
	snprintf(news.text, sizeof(news.text), "%s",
		 supervisor->failure ? supervisor->failure : "");
	supervisor_send(supervisor, &news);
	supervisor_hang_up(supervisor);
}

/* Everything on record but this service, whose end is to be seen. */
static void select_others(const struct supervisor *supervisor, struct selection *selection)
{
	size_t count = 0;
	for (size_t i = 0; i < selection->count; i++)
		if (strcmp(selection->entries[i]->name, supervisor->name) != 0)
			selection->entries[count++] = selection->entries[i];
	selection->count = count;
}

/* The service that says `on_exit: stop-all` has ended by itself. */
static void stop_all(struct supervisor *supervisor)
{
	struct project *project = supervisor->order->project;
	struct selection selection;
	const struct stop_options options = { .timeout_ns = -1 };
	char all[] = "all";
	/* our own entry lives in the catalog that there was */
	project->catalog = (struct catalog)CATALOG_INIT;
	if (!supervisor_open_state(supervisor) ||
	    catalog_build(&project->catalog, &project->config, supervisor->state, NULL) < 0 ||
	    catalog_select(&project->catalog, (char *const[]){ all }, 1, SELECT_ALL_RECORDED,
			   &selection, NULL) < 0)
		return;
	select_others(supervisor, &selection);
	supervisor_log(supervisor, "has ended: all others are stopped (on_exit: stop-all)");
	struct stop_result *results CLEANUP_FREE =
	    memory_zalloc(selection.count + 1, sizeof(*results));
	if (stop_services(project, &selection, &options, results, NULL) == 0)
		stop_results_release(results, selection.count);
	selection_release(&selection);
}

/* Nothing more is to be done but to go. */
static void go(struct supervisor *supervisor)
{
	if (!supervisor_take_lock(supervisor, TIMER_END))
		return;
	(void)state_remove(supervisor->state, supervisor->name, STATE_FILE_SUPERVISOR, NULL);
	supervisor_unlock(supervisor);
	supervisor->phase = PHASE_OVER;
	if (!supervisor->failure &&
	    supervisor->order->launch->definition->on_exit == ON_EXIT_STOP_ALL)
		stop_all(supervisor);
}

/* The next of the hooks that come at the end; HOOK_COUNT after the last. */
static enum hook_kind next_last_hook(struct supervisor *supervisor)
{
	static const enum hook_kind kinds[] = { HOOK_ON_FAIL, HOOK_POST_STOP };
	bool never_ran = supervisor->failure != NULL;
	while (!never_ran && supervisor->last_hooks < ARRAY_LENGTH(kinds)) {
		enum hook_kind kind = kinds[supervisor->last_hooks++];
		if (kind != HOOK_ON_FAIL || supervisor->failed)
			return kind;
	}
	return HOOK_COUNT;
}

void supervisor_leave(struct supervisor *supervisor)
{
	enum hook_kind kind;
	bool runs = supervisor_hooks_run(supervisor);
	supervisor->phase = PHASE_LEAVING;
	while (!runs && (kind = next_last_hook(supervisor)) != HOOK_COUNT)
		runs = supervisor_start_hook(supervisor, kind) == SUPERVISOR_HOOK_RUNS;
	if (runs) /* whoever wants to do something with the service need not wait for them */
		supervisor_unlock(supervisor);
	else
		go(supervisor);
}

void supervisor_end(struct supervisor *supervisor)
{
	supervisor->phase = PHASE_ENDING;
	if (!supervisor_take_lock(supervisor, TIMER_END))
		return;
	const struct state *state = supervisor->state;
	(void)state_write_exit(state, supervisor->name, &supervisor->end, NULL);
	/* what `pmo resurrect` could not bring back stays meant to be up */
	if (supervisor->failure && !supervisor->order->listens)
		(void)state_write_intent(state, supervisor->name, NULL);
	else
		(void)state_remove(state, supervisor->name, STATE_FILE_PID, NULL);
	(void)state_remove(state, supervisor->name, STATE_FILE_TIME, NULL);
	tell_end(supervisor);
	supervisor_leave(supervisor);
}

/* It has ended already: only the last hooks stand between it and its end. */
static void hurry(struct supervisor *supervisor)
{
	supervisor->last_hooks = HOOK_COUNT;
	if (!supervisor_hooks_run(supervisor))
		go(supervisor);
}

void supervisor_terminate(struct supervisor *supervisor)
{
	struct stop_result stopped;
	const struct catalog_entry *entry = supervisor->order->entry;
	const struct selection selection = { .entries = &entry, .count = 1 };
	/* at a shutdown everybody gets this signal: what was up comes back after it */
	const struct stop_options options = { .timeout_ns = -1, .keep_intent = true };
	supervisor_kill_hooks(supervisor);
	if (supervisor->phase == PHASE_LEAVING) {
		hurry(supervisor);
		return;
	}
	supervisor->phase = PHASE_OVER;
	supervisor_unlock(supervisor);
	supervisor_hang_up(supervisor);
	if (!supervisor_open_state(supervisor))
		return;
	if (stop_services(supervisor->order->project, &selection, &options, &stopped, NULL) == 0)
		stop_results_release(&stopped, 1);
}
