/*
 * pmo.yml: read, checked and resolved. With model/yaml.h the only user of libyaml.
 */
#ifndef PMO_MODEL_CONFIG_H
#define PMO_MODEL_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/message.h"
#include "model/definition.h"

/* The most that a pmo.yml may have, in bytes. */
#define CONFIG_SIZE_LIMIT ((size_t)4 * 1024 * 1024)

struct config {
	struct definition *services; /* in file order, templates left out; id = index + 1 */
	size_t service_count;
	bool per_host;
	struct arena arena;
};

/* Read PATH (shown as LABEL in messages, e.g. "pmo.yml"). All problems of the file are added to
 * PROBLEMS as "LABEL:LINE:COLUMN: message". Returns 0, or -1 when one of them is an error; *config
 * then holds nothing. The caller releases it with config_release. */
int config_load(const char *path, const char *label, struct config *config,
		struct message_list *problems);

/* The same from memory: TEXT of LENGTH bytes. */
int config_parse(const char *text, size_t length, const char *label, struct config *config,
		 struct message_list *problems);

void config_release(struct config *config);

/* The service called NAME, or NULL. */
const struct definition *config_find(const struct config *config, const char *name);

enum config_environment { CONFIG_ENVIRONMENT_VALUES, CONFIG_ENVIRONMENT_NAMES };

/* Append DEFINITION as a YAML mapping `NAME: {...}` in block style that config_parse reads back to
 * the same definition. Keys at their default are left out. With CONFIG_ENVIRONMENT_NAMES, the
 * values of `env` are empty: that is the form of pids/NAME.spec. */
void config_append_yaml(const struct definition *definition, enum config_environment environment,
			struct buffer *buffer);

/* Read a NAME.spec back. *definition and its texts live in ARENA. Returns 0, or -1 with an error
 * when it is not one (garbage, another name, ...). */
int config_parse_spec(const char *text, size_t length, const char *name, struct arena *arena,
		      struct definition *definition, struct error *err);

#endif
