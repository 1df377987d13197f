/*
 * Resource limits by name: the key `limits`, setrlimit(2).
 */
#ifndef PMO_MODEL_RESOURCE_LIMIT_H
#define PMO_MODEL_RESOURCE_LIMIT_H

#include "model/definition.h"

#include <stdbool.h>
#include <stddef.h>

struct limit_kind {
	const char *name; /* as in getrlimit(2), lower case, without RLIMIT_ */
	int resource;
	bool bytes; /* may be written as a size, "64M" */
};

/* The kind called NAME, or NULL. */
const struct limit_kind *limit_kind_find(const char *name);

/* The kind that NAME was probably meant to be, or NULL. */
const struct limit_kind *limit_kind_suggest(const char *name);

/* "1024", "64M", "unlimited", or "SOFT:HARD" of two of these; one alone is both. False when TEXT is
 * none of it. That soft is not above hard is left to the caller. */
bool limit_parse(const struct limit_kind *kind, const char *text, struct limit *limit);

/* The same form. TEXT holds at least 48 bytes. */
void limit_format(const struct limit *limit, char *text, size_t size);

#endif
