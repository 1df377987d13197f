/*
 * watch: what restarts a service, what does not, and where the watching process goes.
 */
#include "support/guarded.h"
#include "support/support.h"
#include "support/watching.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG ".pmo/logs/web-error.log"

/* Start `web`, which has these keys, in a directory with a subdirectory `src`, and wait until it is
 * watched. */
static void start(struct test_project *project, const char *actions, const char *keys)
{
	assert_int_equal(mkdir(project_path(project, "src"), 0755), 0);
	project_write(project, "src/app.py", "1\n");
	project_write(project, "pmo.yml", "web: {cmd: [%s, %s], %s}\n", ACTOR, actions, keys);
	pmo_ok(project, "start", "web");
	WAIT_FOR(supervisor_helper(supervisor_pid(project, "web")) != 0);
}

static bool has_restarts(struct test_project *project, int count)
{
	char *text = text_format("%d\n", count);
	char *found = project_read(project, ".pmo/pids/web.restarts");
	bool same = found && strcmp(found, text) == 0;
	free(found);
	free(text);
	return same;
}

static void await_restart(struct test_project *project, int count)
{
	WAIT_FOR(has_restarts(project, count));
}

/* Whether the watcher has begun to look cannot be seen: something that it must notice. The count is
 * of all restarts so far. */
static int provoke(struct test_project *project, const char *file)
{
	char *before = project_read(project, ".pmo/pids/web.restarts");
	int count = before ? (int)strtol(before, NULL, 10) : 0;
	double deadline = wait_now() + WAIT_LIMIT_S;
	double next = 0;
	while (!has_restarts(project, count + 1)) {
		if (wait_now() >= next) {
			project_write(project, file, "%g\n", next);
			next = wait_now() + 5;
		}
		wait_tick(deadline, "a restart after a change", __FILE__, __LINE__);
	}
	free(before);
	return count + 1;
}

static void stop(struct test_project *project)
{
	pid_t supervisor = supervisor_pid(project, "web");
	pid_t watcher = supervisor_helper(supervisor);
	pmo_ok(project, "stop", "web");
	assert_false(process_alive(supervisor));
	WAIT_FOR(watcher == 0 || !process_alive(watcher));
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_change_restarts(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: src, restart: no");
	pid_t pid = read_pid(project, "web");
	provoke(project, "src/app.py");
	WAIT_FOR(has_new_leader(project, "web", pid));
	assert_true(file_says(project, LOG, "Service 'web' is restarted: 'app.py' has changed"));
	assert_true(service_is(project, "web", "status", "running"));
	stop(project);
}

/* The kinds of changes, one after another. */
static void test_kinds_of_changes(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: [src, other.txt]");
	int count = provoke(project, "src/app.py");
	project_write(project, "src/app.py.new", "2\n"); /* an editor that renames on save */
	assert_int_equal(rename(project_path(project, "src/app.py.new"),
				project_path(project, "src/app.py")),
			 0);
	await_restart(project, ++count);
	assert_int_equal(mkdir(project_path(project, "src/deep"), 0755), 0);
	assert_int_equal(mkdir(project_path(project, "src/deep/er"), 0755), 0);
	await_restart(project, ++count);
	project_write(project, "src/deep/er/file", "3\n");
	await_restart(project, ++count);
	assert_int_equal(unlink(project_path(project, "src/deep/er/file")), 0);
	await_restart(project, ++count);
	project_write(project, "other.txt", "was not there\n");
	await_restart(project, ++count);
	stop(project);
}

/* What is ignored comes before what is not: had it mattered, there would be two restarts, or one
 * for another reason. */
static void test_ignored(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: src, ignore_watch: ['*.log', /tmp]");
	int count = provoke(project, "src/app.py");
	assert_int_equal(mkdir(project_path(project, "src/tmp"), 0755), 0);
	project_write(project, "src/tmp/file", "x\n");
	project_write(project, "src/some.log", "x\n");
	project_write(project, "src/.git/index", "x\n");
	project_write(project, "src/app.py.swp", "x\n");
	project_write(project, "src/last.py", "x\n");
	await_restart(project, ++count);
	assert_true(file_says(project, LOG, "is restarted: 'last.py' has changed"));
	assert_int_equal(file_count(project, LOG, "is restarted: "), count);
	stop(project);
}

/* A burst is one restart. */
static void test_burst(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: src");
	int count = provoke(project, "src/app.py");
	for (int i = 0; i < 200; i++)
		project_write(project, project_path(project, "src/file%d", i), "x\n");
	WAIT_FOR(has_restarts(project, count + 1));
	project_write(project, "src/marker", "x\n");
	WAIT_FOR(file_says(project, LOG, "'marker' has changed"));
	/* the burst may have been cut where this machine was slow, but not often */
	assert_true(file_count(project, LOG, "is restarted: 'file") <= 3);
	stop(project);
}

/* Every restart that the log tells of has its cause in `src`. */
static void assert_causes(struct test_project *project, const char *log, int count)
{
	assert_int_equal(file_count(project, log, "is restarted: 'src/"), count);
	assert_int_equal(file_count(project, log, "is restarted: "), count);
}

/* watch: true is the service's directory, where pmo itself and the service write their logs: had
 * that been a change, it would have come before the second one. */
static void test_own_directory(void **state)
{
	struct test_project *project = *state;
	assert_int_equal(mkdir(project_path(project, "logs"), 0755), 0);
	start(project, "print, out, hello, print, err, hello, wait",
	      "watch: true, out_file: 'app[1].log', error_file: logs/error.log, log_keep: 3");
	int count = provoke(project, "src/app.py");
	project_write(project, "src/second", "x\n");
	await_restart(project, ++count);
	assert_causes(project, "logs/error.log", 2);
	pmo_ok(project, "restart", "web"); /* rotates the logs */
	await_restart(project, ++count);
	WAIT_FOR(supervisor_helper(supervisor_pid(project, "web")) != 0);
	count = provoke(project, "src/app.py");
	project_write(project, "src/third", "x\n");
	await_restart(project, ++count);
	assert_causes(project, "logs/error.log", 2);
	assert_causes(project, "logs/error.log.1", 2);
	stop(project);
}

/* Who saves a file wants to see whether that was it. */
static void test_change_between_two_tries(void **state)
{
	struct test_project *project = *state;
	start(project, "sleep, '300', wait-file, fixed, wait",
	      "watch: src, restart: always, restart_delay: 10m, restart_delay_max: 10m");
	provoke(project, "src/app.py");
	pid_t pid = read_pid(project, "web");
	assert_int_equal(kill(pid, SIGKILL), 0);
	WAIT_FOR(service_is(project, "web", "status", "restarting"));
	project_write(project, "src/app.py", "fixed\n");
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(service_is(project, "web", "status", "running"));
	stop(project);
}

/* The service is asked, as by stop, and its hooks are run. */
static void test_graceful(void **state)
{
	struct test_project *project = *state;
	start(project, "handle, TERM, exit, '5', wait",
	      "watch: src, stop_timeout: 10m, hooks: {pre_stop: 'echo $PMO_PID >>stopped'}");
	char *pid = text_format("%d\n", read_pid(project, "web"));
	provoke(project, "src/app.py");
	assert_true(file_says(project, LOG, "ended with exit status 5; next try now"));
	assert_true(file_says(project, "stopped", pid));
	free(pid);
	stop(project);
}

static void test_missing(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: [src, later]");
	WAIT_FOR(file_says(project, LOG, "Service 'web' watches 'later', which is not there"));
	int count = provoke(project, "src/app.py");
	assert_int_equal(mkdir(project_path(project, "later"), 0755), 0);
	await_restart(project, ++count);
	project_write(project, "later/file", "x\n");
	await_restart(project, ++count);
	stop(project);
}

static void test_watcher_ends_with_its_supervisor(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: src");
	pid_t supervisor = supervisor_pid(project, "web");
	pid_t watcher = supervisor_helper(supervisor);
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	WAIT_FOR(!process_alive(watcher));
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	/* with the end of the service, too */
	project_write(project, "pmo.yml", "web: {cmd: [%s, wait-file, go], watch: src}\n", ACTOR);
	pmo_ok(project, "start", "web");
	supervisor = supervisor_pid(project, "web");
	WAIT_FOR((watcher = supervisor_helper(supervisor)) != 0);
	project_write(project, "go", "now\n");
	WAIT_FOR(!process_alive(supervisor) && !process_alive(watcher));
	assert_true(service_is(project, "web", "status", "exited"));
}

/* It is neither a member of the service nor lost without a word. */
static void test_watcher_killed(void **state)
{
	struct test_project *project = *state;
	start(project, "wait", "watch: src");
	assert_true(service_is(project, "web", "processes", "1"));
	pid_t watcher = supervisor_helper(supervisor_pid(project, "web"));
	assert_int_equal(kill(watcher, SIGKILL), 0);
	WAIT_FOR(file_says(project, LOG, "is not watched any more: its watcher was killed"));
	assert_true(process_alive(read_pid(project, "web")));
	stop(project);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_change_restarts),
		PROJECT_TEST(test_kinds_of_changes),
		PROJECT_TEST(test_ignored),
		PROJECT_TEST(test_burst),
		PROJECT_TEST(test_own_directory),
		PROJECT_TEST(test_change_between_two_tries),
		PROJECT_TEST(test_graceful),
		PROJECT_TEST(test_missing),
		PROJECT_TEST(test_watcher_ends_with_its_supervisor),
		PROJECT_TEST(test_watcher_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
