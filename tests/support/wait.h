/*
 * Waiting for conditions, never for time.
 */
#ifndef PMO_TESTS_WAIT_H
#define PMO_TESTS_WAIT_H

#include <stdbool.h>

enum { WAIT_LIMIT_S = 20 };

/* Seconds on the monotonic clock. */
double wait_now(void);

/* Sleep a few milliseconds, or fail the test when it is DEADLINE. */
void wait_tick(double deadline, const char *condition, const char *file, int line);

/* Evaluate the expression every few milliseconds until it is true; fail the test after 20 s. */
#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		double wait_deadline_ = wait_now() + WAIT_LIMIT_S;                                 \
		while (!(condition))                                                               \
			wait_tick(wait_deadline_, #condition, __FILE__, __LINE__);                 \
	} while (0)

/* The same with a function. */
void wait_until(bool (*condition)(void *data), void *data);

/* Let this much time pass: only to choose an instant at which something is done to pmo. */
void wait_microseconds(long microseconds);

#endif
