/*
 * The keys of pmo.yml that are one text: from that into the fields of a definition. Part of
 * config_value.h.
 */
#ifndef PMO_MODEL_CONFIG_SCALAR_H
#define PMO_MODEL_CONFIG_SCALAR_H

#include "model/definition.h"
#include "model/keys.h"

#include <stdbool.h>

/* Set the fields of KEY from TEXT, which lives as long as DEFINITION. False when TEXT is not what
 * the key expects, and for kinds of keys that are more than one text. */
bool scalar_parse(const struct key *key, const char *text, struct definition *definition);

/* A duration, in nanoseconds, but rounded up to whole milliseconds, which is what durations are
 * written in. */
bool scalar_parse_duration(const char *text, int64_t *nanoseconds);

#endif
