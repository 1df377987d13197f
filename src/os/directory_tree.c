#include "os/directory_tree.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_SLOT_COUNT = 16 };

int directory_tree_open(struct directory_tree *tree, const struct ignore_list *ignored,
			struct error *err)
{
	*tree = (struct directory_tree){ .ignored = ignored };
	tree->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (tree->inotify >= 0)
		return 0;
	if (errno == EMFILE)
		return error_set(err, ERROR_FAILED,
				 "cannot watch files: no inotify instance or file descriptor is "
				 "left; raise fs.inotify.max_user_instances");
	return error_set_errno(err, ERROR_FAILED, errno, "cannot watch files");
}

void directory_tree_close(struct directory_tree *tree)
{
	for (size_t i = 0; i < tree->slot_count; i++)
		for (struct tree_node *node = tree->slots[i], *next; node; node = next) {
			next = node->next;
			free(node);
		}
	free(tree->slots);
	buffer_release(&tree->path);
	memory_cleanup_close(&tree->inotify);
	*tree = (struct directory_tree){ .inotify = -1 };
}

/* Descriptors are small numbers, given out one after another. */
static struct tree_node **slot_of(const struct directory_tree *tree, int descriptor)
{
	return &tree->slots[(size_t)descriptor & (tree->slot_count - 1)];
}

/* At the end, so that nodes of one watch keep their order when the table grows: somebody may be
 * going through them. */
static void put_in_table(struct directory_tree *tree, struct tree_node *node)
{
	struct tree_node **place = slot_of(tree, node->descriptor);
	while (*place)
		place = &(*place)->next;
	node->next = NULL;
	*place = node;
}

static void grow_table(struct directory_tree *tree)
{
	struct directory_tree old = *tree;
	tree->slot_count = old.slot_count ? old.slot_count * 2 : FIRST_SLOT_COUNT;
	tree->slots = memory_zalloc(tree->slot_count, sizeof(struct tree_node *));
	for (size_t i = 0; i < old.slot_count; i++)
		for (struct tree_node *node = old.slots[i], *next; node; node = next) {
			next = node->next;
			put_in_table(tree, node);
		}
	free(old.slots);
}

static struct tree_node *same_watch(struct tree_node *node, int descriptor)
{
	while (node && node->descriptor != descriptor)
		node = node->next;
	return node;
}

struct tree_node *directory_tree_find(const struct directory_tree *tree, int descriptor)
{
	if (tree->slot_count == 0 || descriptor < 0)
		return NULL;
	return same_watch(*slot_of(tree, descriptor), descriptor);
}

struct tree_node *directory_tree_next(const struct tree_node *node)
{
	return same_watch(node->next, node->descriptor);
}

static void take_from_table(struct directory_tree *tree, struct tree_node *node)
{
	struct tree_node **place = slot_of(tree, node->descriptor);
	while (*place != node)
		place = &(*place)->next;
	*place = node->next;
	tree->count--;
}

static void link_child(struct tree_node *parent, struct tree_node *child)
{
	child->parent = parent;
	child->sibling = parent->children;
	child->link = &parent->children;
	if (child->sibling)
		child->sibling->link = &child->sibling;
	parent->children = child;
}

static void unlink_child(struct tree_node *child)
{
	if (!child->parent)
		return;
	*child->link = child->sibling;
	if (child->sibling)
		child->sibling->link = child->link;
}

static void release_node(struct directory_tree *tree, struct tree_node *node)
{
	for (struct tree_node *child = node->children, *next; child; child = next) {
		next = child->sibling;
		release_node(tree, child);
	}
	take_from_table(tree, node);
	if (!directory_tree_find(tree, node->descriptor))
		inotify_rm_watch(tree->inotify, node->descriptor);
	free(node);
}

void directory_tree_drop(struct directory_tree *tree, struct tree_node *node)
{
	if (!node)
		return;
	unlink_child(node);
	release_node(tree, node);
}

void directory_tree_drop_child(struct directory_tree *tree, struct tree_node *parent,
			       const char *name)
{
	struct tree_node *child = parent->children;
	while (child && strcmp(child->name, name) != 0)
		child = child->sibling;
	directory_tree_drop(tree, child);
}

static void append_component(struct buffer *path, const char *name)
{
	if (path->length > 0 && path->data[path->length - 1] != '/')
		buffer_append_char(path, '/');
	buffer_append_string(path, name);
}

/* Returns where the part that counts from the top begins. */
static size_t append_node(struct buffer *path, const struct tree_node *node)
{
	if (!node->parent) {
		buffer_append_string(path, node->name);
		return path->length + (node->name[path->length - 1] != '/');
	}
	size_t relative = append_node(path, node->parent);
	append_component(path, node->name);
	return relative;
}

const char *directory_tree_path(struct directory_tree *tree, const struct tree_node *node,
				const char *name, const char **relative)
{
	buffer_clear(&tree->path);
	size_t offset = append_node(&tree->path, node);
	if (name)
		append_component(&tree->path, name);
	const char *path = buffer_string(&tree->path);
	if (relative)
		*relative = offset <= tree->path.length ? path + offset : "";
	return path;
}

/* What lies in the way of watching one directory is no error, what would be in the way of all is.
 */
static int refuse_watch(const char *path, int errnum, struct error *err)
{
	if (errnum == ENOSPC)
		return error_set(
		    err, ERROR_FAILED,
		    "cannot watch '%s': no inotify watch is left; raise "
		    "fs.inotify.max_user_watches, or let ignore_watch name what does not "
		    "matter",
		    path);
	if (errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE)
		return error_set_errno(err, ERROR_FAILED, errnum, "cannot watch '%s'", path);
	return 0;
}

/* *descriptor is -1 where there is nothing to watch. */
static int add_watch(const struct directory_tree *tree, const char *path, uint32_t events,
		     int *descriptor, struct error *err)
{
	*descriptor = inotify_add_watch(tree->inotify, path, events | IN_ONLYDIR | IN_MASK_ADD);
	return *descriptor < 0 ? refuse_watch(path, errno, err) : 0;
}

static struct tree_node *create_node(struct directory_tree *tree, int descriptor, const char *name,
				     size_t root)
{
	size_t size = strlen(name) + 1;
	struct tree_node *node = memory_zalloc(1, sizeof(*node) + size);
	memcpy(node->name, name, size);
	node->descriptor = descriptor;
	node->root = root;
	if (tree->count >= tree->slot_count)
		grow_table(tree);
	put_in_table(tree, node);
	tree->count++;
	return node;
}

/* True where the child is known, or is a directory that it is in itself: bind mounts can do that.
 */
static bool has_watch(const struct directory_tree *tree, const struct tree_node *parent,
		      const char *name, int descriptor)
{
	const struct tree_node *node = directory_tree_find(tree, descriptor);
	for (; node; node = directory_tree_next(node)) {
		if (node->parent == parent && strcmp(node->name, name) == 0)
			return true;
		for (const struct tree_node *above = parent; above; above = above->parent)
			if (above == node)
				return true;
	}
	return false;
}

/* *child is NULL when there is nothing new to watch. */
static int watch_child(struct directory_tree *tree, struct tree_node *parent, const char *name,
		       struct tree_node **child, struct error *err)
{
	int descriptor;
	const char *path = directory_tree_path(tree, parent, name, NULL);
	*child = NULL;
	if (add_watch(tree, path, TREE_EVENTS | IN_DONT_FOLLOW, &descriptor, err) != 0)
		return -1;
	if (descriptor < 0 || has_watch(tree, parent, name, descriptor))
		return 0;
	*child = create_node(tree, descriptor, name, parent->root);
	link_child(parent, *child);
	return 0;
}

static bool is_directory(DIR *directory, const struct dirent *entry)
{
	struct stat status;
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(status.st_mode);
}

static int open_directory(struct directory_tree *tree, const struct tree_node *node,
			  DIR **directory, struct error *err)
{
	const char *path = directory_tree_path(tree, node, NULL, NULL);
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (node->parent ? O_NOFOLLOW : 0);
	int fd = open(path, flags);
	*directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (*directory)
		return 0;
	int errnum = errno;
	memory_cleanup_close(&fd);
	return refuse_watch(path, errnum, err);
}

static int watch_entries(struct directory_tree *tree, struct tree_node *node, DIR *directory,
			 struct error *err)
{
	const struct dirent *entry;
	struct tree_node *child;
	const char *relative;
	while ((entry = readdir(directory))) {
		if (!is_directory(directory, entry))
			continue;
		directory_tree_path(tree, node, entry->d_name, &relative);
		if (ignore_list_matches(tree->ignored, relative, IGNORE_DIRECTORY))
			continue;
		if (watch_child(tree, node, entry->d_name, &child, err) != 0)
			return -1;
	}
	return 0;
}

/* The node is watched already: what appears during the reading is an event. One directory is open
 * at a time. */
static int scan(struct directory_tree *tree, struct tree_node *node, struct error *err)
{
	DIR *directory;
	if (open_directory(tree, node, &directory, err) != 0)
		return -1;
	if (!directory)
		return 0;
	int result = watch_entries(tree, node, directory, err);
	closedir(directory);
	for (struct tree_node *child = node->children; child && result == 0; child = child->sibling)
		result = scan(tree, child, err);
	return result;
}

int directory_tree_add_child(struct directory_tree *tree, struct tree_node *parent,
			     const char *name, struct error *err)
{
	struct tree_node *child;
	if (watch_child(tree, parent, name, &child, err) != 0)
		return -1;
	return child ? scan(tree, child, err) : 0;
}

static int watch_path(struct directory_tree *tree, const char *path, const char *name,
		      uint32_t events, size_t root, struct tree_node **node, struct error *err)
{
	int descriptor;
	*node = NULL;
	if (add_watch(tree, path, events, &descriptor, err) != 0)
		return -1;
	if (descriptor >= 0)
		*node = create_node(tree, descriptor, name, root);
	return 0;
}

int directory_tree_add_top(struct directory_tree *tree, const char *path, size_t root,
			   struct tree_node **top, struct error *err)
{
	if (watch_path(tree, path, path, TREE_EVENTS, root, top, err) != 0)
		return -1;
	return *top ? scan(tree, *top, err) : 0;
}

int directory_tree_add_anchor(struct directory_tree *tree, const char *path, const char *entry,
			      uint32_t events, size_t root, struct tree_node **anchor,
			      struct error *err)
{
	if (watch_path(tree, path, entry, events, root, anchor, err) != 0)
		return -1;
	if (*anchor)
		(*anchor)->anchor = true;
	return 0;
}
