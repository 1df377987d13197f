#include "os/log_numbers.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *log_numbered_path(const char *path, int number)
{
	return memory_printf("%s.%d", path, number);
}

/* The lowest number from 1 to KEEP that no file has; KEEP when all are taken. */
static int first_free_number(const struct log_place *place, int keep)
{
	struct stat status;
	for (int number = 1; number < keep; number++) {
		char *candidate CLEANUP_FREE = log_numbered_path(place->name, number);
		if (fstatat(place->directory, candidate, &status, AT_SYMLINK_NOFOLLOW) < 0)
			return number;
	}
	return keep;
}

static int move_up(const struct log_place *place, int number, struct error *err)
{
	char *old CLEANUP_FREE = log_numbered_path(place->name, number);
	char *new CLEANUP_FREE = log_numbered_path(place->name, number + 1);
	if (renameat(place->directory, old, place->directory, new) == 0 || errno == ENOENT)
		return 0;
	if (errno == EACCES || errno == EPERM || errno == EBUSY)
		return 1;
	return error_set_errno(err, ERROR_FAILED, errno, "cannot rotate log '%s.%d' to '%s.%d'",
			       place->path, number, place->path, number + 1);
}

int log_numbers_shift(const struct log_place *place, int keep, struct error *err)
{
	for (int number = first_free_number(place, keep) - 1; number > 0; number--) {
		int result = move_up(place, number, err);
		if (result != 0)
			return result;
	}
	return 0;
}

void log_numbers_trim(const struct log_place *place, int keep)
{
	for (int number = keep + 1; number > 0; number++) {
		char *surplus CLEANUP_FREE = log_numbered_path(place->name, number);
		if (unlinkat(place->directory, surplus, 0) < 0)
			return;
	}
}
