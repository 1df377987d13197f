#include "model/resource_limit.h"

#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct limit_kind limit_kinds[] = {
	{ "as", RLIMIT_AS, true },
	{ "core", RLIMIT_CORE, true },
	{ "cpu", RLIMIT_CPU, false },
	{ "data", RLIMIT_DATA, true },
	{ "fsize", RLIMIT_FSIZE, true },
	{ "locks", RLIMIT_LOCKS, false },
	{ "memlock", RLIMIT_MEMLOCK, true },
	{ "msgqueue", RLIMIT_MSGQUEUE, true },
	{ "nice", RLIMIT_NICE, false },
	{ "nofile", RLIMIT_NOFILE, false },
	{ "nproc", RLIMIT_NPROC, false },
	{ "rss", RLIMIT_RSS, true },
	{ "rtprio", RLIMIT_RTPRIO, false },
	{ "rttime", RLIMIT_RTTIME, false },
	{ "sigpending", RLIMIT_SIGPENDING, false },
	{ "stack", RLIMIT_STACK, true },
};

const struct limit_kind *limit_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(limit_kinds); i++)
		if (strcmp(limit_kinds[i].name, name) == 0)
			return &limit_kinds[i];
	return NULL;
}

const struct limit_kind *limit_kind_suggest(const char *name)
{
	const char *names[ARRAY_LENGTH(limit_kinds)];
	for (size_t i = 0; i < ARRAY_LENGTH(limit_kinds); i++)
		names[i] = limit_kinds[i].name;
	const char *suggestion = text_suggest(name, names, ARRAY_LENGTH(names));
	return suggestion ? limit_kind_find(suggestion) : NULL;
}

static bool parse_value(const struct limit_kind *kind, const char *text, rlim_t *value)
{
	int64_t number;
	if (strcmp(text, "unlimited") == 0) {
		*value = RLIM_INFINITY;
		return true;
	}
	/* a plain number has the whole range, which sizes with a fraction have not */
	if (!units_parse_integer(text, 0, INT64_MAX, &number) &&
	    !(kind->bytes && units_parse_size(text, &number)))
		return false;
	*value = (rlim_t)number;
	return true;
}

bool limit_parse(const struct limit_kind *kind, const char *text, struct limit *limit)
{
	const char *colon = strchr(text, ':');
	char soft[32];
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	if (length >= sizeof(soft))
		return false;
	memcpy(soft, text, length);
	soft[length] = '\0';
	*limit = (struct limit){ .name = kind->name, .resource = kind->resource };
	return parse_value(kind, soft, &limit->soft) &&
	       parse_value(kind, colon ? colon + 1 : soft, &limit->hard);
}

static void format_value(rlim_t value, char *text, size_t size)
{
	if (value == RLIM_INFINITY)
		snprintf(text, size, "unlimited");
	else
		snprintf(text, size, "%llu", (unsigned long long)value);
}

void limit_format(const struct limit *limit, char *text, size_t size)
{
	char soft[24];
	char hard[24];
	format_value(limit->soft, soft, sizeof(soft));
	format_value(limit->hard, hard, sizeof(hard));
	if (limit->soft == limit->hard)
		snprintf(text, size, "%s", soft);
	else
		snprintf(text, size, "%s:%s", soft, hard);
}
