/*
 * What makes pairs out of the children of a mapping: duplicates and merge keys. Part of yaml.h.
 */
#ifndef PMO_MODEL_YAML_MAPPING_H
#define PMO_MODEL_YAML_MAPPING_H

#include "model/yaml.h"

/* Make the COUNT children, keys and values in turn, the pairs of NODE. Keys that are no scalars and
 * keys that are there already become problems and are left out. `<<` is replaced by the pairs of
 * the mappings it names that are not given otherwise; they stand first. */
void yaml_fill_mapping(struct node *node, const struct node **children, size_t count,
		       struct arena *arena, struct problem_list *problems);

#endif
