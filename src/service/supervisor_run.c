/* The beginning of a run: hook, lock, spawn, record, exec. */
#include "service/supervisor_loop.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/lock.h"
#include "os/logfile.h"
#include "os/logfile_open.h"
#include "os/signal.h"
#include "service/run_record.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t LOCK_INTERVAL_NS = 20 * NSEC_PER_MSEC;
static const int64_t STATE_INTERVAL_NS = NSEC_PER_SEC;

bool supervisor_open_state(struct supervisor *supervisor)
{
	return supervisor->state->pids_fd >= 0 || state_resume(supervisor->state) == 0;
}

void supervisor_close_state(struct supervisor *supervisor)
{
	state_suspend(supervisor->state);
}

void supervisor_unlock(struct supervisor *supervisor)
{
	if (supervisor->lock >= 0)
		close(supervisor->lock);
	supervisor->lock = -1;
	supervisor_close_state(supervisor);
}

/* Whether the files still say that the service is ours, and meant to be up. */
static bool is_in_charge(const struct supervisor *supervisor, const struct record *record)
{
	/* what has ended for good is not meant to be up: its supervisor has only to go */
	bool intended = record->intent || supervisor->phase == PHASE_LEAVING;
	return intended && !record->stopping && record->supervisor_valid &&
	       record->supervisor.pid == supervisor->identity.pid &&
	       record->supervisor.ticks == supervisor->identity.ticks;
}

enum lock_state {
	LOCK_OURS,  /* the service is still ours, and the state is open */
	LOCK_LATER, /* somebody works on it: the timer is set */
	LOCK_LOST,  /* somebody has stopped it, or replaced us */
};

static enum lock_state wait_for_lock(struct supervisor *supervisor, enum supervisor_timer timer,
				     int64_t interval_ns)
{
	supervisor_unlock(supervisor);
	supervisor->timers[timer] = clock_monotonic_ns() + interval_ns;
	return LOCK_LATER;
}

static enum lock_state try_lock(struct supervisor *supervisor, enum supervisor_timer timer)
{
	struct record record;
	if (!supervisor_open_state(supervisor))
		return errno == ENOENT ? LOCK_LOST
				       : wait_for_lock(supervisor, timer, STATE_INTERVAL_NS);
	if (supervisor->lock >= 0) /* that of the command, at the first run */
		return LOCK_OURS;
	supervisor->lock = state_open_lock(supervisor->state, supervisor->name, NULL);
	if (supervisor->lock < 0)
		return wait_for_lock(supervisor, timer, STATE_INTERVAL_NS);
	if (lock_try(supervisor->lock, supervisor->name, NULL) != LOCK_TAKEN)
		return wait_for_lock(supervisor, timer, LOCK_INTERVAL_NS);
	state_read(supervisor->state, supervisor->name, &record);
	/* too many open files, a server that does not answer: that says nothing, and passes */
	if (record.unreadable)
		return wait_for_lock(supervisor, timer, STATE_INTERVAL_NS);
	if (is_in_charge(supervisor, &record))
		return LOCK_OURS;
	supervisor_unlock(supervisor);
	return LOCK_LOST;
}

bool supervisor_take_lock(struct supervisor *supervisor, enum supervisor_timer timer)
{
	enum lock_state state = try_lock(supervisor, timer);
	if (state == LOCK_LOST)
		supervisor->phase = PHASE_OVER;
	return state == LOCK_OURS;
}

void supervisor_log(const struct supervisor *supervisor, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text CLEANUP_FREE = memory_vprintf(format, arguments);
	va_end(arguments);
	const struct launch *launch = supervisor->order->launch;
	char *line CLEANUP_FREE = memory_printf("Service '%s' %s", supervisor->name, text);
	logfile_note(launch->log_error, launch_log_owner(launch), line);
}

/* The run's logs go on: only a start by a user rotates them, so that a crash loop cannot push out
 * its cause. The first run's header was written by the command. */
static int open_log(const struct supervisor *supervisor, const char *path, const char *suffix,
		    struct error *err)
{
	int fd = logfile_append(path, launch_log_owner(supervisor->order->launch), err);
	if (fd >= 0 && supervisor->automatic)
		(void)logfile_write_header(fd, path, supervisor->name, suffix, NULL);
	return fd;
}

static int open_logs(const struct supervisor *supervisor, struct spawn_plan *plan,
		     struct error *err)
{
	const struct launch *launch = supervisor->order->launch;
	bool merged = launch->log_out == launch->log_error;
	plan->output = open_log(supervisor, launch->log_out, merged ? " (merged logs)" : "", err);
	plan->errors = merged ? plan->output : open_log(supervisor, launch->log_error, "", err);
	return plan->output < 0 || plan->errors < 0 ? -1 : 0;
}

static void close_logs(const struct spawn_plan *plan)
{
	if (plan->output >= 0)
		close(plan->output);
	if (plan->errors >= 0 && plan->errors != plan->output)
		close(plan->errors);
}

static int spawn_held(struct supervisor *supervisor, struct error *err)
{
	struct spawn_plan plan = supervisor->order->plan;
	int result = open_logs(supervisor, &plan, err);
	if (result == 0)
		result = spawn_start(&plan, &supervisor->run, err);
	close_logs(&plan);
	return result;
}

static int spawn_on_record(struct supervisor *supervisor, struct error *err)
{
	struct identity *identity = &supervisor->run_identity;
	if (spawn_held(supervisor, err) < 0)
		return -1;
	identity->pid = supervisor->run.pid;
	if (run_record_write(supervisor->state, supervisor->name, supervisor->proc_fd, identity,
			     err) == 0 &&
	    spawn_release(&supervisor->run, err) == 0)
		return 0;
	spawn_abandon(&supervisor->run);
	return -1;
}

void supervisor_spawn(struct supervisor *supervisor)
{
	struct error err = ERROR_INIT;
	supervisor->phase = PHASE_SPAWNING;
	if (!supervisor_take_lock(supervisor, TIMER_SPAWN))
		return;
	int result = spawn_on_record(supervisor, &err);
	if (result < 0)
		supervisor_spawn_failed(supervisor, err.message, 0);
	else
		supervisor_unlock(supervisor);
	error_clear(&err);
}

void supervisor_begin(struct supervisor *supervisor)
{
	supervisor->phase = PHASE_PREPARING;
	supervisor->leader_ended = false;
	supervisor->adopted = false;
	supervisor->wish[0] = '\0';
	switch (supervisor_start_hook(supervisor, HOOK_PRE_START)) {
	case SUPERVISOR_HOOK_NONE:
		supervisor_spawn(supervisor);
		break;
	case SUPERVISOR_HOOK_FAILED:
		supervisor_spawn_failed(supervisor, "hook 'pre_start' could not be run", 0);
		break;
	case SUPERVISOR_HOOK_RUNS:
		break;
	}
}

static void count_restart(struct supervisor *supervisor)
{
	struct record record;
	if (!supervisor_open_state(supervisor))
		return;
	state_read(supervisor->state, supervisor->name, &record);
	(void)state_write_restarts(supervisor->state, supervisor->name, record.restarts + 1, NULL);
	supervisor_close_state(supervisor);
}

static void tell_spawned(struct supervisor *supervisor)
{
	struct supervisor_news news = {
		.kind = SUPERVISOR_SPAWNED,
		.pid = supervisor->run_identity.pid,
		.ticks = supervisor->run_identity.ticks,
	};
	supervisor_send(supervisor, &news);
}

/* Where nobody looks on, no end is one in the watch. */
static void begin_watch(struct supervisor *supervisor, int64_t now)
{
	const struct supervisor_order *order = supervisor->order;
	int64_t start_watch_ns = order->launch->definition->start_watch_ns;
	if (order->listens && start_watch_ns > 0)
		supervisor->timers[TIMER_WATCH] = now + start_watch_ns;
	else
		supervisor_hang_up(supervisor);
}

static void run_started(struct supervisor *supervisor)
{
	int64_t now = clock_monotonic_ns();
	supervisor->phase = PHASE_RUNNING;
	restart_policy_started(&supervisor->restart, now);
	tell_spawned(supervisor);
	begin_watch(supervisor, now);
	if (supervisor->automatic) {
		count_restart(supervisor);
		supervisor_start_hook(supervisor, HOOK_ON_RESTART);
	}
	supervisor_start_hook(supervisor, HOOK_POST_START);
	supervisor_guard(supervisor);
	supervisor->untidy = true;
}

void supervisor_executed(struct supervisor *supervisor)
{
	struct error err = ERROR_INIT;
	int exec_errno = 0;
	if (spawn_finish(&supervisor->order->plan, &supervisor->run, &exec_errno, &err) == 0) {
		run_started(supervisor);
	} else {
		spawn_reap(&supervisor->run, NULL);
		supervisor->run.pid = -1;
		supervisor_spawn_failed(supervisor, err.message, exec_errno);
	}
	error_clear(&err);
}

void supervisor_adopt(struct supervisor *supervisor)
{
	const struct identity *run = &supervisor->run_identity;
	int pidfd = signal_open(supervisor->proc_fd, run->pid, run->ticks);
	supervisor->run = (struct spawned){ run->pid, pidfd, -1 };
	supervisor->adopted = true;
	supervisor->untidy = true;
	supervisor->phase = PHASE_RUNNING;
	supervisor_unlock(supervisor);
	restart_policy_started(&supervisor->restart, clock_monotonic_ns());
	tell_spawned(supervisor);
	supervisor_hang_up(supervisor);
	if (pidfd < 0)
		supervisor_leader_lost(supervisor);
	else
		supervisor_guard(supervisor);
}
