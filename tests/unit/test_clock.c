/*
 * Clocks, time limits for poll(2), and times as text.
 */
#include "support/support.h"

#include "base/clock.h"
#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void test_clocks_run(void **state)
{
	(void)state;
	int64_t (*const clocks[])(void) = { clock_monotonic_ns, clock_realtime_ns,
					    clock_boottime_ns };
	for (size_t i = 0; i < ARRAY_LENGTH(clocks); i++) {
		int64_t before = clocks[i]();
		assert_true(before > 0);
		WAIT_FOR(clocks[i]() > before);
	}
	int64_t seconds = (int64_t)time(NULL);
	int64_t difference = clock_realtime_ns() / NSEC_PER_SEC - seconds;
	assert_in_range(difference + 1, 0, 2);
	assert_true(clock_boottime_ns() >= clock_monotonic_ns() - NSEC_PER_SEC);
}

static void test_poll_timeout(void **state)
{
	(void)state;
	int64_t now = clock_monotonic_ns();
	assert_int_equal(clock_poll_timeout(INT64_MAX), -1);
	assert_int_equal(clock_poll_timeout(0), 0);
	assert_int_equal(clock_poll_timeout(now), 0);
	/* rounded up: what is left never becomes a busy loop of zeros */
	assert_in_range(clock_poll_timeout(now + 3600 * NSEC_PER_SEC), 3590000, 3600000);
	int64_t soon = clock_monotonic_ns() + NSEC_PER_SEC;
	int timeout = clock_poll_timeout(soon);
	assert_in_range(timeout, 1, 1000);
	assert_int_equal(clock_poll_timeout(INT64_MAX - 1), INT_MAX);
	assert_int_equal(clock_poll_timeout(now + INT64_C(3000000) * NSEC_PER_SEC), INT_MAX);
	do {
		soon = clock_monotonic_ns() + NSEC_PER_MSEC / 2;
		timeout = clock_poll_timeout(soon);
	} while (timeout == 0); /* taken off the processor in between */
	assert_int_equal(timeout, 1);
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void test_local_time(void **state)
{
	static const struct {
		const char *zone;
		int64_t time_ns;
		const char *text;
	} rows[] = {
		{ "UTC0", 0, "1970-01-01 00:00:00" },
		{ "UTC0", INT64_C(1769860800123456789), "2026-01-31 12:00:00" },
		{ "UTC0", INT64_C(1769860800999999999), "2026-01-31 12:00:00" },
		{ "JST-9", INT64_C(1769860800000000000), "2026-01-31 21:00:00" },
		{ "EST5", INT64_C(1769860800000000000), "2026-01-31 07:00:00" },
		{ "UTC0", INT64_C(1709208000000000000), "2024-02-29 12:00:00" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[20];
		set_zone(rows[i].zone);
		clock_format_local(rows[i].time_ns, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	set_zone("UTC0");
}

static void test_rfc3339(void **state)
{
	static const struct {
		int64_t time_ns;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.000Z" },
		{ INT64_C(1769860800123456789), "2026-01-31T12:00:00.123Z" },
		{ INT64_C(1769860800999999999), "2026-01-31T12:00:00.999Z" },
		{ INT64_C(4102444799000000000), "2099-12-31T23:59:59.000Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854Z" },
		{ -INT64_C(1500000000), "1969-12-31T23:59:58.500Z" },
		{ -INT64_C(1000000000), "1969-12-31T23:59:59.000Z" },
	};
	(void)state;
	set_zone("JST-9"); /* which must not matter */
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[32];
		clock_format_rfc3339(rows[i].time_ns, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	set_zone("UTC0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks_run),
		cmocka_unit_test(test_poll_timeout),
		cmocka_unit_test(test_local_time),
		cmocka_unit_test(test_rfc3339),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
