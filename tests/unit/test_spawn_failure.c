/*
 * What could not be run: which step failed, why, and how it is said. And how programs are found.
 */
#include "support/support.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY_ID = 65534, NOT_POSSIBLE = 99 };

static const char *const plain_environment[] = { "PATH=/usr/bin:/bin", NULL };
static const char *const plain_arguments[] = { "program", NULL };

static struct spawn_plan plan_for(const char *program)
{
	return (struct spawn_plan){
		.program = program,
		.arguments = (char *const *)plain_arguments,
		.environment = (char *const *)plain_environment,
		.input = -1,
		.output = -1,
		.errors = -1,
		.group = SPAWN_NEW_SESSION,
		.umask = -1,
	};
}

/* The message of a start that fails, to be freed; NULL when it does not fail. */
static char *failure_of(const struct spawn_plan *plan, int *exec_errno)
{
	struct error err = ERROR_INIT;
	struct spawned child;
	int status = -1;
	*exec_errno = 0;
	if (spawn_start(plan, &child, &err) < 0)
		return err.message;
	if (spawn_release(&child, &err) < 0) {
		spawn_abandon(&child);
		return err.message;
	}
	int result = spawn_finish(plan, &child, exec_errno, &err);
	bool reaped = spawn_reap(&child, &status);
	bool failed_properly =
	    err.kind == ERROR_FAILED && WIFEXITED(status) && WEXITSTATUS(status) == 127;
	if (result < 0 && (!reaped || !failed_properly))
		abort();
	return result < 0 ? err.message : NULL;
}

static void check_failure(const struct spawn_plan *plan, int error, const char *expected)
{
	int exec_errno;
	char *message CLEANUP_FREE = failure_of(plan, &exec_errno);
	assert_non_null(message);
	assert_string_equal(message, expected);
	assert_int_equal(exec_errno, error);
}

static void test_execute(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *program;
		int error;
		const char *text;
	} rows[] = {
		{ "missing", ENOENT, "No such file or directory" },
		{ "plain", EACCES, "Permission denied" },
		{ "folder", EACCES, "Permission denied" },
		{ "no-interpreter", ENOENT, "No such file or directory" },
		{ "no-format", ENOEXEC, "Exec format error (does it begin with '#!'?)" },
		{ "empty", ENOEXEC, "Exec format error (does it begin with '#!'?)" },
		{ "plain/x", ENOTDIR, "Not a directory" },
	};
	project_write(project, "plain", "#!/bin/sh\n");
	project_write(project, "folder/x", "x");
	project_write(project, "no-interpreter", "#!/no/such/shell\n");
	project_write(project, "no-format", "echo no first line\n");
	project_write(project, "empty", "%s", "");
	static const char *const executables[] = { "no-interpreter", "no-format", "empty" };
	for (size_t i = 0; i < ARRAY_LENGTH(executables); i++)
		assert_int_equal(chmod(project_path(project, "%s", executables[i]), 0755), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		const char *program = project_path(project, "%s", rows[i].program);
		struct spawn_plan plan = plan_for(program);
		char *expected CLEANUP_FREE =
		    text_format("cannot execute '%s': %s", program, rows[i].text);
		check_failure(&plan, rows[i].error, expected);
	}
}

static void test_too_large(void **state)
{
	struct spawn_plan plan = plan_for("/bin/true");
	char *large CLEANUP_FREE = memory_alloc(200000);
	(void)state;
	memset(large, 'x', 199999);
	large[199999] = '\0';
	const char *const arguments[] = { "true", large, NULL };
	plan.arguments = (char *const *)arguments;
	check_failure(&plan, E2BIG, "cannot execute '/bin/true': Argument list too long");
}

static void test_directory(void **state)
{
	struct test_project *project = *state;
	struct spawn_plan plan = plan_for("/bin/true");
	project_write(project, "file", "x");
	plan.directory = project_path(project, "missing");
	char *missing CLEANUP_FREE =
	    text_format("cannot change to directory '%s': No such file or directory",
			plan.directory);
	check_failure(&plan, ENOENT, missing);
	plan.directory = project_path(project, "file");
	char *file CLEANUP_FREE =
	    text_format("cannot change to directory '%s': Not a directory", plan.directory);
	check_failure(&plan, ENOTDIR, file);
}

static void test_limits(void **state)
{
	static const struct limit limits[] = { { "core", RLIMIT_CORE, 0, 0 },
					       { "nproc", RLIMIT_NPROC, 20, 10 } };
	const struct rlimit upside_down = { 20, 10 };
	struct spawn_plan plan = plan_for("/bin/true");
	(void)state;
	plan.limits = limits;
	plan.limit_count = ARRAY_LENGTH(limits);
	check_failure(&plan, EINVAL, "cannot set the limit 'nproc': Invalid argument");
	plan.file_limit = &upside_down;
	check_failure(&plan, EINVAL, "cannot set the limit 'nofile': Invalid argument");
}

static void test_streams(void **state)
{
	struct spawn_plan plan = plan_for("/bin/true");
	(void)state;
	plan.errors = 9999;
	/* it may fail before or after the release */
	for (int i = 0; i < 20; i++)
		check_failure(&plan, EBADF, "cannot arrange its descriptors: Bad file descriptor");
	struct spawned child;
	struct error err = ERROR_INIT;
	int exec_errno = 0;
	assert_int_equal(spawn_start(&plan, &child, &err), 0);
	WAIT_FOR(process_state(child.pid) == 'Z');
	assert_int_equal(spawn_release(&child, &err), 0);
	assert_int_equal(spawn_finish(&plan, &child, &exec_errno, &err), -1);
	assert_int_equal(exec_errno, EBADF);
	assert_string_equal(err.message, "cannot arrange its descriptors: Bad file descriptor");
	error_clear(&err);
	assert_true(spawn_reap(&child, NULL));
}

/* Killed by somebody before the release. */
static void test_ended_early(void **state)
{
	struct spawn_plan plan = plan_for("/bin/true");
	struct spawned child;
	struct error err = ERROR_INIT;
	(void)state;
	assert_int_equal(spawn_start(&plan, &child, &err), 0);
	kill(child.pid, SIGKILL);
	WAIT_FOR(process_state(child.pid) == 'Z');
	assert_int_equal(spawn_release(&child, &err), -1);
	assert_string_equal(err.message, "the new process ended before its start: Broken pipe");
	error_clear(&err);
	spawn_abandon(&child);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* 0 when failure_of says just this. */
static int expect(const struct spawn_plan *plan, int error, const char *expected)
{
	int exec_errno;
	char *message CLEANUP_FREE = failure_of(plan, &exec_errno);
	if (message && strcmp(message, expected) == 0 && exec_errno == error)
		return 0;
	print_message("'%s', not '%s'\n", message ? message : "no failure", expected);
	return 1;
}

static int fail_as_nobody(struct test_project *project)
{
	static const struct limit limits[] = { { "core", RLIMIT_CORE, 20, 20 } };
	const struct rlimit no_core = { 10, 10 };
	struct spawn_plan plan = plan_for("/bin/true");
	(void)project;
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(NOBODY_ID) < 0 || setuid(NOBODY_ID) < 0))
		return NOT_POSSIBLE;
	plan.credentials = (struct credentials){ .set = true, .user = 12, .group = 34 };
	int failures =
	    expect(&plan, EPERM, "cannot become user 12, group 34: Operation not permitted");
	plan = plan_for("/bin/true");
	plan.has_nice = true;
	plan.nice = -5;
	failures += expect(&plan, EACCES, "cannot set 'nice' to -5: Permission denied");
	plan = plan_for("/bin/true");
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return NOT_POSSIBLE;
	plan.limits = limits;
	plan.limit_count = 1;
	failures += expect(&plan, EPERM, "cannot set the limit 'core': Operation not permitted");
	plan = plan_for("/bin/true");
	plan.directory = "/root/somewhere";
	if (access("/root", X_OK) < 0)
		failures += expect(&plan, EACCES,
				   "cannot change to directory '/root/somewhere': "
				   "Permission denied");
	return failures;
}

/* The directory is entered as who the child becomes, not as root. */
static int fail_in_own_right(struct test_project *project)
{
	const char *directory = project_path(project, "private");
	struct spawn_plan plan = plan_for("/bin/true");
	if (geteuid() != 0)
		return NOT_POSSIBLE;
	if (mkdir(directory, 0700) < 0)
		return 1;
	plan.credentials = (struct credentials){ .set = true, .user = NOBODY_ID, .group = 34 };
	plan.directory = directory;
	char *expected CLEANUP_FREE =
	    text_format("cannot change to directory '%s': Permission denied", directory);
	return expect(&plan, EACCES, expected);
}

/* No descriptor left: nothing has been started, nobody is left behind. */
static int fail_without_descriptors(struct test_project *project)
{
	struct spawn_plan plan = plan_for("/bin/true");
	struct rlimit limit = { 3, 3 };
	int failures = 0;
	(void)project;
	plan.input = plan.output = plan.errors = STDERR_FILENO;
	for (int fd = 3; fd < 4096; fd++)
		close(fd);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return NOT_POSSIBLE;
	failures += expect(&plan, 0, "cannot make a socket pair: Too many open files");
	return failures + (waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 1);
}

static int fail_without_processes(struct test_project *project)
{
	struct spawn_plan plan = plan_for("/bin/true");
	struct rlimit none = { 0, 0 };
	(void)project;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(54321) < 0 || setuid(54321) < 0))
		return NOT_POSSIBLE;
	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		return NOT_POSSIBLE;
	return expect(&plan, 0, "cannot start a process: Resource temporarily unavailable");
}

/* From here on this process has no pidfd_open(2). */
static bool take_pidfd_away(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENFILE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { .len = sizeof(steps) / sizeof(*steps), .filter = steps };
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* The child is gone, and its pid may be another's: a second end must not hit that, nor a reaping
 * take another child. */
static int fail_without_pidfd(struct test_project *project)
{
	struct spawn_plan plan = plan_for("/bin/true");
	struct error err = ERROR_INIT;
	struct spawned child;
	(void)project;
	if (!take_pidfd_away())
		return NOT_POSSIBLE;
	pid_t other = fork();
	if (other == 0)
		_exit(0);
	int failures = spawn_start(&plan, &child, &err) < 0 ? 0 : 1;
	failures += strcmp(err.message, "cannot watch a process: Too many open files in system");
	failures += child.pid == -1 && child.pidfd == -1 && child.channel == -1 ? 0 : 1;
	error_clear(&err);
	spawn_abandon(&child);
	failures += spawn_reap(&child, NULL) ? 1 : 0;
	return failures + (waitpid(other, NULL, 0) == other ? 0 : 1);
}

static void test_in_child(void **state, int (*work)(struct test_project *))
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NOT_POSSIBLE)
		SKIP("not possible here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_as_nobody(void **state)
{
	test_in_child(state, fail_as_nobody);
}

static void test_in_own_right(void **state)
{
	test_in_child(state, fail_in_own_right);
}

static void test_without_descriptors(void **state)
{
	test_in_child(state, fail_without_descriptors);
}

static void test_without_processes(void **state)
{
	test_in_child(state, fail_without_processes);
}

static void test_without_pidfd(void **state)
{
	test_in_child(state, fail_without_pidfd);
}

static void test_replace(void **state)
{
	struct test_project *project = *state;
	project_write(project, "plain", "x");
	struct spawn_plan plan = plan_for("/no/such/program");
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int first = spawn_replace(&plan);
		plan.program = project_path(project, "plain");
		int second = spawn_replace(&plan);
		plan.directory = "/no/such/directory";
		int third = spawn_replace(&plan);
		_exit(first == ENOENT && second == EACCES && third == ENOENT ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void make_program(struct test_project *project, const char *name, mode_t mode)
{
	project_write(project, name, "#!/bin/sh\n");
	assert_int_equal(chmod(project_path(project, "%s", name), mode), 0);
}

/* %D in a path is the project's directory. */
static char *fill_in(const struct test_project *project, const char *text)
{
	struct buffer filled = BUFFER_INIT;
	for (; *text; text++) {
		if (strncmp(text, "%D", 2) == 0) {
			buffer_append_string(&filled, project->directory);
			text++;
		} else {
			buffer_append_char(&filled, *text);
		}
	}
	return buffer_detach(&filled);
}

static void test_find_program(void **state)
{
	struct test_project *project = *state;
	static const struct {
		const char *name;
		const char *path; /* NULL: the system's */
		const char *directory;
		const char *found; /* NULL: nothing */
	} rows[] = {
		{ "tool", "%D/a:%D/b", NULL, "%D/a/tool" },
		{ "tool", "%D/b:%D/a", NULL, "%D/b/tool" },
		{ "only-b", "%D/a:%D/b", NULL, "%D/b/only-b" },
		{ "only-b", "%D/a:%D/b:", NULL, "%D/b/only-b" },
		{ "nowhere", "%D/a:%D/b", NULL, NULL },
		/* passed over: no x bit, a directory, a link to nothing; and what is no directory
		 */
		{ "plain", "%D/a:%D/b", NULL, "%D/b/plain" },
		{ "folder", "%D/a:%D/b", NULL, "%D/b/folder" },
		{ "dangling", "%D/a:%D/b", NULL, "%D/b/dangling" },
		{ "tool", "%D/a/tool:/no/such:%D/b", NULL, "%D/b/tool" },
		{ "plain", "%D/a", NULL, NULL },
		/* a name with a '/' is not looked for */
		{ "./tool", "%D/a", NULL, "./tool" },
		{ "a/tool", "%D", NULL, "a/tool" },
		{ "/no/such/tool", "%D/a", NULL, "/no/such/tool" },
		/* relative and empty elements count from where the program will run */
		{ "tool", "a", "%D", "%D/a/tool" },
		{ "tool", "./a", "%D", "%D/./a/tool" },
		{ "tool", "", "%D/a", "%D/a/tool" },
		{ "tool", ":%D/b", "%D/a", "%D/a/tool" },
		{ "tool", "%D/none::%D/b", "%D/a", "%D/a/tool" },
		{ "tool", "%D/none:", "%D/a", "%D/a/tool" },
		{ "tool", "a", "/", NULL },
		{ "tool", "a", NULL, NULL },
		{ "", "%D/a", NULL, NULL },
		{ "sh", NULL, NULL, "/usr/bin/sh" },
		{ "no-such-program-anywhere", NULL, NULL, NULL },
	};
	make_program(project, "a/tool", 0755);
	make_program(project, "b/tool", 0755);
	make_program(project, "b/only-b", 0711);
	make_program(project, "a/plain", 0644);
	make_program(project, "b/plain", 0755);
	project_write(project, "a/folder/x", "x");
	make_program(project, "b/folder", 0755);
	assert_int_equal(symlink("gone", project_path(project, "a/dangling")), 0);
	make_program(project, "b/dangling", 0755);
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *path CLEANUP_FREE = rows[i].path ? fill_in(project, rows[i].path) : NULL;
		char *directory CLEANUP_FREE =
		    rows[i].directory ? fill_in(project, rows[i].directory) : NULL;
		char *expected CLEANUP_FREE =
		    rows[i].found ? fill_in(project, rows[i].found) : NULL;
		char *found CLEANUP_FREE = spawn_find_program(rows[i].name, path, directory);
		if ((found == NULL) != (expected == NULL) ||
		    (found && strcmp(found, expected) != 0))
			fail_msg("row %zu: '%s', not '%s'", i, found ? found : "nothing",
				 expected ? expected : "nothing");
	}
}

/* Without a directory, from here. */
static void test_find_program_here(void **state)
{
	struct test_project *project = *state;
	char *before CLEANUP_FREE = realpath(".", NULL);
	make_program(project, "tool", 0755);
	assert_int_equal(chdir(project->directory), 0);
	char *found CLEANUP_FREE = spawn_find_program("tool", "", NULL);
	char *deeper CLEANUP_FREE = spawn_find_program("tool", "../none:.", NULL);
	assert_int_equal(chdir(before), 0);
	assert_string_equal(found, "./tool");
	assert_string_equal(deeper, "././tool");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_execute),
		cmocka_unit_test(test_too_large),
		PROJECT_TEST(test_directory),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_ended_early),
		PROJECT_TEST(test_as_nobody),
		PROJECT_TEST(test_in_own_right),
		PROJECT_TEST(test_without_descriptors),
		PROJECT_TEST(test_without_processes),
		PROJECT_TEST(test_without_pidfd),
		PROJECT_TEST(test_replace),
		PROJECT_TEST(test_find_program),
		PROJECT_TEST(test_find_program_here),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
