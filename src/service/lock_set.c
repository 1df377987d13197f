#include "service/lock_set.h"

#include "base/clock.h"
#include "base/memory.h"
#include "os/lock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_names(const void *left, const void *right)
{
	const struct locked_service *const *a = left;
	const struct locked_service *const *b = right;
	return strcmp((*a)->entry->name, (*b)->entry->name);
}

static void lock_one(const struct project *project, struct locked_service *service,
		     int64_t deadline_ns)
{
	const char *name = service->entry->name;
	service->lock = state_open_lock(&project->state, name, &service->error);
	if (service->lock < 0)
		return;
	if (lock_wait(service->lock, deadline_ns, name, &service->error) < 0) {
		close(service->lock);
		service->lock = -1;
	}
}

void lock_services(const struct project *project, struct locked_service *services, size_t count)
{
	int64_t deadline_ns = clock_monotonic_ns() + LOCK_TIMEOUT_NS;
	struct locked_service **order CLEANUP_FREE =
	    memory_zalloc(count, sizeof(struct locked_service *));
	for (size_t i = 0; i < count; i++) {
		order[i] = &services[i];
		services[i].lock = -1;
	}
	if (project->state.pids_fd < 0)
		return;
	qsort(order, count, sizeof(struct locked_service *), compare_names);
	for (size_t i = 0; i < count; i++)
		lock_one(project, order[i], deadline_ns);
}
