#include "support.h"

#include <time.h>

double wait_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void wait_microseconds(long microseconds)
{
	const struct timespec pause = { microseconds / 1000000, microseconds % 1000000 * 1000 };

	nanosleep(&pause, NULL);
}

void wait_tick(double deadline, const char *condition, const char *file, int line)
{
	if (wait_now() > deadline) {
		print_error("waited %d s in vain for: %s\n", WAIT_LIMIT_S, condition);
		_fail(file, line);
	}
	wait_microseconds(3000);
}

void wait_until(bool (*condition)(void *data), void *data)
{
	WAIT_FOR(condition(data));
}
