#include "model/log_name.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *log_name_plain(struct arena *arena, const char *path)
{
	char *plain = arena_alloc(arena, strlen(path) + 1);
	char *end = plain;
	while (*path) {
		size_t step = strcspn(path, "/");
		if (step != 1 || *path != '.')
			end = mempcpy(end, path, step);
		path += step;
		if (*path == '/' && (end == plain ? step == 0 : end[-1] != '/'))
			*end++ = '/';
		path += strspn(path, "/");
	}
	return plain;
}

const char *log_name_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *log_name_directory(struct arena *arena, const char *path)
{
	size_t length = (size_t)(log_name_base(path) - path);
	const char *directory = length ? arena_strndup(arena, path, length) : "./";
	char *real CLEANUP_FREE = realpath(directory, NULL);
	return real ? arena_strdup(arena, real) : log_name_plain(arena, directory);
}

size_t log_name_unrotated(const char *path)
{
	size_t length = strlen(path);
	size_t end = length;
	while (end > 0 && path[end - 1] >= '0' && path[end - 1] <= '9')
		end--;
	bool is_number = end < length && path[end] != '0';
	return is_number && end > 1 && path[end - 1] == '.' && path[end - 2] != '/' ? end - 1 : 0;
}

bool log_name_reaches(const char *log, const char *file)
{
	struct arena arena = ARENA_INIT;
	struct stat first;
	struct stat second;
	if (stat(log, &first) == 0 && stat(file, &second) == 0 && first.st_dev == second.st_dev &&
	    first.st_ino == second.st_ino && S_ISREG(first.st_mode))
		return true;
	const char *log_base = log_name_base(log);
	const char *file_base = log_name_base(file);
	size_t length = strlen(log_base);
	bool reaches =
	    strncmp(log_base, file_base, length) == 0 &&
	    (file_base[length] == '\0' || log_name_unrotated(file_base) == length) &&
	    strcmp(log_name_directory(&arena, log), log_name_directory(&arena, file)) == 0;
	arena_release(&arena);
	return reaches;
}
