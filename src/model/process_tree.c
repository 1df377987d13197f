#include "model/process_tree.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 64 };

static void add(struct process_tree *tree, pid_t pid)
{
	MEMORY_GROW(tree->pids, tree->count, tree->capacity);
	tree->pids[tree->count++] = pid;
}

static void add_list(struct process_tree *tree, const char *list)
{
	char *end;
	for (long pid = strtol(list, &end, 10); end != list; pid = strtol(list, &end, 10)) {
		list = end;
		if (pid > 0)
			add(tree, (pid_t)pid);
	}
}

/* PATH is "PID/task/TID/children". */
static bool add_children_of_thread(struct process_tree *tree, int proc_fd, const char *path)
{
	struct buffer text CLEANUP_BUFFER = BUFFER_INIT;
	int fd CLEANUP_CLOSE = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || file_read_fd(fd, 0, &text) < 0)
		return false;
	add_list(tree, buffer_string(&text));
	return true;
}

/* A child belongs to the thread that forked it. */
static bool add_children_of_threads(struct process_tree *tree, int proc_fd, pid_t pid)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%d/task", pid);
	int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory) {
		memory_cleanup_close(&fd);
		return false;
	}
	const struct dirent *entry;
	bool found = false;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%d/task/%.16s/children", pid, entry->d_name);
		found = add_children_of_thread(tree, proc_fd, path) || found;
	}
	closedir(directory);
	return found;
}

bool process_tree_add_children(struct process_tree *tree, int proc_fd, pid_t pid)
{
	char path[PATH_SIZE];
	struct process process;
	if (process_read(proc_fd, pid, &process) < 0)
		return false;
	if (process.threads > 1)
		return add_children_of_threads(tree, proc_fd, pid);
	snprintf(path, sizeof(path), "%d/task/%d/children", pid, pid);
	return add_children_of_thread(tree, proc_fd, path);
}

bool process_tree_is_foreign(int proc_fd, pid_t pid, const char *mark)
{
	char carried[MARK_LENGTH + 1];
	return process_read_mark(proc_fd, pid, carried) && strcmp(carried, mark) != 0;
}

/* Of what a supervisor has adopted the mark alone tells; elsewhere a service begins with a session.
 */
static bool is_member(int proc_fd, pid_t parent, pid_t pid,
		      const struct process_tree_service *service)
{
	struct process process;
	if (pid == service->leader || process_read(proc_fd, pid, &process) < 0 ||
	    process.session == service->supervisor ||
	    (parent != service->supervisor && process.session != pid))
		return true;
	return !process_tree_is_foreign(proc_fd, pid, service->mark);
}

static bool add_member_children(struct process_tree *tree, int proc_fd, pid_t parent,
				const struct process_tree_service *service)
{
	size_t kept = tree->count;
	bool known = process_tree_add_children(tree, proc_fd, parent);
	for (size_t i = kept; i < tree->count; i++)
		if (is_member(proc_fd, parent, tree->pids[i], service))
			tree->pids[kept++] = tree->pids[i];
	tree->count = kept;
	return known;
}

bool process_tree_add_members(struct process_tree *tree, int proc_fd, pid_t pid,
			      const struct process_tree_service *service)
{
	size_t next = tree->count;
	if (!add_member_children(tree, proc_fd, pid, service))
		return false;
	for (; next < tree->count; next++)
		(void)add_member_children(tree, proc_fd, tree->pids[next], service);
	return true;
}

int64_t process_tree_resident(const struct process_tree *tree, int proc_fd, pid_t session)
{
	int64_t bytes = 0;
	struct process process;
	for (size_t i = 0; i < tree->count; i++)
		if (process_read(proc_fd, tree->pids[i], &process) == 0 &&
		    process.session != session && process_is_alive(&process))
			bytes += process.resident_bytes;
	return bytes;
}

void process_tree_release(struct process_tree *tree)
{
	free(tree->pids);
	*tree = (struct process_tree)PROCESS_TREE_INIT;
}
