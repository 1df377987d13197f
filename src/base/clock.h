/*
 * Clocks. Times are nanoseconds in int64_t.
 */
#ifndef PMO_BASE_CLOCK_H
#define PMO_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_SEC  INT64_C(1000000000)

int64_t clock_monotonic_ns(void); /* CLOCK_MONOTONIC: for deadlines */
int64_t clock_realtime_ns(void);  /* since the epoch: for records and people */
int64_t clock_boottime_ns(void);  /* CLOCK_BOOTTIME: what process start times count in */

/* What poll(2) takes for "until DEADLINE" (CLOCK_MONOTONIC): milliseconds rounded up, 0 when past,
 * -1 for INT64_MAX (no deadline). */
int clock_poll_timeout(int64_t deadline_ns);

/* "YYYY-MM-DD HH:MM:SS" in local time. TEXT holds at least 20 bytes. */
void clock_format_local(int64_t realtime_ns, char *text, size_t size);

/* RFC 3339 in UTC with milliseconds, "2026-01-31T12:00:00.123Z". TEXT holds at least 32 bytes. */
void clock_format_rfc3339(int64_t realtime_ns, char *text, size_t size);

#endif
