/*
 * The descendants of one process, by the lists of children that the kernel keeps: proc(5),
 * /proc/PID/task/TID/children. Costs what the tree costs, not what the machine does.
 */
#ifndef PMO_MODEL_PROCESS_TREE_H
#define PMO_MODEL_PROCESS_TREE_H

#include "model/identity.h"

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

/* Whose tree it is, where a pmo that runs in it may have started other services. */
struct process_tree_service {
	pid_t supervisor;
	pid_t leader;
	const char *mark;
};

/* True if PID carries the mark of something else than this service: of another one, or of the
 * supervisor of another one. Reads its environment. */
bool process_tree_is_foreign(int proc_fd, pid_t pid, const char *mark);

/* Append the descendants of PID that are the service's, by the rules of model/membership.h: what
 * has been started as another service is left out, with its descendants. False as above, for PID
 * itself. */
bool process_tree_add_members(struct process_tree *tree, int proc_fd, pid_t pid,
			      const struct process_tree_service *service);

/* What the processes of TREE have resident together, in bytes, without those of SESSION. */
int64_t process_tree_resident(const struct process_tree *tree, int proc_fd, pid_t session);

void process_tree_release(struct process_tree *tree);

#endif
