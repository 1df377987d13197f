#include "base/message.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdlib.h>

void message_add(struct message_list *list, enum message_level level, const char *format, ...)
{
	if (!list)
		return;
	va_list arguments;
	va_start(arguments, format);
	char *text = memory_vprintf(format, arguments);
	va_end(arguments);
	MEMORY_GROW(list->items, list->count, list->capacity);
	list->items[list->count++] = (struct message){ .level = level, .text = text };
}

size_t message_count(const struct message_list *list, enum message_level level)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += list->items[i].level == level;
	return count;
}

void message_list_release(struct message_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].text);
	free(list->items);
	*list = (struct message_list)MESSAGE_LIST_INIT;
}
