/*
 * A directory under inotify(7) that may not be there yet: until it is, its nearest existing
 * ancestor is watched for it.
 */
#ifndef PMO_OS_WATCHED_DIRECTORY_H
#define PMO_OS_WATCHED_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/inotify.h>

enum watch_state {
	WATCH_EXACT,    /* the directory itself is watched: events name its files */
	WATCH_ANCESTOR, /* it is missing: any event is a reason to try again */
	WATCH_BLIND,    /* the system refused: nothing will be reported */
};

struct watched_directory {
	char *path; /* owned */
	int descriptor;
	enum watch_state state;
};

struct directory_set {
	int inotify; /* -1: the system has none left, everything is blind */
	struct watched_directory *items;
	size_t count;
	size_t capacity;
};

void directory_set_open(struct directory_set *set);
void directory_set_close(struct directory_set *set);

/* The position of PATH in the set, where it is added and watched if it is new. Positions stay. */
size_t directory_set_add(struct directory_set *set, const char *path);

/* The directory may have come, gone or been replaced: watch what the path names now. */
void directory_set_renew(struct directory_set *set, size_t index);

/* True if EVENT says that the directory itself is not what it was. */
bool watched_directory_changed(const struct watched_directory *directory,
			       const struct inotify_event *event);

#endif
