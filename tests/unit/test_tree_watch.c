/* os/tree_watch: what is a change, and that it is told once. */
#include "support/support.h"
#include "support/watching.h"

#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static void test_changes(void **state)
{
	struct test_project *project = *state;
	const char *file = project_path(project, "src/a.c");
	const char *other = project_path(project, "src/b.c");
	project_write(project, "src/a.c", "one");
	struct watching watch = watching_open(project->directory);
	assert_silence(&watch);
	append_to(file, "two");
	assert_change(&watch, file);
	append_to(other, "new");
	assert_change(&watch, other);
	assert_int_equal(rename(other, project_path(project, "c.c")), 0);
	assert_change(&watch, other);
	assert_int_equal(rename(project_path(project, "c.c"), other), 0);
	assert_change(&watch, project_path(project, "c.c"));
	assert_int_equal(unlink(other), 0);
	assert_change(&watch, other);
	assert_int_equal(link(file, other), 0);
	assert_change(&watch, other);
	assert_int_equal(symlink("nowhere", project_path(project, "link")), 0);
	assert_change(&watch, project_path(project, "link"));
	assert_int_equal(mkdir(project_path(project, "empty"), 0700), 0);
	assert_change(&watch, project_path(project, "empty"));
	assert_int_equal(rmdir(project_path(project, "empty")), 0);
	assert_change(&watch, project_path(project, "empty"));
	watching_close(&watch);
}

static void test_no_changes(void **state)
{
	struct test_project *project = *state;
	const char *file = project_path(project, "src/a.c");
	struct timeval times[2] = { { 1, 0 }, { 1, 0 } };
	project_write(project, "src/a.c", "one");
	struct watching watch = watching_open(project->directory);
	free(project_read(project, "src/a.c"));
	DIR *directory = opendir(project_path(project, "src"));
	while (readdir(directory)) {
	}
	closedir(directory);
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(utimes(file, times), 0);
	assert_int_equal(access(file, R_OK), 0);
	assert_int_equal(mkfifo(project_path(project, "fifo"), 0600), 0);
	assert_silence(&watch);
	int fd = open(project_path(project, "held"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_silence(&watch);
	close(fd);
	assert_change(&watch, project_path(project, "held"));
	watching_close(&watch);
}

static void test_ignored(void **state)
{
	struct test_project *project = *state;
	project_write(project, "node_modules/a/index.js", "x");
	project_write(project, "logs/a.log", "x");
	struct watching watch = watching_open_without(project->directory, "*.log");
	append_to(project_path(project, "node_modules/a/index.js"), "y");
	append_to(project_path(project, "logs/a.log"), "y");
	project_write(project, ".git/index", "x");
	project_write(project, ".pmo/pids/a.pid", "1");
	project_write(project, "logs/b.log", "x");
	assert_int_equal(unlink(project_path(project, "logs/b.log")), 0);
	assert_int_equal(rename(project_path(project, "node_modules"),
				project_path(project, "logs/node_modules")),
			 0);
	assert_silence(&watch);
	watching_close(&watch);
	watch = watching_open_without(project->directory, "!node_modules");
	append_to(project_path(project, "logs/node_modules/a/index.js"), "z");
	assert_change(&watch, project_path(project, "logs/node_modules/a/index.js"));
	watching_close(&watch);
}

/* What each editor does to save a file that exists. */
static void save_vim(struct test_project *project, const char *file, const char *backup)
{
	project_write(project, "src/4913", "%s", "");
	unlink(project_path(project, "src/4913"));
	append_to(project_path(project, "src/.a.c.swp"), "x");
	assert_int_equal(rename(file, backup), 0);
	append_to(file, "vim");
	unlink(backup);
	unlink(project_path(project, "src/.a.c.swp"));
}

static void save_emacs(struct test_project *project, const char *file, const char *backup)
{
	assert_int_equal(symlink("me@host.1:2", project_path(project, "src/.#a.c")), 0);
	append_to(project_path(project, "src/#a.c#"), "x");
	assert_int_equal(rename(file, backup), 0);
	append_to(file, "emacs");
	unlink(project_path(project, "src/#a.c#"));
	unlink(project_path(project, "src/.#a.c"));
}

static void save_code(struct test_project *project, const char *file, const char *backup)
{
	(void)project;
	(void)backup;
	int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "code", 4), 4);
	close(fd);
}

static void save_atomically(struct test_project *project, const char *file, const char *backup)
{
	(void)backup;
	append_to(project_path(project, "src/.a.c.swp"), "atomic");
	assert_int_equal(rename(project_path(project, "src/.a.c.swp"), file), 0);
}

/* Twice each: the second file is another one than the watch began with. */
static void expect_saves(struct test_project *project, const char *root)
{
	void (*const saves[])(struct test_project *, const char *,
			      const char *) = { save_vim, save_emacs, save_code, save_atomically };
	const char *file = project_path(project, "src/a.c");
	const char *backup = project_path(project, "src/a.c~");
	project_write(project, "src/a.c", "one");
	struct watching watch = watching_open(root);
	for (size_t i = 0; i < 2 * ARRAY_LENGTH(saves); i++) {
		saves[i / 2](project, file, backup);
		assert_change(&watch, file);
	}
	watching_close(&watch);
}

static void test_editors(void **state)
{
	struct test_project *project = *state;
	expect_saves(project, project->directory);
}

static void test_editors_on_a_file(void **state)
{
	struct test_project *project = *state;
	expect_saves(project, project_path(project, "src/a.c"));
}

static void test_new_directories(void **state)
{
	struct test_project *project = *state;
	struct watching watch = watching_open(project->directory);
	project_write(project, "a/b/c/d/e/f.c", "x");
	assert_change(&watch, project_path(project, "a"));
	append_to(project_path(project, "a/b/c/d/e/f.c"), "y");
	assert_change(&watch, project_path(project, "a/b/c/d/e/f.c"));
	assert_int_equal(rename(project_path(project, "a/b"), project_path(project, "moved")), 0);
	assert_change(&watch, project_path(project, "a/b"));
	append_to(project_path(project, "moved/c/d/e/f.c"), "z");
	assert_change(&watch, project_path(project, "moved/c/d/e/f.c"));
	watching_close(&watch);
}

/* Names that change hands while nobody reads, and a directory that leaves the tree. */
static void test_renamed_directories(void **state)
{
	struct test_project *project = *state;
	struct test_project *outside = project_create();
	project_write(project, "one/x", "x");
	project_write(project, "two/x", "x");
	struct watching watch = watching_open(project->directory);
	assert_int_equal(rename(project_path(project, "one"), project_path(project, "t")), 0);
	assert_int_equal(rename(project_path(project, "two"), project_path(project, "one")), 0);
	assert_int_equal(rename(project_path(project, "t"), project_path(project, "two")), 0);
	assert_change(&watch, project_path(project, "one"));
	append_to(project_path(project, "one/x"), "y");
	assert_change(&watch, project_path(project, "one/x"));
	append_to(project_path(project, "two/x"), "y");
	assert_change(&watch, project_path(project, "two/x"));
	assert_int_equal(rename(project_path(project, "one"), project_path(outside, "one")), 0);
	assert_change(&watch, project_path(project, "one"));
	append_to(project_path(outside, "one/x"), "z");
	assert_silence(&watch);
	watching_close(&watch);
	project_destroy(outside);
}

static void test_links_not_followed(void **state)
{
	struct test_project *project = *state;
	project_write(project, "outside/file", "x");
	assert_int_equal(mkdir(project_path(project, "root"), 0700), 0);
	assert_int_equal(symlink("../outside", project_path(project, "root/link")), 0);
	struct watching watch = watching_open(project_path(project, "root"));
	append_to(project_path(project, "outside/file"), "y");
	assert_silence(&watch);
	assert_int_equal(symlink("../outside", project_path(project, "root/late")), 0);
	assert_change(&watch, project_path(project, "root/late"));
	append_to(project_path(project, "outside/file"), "y");
	assert_silence(&watch);
	watching_close(&watch);
}

/* By the clock that tree_watch_read is given, so that a slow machine changes nothing. */
static void test_debounce(void **state)
{
	struct test_project *project = *state;
	const char *file = project_path(project, "a");
	const char *path;
	struct watching watch = watching_open(project->directory);
	int64_t now = clock_monotonic_ns();
	assert_int_equal(tree_watch_deadline(watch.watch), INT64_MAX);
	append_to(file, "x");
	assert_int_equal(tree_watch_read(watch.watch, now, &path, NULL), 0);
	assert_int_equal(tree_watch_deadline(watch.watch), now + TREE_WATCH_QUIET_NS);
	assert_int_equal(tree_watch_read(watch.watch, now + TREE_WATCH_QUIET_NS - 1, &path, NULL),
			 0);
	append_to(project_path(project, "b"), "x");
	int64_t later = now + TREE_WATCH_QUIET_NS - 1;
	assert_int_equal(tree_watch_read(watch.watch, later, &path, NULL), 0);
	assert_int_equal(tree_watch_deadline(watch.watch), later + TREE_WATCH_QUIET_NS);
	assert_int_equal(tree_watch_read(watch.watch, later + TREE_WATCH_QUIET_NS, &path, NULL), 1);
	assert_string_equal(path, file);
	assert_int_equal(tree_watch_deadline(watch.watch), INT64_MAX);
	assert_int_equal(tree_watch_read(watch.watch, later + TREE_WATCH_LIMIT_NS, &path, NULL), 0);
	watching_close(&watch);
}

static void test_endless_changes(void **state)
{
	struct test_project *project = *state;
	const char *file = project_path(project, "a");
	const char *path;
	struct watching watch = watching_open(project->directory);
	int64_t begin = clock_monotonic_ns();
	int64_t step = TREE_WATCH_QUIET_NS / 2;
	int64_t now = begin;
	for (; now < begin + TREE_WATCH_LIMIT_NS; now += step) {
		append_to(file, "x");
		assert_int_equal(tree_watch_read(watch.watch, now, &path, NULL), 0);
	}
	assert_int_equal(tree_watch_deadline(watch.watch), begin + TREE_WATCH_LIMIT_NS);
	append_to(file, "x");
	assert_int_equal(tree_watch_read(watch.watch, now, &path, NULL), 1);
	append_to(file, "x");
	assert_int_equal(tree_watch_read(watch.watch, now, &path, NULL), 0);
	assert_int_equal(tree_watch_deadline(watch.watch), now + TREE_WATCH_QUIET_NS);
	watching_close(&watch);
}

/* More events than the queue holds, and directories among the lost ones. */
static void test_many_files(void **state)
{
	struct test_project *project = *state;
	struct watching watch = watching_open(project->directory);
	char path[4096];
	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "%s/file%d", project->directory, i);
		append_to(path, "x");
	}
	project_write(project, "late/deep/file", "x");
	assert_non_null(watching_report(&watch));
	assert_silence(&watch);
	append_to(project_path(project, "late/deep/file"), "y");
	assert_change(&watch, project_path(project, "late/deep/file"));
	append_to(project_path(project, "file5000"), "y");
	assert_change(&watch, project_path(project, "file5000"));
	watching_close(&watch);
}

static void test_many_directories(void **state)
{
	struct test_project *project = *state;
	char path[4096];
	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "%s/%d", project->directory, i / 100);
		if (i % 100 == 0)
			assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/%d/%d", project->directory, i / 100, i);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	struct watching watch = watching_open(project->directory);
	append_to(project_path(project, "77/7777/file"), "x");
	assert_change(&watch, project_path(project, "77/7777/file"));
	remove_tree(project_path(project, "77"));
	assert_non_null(watching_report(&watch));
	assert_silence(&watch);
	append_to(project_path(project, "78/7878/file"), "x");
	assert_change(&watch, project_path(project, "78/7878/file"));
	watching_close(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_changes),
		PROJECT_TEST(test_no_changes),
		PROJECT_TEST(test_ignored),
		PROJECT_TEST(test_editors),
		PROJECT_TEST(test_editors_on_a_file),
		PROJECT_TEST(test_new_directories),
		PROJECT_TEST(test_renamed_directories),
		PROJECT_TEST(test_links_not_followed),
		PROJECT_TEST(test_debounce),
		PROJECT_TEST(test_endless_changes),
		PROJECT_TEST(test_many_files),
		PROJECT_TEST(test_many_directories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
