/* Waiting for the deaths that a stop has asked for: one poll(2) over pidfds. */
#include "service/stop_job.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/signal.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t RESCAN_INTERVAL_NS = 50 * NSEC_PER_MSEC; /* for what no pidfd can announce */
static const int64_t SETTLE_MINIMUM_NS = NSEC_PER_MSEC;       /* deaths come in crowds */
static const int64_t MARK_DELAY_NS = 20 * NSEC_PER_MSEC;      /* until .stop is worth a file */
static const int64_t PROGRESS_DELAY_NS = 500 * NSEC_PER_MSEC;
static const int64_t PROGRESS_INTERVAL_NS = 200 * NSEC_PER_MSEC;
enum { MEMBER_WATCHES = 256 };

struct watch_set {
	struct pollfd *polls;
	struct stop_job **jobs; /* whose leader it is; NULL for another member */
	size_t count;
};

static void watch_add(struct watch_set *set, int pidfd, struct stop_job *job)
{
	set->polls[set->count] = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	set->jobs[set->count++] = job;
}

/* Members that outlive their leader: their deaths are awaited like a leader's. */
static void watch_members(struct stop_engine *engine, struct watch_set *set, size_t index,
			  size_t *left)
{
	const struct process *process;
	FOR_EACH_MEMBER(engine, index, process, at)
	{
		if (*left == 0)
			return;
		int pidfd = signal_open(engine->table.proc_fd, process->pid, process->ticks);
		if (pidfd < 0)
			continue;
		watch_add(set, pidfd, NULL);
		(*left)--;
	}
}

static struct watch_set watch_open(struct stop_engine *engine)
{
	size_t room = engine->count + MEMBER_WATCHES;
	size_t left = MEMBER_WATCHES;
	struct watch_set set = {
		.polls = memory_alloc(room * sizeof(struct pollfd)),
		.jobs = memory_alloc(room * sizeof(struct stop_job *)),
	};
	for (size_t i = 0; i < engine->count; i++) {
		struct stop_job *job = &engine->jobs[i];
		if (job->active && job->leader_alive && job->leader_pidfd >= 0)
			watch_add(&set, job->leader_pidfd, job);
		else if (job->active)
			watch_members(engine, &set, i, &left);
	}
	return set;
}

static void watch_close(struct watch_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->jobs[i] && set->polls[i].fd >= 0)
			close(set->polls[i].fd);
	free(set->polls);
	free(set->jobs);
}

/* Wait until DEADLINE for deaths among the watched; true if there was one. Who has died is no
 * longer watched; *alive counts who still is. */
static bool watch_wait(struct watch_set *set, int64_t deadline_ns, size_t *alive)
{
	bool died = false;
	*alive = 0;
	if (poll(set->polls, set->count, clock_poll_timeout(deadline_ns)) < 0)
		return false;
	for (size_t i = 0; i < set->count; i++) {
		struct pollfd *entry = &set->polls[i];
		if (entry->fd < 0)
			continue;
		if (!entry->revents) {
			(*alive)++;
			continue;
		}
		died = true;
		if (!set->jobs[i])
			close(entry->fd);
		entry->fd = -1;
	}
	return died;
}

/* Wait until DEADLINE for the rest to die, one after another: while one is waited for the others
 * go on dying, and do not wake us for each. */
static void watch_settle(struct watch_set *set, int64_t deadline_ns)
{
	for (size_t i = 0; i < set->count && clock_monotonic_ns() < deadline_ns; i++)
		if (set->polls[i].fd >= 0)
			poll(&set->polls[i], 1, clock_poll_timeout(deadline_ns));
}

/* Processes that breed faster than they are found must be looked for often at first; one that the
 * kernel cannot end now is not helped by that. */
static int64_t rescan_interval(const struct stop_job *job)
{
	int64_t interval = (int64_t)job->kill_rounds * job->kill_rounds * NSEC_PER_MSEC / 32;
	bool hunting = job->kill_rounds > 0 && interval < RESCAN_INTERVAL_NS;
	return hunting ? interval : RESCAN_INTERVAL_NS;
}

/* When the next scan is due even if nobody dies. INT64_MIN: at once. */
static int64_t next_scan(const struct stop_engine *engine)
{
	int64_t due = INT64_MAX;
	int64_t now = clock_monotonic_ns();
	for (size_t i = 0; i < engine->count; i++) {
		const struct stop_job *job = &engine->jobs[i];
		if (!job->active)
			continue;
		if (job->empty_scans)
			return INT64_MIN;
		int64_t wanted = now + rescan_interval(job);
		if (job->leader_alive && job->leader_pidfd >= 0 && !job->kill_rounds &&
		    !job->unsent)
			wanted = job->deadline_ns;
		due = wanted < due ? wanted : due;
	}
	return due;
}

static void show_progress(const struct stop_engine *engine)
{
	size_t waiting = 0;
	const struct stop_result **results CLEANUP_FREE =
	    memory_alloc(engine->count * sizeof(struct stop_result *));
	for (size_t i = 0; i < engine->count; i++)
		if (engine->jobs[i].active)
			results[waiting++] = engine->jobs[i].result;
	engine->options->progress(engine->options->progress_context, results, waiting);
}

/* Readers see a service as stopping when that takes a while; with a supervisor the mark has been
 * there from the beginning. */
static void mark_slow(struct stop_engine *engine)
{
	engine->marked = true;
	for (size_t i = 0; i < engine->count && engine->state; i++)
		if (engine->jobs[i].active)
			(void)state_write_stop(engine->state, engine->jobs[i].result->entry->name,
					       NULL);
}

/* What there is to be done while nobody dies; returns when the next of it is due, DUE at latest. */
static int64_t pass_time(struct stop_engine *engine, int64_t due)
{
	int64_t now = clock_monotonic_ns();
	int64_t until = due;
	if (!engine->marked && now - engine->started_ns >= MARK_DELAY_NS)
		mark_slow(engine);
	if (!engine->marked && engine->started_ns + MARK_DELAY_NS < until)
		until = engine->started_ns + MARK_DELAY_NS;
	if (!engine->options->progress)
		return until;
	if (now - engine->started_ns > PROGRESS_DELAY_NS)
		show_progress(engine);
	return until - now > PROGRESS_INTERVAL_NS ? now + PROGRESS_INTERVAL_NS : until;
}

void stop_engine_wait(struct stop_engine *engine)
{
	int64_t due = next_scan(engine);
	if (due == INT64_MIN)
		return;
	struct watch_set set = watch_open(engine);
	size_t alive = set.count;
	bool died = false;
	while (!died && clock_monotonic_ns() < due)
		died = watch_wait(&set, pass_time(engine, due), &alive);
	/* a scan for each of a hundred deaths would cost more than the deaths: let them gather */
	int64_t settle =
	    engine->scan_cost_ns > SETTLE_MINIMUM_NS ? engine->scan_cost_ns : SETTLE_MINIMUM_NS;
	int64_t until = clock_monotonic_ns() + settle;
	if (died)
		watch_settle(&set, until);
	watch_close(&set);
}
