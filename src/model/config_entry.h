/*
 * The entries of pmo.yml, services and templates: reading one, and joining it with what it extends.
 * Part of config.h.
 */
#ifndef PMO_MODEL_CONFIG_ENTRY_H
#define PMO_MODEL_CONFIG_ENTRY_H

#include "model/config_value.h"
#include "model/lookup.h"

#include <stdbool.h>

enum entry_state {
	ENTRY_READ,    /* holds its own keys only */
	ENTRY_VISITED, /* on the way up from an entry that extends it */
	ENTRY_RESOLVED,
	ENTRY_BROKEN, /* what it extends cannot be resolved; the problem was reported */
};

struct entry {
	const char *name;
	const char *shown; /* the name, fit for messages */
	struct place place;
	struct definition definition; /* own keys; once resolved, all of them */
	uint64_t given;               /* the keys that it gives itself */
	const struct node *extends;   /* a scalar that is not empty, or NULL */
	struct entry *parent;         /* NULL: only `defaults` stand below it */
	enum entry_state state;
	bool extended;         /* by another entry */
	bool command_misspelt; /* an unknown key was pointed out that is probably its command */
};

/* Whose keys are read. */
enum entry_role {
	ENTRY_OF_FILE,
	ENTRY_OF_DEFAULTS, /* pmo.defaults: may not name a command or another entry */
	ENTRY_OF_SPEC,     /* a NAME.spec: may not name another entry */
};

struct entry_list {
	struct entry *items;
	size_t count;
	struct lookup names; /* to the entries */
	struct arena *arena; /* of all that definitions hold */
	struct problem_list *problems;
	size_t suggestions;   /* how many were looked for: they are costly among many names */
	size_t merged_values; /* variables in lists that had to be joined */
};

/* Read VALUE, a command or a mapping, into ENTRY, whose name, shown and place are set. */
void entry_read(struct entry_list *list, struct entry *entry, const struct node *value,
		enum entry_role role);

/* Link every entry to what it extends and put the definitions together: DEFAULTS, then the parents
 * from the farthest to the nearest, then the entry's own keys. */
void entry_resolve_all(struct entry_list *list, const struct definition *defaults);

/* Lay OWN, which gives the keys GIVEN, over the definition BELOW; the result is in OWN. */
void entry_overlay(struct entry_list *list, struct entry *own, const struct definition *below);

/* Adapt the defaults of a definition that is complete to what was given beside them. */
void entry_settle(struct definition *definition);

#endif
