/*
 * The keys of a service, as data: the one table that reading, suggestions, merging, `pmo config`
 * and the list in pmo.yml(5) are held against. keys.c has the table, key_value.c reads what a
 * definition has under a key.
 */
#ifndef PMO_MODEL_KEYS_H
#define PMO_MODEL_KEYS_H

#include "base/memory.h"
#include "model/definition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_kind {
	KEY_COMMAND, /* shell_command or command */
	KEY_EXTENDS, /* the name of another entry */
	KEY_TEXT,
	KEY_TEXT_LIST, /* a text or a list of them */
	KEY_ENVIRONMENT,
	KEY_BOOLEAN,
	KEY_INTEGER, /* within minimum and maximum */
	KEY_NICE,
	KEY_UMASK,
	KEY_LIMITS,
	KEY_SIGNAL,
	KEY_DURATION,
	KEY_SIZE,   /* of at least minimum bytes; 0: none */
	KEY_CHOICE, /* one of a few words */
	KEY_HOOKS,
	KEY_WATCH,       /* a text, a list of them, or a boolean */
	KEY_UNSUPPORTED, /* belongs to the format, but this version does not know it */
};

/* A word that a KEY_CHOICE can be; the first one of its value is how that is written. */
struct key_choice {
	const char *name;
	int value;
	const char *hint; /* not NULL: no choice, but what a user of another program may write, and
			   * what to do instead */
};

struct key {
	const char *name;
	enum key_kind kind;
	size_t offset;            /* of its first field in struct definition */
	size_t size;              /* from there to the end of its last field */
	const char *default_text; /* NULL: none */
	const char *expected;     /* "true or false": ends "'KEY' in 'web' must be ..." */
	int minimum;
	int maximum;
	const struct key_choice *choices; /* of a KEY_CHOICE, an enum; ends with a name of NULL */
	const char *alias_of;             /* the key that this one is another name for; NULL */
	bool never_default;               /* not allowed in `defaults` */
};

/* The table, in the order of pmo.yml(5). A key's position fits a bit of uint64_t. */
size_t key_count(void);
const struct key *key_at(size_t position);

/* The key called NAME, or NULL. */
const struct key *key_find(const char *name);

/* The key that NAME was probably meant to be, by its letters or because other process managers call
 * it so, or NULL. */
const struct key *key_suggest(const char *name);

/* The choice of KEY called NAME, a hint maybe, or NULL. */
const struct key_choice *key_choice_find(const struct key *key, const char *name);

/* The bit that stands for KEY in a set of keys; an alias shares that of its key. */
uint64_t key_bit(const struct key *key);

/* Its fields in DEFINITION. */
void *key_fields(const struct key *key, struct definition *definition);
const void *key_fields_const(const struct key *key, const struct definition *definition);

enum key_value_kind {
	KEY_VALUE_TEXT,
	KEY_VALUE_WORDS,    /* a list of texts */
	KEY_VALUE_BOOLEAN,  /* number is 0 or 1 */
	KEY_VALUE_INTEGER,  /* also sizes, in bytes */
	KEY_VALUE_DURATION, /* number is nanoseconds */
	KEY_VALUE_MAPPING,
};

/* What a definition has under a key. */
struct key_value {
	enum key_value_kind kind;
	const char *text; /* as pmo.yml writes it; NULL for lists and mappings */
	int64_t number;
	const char *const *words;
	const struct variable *pairs;
	size_t count; /* of words or pairs */
};

/* Read the value of KEY; what has to be made for it lives in ARENA. False when it has none, and for
 * keys that leave nothing in a definition (`extends`, aliases, unsupported ones). */
bool key_get(const struct key *key, const struct definition *definition, struct arena *arena,
	     struct key_value *value);

/* True if VALUE is what the key has when nobody gives it. */
bool key_value_is_default(const struct key *key, const struct key_value *value);

#endif
