/*
 * One value of pmo.yml into the fields of a definition: a parser for each kind of key. Part of
 * config.h.
 */
#ifndef PMO_MODEL_CONFIG_VALUE_H
#define PMO_MODEL_CONFIG_VALUE_H

#include "base/memory.h"
#include "model/definition.h"
#include "model/keys.h"
#include "model/problem.h"
#include "model/yaml.h"

/* Where values go, and where their problems do. */
struct value_target {
	struct definition *definition;
	const char *entry; /* the service, as problem_show made it */
	struct arena *arena;
	struct problem_list *problems;
};

/* Set the fields of KEY from NODE, or add a problem that says what is expected. */
void value_read(const struct value_target *target, const struct key *key, const struct node *node);

/* Give all fields what they have when no key is given. */
void value_set_defaults(struct definition *definition, struct arena *arena);

/* Read a true or false. False, with a problem about the key NAME of ENTRY, when NODE is none. */
bool value_read_boolean(const struct value_target *target, const char *name,
			const struct node *node, bool *value);

#endif
