#include "service/flush.h"

#include "base/clock.h"
#include "os/lock.h"
#include "os/logfile.h"
#include "service/liveness.h"

#include <stdlib.h>
#include <string.h>

/* Another command that starts or stops the service opens or needs its logs. Returns 0 with *lock -1
 * where nothing was ever started. */
static int lock_service(const struct project *project, const char *name, int *lock,
			struct error *err)
{
	*lock = -1;
	if (project->state.pids_fd < 0)
		return 0;
	*lock = state_open_lock(&project->state, name, err);
	if (*lock < 0)
		return -1;
	return lock_wait(*lock, clock_monotonic_ns() + LOCK_TIMEOUT_NS, name, err);
}

/* HOW is what would be right if no other service wrote there. */
static int flush_path(const struct project *project, struct log_owners *owners, const char *name,
		      const char *path, enum flush_result how, struct error *err)
{
	if (how == FLUSH_REMOVED &&
	    !log_owners_has_other(owners, project, name, path, LOG_WRITER_RUNNING))
		return logfile_remove(path, err);
	return logfile_flush(path, err);
}

enum flush_result service_flush_logs(const struct project *project, struct log_owners *owners,
				     const struct service_log *log, struct error *err)
{
	int lock CLEANUP_CLOSE = -1;
	const struct log_paths *paths = &log->paths;
	enum flush_result how = FLUSH_EMPTIED;
	if (!logfile_exists(paths->out) && !logfile_exists(paths->error))
		return FLUSH_NOTHING;
	if (log->owner != LOG_OWNER_OTHER_HOST) {
		if (lock_service(project, log->name, &lock, err) < 0)
			return FLUSH_FAILED;
		if (!service_may_write(project, log->name))
			how = FLUSH_REMOVED;
	}
	if (flush_path(project, owners, log->name, paths->out, how, err) < 0 ||
	    (paths->error != paths->out &&
	     flush_path(project, owners, log->name, paths->error, how, err) < 0))
		return FLUSH_FAILED;
	return how;
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The paths that were flushed, sorted, for the caller to free. */
static const char **selected_paths(const struct log_selection *selection, size_t *count)
{
	const char **paths = memory_zalloc(2 * selection->count + 1, sizeof(*paths));
	*count = 0;
	for (size_t i = 0; i < selection->count; i++) {
		paths[(*count)++] = selection->items[i].paths.out;
		paths[(*count)++] = selection->items[i].paths.error;
	}
	qsort(paths, *count, sizeof(*paths), compare_texts);
	return paths;
}

/* Whether something may write to PATH: a running service of that name, or of the name without what
 * its kind of log adds. */
static bool path_may_be_written(const struct project *project, const char *path)
{
	static const char *const endings[] = { ".log", "-out.log", "-error.log" };
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
		size_t ending = strlen(endings[i]);
		if (length <= ending || strcmp(base + length - ending, endings[i]) != 0)
			continue;
		char *name CLEANUP_FREE = memory_strndup(base, length - ending);
		if (service_may_write(project, name))
			return true;
	}
	return false;
}

int service_flush_left_over(const struct project *project, const struct log_selection *selection,
			    size_t *flushed, struct error *err)
{
	struct logfile_list list;
	size_t known_count;
	*flushed = 0;
	if (logfile_list(&list, project->state.logs_directory, err) < 0)
		return -1;
	const char **known CLEANUP_FREE = selected_paths(selection, &known_count);
	int result = 0;
	for (size_t i = 0; i < list.count; i++) {
		const char *path = list.paths[i];
		if (bsearch(&path, known, known_count, sizeof(*known), compare_texts))
			continue;
		bool written = path_may_be_written(project, path);
		if ((written ? logfile_flush : logfile_remove)(path, err) < 0)
			result = -1;
		else
			(*flushed)++;
	}
	logfile_list_release(&list);
	return result;
}
