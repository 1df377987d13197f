#include "service/stop_job.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "os/signal.h"
#include "service/lineage.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void job_close_leader(struct stop_job *job)
{
	if (job->leader_pidfd >= 0)
		close(job->leader_pidfd);
	job->leader_pidfd = -1;
}

static void job_end(struct stop_job *job, enum stop_outcome outcome)
{
	job_close_leader(job);
	job->leader_alive = false;
	job->active = false;
	job->result->outcome = outcome;
}

void stop_job_fail(struct stop_job *job)
{
	job_end(job, STOP_FAILED);
}

void stop_job_refuse_inside(struct stop_job *job)
{
	error_set(&job->result->error, ERROR_FAILED,
		  "cannot stop '%s' from inside it: this pmo runs in that service",
		  job->result->entry->name);
	stop_job_fail(job);
}

struct claim stop_job_claim(const struct stop_job *job)
{
	const struct identity *identity = &job->record.identity;
	bool leaderless = identity->pid == 0;
	return (struct claim){
		.leader = identity->pid,
		.ticks = identity->ticks,
		.mark = identity->mark,
		.supervisor = leaderless ? job->record.supervisor.pid : job->supervisor.pid,
		.supervisor_ticks = leaderless ? identity->ticks : job->supervisor.ticks,
		.supervisor_mark = leaderless || job->supervisor.pid ? identity->mark : NULL,
	};
}

static bool job_has_signalled(const struct stop_job *job, const struct process *process)
{
	for (size_t i = 0; i < job->signalled_count; i++)
		if (job->signalled[i].pid == process->pid &&
		    job->signalled[i].ticks == process->ticks)
			return true;
	return false;
}

/* To a process that is not the leader. Where descriptors have run out, that of a leader that has
 * gone can be done without. */
static int job_send_member(struct stop_engine *engine, struct stop_job *job,
			   const struct process *process, int signal_number)
{
	int proc_fd = engine->table.proc_fd;
	int result = signal_send(proc_fd, process->pid, process->ticks, signal_number);
	if (result != -EMFILE || job->leader_alive)
		return result;
	job_close_leader(job);
	return signal_send(proc_fd, process->pid, process->ticks, signal_number);
}

static int job_send(struct stop_engine *engine, struct stop_job *job, const struct process *process,
		    int signal_number)
{
	bool is_leader =
	    job->leader_alive && job->leader_pidfd >= 0 && process->pid == job->record.identity.pid;
	int result = is_leader ? signal_send_open(job->leader_pidfd, signal_number)
			       : job_send_member(engine, job, process, signal_number);
	if (result == -EPERM)
		job->refused = true;
	/* a stopped process cannot die of anything but SIGKILL until it goes on */
	if (result == 0 && process->state == 'T' && signal_number != SIGKILL)
		(void)job_send_member(engine, job, process, SIGCONT);
	return result;
}

static void job_give_up(struct stop_engine *engine, struct stop_job *job, size_t index)
{
	struct buffer pids CLEANUP_BUFFER = BUFFER_INIT;
	const struct process *process;
	FOR_EACH_MEMBER(engine, index, process, at)
	buffer_printf(&pids, "%s%ld", pids.length ? ", " : "", (long)process->pid);
	const char *name = job->result->entry->name;
	if (pids.length == 0)
		error_set(&job->result->error, ERROR_FAILED,
			  "cannot stop '%s': its processes fork faster than they can be found",
			  name);
	else
		error_set(&job->result->error, ERROR_FAILED, "cannot stop '%s': %s pid %s", name,
			  job->refused ? "not permitted to signal" : "SIGKILL did not end",
			  buffer_string(&pids));
	stop_job_fail(job);
}

/* The stop signal for every member that has not had it: those of the leader's process group while
 * the leader lives, else all. A leader that may not be signalled ends the attempt at once. */
static void job_ask(struct stop_engine *engine, struct stop_job *job, size_t index)
{
	const struct process *process;
	job->unsent = false;
	FOR_EACH_MEMBER(engine, index, process, at)
	{
		bool in_group = process->group == job->record.identity.pid;
		if ((job->leader_alive && !in_group) || job_has_signalled(job, process))
			continue;
		int sent = job_send(engine, job, process, job->signal);
		if (sent == -EPERM && process->pid == job->record.identity.pid) {
			job_give_up(engine, job, index);
			job->asked = false;
			return;
		}
		/* no descriptor or no memory now: it gets the signal at a later look */
		if (sent < 0 && sent != -ESRCH && sent != -EPERM) {
			job->unsent = true;
			continue;
		}
		MEMORY_GROW(job->signalled, job->signalled_count, job->signalled_capacity);
		job->signalled[job->signalled_count++] =
		    (struct signalled){ process->pid, process->ticks };
	}
}

static void job_kill(struct stop_engine *engine, struct stop_job *job, size_t index)
{
	const struct process *process;
	job->kill_rounds++;
	if (job->leader_pidfd >= 0)
		(void)signal_kill_group(job->leader_pidfd);
	FOR_EACH_MEMBER(engine, index, process, at)
	(void)job_send(engine, job, process, SIGKILL);
}

static bool group_exists(const struct stop_engine *engine, const struct stop_job *job)
{
	pid_t leader = job->record.identity.pid;
	if (job->leader_pidfd >= 0)
		return signal_group_exists(job->leader_pidfd);
	/* where somebody else has the number by now, the group is theirs */
	return !process_table_find(&engine->table, leader) && signal_group_number_exists(leader);
}

/* Whether a service that no scan finds alive lives on all the same: processes that fork and end
 * within microseconds are dead before they are looked at, but leave corpses, ever newer ones, or,
 * where those are reaped at once, a process group that is not empty. */
static bool job_breeds(const struct stop_engine *engine, struct stop_job *job, size_t index)
{
	struct corpse before = job->corpse;
	struct corpse now = engine->corpses[index];
	job->corpse = now;
	if (job->empty_scans == 0)
		return false;
	if (now.ticks == 0)
		return group_exists(engine, job);
	return now.ticks > before.ticks || (now.ticks == before.ticks && now.pid > before.pid);
}

static void job_set_deadlines(struct stop_job *job, int64_t now)
{
	job->deadline_ns = now + job->timeout_ns;
	job->kill_deadline_ns = job->deadline_ns + KILL_TIMEOUT_NS;
}

static void verify_leader(const struct stop_engine *engine, struct stop_job *job)
{
	const struct identity *identity = &job->record.identity;
	const struct process *process = process_table_find(&engine->table, identity->pid);
	if (!process || process->ticks != identity->ticks)
		job_close_leader(job);
}

static void job_step(struct stop_engine *engine, struct stop_job *job, size_t index, int64_t now)
{
	const struct identity *identity = &job->record.identity;
	if (engine->scans == 1)
		verify_leader(engine, job);
	job->leader_alive = process_table_is_alive(&engine->table, identity->pid, identity->ticks);
	if (engine->first_member[index] == NOBODY && !job_breeds(engine, job, index)) {
		if (++job->empty_scans >= 2)
			job_end(job, job->kill_rounds ? STOP_KILLED
				     : job->asked     ? STOP_STOPPED
						      : STOP_NOT_RUNNING);
		return;
	}
	job->empty_scans = 0;
	if (lineage_belongs_to(&engine->table, engine->owners, (int)index)) {
		stop_job_refuse_inside(job);
	} else if (!job->asked && engine->first_member[index] != NOBODY) {
		job_set_deadlines(job, now);
		job->asked = true;
		job_ask(engine, job, index);
	} else if (now >= job->kill_deadline_ns) {
		job_give_up(engine, job, index);
	} else if (now >= job->deadline_ns) {
		job_kill(engine, job, index);
	} else {
		job_ask(engine, job, index);
	}
}

static int compare_leaders(const void *left, const void *right)
{
	pid_t a = ((const struct leader *)left)->pid;
	pid_t b = ((const struct leader *)right)->pid;
	return (a > b) - (a < b);
}

static void sort_leaders(struct stop_engine *engine)
{
	engine->leaders = memory_zalloc(2 * engine->count, sizeof(*engine->leaders));
	engine->leader_count = 0;
	for (size_t i = 0; i < engine->count; i++) {
		const struct claim *claim = &engine->claims[i];
		if (claim->leader > 1)
			engine->leaders[engine->leader_count++] =
			    (struct leader){ claim->leader, i };
		if (claim->supervisor > 1)
			engine->leaders[engine->leader_count++] =
			    (struct leader){ claim->supervisor, i };
	}
	qsort(engine->leaders, engine->leader_count, sizeof(*engine->leaders), compare_leaders);
}

static const struct leader *find_leader(const struct stop_engine *engine, pid_t pid)
{
	const struct leader key = { .pid = pid };
	return bsearch(&key, engine->leaders, engine->leader_count, sizeof(*engine->leaders),
		       compare_leaders);
}

/* What leaves the session and ends comes to the supervisor, which does not reap while it stands
 * still. */
static void note_corpse(struct stop_engine *engine, const struct process *process)
{
	if (process_is_alive(process))
		return;
	const struct leader *leader = find_leader(engine, process->session);
	if (!leader)
		leader = find_leader(engine, process->parent);
	if (!leader)
		return;
	struct corpse *newest = &engine->corpses[leader->job];
	if (process->ticks > newest->ticks ||
	    (process->ticks == newest->ticks && process->pid > newest->pid))
		*newest = (struct corpse){ process->ticks, process->pid };
}

/* Chain the members of each job, so that a scan costs the same for one service and for thousands.
 */
static void link_members(struct stop_engine *engine)
{
	free(engine->next_member);
	engine->next_member = memory_alloc(engine->table.count * sizeof(int));
	for (size_t i = 0; i < engine->count; i++) {
		engine->first_member[i] = NOBODY;
		engine->corpses[i] = (struct corpse){ 0 };
	}
	for (size_t i = engine->table.count; i-- > 0;) {
		int owner = engine->owners[i];
		if (owner == NOBODY) {
			note_corpse(engine, &engine->table.items[i]);
			continue;
		}
		engine->next_member[i] = engine->first_member[owner];
		engine->first_member[owner] = (int)i;
	}
}

/* Who is seen once is not lost again, even if its parent ends and nothing else tells whose it is.
 */
static void remember_members(struct stop_engine *engine)
{
	engine->known = memory_resize(engine->known, engine->table.count, sizeof(*engine->known));
	engine->known_count = 0;
	for (size_t i = 0; i < engine->table.count; i++) {
		const struct process *process = &engine->table.items[i];
		if (engine->owners[i] != NOBODY)
			engine->known[engine->known_count++] =
			    (struct known_member){ process->pid, process->ticks,
						   engine->owners[i] };
	}
}

/* One look at all processes, one step of every job. */
static void scan(struct stop_engine *engine)
{
	int64_t begin = clock_monotonic_ns();
	/* who is older than every service can never belong to one */
	if (process_table_reread(&engine->table, engine->oldest_ticks, &engine->scan_error) < 0) {
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
	engine->owners = membership_assign_known(&engine->table, engine->claims, engine->count,
						 engine->known, engine->known_count);
	remember_members(engine);
	link_members(engine);
	int64_t now = clock_monotonic_ns();
	engine->scan_cost_ns = now - begin;
	engine->scans++;
	/* reverse order: the last of pmo.yml hears it first */
	for (size_t i = engine->count; i-- > 0;)
		if (engine->jobs[i].active)
			job_step(engine, &engine->jobs[i], i, now);
}

static bool any_active(const struct stop_engine *engine)
{
	for (size_t i = 0; i < engine->count; i++)
		if (engine->jobs[i].active)
			return true;
	return false;
}

/* Descriptors first, then the first look at all processes, which tells whether they are the
 * leaders'. */
static void open_leaders(struct stop_engine *engine)
{
	for (size_t i = 0; i < engine->count; i++) {
		struct stop_job *job = &engine->jobs[i];
		int pidfd = signal_open_unverified(job->record.identity.pid);
		job->leader_pidfd = pidfd < 0 ? -1 : pidfd;
		job_set_deadlines(job, engine->started_ns);
		if (job->record.identity.ticks < engine->oldest_ticks)
			engine->oldest_ticks = job->record.identity.ticks;
		if (job->supervisor.pid && job->supervisor.ticks < engine->oldest_ticks)
			engine->oldest_ticks = job->supervisor.ticks;
	}
}

void stop_engine_run(struct stop_engine *engine)
{
	engine->started_ns = clock_monotonic_ns();
	engine->oldest_ticks = UINT64_MAX;
	engine->first_member = memory_alloc(engine->count * sizeof(int));
	engine->corpses = memory_zalloc(engine->count, sizeof(*engine->corpses));
	sort_leaders(engine);
	open_leaders(engine);
	for (scan(engine); any_active(engine); scan(engine))
		stop_engine_wait(engine);
	process_table_release(&engine->table);
	free(engine->owners);
	free(engine->first_member);
	free(engine->next_member);
	free(engine->corpses);
	free(engine->known);
	free(engine->leaders);
	error_clear(&engine->scan_error);
}
