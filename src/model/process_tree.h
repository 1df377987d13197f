/*
 * The descendants of one process, by the lists of children that the kernel keeps: proc(5),
 * /proc/PID/task/TID/children. Costs what the tree costs, not what the machine does.
 */
#ifndef PMO_MODEL_PROCESS_TREE_H
#define PMO_MODEL_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_tree {
	pid_t *pids; /* parents before their children */
	size_t count;
	size_t capacity;
};

#define PROCESS_TREE_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* Append the children of PID, the dead that nobody has reaped among them. False when the kernel
 * does not offer the lists (CONFIG_PROC_CHILDREN) or PID is gone. PROC_FD is a descriptor of /proc.
 */
bool process_tree_add_children(struct process_tree *tree, int proc_fd, pid_t pid);

/* Append all descendants of PID. False as above, for PID itself. */
bool process_tree_add_descendants(struct process_tree *tree, int proc_fd, pid_t pid);

/* What the processes of TREE have resident together, in bytes, without those of SESSION. */
int64_t process_tree_resident(const struct process_tree *tree, int proc_fd, pid_t session);

void process_tree_release(struct process_tree *tree);

#endif
