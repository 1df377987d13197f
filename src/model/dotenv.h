/*
 * .env files in python-dotenv's dialect: pmo.yml(5) ENVIRONMENT FILES. The only user of inih.
 *
 * The grammar is that of python-dotenv 1.2. Departures: a byte order mark is dropped; a name
 * without
 * '=' is skipped with a warning; a line that is not understood gets a warning with its place. A NUL
 * byte or text that is not UTF-8 is an error. Accepted as there, but with a warning: a name that sh
 * cannot use, and `A= # text`, whose value begins with '#'. No message ever shows a value.
 */
#ifndef PMO_MODEL_DOTENV_H
#define PMO_MODEL_DOTENV_H

#include "base/error.h"
#include "base/message.h"
#include "model/environment.h"

/* Read PATH (shown as LABEL in messages) into ADDED and, for ${NAME} in later lines and for the
 * service, into ENVIRONMENT: names resolve from the file first, then from ENVIRONMENT. Either may
 * be NULL. At most 4 MiB. Returns 0, or -1 with an ERROR_USAGE (ENOENT is one too); what stood
 * before the place of an error may then be set already. */
int dotenv_load(const char *path, const char *label, struct environment *environment,
		struct environment *added, struct message_list *messages, struct error *err);

/* The same from memory. */
int dotenv_parse(const char *text, size_t length, const char *label,
		 struct environment *environment, struct environment *added,
		 struct message_list *messages, struct error *err);

#endif
