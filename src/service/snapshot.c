#include "service/snapshot.h"

#include "base/clock.h"
#include "base/memory.h"
#include "model/membership.h"
#include "os/sample.h"
#include "service/launch.h"
#include "service/liveness.h"
#include "service/paths.h"
#include "service/snapshot_members.h"
#include "service/snapshot_state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Later attempts look for files that the first listing cannot have seen yet. */
static const unsigned ANY_FILES = UINT_MAX;

static bool is_here(const struct snapshot_work *work, const struct identity *identity)
{
	return identity_place(identity, &work->project->host) == IDENTITY_HERE;
}

static void add_claim(struct snapshot_work *work, struct service_status *service)
{
	const struct record *record = &service->record;
	struct claim claim = { 0 };
	if (record->valid && is_here(work, &record->identity)) {
		claim.leader = record->identity.pid;
		claim.ticks = record->identity.ticks;
		claim.mark = record->identity.mark;
	}
	if (record->supervisor_valid && is_here(work, &record->supervisor)) {
		claim.supervisor = record->supervisor.pid;
		claim.supervisor_ticks = record->supervisor.ticks;
		claim.supervisor_mark = record->supervisor.mark;
	}
	if (claim.leader == 0 && claim.supervisor == 0)
		return;
	work->claim_services[work->claim_count] = service;
	work->claims[work->claim_count++] = claim;
}

static void read_records(struct snapshot_work *work, const struct selection *selection)
{
	struct snapshot *snapshot = work->snapshot;
	for (size_t i = 0; i < selection->count; i++) {
		struct service_status *service = &snapshot->services[i];
		*service = (struct service_status){
			.entry = selection->entries[i],
			.uptime_ns = -1,
			.cpu_percent = NAN,
			.memory_bytes = -1,
			.next_try_in_ns = -1,
			.memory_peak_bytes = -1,
			.cpu_seconds = NAN,
			.gpu_known = true,
		};
		if (service->entry->recorded)
			state_read_listed(&work->project->state, service->entry->name,
					  work->attempt == 1 ? service->entry->files : ANY_FILES,
					  &service->record);
		add_claim(work, service);
	}
}

static void wait_window(int64_t window_ns)
{
	int64_t deadline_ns = clock_monotonic_ns() + window_ns;
	for (int left; (left = clock_poll_timeout(deadline_ns)) > 0;)
		poll(NULL, 0, left);
}

static int measure(struct snapshot_work *work, int64_t window_ns, struct message_list *messages,
		   struct error *err)
{
	struct snapshot *snapshot = work->snapshot;
	struct gpu_query *query = work->claim_count ? gpu_query_start() : NULL;
	int result = process_table_read(&snapshot->processes, err);
	if (result == 0) {
		work->owners =
		    membership_assign(&snapshot->processes, work->claims, work->claim_count);
		if (window_ns > 0 && work->claim_count) {
			struct cpu_sample *sample =
			    cpu_sample_begin(&snapshot->processes, work->owners);
			wait_window(window_ns);
			work->percent = cpu_sample_finish(sample);
		}
	}
	gpu_query_finish(query, &snapshot->gpus);
	if (snapshot->gpus.problem)
		message_add(messages, MESSAGE_WARNING, "GPU figures are unknown: %s",
			    snapshot->gpus.problem);
	return result;
}

static const char *user_name(struct snapshot_work *work, uid_t owner)
{
	if (work->user && work->user_id == owner)
		return work->user;
	const struct passwd *entry = getpwuid(owner);
	work->user_id = owner;
	work->user = entry ? arena_strdup(&work->snapshot->arena, entry->pw_name)
			   : arena_printf(&work->snapshot->arena, "%lu", (unsigned long)owner);
	return work->user;
}

static void find_leader(struct snapshot_work *work, const struct claim *claim,
			struct service_status *service)
{
	const struct process_table *table = &work->snapshot->processes;
	uid_t owner;
	if (claim->leader == 0 || !process_table_is_alive(table, claim->leader, claim->ticks))
		return;
	service->pid = claim->leader;
	service->uptime_ns = clock_boottime_ns() - (int64_t)((__int128)claim->ticks * NSEC_PER_SEC /
							     process_ticks_per_second());
	if (process_read_owner(table->proc_fd, claim->leader, &owner))
		service->user = user_name(work, owner);
}

static void find_paths(struct snapshot_work *work, struct service_status *service)
{
	struct service_paths paths;
	if (service_paths_find(work->project, &work->project->state, service->entry,
			       &work->snapshot->arena, &paths, NULL) < 0)
		return;
	service->command = paths.command;
	service->cwd = paths.directory;
	service->log_out = paths.log_out;
	service->log_error = paths.log_error;
}

/* When pmo.yml was last changed (its ctime, which nobody can set back), in realtime; 0 without it.
 */
static int64_t config_change_time(const struct project *project)
{
	struct stat status;
	if (project->config_state != PROJECT_CONFIG_OK || stat(project->config_path, &status) < 0)
		return 0;
	return status.st_ctim.tv_sec * NSEC_PER_SEC + status.st_ctim.tv_nsec;
}

/* A pmo.yml that is older than every service costs one stat(2). */
static void find_changes(struct snapshot_work *work)
{
	struct snapshot *snapshot = work->snapshot;
	struct launcher launcher;
	bool open = false;
	int64_t changed_at = config_change_time(work->project);
	for (size_t i = 0; i < snapshot->count; i++) {
		struct service_status *service = &snapshot->services[i];
		if (service->pid <= 0 || !service->entry->configured ||
		    service->record.started_at_ns > changed_at)
			continue;
		if (!open && launcher_open(&launcher, work->project, NULL, NULL) < 0)
			return;
		open = true;
		service->changed = launch_differs_from_record(&launcher, service->entry);
	}
	if (open)
		launcher_close(&launcher);
}

static void fill_services(struct snapshot_work *work, enum snapshot_detail detail)
{
	struct snapshot *snapshot = work->snapshot;
	for (size_t i = 0; i < work->claim_count; i++) {
		find_leader(work, &work->claims[i], work->claim_services[i]);
		snapshot_fill_members(work, work->claim_services[i], (int)i, detail);
	}
	for (size_t i = 0; i < snapshot->count; i++) {
		struct service_status *service = &snapshot->services[i];
		snapshot_find_supervisor(snapshot, work->project, service);
		snapshot_find_state(snapshot, work->project, service);
		if (detail != SNAPSHOT_LIST)
			find_paths(work, service);
	}
	find_changes(work);
}

static bool records_fit(const struct record *then, const struct record *now)
{
	return now->intent == then->intent && now->valid == then->valid &&
	       now->stopping == then->stopping && now->supervised == then->supervised &&
	       (!now->valid || strcmp(now->identity.mark, then->identity.mark) == 0) &&
	       now->supervisor.pid == then->supervisor.pid;
}

/* Whether a record that was read before the look at /proc names no leader that the look has found,
 * because a stop or a restart came or began between: then the two do not fit. */
static bool is_outdated(const struct snapshot_work *work)
{
	for (size_t i = 0; i < work->snapshot->count; i++) {
		const struct service_status *service = &work->snapshot->services[i];
		struct record now;
		if (service->pid > 0 || (!service->record.intent && !service->record.supervised))
			continue;
		state_read(&work->project->state, service->entry->name, &now);
		if (!records_fit(&service->record, &now))
			return true;
	}
	return false;
}

enum attempt { ATTEMPT_FAILED, ATTEMPT_OUTDATED, ATTEMPT_DONE };

static enum attempt take_once(struct snapshot *snapshot, int attempt, const struct project *project,
			      const struct selection *selection, enum snapshot_detail detail,
			      int64_t window_ns, struct message_list *messages, struct error *err)
{
	*snapshot = (struct snapshot)SNAPSHOT_INIT;
	snapshot->taken_at_ns = clock_realtime_ns();
	snapshot->services = memory_zalloc(selection->count, sizeof(*snapshot->services));
	snapshot->count = selection->count;
	struct snapshot_work work = {
		.snapshot = snapshot,
		.attempt = attempt,
		.project = project,
		.claims = memory_zalloc(selection->count, sizeof(*work.claims)),
		.claim_services = memory_zalloc(selection->count, sizeof(struct service_status *)),
	};
	enum attempt result = ATTEMPT_FAILED;
	read_records(&work, selection);
	if (measure(&work, window_ns, messages, err) == 0) {
		snapshot_link_members(&work);
		fill_services(&work, detail);
		result = is_outdated(&work) ? ATTEMPT_OUTDATED : ATTEMPT_DONE;
	}
	snapshot_work_release(&work);
	return result;
}

static void report_unreadable(const struct service_status *service, const struct state *state,
			      struct message_list *messages)
{
	struct error err = ERROR_INIT;
	if (state_require_readable(state, service->entry->name, &service->record, &err) < 0)
		message_add(messages, MESSAGE_WARNING, "%s", err.message);
	error_clear(&err);
}

static void report_damage(const struct snapshot *snapshot, const struct project *project,
			  struct message_list *messages)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		const struct service_status *service = &snapshot->services[i];
		report_unreadable(service, &project->state, messages);
		if (service->record.damaged &&
		    !snapshot_is_being_changed(&project->state, service->entry->name))
			message_add(messages, MESSAGE_WARNING, "the record of '%s' is damaged",
				    service->entry->name);
		if (snapshot_stop_is_interrupted(snapshot, project, service))
			message_add(messages, MESSAGE_WARNING,
				    "'pmo stop %s' was interrupted: run it again",
				    service->entry->name);
	}
}

int snapshot_take(struct snapshot *snapshot, const struct project *project,
		  const struct selection *selection, enum snapshot_detail detail, int64_t window_ns,
		  struct message_list *messages, struct error *err)
{
	enum { ATTEMPTS = 5 };
	for (int attempt = 1;; attempt++) {
		enum attempt result = take_once(snapshot, attempt, project, selection, detail,
						window_ns, messages, err);
		if (result == ATTEMPT_DONE || (result == ATTEMPT_OUTDATED && attempt == ATTEMPTS)) {
			report_damage(snapshot, project, messages);
			return 0;
		}
		snapshot_release(snapshot);
		if (result == ATTEMPT_FAILED)
			return -1;
	}
}

void snapshot_release(struct snapshot *snapshot)
{
	process_table_release(&snapshot->processes);
	gpu_report_release(&snapshot->gpus);
	free(snapshot->services);
	arena_release(&snapshot->arena);
	*snapshot = (struct snapshot)SNAPSHOT_INIT;
}
