/*
 * `user` and `group` of a service: who may become whom.
 */
#include "support/support.h"

#include "base/memory.h"
#include "service/account.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534, NOT_POSSIBLE = 99 };

struct account_case {
	const char *user;
	const char *group;
	const char *error; /* NULL: none */
	bool set;
	uid_t becomes_user;
	gid_t becomes_group;
	const char *name; /* NULL: none */
};

/* True if the row holds; else it says why not. */
static bool holds(const struct account_case *row)
{
	struct arena arena = ARENA_INIT;
	struct account account;
	struct credentials credentials;
	struct error err = ERROR_INIT;
	int result = account_resolve(row->user, row->group, &arena, &account, &credentials, &err);
	bool fits = (result < 0) == (row->error != NULL);
	if (result < 0)
		fits = fits && strcmp(err.message, row->error) == 0 && err.kind == ERROR_FAILED;
	else
		fits = fits && credentials.set == row->set &&
		       credentials.user == row->becomes_user &&
		       credentials.group == row->becomes_group &&
		       (account.name == NULL) == (row->name == NULL) &&
		       (!row->name || strcmp(account.name, row->name) == 0);
	if (!fits)
		print_error("user %s, group %s: %s, user %ld, group %ld\n",
			    row->user ? row->user : "-", row->group ? row->group : "-",
			    err.message ? err.message : "no error", (long)credentials.user,
			    (long)credentials.group);
	error_clear(&err);
	arena_release(&arena);
	return fits;
}

#define ONLY_ROOT "only root can run a service as "

static void test_root(void **state)
{
	static const struct account_case rows[] = {
		{ NULL, NULL, NULL, false, 0, 0, NULL },
		{ "nobody", NULL, NULL, true, NOBODY_ID, NOBODY_ID, "nobody" },
		{ "65534", NULL, NULL, true, NOBODY_ID, NOBODY_ID, "nobody" },
		{ "root", NULL, NULL, true, 0, 0, "root" },
		{ "0", NULL, NULL, true, 0, 0, "root" },
		{ NULL, "daemon", NULL, true, 0, 1, NULL },
		{ NULL, "1", NULL, true, 0, 1, NULL },
		{ NULL, "4321", NULL, true, 0, 4321, NULL },
		{ "nobody", "daemon", NULL, true, NOBODY_ID, 1, "nobody" },
		{ "4000000000", "4000000001", NULL, true, 4000000000U, 4000000001U, NULL },
		{ "no-such-user", NULL, "there is no user 'no-such-user'", false, 0, 0, NULL },
		{ "no-such-user", "daemon", "there is no user 'no-such-user'", false, 0, 0, NULL },
		{ NULL, "no-such-group", "there is no group 'no-such-group'", false, 0, 0, NULL },
		{ "4000000000", NULL,
		  "user '4000000000' has no passwd entry: its 'group' has to be given too", false,
		  0, 0, NULL },
		/* -1 would change nothing: setuid(2) */
		{ "4294967295", "1", "there is no user '4294967295'", false, 0, 0, NULL },
		{ "-1", "1", "there is no user '-1'", false, 0, 0, NULL },
		{ NULL, "4294967295", "there is no group '4294967295'", false, 0, 0, NULL },
		{ NULL, "-1", "there is no group '-1'", false, 0, 0, NULL },
		{ "", NULL, "there is no user ''", false, 0, 0, NULL },
		{ "0x10", NULL, "there is no user '0x10'", false, 0, 0, NULL },
	};
	(void)state;
	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		assert_true(holds(&rows[i]));
}

static int resolve_as_nobody(void)
{
	static const struct account_case rows[] = {
		{ NULL, NULL, NULL, false, NOBODY_ID, NOBODY_ID, NULL },
		/* who we are anyway: nothing is to be changed */
		{ "nobody", NULL, NULL, false, NOBODY_ID, NOBODY_ID, "nobody" },
		{ "65534", "65534", NULL, false, NOBODY_ID, NOBODY_ID, "nobody" },
		{ NULL, "65534", NULL, false, NOBODY_ID, NOBODY_ID, NULL },
		{ "root", NULL, ONLY_ROOT "user 'root'", false, 0, 0, NULL },
		{ "0", NULL, ONLY_ROOT "user '0'", false, 0, 0, NULL },
		{ NULL, "daemon", ONLY_ROOT "group 'daemon'", false, 0, 0, NULL },
		{ "nobody", "daemon", ONLY_ROOT "user 'nobody'", false, 0, 0, NULL },
	};
	if (setgroups(0, NULL) < 0 || setgid(NOBODY_ID) < 0 || setuid(NOBODY_ID) < 0)
		return NOT_POSSIBLE;
	int failures = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		failures += !holds(&rows[i]);
	return failures;
}

static void test_nobody(void **state)
{
	int status;
	(void)state;
	SKIP_UNLESS_ROOT();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(resolve_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* All groups of the user, and the one that was asked for instead of the user's own. */
static void test_groups(void **state)
{
	struct arena arena = ARENA_INIT;
	struct account account;
	struct credentials credentials;
	struct error err = ERROR_INIT;
	(void)state;
	SKIP_UNLESS_ROOT();
	assert_int_equal(account_resolve("nobody", "daemon", &arena, &account, &credentials, &err),
			 0);
	assert_int_equal(credentials.group_count, 1);
	assert_int_equal(credentials.groups[0], 1);
	assert_string_equal(account.home, "/nonexistent");
	assert_non_null(account.shell);
	assert_int_equal(account_resolve("4000000000", "77", &arena, &account, &credentials, &err),
			 0);
	assert_int_equal(credentials.group_count, 1);
	assert_int_equal(credentials.groups[0], 77);
	assert_int_equal(account_resolve(NULL, "77", &arena, &account, &credentials, &err), 0);
	assert_int_equal(credentials.group_count, 0);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
