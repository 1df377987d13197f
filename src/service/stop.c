#include "service/stop.h"

#include "base/file.h"
#include "base/memory.h"
#include "os/logfile.h"
#include "service/discard.h"
#include "service/launch.h"
#include "service/lock_set.h"
#include "service/log_owners.h"
#include "service/stop_guard.h"
#include "service/stop_hooks.h"
#include "service/stop_job.h"
#include "service/strays.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DESCRIPTORS_PER_SERVICE = 3, DESCRIPTORS_FOR_MEMBERS = 256 };

/* What makes the text of a spec worth parsing. */
static bool speaks_of_stopping(const char *spec)
{
	return strstr(spec, "stop_") || strstr(spec, "log_on_stop") || strstr(spec, "hooks");
}

/* What NAME.spec says about stopping: most say nothing, and then it need not be parsed. */
static void read_settings(const struct project *project, struct stop_job *job,
			  const struct stop_options *options)
{
	struct definition definition;
	struct arena arena = ARENA_INIT;
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	const char *name = job->result->entry->name;
	job->signal = SIGTERM;
	job->timeout_ns = DEFINITION_STOP_TIMEOUT_NS;
	if (state_read_spec_text(&project->state, name, &text) == 0 &&
	    speaks_of_stopping(buffer_string(&text)) &&
	    state_read_spec(&project->state, name, &arena, &definition, NULL) == 0) {
		job->signal = definition.stop_signal;
		job->timeout_ns = definition.stop_timeout_ns;
		job->removes_logs = definition.log_on_stop == LOG_ON_STOP_DELETE;
		if (definition.hooks.commands[HOOK_PRE_STOP] ||
		    definition.hooks.commands[HOOK_POST_STOP])
			stop_hooks_prepare(project, job, options);
	}
	arena_release(&arena);
}

static void apply_options(struct stop_job *job, const struct stop_options *options)
{
	if (options->signal)
		job->signal = options->signal;
	if (options->timeout_ns >= 0)
		job->timeout_ns = options->timeout_ns;
}

static void refuse_elsewhere(struct stop_job *job)
{
	error_set(&job->result->error, ERROR_FAILED, DISCARD_ELSEWHERE_FORMAT,
		  job->result->entry->name, job->record.identity.host.name);
	stop_job_fail(job);
}

/* Under keep_intent what was meant to be up stays so, without a process. */
static int drop_record(const struct project *project, struct stop_job *job,
		       const struct stop_options *options)
{
	const char *name = job->result->entry->name;
	struct error *err = &job->result->error;
	if (job->record.supervised)
		state_remove_unfinished(&project->state, name);
	return options->keep_intent && job->record.intent
		   ? record_retire(&project->state, name, err)
		   : record_remove(&project->state, name, &job->record, err);
}

static void discard_record(const struct project *project, struct stop_job *job,
			   const struct stop_options *options, enum stop_outcome outcome)
{
	job->result->outcome = outcome;
	if (drop_record(project, job, options) < 0)
		stop_job_fail(job);
}

/* A record that somebody wrote into names nobody; but if its service still runs, forgetting it
 * would lose that from sight. */
static void discard_damaged(const struct project *project, struct stop_job *job,
			    const struct stop_options *options)
{
	if (strays_refuse(project, job->result->entry->name, &job->result->error) < 0)
		stop_job_fail(job);
	else
		discard_record(project, job, options, STOP_NOT_RUNNING);
}

/* What a supervisor has not put on record is found through it, or if it was killed, through the
 * mark of its runs: the hook before the first of them. True if there can be something. */
static bool job_find_supervisor(const struct project *project, struct stop_job *job)
{
	struct record *record = &job->record;
	job->supervisor = supervisor_find(record, &project->host);
	if (record->valid)
		return job->supervisor.pid > 0;
	if (!record->supervisor_valid ||
	    identity_place(&record->supervisor, &project->host) != IDENTITY_HERE)
		return false;
	record->identity = record->supervisor;
	record->identity.pid = 0;
	return true;
}

static void job_prepare(const struct project *project, struct stop_job *job,
			const struct stop_options *options)
{
	read_settings(project, job, options);
	apply_options(job, options);
	/* neither it nor a supervisor is there: perhaps something of it, perhaps nothing at all */
	if (job->record.identity.pid == 0 && job->supervisor.pid == 0)
		stop_hooks_release(job);
	job->active = true;
}

/* Read the record under the lock and decide whether there is something to stop. */
static void job_begin(const struct project *project, struct stop_job *job,
		      const struct stop_options *options)
{
	const char *name = job->result->entry->name;
	state_read_identity(&project->state, name, &job->record);
	state_read_supervisor(&project->state, name, &job->record);
	enum identity_place place = job->record.valid
					? identity_place(&job->record.identity, &project->host)
					: IDENTITY_LOST;
	if (state_require_readable(&project->state, name, &job->record, &job->result->error) < 0) {
		stop_job_fail(job);
	} else if (place == IDENTITY_ELSEWHERE && !options->force) {
		refuse_elsewhere(job);
	} else if (place == IDENTITY_ELSEWHERE) {
		discard_record(project, job, options, STOP_DISCARDED);
	} else if (job_find_supervisor(project, job) &&
		   (job->supervisor.pid || !job->record.damaged)) {
		job_prepare(project, job, options);
	} else if (job->record.damaged) {
		discard_damaged(project, job, options);
	} else if (place == IDENTITY_LOST) {
		discard_record(project, job, options, STOP_NOT_RUNNING);
	} else {
		job_prepare(project, job, options);
	}
}

/* The supervisors of all jobs stand still from here on. */
static void hold_supervisors(const struct project *project, struct stop_job *jobs, size_t count,
			     const struct stop_options *options)
{
	for (size_t i = 0; i < count; i++) {
		struct stop_job *job = &jobs[i];
		if (!job->active || job->supervisor.pid == 0)
			continue;
		/* a full disk must not keep a service from being stopped */
		if (!options->keep_intent)
			(void)state_write_stop(&project->state, job->result->entry->name, NULL);
		supervisor_hold(&job->supervisor);
	}
	for (size_t i = 0; i < count; i++)
		if (jobs[i].active)
			supervisor_await_hold(&jobs[i].supervisor);
}

/* A log that something else still writes stays. */
static int remove_log(const struct project *project, struct log_owners *owners, const char *name,
		      const char *path, struct error *err)
{
	if (!logfile_exists(path) ||
	    log_owners_has_other(owners, project, name, path, LOG_WRITER_RUNNING))
		return 0;
	return logfile_remove(path, err);
}

static void remove_logs(const struct project *project, struct stop_job *job,
			struct log_owners *owners, struct error *err)
{
	struct arena arena = ARENA_INIT;
	struct log_paths paths;
	const struct catalog_entry *entry = job->result->entry;
	if (service_log_paths(project, &project->state, entry, &arena, &paths, err) == 0 &&
	    remove_log(project, owners, entry->name, paths.out, err) == 0 &&
	    paths.error != paths.out)
		remove_log(project, owners, entry->name, paths.error, err);
	arena_release(&arena);
}

/* What is gone loses its record; what is not keeps it, without the wish to stop it. */
static void job_finish(const struct project *project, struct stop_job *job,
		       const struct stop_options *options, struct log_owners *owners)
{
	struct stop_result *result = job->result;
	free(job->signalled);
	stop_hooks_release(job);
	/* a service that waited for its next try had no process, but was meant to have one */
	if (job->supervisor.pid && result->outcome == STOP_NOT_RUNNING)
		result->outcome = STOP_STOPPED;
	if (result->outcome == STOP_FAILED) {
		(void)state_remove(&project->state, result->entry->name, STATE_FILE_STOP, NULL);
		/* of whom nothing was asked yet goes on as before */
		if (job->asked)
			supervisor_kill(&job->supervisor);
		else
			supervisor_let_go(&job->supervisor);
		return;
	}
	supervisor_kill(&job->supervisor);
	if (job->removes_logs)
		remove_logs(project, job, owners, &result->error);
	if (drop_record(project, job, options) < 0)
		error_prefix(&result->error, "'%s' has ended, but its record stays",
			     result->entry->name);
	if (result->error.message)
		result->outcome = STOP_FAILED;
}

static void run_jobs(struct project *project, struct stop_job *jobs, size_t count,
		     const struct stop_options *options)
{
	struct stop_engine engine = {
		.options = options,
		.state = options->keep_intent ? NULL : &project->state,
		.jobs = memory_zalloc(count, sizeof(*engine.jobs)),
		.claims = memory_zalloc(count, sizeof(*engine.claims)),
		.table = PROCESS_TABLE_INIT,
	};
	struct stop_job **origins CLEANUP_FREE = memory_zalloc(count, sizeof(struct stop_job *));
	for (size_t i = 0; i < count; i++) {
		if (!jobs[i].active)
			continue;
		struct stop_job *job = &engine.jobs[engine.count];
		*job = jobs[i];
		engine.claims[engine.count] = stop_job_claim(&jobs[i]);
		origins[engine.count++] = &jobs[i];
	}
	stop_hooks_run_before(engine.jobs, engine.count);
	if (engine.count)
		stop_engine_run(&engine);
	stop_hooks_run_after(engine.jobs, engine.count);
	struct log_owners *owners = log_owners_create(LOG_OWNERS_KNOWN);
	for (size_t i = 0; i < engine.count; i++) {
		*origins[i] = engine.jobs[i];
		job_finish(project, origins[i], options, owners);
	}
	log_owners_free(owners);
	free(engine.jobs);
	free(engine.claims);
}

static void stop_batch(struct project *project, const struct catalog_entry *const *entries,
		       size_t count, const struct stop_options *options,
		       struct stop_result *results)
{
	struct stop_job *jobs CLEANUP_FREE = memory_zalloc(count, sizeof(*jobs));
	struct locked_service *locks CLEANUP_FREE = memory_zalloc(count, sizeof(*locks));
	for (size_t i = 0; i < count; i++)
		locks[i].entry = entries[i];
	lock_services(project, locks, count);
	for (size_t i = 0; i < count; i++) {
		results[i] = (struct stop_result){ .entry = entries[i],
						   .outcome = STOP_NOT_RUNNING,
						   .error = locks[i].error,
						   .lock = locks[i].lock };
		jobs[i] = (struct stop_job){ .result = &results[i],
					     .supervisor = HELD_SUPERVISOR_NONE,
					     .leader_pidfd = -1 };
		if (results[i].error.message)
			results[i].outcome = STOP_FAILED;
		else if (locks[i].lock >= 0)
			job_begin(project, &jobs[i], options);
	}
	stop_guard(jobs, count);
	hold_supervisors(project, jobs, count, options);
	run_jobs(project, jobs, count, options);
	for (size_t i = 0; i < count && !options->keep_locks; i++) {
		if (results[i].lock >= 0)
			close(results[i].lock);
		results[i].lock = -1;
	}
}

size_t stop_batch_size(void)
{
	size_t budget = file_descriptor_budget();
	size_t room =
	    budget > 2 * DESCRIPTORS_FOR_MEMBERS ? budget - DESCRIPTORS_FOR_MEMBERS : budget / 2;
	return room > DESCRIPTORS_PER_SERVICE ? room / DESCRIPTORS_PER_SERVICE : 1;
}

int stop_services(struct project *project, const struct selection *selection,
		  const struct stop_options *options, struct stop_result *results,
		  struct error *err)
{
	size_t batch = stop_batch_size();
	if (options->keep_locks && selection->count > batch)
		return error_set(
		    err, ERROR_FAILED,
		    "%zu services at once need more open files than 'ulimit -n' allows",
		    selection->count);
	/* from the end: the last of pmo.yml stops first, also where it takes several batches */
	for (size_t end = selection->count; end > 0;) {
		size_t begin = end > batch ? end - batch : 0;
		stop_batch(project, selection->entries + begin, end - begin, options,
			   results + begin);
		end = begin;
	}
	return 0;
}

int stop_one_run(const struct stop_run *run, struct error *err)
{
	const struct stop_options options = { .timeout_ns = -1 };
	struct stop_result result = { .entry = run->entry, .lock = -1 };
	struct stop_job job = {
		.result = &result,
		.record.identity = run->identity,
		.supervisor = { run->supervisor.pid, run->supervisor.ticks, -1 },
		.signal = run->signal,
		.timeout_ns = run->timeout_ns,
		.leader_pidfd = -1,
		.active = true,
	};
	struct claim claim = stop_job_claim(&job);
	struct stop_engine engine = {
		.options = &options,
		.jobs = &job,
		.claims = &claim,
		.count = 1,
		.table = PROCESS_TABLE_INIT,
	};
	stop_engine_run(&engine);
	free(job.signalled);
	if (result.outcome != STOP_FAILED)
		return 0;
	*err = result.error;
	return -1;
}

void stop_results_release(struct stop_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		error_clear(&results[i].error);
		if (results[i].lock >= 0)
			close(results[i].lock);
		results[i].lock = -1;
	}
}
