#include "os/tree_root.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A root that is missing is announced by its anchor, unless that is missing too, or was removed
 * while somebody held it: then nothing but another look helps. */
#define RETRY_NS          NSEC_PER_SEC
#define RETRY_ANCHORED_NS (10 * NSEC_PER_SEC)

static char *normalize(const char *path)
{
	char *result = memory_strdup(path);
	char *end = result;
	for (const char *from = path; *from;) {
		size_t length = strcspn(from, "/");
		bool idle = length == 0 || (length == 1 && *from == '.');
		if (from == path && length == 0)
			*end++ = '/';
		if (!idle) {
			if (end > result && end[-1] != '/')
				*end++ = '/';
			memmove(end, from, length);
			end += length;
		}
		from += length + (from[length] == '/');
	}
	if (end == result)
		*end++ = '.';
	*end = '\0';
	return result;
}

void tree_root_init(struct tree_root *root, const char *path)
{
	*root = (struct tree_root){
		.path = normalize(path),
		.stale = true,
		.missing = true,
		.retry_at_ns = INT64_MAX,
	};
}

void tree_root_release(struct tree_root *root)
{
	free(root->path);
}

void tree_root_forget(struct tree_root *root)
{
	root->top = NULL;
	root->anchor = NULL;
	root->target_anchor = NULL;
	root->stale = true;
}

void tree_root_lose(struct tree_root *root, const struct tree_node *node)
{
	struct tree_node **places[] = { &root->top, &root->anchor, &root->target_anchor };
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
		if (*places[i] == node)
			*places[i] = NULL;
	root->stale = true;
}

/* Where the node for an anchor goes, and what it is for. */
struct anchoring {
	struct directory_tree *tree;
	size_t index;
	uint32_t events;
};

/* *anchor stays NULL for paths that end in no name. */
static int add_anchor(const struct anchoring *how, const char *path, struct tree_node **anchor,
		      struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	*anchor = NULL;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	size_t length = slash == path ? 1 : (size_t)(name - path);
	char *directory CLEANUP_FREE = slash ? memory_strndup(path, length) : memory_strdup(".");
	return directory_tree_add_anchor(how->tree, directory, name, how->events, how->index,
					 anchor, err);
}

static int add_target_anchor(struct tree_root *root, const struct anchoring *how, struct error *err)
{
	struct stat status;
	if (root->anchor && (lstat(root->path, &status) != 0 || !S_ISLNK(status.st_mode)))
		return 0;
	char *target CLEANUP_FREE = realpath(root->path, NULL);
	return target ? add_anchor(how, target, &root->target_anchor, err) : 0;
}

/* The anchors come first: what happens to the name after that is an event. The anchors of a
 * directory need not tell of what is written beside it. */
static int add_anchors(struct tree_root *root, struct directory_tree *tree, size_t index,
		       struct error *err)
{
	struct stat status;
	bool directory = stat(root->path, &status) == 0 && S_ISDIR(status.st_mode);
	struct anchoring how = { tree, index, directory ? ENTRY_EVENTS : TREE_EVENTS };
	if (add_anchor(&how, root->path, &root->anchor, err) != 0)
		return -1;
	return add_target_anchor(root, &how, err);
}

static int look(struct tree_root *root, struct directory_tree *tree, size_t index,
		struct error *err)
{
	struct stat status = { 0 };
	root->missing = stat(root->path, &status) != 0;
	root->device = status.st_dev;
	root->inode = status.st_ino;
	if (root->missing || !S_ISDIR(status.st_mode))
		return 0;
	if (directory_tree_add_top(tree, root->path, index, &root->top, err) != 0)
		return -1;
	root->missing = !root->top;
	return 0;
}

/* A link that leads nowhere is no sign of what it leads to. */
static int64_t retry_interval(const struct tree_root *root)
{
	struct stat status;
	return root->anchor && lstat(root->path, &status) != 0 ? RETRY_ANCHORED_NS : RETRY_NS;
}

int tree_root_renew(struct tree_root *root, struct directory_tree *tree, size_t index,
		    int64_t now_ns, struct error *err)
{
	struct tree_root old = *root;
	tree_root_forget(root);
	root->stale = false;
	if (add_anchors(root, tree, index, err) != 0 || look(root, tree, index, err) != 0)
		return -1;
	directory_tree_drop(tree, old.top);
	directory_tree_drop(tree, old.anchor);
	directory_tree_drop(tree, old.target_anchor);
	root->retry_at_ns = root->missing ? now_ns + retry_interval(root) : INT64_MAX;
	return root->missing != old.missing || root->inode != old.inode ||
	       root->device != old.device;
}
