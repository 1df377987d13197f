/*
 * pmo restart: counts, keeps what it cannot start again, reads pmo.yml anew.
 */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK "pmo: {defaults: {start_watch: 0}}\n"

static void test_restart(void **state)
{
	struct test_project *project = *state;
	struct run run;
	char *count;
	pid_t pid;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	run_pmo(project, &run, "restart", "web", NULL);
	assert_run(&run, 0, "started web (pid %NUMBER)\n", "");
	run_release(&run);
	pid = read_pid(project, "web");
	run_pmo(project, &run, "restart", "web", NULL);
	assert_run(&run, 0, "restarted web (pid %NUMBER)\n", "");
	run_release(&run);
	assert_false(process_alive(pid));
	assert_true(process_alive(read_pid(project, "web")));
	assert_int_equal(project_processes(project, NULL, 0), 1);
	pmo_ok(project, "restart", "web");
	count = project_read(project, ".pmo/pids/web.restarts");
	assert_text(count, "%NUMBER\n");
	assert_true(atoi(count) >= 2);
	free(count);
	run_pmo(project, &run, "ls", "--json", NULL);
	assert_json(run.out, "0/restarts", "%NUMBER");
	run_release(&run);
	pmo_ok(project, "stop", "web");
}

static void test_new_definition_and_environment(void **state)
{
	struct test_project *project = *state;
	char *log;

	project_write(project, ".env", "A=old\n");
	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, env, A, touch, ready, wait]\n",
		      ACTOR);
	pmo_ok(project, "start", "web");
	WAIT_FOR(project_exists(project, "ready"));
	unlink(project_path(project, "ready"));
	project_write(project, ".env", "A=new\n");
	project_write(project, "pmo.yml",
		      QUICK
		      "web:\n  cmd: [%s, env, A, env, B, touch, ready, wait]\n  env: {B: x}\n",
		      ACTOR);
	pmo_ok(project, "restart", "web");
	WAIT_FOR(project_exists(project, "ready"));
	log = project_read(project, ".pmo/logs/web-out.log");
	assert_text(log, "--- Starting service 'web' at %TIME ---\nA=new\nB=x\n");
	free(log);
	log = project_read(project, ".pmo/logs/web-out.log.1");
	assert_text(log, "--- Starting service 'web' at %TIME ---\nA=old\n");
	free(log);
	pmo_ok(project, "stop", "web");
}

/* What could not be started again is not stopped. */
static void test_runs_on_when_it_could_not_start(void **state)
{
	static const struct {
		const char *keys;
		const char *error;
	} cases[] = {
		{ "cmd: [gone]", "pmo: cannot restart 'web': command 'gone' not found\n" },
		{ "cmd: 'true'\n  cwd: gone",
		  "pmo: cannot restart 'web': cannot change to directory '%DIR/gone': "
		  "No such file or directory\n" },
		{ "cmd: 'true'\n  user: no-such-user",
		  "pmo: cannot restart 'web': there is no user 'no-such-user'\n" },
	};
	struct test_project *project = *state;
	struct run run;
	size_t i;
	pid_t pid;

	project_write(project, "pmo.yml", QUICK "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	pid = read_pid(project, "web");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		project_write(project, "pmo.yml", QUICK "web:\n  %s\n", cases[i].keys);
		run_pmo(project, &run, "restart", "web", NULL);
		assert_run(&run, 1, "", cases[i].error);
		run_release(&run);
		assert_true(process_alive(pid));
		assert_int_equal(read_pid(project, "web"), pid);
	}
	project_write(project, "pmo.yml", "web: [broken\n");
	pmo_status(project, 2, "restart", "web");
	assert_true(process_alive(pid));
	pmo_ok(project, "stop", "web");
}

static void test_restart_all(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", QUICK "a: &a {cmd: [%s, wait]}\nb: *a\nc: *a\n", ACTOR);
	run_pmo(project, &run, "restart", "all", NULL);
	assert_run(&run, 0, "",
		   "pmo: nothing is meant to be running: 'pmo start all' starts everything\n");
	run_release(&run);
	pmo_ok(project, "start", "a", "c");
	run_pmo(project, &run, "restart", "all", NULL);
	assert_run(&run, 0, "restarted a (pid %NUMBER)\nrestarted c (pid %NUMBER)\n", "");
	run_release(&run);
	assert_int_equal(read_pid(project, "b"), 0);
	pmo_ok(project, "stop", "all");
}

/* A new process that dies at once is told like that of a start. */
static void test_dies_after_the_restart(void **state)
{
	struct test_project *project = *state;
	struct run run;

	project_write(project, "pmo.yml", "web:\n  cmd: [%s, wait]\n", ACTOR);
	pmo_ok(project, "start", "web");
	project_write(project, "pmo.yml", "web:\n  cmd: [%s, print, err, why, exit, '9']\n", ACTOR);
	run_pmo(project, &run, "restart", "web", NULL);
	assert_run(&run, 1, "",
		   "pmo: 'web' ended at once with exit status 9\n"
		   "    | why\n");
	run_release(&run);
	assert_int_equal(project_processes(project, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROJECT_TEST(test_restart),
		PROJECT_TEST(test_new_definition_and_environment),
		PROJECT_TEST(test_runs_on_when_it_could_not_start),
		PROJECT_TEST(test_restart_all),
		PROJECT_TEST(test_dies_after_the_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
