/*
 * The processes of hooks. Inside of service/hook.h.
 */
#ifndef PMO_SERVICE_HOOK_TREE_H
#define PMO_SERVICE_HOOK_TREE_H

#include "service/hook.h"

/* What hook_kill says, for all of HOOKS in one go; their fields are left as they are. Everybody is
 * stopped before anybody is killed, so that nobody can fork or lose its parent meanwhile. */
void hook_tree_kill(struct hook *const *hooks, size_t count);

#endif
