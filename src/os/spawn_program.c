/* Which file a command means. */
#include "base/memory.h"
#include "os/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NAME in the first LENGTH bytes of PATH; an empty element means the current directory. */
static char *candidate_path(const char *path, size_t length, const char *name,
			    const char *directory)
{
	if (length && path[0] == '/')
		return memory_printf("%.*s/%s", (int)length, path, name);
	return memory_printf("%s/%.*s%s%s", directory ? directory : ".", (int)length, path,
			     length ? "/" : "", name);
}

char *spawn_find_program(const char *name, const char *path, const char *directory)
{
	if (strchr(name, '/'))
		return memory_strdup(name);
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*name && path) {
		size_t length = strcspn(path, ":");
		char *candidate = candidate_path(path, length, name, directory);
		struct stat status;
		if (access(candidate, X_OK) == 0 && stat(candidate, &status) == 0 &&
		    S_ISREG(status.st_mode))
			return candidate;
		free(candidate);
		path = path[length] ? path + length + 1 : NULL;
	}
	return NULL;
}
