#include "cli/command.h"

#include "base/units.h"

#include <inttypes.h>
#include <string.h>

const char *arguments_value(const struct arguments *arguments, const char *long_name)
{
	const char *value = NULL;
	for (size_t i = 0; i < arguments->option_count; i++)
		if (strcmp(arguments->options[i].spec->long_name, long_name) == 0)
			value = arguments->options[i].value;
	return value;
}

bool arguments_has(const struct arguments *arguments, const char *long_name)
{
	return arguments_value(arguments, long_name) != NULL;
}

int arguments_integer(const struct arguments *arguments, const char *long_name, int64_t minimum,
		      int64_t maximum, int64_t *value, struct error *err)
{
	const char *text = arguments_value(arguments, long_name);
	if (!text || units_parse_integer(text, minimum, maximum, value))
		return 0;
	return error_set(err, ERROR_USAGE,
			 "invalid value '%s' for --%s: expected a number from %" PRId64
			 " to %" PRId64,
			 text, long_name, minimum, maximum);
}

int arguments_duration(const struct arguments *arguments, const char *long_name, int64_t *value,
		       struct error *err)
{
	const char *text = arguments_value(arguments, long_name);
	if (!text || units_parse_duration(text, value))
		return 0;
	return error_set(err, ERROR_USAGE,
			 "invalid value '%s' for --%s: expected a duration such as 500ms, 5s or 2m",
			 text, long_name);
}

int arguments_signal(const struct arguments *arguments, const char *long_name, int *value,
		     struct error *err)
{
	const char *text = arguments_value(arguments, long_name);
	if (!text || units_parse_signal(text, value))
		return 0;
	return error_set(err, ERROR_USAGE,
			 "invalid value '%s' for --%s: expected a signal such as TERM, INT or 9",
			 text, long_name);
}
