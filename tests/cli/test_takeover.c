/*
 * Services whose supervisor was killed: who takes them over, and what becomes of them.
 */
#include "support/supervised.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_takeover(void **state)
{
	static const char *const shell[] = { "FROM_SHELL=mine", NULL };
	const struct run_options options = { .environment = shell };
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, env, COLOUR, env, FROM_SHELL, env, SECOND, wait], restart: "
		      "always, restart_delay: 0, env: {COLOUR: red}}\n",
		      ACTOR);
	run_pmo_with(project, &run, &options, "start", "web", NULL);
	assert_int_equal(run.status, 0);
	run_release(&run);
	pid_t pid = read_pid(project, "web");
	kill_hard(supervisor_pid(project, "web"));
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, print, out, other], restart: no, env: {COLOUR: blue, "
		      "SECOND: new}}\n",
		      ACTOR);
	resurrect(project, TAKEN_OVER);
	resurrect(project, "");
	assert_int_equal(read_pid(project, "web"), pid);
	assert_true(process_alive(pid));
	assert_true(process_alive(supervisor_pid(project, "web")));
	assert_true(list_says(project, "\"supervisor\": \"alive\""));
	assert_true(list_says(project, "\"restarts\": 0"));
	kill_hard(pid);
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(file_count(project, ".pmo/logs/web-out.log",
			    "COLOUR=red\nFROM_SHELL=mine\nSECOND is not set\n") == 2);
	WAIT_FOR(file_says(project, ".pmo/pids/web.restarts", "1\n"));
	assert_true(file_says(project, ".pmo/logs/web-error.log",
			      "Service 'web' has ended; next try now at "));
	pid = read_pid(project, "web");
	kill_hard(pid);
	WAIT_FOR(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
	assert_int_equal(project_count(project, ".pmo/pids", "web.[!lr]*"), 0);
}

/* A service that pmo.yml no longer names has its record to live on. */
static void test_takeover_of_a_removed_service(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, env, COLOUR, wait], restart: always, restart_delay: 0, env: "
		      "{COLOUR: red}}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	kill_hard(supervisor_pid(project, "web"));
	project_write(project, "pmo.yml", "other: sleep 1\n");
	resurrect(project, TAKEN_OVER);
	assert_int_equal(read_pid(project, "web"), pid);
	kill_hard(pid);
	WAIT_FOR(has_new_leader(project, "web", pid));
	WAIT_FOR(file_count(project, ".pmo/logs/web-out.log", "COLOUR=red\n") == 2);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Its environment is out of reach: what pmo.yml says now, and not the empty values of the record.
 */
static void test_takeover_without_environment(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, env, COLOUR, touch, up, wipe-environment, wait], restart: "
		      "always, restart_delay: 0, env: {COLOUR: red}}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "up"));
	pid_t pid = read_pid(project, "web");
	char *environment = text_format("/proc/%ld/environ", (long)pid);
	size_t length = 1;
	WAIT_FOR((free(read_file(environment, &length)), length == 0));
	free(environment);
	kill_hard(supervisor_pid(project, "web"));
	replace(project, "pmo.yml", "red", "blue");
	resurrect(project, TAKEN_OVER);
	kill_hard(pid);
	WAIT_FOR(file_says(project, ".pmo/logs/web-out.log", "COLOUR=blue\n"));
	pmo_ok(project, "stop", "web");
}

/* It is no child of the new supervisor, and neither are its own. */
static void test_leftovers_of_what_was_taken_over(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, setsid, '{', wait, '}', wait], restart: on-failure, "
		      "restart_delay: 0, stop_timeout: 1s}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_processes(project, NULL, 0) == 2);
	pid_t pids[2];
	project_processes(project, pids, 2);
	pid_t pid = read_pid(project, "web");
	pid_t child = pids[0] == pid ? pids[1] : pids[0];
	kill_hard(supervisor_pid(project, "web"));
	resurrect(project, TAKEN_OVER);
	assert_true(process_alive(child));
	kill_hard(pid);
	WAIT_FOR(has_new_leader(project, "web", pid));
	assert_false(process_alive(child));
	WAIT_FOR(project_processes(project, NULL, 0) == 2);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* Nobody saw its end: that is a failure. */
static void test_end_while_nobody_looked(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%1$s, setsid, '{', wait, '}', wait], restart: on-failure}\n"
		      "job: {cmd: [%1$s, setsid, '{', wait, '}', wait], max_memory: 100G}\n",
		      ACTOR);
	pmo_ok(project, "start", "all");
	WAIT_FOR(project_processes(project, NULL, 0) == 4);
	pid_t pid = read_pid(project, "web");
	kill_hard(supervisor_pid(project, "web"));
	kill_hard(supervisor_pid(project, "job"));
	kill_hard(pid);
	kill_hard(read_pid(project, "job"));
	assert_int_equal(project_processes(project, NULL, 0), 2);
	/* what it was started as counts */
	replace(project, "pmo.yml", "max_memory: 100G", "restart: always");
	resurrect(project, "resurrected web (pid %NUMBER)\n");
	resurrect(project, "");
	assert_true(has_new_leader(project, "web", pid));
	WAIT_FOR(project_processes(project, NULL, 0) == 2);
	assert_true(file_says(project, ".pmo/pids/web.restarts", "1\n"));
	assert_false(project_exists(project, ".pmo/pids/job.pid"));
	assert_false(project_exists(project, ".pmo/pids/job.supervisor"));
	assert_true(file_says(project, ".pmo/pids/job.exit", "unknown 0 "));
	struct run run;
	run_pmo(project, &run, "ls", "--json", "job", NULL);
	assert_json(run.out, "0/status", "exited");
	run_release(&run);
	pmo_ok(project, "stop", "all");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* It cannot be started again, and so nothing is done about it. */
static void test_gone_and_removed(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, setsid, '{', wait, '}', wait], restart: always}\n", ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_processes(project, NULL, 0) == 2);
	kill_hard(supervisor_pid(project, "web"));
	kill_hard(read_pid(project, "web"));
	project_write(project, "pmo.yml", "other: sleep 1\n");
	resurrect(project, "");
	assert_int_equal(project_processes(project, NULL, 0), 1);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* A stop that was killed has left it standing still. */
static void test_held_supervisor(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, restart_delay: 0}\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	pid_t held = supervisor_pid(project, "web");
	assert_int_equal(kill(held, SIGSTOP), 0);
	WAIT_FOR(process_state(held) == 'T');
	resurrect(project, TAKEN_OVER);
	assert_false(process_alive(held));
	assert_int_equal(read_pid(project, "web"), pid);
	held = supervisor_pid(project, "web");
	assert_int_equal(kill(held, SIGSTOP), 0);
	WAIT_FOR(process_state(held) == 'T');
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, TAKEN_OVER, "");
	run_release(&run);
	assert_false(process_alive(held));
	/* the same where the leader has gone, too */
	held = supervisor_pid(project, "web");
	assert_int_equal(kill(held, SIGSTOP), 0);
	WAIT_FOR(process_state(held) == 'T');
	kill_hard(pid);
	resurrect(project, "resurrected web (pid %NUMBER)\n");
	assert_false(process_alive(held));
	assert_true(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

static void test_start_gives_a_new_supervisor(void **state)
{
	struct test_project *project = *state;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, restart_delay: 0}\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	kill_hard(supervisor_pid(project, "web"));
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, TAKEN_OVER, "");
	run_release(&run);
	run_pmo(project, &run, "start", "web", NULL);
	assert_run(&run, 0, "web is already running (pid %NUMBER)\n", "");
	run_release(&run);
	assert_int_equal(read_pid(project, "web"), pid);
	kill_hard(pid);
	WAIT_FOR(has_new_leader(project, "web", pid));
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

/* What runs as another user has an environment all the same. */
static void test_takeover_of_another_users_service(void **state)
{
	struct test_project *project = *state;
	SKIP_UNLESS_ROOT();
	const char *program = project_copy_program(project, ACTOR);
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, env, COLOUR, wait], user: '1', restart: always, "
		      "restart_delay: 0, env: {COLOUR: red}}\n",
		      program);
	pmo_ok(project, "start", "web");
	pid_t pid = read_pid(project, "web");
	kill_hard(supervisor_pid(project, "web"));
	replace(project, "pmo.yml", "red", "blue");
	resurrect(project, TAKEN_OVER);
	kill_hard(pid);
	WAIT_FOR(file_count(project, ".pmo/logs/web-out.log", "COLOUR=red\n") == 2);
	pmo_ok(project, "stop", "web");
}

/* It is not to be started again, and nobody can see how it ends. */
static void test_end_of_what_was_taken_over(void **state)
{
	struct test_project *project = *state;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], max_memory: 100G, hooks: {on_fail: touch failed, "
		      "post_stop: touch down}}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	kill_hard(supervisor_pid(project, "web"));
	resurrect(project, TAKEN_OVER);
	kill_hard(read_pid(project, "web"));
	WAIT_FOR(supervisor_pid(project, "web") == 0);
	assert_false(project_exists(project, ".pmo/pids/web.pid"));
	assert_true(file_says(project, ".pmo/pids/web.exit", "unknown 0 "));
	assert_true(list_says(project, "\"status\": \"exited\""));
	assert_true(project_exists(project, "failed"));
	assert_true(project_exists(project, "down"));
	resurrect(project, "");
}

static bool is_being_prepared(struct test_project *project)
{
	pid_t supervisor = supervisor_pid(project, "web");
	return project_exists(project, ".pmo/pids/web.pid") && read_pid(project, "web") == 0 &&
	       supervisor > 0 && process_alive(supervisor) && project_exists(project, "asked");
}

/* A supervisor that is about to start it needs no help, and is not waited for. */
static void test_restart_under_way(void **state)
{
	struct test_project *project = *state;
	struct running restart;
	struct run run;
	project_write(project, "pmo.yml",
		      "web: {cmd: [%s, wait], restart: always, hooks: {pre_start: 'while [ -e hold "
		      "]; do touch asked; sleep 0.02; done'}}\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, "hold", "%s", "");
	run_pmo_start(project, &restart, NULL, "restart", "web", NULL);
	WAIT_FOR(is_being_prepared(project));
	run_pmo(project, &run, "resurrect", NULL);
	assert_run(&run, 0, "", "");
	assert_true(run.seconds < 5);
	run_release(&run);
	unlink(project_path(project, "hold"));
	run_pmo_finish(&restart, &run);
	assert_int_equal(run.status, 0);
	run_release(&run);
	pmo_ok(project, "stop", "web");
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_takeover),
		PROJECT_TEST(test_takeover_of_a_removed_service),
		PROJECT_TEST(test_takeover_without_environment),
		PROJECT_TEST(test_leftovers_of_what_was_taken_over),
		PROJECT_TEST(test_end_while_nobody_looked),
		PROJECT_TEST(test_gone_and_removed),
		PROJECT_TEST(test_held_supervisor),
		PROJECT_TEST(test_start_gives_a_new_supervisor),
		PROJECT_TEST(test_takeover_of_another_users_service),
		PROJECT_TEST(test_end_of_what_was_taken_over),
		PROJECT_TEST(test_restart_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
