#include "service/hook_tree.h"

#include "model/process.h"
#include "os/signal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
	NONE = -1,
	QUIET_LOOKS = 2,   /* looks in a row that find nobody new: then there is nobody */
	QUIET_BLINDLY = 5, /* the same where groups cannot be killed at one instant */
	MOST_LOOKS = 64,   /* should somebody who may not be stopped fork without end */
};

struct member {
	pid_t pid;
	uint64_t ticks;
};

struct tree {
	struct hook *const *hooks;
	size_t hook_count;
	struct process_table table;
	int *owners;            /* per process of the table: index of its hook, or NONE */
	struct member *members; /* whom earlier looks have found: ancestors first, mostly */
	size_t member_count;
	size_t member_capacity;
	int looks;
};

/* The hook that leads this session and has not been reaped: its number is nobody else's. */
static int find_session(const struct tree *tree, pid_t session)
{
	for (size_t i = 0; i < tree->hook_count; i++) {
		const struct hook *hook = tree->hooks[i];
		const struct process *leader;
		if (hook->child.pid != session)
			continue;
		leader = process_table_find(&tree->table, session);
		return leader && leader->ticks == hook->ticks ? (int)i : NONE;
	}
	return NONE;
}

/* A hook may run `pmo start`: the leader of that service is its descendant as long as pmo lives. */
static bool is_other_service(const struct tree *tree, const struct process *process, int owner)
{
	char mark[MARK_LENGTH + 1];
	return process->pid == process->session &&
	       process_read_mark(tree->table.proc_fd, process->pid, mark) &&
	       strcmp(mark, tree->hooks[owner]->mark) != 0;
}

static int inherit_owner(const struct tree *tree, const struct process *process)
{
	const struct process *parent = process_table_find(&tree->table, process->parent);
	if (!parent || parent->ticks > process->ticks)
		return NONE;
	int owner = tree->owners[parent - tree->table.items];
	return owner == NONE || is_other_service(tree, process, owner) ? NONE : owner;
}

/* Until nobody is added: a child may have a lower pid than its parent. */
static void spread_to_descendants(struct tree *tree)
{
	bool changed = true;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < tree->table.count; i++) {
			if (tree->owners[i] != NONE)
				continue;
			tree->owners[i] = inherit_owner(tree, &tree->table.items[i]);
			changed = changed || tree->owners[i] != NONE;
		}
	}
}

static bool is_member(const struct tree *tree, const struct process *process)
{
	for (size_t i = 0; i < tree->member_count; i++)
		if (tree->members[i].pid == process->pid &&
		    tree->members[i].ticks == process->ticks)
			return true;
	return false;
}

static void assign_owners(struct tree *tree)
{
	const struct process_table *table = &tree->table;
	tree->owners = memory_resize(tree->owners, table->count + 1, sizeof(*tree->owners));
	for (size_t i = 0; i < table->count; i++)
		tree->owners[i] = find_session(tree, table->items[i].session);
	spread_to_descendants(tree);
}

static void stop_process(struct tree *tree, const struct process *process)
{
	MEMORY_GROW(tree->members, tree->member_count, tree->member_capacity);
	tree->members[tree->member_count++] = (struct member){ process->pid, process->ticks };
	(void)signal_send(tree->table.proc_fd, process->pid, process->ticks, SIGSTOP);
}

/* Look once and stop those who are new. True if there were any. */
static bool stop_new(struct tree *tree)
{
	size_t before = tree->member_count;
	if (tree->looks++ >= MOST_LOOKS || process_table_read(&tree->table, NULL) < 0)
		return false;
	assign_owners(tree);
	for (size_t i = 0; i < tree->table.count; i++) {
		const struct process *process = &tree->table.items[i];
		if (tree->owners[i] != NONE && process_is_alive(process) &&
		    !is_member(tree, process))
			stop_process(tree, process);
	}
	return tree->member_count > before;
}

/* Children before parents: a group that loses its last parent while it is stopped would be woken.
 */
static void kill_members(const struct tree *tree)
{
	for (size_t i = tree->member_count; i > 0; i--) {
		const struct member *member = &tree->members[i - 1];
		(void)signal_send(tree->table.proc_fd, member->pid, member->ticks, SIGKILL);
	}
}

/* Whoever the looks have missed: /proc lists its processes first and describes them later, and of a
 * chain in which each forks the next and ends, none may be there both times. True if the kernel can
 * do that. The pidfd alone is for those that cannot. */
static bool kill_groups(const struct tree *tree)
{
	bool able = true;
	for (size_t i = 0; i < tree->hook_count; i++) {
		int pidfd = tree->hooks[i]->child.pidfd;
		able = signal_kill_group(pidfd) != -EINVAL && able;
		(void)signal_send_open(pidfd, SIGKILL);
	}
	return able;
}

void hook_tree_kill(struct hook *const *hooks, size_t count)
{
	struct tree tree = { .hooks = hooks, .hook_count = count, .table = PROCESS_TABLE_INIT };
	bool able = false;
	int quiet = count > 0 ? 0 : QUIET_BLINDLY;
	while (quiet < (able ? QUIET_LOOKS : QUIET_BLINDLY) && tree.looks < MOST_LOOKS) {
		bool found = stop_new(&tree);
		while (found && stop_new(&tree))
			;
		kill_members(&tree);
		able = kill_groups(&tree);
		quiet = found ? 0 : quiet + 1;
	}
	process_table_release(&tree.table);
	free(tree.owners);
	free(tree.members);
}
