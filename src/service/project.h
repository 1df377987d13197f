/*
 * The project a command works on: its directory, its pmo.yml and its state.
 */
#ifndef PMO_SERVICE_PROJECT_H
#define PMO_SERVICE_PROJECT_H

#include "base/error.h"
#include "base/message.h"
#include "model/catalog.h"
#include "model/config.h"
#include "model/environment.h"
#include "model/identity.h"
#include "model/state.h"

enum project_config {
	PROJECT_CONFIG_MISSING, /* there is no pmo.yml */
	PROJECT_CONFIG_BROKEN,  /* it has errors; they were added to the messages */
	PROJECT_CONFIG_OK,
};

struct project {
	char *directory;   /* absolute, owned */
	char *config_path; /* absolute, owned; where pmo.yml is or would be */
	char *label;       /* how messages name it: "pmo.yml", owned */
	enum project_config config_state;
	struct config config; /* empty unless PROJECT_CONFIG_OK */
	struct host host;
	struct state state;
	struct catalog catalog;
};

/* What a command needs of the project. */
enum project_need {
	PROJECT_NEEDS_CONFIG, /* pmo.yml without errors, else ERROR_USAGE */
	PROJECT_NEEDS_STATE,  /* goes on from the state files, with warnings, when pmo.yml is broken
			       */
};

/* Find and read the project: FILE (-f, PMO_FILE) or, when NULL, pmo.yml or .pmo in the current
 * directory or the nearest parent. Problems of pmo.yml go to MESSAGES: as errors when the command
 * needs it, else as warnings. */
int project_open(struct project *project, const char *file, enum project_need need,
		 struct message_list *messages, struct error *err);
void project_close(struct project *project);

/* Make .pmo and its directories (0700) if they are missing: before the first write. */
int project_prepare_state(struct project *project, struct error *err);

#endif
