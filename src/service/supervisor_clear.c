/* The end of a run: what is left of it is stopped. */
#include "service/supervisor_loop.h"

#include "base/clock.h"
#include "model/process_tree.h"
#include "service/stop.h"

#include <sys/wait.h>
#include <unistd.h>

enum strays { STRAYS_NONE, STRAYS_DEAD, STRAYS_ALIVE };

/* Look at the children that are none of the supervisor's own, and reap the dead ones before the
 * first that lives. Where it cannot be known whether there are any, there are. */
static enum strays look_for_strays(const struct supervisor *supervisor)
{
	struct process_tree tree = PROCESS_TREE_INIT;
	bool known = process_tree_add_children(&tree, supervisor->proc_fd, getpid());
	enum strays strays = known ? STRAYS_NONE : STRAYS_ALIVE;
	for (size_t i = 0; i < tree.count && strays != STRAYS_ALIVE; i++) {
		siginfo_t info = { 0 };
		if (supervisor_owns_child(supervisor, tree.pids[i]))
			continue;
		bool lives = waitid(P_PID, (id_t)tree.pids[i], &info, WEXITED | WNOHANG) == 0 &&
			     info.si_pid == 0;
		/* the supervisor, or an orphan, of another service that was started inside this */
		if (lives && process_tree_is_foreign(supervisor->proc_fd, tree.pids[i],
						     supervisor->run_identity.mark))
			continue;
		strays = lives ? STRAYS_ALIVE : STRAYS_DEAD;
	}
	process_tree_release(&tree);
	return strays;
}

/* Everything that the run has left behind is a child by now, or a descendant of one. One that has
 * ended since the list was made has left us its own children, which are not in it. */
static bool has_stray_children(const struct supervisor *supervisor)
{
	enum { MOST_LOOKS = 16 };
	enum strays strays = STRAYS_DEAD;
	for (int look = 0; look < MOST_LOOKS && strays == STRAYS_DEAD; look++)
		strays = look_for_strays(supervisor);
	return strays != STRAYS_NONE;
}

/* In a helper: stop what there is of the run, by the rules of the definition. */
static int stopper_main(void *context, int channel, int kept)
{
	const struct supervisor *supervisor = context;
	const struct supervisor_order *order = supervisor->order;
	struct error err = ERROR_INIT;
	(void)channel;
	(void)kept;
	if (supervisor->wish[0])
		supervisor_run_hook(supervisor, HOOK_PRE_STOP);
	const struct stop_run run = {
		.entry = order->entry,
		.identity = supervisor->run_identity,
		.supervisor = supervisor->identity,
		.signal = order->launch->definition->stop_signal,
		.timeout_ns = order->launch->definition->stop_timeout_ns,
	};
	int result = stop_one_run(&run, &err);
	if (result < 0)
		supervisor_log(supervisor, "%s", err.message);
	error_clear(&err);
	return result < 0 ? 1 : 0;
}

static void clear_run(struct supervisor *supervisor)
{
	supervisor->phase = PHASE_CLEARING;
	if (supervisor_fork_helper(supervisor, HELPER_STOPPER, stopper_main) < 0)
		supervisor_cleared(supervisor, true);
}

void supervisor_leader_ended(struct supervisor *supervisor, const struct exit_record *end)
{
	bool clearing = supervisor->phase == PHASE_CLEARING;
	supervisor->end = *end;
	supervisor->leader_ended = true;
	supervisor->ended_ns = clock_monotonic_ns();
	if (clearing)
		return;
	supervisor->phase = PHASE_CLEARING;
	supervisor_unguard(supervisor);
	if (supervisor->adopted || has_stray_children(supervisor))
		clear_run(supervisor);
	else
		supervisor_cleared(supervisor, false);
}

void supervisor_leader_lost(struct supervisor *supervisor)
{
	const struct exit_record end = { .kind = EXIT_UNKNOWN,
					 .at_realtime_ns = clock_realtime_ns() };
	supervisor_leader_ended(supervisor, &end);
}

void supervisor_reap_leader(struct supervisor *supervisor)
{
	if (!supervisor->adopted)
		spawn_reap(&supervisor->run, NULL);
	else if (supervisor->run.pidfd >= 0)
		close(supervisor->run.pidfd);
	supervisor->run = (struct spawned){ -1, -1, -1 };
}

void supervisor_renew(struct supervisor *supervisor)
{
	supervisor_log(supervisor, "is restarted: %s", supervisor->wish);
	supervisor_unguard(supervisor);
	clear_run(supervisor);
}
