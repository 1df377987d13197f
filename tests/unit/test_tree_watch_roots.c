/* os/tree_watch: roots that are files or links, overlap, go and come; the limits of the system. */
#include "support/support.h"
#include "support/watching.h"

#include "base/memory.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_file_root(void **state)
{
	struct test_project *project = *state;
	const char *file = project_path(project, ".env");
	size_t index = 0;
	struct watching watch = watching_open(file);
	assert_string_equal(tree_watch_next_missing(watch.watch, &index), file);
	assert_null(tree_watch_next_missing(watch.watch, &index));
	project_write(project, "other", "x");
	assert_int_equal(mkdir(project_path(project, "directory"), 0700), 0);
	assert_silence(&watch);
	project_write(project, ".env", "A=1");
	assert_change(&watch, file);
	index = 0;
	assert_null(tree_watch_next_missing(watch.watch, &index));
	append_to(file, "B=2");
	assert_change(&watch, file);
	unlink(file);
	assert_change(&watch, file);
	append_to(project_path(project, "other"), "y");
	assert_silence(&watch);
	watching_close(&watch);
}

/* "current" of a deployment. */
static void test_root_is_a_link(void **state)
{
	struct test_project *project = *state;
	const char *current = project_path(project, "current");
	project_write(project, "one/file", "x");
	project_write(project, "two/file", "x");
	assert_int_equal(symlink("one", current), 0);
	struct watching watch = watching_open(current);
	append_to(project_path(project, "one/file"), "y");
	assert_change(&watch, project_path(project, "current/file"));
	assert_int_equal(symlink("two", project_path(project, "next")), 0);
	assert_int_equal(rename(project_path(project, "next"), current), 0);
	assert_change(&watch, current);
	append_to(project_path(project, "one/file"), "y");
	assert_silence(&watch);
	append_to(project_path(project, "two/file"), "y");
	assert_change(&watch, project_path(project, "current/file"));
	remove_tree(project_path(project, "two"));
	assert_change(&watch, project_path(project, "current/file"));
	project_write(project, "two/file", "x");
	watching_skip_to_deadline(&watch);
	assert_change(&watch, current);
	watching_close(&watch);
}

static void test_root_vanishes(void **state)
{
	struct test_project *project = *state;
	const char *root = project_path(project, "up/root");
	const char *file = project_path(project, "up/root/file");
	project_write(project, "up/root/file", "x");
	struct watching watch = watching_open(root);
	remove_tree(root);
	assert_change(&watch, file);
	project_write(project, "up/root/file", "x");
	assert_change(&watch, root);
	append_to(file, "y");
	assert_change(&watch, file);
	assert_int_equal(rename(root, project_path(project, "up/old")), 0);
	assert_change(&watch, root);
	append_to(project_path(project, "up/old/file"), "y");
	assert_silence(&watch);
	assert_int_equal(rename(project_path(project, "up/old"), root), 0);
	assert_change(&watch, root);
	append_to(file, "y");
	assert_change(&watch, file);
	remove_tree(project_path(project, "up"));
	assert_change(&watch, file);
	project_write(project, "up/root/file", "x");
	watching_skip_to_deadline(&watch);
	assert_change(&watch, root);
	append_to(file, "y");
	assert_change(&watch, file);
	watching_close(&watch);
}

/* A service has its current directory there: the system keeps it and tells nothing. */
static void test_held_root_vanishes(void **state)
{
	struct test_project *project = *state;
	const char *root = project_path(project, "root");
	assert_int_equal(mkdir(root, 0700), 0);
	struct watching watch = watching_open(root);
	int held = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmdir(root), 0);
	assert_change(&watch, root);
	project_write(project, "root/file", "x");
	assert_change(&watch, root);
	append_to(project_path(project, "root/file"), "y");
	assert_change(&watch, project_path(project, "root/file"));
	close(held);
	watching_close(&watch);
}

static void test_roots_overlap(void **state)
{
	struct test_project *project = *state;
	const char *const roots[] = { project->directory, project_path(project, "src//./"),
				      project_path(project, "src/a.c") };
	const char *const ignored[] = { "/src", "b.c" };
	const struct tree_watch_options options = { roots, 3, ignored, 2 };
	struct error err = ERROR_INIT;
	project_write(project, "src/deep/x", "x");
	project_write(project, "src/a.c", "x");
	struct watching watch = { tree_watch_open(&options, &err), clock_monotonic_ns() };
	assert_non_null(watch.watch);
	assert_string_equal(tree_watch_root(watch.watch, 1), project_path(project, "src"));
	append_to(project_path(project, "src/deep/x"), "y");
	assert_change(&watch, project_path(project, "src/deep/x"));
	append_to(project_path(project, "src/a.c"), "y");
	assert_change(&watch, project_path(project, "src/a.c"));
	append_to(project_path(project, "src/b.c"), "y");
	assert_silence(&watch);
	remove_tree(project_path(project, "src"));
	assert_non_null(watching_report(&watch));
	project_write(project, "src/deep/x", "x");
	assert_non_null(watching_report(&watch));
	append_to(project_path(project, "src/deep/x"), "y");
	assert_change(&watch, project_path(project, "src/deep/x"));
	watching_close(&watch);
}

static void test_relative_root(void **state)
{
	struct test_project *project = *state;
	char *before CLEANUP_FREE = getcwd(NULL, 0);
	assert_int_equal(chdir(project->directory), 0);
	project_write(project, "src/a", "x");
	struct watching here = watching_open(".");
	struct watching below = watching_open("./src/");
	append_to("src/a", "y");
	assert_change(&here, "src/a");
	assert_change(&below, "src/a");
	watching_close(&here);
	watching_close(&below);
	assert_int_equal(chdir(before), 0);
}

static void write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(77);
	close(fd);
}

/* The limits of a user namespace are its own. */
static void expect_limit(struct test_project *project, const char *setting, const char *message)
{
	const char *root = project->directory;
	const struct tree_watch_options options = { &root, 1, NULL, 0 };
	int status;
	pid_t child = fork();
	if (child == 0) {
		struct error err = ERROR_INIT;
		if (unshare(CLONE_NEWUSER) != 0)
			_exit(77);
		write_setting(setting, "2");
		struct tree_watch *first = tree_watch_open(&options, NULL);
		struct tree_watch *second = tree_watch_open(&options, NULL);
		struct tree_watch *third = tree_watch_open(&options, &err);
		tree_watch_close(first);
		tree_watch_close(second);
		_exit(third || !strstr(err.message, message));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("needs user namespaces");
	assert_int_equal(status, 0);
}

static void test_watch_limit(void **state)
{
	struct test_project *project = *state;
	project_write(project, "a/b/c", "x");
	expect_limit(project, "/proc/sys/user/max_inotify_watches", "fs.inotify.max_user_watches");
}

static void test_instance_limit(void **state)
{
	expect_limit(*state, "/proc/sys/user/max_inotify_instances",
		     "fs.inotify.max_user_instances");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_file_root),     PROJECT_TEST(test_root_is_a_link),
		PROJECT_TEST(test_root_vanishes), PROJECT_TEST(test_held_root_vanishes),
		PROJECT_TEST(test_roots_overlap), PROJECT_TEST(test_relative_root),
		PROJECT_TEST(test_watch_limit),   PROJECT_TEST(test_instance_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
