#include "os/tree_watch.h"

#include "base/memory.h"
#include "os/directory_tree.h"
#include "os/tree_root.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EVENT_BUFFER_SIZE = 8 * 1024,
	READS_AT_ONCE = 256, /* so that a flood does not keep the caller from anything else */
};

/* A change that is under way: more of it may come. */
struct pending_change {
	struct buffer path; /* the first one */
	int64_t first_ns;
	int64_t last_ns;
	bool present;
};

struct tree_watch {
	struct ignore_list *ignored;
	struct directory_tree tree;
	struct tree_root *roots;
	size_t root_count;
	struct pending_change change;
	bool lost; /* events: what is watched may not be all */
	int64_t now_ns;
	char events[EVENT_BUFFER_SIZE] __attribute__((aligned(__alignof__(struct inotify_event))));
};

static void note_change(struct tree_watch *watch, const char *path)
{
	struct pending_change *change = &watch->change;
	if (!change->present) {
		change->present = true;
		change->first_ns = watch->now_ns;
		buffer_clear(&change->path);
		buffer_append_string(&change->path, path);
	}
	change->last_ns = watch->now_ns;
}

static int64_t change_due(const struct pending_change *change)
{
	if (!change->present)
		return INT64_MAX;
	int64_t quiet = change->last_ns + TREE_WATCH_QUIET_NS;
	int64_t limit = change->first_ns + TREE_WATCH_LIMIT_NS;
	return quiet < limit ? quiet : limit;
}

static void forget_nodes(struct tree_watch *watch)
{
	directory_tree_close(&watch->tree);
	for (size_t i = 0; i < watch->root_count; i++)
		tree_root_forget(&watch->roots[i]);
}

static int renew_roots(struct tree_watch *watch, struct error *err)
{
	for (size_t i = 0; i < watch->root_count; i++) {
		struct tree_root *root = &watch->roots[i];
		if (!root->stale && root->retry_at_ns > watch->now_ns)
			continue;
		int changed = tree_root_renew(root, &watch->tree, i, watch->now_ns, err);
		if (changed < 0)
			return -1;
		if (changed > 0)
			note_change(watch, root->path);
	}
	return 0;
}

static int watch_all(struct tree_watch *watch, struct error *err)
{
	forget_nodes(watch);
	if (directory_tree_open(&watch->tree, watch->ignored, err) != 0)
		return -1;
	return renew_roots(watch, err);
}

struct tree_watch *tree_watch_open(const struct tree_watch_options *options, struct error *err)
{
	struct tree_watch *watch = memory_zalloc(1, sizeof(*watch));
	watch->tree.inotify = -1;
	watch->ignored = ignore_list_create(options->ignored, options->ignored_count);
	watch->root_count = options->root_count;
	watch->roots = memory_zalloc(options->root_count, sizeof(watch->roots[0]));
	for (size_t i = 0; i < options->root_count; i++)
		tree_root_init(&watch->roots[i], options->roots[i]);
	watch->now_ns = clock_monotonic_ns();
	if (watch_all(watch, err) != 0) {
		tree_watch_close(watch);
		return NULL;
	}
	watch->change.present = false;
	return watch;
}

void tree_watch_close(struct tree_watch *watch)
{
	if (!watch)
		return;
	directory_tree_close(&watch->tree);
	for (size_t i = 0; i < watch->root_count; i++)
		tree_root_release(&watch->roots[i]);
	free(watch->roots);
	ignore_list_destroy(watch->ignored);
	buffer_release(&watch->change.path);
	free(watch);
}

int tree_watch_fd(const struct tree_watch *watch)
{
	return watch->tree.inotify;
}

int64_t tree_watch_deadline(const struct tree_watch *watch)
{
	int64_t deadline = change_due(&watch->change);
	for (size_t i = 0; i < watch->root_count; i++)
		if (watch->roots[i].retry_at_ns < deadline)
			deadline = watch->roots[i].retry_at_ns;
	return deadline;
}

const char *tree_watch_root(const struct tree_watch *watch, size_t index)
{
	return watch->roots[index].path;
}

const char *tree_watch_next_missing(const struct tree_watch *watch, size_t *index)
{
	while (*index < watch->root_count) {
		const struct tree_root *root = &watch->roots[(*index)++];
		if (root->missing)
			return root->path;
	}
	return NULL;
}

static void handle_anchor(struct tree_watch *watch, const struct tree_node *anchor,
			  const struct inotify_event *event)
{
	struct tree_root *root = &watch->roots[anchor->root];
	if (strcmp(event->name, anchor->name) != 0)
		return;
	if (!(event->mask & IN_CLOSE_WRITE))
		root->stale = true;
	note_change(watch, root->path);
}

/* A new file counts when its writer closes it. Nobody closes a link, and what is neither file nor
 * link, a socket for instance, has no content that could matter. */
static bool is_whole(const char *path, const struct inotify_event *event)
{
	struct stat status;
	if (!(event->mask & IN_CREATE) || (event->mask & IN_ISDIR))
		return true;
	return lstat(path, &status) == 0 &&
	       (S_ISLNK(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink > 1));
}

static int handle_entry(struct tree_watch *watch, struct tree_node *node,
			const struct inotify_event *event, struct error *err)
{
	enum ignore_kind kind = event->mask & IN_ISDIR ? IGNORE_DIRECTORY : IGNORE_FILE;
	const char *relative;
	const char *path = directory_tree_path(&watch->tree, node, event->name, &relative);
	if (ignore_list_matches(watch->ignored, relative, kind))
		return 0;
	if (is_whole(path, event))
		note_change(watch, strncmp(path, "./", 2) == 0 ? relative : path);
	if (kind == IGNORE_FILE)
		return 0;
	if (event->mask & IN_MOVED_FROM)
		directory_tree_drop_child(&watch->tree, node, event->name);
	if (event->mask & (IN_CREATE | IN_MOVED_TO))
		return directory_tree_add_child(&watch->tree, node, event->name, err);
	return 0;
}

/* A directory below another is its parent's business. */
static void handle_self(struct tree_watch *watch, const struct tree_node *node)
{
	if (!node->parent)
		watch->roots[node->root].stale = true;
}

static void handle_ignored(struct tree_watch *watch, int descriptor)
{
	struct tree_node *node;
	while ((node = directory_tree_find(&watch->tree, descriptor))) {
		if (!node->parent)
			tree_root_lose(&watch->roots[node->root], node);
		directory_tree_drop(&watch->tree, node);
	}
}

static int handle_event(struct tree_watch *watch, const struct inotify_event *event,
			struct error *err)
{
	if (event->mask & IN_Q_OVERFLOW) {
		watch->lost = true;
		note_change(watch, watch->roots[0].path);
		return 0;
	}
	if (event->mask & IN_IGNORED)
		handle_ignored(watch, event->wd);
	struct tree_node *node = directory_tree_find(&watch->tree, event->wd);
	for (struct tree_node *next; node; node = next) {
		next = directory_tree_next(node);
		if (event->mask & SELF_EVENTS)
			handle_self(watch, node);
		else if (event->len > 0 && node->anchor)
			handle_anchor(watch, node, event);
		else if (event->len > 0 && handle_entry(watch, node, event, err) != 0)
			return -1;
	}
	return 0;
}

static int handle_events(struct tree_watch *watch, size_t length, struct error *err)
{
	for (size_t offset = 0; offset < length;) {
		const struct inotify_event *event = (const void *)(watch->events + offset);
		if (handle_event(watch, event, err) != 0)
			return -1;
		offset += sizeof(*event) + event->len;
	}
	return 0;
}

static int read_events(struct tree_watch *watch, struct error *err)
{
	for (size_t i = 0; i < READS_AT_ONCE; i++) {
		ssize_t got = read(watch->tree.inotify, watch->events, sizeof(watch->events));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0)
			return error_set_errno(err, ERROR_FAILED, errno, "cannot watch files");
		if (handle_events(watch, (size_t)got, err) != 0)
			return -1;
	}
	return 0;
}

/* Where events were lost, directories may be new that nobody told of. Looking for them just before
 * the report is soon enough: what happens in them until then is part of the change. */
static int report(struct tree_watch *watch, const char **path, struct error *err)
{
	if (watch->lost && watch_all(watch, err) != 0)
		return -1;
	watch->lost = false;
	watch->change.present = false;
	*path = buffer_string(&watch->change.path);
	return 1;
}

int tree_watch_read(struct tree_watch *watch, int64_t now_ns, const char **path, struct error *err)
{
	watch->now_ns = now_ns;
	if (read_events(watch, err) != 0 || renew_roots(watch, err) != 0)
		return -1;
	return change_due(&watch->change) <= now_ns ? report(watch, path, err) : 0;
}
