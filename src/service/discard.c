#include "service/discard.h"

#include "base/memory.h"

int record_remove(const struct state *state, const char *name, struct error *err)
{
	static const enum state_file order[] = { STATE_FILE_PID, STATE_FILE_TIME, STATE_FILE_EXIT,
						 STATE_FILE_SPEC, STATE_FILE_STOP };
	for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
		if (state_remove(state, name, order[i], err) < 0)
			return -1;
	return 0;
}
