#include "service/lineage.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* More than any chain of ancestors; one that has become a ring ends here. */
enum { MOST_ANCESTORS = 4096 };

static int add(struct process_table *table, pid_t pid, struct process *process)
{
	int result = process_read(table->proc_fd, pid, process);
	if (result < 0)
		return result;
	MEMORY_GROW(table->items, table->count, table->capacity);
	table->items[table->count++] = *process;
	return 0;
}

static int compare_pids(const void *left, const void *right)
{
	pid_t a = ((const struct process *)left)->pid;
	pid_t b = ((const struct process *)right)->pid;
	return (a > b) - (a < b);
}

/* Ascending by pid, and each once. */
static void put_in_order(struct process_table *table)
{
	size_t kept = 0;
	qsort(table->items, table->count, sizeof(*table->items), compare_pids);
	for (size_t i = 0; i < table->count; i++)
		if (kept == 0 || table->items[kept - 1].pid != table->items[i].pid)
			table->items[kept++] = table->items[i];
	table->count = kept;
}

int lineage_read(struct process_table *table)
{
	struct process process;
	struct process leader;
	table->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (table->proc_fd < 0)
		return -errno;
	int result = add(table, getpid(), &process);
	while (result == 0 && table->count < MOST_ANCESTORS) {
		if (process.session > 0 && process.session != process.pid)
			(void)add(table, process.session, &leader);
		if (process.parent <= 0 || add(table, process.parent, &process) < 0)
			break;
	}
	put_in_order(table);
	return result;
}

bool lineage_belongs_to(const struct process_table *table, const int *owners, int claim)
{
	const struct process *process = process_table_find(table, getpid());
	/* a table is a moving picture: a chain that has become a ring ends with the table's size */
	for (size_t steps = 0; process && steps <= table->count; steps++) {
		if (owners[process - table->items] == claim)
			return true;
		process = process_table_find(table, process->parent);
	}
	return false;
}
