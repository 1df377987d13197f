#include "service/delete.h"

#include "base/memory.h"
#include "os/logfile.h"
#include "service/discard.h"
#include "service/paths.h"

#include <unistd.h>

static int remove_logs(const struct service_paths *paths, struct error *err)
{
	if (paths->log_out && logfile_remove(paths->log_out, err) < 0)
		return -1;
	if (paths->log_error && paths->log_error != paths->log_out)
		return logfile_remove(paths->log_error, err);
	return 0;
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
	    remove_logs(paths, err) < 0)
		result->outcome = STOP_FAILED;
}

int delete_services(struct project *project, const struct selection *selection,
		    const struct stop_options *options, struct stop_result *results,
		    struct error *err)
{
	struct arena arena = ARENA_INIT;
	struct stop_options keeping = *options;
	keeping.keep_locks = true;
	/* the stop removes the record that tells where custom logs are */
	struct service_paths *paths CLEANUP_FREE = memory_zalloc(selection->count, sizeof(*paths));
	for (size_t i = 0; i < selection->count; i++)
		service_paths_find(project, &project->state, selection->entries[i], &arena,
				   &paths[i], NULL);
	int result = stop_services(project, selection, &keeping, results, err);
	for (size_t i = 0; result == 0 && i < selection->count; i++) {
		delete_one(project, &paths[i], &results[i]);
		if (results[i].lock >= 0)
			close(results[i].lock);
		results[i].lock = -1;
	}
	arena_release(&arena);
	return result;
}
