/*
 * on_exit: stop-all. Only an end for good counts, and only one that nobody has asked for.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* `main` with these keys, a plain service and a supervised one. */
static void start_three(struct test_project *project, const char *actions, const char *keys)
{
	project_write(project, "pmo.yml",
		      "main: {cmd: [%s, %s], on_exit: stop-all%s}\n"
		      "plain: {cmd: [%s, wait]}\n"
		      "held: {cmd: [%s, wait], restart: always}\n",
		      ACTOR, actions, keys, ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
}

static void assert_all_stopped(struct test_project *project, const char *status)
{
	WAIT_FOR(service_is(project, "plain", "status", "stopped"));
	WAIT_FOR(service_is(project, "held", "status", "stopped"));
	WAIT_FOR(project_processes(project, NULL, 0) == 0);
	assert_true(service_is(project, "main", "status", status));
	assert_true(file_says(project, ".pmo/logs/main-error.log",
			      "has ended: all others are stopped (on_exit: stop-all)"));
	assert_int_equal(project_count(project, ".pmo/pids", "*.supervisor"), 0);
}

static void assert_others_run(struct test_project *project)
{
	assert_true(service_is(project, "plain", "status", "running"));
	assert_true(service_is(project, "held", "status", "running"));
}

static void test_success(void **state)
{
	struct test_project *project = *state;
	start_three(project, "wait-file, go", "");
	assert_others_run(project);
	project_write(project, "go", "now\n");
	assert_all_stopped(project, "exited");
}

static void test_failure(void **state)
{
	struct test_project *project = *state;
	start_three(project, "wait-file, go, exit, '3'", "");
	project_write(project, "go", "now\n");
	assert_all_stopped(project, "errored");
	assert_true(service_is(project, "main", "exit_code", "3"));
}

/* What pmo.yml has not said when `main` was started is stopped, too. */
static void test_later_service(void **state)
{
	struct test_project *project = *state;
	start_three(project, "wait-file, go", "");
	project_write(project, "pmo.yml", "late: {cmd: [%s, wait]}\n", ACTOR);
	pmo_ok(project, "start", "late");
	project_write(project, "go", "now\n");
	WAIT_FOR(project_processes(project, NULL, 0) == 0);
	assert_true(service_is(project, "late", "status", "stopped"));
}

static void test_stop_is_no_end(void **state)
{
	struct test_project *project = *state;
	start_three(project, "wait", "");
	pid_t supervisor = supervisor_pid(project, "main");
	pmo_ok(project, "stop", "main");
	assert_false(process_alive(supervisor));
	assert_others_run(project);
	pmo_ok(project, "start", "main");
	pmo_ok(project, "restart", "main");
	supervisor = supervisor_pid(project, "main");
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_true(service_is(project, "main", "status", "exited"));
	assert_others_run(project);
	pmo_ok(project, "stop", "all");
}

static void test_restart_is_no_end(void **state)
{
	struct test_project *project = *state;
	start_three(project, "wait",
		    ", restart: on-failure, restart_delay: 1ms, max_restarts: 2, min_uptime: 1h");
	for (int i = 0; i < 2; i++) {
		pid_t pid = read_pid(project, "main");
		assert_int_equal(kill(pid, SIGKILL), 0);
		WAIT_FOR(has_new_leader(project, "main", pid));
		WAIT_FOR(service_is(project, "main", "status", "running"));
		assert_others_run(project);
	}
	/* the last one it is */
	assert_int_equal(kill(read_pid(project, "main"), SIGKILL), 0);
	assert_all_stopped(project, "errored");
	assert_true(
	    service_is(project, "main", "exit_reason", "gave up after 2 restarts in a row"));
}

/* Two that would stop each other. */
static void test_two_at_once(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "one: {cmd: [%s, wait-file, go], on_exit: stop-all}\n"
		      "two: {cmd: [%s, wait-file, go], on_exit: stop-all}\n"
		      "plain: {cmd: [%s, wait]}\n",
		      ACTOR, ACTOR, ACTOR);
	pmo_ok(project, "start", "all");
	pid_t one = supervisor_pid(project, "one");
	pid_t two = supervisor_pid(project, "two");
	project_write(project, "go", "now\n");
	WAIT_FOR(!process_alive(one) && !process_alive(two));
	assert_true(service_is(project, "plain", "status", "stopped"));
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "*.supervisor"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_success),           PROJECT_TEST(test_failure),
		PROJECT_TEST(test_later_service),     PROJECT_TEST(test_stop_is_no_end),
		PROJECT_TEST(test_restart_is_no_end), PROJECT_TEST(test_two_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
