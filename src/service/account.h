/*
 * `user` and `group` of a service: passwd(5), group(5), resolved before the fork.
 */
#ifndef PMO_SERVICE_ACCOUNT_H
#define PMO_SERVICE_ACCOUNT_H

#include "base/error.h"
#include "base/memory.h"
#include "os/spawn.h"

struct account {
	const char *name; /* NULL when no user is asked for, or passwd(5) does not know it */
	const char *home;
	const char *shell;
};

/* Resolve USER and GROUP (names or numbers, NULL: not asked for) into what the child becomes, with
 * all supplementary groups of the user. Everything lives in ARENA. Only root may become another:
 * for anybody else it is an error, unless it names who runs pmo anyway. */
int account_resolve(const char *user, const char *group, struct arena *arena,
		    struct account *account, struct credentials *credentials, struct error *err);

#endif
