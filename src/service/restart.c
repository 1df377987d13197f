#include "service/restart.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <unistd.h>

/* All locks are held at once, and the pidfds of those that are being stopped. */
enum { DESCRIPTORS_PER_SERVICE = 4 };

/* Some of the services, and where in the caller's results each belongs. */
struct subset {
	struct selection selection;
	size_t *origin;
};

static struct subset subset_create(size_t capacity)
{
	return (struct subset){
		.selection.entries = memory_zalloc(capacity, sizeof(struct catalog_entry *)),
		.origin = memory_zalloc(capacity, sizeof(size_t)),
	};
}

static void subset_add(struct subset *subset, const struct catalog_entry *entry, size_t origin)
{
	subset->origin[subset->selection.count] = origin;
	subset->selection.entries[subset->selection.count++] = entry;
}

static void subset_release(struct subset *subset)
{
	free(subset->origin);
	selection_release(&subset->selection);
}

static int refuse(struct start_result *result)
{
	error_prefix(&result->error, "cannot restart '%s'", result->entry->name);
	result->outcome = START_FAILED;
	return -1;
}

/* A service that cannot be started again is not stopped. */
static int check(const struct launcher *launcher, struct start_result *result)
{
	struct launch launch;
	struct error *err = &result->error;
	if (!result->entry->configured) {
		error_set(err, ERROR_FAILED, "it is no longer in pmo.yml");
		return refuse(result);
	}
	if (launch_prepare(&launch, launcher, result->entry->definition, err) < 0)
		return refuse(result);
	int problem = launch_check(&launch, launcher, err);
	launch_release(&launch);
	return problem < 0 ? refuse(result) : 0;
}

static int stop_subset(struct project *project, struct subset *subset,
		       const struct stop_options *options, struct restart_result *results,
		       struct error *err)
{
	size_t count = subset->selection.count;
	struct stop_options keeping = *options;
	keeping.keep_locks = true;
	keeping.keep_intent = true;
	struct stop_result *stops CLEANUP_FREE = memory_zalloc(count, sizeof(*stops));
	if (stop_services(project, &subset->selection, &keeping, stops, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct restart_result *result = &results[subset->origin[i]];
		result->stop = stops[i];
		result->attempted = true;
		if (stops[i].outcome == STOP_FAILED)
			result->start.outcome = START_FAILED;
	}
	return 0;
}

static int start_subset(struct project *project, const struct launcher *launcher,
			struct subset *subset, const struct start_options *options,
			struct restart_result *results, struct error *err)
{
	size_t count = subset->selection.count;
	int *locks CLEANUP_FREE = memory_zalloc(count, sizeof(*locks));
	struct start_result *starts CLEANUP_FREE = memory_zalloc(count, sizeof(*starts));
	for (size_t i = 0; i < count; i++)
		locks[i] = results[subset->origin[i]].stop.lock;
	struct start_options counting = *options;
	counting.mode = START_RESTART;
	counting.locks = locks;
	if (start_services(project, launcher, &subset->selection, &counting, starts, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		results[subset->origin[i]].start = starts[i];
		results[subset->origin[i]].stop.lock = -1;
	}
	return 0;
}

static int restart_some(struct project *project, const struct launcher *launcher,
			const struct selection *selection, const struct stop_options *stop,
			const struct start_options *start, struct restart_result *results,
			struct error *err)
{
	struct subset stopping = subset_create(selection->count);
	struct subset starting = subset_create(selection->count);
	for (size_t i = 0; i < selection->count; i++) {
		const struct catalog_entry *entry = selection->entries[i];
		results[i] = (struct restart_result){ .entry = entry,
						      .stop.lock = -1,
						      .start.entry = entry };
		if (check(launcher, &results[i].start) == 0)
			subset_add(&stopping, entry, i);
	}
	int result = stop_subset(project, &stopping, stop, results, err);
	for (size_t i = 0; result == 0 && i < selection->count; i++)
		if (results[i].attempted && results[i].stop.outcome != STOP_FAILED)
			subset_add(&starting, results[i].entry, i);
	if (result == 0)
		result = start_subset(project, launcher, &starting, start, results, err);
	/* a stop that failed still holds its lock, and so does what could not be begun to start */
	for (size_t i = 0; i < selection->count; i++) {
		if (results[i].stop.lock >= 0)
			close(results[i].stop.lock);
		results[i].stop.lock = -1;
	}
	subset_release(&stopping);
	subset_release(&starting);
	return result;
}

int restart_services(struct project *project, const struct launcher *launcher,
		     const struct selection *selection, const struct stop_options *stop,
		     const struct start_options *start, struct restart_result *results,
		     struct error *err)
{
	size_t room = file_descriptor_budget() / DESCRIPTORS_PER_SERVICE;
	size_t most = room < stop_batch_size() ? room : stop_batch_size();
	size_t chunk = most > 0 ? most : 1;
	/* a service that cannot be put on record again must not be stopped */
	if (project_prepare_state(project, err) < 0)
		return -1;
	for (size_t begin = 0; begin < selection->count; begin += chunk) {
		size_t left = selection->count - begin;
		const struct selection some = {
			.entries = selection->entries + begin,
			.count = left < chunk ? left : chunk,
		};
		if (restart_some(project, launcher, &some, stop, start, results + begin, err) < 0)
			return -1;
	}
	return 0;
}

void restart_results_release(struct restart_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		stop_results_release(&results[i].stop, 1);
		start_results_release(&results[i].start, 1);
	}
}
