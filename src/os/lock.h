/*
 * Locks that the kernel holds for a living process: flock(2). A lock ends when its descriptor is
 * closed, also by a crash, so nothing is ever cleaned up.
 */
#ifndef PMO_OS_LOCK_H
#define PMO_OS_LOCK_H

#include "base/error.h"

#include <stdint.h>

/* How long a command waits for another one that works on the same service. */
static const int64_t LOCK_TIMEOUT_NS = INT64_C(10000000000);

enum lock_result { LOCK_TAKEN, LOCK_BUSY, LOCK_FAILED };

/* Try at once. LOCK_FAILED sets an error. */
enum lock_result lock_try(int fd, const char *name, struct error *err);

/* Wait until DEADLINE (CLOCK_MONOTONIC). The error names who holds the lock, found in /proc/locks:
 * "'web' is locked by pid 12 (pmo restart web)". */
int lock_wait(int fd, int64_t deadline_ns, const char *name, struct error *err);

#endif
