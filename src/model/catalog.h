/*
 * The services of a project in the order of `pmo ls`: those of pmo.yml, then those that only have a
 * record left (removed from pmo.yml, or pmo.yml cannot be read), sorted by name.
 */
#ifndef PMO_MODEL_CATALOG_H
#define PMO_MODEL_CATALOG_H

#include "model/config.h"
#include "model/state.h"

struct catalog_entry {
	size_t id; /* position from 1 */
	const char *name;
	bool configured;
	bool recorded;  /* has a .pid or an .exit */
	unsigned files; /* as state_list saw them */
	/* from pmo.yml; else from NAME.spec; NULL when neither tells */
	const struct definition *definition;
};

struct catalog {
	struct catalog_entry *entries;
	size_t count;
	bool ids_valid; /* false when pmo.yml could not be read: then positions mean nothing */
	const struct state *state; /* borrowed */
	struct state_names recorded;
	struct arena arena;
};

#define CATALOG_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}

/* CONFIG is NULL when pmo.yml cannot be read or does not count (another host). CONFIG and STATE
 * must outlive the catalog. */
int catalog_build(struct catalog *catalog, const struct config *config, const struct state *state,
		  struct error *err);
void catalog_release(struct catalog *catalog);

const struct catalog_entry *catalog_find(const struct catalog *catalog, const char *name);

/* What `all` means, pmo(1) SELECTING SERVICES. */
enum select_all {
	SELECT_ALL_AUTOSTART,  /* start: configured with autostart */
	SELECT_ALL_RECORDED,   /* stop, kill, delete: every record */
	SELECT_ALL_INTENDED,   /* restart: every configured one that is meant to be up */
	SELECT_ALL_CONFIGURED, /* dry-run, config: every configured one */
	SELECT_ALL_KNOWN,      /* ls, status, logs, flush, delete: everything */
};

struct selection {
	const struct catalog_entry **entries; /* in catalog order, each once */
	size_t count;
};

/* Resolve SPECS (names, ids, @NAMESPACE, all). Where ALL means configured services alone, so does
 * @NAMESPACE; a name or an id may still select another. A spec that names nothing adds an error
 * with a suggestion to MESSAGES and makes the result -1, but the others are still selected. */
int catalog_select(const struct catalog *catalog, char *const *specs, size_t count,
		   enum select_all all, struct selection *selection, struct message_list *messages);
void selection_release(struct selection *selection);

#endif
