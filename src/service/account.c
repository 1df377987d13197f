#include "service/account.h"

#include "base/units.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct passwd *find_user(const char *user)
{
	int64_t number;
	const struct passwd *entry = getpwnam(user);
	if (!entry && units_parse_integer(user, 0, UINT32_MAX - 1, &number))
		entry = getpwuid((uid_t)number);
	return entry;
}

static int resolve_group(const char *group, gid_t *gid, struct error *err)
{
	int64_t number;
	const struct group *entry = getgrnam(group);
	if (entry)
		*gid = entry->gr_gid;
	else if (units_parse_integer(group, 0, UINT32_MAX - 1, &number))
		*gid = (gid_t)number;
	else
		return error_set(err, ERROR_FAILED, "there is no group '%s'", group);
	return 0;
}

/* Supplementary groups as initgroups(3) would set them; of a user without a name, its group alone.
 */
static void list_groups(const char *user, struct arena *arena, struct credentials *credentials)
{
	int count = 0;
	gid_t none;
	if (user)
		getgrouplist(user, credentials->group, &none, &count);
	credentials->groups = arena_alloc(arena, ((size_t)count + 1) * sizeof(gid_t));
	credentials->groups[0] = credentials->group;
	credentials->group_count = 1;
	if (user && getgrouplist(user, credentials->group, credentials->groups, &count) >= 0)
		credentials->group_count = (size_t)count;
}

/* A number that passwd(5) does not know is a user too, as in containers; but of no group. */
static int resolve_number(const char *user, const char *group, struct credentials *credentials,
			  struct error *err)
{
	int64_t number;
	if (!units_parse_integer(user, 0, UINT32_MAX - 1, &number))
		return error_set(err, ERROR_FAILED, "there is no user '%s'", user);
	if (!group)
		return error_set(err, ERROR_FAILED,
				 "user '%s' has no passwd entry: its 'group' has to be given too",
				 user);
	credentials->user = (uid_t)number;
	return 0;
}

static int resolve_user(const char *user, const char *group, struct arena *arena,
			struct account *account, struct credentials *credentials, struct error *err)
{
	const struct passwd *entry = find_user(user);
	if (!entry)
		return resolve_number(user, group, credentials, err);
	account->name = arena_strdup(arena, entry->pw_name);
	account->home = arena_strdup(arena, entry->pw_dir);
	account->shell = arena_strdup(arena, *entry->pw_shell ? entry->pw_shell : "/bin/sh");
	credentials->user = entry->pw_uid;
	credentials->group = entry->pw_gid;
	return 0;
}

/* Whether CREDENTIALS are what this process is anyway; only root may become another. */
static int check_permission(struct credentials *credentials, const char *user, const char *group,
			    struct error *err)
{
	if (geteuid() == 0)
		return 0;
	credentials->set = false;
	if (credentials->user == geteuid() && credentials->group == getegid())
		return 0;
	return error_set(err, ERROR_FAILED, "only root can run a service as %s '%s'",
			 user ? "user" : "group", user ? user : group);
}

int account_resolve(const char *user, const char *group, struct arena *arena,
		    struct account *account, struct credentials *credentials, struct error *err)
{
	*account = (struct account){ 0 };
	*credentials = (struct credentials){ .user = geteuid(), .group = getegid() };
	if (!user && !group)
		return 0;
	credentials->set = true;
	if (user && resolve_user(user, group, arena, account, credentials, err) < 0)
		return -1;
	if (group && resolve_group(group, &credentials->group, err) < 0)
		return -1;
	if (user)
		list_groups(account->name, arena, credentials);
	return check_permission(credentials, user, group, err);
}
