/*
 * An environment block under construction: ordered NAME=value pairs, last one set wins. Setting and
 * getting take the same short time however many there are.
 */
#ifndef PMO_MODEL_ENVIRONMENT_H
#define PMO_MODEL_ENVIRONMENT_H

#include "base/error.h"
#include "base/memory.h"

#include <stddef.h>
#include <stdint.h>

struct environment {
	char **entries; /* "NAME=value" strings; NULL, or NULL-terminated as execve(2) wants */
	size_t count;
	size_t capacity;
	uint32_t *slots; /* hash table over the names: position in entries + 1, or 0 */
	size_t slot_count;
	struct arena texts; /* the strings that are not borrowed */
};

#define ENVIRONMENT_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/* Set NAME, which is not empty and has no '=', replacing in place what it had. */
void environment_set(struct environment *environment, const char *name, const char *value);

void environment_unset(struct environment *environment, const char *name);

/* The value of NAME (not NUL-terminated names: NAME_LENGTH bytes), or NULL. Owned by the block. */
const char *environment_get(const struct environment *environment, const char *name);
const char *environment_get_bounded(const struct environment *environment, const char *name,
				    size_t name_length);

/* Set everything in BLOCK, e.g. environ(7), without PMO_RUN and the other variables that pmo sets
 * for a service (PMO_SERVICE, PMO_INSTANCE, PMO_DIR, PMO_RUN) or a hook (PMO_HOOK, PMO_PID,
 * PMO_EXIT_CODE, PMO_EXIT_SIGNAL). BLOCK may be NULL. */
void environment_import(struct environment *environment, char *const *block);

/* Make TO (initialised; what it had is released) a copy of FROM. */
void environment_copy(struct environment *to, const struct environment *from);

/* The same, but the strings are FROM's, which must outlive TO: hundreds of services share most of
 * what they have. */
void environment_borrow(struct environment *to, const struct environment *from);
void environment_release(struct environment *environment);

/* execve(2) refuses a single string of 32 pages (128 KiB on most machines) or more with E2BIG:
 * check every entry and name the one that is too long. Returns 0 or -1. */
int environment_check_sizes(const struct environment *environment, struct error *err);

#endif
