/* What is looked after while a run lasts: its memory, the size of its logs, its files. And the
 * hooks and helpers of a supervisor. */
#include "service/supervisor_loop.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "model/process.h"
#include "model/process_tree.h"
#include "os/log_rotate.h"
#include "service/hook_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A tree far below its limit is looked at less often. */
static const int64_t MEMORY_INTERVAL_NS = 5 * NSEC_PER_SEC;
static const int64_t MEMORY_INTERVAL_CLOSE_NS = NSEC_PER_SEC / 2;

int supervisor_fork_helper(struct supervisor *supervisor, enum supervisor_helper helper,
			   int (*body)(void *supervisor, int channel, int kept))
{
	struct error err = ERROR_INIT;
	struct spawned *child = &supervisor->helpers[helper];
	const struct spawn_body plan = {
		.run = body,
		.context = supervisor,
		.group = SPAWN_SAME_SESSION,
		.keep = -1,
	};
	if (spawn_process(&plan, child, &err) == 0 && spawn_release(child, &err) == 0)
		return 0;
	spawn_abandon(child);
	*child = (struct spawned){ -1, -1, -1 };
	supervisor_log(supervisor, "%s", err.message);
	error_clear(&err);
	return -1;
}

static const struct definition *definition_of(const struct supervisor *supervisor)
{
	return supervisor->order->launch->definition;
}

static int64_t measure_tree(struct supervisor *supervisor)
{
	struct process_tree tree = PROCESS_TREE_INIT;
	pid_t self = getpid();
	const struct process_tree_service service = { self, supervisor->run.pid,
						      supervisor->run_identity.mark };
	int64_t bytes = 0;
	/* an adopted run is no descendant: its leader's tree, as far as that goes, is */
	if (supervisor->adopted) {
		struct process leader;
		process_tree_add_members(&tree, supervisor->proc_fd, supervisor->run.pid, &service);
		if (process_read(supervisor->proc_fd, supervisor->run.pid, &leader) == 0)
			bytes += leader.resident_bytes;
	}
	process_tree_add_members(&tree, supervisor->proc_fd, self, &service);
	bytes += process_tree_resident(&tree, supervisor->proc_fd, self);
	process_tree_release(&tree);
	supervisor->untidy = true;
	return bytes;
}

void supervisor_check_memory(struct supervisor *supervisor)
{
	int64_t limit = definition_of(supervisor)->max_memory_bytes;
	if (supervisor->phase != PHASE_RUNNING)
		return;
	int64_t bytes = measure_tree(supervisor);
	if (bytes > limit) {
		char used[32];
		char allowed[32];
		units_format_size(bytes, used, sizeof(used));
		units_format_size(limit, allowed, sizeof(allowed));
		snprintf(supervisor->wish, sizeof(supervisor->wish),
			 "its memory, %s, has passed max_memory, %s", used, allowed);
		supervisor_renew(supervisor);
		return;
	}
	supervisor->timers[TIMER_MEMORY] =
	    clock_monotonic_ns() +
	    (bytes > limit / 2 ? MEMORY_INTERVAL_CLOSE_NS : MEMORY_INTERVAL_NS);
}

static void hook_source(const struct supervisor *supervisor, struct hook_source *source)
{
	const struct supervisor_order *order = supervisor->order;
	hook_source_from_launch(source, order->launch, order->plan.umask, order->plan.file_limit);
}

static struct hook_facts hook_facts(const struct supervisor *supervisor)
{
	return (struct hook_facts){
		.pid = supervisor->leader_ended ? 0 : supervisor->run.pid,
		.exit = supervisor->end,
	};
}

enum supervisor_hook supervisor_start_hook(struct supervisor *supervisor, enum hook_kind kind)
{
	struct error err = ERROR_INIT;
	struct hook_source source;
	struct hook_facts facts = hook_facts(supervisor);
	/* one that still runs is not started a second time */
	if (!definition_of(supervisor)->hooks.commands[kind] || supervisor->hook_runs[kind])
		return SUPERVISOR_HOOK_NONE;
	hook_source(supervisor, &source);
	if (hook_start(&supervisor->hooks[kind], kind, &source, &facts, &err) == 0) {
		supervisor->hook_runs[kind] = true;
		return SUPERVISOR_HOOK_RUNS;
	}
	supervisor_log(supervisor, "has a problem: %s", err.message);
	error_clear(&err);
	return SUPERVISOR_HOOK_FAILED;
}

bool supervisor_hooks_run(const struct supervisor *supervisor)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (supervisor->hook_runs[i])
			return true;
	return false;
}

void supervisor_kill_hooks(struct supervisor *supervisor)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (supervisor->hook_runs[i])
			hook_kill(&supervisor->hooks[i]);
}

void supervisor_run_hook(const struct supervisor *supervisor, enum hook_kind kind)
{
	struct error err = ERROR_INIT;
	struct hook_source source;
	hook_source(supervisor, &source);
	const struct hook_request request = {
		.kind = kind,
		.source = &source,
		.facts = hook_facts(supervisor),
	};
	hooks_run(&request, 1, &err);
	error_clear(&err);
}

static const char *log_at(const struct supervisor *supervisor, size_t which)
{
	const struct launch *launch = supervisor->order->launch;
	return which == 0 ? launch->log_out : launch->log_error;
}

static off_t log_size_at(const struct supervisor *supervisor, size_t which)
{
	struct stat status;
	if (which == 1 && log_at(supervisor, 0) == log_at(supervisor, 1))
		return 0;
	if (lstat(log_at(supervisor, which), &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	return status.st_size;
}

/* In a helper: rotate the logs that have grown too large. */
static int rotator_main(void *context, int channel, int kept)
{
	const struct supervisor *supervisor = context;
	const struct definition *definition = definition_of(supervisor);
	(void)channel;
	(void)kept;
	for (size_t which = 0; which < 2; which++) {
		struct error err = ERROR_INIT;
		if (log_size_at(supervisor, which) > definition->log_max_size_bytes &&
		    logfile_rotate_running(log_at(supervisor, which), definition->log_keep,
					   launch_log_owner(supervisor->order->launch), &err) < 0)
			supervisor_log(supervisor, "has a problem: %s", err.message);
		error_clear(&err);
	}
	return 0;
}

/* How long one log can be left alone. */
static int64_t log_patience(struct supervisor *supervisor, size_t which, int64_t elapsed_ns,
			    bool *full)
{
	int64_t limit = definition_of(supervisor)->log_max_size_bytes;
	off_t size = log_size_at(supervisor, which);
	off_t grown = size - supervisor->log_size[which];
	supervisor->log_size[which] = size;
	*full = *full || size > limit;
	return log_size_next_check(size, limit, grown, elapsed_ns);
}

void supervisor_check_logs(struct supervisor *supervisor)
{
	int64_t now = clock_monotonic_ns();
	int64_t elapsed_ns = supervisor->log_seen_ns ? now - supervisor->log_seen_ns : 0;
	bool full = false;
	int64_t wait = INT64_MAX;
	for (size_t which = 0; which < 2; which++) {
		int64_t patience = log_patience(supervisor, which, elapsed_ns, &full);
		wait = patience < wait ? patience : wait;
	}
	if (full && supervisor->helpers[HELPER_ROTATOR].pid < 0)
		supervisor_fork_helper(supervisor, HELPER_ROTATOR, rotator_main);
	supervisor->log_seen_ns = now;
	supervisor->timers[TIMER_LOG] = now + wait;
}

void supervisor_guard(struct supervisor *supervisor)
{
	const struct definition *definition = definition_of(supervisor);
	if (definition->max_memory_bytes > 0)
		supervisor->timers[TIMER_MEMORY] = clock_monotonic_ns() + MEMORY_INTERVAL_CLOSE_NS;
	if (definition->log_max_size_bytes > 0)
		supervisor_check_logs(supervisor);
	if (definition->watch.count > 0)
		supervisor_watch_files(supervisor);
}

void supervisor_unguard(struct supervisor *supervisor)
{
	supervisor->timers[TIMER_MEMORY] = INT64_MAX;
	supervisor->timers[TIMER_LOG] = INT64_MAX;
}
