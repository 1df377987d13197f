#include "model/problem.h"

#include "base/buffer.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>

enum { SHOWN_COLUMNS = 80 }; /* of one text inside a message */

void problem_add(struct problem_list *list, struct place place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprintf(format, arguments);
	va_end(arguments);
	MEMORY_GROW(list->items, list->count, list->capacity);
	list->items[list->count] = (struct problem){
		.place = place,
		.format = format,
		.order = list->count,
		.text = text,
	};
	list->count++;
}

const char *problem_show(struct problem_list *list, const char *text, size_t length)
{
	/* no more than can be shown is looked at: a value may have megabytes */
	const size_t longest = (size_t)SHOWN_COLUMNS * 8;
	struct buffer visible CLEANUP_BUFFER = BUFFER_INIT;
	struct buffer cut CLEANUP_BUFFER = BUFFER_INIT;
	if (length > longest) {
		length = longest;
		while (((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	text_append_visible(&visible, text, length);
	text_append_cut(&cut, buffer_string(&visible), SHOWN_COLUMNS, "...");
	return arena_strdup(&list->shown, buffer_string(&cut));
}

static int compare_problems(const void *a, const void *b)
{
	const struct problem *first = a;
	const struct problem *second = b;
	if (first->place.line != second->place.line)
		return first->place.line < second->place.line ? -1 : 1;
	if (first->place.column != second->place.column)
		return first->place.column < second->place.column ? -1 : 1;
	return first->order < second->order ? -1 : 1;
}

/* At one place there are as many different problems as there are checks, so few. */
static int is_repeated(const struct problem_list *list, size_t position)
{
	const struct problem *problem = &list->items[position];
	while (position-- > 0) {
		const struct problem *earlier = &list->items[position];
		if (earlier->place.line != problem->place.line ||
		    earlier->place.column != problem->place.column)
			return 0;
		if (earlier->format == problem->format)
			return 1;
	}
	return 0;
}

void problem_report(struct problem_list *list, const char *label, struct message_list *messages)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), compare_problems);
	for (size_t i = 0; i < list->count; i++) {
		const struct problem *problem = &list->items[i];
		if (!is_repeated(list, i))
			message_add(messages, MESSAGE_ERROR, "%s:%u:%u: %s", label,
				    problem->place.line, problem->place.column, problem->text);
	}
	problem_list_release(list);
}

void problem_list_release(struct problem_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].text);
	free(list->items);
	arena_release(&list->shown);
	*list = (struct problem_list)PROBLEM_LIST_INIT;
}
