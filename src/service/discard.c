#include "service/discard.h"

#include "base/memory.h"

static int remove_files(const struct state *state, const char *name, const enum state_file *files,
			size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (state_remove(state, name, files[i], err) < 0)
			return -1;
	return 0;
}

int record_retire(const struct state *state, const char *name, struct error *err)
{
	static const enum state_file order[] = { STATE_FILE_TIME, STATE_FILE_EXIT, STATE_FILE_STOP,
						 STATE_FILE_SUPERVISOR };
	if (state_write_intent(state, name, err) < 0)
		return -1;
	return remove_files(state, name, order, ARRAY_LENGTH(order), err);
}

int record_remove(const struct state *state, const char *name, const struct record *record,
		  struct error *err)
{
	static const enum state_file order[] = { STATE_FILE_PID,  STATE_FILE_TIME,
						 STATE_FILE_EXIT, STATE_FILE_SPEC,
						 STATE_FILE_STOP, STATE_FILE_SUPERVISOR };
	size_t count = ARRAY_LENGTH(order);
	return remove_files(state, name, order, record && !record->supervised ? count - 1 : count,
			    err);
}
