#include "service/survivors.h"

#include "base/memory.h"
#include "model/membership.h"
#include "os/signal.h"

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

/* The start time of the newest dead process of the leader's session that nobody has reaped; 0 for
 * none. */
static uint64_t newest_corpse(const struct process_table *table, pid_t leader)
{
	uint64_t newest = 0;
	for (size_t i = 0; i < table->count; i++) {
		const struct process *process = &table->items[i];
		if (process->session == leader && !process_is_alive(process) &&
		    process->ticks > newest)
			newest = process->ticks;
	}
	return newest;
}

size_t survivors_count(const struct identity *identity, int group_pidfd)
{
	enum { LOOKS = 5 };
	struct process_table table = PROCESS_TABLE_INIT;
	uint64_t corpse = 0;
	size_t count = 0;
	bool settled = false;
	for (int look = 0; look < LOOKS && !settled; look++) {
		count = survivors_list(identity, NULL, NULL);
		settled = count > 0 || group_pidfd < 0 || !signal_group_exists(group_pidfd);
		if (settled || process_table_read(&table, NULL) < 0)
			break;
		/* what the group still has is dead: corpses alone, and no new ones, are nobody */
		uint64_t newest = newest_corpse(&table, identity->pid);
		settled = newest > 0 && newest == corpse;
		corpse = newest;
	}
	process_table_release(&table);
	return settled ? count : 1;
}
