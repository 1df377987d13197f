#include "service/delete.h"

#include "base/file.h"
#include "base/memory.h"
#include "os/logfile.h"
#include "service/discard.h"
#include "service/log_owners.h"
#include "service/paths.h"

#include <string.h>
#include <unistd.h>

/* A service under deletion takes its lock, its pidfd and its supervisor's, and as much again for
 * what it left behind. */
enum { DESCRIPTORS_PER_SERVICE = 6 };

static const enum state_log log_forms[] = { STATE_LOG_OUT, STATE_LOG_ERROR, STATE_LOG_MERGED };

/* A log that something else still writes stays. */
static int remove_log(const struct project *project, struct log_owners *owners, const char *name,
		      const char *path, enum log_writer kind, struct error *err)
{
	if (!logfile_exists(path) || log_owners_has_other(owners, project, name, path, kind))
		return 0;
	return logfile_remove(path, err);
}

static int remove_known_logs(const struct project *project, struct log_owners *owners,
			     const char *name, const struct service_paths *paths, struct error *err)
{
	if (paths->log_out &&
	    remove_log(project, owners, name, paths->log_out, LOG_WRITER_RUNNING, err) < 0)
		return -1;
	if (paths->log_error && paths->log_error != paths->log_out)
		return remove_log(project, owners, name, paths->log_error, LOG_WRITER_RUNNING, err);
	return 0;
}

/* Those that were written before merge_logs or the log files of the service changed. */
static int remove_earlier_logs(const struct project *project, struct log_owners *owners,
			       const char *name, const struct service_paths *known,
			       struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(log_forms); i++) {
		char *path CLEANUP_FREE = state_log_path(&project->state, name, log_forms[i]);
		bool done = known->log_out && (strcmp(path, known->log_out) == 0 ||
					       strcmp(path, known->log_error) == 0);
		if (!done)
			result = remove_log(project, owners, name, path, LOG_WRITER_POSSIBLE, err);
	}
	return result;
}

static void delete_one(struct project *project, struct log_owners *owners,
		       const struct service_paths *paths, struct stop_result *result)
{
	const char *name = result->entry->name;
	struct error *err = &result->error;
	if (result->outcome == STOP_FAILED)
		return;
	if (record_remove(&project->state, name, NULL, err) < 0 ||
	    state_remove(&project->state, name, STATE_FILE_RESTARTS, err) < 0 ||
	    remove_known_logs(project, owners, name, paths, err) < 0 ||
	    remove_earlier_logs(project, owners, name, paths, err) < 0)
		result->outcome = STOP_FAILED;
}

static int delete_batch(struct project *project, struct log_owners *owners,
			const struct selection *batch, const struct stop_options *options,
			struct stop_result *results, struct error *err)
{
	struct arena arena = ARENA_INIT;
	/* the stop removes the record that tells where custom logs are */
	struct service_paths *paths CLEANUP_FREE = memory_zalloc(batch->count, sizeof(*paths));
	for (size_t i = 0; i < batch->count; i++)
		service_paths_find(project, &project->state, batch->entries[i], &arena, &paths[i],
				   NULL);
	int result = stop_services(project, batch, options, results, err);
	for (size_t i = 0; result == 0 && i < batch->count; i++) {
		delete_one(project, owners, &paths[i], &results[i]);
		if (results[i].lock >= 0)
			close(results[i].lock);
		results[i].lock = -1;
	}
	arena_release(&arena);
	return result;
}

int delete_services(struct project *project, const struct selection *selection,
		    const struct stop_options *options, struct stop_result *results,
		    struct error *err)
{
	struct stop_options keeping = *options;
	keeping.keep_locks = true;
	size_t most = file_descriptor_budget() / DESCRIPTORS_PER_SERVICE;
	most = most > stop_batch_size() ? stop_batch_size() : most;
	most = most > 0 ? most : 1;
	struct log_owners *owners = log_owners_create(LOG_OWNERS_KNOWN);
	int result = 0;
	/* from the end, as stop_services does */
	for (size_t end = selection->count; result == 0 && end > 0;) {
		size_t begin = end > most ? end - most : 0;
		const struct selection batch = { .entries = selection->entries + begin,
						 .count = end - begin };
		result = delete_batch(project, owners, &batch, &keeping, results + begin, err);
		end = begin;
	}
	log_owners_free(owners);
	return result;
}
