#include "service/snapshot_members.h"

#include "base/memory.h"
#include "model/process_memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void snapshot_link_members(struct snapshot_work *work)
{
	size_t count = work->snapshot->processes.count;
	work->next_member = memory_alloc(count * sizeof(int));
	work->first_member = memory_alloc(work->claim_count * sizeof(int));
	for (size_t i = 0; i < work->claim_count; i++)
		work->first_member[i] = NOBODY;
	for (size_t i = count; i-- > 0;) {
		int owner = work->owners[i];
		if (owner == NOBODY)
			continue;
		work->next_member[i] = work->first_member[owner];
		work->first_member[owner] = (int)i;
	}
}

void snapshot_work_release(struct snapshot_work *work)
{
	free(work->claims);
	free(work->claim_services);
	free(work->owners);
	free(work->percent);
	free(work->first_member);
	free(work->next_member);
}

static void sum_members(const struct snapshot_work *work, struct service_status *service, int claim)
{
	double percent = 0;
	int64_t memory = 0;
	service->member_count = 0;
	for (int at = work->first_member[claim]; at != NOBODY; at = work->next_member[at]) {
		service->member_count++;
		memory += work->snapshot->processes.items[at].resident_bytes;
		if (work->percent && !isnan(work->percent[at]))
			percent += work->percent[at];
	}
	if (service->member_count == 0)
		return;
	service->memory_bytes = memory;
	if (work->percent)
		service->cpu_percent = percent;
}

/* A process whose main thread has ended has no peak to read, but something is resident. */
static int64_t peak_memory(const struct process_table *table, int at)
{
	int64_t peak = process_read_peak_memory(table->proc_fd, table->items[at].pid);
	return peak > table->items[at].resident_bytes ? peak : table->items[at].resident_bytes;
}

/* What has been used since the start. */
static void sum_past(const struct snapshot_work *work, struct service_status *service, int claim)
{
	const struct process_table *table = &work->snapshot->processes;
	uint64_t ticks = 0;
	int64_t peak = 0;
	for (int at = work->first_member[claim]; at != NOBODY; at = work->next_member[at]) {
		ticks += table->items[at].cpu_ticks + table->items[at].child_cpu_ticks;
		peak += peak_memory(table, at);
	}
	service->memory_peak_bytes = peak;
	service->cpu_seconds = (double)ticks / (double)process_ticks_per_second();
}

static bool is_member(const struct snapshot_work *work, pid_t pid, int claim)
{
	const struct process *process = process_table_find(&work->snapshot->processes, pid);
	return process && work->owners[process - work->snapshot->processes.items] == claim;
}

static void add_member(struct snapshot_work *work, struct service_status *service, int at,
		       int depth)
{
	struct process_table *table = &work->snapshot->processes;
	struct buffer command CLEANUP_BUFFER = BUFFER_INIT;
	process_append_command(table->proc_fd, &table->items[at], &command);
	service->members[service->member_count++] = (struct member){
		.process = &table->items[at],
		.depth = depth,
		.cpu_percent = work->percent ? work->percent[at] : NAN,
		.command = arena_strdup(&work->snapshot->arena, buffer_string(&command)),
	};
}

/* Add AT and what descends from it, parents before children. A process that has moved between two
 * reads cannot lead round in a circle: nothing is added twice. */
static void add_subtree(struct snapshot_work *work, struct service_status *service, int claim,
			int at, int depth, bool *added)
{
	const struct process *items = work->snapshot->processes.items;
	added[at] = true;
	add_member(work, service, at, depth);
	for (int child = work->first_member[claim]; child != NOBODY;
	     child = work->next_member[child])
		if (!added[child] && items[child].parent == items[at].pid)
			add_subtree(work, service, claim, child, depth + 1, added);
}

static void list_members(struct snapshot_work *work, struct service_status *service, int claim)
{
	const struct process_table *table = &work->snapshot->processes;
	bool *added CLEANUP_FREE = memory_zalloc(table->count, sizeof(*added));
	service->members =
	    arena_alloc(&work->snapshot->arena, service->member_count * sizeof(struct member));
	service->member_count = 0;
	for (int at = work->first_member[claim]; at != NOBODY; at = work->next_member[at])
		if (table->items[at].pid == service->pid)
			add_subtree(work, service, claim, at, 0, added);
	for (int at = work->first_member[claim]; at != NOBODY; at = work->next_member[at])
		if (!added[at] && !is_member(work, table->items[at].parent, claim))
			add_subtree(work, service, claim, at, 0, added);
}

static struct gpu_total *gpu_total_for(struct service_status *service, const struct gpu_use *use)
{
	for (size_t i = 0; i < service->gpu_count; i++) {
		struct gpu_total *total = &service->gpus[i];
		if (total->index == use->index && strcmp(total->uuid, use->uuid) == 0)
			return total;
	}
	struct gpu_total *total = &service->gpus[service->gpu_count++];
	*total = (struct gpu_total){ .index = use->index, .uuid = use->uuid };
	return total;
}

static void add_gpu_use(struct service_status *service, const struct gpu_use *use)
{
	struct gpu_total *total = gpu_total_for(service, use);
	if (use->memory_bytes < 0)
		total->memory_bytes = -1;
	else if (total->memory_bytes >= 0)
		total->memory_bytes += use->memory_bytes;
}

static int compare_gpus(const void *left, const void *right)
{
	const struct gpu_total *a = left;
	const struct gpu_total *b = right;
	if (a->index != b->index)
		return (a->index > b->index) - (a->index < b->index);
	return strcmp(a->uuid, b->uuid);
}

static void sum_gpus(struct snapshot_work *work, struct service_status *service, int claim)
{
	const struct gpu_report *report = &work->snapshot->gpus;
	service->gpu_known = report->known;
	for (size_t i = 0; i < report->count; i++) {
		if (!is_member(work, report->uses[i].pid, claim))
			continue;
		if (!service->gpus)
			service->gpus = arena_alloc(&work->snapshot->arena,
						    report->count * sizeof(*service->gpus));
		add_gpu_use(service, &report->uses[i]);
	}
	if (service->gpu_count)
		qsort(service->gpus, service->gpu_count, sizeof(*service->gpus), compare_gpus);
}

void snapshot_fill_members(struct snapshot_work *work, struct service_status *service, int claim,
			   enum snapshot_detail detail)
{
	sum_members(work, service, claim);
	sum_gpus(work, service, claim);
	if (detail != SNAPSHOT_LIST && service->member_count)
		sum_past(work, service, claim);
	if (detail == SNAPSHOT_STATUS && service->member_count)
		list_members(work, service, claim);
}
