/*
 * Numbers with units: durations, sizes, signals, booleans.
 */
#include "support/support.h"

#include "base/memory.h"
#include "base/units.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define S  (1000 * MS)
#define M  (60 * S)
#define H  (60 * M)
#define D  (24 * H)

enum { REFUSED = -1 };

struct parse_case {
	const char *text;
	int64_t value; /* REFUSED */
};

/* What a parser must leave alone when it refuses. */
static const int64_t UNTOUCHED = 4242;

static void check_parse(const char *what, bool accepted, int64_t value,
			const struct parse_case *row)
{
	if (accepted != (row->value != REFUSED))
		fail_msg("%s '%s' was %s", what, row->text, accepted ? "accepted" : "refused");
	int64_t expected = accepted ? row->value : UNTOUCHED;
	if (value != expected)
		fail_msg("%s '%s' is %" PRId64 ", not %" PRId64, what, row->text, value, expected);
}

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		int64_t minimum;
		int64_t maximum;
		bool accepted;
		int64_t value;
	} rows[] = {
		{ "0", 0, 10, true, 0 },
		{ "10", 0, 10, true, 10 },
		{ "11", 0, 10, false, 0 },
		{ "-1", 0, 10, false, 0 },
		{ "-1", -1, 10, true, -1 },
		{ "-2", -1, 10, false, 0 },
		{ "007", 0, 10, true, 7 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
		{ "99999999999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
		{ "", 0, 10, false, 0 },
		{ "-", -10, 10, false, 0 },
		{ "--1", -10, 10, false, 0 },
		{ "+1", 0, 10, false, 0 },
		{ " 1", 0, 10, false, 0 },
		{ "1 ", 0, 10, false, 0 },
		{ "1\n", 0, 10, false, 0 },
		{ "1.0", 0, 10, false, 0 },
		{ "0x1", 0, 10, false, 0 },
		{ "1e1", 0, 10, false, 0 },
		{ "one", 0, 10, false, 0 },
		{ "\xd9\xa1", 0, 10, false, 0 }, /* ARABIC-INDIC DIGIT ONE */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const struct parse_case row = { rows[i].text, rows[i].value };
		int64_t value = UNTOUCHED;
		bool accepted =
		    units_parse_integer(rows[i].text, rows[i].minimum, rows[i].maximum, &value);
		if (accepted != rows[i].accepted)
			fail_msg("'%s' was %s", row.text, accepted ? "accepted" : "refused");
		assert_true(value == (accepted ? row.value : UNTOUCHED));
	}
}

static void test_durations(void **state)
{
	static const struct parse_case rows[] = {
		{ "0", 0 },
		{ "5", 5 * S },
		{ "5s", 5 * S },
		{ "500ms", 500 * MS },
		{ "1.5m", 90 * S },
		{ "2h", 2 * H },
		{ "1d", D },
		{ "0.5d", 12 * H },
		{ "0.1", 100 * MS },
		{ "0.3s", 300 * MS },
		{ "1.001s", 1001 * MS },
		{ "0.0001s", 100000 },
		{ "0.5ms", 500000 },
		{ "0.000001ms", 1 },
		{ "1.999999999s", 1999999999 },
		{ "1.9999999999999999s", 1999999999 },
		{ "00005s", 5 * S },
		{ "10000000000", REFUSED },
		{ "4611686018", INT64_C(4611686018) * S },
		{ "4611686019", REFUSED },
		{ "53375d", INT64_C(53375) * D },
		{ "53376d", REFUSED },
		{ "9223372036854775807", REFUSED },
		{ "9223372036854775808", REFUSED },
		{ "99999999999999999999999999999999999999d", REFUSED },
		{ "", REFUSED },
		{ "s", REFUSED },
		{ "ms", REFUSED },
		{ "-1", REFUSED },
		{ "-1s", REFUSED },
		{ "+1s", REFUSED },
		{ ".5s", REFUSED },
		{ "5.", REFUSED },
		{ "5.s", REFUSED },
		{ "1,5s", REFUSED },
		{ "1 s", REFUSED },
		{ " 1s", REFUSED },
		{ "1s ", REFUSED },
		{ "1S", REFUSED },
		{ "1M", REFUSED },
		{ "1sec", REFUSED },
		{ "1m30s", REFUSED },
		{ "1us", REFUSED },
		{ "1e3", REFUSED },
		{ "0x10", REFUSED },
		{ "inf", REFUSED },
		{ "nan", REFUSED },
		{ "soon", REFUSED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		int64_t value = UNTOUCHED;
		bool accepted = units_parse_duration(rows[i].text, &value);
		check_parse("duration", accepted, value, &rows[i]);
	}
}

static void test_sizes(void **state)
{
	const int64_t k = 1024;
	const struct parse_case rows[] = {
		{ "0", 0 },
		{ "512", 512 },
		{ "512b", 512 },
		{ "512B", 512 },
		{ "1K", k },
		{ "1k", k },
		{ "1kb", k },
		{ "1KiB", k },
		{ "1Kib", k },
		{ "64M", 64 * k * k },
		{ "1.5G", 3 * k * k * k / 2 },
		{ "0.1K", 102 },
		{ "2T", 2 * k * k * k * k },
		{ "4194303T", 4194303 * k * k * k * k },
		{ "4194304T", REFUSED },
		{ "10000000000000", INT64_C(10000000000000) },
		{ "4611686018427387903", INT64_C(4611686018427387903) },
		{ "4611686018427387904", REFUSED },
		{ "9999999999999999999999", REFUSED },
		{ "9999999999999999T", REFUSED },
		{ "", REFUSED },
		{ "K", REFUSED },
		{ "1i", REFUSED },
		{ "1iB", REFUSED },
		{ "1Ki", REFUSED },
		{ "1KK", REFUSED },
		{ "1Kbb", REFUSED },
		{ "1 K", REFUSED },
		{ "1P", REFUSED },
		{ "-1K", REFUSED },
		{ "1.K", REFUSED },
		{ "much", REFUSED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		int64_t value = UNTOUCHED;
		bool accepted = units_parse_size(rows[i].text, &value);
		check_parse("size", accepted, value, &rows[i]);
	}
}

static void test_booleans(void **state)
{
	static const struct parse_case rows[] = {
		{ "true", 1 },      { "True", 1 },      { "yes", 1 },       { "ON", 1 },
		{ "false", 0 },     { "FALSE", 0 },     { "no", 0 },        { "Off", 0 },
		{ "", REFUSED },    { "1", REFUSED },   { "0", REFUSED },   { "y", REFUSED },
		{ "tru", REFUSED }, { "no ", REFUSED }, { "noo", REFUSED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		for (int before = 0; before < 2; before++) {
			bool value = before;
			bool accepted = units_parse_boolean(rows[i].text, &value);
			if (accepted != (rows[i].value != REFUSED))
				fail_msg("'%s' was %s", rows[i].text,
					 accepted ? "accepted" : "refused");
			assert_int_equal(value, accepted ? rows[i].value : before);
		}
	}
}

static void test_signals(void **state)
{
	const struct parse_case rows[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "Term", SIGTERM },
		{ "15", 15 },
		{ "9", 9 },
		{ "1", 1 },
		{ "usr1", SIGUSR1 },
		{ "IO", SIGIO },
		{ "POLL", SIGPOLL },
		{ "SIGIOT", SIGABRT },
		{ "cld", SIGCHLD },
		{ "RTMIN", SIGRTMIN },
		{ "SIGRTMIN", SIGRTMIN },
		{ "RTMIN+1", SIGRTMIN + 1 },
		{ "sigrtmin+3", SIGRTMIN + 3 },
		{ "RTMIN+30", SIGRTMIN + 30 },
		{ "RTMAX", SIGRTMAX },
		{ "RTMAX-0", SIGRTMAX },
		{ "SIGRTMAX-30", SIGRTMIN },
		{ "64", SIGRTMAX },
		{ "RTMIN+31", REFUSED },
		{ "RTMIN-1", REFUSED },
		{ "RTMAX+1", REFUSED },
		{ "RTMAX-31", REFUSED },
		{ "RTMAX-", REFUSED },
		{ "RTMAX3", REFUSED },
		{ "65", REFUSED },
		{ "0", REFUSED },
		{ "-9", REFUSED },
		{ "", REFUSED },
		{ "SIG", REFUSED },
		{ "SIG9", REFUSED },
		{ "SIG32", REFUSED },
		{ "SIGSIGTERM", REFUSED },
		{ "TERM ", REFUSED },
		{ "TERMINATE", REFUSED },
		{ "EXIT", REFUSED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		int value = (int)UNTOUCHED;
		bool accepted = units_parse_signal(rows[i].text, &value);
		check_parse("signal", accepted, value, &rows[i]);
	}
}

/* Every signal has a form that is read back as itself. */
static void test_signals_round_trip(void **state)
{
	(void)state;
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		char text[16];
		int value = 0;
		units_format_signal(signal, text, sizeof(text));
		if (!units_parse_signal(text, &value) || value != signal)
			fail_msg("signal %d is '%s', which is read as %d", signal, text, value);
	}
}

static void test_signal_format(void **state)
{
	const struct {
		int signal;
		const char *text;
	} rows[] = {
		{ SIGTERM, "TERM" },
		{ SIGKILL, "KILL" },
		{ SIGHUP, "HUP" },
		{ SIGRTMIN, "RTMIN" },
		{ SIGRTMIN + 3, "RTMIN+3" },
		{ SIGRTMAX, "RTMIN+30" },
		{ 32, "32" },
		{ 0, "0" },
		{ 65, "65" },
		{ -1, "-1" },
		{ INT32_MIN, "-2147483648" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[16];
		units_format_signal(rows[i].signal, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

struct format_case {
	int64_t value;
	const char *text;
};

static void test_duration_format(void **state)
{
	static const struct format_case rows[] = {
		{ 0, "0s" },
		{ -5 * S, "0s" },
		{ 999 * MS, "0s" },
		{ S, "1s" },
		{ 59 * S, "59s" },
		{ M, "1m 0s" },
		{ 3 * M + 4 * S, "3m 4s" },
		{ H - 1, "59m 59s" },
		{ H, "1h 0m" },
		{ 2 * H + 3 * M + 59 * S, "2h 3m" },
		{ D - 1, "23h 59m" },
		{ D, "1d 0h" },
		{ 400 * D + 5 * H, "400d 5h" },
		{ INT64_MAX, "106751d 23h" },
		{ INT64_MIN, "0s" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[32];
		units_format_duration(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void test_duration_exact(void **state)
{
	static const struct format_case rows[] = {
		{ 0, "0s" },       { 1, "0.000001ms" },     { 500000, "0.5ms" },
		{ MS, "1ms" },     { 1500000, "1.5ms" },    { 200 * MS, "200ms" },
		{ S, "1s" },       { 1500 * MS, "1500ms" }, { 59 * S, "59s" },
		{ M, "1m" },       { 90 * S, "90s" },       { H, "1h" },
		{ 36 * H, "36h" }, { 2 * D, "48h" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[32];
		int64_t value = UNTOUCHED;
		units_format_duration_exact(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
		assert_true(units_parse_duration(text, &value));
		assert_true(value == rows[i].value);
	}
}

/* Whatever pmo.yml may say comes back from what is written for it. */
static void test_duration_round_trip(void **state)
{
	unsigned int seed = 7;
	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t high = (uint64_t)(unsigned int)rand_r(&seed) << 31;
		int64_t value = (int64_t)((high | (unsigned int)rand_r(&seed)) >> (i % 62));
		char text[32];
		int64_t again = UNTOUCHED;
		units_format_duration_exact(value, text, sizeof(text));
		assert_true(units_parse_duration(text, &again));
		if (again != value)
			fail_msg("%" PRId64 " came back as %" PRId64 " from '%s'", value, again,
				 text);
	}
}

static void test_size_format(void **state)
{
	const int64_t k = 1024;
	const struct format_case rows[] = {
		{ 0, "0b" },
		{ 1, "1b" },
		{ 1023, "1023b" },
		{ k, "1kb" },
		{ 12 * k, "12kb" },
		{ 12 * k + 600, "13kb" },
		{ 1023 * k + 511, "1023kb" },
		{ k * k - 1, "1.0mb" },
		{ k * k, "1.0mb" },
		{ k * k * 123 / 10, "12.3mb" },
		{ k * k * 99, "99.0mb" },
		{ k * k * 100 - 1, "100mb" },
		{ k * k * 100, "100mb" },
		{ k * k * k - 1, "1.0gb" },
		{ k * k * k * 3 / 2, "1.5gb" },
		{ k * k * k * k, "1.0tb" },
		{ k * k * k * k * 2000, "2000tb" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[32];
		units_format_size(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void test_size_exact(void **state)
{
	const int64_t k = 1024;
	const struct format_case rows[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 1000, "1000" },
		{ k, "1K" },
		{ k + 1, "1025" },
		{ 1536 * k, "1536K" },
		{ 1536 * k * k, "1536M" },
		{ k * k * k, "1G" },
		{ 5 * k * k * k * k, "5T" },
		{ 4096 * k * k * k * k, "4096T" },
		{ INT64_MAX, "9223372036854775807" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char text[24];
		units_format_size_exact(rows[i].value, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
		int64_t back;
		if (rows[i].value < INT64_MAX / 2) {
			assert_true(units_parse_size(text, &back));
			assert_int_equal(back, rows[i].value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),       cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),          cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_signals),        cmocka_unit_test(test_signals_round_trip),
		cmocka_unit_test(test_signal_format),  cmocka_unit_test(test_duration_format),
		cmocka_unit_test(test_duration_exact), cmocka_unit_test(test_duration_round_trip),
		cmocka_unit_test(test_size_format),    cmocka_unit_test(test_size_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
