/*
 * Messages that a lower layer collects for the command to show: all problems of one run, in order.
 */
#ifndef PMO_BASE_MESSAGE_H
#define PMO_BASE_MESSAGE_H

#include <stddef.h>

enum message_level { MESSAGE_NOTE, MESSAGE_WARNING, MESSAGE_ERROR };

struct message {
	enum message_level level;
	char *text; /* in the style of base/error.h */
};

struct message_list {
	struct message *items;
	size_t count;
	size_t capacity;
};

#define MESSAGE_LIST_INIT                                                                          \
	{                                                                                          \
		0, 0, 0                                                                            \
	}

/* Append a message; LIST may be NULL, which drops it. */
void message_add(struct message_list *list, enum message_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* How many messages have LEVEL. */
size_t message_count(const struct message_list *list, enum message_level level);

void message_list_release(struct message_list *list);

#endif
