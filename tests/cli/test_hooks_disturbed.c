/*
 * Hooks that call pmo themselves, hang, or lose their supervisor.
 */
#include "support/guarded.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A hook KIND with a command of pmo in it (%s), whose status goes to the file `status`. */
static void configure_caller(struct test_project *project, const char *kind, const char *command)
{
	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, wait]\n  restart: on-failure\n  max_restarts: 0\n"
		      "  hooks:\n"
		      "    %s: '%s %s web >answer 2>&1; echo $? >status.new; mv status.new "
		      "status'\n",
		      ACTOR, kind, pmo_binary(), command);
}

static void test_hook_asks(void **state)
{
	static const char *const kinds[] = { "post_start", "pre_stop", "post_stop" };
	struct test_project *project = *state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		configure_caller(project, kinds[i], "ls");
		pmo_ok(project, "start", "web");
		if (i == 0)
			WAIT_FOR(project_exists(project, "status"));
		pmo_ok(project, "stop", "web");
		assert_true(file_says(project, "status", "0\n"));
		assert_true(file_says(project, "answer", "web"));
		unlink(project_path(project, "status"));
	}
	configure_caller(project, "pre_start", "status");
	pmo_ok(project, "start", "web");
	assert_true(file_says(project, "answer", "starting"));
	pmo_ok(project, "stop", "web");
}

static void test_hook_stops_its_own_service(void **state)
{
	struct test_project *project = *state;
	configure_caller(project, "post_start", "stop");
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	pid_t supervisor = supervisor_pid(project, "web");
	WAIT_FOR(project_exists(project, "status"));
	assert_true(file_says(project, "status", "1\n"));
	assert_true(process_alive(pid));
	assert_true(process_alive(supervisor));
	assert_false(project_exists(project, ".pmo/pids/web.stop"));
	kill_leader(project, "web");
	WAIT_FOR(service_is(project, "web", "status", "errored"));
}

/* The way out that somebody might think of: it is started again, once. */
static void test_on_fail_starts_it_again(void **state)
{
	struct test_project *project = *state;
	configure_caller(project, "on_fail", "start");
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	pid_t supervisor = supervisor_pid(project, "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "status"));
	assert_true(file_says(project, "status", "0\n"));
	assert_true(has_new_leader(project, "web", pid));
	WAIT_FOR(!process_alive(supervisor));
	assert_int_not_equal(supervisor_pid(project, "web"), supervisor);
	assert_true(process_alive(supervisor_pid(project, "web")));
	assert_true(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

/* Nobody waits for a last hook that hangs. */
static void test_stop_while_on_fail_runs(void **state)
{
	struct test_project *project = *state;
	struct run run;
	configure_web(project, "wait",
		      "  hooks:\n    on_fail: 'touch failing; sleep 600'\n    timeout: 10m\n");
	pmo_ok(project, "start", "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "failing"));
	assert_true(service_is(project, "web", "status", "errored"));
	run_pmo(project, &run, "stop", "web", NULL);
	assert_int_equal(run.status, 0);
	assert_true(run.seconds < 5);
	run_release(&run);
	assert_nothing_left(project, "web");
}

static void test_terminated_while_on_fail_runs(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait",
		      "  hooks:\n    on_fail: 'touch failing; sleep 600'\n    timeout: 10m\n");
	pmo_ok(project, "start", "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "failing"));
	pid_t supervisor = supervisor_pid(project, "web");
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_int_equal(supervisor_pid(project, "web"), 0);
	assert_true(service_is(project, "web", "status", "errored"));
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* A hook that is under way when the service ends is not cut off. */
static void test_hook_outlasts_the_service(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "exit, '0'",
		      "  hooks:\n    post_start: 'until test -e go; do sleep 0.02; done; echo "
		      "post_start >>events'\n    post_stop: 'echo post_stop >>events'\n");
	pmo_ok(project, "start", "web");
	WAIT_FOR(file_says(project, ".pmo/pids/web.exit", "code 0 "));
	assert_false(project_exists(project, "events"));
	project_write(project, "go", "now\n");
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_true(file_says(project, "events", "post_start\npost_stop\n"));
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* The supervisor is killed while HOOK runs, at a start by itself. */
static void kill_supervisor_in(struct test_project *project, const char *hook)
{
	project_write(project, "pmo.yml",
		      "web:\n  cmd: [%s, wait]\n  restart: always\n  restart_delay: 0\n  hooks:\n"
		      "    %s: 'if test -e slow; then touch slowly; sleep 600; fi'\n",
		      ACTOR, hook);
	pmo_ok(project, "start", "web");
	project_write(project, "slow", "yes\n");
	pid_t supervisor = supervisor_pid(project, "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "slowly"));
	assert_int_equal(kill(supervisor, SIGKILL), 0);
	WAIT_FOR(!process_alive(supervisor));
	unlink(project_path(project, "slow"));
}

static void test_supervisor_killed_in_pre_start(void **state)
{
	struct test_project *project = *state;
	kill_supervisor_in(project, "pre_start");
	pmo_ok(project, "ls");
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
	pmo_ok(project, "start", "web");
	assert_true(process_alive(read_pid(project, "web")));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

static void test_supervisor_killed_in_on_restart(void **state)
{
	struct test_project *project = *state;
	kill_supervisor_in(project, "on_restart");
	assert_true(process_alive(read_pid(project, "web")));
	assert_true(service_is(project, "web", "supervisor", "missing"));
	pmo_ok(project, "stop", "web");
	assert_nothing_left(project, "web");
}

static void test_supervisor_terminated_in_pre_start(void **state)
{
	struct test_project *project = *state;
	configure_web(project, "wait",
		      "  restart: always\n  restart_delay: 0\n  hooks:\n"
		      "    pre_start: 'if test -e slow; then touch slowly; sleep 600; fi'\n");
	pmo_ok(project, "start", "web");
	project_write(project, "slow", "yes\n");
	pid_t supervisor = supervisor_pid(project, "web");
	kill_leader(project, "web");
	WAIT_FOR(project_exists(project, "slowly"));
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	WAIT_FOR(!process_alive(supervisor));
	assert_down_but_wanted(project, "web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_hook_asks),
		PROJECT_TEST(test_hook_stops_its_own_service),
		PROJECT_TEST(test_on_fail_starts_it_again),
		PROJECT_TEST(test_stop_while_on_fail_runs),
		PROJECT_TEST(test_terminated_while_on_fail_runs),
		PROJECT_TEST(test_hook_outlasts_the_service),
		PROJECT_TEST(test_supervisor_killed_in_pre_start),
		PROJECT_TEST(test_supervisor_killed_in_on_restart),
		PROJECT_TEST(test_supervisor_terminated_in_pre_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
