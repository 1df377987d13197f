#include "service/survivors.h"

#include "base/memory.h"
#include "model/membership.h"

size_t survivors_list(const struct identity *identity, struct buffer *pids, struct error *err)
{
	struct process_table table = PROCESS_TABLE_INIT;
	const struct claim claim = {
		.leader = identity->pid,
		.ticks = identity->ticks,
		.mark = identity->mark,
	};
	size_t count = 0;
	if (process_table_read(&table, err) == 0) {
		int *owners CLEANUP_FREE = membership_assign(&table, &claim, 1);
		for (size_t i = 0; i < table.count; i++) {
			if (owners[i] == NOBODY)
				continue;
			if (pids)
				buffer_printf(pids, "%s%ld", count ? ", " : "",
					      (long)table.items[i].pid);
			count++;
		}
	}
	process_table_release(&table);
	return count;
}
