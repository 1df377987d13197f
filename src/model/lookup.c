#include "model/lookup.h"

#include <stdint.h>
#include <string.h>

struct lookup_entry {
	const char *key; /* NULL: free */
	size_t length;
	uint64_t hash;
	void *value;
};

/* FNV-1a. */
static uint64_t hash_text(const char *text, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
	return hash ^ hash >> 32;
}

/* The entry of the key, or the free one where it belongs. There is always a free one. */
static struct lookup_entry *locate(const struct lookup *lookup, const char *key, size_t length,
				   uint64_t hash)
{
	size_t position = (size_t)hash & (lookup->capacity - 1);
	for (;; position = (position + 1) & (lookup->capacity - 1)) {
		struct lookup_entry *entry = &lookup->entries[position];
		if (!entry->key)
			return entry;
		if (entry->hash == hash && entry->length == length &&
		    memcmp(entry->key, key, length) == 0)
			return entry;
	}
}

static void resize(struct lookup *lookup, size_t capacity)
{
	struct lookup old = *lookup;
	lookup->entries = arena_alloc(lookup->arena, capacity * sizeof(*lookup->entries));
	lookup->capacity = capacity;
	for (size_t i = 0; i < old.capacity; i++) {
		const struct lookup_entry *entry = &old.entries[i];
		if (entry->key)
			*locate(lookup, entry->key, entry->length, entry->hash) = *entry;
	}
}

void lookup_init(struct lookup *lookup, struct arena *arena, size_t expected)
{
	*lookup = (struct lookup){ .arena = arena };
	if (expected == 0)
		return;
	size_t capacity = 8;
	while (capacity < expected * 2)
		capacity *= 2;
	resize(lookup, capacity);
}

void **lookup_slot(struct lookup *lookup, const char *key, size_t length)
{
	if ((lookup->count + 1) * 2 > lookup->capacity)
		resize(lookup, lookup->capacity ? lookup->capacity * 2 : 8);
	uint64_t hash = hash_text(key, length);
	struct lookup_entry *entry = locate(lookup, key, length, hash);
	if (!entry->key) {
		*entry = (struct lookup_entry){ .key = key, .length = length, .hash = hash };
		lookup->count++;
	}
	return &entry->value;
}

void *lookup_find(const struct lookup *lookup, const char *key, size_t length)
{
	if (lookup->capacity == 0)
		return NULL;
	return locate(lookup, key, length, hash_text(key, length))->value;
}
