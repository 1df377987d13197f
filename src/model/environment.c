#include "model/environment.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS_MINIMUM = 32, MAX_ARGUMENT_PAGES = 32 };

/* FNV-1a. */
static size_t name_hash(const char *name, size_t length)
{
	uint32_t hash = 2166136261U;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619U;
	return hash;
}

static size_t entry_name_length(const char *entry)
{
	return (size_t)(strchrnul(entry, '=') - entry);
}

/* The slot that holds NAME, or the free one where it belongs. */
static uint32_t *slot_find(const struct environment *environment, const char *name, size_t length)
{
	size_t mask = environment->slot_count - 1;
	for (size_t i = name_hash(name, length) & mask;; i = (i + 1) & mask) {
		uint32_t *slot = &environment->slots[i];
		if (*slot == 0)
			return slot;
		const char *entry = environment->entries[*slot - 1];
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			return slot;
	}
}

static void slots_rebuild(struct environment *environment)
{
	memset(environment->slots, 0, environment->slot_count * sizeof(*environment->slots));
	for (size_t i = 0; i < environment->count; i++) {
		const char *entry = environment->entries[i];
		*slot_find(environment, entry, entry_name_length(entry)) = (uint32_t)(i + 1);
	}
}

/* Keeps the table at most half full, and room for the closing NULL. */
static void make_room(struct environment *environment)
{
	if (environment->count + 1 >= environment->capacity) {
		environment->capacity = environment->capacity ? environment->capacity * 2 : 16;
		environment->entries =
		    memory_resize(environment->entries, environment->capacity, sizeof(char *));
	}
	if ((environment->count + 1) * 2 > environment->slot_count) {
		environment->slot_count =
		    environment->slot_count ? environment->slot_count * 2 : SLOTS_MINIMUM;
		environment->slots =
		    memory_resize(environment->slots, environment->slot_count, sizeof(uint32_t));
		slots_rebuild(environment);
	}
}

/* ENTRY lives as long as the environment. What it replaces stays until the end: few are. */
static void set_entry(struct environment *environment, char *entry, size_t name_length)
{
	make_room(environment);
	uint32_t *slot = slot_find(environment, entry, name_length);
	if (*slot) {
		environment->entries[*slot - 1] = entry;
		return;
	}
	environment->entries[environment->count++] = entry;
	environment->entries[environment->count] = NULL;
	*slot = (uint32_t)environment->count;
}

void environment_set(struct environment *environment, const char *name, const char *value)
{
	size_t name_length = strlen(name);
	size_t value_size = strlen(value) + 1;
	char *entry = arena_alloc(&environment->texts, name_length + 1 + value_size);
	memcpy(entry, name, name_length);
	entry[name_length] = '=';
	memcpy(entry + name_length + 1, value, value_size);
	set_entry(environment, entry, name_length);
}

void environment_unset(struct environment *environment, const char *name)
{
	if (environment->count == 0)
		return;
	uint32_t position = *slot_find(environment, name, strlen(name));
	if (position == 0)
		return;
	char **entry = &environment->entries[position - 1];
	/* with the closing NULL */
	memmove(entry, entry + 1, (environment->count - position + 1) * sizeof(*entry));
	environment->count--;
	slots_rebuild(environment);
}

const char *environment_get_bounded(const struct environment *environment, const char *name,
				    size_t name_length)
{
	if (environment->count == 0 || memchr(name, '=', name_length))
		return NULL;
	uint32_t position = *slot_find(environment, name, name_length);
	return position ? environment->entries[position - 1] + name_length + 1 : NULL;
}

const char *environment_get(const struct environment *environment, const char *name)
{
	return environment_get_bounded(environment, name, strlen(name));
}

static bool is_set_by_pmo(const char *name, size_t length)
{
	static const char *const names[] = {
		"PMO_RUN",  "PMO_SERVICE", "PMO_INSTANCE",  "PMO_DIR",
		"PMO_HOOK", "PMO_PID",     "PMO_EXIT_CODE", "PMO_EXIT_SIGNAL",
	};
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return true;
	}
	return false;
}

void environment_import(struct environment *environment, char *const *block)
{
	for (; block && *block; block++) {
		size_t length = entry_name_length(*block);
		/* what has no name or no '=' came from a careless execve(2) and means nothing */
		if (length > 0 && (*block)[length] == '=' && !is_set_by_pmo(*block, length))
			set_entry(environment, arena_strdup(&environment->texts, *block), length);
	}
}

void environment_borrow(struct environment *to, const struct environment *from)
{
	environment_release(to);
	if (from->count == 0)
		return;
	*to = *from;
	to->texts = (struct arena)ARENA_INIT;
	to->entries = memory_alloc(from->capacity * sizeof(*to->entries));
	memcpy(to->entries, from->entries, (from->count + 1) * sizeof(*to->entries));
	to->slots = memory_alloc(from->slot_count * sizeof(*to->slots));
	memcpy(to->slots, from->slots, from->slot_count * sizeof(*to->slots));
}

void environment_copy(struct environment *to, const struct environment *from)
{
	environment_borrow(to, from);
	for (size_t i = 0; i < to->count; i++)
		to->entries[i] = arena_strdup(&to->texts, to->entries[i]);
}

void environment_release(struct environment *environment)
{
	arena_release(&environment->texts);
	free(environment->entries);
	free(environment->slots);
	/* one by one: the static analyser loses track of a whole struct */
	environment->entries = NULL;
	environment->count = environment->capacity = 0;
	environment->slots = NULL;
	environment->slot_count = 0;
}

int environment_check_sizes(const struct environment *environment, struct error *err)
{
	/* MAX_ARG_STRLEN counts the closing NUL */
	size_t longest = (size_t)sysconf(_SC_PAGESIZE) * MAX_ARGUMENT_PAGES - 1;
	for (size_t i = 0; i < environment->count; i++) {
		const char *entry = environment->entries[i];
		size_t length = strlen(entry);
		if (length > longest)
			return error_set(err, ERROR_USAGE,
					 "the variable '%.*s' is too long: NAME=value has %zu "
					 "bytes, and the kernel takes at most %zu",
					 (int)entry_name_length(entry), entry, length, longest);
	}
	return 0;
}
