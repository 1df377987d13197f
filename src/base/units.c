#include "base/units.h"

#include "base/clock.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const int64_t KIB = 1024;

bool units_parse_integer(const char *text, int64_t minimum, int64_t maximum, int64_t *value)
{
	const char *digits = *text == '-' ? text + 1 : text;
	if (!isdigit((unsigned char)*digits))
		return false;
	char *end;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (errno || *end || number < minimum || number > maximum)
		return false;
	*value = number;
	return true;
}

/* "12.5" as whole and billionths, so that no binary fraction can round. */
struct decimal {
	int64_t whole;
	int64_t billionths;
};

/* *REST is what follows the number. */
static bool parse_decimal(const char *text, struct decimal *number, const char **rest)
{
	*number = (struct decimal){ 0 };
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		if (number->whole > (INT64_MAX - 9) / 10)
			return false;
		number->whole = number->whole * 10 + (*text - '0');
	}
	if (*text == '.') {
		int64_t scale = 100000000;
		if (!isdigit((unsigned char)*++text))
			return false;
		for (; isdigit((unsigned char)*text); text++, scale /= 10)
			number->billionths += (*text - '0') * scale;
	}
	*rest = text;
	return true;
}

static bool scale_decimal(const struct decimal *number, int64_t unit, int64_t *value)
{
	__int128 product = (__int128)number->whole * unit;
	product += (__int128)number->billionths * unit / 1000000000;
	/* half, so that a deadline can be a time and a duration added */
	if (product > INT64_MAX / 2)
		return false;
	*value = (int64_t)product;
	return true;
}

bool units_parse_duration(const char *text, int64_t *nanoseconds)
{
	static const struct {
		const char *suffix;
		int64_t unit;
	} units[] = {
		{ "", NSEC_PER_SEC },         { "ms", NSEC_PER_MSEC },
		{ "s", NSEC_PER_SEC },        { "m", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC }, { "d", 86400 * NSEC_PER_SEC },
	};
	struct decimal number;
	const char *suffix;
	if (!parse_decimal(text, &number, &suffix))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
		if (strcmp(suffix, units[i].suffix) == 0)
			return scale_decimal(&number, units[i].unit, nanoseconds);
	return false;
}

bool units_parse_size(const char *text, int64_t *bytes)
{
	static const char letters[] = "KMGT";
	struct decimal number;
	const char *suffix;
	if (!parse_decimal(text, &number, &suffix))
		return false;
	int64_t unit = 1;
	const char *letter = *suffix ? strchr(letters, toupper((unsigned char)*suffix)) : NULL;
	if (letter) {
		for (long power = letter - letters; power >= 0; power--)
			unit *= KIB;
		suffix++;
		if (strcasecmp(suffix, "ib") == 0)
			suffix += 2;
	}
	if (strcasecmp(suffix, "b") == 0)
		suffix++;
	return *suffix == '\0' && scale_decimal(&number, unit, bytes);
}

bool units_parse_boolean(const char *text, bool *value)
{
	static const char *const words[2][3] = { { "false", "no", "off" },
						 { "true", "yes", "on" } };
	for (int truth = 0; truth < 2; truth++) {
		for (size_t i = 0; i < ARRAY_LENGTH(words[truth]); i++) {
			if (strcasecmp(text, words[truth][i]) == 0) {
				*value = truth;
				return true;
			}
		}
	}
	return false;
}

/* "RTMAX" and "RTMAX-3", as kill(1) knows them, and the second names of some signals. */
static bool parse_signal_alias(const char *name, int *signal)
{
	static const struct {
		const char *name;
		int signal;
	} aliases[] = { { "IO", SIGIO }, { "IOT", SIGIOT }, { "CLD", SIGCHLD } };
	int64_t below = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(aliases); i++) {
		if (strcasecmp(name, aliases[i].name) == 0) {
			*signal = aliases[i].signal;
			return true;
		}
	}
	if (strncasecmp(name, "RTMAX", 5) != 0)
		return false;
	name += 5;
	if (*name &&
	    (*name != '-' || !units_parse_integer(name + 1, 0, SIGRTMAX - SIGRTMIN, &below)))
		return false;
	*signal = SIGRTMAX - (int)below;
	return true;
}

bool units_parse_signal(const char *text, int *signal)
{
	int64_t number;
	if (units_parse_integer(text, 1, SIGRTMAX, &number)) {
		*signal = (int)number;
		return true;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int candidate = 1; candidate <= SIGRTMAX && isalpha((unsigned char)*text);
	     candidate++) {
		char name[16];
		units_format_signal(candidate, name, sizeof(name));
		if (strcasecmp(text, name) == 0) {
			*signal = candidate;
			return true;
		}
	}
	return parse_signal_alias(text, signal);
}

void units_format_duration(int64_t nanoseconds, char *text, size_t size)
{
	int64_t seconds = nanoseconds > 0 ? nanoseconds / NSEC_PER_SEC : 0;
	int64_t days = seconds / 86400;
	int64_t hours = seconds / 3600 % 24;
	int64_t minutes = seconds / 60 % 60;
	if (days)
		snprintf(text, size, "%" PRId64 "d %" PRId64 "h", days, hours);
	else if (hours)
		snprintf(text, size, "%" PRId64 "h %" PRId64 "m", hours, minutes);
	else if (minutes)
		snprintf(text, size, "%" PRId64 "m %" PRId64 "s", minutes, seconds % 60);
	else
		snprintf(text, size, "%" PRId64 "s", seconds);
}

void units_format_size(int64_t bytes, char *text, size_t size)
{
	static const char *const suffixes[] = { "b", "kb", "mb", "gb", "tb" };
	double value = (double)bytes;
	size_t unit = 0;
	/* as it will be rounded: never "1024kb" or "100.0mb" */
	while (value >= 1023.5 && unit + 1 < ARRAY_LENGTH(suffixes)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, size, unit >= 2 && value < 99.95 ? "%.1f%s" : "%.0f%s", value,
		 suffixes[unit]);
}

/* "0.5ms": finer than a millisecond. */
static void format_fine_duration(int64_t nanoseconds, char *text, size_t size)
{
	char digits[32];
	snprintf(digits, sizeof(digits), "%" PRId64 ".%06" PRId64, nanoseconds / NSEC_PER_MSEC,
		 nanoseconds % NSEC_PER_MSEC);
	size_t length = strlen(digits);
	while (digits[length - 1] == '0')
		length--;
	snprintf(text, size, "%.*sms", (int)length, digits);
}

void units_format_duration_exact(int64_t nanoseconds, char *text, size_t size)
{
	int64_t milliseconds = nanoseconds / NSEC_PER_MSEC;
	if (nanoseconds % NSEC_PER_MSEC)
		format_fine_duration(nanoseconds, text, size);
	else if (milliseconds % 1000)
		snprintf(text, size, "%" PRId64 "ms", milliseconds);
	else if (milliseconds && milliseconds % 3600000 == 0)
		snprintf(text, size, "%" PRId64 "h", milliseconds / 3600000);
	else if (milliseconds && milliseconds % 60000 == 0)
		snprintf(text, size, "%" PRId64 "m", milliseconds / 60000);
	else
		snprintf(text, size, "%" PRId64 "s", milliseconds / 1000);
}

void units_format_size_exact(int64_t bytes, char *text, size_t size)
{
	static const char *const suffixes[] = { "", "K", "M", "G", "T" };
	size_t unit = 0;
	while (bytes && bytes % KIB == 0 && unit + 1 < ARRAY_LENGTH(suffixes)) {
		bytes /= KIB;
		unit++;
	}
	snprintf(text, size, "%" PRId64 "%s", bytes, suffixes[unit]);
}

void units_format_signal(int signal, char *text, size_t size)
{
	const char *name = signal < SIGRTMIN ? sigabbrev_np(signal) : NULL;
	if (name)
		snprintf(text, size, "%s", name);
	else if (signal == SIGRTMIN)
		snprintf(text, size, "RTMIN");
	else if (signal > SIGRTMIN && signal <= SIGRTMAX)
		snprintf(text, size, "RTMIN+%d", signal - SIGRTMIN);
	else
		snprintf(text, size, "%d", signal);
}
