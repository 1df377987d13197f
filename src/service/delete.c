#include "service/delete.h"

#include "base/file.h"
#include "base/memory.h"
#include "os/logfile.h"
#include "service/discard.h"
#include "service/launch.h"
#include "service/paths.h"

#include <string.h>
#include <unistd.h>

/* A service under deletion takes its lock, a pidfd, and room for what it left behind. */
enum { DESCRIPTORS_PER_SERVICE = 4 };

static const enum state_log log_forms[] = { STATE_LOG_OUT, STATE_LOG_ERROR, STATE_LOG_MERGED };

static int remove_known_logs(const struct service_paths *paths, struct error *err)
{
	if (paths->log_out && logfile_remove(paths->log_out, err) < 0)
		return -1;
	if (paths->log_error && paths->log_error != paths->log_out)
		return logfile_remove(paths->log_error, err);
	return 0;
}

/* Whether ENTRY writes to PATH, or would with or without merge_logs. */
static bool may_own(const struct project *project, const struct catalog_entry *entry,
		    const char *path)
{
	struct arena arena = ARENA_INIT;
	struct log_paths paths;
	for (size_t i = 0; i < ARRAY_LENGTH(log_forms); i++) {
		char *form CLEANUP_FREE =
		    state_log_path(&project->state, entry->name, log_forms[i]);
		if (strcmp(form, path) == 0)
			return true;
	}
	/* where it cannot be known, the log stays */
	bool owns = service_log_paths(project, &project->state, entry, &arena, &paths, NULL) < 0 ||
		    strcmp(paths.out, path) == 0 || strcmp(paths.error, path) == 0;
	arena_release(&arena);
	return owns;
}

static bool belongs_to_other(const struct project *project, const char *name, const char *path)
{
	for (size_t i = 0; i < project->catalog.count; i++) {
		const struct catalog_entry *entry = &project->catalog.entries[i];
		if (strcmp(entry->name, name) != 0 && may_own(project, entry, path))
			return true;
	}
	return false;
}

/* Those that were written before merge_logs or the log files of the service changed. */
static int remove_earlier_logs(const struct project *project, const char *name,
			       const struct service_paths *known, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < ARRAY_LENGTH(log_forms); i++) {
		char *path CLEANUP_FREE = state_log_path(&project->state, name, log_forms[i]);
		bool done = known->log_out && (strcmp(path, known->log_out) == 0 ||
					       strcmp(path, known->log_error) == 0);
		if (!done && logfile_exists(path) && !belongs_to_other(project, name, path))
			result = logfile_remove(path, err);
	}
	return result;
}

static void delete_one(struct project *project, const struct service_paths *paths,
		       struct stop_result *result)
{
	const char *name = result->entry->name;
	struct error *err = &result->error;
	if (result->outcome == STOP_FAILED)
		return;
	if (record_remove(&project->state, name, err) < 0 ||
	    state_remove(&project->state, name, STATE_FILE_RESTARTS, err) < 0 ||
	    remove_known_logs(paths, err) < 0 || remove_earlier_logs(project, name, paths, err) < 0)
		result->outcome = STOP_FAILED;
}

static int delete_batch(struct project *project, const struct selection *batch,
			const struct stop_options *options, struct stop_result *results,
			struct error *err)
{
	struct arena arena = ARENA_INIT;
	/* the stop removes the record that tells where custom logs are */
	struct service_paths *paths CLEANUP_FREE = memory_zalloc(batch->count, sizeof(*paths));
	for (size_t i = 0; i < batch->count; i++)
		service_paths_find(project, &project->state, batch->entries[i], &arena, &paths[i],
				   NULL);
	int result = stop_services(project, batch, options, results, err);
	for (size_t i = 0; result == 0 && i < batch->count; i++) {
		delete_one(project, &paths[i], &results[i]);
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
	most = most > 0 ? most : 1;
	/* from the end, as stop_services does */
	for (size_t end = selection->count; end > 0;) {
		size_t begin = end > most ? end - most : 0;
		const struct selection batch = { .entries = selection->entries + begin,
						 .count = end - begin };
		if (delete_batch(project, &batch, &keeping, results + begin, err) < 0)
			return -1;
		end = begin;
	}
	return 0;
}
