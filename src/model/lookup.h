/*
 * A table from texts to pointers, for names and keys by the ten thousand.
 *
 * Not hsearch_r(3): its hash sees only the first eight characters of a key, and names of services
 * differ in their last ones.
 */
#ifndef PMO_MODEL_LOOKUP_H
#define PMO_MODEL_LOOKUP_H

#include "base/memory.h"

#include <stddef.h>

struct lookup {
	struct lookup_entry *entries; /* in the arena */
	size_t capacity;              /* a power of two, or 0 while empty */
	size_t count;
	struct arena *arena; /* borrowed */
};

/* An empty table whose memory comes from ARENA, with room for EXPECTED keys before it grows. */
void lookup_init(struct lookup *lookup, struct arena *arena, size_t expected);

/* Where the pointer for KEY (LENGTH bytes, borrowed as long as the table is used) is kept: NULL
 * until the caller sets it. Valid until the next call. */
void **lookup_slot(struct lookup *lookup, const char *key, size_t length);

/* The pointer for KEY, or NULL. */
void *lookup_find(const struct lookup *lookup, const char *key, size_t length);

#endif
