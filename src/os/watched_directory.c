#include "os/watched_directory.h"

#include "base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SELF_EVENTS = IN_DELETE_SELF | IN_MOVE_SELF,
	FILE_EVENTS = IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | SELF_EVENTS,
	ANCESTOR_EVENTS = IN_CREATE | IN_MOVED_TO | SELF_EVENTS,
};

void directory_set_open(struct directory_set *set)
{
	*set = (struct directory_set){ .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
}

void directory_set_close(struct directory_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->items[i].path);
	free(set->items);
	memory_cleanup_close(&set->inotify);
}

/* Several paths may lead to one directory, and an ancestor may be in the set itself: a watch is
 * added to, and removed with its last user. */
static int add_watch(const struct directory_set *set, const char *path, uint32_t events)
{
	return inotify_add_watch(set->inotify, path, events | IN_ONLYDIR | IN_MASK_ADD);
}

static void drop_watch(const struct directory_set *set, int descriptor)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].descriptor == descriptor)
			return;
	if (descriptor >= 0)
		inotify_rm_watch(set->inotify, descriptor);
}

/* Shorten PATH to its parent. False when there is none. */
static bool cut_last_component(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || strcmp(path, "/") == 0)
		return false;
	slash[slash == path] = '\0';
	return true;
}

/* Watch the nearest ancestor that exists. Returns its descriptor; -1 if that is impossible. */
static int watch_ancestor(const struct directory_set *set, const char *path)
{
	char *ancestor CLEANUP_FREE = memory_strdup(path);
	while (cut_last_component(ancestor)) {
		int descriptor = add_watch(set, ancestor, ANCESTOR_EVENTS);
		if (descriptor >= 0 || (errno != ENOENT && errno != ENOTDIR))
			return descriptor;
	}
	return add_watch(set, ".", ANCESTOR_EVENTS);
}

/* The directory may appear between the two attempts: after each watch for an ancestor the directory
 * is tried again, until an attempt changes nothing. */
static void watch(const struct directory_set *set, struct watched_directory *directory)
{
	int ancestor = -1;
	for (;;) {
		int descriptor = add_watch(set, directory->path, FILE_EVENTS);
		bool missing = descriptor < 0 && (errno == ENOENT || errno == ENOTDIR);
		if (!missing) {
			directory->state = descriptor < 0 ? WATCH_BLIND : WATCH_EXACT;
			directory->descriptor = descriptor;
			if (ancestor != descriptor)
				drop_watch(set, ancestor);
			return;
		}
		int nearer = watch_ancestor(set, directory->path);
		directory->state = nearer < 0 ? WATCH_BLIND : WATCH_ANCESTOR;
		directory->descriptor = nearer;
		if (nearer == ancestor)
			return;
		drop_watch(set, ancestor);
		if (nearer < 0)
			return;
		ancestor = nearer;
	}
}

void directory_set_renew(struct directory_set *set, size_t index)
{
	struct watched_directory *directory = &set->items[index];
	int old = directory->descriptor;
	directory->descriptor = -1;
	directory->state = WATCH_BLIND;
	if (set->inotify < 0)
		return;
	watch(set, directory);
	drop_watch(set, old);
}

size_t directory_set_add(struct directory_set *set, const char *path)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->items[i].path, path) == 0)
			return i;
	MEMORY_GROW(set->items, set->count, set->capacity);
	set->items[set->count++] =
	    (struct watched_directory){ .path = memory_strdup(path), .descriptor = -1 };
	directory_set_renew(set, set->count - 1);
	return set->count - 1;
}

bool watched_directory_changed(const struct watched_directory *directory,
			       const struct inotify_event *event)
{
	return directory->state != WATCH_EXACT ||
	       (event->mask & (SELF_EVENTS | IN_IGNORED | IN_UNMOUNT));
}
