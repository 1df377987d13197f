#include "service/send.h"

#include "base/memory.h"
#include "model/membership.h"
#include "os/signal.h"
#include "service/discard.h"
#include "service/lineage.h"
#include "service/liveness.h"
#include "service/strays.h"

#include <errno.h>

static void send_to_group(const struct process_table *table, const struct claim *claim,
			  int signal_number, struct send_result *result)
{
	int *owners CLEANUP_FREE = membership_assign(table, claim, 1);
	if (lineage_belongs_to(table, owners, 0)) {
		error_set(&result->error, ERROR_FAILED,
			  "cannot signal '%s' from inside it: this pmo runs in that service",
			  result->entry->name);
		return;
	}
	for (size_t i = 0; i < table->count; i++) {
		const struct process *process = &table->items[i];
		if (owners[i] != 0 || process->group != claim->leader)
			continue;
		int sent = signal_send(table->proc_fd, process->pid, process->ticks, signal_number);
		if (sent == 0)
			result->processes++;
		else if (sent != -ESRCH && !result->error.message)
			error_set_errno(&result->error, ERROR_FAILED, -sent,
					"cannot signal pid %ld of '%s'", (long)process->pid,
					result->entry->name);
	}
}

/* 0: its leader is alive, or it does not run, as *liveness tells. -1: that cannot be known. */
static int look_at(const struct project *project, const char *name, int proc_fd,
		   struct record *record, enum liveness *liveness, struct error *err)
{
	state_read_identity(&project->state, name, record);
	*liveness = record_liveness(record, &project->host, proc_fd);
	switch (*liveness) {
	case LIVENESS_UNKNOWN:
		return state_require_readable(&project->state, name, record, err);
	case LIVENESS_ELSEWHERE:
		return error_set(err, ERROR_FAILED,
				 "'%s' was started elsewhere, by host '%s': it can be signalled "
				 "there alone",
				 name, record->identity.host.name);
	case LIVENESS_NONE:
		return record->damaged ? strays_refuse(project, name, err) : 0;
	case LIVENESS_ALIVE:
	case LIVENESS_GONE:
	case LIVENESS_LOST:
		break;
	}
	return 0;
}

static void send_one(const struct project *project, const struct process_table *table,
		     int signal_number, struct send_result *result)
{
	struct record record;
	enum liveness liveness;
	int known = look_at(project, result->entry->name, table->proc_fd, &record, &liveness,
			    &result->error);
	if (known < 0 || liveness != LIVENESS_ALIVE) {
		result->outcome = known < 0 ? SEND_FAILED : SEND_NOT_RUNNING;
		return;
	}
	const struct claim claim = {
		.leader = record.identity.pid,
		.ticks = record.identity.ticks,
		.mark = record.identity.mark,
	};
	send_to_group(table, &claim, signal_number, result);
	result->outcome = result->error.message ? SEND_FAILED
			  : result->processes   ? SEND_SENT
						: SEND_NOT_RUNNING;
}

int send_services(const struct project *project, const struct selection *selection,
		  int signal_number, struct send_result *results, struct error *err)
{
	struct process_table table = PROCESS_TABLE_INIT;
	if (process_table_read(&table, err) < 0)
		return -1;
	for (size_t i = 0; i < selection->count; i++) {
		results[i] = (struct send_result){ .entry = selection->entries[i] };
		send_one(project, &table, signal_number, &results[i]);
	}
	process_table_release(&table);
	return 0;
}

void send_results_release(struct send_result *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		error_clear(&results[i].error);
}
