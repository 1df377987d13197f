/*
 * $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:?message} and $$, in one pass over the
 * text: what a value contains is never expanded again.
 *
 * NAME is [A-Za-z_][A-Za-z0-9_]*. `:-` gives the default for an unset or empty name, `-` for an
 * unset one. A default (and a message) may itself hold references; it is expanded only when it is
 * used, and its braces must balance: ${A:-{"k": 1}} defaults to {"k": 1}. An unset name without a
 * default is empty, with a warning. $$ is one '$'. Any other '$' stays as it is: $1, $(date), a '$'
 * at the end, and a braced form that is not listed here, which is copied up to its closing brace
 * with everything in it (${NAME%suffix}, ${NAME+word}, ${1}, ${}).
 */
#ifndef PMO_MODEL_EXPAND_H
#define PMO_MODEL_EXPAND_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/message.h"
#include "model/environment.h"

/* Append TEXT expanded from ENVIRONMENT. SUBJECT names the place in messages ("'cwd' of 'web'").
 * Returns -1 for ${NAME:?message} of an unset or empty name, for a "${" that is never closed, for
 * defaults nested more than 32 deep and for a result of over 4 MiB; BUFFER then holds a part of the
 * text. */
int expand_append(struct buffer *buffer, const char *text, const struct environment *environment,
		  const char *subject, struct message_list *messages, struct error *err);

#endif
