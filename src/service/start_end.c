/* How a start turns out: the exec's result, and an end during the watch. */
#include "service/start_job.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "os/lock.h"
#include "os/logfile.h"
#include "service/survivors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_LINES = 10, OUTPUT_LIMIT = 16384 };

static const char *job_name(const struct start_job *job)
{
	return job->result->entry->name;
}

static void write_end(const struct state *state, const struct start_job *job,
		      const struct exit_record *end)
{
	struct record record;
	state_read_identity(state, job_name(job), &record);
	if (!record.valid || strcmp(record.identity.mark, job->mark) != 0)
		return;
	(void)state_write_exit(state, job_name(job), end, NULL);
	if (job->result->survivors > 0)
		return;
	(void)state_remove(state, job_name(job), STATE_FILE_PID, NULL);
	(void)state_remove(state, job_name(job), STATE_FILE_TIME, NULL);
}

static bool wait_for_lock(const struct start_job *job, int lock)
{
	return lock >= 0 &&
	       lock_wait(lock, clock_monotonic_ns() + LOCK_TIMEOUT_NS, job_name(job), NULL) == 0;
}

/* Put the end of this run on record, unless another command has changed the record since. With
 * survivors .pid stays: they are found through it. */
static void record_end(const struct start_operation *operation, const struct start_job *job,
		       const struct exit_record *end)
{
	const struct state *state = &operation->project->state;
	int lock CLEANUP_CLOSE = state_open_lock(state, job_name(job), NULL);
	if (wait_for_lock(job, lock))
		write_end(state, job, end);
}

/* What another command has done to the service, as a message says it; NULL if it ended by itself.
 * *locked tells whether LOCK could be taken. Who holds it and has left the mark of a stop is not
 * waited for. */
static const char *change_by_other(const struct state *state, const struct start_job *job, int lock,
				   bool *locked)
{
	struct record record;
	*locked = lock >= 0 && lock_try(lock, job_name(job), NULL) == LOCK_TAKEN;
	if (!*locked) {
		state_read(state, job_name(job), &record);
		if (record.stopping && lock >= 0)
			return "stopped";
		*locked = wait_for_lock(job, lock);
	}
	if (!*locked)
		return NULL;
	state_read_identity(state, job_name(job), &record);
	if (!record.valid)
		return record.unreadable || record.damaged ? NULL : "stopped";
	return strcmp(record.identity.mark, job->mark) == 0 ? NULL : "started anew";
}

void start_job_settle(const struct start_operation *operation, struct start_job *job)
{
	if (job->supervised) {
		start_job_settle_supervised(operation, job);
		return;
	}
	int exec_errno = 0;
	int result =
	    spawn_finish(&job->flight->plan, &job->child, &exec_errno, &job->result->error);
	job->watched = result == 0 && job->flight->launch.definition->start_watch_ns > 0;
	start_job_release(job);
	if (result == 0 && !job->watched) {
		/* every fork copies what is open */
		close(job->child.pidfd);
		job->child.pidfd = -1;
	}
	if (result == 0)
		return;
	struct exit_record end = {
		.kind = EXIT_CODE,
		.value = exec_errno == ENOENT ? 127 : 126,
		.at_realtime_ns = clock_realtime_ns(),
	};
	spawn_reap(&job->child, NULL);
	record_end(operation, job, &end);
	start_job_fail(job);
}

static struct exit_record exit_from_wait(int wait_status)
{
	struct exit_record end = { .at_realtime_ns = clock_realtime_ns() };
	if (WIFSIGNALED(wait_status)) {
		end.kind = EXIT_SIGNAL;
		end.value = WTERMSIG(wait_status);
	} else {
		end.kind = EXIT_CODE;
		end.value = WEXITSTATUS(wait_status);
	}
	return end;
}

static void describe_end(struct start_job *job, const struct exit_record *end)
{
	struct error *err = &job->result->error;
	char name[16];
	if (end->kind == EXIT_SIGNAL) {
		units_format_signal(end->value, name, sizeof(name));
		error_set(err, ERROR_FAILED, "'%s' was ended at once by signal %s", job_name(job),
			  name);
	} else {
		error_set(err, ERROR_FAILED, "'%s' ended at once with exit status %d",
			  job_name(job), end->value);
	}
}

/* The log begins with the header of this run: that is not what the service said. */
static void drop_header(struct buffer *output)
{
	static const char header[] = "--- Starting service ";
	const char *text = buffer_string(output);
	const char *newline = strchr(text, '\n');
	if (strncmp(text, header, strlen(header)) != 0 || !newline)
		return;
	char *rest CLEANUP_FREE = memory_strdup(newline + 1);
	buffer_clear(output);
	buffer_append_string(output, rest);
}

/* The last lines of this run: from its error log, or from the other one if that says nothing. */
static void gather_output(const struct start_operation *operation, struct start_job *job)
{
	struct arena arena = ARENA_INIT;
	struct log_paths paths;
	struct buffer *output = &job->result->output;
	if (service_log_paths(operation->project, &operation->project->state, job->result->entry,
			      &arena, &paths, NULL) == 0) {
		const char *const files[] = { paths.error, paths.out };
		for (size_t i = 0; i < ARRAY_LENGTH(files) && output->length == 0; i++) {
			logfile_read_last(files[i], OUTPUT_LINES, OUTPUT_LIMIT, output, NULL, NULL);
			drop_header(output);
		}
	}
	arena_release(&arena);
}

void start_job_tell_end(const struct start_operation *operation, struct start_job *job,
			const struct exit_record *end)
{
	bool failed = end->kind == EXIT_SIGNAL || end->value != 0;
	job->result->outcome = failed ? START_FAILED : START_FINISHED;
	if (!failed)
		return;
	gather_output(operation, job);
	describe_end(job, end);
}

void start_job_ended(const struct start_operation *operation, struct start_job *job)
{
	if (job->supervised) {
		start_job_ended_supervised(operation, job);
		return;
	}
	int wait_status = 0;
	int group CLEANUP_CLOSE = fcntl(job->child.pidfd, F_DUPFD_CLOEXEC, 0);
	if (!spawn_reap(&job->child, &wait_status))
		return;
	const struct state *state = &operation->project->state;
	bool locked;
	int lock CLEANUP_CLOSE = state_open_lock(state, job_name(job), NULL);
	const char *change = change_by_other(state, job, lock, &locked);
	if (change) {
		error_set(&job->result->error, ERROR_FAILED, "'%s' was %s by another command",
			  job_name(job), change);
		job->result->outcome = START_FAILED;
		return;
	}
	struct exit_record end = exit_from_wait(wait_status);
	struct identity identity = start_job_identity(operation, job);
	job->result->survivors = survivors_count(&identity, group);
	/* the record is about to go, and with it the way to custom log files */
	start_job_tell_end(operation, job, &end);
	if (locked)
		write_end(state, job, &end);
}
