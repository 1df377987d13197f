#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static int64_t clock_read(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_realtime_ns(void)
{
	return clock_read(CLOCK_REALTIME);
}

int64_t clock_boottime_ns(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

int clock_poll_timeout(int64_t deadline_ns)
{
	if (deadline_ns == INT64_MAX)
		return -1;
	int64_t left = deadline_ns - clock_monotonic_ns();
	if (left <= 0)
		return 0;
	int64_t milliseconds = (left + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

void clock_format_local(int64_t realtime_ns, char *text, size_t size)
{
	time_t seconds = (time_t)(realtime_ns / NSEC_PER_SEC);
	struct tm parts;
	/* strftime(3) would look for /etc/localtime each time */
	if (!localtime_r(&seconds, &parts))
		snprintf(text, size, "?");
	else
		snprintf(text, size, "%d-%02d-%02d %02d:%02d:%02d", parts.tm_year + 1900,
			 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
			 parts.tm_sec);
}

void clock_format_rfc3339(int64_t realtime_ns, char *text, size_t size)
{
	time_t seconds = (time_t)(realtime_ns / NSEC_PER_SEC);
	int milliseconds = (int)(realtime_ns % NSEC_PER_SEC / NSEC_PER_MSEC);
	if (milliseconds < 0) { /* before the epoch the fraction counts from the second below */
		milliseconds += 1000;
		seconds--;
	}
	struct tm parts;
	char day[24];
	if (!gmtime_r(&seconds, &parts) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts))
		snprintf(text, size, "?");
	else
		snprintf(text, size, "%s.%03dZ", day, milliseconds);
}
