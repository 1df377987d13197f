/*
 * The directories of trees under one inotify(7) descriptor, and what each of its watches stands
 * for. What the events mean is tree_watch's business.
 *
 * A node is a directory of a tree, or an anchor: a directory of which one entry matters. One watch
 * may have several nodes, because trees overlap; it is removed with the last one.
 */
#ifndef PMO_OS_DIRECTORY_TREE_H
#define PMO_OS_DIRECTORY_TREE_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/ignore_pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>

enum {
	SELF_EVENTS = IN_DELETE_SELF | IN_MOVE_SELF,
	ENTRY_EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | SELF_EVENTS,
	TREE_EVENTS = ENTRY_EVENTS | IN_CLOSE_WRITE | IN_EXCL_UNLINK,
};

struct tree_node {
	struct tree_node *next; /* in the table */
	struct tree_node *parent;
	struct tree_node *children;
	struct tree_node *sibling;
	struct tree_node **link; /* what points to this child */
	size_t root;             /* whose it is */
	int descriptor;          /* of the watch */
	bool anchor;
	char name[]; /* in its parent; without one: its path, or the entry that matters */
};

struct directory_tree {
	int inotify;
	const struct ignore_list *ignored; /* not owned */
	struct tree_node **slots;
	size_t slot_count; /* a power of two */
	size_t count;
	struct buffer path;
};

/* Begin an empty set. -1 with an error when the system has no inotify descriptor left. */
int directory_tree_open(struct directory_tree *tree, const struct ignore_list *ignored,
			struct error *err);
void directory_tree_close(struct directory_tree *tree);

/* Watch the directory PATH, through symbolic links, and all directories in it that are not ignored
 * and no symbolic links. *top becomes NULL when it cannot be watched, because it is not there for
 * instance; directories inside that cannot are left out. -1 with an error when the limits of the
 * system are reached. */
int directory_tree_add_top(struct directory_tree *tree, const char *path, size_t root,
			   struct tree_node **top, struct error *err);

/* The same for the directory NAME that is new in PARENT. */
int directory_tree_add_child(struct directory_tree *tree, struct tree_node *parent,
			     const char *name, struct error *err);

/* Watch the directory PATH for what happens to ENTRY: ENTRY_EVENTS or TREE_EVENTS. */
int directory_tree_add_anchor(struct directory_tree *tree, const char *path, const char *entry,
			      uint32_t events, size_t root, struct tree_node **anchor,
			      struct error *err);

/* Forget a node (NULL: nothing) with all that is below it. */
void directory_tree_drop(struct directory_tree *tree, struct tree_node *node);

/* Forget what is below the directory NAME of PARENT, and itself. */
void directory_tree_drop_child(struct directory_tree *tree, struct tree_node *parent,
			       const char *name);

/* The first node of a watch, and the one after NODE; NULL: no more. A node's descendants never
 * have the watch of the node. */
struct tree_node *directory_tree_find(const struct directory_tree *tree, int descriptor);
struct tree_node *directory_tree_next(const struct tree_node *node);

/* The path of NAME in the directory NODE, owned by the tree and valid until its next call.
 * *relative (may be NULL) is its end that counts from the top. */
const char *directory_tree_path(struct directory_tree *tree, const struct tree_node *node,
				const char *name, const char **relative);

#endif
