#include "os/logfile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The length of "NAME.log" in "NAME.log" or "NAME.log.7"; 0 for any other name. */
static size_t log_name_length(const char *name)
{
	size_t length = strlen(name);
	size_t digits = length;
	while (digits > 0 && strchr("0123456789", name[digits - 1]))
		digits--;
	if (digits < length && digits > 0 && name[digits - 1] == '.')
		length = digits - 1;
	if (length <= strlen(".log") || strncmp(name + length - strlen(".log"), ".log", 4) != 0)
		return 0;
	return length;
}

static int compare_paths(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void drop_repeated(struct logfile_list *list)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (kept == 0 || strcmp(list->paths[kept - 1], list->paths[i]) != 0)
			list->paths[kept++] = list->paths[i];
	list->count = kept;
}

static int read_names(struct logfile_list *list, DIR *stream, const char *directory)
{
	size_t capacity = 0;
	struct dirent *entry;
	while (errno = 0, (entry = readdir(stream))) {
		size_t length = log_name_length(entry->d_name);
		if (length == 0)
			continue;
		MEMORY_GROW(list->paths, list->count, capacity);
		list->paths[list->count++] =
		    arena_printf(&list->arena, "%s/%.*s", directory, (int)length, entry->d_name);
	}
	return errno;
}

int logfile_list(struct logfile_list *list, const char *directory, struct error *err)
{
	*list = (struct logfile_list)LOGFILE_LIST_INIT;
	DIR *stream = opendir(directory);
	if (!stream && errno == ENOENT)
		return 0;
	int errnum = stream ? read_names(list, stream, directory) : errno;
	if (stream)
		closedir(stream);
	if (errnum != 0) {
		logfile_list_release(list);
		return error_set_errno(err, ERROR_FAILED, errnum, "cannot read directory '%s'",
				       directory);
	}
	if (list->count > 0)
		qsort(list->paths, list->count, sizeof(*list->paths), compare_paths);
	drop_repeated(list);
	return 0;
}

void logfile_list_release(struct logfile_list *list)
{
	free(list->paths);
	arena_release(&list->arena);
	*list = (struct logfile_list)LOGFILE_LIST_INIT;
}
