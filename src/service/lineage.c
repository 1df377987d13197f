#include "service/lineage.h"

#include <unistd.h>

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
