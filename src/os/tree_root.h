/*
 * A root of a tree_watch: the tree below it when it is a directory, and the anchors that tell of
 * its own coming and going.
 */
#ifndef PMO_OS_TREE_ROOT_H
#define PMO_OS_TREE_ROOT_H

#include "os/directory_tree.h"

#include <sys/types.h>

struct tree_root {
	char *path;               /* owned; without "//", "/./" and what ends in "/" or "/." */
	struct tree_node *top;    /* NULL: no directory, or not there */
	struct tree_node *anchor; /* where its name is; NULL: cannot be watched */
	struct tree_node *target_anchor; /* where the name is that it means, if that is another */
	bool stale;                      /* something has happened to it: to be renewed */
	bool missing;
	dev_t device; /* of what it is, if it is there */
	ino_t inode;
	int64_t retry_at_ns; /* while it is missing; else INT64_MAX */
};

/* Not watched yet: renew it. */
void tree_root_init(struct tree_root *root, const char *path);
void tree_root_release(struct tree_root *root);

/* Watch what the path names at NOW_NS (CLOCK_MONOTONIC) instead of what it named before. INDEX is
 * the number of the root, for its nodes. 1: it is another file or directory than before, or has
 * come or gone; 0: it is not; -1: a limit of the system, with an error. */
int tree_root_renew(struct tree_root *root, struct directory_tree *tree, size_t index,
		    int64_t now_ns, struct error *err);

/* NODE, one of its anchors or its top, is about to be dropped, because the system has dropped its
 * watch. */
void tree_root_lose(struct tree_root *root, const struct tree_node *node);

/* All its nodes are gone with their tree. */
void tree_root_forget(struct tree_root *root);

#endif
