#include "service/wait.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/membership.h"
#include "model/process.h"
#include "os/signal.h"
#include "service/lineage.h"
#include "service/snapshot_state.h"
#include "service/strays.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* How soon to look again at a service that another command is working on: its lock has no
 * descriptor to poll, and such work is short. */
static const int64_t CHANGING_INTERVAL_NS = 20 * NSEC_PER_MSEC;

enum target_phase {
	TARGET_LOOKING,  /* its record is to be read */
	TARGET_WATCHED,  /* pidfd tells when to look again */
	TARGET_CHANGING, /* nobody lives, and another command is at work on it */
	TARGET_SETTLED,
};

struct target {
	struct wait_result *result;
	enum target_phase phase;
	int pidfd; /* of the supervisor or the leader; -1: none */
	bool seen; /* alive, or being started, at some time of the wait */
};

struct waiter {
	const struct project *project;
	const struct wait_options *options;
	struct target *targets;
	size_t count;
	int proc_fd;
};

static const char *target_name(const struct target *target)
{
	return target->result->entry->name;
}

static void settle(const struct waiter *waiter, struct target *target, enum wait_outcome outcome)
{
	target->phase = TARGET_SETTLED;
	target->result->outcome = outcome;
	if (waiter->options->ended)
		waiter->options->ended(waiter->options->ended_context, target->result);
}

/* A descriptor for the process that IDENTITY means, -ESRCH when it is not alive. */
static int open_living(const struct waiter *waiter, const struct identity *identity)
{
	struct process process;
	if (identity_place(identity, &waiter->project->host) != IDENTITY_HERE)
		return -ESRCH;
	int pidfd = signal_open(waiter->proc_fd, identity->pid, identity->ticks);
	if (pidfd < 0)
		return pidfd;
	/* a zombie has a descriptor as well */
	if (process_read(waiter->proc_fd, identity->pid, &process) == 0 && !process.kernel &&
	    process_is_alive(&process))
		return pidfd;
	close(pidfd);
	return -ESRCH;
}

static int open_watch(const struct waiter *waiter, const struct record *record)
{
	int pidfd = -ESRCH;
	if (record->supervisor_valid)
		pidfd = open_living(waiter, &record->supervisor);
	if (pidfd == -ESRCH && record->valid)
		pidfd = open_living(waiter, &record->identity);
	return pidfd;
}

/* Watch who lives of the service. False if nobody does. */
static bool watch(const struct waiter *waiter, struct target *target, const struct record *record)
{
	int pidfd = open_watch(waiter, record);
	if (pidfd == -ESRCH)
		return false;
	if (pidfd < 0) {
		error_set_errno(&target->result->error, ERROR_FAILED, -pidfd,
				"cannot wait for '%s'", target_name(target));
		settle(waiter, target, WAIT_FAILED);
		return true;
	}
	target->pidfd = pidfd;
	target->phase = TARGET_WATCHED;
	target->seen = true;
	return true;
}

/* Nobody lives, and nobody is at work. */
static enum wait_outcome outcome_of(const struct target *target, const struct record *record)
{
	const struct exit_record *end = &record->exit;
	bool told = record->valid ? end->at_realtime_ns > record->started_at_ns
				  : end->at_realtime_ns != 0 || end->kind != EXIT_UNKNOWN;
	if (told && !end->next_try_ns && end->kind != EXIT_UNKNOWN)
		return WAIT_ENDED;
	if (told && !end->next_try_ns)
		return WAIT_UNSEEN;
	if (record->stopping || !record->intent)
		return target->seen ? WAIT_STOPPED : WAIT_IDLE;
	return record->supervised ? WAIT_LOST : WAIT_UNSEEN;
}

/* 0, or -1 with the reason why nothing can be known of this service. */
static int require_known(const struct waiter *waiter, const struct target *target,
			 const struct record *record)
{
	struct error *err = &target->result->error;
	const char *name = target_name(target);
	if (state_require_readable(&waiter->project->state, name, record, err) < 0)
		return -1;
	if (record->damaged)
		return strays_refuse(waiter->project, name, err);
	if (!record->valid ||
	    identity_place(&record->identity, &waiter->project->host) != IDENTITY_ELSEWHERE)
		return 0;
	return error_set(err, ERROR_FAILED,
			 "'%s' was started elsewhere, by host '%s': it can be waited for there "
			 "alone",
			 name, record->identity.host.name);
}

static void look(const struct waiter *waiter, struct target *target)
{
	const struct state *state = &waiter->project->state;
	struct record record;
	state_read(state, target_name(target), &record);
	if (watch(waiter, target, &record))
		return;
	if (snapshot_is_being_changed(state, target_name(target))) {
		target->phase = TARGET_CHANGING;
		target->seen = target->seen || record.intent;
		return;
	}
	/* what was at work before may have finished since the record was read */
	state_read(state, target_name(target), &record);
	if (watch(waiter, target, &record))
		return;
	if (require_known(waiter, target, &record) < 0) {
		settle(waiter, target, WAIT_FAILED);
		return;
	}
	target->result->end = record.exit;
	settle(waiter, target, outcome_of(target, &record));
}

static void look_where_needed(const struct waiter *waiter)
{
	for (size_t i = 0; i < waiter->count; i++)
		if (waiter->targets[i].phase == TARGET_LOOKING ||
		    waiter->targets[i].phase == TARGET_CHANGING)
			look(waiter, &waiter->targets[i]);
}

static struct claim claim_of(const struct record *record, const struct host *host)
{
	struct claim claim = { 0 };
	if (record->valid && identity_place(&record->identity, host) == IDENTITY_HERE) {
		claim.leader = record->identity.pid;
		claim.ticks = record->identity.ticks;
		claim.mark = record->identity.mark;
	}
	if (record->supervisor_valid &&
	    identity_place(&record->supervisor, host) == IDENTITY_HERE) {
		claim.supervisor = record->supervisor.pid;
		claim.supervisor_ticks = record->supervisor.ticks;
	}
	return claim;
}

/* A service, or a hook of it, that waits for its own end. */
static int refuse_own(const struct waiter *waiter, struct error *err)
{
	struct process_table table = PROCESS_TABLE_INIT;
	struct record *records CLEANUP_FREE = memory_zalloc(waiter->count, sizeof(*records));
	struct claim *claims CLEANUP_FREE = memory_zalloc(waiter->count, sizeof(*claims));
	if (process_table_read(&table, err) < 0)
		return -1;
	for (size_t i = 0; i < waiter->count; i++) {
		state_read(&waiter->project->state, target_name(&waiter->targets[i]), &records[i]);
		claims[i] = claim_of(&records[i], &waiter->project->host);
	}
	int *owners CLEANUP_FREE = membership_assign(&table, claims, waiter->count);
	for (size_t i = 0; i < waiter->count; i++) {
		struct target *target = &waiter->targets[i];
		if (!lineage_belongs_to(&table, owners, (int)i))
			continue;
		error_set(&target->result->error, ERROR_FAILED,
			  "cannot wait for '%s' from inside it: this pmo runs in that service",
			  target_name(target));
		settle(waiter, target, WAIT_FAILED);
	}
	process_table_release(&table);
	return 0;
}

/* What there is to wait for: POLLS holds an element for each of *watched. When to look again though
 * nothing happens, at DEADLINE at the latest. */
static int64_t prepare_polls(const struct waiter *waiter, struct pollfd *polls, size_t *watched,
			     int64_t deadline_ns)
{
	int64_t due_ns = deadline_ns;
	*watched = 0;
	for (size_t i = 0; i < waiter->count; i++) {
		const struct target *target = &waiter->targets[i];
		if (target->phase == TARGET_WATCHED)
			polls[(*watched)++] =
			    (struct pollfd){ .fd = target->pidfd, .events = POLLIN };
		if (target->phase != TARGET_CHANGING)
			continue;
		int64_t wanted_ns = clock_monotonic_ns() + CHANGING_INTERVAL_NS;
		due_ns = wanted_ns < due_ns ? wanted_ns : due_ns;
	}
	return due_ns;
}

static void note_deaths(struct waiter *waiter, const struct pollfd *polls)
{
	size_t at = 0;
	for (size_t i = 0; i < waiter->count; i++) {
		struct target *target = &waiter->targets[i];
		if (target->phase != TARGET_WATCHED || !polls[at++].revents)
			continue;
		close(target->pidfd);
		target->pidfd = -1;
		target->phase = TARGET_LOOKING;
	}
}

static bool is_over(const struct waiter *waiter)
{
	for (size_t i = 0; i < waiter->count; i++)
		if (waiter->targets[i].phase != TARGET_SETTLED)
			return false;
	return true;
}

static void wait_until(struct waiter *waiter, int64_t deadline_ns)
{
	struct pollfd *polls CLEANUP_FREE = memory_zalloc(waiter->count, sizeof(*polls));
	for (;;) {
		size_t watched;
		look_where_needed(waiter);
		if (is_over(waiter) || clock_monotonic_ns() >= deadline_ns)
			return;
		int64_t due_ns = prepare_polls(waiter, polls, &watched, deadline_ns);
		if (poll(polls, watched, clock_poll_timeout(due_ns)) > 0)
			note_deaths(waiter, polls);
	}
}

static int64_t deadline_of(const struct wait_options *options)
{
	int64_t now = clock_monotonic_ns();
	if (options->timeout_ns < 0 || options->timeout_ns > INT64_MAX - now)
		return INT64_MAX;
	return now + options->timeout_ns;
}

int wait_services(const struct project *project, const struct selection *selection,
		  const struct wait_options *options, struct wait_result *results,
		  struct error *err)
{
	int proc_fd CLEANUP_CLOSE = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct target *targets CLEANUP_FREE = memory_zalloc(selection->count, sizeof(*targets));
	struct waiter waiter = {
		.project = project,
		.options = options,
		.targets = targets,
		.count = selection->count,
		.proc_fd = proc_fd,
	};
	int64_t deadline_ns = deadline_of(options);
	for (size_t i = 0; i < selection->count; i++) {
		results[i] = (struct wait_result){ .entry = selection->entries[i] };
		targets[i] = (struct target){ .result = &results[i], .pidfd = -1 };
	}
	if (refuse_own(&waiter, err) < 0)
		return -1;
	wait_until(&waiter, deadline_ns);
	for (size_t i = 0; i < selection->count; i++)
		if (targets[i].pidfd >= 0)
			close(targets[i].pidfd);
	return 0;
}

void wait_results_release(struct wait_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		error_clear(&results[i].error);
}
