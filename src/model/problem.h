/*
 * Problems of pmo.yml, each with its place in the file.
 */
#ifndef PMO_MODEL_PROBLEM_H
#define PMO_MODEL_PROBLEM_H

#include "base/memory.h"
#include "base/message.h"

#include <stddef.h>

/* A place in a text. Both count from 1, columns in characters. */
struct place {
	unsigned int line;
	unsigned int column;
};

struct problem {
	struct place place;
	const char *format; /* which kind of problem it is */
	size_t order;       /* in which it was found */
	char *text;
};

struct problem_list {
	struct problem *items;
	size_t count;
	size_t capacity;
	struct arena shown; /* texts made by problem_show */
};

#define PROBLEM_LIST_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* Append a problem. Texts from the file go through problem_show first. */
void problem_add(struct problem_list *list, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* LENGTH bytes as a message may show them: control characters made visible, cut where long. Valid
 * as long as the list. */
const char *problem_show(struct problem_list *list, const char *text, size_t length);

/* Move all problems to MESSAGES as errors "LABEL:LINE:COLUMN: text", in the order of the file. Of
 * the same problem at one place (a mapping that several services merge) only the first counts. */
void problem_report(struct problem_list *list, const char *label, struct message_list *messages);

void problem_list_release(struct problem_list *list);

#endif
