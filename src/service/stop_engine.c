#include "service/stop_job.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/signal.h"
#include "service/lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t RESCAN_INTERVAL_NS = 50 * NSEC_PER_MSEC; /* for what no pidfd can announce */
static const int64_t SETTLE_MINIMUM_NS = NSEC_PER_MSEC;       /* deaths come in crowds */
static const int64_t PROGRESS_DELAY_NS = 500 * NSEC_PER_MSEC;
static const int64_t PROGRESS_INTERVAL_NS = 200 * NSEC_PER_MSEC;
enum { MEMBER_WATCHES = 256 };

struct watch_set {
	struct pollfd *polls;
	struct stop_job **jobs; /* whose leader it is; NULL for another member */
	size_t count;
};

static void job_close_leader(struct stop_job *job)
{
	if (job->leader_pidfd >= 0)
		close(job->leader_pidfd);
	job->leader_pidfd = -1;
}

static void job_end(struct stop_job *job, enum stop_outcome outcome)
{
	job_close_leader(job);
	job->active = false;
	job->result->outcome = outcome;
}

void stop_job_fail(struct stop_job *job)
{
	job_end(job, STOP_FAILED);
}

static bool job_has_signalled(const struct stop_job *job, const struct process *process)
{
	for (size_t i = 0; i < job->signalled_count; i++)
		if (job->signalled[i].pid == process->pid &&
		    job->signalled[i].ticks == process->ticks)
			return true;
	return false;
}

static int job_send(struct stop_engine *engine, struct stop_job *job, const struct process *process,
		    int signal_number)
{
	int proc_fd = engine->table.proc_fd;
	bool is_leader = job->leader_pidfd >= 0 && process->pid == job->record.identity.pid;
	int result = is_leader ? signal_send_open(job->leader_pidfd, signal_number)
			       : signal_send(proc_fd, process->pid, process->ticks, signal_number);
	if (result == -EPERM)
		job->refused = true;
	/* a stopped process cannot die of anything but SIGKILL until it goes on */
	if (result == 0 && process->state == 'T' && signal_number != SIGKILL)
		(void)signal_send(proc_fd, process->pid, process->ticks, SIGCONT);
	return result;
}

static const struct process *member_at(const struct stop_engine *engine, int index)
{
	return index == NOBODY ? NULL : &engine->table.items[index];
}

#define FOR_EACH_MEMBER(engine, job_index, process, at)                                            \
	for (int at = (engine)->first_member[job_index];                                           \
	     ((process) = member_at((engine), at)) != NULL; at = (engine)->next_member[at])

static void job_give_up(struct stop_engine *engine, struct stop_job *job, size_t index)
{
	struct buffer pids CLEANUP_BUFFER = BUFFER_INIT;
	const struct process *process;
	FOR_EACH_MEMBER(engine, index, process, at)
	buffer_printf(&pids, "%s%ld", pids.length ? ", " : "", (long)process->pid);
	error_set(&job->result->error, ERROR_FAILED, "cannot stop '%s': %s pid %s",
		  job->result->entry->name,
		  job->refused ? "not permitted to signal" : "SIGKILL did not end",
		  buffer_string(&pids));
	stop_job_fail(job);
}

/* The stop signal for every member that has not had it: those of the leader's process group while
 * the leader lives, else all. A leader that may not be signalled ends the attempt at once. */
static void job_ask(struct stop_engine *engine, struct stop_job *job, size_t index)
{
	const struct process *process;
	FOR_EACH_MEMBER(engine, index, process, at)
	{
		bool in_group = process->group == job->record.identity.pid;
		if ((job->leader_pidfd >= 0 && !in_group) || job_has_signalled(job, process))
			continue;
		if (job_send(engine, job, process, job->signal) == -EPERM &&
		    process->pid == job->record.identity.pid) {
			job_give_up(engine, job, index);
			return;
		}
		MEMORY_GROW(job->signalled, job->signalled_count, job->signalled_capacity);
		job->signalled[job->signalled_count++] =
		    (struct signalled){ process->pid, process->ticks };
	}
}

static void job_kill(struct stop_engine *engine, struct stop_job *job, size_t index)
{
	const struct process *process;
	job->killed = true;
	FOR_EACH_MEMBER(engine, index, process, at)
	(void)job_send(engine, job, process, SIGKILL);
}

static void job_step(struct stop_engine *engine, struct stop_job *job, size_t index, int64_t now)
{
	const struct identity *identity = &job->record.identity;
	if (!process_table_is_alive(&engine->table, identity->pid, identity->ticks))
		job_close_leader(job);
	if (engine->first_member[index] == NOBODY) {
		if (++job->empty_scans >= 2)
			job_end(job, !job->signalled_count ? STOP_NOT_RUNNING
				     : job->killed         ? STOP_KILLED
							   : STOP_STOPPED);
		return;
	}
	job->empty_scans = 0;
	if (lineage_belongs_to(&engine->table, engine->owners, (int)index)) {
		error_set(&job->result->error, ERROR_FAILED,
			  "cannot stop '%s' from inside it: this pmo runs in that service",
			  job->result->entry->name);
		stop_job_fail(job);
	} else if (now >= job->kill_deadline_ns) {
		job_give_up(engine, job, index);
	} else if (now >= job->deadline_ns) {
		job_kill(engine, job, index);
	} else {
		job_ask(engine, job, index);
	}
}

/* Chain the members of each job, so that a scan costs the same for one service and for thousands.
 */
static void link_members(struct stop_engine *engine)
{
	free(engine->next_member);
	engine->next_member = memory_alloc(engine->table.count * sizeof(int));
	for (size_t i = 0; i < engine->count; i++)
		engine->first_member[i] = NOBODY;
	for (size_t i = engine->table.count; i-- > 0;) {
		int owner = engine->owners[i];
		if (owner == NOBODY)
			continue;
		engine->next_member[i] = engine->first_member[owner];
		engine->first_member[owner] = (int)i;
	}
}

/* One look at all processes, one step of every job. */
static void scan(struct stop_engine *engine)
{
	int64_t begin = clock_monotonic_ns();
	if (process_table_read(&engine->table, &engine->scan_error) < 0) {
		for (size_t i = 0; i < engine->count; i++) {
			struct stop_job *job = &engine->jobs[i];
			if (!job->active)
				continue;
			error_set(&job->result->error, ERROR_FAILED, "cannot stop '%s': %s",
				  job->result->entry->name, engine->scan_error.message);
			stop_job_fail(job);
		}
		return;
	}
	free(engine->owners);
	engine->owners = membership_assign(&engine->table, engine->claims, engine->count);
	link_members(engine);
	int64_t now = clock_monotonic_ns();
	engine->scan_cost_ns = now - begin;
	/* reverse order: the last of pmo.yml hears it first */
	for (size_t i = engine->count; i-- > 0;)
		if (engine->jobs[i].active)
			job_step(engine, &engine->jobs[i], i, now);
}

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
		if (job->active && job->leader_pidfd >= 0)
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
		int64_t wanted = now + RESCAN_INTERVAL_NS;
		if (job->leader_pidfd >= 0 && !job->killed)
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

static void wait_for_deaths(struct stop_engine *engine)
{
	int64_t due = next_scan(engine);
	if (due == INT64_MIN)
		return;
	struct watch_set set = watch_open(engine);
	size_t alive = set.count;
	bool died = false;
	while (!died && clock_monotonic_ns() < due) {
		int64_t now = clock_monotonic_ns();
		int64_t until = due;
		if (engine->options->progress && now - engine->started_ns > PROGRESS_DELAY_NS)
			show_progress(engine);
		if (engine->options->progress && due - now > PROGRESS_INTERVAL_NS)
			until = now + PROGRESS_INTERVAL_NS;
		died = watch_wait(&set, until, &alive);
	}
	/* a scan for each of a hundred deaths would cost more than the deaths: let them gather */
	int64_t settle =
	    engine->scan_cost_ns > SETTLE_MINIMUM_NS ? engine->scan_cost_ns : SETTLE_MINIMUM_NS;
	int64_t until = clock_monotonic_ns() + settle;
	while (died && alive && clock_monotonic_ns() < until)
		watch_wait(&set, until, &alive);
	watch_close(&set);
}

static bool any_active(const struct stop_engine *engine)
{
	for (size_t i = 0; i < engine->count; i++)
		if (engine->jobs[i].active)
			return true;
	return false;
}

static void open_leaders(struct stop_engine *engine)
{
	for (size_t i = 0; i < engine->count; i++) {
		struct stop_job *job = &engine->jobs[i];
		const struct identity *identity = &job->record.identity;
		int pidfd = job->active
				? signal_open(engine->table.proc_fd, identity->pid, identity->ticks)
				: -1;
		job->leader_pidfd = pidfd < 0 ? -1 : pidfd;
		job->deadline_ns = engine->started_ns + job->timeout_ns;
		job->kill_deadline_ns = job->deadline_ns + KILL_TIMEOUT_NS;
	}
}

void stop_engine_run(struct stop_engine *engine)
{
	engine->started_ns = clock_monotonic_ns();
	engine->first_member = memory_alloc(engine->count * sizeof(int));
	engine->table.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	open_leaders(engine);
	for (scan(engine); any_active(engine); scan(engine))
		wait_for_deaths(engine);
	process_table_release(&engine->table);
	free(engine->owners);
	free(engine->first_member);
	free(engine->next_member);
	error_clear(&engine->scan_error);
}
