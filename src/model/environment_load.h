/*
 * The environments that pmo.yml and .env files describe: pmo.yml(5) ENVIRONMENT.
 */
#ifndef PMO_MODEL_ENVIRONMENT_LOAD_H
#define PMO_MODEL_ENVIRONMENT_LOAD_H

#include "base/error.h"
#include "base/message.h"
#include "model/definition.h"
#include "model/environment.h"

/* The project's base environment: the caller's own, then DOTENV_PATH (".env", which may be missing;
 * messages show its last component). Warnings go to MESSAGES; an unreadable file is an error.
 * DOTENV, if not NULL, gets a copy of the variables that .env set. */
int environment_load_project(struct environment *environment, char *const *caller,
			     const char *dotenv_path, struct environment *dotenv,
			     struct message_list *messages, struct error *err);

/* The environment of one service, last wins: BASE, then each env_file (its path expanded, relative
 * to DIRECTORY, which is pmo.yml's; it must exist), then env (expanded, each value seeing those
 * before it). FILE_ADDED and CONFIG_ADDED, if not NULL, get what env_file and
 * env set. Errors name the file or the key. What pmo itself sets (PWD, PMO_SERVICE, ...) is added
 * by service/launch.h. */
int environment_load_service(struct environment *environment, const struct environment *base,
			     const struct definition *definition, const char *directory,
			     struct environment *file_added, struct environment *config_added,
			     struct message_list *messages, struct error *err);

#endif
