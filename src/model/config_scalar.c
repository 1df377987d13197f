#include "model/config_scalar.h"

#include "base/clock.h"
#include "base/units.h"

#include <string.h>

static bool parse_umask(const char *text, int *mask)
{
	size_t digits = strspn(text, "01234567");
	if (digits == 0 || text[digits] != '\0' || digits > 8)
		return false;
	int value = 0;
	for (size_t i = 0; i < digits; i++)
		value = value * 8 + (text[i] - '0');
	if (value > 0777)
		return false;
	*mask = value;
	return true;
}

static bool parse_integer(const struct key *key, const char *text, int *field)
{
	int64_t number;
	if (!units_parse_integer(text, key->minimum, key->maximum, &number))
		return false;
	*field = (int)number;
	return true;
}

bool scalar_parse_duration(const char *text, int64_t *field)
{
	int64_t nanoseconds;
	if (!units_parse_duration(text, &nanoseconds))
		return false;
	*field = (nanoseconds + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC * NSEC_PER_MSEC;
	return true;
}

static bool parse_size(const struct key *key, const char *text, int64_t *field)
{
	return units_parse_size(text, field) && (*field == 0 || *field >= key->minimum);
}

static bool parse_choice(const struct key *key, const char *text, int *field)
{
	const struct key_choice *choice = key_choice_find(key, text);
	if (!choice || choice->hint)
		return false;
	*field = choice->value;
	return true;
}

bool scalar_parse(const struct key *key, const char *text, struct definition *definition)
{
	void *field = key_fields(key, definition);
	switch (key->kind) {
	case KEY_TEXT:
		*(const char **)field = text;
		return true;
	case KEY_BOOLEAN:
		return units_parse_boolean(text, field);
	case KEY_INTEGER:
		return parse_integer(key, text, field);
	case KEY_NICE:
		definition->has_nice = true;
		return parse_integer(key, text, &definition->nice);
	case KEY_UMASK:
		return parse_umask(text, field);
	case KEY_SIGNAL:
		return units_parse_signal(text, field);
	case KEY_DURATION:
		return scalar_parse_duration(text, field);
	case KEY_SIZE:
		return parse_size(key, text, field);
	case KEY_CHOICE:
		return parse_choice(key, text, field);
	default:
		return false;
	}
}
