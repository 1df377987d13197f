/*
 * The grammar of .env files: text in, one statement at a time out. model/dotenv.h makes variables
 * of them.
 */
#ifndef PMO_MODEL_DOTENV_READER_H
#define PMO_MODEL_DOTENV_READER_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the reader stands in a text without NUL bytes whose lines all end in '\n'. */
struct dotenv_reader {
	const char *position;
	const char *end;
	const char *counted; /* lines up to here are in `line` */
	size_t line;
};

#define DOTENV_READER_INIT(text, length)                                                           \
	{                                                                                          \
		(text), (text) + (length), (text), 1                                               \
	}

enum dotenv_statement_kind {
	DOTENV_NOTHING, /* blank lines, a comment, the end */
	DOTENV_PAIR,
	DOTENV_BARE_NAME, /* without '=' */
	DOTENV_BROKEN,    /* not understood: dropped up to the end of the line of the problem */
};

/* A value in quotes, and a name in quotes, may take several lines. */
struct dotenv_statement {
	enum dotenv_statement_kind kind;
	size_t line;         /* the first one */
	const char *problem; /* of DOTENV_BROKEN */
	const char *name;    /* of DOTENV_PAIR: NAME_LENGTH bytes within the text */
	size_t name_length;
	struct buffer value;  /* of DOTENV_PAIR: without quotes and escapes, ${NAME} as written */
	bool looks_commented; /* of DOTENV_PAIR: `A= # text`, which is a value all the same */
};

#define DOTENV_STATEMENT_INIT                                                                      \
	{                                                                                          \
		.value = BUFFER_INIT                                                               \
	}

/* Read the statement at the reader, which is left behind it. The buffer of STATEMENT is used again;
 * the caller, who gives a zeroed one first, releases it. */
void dotenv_read_statement(struct dotenv_reader *reader, struct dotenv_statement *statement);

/* The line, from 1, of the reader's position. */
size_t dotenv_reader_line(struct dotenv_reader *reader);

#endif
