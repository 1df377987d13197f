#include "service/run_record.h"

#include "base/clock.h"
#include "model/process.h"

int run_record_write(const struct state *state, const char *name, int proc_fd,
		     struct identity *identity, struct error *err)
{
	struct process process;
	int result = process_read(proc_fd, identity->pid, &process);
	if (result < 0)
		return error_set_errno(err, ERROR_FAILED, -result, "cannot read '/proc/%ld/stat'",
				       (long)identity->pid);
	identity->ticks = process.ticks;
	if (state_write_identity(state, name, identity, clock_realtime_ns(), err) < 0)
		return -1;
	return state_write_pid(state, name, identity->pid, err);
}
